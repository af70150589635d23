package enrich

// A LeaderboardRow is one run: a row of the leaderboard dataset.
type LeaderboardRow struct {
	RunID                       string
	Model                       *string
	AgentType                   *string
	Provider                    *string
	EvaluationDate              Time
	SubmittedBy                 *string
	ResultsDataset              *string
	TracesDataset               *string
	MetricsDataset              *string
	DatasetUsed                 *string
	NumTests                    int64
	SuccessfulTests             *int64
	FailedTests                 *int64
	SuccessRate                 *float64
	AvgSteps                    *float64
	AvgDurationMS               *float64
	TotalDurationMS             *float64
	TotalTokens                 *int64
	AvgTokensPerTest            *float64
	TotalCostUSD                *float64
	AvgCostPerTestUSD           *float64
	CO2EmissionsG               *float64
	GPUUtilizationAvg           *float64
	GPUUtilizationMax           *float64
	GPUMemoryAvgMiB             *float64
	GPUMemoryMaxMiB             *float64
	GPUTemperatureAvg           *float64
	GPUTemperatureMax           *float64
	GPUPowerAvgW                *float64
	Notes                       *string
	System                      *string
	TotalPromptTokens           *int64
	TotalCompletionTokens       *int64
	AvgPromptTokens             *float64
	AvgCompletionTokens         *float64
	TotalReasoningTokens        *int64
	TotalCacheReadTokens        *int64
	TotalCacheWriteTokens       *int64
	TotalCostPromptUSD          *float64
	TotalCostCompletionUSD      *float64
	TotalCostReasoningUSD       *float64
	TotalCostCacheReadUSD       *float64
	TotalCostCacheWriteUSD      *float64
	AvgCostPromptPerTestUSD     *float64
	AvgCostCompletionPerTestUSD *float64
	AvgTTFTSeconds              *float64
	P50TTFTSeconds              *float64
	P95TTFTSeconds              *float64
	P99TTFTSeconds              *float64
	AvgTBTSeconds               *float64
	CommonTemperature           *float64
	CommonTopP                  *float64
	CommonMaxTokens             *int64
	TotalErrors                 *int64
	ErrorRate                   *float64
	ErrorTypes                  JSON
	GPUMemoryTotalMiB           *float64
	GPUPowerMaxW                *float64
	TotalGPUEnergyWh            *float64
	ElectricityCostUSD          *float64
	TotalToolCalls              *int64
	AvgToolCallsPerTest         *float64
	UniqueToolsUsed             *int64
	MostUsedTool                *string
	SmoltraceVersion            *string
	GenaiOtelVersion            *string
	SmolagentsVersion           *string
	HFJobID                     *string
	JobType                     *string
	Hardware                    *string
	PowerCostTotalUSD           *float64
	UseCase                     *string
	Team                        *string
	Purpose                     *string
	SuiteVersion                *string
	CostSource                  *string
	TokenCoverage               *string
	RunIDSource                 string
	WallClockMS                 *float64
	DataQuality                 JSON
	Timestamp                   Time
	TotalTests                  int64
	IdleGPUEnergyWh             *float64
}

