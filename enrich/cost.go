package enrich

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"smolscope/enrich/attr"
	"smolscope/enrich/price"
)

// Where a cost comes from: the values of cost_source (spec §3.8).
const (
	costReported  = "reported"  // a span states it
	costPriced    = "priced"    // tokens × the price list
	costEstimated = "estimated" // a span states it, as its producer's estimate
	costUnknown   = "unknown"   // there are tokens, and no price for them
)

// costSources orders them from the surest to the weakest.
var costSources = []string{costReported, costPriced, costEstimated, costUnknown}

// The parts of a cost. They are disjoint, and their sum is the total.
const (
	promptPart     = iota // tokens that no cache served
	completionPart        // the visible answer
	reasoningPart
	cacheReadPart
	cacheWritePart
	costPartCount
)

// costParts are the parts of a cost in USD. A part whose tokens were not
// reported is nil, and counts as 0.
type costParts [costPartCount]*float64

func (p costParts) sum() float64 {
	total := 0.0
	for _, v := range p {
		if v != nil {
			total += *v
		}
	}
	return total
}

func (p costParts) scaled(factor float64) costParts {
	for i, v := range p {
		if v != nil {
			p[i] = new(*v * factor)
		}
	}
	return p
}

// A leafCost is what one usage leaf cost.
type leafCost struct {
	source string
	total  float64                // USD; 0 where the source is costUnknown
	parts  *costParts             // nil where the total cannot be split
	basis  string                 // attribute that states it, or the price it is made with, or why there is none
	from   *[costPartCount]Origin // of the parts, nil where that is the basis
	ours   *float64               // USD by the price list, whatever is reported
	model  string                 // name that was looked up
	how    string                 // by which rule it matched, "" for not
	flags  []string
}

// maxCost is more than any call costs, in USD. An amount above it is a mistake,
// and would overflow the sums.
const maxCost = 1e9

// costOf prices one usage leaf from its attributes and tokens: as reported,
// else by the price list (spec §3.8, precedence). p is the price of its model,
// nil for none.
func costOf(s *Span, n tokens, p *modelPrice) leafCost {
	c := listCost(n, p)
	if stated := readCost(s.attrs()); c.gives(&stated) {
		c.report(&stated, n)
	}
	return c
}

// listCost prices the tokens of a usage leaf by the price list.
func listCost(n tokens, p *modelPrice) leafCost {
	c := leafCost{source: costUnknown}
	switch {
	case p == nil:
		c.basis = "no model is stated"
		return c
	case p.match.How == "":
		c.model, c.basis = p.model, p.text
		return c
	}
	c.model, c.how = p.model, p.match.How
	parts, fallback := priceTokens(p.match.Row, n)
	switch {
	case n.prompt == nil || n.completion == nil:
		c.basis = "its prompt or its completion tokens are not stated"
	case parts == nil || parts.sum() > maxCost:
		c.basis = "its price does not cover all of its tokens"
	default:
		c.source, c.parts, c.total, c.basis = costPriced, parts, parts.sum(), p.basis(n)
		c.ours = new(c.total)
		if fallback {
			c.flags = append(c.flags, FlagPriceFallback)
		}
	}
	return c
}

// gives reports whether a stated cost replaces that of the list: an amount does,
// and nothing where the list says that the model is free too.
func (c *leafCost) gives(stated *statedCost) bool {
	return stated.total > 0 || stated.free && c.ours != nil && *c.ours == 0
}

// report replaces the cost by the list with a stated one of the same tokens.
func (c *leafCost) report(stated *statedCost, n tokens) {
	ours := c.parts
	c.source, c.total, c.basis, c.parts, c.flags = costReported, stated.total, stated.key, nil, nil
	if stated.estimated {
		c.source = costEstimated
	}
	if stated.total == 0 {
		c.parts = ours
		return
	}
	c.split(stated, ours, n)
	if c.ours != nil && max(*c.ours-c.total, c.total-*c.ours) > 0.2*c.total {
		c.flags = append(c.flags, FlagCostDiffers)
	}
}

// byList is said of what is divided in the proportions of the price list.
const byList = ", divided in the proportions of the price list"

