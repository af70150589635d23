package views

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/unit"
	"smolscope/views/chart"
)

// A RunQuery is how a run's page is asked for. Without a Sort the tests that
// did not pass come first, the longest first.
type RunQuery struct {
	Tab  string // "tests", "charts", "quality" or "files"
	Sort string
	Desc bool
	Page int // of the tests, counted from 1
}

// ParseRunQuery reads ?tab=, ?sort=, ?order= and ?page=.
func ParseRunQuery(v url.Values) (RunQuery, error) {
	var q RunQuery
	var err error
	if q.Tab, err = parseChoice(v, "tab", "tests", "charts", "quality", "files"); err != nil {
		return q, err
	}
	if q.Sort, q.Desc, err = parseSort(v, enrich.ResultColumns); err != nil {
		return q, err
	}
	q.Page, err = parsePage(v)
	return q, err
}

// RunData is what a run's page is made of.
type RunData struct {
	Row     enrich.LeaderboardRow
	Results []enrich.ResultRow
	Quality enrich.Quality
	Origins map[string]enrich.Origin // of the leaderboard's columns
	Files   []enrich.File
}

// A RunPage shows one run.
type RunPage struct {
	Layout   Layout
	Model    string
	Facts    string
	ID       string
	ShortID  string
	When     Moment
	JSON     string // address of the run as JSON
	Cards    []Card
	Findings []Finding
	Tabs     []Tab
	Tab      string
	Headings []Heading
	Tests    []TestLine
	NoTests  string
	Pager    Pager
	Chart    *chart.Chart
	Quality  RunQuality
	Files    []FileLine
}

// A TestLine is one test in a list.
type TestLine struct {
	Name       string
	Case       string // in full, on hover
	Href       string
	Difficulty string
	Outcome    *Outcome
	Tools      string
	Steps      Quantity
	Time       Quantity
	TimeBar    string // length of the bar in percent of the longest test, "" for none
	In, Out    Quantity
	Cost       Quantity
	Error      string
	TraceHref  string
}

// A RunQuality is what is to be said about a run's data.
type RunQuality struct {
	Findings []Finding
	Stored   []StoredLine
	Coverage []CoverageLine
	Always   string // columns known for every test
	Never    string // columns known for none
	Origins  []OriginLine
}

// A StoredLine sets a figure of the files beside ours.
type StoredLine struct {
	Where Place
	Name  string
	Theirs, Ours,
	Why string
}

// A CoverageLine says for how many tests a column is known.
type CoverageLine struct {
	Name, Text string
	Width      string // percent of the bar
}

// An OriginLine says where one value of a run came from.
type OriginLine struct{ Name, Value, Kind, From string }

// NewRunPage makes the page of a run.
func NewRunPage(d RunData, q RunQuery) RunPage {
	r := &d.Row
	p := RunPage{
		Layout:  Layout{Title: modelName(r), Section: "leaderboard", Wide: true, Crumbs: []Crumb{{"Leaderboard", "/"}, {Text: modelName(r)}}},
		Model:   modelName(r),
		Facts:   runFacts(r),
		ID:      visible(r.RunID),
		ShortID: short(r.RunID),
		When:    moment(r.EvaluationDate),
		JSON:    apiURL(RunURL(r.RunID)),
		Cards:   runCards(d),
		Tab:     cmp.Or(q.Tab, "tests"),
	}
	all := runFindings(d)
	p.Findings = slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return !f.Warn })
	p.Tabs = runTabs(d, p.Tab, len(all))
	switch p.Tab {
	case "tests":
		p.addTests(d, q)
	case "charts":
		if len(d.Results) > 0 {
			c := chart.Tests(d.Results)
			p.Chart = &c
			p.Layout.Scripts = []string{"chart"}
		}
	case "quality":
		p.Quality = newRunQuality(d, all)
	case "files":
		for _, f := range d.Files {
			p.Files = append(p.Files, newFileLine(f))
		}
	}
	return p
}

