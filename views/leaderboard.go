package views

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// A LeaderboardQuery is how the leaderboard is asked for. Sort is a column's
// name; by default it is success_rate, best first.
type LeaderboardQuery struct {
	Find Find[enrich.LeaderboardRow]
	Sort string
	Desc bool
	Page int // counted from 1
}

// ParseLeaderboardQuery reads ?q=, ?sort=, ?order= and ?page=. A term of q that makes
// no sense is no error here: see Find.
func ParseLeaderboardQuery(v url.Values) (LeaderboardQuery, error) {
	var q LeaderboardQuery
	var err error
	if q.Sort, q.Desc, err = parseSort(v, enrich.LeaderboardColumns); err != nil {
		return q, err
	}
	if q.Sort == "" {
		q.Sort, q.Desc = "success_rate", true
	}
	q.Find = parseFind(v, runLanguage)
	q.Page, err = parsePage(v)
	return q, err
}

// Limit is how many runs a page holds.
func (q LeaderboardQuery) Limit() int { return RowsPerPage }

// Offset is how many runs come before the page.
func (q LeaderboardQuery) Offset() int { return (max(q.Page, 1) - 1) * RowsPerPage }

// ranked reports whether the order is that of the ranks.
func (q LeaderboardQuery) ranked() bool { return q.Sort == "success_rate" && q.Desc }

// A LeaderboardPage lists runs, best first.
type LeaderboardPage struct {
	Layout   Layout
	Empty    bool // there is no run at all
	Filter   FilterBar
	Summary  string
	Cards    []Card
	Headings []Heading
	Extra    string // label of a column that is shown only because it is sorted by
	Ranks    bool
	Rows     []LeaderboardLine
	Pager    Pager
}

// A LeaderboardLine is one run of the leaderboard.
type LeaderboardLine struct {
	Rank     string
	Tie      bool
	Unranked string // why the run has no rank, "" if it has one
	Provider bool   // because the provider failed
	Model    string
	ID       string
	RunID    string // whole
	Href     string
	Agent    string
	Success  Quantity
	Interval *IntervalBar
	Outcomes OutcomeBar
	Tests    Quantity
	Time     Quantity
	In, Out  Quantity
	Cost     Quantity
	Correct  Quantity // cost of a correct answer
	Energy   Quantity
	Errors   Quantity
	TopError,
	ErrorList string // the commonest class, and all with their counts
	Extra Quantity
	When  Moment
}

// leaderboardColumns are the columns the page always shows, after rank and
// model; an empty label takes the column's own, and one without a name is worked
// out here and cannot be sorted by.
var leaderboardColumns = []struct{ name, label string }{
	{"agent_type", ""}, {"success_rate", ""}, {"num_tests", "Outcomes, tests"}, {"avg_duration_ms", "Time a test"},
	{"total_prompt_tokens", ""}, {"total_completion_tokens", ""}, {"total_cost_usd", ""}, {"", "$ / correct"},
	{"total_gpu_energy_wh", ""}, {"total_errors", ""}, {"evaluation_date", "When"},
}

