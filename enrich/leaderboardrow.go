package enrich

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"smolscope/enrich/attr"
	"smolscope/enrich/price"
)

// leaderboardRow derives the row of the leaderboard (spec §3.15) from the rows
// of the other datasets. The numbers of a stored row serve only where there is
// nothing to derive them from (spec §3 G1).
func (e *enricher) leaderboardRow(t *Tables) LeaderboardRow {
	row := &LeaderboardRow{}
	b := &leaderboardBuilder{enricher: e, tables: t, row: row, origins: leaderboardType.originsOf(&e.provenance, row), stated: e.run.Leaderboard}
	b.identity()
	b.setting()
	b.verdicts()
	b.work()
	b.tokens()
	b.cost()
	b.latency()
	b.requests()
	b.tools()
	b.energy()
	b.storedSummary()
	b.compareStored()
	r := b.row
	r.Timestamp, r.TotalTests = r.EvaluationDate, r.NumTests
	b.note(Derived, "alias of evaluation_date", &r.Timestamp)
	b.note(Derived, "alias of num_tests", &r.TotalTests)
	r.DataQuality = e.found.column("run", append(e.bill.findings(),
		attr.KeyValue{Key: "producer_era", Value: attr.StringValue(e.producerEra())},
		attr.KeyValue{Key: "streamed_calls", Value: attr.StringValue(b.streamed)},
		label("energy", e.gpu.unattributed()), label("unjoined_traces", e.unjoinedText()))...)
	b.note(Derived, "findings about the run", &r.DataQuality)
	leaderboardType.settle(b.origins, r, "run", Origin{Reported, "leaderboard row"})
	return *r
}

// A leaderboardBuilder fills the leaderboard row, group by group of columns.
type leaderboardBuilder struct {
	*enricher
	origins
	tables *Tables
	row    *LeaderboardRow
	stated attr.Set // the stored leaderboard row

	streamed string // LLM calls that streamed, of all, as "12/50"
}

// text reads a field of the leaderboard row, else of the metadata.
func (b *leaderboardBuilder) text(keys ...string) *string {
	s, key := b.stated.Str(attr.Field(keys))
	if key == "" {
		s, _ = b.run.Metadata.Str(attr.Field(keys))
	}
	return text(s)
}

func (b *leaderboardBuilder) identity() {
	r := b.row
	r.RunID, r.RunIDSource = b.runID, b.runIDSource
	b.note(provenanceOfRunID(b.runIDSource), b.runIDFrom, &r.RunID)
	b.note(Derived, "whether a file names the run", &r.RunIDSource)
	r.Model = text(b.model)
	if b.stated.Get("model").IsNull() {
		b.note(Derived, "commonest model of the results, else of the metadata, else of the LLM calls", &r.Model)
	}
	r.AgentType = b.text("agent_type")
	b.note(Reported, "leaderboard row, else metadata", &r.AgentType)
	if r.AgentType == nil {
		var agents []string
		for i := range b.tables.Results {
			if a := b.tables.Results[i].AgentType; a != nil {
				agents = append(agents, *a)
			}
		}
		if agents = unique(agents); len(agents) == 1 {
			r.AgentType = &agents[0]
		} else if len(agents) > 1 {
			r.AgentType = new("both")
		}
		b.note(Derived, "agent types of the results", &r.AgentType)
	}
	b.date()
	if s := b.text("submitted_by"); s != nil && *s != "unknown" {
		r.SubmittedBy = s
	}
	r.ResultsDataset, r.TracesDataset, r.MetricsDataset = b.text("results_dataset", "results_index"), b.text("traces_dataset", "traces_index"), b.text("metrics_dataset", "metrics_index")
	r.DatasetUsed, r.Notes = b.text("dataset_used"), b.text("notes")
	b.note(Reported, "leaderboard row, else metadata", &r.DatasetUsed)
	r.UseCase, r.Team, r.Purpose, r.SuiteVersion = b.text("use_case"), b.text("team"), b.text("purpose"), b.text("suite_version")
}