// runFacts is the line under a run's name.
func runFacts(r *enrich.LeaderboardRow) string {
	agent := ""
	if r.AgentType != nil {
		agent = visible(*r.AgentType) + " agent"
	}
	tests := plural(int(r.NumTests), "test")
	if r.WallClockMS != nil {
		tests += " in " + unit.Millis(r.WallClockMS)
	}
	suite := ""
	if r.DatasetUsed != nil {
		suite = "suite " + visible(*r.DatasetUsed)
	}
	version := prefixed("suite version ", visible(deref(r.SuiteVersion)))
	return join(agent, visible(deref(r.Provider)), visible(deref(r.Hardware)), suite, version, tests)
}

func runTabs(d RunData, current string, found int) []Tab {
	list := []Tab{
		{Text: "Tests", Count: count(len(d.Results))},
		{Text: "Charts"},
		{Text: "Data quality", Count: count(found)},
		{Text: "Files", Count: count(len(d.Files))},
	}
	for i, name := range []string{"tests", "charts", "quality", "files"} {
		list[i].Current = name == current
		tab := name
		if i == 0 {
			tab = ""
		}
		list[i].Href = address(RunURL(d.Row.RunID), "tab", tab)
	}
	return list
}

// runCards are the figures on top of a run's page.
func runCards(d RunData) []Card {
	r := &d.Row
	t := tallyOf(r)
	get := func(name string) Quantity {
		q := column(r, name)
		q.Why = why(d.Origins[name])
		return q
	}

	success := Card{Label: "Success", Value: get("success_rate"), Lines: []string{strings.ReplaceAll(t.String(), ", ", " · ")}}
	if reason := unrankable(r); reason != "" {
		success.Value = Quantity{Text: unit.Absent}
		success.Lines = append([]string{"not ranked: " + reason}, success.Lines...)
	} else {
		low, high := enrich.Wilson(*r.SuccessfulTests, r.NumTests)
		success.Lines = append([]string{"95 % interval " + interval(low, high)}, success.Lines...)
		success.Interval = newIntervalBar(*r.SuccessfulTests, r.NumTests)
	}

	tokens := Card{Label: "Tokens", Value: get("total_tokens")}
	if was := wasStored(enrich.LeaderboardColumns, r, rowQuality{stored: d.Quality.Stored["run"]}, "total_tokens"); was != "" {
		tokens.Value.Stored = was
	}
	tokens.Lines = []string{column(r, "total_prompt_tokens").Text + " in · " + column(r, "total_completion_tokens").Text + " out"}
	if r.TotalTokens == nil {
		tokens.Lines = []string{"no call reported any"}
	} else if r.TokenCoverage != nil {
		tokens.Lines = append(tokens.Lines, "known for "+strings.Replace(visible(*r.TokenCoverage), "/", " of ", 1)+" tests")
	}

	cost := Card{Label: "Cost", Value: get("total_cost_usd")}
	switch {
	case r.TotalCostUSD == nil:
		cost.Lines = []string{"not priced"}
	case r.AvgCostPerTestUSD != nil:
		cost.Lines = []string{unit.USD(r.AvgCostPerTestUSD) + " a test"}
	}

	tools := Card{Label: "Tool calls", Value: get("total_tool_calls")}
	if r.AvgToolCallsPerTest != nil {
		tools.Lines = []string{join(unit.Number(r.AvgToolCallsPerTest)+" a test", prefixed("most: ", visible(deref(r.MostUsedTool))))}
	}
	if r.AvgSteps != nil {
		tools.Lines = append(tools.Lines, unit.Number(r.AvgSteps)+" steps a test")
	}

	errors := Card{Label: "Errors", Value: get("total_errors")}
	for i, c := range errorClasses(r.ErrorTypes) {
		if i == 2 {
			errors.Lines = append(errors.Lines, "and others")
			break
		}
		errors.Lines = append(errors.Lines, count(int(c.n))+" "+strings.ReplaceAll(visible(c.name), "_", " "))
	}
	if r.TotalErrors != nil && *r.TotalErrors == 0 {
		errors.Lines = []string{"no test ended in an error"}
	}

	list := []Card{success, timeCard(d)}
	if streamed := streamedCalls(r.DataQuality); streamed != "" {
		ttft := Card{Label: "TTFT p50 / p95 / p99", Value: get("p50_ttft_seconds"), Lines: []string{streamed}}
		if r.P50TTFTSeconds != nil {
			ttft.Small = "/ " + unit.Seconds(r.P95TTFTSeconds) + " / " + unit.Seconds(r.P99TTFTSeconds)
		}
		list = append(list, ttft)
	}
	list = append(list, tokens, cost)
	if r.TotalGPUEnergyWh != nil {
		list = append(list, Card{Label: "GPU energy", Value: get("total_gpu_energy_wh"), Lines: []string{
			join(unit.USD(r.ElectricityCostUSD), unit.Grams(r.CO2EmissionsG)+" CO₂"),
		}})
	}
	return append(list, tools, errors)
}

