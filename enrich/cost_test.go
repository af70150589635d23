package enrich

import (
	"math"
	"strings"
	"testing"
	"testing/quick"

	"smolscope/enrich/attr"
	"smolscope/enrich/price"
)

// testPrices are USD per million tokens.
var testPrices = price.Builtin().With([]price.Row{
	{Key: "full", Input: new(2.5), Output: new(10.0), CacheRead: new(1.25), Reasoning: new(10.0)},
	{Key: "claude-test", Input: new(3.0), Output: new(15.0), CacheRead: new(0.3), CacheWrite: new(3.75)},
	{Key: "two-eight", Input: new(2.0), Output: new(8.0)},
	{Key: "free", Input: new(0.0), Output: new(0.0)},
	{Key: "rising", Input: new(1.0), Output: new(1.0), ValidFrom: "2001-01-01"},
	{Key: "rising", Input: new(2.0), Output: new(2.0), ValidFrom: "2001-09-09"}, // the day of the spans of these tests
	{Key: "rising", Input: new(4.0), Output: new(4.0), ValidFrom: "2001-09-10"},
	{Key: "long", Input: new(1.0), Output: new(1.0), Tiers: []price.Tier{{Above: 1000, Input: new(2.0)}}},
	{Key: "ollama/mine", Input: new(1.0), Output: new(1.0)},
})

// leafOf prices a span as a call of a model of testPrices.
func leafOf(s Span, model string) leafCost {
	book := &priceBook{list: testPrices}
	return costOf(&s, tokensOf(&s, RoleLLM), book.price("", model, "", s.Start))
}

func llm(attrs ...attr.KeyValue) Span { return span(1, 0, "completion", 0, 1000, attrs...) }

