package enrich

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"smolscope/enrich/attr"
)

// Exported is what smolscope wrote of runs before, read back as the rows that it
// was. Such rows are results, not evidence: they are taken as they stand, and
// only where no original file of their run is at hand.
type Exported struct {
	Results     []ResultRow
	Traces      []ExportedTrace
	Metrics     []MetricRow
	Leaderboard []LeaderboardRow
	Notes       []ExportedNotes
	runID       string // of all of it, once divided
}

// An ExportedTrace is a row of the traces dataset, its spans read and Row.Spans
// left empty.
type ExportedTrace struct {
	Row   TraceRow
	Spans []Span
}

// ExportedNotes are what the enrich command's document says of a run besides
// its rows.
type ExportedNotes struct {
	RunID      string
	Quality    Quality
	Provenance *Provenance // nil when the document has none
}

func (x *Exported) rows() int {
	return len(x.Results) + len(x.Traces) + len(x.Metrics) + len(x.Leaderboard)
}

// runs divides what is exported by run id.
func (x *Exported) runs() map[string]*Exported {
	runs := map[string]*Exported{}
	of := func(id string) *Exported {
		if runs[id] == nil {
			runs[id] = &Exported{runID: id}
		}
		return runs[id]
	}
	for _, r := range x.Results {
		of(r.RunID).Results = append(of(r.RunID).Results, r)
	}
	for _, t := range x.Traces {
		of(t.Row.RunID).Traces = append(of(t.Row.RunID).Traces, t)
	}
	for _, r := range x.Metrics {
		of(r.RunID).Metrics = append(of(r.RunID).Metrics, r)
	}
	for _, r := range x.Leaderboard {
		of(r.RunID).Leaderboard = append(of(r.RunID).Leaderboard, r)
	}
	for _, n := range x.Notes {
		if run := runs[n.RunID]; run != nil {
			run.Notes = append(run.Notes, n)
		}
	}
	return runs
}

// keys are the join keys of what is exported: its runs and traces.
func (x *Exported) keys() []string {
	var keys []string
	for id, run := range x.runs() {
		keys = append(keys, runKey(id))
		for trace := range run.traceKeys() {
			keys = append(keys, trace)
		}
	}
	return keys
}

func (x *Exported) traceKeys() map[string]bool {
	keys := map[string]bool{}
	for i := range x.Results {
		if id := x.Results[i].TraceID; id != nil {
			keys[traceKey(*id)] = true
		}
	}
	for i := range x.Traces {
		keys[traceKey(x.Traces[i].Row.TraceID)] = true
	}
	return keys
}

func traceKey(id string) string { return "trace:" + id }

// take adds another file's rows of the same run, those that are new.
func (x *Exported) take(other *Exported) {
	x.Results = union(x.Results, other.Results, func(r *ResultRow) string { return r.TestCaseUID })
	x.Traces = union(x.Traces, other.Traces, func(t *ExportedTrace) string { return t.Row.TraceID })
	x.Metrics = union(x.Metrics, other.Metrics, func(r *MetricRow) string { return string(AppendRow(nil, MetricColumns, r)) })
	x.Leaderboard = union(x.Leaderboard, other.Leaderboard, func(r *LeaderboardRow) string { return r.RunID })
	x.Notes = union(x.Notes, other.Notes, func(n *ExportedNotes) string { return n.RunID })
}

// union appends the items of more whose keys are new.
func union[T any](list, more []T, key func(*T) string) []T {
	seen := map[string]bool{}
	for i := range list {
		seen[key(&list[i])] = true
	}
	for i := range more {
		if k := key(&more[i]); !seen[k] {
			seen[k] = true
			list = append(list, more[i])
		}
	}
	return list
}

// sort puts rows of several files into the order that Enrich gives them.
func (x *Exported) sort() {
	slices.SortStableFunc(x.Results, func(a, b ResultRow) int {
		// The k-th repeat of a case has #k behind it, and counts as a number.
		return cmp.Or(compareTimes(a.StartTime, b.StartTime), cmp.Compare(caseOf(&a), caseOf(&b)),
			cmp.Compare(len(a.TestCaseUID), len(b.TestCaseUID)), cmp.Compare(a.TestCaseUID, b.TestCaseUID))
	})
	slices.SortStableFunc(x.Traces, func(a, b ExportedTrace) int {
		return cmp.Or(compareTimes(Time(a.Row.StartTimeUnixNano), Time(b.Row.StartTimeUnixNano)), cmp.Compare(a.Row.TraceID, b.Row.TraceID))
	})
	slices.SortStableFunc(x.Metrics, func(a, b MetricRow) int { return compareMetrics(&a, &b) })
}

