package enrich

import (
	"math"
	"testing"

	"smolscope/enrich/attr"
)

func TestParseID(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		derived  bool
	}{
		{"0xd63467e46838d158e4e08a9fda12d85", "0d63467e46838d158e4e08a9fda12d85", false},
		{"5b8efff7-9803-8103-d269-b633813fc60c", "5b8efff798038103d269b633813fc60c", false},
		{"0x0", "", false},
		{"", "", false},
		{"None", "", false},
	} {
		t.Run(tt.in, func(t *testing.T) {
			id, derived := ParseTraceID(tt.in)
			if id.String() != tt.want || derived != tt.derived {
				t.Errorf("ParseTraceID = %q, %v, want %q, %v", id, derived, tt.want, tt.derived)
			}
		})
	}
	for in, want := range map[string]string{"0xdc2814befffdeb3": "0dc2814befffdeb3", "EEE19B7EC3C1B174": "eee19b7ec3c1b174"} {
		if id, derived := ParseSpanID(in); id.String() != want || derived {
			t.Errorf("ParseSpanID(%q) = %q, %v, want %q", in, id, derived, want)
		}
	}
	a, derivedA := ParseTraceID("trace_001")
	b, _ := ParseTraceID("trace_002")
	if !derivedA || a == b || len(a.String()) != 32 {
		t.Errorf("ParseTraceID of names = %q and %q, want two derived ids", a, b)
	}
}

func TestPercentile(t *testing.T) {
	values := []float64{1, 2, 3, 4}
	for _, tt := range []struct{ p, want float64 }{{0, 1}, {0.5, 2.5}, {0.95, 3.85}, {0.99, 3.97}, {1, 4}} {
		if got := Percentile(values, tt.p); got == nil || math.Abs(*got-tt.want) > 1e-12 {
			t.Errorf("Percentile(%v) = %v, want %v", tt.p, got, tt.want)
		}
	}
	if got := Percentile([]float64{7}, 0.95); *got != 7 {
		t.Errorf("Percentile of one value = %v, want 7", *got)
	}
	if got := Percentile(nil, 0.5); got != nil {
		t.Errorf("Percentile of nothing = %v, want nil", *got)
	}
}

