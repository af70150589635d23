package views

import (
	"cmp"
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
	Tab     string // "tests", "failures", "charts", "gpu", "quality", "provenance" or "files"
	Dataset string // of the provenance: "results", "traces", "metrics" or "leaderboard"
	Find    Find[enrich.ResultRow]
	Sort    string
	Desc    bool
	Page    int // of the tests found, counted from 1
}

// ParseRunQuery reads ?tab=, ?dataset=, ?q=, ?sort=, ?order= and ?page=. A term of q
// that makes no sense is no error here: see Find.
func ParseRunQuery(v url.Values) (RunQuery, error) {
	var q RunQuery
	var err error
	if q.Tab, err = parseChoice(v, "tab", runTabNames...); err != nil {
		return q, err
	}
	if q.Dataset, err = parseChoice(v, "dataset", enrich.Results, enrich.Traces, enrich.Metrics, enrich.Leaderboard); err != nil {
		return q, err
	}
	if q.Sort, q.Desc, err = parseSort(v, enrich.ResultColumns); err != nil {
		return q, err
	}
	q.Find = parseFind(v, testLanguage)
	q.Page, err = parsePage(v)
	return q, err
}

// runTabNames are the parts of a run's page.
var runTabNames = []string{"tests", "failures", "charts", "gpu", "quality", "provenance", "files"}

// RunData is what a run's page is made of.
type RunData struct {
	Row     enrich.LeaderboardRow
	Results []enrich.ResultRow
	Quality enrich.Quality
	Files   []enrich.File
	GPU     []enrich.MetricRow // points of GPUMetrics, for the tab of that name
	Offer   *GPUOffer          // nil where there is nothing to offer

	// Provenance holds at least the leaderboard's row and, by what is shown, the
	// tests of the page (see RunQuery.Shown) or all rows of RunQuery.Dataset. Nil
	// where nothing is known.
	Provenance *enrich.Provenance
}

// Shown returns the tests that the page shows, in its order.
func (q RunQuery) Shown(results []enrich.ResultRow) []*enrich.ResultRow {
	if q.Tab != "" && q.Tab != "tests" {
		return nil
	}
	rows := q.Found(results)
	sortTests(rows, q)
	return cut(rows, max(q.Page, 1))
}

// Found returns the tests that are asked for, on whatever page.
func (q RunQuery) Found(results []enrich.ResultRow) []*enrich.ResultRow {
	var rows []*enrich.ResultRow
	for i := range results {
		if q.Find.Filter.Finds(&results[i]) {
			rows = append(rows, &results[i])
		}
	}
	return rows
}

// origins returns where the columns of one row came from.
func (d *RunData) origins(dataset, key string) map[string]enrich.Origin {
	if d.Provenance == nil {
		return nil
	}
	return d.Provenance.Row(dataset, key)
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
	Compare  string // of the page that compares it with others
	Share    string // of the page of its links
	Cards    []Card
	Findings []Finding
	Tabs     []Tab
	Tab      string
	Headings []Heading
	Filter   FilterBar // of the tests
	Tests    []TestLine
	NoTests  string
	Energy   bool // the tests have a column for it
	Pager    Pager
	Failures RunFailures
	Charts   []chart.Chart
	GPU      RunGPU
	Quality  RunQuality
	Sources  Provenance
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
	Energy     Quantity
	Error      string
	TraceHref  string
}

// A RunQuality is what is to be said about a run's data.
type RunQuality struct {
	Findings []Finding
	Stored   []StoredLine
}

// A StoredLine sets a figure of the files beside ours.
type StoredLine struct {
	Where Place
	Name  string
	Theirs, Ours,
	Why string
}

