package enrich

// A TraceRow is one trace of a run: a row of the traces dataset.
type TraceRow struct {
	TraceID           string
	Model             *string
	AgentType         *string
	TotalTokens       *int64
	TotalDurationMS   *float64
	TotalCostUSD      *float64
	Spans             SpanList
	Timestamp         Time
	RunID             string
	TestID            *string
	System            *string
	Provider          *string
	CostPrompt        *float64
	CostCompletion    *float64
	CostReasoning     *float64
	CostCacheRead     *float64
	CostCacheWrite    *float64
	PromptTokens      *int64
	CompletionTokens  *int64
	ReasoningTokens   *int64
	CacheReadTokens   *int64
	CacheWriteTokens  *int64
	TTFT              *float64
	AvgTBT            *float64
	LLMTools          *string
	ToolCallCount     int64
	Temperature       *float64
	TopP              *float64
	MaxTokens         *int64
	ResponseID        *string
	FinishReasons     []string
	ResponseModel     *string
	RootSpanID        *string
	TestCaseUID       *string
	SpanCount         int64
	LLMCallCount      int64
	ErrorType         *string
	StartTimeUnixNano UnixNano
	EndTimeUnixNano   UnixNano
	CostSource        *string
	TokenSource       *string
	DataQuality       JSON
}