// streamedCalls says how many of a run's LLM calls streamed, "" for a run
// without calls. Only a streamed call has a time to first token.
func streamedCalls(j enrich.JSON) string {
	var q struct {
		Streamed string `json:"streamed_calls"`
	}
	if j == "" || json.Unmarshal([]byte(j), &q) != nil {
		return ""
	}
	streamed, calls, ok := strings.Cut(q.Streamed, "/")
	switch {
	case !ok:
		return ""
	case streamed == "0":
		return "no call was streamed"
	}
	return visible(streamed) + " of " + visible(calls) + " calls streamed"
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// timeCard shows the percentiles of the tests' times.
func timeCard(d RunData) Card {
	var times []float64
	for _, r := range d.Results {
		if r.ExecutionTimeMS != nil {
			times = append(times, *r.ExecutionTimeMS)
		}
	}
	slices.Sort(times)
	c := Card{Label: "Time a test, p50 / p95 / p99"}
	p50 := enrich.Percentile(times, 0.50)
	c.Value = quantity(enrich.Milliseconds, &p50)
	if len(times) == 0 {
		c.Lines = []string{"no test has a time"}
		return c
	}
	c.Small = "/ " + unit.Millis(enrich.Percentile(times, 0.95)) + " / " + unit.Millis(enrich.Percentile(times, 0.99))
	c.Lines = []string{"root span of " + plural(len(times), "test")}
	if len(times) < len(d.Results) {
		c.Lines = []string{fmt.Sprintf("root span of %d of %s", len(times), plural(len(d.Results), "test"))}
	}
	if d.Row.TotalDurationMS != nil {
		was := wasStored(enrich.LeaderboardColumns, &d.Row, rowQuality{stored: d.Quality.Stored["run"]}, "total_duration_ms")
		line := unit.Millis(d.Row.TotalDurationMS) + " in all"
		if was != "" {
			line += ", recorded " + was
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

// runFindings are the run's corrected figures and its flags.
func runFindings(d RunData) []Finding {
	list := corrected(enrich.LeaderboardColumns, &d.Row, d.Quality.Stored["run"], d.Origins)
	for flag, where := range d.Quality.Flags {
		list = addFlag(list, flag, places(d.Row.RunID, where))
	}
	slices.SortStableFunc(list, func(a, b Finding) int { return strings.Compare(a.Flag, b.Flag) })
	orderFindings(list)
	return list
}

func (p *RunPage) addTests(d RunData, q RunQuery) {
	if len(d.Results) == 0 {
		p.NoTests = "This run has no tests yet. Drop its results.json or traces.json to add them."
		return
	}
	rows := sortTests(d.Results, q)
	path := RunURL(d.Row.RunID)
	s := sorting{path: path, by: q.Sort, desc: q.Desc}
	for _, c := range []struct{ name, label string }{
		{"test_id", ""}, {"success", "Outcome"}, {"tools_used", "Tools"}, {"steps", ""}, {"execution_time_ms", ""},
		{"gen_ai.usage.prompt_tokens", ""}, {"gen_ai.usage.completion_tokens", ""}, {"gen_ai.usage.cost.total", ""}, {"error_type", ""},
	} {
		h := columnHeading(s, enrich.ResultColumns, c.name, c.label)
		if c.name == "execution_time_ms" {
			h.Class = "" // a bar follows the number
		}
		p.Headings = append(p.Headings, h)
	}
	longest := 0.0
	for _, r := range rows {
		if r.ExecutionTimeMS != nil {
			longest = max(longest, *r.ExecutionTimeMS)
		}
	}
	page := max(q.Page, 1)
	shown := cut(rows, page)
	for _, r := range shown {
		p.Tests = append(p.Tests, newTestLine(r, longest))
	}
	p.Pager = newPager(page, len(shown), len(rows), "tests", func(n string) string {
		order := ""
		if q.Sort != "" {
			order = map[bool]string{true: "desc", false: "asc"}[q.Desc]
		}
		return address(path, "sort", q.Sort, "order", order, "page", n)
	})
}

// sortTests orders tests by a column, absent values last, or failures first
// and then by time.
func sortTests(results []enrich.ResultRow, q RunQuery) []*enrich.ResultRow {
	rows := make([]*enrich.ResultRow, len(results))
	for i := range results {
		rows[i] = &results[i]
	}
	c, ok := enrich.Lookup(enrich.ResultColumns, q.Sort)
	if !ok {
		slices.SortStableFunc(rows, func(a, b *enrich.ResultRow) int {
			passedA, passedB := outcomeOf(a) == pass, outcomeOf(b) == pass
			if passedA != passedB {
				if passedB {
					return -1
				}
				return 1
			}
			return cmp.Or(-compare(&a.ExecutionTimeMS, &b.ExecutionTimeMS, true), strings.Compare(a.TestCaseUID, b.TestCaseUID))
		})
		return rows
	}
	slices.SortStableFunc(rows, func(a, b *enrich.ResultRow) int {
		n := compare(c.Ptr(a), c.Ptr(b), q.Desc)
		if q.Desc {
			n = -n
		}
		return cmp.Or(n, strings.Compare(a.TestCaseUID, b.TestCaseUID))
	})
	return rows
}

// compare orders two fields of one column; desc says that the result will be
// turned around, so that absent values come last either way.
func compare(a, b any, desc bool) int {
	knownA, knownB := enrich.Known(a), enrich.Known(b)
	if !knownA || !knownB {
		n := 0
		switch {
		case knownA:
			n = -1
		case knownB:
			n = 1
		}
		if desc {
			n = -n
		}
		return n
	}
	if x, ok := enrich.Number(a); ok {
		y, _ := enrich.Number(b)
		return cmp.Compare(x, y)
	}
	switch x := a.(type) {
	case *enrich.Time:
		return cmp.Compare(*x, *b.(*enrich.Time))
	case *enrich.UnixNano:
		return cmp.Compare(*x, *b.(*enrich.UnixNano))
	case *string:
		return strings.Compare(*x, *b.(*string))
	case **string:
		return strings.Compare(**x, **b.(**string))
	}
	return strings.Compare(text(enrich.None, a), text(enrich.None, b))
}

func newTestLine(r *enrich.ResultRow, longest float64) TestLine {
	l := TestLine{
		Name: orAbsent(r.TestID), Case: visible(r.TestCaseUID), Href: TestURL(r.RunID, r.TestCaseUID),
		Difficulty: visible(deref(r.Difficulty)), Outcome: outcomeOf(r), Tools: toolList(r.ToolsUsed),
		Steps: quantity(enrich.Count, &r.Steps), Time: quantity(enrich.Milliseconds, &r.ExecutionTimeMS),
		In: quantity(enrich.Tokens, &r.PromptTokens), Out: quantity(enrich.Tokens, &r.CompletionTokens),
		Cost: quantity(enrich.USD, &r.CostTotal), Error: strings.ReplaceAll(visible(deref(r.ErrorType)), "_", " "),
	}
	if r.ExecutionTimeMS != nil && longest > 0 {
		l.TimeBar = geometry(100 * *r.ExecutionTimeMS / longest)
	}
	if r.TraceID != nil {
		l.TraceHref = TraceURL(r.RunID, *r.TraceID)
	}
	return l
}

// toolList writes tools in order of first use with how often each was used.
func toolList(tools []string) string {
	counts := map[string]int{}
	var names []string
	for _, t := range tools {
		if counts[t]++; counts[t] == 1 {
			names = append(names, t)
		}
	}
	for i, n := range names {
		names[i] = visible(n)
		if counts[n] > 1 {
			names[i] += fmt.Sprintf(" ×%d", counts[n])
		}
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("+%d", len(names)-3))
	}
	return strings.Join(names, ", ")
}

func newRunQuality(d RunData, found []Finding) RunQuality {
	q := RunQuality{Findings: found}
	q.addStored(d)
	q.addCoverage(d.Results)
	for _, c := range enrich.LeaderboardColumns {
		if o, ok := d.Origins[c.Name]; ok {
			ptr := c.Ptr(&d.Row)
			q.Origins = append(q.Origins, OriginLine{c.Label, oneLine(quantity(c.Unit, ptr).Text, 80), string(o.Kind), visible(o.From)})
		}
	}
	return q
}

// addStored lists what files stated and ours replaced: the run's figures, then
// each test's, then each trace's.
func (q *RunQuality) addStored(d RunData) {
	byCase := map[string]*enrich.ResultRow{}
	for i := range d.Results {
		byCase["test:"+d.Results[i].TestCaseUID] = &d.Results[i]
	}
	where := slices.SortedFunc(maps.Keys(d.Quality.Stored), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(kindOf(a)), len(kindOf(b))), strings.Compare(a, b))
	})
	for _, w := range where {
		place := places(d.Row.RunID, []string{w})[0]
		for _, name := range slices.Sorted(maps.Keys(d.Quality.Stored[w])) {
			was := d.Quality.Stored[w][name]
			line := StoredLine{Where: place, Name: visible(name)}
			switch r := byCase[w]; kindOf(w) {
			case "run":
				line.compare(lookup(enrich.LeaderboardColumns, &d.Row, name), was)
			case "test":
				if r == nil {
					r = new(enrich.ResultRow)
				}
				line.compare(lookup(enrich.ResultColumns, r, name), was)
			default:
				line.compare(lookup(enrich.TraceColumns, new(enrich.TraceRow), name), was)
				line.Ours = "on its page"
			}
			q.Stored = append(q.Stored, line)
		}
	}
}

