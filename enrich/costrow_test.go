package enrich

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"smolscope/enrich/attr"
	"smolscope/enrich/price"
)

// enrichSpans enriches a run of traces alone, each of them a test.
func enrichSpans(t *testing.T, traces ...[]Span) *Tables {
	t.Helper()
	run := &Run{}
	for i, spans := range traces {
		id := TraceID{byte(i + 1)}
		for k := range spans {
			spans[k].TraceID = id
		}
		sortSpans(spans)
		run.Traces = append(run.Traces, &Trace{ID: id, Spans: spans})
	}
	return Enrich(run, Options{Prices: testPrices})
}

// modelCall is the one call of a test: 1,000 tokens in and 100 out, $0.0028 at
// the prices of two-eight.
func modelCall(model string, attrs ...attr.KeyValue) []Span {
	return []Span{
		span(1, 0, "test_evaluation", 0, 1000, kv("test.id", "t"+model)),
		span(2, 1, "completion", 0, 900, append(attrs, kv("gen_ai.operation.name", "chat"), kv("gen_ai.request.model", model), kv("gen_ai.usage.input_tokens", 1000), kv("gen_ai.usage.output_tokens", 100))...),
	}
}

// costsOf writes a row's cost columns that are known.
func costsOf[R any](columns []Column[R], row *R) string {
	var words []string
	for _, c := range columns {
		if c.Unit == USD && Known(c.Ptr(row)) || c.Name == "cost_source" {
			words = append(words, c.Name+"="+string(AppendJSON(nil, c.Ptr(row))))
		}
	}
	return strings.Join(words, " ")
}

func wantCosts(t *testing.T, where, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", where, got, want)
	}
}

// One call of 1,100 tokens as today's instrumentation records it, in three LLM
// spans that each carry the tokens and the cost that SMOLTRACE wrote back: it
// reports 3,300 tokens, $0.0084 and 5,000 ms (spec §3.2).
func TestModernNestingCostsOnce(t *testing.T) {
	tokens := func(more ...attr.KeyValue) []attr.KeyValue {
		return append(more, kv("llm.token_count.prompt", 1000), kv("llm.token_count.completion", 100), kv("llm.token_count.total", 1100))
	}
	call := func(more ...attr.KeyValue) []attr.KeyValue {
		return append(tokens(more...), kv("llm.model_name", "two-eight"), kv("openinference.span.kind", "LLM"), kv("gen_ai.usage.cost.total", 0.0028))
	}
	tables := enrichSpans(t, []Span{
		span(1, 0, "ToolCallingAgent.run", 0, 1000, tokens(kv("openinference.span.kind", "AGENT"))...),
		span(2, 1, "Step 1", 0, 1000, kv("openinference.span.kind", "CHAIN")),
		span(3, 2, "LiteLLMModel.generate", 0, 1000, call()...),
		span(4, 3, "completion", 0, 1000, call()...),
		span(5, 4, "openai.chat.completion", 0, 1000, kv("gen_ai.operation.name", "chat"), kv("gen_ai.request.model", "two-eight"), kv("gen_ai.usage.prompt_tokens", 1000), kv("gen_ai.usage.completion_tokens", 100), kv("gen_ai.usage.cost.total", 0.0028)),
	})
	r := tables.Leaderboard
	if *r.TotalTokens != 1100 || *r.TotalDurationMS != 1000 {
		t.Errorf("%d tokens, %v ms, want 1,100 and 1,000", *r.TotalTokens, *r.TotalDurationMS)
	}
	wantCosts(t, "run", costsOf(LeaderboardColumns, &r), `total_cost_usd=0.0028 avg_cost_per_test_usd=0.0028 total_cost_prompt_usd=0.002 total_cost_completion_usd=0.0008 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="reported"`)
	for _, s := range tables.Spans {
		if (s.CostUSD != nil) != (s.Name == "openai.chat.completion") {
			t.Errorf("%s costs %v, want the innermost call to cost alone", s.Name, shown(s.CostUSD))
		}
	}
	if got := tables.Provenance.Row(Results, tables.Results[0].TestCaseUID)["cost_usd"]; got != (Origin{Reported, "1 LLM call states gen_ai.usage.cost.total"}) {
		t.Errorf("origin = %v", got)
	}
}

