package enrich

import (
	"cmp"
	"encoding/hex"

	"smolscope/enrich/attr"
)

// traceRow derives one row of the traces dataset (spec §3.13).
func (e *enricher) traceRow(tr *traced) TraceRow {
	f, row, id := tr.whole, tr.trace.Row, tr.trace.ID.String()
	where := "trace:" + id
	r := &TraceRow{TraceID: id, RunID: e.runID}
	o := traceType.originsOf(&e.provenance, r)
	o.note(provenanceOfRunID(e.runIDSource), e.runIDFrom, &r.RunID)
	joined := e.testOf(tr)

	stated := func(key string) *string { s, _ := row.Str(attr.Field{key}); return text(s) }
	r.AgentType = cmp.Or(stated("agent_type"), text(f.agentType))
	if joined != nil {
		r.TestID, r.TestCaseUID, r.AgentType = text(joined.testID), text(joined.caseID), cmp.Or(r.AgentType, text(joined.agent))
		o.note(Derived, "joined test", &r.TestID, &r.TestCaseUID)
		if m, key := joined.row.Str(attr.Field{"model"}); key != "" {
			r.Model = &m
			o.note(Derived, "joined results row", &r.Model)
		}
	}
	if r.TestID == nil {
		if list := toolList(row.Get("test_ids")); len(list) > 0 {
			r.TestID = &list[0]
		}
	}
	if r.Model == nil && len(f.calls) > 0 {
		r.Model = text(f.calls[0].requestModel)
		o.note(Derived, "request model of the first LLM call", &r.Model)
	}
	if r.Model == nil {
		r.Model = text(e.model)
		o.note(Derived, "model of the run", &r.Model)
	}
	if f.root != nil {
		r.RootSpanID = text(f.root.ID.String())
	}
	o.note(Derived, "earliest TEST span, else the earliest span without a parent", &r.RootSpanID)

	e.traceTokens(r, &o, f, row, where)
	e.traceCost(r, &o, f, row, where)
	e.traceTimes(r, &o, f, row, where)
	e.traceRequests(r, &o, f)
	if len(tr.tests) > 1 {
		e.found.flag(where, FlagMultiTestTrace)
	}
	for flag, n := range map[string]int{FlagOrphanSpans: tr.tree.orphans, FlagSiblingDuplicate: tr.usage.duplicates} {
		if n > 0 {
			e.found.flag(where, flag)
		}
	}
	if f.twice {
		e.found.flag(where, FlagDuplicateExecution)
		e.found.flag("run", FlagDuplicateExecution)
	}
	r.ErrorType = text(f.errorType)
	if joined != nil {
		r.ErrorType = cmp.Or(e.errorOf[joined], r.ErrorType)
	}
	o.note(Derived, "text of the error", &r.ErrorType)
	r.SpanCount, r.LLMCallCount, r.ToolCallCount = int64(len(tr.trace.Spans)), int64(len(f.calls)), int64(len(f.toolCalls))
	if joined != nil && r.ToolCallCount == 0 && len(tr.tests) == 1 {
		names, _ := joined.toolCalls()
		r.ToolCallCount = int64(len(names))
	}
	o.note(Derived, "spans of the trace", &r.SpanCount)
	o.note(Derived, "LLM spans without an LLM span above them", &r.LLMCallCount)
	o.note(Derived, "TOOL spans without final_answer, else tool_call events, else tools_used of the joined row", &r.ToolCallCount)

	r.Spans = SpansOf(tr.trace.Spans)
	r.DataQuality = e.found.column(where, f.bill.findings()...)
	o.note(Derived, "findings about this trace", &r.DataQuality)
	traceType.settle(o, r, id, Origin{Reported, "trace row and spans"})
	return *r
}

// testOf returns the earliest test of a trace, or nil.
func (e *enricher) testOf(tr *traced) *test {
	for _, f := range tr.tests {
		if t := e.testByFacts[f]; t != nil {
			return t
		}
	}
	return nil
}

func (e *enricher) traceTokens(r *TraceRow, o *origins, f *facts, row attr.Set, where string) {
	r.TotalTokens, r.PromptTokens, r.CompletionTokens = f.totalTokens.value(), f.promptTokens.value(), f.completionTokens.value()
	r.ReasoningTokens, r.CacheReadTokens, r.CacheWriteTokens = f.reasoningTokens.value(), f.cacheReadTokens.value(), f.cacheWriteTokens.value()
	r.TokenSource = text(f.tokenSource)
	o.note(Derived, f.tokenReason(), &r.TotalTokens, &r.PromptTokens, &r.CompletionTokens, &r.ReasoningTokens, &r.CacheReadTokens, &r.CacheWriteTokens)
	o.note(Derived, "which spans state tokens", &r.TokenSource)
	if stored, ok := row.Get("total_tokens").Int(); ok && (r.TotalTokens == nil || *r.TotalTokens != stored) {
		e.found.keep(where, "total_tokens", attr.IntValue(stored))
	}
}