// split divides a reported total into its reported parts, or, where those are
// missing or do not add up, in the proportions of the price list.
func (c *leafCost) split(stated *statedCost, ours *costParts, n tokens) {
	parts, from, mismatch := stated.disjoint()
	if mismatch {
		c.flags = append(c.flags, FlagCostMismatch)
	}
	if parts != nil {
		c.from = new([costPartCount]Origin)
		for i, key := range from.keys {
			c.from[i] = Origin{Reported, key}
			if stated := from.costParts[i]; stated != nil && *stated != *parts[i] {
				c.from[i].From += ", less its details"
			}
		}
		if !from.apart && !c.divide(parts, ours, n) {
			return // a part that has others in it, nobody knows how much of each
		}
	} else if ours != nil && *c.ours > 0 {
		parts, c.from = ours, new([costPartCount]Origin)
		for i := range c.from {
			c.from[i] = Origin{Priced, c.basis + byList}
		}
		c.flags = append(c.flags, FlagCostSplitScaled)
	}
	if parts == nil {
		return
	}
	// Parts may miss the total by 1 %, which is what rounding leaves.
	if factor := c.total / parts.sum(); factor < 1e12 {
		c.parts = new(parts.scaled(factor))
	}
}

// wholes are the parts that have others in them where a producer does not tell
// those apart.
var wholes = []struct {
	whole   int
	details []int
}{{promptPart, []int{cacheReadPart, cacheWritePart}}, {completionPart, []int{reasoningPart}}}

// divide takes out of prompt and completion the cost of those cached and
// reasoning tokens that the call had but states no cost of, in the proportions
// of the price list: parts are disjoint (spec §3.8). It returns false if it
// cannot.
func (c *leafCost) divide(parts, ours *costParts, n tokens) bool {
	counts := [costPartCount]*int64{reasoningPart: n.reasoning, cacheReadPart: n.cacheRead, cacheWritePart: n.cacheWrite}
	for _, w := range wholes {
		in := []int{w.whole}
		for _, d := range w.details {
			if parts[d] == nil && orZero(counts[d]) > 0 {
				in = append(in, d)
			}
		}
		if len(in) == 1 || parts[w.whole] == nil {
			continue
		}
		all := 0.0
		for _, i := range in {
			if ours != nil && ours[i] != nil {
				all += *ours[i]
			}
		}
		if all == 0 {
			return false
		}
		amount, from := *parts[w.whole], Origin{Priced, c.from[w.whole].From + byList}
		for _, i := range in {
			parts[i], c.from[i] = new(amount**ours[i]/all), from
		}
		if !slices.Contains(c.flags, FlagCostSplitScaled) {
			c.flags = append(c.flags, FlagCostSplitScaled)
		}
	}
	return true
}

// priceTokens multiplies tokens with the prices of a row. The parts are nil
// when a count or a price that it takes is not known; fallback is true when
// cached tokens were priced as input, or reasoning as output, for want of a
// price of their own.
func priceTokens(row price.Row, n tokens) (parts *costParts, fallback bool) {
	if n.prompt == nil || n.completion == nil {
		return nil, false
	}
	row = row.For(*n.prompt)
	fresh := max(0, *n.prompt-orZero(n.cacheRead)-orZero(n.cacheWrite))
	visible := max(0, *n.completion-orZero(n.reasoning))
	parts = new(costParts)
	usdOf := new([costPartCount]float64) // one allocation for all
	for _, p := range []struct {
		part      int
		count     *int64
		price     *float64
		otherwise *float64
	}{
		{promptPart, &fresh, row.Input, nil},
		{completionPart, &visible, row.Output, nil},
		{reasoningPart, n.reasoning, row.Reasoning, row.Output},
		{cacheReadPart, n.cacheRead, row.CacheRead, row.Input},
		{cacheWritePart, n.cacheWrite, row.CacheWrite, row.Input},
	} {
		usd := p.price
		if usd == nil {
			usd = p.otherwise
			fallback = fallback || orZero(p.count) > 0
		}
		switch {
		case p.count == nil:
		case *p.count == 0:
			parts[p.part] = &usdOf[p.part]
		case usd == nil:
			return nil, false
		default:
			usdOf[p.part] = float64(*p.count) * *usd / 1e6
			parts[p.part] = &usdOf[p.part]
		}
	}
	return parts, fallback
}