func caseOf(r *ResultRow) string {
	if r.AgentType == nil {
		return r.TestID
	}
	return *r.AgentType + ":" + r.TestID
}

// addExported adds the runs that are known from exports alone. Of a run that has
// originals, exported rows of a dataset that these hold are left out, since the
// originals say it better; their files still count as the run's, and the run's
// LeftOut says so.
func addExported(groups []*group, parts []*Part) []*Run {
	exported := map[string]*Run{}
	held := map[string][]LeftOut{} // by run: what each export holds
	for _, p := range parts {
		for id, x := range p.Exported.runs() {
			run := exported[id]
			if run == nil {
				run = &Run{exported: &Exported{runID: id}, folders: map[string]bool{}}
				exported[id] = run
			}
			run.exported.take(x)
			if p.Group != "" {
				run.folders[p.Group] = true
			}
			held[id] = append(held[id], LeftOut{p.Source, id, x.datasets()})
			run.Sources = append(run.Sources, p.Source)
			for _, flag := range p.Flags {
				run.found.flag("file:"+p.Source[:min(12, len(p.Source))], flag)
			}
		}
	}
	runs, keys := runsOf(groups)
	ids := slices.Sorted(maps.Keys(exported))
	originals := originalsOf(runs, keys, ids, exported)
	var without []*Run
	for k, id := range ids {
		if originals[k] < 0 {
			without = append(without, exported[id])
		}
	}
	if joined, found := joinExported(groups, without); found {
		runs, keys = runsOf(joined)
		originals = originalsOf(runs, keys, ids, exported)
	}
	for k, id := range ids {
		run := exported[id]
		run.Sources = unique(run.Sources)
		slices.Sort(run.Sources)
		if i := originals[k]; i >= 0 {
			runs[i].leaveOut(held[id])
			if runs[i].takeMissing(run.exported) {
				runs[i].Sources = unique(append(runs[i].Sources, run.Sources...))
				slices.Sort(runs[i].Sources)
			} else {
				runs[i].unused = append(runs[i].unused, run.Sources...)
			}
			continue
		}
		run.exported.sort()
		run.takeExported()
		runs = append(runs, run)
	}
	return runs
}

// runsOf builds the runs of groups, each with its join keys.
func runsOf(groups []*group) (runs []*Run, keys []map[string]bool) {
	for _, g := range groups {
		if run := newRun(g.items); run != nil {
			runs = append(runs, run)
			keys = append(keys, g.keys())
		}
	}
	return runs, keys
}

// originalsOf returns for each exported run, by its id, which run of originals it
// is, or -1.
func originalsOf(runs []*Run, keys []map[string]bool, ids []string, exported map[string]*Run) []int {
	unnamed := sync.OnceValue(func() []string { return derivedIDs(runs, keys) })
	list := make([]int, len(ids))
	for k, id := range ids {
		list[k] = slices.IndexFunc(keys, func(of map[string]bool) bool { return isOriginal(of, id, exported[id].exported) })
		if list[k] < 0 {
			list[k] = slices.Index(unnamed(), id)
		}
	}
	return list
}

// isOriginal reports whether originals with these join keys are of an exported
// run: they name it, or name no run and share a trace with it.
func isOriginal(keys map[string]bool, id string, x *Exported) bool {
	return keys[runKey(id)] || !namesRun(keys) && share(x.traceKeys(), keys)
}

func namesRun(keys map[string]bool) bool {
	for k := range keys {
		if strings.HasPrefix(k, runPrefix) {
			return true
		}
	}
	return false
}

// derivedIDs returns the ids that runs of which no file names one get when they
// are derived, "" for the others.
func derivedIDs(runs []*Run, keys []map[string]bool) []string {
	ids := make([]string, len(runs))
	for i, run := range runs {
		if !namesRun(keys[i]) {
			scratch := *run
			scratch.found = findings{}
			e := newEnricher(&scratch, Options{})
			e.gatherTests()
			ids[i], _, _ = scratch.runID(e.runModel())
		}
	}
	return ids
}

