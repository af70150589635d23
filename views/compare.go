package views

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/compare"
	"smolscope/enrich/unit"
)

// MostCompared is how many runs a page compares at most.
const MostCompared = 8

// A CompareQuery is how a comparison is asked for.
type CompareQuery struct {
	Runs []string // ids, without repeats
	Base string   // one of Runs, the first by default
	Show string   // which tests: "all", "differs", "regressed", "improved" or "wrong"
	Page int      // counted from 1
}

// ParseCompareQuery reads ?runs= (ids with commas between them, or once for each),
// ?base=, ?show= and ?page=.
func ParseCompareQuery(v url.Values) (q CompareQuery, err error) {
	given := v["runs"]
	for _, text := range given {
		ids := []string{text}
		if len(given) == 1 {
			ids = strings.Split(text, ",")
		}
		for _, id := range ids {
			if id != "" && !slices.Contains(q.Runs, id) {
				q.Runs = append(q.Runs, id)
			}
		}
	}
	if len(q.Runs) > MostCompared {
		return q, &QueryError{"runs", fmt.Sprintf("%d runs are too many to compare at once; want 2 to %d", len(q.Runs), MostCompared)}
	}
	if q.Base = v.Get("base"); q.Base == "" && len(q.Runs) > 0 {
		q.Base = q.Runs[0]
	}
	if q.Base != "" && !slices.Contains(q.Runs, q.Base) {
		return q, &QueryError{"base=" + q.Base, "want one of the runs that are compared"}
	}
	if q.Show, err = parseChoice(v, "show", "all", "differs", "regressed", "improved", "wrong"); err != nil {
		return q, err
	}
	q.Page, err = parsePage(v)
	return q, err
}

// CompareURL returns the address of a comparison, the baseline first.
func CompareURL(base string, runs ...string) string {
	return CompareQuery{Runs: runs, Base: base}.url()
}

// url is the address of the query; the first page and all tests go without saying.
func (q CompareQuery) url() string {
	v := url.Values{"runs": q.Runs}
	if len(q.Runs) > 0 && q.Base != "" && q.Base != q.Runs[0] {
		v.Set("base", q.Base)
	}
	if q.Show != "" && q.Show != "all" {
		v.Set("show", q.Show)
	}
	if q.Page > 1 {
		v.Set("page", pageNumber(q.Page))
	}
	return "/compare?" + v.Encode()
}

// A ComparePage sets runs side by side.
type ComparePage struct {
	Layout   Layout
	Choose   []CompareChoice // runs to choose from; fewer than two were given
	Runs     []ComparedRun   // the baseline first
	Verdicts []CompareVerdict
	Measures []CompareLine
	Filters  []Tab
	Cases    []CompareCase
	NoCases  string
	Pager    Pager
	Settings []CompareLine // those that differ
	Same     string        // what is said where none differs
	API      string
}

// A CompareChoice is one run of the list from which some are chosen.
type CompareChoice struct {
	ID, Model, Facts string
	Chosen           bool
	When             Moment
}

// A ComparedRun is one column.
type ComparedRun struct {
	Name, Short, Href string
	MakeBase          string // address that makes it the baseline, "" of the baseline
	Without           string // address without it, "" where two are left
	When              Moment
}

// A CompareVerdict says in words what one run shows beside the baseline.
type CompareVerdict struct {
	Class, Icon string // as of an outcome
	Name        string
	Sentence    string
	More        []string
}

// A CompareLine is one row of a table with a column for each run.
type CompareLine struct {
	Name, Help string
	Cells      []CompareCell
}

// A CompareCell is what one run has in a row.
type CompareCell struct {
	Text, Full string
	Diff       string // from the baseline, with its interval; "" for the baseline
	Class      string // "better", "worse" or ""
}

// A CompareCase is one test as each run has it.
type CompareCase struct {
	Name  string
	Cells []CaseCell
}

// A CaseCell is one test of one run; without an outcome the run lacks it.
type CaseCell struct {
	Outcome *Outcome
	Href    string
}