func TestRollUp(t *testing.T) {
	noUsage := []Span{span(1, 0, "test_evaluation", 0, 1000, kv("test.id", "rejected")), span(2, 1, "completion", 0, 900, kv("gen_ai.operation.name", "chat"), kv("gen_ai.request.model", "nobody"))}
	retried := append(modelCall("two-eight"), modelCall("free")[1])
	retried[2].ID, retried[2].Start = SpanID{3}, retried[2].Start+1e6
	rollUp := []Span{
		span(1, 0, "ToolCallingAgent.run", 0, 1000, kv("openinference.span.kind", "AGENT"), kv("llm.token_count.prompt", 1000), kv("llm.token_count.completion", 100)),
		span(2, 1, "completion", 0, 900, kv("openinference.span.kind", "LLM"), kv("llm.model_name", "two-eight")),
	}
	twoTests := []Span{
		span(1, 0, "test_evaluation", 0, 400, kv("test.id", "a")), span(2, 1, "completion", 0, 300, modelCall("two-eight")[1].Attrs...),
		span(3, 0, "test_evaluation", 500, 900, kv("test.id", "b")), span(4, 3, "completion", 500, 800, modelCall("rising")[1].Attrs...),
	}
	nested := func(model string, usd float64) []Span { // only the outer of two spans states the cost
		list := modelCall(model, kv("llm.cost.total", usd))
		return append(list, span(3, 2, "openai.chat.completion", 10, 800, modelCall(model)[1].Attrs...))
	}
	tries := func(first, outer []attr.KeyValue, second ...[]attr.KeyValue) []Span { // two calls of 1,000 and 100 tokens within one
		used := modelCall("two-eight")[1].Attrs
		return []Span{
			span(1, 0, "test_evaluation", 0, 1000, kv("test.id", "t")),
			span(2, 1, "completion", 0, 900, append(outer, kv("openinference.span.kind", "LLM"), kv("llm.model_name", "two-eight"))...),
			span(3, 2, "openai.chat.completion", 10, 400, append(first, used...)...),
			span(4, 2, "openai.chat.completion", 500, 800, append(slices.Concat(second...), used...)...),
		}
	}
	around := append(modelCall("two-eight", kv("llm.cost.total", 0.01))[1:2:2],
		span(3, 2, "test_evaluation", 10, 400, kv("test.id", "a")), span(4, 3, "completion", 10, 400, modelCall("two-eight")[1].Attrs...),
		span(5, 2, "test_evaluation", 500, 800, kv("test.id", "b")), span(6, 5, "completion", 500, 800, modelCall("two-eight")[1].Attrs...))
	response := modelCall("nobody", kv("gen_ai.response.model", "two-eight"))
	for _, tt := range []struct {
		name   string
		traces [][]Span
		run    string
		trace  string // the first
		origin string // of the run's total
		flags  string // of the run
	}{
		{"priced and reported", [][]Span{modelCall("two-eight"), modelCall("nobody", kv("llm.cost.total", 0.001))},
			`total_cost_usd=0.0038 avg_cost_per_test_usd=0.0019 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="priced"`,
			`total_cost_usd=0.0028 gen_ai.usage.cost.prompt=0.002 gen_ai.usage.cost.completion=0.0008 cost_source="priced"`,
			"1 LLM call states llm.cost.total; 1 LLM call × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens", ""},
		{"one call unpriced", [][]Span{modelCall("two-eight"), modelCall("nobody")},
			`avg_cost_per_test_usd=0.0028 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="unknown"`,
			`total_cost_usd=0.0028 gen_ai.usage.cost.prompt=0.002 gen_ai.usage.cost.completion=0.0008 cost_source="priced"`, "", FlagPartialCost},
		{"nothing priced", [][]Span{modelCall("nobody")}, `cost_source="unknown"`, `cost_source="unknown"`, "", ""},
		{"a test without usage", [][]Span{modelCall("two-eight"), noUsage},
			`total_cost_usd=0.0028 avg_cost_per_test_usd=0.0028 total_cost_prompt_usd=0.002 total_cost_completion_usd=0.0008 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="priced"`,
			`total_cost_usd=0.0028 gen_ai.usage.cost.prompt=0.002 gen_ai.usage.cost.completion=0.0008 cost_source="priced"`,
			"1 LLM call × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens", ""},
		{"no usage at all", [][]Span{noUsage}, `cost_source=null`, `cost_source=null`, "", ""},
		{"two leaves of two models", [][]Span{retried},
			`total_cost_usd=0.0028 avg_cost_per_test_usd=0.0028 total_cost_prompt_usd=0.002 total_cost_completion_usd=0.0008 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="priced"`,
			`total_cost_usd=0.0028 gen_ai.usage.cost.prompt=0.002 gen_ai.usage.cost.completion=0.0008 cost_source="priced"`,
			"1 LLM call × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens; 1 LLM call × free of a price list of one's own (exact): 0 in, 0 out USD per million tokens", ""},
		{"roll-up of an agent", [][]Span{rollUp},
			`total_cost_usd=0.0028 avg_cost_per_test_usd=0.0028 total_cost_prompt_usd=0.002 total_cost_completion_usd=0.0008 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="priced"`,
			`total_cost_usd=0.0028 gen_ai.usage.cost.prompt=0.002 gen_ai.usage.cost.completion=0.0008 cost_source="priced"`,
			"1 AGENT span × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens", ""},
		// rising: 1,100×2 = 2,200 millionths.
		{"two tests in a trace", [][]Span{twoTests},
			`total_cost_usd=0.005 avg_cost_per_test_usd=0.0025 total_cost_prompt_usd=0.004 total_cost_completion_usd=0.001 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0005 cost_source="priced"`,
			`total_cost_usd=0.005 gen_ai.usage.cost.prompt=0.004 gen_ai.usage.cost.completion=0.001 cost_source="priced"`,
			"1 LLM call × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens; 1 LLM call × rising of 2001-09-09 (exact): 2 in, 2 out USD per million tokens", ""},
		{"the model that answered", [][]Span{response},
			`total_cost_usd=0.0028 avg_cost_per_test_usd=0.0028 total_cost_prompt_usd=0.002 total_cost_completion_usd=0.0008 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="priced"`,
			`total_cost_usd=0.0028 gen_ai.usage.cost.prompt=0.002 gen_ai.usage.cost.completion=0.0008 cost_source="priced"`,
			"1 LLM call × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens", ""},
		{"reported by an outer span", [][]Span{nested("nobody", 0.01)},
			`total_cost_usd=0.01 avg_cost_per_test_usd=0.01 cost_source="reported"`, `total_cost_usd=0.01 cost_source="reported"`, "1 LLM call states llm.cost.total", ""},
		// 0.014 in the proportions of 0.002 to 0.0008, and far from those 0.0028.
		{"reported by an outer span, before the list", [][]Span{nested("two-eight", 0.014)},
			`total_cost_usd=0.014 avg_cost_per_test_usd=0.014 total_cost_prompt_usd=0.01 total_cost_completion_usd=0.004 avg_cost_prompt_per_test_usd=0.01 avg_cost_completion_per_test_usd=0.004 cost_source="reported"`,
			`total_cost_usd=0.014 gen_ai.usage.cost.prompt=0.01 gen_ai.usage.cost.completion=0.004 cost_source="reported"`,
			"1 LLM call states llm.cost.total", FlagCostSplitScaled + " " + FlagCostDiffers},
		{"once for two tries", [][]Span{tries(nil, []attr.KeyValue{kv("llm.cost.total", 0.0056)})},
			`total_cost_usd=0.0056 avg_cost_per_test_usd=0.0056 total_cost_prompt_usd=0.004 total_cost_completion_usd=0.0016 avg_cost_prompt_per_test_usd=0.004 avg_cost_completion_per_test_usd=0.0016 cost_source="reported"`,
			`total_cost_usd=0.0056 gen_ai.usage.cost.prompt=0.004 gen_ai.usage.cost.completion=0.0016 cost_source="reported"`,
			"1 LLM call states llm.cost.total, once for the 2 below it", FlagCostSplitScaled},
		{"the tries state theirs", [][]Span{tries([]attr.KeyValue{kv("llm.cost.total", 0.0014)}, []attr.KeyValue{kv("llm.cost.total", 0.0056)}, []attr.KeyValue{kv("llm.cost.total", 0.0014)})},
			`total_cost_usd=0.0028 avg_cost_per_test_usd=0.0028 total_cost_prompt_usd=0.002 total_cost_completion_usd=0.0008 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="reported"`,
			`total_cost_usd=0.0028 gen_ai.usage.cost.prompt=0.002 gen_ai.usage.cost.completion=0.0008 cost_source="reported"`,
			"2 LLM calls state llm.cost.total", FlagCostSplitScaled + " " + FlagCostDiffers},
		// One try states its 0.0028, of which the outer span's 0.0056 has some part.
		{"one of the tries states its own", [][]Span{tries([]attr.KeyValue{kv("llm.cost.total", 0.0028)}, []attr.KeyValue{kv("llm.cost.total", 0.0056)})},
			`total_cost_usd=0.0056 avg_cost_per_test_usd=0.0056 total_cost_prompt_usd=0.004 total_cost_completion_usd=0.0016 avg_cost_prompt_per_test_usd=0.004 avg_cost_completion_per_test_usd=0.0016 cost_source="priced"`,
			`total_cost_usd=0.0056 gen_ai.usage.cost.prompt=0.004 gen_ai.usage.cost.completion=0.0016 cost_source="priced"`,
			"1 LLM call states llm.cost.total; 1 LLM call × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens", FlagCostSplitScaled},
		// The outer span repeats the tokens of the last try alone, so its 0.0028 is that one's.
		{"of one of two tries", [][]Span{tries(nil, []attr.KeyValue{kv("llm.cost.total", 0.0028), kv("llm.token_count.prompt", 1000), kv("llm.token_count.completion", 100)})},
			`total_cost_usd=0.0056 avg_cost_per_test_usd=0.0056 total_cost_prompt_usd=0.004 total_cost_completion_usd=0.0016 avg_cost_prompt_per_test_usd=0.004 avg_cost_completion_per_test_usd=0.0016 cost_source="priced"`,
			`total_cost_usd=0.0056 gen_ai.usage.cost.prompt=0.004 gen_ai.usage.cost.completion=0.0016 cost_source="priced"`,
			"1 LLM call × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens; 1 LLM call states llm.cost.total", FlagCostSplitScaled},
		{"a call around two tests", [][]Span{around},
			`total_cost_usd=0.0056 avg_cost_per_test_usd=0.0028 total_cost_prompt_usd=0.004 total_cost_completion_usd=0.0016 avg_cost_prompt_per_test_usd=0.002 avg_cost_completion_per_test_usd=0.0008 cost_source="priced"`,
			`total_cost_usd=0.0056 gen_ai.usage.cost.prompt=0.004 gen_ai.usage.cost.completion=0.0016 cost_source="priced"`,
			"2 LLM calls × two-eight of a price list of one's own (exact): 2 in, 8 out USD per million tokens", ""},
		{"a model of this machine", [][]Span{modelCall("ollama/gpt-4o")}, `cost_source="unknown"`, `cost_source="unknown"`, "", ""},
		{"a price of the user's for it", [][]Span{modelCall("ollama/mine")},
			`total_cost_usd=0.0011 avg_cost_per_test_usd=0.0011 total_cost_prompt_usd=0.001 total_cost_completion_usd=0.0001 avg_cost_prompt_per_test_usd=0.001 avg_cost_completion_per_test_usd=0.0001 cost_source="priced"`,
			`total_cost_usd=0.0011 gen_ai.usage.cost.prompt=0.001 gen_ai.usage.cost.completion=0.0001 cost_source="priced"`,
			"1 LLM call × ollama/mine of a price list of one's own (exact): 1 in, 1 out USD per million tokens", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tables := enrichSpans(t, tt.traces...)
			wantCosts(t, "run", costsOf(LeaderboardColumns, &tables.Leaderboard), tt.run)
			wantCosts(t, "trace", costsOf(TraceColumns, &tables.Traces[0]), tt.trace)
			if got := tables.Provenance.Row(Leaderboard, "run")["total_cost_usd"].From; got != tt.origin {
				t.Errorf("origin = %s\nwant     %s", got, tt.origin)
			}
			var flags []string
			for flag, where := range tables.Quality.Flags {
				if slices.Contains(where, "run") && flag != FlagResultsFromTraces {
					flags = append(flags, flag)
				}
			}
			slices.Sort(flags)
			if got := strings.Join(flags, " "); got != tt.flags {
				t.Errorf("flags of the run = %q, want %q", got, tt.flags)
			}
		})
	}
}

