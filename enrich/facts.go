package enrich

import (
	"encoding/json"
	"fmt"
	"slices"

	"smolscope/enrich/attr"
)

// facts is all that the spans of one test tell: a whole trace, or the subtree
// of one TEST span where a trace holds several.
type facts struct {
	trace *Trace
	root  *Span
	spans []int // indices into the trace's tree
	whole bool  // the facts cover their whole trace

	start, end Time
	duration   *int64 // nanoseconds

	testID, caseUID, agentType, difficulty, prompt, task string

	calls            []call
	callErrors       int
	promptTokens     sum[int64]
	completionTokens sum[int64]
	totalTokens      sum[int64]
	reasoningTokens  sum[int64]
	cacheReadTokens  sum[int64]
	cacheWriteTokens sum[int64]
	counted          []int // spans whose tokens are summed
	leaves           int
	tokenSource      string // tokenLeaf, tokenRollUp or ""
	uncounted        int64  // tokens stated by spans that are not counted
	bill             bill   // of the counted spans

	toolCalls     []string // without final_answer, in span order
	toolSpans     bool     // whether TOOL spans gave the tool calls
	steps         int64    // ActionStep, FinalAnswerStep and PlanningStep events
	hasSteps      bool
	finalAnswer   bool
	gaveUp        bool   // at the last allowed step
	lastStepError string // class of the error that the last step ended in

	errorType string // of the root, "" when it did not fail
	errorText string
	twice     bool // the task was executed twice in the trace
	orphans   int
	dups      int
	toolNames []string
	deltas    []Time // of SMOLTRACE's stream deltas
}

// Where a test's tokens come from: the values of token_source (spec §3.2).
const (
	tokenLeaf   = "llm_leaf"
	tokenRollUp = "agent_rollup"
	tokenStored = "stored_summary"
)

// examine tells the facts of each test in a trace.
func examine(trace *Trace, t *tree, u *usage) []*facts {
	if len(t.topTests) < 2 {
		all := make([]int, len(t.spans))
		for i := range all {
			all[i] = i
		}
		f := newFacts(trace, t, u, t.root, all)
		f.whole = true
		f.orphans = t.orphans
		return []*facts{f}
	}
	var list []*facts
	for _, root := range t.topTests {
		list = append(list, newFacts(trace, t, u, root, t.subtree(root)))
	}
	slices.SortStableFunc(list, func(a, b *facts) int { return compareTimes(a.start, b.start) })
	return list
}

func newFacts(trace *Trace, t *tree, u *usage, root int, spans []int) *facts {
	f := &facts{trace: trace, spans: spans}
	if root < 0 {
		return f
	}
	f.root = &t.spans[root]
	f.readTimes(t, root)
	f.readRoot()
	in := make([]bool, len(t.spans))
	for _, i := range spans {
		in[i] = true
	}
	for _, e := range f.stepEvents(t, "step") {
		if kind, _ := e.Attrs.Str(attr.StepType); kind == "ChatMessageStreamDelta" {
			f.deltas = append(f.deltas, e.Time)
		}
	}
	slices.Sort(f.deltas)
	f.readUsage(u, in)
	f.readTools(t, u.seen)
	f.readSteps(t)
	f.readError(t)
	return f
}

// sumTests takes the tokens of a trace from those of its tests, so that trace
// and run agree: one test may state them in LLM spans and another only in its
// AGENT span.
func (f *facts) sumTests(tests []*facts) {
	f.tokenSource = ""
	f.promptTokens, f.completionTokens, f.totalTokens = sum[int64]{}, sum[int64]{}, sum[int64]{}
	f.reasoningTokens, f.cacheReadTokens, f.cacheWriteTokens = sum[int64]{}, sum[int64]{}, sum[int64]{}
	f.uncounted, f.leaves = 0, 0
	for _, t := range tests {
		f.promptTokens.add(t.promptTokens.value())
		f.completionTokens.add(t.completionTokens.value())
		f.totalTokens.add(t.totalTokens.value())
		f.reasoningTokens.add(t.reasoningTokens.value())
		f.cacheReadTokens.add(t.cacheReadTokens.value())
		f.cacheWriteTokens.add(t.cacheWriteTokens.value())
		f.uncounted += t.uncounted
		f.leaves += t.leaves
		if f.tokenSource == "" || t.tokenSource == tokenRollUp {
			f.tokenSource = t.tokenSource
		}
		f.end = max(f.end, t.end)
	}
	if f.start != 0 && f.end >= f.start {
		f.duration = new(int64(f.end - f.start))
	}
}