func (b *leaderboardBuilder) date() {
	r := b.row
	for _, from := range []struct {
		set  attr.Set
		name string
	}{{b.stated, "leaderboard row"}, {b.run.Metadata, "metadata"}} {
		if date, key := from.set.Str(rowDate); key != "" && b.utc(date) != 0 {
			r.EvaluationDate = b.utc(date)
			kind, reason := b.dateOrigin(date, from.name)
			b.note(kind, reason, &r.EvaluationDate)
			return
		}
	}
	for i := range b.tables.Results {
		r.EvaluationDate = max(r.EvaluationDate, b.tables.Results[i].EvaluationDate)
	}
	b.note(Derived, "latest date of the results", &r.EvaluationDate)
	if r.EvaluationDate == 0 {
		for _, tr := range b.traces {
			r.EvaluationDate = max(r.EvaluationDate, tr.whole.end)
		}
		b.note(Derived, "end of the last span", &r.EvaluationDate)
	}
}

// setting fills what the run ran on: provider, versions, hardware (spec §3.10).
func (b *leaderboardBuilder) setting() {
	r := b.row
	var systems, providers []string
	for i := range b.tables.Traces {
		if s := b.tables.Traces[i].System; s != nil {
			systems = append(systems, *s)
		}
		if s := b.tables.Traces[i].Provider; s != nil {
			providers = append(providers, *s)
		}
	}
	r.System = mode(systems)
	b.note(Derived, "commonest system of the traces", &r.System)
	if r.System == nil {
		r.System = text(price.Seller(b.model))
		b.note(Derived, "model name", &r.System)
	}
	stated, evidence := b.text("provider"), mode(providers)
	local := r.ResultsDataset != nil && strings.HasPrefix(*r.ResultsDataset, "local:")
	r.Provider = stated
	if evidence != nil && (stated == nil || local) {
		r.Provider = evidence
		b.note(Derived, "models and names of the LLM spans", &r.Provider)
		if stated != nil && *stated != *evidence {
			b.found.flag("run", FlagProviderOverridden)
			b.found.keep("run", "provider", attr.StringValue(*stated))
		}
	}
	r.SmoltraceVersion = cmp.Or(b.text("smoltrace_version"), b.resource(attr.SmoltraceVersion))
	r.GenaiOtelVersion = cmp.Or(b.text("genai_otel_version"), b.genaiOTelVersion())
	r.SmolagentsVersion = cmp.Or(b.text("smolagents_version"), b.resource(attr.SmolagentsVersion))
	r.HFJobID = cmp.Or(b.text("hf_job_id"), b.resource(attr.JobID))
	b.note(Reported, "leaderboard row, else resource attributes", &r.SmoltraceVersion, &r.GenaiOtelVersion, &r.SmolagentsVersion, &r.HFJobID)
	gpus := b.gpuNames()
	r.Hardware, r.JobType = b.text("hardware"), b.text("job_type")
	if r.Hardware == nil && len(gpus) > 0 {
		r.Hardware = new(strings.Join(gpus, " + "))
		b.note(Derived, "gpu_id and gpu_name of the GPU metrics", &r.Hardware)
	}
	if r.JobType == nil && len(gpus) > 0 {
		if r.JobType = jobType(strings.Join(gpus, " ")); r.JobType != nil {
			b.found.flag("run", FlagJobTypeInferred)
			b.note(Derived, "gpu_name of the GPU metrics", &r.JobType)
		}
	}
}

// resource returns the first resource attribute of the field over the run's
// spans and samples.
func (b *leaderboardBuilder) resource(f attr.Field) *string {
	for _, res := range b.resources() {
		if v, key := res.Attrs.Str(f); key != "" {
			return &v
		}
	}
	return nil
}