// What a reader needs beside a cost stands in data_quality.
func TestCostQuality(t *testing.T) {
	tables := enrichSpans(t, modelCall("two-eight", kv("llm.cost.total", 0.01)), modelCall("nobody"))
	for _, tt := range []struct{ where, got, want string }{
		{"test", string(tables.Results[1].DataQuality), `"priced_cost_usd":0.0028`},
		{"test", string(tables.Results[1].DataQuality), `"flags":["cost_split_scaled","reported_cost_differs"]`},
		{"trace", string(tables.Traces[0].DataQuality), `"flags":["cost_split_scaled","reported_cost_differs"],"price_match":{"two-eight":"exact"}`},
		{"run", string(tables.Leaderboard.DataQuality), `"partial_cost_usd":0.01,"price_match":{"nobody":"none","two-eight":"exact"},"priced_calls":"1/2"`},
	} {
		if !strings.Contains(tt.got, tt.want) {
			t.Errorf("%s: data_quality = %s, want %s in it", tt.where, tt.got, tt.want)
		}
	}
	if got := tables.Provenance.Row(Results, tables.Results[1].TestCaseUID)["gen_ai.usage.cost.prompt"].Kind; got != Priced {
		t.Errorf("kind of a part that is scaled = %s, want %s", got, Priced)
	}
}