func (e *enricher) traceTimes(r *TraceRow, o *origins, f *facts, row attr.Set, where string) {
	r.StartTimeUnixNano, r.EndTimeUnixNano, r.Timestamp = UnixNano(f.start), UnixNano(f.end), f.start
	o.note(Derived, "root span", &r.StartTimeUnixNano, &r.EndTimeUnixNano)
	o.note(Derived, "start of the root span", &r.Timestamp)
	if date, key := row.Str(attr.Field{"timestamp"}); key != "" && e.utc(date) != 0 {
		r.Timestamp = e.utc(date)
		kind, from := e.dateOrigin(date, "trace row")
		o.note(kind, from, &r.Timestamp)
	}
	if f.duration == nil {
		return
	}
	r.TotalDurationMS = new(millis(*f.duration))
	from := "length of the root span"
	if stored, ok := row.Get("total_duration_ms").Float(); ok && differ(stored, *r.TotalDurationMS) {
		e.found.keep(where, "total_duration_ms", row.Get("total_duration_ms"))
		from += "; SMOLTRACE stores the sum of all spans, which counts every nesting level again"
	}
	o.note(Derived, from, &r.TotalDurationMS)
}

func (e *enricher) traceRequests(r *TraceRow, o *origins, f *facts) {
	r.Temperature, _ = agreed(f.calls, func(c *call) *float64 { return c.temperature })
	r.TopP, _ = agreed(f.calls, func(c *call) *float64 { return c.topP })
	r.MaxTokens, _ = agreed(f.calls, func(c *call) *int64 { return c.maxTokens })
	r.FinishReasons, r.ResponseID, r.ResponseModel = f.responses()
	var ttftFrom string
	r.TTFT, ttftFrom = f.firstTTFT()
	r.AvgTBT, _ = f.meanTBT()
	o.note(Reported, ttftFrom, &r.TTFT)
	o.note(Derived, "mean over the LLM calls that streamed", &r.AvgTBT)
	o.note(Derived, "request of the LLM calls", &r.Temperature, &r.TopP, &r.MaxTokens)
	o.note(Derived, "responses of the LLM calls", &r.FinishReasons, &r.ResponseID, &r.ResponseModel)
	var tools []toolDefinition
	for i := range f.calls {
		c := &f.calls[i]
		tools = append(tools, c.tools...)
		if r.System == nil && c.system != "" {
			r.System = &c.system
			o.note(Derived, c.systemFrom+" of the first LLM call that tells", &r.System)
		}
		if r.Provider == nil {
			r.Provider = text(c.provider)
			o.note(Derived, "model and span names of the first LLM call that tells", &r.Provider)
		}
	}
	r.LLMTools = toolsJSON(tools, f.toolNames)
	o.note(Derived, "tool definitions of all LLM calls, by name", &r.LLMTools)
}

// appendSpanRows appends the spans of a trace in waterfall order.
func (e *enricher) appendSpanRows(rows []SpanRow, tr *traced) []SpanRow {
	t, u := tr.tree, tr.usage
	var first Time
	for i := range t.spans {
		if s := t.spans[i].Start; s != 0 && (first == 0 || s < first) {
			first = s
		}
	}
	counted, inTest := make([]bool, len(t.spans)), make([]bool, len(t.spans))
	for _, f := range tr.tests {
		for _, i := range f.counted {
			counted[i] = true
		}
		for _, i := range f.spans {
			inTest[i] = true
		}
	}
	traceID := tr.trace.ID.String()
	times := make([]struct{ offset, duration float64 }, len(t.spans)) // one allocation for all
	ids := make([]string, len(t.spans))
	digits := make([]byte, 0, 16*len(t.spans))
	for i := range t.spans {
		digits = hex.AppendEncode(digits, t.spans[i].ID[:])
	}
	hexes := string(digits)
	for i := range t.spans {
		if t.spans[i].ID != (SpanID{}) {
			ids[i] = hexes[16*i:][:16]
		}
	}
	for seq, i := range t.order {
		s := &t.spans[i]
		r := SpanRow{
			RunID: e.runID, TraceID: traceID, Seq: int64(seq), Depth: int64(t.depth[i]),
			SpanID: ids[i], Children: int64(len(t.children(i))), Name: s.Name, SpanKind: string(t.roles[i]),
			StartTimeUnixNano: UnixNano(s.Start), Status: s.Status.String(), Events: int64(len(s.Events)),
			ErrorType: text(spanErrorType(s)), CostUSD: tr.costs[i], GPUEnergyWh: e.gpu.callEnergy(s),
		}
		if p := t.parent[i]; p >= 0 {
			r.ParentSpanID = known(&ids[p])
		}
		switch t.roles[i] {
		case RoleLLM, RoleEmbedding:
			r.Detail = known(&u.models[i])
		case RoleTool:
			r.Detail = text(toolName(s))
		}
		if s.Start != 0 {
			times[i].offset = float64(s.Start-first) / 1e3
			r.OffsetUS = &times[i].offset
		}
		if d, ok := s.Duration(); ok {
			times[i].duration = float64(d) / 1e3
			r.DurationUS = &times[i].duration
		}
		if n := u.tokens[i]; n.any() {
			r.PromptTokens, r.CompletionTokens, r.TotalTokens = n.prompt, n.completion, n.total
			r.Counted = &counted[i]
			if !counted[i] && !inTest[i] {
				r.NotCountedBecause = new(outsideTests)
			} else if !counted[i] {
				r.NotCountedBecause = text(u.notCounted[i])
			}
		}
		rows = append(rows, r)
	}
	return rows
}
