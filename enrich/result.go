package enrich

// A ResultRow is one test of a run: a row of the results dataset.
type ResultRow struct {
	Model             *string
	EvaluationDate    Time
	TestID            string
	AgentType         *string
	Difficulty        *string
	Prompt            *string
	Success           *bool
	ToolCalled        *bool
	CorrectTool       *bool
	FinalAnswerCalled *bool
	ResponseCorrect   *bool
	ToolsUsed         []string
	Steps             *int64
	Response          *string
	Error             *string
	EnhancedTraceInfo *string
	Temperature       *float64
	TopP              *float64
	MaxTokens         *int64
	FrequencyPenalty  *float64
	PresencePenalty   *float64
	ResponseID        *string
	FinishReasons     []string
	ResponseModel     *string
	ExecutionTimeMS   *float64
	PromptTokens      *int64
	CompletionTokens  *int64
	UsageTotalTokens  *int64
	CostTotal         *float64
	CostPrompt        *float64
	CostCompletion    *float64
	CostReasoning     *float64
	CostCacheRead     *float64
	CostCacheWrite    *float64
	TTFT              *float64
	TBT               *float64
	ReasoningTokens   *int64
	CacheReadTokens   *int64
	CacheWriteTokens  *int64
	TraceID           *string
	RunID             string
	StartTime         Time
	EndTime           Time
	StartTimeUnixNano UnixNano
	EndTimeUnixNano   UnixNano
	ErrorType         *string
	TestCaseUID       string
	SpanID            *string
	CostSource        *string
	TokenSource       *string
	DataQuality       JSON
	TaskID            string
	TotalTokens       *int64
	CostUSD           *float64
	GPUEnergyWh       *float64
	GPUPowerAvgW      *float64
}

