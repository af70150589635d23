// Package compare says how runs of one suite differ, test by test: which of them
// passes more, and which takes less, and whether the tests they share show it.
package compare

import (
	"slices"

	"smolscope/enrich"
)

// A Run is one of those that are compared.
type Run struct {
	Row     enrich.LeaderboardRow
	Results []enrich.ResultRow
}

// A Change says in which direction a measure differs.
type Change string

// The changes. None means that the interval holds no difference too: it is not
// shown that there is one. Differs is for measures of which neither direction is good.
const (
	Better  Change = "better"
	Worse   Change = "worse"
	Differs Change = "differs"
	None    Change = "no difference shown"
	Unknown Change = "not enough tests"
)

// A Difference is one measure of a run beside the baseline's, over the tests that
// both know it of.
type Difference struct {
	Name   string        `json:"name"` // the column of the results dataset
	Label  string        `json:"label"`
	Unit   enrich.Unit   `json:"unit"`
	Better enrich.Better `json:"better"` // the good direction: 1 is higher, -1 is lower
	Pairs  int           `json:"pairs"`
	Base   *float64      `json:"base"`  // mean over the pairs
	Other  *float64      `json:"other"` // mean over the pairs
	Diff   *float64      `json:"diff"`  // other less baseline
	Low    *float64      `json:"low"`   // of its 95 % interval, null of fewer than two pairs
	High   *float64      `json:"high"`
	Change Change        `json:"change"`
}

// An Against is what one run shows beside the baseline.
type Against struct {
	RunID    string       `json:"run_id"`
	Model    *string      `json:"model"`
	Shared   int          `json:"shared"`   // tests that both have
	Unscored int          `json:"unscored"` // of them, those without a verdict in one
	Verdicts Verdicts     `json:"verdicts"`
	P        *float64     `json:"p"`       // see Verdicts.P; null of no scored tests
	Success  Difference   `json:"success"` // in percent
	Measures []Difference `json:"measures"`
}

// Regressions are the measures that are shown to be worse.
func (a *Against) Regressions() []Difference {
	var list []Difference
	for _, d := range append([]Difference{a.Success}, a.Measures...) {
		if d.Change == Worse {
			list = append(list, d)
		}
	}
	return list
}

// A Report compares runs with a baseline.
type Report struct {
	Base  string    `json:"base"` // run id
	Model *string   `json:"model"`
	Runs  []Against `json:"runs"` // the others, in the order in which they were given
}

// Measures are the columns of results that are compared, besides success.
var Measures = []string{
	"execution_time_ms", "gen_ai.server.ttft", "gen_ai.usage.total_tokens", "gen_ai.usage.cost.total", "gpu_energy_wh", "steps",
}

// New compares the runs with the one of the baseline's id, which must be among
// them.
func New(runs []Run, base string) Report {
	at := slices.IndexFunc(runs, func(r Run) bool { return r.Row.RunID == base })
	r := Report{Base: base, Model: runs[at].Row.Model, Runs: []Against{}}
	for i := range runs {
		if i != at {
			r.Runs = append(r.Runs, against(&runs[at], &runs[i]))
		}
	}
	return r
}

// A Pair is a test as two runs have it.
type Pair struct{ Base, Other *enrich.ResultRow }

// Pairs returns the tests that two runs share, by case id, in the order of the
// baseline: a repeat of a case is paired with the same repeat.
func Pairs(base, other []enrich.ResultRow) []Pair {
	at := make(map[string]*enrich.ResultRow, len(other))
	for i := range other {
		at[other[i].TestCaseUID] = &other[i]
	}
	var list []Pair
	for i := range base {
		if o := at[base[i].TestCaseUID]; o != nil {
			list = append(list, Pair{&base[i], o})
		}
	}
	return list
}

func against(base, other *Run) Against {
	pairs := Pairs(base.Results, other.Results)
	a := Against{RunID: other.Row.RunID, Model: other.Row.Model, Shared: len(pairs)}
	for _, p := range pairs {
		switch x, y := p.Base.Success, p.Other.Success; {
		case x == nil || y == nil:
			a.Unscored++
		case *x && *y:
			a.Verdicts.Both++
		case *x:
			a.Verdicts.Base++
		case *y:
			a.Verdicts.Other++
		default:
			a.Verdicts.Neither++
		}
	}
	a.Success = success(a.Verdicts)
	if a.Verdicts.N() > 0 {
		a.P = new(a.Verdicts.P())
	}
	for _, name := range Measures {
		if d := measure(name, pairs); d.Pairs > 0 {
			a.Measures = append(a.Measures, d)
		}
	}
	return a
}

func success(v Verdicts) Difference {
	d := Difference{Name: "success", Label: "Success", Unit: enrich.Percent, Better: enrich.Higher, Pairs: v.N(), Change: Unknown}
	if d.Pairs == 0 {
		return d
	}
	share := func(n int) *float64 { return new(100 * float64(n) / float64(d.Pairs)) }
	diff, low, high := v.Difference()
	d.Base, d.Other = share(v.Both+v.Base), share(v.Both+v.Other)
	d.Diff, d.Low, d.High = new(100*diff), new(100*low), new(100*high)
	d.judge()
	return d
}

func measure(name string, pairs []Pair) Difference {
	column, _ := enrich.Lookup(enrich.ResultColumns, name)
	d := Difference{Name: name, Label: column.Label, Unit: column.Unit, Better: column.Better, Change: Unknown}
	var differences []float64
	var base, other float64
	for _, p := range pairs {
		x, y := column.Ptr(p.Base), column.Ptr(p.Other)
		if !enrich.Known(x) || !enrich.Known(y) {
			continue
		}
		a, _ := enrich.Number(x)
		b, _ := enrich.Number(y)
		base, other = base+a, other+b
		differences = append(differences, b-a)
	}
	d.Pairs = len(differences)
	if d.Pairs == 0 {
		return d
	}
	d.Base, d.Other = new(base/float64(d.Pairs)), new(other/float64(d.Pairs))
	mean, low, high, ok := Interval(differences)
	d.Diff = new(mean)
	if ok {
		d.Low, d.High = new(low), new(high)
		d.judge()
	}
	return d
}

// judge says what the interval shows.
func (d *Difference) judge() {
	switch {
	case d.Pairs < 2:
		d.Change = Unknown
	case *d.Low <= 0 && *d.High >= 0:
		d.Change = None
	case d.Better == enrich.Neither:
		d.Change = Differs
	case (*d.Low > 0) == (d.Better == enrich.Higher):
		d.Change = Better
	default:
		d.Change = Worse
	}
}
