package enrichtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

type resource struct {
	Attributes map[string]any `json:"attributes"`
}

type span struct {
	TraceID     string         `json:"trace_id"`
	SpanID      string         `json:"span_id"`
	ParentID    *string        `json:"parent_span_id"`
	Name        string         `json:"name"`
	Start       int64          `json:"start_time"`
	End         int64          `json:"end_time"`
	DurationMS  float64        `json:"duration_ms"`
	Attributes  map[string]any `json:"attributes"`
	Events      []event        `json:"events"`
	Status      status         `json:"status"`
	Kind        string         `json:"kind"`
	Resource    *resource      `json:"resource"`
	TotalTokens *int64         `json:"total_tokens,omitempty"`
	ToolOutput  *string        `json:"tool_output,omitempty"`
}

type event struct {
	Name       string         `json:"name"`
	Attributes map[string]any `json:"attributes"`
	Time       int64          `json:"timestamp"`
}

type status struct {
	Code        string  `json:"code"`
	Description *string `json:"description"`
}

// A recorder makes the spans of one trace. As in SMOLTRACE's files, a span comes
// after the spans inside it, because it ends after them.
type recorder struct {
	*maker
	traceID string
	spans   []*span
}

// begin opens a span at the present moment.
func (r *recorder) begin(parent *span, name string, attributes map[string]any) *span {
	s := &span{TraceID: r.traceID, SpanID: hexID(r.rand.Uint64()), Name: name, Start: r.now, Attributes: attributes,
		Events: []event{}, Status: status{Code: "OK"}, Kind: "INTERNAL", Resource: &r.resource}
	if parent != nil {
		s.ParentID = &parent.SpanID
	}
	return s
}

// end closes the span at the present moment and keeps it.
func (r *recorder) end(s *span) {
	s.End = r.now
	s.DurationMS = float64(s.End-s.Start) / 1e6
	if n, ok := s.Attributes["llm.token_count.total"].(int64); ok {
		s.TotalTokens = &n
	}
	r.spans = append(r.spans, s)
}

// event records a moment of a span.
func (r *recorder) event(s *span, name string, attributes map[string]any) {
	s.Events = append(s.Events, event{name, attributes, r.now})
}

// fail marks a span as broken off by the failure.
func (r *recorder) fail(s *span, class, message string) {
	description := class + ": " + message
	s.Status = status{"ERROR", &description}
	r.event(s, "exception", map[string]any{"exception.type": class, "exception.message": message, "exception.escaped": "False"})
}

// pass lets time go by.
func (m *maker) pass(d time.Duration) { m.now += int64(d) }

// usage is what one LLM call billed.
type usage struct{ prompt, completion int64 }

func (u usage) attributes(dst map[string]any) {
	dst["llm.token_count.prompt"] = u.prompt
	dst["llm.token_count.completion"] = u.completion
	dst["llm.token_count.total"] = u.prompt + u.completion
}

