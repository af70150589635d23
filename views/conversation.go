package views

import (
	"cmp"
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
	spans          []*placedSpan // in order of time
}

// A placedSpan is one span of a conversation, with its row and its place in the tree.
type placedSpan struct {
	*enrich.Span
	row *enrich.SpanRow
	above
	id string
}

// above names the outermost agent and the outermost LLM span that a span lies
// in, "" for none.
type above struct{ agent, call string }

func (s *placedSpan) kind() enrich.Role { return enrich.Role(s.row.SpanKind) }

// isCall reports whether a span is a logical call: an LLM span in no other.
func (s *placedSpan) isCall() bool { return s.kind() == enrich.RoleLLM && s.call == "" }

// newPasses tells the conversation of a trace, once for each execution of the
// task that it holds (spec §1.3: old SMOLTRACE ran each task twice). Rows come
// in waterfall order, parents before their children.
func newPasses(runID, traceID string, spans []enrich.Span, rows []enrich.SpanRow) []Pass {
	c := &conversation{runID: runID, traceID: traceID, spans: placeSpans(spans, rows)}
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
			p.Facts = passFacts(group)
		}
		if len(p.Messages) > 0 || len(groups) > 1 {
			passes = append(passes, p)
		}
	}
	return passes
}

// placeSpans places spans in the tree of the rows, and orders them by time.
func placeSpans(spans []enrich.Span, rows []enrich.SpanRow) []*placedSpan {
	places := make(map[string]placedSpan, len(rows))
	for i := range rows {
		s := placedSpan{row: &rows[i]}
		if parent, ok := places[deref(s.row.ParentSpanID)]; ok {
			s.above = parent.above
			switch {
			case parent.kind() == enrich.RoleAgent && s.agent == "":
				s.agent = parent.row.SpanID
			case parent.kind() == enrich.RoleLLM && s.call == "":
				s.call = parent.row.SpanID
			}
		}
		places[s.row.SpanID] = s
	}
	placed := make([]*placedSpan, len(spans))
	for i := range spans {
		id := spans[i].ID.String()
		s, ok := places[id]
		if !ok {
			s.row = new(enrich.SpanRow)
		}
		s.Span, s.id = &spans[i], id
		placed[i] = &s
	}
	slices.SortStableFunc(placed, func(a, b *placedSpan) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.row.Seq, b.row.Seq))
	})
	return placed
}

// streamed reports whether an agent was asked to stream its steps.
func streamed(agent *placedSpan) bool {
	value, _ := agent.Attrs.Str(attr.InputValue)
	return strings.Contains(value, `"stream": true`) || strings.Contains(value, `"stream":true`)
}

// split divides the spans among the outermost agents of one and the same name:
// an agent owns its subtree, and one that has none, because it was a generator
// and ended before it began, owns what came after it.
func (c *conversation) split() (groups [][]*placedSpan, agents []*placedSpan) {
	place := map[string]int{}
	for _, s := range c.spans {
		if s.kind() == enrich.RoleAgent && s.agent == "" {
			place[s.id] = len(agents)
			agents = append(agents, s)
		}
	}
	twice := len(agents) > 1
	for _, a := range agents {
		twice = twice && a.Name == agents[0].Name
	}
	if !twice {
		return [][]*placedSpan{c.spans}, agents
	}
	groups = make([][]*placedSpan, len(agents))
	begun, childless := 0, 0
	for _, s := range c.spans {
		for ; begun < len(agents) && agents[begun].Start <= s.Start; begun++ {
			if agents[begun].row.Children == 0 {
				childless = begun
			}
		}
		owner, ok := place[cmp.Or(s.agent, s.id)]
		if !ok {
			if s.kind() == enrich.RoleTest {
				continue
			}
			owner = childless
		}
		groups[owner] = append(groups[owner], s)
	}
	return groups, agents
}

// passFacts sums up a pass: its calls and their tokens.
func passFacts(group []*placedSpan) string {
	calls, tokens, known := 0, int64(0), false
	for _, s := range group {
		if s.isCall() {
			calls++
		}
		if r := s.row; r.Counted != nil && *r.Counted && r.TotalTokens != nil {
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

// tell turns the spans of one pass into messages. What a later call's input
// repeats is told once; so are an answer and a tool's result that come back as
// input, as smolagents writes them.
func (c *conversation) tell(group []*placedSpan) []Message {
	var out []Message
	within := map[string][]*placedSpan{} // the LLM spans in each call
	for _, s := range group {
		if s.kind() == enrich.RoleLLM && s.call != "" {
			within[s.call] = append(within[s.call], s)
		}
	}
	said := map[string]bool{}
	var results, names []string // of the tools since the last call
	told := 0
	for _, s := range group {
		href := SpanURL(c.runID, c.traceID, s.id)
		switch {
		case s.isCall():
			attrs := callAttrs(s, within[s.id])
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
				msg.Class, msg.Href, msg.Facts = "assistant", href, callFacts(s)
				out = append(out, msg)
			}
		case s.kind() == enrich.RoleTool:
			name, _ := s.Attrs.Str(attr.ToolName)
			if name == "" {
				name = s.Name
			}
			result, _ := s.Attrs.Str(attr.OutputValue)
			results, names = append(results, result), append(names, name)
			out = append(out, toolMessage(s, name, result, href))
		}
		if msg, failed := failure(s, href); failed {
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
// from the LLM spans within it, of which the first that has a key counts.
func callAttrs(s *placedSpan, within []*placedSpan) attr.Set {
	if len(within) == 0 {
		return s.Attrs
	}
	var all []attr.KeyValue
	for _, inner := range slices.Backward(within) {
		all = append(all, inner.Attrs...)
	}
	return attr.NewSet(append(all, s.Attrs...))
}

func callFacts(s *placedSpan) string {
	r := s.row
	text := unit.Micros(r.DurationUS)
	if r.PromptTokens != nil {
		text += " · " + unit.Count(r.PromptTokens) + " tokens in"
	}
	if r.CompletionTokens != nil {
		text += " · " + unit.Count(r.CompletionTokens) + " out"
	}
	return text
}

func toolMessage(s *placedSpan, name, result, href string) Message {
	args, _ := s.Attrs.Str(attr.InputValue)
	m := Message{
		Class: "tool",
		Role:  "tool",
		Facts: unit.Micros(s.row.DurationUS),
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
func failure(s *placedSpan, href string) (Message, bool) {
	if k := s.kind(); k != enrich.RoleLLM && k != enrich.RoleTool {
		return Message{}, false
	}
	class, text := exceptionOf(s.Span)
	if text == "" && class == "" {
		return Message{}, false
	}
	return Message{Class: "failure", Role: join("error", visible(class)), Facts: unit.Micros(s.row.DurationUS), Href: href, Text: newText(text)}, true
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
