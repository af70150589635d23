package enrichtest

import (
	"encoding/json"
	"fmt"
	"time"
)

type result struct {
	Model             string   `json:"model"`
	EvaluationDate    string   `json:"evaluation_date"`
	TaskID            string   `json:"task_id"`
	CaseUID           string   `json:"test_case_uid"`
	AgentType         string   `json:"agent_type"`
	Difficulty        string   `json:"difficulty"`
	Prompt            string   `json:"prompt"`
	Success           bool     `json:"success"`
	ToolCalled        bool     `json:"tool_called"`
	CorrectTool       bool     `json:"correct_tool"`
	FinalAnswerCalled bool     `json:"final_answer_called"`
	ResponseCorrect   bool     `json:"response_correct"`
	ToolsUsed         []string `json:"tools_used"`
	Steps             int      `json:"steps"`
	Response          *string  `json:"response"`
	Error             *string  `json:"error"`
	TraceID           string   `json:"trace_id"`
	SpanID            string   `json:"span_id"`
	RunID             string   `json:"run_id"`
	ExecutionTimeMS   float64  `json:"execution_time_ms"`
	TotalTokens       int64    `json:"total_tokens"`
	CostUSD           float64  `json:"cost_usd"`
	EnhancedTraceInfo string   `json:"enhanced_trace_info"`
}

type trace struct {
	TraceID         string   `json:"trace_id"`
	RunID           string   `json:"run_id"`
	RootSpanID      string   `json:"root_span_id"`
	TestIDs         []string `json:"test_ids"`
	CaseUIDs        []string `json:"test_case_uids"`
	AgentType       string   `json:"agent_type"`
	Spans           []*span  `json:"spans"`
	TotalTokens     int64    `json:"total_tokens"`
	TotalDurationMS float64  `json:"total_duration_ms"`
	TotalCostUSD    float64  `json:"total_cost_usd"`
}

const maxSteps = 6

