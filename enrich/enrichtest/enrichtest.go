// Package enrichtest makes evaluation runs that were never run: files as
// SMOLTRACE writes them, with the nested spans, rolled-up counts and failures of
// real ones, of any size. Tests and benchmarks read them, and the demo shows
// them. The same plan always makes the same bytes, and says what is true of them.
package enrichtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A Plan says what run to make. The zero Plan is a run of twenty tests.
type Plan struct {
	Seed  uint64
	Model *Model    // nil is Models[0]
	Tests int       // 0 is 20
	Steps int       // of every test, each some five spans; 0 is what the test takes
	Start time.Time // zero is a fixed morning in 2026
	GPUs  int       // that a model with a GPU runs on; 0 is 1
}

// A Run is what one evaluation left behind.
type Run struct {
	ID     string
	Folder string // as SMOLTRACE names it, such as "acme_atlas_tool_20260302_090412"
	Files  map[string][]byte
	Truth  Truth

	traces   []trace
	batches  []any
	resource resource
}

// Truth is what the generator did, counted while it did it, so that nothing in
// it is derived from the files.
type Truth struct {
	Tests, Passed, Errors          int
	LLMCalls, FailedCalls          int
	ToolCalls                      int // without final_answer
	PromptTokens, CompletionTokens int64
	Spans                          int
	DurationNanos                  int64 // the sum of the tests
}

// Demo returns the plans of the sample runs that `make demo` shows.
func Demo() []Plan {
	var plans []Plan
	start := defaultStart
	for round := range 2 {
		for i := range Models {
			plans = append(plans, Plan{Seed: uint64(round*len(Models) + i + 1), Model: &Models[i], Tests: 24, Start: start})
			start = start.Add(26 * time.Hour)
		}
	}
	return plans
}

var defaultStart = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// New makes the run of a plan.
func New(p Plan) *Run {
	if p.Model == nil {
		p.Model = &Models[0]
	}
	if p.Tests == 0 {
		p.Tests = 20
	}
	if p.Start.IsZero() {
		p.Start = defaultStart
	}
	m := &maker{plan: p, rand: rand.New(rand.NewPCG(p.Seed, 1)), now: p.Start.UnixNano()}
	m.runID = m.uuid()
	m.resource = resource{Attributes: map[string]any{
		"service.name":           "smoltrace-eval",
		"run.id":                 m.runID,
		"telemetry.sdk.language": "python",
		"telemetry.sdk.name":     "opentelemetry",
		"telemetry.sdk.version":  "1.38.0",
		"telemetry.auto.name":    "genai-otel-instrument",
		"telemetry.auto.version": "0.1.24",
	}}
	for i := range p.Tests {
		m.test(i)
	}
	return m.run()
}

// A maker holds one run while it is being made.
type maker struct {
	plan     Plan
	rand     *rand.Rand
	now      int64 // nanoseconds since the epoch
	runID    string
	resource resource
	results  []result
	traces   []trace
	truth    Truth
}

func (m *maker) run() *Run {
	end := time.Unix(0, m.now).UTC()
	for i := range m.results {
		m.results[i].EvaluationDate = naive(end)
	}
	stamp := end.Format("20060102_150405")
	folder := strings.NewReplacer("/", "_", ":", "_").Replace(m.plan.Model.Name) + "_tool_" + stamp
	metrics := m.metrics()
	files := map[string]any{
		"results.json":         m.results,
		"traces.json":          m.traces,
		"metrics.json":         metrics,
		"leaderboard_row.json": m.leaderboard(folder, end),
		"metadata.json": map[string]any{"model": m.plan.Model.Name, "agent_type": "tool", "dataset_used": dataset,
			"timestamp": stamp, "num_results": len(m.results), "num_traces": len(m.traces), "num_metrics": 3},
	}
	run := &Run{ID: m.runID, Folder: folder, Files: make(map[string][]byte, len(files)), Truth: m.truth,
		traces: m.traces, batches: metrics["resourceMetrics"].([]any), resource: m.resource}
	for name, value := range files {
		body, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			panic(fmt.Sprintf("enrichtest: %s: %v", name, err)) // a value of ours that JSON cannot say
		}
		run.Files[name] = body
	}
	return run
}

// naive writes a time as SMOLTRACE does: local, without an offset.
func naive(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000") }

// spread returns a number around mean, now and then much larger, as latencies are.
func (m *maker) spread(mean float64) float64 {
	x := mean * (0.7 + 0.5*m.rand.Float64())
	if m.rand.IntN(12) == 0 {
		x *= 1.5 + 2*m.rand.Float64()
	}
	return x
}

func (m *maker) uuid() string {
	a, b := m.rand.Uint64(), m.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// hexID writes an id as Python's hex() does, so that one in sixteen is short.
func hexID(n ...uint64) string {
	if len(n) == 1 {
		return fmt.Sprintf("%#x", n[0])
	}
	return fmt.Sprintf("%#x%016x", n[0], n[1])
}