// fromExport is the origin of what an export says.
var fromExport = Origin{Reported, "export of smolscope"}

// takeExported makes the exported traces and reported metrics those of the run,
// for what is to be derived from them.
func (r *Run) takeExported() {
	r.Traces = r.exported.originalTraces()
	r.Metrics = r.exported.originalMetrics()
}

func (x *Exported) originalTraces() []*Trace {
	var list []*Trace
	for _, t := range x.Traces {
		id, _ := ParseTraceID(t.Row.TraceID)
		list = append(list, &Trace{ID: id, Row: keptOf(t.Row.DataQuality).stored, Spans: t.Spans})
	}
	return list
}

// originalMetrics returns what was reported of the exported metrics.
func (x *Exported) originalMetrics() []MetricsDoc {
	var doc MetricsDoc
	for i := range x.Metrics {
		m := &x.Metrics[i]
		switch {
		case m.Source == string(Derived):
		case m.TimeUnixNano == 0 && m.ScopeName == nil && m.ServiceName == nil:
			doc.Aggregates = append(doc.Aggregates, m.sample())
		default:
			doc.Samples = append(doc.Samples, m.sample())
		}
	}
	if len(doc.Samples)+len(doc.Aggregates) == 0 {
		return nil
	}
	return []MetricsDoc{doc}
}

// sample is the data point that a row was made of.
func (r *MetricRow) sample() Sample {
	s := Sample{
		Metric: r.MetricName, Instrument: Instrument(r.Instrument), Unit: deref(r.Unit), Attrs: jsonSet(r.Attributes),
		Start: Time(r.StartTimeUnixNano), Time: Time(r.TimeUnixNano),
		Value: r.Value, Count: r.Count, Sum: r.Sum, Min: r.Min, Max: r.Max,
		Buckets: r.BucketCounts, Bounds: r.ExplicitBounds,
		Temporality: deref(r.Temporality), Monotonic: r.IsMonotonic, Scope: deref(r.ScopeName),
	}
	if r.ServiceName != nil {
		s.Resource = &Resource{Attrs: attr.NewSet([]attr.KeyValue{label("service.name", *r.ServiceName)})}
	}
	return s
}

