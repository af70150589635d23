package enrich

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"smolscope/enrich/attr"
)

// An item is one thing that Assemble places in a run: a results row, a trace, a
// leaderboard or metadata row, or a metrics document.
type item struct {
	part *Part
	kind itemKind
	at   int // index within its kind's list in the part

	ids   []string // keys that prove two items are of one run
	clues clues    // what an item without ids in common can be matched by
}

type itemKind uint8

const (
	resultItem itemKind = iota
	traceItem
	leaderboardItem
	metadataItem
	metricsItem
)

// clues are what a summary says of its run without naming it: enough to find it
// among a few, not to prove anything.
type clues struct {
	model, agent string
	clock        clock // when it was written
	tests        int64 // how many tests it says the run has
	tokens       int64 // SMOLTRACE's total over them
}

// Names under which the same fact stands in rows of different generations.
var (
	rowTestID = attr.Field{"test_id", "task_id"}
	rowDate   = attr.Field{"evaluation_date", "timestamp"}
	rowTests  = attr.Field{"num_tests", "total_tests", "num_results"}
)

// items lists what a part holds, with the keys of each.
func (p *Part) items() []item {
	var list []item
	for i := range p.Results {
		list = append(list, item{part: p, kind: resultItem, at: i, ids: p.resultIDs(&p.Results[i])})
	}
	for i, t := range p.Traces {
		list = append(list, item{part: p, kind: traceItem, at: i, ids: p.traceIDs(t)})
	}
	for i := range p.Leaderboard {
		list = append(list, summaryItem(p, leaderboardItem, i, &p.Leaderboard[i]))
	}
	for i := range p.Metadata {
		list = append(list, summaryItem(p, metadataItem, i, &p.Metadata[i]))
	}
	for i := range p.Metrics {
		list = append(list, p.metricsItem(i))
	}
	return list
}

const (
	runPrefix     = "run:"
	sessionPrefix = "session:"
)

func runKey(id string) string { return runPrefix + id }

// resultIDs: the run it names, the trace it names, and the exact moment its
// file was written, which all rows of a run share. A row that names no run is
// of the same run as the other such rows of its file.
func (p *Part) resultIDs(r *Record) []string {
	var ids []string
	if run := validRunID(r.Set); run != "" {
		ids = append(ids, runKey(run))
	} else {
		ids = append(ids, "file:"+p.Source+":results")
	}
	if id := resultTraceID(r); id != (TraceID{}) {
		ids = append(ids, "trace:"+id.String())
	}
	model, _ := r.Str(attr.Field{"model"})
	if date, key := r.Str(rowDate); key != "" && len(date) > len("2025-10-22T20:54:34") {
		agent, _ := r.Str(attr.Field{"agent_type"})
		ids = append(ids, "eval:"+model+"|"+agent+"|"+date)
	}
	return ids
}

func (p *Part) traceIDs(t *Trace) []string {
	ids := []string{"trace:" + t.ID.String()}
	run := validRunID(t.Row)
	for i := 0; run == "" && i < len(t.Spans); i++ {
		run = spanRunID(&t.Spans[i])
	}
	switch session := p.traceSession(t); {
	case run != "":
		return append(ids, runKey(run))
	case session != "":
		return append(ids, sessionPrefix+session)
	}
	return append(ids, "file:"+p.Source+":traces")
}

// traceSession returns the session that a trace was sent in, or "".
func (p *Part) traceSession(t *Trace) string {
	if len(t.Spans) == 0 {
		return ""
	}
	return p.session(t.Spans[0].Resource)
}

func summaryItem(p *Part, kind itemKind, at int, r *Record) item {
	it := item{part: p, kind: kind, at: at}
	if run := validRunID(r.Set); run != "" {
		it.ids = []string{runKey(run)}
	}
	it.clues.model, _ = r.Str(attr.Field{"model"})
	it.clues.agent, _ = r.Str(attr.Field{"agent_type"})
	if date, key := r.Str(rowDate); key != "" {
		it.clues.clock, _ = parseClock(date)
	}
	it.clues.tests, _ = r.Int(rowTests)
	it.clues.tokens, _ = r.Int(attr.Field{"total_tokens"})
	return it
}

func (p *Part) metricsItem(at int) item {
	m := &p.Metrics[at]
	it := item{part: p, kind: metricsItem, at: at}
	run := usableRunID(m.RunID)
	for i := 0; run == "" && i < len(m.Samples); i++ {
		if r := m.Samples[i].Resource; r != nil {
			run = resourceRunID(r)
		}
	}
	if run != "" {
		it.ids = []string{runKey(run)}
	} else if session := p.metricsSession(m); session != "" {
		it.ids = []string{sessionPrefix + session}
	}
	for _, s := range m.Aggregates {
		switch s.Metric {
		case "tests.successful":
			it.clues.tests, _ = s.Attrs.Int(attr.Field{"total_tests"})
		case "llm.token_count.total":
			if s.Value != nil {
				it.clues.tokens = int64(*s.Value)
			}
		}
	}
	return it
}

// metricsSession returns the session that metrics were sent in, or "".
func (p *Part) metricsSession(m *MetricsDoc) string {
	if len(m.Samples) == 0 {
		return ""
	}
	return p.session(m.Samples[0].Resource)
}

// usableRunID drops ids that no path can hold: "", "." and ".." count as absent.
func usableRunID(id string) string {
	if id = strings.TrimSpace(id); id == "." || id == ".." {
		return ""
	}
	return id
}

