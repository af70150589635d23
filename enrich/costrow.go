package enrich

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"smolscope/enrich/attr"
	"smolscope/enrich/price"
)

// priceCalls puts the cost of every counted span and the bills of tests and
// traces together.
func (e *enricher) priceCalls() {
	book := &priceBook{list: e.options.Prices}
	for _, tr := range e.traces {
		tr.costs = make([]*float64, len(tr.tree.spans))
		for _, f := range tr.tests {
			e.priceTest(book, tr, f)
		}
		if len(tr.tests) > 1 {
			for _, f := range tr.tests {
				tr.whole.bill.add(&f.bill)
			}
		}
	}
	for _, t := range e.tests {
		e.bill.add(new(t.bill()))
	}
}

// priceTest prices the counted spans of one test, at the prices of its start.
func (e *enricher) priceTest(book *priceBook, tr *traced, f *facts) {
	what := "LLM call"
	if f.tokenSource == tokenRollUp {
		what = "AGENT span"
	}
	spans := make([]int, 0, len(f.counted))
	costs := make([]leafCost, 0, len(f.counted)) // of the spans
	owed := map[int][]int{}                      // span that states a cost → the leaves below it that state none, by their place in spans
	for _, i := range f.counted {
		n := tr.usage.tokens[i]
		if !n.any() {
			continue
		}
		var response, request, system string
		around := []int{i} // spans that may state the cost, the leaf first
		if f.tokenSource == tokenRollUp {
			request, system = e.modelOfAgent(f, &tr.tree.spans[i])
		} else {
			var of *call
			response, request, of, around = tr.usage.modelOf(i, f.calls)
			system = e.sellerName(of)
		}
		c := listCost(n, book.price(response, request, system, f.start))
		for _, s := range around {
			stated := readCost(tr.tree.spans[s].attrs())
			if !c.gives(&stated) {
				continue
			}
			if s == i {
				c.report(&stated, n)
			} else {
				owed[s] = append(owed[s], len(spans))
			}
			break
		}
		spans, costs = append(spans, i), append(costs, c)
	}
	for k, i := range spans {
		if costs[k].source != costUnknown {
			tr.costs[i] = new(costs[k].total)
		}
	}
	for s, places := range owed {
		if len(places) == len(tr.usage.leavesOf(s)) { // else a part of it is that of leaves which state theirs
			stated := readCost(tr.tree.spans[s].attrs())
			tr.reportOnce(s, &stated, places, spans, costs)
		}
	}
	for k := range costs {
		f.bill.charge(&costs[k], what)
	}
}

// reportOnce gives the leaves below an outer span, which state no cost, the one
// that it states: to the last whose tokens it repeats, where the others are tries
// that it says nothing of, else once to all of them.
func (tr *traced) reportOnce(outer int, stated *statedCost, places, spans []int, costs []leafCost) {
	counts := tr.usage.tokens
	same := func(a, b *int64) bool { return a != nil && b != nil && *a == *b }
	for _, k := range slices.Backward(places) {
		if n := counts[spans[k]]; same(n.prompt, counts[outer].prompt) && same(n.completion, counts[outer].completion) {
			places = []int{k}
			break
		}
	}
	if len(places) == 1 {
		k := places[0]
		costs[k].report(stated, counts[spans[k]])
		tr.costs[spans[k]] = new(costs[k].total)
		return
	}
	var n tokens
	all := leafCost{ours: new(0.0), parts: new(costParts)}
	for _, k := range places {
		of := counts[spans[k]]
		n.reasoning, n.cacheRead, n.cacheWrite = plus(n.reasoning, of.reasoning), plus(n.cacheRead, of.cacheRead), plus(n.cacheWrite, of.cacheWrite)
		if costs[k].parts == nil || all.parts == nil {
			all.ours, all.parts = nil, nil
			continue
		}
		*all.ours += *costs[k].ours
		for i, v := range costs[k].parts {
			all.parts[i] = plus(all.parts[i], v)
		}
	}
	all.report(stated, n)
	all.basis += fmt.Sprintf(", once for the %d below it", len(places))
	for j, k := range places {
		c := &costs[k]
		model, how, ours := c.model, c.how, c.ours
		if *c = all; j > 0 {
			*c = leafCost{source: all.source}
			if all.parts != nil {
				c.parts = new(costParts)
			}
		}
		c.model, c.how, c.ours = model, how, ours
		tr.costs[spans[k]] = nil
	}
	tr.costs[outer] = &all.total
}

