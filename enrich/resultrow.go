package enrich

import (
	"slices"
	"strings"
	"unicode/utf8"

	"smolscope/enrich/attr"
)

// resultRow derives one row of the results dataset (spec §3.12).
func (e *enricher) resultRow(t *test) ResultRow {
	if t.facts == nil && t.exported != nil {
		return e.exportedRow(t)
	}
	row := &ResultRow{}
	b := &resultBuilder{enricher: e, test: t, row: row, origins: resultType.originsOf(&e.provenance, row)}
	b.identity()
	b.verdict()
	b.answer()
	b.errors()
	if t.facts != nil {
		b.requests(t.facts)
		if t.facts.twice {
			b.raise(FlagDuplicateExecution)
		}
	}
	b.timing()
	b.tokens()
	bill := t.bill()
	b.cost(&bill)
	b.energy()
	r := b.row
	r.TestCaseUID, r.TaskID, r.TotalTokens, r.CostUSD = t.caseID, r.TestID, r.UsageTotalTokens, r.CostTotal
	b.note(Derived, "alias of test_id", &r.TaskID)
	b.note(Derived, "agent_type and test_id", &r.TestCaseUID)
	r.DataQuality = e.found.column(t.where(), append(bill.findings(), attr.KeyValue{Key: "join_method", Value: attr.StringValue(t.method)}, e.gpu.energyFinding(t))...)
	b.note(Derived, "findings about this row", &r.DataQuality)
	b.same(&r.TotalTokens, &r.UsageTotalTokens)
	b.same(&r.CostUSD, &r.CostTotal)
	resultType.settle(b.origins, r, t.caseID, Origin{Reported, "results row"})
	return *r
}

// A resultBuilder fills one results row, group by group of columns.
type resultBuilder struct {
	*enricher
	*test
	origins
	row *ResultRow
}

func (b *resultBuilder) stated(key string) *string {
	v := b.test.row.Get(key)
	if v.IsNull() {
		return nil
	}
	return new(v.Text())
}

// name reads a field that names something, where "None" means nothing.
func (b *resultBuilder) name(key string) *string {
	s, _ := b.test.row.Str(attr.Field{key})
	return text(s)
}

// statedError returns the row's error text, "" for none: false, 0 and empty
// lists are what some writers leave where there was no error.
func (b *resultBuilder) statedError() string {
	v := b.test.row.Get("error")
	if s := v.Text(); v.Kind() != attr.String && (s == "false" || s == "0" || s == "[]" || s == "{}") {
		return ""
	}
	s, _ := v.Str()
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return s
}

func (b *resultBuilder) boolean(key string) *bool {
	if v, ok := b.test.row.Get(key).Bool(); ok {
		return &v
	}
	return nil
}

func (b *resultBuilder) raise(flag string) { b.found.flag(b.where(), flag) }

// replaced keeps what the row states for a column that ours replaces.
func (b *resultBuilder) replaced(column, key string) {
	if v := b.test.row.Get(key); !v.IsNull() {
		b.found.keep(b.where(), column, v)
	}
}

