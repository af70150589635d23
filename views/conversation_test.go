package views

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// lines writes passes as role: text, one line a message.
func lines(passes []Pass) []string {
	var out []string
	for _, p := range passes {
		if p.Title != "" {
			out = append(out, "== "+join(p.Title, p.Facts))
		}
		for _, m := range p.Messages {
			var line strings.Builder
			line.WriteString(m.Role + ": ")
			for _, c := range m.Calls {
				line.WriteString(c.Name + "(" + c.Arguments.Body + ") ")
			}
			out = append(out, line.String()+m.Text.Body+m.Missing)
		}
	}
	return out
}

func messages(pairs ...string) []string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		p := "llm.input_messages." + string(rune('0'+i/2)) + ".message."
		out = append(out, p+"role", pairs[i], p+"content", pairs[i+1])
	}
	return out
}

// What an agent sends again with every call is told once, and so is what a tool
// returned, which smolagents also sends as an observation.
func TestConversationTellsEverythingOnce(t *testing.T) {
	rows := []enrich.SpanRow{
		spanRow(0, 0, "1", "", "TEST", "test", 1), spanRow(1, 1, "2", "1", "AGENT", "A.run", 3),
		spanRow(2, 2, "3", "2", "LLM", "generate", 1), spanRow(3, 3, "4", "3", "LLM", "completion", 0),
		spanRow(4, 2, "5", "2", "TOOL", "WeatherTool", 0), spanRow(5, 2, "6", "2", "LLM", "generate", 0),
	}
	for i := range rows {
		id, _ := enrich.ParseSpanID(rows[i].SpanID)
		rows[i].SpanID = id.String()
		if p := rows[i].ParentSpanID; p != nil {
			id, _ := enrich.ParseSpanID(*p)
			rows[i].ParentSpanID = new(id.String())
		}
	}
	spans := []enrich.Span{
		span("1", "", "test", 1, 9, nil), span("2", "1", "A.run", 1, 9, nil),
		span("3", "2", "generate", 2, 4, nil),
		span("4", "3", "completion", 2, 4, set(append(messages("system", "be good", "user", "weather?"),
			"llm.output_messages.0.message.role", "assistant", "llm.output_messages.0.message.content", "I will look")...)),
		span("5", "2", "WeatherTool", 4, 5, set("tool.name", "get_weather", "input.value", `{"args":[],"kwargs":{"city":"Paris"}}`, "output.value", "20 °C")),
		span("6", "2", "generate", 5, 9, set(append(messages("system", "be good", "user", "weather?", "assistant", "I will look",
			"assistant", "Calling tools: get_weather", "user", "Observation:\n20 °C", "user", "well?"),
			"llm.output_messages.0.message.role", "assistant", "llm.output_messages.0.message.content", "20 °C in Paris")...)),
	}
	want := []string{
		"system: be good", "user: weather?", "assistant: I will look",
		`tool: get_weather({"city":"Paris"}) 20 °C`,
		"user: well?", "assistant: 20 °C in Paris",
	}
	if diff := cmp.Diff(want, lines(newPasses("r", traceID, spans, rows))); diff != "" {
		t.Error(diff)
	}
}

// A streamed agent is a generator, which ends before its calls begin: they lie
// beside it, and the second, unstreamed agent holds its own.
func TestConversationOfATaskRunTwice(t *testing.T) {
	id := func(s string) string { p, _ := enrich.ParseSpanID(s); return p.String() }
	row := func(seq, depth int64, span, parent, kind string, children int64) enrich.SpanRow {
		r := spanRow(seq, depth, id(span), "", kind, "A.run", children)
		if parent != "" {
			r.ParentSpanID = new(id(parent))
		}
		if kind == "LLM" {
			r.TotalTokens, r.Counted = new(int64(10)), new(true)
		}
		return r
	}
	rows := []enrich.SpanRow{
		row(0, 0, "1", "", "TEST", 4), row(1, 1, "2", "1", "AGENT", 0), row(2, 1, "3", "1", "LLM", 0), row(3, 1, "4", "1", "TOOL", 0),
		row(4, 1, "5", "1", "AGENT", 1), row(5, 2, "6", "5", "LLM", 0),
	}
	ask := set(messages("user", "time?")...)
	spans := []enrich.Span{
		span("1", "", "test", 1, 9, nil), span("2", "1", "A.run", 1, 1, set("input.value", `{"stream": true}`)),
		span("3", "1", "completion", 1, 2, ask), span("4", "1", "FinalAnswerTool", 2, 2, set("tool.name", "final_answer")),
		span("5", "1", "A.run", 2, 9, set("input.value", `{"stream": false}`)), span("6", "5", "completion", 2, 9, ask),
	}
	want := []string{
		"== Pass 1 of 2, streamed · 1 LLM call · 10 tokens", "user: time?", "tool: final_answer() no result recorded",
		"== Pass 2 of 2, not streamed · 1 LLM call · 10 tokens", "user: time?",
	}
	if diff := cmp.Diff(want, lines(newPasses("r", traceID, spans, rows))); diff != "" {
		t.Error(diff)
	}
}