func (b *leaderboardBuilder) resources() []*Resource {
	var list []*Resource
	for _, tr := range b.traces {
		for i := range tr.trace.Spans {
			if r := tr.trace.Spans[i].Resource; r != nil && (len(list) == 0 || list[len(list)-1] != r) {
				list = append(list, r)
			}
		}
	}
	for _, m := range b.run.Metrics {
		for _, s := range m.Samples {
			if s.Resource != nil && (len(list) == 0 || list[len(list)-1] != s.Resource) {
				list = append(list, s.Resource)
			}
		}
	}
	return list
}

func (b *leaderboardBuilder) genaiOTelVersion() *string {
	for _, res := range b.resources() {
		if name, _ := res.Attrs.Str(attr.AutoName); name == "genai-otel-instrument" {
			if v, key := res.Attrs.Str(attr.AutoVersion); key != "" {
				return &v
			}
		}
	}
	return nil
}

// gpuNames lists the GPUs of the run's metrics as "2x NVIDIA H100".
func (b *leaderboardBuilder) gpuNames() []string {
	ids := map[string]map[string]bool{}
	for _, m := range b.run.Metrics {
		for _, s := range m.Samples {
			name, _ := s.Attrs.Str(attr.Field{"gpu_name"})
			if name == "" {
				continue
			}
			id, _ := s.Attrs.Str(attr.Field{"gpu_id"})
			if ids[name] == nil {
				ids[name] = map[string]bool{}
			}
			ids[name][id] = true
		}
	}
	var list []string
	for name, gpus := range ids {
		list = append(list, fmt.Sprintf("%dx %s", len(gpus), name))
	}
	slices.Sort(list)
	return list
}

// jobType infers Hugging Face's kind of job from the name of a GPU (spec §3.10).
func jobType(gpu string) *string {
	words := strings.FieldsFunc(strings.ToUpper(gpu), func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	})
	for _, known := range []string{"H200", "H100", "A100", "A10", "L40S", "L40", "L4", "T4"} {
		if slices.Contains(words, known) || known == "A10" && slices.Contains(words, "A10G") {
			return new("gpu_" + strings.ToLower(known))
		}
	}
	return nil
}

// verdicts counts tests, passes and errors (spec §3.4, §3.5).
func (b *leaderboardBuilder) verdicts() {
	r, results := b.row, b.tables.Results
	r.NumTests = int64(len(results))
	b.note(Derived, "tests of the run", &r.NumTests)
	if len(results) == 0 {
		if n, key := b.stated.Int(rowTests); key != "" {
			r.NumTests = n
			b.note(Reported, "leaderboard row", &r.NumTests)
		} else if n, key := b.run.Metadata.Int(rowTests); key != "" {
			r.NumTests = n
			b.note(Reported, "metadata", &r.NumTests)
		}
		return
	}
	var passed, failed, errors int64
	types := map[string]int64{}
	scored := false
	for i := range results {
		switch s := results[i].Success; {
		case s == nil:
		case *s:
			passed++
			scored = true
		default:
			failed++
			scored = true
		}
		if class := results[i].ErrorType; class != nil {
			errors++
			types[*class]++
		}
	}
	if scored {
		r.SuccessfulTests, r.FailedTests = &passed, &failed
		r.SuccessRate = new(100 * float64(passed) / float64(len(results)))
	}
	r.TotalErrors, r.ErrorRate = &errors, new(100*float64(errors)/float64(len(results)))
	encoded, _ := json.Marshal(types) // cannot fail: keys are sorted strings, values integers
	r.ErrorTypes = JSON(encoded)
	repaired := 0
	for where := range b.found.flags {
		if b.found.flags[where][FlagSuccessRepaired] {
			repaired++
		}
	}
	if repaired > 0 {
		b.note(Repaired, fmt.Sprintf("tests with success true, %d of them repaired: their stored verdict is null although every part of it held", repaired), &r.SuccessfulTests, &r.SuccessRate)
	} else {
		b.note(Derived, "tests with success true", &r.SuccessfulTests, &r.SuccessRate)
	}
	b.note(Derived, "tests with success false", &r.FailedTests)
	b.note(Derived, "error classes of the tests", &r.TotalErrors, &r.ErrorRate, &r.ErrorTypes)
}