// ResultColumns describes the results dataset: the seed's 46 columns in its
// order, then the extras (spec §3.12).
var ResultColumns = []Column[ResultRow]{
	{"model", "Model", None, Captured, Neither, "Model as the results row names it, else the leaderboard row, else the request model of the first call (spec §3.12).", func(r *ResultRow) any { return &r.Model }},
	{"evaluation_date", "Evaluated", None, Captured, Neither, "When the results were written, in UTC; the offset of a local time is inferred from the spans (spec §1.1), else it is the end of the test.", func(r *ResultRow) any { return &r.EvaluationDate }},
	{"test_id", "Test", None, Captured, Neither, "Id of the task in its suite; SMOLTRACE also calls it task_id.", func(r *ResultRow) any { return &r.TestID }},
	{"agent_type", "Agent", None, Captured, Neither, "Kind of smolagents agent: tool or code.", func(r *ResultRow) any { return &r.AgentType }},
	{"difficulty", "Difficulty", None, Captured, Neither, "Difficulty that the suite gives the task.", func(r *ResultRow) any { return &r.Difficulty }},
	{"prompt", "Question", None, Captured, Neither, "The task put to the agent; from a trace only the first 100 characters survive.", func(r *ResultRow) any { return &r.Prompt }},
	{"success", "Success", None, Captured, Higher, "Verdict of the test. A null that the row's own parts prove true is repaired (spec §3.4).", func(r *ResultRow) any { return &r.Success }},
	{"tool_called", "Tool called", None, Captured, Neither, "Whether any tool was called; on rows with an error it is derived from the trace.", func(r *ResultRow) any { return &r.ToolCalled }},
	{"correct_tool", "Correct tool", None, Captured, Neither, "Whether the expected tool was called; unknown on rows with an error, where the file always says false.", func(r *ResultRow) any { return &r.CorrectTool }},
	{"final_answer_called", "Final answer", None, Captured, Neither, "Whether the agent gave a final answer; on rows with an error it is derived from the trace.", func(r *ResultRow) any { return &r.FinalAnswerCalled }},
	{"response_correct", "Response correct", None, Captured, Neither, "Whether the answer held the expected keywords; unknown where nothing was expected and on rows with an error.", func(r *ResultRow) any { return &r.ResponseCorrect }},
	{"tools_used", "Tools used", None, Captured, Neither, "Tools the agent called, without final_answer; from the trace when the row lists none.", func(r *ResultRow) any { return &r.ToolsUsed }},
	{"steps", "Steps", Count, Captured, Neither, "Steps of the agent by SMOLTRACE's definition; a stored 0 on a row with an error is counted again from the trace's step events (spec §3.10).", func(r *ResultRow) any { return &r.Steps }},
	{"response", "Answer", None, Captured, Neither, "What the agent answered.", func(r *ResultRow) any { return &r.Response }},
	{"error", "Error", None, Captured, Neither, "Error text of the row, else of the root span's exception.", func(r *ResultRow) any { return &r.Error }},
	{"enhanced_trace_info", "Stored trace info", None, Captured, Neither, "SMOLTRACE's own summary of the trace, kept verbatim as a JSON string.", func(r *ResultRow) any { return &r.EnhancedTraceInfo }},
	{"gen_ai.request.temperature", "Temperature", None, Critical, Neither, "Sampling temperature requested, when all calls of the test agree, else that of the first call (spec §3.10).", func(r *ResultRow) any { return &r.Temperature }},
	{"gen_ai.request.top_p", "Top p", None, Critical, Neither, "Nucleus sampling bound requested (spec §3.10).", func(r *ResultRow) any { return &r.TopP }},
	{"gen_ai.request.max_tokens", "Max tokens", Tokens, Critical, Neither, "Most completion tokens allowed per call (spec §3.10).", func(r *ResultRow) any { return &r.MaxTokens }},
	{"gen_ai.request.frequency_penalty", "Frequency penalty", None, Nice, Neither, "Frequency penalty requested (spec §3.10).", func(r *ResultRow) any { return &r.FrequencyPenalty }},
	{"gen_ai.request.presence_penalty", "Presence penalty", None, Nice, Neither, "Presence penalty requested (spec §3.10).", func(r *ResultRow) any { return &r.PresencePenalty }},
	{"gen_ai.response.id", "Response id", None, High, Neither, "Provider's id of the response of the last call that has one.", func(r *ResultRow) any { return &r.ResponseID }},
	{"gen_ai.response.finish_reasons", "Finish reasons", None, Critical, Neither, "Why each call stopped, in call order.", func(r *ResultRow) any { return &r.FinishReasons }},
	{"gen_ai.response.model", "Response model", None, Nice, Neither, "Model that answered, as the last call that says so names it.", func(r *ResultRow) any { return &r.ResponseModel }},
	{"execution_time_ms", "Time", Milliseconds, Critical, Lower, "Length of the root span of the test. SMOLTRACE stores the sum of all spans instead, about twice as much (spec §3.10).", func(r *ResultRow) any { return &r.ExecutionTimeMS }},
	{"gen_ai.usage.prompt_tokens", "Tokens in", Tokens, Critical, Lower, "Prompt tokens, cached ones included, summed over usage leaves only (spec §3.2).", func(r *ResultRow) any { return &r.PromptTokens }},
	{"gen_ai.usage.completion_tokens", "Tokens out", Tokens, Critical, Lower, "Completion tokens, reasoning included, summed over usage leaves only (spec §3.2).", func(r *ResultRow) any { return &r.CompletionTokens }},
	{"gen_ai.usage.total_tokens", "Tokens", Tokens, Critical, Lower, "All tokens, summed over usage leaves only; the stored total only when no span is known (spec §3.2).", func(r *ResultRow) any { return &r.UsageTotalTokens }},
	{"gen_ai.usage.cost.total", "Cost", USD, Critical, Lower, "Cost of all calls of the test; null when any of them has no price (spec §3.8).", func(r *ResultRow) any { return &r.CostTotal }},
	{"gen_ai.usage.cost.prompt", "Cost of prompt", USD, High, Lower, "Cost of the uncached prompt tokens (spec §3.8).", func(r *ResultRow) any { return &r.CostPrompt }},
	{"gen_ai.usage.cost.completion", "Cost of completion", USD, High, Lower, "Cost of the visible completion tokens (spec §3.8).", func(r *ResultRow) any { return &r.CostCompletion }},
	{"gen_ai.usage.cost.reasoning", "Cost of reasoning", USD, Nice, Lower, "Cost of the reasoning tokens (spec §3.8).", func(r *ResultRow) any { return &r.CostReasoning }},
	{"gen_ai.usage.cost.cache_read", "Cost of cache reads", USD, Nice, Lower, "Cost of prompt tokens read from the provider's cache (spec §3.8).", func(r *ResultRow) any { return &r.CostCacheRead }},
	{"gen_ai.usage.cost.cache_write", "Cost of cache writes", USD, Nice, Lower, "Cost of prompt tokens written to the provider's cache (spec §3.8).", func(r *ResultRow) any { return &r.CostCacheWrite }},
	{"gen_ai.server.ttft", "TTFT", Seconds, High, Lower, "Time to first token of the earliest call that streamed (spec §3.7).", func(r *ResultRow) any { return &r.TTFT }},
	{"gen_ai.server.tbt", "Time between tokens", Seconds, Nice, Lower, "Mean time between tokens over the calls that streamed (spec §3.7).", func(r *ResultRow) any { return &r.TBT }},
	{"completion_tokens_details.reasoning_tokens", "Reasoning tokens", Tokens, Nice, Neither, "Reasoning tokens, summed over the usage leaves that report them; not reported is not 0.", func(r *ResultRow) any { return &r.ReasoningTokens }},
	{"cache_read_input_tokens", "Cached tokens", Tokens, Nice, Higher, "Prompt tokens read from cache, summed over the usage leaves that report them.", func(r *ResultRow) any { return &r.CacheReadTokens }},
	{"cache_creation_input_tokens", "Cache-write tokens", Tokens, Nice, Neither, "Prompt tokens written to cache, summed over the usage leaves that report them.", func(r *ResultRow) any { return &r.CacheWriteTokens }},
	{"trace_id", "Trace", None, Critical, Neither, "Id of the joined trace, 32 hex digits, padded; the row's own id when its trace is not here.", func(r *ResultRow) any { return &r.TraceID }},
	{"run_id", "Run", None, Critical, Neither, "Id of the run (spec §3.3).", func(r *ResultRow) any { return &r.RunID }},
	{"start_time", "Started", None, Nice, Neither, "Start of the root span, UTC.", func(r *ResultRow) any { return &r.StartTime }},
	{"end_time", "Ended", None, Nice, Neither, "End of the root span, UTC.", func(r *ResultRow) any { return &r.EndTime }},
	{"start_time_unix_nano", "Start ns", None, Critical, Neither, "Start of the root span in nanoseconds since the Unix epoch.", func(r *ResultRow) any { return &r.StartTimeUnixNano }},
	{"end_time_unix_nano", "End ns", None, Critical, Neither, "End of the root span in nanoseconds since the Unix epoch.", func(r *ResultRow) any { return &r.EndTimeUnixNano }},
	{"error_type", "Error class", None, High, Neither, "Class of the error that ended the test (spec §3.5).", func(r *ResultRow) any { return &r.ErrorType }},
	{"test_case_uid", "Case", None, Extra, Neither, "agent_type:test_id, which names the test within its run; repeats get #2, #3 by start time.", func(r *ResultRow) any { return &r.TestCaseUID }},
	{"span_id", "Root span", None, Extra, Neither, "Root span of the test, 16 hex digits.", func(r *ResultRow) any { return &r.SpanID }},
	{"cost_source", "Cost source", None, Extra, Neither, "Where the cost comes from, weakest part first: reported, priced, estimated or unknown (spec §3.8).", func(r *ResultRow) any { return &r.CostSource }},
	{"token_source", "Token source", None, Extra, Neither, "Where the tokens come from: llm_leaf, agent_rollup or stored_summary (spec §3.2).", func(r *ResultRow) any { return &r.TokenSource }},
	{"data_quality", "Data quality", None, Extra, Neither, "Findings about this row: flags, and stored values that ours replaced.", func(r *ResultRow) any { return &r.DataQuality }},
	{"task_id", "Task id", None, Extra, Neither, "Alias of test_id, which current SMOLTRACE readers use.", func(r *ResultRow) any { return &r.TaskID }},
	{"total_tokens", "Total tokens", Tokens, Extra, Lower, "Alias of gen_ai.usage.total_tokens.", func(r *ResultRow) any { return &r.TotalTokens }},
	{"cost_usd", "Cost (alias)", USD, Extra, Lower, "Alias of gen_ai.usage.cost.total.", func(r *ResultRow) any { return &r.CostUSD }},
	{"gpu_energy_wh", "GPU energy", WattHours, Extra, Lower, "Energy the GPUs used while the test ran, shared evenly with the tests that ran at the same time; null when fewer than two power samples lie within it (spec §3.9).", func(r *ResultRow) any { return &r.GPUEnergyWh }},
	{"gpu_power_avg_w", "GPU power", Watts, Extra, Neither, "Mean power of all GPUs together while the test ran, whoever else ran on them (spec §3.9).", func(r *ResultRow) any { return &r.GPUPowerAvgW }},
}