// readTimes takes the root's times; without a TEST root, or where the root
// lacks one, those of all spans together (spec §3.10 test duration).
func (f *facts) readTimes(t *tree, root int) {
	f.start, f.end = f.root.Start, f.root.End
	if _, ok := f.root.Duration(); !ok || t.roles[root] != RoleTest {
		for _, i := range f.spans {
			s := &t.spans[i]
			if s.Start != 0 && (f.start == 0 || s.Start < f.start) {
				f.start = s.Start
			}
			f.end = max(f.end, s.End)
		}
	}
	if f.start != 0 && f.end >= f.start {
		f.duration = new(int64(f.end - f.start))
	} else {
		f.end = 0
	}
}

func (f *facts) readRoot() {
	text := func(field attr.Field) string { v, _ := f.root.attrs().Str(field); return v }
	f.testID = text(attr.TestID)
	f.caseUID = text(attr.TestCaseUID)
	f.agentType = text(attr.AgentType)
	f.difficulty = text(attr.TestDifficulty)
	f.prompt = text(attr.Prompt)
}

func (f *facts) readUsage(u *usage, in []bool) {
	t := u.tree
	calls := 0
	for _, i := range u.calls {
		if in[i] {
			calls++
		}
	}
	f.calls = make([]call, 0, calls)
	for _, i := range u.calls {
		if in[i] {
			spans := u.callSpans(i)
			c := newCall(&t.spans[i], spans, u.seen)
			c.at = i
			c.leaves = u.leavesOf(i)
			var completion sum[int64]
			for _, leaf := range c.leaves {
				completion.add(leaf.completion)
			}
			c.latency = newLatency(&t.spans[i], spans, f.streamDeltas(&t.spans[i]), completion.value())
			c.streamed = c.streamed || c.latency.ttft != nil
			if c.errorType != "" {
				f.callErrors++
			}
			f.calls = append(f.calls, c)
		}
	}
	outside := func(i int) bool { return !in[i] }
	counted := slices.DeleteFunc(slices.Clone(u.leaves), outside)
	f.leaves = len(counted)
	f.tokenSource = tokenLeaf
	if len(counted) == 0 {
		counted = slices.DeleteFunc(slices.Clone(u.rollUp), outside)
		f.tokenSource = tokenRollUp
	}
	if len(counted) == 0 {
		f.tokenSource = ""
	}
	f.counted = counted
	for _, i := range counted {
		n := u.tokens[i]
		f.promptTokens.add(n.prompt)
		f.completionTokens.add(n.completion)
		f.totalTokens.add(n.total)
		f.reasoningTokens.add(n.reasoning)
		f.cacheReadTokens.add(n.cacheRead)
		f.cacheWriteTokens.add(n.cacheWrite)
	}
	for _, i := range f.spans {
		if u.notCounted[i] == siblingDuplicate {
			f.dups++
		}
		n, why := u.tokens[i].total, u.notCounted[i]
		repeats := why == agentRollUp || why == outerSpan || why == siblingDuplicate
		if n != nil && repeats && (f.tokenSource == tokenLeaf || !slices.Contains(counted, i)) {
			f.uncounted += *n
		}
	}
}

func (f *facts) readTools(t *tree, seen *repeats) {
	for _, i := range f.spans {
		switch s := &t.spans[i]; t.roles[i] {
		case RoleTool:
			f.toolSpans = true
			if name := toolName(s); name == finalAnswer {
				f.finalAnswer = true
			} else {
				f.toolCalls = append(f.toolCalls, name)
			}
		case RoleAgent:
			f.toolNames = append(f.toolNames, seen.toolNames(s)...)
			if f.agentType == "" {
				f.agentType = AgentTypeOf(s.Name)
			}
		}
	}
	if f.toolSpans {
		return
	}
	for _, e := range f.stepEvents(t, "tool_call") {
		if name, _ := e.Attrs.Str(attr.EventName); name != "" && name != finalAnswer {
			f.toolCalls = append(f.toolCalls, name)
		}
	}
}

// stepEvents returns the events of a name that SMOLTRACE wrote on whatever span
// was current: the root in all files seen, else an AGENT span.
func (f *facts) stepEvents(t *tree, name string) []*Event {
	var list []*Event
	for _, i := range f.spans {
		s := &t.spans[i]
		if s != f.root && t.roles[i] != RoleAgent {
			continue
		}
		for k := range s.Events {
			if s.Events[k].Name == name {
				list = append(list, &s.Events[k])
			}
		}
	}
	return list
}