// maxMillis is a century: no test takes longer, and beyond it nanoseconds overflow.
const maxMillis = 100 * 365 * 24 * 3600e3

// work sums steps and durations.
func (b *leaderboardBuilder) work() {
	r, results := b.row, b.tables.Results
	if len(results) == 0 {
		return
	}
	var steps sum[int64]
	var ns sum[int64]
	var first, last Time
	for i := range results {
		steps.add(results[i].Steps)
		if d := results[i].ExecutionTimeMS; d != nil && *d < maxMillis {
			ns.add(new(int64(*d*1e6 + 0.5))) // whole nanoseconds, so that the sum does not depend on the order
		}
		if s := results[i].StartTime; s != 0 && (first == 0 || s < first) {
			first = s
		}
		last = max(last, results[i].EndTime)
	}
	if steps.known > 0 {
		r.AvgSteps = new(float64(steps.total) / float64(len(results)))
		b.note(Derived, fmt.Sprintf("%d steps in %s", steps.total, plural(len(results), "test")), &r.AvgSteps)
	}
	if ns.known > 0 {
		r.TotalDurationMS = new(millis(ns.total))
		r.AvgDurationMS = new(millis(ns.total) / float64(ns.known))
		from := "lengths of the root spans of " + plural(ns.known, "test")
		if b.producerEra() != "" {
			from += "; SMOLTRACE adds up all spans, which counts every nesting level again"
		}
		if b.anyTestHas(FlagDurationInflated) {
			from = fmt.Sprintf("times of %s; without traces, those of SMOLTRACE, which counts every nesting level again", plural(ns.known, "test"))
			b.found.flag("run", FlagDurationInflated)
		}
		b.note(Derived, from, &r.TotalDurationMS, &r.AvgDurationMS)
	}
	if first != 0 && last >= first {
		r.WallClockMS = new(millis(int64(last - first)))
		b.note(Derived, "start of the first test to the end of the last", &r.WallClockMS)
	}
}

// anyTestHas reports whether a flag was raised at any test.
func (b *leaderboardBuilder) anyTestHas(flag string) bool {
	return slices.ContainsFunc(b.tests, func(t *test) bool { return b.found.flags[t.where()][flag] })
}

func (b *leaderboardBuilder) tokens() {
	r, results := b.row, b.tables.Results
	if len(results) == 0 {
		return
	}
	var total, prompt, completion, reasoning, read, write sum[int64]
	stored := false
	for i := range results {
		t := &results[i]
		total.add(t.UsageTotalTokens)
		prompt.add(t.PromptTokens)
		completion.add(t.CompletionTokens)
		reasoning.add(t.ReasoningTokens)
		read.add(t.CacheReadTokens)
		write.add(t.CacheWriteTokens)
		stored = stored || t.TokenSource != nil && *t.TokenSource == tokenStored
	}
	r.TotalTokens, r.TotalPromptTokens, r.TotalCompletionTokens = total.value(), prompt.value(), completion.value()
	r.TotalReasoningTokens, r.TotalCacheReadTokens, r.TotalCacheWriteTokens = reasoning.value(), read.value(), write.value()
	r.AvgTokensPerTest, r.AvgPromptTokens, r.AvgCompletionTokens = total.mean(), prompt.mean(), completion.mean()
	r.TokenCoverage = new(fmt.Sprintf("%d/%d", total.known, len(results)))
	b.note(Derived, "tests with known tokens / tests", &r.TokenCoverage)
	b.note(Derived, b.withUnjoined(b.tokenReason(total.known)), &r.TotalTokens)
	b.note(Derived, fmt.Sprintf("sum over the %s whose tokens are known", plural(total.known, "test")),
		&r.TotalPromptTokens, &r.TotalCompletionTokens, &r.TotalReasoningTokens, &r.TotalCacheReadTokens, &r.TotalCacheWriteTokens)
	b.note(Derived, "mean over the tests whose tokens are known", &r.AvgTokensPerTest, &r.AvgPromptTokens, &r.AvgCompletionTokens)
	if stored {
		b.found.flag("run", FlagStoredSummary)
		b.note(Derived, b.withUnjoined(b.tokenReason(total.known)+"; where a test has no trace, as SMOLTRACE states them"), &r.TotalTokens)
	}
}