func validRunID(s attr.Set) string {
	id, _ := s.Str(attr.Field{"run_id"})
	return usableRunID(id)
}

func spanRunID(s *Span) string {
	if id, key := s.attrs().Str(attr.RunID); key != "" && usableRunID(id) != "" {
		return usableRunID(id)
	}
	if s.Resource != nil {
		return resourceRunID(s.Resource)
	}
	return ""
}

func resourceRunID(r *Resource) string {
	id, _ := r.Attrs.Str(attr.RunID)
	return usableRunID(id)
}

// A storedSummary is what SMOLTRACE says of a test's trace inside its results row.
type storedSummary struct {
	TraceID     string   `json:"trace_id"`
	RootSpanID  string   `json:"root_span_id"`
	TotalTokens *int64   `json:"total_tokens"`
	DurationMS  *float64 `json:"duration_ms"`
	CostUSD     *float64 `json:"cost_usd"`
}

func readStoredSummary(row attr.Set) storedSummary {
	var stored storedSummary
	if text, key := row.Str(attr.Field{"enhanced_trace_info"}); key != "" {
		// A field of another type is skipped by Unmarshal and the rest is read.
		_ = json.Unmarshal([]byte(text), &stored)
	}
	return stored
}

// resultTraceID returns the trace that a results row names, in its own column
// or inside its stored summary.
func resultTraceID(r *Record) TraceID {
	text, key := r.Str(attr.Field{"trace_id"})
	if key == "" {
		text = readStoredSummary(r.Set).TraceID
	}
	id, _ := ParseTraceID(text)
	return id
}

// Keys returns the join keys of a part, sorted: two parts that share a key may
// hold pieces of one run, and two parts of one run share a key, directly or
// through others, unless nothing but being dropped together connects them.
// A store that keeps them can find what a new part must be assembled with.
func (p *Part) Keys() []string {
	var keys []string
	var results, traces clues
	for _, it := range p.items() {
		keys = append(keys, it.ids...)
		switch it.kind {
		case resultItem:
			results.addResult(&p.Results[it.at])
		case traceItem:
			traces.addTrace(p.Traces[it.at])
		default:
			keys = append(keys, it.clues.keys()...)
		}
	}
	keys = append(append(keys, results.keys()...), traces.keys()...)
	keys = append(keys, p.Exported.keys()...)
	for _, x := range p.Exported.runs() {
		c := x.clues()
		keys = append(keys, c.keys()...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// IsClue reports whether a join key only hints at a run, by a time or totals
// that another may share, and proves nothing.
func IsClue(key string) bool {
	return strings.HasPrefix(key, nearPrefix) || strings.HasPrefix(key, offsetPrefix) || strings.HasPrefix(key, totalsPrefix)
}

// Prefixes of the keys of clues.
const (
	nearPrefix   = "near:"
	offsetPrefix = "offset:"
	totalsPrefix = "totals:"
)

// keys turns clues into keys that equal or nearly equal clues share. Of two
// overlapping rows of slots, three minutes long, times within a minute of each
// other share one. A time in UTC and a local one share a slot of their quarter
// of an hour, on the same or a neighbouring day.
func (c clues) keys() []string {
	var keys []string
	if c.clock.wall != 0 && c.model != "" {
		const quarter, day = 15 * minute, 24 * 60 * minute
		model := bareModel(c.model)
		days := []int64{c.clock.wall / day}
		if !c.clock.naive {
			days = append(days, days[0]-1, days[0]+1)
		}
		const slot = 3 * minute // divides a quarter of an hour
		for _, shift := range []int64{0, slot / 2} {
			keys = append(keys, fmt.Sprintf(nearPrefix+"%s|%d|%d", model, shift, (c.clock.wall+shift)/slot))
			inQuarter := (c.clock.wall%quarter + shift) % quarter / slot
			for _, d := range days {
				keys = append(keys, fmt.Sprintf(offsetPrefix+"%s|%d|%d|%d", model, d, shift, inQuarter))
			}
		}
	}
	if c.tests > 0 && c.tokens > 0 {
		keys = append(keys, fmt.Sprintf(totalsPrefix+"%d|%d", c.tests, c.tokens))
	}
	return keys
}

// addResult adds one results row to what is known of its run.
func (c *clues) addResult(r *Record) {
	if c.model == "" {
		c.model, _ = r.Str(attr.Field{"model"})
	}
	agent, _ := r.Str(attr.Field{"agent_type"})
	if c.agent == "" {
		c.agent = agent
	} else if agent != "" && agent != c.agent {
		c.agent = "both"
	}
	if date, key := r.Str(rowDate); key != "" {
		if t, ok := parseClock(date); ok && t.wall > c.clock.wall {
			c.clock = t
		}
	}
	c.tests++
	if n, key := r.Int(attr.Field{"total_tokens"}); key != "" {
		c.tokens += n
	} else if n := readStoredSummary(r.Set).TotalTokens; n != nil {
		c.tokens += *n
	}
}

// addTrace adds one trace to what is known of its run.
func (c *clues) addTrace(t *Trace) {
	c.tests++
	if n, ok := t.Row.Get("total_tokens").Int(); ok {
		c.tokens += n
	}
	for i := range t.Spans {
		c.clock.wall = max(c.clock.wall, int64(t.Spans[i].End))
		if c.model == "" {
			c.model = requestModelOf(&t.Spans[i])
		}
	}
}