// readSteps counts steps by SMOLTRACE's definition, and sees whether the agent
// gave up: smolagents yields the last step again when it does, so that there is
// one ActionStep more than allowed (spec §3.5).
func (f *facts) readSteps(t *tree) {
	var actions, allowed int64
	for _, e := range f.stepEvents(t, "step") {
		f.hasSteps = true
		switch kind, _ := e.Attrs.Str(attr.StepType); kind {
		case "ActionStep":
			actions++
			f.steps++
		case "FinalAnswerStep", "PlanningStep":
			f.steps++
		}
	}
	for _, e := range f.stepEvents(t, "tool_call") {
		if name, _ := e.Attrs.Str(attr.EventName); name == finalAnswer {
			f.finalAnswer = true
		}
	}
	streamed := map[string]bool{}
	for _, i := range f.spans {
		s := &t.spans[i]
		if t.roles[i] == RoleAgent {
			if n, key := s.attrs().Int(attr.MaxSteps); key != "" {
				allowed = max(allowed, n)
			}
			task, stream, ok := agentInput(s)
			if f.task == "" {
				f.task = task
			}
			if ok {
				if other, seen := streamed[task]; seen && other != stream {
					f.twice = true
				}
				streamed[task] = stream
			}
		}
	}
	f.readLastStep(t)
	f.gaveUp = allowed > 0 && actions >= allowed+1
}

// readLastStep classifies the error that the agent's last step ended in: on the
// step's CHAIN span or a span below it, or, without steps, on the last TOOL
// span. smolagents goes on after such errors and leaves them out of the row
// (spec §3.5).
func (f *facts) readLastStep(t *tree) {
	last := -1
	for _, role := range []Role{RoleChain, RoleTool} {
		for _, i := range f.spans {
			if t.roles[i] == role && (role == RoleTool || isStep(t.spans[i].Name)) {
				last = i
			}
		}
		if last >= 0 {
			break
		}
	}
	if last < 0 {
		return
	}
	for _, i := range t.subtree(last) {
		if s := &t.spans[i]; failed(s) || errorText(s) != "" {
			f.lastStepError = ErrorType(errorText(s))
			if f.lastStepError == "" {
				f.lastStepError = ErrUnknown
			}
		}
	}
}

// agentInput reads the task of an AGENT span out of its input. The attribute
// smolagents.task is no use: it holds the task of the test before (spec §1.3).
func agentInput(s *Span) (task string, stream, ok bool) {
	text, key := s.attrs().Str(attr.InputValue)
	if key == "" {
		return "", false, false
	}
	var in struct {
		Task   string `json:"task"`
		Stream *bool  `json:"stream"`
	}
	if json.Unmarshal([]byte(text), &in) != nil || in.Task == "" || in.Stream == nil {
		return in.Task, false, false
	}
	return in.Task, *in.Stream, true
}

// readError classifies what the root says; where it says nothing of an
// exception, the outermost span that failed tells more (spec §3.5).
func (f *facts) readError(t *tree) {
	if !failed(f.root) {
		return
	}
	f.errorText = errorText(f.root)
	if f.errorText == "" {
		best := -1
		for _, i := range f.spans {
			if failed(&t.spans[i]) && errorText(&t.spans[i]) != "" && (best < 0 || t.depth[i] < t.depth[best]) {
				best = i
			}
		}
		if best >= 0 {
			f.errorText = errorText(&t.spans[best])
		}
	}
	f.errorType = ErrorType(f.errorText)
	if f.errorType == "" {
		f.errorType = ErrUnknown
	}
}

// tokenReason says how the token sums came about.
func (f *facts) tokenReason() string {
	switch {
	case f.tokenSource == tokenRollUp && f.leaves == 0:
		return "roll-up of the outermost AGENT span: no LLM span states tokens"
	case f.tokenSource != "":
		reason := fmt.Sprintf("sum over %s, each counted once", plural(f.leaves, "LLM call span"))
		if f.tokenSource == tokenRollUp {
			reason += "; in tests without one, the roll-up of the outermost AGENT span"
		}
		if f.uncounted > 0 {
			reason += fmt.Sprintf("; %s tokens that other spans repeat are not added", compact(f.uncounted))
		}
		return reason
	}
	return ""
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return compact(int64(n)) + " " + noun + "s"
}