// LeaderboardColumns describes the leaderboard dataset: the seed's 70 columns
// in its order, then the extras (spec §3.15).
var LeaderboardColumns = []Column[LeaderboardRow]{
	{"run_id", "Run", None, Captured, Neither, "Id of the run: reported by its files, else a UUIDv5 of what they hold (spec §3.3).", func(r *LeaderboardRow) any { return &r.RunID }},
	{"model", "Model", None, Captured, Neither, "Model of the leaderboard row, else the commonest of the results.", func(r *LeaderboardRow) any { return &r.Model }},
	{"agent_type", "Agent", None, Captured, Neither, "tool, code, or both.", func(r *LeaderboardRow) any { return &r.AgentType }},
	{"provider", "Provider", None, Captured, Neither, "How the agent reached the model: litellm, transformers, ollama, inference, vllm or mlx (spec §3.10).", func(r *LeaderboardRow) any { return &r.Provider }},
	{"evaluation_date", "Evaluated", None, Captured, Neither, "When the run was written, UTC; the offset of a local time is inferred from the spans (spec §1.1).", func(r *LeaderboardRow) any { return &r.EvaluationDate }},
	{"submitted_by", "Submitted by", None, Captured, Neither, "Who submitted the run.", func(r *LeaderboardRow) any { return &r.SubmittedBy }},
	{"results_dataset", "Results dataset", None, Captured, Neither, "Where the results came from, as the row says it.", func(r *LeaderboardRow) any { return &r.ResultsDataset }},
	{"traces_dataset", "Traces dataset", None, Captured, Neither, "Where the traces came from, as the row says it.", func(r *LeaderboardRow) any { return &r.TracesDataset }},
	{"metrics_dataset", "Metrics dataset", None, Captured, Neither, "Where the metrics came from, as the row says it.", func(r *LeaderboardRow) any { return &r.MetricsDataset }},
	{"dataset_used", "Suite", None, Captured, Neither, "Dataset of tasks the agent was tested on.", func(r *LeaderboardRow) any { return &r.DatasetUsed }},
	{"num_tests", "Tests", Count, Captured, Neither, "Tests in the run.", func(r *LeaderboardRow) any { return &r.NumTests }},
	{"successful_tests", "Passed", Count, Captured, Higher, "Tests with success true, after repair (spec §3.4).", func(r *LeaderboardRow) any { return &r.SuccessfulTests }},
	{"failed_tests", "Failed", Count, Captured, Lower, "Tests with success false.", func(r *LeaderboardRow) any { return &r.FailedTests }},
	{"success_rate", "Success", Percent, Captured, Higher, "100 × successful_tests / num_tests.", func(r *LeaderboardRow) any { return &r.SuccessRate }},
	{"avg_steps", "Steps a test", Count, Captured, Neither, "Mean steps over all tests of the run.", func(r *LeaderboardRow) any { return &r.AvgSteps }},
	{"avg_duration_ms", "Mean time", Milliseconds, Captured, Lower, "Mean execution_time_ms over the tests where it is known.", func(r *LeaderboardRow) any { return &r.AvgDurationMS }},
	{"total_duration_ms", "Total time", Milliseconds, Captured, Lower, "Sum of execution_time_ms, not the wall clock: tests may run side by side.", func(r *LeaderboardRow) any { return &r.TotalDurationMS }},
	{"total_tokens", "Tokens", Tokens, Captured, Lower, "Sum of the tests' tokens, each counted once (spec §3.2).", func(r *LeaderboardRow) any { return &r.TotalTokens }},
	{"avg_tokens_per_test", "Tokens a test", Tokens, Captured, Lower, "Mean tokens over the tests where they are known.", func(r *LeaderboardRow) any { return &r.AvgTokensPerTest }},
	{"total_cost_usd", "Cost", USD, Captured, Lower, "Sum of the tests' costs; null when any call has no price (spec §3.8).", func(r *LeaderboardRow) any { return &r.TotalCostUSD }},
	{"avg_cost_per_test_usd", "Cost a test", USD, Captured, Lower, "Mean cost over the tests where it is known.", func(r *LeaderboardRow) any { return &r.AvgCostPerTestUSD }},
	{"co2_emissions_g", "CO2", Grams, Captured, Lower, "Greenhouse gas of the energy used, as CO2 equivalent (spec §3.9).", func(r *LeaderboardRow) any { return &r.CO2EmissionsG }},
	{"gpu_utilization_avg", "GPU utilisation, mean", Percent, Captured, Neither, "Mean utilisation over all samples of all GPUs (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUUtilizationAvg }},
	{"gpu_utilization_max", "GPU utilisation, highest", Percent, Captured, Neither, "Highest utilisation of any GPU (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUUtilizationMax }},
	{"gpu_memory_avg_mib", "GPU memory, mean", MiB, Captured, Neither, "Mean over time of the memory used on all GPUs together (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUMemoryAvgMiB }},
	{"gpu_memory_max_mib", "GPU memory, highest", MiB, Captured, Neither, "Most memory used on all GPUs together (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUMemoryMaxMiB }},
	{"gpu_temperature_avg", "GPU temperature, mean", Celsius, Captured, Lower, "Mean temperature over all samples of all GPUs (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUTemperatureAvg }},
	{"gpu_temperature_max", "GPU temperature, highest", Celsius, Captured, Lower, "Highest temperature of any GPU (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUTemperatureMax }},
	{"gpu_power_avg_w", "GPU power, mean", Watts, Captured, Lower, "Mean over time of the power drawn by all GPUs together (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUPowerAvgW }},
	{"notes", "Notes", None, Captured, Neither, "Notes of the leaderboard row, verbatim.", func(r *LeaderboardRow) any { return &r.Notes }},
	{"gen_ai.system", "System", None, Critical, Neither, "Provider of the model by OpenTelemetry's names, the commonest over the traces (spec §2.4).", func(r *LeaderboardRow) any { return &r.System }},
	{"total_prompt_tokens", "Tokens in", Tokens, Critical, Lower, "Sum of the tests' prompt tokens.", func(r *LeaderboardRow) any { return &r.TotalPromptTokens }},
	{"total_completion_tokens", "Tokens out", Tokens, Critical, Lower, "Sum of the tests' completion tokens.", func(r *LeaderboardRow) any { return &r.TotalCompletionTokens }},
	{"avg_prompt_tokens", "Tokens in a test", Tokens, Nice, Lower, "Mean prompt tokens over the tests where they are known.", func(r *LeaderboardRow) any { return &r.AvgPromptTokens }},
	{"avg_completion_tokens", "Tokens out a test", Tokens, Nice, Lower, "Mean completion tokens over the tests where they are known.", func(r *LeaderboardRow) any { return &r.AvgCompletionTokens }},
	{"total_reasoning_tokens", "Reasoning tokens", Tokens, Nice, Neither, "Sum of the tests' reasoning tokens.", func(r *LeaderboardRow) any { return &r.TotalReasoningTokens }},
	{"total_cache_read_tokens", "Cached tokens", Tokens, Nice, Higher, "Sum of the tests' prompt tokens read from cache.", func(r *LeaderboardRow) any { return &r.TotalCacheReadTokens }},
	{"total_cache_write_tokens", "Cache-write tokens", Tokens, Nice, Neither, "Sum of the tests' prompt tokens written to cache.", func(r *LeaderboardRow) any { return &r.TotalCacheWriteTokens }},
	{"total_cost_prompt_usd", "Cost of prompts", USD, Critical, Lower, "Cost of uncached prompt tokens (spec §3.8).", func(r *LeaderboardRow) any { return &r.TotalCostPromptUSD }},
	{"total_cost_completion_usd", "Cost of completions", USD, Critical, Lower, "Cost of visible completion tokens (spec §3.8).", func(r *LeaderboardRow) any { return &r.TotalCostCompletionUSD }},
	{"total_cost_reasoning_usd", "Cost of reasoning", USD, Nice, Lower, "Cost of reasoning tokens (spec §3.8).", func(r *LeaderboardRow) any { return &r.TotalCostReasoningUSD }},
	{"total_cost_cache_read_usd", "Cost of cache reads", USD, Nice, Lower, "Cost of prompt tokens read from cache (spec §3.8).", func(r *LeaderboardRow) any { return &r.TotalCostCacheReadUSD }},
	{"total_cost_cache_write_usd", "Cost of cache writes", USD, Nice, Lower, "Cost of prompt tokens written to cache (spec §3.8).", func(r *LeaderboardRow) any { return &r.TotalCostCacheWriteUSD }},
	{"avg_cost_prompt_per_test_usd", "Cost of prompts a test", USD, Nice, Lower, "Mean prompt cost over the tests with a known cost.", func(r *LeaderboardRow) any { return &r.AvgCostPromptPerTestUSD }},
	{"avg_cost_completion_per_test_usd", "Cost of completions a test", USD, Nice, Lower, "Mean completion cost over the tests with a known cost.", func(r *LeaderboardRow) any { return &r.AvgCostCompletionPerTestUSD }},
	{"avg_ttft_seconds", "TTFT, mean", Seconds, High, Lower, "Mean time to first token over all calls of the run that streamed (spec §3.7).", func(r *LeaderboardRow) any { return &r.AvgTTFTSeconds }},
	{"p50_ttft_seconds", "TTFT p50", Seconds, Nice, Lower, "Median time to first token over the calls that streamed (spec §3.6).", func(r *LeaderboardRow) any { return &r.P50TTFTSeconds }},
	{"p95_ttft_seconds", "TTFT p95", Seconds, Nice, Lower, "95th percentile of time to first token (spec §3.6).", func(r *LeaderboardRow) any { return &r.P95TTFTSeconds }},
	{"p99_ttft_seconds", "TTFT p99", Seconds, Nice, Lower, "99th percentile of time to first token (spec §3.6).", func(r *LeaderboardRow) any { return &r.P99TTFTSeconds }},
	{"avg_tbt_seconds", "Time between tokens", Seconds, Nice, Lower, "Mean time between tokens over the calls that streamed (spec §3.7).", func(r *LeaderboardRow) any { return &r.AvgTBTSeconds }},
	{"common_temperature", "Temperature", None, Nice, Neither, "Commonest temperature over all calls that state one (spec §3.10).", func(r *LeaderboardRow) any { return &r.CommonTemperature }},
	{"common_top_p", "Top p", None, Nice, Neither, "Commonest top_p over all calls that state one (spec §3.10).", func(r *LeaderboardRow) any { return &r.CommonTopP }},
	{"common_max_tokens", "Max tokens", Tokens, Nice, Neither, "Commonest max_tokens over all calls that state one (spec §3.10).", func(r *LeaderboardRow) any { return &r.CommonMaxTokens }},
	{"total_errors", "Errors", Count, High, Lower, "Tests that have an error_type (spec §3.5).", func(r *LeaderboardRow) any { return &r.TotalErrors }},
	{"error_rate", "Error rate", Percent, High, Lower, "100 × total_errors / num_tests.", func(r *LeaderboardRow) any { return &r.ErrorRate }},
	{"error_types", "Error classes", None, Nice, Neither, "Tests per error class, a JSON object with sorted keys; {} when none failed with an error.", func(r *LeaderboardRow) any { return &r.ErrorTypes }},
	{"gpu_memory_total_mib", "GPU memory", MiB, Nice, Neither, "Memory of all GPUs together (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUMemoryTotalMiB }},
	{"gpu_power_max_w", "GPU power, highest", Watts, Nice, Lower, "Highest power drawn by all GPUs together (spec §3.9).", func(r *LeaderboardRow) any { return &r.GPUPowerMaxW }},
	{"total_gpu_energy_wh", "GPU energy", WattHours, Nice, Lower, "Energy the GPUs used (spec §3.9).", func(r *LeaderboardRow) any { return &r.TotalGPUEnergyWh }},
	{"electricity_cost_usd", "Electricity", USD, Nice, Lower, "GPU energy × the tariff that is set (spec §3.9).", func(r *LeaderboardRow) any { return &r.ElectricityCostUSD }},
	{"total_tool_calls", "Tool calls", Count, Nice, Neither, "Tool calls of all tests, without final_answer.", func(r *LeaderboardRow) any { return &r.TotalToolCalls }},
	{"avg_tool_calls_per_test", "Tool calls a test", Count, Nice, Neither, "Tool calls divided by all tests of the run.", func(r *LeaderboardRow) any { return &r.AvgToolCallsPerTest }},
	{"unique_tools_used", "Tools", Count, Nice, Neither, "Different tools called, without final_answer.", func(r *LeaderboardRow) any { return &r.UniqueToolsUsed }},
	{"most_used_tool", "Most used tool", None, Nice, Neither, "Tool called most often; of equals the first by name.", func(r *LeaderboardRow) any { return &r.MostUsedTool }},
	{"smoltrace_version", "SMOLTRACE", None, Critical, Neither, "Version of SMOLTRACE, only where a file states it.", func(r *LeaderboardRow) any { return &r.SmoltraceVersion }},
	{"genai_otel_version", "genai_otel", None, Critical, Neither, "Version of genai_otel_instrument, only where a file states it.", func(r *LeaderboardRow) any { return &r.GenaiOtelVersion }},
	{"smolagents_version", "smolagents", None, Nice, Neither, "Version of smolagents, only where a file states it.", func(r *LeaderboardRow) any { return &r.SmolagentsVersion }},
	{"hf_job_id", "HF job", None, High, Neither, "Id of the Hugging Face job that ran the evaluation.", func(r *LeaderboardRow) any { return &r.HFJobID }},
	{"job_type", "Job type", None, High, Neither, "Kind of machine of the job, such as cpu or gpu_a10 (spec §3.10).", func(r *LeaderboardRow) any { return &r.JobType }},
	{"hardware", "Hardware", None, Nice, Neither, "Hardware of the run, as stated, else count and name of the GPUs seen (spec §3.10).", func(r *LeaderboardRow) any { return &r.Hardware }},
	{"power_cost_total_usd", "Reported power cost", USD, Extra, Lower, "Power cost as genai_otel reports it, which is 3.6 times too high; electricity_cost_usd is ours (spec §3.9).", func(r *LeaderboardRow) any { return &r.PowerCostTotalUSD }},
	{"use_case", "Use case", None, Extra, Neither, "Use case of the leaderboard row, verbatim.", func(r *LeaderboardRow) any { return &r.UseCase }},
	{"team", "Team", None, Extra, Neither, "Team of the leaderboard row, verbatim.", func(r *LeaderboardRow) any { return &r.Team }},
	{"purpose", "Purpose", None, Extra, Neither, "Purpose of the leaderboard row, verbatim.", func(r *LeaderboardRow) any { return &r.Purpose }},
	{"suite_version", "Suite version", None, Extra, Neither, "Version of the suite of tasks, verbatim.", func(r *LeaderboardRow) any { return &r.SuiteVersion }},
	{"cost_source", "Cost source", None, Extra, Neither, "Where the cost comes from, weakest part first: reported, priced, estimated or unknown (spec §3.8).", func(r *LeaderboardRow) any { return &r.CostSource }},
	{"token_coverage", "Token coverage", None, Extra, Neither, "Tests whose tokens are known, of all tests, as known/total.", func(r *LeaderboardRow) any { return &r.TokenCoverage }},
	{"run_id_source", "Run id source", None, Extra, Neither, "reported when a file names the run, synthesized when the id was made from what the files hold.", func(r *LeaderboardRow) any { return &r.RunIDSource }},
	{"wall_clock_ms", "Wall clock", Milliseconds, Extra, Lower, "From the start of the first test to the end of the last.", func(r *LeaderboardRow) any { return &r.WallClockMS }},
	{"data_quality", "Data quality", None, Extra, Neither, "Findings about the run: flags, and stored values that ours replaced.", func(r *LeaderboardRow) any { return &r.DataQuality }},
	{"timestamp", "Time stamp", None, Extra, Neither, "Alias of evaluation_date, which current SMOLTRACE readers use.", func(r *LeaderboardRow) any { return &r.Timestamp }},
	{"total_tests", "Tests (alias)", Count, Extra, Neither, "Alias of num_tests.", func(r *LeaderboardRow) any { return &r.TotalTests }},
	{"idle_gpu_energy_wh", "Idle GPU energy", WattHours, Extra, Lower, "The part of total_gpu_energy_wh that was used while no test ran; with gpu_energy_wh of the tests it makes up the whole.", func(r *LeaderboardRow) any { return &r.IdleGPUEnergyWh }},
}
