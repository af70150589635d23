package enrich_test

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// keysOfSpans are the spellings that rules read, which bytes choose from.
var keysOfSpans = slices.Concat(
	attr.PromptTokens, attr.CompletionTokens, attr.TotalTokens, attr.ReasoningTokens, attr.CacheReadTokens, attr.CacheWriteTokens,
	attr.UsageDetails, attr.CostDetails, attr.PricingSource, attr.ComputedCost, attr.RequestModel, attr.ResponseModel, attr.System,
	attr.OpenInferenceKind, attr.OperationName, attr.TraceloopKind, attr.LangfuseType, attr.TestID, attr.AgentType, attr.ToolNameOnly,
	attr.TTFTEvidence, attr.Temperature, attr.MaxTokens, attr.FinishReasons, attr.InvocationParams, attr.ToolDefinitions, attr.RunID,
	attr.ErrorType, attr.HTTPStatus, attr.Streamed, attr.InputValue, attr.OutputMessages,
	attr.Field{"llm.cost.total", "llm.cost.prompt", "llm.cost.completion", "llm.cost.prompt_details.cache_read", "gen_ai.usage.cost.total", "gen_ai.usage.cost.prompt", "gen_ai.usage.cost.reasoning"},
)

var valuesOfSpans = []attr.Value{
	attr.StringValue("LLM"), attr.StringValue("AGENT"), attr.StringValue("TOOL"), attr.StringValue("CHAIN"), attr.StringValue("chat"),
	attr.StringValue("gpt-4o"), attr.StringValue("claude-3-5-haiku"), attr.StringValue("mistral/mistral-small-latest"), attr.StringValue("ollama/llama3"),
	attr.StringValue("openai"), attr.StringValue("anthropic"), attr.StringValue("table"), attr.StringValue("NaN"), attr.StringValue("-5"), attr.StringValue("1e400"),
	attr.StringValue(`{"temperature": 1e999, "max_tokens": -1, "tools": [{}]`), attr.JSONValue(`{"input":10,"output":3,"cache_read_input_tokens":900,"total":-2}`),
	attr.JSONValue(`["stop",null,3]`), attr.FloatValue(math.MaxFloat64), attr.FloatValue(-0.5), attr.FloatValue(1e-300), attr.IntValue(math.MaxInt64),
	attr.IntValue(-1), attr.IntValue(0), attr.BoolValue(true),
}

var namesOfSpans = []string{"test_evaluation", "ToolCallingAgent.run", "Step 1", "LiteLLMModel.generate", "completion", "openai.chat.completion", "WeatherTool", ""}

// spansOf reads spans out of bytes: any parents, times and attributes.
func spansOf(data []byte) []enrich.Span {
	next := func() uint64 {
		n, size := binary.Uvarint(data)
		data = data[min(max(size, 1), len(data)):]
		return n
	}
	var spans []enrich.Span
	for len(data) > 0 && len(spans) < 64 {
		var s enrich.Span
		s.TraceID = enrich.TraceID{15: 1}
		s.ID, s.ParentID = enrich.SpanID{7: byte(next()%32 + 1)}, enrich.SpanID{7: byte(next() % 33)}
		s.Name = namesOfSpans[next()%uint64(len(namesOfSpans))]
		if start := next(); start > 0 {
			s.Start = enrich.Time(1e18 + int64(start%1e13))
			s.End = s.Start + enrich.Time(int64(next()%4e10)-1e9)
		}
		s.Status = enrich.StatusCode(next() % 3)
		var attrs []attr.KeyValue
		for range next() % 8 {
			v := attr.IntValue(int64(next() % 5000))
			if which := next(); which%3 > 0 {
				v = valuesOfSpans[which%uint64(len(valuesOfSpans))]
			}
			attrs = append(attrs, attr.KeyValue{Key: keysOfSpans[next()%uint64(len(keysOfSpans))], Value: v})
		}
		s.Attrs = attr.NewSet(attrs)
		if next()%4 == 0 {
			s.Events = []enrich.Event{{Name: "exception", Time: s.End, Attrs: attr.NewSet([]attr.KeyValue{{Key: "exception.message", Value: attr.StringValue("429 RateLimitError")}})}}
		}
		spans = append(spans, s)
	}
	return spans
}

// FuzzSpans: whatever spans a trace holds, every number that comes of them is
// one, none is below zero, parts make up their wholes, and each says where it
// came from.
func FuzzSpans(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x05\x90\x4e\x00\x02\x07\x06\x00\x01\x20\x03\x00\x30\x02\x01\x03\x05\x80\x20\x01\x03\x10\x00\x00\x20\x00\x07\x12\x00\x21"))
	f.Fuzz(func(t *testing.T, data []byte) {
		spans := spansOf(data)
		part := &enrich.Part{Source: "a", Traces: []*enrich.Trace{{ID: enrich.TraceID{15: 1}, Spans: spans}}}
		for _, run := range enrich.Assemble([]*enrich.Part{part}) {
			checkTables(t, enrich.Enrich(run, enrich.DefaultOptions()))
		}
	})
}