// test evaluates the i-th task: an agent takes steps, each a call of the model
// and then of the tool that the model asked for, until it answers, gives up, or
// the provider breaks it off.
func (m *maker) test(i int) {
	task := tasks[i%len(tasks)]
	id := task.id
	if i >= len(tasks) {
		id = fmt.Sprintf("%s_%d", task.id, i/len(tasks)+1)
	}
	calls := task.calls
	if m.plan.Steps > 0 {
		calls = make([]call, m.plan.Steps-1)
		for j := range calls {
			calls[j] = task.calls[j%len(task.calls)]
		}
	}
	passes := m.rand.Float64() < m.plan.Model.Skill
	givesUp := !passes && m.plan.Steps == 0 && m.rand.IntN(4) == 0
	breaksAt := -1
	if m.rand.Float64() < m.plan.Model.Trouble {
		breaksAt = m.rand.IntN(len(calls) + 1)
	}
	if givesUp {
		for len(calls) < maxSteps {
			calls = append(calls, task.calls[0])
		}
	}

	r := &recorder{maker: m, traceID: hexID(m.rand.Uint64()>>uint(4*m.rand.IntN(2)), m.rand.Uint64())}
	res := result{Model: m.plan.Model.Name, TaskID: id, CaseUID: "tool:" + id, AgentType: "tool", Difficulty: task.difficulty,
		Prompt: task.prompt, ToolsUsed: []string{}, TraceID: r.traceID, RunID: m.runID}
	root := r.begin(nil, "test_evaluation", map[string]any{"test.id": id, "test.case_uid": res.CaseUID,
		"test.difficulty": task.difficulty, "agent.type": "tool", "prompt": task.prompt[:min(len(task.prompt), 100)]})
	res.SpanID = root.SpanID
	r.pass(time.Millisecond)
	input, _ := json.Marshal(map[string]any{"task": task.prompt, "stream": true, "reset": true, "max_steps": nil})
	limit := max(maxSteps, len(calls)+1)
	if givesUp {
		limit = maxSteps
	}
	agent := r.begin(root, "ToolCallingAgent.run", map[string]any{"openinference.span.kind": "AGENT", "input.value": string(input),
		"smolagents.max_steps": limit, "smolagents.tools_names": toolNames})

	talk := []message{{"system", systemPrompt}, {"user", "New task:\n" + task.prompt}}
	var total usage
	broken := false
	for n := 0; n <= len(calls) && !broken; n++ {
		answers := n == len(calls)
		if answers && givesUp {
			break
		}
		next := call{"FinalAnswerTool", "final_answer", `{"answer": ` + quote(answer(task, passes)) + `}`, answer(task, passes)}
		if !answers {
			next = calls[n]
		}
		step := r.begin(agent, fmt.Sprintf("Step %d", n+1), map[string]any{"openinference.span.kind": "CHAIN"})
		var failed *failure
		if n == breaksAt {
			failed = &failures[m.rand.IntN(len(failures))]
			broken = true
		}
		said := message{"assistant", "Calling tools:\n" + next.tool + " " + next.arguments}
		u := r.llm(step, talk, said, failed)
		total.prompt += u.prompt
		total.completion += u.completion
		if failed != nil {
			text := "Error while generating output:\n" + failed.message
			r.fail(step, "smolagents.utils.AgentGenerationError", text)
			r.end(step)
			r.event(root, "step", map[string]any{"step_index": n, "type": "ActionStep"})
			r.fail(root, "AgentGenerationError", text)
			res.Error = &text
			break
		}
		r.tool(step, next)
		r.end(step)
		for _, kind := range []string{"ToolCall", "ToolOutput", "ActionOutput", "ActionStep"} {
			r.event(root, "step", map[string]any{"step_index": n, "type": kind})
		}
		r.event(root, "tool_call", map[string]any{"name": next.tool})
		if !answers {
			res.ToolsUsed = append(res.ToolsUsed, next.tool)
		}
		res.Steps++
		talk = append(talk[:2:2], append(talk[max(2, len(talk)-4):], said, message{"user", "Observation:\n" + next.output})...)
		r.pass(time.Duration(r.spread(1e6)))
	}

	switch {
	case broken: // the instrumentor never ends the agent's span, so the file does not have it
		res.Steps, res.ToolsUsed = 0, []string{}
		m.truth.Errors++
	case givesUp:
		r.event(root, "step", map[string]any{"step_index": len(calls), "type": "ActionStep"})
		r.event(root, "step", map[string]any{"step_index": len(calls), "type": "FinalAnswerStep"})
		res.Steps += 2
		m.truth.Errors++
	default:
		r.event(root, "step", map[string]any{"step_index": len(calls) + 1, "type": "FinalAnswerStep"})
		res.Steps++
	}
	if !broken {
		text := answer(task, passes)
		if givesUp {
			text = "None"
		}
		total.attributes(agent.Attributes)
		agent.Attributes["output.value"] = text
		r.end(agent)
		res.Response = &text
		res.ToolCalled, res.CorrectTool = true, true
		res.FinalAnswerCalled, res.ResponseCorrect = !givesUp, passes
		res.Success = passes
		root.Attributes["tests.tool_calls"] = len(res.ToolsUsed)
		root.Attributes["tests.steps"] = res.Steps
	}
	r.pass(time.Millisecond)
	r.end(root)
	m.truth.Tests++
	if res.Success {
		m.truth.Passed++
	}
	m.truth.Spans += len(r.spans)
	m.truth.DurationNanos += root.End - root.Start
	m.keep(res, root, r.spans)
	m.pass(time.Duration(m.spread(40e6)))
}

// keep adds the rows of a test, with the totals as SMOLTRACE counts them: over
// every span, whatever lies in what.
func (m *maker) keep(res result, root *span, spans []*span) {
	t := trace{TraceID: res.TraceID, RunID: m.runID, RootSpanID: root.SpanID, TestIDs: []string{res.TaskID},
		CaseUIDs: []string{res.CaseUID}, AgentType: res.AgentType, Spans: spans}
	for _, s := range spans {
		t.TotalDurationMS += s.DurationMS
		if s.TotalTokens != nil {
			t.TotalTokens += *s.TotalTokens
		}
		if cost, ok := s.Attributes["gen_ai.usage.cost.total"].(float64); ok {
			t.TotalCostUSD += cost
		}
	}
	res.ExecutionTimeMS, res.TotalTokens, res.CostUSD = t.TotalDurationMS, t.TotalTokens, t.TotalCostUSD
	info, _ := json.Marshal(map[string]any{"trace_id": t.TraceID, "total_tokens": t.TotalTokens, "duration_ms": t.TotalDurationMS,
		"cost_usd": t.TotalCostUSD, "span_count": len(spans), "root_span_id": t.RootSpanID})
	res.EnhancedTraceInfo = string(info)
	m.results = append(m.results, res)
	m.traces = append(m.traces, t)
}

// answer is what the agent says in the end: a wrong answer is one that the
// task's author would not take.
func answer(t task, right bool) string {
	if right {
		return t.answer
	}
	return "I could not find out."
}

func quote(s string) string {
	body, _ := json.Marshal(s)
	return string(body)
}
