package enrich

import (
	"slices"

	"smolscope/enrich/attr"
)

// The bounds of derived histograms (spec §4.1): OpenTelemetry's for durations
// and tokens of GenAI clients and for latencies of GenAI servers, ours for counts.
var (
	durationBounds = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	tokenBounds    = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
	ttftBounds     = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	tbtBounds      = []float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5}
	countBounds    = []float64{0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20}
)

// derivedMetricReasons says how each derived metric is counted.
var derivedMetricReasons = map[string]string{
	"tests.successful":                 "tests with success true",
	"tests.tool_calls":                 "tool calls of each test",
	"tests.steps":                      "steps of each test",
	"llm.token_count.total":            "tokens of the tests: of their usage leaves, else of their agent's roll-up, else as their rows state them",
	"gen_ai.client.token.usage":        "one observation per usage leaf and token type",
	"gen_ai.client.operation.duration": "duration of each LLM call, failed ones included",
	"gen_ai.server.ttft":               "time to first token of each LLM call that has one",
	"gen_ai.server.tbt":                "time between tokens of each LLM call that has one",
	"gen_ai.requests":                  "LLM calls",
	"gen_ai.client.errors":             "LLM calls that failed",
	totalCost:                          "cost of the usage leaves: as reported, else tokens × the price list",
	partMetrics[promptPart]:            "cost of the prompt tokens that no cache served",
	partMetrics[completionPart]:        "cost of the visible completion tokens",
	partMetrics[reasoningPart]:         "cost of the reasoning tokens",
	partMetrics[cacheReadPart]:         "cost of the prompt tokens read from cache",
	partMetrics[cacheWritePart]:        "cost of the prompt tokens written to cache",
	co2Emissions:                       "emissions of the run, from one source only",
	powerCost:                          "GPU energy × the electricity tariff",
}

// A meter gathers the derived points of one level: the run or a test.
type meter struct {
	rows  []*MetricRow
	index map[string]*MetricRow
	level MetricRow // what all its points share
	key   []byte    // for point

	attributes map[string]JSON // by their part of the key; shared by the meters of a run
}

func newMeter(level MetricRow, attributes map[string]JSON) *meter {
	level.Source, level.Temporality = string(Derived), new("delta")
	return &meter{index: map[string]*MetricRow{}, level: level, attributes: attributes}
}

// point returns the point of a metric and its attributes, made if need be.
func (m *meter) point(name string, kind Instrument, unit string, attrs []attr.KeyValue) *MetricRow {
	key := append(m.key[:0], name...)
	for _, a := range attrs {
		key = append(append(key, 0), a.Key...)
		key = a.Value.AppendJSON(append(key, 0))
	}
	m.key = key
	r := m.index[string(key)]
	if r == nil {
		row := m.level
		row.MetricName, row.Instrument, row.Unit = name, string(kind), new(unit)
		text, seen := m.attributes[string(key[len(name):])]
		if !seen {
			text = JSON(attr.NewSet(slices.Clone(attrs)).AppendJSON(nil))
			m.attributes[string(key[len(name):])] = text
		}
		row.Attributes = text
		r = &row
		m.index[string(key)] = r
		m.rows = append(m.rows, r)
	}
	return r
}

// add adds to a counter or sum.
func (m *meter) add(name string, kind Instrument, unit string, n float64, attrs ...attr.KeyValue) {
	m.point(name, kind, unit, attrs).add(n)
}

func (r *MetricRow) add(n float64) {
	if r.Value == nil {
		r.Value, r.IsMonotonic = new(0.0), new(true)
	}
	*r.Value += n
}

// observe adds an observation to a histogram. Upper bounds are inclusive.
func (m *meter) observe(name, unit string, bounds []float64, v float64, attrs ...attr.KeyValue) {
	m.point(name, Histogram, unit, attrs).observe(bounds, v)
}

func (r *MetricRow) observe(bounds []float64, v float64) {
	if r.Count == nil {
		r.Count, r.Sum, r.Min, r.Max = new(int64(0)), new(0.0), new(v), new(v)
		r.ExplicitBounds, r.BucketCounts = bounds, make([]int64, len(bounds)+1)
	}
	*r.Count++
	*r.Sum += v
	*r.Min, *r.Max = min(*r.Min, v), max(*r.Max, v)
	bucket, _ := slices.BinarySearch(bounds, v)
	r.BucketCounts[bucket]++
}

func label(key, value string) attr.KeyValue {
	v := attr.StringValue(value)
	if value == "" {
		v = attr.Value{} // dropped: an attribute that is not known is not ""
	}
	return attr.KeyValue{Key: key, Value: v}
}

// operation is what the metrics of LLM calls say that a call does.
const operation = "chat"

// calls observes the LLM calls of one level (spec §4.2, 17 to 22). With no
// calls, requests and errors are real zeros.
func (m *meter) calls(lists ...[]call) {
	calls, failed := 0, false
	points := map[callPoints]*callPoints{}
	for _, list := range lists {
		for i := range list {
			c := &list[i]
			like := callPoints{system: c.system, model: c.requestModel, errorType: c.errorType}
			p := points[like]
			if p == nil {
				p = &like
				points[like] = p
			}
			m.call(c, p)
			failed = failed || c.errorType != ""
		}
		calls += len(list)
	}
	if calls == 0 {
		m.add("gen_ai.requests", Counter, "{request}", 0, label("operation", operation))
	}
	if !failed {
		m.add("gen_ai.client.errors", Counter, "{error}", 0, label("operation", operation))
	}
}