// NewLeaderboardPage makes the leaderboard of the runs of one page, sorted and
// cut by whoever holds them all; total is how many there are, and origins says
// by run where the columns of its row came from. Ranks need all runs, so they
// are given where the page holds them all.
func NewLeaderboardPage(rows []enrich.LeaderboardRow, total int, origins map[string]map[string]enrich.Origin, q LeaderboardQuery) LeaderboardPage {
	whys := newWhys()
	p := LeaderboardPage{Layout: Layout{Section: "leaderboard", Wide: true, Whys: whys}, Empty: total == 0 && len(q.Find.Filter.Terms) == 0}
	if p.Empty {
		return p
	}
	var keep []string
	if !q.ranked() {
		keep = sortPairs(q.Sort, q.Desc)
	}
	found := len(q.Find.Filter.Terms) > 0
	p.Layout.Scripts = []string{"filter"}
	p.Filter = newFilterBar(q.Find, "/", keep, plural(total, "run"), completions(runLanguage, rows, "model", "agent", "provider", "suite"))
	p.Filter.Example = "model:gpt cost<0.01 success>50%"
	p.Ranks = total == len(rows)
	ranks := rank(rows)
	if p.Ranks && q.ranked() {
		rows = inRankOrder(rows, ranks)
		ranks = rank(rows)
	}
	s := sorting{path: "/", keep: []string{"q", q.Find.Text}, by: q.Sort, desc: q.Desc}
	p.Headings = append(p.Headings, columnHeading(s, enrich.LeaderboardColumns, "model", ""))
	shown := map[string]bool{"model": true}
	for _, c := range leaderboardColumns {
		h := columnHeading(s, enrich.LeaderboardColumns, c.name, c.label)
		if c.name == "success_rate" || c.name == "num_tests" {
			h.Class = ""
		}
		p.Headings = append(p.Headings, h)
		shown[c.name] = true
	}
	var extra *enrich.Column[enrich.LeaderboardRow]
	if c, ok := enrich.Lookup(enrich.LeaderboardColumns, q.Sort); ok && !shown[q.Sort] {
		extra = &c
		p.Extra = c.Label
		p.Headings = append(p.Headings, columnHeading(s, enrich.LeaderboardColumns, q.Sort, ""))
	}
	for i := range rows {
		f := runFigures(whys, &rows[i], origins[rows[i].RunID])
		line := newLeaderboardLine(f, ranks[i])
		if !p.Ranks {
			line.Rank, line.Tie = "", false
		}
		if extra != nil {
			line.Extra = f.get(extra.Name)
			if extra.Name == "co2_emissions_g" && rows[i].CO2EmissionsG != nil && slices.Contains(f.quality.flags, enrich.FlagCO2TokenEstimate) {
				line.Extra.Text, line.Extra.Full = "≈ "+line.Extra.Text, "an estimate from tokens: "+line.Extra.Full
			}
		}
		p.Rows = append(p.Rows, line)
	}
	p.Summary = plural(total, "run")
	if found {
		p.Summary += " found"
	}
	if q.ranked() && p.Ranks && total > 1 {
		p.Summary += ", ranked by the lower end of the 95 % interval of success; runs whose interval reaches the leader’s share a rank"
	} else if c, ok := enrich.Lookup(enrich.LeaderboardColumns, q.Sort); ok {
		p.Summary += ", sorted by “" + c.Label + "”"
	}
	p.Cards = leaderboardCards(whys, rows, ranks, total, found)
	p.Pager = newPager(max(q.Page, 1), len(rows), total, "runs", func(page string) string {
		return address("/", append([]string{"q", q.Find.Text, "page", page}, keep...)...)
	})
	return p
}

// A standing is a run's place among others.
type standing struct {
	rank     int // 0 for a run that may not be ranked
	tie      bool
	unranked string
	low      float64 // lower end of the interval of success
}

// rank gives each run its place: by the lower end of the interval of its
// success, so that few tests do not win by luck. A run whose interval reaches
// that of the best run of a group ties with it. Runs in which nothing was
// scored have no rank.
func rank(rows []enrich.LeaderboardRow) []standing {
	standings := make([]standing, len(rows))
	highs := make([]float64, len(rows))
	var order []int
	for i := range rows {
		r := &rows[i]
		if standings[i].unranked = unrankable(r); standings[i].unranked != "" {
			continue
		}
		standings[i].low, highs[i] = enrich.Wilson(*r.SuccessfulTests, r.NumTests)
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return byMerit(&rows[a], &rows[b], standings[a].low, standings[b].low) })
	leader := -1
	for place, i := range order {
		if leader < 0 || highs[i] < standings[leader].low {
			leader = i
			standings[i].rank = place + 1
			continue
		}
		standings[i].rank, standings[i].tie, standings[leader].tie = standings[leader].rank, true, true
	}
	return standings
}

// byMerit compares by lower bound, then cost, then time, absent last.
func byMerit(a, b *enrich.LeaderboardRow, lowA, lowB float64) int {
	return cmp.Or(
		cmp.Compare(lowB, lowA),
		absentLast(a.TotalCostUSD, b.TotalCostUSD),
		absentLast(a.AvgDurationMS, b.AvgDurationMS),
		strings.Compare(a.RunID, b.RunID),
	)
}

func absentLast(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

// unrankable says why a run may not be ranked, or "".
func unrankable(r *enrich.LeaderboardRow) string {
	t := tallyOf(r)
	switch {
	case r.NumTests == 0:
		return "no tests"
	case r.SuccessfulTests == nil:
		return "no verdicts"
	case t.scored() > 0:
		return ""
	case t[providerError] > 0:
		return "provider failed"
	}
	return "nothing scored"
}

func inRankOrder(rows []enrich.LeaderboardRow, ranks []standing) []enrich.LeaderboardRow {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if (ranks[a].rank == 0) != (ranks[b].rank == 0) {
			return cmp.Compare(ranks[b].rank, ranks[a].rank)
		}
		if ranks[a].rank == 0 {
			return 0
		}
		return byMerit(&rows[a], &rows[b], ranks[a].low, ranks[b].low)
	})
	sorted := make([]enrich.LeaderboardRow, len(rows))
	for i, from := range order {
		sorted[i] = rows[from]
	}
	return sorted
}

