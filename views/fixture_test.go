package views

import (
	"bytes"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// Text as a trace may hold it: markup, a way out of attributes and scripts, a
// change of direction, a terminal's colours and bell.
const hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></script>\u202e]]>\x1b[31mred\x1b[0m\a"

const (
	traceID = "0123456789abcdef0123456789abcdef"
	rootID  = "00000000000000a1"
	agentID = "00000000000000a2"
	callID  = "00000000000000a3"
	toolID  = "00000000000000a4"
)

func set(pairs ...string) attr.Set {
	var list []attr.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, attr.KeyValue{Key: pairs[i], Value: attr.StringValue(pairs[i+1])})
	}
	return attr.NewSet(list)
}

func span(id, parent, name string, start, end enrich.Time, attrs attr.Set) enrich.Span {
	s := enrich.Span{Name: name, Start: start, End: end, Attrs: attrs}
	s.TraceID, _ = enrich.ParseTraceID(traceID)
	s.ID, _ = enrich.ParseSpanID(id)
	s.ParentID, _ = enrich.ParseSpanID(parent)
	return s
}

func spanRow(seq, depth int64, id, parent, kind, name string, children int64) enrich.SpanRow {
	r := enrich.SpanRow{
		RunID: "r1", TraceID: traceID, Seq: seq, Depth: depth, SpanID: id, SpanKind: kind, Name: name, Children: children,
		Status: "OK", OffsetUS: new(float64(seq) * 100), DurationUS: new(50.0), StartTimeUnixNano: enrich.UnixNano(1e18 + seq),
	}
	if parent != "" {
		r.ParentSpanID = &parent
	}
	return r
}

// exampleRun is a run of two tests that were told in full by hostile files.
func exampleRun() RunData {
	return RunData{
		Row: enrich.LeaderboardRow{
			RunID: "r1/%" + hostile, Model: new(hostile), AgentType: new(hostile), Provider: new(hostile), DatasetUsed: new(hostile),
			EvaluationDate: 1_761_146_674_000_000_000, NumTests: 2, SuccessfulTests: new(int64(1)), FailedTests: new(int64(1)),
			SuccessRate: new(50.0), AvgSteps: new(0.0), AvgDurationMS: new(1500.0), TotalDurationMS: new(3000.0),
			TotalTokens: new(int64(21_952)), TotalPromptTokens: new(int64(21_355)), TotalCompletionTokens: new(int64(597)),
			TotalErrors: new(int64(1)), ErrorTypes: `{"` + `rate_limit":1}`, TotalToolCalls: new(int64(0)),
			MostUsedTool: new(hostile), TokenCoverage: new("1/2"),
		},
		Results: []enrich.ResultRow{exampleResult("one", true), exampleResult("two", false)},
		Quality: enrich.Quality{
			Flags: map[string][]string{"duplicate_execution": {"run", "test:tool:one"}, "new" + hostile: {"file:0123456789ab", "span:" + traceID + "/" + callID}},
			Stored: map[string]map[string]attr.Value{
				"run":              {"total_tokens": attr.IntValue(29_113), "total_co2_g": attr.FloatValue(0.01), "notes": attr.StringValue(hostile)},
				"test:tool:one":    {"success": attr.JSONValue("null"), "gen_ai.usage.total_tokens": attr.StringValue("9255")},
				"trace:" + traceID: {"total_tokens": attr.IntValue(9255)},
			},
		},
		Provenance: exampleProvenance(),
		Files: []enrich.File{{
			Name: hostile, Format: "smoltrace-results", Dataset: "results", SHA256: strings.Repeat("0", 64), Rows: 2,
			Repairs: []string{hostile}, Warnings: []enrich.Warning{{Where: "line 7", Message: hostile}}, Error: new(hostile),
		}},
	}
}

// exampleProvenance is what is known of exampleRun and its first test.
func exampleProvenance() *enrich.Provenance {
	p := &enrich.Provenance{}
	p.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{"total_tokens": {Kind: enrich.Derived, From: hostile}, "notes": {Kind: enrich.Reported, From: hostile}})
	p.Put(enrich.Results, "tool:one"+hostile, map[string]enrich.Origin{
		"gen_ai.usage.total_tokens": {Kind: enrich.Derived, From: hostile}, "gen_ai.usage.cost.total": {Kind: enrich.Priced, From: "4 LLM calls × " + hostile},
		"gpu_energy_wh": {Kind: enrich.Measured, From: "share of the power"}, "steps": {Kind: enrich.Repaired, From: "step events"},
	})
	p.Put(enrich.Results, "tool:two"+hostile, map[string]enrich.Origin{"gen_ai.usage.total_tokens": {Kind: enrich.Reported, From: hostile}})
	return p
}