func (b *resultBuilder) identity() {
	r, f := b.row, b.facts
	r.RunID = b.runID
	b.note(provenanceOfRunID(b.runIDSource), b.runIDFrom, &r.RunID)
	r.Model = b.name("model")
	if r.Model == nil {
		r.Model = text(b.model)
		b.note(Derived, "model of the run", &r.Model)
		if f != nil && len(f.calls) > 0 && f.calls[0].requestModel != "" && len(b.run.Leaderboard) == 0 {
			r.Model = &f.calls[0].requestModel
			b.note(Derived, "request model of the first LLM call", &r.Model)
		}
	}
	r.TestID, r.AgentType = b.testID, text(b.agent)
	if b.unnamed {
		b.note(Derived, "place of the row: it names no test", &r.TestID)
	} else if _, key := b.test.row.Str(rowTestID); key == "" {
		b.note(Derived, "root span", &r.TestID)
	}
	if b.test.row.Get("agent_type").IsNull() {
		b.note(Derived, "root span or AGENT span", &r.AgentType)
	}
	r.Difficulty = b.name("difficulty")
	r.Prompt = b.stated("prompt")
	if f != nil {
		if r.Difficulty == nil {
			r.Difficulty = text(f.difficulty)
			b.note(Derived, "root span attribute test.difficulty", &r.Difficulty)
		}
		if r.Prompt == nil && f.task != "" {
			r.Prompt = &f.task
			b.note(Derived, "task in the AGENT span's input.value", &r.Prompt)
		} else if r.Prompt == nil && f.prompt != "" {
			r.Prompt = &f.prompt
			b.note(Derived, "root span attribute prompt, its first 100 characters", &r.Prompt)
			if utf8.RuneCountInString(f.prompt) >= 100 {
				b.raise(FlagPromptTruncated)
			}
		}
	}
	r.EnhancedTraceInfo = b.stated("enhanced_trace_info")
	r.TraceID = text(b.traceID.String())
	if f != nil {
		r.TraceID, r.SpanID = text(f.trace.ID.String()), text(f.root.ID.String())
		b.note(Derived, "joined trace", &r.TraceID, &r.SpanID)
	} else {
		if id, _ := b.test.row.Str(attr.Field{"span_id"}); id != "" {
			span, _ := ParseSpanID(id)
			r.SpanID = text(span.String())
		}
		if len(b.run.Traces) > 0 {
			b.raise(FlagUnjoinedResult)
		}
	}
	date, _ := b.test.row.Str(rowDate)
	r.EvaluationDate = b.utc(date)
	kind, from := b.dateOrigin(date, "results row")
	b.note(kind, from, &r.EvaluationDate)
	if r.EvaluationDate == 0 && f != nil {
		r.EvaluationDate = f.end
		b.note(Derived, "end of the root span", &r.EvaluationDate)
	}
}

func provenanceOfRunID(source string) ProvenanceKind {
	if source == runIDReported {
		return Reported
	}
	return Derived
}

// verdict reads what the row says of success, and mends what SMOLTRACE only
// assigns when the agent returns: on rows with an error its parts are false
// whatever happened (spec §1.2, §3.4, §3.12 rows 8 to 11).
func (b *resultBuilder) verdict() {
	r := b.row
	r.Success = b.boolean("success")
	r.ToolCalled = b.boolean("tool_called")
	r.CorrectTool = b.boolean("correct_tool")
	r.FinalAnswerCalled = b.boolean("final_answer_called")
	r.ResponseCorrect = b.boolean("response_correct")
	if is(r.ToolCalled) && is(r.CorrectTool) && is(r.FinalAnswerCalled) && r.Success == nil && r.ResponseCorrect == nil && b.test.row != nil {
		r.Success = new(true)
		b.raise(FlagSuccessRepaired)
		b.found.keep(b.where(), "success", attr.JSONValue("null"))
		b.note(Repaired, "stored null; tool_called, correct_tool and final_answer_called are true and no keywords were expected, which later builds store as true", &r.Success)
	}
	if b.statedError() == "" {
		return
	}
	b.replaced("tool_called", "tool_called")
	b.replaced("correct_tool", "correct_tool")
	b.replaced("final_answer_called", "final_answer_called")
	b.replaced("response_correct", "response_correct")
	r.CorrectTool, r.ResponseCorrect = nil, nil
	if f := b.facts; f != nil {
		r.ToolCalled, r.FinalAnswerCalled = new(len(f.toolCalls) > 0), new(f.finalAnswer)
		b.note(Repaired, "tool calls in the trace: the row says false whenever the test ended in an error", &r.ToolCalled, &r.FinalAnswerCalled)
		if len(f.toolCalls) > 0 != is(b.boolean("tool_called")) {
			b.raise(FlagToolCalledDerived)
		}
	} else {
		// Without a trace only a true can be believed.
		if !is(r.ToolCalled) {
			r.ToolCalled = nil
		}
		if !is(r.FinalAnswerCalled) {
			r.FinalAnswerCalled = nil
		}
	}
	// What agrees with the row was not replaced.
	for column, v := range map[string]*bool{"tool_called": r.ToolCalled, "final_answer_called": r.FinalAnswerCalled} {
		if v != nil && b.boolean(column) != nil && *v == *b.boolean(column) {
			b.found.drop(b.where(), column)
		}
	}
}