// kindOf is what a place names: "run", "test", "trace", which by chance are in
// the order of their lengths.
func kindOf(where string) string {
	kind, _, _ := strings.Cut(where, ":")
	return kind
}

// A field is one column of one row, whatever the dataset.
type field struct {
	label string
	unit  enrich.Unit
	ptr   any
}

func lookup[R any](columns []enrich.Column[R], row *R, name string) field {
	c, ok := enrich.Lookup(columns, name)
	if !ok {
		return field{}
	}
	return field{c.Label, c.Unit, c.Ptr(row)}
}

func (l *StoredLine) compare(f field, was attr.Value) {
	l.Theirs = oneLine(stored(f.unit, was), 120)
	l.Ours = unit.Absent
	if f.ptr == nil {
		return
	}
	l.Name = f.label
	if enrich.Known(f.ptr) {
		l.Ours = oneLine(text(f.unit, f.ptr), 120)
		if n, ok := enrich.Number(f.ptr); ok {
			l.Ours = inFull(f.unit, n)
		}
	}
}

// addCoverage says which columns are known for how many tests.
func (q *RunQuality) addCoverage(rows []enrich.ResultRow) {
	var always, never []string
	for _, c := range enrich.ResultColumns {
		known := 0
		for i := range rows {
			if enrich.Known(c.Ptr(&rows[i])) {
				known++
			}
		}
		switch {
		case len(rows) == 0:
		case known == len(rows):
			always = append(always, c.Label)
		case known == 0:
			never = append(never, c.Label)
		default:
			q.Coverage = append(q.Coverage, CoverageLine{c.Label, fmt.Sprintf("%d of %d", known, len(rows)), geometry(100 * float64(known) / float64(len(rows)))})
		}
	}
	q.Always, q.Never = strings.Join(always, ", "), strings.Join(never, ", ")
}