func TestCostMetrics(t *testing.T) {
	tables := enrichSpans(t, modelCall("two-eight", kv("gen_ai.usage.cache_read_input_tokens", 0)), modelCall("two-eight"))
	got := map[string]string{}
	for _, r := range tables.Metrics {
		if strings.HasPrefix(r.MetricName, "gen_ai.usage.cost") {
			level := "run"
			if r.TestID != nil {
				level = "test"
			}
			got[level+" "+r.MetricName] += fmt.Sprintf("%v %s %s ", *r.Value, r.Instrument, r.Attributes)
		}
	}
	want := map[string]string{
		"run gen_ai.usage.cost.total":       `0.0056 sum {"cost_source":"priced","model":"two-eight"} `,
		"run gen_ai.usage.cost.prompt":      `0.004 counter {"model":"two-eight"} `,
		"run gen_ai.usage.cost.completion":  `0.0016 counter {"model":"two-eight"} `,
		"run gen_ai.usage.cost.cache_read":  `0 counter {"model":"two-eight"} `,
		"test gen_ai.usage.cost.total":      strings.Repeat(`0.0028 sum {"cost_source":"priced","model":"two-eight"} `, 2),
		"test gen_ai.usage.cost.prompt":     strings.Repeat(`0.002 counter {"model":"two-eight"} `, 2),
		"test gen_ai.usage.cost.completion": strings.Repeat(`0.0008 counter {"model":"two-eight"} `, 2),
		"test gen_ai.usage.cost.cache_read": `0 counter {"model":"two-eight"} `,
	}
	if !maps.Equal(got, want) {
		t.Errorf("metrics:\n got %v\nwant %v", got, want)
	}
}

