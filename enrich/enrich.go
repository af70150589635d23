// Package enrich turns what the files of an agent evaluation say into four
// complete, linked datasets: results, traces, metrics and leaderboard.
//
// It is pure: bytes in, rows out, with no disk, clock or network, so that the
// same code runs in a server, on the command line and in a browser.
//
//  1. decode reads each file into a Part: records, traces and metrics as stated.
//  2. Assemble joins parts into runs, whatever their order and names.
//  3. Enrich derives the rows of a run from its spans, and from what the files
//     summarise only where there are no spans.
//
// Every number is counted once, nothing missing becomes 0, and each value has an
// Origin. "Spec" in comments is the specification of the enrichment that the
// project was built to, by section.
package enrich

import (
	"cmp"
	"slices"
	"strconv"

	"smolscope/enrich/attr"
)

// Revision is the number of the rules in this package. It goes up whenever the
// same files would give other rows, so that stores derive their runs again.
const Revision = 6

// Enrich derives the datasets of a run (spec §3). The same run and options give the same
// tables, byte for byte.
func Enrich(run *Run, options Options) *Tables {
	e := newEnricher(run, options)
	if run.exported != nil {
		return e.tablesOfExport()
	}
	e.gatherTests()
	e.gpu = e.measureEnergy()
	e.model = e.runModel()
	e.priceCalls()
	e.runID, e.runIDSource, e.runIDFrom = run.runID(e.model)
	e.offset, e.offsetKnown = run.offset()

	tables := &Tables{Sources: run.sources(), LeftOut: run.leftOut, Provenance: &e.provenance}
	for _, t := range e.tests {
		tables.Results = append(tables.Results, e.resultRow(t))
	}
	e.index(tables.Results)
	spans := 0
	for _, tr := range e.traces {
		spans += len(tr.trace.Spans)
	}
	tables.Spans = make([]SpanRow, 0, spans)
	for _, tr := range e.traces {
		tables.Traces = append(tables.Traces, e.traceRow(tr))
		tables.Spans = e.appendSpanRows(tables.Spans, tr)
	}
	tables.Metrics = e.metricRows(tables.Results)
	tables.Leaderboard = e.leaderboardRow(tables)
	tables.Quality = e.found.quality()
	return tables
}

// newEnricher examines the traces of a run.
func newEnricher(run *Run, options Options) *enricher {
	e := &enricher{run: run, options: options, found: &run.found}
	seen := newRepeats()
	for _, t := range run.Traces {
		tr := &traced{trace: t, tree: newTree(t.Spans)}
		tr.usage = newUsage(tr.tree, seen)
		tr.tests = examine(t, tr.tree, tr.usage)
		tr.whole = tr.tests[0]
		if len(tr.tests) > 1 {
			all := make([]int, len(t.Spans))
			for i := range all {
				all[i] = i
			}
			tr.whole = newFacts(t, tr.tree, tr.usage, tr.tree.root, all)
			tr.whole.sumTests(tr.tests)
		}
		e.traces = append(e.traces, tr)
	}
	slices.SortStableFunc(e.traces, func(a, b *traced) int {
		return cmp.Or(compareTimes(a.whole.start, b.whole.start), slices.Compare(a.trace.ID[:], b.trace.ID[:]))
	})
	return e
}

// compareTimes orders times with the unknown ones last.
func compareTimes(a, b Time) int {
	if (a == 0) != (b == 0) {
		if a == 0 {
			return 1
		}
		return -1
	}
	return cmp.Compare(a, b)
}

// An enricher holds what the rows of one run are made of.
type enricher struct {
	run         *Run
	options     Options
	traces      []*traced // by start, then id
	tests       []*test   // by start, then case
	unjoined    []*facts  // tests of traces that no results row is of
	gpu         *gpuEnergy
	bill        bill // of all tests
	model       string
	runID       string
	runIDSource string
	runIDFrom   string
	offset      int64 // nanoseconds that the files' local times are ahead of UTC
	offsetKnown bool
	found       *findings
	provenance  Provenance

	testByFacts map[*facts]*test
	errorOf     map[*test]*string // error_type of each test
}

// index finds tests by their facts, and error types by their tests, for the
// rows of traces.
func (e *enricher) index(results []ResultRow) {
	e.testByFacts, e.errorOf = map[*facts]*test{}, map[*test]*string{}
	for i, t := range e.tests {
		e.errorOf[t] = results[i].ErrorType
		if t.facts != nil {
			e.testByFacts[t.facts] = t
		}
	}
}

// A traced is one trace with what was found in it.
type traced struct {
	trace *Trace
	tree  *tree
	usage *usage
	tests []*facts
	whole *facts
	costs []*float64 // per span: USD, nil if it is not counted or its cost is not known
}