func is(v *bool) bool { return v != nil && *v }

func (b *resultBuilder) answer() {
	r, f := b.row, b.facts
	r.ToolsUsed = toolList(b.test.row.Get("tools_used"))
	if b.test.row == nil {
		b.note(Derived, "no tool calls in the trace", &r.ToolsUsed)
	}
	if len(r.ToolsUsed) == 0 && f != nil && len(f.toolCalls) > 0 {
		r.ToolsUsed = unique(f.toolCalls)
		b.raise(FlagToolsDerived)
		b.note(Derived, "TOOL spans, in order of first use", &r.ToolsUsed)
	}
	failed := b.statedError() != ""
	if n, ok := b.test.row.Get("steps").Int(); ok && !(n == 0 && failed) {
		r.Steps = &n
	} else if f != nil && f.hasSteps {
		r.Steps = &f.steps
		b.note(Derived, "step events of the trace: ActionStep, PlanningStep and FinalAnswerStep", &r.Steps)
		if ok {
			b.raise(FlagStepsDerived)
			b.replaced("steps", "steps")
		}
	}
	r.Response = b.stated("response")
	if failed && r.Response != nil && *r.Response == "None" {
		r.Response = nil
	}
}

// toolList reads tools_used, which may also be a comma-joined text.
func toolList(v attr.Value) []string {
	list := v.Strings()
	if len(list) == 1 && v.Kind() == attr.String {
		list = splitComma(list[0])
	}
	if list == nil {
		list = []string{}
	}
	return list
}

func (b *resultBuilder) errors() {
	r, f := b.row, b.facts
	var said string
	if said = b.statedError(); said != "" {
		r.Error = new(said)
	}
	if f != nil && f.errorType != "" {
		if r.Error == nil {
			r.Error = text(exceptionMessage(f.root))
			b.note(Derived, "exception on the root span", &r.Error)
		}
		said += "\n" + f.errorText
	}
	switch class := ErrorType(said); {
	case class != "":
		r.ErrorType = &class
		b.note(Derived, "text of the error", &r.ErrorType)
	case f == nil:
	case f.errorType != "":
		r.ErrorType = &f.errorType
		b.note(Derived, "status of the root span", &r.ErrorType)
	case f.gaveUp && !is(r.Success):
		r.ErrorType = new(ErrMaxSteps)
		b.note(Derived, "one ActionStep more than smolagents.max_steps allows", &r.ErrorType)
	case f.lastStepError != "" && r.Success != nil && !*r.Success:
		r.ErrorType = &f.lastStepError
		b.note(Derived, "error of the agent's last step", &r.ErrorType)
	}
}

func (b *resultBuilder) requests(f *facts) {
	r := b.row
	var vary [5]bool
	r.Temperature, vary[0] = agreed(f.calls, func(c *call) *float64 { return c.temperature })
	r.TopP, vary[1] = agreed(f.calls, func(c *call) *float64 { return c.topP })
	r.MaxTokens, vary[2] = agreed(f.calls, func(c *call) *int64 { return c.maxTokens })
	r.FrequencyPenalty, vary[3] = agreed(f.calls, func(c *call) *float64 { return c.frequencyPenalty })
	r.PresencePenalty, vary[4] = agreed(f.calls, func(c *call) *float64 { return c.presencePenalty })
	if slices.Contains(vary[:], true) {
		b.raise(FlagParamsVary)
	}
	if r.Temperature == nil && slices.ContainsFunc(f.calls, func(c call) bool { return c.truncated }) {
		b.raise(FlagParametersTruncated)
	}
	r.FinishReasons, r.ResponseID, r.ResponseModel = f.responses()
	var ttftFrom string
	r.TTFT, ttftFrom = f.firstTTFT()
	b.note(Reported, ttftFrom, &r.TTFT)
	var fromChunks bool
	if r.TBT, fromChunks = f.meanTBT(); fromChunks {
		b.raise(FlagTBTFromChunks)
	}
	b.note(Derived, "mean over the LLM calls that streamed", &r.TBT)
	b.note(Derived, "request of the test's LLM calls", &r.Temperature, &r.TopP, &r.MaxTokens, &r.FrequencyPenalty, &r.PresencePenalty)
	b.note(Derived, "responses of the test's LLM calls", &r.FinishReasons, &r.ResponseID, &r.ResponseModel)
}