// Of two tests in a trace one has an LLM call and the other its agent's roll-up
// only: the run's tokens are those of both, and the metric says what the
// leaderboard does.
func TestTokenMetricBesideRollUp(t *testing.T) {
	spans := append(modelCall("two-eight"),
		span(3, 0, "test_evaluation", 2000, 3000, kv("test.id", "rolled")),
		span(4, 3, "ToolCallingAgent.run", 2000, 2900, kv("openinference.span.kind", "AGENT"), kv("llm.token_count.prompt", 500), kv("llm.token_count.completion", 50)))
	tables := enrichSpans(t, spans)
	var got []float64
	for _, r := range tables.Metrics {
		if r.MetricName == "llm.token_count.total" {
			got = append(got, *r.Value)
		}
	}
	if want := []float64{1650, 550, 1100}; !slices.Equal(got, want) {
		t.Errorf("llm.token_count.total of the run and its tests = %v, want %v", got, want)
	}
	for _, c := range []struct{ dataset, key, want string }{
		{Leaderboard, "run", "sum over 2 tests, 1 LLM call span counted once each; for 1 test the roll-up of its outermost AGENT span"},
		{Traces, tables.Traces[0].TraceID, "sum over 1 LLM call span, each counted once; in tests without one, the roll-up of the outermost AGENT span"},
	} {
		if got := tables.Provenance.Row(c.dataset, c.key)["total_tokens"].From; got != c.want {
			t.Errorf("%s: tokens are from %q\nwant %q", c.dataset, got, c.want)
		}
	}
}