// tablesOfExport takes each dataset as it was exported where it was, and
// derives the others from those. Spans are derived from the traces' always.
func (e *enricher) tablesOfExport() *Tables {
	x := e.run.exported
	e.found.takeExported(x)
	e.gatherExported()
	e.gpu = e.measureEnergy()
	e.runID = x.runID
	e.runIDSource, e.runIDFrom = runIDReported, fromExport.From
	if len(x.Leaderboard) > 0 {
		e.runIDSource = x.Leaderboard[0].RunIDSource
		e.model = deref(x.Leaderboard[0].Model)
	}
	if e.model == "" {
		e.model = e.runModel()
	}
	e.priceCalls()
	if len(x.Results) > 0 {
		e.bill = bill{}
		for i := range x.Results {
			e.bill.add(new(billOfRow(&x.Results[i])))
		}
	}
	e.offset, e.offsetKnown = e.run.offset()

	t := &Tables{Exported: true, Sources: e.run.Sources, Provenance: &e.provenance, Results: x.Results, Metrics: x.Metrics}
	if len(x.Results) == 0 {
		for _, test := range e.tests {
			t.Results = append(t.Results, e.resultRow(test))
		}
	}
	e.index(t.Results)
	exported := map[string]TraceRow{}
	for i := range x.Traces {
		exported[x.Traces[i].Row.TraceID] = x.Traces[i].Row
	}
	for _, tr := range e.traces {
		row := exported[tr.trace.ID.String()]
		row.Spans = SpansOf(tr.trace.Spans)
		t.Traces = append(t.Traces, row)
		t.Spans = e.appendSpanRows(t.Spans, tr)
	}
	if len(x.Metrics) == 0 {
		t.Metrics = e.metricRows(t.Results)
	}
	if len(x.Leaderboard) > 0 {
		t.Leaderboard = x.Leaderboard[0]
	} else {
		t.Leaderboard = e.leaderboardRow(t)
	}
	e.exportedOrigins(t)
	t.Quality = e.found.quality()
	return t
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// gatherExported makes the tests of exported results rows, in their order, each
// with the facts of the trace that it was joined with; without such rows, of
// the traces.
func (e *enricher) gatherExported() {
	x := e.run.exported
	if len(x.Results) == 0 {
		e.gatherTests()
		return
	}
	byRoot := map[string]*facts{}
	for _, tr := range e.traces {
		for _, f := range tr.tests {
			if f.root != nil {
				byRoot[tr.trace.ID.String()+"/"+f.root.ID.String()] = f
			}
		}
	}
	for i := range x.Results {
		r := &x.Results[i]
		t := &test{caseID: r.TestCaseUID, testID: r.TestID, agent: deref(r.AgentType), prompt: deref(r.Prompt)}
		t.facts = byRoot[deref(r.TraceID)+"/"+deref(r.SpanID)]
		t.row = attr.NewSet([]attr.KeyValue{label("model", deref(r.Model)), label("test_id", r.TestID)})
		if r.ToolsUsed != nil {
			tools := attr.JSONValue(string(AppendJSON(nil, &r.ToolsUsed)))
			t.row = t.row.Merge(attr.Set{{Key: "tools_used", Value: tools}})
		}
		e.tests = append(e.tests, t)
		delete(byRoot, deref(r.TraceID)+"/"+deref(r.SpanID))
	}
	if len(x.Leaderboard) > 0 {
		return // it says what it leaves out
	}
	for _, root := range slices.Sorted(maps.Keys(byRoot)) {
		e.unjoined = append(e.unjoined, byRoot[root])
		e.found.flag("run", FlagUnjoinedTrace)
	}
}

// exportedOrigins says of all exported values that they are, or what the
// document said of them that they stand in.
func (e *enricher) exportedOrigins(t *Tables) {
	x := e.run.exported
	put := func(dataset, key string, columns map[string]Origin) {
		for _, n := range x.Notes {
			if n.Provenance == nil {
				continue
			}
			if noted := n.Provenance.Row(dataset, key); noted != nil {
				columns = noted
			}
		}
		e.provenance.Put(dataset, key, columns)
	}
	for i := range x.Results {
		put(Results, t.Results[i].TestCaseUID, knownOrigins(ResultColumns, &t.Results[i]))
	}
	for i := range t.Traces {
		put(Traces, t.Traces[i].TraceID, knownOrigins(TraceColumns, &t.Traces[i]))
	}
	for i := range x.Metrics {
		r := &t.Metrics[i]
		put(Metrics, r.ProvenanceKey(), knownOrigins(MetricColumns, r))
	}
	if len(x.Leaderboard) > 0 {
		put(Leaderboard, "run", knownOrigins(LeaderboardColumns, &t.Leaderboard))
	}
}

func knownOrigins[R any](columns []Column[R], row *R) map[string]Origin {
	out := map[string]Origin{}
	for _, c := range columns {
		if Known(c.Ptr(row)) {
			out[c.Name] = fromExport
		}
	}
	return out
}

// takeExported takes up what was found when the exported rows were derived.
func (f *findings) takeExported(x *Exported) {
	for i := range x.Results {
		f.takeColumn("test:"+x.Results[i].TestCaseUID, x.Results[i].DataQuality)
	}
	for i := range x.Traces {
		f.takeColumn("trace:"+x.Traces[i].Row.TraceID, x.Traces[i].Row.DataQuality)
	}
	for i := range x.Leaderboard {
		f.takeColumn("run", x.Leaderboard[i].DataQuality)
	}
	for _, n := range x.Notes {
		for flag, places := range n.Quality.Flags {
			for _, where := range places {
				f.flag(where, flag)
			}
		}
		for where, columns := range n.Quality.Stored {
			for column, v := range columns {
				f.keep(where, column, v)
			}
		}
	}
}

// takeColumn reads what findings.column wrote.
func (f *findings) takeColumn(where string, column JSON) {
	q := keptOf(column)
	for _, flag := range q.flags {
		if slices.Contains(Flags, flag) {
			f.flag(where, flag)
		}
	}
	for _, stored := range q.stored {
		f.keep(where, stored.Key, stored.Value)
	}
}

// kept is what a data_quality column says, as far as findings are kept by it.
type kept struct {
	flags  []string
	stored attr.Set
	era    string
}

// keptOf reads what findings.column wrote. Of anything else there is nothing:
// such a column is kept as it is.
func keptOf(column JSON) kept {
	var q struct {
		Flags  []string        `json:"flags"`
		Stored json.RawMessage `json:"stored"`
		Era    string          `json:"producer_era"`
	}
	if json.Unmarshal([]byte(column), &q) != nil {
		return kept{}
	}
	return kept{q.Flags, jsonSet(JSON(q.Stored)), q.Era}
}

// jsonSet reads a JSON object as attributes; what is no object has none.
func jsonSet(object JSON) attr.Set {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(object), &members) != nil {
		return nil
	}
	list := make([]attr.KeyValue, 0, len(members))
	for key, raw := range members {
		list = append(list, attr.KeyValue{Key: key, Value: jsonValue(raw)})
	}
	return attr.NewSet(list)
}