// callPoints are the points that calls of one kind are observed at, each from
// the first call on that has a value for it.
type callPoints struct {
	system, model, errorType                                  string
	requests, errors, duration, prompt, completion, ttft, tbt *MetricRow
}

func (m *meter) call(c *call, p *callPoints) {
	client := func(more ...attr.KeyValue) []attr.KeyValue {
		return append([]attr.KeyValue{label("gen_ai.operation.name", operation), label("gen_ai.provider.name", p.system), label("gen_ai.request.model", p.model)}, more...)
	}
	if p.requests == nil {
		p.requests = m.point("gen_ai.requests", Counter, "{request}", []attr.KeyValue{label("operation", operation), label("provider", p.system)})
	}
	p.requests.add(1)
	if p.errorType != "" {
		if p.errors == nil {
			p.errors = m.point("gen_ai.client.errors", Counter, "{error}", []attr.KeyValue{label("operation", operation), label("error_type", p.errorType)})
		}
		p.errors.add(1)
	}
	if d, ok := c.span.Duration(); ok {
		if p.duration == nil {
			p.duration = m.point("gen_ai.client.operation.duration", Histogram, "s", client(label("error.type", p.errorType)))
		}
		p.duration.observe(durationBounds, float64(d)/1e9)
	}
	for i := range c.leaves {
		if n := c.leaves[i].prompt; n != nil {
			if p.prompt == nil {
				p.prompt = m.point("gen_ai.client.token.usage", Histogram, "{token}", client(label("gen_ai.token.type", "input"), label("token_type", "prompt")))
			}
			p.prompt.observe(tokenBounds, float64(*n))
		}
		if n := c.leaves[i].completion; n != nil {
			if p.completion == nil {
				p.completion = m.point("gen_ai.client.token.usage", Histogram, "{token}", client(label("gen_ai.token.type", "output"), label("token_type", "completion")))
			}
			p.completion.observe(tokenBounds, float64(*n))
		}
	}
	server := func() []attr.KeyValue {
		return []attr.KeyValue{label("model", p.model), label("operation", operation)}
	}
	if v := c.latency.ttft; v != nil {
		if p.ttft == nil {
			p.ttft = m.point("gen_ai.server.ttft", Histogram, "s", server())
		}
		p.ttft.observe(ttftBounds, *v)
	}
	if v := c.latency.tbt; v != nil {
		if p.tbt == nil {
			p.tbt = m.point("gen_ai.server.tbt", Histogram, "s", server())
		}
		p.tbt.observe(tbtBounds, *v)
	}
}

// derivedMetrics counts the metrics that spans and results tell (spec §4.2), for
// the run, and for each test those of its LLM calls.
func (e *enricher) derivedMetrics(results []ResultRow) []*MetricRow {
	attributes := map[string]JSON{}
	run := newMeter(MetricRow{RunID: e.runID}, attributes)
	var rows []*MetricRow
	for i, t := range e.tests {
		r := &results[i]
		if r.StartTime != 0 && (run.level.StartTimeUnixNano == 0 || UnixNano(r.StartTime) < run.level.StartTimeUnixNano) {
			run.level.StartTimeUnixNano = UnixNano(r.StartTime)
		}
		run.level.TimeUnixNano = max(run.level.TimeUnixNano, UnixNano(r.EndTime))
		if t.facts == nil {
			continue
		}
		m := newMeter(MetricRow{RunID: e.runID, TestID: &t.testID, TraceID: r.TraceID, StartTimeUnixNano: r.StartTimeUnixNano, TimeUnixNano: r.EndTimeUnixNano}, attributes)
		m.calls(t.facts.calls)
		m.total(r.UsageTotalTokens, e.model)
		m.cost(&t.facts.bill, e.model)
		rows = append(rows, m.rows...)
	}
	var calls [][]call
	for _, tr := range e.traces {
		calls = append(calls, tr.whole.calls)
	}
	if len(e.traces) > 0 {
		run.calls(calls...)
	}
	var total sum[int64]
	for i := range results {
		total.add(results[i].UsageTotalTokens)
	}
	run.total(total.value(), e.model)
	run.cost(&e.bill, e.model)
	e.testMetrics(run, results)
	run.energyMetrics(e.gpu, e.options)
	return append(rows, run.rows...)
}

// total counts the tokens of one level, as total_tokens of its row does.
func (m *meter) total(n *int64, model string) {
	if n != nil {
		m.add("llm.token_count.total", Sum, "tokens", float64(*n), label("model", model))
	}
}

// testMetrics counts what SMOLTRACE's aggregates count (spec §4.2, 1 to 3).
func (e *enricher) testMetrics(run *meter, results []ResultRow) {
	if len(results) == 0 {
		return
	}
	passed := 0
	for i := range results {
		if is(results[i].Success) {
			passed++
		}
	}
	run.add("tests.successful", Counter, "{test}", float64(passed),
		attr.KeyValue{Key: "total_tests", Value: attr.IntValue(int64(len(results)))},
		attr.KeyValue{Key: "success_rate", Value: attr.FloatValue(100 * float64(passed) / float64(len(results)))})
	for i, t := range e.tests {
		if names, known := t.toolCalls(); known {
			run.observe("tests.tool_calls", "{call}", countBounds, float64(len(names)), label("agent_type", t.agent))
		}
		if n := results[i].Steps; n != nil {
			run.observe("tests.steps", "{step}", countBounds, float64(*n), label("agent_type", t.agent))
		}
	}
}