// The cost of two tries that one span states stands at that span, once.
func TestCostOfTriesStandsOnce(t *testing.T) {
	used := modelCall("nobody")[1].Attrs
	tables := enrichSpans(t, []Span{
		span(1, 0, "completion", 0, 900, kv("openinference.span.kind", "LLM"), kv("llm.cost.total", 0.01)),
		span(2, 1, "first", 10, 400, used...), span(3, 1, "second", 500, 800, used...),
	})
	for _, s := range tables.Spans {
		if (s.CostUSD != nil) != (s.Name == "completion") {
			t.Errorf("%s costs %v, want the outer call to cost alone", s.Name, shown(s.CostUSD))
		}
	}
	wantCosts(t, "run", costsOf(LeaderboardColumns, &tables.Leaderboard), `total_cost_usd=0.01 avg_cost_per_test_usd=0.01 cost_source="reported"`)
}

// What smolagents runs on this machine is nobody's sale, and neither are weights
// of which nothing says who runs them; the reason says so.
func TestWeightsWithoutSeller(t *testing.T) {
	for _, tt := range []struct{ span, model, source, why string }{
		{"VLLMModel.generate", "qwen-3-32b", costUnknown, "the weakest source among the calls; no price for qwen-3-32b: run by vllm on one's own machine, which is nobody's sale"},
		{"MLXModel.generate", "mistral-nemo", costUnknown, "the weakest source among the calls; no price for mistral-nemo: run by mlx on one's own machine, which is nobody's sale"},
		{"TransformersModel.generate", "gpt-4o", costUnknown, "the weakest source among the calls; no price for gpt-4o: run by transformers on one's own machine, which is nobody's sale"},
		{"completion", "phi-4", costUnknown, "the weakest source among the calls; no price for phi-4: nothing says who sells it, and it may run anywhere"},
		{"completion", "gpt-4o", costPriced, "the weakest source among the calls"},
		{"completion", "claude-sonnet-4-5", costPriced, "the weakest source among the calls"},
		{"completion", "gemini-2.5-flash", costPriced, "the weakest source among the calls"},
	} {
		spans := modelCall(tt.model)
		spans[1].Name = tt.span
		tables := enrichSpans(t, spans)
		if got := tables.Leaderboard.CostSource; got == nil || *got != tt.source {
			t.Errorf("%s of %s: cost_source = %s, want %s", tt.span, tt.model, AppendJSON(nil, &got), tt.source)
		}
		if got := tables.Provenance.Row(Leaderboard, "run")["cost_source"].From; got != tt.why {
			t.Errorf("%s of %s: %s\nwant %s", tt.span, tt.model, got, tt.why)
		}
	}
}