// IsExport reports whether a row's fields are those of an enriched row: no one
// else's have a data_quality column with flags and stored values in it.
func IsExport(row attr.Set) bool {
	text := row.Get("data_quality").Text()
	return strings.HasPrefix(text, "{") && strings.Contains(text, `"flags":[`) && strings.Contains(text, `"stored":{`)
}

// SetRow sets a row's fields from values named as its columns. Values that do
// not fit their columns are left out and reported one by one. It answers no,
// and the row is not to be used, if a column that is never null has no value.
func SetRow[R any](columns []Column[R], row *R, values attr.Set, report func(column string, v attr.Value, want string)) bool {
	whole := true
	for _, c := range columns {
		ptr, v := c.Ptr(row), values.Get(c.Name)
		switch {
		case v.IsNull():
			_, isText := ptr.(*string) // "" is as good as null in CSV
			whole = whole && (isText || !Known(ptr))
		case !setValue(ptr, v):
			whole = whole && !Known(ptr)
			report(c.Name, v, "a "+TypeName(ptr))
		}
	}
	return whole
}

// setValue sets a column's field, given by its pointer, from what AppendJSON
// writes, or from that text in a string, as CSV and Parquet have it.
func setValue(ptr any, v attr.Value) bool {
	switch p := ptr.(type) {
	case *string:
		*p = v.Text()
		return true
	case **string:
		*p = new(v.Text())
		return true
	case *bool:
		b, ok := v.Bool()
		*p = b
		return ok
	case **bool:
		b, ok := v.Bool()
		return set(p, b, ok)
	case *int64:
		n, ok := wholeNumber(v)
		*p = n
		return ok
	case **int64:
		n, ok := wholeNumber(v)
		return set(p, n, ok)
	case **float64:
		f, ok := v.Float()
		return set(p, f, ok)
	case *Time:
		t, err := time.Parse(time.RFC3339Nano, v.Text())
		if err != nil || !t.Equal(time.Unix(0, t.UnixNano())) {
			return false // no time, or none that an int64 of nanoseconds can hold
		}
		*p = Time(t.UnixNano())
		return true
	case *UnixNano:
		n, ok := wholeNumber(v)
		*p = UnixNano(n)
		return ok
	case *[]string:
		return setList(p, v)
	case *[]int64:
		return setList(p, v)
	case *[]float64:
		return setList(p, v)
	case *JSON:
		if v.Kind() == attr.JSON {
			*p = JSON(v.Text())
			return true
		}
		var compact bytes.Buffer // which changes nothing in what AppendJSON wrote
		if json.Compact(&compact, []byte(v.Text())) != nil {
			return false
		}
		*p = JSON(compact.String())
		return true
	}
	panic(fmt.Sprintf("column of type %T", ptr))
}

// set sets a field that may be absent, if there is a value for it.
func set[T any](p **T, v T, ok bool) bool {
	if ok {
		*p = &v
	}
	return ok
}

// wholeNumber reads a whole number of either sign.
func wholeNumber(v attr.Value) (int64, bool) {
	if n, err := strconv.ParseInt(v.Text(), 10, 64); err == nil {
		return n, true
	}
	return v.Int()
}

// setList reads a JSON list; nothing in it may be null.
func setList[T any](p *[]T, v attr.Value) bool {
	var list []*T
	if json.Unmarshal([]byte(v.Text()), &list) != nil || list == nil || slices.Contains(list, nil) {
		return false
	}
	*p = make([]T, len(list))
	for i := range list {
		(*p)[i] = *list[i]
	}
	return true
}