// plus adds what is known: of nothing known it is nil.
func plus[T int64 | float64](a, b *T) *T {
	var s sum[T]
	s.add(a)
	s.add(b)
	return s.value()
}

// modelOf returns what a usage leaf says of its model, from the leaf outwards to
// its logical call: the provider may have been asked again for another model.
// around lists the leaf and the LLM spans of the call that enclose it, of which
// an outer one may state the cost that the leaf lacks.
func (u *usage) modelOf(leaf int, calls []call) (response, request string, of *call, around []int) {
	for i := leaf; i >= 0; i = u.tree.parent[i] {
		if u.tree.roles[i] == RoleLLM {
			around = append(around, i)
			if response == "" {
				response = u.responses[i]
			}
			if request == "" {
				request = u.models[i]
			}
		}
		at := sort.Search(len(calls), func(k int) bool { return calls[k].at >= i })
		if at == len(calls) || calls[at].at != i {
			continue
		}
		c := &calls[at]
		if response == "" && len(c.leaves) == 1 {
			response = c.responseModel
		}
		if request == "" {
			request = c.requestModel
		}
		return response, request, c, around
	}
	return response, request, &call{}, around[:1] // a call around several tests is none of theirs
}

// sellerName returns the system that a call is billed by: who runs the model on
// this machine before whose model it is. Where no span tells, the leaderboard row
// may: litellm is no more than its default (spec §3.10 provider).
func (e *enricher) sellerName(c *call) string {
	provider := c.provider
	if provider == "" && c.system == "" {
		provider, _ = e.run.Leaderboard.Str(attr.Field{"provider"})
	}
	if price.Local(provider) {
		return provider
	}
	return c.system
}

// modelOfAgent returns the model whose tokens an AGENT span sums up: that of the
// span, else the one that all calls of the test asked for, else the run's.
func (e *enricher) modelOfAgent(f *facts, s *Span) (request, system string) {
	request = requestModelOf(s)
	model, vary := agreed(f.calls, func(c *call) *string { return text(c.requestModel) })
	if request == "" && model != nil && !vary {
		request = *model
	}
	if request == "" && !vary {
		request = e.model
	}
	if len(f.calls) > 0 {
		return request, e.sellerName(&f.calls[0])
	}
	return request, cmp.Or(e.sellerName(&call{}), price.Seller(request))
}

// bill returns what a test cost: by its spans, else as its row states it, where
// 0 is not computed (spec §3.11).
func (t *test) bill() bill {
	if t.facts != nil {
		return t.facts.bill
	}
	if t.exported != nil {
		return billOfRow(t.exported)
	}
	summary := &t.stored
	cost, key := t.row.Float(attr.Field{"cost_usd"})
	if key == "" && summary.CostUSD != nil {
		cost = *summary.CostUSD
	}
	tokens, key := t.row.Int(attr.Field{"total_tokens"})
	if key == "" && summary.TotalTokens != nil {
		tokens = *summary.TotalTokens
	}
	switch {
	case cost > 0 && cost <= maxCost:
		var b bill
		b.charge(&leafCost{source: costReported, total: cost, basis: "cost_usd in a results row, without a trace to check it"}, "test")
		return b
	case tokens > 0:
		return bill{leaves: 1, source: costUnknown}
	}
	return bill{}
}

// billOfRow returns what a test cost as an exported row states it.
func billOfRow(r *ResultRow) bill {
	switch {
	case r.CostTotal != nil:
		b := bill{leaves: 1, priced: 1, source: deref(r.CostSource), total: *r.CostTotal, unsplit: r.CostPrompt == nil}
		for i, v := range []*float64{r.CostPrompt, r.CostCompletion, r.CostReasoning, r.CostCacheRead, r.CostCacheWrite} {
			b.parts[i].add(v)
		}
		b.bases = []basis{{source: source{Reported, "states", "its cost in an export of smolscope"}, what: "test", leaves: 1}}
		return b
	case r.UsageTotalTokens != nil:
		return bill{leaves: 1, source: costUnknown}
	}
	return bill{}
}

// put writes a bill into the columns of a row and says where they come from.
func (b *bill) put(o *origins, total, source any, parts [costPartCount]any) {
	*total.(**float64) = b.value()
	*source.(**string) = text(b.source)
	o.note(b.origin().Kind, b.origin().From, total)
	o.note(Derived, b.sourceReason(), source)
	for i, ptr := range parts {
		*ptr.(**float64) = b.part(i)
		o.note(b.partOrigin(i).Kind, b.partOrigin(i).From, ptr)
	}
}