// runFigures makes the quantities of a run's row.
func runFigures(whys *Whys, r *enrich.LeaderboardRow, origins map[string]enrich.Origin) figures[enrich.LeaderboardRow] {
	return figures[enrich.LeaderboardRow]{whys, enrich.LeaderboardColumns, r, origins, readQuality(r.DataQuality)}
}

func newLeaderboardLine(f figures[enrich.LeaderboardRow], s standing) LeaderboardLine {
	r := f.row
	l := LeaderboardLine{
		Tie: s.tie, Unranked: s.unranked,
		Model: modelName(r), ID: short(r.RunID), RunID: r.RunID, Href: RunURL(r.RunID), Agent: orAbsent(deref(r.AgentType)),
		Success: f.get("success_rate"),
		Time:    f.get("avg_duration_ms"),
		In:      f.get("total_prompt_tokens"),
		Out:     f.get("total_completion_tokens"),
		Cost:    f.cost("total_cost_usd"),
		Correct: costOfCorrect(f),
		Energy:  f.get("total_gpu_energy_wh"),
		Errors:  f.get("total_errors"),
		Tests:   f.get("num_tests"),
		When:    moment(r.EvaluationDate),
	}
	if s.rank > 0 {
		l.Rank = count(s.rank)
	}
	t := tallyOf(r)
	l.Provider = s.unranked != "" && t[providerError] > 0
	l.Outcomes = newOutcomeBar(t, r.NumTests)
	if r.SuccessfulTests != nil && s.unranked == "" {
		l.Interval = newIntervalBar(*r.SuccessfulTests, r.NumTests)
	}
	if s.unranked != "" {
		l.Success.Text, l.Success.Full = fmt.Sprintf("0 of %d scored", r.NumTests), ""
	}
	if classes := errorClasses(r.ErrorTypes); len(classes) > 0 {
		l.TopError = strings.ReplaceAll(visible(classes[0].name), "_", " ")
		if len(classes) > 1 { // the count beside it is that of all classes
			l.TopError = count(int(classes[0].n)) + " " + l.TopError + " + " + count(len(classes)-1) + " more"
		}
		for _, c := range classes {
			l.ErrorList = join(l.ErrorList, count(int(c.n))+" "+strings.ReplaceAll(visible(c.name), "_", " "))
		}
	}
	return l
}

// costOfCorrect is the run's cost divided by the tests that passed.
func costOfCorrect(f figures[enrich.LeaderboardRow]) Quantity {
	const name, doc = "Cost of a correct answer", "The cost of the run divided by its tests with success true: what one right answer costs, wrong ones included."
	r := f.row
	reason := ""
	switch {
	case r.TotalCostUSD == nil:
		reason = "the cost of the run is not known: " + f.missing("total_cost_usd", costTopic)
	case r.SuccessfulTests == nil:
		reason = "the run has no verdicts"
	case *r.SuccessfulTests == 0:
		reason = "no test passed"
	default:
		each := quantity(enrich.USD, new(new(*r.TotalCostUSD/float64(*r.SuccessfulTests))))
		return f.whys.explain(each, name, doc, enrich.Origin{Kind: enrich.Derived, From: "total_cost_usd / successful_tests"})
	}
	return f.whys.explain(Quantity{Text: unit.Absent, Full: reason}, name, doc, enrich.Origin{Kind: absent, From: reason})
}

func modelName(r *enrich.LeaderboardRow) string {
	if r.Model == nil {
		return "unnamed model"
	}
	return visible(*r.Model)
}