// tokenReason says why the run's tokens are what they are, and what was left out.
func (b *leaderboardBuilder) tokenReason(known int) string {
	leaves, rolledUp, uncounted := 0, 0, int64(0)
	for _, t := range b.tests {
		if t.facts != nil {
			leaves += t.facts.leaves
			uncounted += t.facts.uncounted
			if t.facts.tokenSource == tokenRollUp {
				rolledUp++
			}
		}
	}
	reason := fmt.Sprintf("sum over %s", plural(known, "test"))
	if leaves > 0 {
		reason += fmt.Sprintf(", %s counted once each", plural(leaves, "LLM call span"))
	}
	if rolledUp > 0 {
		reason += fmt.Sprintf("; for %s the roll-up of its outermost AGENT span", plural(rolledUp, "test"))
	}
	if uncounted > 0 {
		reason += fmt.Sprintf("; %s tokens are left out because AGENT and outer spans only repeat what those calls used", compact(uncounted))
	}
	return reason
}

// unjoinedText says how much of the run's traces its sums leave out, for they
// are of its tests; "" for nothing.
func (e *enricher) unjoinedText() string {
	if len(e.unjoined) == 0 {
		return ""
	}
	var tokens sum[int64]
	var cost bill
	calls := 0
	for _, f := range e.unjoined {
		tokens.add(f.totalTokens.value())
		cost.add(&f.bill)
		calls += len(f.calls)
	}
	text := fmt.Sprintf("%s without a results row left out, with %s", plural(len(e.unjoined), "traced test"), plural(calls, "LLM call"))
	if tokens.known > 0 {
		text += fmt.Sprintf(", %s tokens", compact(tokens.total))
	}
	if cost.priced > 0 {
		text += fmt.Sprintf(", %s USD", brief(cost.total))
		if cost.partial() {
			text += " or more"
		}
	}
	return text
}

// withUnjoined puts behind a reason what a sum leaves out.
func (e *enricher) withUnjoined(reason string) string {
	if left := e.unjoinedText(); left != "" {
		reason += "; " + left
	}
	return reason
}

// latency summarises the calls of the run, not its tests (spec §3.7).
func (b *leaderboardBuilder) latency() {
	r := b.row
	var ttft []float64
	var tbt, mean sum[float64]
	calls, streamed := 0, 0
	for _, tr := range b.traces {
		for i := range tr.whole.calls {
			c := &tr.whole.calls[i]
			calls++
			if c.streamed {
				streamed++
			}
			tbt.add(c.latency.tbt)
			mean.add(c.latency.ttft)
			if c.latency.ttft != nil {
				ttft = append(ttft, *c.latency.ttft)
			}
		}
	}
	slices.Sort(ttft)
	r.AvgTTFTSeconds, r.AvgTBTSeconds = mean.mean(), tbt.mean()
	r.P50TTFTSeconds, r.P95TTFTSeconds, r.P99TTFTSeconds = Percentile(ttft, 0.5), Percentile(ttft, 0.95), Percentile(ttft, 0.99)
	b.note(Derived, fmt.Sprintf("%d of %s have a time to first token", len(ttft), plural(calls, "LLM call")),
		&r.AvgTTFTSeconds, &r.P50TTFTSeconds, &r.P95TTFTSeconds, &r.P99TTFTSeconds)
	b.note(Derived, fmt.Sprintf("%d of %s have a time between tokens", tbt.known, plural(calls, "LLM call")), &r.AvgTBTSeconds)
	if calls > 0 {
		b.streamed = fmt.Sprintf("%d/%d", streamed, calls)
	}
}