// cost fills what the test cost (spec §3.8).
func (b *resultBuilder) cost(bill *bill) {
	r := b.row
	bill.put(&b.origins, &r.CostTotal, &r.CostSource, [...]any{&r.CostPrompt, &r.CostCompletion, &r.CostReasoning, &r.CostCacheRead, &r.CostCacheWrite})
	bill.raise(b.found, b.where())
	if b.facts == nil {
		if r.CostTotal != nil {
			b.raise(FlagStoredSummary)
			b.note(Reported, "results row, unverified: SMOLTRACE adds nested spans again", &r.CostTotal)
		}
		return
	}
	if stored, key := b.test.row.Float(attr.Field{"cost_usd"}); key != "" && (r.CostTotal == nil || costsDiffer(stored, *r.CostTotal)) {
		b.found.keep(b.where(), "gen_ai.usage.cost.total", attr.FloatValue(stored))
	}
}

// traceCost fills what a trace cost.
func (e *enricher) traceCost(r *TraceRow, o *origins, f *facts, row attr.Set, where string) {
	f.bill.put(o, &r.TotalCostUSD, &r.CostSource, [...]any{&r.CostPrompt, &r.CostCompletion, &r.CostReasoning, &r.CostCacheRead, &r.CostCacheWrite})
	f.bill.raise(e.found, where)
	if stored := row.Get("total_cost_usd"); !stored.IsNull() {
		if v, ok := stored.Float(); !ok || r.TotalCostUSD == nil || costsDiffer(v, *r.TotalCostUSD) {
			e.found.keep(where, "total_cost_usd", stored)
		}
	}
}

// costsDiffer reports whether two amounts differ by more than rounding to
// millionths of a dollar.
func costsDiffer(a, b float64) bool { return max(a-b, b-a) > 0.51e-6 }

// cost fills what the run cost: the sums over its tests, and means over the
// tests whose cost is known (decisions.md A3, A10).
func (b *leaderboardBuilder) cost() {
	r := b.row
	b.bill.put(&b.origins, &r.TotalCostUSD, &r.CostSource, [...]any{&r.TotalCostPromptUSD, &r.TotalCostCompletionUSD, &r.TotalCostReasoningUSD, &r.TotalCostCacheReadUSD, &r.TotalCostCacheWriteUSD})
	o := b.bill.origin()
	b.note(o.Kind, b.withUnjoined(o.From), &r.TotalCostUSD)
	b.bill.raise(b.found, "run")
	var total, prompt, completion sum[float64]
	for i := range b.tables.Results {
		t := &b.tables.Results[i]
		total.add(t.CostTotal)
		prompt.add(t.CostPrompt)
		completion.add(t.CostCompletion)
	}
	r.AvgCostPerTestUSD, r.AvgCostPromptPerTestUSD, r.AvgCostCompletionPerTestUSD = total.mean(), prompt.mean(), completion.mean()
	b.note(Derived, fmt.Sprintf("mean over the %s whose cost is known", plural(total.known, "test")), &r.AvgCostPerTestUSD)
	b.note(Derived, fmt.Sprintf("mean over the %s whose cost is known by its parts", plural(prompt.known, "test")), &r.AvgCostPromptPerTestUSD)
	b.note(Derived, fmt.Sprintf("mean over the %s whose cost is known by its parts", plural(completion.known, "test")), &r.AvgCostCompletionPerTestUSD)
}

// The metrics of a bill's total and parts (spec §4.2).
const totalCost = "gen_ai.usage.cost.total"

var partMetrics = [costPartCount]string{
	"gen_ai.usage.cost.prompt", "gen_ai.usage.cost.completion", "gen_ai.usage.cost.reasoning",
	"gen_ai.usage.cost.cache_read", "gen_ai.usage.cost.cache_write",
}

// cost counts what one level cost, where that is known (spec §4.2, 5 and 12 to 16).
func (m *meter) cost(b *bill, model string) {
	if v := b.value(); v != nil {
		m.add(totalCost, Sum, "USD", *v, label("model", model), label("cost_source", b.source))
	}
	for i, name := range partMetrics {
		if v := b.part(i); v != nil {
			m.add(name, Counter, "USD", *v, label("model", model))
		}
	}
}