// llm records one logical LLM call: the span of smolagents, in it LiteLLM's, in
// it the client's, each with the usage that only one of them was billed for.
func (r *recorder) llm(parent *span, messages []message, output message, failed *failure) usage {
	model := r.plan.Model
	parameters := `{"temperature": 0.2, "max_tokens": 1024, "stream": ` + fmt.Sprint(model.Streams) + `}`
	outer := r.begin(parent, "LiteLLMModel.generate", map[string]any{
		"openinference.span.kind": "LLM", "llm.model_name": model.Name, "llm.invocation_parameters": parameters})
	r.pass(time.Millisecond)
	completion := r.begin(outer, "completion", map[string]any{
		"openinference.span.kind": "LLM", "llm.model_name": model.Name, "llm.invocation_parameters": parameters,
		"input.mime_type": "application/json"})
	maps.Copy(completion.Attributes, llmInput(messages))
	spans := []*span{outer, completion}
	if model.Client {
		r.pass(time.Millisecond)
		spans = append(spans, r.begin(completion, "openai.chat.completion", map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.provider.name": model.System, "gen_ai.request.model": model.Name,
			"gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 1024, "gen_ai.request.stream": model.Streams}))
	}
	r.truth.LLMCalls++

	r.pass(time.Duration(r.spread(float64(model.Latency))))
	if failed != nil {
		r.truth.FailedCalls++
		for i := len(spans) - 1; i >= 0; i-- {
			r.fail(spans[i], "litellm.exceptions."+failed.class, failed.message)
			r.end(spans[i])
		}
		return usage{}
	}
	if model.Streams {
		r.event(completion, "First Token Stream Event", map[string]any{})
	}
	u := usage{int64(240 + 60*len(messages) + r.rand.IntN(40)), int64(18 + len(output.text)/4 + r.rand.IntN(60))}
	r.pass(time.Duration(r.spread(float64(u.completion) / model.TokensPerSecond * 1e9)))
	r.truth.PromptTokens += u.prompt
	r.truth.CompletionTokens += u.completion

	completion.Attributes["llm.output_messages.0.message.role"] = "assistant"
	completion.Attributes["llm.output_messages.0.message.content"] = output.text
	for i := len(spans) - 1; i >= 0; i-- {
		s := spans[i]
		if s.Name == "openai.chat.completion" {
			s.Attributes["gen_ai.usage.input_tokens"] = u.prompt
			s.Attributes["gen_ai.usage.output_tokens"] = u.completion
			s.Attributes["gen_ai.response.model"] = model.Name + "-2026-02"
			s.Attributes["gen_ai.response.id"] = "chatcmpl-" + hexID(r.rand.Uint64())[2:]
			s.Attributes["gen_ai.response.finish_reasons"] = []string{"stop"}
			s.Kind = "CLIENT"
		} else {
			u.attributes(s.Attributes)
		}
		if cost := model.cost(u); cost > 0 {
			s.Attributes["gen_ai.usage.cost.total"] = cost
			s.Attributes["gen_ai.usage.cost.pricing_source"] = "table"
		}
		r.end(s)
		r.pass(200 * time.Microsecond)
	}
	return u
}

// tool records one call of a tool.
func (r *recorder) tool(parent *span, c call) {
	s := r.begin(parent, c.class, map[string]any{
		"openinference.span.kind": "TOOL", "tool.name": c.tool, "input.value": c.arguments,
		"output.value": c.output, "output.mime_type": "text/plain"})
	switch c.tool {
	case "web_search":
		r.pass(time.Duration(r.spread(420e6)))
	case "get_weather":
		r.pass(time.Duration(r.spread(150e6)))
	default:
		r.pass(time.Duration(r.spread(2e6)))
	}
	s.ToolOutput = &c.output
	r.end(s)
	if c.tool != "final_answer" {
		r.truth.ToolCalls++
	}
}

func (m *Model) cost(u usage) float64 {
	return (float64(u.prompt)*m.Prompt + float64(u.completion)*m.Output) / 1e6
}

type message struct{ role, text string }

// llmInput spells messages as OpenInference does: each by its own attributes,
// and all of them once more as JSON.
func llmInput(messages []message) map[string]any {
	attributes := make(map[string]any, 2*len(messages)+1)
	list := make([]map[string]string, len(messages))
	for i, msg := range messages {
		attributes[fmt.Sprintf("llm.input_messages.%d.message.role", i)] = msg.role
		attributes[fmt.Sprintf("llm.input_messages.%d.message.content", i)] = msg.text
		list[i] = map[string]string{"role": msg.role, "content": msg.text}
	}
	body, err := json.Marshal(map[string]any{"messages": list})
	if err != nil {
		panic(fmt.Sprintf("enrichtest: messages: %v", err)) // strings always marshal
	}
	attributes["input.value"] = string(body)
	return attributes
}
