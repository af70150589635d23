package views

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// longTrace is one test of n spans: steps of an agent, each with a call that
// another call is recorded in, and a tool.
func longTrace(n int) (enrich.TraceRow, []enrich.SpanRow, []enrich.Span) {
	trace := enrich.TraceRow{RunID: "r", TraceID: traceID, SpanCount: int64(n), TotalTokens: new(int64(n))}
	var rows []enrich.SpanRow
	var spans []enrich.Span
	add := func(depth int64, parent int, kind, name string, attrs attr.Set) int {
		i := len(rows)
		id, above := fmt.Sprintf("%016x", i+1), ""
		if parent >= 0 {
			above = rows[parent].SpanID
			rows[parent].Children++
		}
		rows = append(rows, spanRow(int64(i), depth, id, above, kind, name, 0))
		spans = append(spans, span(id, above, name, enrich.Time(1e18+i), enrich.Time(1e18+i+1), attrs))
		return i
	}
	root := add(0, -1, "TEST", "test", nil)
	agent := add(1, root, "AGENT", "Agent.run", nil)
	for step := 0; len(rows) < n; step++ {
		chain := add(2, agent, "CHAIN", fmt.Sprintf("Step %d", step), nil)
		call := add(3, chain, "LLM", "generate", nil)
		add(4, call, "LLM", "completion", set(append(messages("system", "Be good.", "user", fmt.Sprintf("Question %d?", step)),
			"llm.output_messages.0.message.role", "assistant", "llm.output_messages.0.message.content", fmt.Sprintf("Answer %d.", step))...))
		add(3, chain, "TOOL", "WeatherTool", set("tool.name", "get_weather", "input.value", `{"args":[],"kwargs":{"location":"Paris"}}`, "output.value", fmt.Sprintf("%d °C", step)))
	}
	return trace, rows[:n], spans[:n]
}

// longRun is a run of n tests, a third of which carry flags and figures that
// were corrected.
func longRun(n int) RunData {
	d := RunData{
		Row:     enrich.LeaderboardRow{RunID: "r", NumTests: int64(n), SuccessfulTests: new(int64(n / 2)), FailedTests: new(int64(n - n/2))},
		Quality: enrich.Quality{Flags: map[string][]string{}, Stored: map[string]map[string]attr.Value{}},
	}
	for i := range n {
		r := exampleResult(fmt.Sprint(i*7919%n), i%2 == 0)
		r.RunID, r.ExecutionTimeMS = "r", new(float64(i*31%997))
		d.Results = append(d.Results, r)
		if i%3 == 0 {
			where := "test:" + r.TestCaseUID
			d.Quality.Flags["duplicate_execution"] = append(d.Quality.Flags["duplicate_execution"], where)
			d.Quality.Stored[where] = map[string]attr.Value{"steps": attr.IntValue(3), "execution_time_ms": attr.FloatValue(9e3)}
		}
	}
	return d
}

func BenchmarkTestPage(b *testing.B) {
	for _, n := range []int{2_000, 100_000} {
		trace, rows, spans := longTrace(n)
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			benchmarkPage(b, func() templ.Component {
				return Test(NewTestPage(TestData{Result: enrich.ResultRow{RunID: "r"}, Trace: &trace, Rows: rows, Spans: spans}))
			})
		})
	}
}

func BenchmarkTracePage(b *testing.B) {
	trace, rows, spans := longTrace(100_000)
	d := TraceData{Trace: trace, Rows: rows, Selected: &spans[len(spans)-1]}
	for _, view := range []string{"waterfall", "tree"} {
		b.Run(view, func(b *testing.B) {
			benchmarkPage(b, func() templ.Component {
				return Trace(NewTracePage(d, TraceQuery{View: strings.TrimPrefix(view, "waterfall"), Span: d.Selected.ID.String(), From: -1}))
			})
		})
	}
}

func BenchmarkRunPage(b *testing.B) {
	d := longRun(10_000)
	for _, q := range []RunQuery{{}, {Sort: "test_id"}, {Sort: "execution_time_ms", Desc: true}, {Tab: "charts"}, {Tab: "quality"}, {Tab: "files"}} {
		b.Run(q.Tab+q.Sort, func(b *testing.B) {
			benchmarkPage(b, func() templ.Component { return Run(NewRunPage(d, q)) })
		})
	}
}

func BenchmarkLeaderboardPage(b *testing.B) {
	q := LeaderboardQuery{Sort: "success_rate", Desc: true, Page: 1}
	rows := make([]enrich.LeaderboardRow, q.Limit())
	for i := range rows {
		rows[i] = enrich.LeaderboardRow{RunID: fmt.Sprint(i), NumTests: 10_000, SuccessfulTests: new(int64(200 * i)), FailedTests: new(int64(10_000 - 200*i)),
			ErrorTypes: `{"timeout":20,"rate_limit":30}`}
	}
	benchmarkPage(b, func() templ.Component { return Leaderboard(NewLeaderboardPage(rows, len(rows), nil, q)) })
}

// benchmarkPage builds and renders a page, as each request does.
func benchmarkPage(b *testing.B, page func() templ.Component) {
	b.ReportAllocs()
	for b.Loop() {
		if err := page().Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