// requests takes the commonest parameters over all calls that state them, of
// equals the one seen first (spec §3.10 common_*).
func (b *leaderboardBuilder) requests() {
	r := b.row
	var temperature, topP []float64
	var maxTokens []int64
	for _, tr := range b.traces {
		for i := range tr.whole.calls {
			c := &tr.whole.calls[i]
			if c.temperature != nil {
				temperature = append(temperature, *c.temperature)
			}
			if c.topP != nil {
				topP = append(topP, *c.topP)
			}
			if c.maxTokens != nil {
				maxTokens = append(maxTokens, *c.maxTokens)
			}
		}
	}
	r.CommonTemperature, r.CommonTopP, r.CommonMaxTokens = mode(temperature), mode(topP), mode(maxTokens)
	b.note(Derived, "commonest over the LLM calls that state it", &r.CommonTemperature, &r.CommonTopP, &r.CommonMaxTokens)
}

// tools counts the tool calls of all tests, and of traces that no test claims.
func (b *leaderboardBuilder) tools() {
	r := b.row
	counts := map[string]int{}
	var total sum[int64]
	count := func(names []string, known bool) {
		if known {
			total.add(new(int64(len(names))))
		}
		for _, name := range names {
			counts[name]++
		}
	}
	for _, t := range b.tests {
		count(t.toolCalls())
	}
	for _, tr := range b.traces {
		if b.testOf(tr) == nil && len(tr.trace.Spans) > 0 {
			count(tr.whole.toolCalls, true)
		}
	}
	if total.known == 0 {
		return
	}
	r.TotalToolCalls, r.UniqueToolsUsed = total.value(), new(int64(len(counts)))
	if r.NumTests > 0 {
		r.AvgToolCallsPerTest = new(float64(total.total) / float64(r.NumTests))
	}
	best := ""
	for name, n := range counts {
		if best == "" || n > counts[best] || n == counts[best] && name < best {
			best = name
		}
	}
	r.MostUsedTool = text(best)
	b.note(Derived, "TOOL spans of the tests, else their tool_call events, else tools_used; without final_answer", &r.TotalToolCalls, &r.UniqueToolsUsed, &r.AvgToolCallsPerTest, &r.MostUsedTool)
}