// NewRunPage makes the page of a run.
func NewRunPage(d RunData, q RunQuery) RunPage {
	r := &d.Row
	whys := newWhys()
	f := runFigures(whys, r, d.origins(enrich.Leaderboard, "run"))
	// The row knows only what was found at the run; here its tests are known too.
	f.quality.flags, f.quality.stored = slices.Sorted(maps.Keys(d.Quality.Flags)), d.Quality.Stored["run"]
	p := RunPage{
		Layout:  Layout{Title: modelName(r), Section: "leaderboard", Wide: true, Crumbs: []Crumb{{"Leaderboard", "/"}, {Text: modelName(r)}}, Whys: whys},
		Model:   modelName(r),
		Facts:   runFacts(r),
		ID:      visible(r.RunID),
		ShortID: short(r.RunID),
		When:    moment(r.EvaluationDate),
		JSON:    apiURL(RunURL(r.RunID)),
		Compare: CompareURL("", r.RunID),
		Share:   SharesURL(r.RunID),
		Cards:   runCards(d, f),
		Tab:     cmp.Or(q.Tab, "tests"),
	}
	all := runFindings(d)
	p.Findings = slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return !f.Warn })
	p.Tabs = runTabs(d, p.Tab, len(all))
	switch p.Tab {
	case "tests":
		p.addTests(d, q)
	case "failures":
		p.Failures = newRunFailures(whys, d.Results)
	case "charts":
		if len(d.Results) > 0 {
			p.Charts = chart.OfTests(d.Results)
			p.Layout.Scripts = []string{"chart"}
		}
	case "gpu":
		if p.GPU = newRunGPU(d); len(p.GPU.Charts) > 0 {
			p.Layout.Scripts = []string{"chart"}
		}
	case "quality":
		p.Quality = newRunQuality(d, all)
	case "provenance":
		p.Sources = newProvenance(d, f, cmp.Or(q.Dataset, enrich.Results))
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
		{Text: "Failures", Count: count(failures(d.Results))},
		{Text: "Charts"},
		{Text: "GPU"},
		{Text: "Data quality", Count: count(found)},
		{Text: "Settings & provenance"},
		{Text: "Files", Count: count(len(d.Files))},
	}
	for i, name := range runTabNames {
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
func runCards(d RunData, f figures[enrich.LeaderboardRow]) []Card {
	r := &d.Row
	t := tallyOf(r)

	success := Card{Label: "Success", Value: f.get("success_rate"), Lines: []string{strings.ReplaceAll(t.String(), ", ", " · ")}}
	if reason := unrankable(r); reason != "" {
		success.Value.Text, success.Value.Full = unit.Absent, "not ranked: "+reason
		success.Lines = append([]string{"not ranked: " + reason}, success.Lines...)
	} else {
		low, high := enrich.Wilson(*r.SuccessfulTests, r.NumTests)
		success.Lines = append([]string{"95 % interval " + interval(low, high)}, success.Lines...)
		success.Interval = newIntervalBar(*r.SuccessfulTests, r.NumTests)
	}

	tokens := Card{Label: "Tokens", Value: f.shown("total_tokens")}
	tokens.Lines = []string{f.get("total_prompt_tokens").Text + " in · " + f.get("total_completion_tokens").Text + " out"}
	if r.TotalTokens == nil {
		tokens.Lines = []string{"no call reported any"}
	} else if r.TokenCoverage != nil {
		tokens.Lines = append(tokens.Lines, "known for "+strings.Replace(visible(*r.TokenCoverage), "/", " of ", 1)+" tests")
	}

	tools := Card{Label: "Tool calls", Value: f.get("total_tool_calls")}
	if r.AvgToolCallsPerTest != nil {
		tools.Lines = []string{join(unit.Number(r.AvgToolCallsPerTest)+" a test", prefixed("most: ", visible(deref(r.MostUsedTool))))}
	}
	if r.AvgSteps != nil {
		tools.Lines = append(tools.Lines, unit.Number(r.AvgSteps)+" steps a test")
	}

	errors := Card{Label: "Errors", Value: f.get("total_errors")}
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

	list := []Card{success, timeCard(d, f)}
	if streamed := streamedCalls(f.quality); streamed != "" {
		ttft := Card{Label: "TTFT p50 / p95 / p99", Value: f.get("p50_ttft_seconds"), Lines: []string{streamed}}
		if r.P50TTFTSeconds != nil {
			ttft.Small = "/ " + unit.Seconds(r.P95TTFTSeconds) + " / " + unit.Seconds(r.P99TTFTSeconds)
		}
		list = append(list, ttft)
	}
	list = append(list, tokens, costCard(f))
	list = append(list, energyCards(f)...)
	return append(list, tools, errors)
}

// streamedCalls says how many of a run's LLM calls streamed, "" for a run
// without calls. Only a streamed call has a time to first token.
func streamedCalls(q rowQuality) string {
	if strings.HasPrefix(q.texts["streamed_calls"], "0/") {
		return "no call was streamed"
	}
	return suffixed(q.of("streamed_calls"), " calls streamed")
}

func suffixed(s, suffix string) string {
	if s == "" {
		return ""
	}
	return s + suffix
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// timeCard shows the percentiles of the tests' times.
func timeCard(d RunData, f figures[enrich.LeaderboardRow]) Card {
	var times []float64
	for i := range d.Results {
		if ms := d.Results[i].ExecutionTimeMS; ms != nil {
			times = append(times, *ms)
		}
	}
	slices.Sort(times)
	c := Card{Label: "Time a test, p50 / p95 / p99"}
	p50 := enrich.Percentile(times, 0.50)
	column, _ := enrich.Lookup(enrich.ResultColumns, "execution_time_ms")
	origin := enrich.Origin{Kind: enrich.Derived, From: "percentiles of execution_time_ms over " + plural(len(times), "test")}
	if len(times) == 0 {
		origin = enrich.Origin{Kind: absent, From: "no test has a time"}
	}
	c.Value = f.whys.explain(quantity(enrich.Milliseconds, &p50), c.Label, column.Doc, origin)
	if len(times) == 0 {
		c.Lines = []string{origin.From}
		return c
	}
	c.Small = "/ " + unit.Millis(enrich.Percentile(times, 0.95)) + " / " + unit.Millis(enrich.Percentile(times, 0.99))
	c.Lines = []string{timedBy(d.Results)}
	if d.Row.TotalDurationMS != nil {
		line := unit.Millis(d.Row.TotalDurationMS) + " in all"
		if was := f.stored("total_duration_ms"); was != "" {
			line += ", recorded " + was
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

// timedBy says what the times of tests are those of: root spans, one of which
// may be that of several rows, or a figure of the file.
func timedBy(rows []enrich.ResultRow) string {
	traces := map[string]bool{}
	timed, spans := 0, 0
	for i := range rows {
		r := &rows[i]
		if r.ExecutionTimeMS == nil {
			continue
		}
		timed++
		if r.TraceID != nil && !flagged(r.DataQuality, enrich.FlagDurationInflated) {
			spans++
			traces[*r.TraceID] = true
		}
	}
	of := plural(timed, "test")
	if timed < len(rows) {
		of = fmt.Sprintf("%d of %s", timed, plural(len(rows), "test"))
	}
	switch {
	case spans == 0:
		return of + ", as the file states it"
	case spans < timed:
		return fmt.Sprintf("%s, %d by root span", of, spans)
	case len(traces) < spans:
		return of + " in " + plural(len(traces), "trace")
	}
	return "root span of " + of
}

// runFindings are the run's corrected figures and its flags.
func runFindings(d RunData) []Finding {
	list := corrected(enrich.LeaderboardColumns, &d.Row, d.Quality.Stored["run"], d.origins(enrich.Leaderboard, "run"))
	for flag, where := range d.Quality.Flags {
		list = addFlag(list, flag, places(d.Row.RunID, where))
	}
	for i := range list {
		list[i].Href = sourcesOf(d.Row.RunID, list[i].Flag)
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
	path := RunURL(d.Row.RunID)
	s := sorting{path: path, keep: []string{"q", q.Find.Text}, by: q.Sort, desc: q.Desc}
	keep := sortPairs(q.Sort, q.Desc)
	found := q.Found(d.Results)
	p.Layout.Scripts = []string{"filter"}
	p.Filter = newFilterBar(q.Find, path, keep, fmt.Sprintf("%s of %s", count(len(found)), plural(len(d.Results), "test")), completions(testLanguage, d.Results, "tool", "error", "difficulty", "agent"))
	p.Filter.Example = "error:timeout time>2s tool:search"
	p.Filter.Quick = outcomeLinks(d.Results, q.Find, path, keep)
	p.Energy = d.Row.TotalGPUEnergyWh != nil || slices.ContainsFunc(d.Results, func(r enrich.ResultRow) bool { return r.GPUEnergyWh != nil })
	for _, c := range []struct{ name, label string }{
		{"test_id", ""}, {"success", "Outcome"}, {"tools_used", "Tools"}, {"steps", ""}, {"execution_time_ms", ""},
		{"gen_ai.usage.prompt_tokens", ""}, {"gen_ai.usage.completion_tokens", ""}, {"gen_ai.usage.cost.total", ""}, {"gpu_energy_wh", ""}, {"error_type", ""},
	} {
		if c.name == "gpu_energy_wh" && !p.Energy {
			continue
		}
		h := columnHeading(s, enrich.ResultColumns, c.name, c.label)
		if c.name == "execution_time_ms" {
			h.Class = "" // a bar follows the number
		}
		p.Headings = append(p.Headings, h)
	}
	longest := 0.0
	for i := range d.Results {
		if ms := d.Results[i].ExecutionTimeMS; ms != nil {
			longest = max(longest, *ms)
		}
	}
	page := max(q.Page, 1)
	shown := q.Shown(d.Results)
	for _, r := range shown {
		p.Tests = append(p.Tests, newTestLine(resultFigures(p.Layout.Whys, r, d.origins(enrich.Results, r.TestCaseUID)), longest))
	}
	p.Pager = newPager(page, len(shown), len(found), "tests", func(n string) string {
		return address(path, append([]string{"q", q.Find.Text, "page", n}, keep...)...)
	})
}

// sortTests orders tests by a column, absent values last, or failures first
// and then by time.
func sortTests(rows []*enrich.ResultRow, q RunQuery) {
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
			return cmp.Or(-compareFields(&a.ExecutionTimeMS, &b.ExecutionTimeMS, true), strings.Compare(a.TestCaseUID, b.TestCaseUID))
		})
		return
	}
	slices.SortStableFunc(rows, func(a, b *enrich.ResultRow) int {
		n := compareFields(c.Ptr(a), c.Ptr(b), q.Desc)
		if q.Desc {
			n = -n
		}
		return cmp.Or(n, strings.Compare(a.TestCaseUID, b.TestCaseUID))
	})
}

// compareFields orders two fields of one column; desc says that the result will be
// turned around, so that absent values come last either way.
func compareFields(a, b any, desc bool) int {
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

// resultFigures makes the quantities of a test's row.
func resultFigures(whys *Whys, r *enrich.ResultRow, origins map[string]enrich.Origin) figures[enrich.ResultRow] {
	return figures[enrich.ResultRow]{whys, enrich.ResultColumns, r, origins, readQuality(r.DataQuality)}
}

func newTestLine(f figures[enrich.ResultRow], longest float64) TestLine {
	r := f.row
	l := TestLine{
		Name: orAbsent(r.TestID), Case: visible(r.TestCaseUID), Href: TestURL(r.RunID, r.TestCaseUID),
		Difficulty: visible(deref(r.Difficulty)), Outcome: outcomeOf(r), Tools: toolList(r.ToolsUsed),
		Steps: f.get("steps"), Time: f.get("execution_time_ms"),
		In: f.get("gen_ai.usage.prompt_tokens"), Out: f.get("gen_ai.usage.completion_tokens"),
		Cost: f.cost("gen_ai.usage.cost.total"), Energy: f.get("gpu_energy_wh"), Error: strings.ReplaceAll(visible(deref(r.ErrorType)), "_", " "),
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
	return q
}

// mostListed is how many of a list the data-quality tab shows: ten thousand
// tests with the same finding are no more to read than this many.
const mostListed = 200

func listed[T any](list []T) []T { return list[:min(mostListed, len(list))] }

// unlisted says how many of a list are not shown, and where they are; "" if all are.
func unlisted[T any](list []T) string {
	if len(list) <= mostListed {
		return ""
	}
	return "and " + count(len(list)-mostListed) + " more, which stand under quality in the run’s JSON"
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