// NewCompareChooser makes the page that asks which runs to compare.
func NewCompareChooser(rows []enrich.LeaderboardRow, q CompareQuery) ComparePage {
	p := ComparePage{Layout: Layout{Title: "Compare runs", Crumbs: []Crumb{{"Leaderboard", "/"}, {Text: "Compare"}}}}
	for i := range rows {
		r := &rows[i]
		p.Choose = append(p.Choose, CompareChoice{
			ID: r.RunID, Model: modelName(r), When: moment(r.EvaluationDate), Chosen: slices.Contains(q.Runs, r.RunID),
			Facts: join(short(r.RunID), plural(int(r.NumTests), "test"), prefixed("success ", unlessAbsent(unit.Percent(r.SuccessRate)))),
		})
	}
	return p
}

// unlessAbsent returns "" for a value that is written as absent.
func unlessAbsent(text string) string {
	if text == unit.Absent {
		return ""
	}
	return text
}

// NewComparePage compares two runs or more, in the order of the query.
func NewComparePage(runs []compare.Run, q CompareQuery) ComparePage {
	at := slices.IndexFunc(runs, func(r compare.Run) bool { return r.Row.RunID == q.Base })
	runs = slices.Concat(runs[at:at+1], runs[:at], runs[at+1:])
	report := compare.New(runs, q.Base)
	p := ComparePage{
		Layout: Layout{Title: fmt.Sprintf("Compare %d runs", len(runs)), Wide: true, Crumbs: []Crumb{{"Leaderboard", "/"}, {Text: "Compare"}}},
		API:    apiURL(q.url()),
	}
	for i := range runs {
		p.Runs = append(p.Runs, comparedRun(&runs[i].Row, q, i == 0))
	}
	for i, a := range report.Runs {
		v := compareVerdict(report, a)
		if text := providersFaults(compare.Pairs(runs[0].Results, runs[i+1].Results)); text != "" {
			v.More = append(v.More, text)
		}
		p.Verdicts = append(p.Verdicts, v)
	}
	p.Measures = measureLines(report)
	p.Settings = settingLines(runs)
	if len(p.Settings) == 0 {
		p.Same = "No setting, version or suite that the runs record differs."
	}
	p.addCases(runs, q)
	return p
}

func comparedRun(r *enrich.LeaderboardRow, q CompareQuery, base bool) ComparedRun {
	c := ComparedRun{Name: modelName(r), Short: short(r.RunID), Href: RunURL(r.RunID), When: moment(r.EvaluationDate)}
	if !base {
		at := q
		at.Base, at.Page = r.RunID, 1
		c.MakeBase = at.url()
	}
	if len(q.Runs) > 2 {
		at := q
		at.Page = 1
		at.Runs = slices.DeleteFunc(slices.Clone(q.Runs), func(id string) bool { return id == r.RunID })
		if base {
			at.Base = at.Runs[0]
		}
		c.Without = at.url()
	}
	return c
}

// compareVerdict puts into words what the tests that two runs share show.
func compareVerdict(report compare.Report, a compare.Against) CompareVerdict {
	other, base := orAbsent(deref(a.Model)), orAbsent(deref(report.Model))
	if other == base {
		other, base = other+" ("+short(a.RunID)+")", "the baseline"
	}
	v := CompareVerdict{Name: other, Class: notScored.Class, Icon: notScored.Icon}
	s, n := a.Success, a.Verdicts
	switch {
	case a.Shared == 0:
		v.Sentence = "shares no test with the baseline, so that nothing can be said of it test by test. The leaderboard shows the success of each."
		return v
	case n.N() == 0:
		v.Sentence = fmt.Sprintf("shares %s with the baseline, and none has a verdict in both.", plural(a.Shared, "test"))
	default:
		diff := fmt.Sprintf("%s points (95 %% interval %s to %s)", points(*s.Diff), points(*s.Low), points(*s.High))
		chance := fmt.Sprintf("exact McNemar test p = %s", probability(*a.P))
		switch s.Change {
		case compare.Better:
			v.Class, v.Icon = pass.Class, pass.Icon
			v.Sentence = fmt.Sprintf("passes more tests than %s: %s, %s.", base, diff, chance)
		case compare.Worse:
			v.Class, v.Icon = fail.Class, fail.Icon
			v.Sentence = fmt.Sprintf("passes fewer tests than %s: %s, %s.", base, diff, chance)
		default:
			v.Sentence = fmt.Sprintf("shows no difference in success from %s: %s, %s.", base, diff, chance)
		}
		v.More = append(v.More, fmt.Sprintf("Of %s with a verdict in both, %d passed in both, %d in the baseline alone, %d in this run alone, %d in neither.",
			plural(n.N(), "test"), n.Both, n.Base, n.Other, n.Neither))
	}
	if a.Unscored > 0 {
		v.More = append(v.More, plural(a.Unscored, "shared test")+" without a verdict in one of them: not counted.")
	}
	for _, kind := range []compare.Change{compare.Worse, compare.Better} {
		var list []string
		for _, d := range a.Measures {
			if d.Change == kind {
				list = append(list, d.Label+" "+signed(d.Unit, *d.Diff))
			}
		}
		if len(list) > 0 {
			v.More = append(v.More, fmt.Sprintf("Shown to be %s, a test: %s.", kind, strings.Join(list, ", ")))
		}
	}
	return v
}

