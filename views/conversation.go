package views

import (
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/unit"
)

// A Pass is one execution of a task: what was said, in order.
type Pass struct {
	Title    string // "" when the task ran once
	Facts    string
	Messages []Message
}

// A conversation is read off the spans of a trace: each logical LLM call says
// what was new in its input and what it answered, each tool span what a tool
// returned, each failed span why.
type conversation struct {
	runID, traceID string
	spans          []enrich.Span
	rows           map[string]enrich.SpanRow
	parent         map[string]string
}

// newPasses tells the conversation of a trace, once for each execution of the
// task that it holds (spec §1.3: old SMOLTRACE ran each task twice).
func newPasses(runID, traceID string, spans []enrich.Span, rows []enrich.SpanRow) []Pass {
	c := &conversation{runID: runID, traceID: traceID, rows: map[string]enrich.SpanRow{}, parent: map[string]string{}}
	c.spans = slices.Clone(spans)
	for _, r := range rows {
		c.rows[r.SpanID] = r
		c.parent[r.SpanID] = deref(r.ParentSpanID)
	}
	slices.SortStableFunc(c.spans, func(a, b enrich.Span) int {
		if a.Start != b.Start {
			return int(min(max(a.Start-b.Start, -1), 1))
		}
		return int(c.rows[a.ID.String()].Seq - c.rows[b.ID.String()].Seq)
	})
	groups, agents := c.split()
	var passes []Pass
	for i, group := range groups {
		p := Pass{Messages: c.tell(group)}
		if len(groups) > 1 {
			p.Title = "Pass " + count(i+1) + " of " + count(len(groups))
			if streamed(agents[i]) {
				p.Title += ", streamed"
			} else {
				p.Title += ", not streamed"
			}
			p.Facts = c.facts(group)
		}
		if len(p.Messages) > 0 || len(groups) > 1 {
			passes = append(passes, p)
		}
	}
	return passes
}

// streamed reports whether an agent was asked to stream its steps.
func streamed(agent *enrich.Span) bool {
	value, _ := agent.Attrs.Str(attr.InputValue)
	return strings.Contains(value, `"stream": true`) || strings.Contains(value, `"stream":true`)
}

// split divides the spans among the outermost agents of one and the same name:
// an agent owns its subtree, and one that has none, because it was a generator
// and ended before it began, owns what came after it.
func (c *conversation) split() (groups [][]*enrich.Span, agents []*enrich.Span) {
	for i := range c.spans {
		s := &c.spans[i]
		if c.kind(s) == enrich.RoleAgent && c.ancestor(s, func(id string) bool { return c.rows[id].SpanKind == string(enrich.RoleAgent) }) == "" {
			agents = append(agents, s)
		}
	}
	twice := len(agents) > 1
	for _, a := range agents {
		twice = twice && a.Name == agents[0].Name
	}
	if !twice {
		all := make([]*enrich.Span, len(c.spans))
		for i := range c.spans {
			all[i] = &c.spans[i]
		}
		return [][]*enrich.Span{all}, agents
	}
	groups = make([][]*enrich.Span, len(agents))
	for i := range c.spans {
		s := &c.spans[i]
		owner := slices.IndexFunc(agents, func(a *enrich.Span) bool {
			id := a.ID.String()
			return a.ID == s.ID || c.ancestor(s, func(p string) bool { return p == id }) != ""
		})
		if owner < 0 && c.kind(s) == enrich.RoleTest {
			continue
		}
		if owner < 0 {
			owner = 0
			for k, a := range agents {
				if a.Start <= s.Start && c.rows[a.ID.String()].Children == 0 {
					owner = k
				}
			}
		}
		groups[owner] = append(groups[owner], s)
	}
	return groups, agents
}

func (c *conversation) kind(s *enrich.Span) enrich.Role {
	return enrich.Role(c.rows[s.ID.String()].SpanKind)
}

// ancestor returns the nearest span above s that fits, or "".
func (c *conversation) ancestor(s *enrich.Span, fits func(id string) bool) string {
	id := c.parent[s.ID.String()]
	for range len(c.spans) {
		if id == "" || fits(id) {
			return id
		}
		id = c.parent[id]
	}
	return ""
}

// facts sums up a pass: its calls and their tokens.
func (c *conversation) facts(group []*enrich.Span) string {
	calls, tokens, known := 0, int64(0), false
	for _, s := range group {
		r := c.rows[s.ID.String()]
		if c.isCall(s) {
			calls++
		}
		if r.Counted != nil && *r.Counted && r.TotalTokens != nil {
			tokens += *r.TotalTokens
			known = true
		}
	}
	text := plural(calls, "LLM call")
	if known {
		text += " · " + unit.Count(&tokens) + " tokens"
	}
	return text
}