func exampleResult(id string, passed bool) enrich.ResultRow {
	r := enrich.ResultRow{
		RunID: "r1/%" + hostile, TestID: id + hostile, TestCaseUID: "tool:" + id + hostile, Prompt: new(hostile), Difficulty: new(hostile),
		Success: &passed, ToolsUsed: []string{hostile, "b", "b"}, Steps: new(int64(0)), ExecutionTimeMS: new(1500.0),
		UsageTotalTokens: new(int64(6168)), PromptTokens: new(int64(6090)), CompletionTokens: new(int64(78)),
		TraceID: new(traceID), StartTime: 1_761_146_674_000_000_000, Response: new(strings.Repeat(hostile, 20)),
		DataQuality: `{"flags":["duplicate_execution","steps_derived"],"stored":{"gen_ai.usage.total_tokens":9255,"steps":3}}`,
	}
	if !passed {
		r.Error, r.ErrorType, r.Response = new(hostile), new("rate_limit"), nil
	}
	return r
}

// exampleTrace is a test that calls a model and a tool, with hostile messages.
func exampleTrace() (enrich.TraceRow, []enrich.SpanRow, []enrich.Span) {
	trace := enrich.TraceRow{
		TraceID: traceID, RunID: "r1", TotalTokens: new(int64(1494)), TotalDurationMS: new(1.0), SpanCount: 4, LLMCallCount: 1,
		Model: new(hostile), StartTimeUnixNano: 1e18,
		DataQuality: `{"flags":["duplicate_execution"],"stored":{"total_tokens":2988}}`,
	}
	rows := []enrich.SpanRow{
		spanRow(0, 0, rootID, "", "TEST", hostile, 1),
		spanRow(1, 1, agentID, rootID, "AGENT", "Agent.run", 2),
		spanRow(2, 2, callID, agentID, "LLM", "completion", 0),
		spanRow(3, 2, toolID, agentID, "TOOL", "WeatherTool", 0),
	}
	rows[1].TotalTokens, rows[1].Counted, rows[1].NotCountedBecause = new(int64(1494)), new(false), new("repeats "+hostile)
	rows[2].TotalTokens, rows[2].PromptTokens, rows[2].CompletionTokens, rows[2].Counted = new(int64(1494)), new(int64(1487)), new(int64(7)), new(true)
	rows[2].Detail = new(hostile)
	rows[3].ErrorType = new("tool_error")
	spans := []enrich.Span{
		span(rootID, "", hostile, 1e18, 1e18+400, nil),
		span(agentID, rootID, "Agent.run", 1e18+1, 1e18+400, set("input.value", `{"task":"x","stream":true}`)),
		span(callID, agentID, "completion", 1e18+2, 1e18+3, set(
			"llm.input_messages.0.message.role", "system", "llm.input_messages.0.message.content", strings.Repeat("You are "+hostile, 40),
			"llm.input_messages.1.message.role", "user", "llm.input_messages.1.message.content", hostile,
			"llm.output_messages.0.message.role", "assistant",
			"llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "get_weather",
			"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", `{"a":"`+"<b>"+`"}`,
			"key"+hostile, hostile,
		)),
		span(toolID, agentID, "WeatherTool", 1e18+3, 1e18+4, set("tool.name", "get_weather", "input.value", `{"args":[],"kwargs":{"location":"Paris"}}`, "output.value", hostile)),
	}
	spans[2].Events = []enrich.Event{{Name: "exception", Time: 1e18 + 3, Attrs: set("exception.type", hostile, "exception.message", hostile)}}
	return trace, rows, spans
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(WithSite(t.Context(), Site{Version: "0.1.0", Notice: "Sample data."}), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elements parses a page and lists all its elements.
func elements(t *testing.T, page string) []*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var list []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			list = append(list, n)
		}
	}
	return list
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// content returns the text of an element and all within it, spaces collapsed.
func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
