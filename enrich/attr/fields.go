package attr

// A Field lists the attribute keys that can carry one fact, in the order in
// which they are believed. Adding a spelling is adding a key.
type Field []string

// What a span is (spec §2.2 span_kind reads these in turn, each with its own
// vocabulary).
var (
	TestID              = Field{"test.id"}
	TestCaseUID         = Field{"test.case_uid"}
	TestDifficulty      = Field{"test.difficulty"}
	OpenInferenceKind   = Field{"openinference.span.kind"}
	OperationName       = Field{"gen_ai.operation.name"}
	TraceloopKind       = Field{"traceloop.span.kind"}
	LangfuseType        = Field{"langfuse.observation.type"}
	RequestType         = Field{"llm.request.type", "gen_ai.request.type"}
	VercelOperation     = Field{"ai.operationId", "operation.name"}
	ToolNameOnly        = Field{"tool.name", "gen_ai.tool.name", "mcp.tool", "ai.toolCall.name"}
	ModelOnly           = Field{"gen_ai.request.model", "llm.model_name", "ai.model.id"}
	ToolName            = Field{"gen_ai.tool.name", "tool.name", "mcp.tool", "mcp.tool.raw_name", "traceloop.entity.name", "ai.toolCall.name"}
	AgentType           = Field{"agent.type"}
	Prompt              = Field{"prompt"}
	MaxSteps            = Field{"smolagents.max_steps"}
	ToolNames           = Field{"smolagents.tools_names"}
	InputValue          = Field{"input.value", "traceloop.entity.input", "langfuse.observation.input"}
	OutputValue         = Field{"output.value", "traceloop.entity.output", "langfuse.observation.output"}
	OutputMIMEType      = Field{"output.mime_type"}
	RunID               = Field{"run.id", "smoltrace.run.id"}
	ServiceName         = Field{"service.name"}
	SmoltraceVersion    = Field{"smoltrace.version"}
	AutoName            = Field{"telemetry.auto.name"}
	AutoVersion         = Field{"telemetry.auto.version"}
	SmolagentsVersion   = Field{"smolagents.version"}
	JobID               = Field{"hf.job.id", "hf_job_id"}
	InvocationParams    = Field{"llm.invocation_parameters", "langfuse.observation.model.parameters", "embedding.invocation_parameters"}
	ToolDefinitions     = Field{"gen_ai.tool.definitions", "llm.tools"}
	OutputMessages      = Field{"gen_ai.output.messages"}
	HTTPStatus          = Field{"http.response.status_code", "http.status_code"}
	ErrorType           = Field{"error.type"}
	ExceptionType       = Field{"exception.type"}
	ExceptionMessage    = Field{"exception.message"}
	StepType            = Field{"type"}
	EventName           = Field{"name"}
	CompletionStartTime = Field{"langfuse.observation.completion_start_time"}
)

// What an LLM call asked for and got (spec §2.2). Where the spec also names
// keys inside the invocation parameters, enrich looks there after these.
var (
	RequestModel     = Field{"gen_ai.request.model", "llm.request.model", "llm.request.model_name", "langfuse.observation.model.name", "ai.model.id"}
	ModelName        = Field{"llm.model_name", "embedding.model_name"}
	ResponseModel    = Field{"gen_ai.response.model", "llm.response.model", "llm.response.model_name", "ai.response.model"}
	System           = Field{"gen_ai.provider.name", "gen_ai.system", "llm.system", "llm.vendor", "llm.provider", "ai.model.provider", "gen_ai.request.provider"}
	SystemVendor     = Field{"llm.system"}
	SystemHost       = Field{"llm.provider"}
	Temperature      = Field{"gen_ai.request.temperature", "llm.temperature", "llm.request.temperature", "ai.settings.temperature"}
	TopP             = Field{"gen_ai.request.top_p", "llm.top_p", "llm.request.top_p", "ai.settings.topP"}
	MaxTokens        = Field{"gen_ai.request.max_tokens", "gen_ai.request.max_completion_tokens", "llm.max_tokens", "llm.request.max_tokens", "ai.settings.maxTokens", "ai.settings.maxOutputTokens"}
	FrequencyPenalty = Field{"gen_ai.request.frequency_penalty", "llm.frequency_penalty"}
	PresencePenalty  = Field{"gen_ai.request.presence_penalty", "llm.presence_penalty"}
	Streamed         = Field{"gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming", "gen_ai.request.streamed"}
	ResponseID       = Field{"gen_ai.response.id", "llm.response.id", "ai.response.id"}
	FinishReasons    = Field{"gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "llm.finish_reason", "llm.response.finish_reason", "gen_ai.response.stop_reason", "llm.response.stop_reason", "ai.response.finishReason"}
)

// What an LLM call used (spec §2.2). Counts are as the producer states them:
// whether cached and reasoning tokens lie inside prompt and completion depends on
// who that is (spec §3.8).
var (
	PromptTokens     = Field{"gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens", "ai.usage.promptTokens", "ai.usage.inputTokens"}
	CompletionTokens = Field{"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion", "llm.usage.completion_tokens", "ai.usage.completionTokens", "ai.usage.outputTokens"}
	TotalTokens      = Field{"gen_ai.usage.total_tokens", "llm.token_count.total", "llm.usage.total_tokens", "ai.usage.tokens", "ai.usage.totalTokens"}
	ReasoningTokens  = Field{"gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning", "gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens", "gen_ai.usage.completion_tokens_details.reasoning_tokens", "completion_tokens_details.reasoning_tokens", "gen_ai.usage.output_tokens.reasoning", "gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.details.thoughts_tokens", "ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"}
	CacheReadTokens  = Field{"gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read", "gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.prompt_tokens_details.cached_tokens", "gen_ai.usage.input_tokens.cached", "cache_read_input_tokens", "gen_ai.usage.details.cached_tokens", "gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cache_read_input_tokens", "gen_ai.usage.details.cached_content_tokens", "ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"}
	CacheWriteTokens = Field{"gen_ai.usage.cache_creation.input_tokens", "llm.token_count.prompt_details.cache_write", "gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.prompt_tokens_details.cache_creation_tokens", "gen_ai.usage.input_tokens.cache_write", "cache_creation_input_tokens", "gen_ai.usage.details.cache_write_tokens", "gen_ai.usage.details.cache_creation_input_tokens", "ai.usage.inputTokenDetails.cacheWriteTokens"}
	UsageDetails     = Field{"langfuse.observation.usage_details"} // a JSON object of counts
)

// What an LLM call cost in USD (spec §2.2, §3.8). llm.cost.completion_details.output
// is not among them: the LiteLLM instrumentor writes a count of tokens there.
var (
	ProviderCost  = Field{"llm.cost.total"}
	ComputedCost  = Field{"gen_ai.usage.cost.total", "gen_ai.usage.cost"}
	CostDetails   = Field{"langfuse.observation.cost_details"} // a JSON object of amounts
	CostAmount    = Field{"gen_ai.cost.amount"}
	PricingSource = Field{"gen_ai.usage.cost.pricing_source"}
)

// TTFTEvidence holds the attributes whose presence proves that a call streamed
// (spec §2.2 streamed, ttft).
var TTFTEvidence = Field{"gen_ai.server.time_to_first_token", "gen_ai.server.ttft", "gen_ai.response.time_to_first_chunk", "gen_ai.response.time_to_first_token", "llm.time_to_first_token", "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk", "langfuse.observation.completion_start_time"}