// isCall reports whether a span is a logical call: an LLM span in no other.
func (c *conversation) isCall(s *enrich.Span) bool {
	return c.kind(s) == enrich.RoleLLM &&
		c.ancestor(s, func(id string) bool { return c.rows[id].SpanKind == string(enrich.RoleLLM) }) == ""
}

// tell turns the spans of one pass into messages. What a later call's input
// repeats is told once; so are an answer and a tool's result that come back as
// input, as smolagents writes them.
func (c *conversation) tell(group []*enrich.Span) []Message {
	var out []Message
	said := map[string]bool{}
	var results, names []string // of the tools since the last call
	told := 0
	for _, s := range group {
		href := SpanURL(c.runID, c.traceID, s.ID.String())
		switch {
		case c.isCall(s):
			attrs := c.callAttrs(s, group)
			input := inputMessages(attrs)
			if told > len(input) {
				told = 0 // the history was rewritten: tell all that is new
			}
			for _, m := range input[told:] {
				if said[m.role+"\x00"+m.text] || repeats(m, results, names) {
					continue
				}
				said[m.role+"\x00"+m.text] = true
				msg := newMessage(m)
				msg.Href = href
				out = append(out, msg)
			}
			told = len(input)
			results, names = nil, nil
			for _, m := range outputMessages(attrs) {
				if m.role == "" {
					m.role = "assistant"
				}
				said[m.role+"\x00"+m.text] = true
				msg := newMessage(m)
				msg.Class, msg.Href, msg.Facts = "assistant", href, c.callFacts(s)
				out = append(out, msg)
			}
		case c.kind(s) == enrich.RoleTool:
			name, _ := s.Attrs.Str(attr.ToolName)
			if name == "" {
				name = s.Name
			}
			result, _ := s.Attrs.Str(attr.OutputValue)
			results, names = append(results, result), append(names, name)
			out = append(out, c.toolMessage(s, name, result, href))
		}
		if msg, failed := c.failure(s, href); failed {
			out = append(out, msg)
		}
	}
	return out
}

// repeats reports whether an input message only brings back what the tools
// since the last call were asked and returned.
func repeats(m rawMessage, results, names []string) bool {
	switch roleClass(m.role) {
	case "assistant":
		return slices.ContainsFunc(names, func(name string) bool {
			return strings.Contains(m.text, name) || slices.ContainsFunc(m.calls, func(c rawCall) bool { return c.name == name })
		})
	case "system":
		return false
	}
	return slices.ContainsFunc(results, func(r string) bool { return r != "" && strings.Contains(m.text, strings.TrimSpace(r)) })
}

// callAttrs returns the attributes of a logical call: the span's own, filled up
// from the LLM spans within it.
func (c *conversation) callAttrs(s *enrich.Span, group []*enrich.Span) attr.Set {
	attrs := s.Attrs
	id := s.ID.String()
	for _, inner := range group {
		if inner != s && c.kind(inner) == enrich.RoleLLM && c.ancestor(inner, func(p string) bool { return p == id }) != "" {
			attrs = attrs.Merge(inner.Attrs)
		}
	}
	return attrs
}

func (c *conversation) callFacts(s *enrich.Span) string {
	r := c.rows[s.ID.String()]
	text := unit.Micros(r.DurationUS)
	if r.PromptTokens != nil {
		text += " · " + unit.Count(r.PromptTokens) + " tokens in"
	}
	if r.CompletionTokens != nil {
		text += " · " + unit.Count(r.CompletionTokens) + " out"
	}
	return text
}

func (c *conversation) toolMessage(s *enrich.Span, name, result, href string) Message {
	r := c.rows[s.ID.String()]
	args, _ := s.Attrs.Str(attr.InputValue)
	m := Message{
		Class: "tool",
		Role:  "tool",
		Facts: unit.Micros(r.DurationUS),
		Href:  href,
		Text:  newText(pretty(result)),
		Calls: []Call{{visible(name), newText(pretty(toolArguments(args)))}},
	}
	if result == "" {
		m.Missing = "no result recorded"
	}
	return m
}

// failure tells an exception of a span, unless a span below it tells the same.
func (c *conversation) failure(s *enrich.Span, href string) (Message, bool) {
	if k := c.kind(s); k != enrich.RoleLLM && k != enrich.RoleTool {
		return Message{}, false
	}
	class, text := exceptionOf(s)
	if text == "" && class == "" {
		return Message{}, false
	}
	return Message{Class: "failure", Role: join("error", visible(class)), Facts: unit.Micros(c.rows[s.ID.String()].DurationUS), Href: href, Text: newText(text)}, true
}

// exceptionOf returns the class and the message of what a span died of.
func exceptionOf(s *enrich.Span) (class, text string) {
	for _, e := range s.Events {
		if e.Name == "exception" {
			class, _ = e.Attrs.Str(attr.ExceptionType)
			text, _ = e.Attrs.Str(attr.ExceptionMessage)
		}
	}
	if text == "" && s.Status == enrich.StatusError {
		text = s.StatusMessage
	}
	return class, text
}