// A statedCost is what a span says that it cost, in USD.
type statedCost struct {
	total     float64 // above 0, or 0 for none
	key       string  // attribute that states it
	free      bool    // the producer's table says that it cost nothing
	estimated bool
	parts     []statedParts
}

// statedParts are the parts of a cost as one convention states them. Inclusive
// ones have the cached parts in prompt and the reasoning in completion; those
// that are apart never have.
type statedParts struct {
	costParts
	keys             [costPartCount]string // attributes that state them
	inclusive, apart bool
}

// readCost reads the first amount above 0 that a span states (spec §2.2, §3.8).
func readCost(used attr.Lookup) statedCost {
	var c statedCost
	take := func(v float64, ok bool, key string) bool {
		if !ok || v <= 0 || v > maxCost {
			return false
		}
		c.total, c.key = v, key
		return true
	}
	first := func(f attr.Field) bool {
		for _, key := range f {
			if v, ok := used.Get(key).Float(); take(v, ok, key) {
				return true
			}
		}
		return false
	}
	openInference := func() statedParts {
		parts := namedParts(used, openInferenceParts)
		parts.inclusive = true
		return parts
	}
	genAI := func() statedParts { return namedParts(used, partMetrics) }
	if first(attr.ProviderCost) {
		c.parts = []statedParts{openInference(), genAI()}
		return c
	}
	pricing, _ := used.Str(attr.PricingSource)
	if pricing == "unpriced" {
		return c
	}
	c.estimated = pricing == "estimated"
	if first(attr.ComputedCost) {
		c.parts = []statedParts{genAI(), openInference()}
		return c
	}
	if details, key := used.Str(attr.CostDetails); key != "" {
		total, parts := langfuseCost(details)
		if take(total, true, key) {
			c.parts = []statedParts{{costParts: parts, keys: [costPartCount]string{key, key, key, key, key}, apart: true}}
			return c
		}
	}
	if first(attr.CostAmount) {
		c.parts = []statedParts{genAI(), openInference()}
		return c
	}
	if v, key := used.Float(attr.ComputedCost); key != "" && v == 0 && pricing == "table" {
		c.free, c.key = true, key
	}
	return c
}

// openInferenceParts are OpenInference's attributes of the parts; those of
// OpenTelemetry are named like the metrics.
var openInferenceParts = [costPartCount]string{
	"llm.cost.prompt", "llm.cost.completion", "llm.cost.completion_details.reasoning",
	"llm.cost.prompt_details.cache_read", "llm.cost.prompt_details.cache_write",
}

// namedParts reads one attribute for each part.
func namedParts(used attr.Lookup, keys [costPartCount]string) statedParts {
	parts := statedParts{keys: keys}
	for i, key := range keys {
		if v, ok := used.Get(key).Float(); ok && v >= 0 && v <= maxCost {
			parts.costParts[i] = new(v)
		}
	}
	return parts
}

// langfuseCost reads cost_details, an object of disjoint amounts under the names
// of usage_details, and total; without it the total is their sum.
func langfuseCost(details string) (total float64, parts costParts) {
	var sums [costPartCount]sum[float64]
	all := 0.0
	fields := jsonObject(details)
	for _, key := range slices.Sorted(maps.Keys(fields)) { // a sum of floats depends on the order
		v, ok := jsonValue(fields[key]).Float()
		if !ok || v < 0 || v > maxCost || langfuseRepeats(fields, key) {
			continue
		}
		if key == "total" || key == "total_tokens" {
			total = cmp.Or(total, v)
			continue
		}
		all += v
		if part, ok := langfusePart(key); ok {
			sums[part].add(&v)
		}
	}
	if total == 0 {
		total = all
	}
	for i := range sums {
		parts[i] = sums[i].value()
	}
	return total, parts
}

// langfusePart tells which part of usage and cost a name of Langfuse's means.
func langfusePart(key string) (part int, ok bool) {
	input, output := strings.Contains(key, "input"), strings.Contains(key, "output")
	switch {
	case key == "prompt_tokens":
		return promptPart, true
	case key == "completion_tokens":
		return completionPart, true
	case input && strings.Contains(key, "creation"):
		return cacheWritePart, true
	case input && strings.Contains(key, "cache"):
		return cacheReadPart, true
	case output && strings.Contains(key, "reasoning"):
		return reasoningPart, true
	case input:
		return promptPart, true
	}
	return completionPart, output
}