func (b *resultBuilder) timing() {
	r, f := b.row, b.facts
	summary := &b.test.stored
	stored, key := b.test.row.Float(attr.Field{"execution_time_ms"})
	if key == "" && summary.DurationMS != nil {
		stored = *summary.DurationMS
	}
	if f != nil {
		r.StartTime, r.EndTime = f.start, f.end
		r.StartTimeUnixNano, r.EndTimeUnixNano = UnixNano(f.start), UnixNano(f.end)
		b.note(Derived, "root span", &r.StartTime, &r.EndTime, &r.StartTimeUnixNano, &r.EndTimeUnixNano)
		if f.duration != nil {
			r.ExecutionTimeMS = new(millis(*f.duration))
			from := "length of the root span"
			if differ(stored, *r.ExecutionTimeMS) && stored > 0 {
				b.found.keep(b.where(), "execution_time_ms", attr.FloatValue(stored))
				from += "; SMOLTRACE stores the sum of all spans, which counts every nesting level again"
			}
			b.note(Derived, from, &r.ExecutionTimeMS)
			return
		}
	}
	if stored > 0 {
		r.ExecutionTimeMS = &stored
		b.raise(FlagDurationInflated)
		b.raise(FlagStoredSummary)
		b.note(Reported, "results row, unverified: without a trace only SMOLTRACE's sum of all spans is known", &r.ExecutionTimeMS)
	}
}

func (b *resultBuilder) tokens() {
	r, f := b.row, b.facts
	summary := &b.test.stored
	stored, key := b.test.row.Int(attr.Field{"total_tokens"})
	if key == "" && summary.TotalTokens != nil {
		stored, key = *summary.TotalTokens, "enhanced_trace_info"
	}
	if f != nil {
		r.PromptTokens, r.CompletionTokens, r.UsageTotalTokens = f.promptTokens.value(), f.completionTokens.value(), f.totalTokens.value()
		r.ReasoningTokens, r.CacheReadTokens, r.CacheWriteTokens = f.reasoningTokens.value(), f.cacheReadTokens.value(), f.cacheWriteTokens.value()
		r.TokenSource = text(f.tokenSource)
		b.note(Derived, f.tokenReason(), &r.PromptTokens, &r.CompletionTokens, &r.UsageTotalTokens, &r.ReasoningTokens, &r.CacheReadTokens, &r.CacheWriteTokens)
		b.note(Derived, "which spans state tokens", &r.TokenSource)
		if key != "" && (r.UsageTotalTokens == nil || *r.UsageTotalTokens != stored) {
			b.found.keep(b.where(), "gen_ai.usage.total_tokens", attr.IntValue(stored))
		}
		return
	}
	if stored > 0 {
		r.UsageTotalTokens, r.TokenSource = &stored, new(tokenStored)
		b.raise(FlagStoredSummary)
		b.note(Reported, "results row, unverified: SMOLTRACE adds nested spans again", &r.UsageTotalTokens)
		b.note(Derived, "no trace", &r.TokenSource)
	}
}

// responses gathers what the calls of a test got: why each stopped, in order,
// and id and model of the last one that has them (spec §3.10).
func (f *facts) responses() (reasons []string, id, model *string) {
	for i := range f.calls {
		c := &f.calls[i]
		reasons = append(reasons, c.finishReasons...)
		if c.responseID != "" {
			id = &c.responseID
		}
		if c.responseModel != "" {
			model = &c.responseModel
		}
	}
	return reasons, id, model
}

// differ reports whether two values differ by more than SMOLTRACE's rounding
// to two decimals.
func differ(a, b float64) bool {
	d := max(a-b, b-a)
	return d > 0.0051 && d > 1e-9*max(a, -a)
}

func splitComma(s string) []string {
	var list []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