// providersFaults says of how many of the shared tests the provider is to blame, not
// the agent: they count as failed (spec: success_rate), and can be all of a
// difference. "" is none.
func providersFaults(pairs []compare.Pair) string {
	var base, other int
	for _, p := range pairs {
		base += boolInt(outcomeOf(p.Base) == providerError)
		other += boolInt(outcomeOf(p.Other) == providerError)
	}
	if base+other == 0 {
		return ""
	}
	return fmt.Sprintf("The provider failed in %s of the baseline and %s of this run; these count as not passed, which need not be the agent’s fault.",
		plural(base, "shared test"), plural(other, "shared test"))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// points writes a difference of percentages, in points.
func points(v float64) string {
	if math.Abs(v) < 0.05 {
		return "±0.0"
	}
	return strings.Replace(fmt.Sprintf("%+.1f", v), "-", "−", 1)
}

func probability(p float64) string {
	if p < 0.001 {
		return "less than 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// signed writes a difference with its sign.
func signed(u enrich.Unit, v float64) string {
	if u == enrich.Percent {
		return points(v) + " pt"
	}
	sign := "+"
	if v < 0 {
		sign = "−"
	}
	if v == 0 {
		sign = "±"
	}
	return sign + measured(u, math.Abs(v))
}

// measured writes a mean: of counts with a fraction, where it has one.
func measured(u enrich.Unit, v float64) string {
	if u == enrich.Tokens && v < 100 && v != math.Trunc(v) {
		return unit.Number(&v)
	}
	return number(u, v)
}

// measureLines are the measures, one row each: what a run has over the tests that
// it shares with the baseline, and how it differs there. The baseline's own value
// is over the tests that it shares with the first run that has the measure.
func measureLines(report compare.Report) []CompareLine {
	names := append([]string{"success"}, compare.Measures...)
	var lines []CompareLine
	for _, name := range names {
		line := CompareLine{Cells: []CompareCell{{Text: unit.Absent}}}
		known := false
		for i := range report.Runs {
			a := &report.Runs[i]
			cell := CompareCell{Text: unit.Absent, Full: "known of no shared test"}
			for _, d := range append([]compare.Difference{a.Success}, a.Measures...) {
				if d.Name != name || d.Pairs == 0 {
					continue
				}
				line.Name = d.Label
				if c, ok := enrich.Lookup(enrich.ResultColumns, d.Name); ok {
					line.Help = c.Doc
				}
				if !known {
					line.Cells[0] = CompareCell{Text: measured(d.Unit, *d.Base), Full: "mean of " + plural(d.Pairs, "shared test")}
				}
				known = true
				cell = CompareCell{Text: measured(d.Unit, *d.Other), Full: fmt.Sprintf("mean of %s; the baseline has %s there", plural(d.Pairs, "shared test"), measured(d.Unit, *d.Base))}
				cell.Diff = signed(d.Unit, *d.Diff)
				if d.Low != nil {
					cell.Diff += " [" + strings.TrimSuffix(signed(d.Unit, *d.Low), " pt") + ", " + strings.TrimSuffix(signed(d.Unit, *d.High), " pt") + "]"
				}
				if d.Change == compare.Better || d.Change == compare.Worse {
					cell.Class = string(d.Change)
				}
			}
			line.Cells = append(line.Cells, cell)
		}
		if known {
			lines = append(lines, line)
		}
	}
	return lines
}

// runSettings are the columns of a run that say how it was made.
var runSettings = []string{
	"model", "provider", "agent_type", "dataset_used", "suite_version", "hardware", "job_type", "common_temperature", "common_top_p", "common_max_tokens",
	"smoltrace_version", "genai_otel_version", "smolagents_version", "num_tests", "purpose", "use_case", "team", "cost_source",
}

func settingLines(runs []compare.Run) []CompareLine {
	var lines []CompareLine
	for _, name := range runSettings {
		c, ok := enrich.Lookup(enrich.LeaderboardColumns, name)
		if !ok {
			continue
		}
		line := CompareLine{Name: c.Label, Help: c.Doc}
		differs := false
		for i := range runs {
			cell := CompareCell{Text: quantity(c.Unit, c.Ptr(&runs[i].Row)).Text}
			line.Cells = append(line.Cells, cell)
			differs = differs || cell.Text != line.Cells[0].Text
		}
		if differs {
			lines = append(lines, line)
		}
	}
	return lines
}

// The kinds of tests, in the order in which they are listed.
const (
	regressed = iota // passed in the baseline, and not in one of the others
	improved         // the other way round
	differing        // otherwise not alike
	wrong            // passed in none
	alike
)

func (p *ComparePage) addCases(runs []compare.Run, q CompareQuery) {
	type row struct {
		id    string
		kind  int
		cells []*enrich.ResultRow
	}
	var rows []row
	at := map[string]int{}
	for i := range runs {
		for k := range runs[i].Results {
			r := &runs[i].Results[k]
			place, ok := at[r.TestCaseUID]
			if !ok {
				place = len(rows)
				at[r.TestCaseUID] = place
				rows = append(rows, row{id: r.TestCaseUID, cells: make([]*enrich.ResultRow, len(runs))})
			}
			rows[place].cells[i] = r
		}
	}
	counts := map[string]int{"all": len(rows)}
	for i := range rows {
		rows[i].kind = kindOfCase(rows[i].cells)
		switch rows[i].kind {
		case regressed:
			counts["regressed"]++
		case improved:
			counts["improved"]++
		case wrong:
			counts["wrong"]++
		}
		if rows[i].kind < wrong {
			counts["differs"]++
		}
	}
	for _, f := range []struct{ show, text string }{{"all", "All"}, {"differs", "Differs"}, {"regressed", "Regressed"}, {"improved", "Improved"}, {"wrong", "Passed in none"}} {
		to := q
		to.Show, to.Page = f.show, 1
		p.Filters = append(p.Filters, Tab{Text: f.text, Count: count(counts[f.show]), Href: to.url() + "#tests", Current: cmp.Or(q.Show, "all") == f.show})
	}
	rows = slices.DeleteFunc(rows, func(r row) bool {
		switch q.Show {
		case "differs":
			return r.kind >= wrong
		case "regressed":
			return r.kind != regressed
		case "improved":
			return r.kind != improved
		case "wrong":
			return r.kind != wrong
		}
		return false
	})
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.id, b.id)) })
	if len(rows) == 0 {
		p.NoCases = "No test is so. Choose “All” to see every test."
	}
	page := min(max(q.Page, 1), max(1, (len(rows)+RowsPerPage-1)/RowsPerPage)) // a filter can leave fewer
	shown := cut(rows, page)
	for _, r := range shown {
		line := CompareCase{Name: visible(r.id)}
		for i, result := range r.cells {
			cell := CaseCell{}
			if result != nil {
				cell = CaseCell{outcomeOf(result), TestURL(runs[i].Row.RunID, result.TestCaseUID)}
			}
			line.Cells = append(line.Cells, cell)
		}
		p.Cases = append(p.Cases, line)
	}
	p.Pager = newPager(page, len(shown), len(rows), "tests", func(n string) string {
		to := q
		to.Page, _ = strconv.Atoi(n) // "" is the first
		return to.url() + "#tests"
	})
}

// kindOfCase compares a test's outcomes with the first, the baseline's. Runs that
// lack the test, or a verdict of it, are left out.
func kindOfCase(cells []*enrich.ResultRow) int {
	passed, failed := 0, 0
	worse, better := false, false
	for i, r := range cells {
		if r == nil || r.Success == nil {
			continue
		}
		if *r.Success {
			passed++
		} else {
			failed++
		}
		if base := cells[0]; i > 0 && base != nil && base.Success != nil {
			worse = worse || *base.Success && !*r.Success
			better = better || !*base.Success && *r.Success
		}
	}
	switch {
	case worse:
		return regressed
	case better:
		return improved
	case passed > 0 && failed > 0:
		return differing
	case failed > 0:
		return wrong
	}
	return alike
}