// storedSummary takes from the stored row what nothing else tells. Its zeros
// are mostly unknowns (spec §3.11).
func (b *leaderboardBuilder) storedSummary() {
	r := b.row
	used := false
	number := func(dst **float64, zeroIsKnown bool, keys ...string) {
		if v, key := b.stated.Float(attr.Field(keys)); *dst == nil && key != "" && (v > 0 || zeroIsKnown) {
			*dst = &v
			b.note(Reported, "leaderboard row, unverified: nothing here to check it against", dst)
			used = true
		}
	}
	count := func(dst **int64, zeroIsKnown bool, keys ...string) {
		if v, key := b.stated.Int(attr.Field(keys)); *dst == nil && key != "" && (v > 0 || zeroIsKnown) {
			*dst = &v
			b.note(Reported, "leaderboard row, unverified: nothing here to check it against", dst)
			used = true
		}
	}
	if len(b.tables.Results) == 0 {
		count(&r.SuccessfulTests, true, "successful_tests")
		count(&r.FailedTests, true, "failed_tests")
		number(&r.SuccessRate, true, "success_rate")
		number(&r.AvgSteps, false, "avg_steps")
		number(&r.AvgDurationMS, false, "avg_duration_ms")
		number(&r.TotalDurationMS, false, "total_duration_ms")
		count(&r.TotalTokens, false, "total_tokens")
		number(&r.AvgTokensPerTest, false, "avg_tokens_per_test")
		number(&r.TotalCostUSD, false, "total_cost_usd")
		number(&r.AvgCostPerTestUSD, false, "avg_cost_per_test_usd")
		if r.TotalCostUSD != nil && r.CostSource == nil {
			r.CostSource = new(costReported)
		}
		if used && r.AvgDurationMS != nil {
			b.found.flag("run", FlagDurationInflated)
		}
	}
	number(&r.GPUMemoryAvgMiB, false, "gpu_memory_avg_mib")
	number(&r.GPUMemoryMaxMiB, false, "gpu_memory_max_mib")
	number(&r.GPUTemperatureAvg, false, "gpu_temperature_avg")
	number(&r.GPUTemperatureMax, false, "gpu_temperature_max")
	number(&r.GPUPowerAvgW, false, "gpu_power_avg_w")
	hasGPU := r.GPUMemoryAvgMiB != nil || r.GPUTemperatureAvg != nil || r.GPUPowerAvgW != nil
	number(&r.GPUUtilizationAvg, hasGPU, "gpu_utilization_avg") // a GPU may well be idle
	number(&r.GPUUtilizationMax, hasGPU, "gpu_utilization_max")
	if used {
		b.found.flag("run", FlagStoredSummary)
	}
	number(&r.PowerCostTotalUSD, false, "power_cost_total_usd")
	if r.PowerCostTotalUSD != nil {
		b.found.flag("run", FlagPowerCost)
	}
}

// storedNames gives the columns that older leaderboard rows name otherwise.
var storedNames = map[string]attr.Field{
	"num_tests":       rowTests,
	"co2_emissions_g": {"co2_emissions_g", "total_co2_g"},
}

// compareStored keeps the stored numbers that ours differ from (spec §3 G3).
func (b *leaderboardBuilder) compareStored() {
	for _, c := range LeaderboardColumns {
		if c.Priority == Extra && c.Name != "power_cost_total_usd" {
			continue
		}
		field, ok := storedNames[c.Name]
		if !ok {
			field = attr.Field{c.Name}
		}
		stored, key := b.stated.Float(field)
		if key == "" {
			continue
		}
		differs := differ
		if c.Unit == USD {
			differs = costsDiffer
		}
		if ours, known := Number(c.Ptr(b.row)); !known || differs(stored, ours) {
			b.found.keep("run", c.Name, b.stated.Get(key))
		}
	}
}

// producerEra tells which SMOLTRACE wrote the files, by their shape (spec
// §1.11); it is a guess for diagnostics, never a version.
func (e *enricher) producerEra() string {
	if e.run.named.era != "" {
		return e.run.named.era
	}
	has := func(key string) bool {
		return slices.ContainsFunc(e.run.Results, func(r result) bool { return r.exported == nil && !r.Get(key).IsNull() })
	}
	_, useCase := e.run.Leaderboard.Str(attr.Field{"use_case"})
	twice := slices.ContainsFunc(e.traces, func(tr *traced) bool { return tr.whole.twice })
	switch {
	case has("test_case_uid"):
		return "SMOLTRACE 0.1.1 or later"
	case useCase != "":
		return "SMOLTRACE 0.1.0 or later"
	case has("task_id"):
		return "SMOLTRACE of 2025-10-27 or later"
	case has("test_id") && slices.ContainsFunc(e.run.Traces, func(t *Trace) bool { return validRunID(t.Row) != "" }):
		return "SMOLTRACE of 2025-10-24 to 26"
	case has("test_id"):
		return "SMOLTRACE 0.0.1 or earlier"
	case twice:
		return "SMOLTRACE before 0.0.13"
	}
	return ""
}