// disjoint returns the stated parts without overlaps of what is stated, and who
// states them, or nil when none are stated that sum to the total within 1 %:
// mismatch says that some were.
func (c *statedCost) disjoint() (parts *costParts, from *statedParts, mismatch bool) {
	for i := range c.parts {
		stated := &c.parts[i]
		if stated.costParts[promptPart] == nil && stated.costParts[completionPart] == nil {
			continue
		}
		apart, ok := stated.withoutDetails()
		forms := []costParts{stated.costParts, apart}
		if !ok {
			forms = forms[:1]
		} else if stated.inclusive {
			forms[0], forms[1] = apart, stated.costParts
		}
		for _, form := range forms {
			if d := form.sum() - c.total; max(d, -d) <= max(0.01*c.total, 1e-9) && form.sum() > 0 {
				return &form, stated, false
			}
		}
		mismatch = true
	}
	return nil, nil, mismatch
}

// withoutDetails takes the details out of prompt and completion, which is
// possible where they are not more than those.
func (p *statedParts) withoutDetails() (parts costParts, ok bool) {
	parts = p.costParts
	for _, from := range wholes {
		for _, d := range from.details {
			if parts[d] == nil || *parts[d] == 0 {
				continue
			}
			if parts[from.whole] == nil || *parts[from.whole] < *parts[d] {
				return costParts{}, false
			}
			parts[from.whole] = new(*parts[from.whole] - *parts[d])
		}
	}
	return parts, true
}

// A modelPrice is the price of a model from a day on.
type modelPrice struct {
	model string      // the name that was looked up
	match price.Match // zero when no row of the list is the model's
	text  string      // what the basis says of the row, or why there is none
}

// basis names the row and those of its prices that are listed, for a reader.
func (p *modelPrice) basis(n tokens) string {
	row := p.match.Row.For(*n.prompt)
	var prices []string
	for _, of := range []struct {
		usd  *float64
		what string
	}{{row.Input, " in"}, {row.CacheRead, " cache read"}, {row.CacheWrite, " cache write"}, {row.Output, " out"}, {row.Reasoning, " reasoning"}} {
		if of.usd != nil {
			prices = append(prices, strconv.FormatFloat(*of.usd, 'f', -1, 64)+of.what)
		}
	}
	return p.text + ": " + strings.Join(prices, ", ") + " USD per million tokens"
}

// A priceBook finds the prices of a run's models, each once.
type priceBook struct {
	list  *price.List // nil for none
	found map[priceKey]*modelPrice

	last      priceKey // asked for, as the next mostly is
	lastPrice *modelPrice
}

type priceKey struct {
	response, request, system string
	minute                    int64 // prices may change with the hour
}

// price returns the price of a call's model at a time, by the name in the
// response before that in the request; nil when both are unknown.
func (b *priceBook) price(response, request, system string, at Time) *modelPrice {
	key := priceKey{response, request, system, int64(at) / int64(time.Minute)}
	if b.found == nil {
		b.found = map[priceKey]*modelPrice{}
	} else if key == b.last {
		return b.lastPrice
	}
	p, ok := b.found[key]
	if !ok {
		p = b.match(key, at)
		b.found[key] = p
	}
	b.last, b.lastPrice = key, p
	return p
}

func (b *priceBook) match(key priceKey, at Time) *modelPrice {
	var p *modelPrice
	for _, model := range []string{key.response, key.request} {
		if model == "" {
			continue
		}
		p = &modelPrice{model: model, text: "no price list"}
		if b.list == nil {
			continue
		}
		p.text = b.list.Why(model, key.system)
		var when time.Time
		if at != 0 {
			when = time.Unix(0, int64(at)).UTC()
		}
		if m, ok := b.list.Match(model, key.system, when); ok {
			p.match = m
			from := m.Row.ValidFrom
			switch {
			case from != "":
			case m.Row.Source == b.list.Source():
				from = "the list of " + b.list.AsOf()
			default:
				from = "a price list of one's own"
			}
			how := m.How
			if m.Row.Provider != nil {
				how += ", sold by " + *m.Row.Provider
			}
			p.text = m.Row.Key + " of " + from + " (" + how + ")"
			return p
		}
	}
	return p
}