func TestErrorType(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"Error while generating output:\nlitellm.RateLimitError: RateLimitError: x", ErrRateLimit},
		{"Error while generating output:\nlitellm.AuthenticationError: Authentication", ErrAuth},
		{"Error while generating output:\nlitellm.ContextWindowExceededError: litellm.BadRequestError", ErrContextLength},
		{"Error while generating output:\nlitellm.ContentPolicyViolationError: content", ErrContentFilter},
		{"Error while generating output:\nlitellm.Timeout: APITimeoutError - Request timed out", ErrTimeout},
		{"Error while generating output:\nlitellm.APIConnectionError: OllamaException", ErrConnection},
		{"Error while generating output:\nlitellm.BadRequestError: LLM Provider NOT provided", ErrLLM},
		{"Error in generating model output:\nlitellm.InternalServerError: 500", ErrLLM},
		{"Unknown tool get_wether, should be one of: get_weather, final_answer.", ErrToolNotFound},
		{"InterpreterError: Forbidden function evaluation: 'foo' is not among the explicitly allowed tools", ErrToolNotFound},
		{"Error executing tool 'curl' with arguments {}: TimeoutError: timed out", ErrTool},
		{"Error in code parsing:\nregex pattern was not found", ErrParse},
		{"Reached max steps.", ErrMaxSteps},
		{"agent blew up", ErrUnknown},
		{"", ""},
	} {
		if got := ErrorType(tt.text); got != tt.want {
			t.Errorf("ErrorType(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// tracer builds spans for tests: n-th id, parent, role and times in milliseconds.
func span(id, parent byte, name string, from, to int64, attrs ...attr.KeyValue) Span {
	s := Span{TraceID: TraceID{1}, ID: SpanID{id}, Name: name, Start: Time(1e18 + from*1e6), End: Time(1e18 + to*1e6), Attrs: attr.NewSet(attrs)}
	if parent != 0 {
		s.ParentID = SpanID{parent}
	}
	return s
}

func kv(key string, value any) attr.KeyValue {
	switch v := value.(type) {
	case int:
		return attr.KeyValue{Key: key, Value: attr.IntValue(int64(v))}
	case string:
		return attr.KeyValue{Key: key, Value: attr.StringValue(v)}
	case float64:
		return attr.KeyValue{Key: key, Value: attr.FloatValue(v)}
	}
	panic("kv: value of another type")
}

func usageOf(spans ...Span) *usage {
	sortSpans(spans)
	return newUsage(newTree(spans), newRepeats())
}

func names(u *usage, list []int) []string {
	var out []string
	for _, i := range list {
		out = append(out, u.tree.spans[i].Name)
	}
	return out
}

// The nesting of 2026 instrumentations: one call of 110 tokens is on record
// three times. SMOLTRACE adds up 330.
func TestUsageCountsNestedCallOnce(t *testing.T) {
	tokens := []attr.KeyValue{kv("llm.token_count.prompt", 100), kv("llm.token_count.completion", 10), kv("llm.token_count.total", 110)}
	with := func(kind string) []attr.KeyValue {
		return append([]attr.KeyValue{kv("openinference.span.kind", kind)}, tokens...)
	}
	u := usageOf(
		span(1, 0, "test_evaluation", 0, 1000, kv("test.id", "t")),
		span(2, 1, "ToolCallingAgent.run", 0, 1000, with("AGENT")...),
		span(3, 2, "Step 1", 0, 1000, kv("openinference.span.kind", "CHAIN")),
		span(4, 3, "LiteLLMModel.generate", 0, 1000, with("LLM")...),
		span(5, 4, "completion", 0, 1000, with("LLM")...),
		span(6, 5, "openai.chat.completion", 0, 1000, kv("gen_ai.operation.name", "chat"), kv("gen_ai.usage.prompt_tokens", 100), kv("gen_ai.usage.completion_tokens", 10)),
	)
	if got := names(u, u.calls); len(got) != 1 || got[0] != "LiteLLMModel.generate" {
		t.Errorf("logical calls = %v, want [LiteLLMModel.generate]", got)
	}
	if got := names(u, u.leaves); len(got) != 1 || got[0] != "openai.chat.completion" {
		t.Errorf("usage leaves = %v, want [openai.chat.completion]", got)
	}
	f := examine(&Trace{}, u.tree, u)[0]
	if got := f.totalTokens.value(); got == nil || *got != 110 {
		t.Errorf("total tokens = %v, want 110", got)
	}
	if f.uncounted != 330-0 {
		t.Errorf("tokens repeated = %d, want 330: AGENT, generate and completion", f.uncounted)
	}
}

// Two records of one call side by side, one after each convention, are one call.
func TestUsageDropsSiblingDuplicate(t *testing.T) {
	u := usageOf(
		span(1, 0, "agent", 0, 1000, kv("openinference.span.kind", "AGENT")),
		span(2, 1, "completion", 0, 900, kv("llm.model_name", "openai/gpt-4o"), kv("llm.token_count.prompt", 50), kv("llm.token_count.completion", 5)),
		span(3, 1, "chat", 10, 890, kv("gen_ai.request.model", "gpt-4o"), kv("gen_ai.operation.name", "chat"), kv("gen_ai.usage.input_tokens", 50), kv("gen_ai.usage.output_tokens", 5)),
	)
	if len(u.calls) != 1 || len(u.leaves) != 1 || u.duplicates != 1 {
		t.Errorf("calls %v, leaves %v, duplicates %d, want one, one, 1", names(u, u.calls), names(u, u.leaves), u.duplicates)
	}
}

// What a second record has below it records the same call once more.
func TestUsageDropsWhatIsBelowSiblingDuplicate(t *testing.T) {
	tokens := []attr.KeyValue{kv("openinference.span.kind", "LLM"), kv("llm.model_name", "gpt-4o"), kv("llm.token_count.prompt", 50), kv("llm.token_count.completion", 5)}
	u := usageOf(
		span(1, 0, "agent", 0, 1000, kv("openinference.span.kind", "AGENT")),
		span(2, 1, "LiteLLMModel.generate", 0, 900, tokens...),
		span(3, 2, "completion", 5, 895, tokens...),
		span(4, 1, "chat", 10, 890, kv("gen_ai.request.model", "gpt-4o"), kv("gen_ai.operation.name", "chat"), kv("gen_ai.usage.input_tokens", 50), kv("gen_ai.usage.output_tokens", 5), kv("gen_ai.usage.cache_read.input_tokens", 0)),
	)
	if got := names(u, u.calls); len(got) != 1 || got[0] != "chat" {
		t.Errorf("logical calls = %v, want [chat]", got)
	}
	if got := names(u, u.leaves); len(got) != 1 || got[0] != "chat" {
		t.Errorf("usage leaves = %v, want [chat]", got)
	}
	if f := examine(&Trace{}, u.tree, u)[0]; *f.totalTokens.value() != 55 || f.uncounted != 110 {
		t.Errorf("%d tokens, %d repeated; want 55 and 110", *f.totalTokens.value(), f.uncounted)
	}
}

// Only the outermost AGENT span stands in when no LLM span states tokens.
func TestUsageFallsBackToOutermostAgent(t *testing.T) {
	u := usageOf(
		span(1, 0, "outer", 0, 1000, kv("openinference.span.kind", "AGENT"), kv("llm.token_count.prompt", 70), kv("llm.token_count.completion", 7)),
		span(2, 1, "inner", 0, 900, kv("openinference.span.kind", "AGENT"), kv("llm.token_count.prompt", 60), kv("llm.token_count.completion", 6)),
		span(3, 2, "completion", 0, 800, kv("openinference.span.kind", "LLM")),
	)
	f := examine(&Trace{}, u.tree, u)[0]
	if got := f.totalTokens.value(); f.tokenSource != tokenRollUp || got == nil || *got != 77 {
		t.Errorf("tokens = %v from %q, want 77 from agent_rollup", got, f.tokenSource)
	}
}

func TestTreeSurvives(t *testing.T) {
	for _, tt := range []struct {
		name    string
		spans   []Span
		root    string
		orphans int
		depth   int // of the deepest span
	}{
		{"orphan goes under the test", []Span{span(1, 0, "test_evaluation", 0, 10), span(2, 9, "lost", 1, 2)}, "test_evaluation", 1, 1},
		{"two spans in a circle", []Span{span(1, 2, "a", 0, 10), span(2, 1, "b", 1, 9)}, "a", 0, 1},
		{"own parent", []Span{span(1, 1, "a", 0, 10)}, "a", 1, 0},
		{"circle below the root", []Span{span(1, 0, "root", 0, 10), span(2, 4, "a", 1, 2), span(3, 2, "b", 1, 2), span(4, 3, "c", 1, 2)}, "root", 0, 2},
		{"test under a lost parent", []Span{span(1, 9, "test_evaluation", 0, 10), span(2, 1, "a", 1, 2)}, "test_evaluation", 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sortSpans(tt.spans)
			tr := newTree(tt.spans)
			if got := tr.spans[tr.root].Name; got != tt.root {
				t.Errorf("root = %s, want %s", got, tt.root)
			}
			if tr.orphans != tt.orphans {
				t.Errorf("orphans = %d, want %d", tr.orphans, tt.orphans)
			}
			deepest := 0
			for _, d := range tr.depth {
				deepest = max(deepest, d)
			}
			if deepest != tt.depth || len(tr.order) != len(tt.spans) {
				t.Errorf("depth %d over %d spans, want %d over %d", deepest, len(tr.order), tt.depth, len(tt.spans))
			}
		})
	}
}

func TestTreeDeep(t *testing.T) {
	spans := make([]Span, 5000)
	for i := range spans {
		spans[i] = Span{ID: SpanID{byte(i >> 8), byte(i), 1}, Start: Time(i + 1), End: 10000}
		if i > 0 {
			spans[i].ParentID = spans[i-1].ID
		}
	}
	tr := newTree(spans)
	if got := tr.depth[len(spans)-1]; got != 4999 {
		t.Errorf("depth = %d, want 4999", got)
	}
}

func TestWilson(t *testing.T) {
	// 2 of 5: Wilson's interval worked by hand with z = 1.96 is 11.8 % to 76.9 %.
	low, high := Wilson(2, 5)
	if math.Abs(low-0.1176) > 0.001 || math.Abs(high-0.7693) > 0.001 {
		t.Errorf("Wilson(2, 5) = %.4f, %.4f, want 0.1176, 0.7693", low, high)
	}
	if low, high := Wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("Wilson(0, 0) = %v, %v, want 0, 1", low, high)
	}
}

func TestScanNumber(t *testing.T) {
	text := `{"messages": [{"temperature": 9}], "temperature": 0.5, "max_tokens": 12, "stop": "...[TRUNCATED]`
	p := invocation{truncated: text}
	if v, ok := p.value("temperature").Float(); !ok || v != 0.5 {
		t.Errorf("temperature = %v, %v, want 0.5 from depth 1", v, ok)
	}
	if v, ok := p.value("max_tokens").Int(); !ok || v != 12 {
		t.Errorf("max_tokens = %v, %v, want 12", v, ok)
	}
	if v := p.value("top_p"); !v.IsNull() {
		t.Errorf("top_p = %v, want null", v)
	}
}