// gatherTests joins rows and traces, orders the tests and names their cases.
func (e *enricher) gatherTests() {
	var all []*facts
	for _, tr := range e.traces {
		if tr.tree.root >= 0 { // a trace without spans is evidence of nothing
			all = append(all, tr.tests...)
		}
	}
	for _, r := range e.run.Results {
		e.tests = append(e.tests, newTest(r))
	}
	switch {
	case len(e.tests) > 0:
		e.unjoined = join(e.tests, all)
		for _, f := range e.unjoined {
			e.found.flag("trace:"+f.trace.ID.String(), FlagUnjoinedTrace)
			e.found.flag("run", FlagUnjoinedTrace)
		}
	case len(all) > 0:
		e.found.flag("run", FlagResultsFromTraces)
		for _, f := range all {
			id := f.testID
			if id == "" {
				id = f.root.Name + "#" + f.trace.ID.String()[:8]
			}
			e.tests = append(e.tests, &test{facts: f, method: joinNone, testID: id, agent: f.agentType})
		}
	}
	for i, t := range e.tests {
		if t.agent == "" && t.facts != nil {
			t.agent = t.facts.agentType
		}
		if t.testID == "" && t.facts != nil {
			t.testID = t.facts.testID
		}
		if t.testID == "" {
			t.testID = "row-" + strconv.Itoa(i)
			t.unnamed = true
		}
		t.caseID = t.testID
		if t.agent != "" {
			t.caseID = t.agent + ":" + t.testID
		}
	}
	slices.SortStableFunc(e.tests, func(a, b *test) int {
		return cmp.Or(compareTimes(a.start(), b.start()), cmp.Compare(a.caseID, b.caseID))
	})
	e.numberRepeats()
	for _, t := range e.tests {
		if t.unnamed {
			e.found.flag(t.where(), FlagRowIDSynthesized)
		}
	}
}

// numberRepeats makes case ids unique: the second test of a case is #2, the
// third #3, past numbers that another test already has for a name.
func (e *enricher) numberRepeats() {
	taken, repeats := map[string]bool{}, map[string]int{}
	for _, t := range e.tests {
		taken[t.caseID] = true
	}
	for _, t := range e.tests {
		repeats[t.caseID]++
		if repeats[t.caseID] == 1 {
			continue
		}
		base := t.caseID
		for {
			t.caseID = base + "#" + strconv.Itoa(repeats[base])
			if !taken[t.caseID] {
				break
			}
			repeats[base]++
		}
		taken[t.caseID] = true
	}
}

// runModel returns the model of the run: the leaderboard row's, else the
// commonest of the results, of the metadata, of the calls.
func (e *enricher) runModel() string {
	if m, key := e.run.Leaderboard.Str(attr.Field{"model"}); key != "" {
		return m
	}
	var models []string
	for _, t := range e.tests {
		if m, key := t.row.Str(attr.Field{"model"}); key != "" {
			models = append(models, m)
		}
	}
	if m := mode(models); m != nil {
		return *m
	}
	if m, key := e.run.Metadata.Str(attr.Field{"model"}); key != "" {
		return m
	}
	for _, tr := range e.traces {
		for _, c := range tr.whole.calls {
			if c.requestModel != "" {
				models = append(models, c.requestModel)
			}
		}
	}
	if m := mode(models); m != nil {
		return *m
	}
	return ""
}

// utc converts a date as a row writes it; a local one by the run's offset, or
// as it stands, flagged, where that is unknown.
func (e *enricher) utc(date string) Time {
	if ns, ok := attr.StringValue(date).Nanos(); ok {
		return Time(ns)
	}
	c, ok := parseClock(date)
	if !ok {
		return 0
	}
	if c.naive {
		if !e.offsetKnown {
			e.found.flag("run", FlagTZUnknown)
		}
		c.wall -= e.offset
	}
	return Time(c.wall)
}

// dateOrigin says how utc came by its result.
func (e *enricher) dateOrigin(date, row string) (ProvenanceKind, string) {
	if c, ok := parseClock(date); ok && c.naive {
		if e.offsetKnown {
			return Repaired, row + ": local time, its offset from UTC inferred from the end of the last span"
		}
		return Reported, row + ": local time of unknown offset, taken as UTC"
	}
	return Reported, row
}

// agreed returns the value that all calls share, or the first call's if they
// differ, and whether they do (spec §3.10 request params).
func agreed[T comparable](calls []call, value func(*call) *T) (v *T, vary bool) {
	for i := range calls {
		switch next := value(&calls[i]); {
		case next == nil:
		case v == nil:
			v = next
		case *next != *v:
			vary = true
		}
	}
	return v, vary
}

// text returns a pointer to a text, nil if it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return new(s)
}

// known returns the text, or nil of "".
func known(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}