// TraceColumns describes the traces dataset: the seed's columns in its order
// with root_span_id, then the extras (spec §3.13).
var TraceColumns = []Column[TraceRow]{
	{"trace_id", "Trace", None, Captured, Neither, "Id of the trace, 32 hex digits, padded.", func(r *TraceRow) any { return &r.TraceID }},
	{"model", "Model", None, Captured, Neither, "Model of the joined result, else the request model of the first call, else of the leaderboard row.", func(r *TraceRow) any { return &r.Model }},
	{"agent_type", "Agent", None, Captured, Neither, "Kind of smolagents agent: tool or code.", func(r *TraceRow) any { return &r.AgentType }},
	{"total_tokens", "Tokens", Tokens, Captured, Lower, "All tokens, summed over usage leaves only (spec §3.2).", func(r *TraceRow) any { return &r.TotalTokens }},
	{"total_duration_ms", "Time", Milliseconds, Captured, Lower, "Length of the root span. SMOLTRACE stores the sum of all spans instead (spec §3.13).", func(r *TraceRow) any { return &r.TotalDurationMS }},
	{"total_cost_usd", "Cost", USD, Captured, Lower, "Cost of all calls in the trace; null when any of them has no price (spec §3.8).", func(r *TraceRow) any { return &r.TotalCostUSD }},
	{"spans", "Span data", None, Captured, Neither, "The spans whole, normalised, by start time: ids padded, kind and status by name, times in nanoseconds.", func(r *TraceRow) any { return &r.Spans }},
	{"timestamp", "Time stamp", None, Captured, Neither, "The row's own time if it has one, else the start of the root span.", func(r *TraceRow) any { return &r.Timestamp }},
	{"run_id", "Run", None, Critical, Neither, "Id of the run (spec §3.3).", func(r *TraceRow) any { return &r.RunID }},
	{"test_id", "Test", None, Critical, Neither, "Id of the task that the trace records.", func(r *TraceRow) any { return &r.TestID }},
	{"gen_ai.system", "System", None, Critical, Neither, "Provider of the model by OpenTelemetry's names, from the first call that says it (spec §2.4).", func(r *TraceRow) any { return &r.System }},
	{"provider", "Provider", None, Critical, Neither, "How the agent reached the model: litellm, transformers, ollama, inference, vllm or mlx (spec §3.10).", func(r *TraceRow) any { return &r.Provider }},
	{"gen_ai.usage.cost.prompt", "Cost of prompt", USD, High, Lower, "Cost of the uncached prompt tokens (spec §3.8).", func(r *TraceRow) any { return &r.CostPrompt }},
	{"gen_ai.usage.cost.completion", "Cost of completion", USD, High, Lower, "Cost of the visible completion tokens (spec §3.8).", func(r *TraceRow) any { return &r.CostCompletion }},
	{"gen_ai.usage.cost.reasoning", "Cost of reasoning", USD, Nice, Lower, "Cost of the reasoning tokens (spec §3.8).", func(r *TraceRow) any { return &r.CostReasoning }},
	{"gen_ai.usage.cost.cache_read", "Cost of cache reads", USD, Nice, Lower, "Cost of prompt tokens read from the provider's cache (spec §3.8).", func(r *TraceRow) any { return &r.CostCacheRead }},
	{"gen_ai.usage.cost.cache_write", "Cost of cache writes", USD, Nice, Lower, "Cost of prompt tokens written to the provider's cache (spec §3.8).", func(r *TraceRow) any { return &r.CostCacheWrite }},
	{"gen_ai.usage.prompt_tokens", "Tokens in", Tokens, High, Lower, "Prompt tokens, summed over usage leaves only (spec §3.2).", func(r *TraceRow) any { return &r.PromptTokens }},
	{"gen_ai.usage.completion_tokens", "Tokens out", Tokens, High, Lower, "Completion tokens, summed over usage leaves only (spec §3.2).", func(r *TraceRow) any { return &r.CompletionTokens }},
	{"completion_tokens_details.reasoning_tokens", "Reasoning tokens", Tokens, Nice, Neither, "Reasoning tokens, summed over the usage leaves that report them.", func(r *TraceRow) any { return &r.ReasoningTokens }},
	{"cache_read_input_tokens", "Cached tokens", Tokens, Nice, Higher, "Prompt tokens read from cache, summed over the usage leaves that report them.", func(r *TraceRow) any { return &r.CacheReadTokens }},
	{"cache_creation_input_tokens", "Cache-write tokens", Tokens, Nice, Neither, "Prompt tokens written to cache, summed over the usage leaves that report them.", func(r *TraceRow) any { return &r.CacheWriteTokens }},
	{"gen_ai.server.ttft", "TTFT", Seconds, High, Lower, "Time to first token of the earliest call that streamed (spec §3.7).", func(r *TraceRow) any { return &r.TTFT }},
	{"avg_tbt", "Time between tokens", Seconds, Nice, Lower, "Mean time between tokens over the calls that streamed (spec §3.7).", func(r *TraceRow) any { return &r.AvgTBT }},
	{"llm.tools", "Tools offered", None, Nice, Neither, "Tool definitions offered to the model, a JSON array as a string; the union over all calls by name (spec §3.10).", func(r *TraceRow) any { return &r.LLMTools }},
	{"tool_call_count", "Tool calls", Count, Nice, Neither, "Tool calls, without final_answer (spec §3.10).", func(r *TraceRow) any { return &r.ToolCallCount }},
	{"gen_ai.request.temperature", "Temperature", None, Nice, Neither, "Sampling temperature requested (spec §3.10).", func(r *TraceRow) any { return &r.Temperature }},
	{"gen_ai.request.top_p", "Top p", None, Nice, Neither, "Nucleus sampling bound requested (spec §3.10).", func(r *TraceRow) any { return &r.TopP }},
	{"gen_ai.request.max_tokens", "Max tokens", Tokens, Nice, Neither, "Most completion tokens allowed per call (spec §3.10).", func(r *TraceRow) any { return &r.MaxTokens }},
	{"gen_ai.response.id", "Response id", None, Nice, Neither, "Provider's id of the response of the last call that has one.", func(r *TraceRow) any { return &r.ResponseID }},
	{"gen_ai.response.finish_reasons", "Finish reasons", None, Nice, Neither, "Why each call stopped, in call order.", func(r *TraceRow) any { return &r.FinishReasons }},
	{"gen_ai.response.model", "Response model", None, Nice, Neither, "Model that answered, as the last call that says so names it.", func(r *TraceRow) any { return &r.ResponseModel }},
	{"root_span_id", "Root span", None, Captured, Neither, "Root span of the trace, 16 hex digits (spec §3.1).", func(r *TraceRow) any { return &r.RootSpanID }},
	{"test_case_uid", "Case", None, Extra, Neither, "The case of the joined result, which names the test within its run.", func(r *TraceRow) any { return &r.TestCaseUID }},
	{"span_count", "Spans", Count, Extra, Neither, "Spans in the trace.", func(r *TraceRow) any { return &r.SpanCount }},
	{"llm_call_count", "LLM calls", Count, Extra, Lower, "LLM calls: LLM spans with no LLM ancestor (spec §3.2).", func(r *TraceRow) any { return &r.LLMCallCount }},
	{"error_type", "Error class", None, Extra, Neither, "Class of the error that ended the trace's test (spec §3.5).", func(r *TraceRow) any { return &r.ErrorType }},
	{"start_time_unix_nano", "Start ns", None, Extra, Neither, "Start of the root span in nanoseconds since the Unix epoch.", func(r *TraceRow) any { return &r.StartTimeUnixNano }},
	{"end_time_unix_nano", "End ns", None, Extra, Neither, "End of the root span in nanoseconds since the Unix epoch.", func(r *TraceRow) any { return &r.EndTimeUnixNano }},
	{"cost_source", "Cost source", None, Extra, Neither, "Where the cost comes from: reported, priced, estimated or unknown (spec §3.8).", func(r *TraceRow) any { return &r.CostSource }},
	{"token_source", "Token source", None, Extra, Neither, "Where the tokens come from: llm_leaf or agent_rollup (spec §3.2).", func(r *TraceRow) any { return &r.TokenSource }},
	{"data_quality", "Data quality", None, Extra, Neither, "Findings about this trace: flags, and stored values that ours replaced.", func(r *TraceRow) any { return &r.DataQuality }},
}