// tokenText writes counts as prompt completion total reasoning read write.
func tokenText(n tokens) string {
	var words []string
	for _, v := range []*int64{n.prompt, n.completion, n.total, n.reasoning, n.cacheRead, n.cacheWrite} {
		word := "-"
		if v != nil {
			word = compact(*v)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestTokenDialects(t *testing.T) {
	for _, tt := range []struct {
		name string
		span Span
		want string // prompt completion total reasoning read write
	}{
		{"OpenTelemetry", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 10), kv("gen_ai.usage.reasoning.output_tokens", 4), kv("gen_ai.usage.cache_read.input_tokens", 40), kv("gen_ai.usage.cache_creation.input_tokens", 5)), "100 10 110 4 40 5"},
		{"OpenInference", llm(kv("llm.token_count.prompt", 100), kv("llm.token_count.completion", 10), kv("llm.token_count.total", 110), kv("llm.token_count.completion_details.reasoning", 4), kv("llm.token_count.prompt_details.cache_read", 40), kv("llm.token_count.prompt_details.cache_write", 5)), "100 10 110 4 40 5"},
		{"Traceloop", llm(kv("gen_ai.usage.prompt_tokens", 100), kv("gen_ai.usage.completion_tokens", 10), kv("llm.usage.total_tokens", 110), kv("gen_ai.usage.reasoning_tokens", 4), kv("gen_ai.usage.cache_read_input_tokens", 40), kv("gen_ai.usage.cache_creation_input_tokens", 5)), "100 10 110 4 40 5"},
		{"Traceloop, old", llm(kv("llm.usage.prompt_tokens", "100"), kv("llm.usage.completion_tokens", "10"), kv("llm.usage.reasoning_tokens", "4")), "100 10 110 4 - -"},
		{"Sentry", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 10), kv("gen_ai.usage.output_tokens.reasoning", 4), kv("gen_ai.usage.input_tokens.cached", 40), kv("gen_ai.usage.input_tokens.cache_write", 5)), "100 10 110 4 40 5"},
		{"Vercel", llm(kv("ai.usage.promptTokens", 100), kv("ai.usage.completionTokens", 10)), "100 10 110 - - -"},
		{"Vercel, new", llm(kv("ai.usage.inputTokens", 100), kv("ai.usage.outputTokens", 10), kv("ai.usage.tokens", 110), kv("ai.usage.reasoningTokens", 4), kv("ai.usage.cachedInputTokens", 40)), "100 10 110 4 40 -"},
		{"Vercel, with details", llm(kv("ai.usage.inputTokens", 100), kv("ai.usage.outputTokens", 10), kv("ai.usage.totalTokens", 110), kv("ai.usage.outputTokenDetails.reasoningTokens", 4), kv("ai.usage.inputTokenDetails.cacheReadTokens", 40), kv("ai.usage.inputTokenDetails.cacheWriteTokens", 5)), "100 10 110 4 40 5"},
		{"Pydantic AI", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 10), kv("gen_ai.usage.details.cached_tokens", 40), kv("gen_ai.usage.details.reasoning_tokens", 4)), "100 10 110 4 40 -"},
		{"Pydantic AI of Anthropic", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 10), kv("gen_ai.usage.details.cache_read_tokens", 40), kv("gen_ai.usage.details.cache_write_tokens", 5), kv("gen_ai.usage.details.input_tokens", 55)), "100 10 110 - 40 5"},
		// Langfuse's counts are disjoint: 55+40+5 in, 6+4 out.
		{"Langfuse", llm(kv("langfuse.observation.usage_details", `{"input":55,"input_cached_tokens":40,"input_cache_creation":5,"output":6,"output_reasoning_tokens":4,"total":110}`)), "100 10 110 4 40 5"},
		{"Langfuse with Anthropic's names", llm(kv("langfuse.observation.usage_details", `{"input":55,"cache_read_input_tokens":40,"cache_creation_input_tokens":5,"output":10}`)), "100 10 110 - 40 5"},
		{"a prompt that Langfuse's cache does not fit in", llm(kv("gen_ai.usage.input_tokens", 83), kv("gen_ai.usage.output_tokens", 5), kv("langfuse.observation.usage_details", `{"cache_read_input_tokens":900}`)), "983 5 988 - 900 -"},
		{"Langfuse with OpenAI's names", llm(kv("langfuse.observation.usage_details", `{"prompt_tokens":100,"completion_tokens":10,"total_tokens":150}`)), "100 10 150 - - -"},
		{"Langfuse with OpenAI's details", llm(kv("langfuse.observation.usage_details", `{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110,"prompt_tokens_details":{"cached_tokens":40,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":4}}`)), "100 10 110 4 40 -"},
		{"Langfuse with the details of OpenAI's responses", llm(kv("langfuse.observation.usage_details", `{"input_tokens":100,"output_tokens":10,"input_tokens_details":{"cached_tokens":40},"output_tokens_details":{"reasoning_tokens":4}}`)), "100 10 110 4 40 -"},
		// OpenAI's prompt has the cached tokens in it, whatever else is named how.
		{"Langfuse, a whole prompt", llm(kv("langfuse.observation.usage_details", `{"prompt_tokens":100,"input_cached_tokens":40,"completion_tokens":10,"output_reasoning_tokens":4}`)), "100 10 110 4 40 -"},
		{"Langfuse, both names", llm(kv("langfuse.observation.usage_details", `{"prompt_tokens":100,"input":60,"input_cached_tokens":40,"completion_tokens":10,"output":10,"output_tokens":10,"total":110,"total_tokens":7}`)), "100 10 110 - 40 -"},
		{"Langfuse, a total that is none", llm(kv("langfuse.observation.usage_details", `{"input":null,"prompt_tokens":100,"completion_tokens":10,"total":-2,"total_tokens":150}`)), "100 10 150 - - -"},
		{"Langfuse, details that are none", llm(kv("langfuse.observation.usage_details", `{"prompt_tokens":null,"input_tokens":"x","prompt_tokens_details":[1],"completion_tokens_details":{"reasoning_tokens":-1}}`)), "- - - - - -"},
		{"Langfuse, no object", llm(kv("langfuse.observation.usage_details", `[1]`)), "- - - - - -"},
		// Anthropic's API counts the cached tokens beside the input: 600+400+100.
		{"genai_otel Anthropic", span(1, 0, "anthropic.messages.create", 0, 9, kv("gen_ai.usage.prompt_tokens", 600), kv("gen_ai.usage.completion_tokens", 200), kv("gen_ai.usage.total_tokens", 800), kv("gen_ai.usage.cache_read_input_tokens", 400), kv("gen_ai.usage.cache_creation_input_tokens", 100)), "1,100 200 1,300 - 400 100"},
		{"LiteLLM Anthropic", llm(kv("llm.token_count.prompt", 1100), kv("llm.token_count.completion", 200), kv("llm.token_count.prompt_details.cache_read", 400), kv("llm.token_count.prompt_details.cache_write", 100)), "1,100 200 1,300 - 400 100"},
		// More cached than prompt cannot lie inside it: 50+400.
		{"cache apart by arithmetic", llm(kv("gen_ai.usage.input_tokens", 50), kv("gen_ai.usage.output_tokens", 10), kv("gen_ai.usage.cache_read.input_tokens", 400)), "450 10 460 - 400 -"},
		// 150 = 100 + 20 + 30: the thoughts are not in the 20.
		{"Gemini's thoughts", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 20), kv("gen_ai.usage.reasoning_tokens", 30), kv("gen_ai.usage.total_tokens", 150)), "100 50 150 30 - -"},
		// 1,200 = 600 + 200 + 400: the cached tokens are not in the 600.
		{"cache apart by the total", llm(kv("gen_ai.usage.input_tokens", 600), kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.cache_read.input_tokens", 400), kv("gen_ai.usage.total_tokens", 1200)), "1,000 200 1,200 - 400 -"},
		{"cache and writes apart by the total", llm(kv("gen_ai.usage.input_tokens", 600), kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.cache_read.input_tokens", 300), kv("gen_ai.usage.cache_creation.input_tokens", 100), kv("gen_ai.usage.total_tokens", 1200)), "1,000 200 1,200 - 300 100"},
		{"cache within", llm(kv("gen_ai.usage.input_tokens", 600), kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.cache_read.input_tokens", 400), kv("gen_ai.usage.total_tokens", 800)), "600 200 800 - 400 -"},
		// 1,230 = 600 + 200 + 400 + 30
		{"cache and thoughts apart", llm(kv("gen_ai.usage.input_tokens", 600), kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.cache_read.input_tokens", 400), kv("gen_ai.usage.reasoning_tokens", 30), kv("gen_ai.usage.total_tokens", 1230)), "1,000 230 1,230 30 400 -"},
		{"as many thoughts as cached, and one of the two apart", llm(kv("gen_ai.usage.input_tokens", 600), kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.cache_read.input_tokens", 40), kv("gen_ai.usage.reasoning_tokens", 40), kv("gen_ai.usage.total_tokens", 840)), "600 240 840 40 40 -"},
		{"cache apart in two attributes", llm(kv("gen_ai.usage.input_tokens", 600), kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.total_tokens", 1200), kv("langfuse.observation.usage_details", `{"input_cached_tokens":400}`)), "1,000 200 1,200 - 400 -"},
		{"thoughts within", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 50), kv("gen_ai.usage.reasoning_tokens", 30), kv("gen_ai.usage.total_tokens", 150)), "100 50 150 30 - -"},
		{"thoughts in the total alone", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 20), kv("gen_ai.usage.total_tokens", 150)), "100 20 150 - - -"},
		{"total too small", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.output_tokens", 20), kv("gen_ai.usage.total_tokens", 7)), "100 20 120 - - -"},
		{"total below its only part", llm(kv("gen_ai.usage.input_tokens", 100), kv("gen_ai.usage.total_tokens", 7)), "100 - - - - -"},
		{"LiteLLM's text tokens are no cache", llm(kv("llm.token_count.prompt", 100), kv("llm.token_count.completion", 10), kv("llm.token_count.prompt_details.cache_input", 60)), "100 10 110 - - -"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tokenText(tokensOf(&tt.span, RoleLLM)); got != tt.want {
				t.Errorf("tokens = %s, want %s", got, tt.want)
			}
		})
	}
}

// wantCost compares a cost with amounts in USD; NaN stands for nil.
func wantCost(t *testing.T, c leafCost, source string, total float64, parts ...float64) {
	t.Helper()
	if c.source != source || !sameUSD(c.total, total) {
		t.Errorf("cost = %v (%s), want %v (%s)", c.total, c.source, total, source)
	}
	if (c.parts == nil) != (len(parts) == 0) {
		t.Fatalf("parts = %v, want %v", c.parts, parts)
	}
	for i, want := range parts {
		if got := c.parts[i]; (got == nil) != math.IsNaN(want) || got != nil && !sameUSD(*got, want) {
			t.Errorf("part %d = %v, want %v", i, shown(got), want)
		}
	}
}

func shown(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

func sameUSD(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b)) }

var null = math.NaN()

// The vectors of spec §5 "cost": parts are prompt, completion, reasoning, cache
// read, cache write.
func TestPriceGolden(t *testing.T) {
	openAI := llm(kv("gen_ai.usage.input_tokens", 1000), kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.cache_read.input_tokens", 400), kv("gen_ai.usage.reasoning.output_tokens", 50))
	wantCost(t, leafOf(openAI, "full"), costPriced, 0.004, 0.0015, 0.0015, 0.0005, 0.0005, null)
	cached := []attr.KeyValue{kv("gen_ai.usage.output_tokens", 200), kv("gen_ai.usage.cache_read_input_tokens", 400), kv("gen_ai.usage.cache_creation_input_tokens", 100)}
	exclusive := span(1, 0, "anthropic.messages.create", 0, 9, append(cached, kv("gen_ai.usage.input_tokens", 600))...)
	wantCost(t, leafOf(exclusive, "claude-test"), costPriced, 0.005295, 0.0018, 0.003, null, 0.00012, 0.000375)
	inclusive := llm(append(cached[:3:3], kv("gen_ai.usage.input_tokens", 1100))...)
	wantCost(t, leafOf(inclusive, "claude-test"), costPriced, 0.005295, 0.0018, 0.003, null, 0.00012, 0.000375)
}

func TestLeafCost(t *testing.T) {
	// 1,000 in and 100 out of two-eight: 1000×2 + 100×8 = 2,800 millionths.
	call := func(attrs ...attr.KeyValue) Span {
		return llm(append(attrs, kv("gen_ai.usage.input_tokens", 1000), kv("gen_ai.usage.output_tokens", 100))...)
	}
	for _, tt := range []struct {
		name   string
		span   Span
		model  string
		source string
		total  float64
		parts  []float64
		flags  string
	}{
		{"priced", call(), "two-eight", costPriced, 0.0028, []float64{0.002, 0.0008, null, null, null}, ""},
		{"no price", call(), "nobody", costUnknown, 0, nil, ""},
		{"no model", call(), "", costUnknown, 0, nil, ""},
		{"prompt only", llm(kv("gen_ai.usage.input_tokens", 1000)), "two-eight", costUnknown, 0, nil, ""},
		{"known to be 0", call(kv("gen_ai.usage.reasoning_tokens", 0), kv("gen_ai.usage.cache_read_input_tokens", 0)), "two-eight", costPriced, 0.0028, []float64{0.002, 0.0008, 0, 0, null}, ""},
		// 600×2 + 400×2 (no price of its own) + 100×8
		{"cache as input", call(kv("gen_ai.usage.cache_read_input_tokens", 400)), "two-eight", costPriced, 0.0028, []float64{0.0012, 0.0008, null, 0.0008, null}, FlagPriceFallback},
		{"reasoning as output", call(kv("gen_ai.usage.reasoning_tokens", 40)), "two-eight", costPriced, 0.0028, []float64{0.002, 0.00048, 0.00032, null, null}, FlagPriceFallback},
		{"price of the day", call(), "rising", costPriced, 0.0022, []float64{0.002, 0.0002, null, null, null}, ""},
		{"below the tier", call(), "long", costPriced, 0.0011, []float64{0.001, 0.0001, null, null, null}, ""},
		{"above the tier", llm(kv("gen_ai.usage.input_tokens", 2000), kv("gen_ai.usage.output_tokens", 100)), "long", costPriced, 0.0041, []float64{0.004, 0.0001, null, null, null}, ""},

		{"provider's figure first", call(kv("llm.cost.total", 0.003), kv("gen_ai.usage.cost.total", 0.002)), "nobody", costReported, 0.003, nil, ""},
		{"OpenLIT", call(kv("gen_ai.usage.cost", 0.003)), "nobody", costReported, 0.003, nil, ""},
		{"an amount", call(kv("gen_ai.cost.amount", "0.003")), "nobody", costReported, 0.003, nil, ""},
		{"Langfuse", call(kv("langfuse.observation.cost_details", `{"input":0.001,"cache_read_input_tokens":0.0005,"output":0.0015,"total":0.003}`)), "nobody", costReported, 0.003, []float64{0.001, 0.0015, null, 0.0005, null}, ""},
		// 0.001 + 0.0005 + 0.0015, and the 0.001 of a search, which is no token's
		{"Langfuse without a total", call(kv("langfuse.observation.cost_details", `{"input":0.001,"cache_read_input_tokens":0.0005,"output":0.0015}`)), "nobody", costReported, 0.003, []float64{0.001, 0.0015, null, 0.0005, null}, ""},
		{"Langfuse with OpenAI's names", call(kv("langfuse.observation.cost_details", `{"prompt_tokens":0.001,"completion_tokens":0.002,"input":0.001}`)), "nobody", costReported, 0.003, []float64{0.001, 0.002, null, null, null}, ""},
		{"Langfuse with OpenAI's total", call(kv("langfuse.observation.cost_details", `{"prompt_tokens":0.001,"completion_tokens":0.002,"total_tokens":0.003}`)), "nobody", costReported, 0.003, []float64{0.001, 0.002, null, null, null}, ""},
		{"Langfuse, more than tokens", call(kv("langfuse.observation.cost_details", `{"input":0.001,"output":0.002,"search":0.001}`)), "nobody", costReported, 0.004, nil, FlagCostMismatch},
		{"Langfuse, nothing", call(kv("langfuse.observation.cost_details", `{"input":-1,"output":"x","total":0}`)), "nobody", costUnknown, 0, nil, ""},
		{"estimated", call(kv("gen_ai.usage.cost.total", 0.003), kv("gen_ai.usage.cost.pricing_source", "estimated")), "nobody", costEstimated, 0.003, nil, ""},
		{"unpriced", call(kv("gen_ai.usage.cost.total", 0.003), kv("gen_ai.usage.cost.pricing_source", "unpriced")), "nobody", costUnknown, 0, nil, ""},
		// In the proportions of 0.002 to 0.0008, scaled to 0.0014, which is half.
		{"split by the list", call(kv("llm.cost.total", 0.0014)), "two-eight", costReported, 0.0014, []float64{0.001, 0.0004, null, null, null}, FlagCostSplitScaled + " " + FlagCostDiffers},
		// OpenInference's prompt of 0.002 has the 0.0005 of the cache in it.
		{"parts within parts", call(kv("llm.cost.total", 0.003), kv("llm.cost.prompt", 0.002), kv("llm.cost.completion", 0.001), kv("llm.cost.prompt_details.cache_read", 0.0005), kv("llm.cost.completion_details.reasoning", 0.0004)), "nobody", costReported, 0.003, []float64{0.0015, 0.0006, 0.0004, 0.0005, null}, ""},
		// The 400 cached of full's 1,000 tokens cost 600×2.5 + 400×1.25 = 1500 + 500
		// millionths: of the stated 0.004 of the prompt a quarter is theirs.
		{"a prompt with its cached tokens", call(kv("llm.cost.total", 0.005), kv("llm.cost.prompt", 0.004), kv("llm.cost.completion", 0.001), kv("llm.token_count.prompt_details.cache_read", 400)), "full", costReported, 0.005, []float64{0.003, 0.001, null, 0.001, null}, FlagCostSplitScaled + " " + FlagCostDiffers},
		// full's 100 tokens of the answer cost 10 each, thought or not.
		{"an answer with its thoughts", call(kv("gen_ai.usage.cost.total", 0.0035), kv("gen_ai.usage.cost.prompt", 0.0025), kv("gen_ai.usage.cost.completion", 0.001), kv("gen_ai.usage.reasoning_tokens", 40)), "full", costReported, 0.0035, []float64{0.0025, 0.0006, 0.0004, null, null}, FlagCostSplitScaled},
		{"a prompt that nothing divides", call(kv("llm.cost.total", 0.005), kv("llm.cost.prompt", 0.004), kv("llm.cost.completion", 0.001), kv("llm.token_count.prompt_details.cache_read", 400)), "nobody", costReported, 0.005, nil, ""},
		{"a prompt without cached tokens", call(kv("llm.cost.total", 0.005), kv("llm.cost.prompt", 0.004), kv("llm.cost.completion", 0.001), kv("llm.token_count.prompt_details.cache_read", 0)), "nobody", costReported, 0.005, []float64{0.004, 0.001, null, null, null}, ""},
		{"parts apart", call(kv("gen_ai.usage.cost.total", 0.003), kv("gen_ai.usage.cost.prompt", 0.0015), kv("gen_ai.usage.cost.completion", 0.001), kv("gen_ai.usage.cost.cache_read", 0.0005)), "nobody", costReported, 0.003, []float64{0.0015, 0.001, null, 0.0005, null}, ""},
		{"parts that do not add up", call(kv("llm.cost.total", 0.003), kv("llm.cost.prompt", 0.001), kv("llm.cost.completion", 0.001)), "nobody", costReported, 0.003, nil, FlagCostMismatch},
		{"a count of tokens is no cost", call(kv("llm.cost.total", 0.0028), kv("llm.cost.completion_details.output", 100)), "nobody", costReported, 0.0028, nil, ""},
		// 20 % of 0.0035 is 0.0007: just not differing; of 0.0036 it is 0.00072, and 0.0008 are missing.
		{"20 %", call(kv("llm.cost.total", 0.0035)), "two-eight", costReported, 0.0035, []float64{0.0025, 0.001, null, null, null}, FlagCostSplitScaled},
		{"above 20 %", call(kv("llm.cost.total", 0.0036)), "two-eight", costReported, 0.0036, []float64{0.0036 * 5 / 7, 0.0036 * 2 / 7, null, null, null}, FlagCostSplitScaled + " " + FlagCostDiffers},

		{"0 is not computed", call(kv("gen_ai.usage.cost.total", 0.0), kv("llm.cost.total", 0)), "nobody", costUnknown, 0, nil, ""},
		{"0 of a table that has a price", call(kv("gen_ai.usage.cost.total", 0.0), kv("gen_ai.usage.cost.pricing_source", "table")), "two-eight", costPriced, 0.0028, []float64{0.002, 0.0008, null, null, null}, ""},
		{"0 of an unknown model", call(kv("gen_ai.usage.cost.total", 0.0), kv("gen_ai.usage.cost.pricing_source", "table")), "nobody", costUnknown, 0, nil, ""},
		{"0 and free", call(kv("gen_ai.usage.cost.total", 0.0), kv("gen_ai.usage.cost.pricing_source", "table")), "free", costReported, 0, []float64{0, 0, null, null, null}, ""},
		{"free by the list", call(), "free", costPriced, 0, []float64{0, 0, null, null, null}, ""},
		{"nonsense", call(kv("llm.cost.total", -1.0), kv("gen_ai.usage.cost", 1e300), kv("gen_ai.cost.amount", "nan")), "nobody", costUnknown, 0, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := leafOf(tt.span, tt.model)
			wantCost(t, c, tt.source, tt.total, tt.parts...)
			if got := strings.Join(c.flags, " "); got != tt.flags {
				t.Errorf("flags = %q, want %q", got, tt.flags)
			}
		})
	}
}

// Whatever spans state, a cost is finite, not negative, and the sum of its parts;
// and parts of tokens are not more than the whole.
func TestCostProperties(t *testing.T) {
	models := []string{"full", "claude-test", "two-eight", "free", "long", "nobody"}
	holds := func(in, out, total, reasoning, read, write uint16, costs [8]uint16, apart bool, model uint8, have uint16) bool {
		s := llm()
		if apart {
			s.Name = anthropicCall
		}
		for i, n := range []uint16{in, out, total, reasoning, read, write} {
			if have>>i&1 == 1 {
				s.Attrs = append(s.Attrs, kv([]string{"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.total_tokens", "gen_ai.usage.reasoning_tokens", "gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_creation_input_tokens"}[i], int(n)))
			}
		}
		for i, n := range costs {
			if have>>(6+i)&1 == 1 {
				s.Attrs = append(s.Attrs, kv([]string{"llm.cost.total", "llm.cost.prompt", "llm.cost.completion", "llm.cost.prompt_details.cache_read", "gen_ai.usage.cost.total", "gen_ai.usage.cost.prompt", "gen_ai.usage.cost.completion", "gen_ai.usage.cost.reasoning"}[i], float64(n)*1e-6))
			}
		}
		s.Attrs = attr.NewSet(s.Attrs)
		n := tokensOf(&s, RoleLLM)
		if n.prompt != nil && orZero(n.cacheRead)+orZero(n.cacheWrite) > *n.prompt ||
			n.completion != nil && orZero(n.reasoning) > *n.completion ||
			n.total != nil && (n.prompt != nil && *n.prompt > *n.total || n.completion != nil && *n.completion > *n.total) {
			t.Logf("tokens %s of %v", tokenText(n), s.Attrs)
			return false
		}
		c := leafOf(s, models[int(model)%len(models)])
		if c.total < 0 || math.IsNaN(c.total) || math.IsInf(c.total, 0) || c.source == costUnknown && c.total != 0 {
			return false
		}
		if c.parts == nil {
			return true
		}
		for _, v := range c.parts {
			if v != nil && !(*v >= 0 && *v <= c.total*(1+1e-12)) {
				t.Logf("part %v of %v: %v", *v, c.total, s.Attrs)
				return false
			}
		}
		return sameUSD(c.parts.sum(), c.total)
	}
	if err := quick.Check(holds, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
}