// Each part of a cost names the attribute that states it.
func TestPartReasons(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spans []Span
		want  string // of prompt, completion and cache read
	}{
		{"stated", modelCall("nobody", kv("gen_ai.usage.cost.total", 0.003), kv("gen_ai.usage.cost.prompt", 0.002), kv("gen_ai.usage.cost.completion", 0.001)),
			"reported 1 LLM call states gen_ai.usage.cost.prompt | reported 1 LLM call states gen_ai.usage.cost.completion | "},
		{"made disjoint", modelCall("nobody", kv("llm.cost.total", 0.003), kv("llm.cost.prompt", 0.002), kv("llm.cost.completion", 0.001), kv("llm.cost.prompt_details.cache_read", 0.0005)),
			"reported 1 LLM call states llm.cost.prompt, less its details | reported 1 LLM call states llm.cost.completion | reported 1 LLM call states llm.cost.prompt_details.cache_read"},
		{"divided", modelCall("full", kv("llm.cost.total", 0.005), kv("llm.cost.prompt", 0.004), kv("llm.cost.completion", 0.001), kv("llm.token_count.prompt_details.cache_read", 400)),
			"priced 1 LLM call states llm.cost.prompt, divided in the proportions of the price list | reported 1 LLM call states llm.cost.completion | priced 1 LLM call states llm.cost.prompt, divided in the proportions of the price list"},
		{"scaled", modelCall("two-eight", kv("llm.cost.total", 0.003)),
			"priced 1 LLM call states llm.cost.total, divided in the proportions of the price list | priced 1 LLM call states llm.cost.total, divided in the proportions of the price list | "},
		{"Langfuse's", modelCall("nobody", kv("langfuse.observation.cost_details", `{"input":0.002,"output":0.001}`)),
			"reported 1 LLM call states langfuse.observation.cost_details | reported 1 LLM call states langfuse.observation.cost_details | "},
	} {
		tables := enrichSpans(t, tt.spans)
		row := tables.Provenance.Row(Results, tables.Results[0].TestCaseUID)
		var got []string
		for _, part := range []string{"prompt", "completion", "cache_read"} {
			o := row["gen_ai.usage.cost."+part]
			got = append(got, strings.TrimSpace(string(o.Kind)+" "+o.From))
		}
		if got := strings.Join(got, " | "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// Two steps of Vercel's AI SDK, which says all in names of its own: 100+10 tokens
// each, that the outer span sums up, at gpt-4o's 2.5 and 10 USD per million:
// 200×2.5 + 20×10 = 700 millionths.
func TestVercel(t *testing.T) {
	attrs := func(operation string, in, out int, more ...attr.KeyValue) []attr.KeyValue {
		return append(more, kv("ai.operationId", operation), kv("ai.model.id", "gpt-4o"), kv("ai.model.provider", "openai.responses"), kv("ai.usage.inputTokens", in), kv("ai.usage.outputTokens", out))
	}
	tables := enrichSpans(t, []Span{
		span(1, 0, "ai.streamText", 0, 3000, attrs("ai.streamText", 200, 20)...),
		span(2, 1, "ai.streamText.doStream", 0, 1000, attrs("ai.streamText.doStream", 100, 10, kv("ai.response.msToFirstChunk", 250), kv("ai.response.finishReason", "tool-calls"))...),
		span(3, 1, "ai.toolCall", 1000, 1100, kv("ai.operationId", "ai.toolCall"), kv("ai.toolCall.name", "get_weather")),
		span(4, 1, "ai.streamText.doStream", 1100, 3000, attrs("ai.streamText.doStream", 100, 10, kv("ai.response.finishReason", "stop"))...),
	})
	wantCosts(t, "run", costsOf(LeaderboardColumns, &tables.Leaderboard), `total_cost_usd=0.0007 avg_cost_per_test_usd=0.0007 total_cost_prompt_usd=0.0005 total_cost_completion_usd=0.0002 avg_cost_prompt_per_test_usd=0.0005 avg_cost_completion_per_test_usd=0.0002 cost_source="priced"`)
	row := tables.Traces[0]
	for _, tt := range []struct {
		column    string
		got, want any
	}{
		{"total_tokens", *row.TotalTokens, int64(220)}, {"llm_call_count", row.LLMCallCount, int64(2)}, {"tool_call_count", row.ToolCallCount, int64(1)},
		{"gen_ai.system", deref(row.System), "openai"}, {"ttft", shown(row.TTFT), 0.25},
	} {
		if fmt.Sprint(tt.got) != fmt.Sprint(tt.want) {
			t.Errorf("%s = %v, want %v", tt.column, tt.got, tt.want)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{"openai.chat", "openai"}, {"google.generative-ai", "gcp.gemini"}, {"google.vertex.chat", "gcp.vertex_ai"}, {"amazon-bedrock", "aws.bedrock"},
		{"azure-openai.chat", "azure.ai.openai"}, {"anthropic.messages", "anthropic"}, {"azure.ai.openai", "azure.ai.openai"}, {"gcp.gemini", "gcp.gemini"},
	} {
		if got := canonicalSystem(tt.in); got != tt.want {
			t.Errorf("system of %s = %s, want %s", tt.in, got, tt.want)
		}
	}
}

// A run that its leaderboard row says ran on this machine is nobody's sale, also
// where no span tells; a call that names its seller is that one's all the same.
func TestLocalRunIsNotSold(t *testing.T) {
	list := price.Builtin().With([]price.Row{{Key: "weights", Provider: new("openai"), Input: new(2.0), Output: new(8.0)}})
	rollUp := []Span{span(1, 0, "ToolCallingAgent.run", 0, 1000, kv("openinference.span.kind", "AGENT"), kv("llm.token_count.prompt", 1000), kv("llm.token_count.completion", 100))}
	untold := modelCall("weights")
	untold[1].Name = "generate" // completion is LiteLLM's
	for _, tt := range []struct {
		name, provider string
		spans          []Span
		want           string
	}{
		{"roll-up, transformers", "transformers", rollUp, costUnknown},
		{"roll-up, ollama", "ollama", rollUp, costUnknown},
		{"roll-up, litellm", "litellm", rollUp, costPriced},
		{"call without a seller", "transformers", untold, costUnknown},
		{"call of a seller", "transformers", modelCall("weights", kv("gen_ai.provider.name", "openai")), costPriced},
	} {
		spans := slices.Clone(tt.spans)
		sortSpans(spans)
		run := &Run{Traces: []*Trace{{ID: TraceID{1}, Spans: spans}}, Leaderboard: attr.NewSet([]attr.KeyValue{kv("model", "weights"), kv("provider", tt.provider)})}
		if got := Enrich(run, Options{Prices: list}).Leaderboard.CostSource; got == nil || *got != tt.want {
			t.Errorf("%s: cost_source = %s, want %s", tt.name, AppendJSON(nil, &got), tt.want)
		}
	}
}

// What a cost is made with is said in full: whose price it is, and the price of
// each kind of token that has one; that of embeddings has no price for output.
func TestPriceBasis(t *testing.T) {
	list := price.Builtin().With([]price.Row{
		{Key: "cached", Input: new(2.5), Output: new(10.0), CacheRead: new(1.25), CacheWrite: new(3.0), Reasoning: new(12.0)},
		{Key: "embed", Provider: new("openai"), Input: new(0.02)},
	})
	for _, tt := range []struct{ model, system, want string }{
		{"cached", "", "cached of a price list of one's own (exact): 2.5 in, 1.25 cache read, 3 cache write, 10 out, 12 reasoning USD per million tokens"},
		{"embed", "openai", "embed of a price list of one's own (exact, sold by openai): 0.02 in USD per million tokens"},
	} {
		book := &priceBook{list: list}
		if got := book.price("", tt.model, tt.system, 0).basis(tokens{prompt: new(int64(10))}); got != tt.want {
			t.Errorf("basis of %s = %s\nwant %s", tt.model, got, tt.want)
		}
	}
}

// A row without a trace keeps the cost that it states; tokens without a cost are
// tokens without a price (spec §3.11).
func TestStoredCost(t *testing.T) {
	row := func(id string, attrs ...attr.KeyValue) result {
		return result{Record: Record{Set: attr.NewSet(append(attrs, kv("test_id", id)))}}
	}
	run := &Run{Results: []result{row("a", kv("cost_usd", 0.5), kv("total_tokens", 10)), row("b", kv("cost_usd", 0.0), kv("total_tokens", 0))}}
	tables := Enrich(run, Options{Prices: testPrices})
	wantCosts(t, "run", costsOf(LeaderboardColumns, &tables.Leaderboard), `total_cost_usd=0.5 avg_cost_per_test_usd=0.5 cost_source="reported"`)
	run.Results = append(run.Results, row("c", kv("cost_usd", 0.0), kv("total_tokens", 10)))
	tables = Enrich(run, Options{Prices: testPrices})
	wantCosts(t, "run", costsOf(LeaderboardColumns, &tables.Leaderboard), `avg_cost_per_test_usd=0.5 cost_source="unknown"`)
}

// A leaderboard that is derived from exported results alone sums their costs:
// 0.001 + 0.002 USD, of which 0.0005 + 0.0015 for the prompts.
func TestCostOfExportedResults(t *testing.T) {
	row := func(id string, total, prompt, completion float64) ResultRow {
		return ResultRow{RunID: "r", TestID: id, TestCaseUID: id, CostTotal: &total, CostPrompt: &prompt, CostCompletion: &completion, CostSource: new("priced"), UsageTotalTokens: new(int64(10))}
	}
	part := &Part{Source: "a", Exported: Exported{Results: []ResultRow{row("a", 0.001, 0.0005, 0.0005), row("b", 0.002, 0.0015, 0.0005)}}}
	tables := Enrich(Assemble([]*Part{part})[0], DefaultOptions())
	l := &tables.Leaderboard
	if l.TotalCostUSD == nil || *l.TotalCostUSD != 0.003 || l.TotalCostPromptUSD == nil || *l.TotalCostPromptUSD != 0.002 || *l.AvgCostPerTestUSD != 0.0015 {
		t.Errorf("total %v, prompt %v, want 0.003 and 0.002", show(l.TotalCostUSD), show(l.TotalCostPromptUSD))
	}
}