// leaderboardCards sums up the runs of a page.
func leaderboardCards(whys *Whys, rows []enrich.LeaderboardRow, ranks []standing, total int, found bool) []Card {
	scope := "all runs"
	if found {
		scope = "the runs found"
	}
	if len(rows) < total {
		scope = "the runs on this page"
	}
	sum := func(q Quantity, s *sumOf, column string) Quantity {
		c, _ := enrich.Lookup(enrich.LeaderboardColumns, column)
		o := enrich.Origin{Kind: enrich.Derived, From: fmt.Sprintf("sum over %s; known for %d of %s", scope, s.known, plural(len(rows), "run"))}
		if s.known == 0 {
			o.Kind, o.From = absent, "known for none of "+scope
		}
		return whys.explain(q, c.Label, c.Doc, o)
	}
	of := func(r *enrich.LeaderboardRow, column string) Quantity { return runFigures(whys, r, nil).get(column) }
	var best, fastest *enrich.LeaderboardRow
	var tests, errors, unranked int64
	var tokens, in, out, tools, cost, energy, electricity, co2 sumOf
	bound := false // the cost of a run is known in part
	bestLow := -1.0
	for i := range rows {
		r := &rows[i]
		tests += r.NumTests
		tokens.add(r.TotalTokens)
		in.add(r.TotalPromptTokens)
		out.add(r.TotalCompletionTokens)
		tools.add(r.TotalToolCalls)
		cost.addFloat(r.TotalCostUSD)
		if part, ok := readQuality(r.DataQuality).partialCost(); ok && r.TotalCostUSD == nil {
			cost.total, bound = cost.total+part, true
		}
		energy.addFloat(r.TotalGPUEnergyWh)
		electricity.addFloat(r.ElectricityCostUSD)
		if !flagged(r.DataQuality, enrich.FlagCO2TokenEstimate) { // an estimate from tokens is not added to what was measured
			co2.addFloat(r.CO2EmissionsG)
		}
		if r.TotalErrors != nil {
			errors += *r.TotalErrors
		}
		if ranks[i].unranked != "" {
			unranked++
			continue
		}
		if ranks[i].low > bestLow {
			best, bestLow = r, ranks[i].low
		}
		if r.AvgDurationMS != nil && (fastest == nil || *r.AvgDurationMS < *fastest.AvgDurationMS) {
			fastest = r
		}
	}
	runs := Card{Label: "Runs", Value: Quantity{Text: count(total)}, Lines: []string{plural(int(tests), "test")}}
	if unranked > 0 {
		runs.Lines = append(runs.Lines, fmt.Sprintf("%d not ranked", unranked))
	}
	success := Card{Label: "Best success", Value: Quantity{Text: unit.Absent}, Lines: []string{"nothing scored yet"}}
	if best != nil {
		success = Card{
			Label: "Best success", Value: of(best, "success_rate"), Small: "of " + plural(int(best.NumTests), "test"),
			Lines: []string{modelName(best)}, Interval: newIntervalBar(*best.SuccessfulTests, best.NumTests),
		}
	}
	time := Card{Label: "Quickest, mean time a test", Value: Quantity{Text: unit.Absent}}
	if fastest != nil {
		time.Value, time.Lines = of(fastest, "avg_duration_ms"), []string{modelName(fastest)}
	}
	costCard := Card{Label: "Cost", Value: sum(Quantity{Text: unit.Absent}, &cost, "total_cost_usd"), Lines: []string{"no run is priced"}}
	if cost.known > 0 || bound {
		costCard.Value = sum(quantity(enrich.USD, new(new(cost.total))), &cost, "total_cost_usd")
		costCard.Lines = []string{fmt.Sprintf("%d of %s priced in full", cost.known, plural(len(rows), "run"))}
		if cost.known < len(rows) {
			costCard.Value.Text = "≥ " + costCard.Value.Text
		}
	}
	energyCard := Card{Label: "GPU energy", Value: sum(energy.quantity(enrich.WattHours), &energy, "total_gpu_energy_wh"), Lines: []string{"no run was measured"}}
	if energy.known > 0 {
		energyCard.Lines = []string{join(electricity.quantity(enrich.USD).Text+" of electricity", fmt.Sprintf("%d of %s measured", energy.known, plural(len(rows), "run")))}
	}
	if co2.known > 0 {
		energyCard.Lines = append(energyCard.Lines, fmt.Sprintf("%s CO₂, measured for %s", co2.quantity(enrich.Grams).Text, plural(co2.known, "run")))
	}
	list := []Card{
		runs, success, time,
		{Label: "Tokens", Value: sum(tokens.quantity(enrich.Tokens), &tokens, "total_tokens"), Lines: []string{in.quantity(enrich.Tokens).Text + " in · " + out.quantity(enrich.Tokens).Text + " out"}},
		costCard, energyCard,
		{Label: "Tool calls", Value: sum(tools.quantity(enrich.Count), &tools, "total_tool_calls"), Lines: []string{plural(int(errors), "test") + " with an error"}},
	}
	if len(rows) < total {
		for i := range list[1:] {
			list[i+1].Lines = append(list[i+1].Lines, "of "+scope)
		}
	}
	return list
}

// A sumOf adds what is known; of nothing known it is absent, not 0.
type sumOf struct {
	total float64
	known int
}

func (s *sumOf) add(n *int64) {
	if n != nil {
		s.total += float64(*n)
		s.known++
	}
}

func (s *sumOf) addFloat(v *float64) {
	if v != nil {
		s.total += *v
		s.known++
	}
}

func (s *sumOf) quantity(u enrich.Unit) Quantity {
	if s.known == 0 {
		return Quantity{Text: unit.Absent}
	}
	return quantity(u, new(new(s.total)))
}