func TestConversationTellsFailures(t *testing.T) {
	_, rows, spans := exampleTrace()
	passes := newPasses("r", traceID, spans, rows)
	if len(passes) != 1 {
		t.Fatalf("%d passes", len(passes))
	}
	last := passes[0].Messages[len(passes[0].Messages)-2]
	if last.Class != "failure" || last.Text.Body != visible(hostile) {
		t.Errorf("%+v", last)
	}
}

// Ten thousand calls, each ten thousand spans deep, are told in no time: what
// asks every span about every other does not come to an end here.
func TestConversationOfALongDeepTrace(t *testing.T) {
	const steps = 10_000
	var rows []enrich.SpanRow
	var spans []enrich.Span
	above := ""
	add := func(depth int64, kind string, attrs attr.Set) string {
		i := len(rows)
		id := fmt.Sprintf("%016x", i+1)
		rows = append(rows, spanRow(int64(i), depth, id, above, kind, kind, 1))
		spans = append(spans, span(id, above, kind, enrich.Time(i+1), enrich.Time(2*steps+1), attrs))
		return id
	}
	for i := range int64(steps) {
		chain := add(i, "CHAIN", nil)
		above = chain
		above = add(i+1, "LLM", set(messages("user", "and now?")...))
		add(i+2, "LLM", set("llm.output_messages.0.message.content", fmt.Sprintf("answer %d", i)))
		above = chain
	}
	passes := newPasses("r", traceID, spans, rows)
	want := []string{"user: and now?"}
	for i := range steps {
		want = append(want, fmt.Sprintf("assistant: answer %d", i))
	}
	if diff := cmp.Diff(want, lines(passes)); diff != "" {
		t.Error(diff)
	}
}

func TestConversationOfNothing(t *testing.T) {
	if got := newPasses("r", traceID, nil, nil); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestInputMessages(t *testing.T) {
	want := []rawMessage{{role: "system", text: "be good"}, {role: "user", text: "hi"}, {role: "assistant", calls: []rawCall{{"c1", "f", `{"x":1}`}}}}
	for name, attrs := range map[string]attr.Set{
		"openinference, ten and two in order": set(
			"llm.input_messages.2.message.role", "system", "llm.input_messages.2.message.contents.0.message_content.text", "be good",
			"llm.input_messages.10.message.role", "user", "llm.input_messages.10.message.content", "hi",
			"llm.input_messages.11.message.role", "assistant",
			"llm.input_messages.11.message.tool_calls.0.tool_call.id", "c1",
			"llm.input_messages.11.message.tool_calls.0.tool_call.function.name", "f",
			"llm.input_messages.11.message.tool_calls.0.tool_call.function.arguments", `{"x":1}`),
		"opentelemetry": set(
			"gen_ai.system_instructions", `[{"type":"text","content":"be good"}]`,
			"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"f","arguments":{"x":1}}]}]`),
		"traceloop": set(
			"gen_ai.prompt.0.role", "system", "gen_ai.prompt.0.content", "be good", "gen_ai.prompt.1.role", "user", "gen_ai.prompt.1.content", "hi",
			"gen_ai.prompt.2.role", "assistant", "gen_ai.prompt.2.tool_calls.0.id", "c1", "gen_ai.prompt.2.tool_calls.0.name", "f", "gen_ai.prompt.2.tool_calls.0.arguments", `{"x":1}`),
		"input.value": set("input.value",
			`{"messages":[{"role":"system","content":"be good"},{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{\"x\":1}"}}]}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, inputMessages(attrs), cmp.AllowUnexported(rawMessage{}, rawCall{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, broken := range []string{"", "{", `{"messages":1}`, "[1,2]", "null"} {
		if got := inputMessages(set("input.value", broken, "gen_ai.input.messages", broken)); got != nil {
			t.Errorf("%q: %+v", broken, got)
		}
	}
}

func TestToolArguments(t *testing.T) {
	for in, want := range map[string]string{
		`{"args": [], "sanitize_inputs_outputs": true, "kwargs": {"location": "Paris"}}`: `{"location": "Paris"}`,
		`{"args": ["a", 1], "kwargs": {}}`:                                               `"a", 1`,
		`{"location": "Paris"}`:                                                          `{"location": "Paris"}`,
		`not JSON`:                                                                       `not JSON`,
	} {
		if got := toolArguments(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
