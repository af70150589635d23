package views

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich/attr"
)

// A rawMessage is one message of a conversation as a span records it.
type rawMessage struct {
	role  string
	text  string
	calls []rawCall
}

// A rawCall is a tool call that a model asked for.
type rawCall struct{ id, name, arguments string }

// inputMessages reads what a call sent to the model, in whichever convention
// the span follows; of none it returns nil.
func inputMessages(attrs attr.Set) []rawMessage {
	if list := indexedMessages(attrs, "llm.input_messages."); list != nil {
		return list
	}
	if list := partMessages(attrs.Get("gen_ai.input.messages")); list != nil {
		if system := partMessages(attrs.Get("gen_ai.system_instructions")); system != nil {
			system[0].role = "system"
			list = append(system[:1:1], list...)
		}
		return list
	}
	if list := traceloopMessages(attrs, "gen_ai.prompt."); list != nil {
		return list
	}
	value, _ := attrs.Str(attr.InputValue)
	var body struct{ Messages json.RawMessage }
	if strings.HasPrefix(value, "{") && json.Unmarshal([]byte(value), &body) == nil && body.Messages != nil {
		return partMessages(attr.JSONValue(string(body.Messages)))
	}
	return nil
}

// outputMessages reads what the model answered.
func outputMessages(attrs attr.Set) []rawMessage {
	if list := indexedMessages(attrs, "llm.output_messages."); list != nil {
		return list
	}
	if list := partMessages(attrs.Get("gen_ai.output.messages")); list != nil {
		return list
	}
	return traceloopMessages(attrs, "gen_ai.completion.")
}

// indices returns the numbers N of keys prefixN.…, ascending.
func indices(attrs attr.Set, prefix string) []int {
	var list []int
	for _, a := range attrs.Prefix(prefix) {
		digits, _, _ := strings.Cut(a.Key[len(prefix):], ".")
		if n, err := strconv.Atoi(digits); err == nil {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// indexedMessages reads OpenInference's flat form, prefixN.message.*.
func indexedMessages(attrs attr.Set, prefix string) []rawMessage {
	var list []rawMessage
	for _, n := range indices(attrs, prefix) {
		p := prefix + strconv.Itoa(n) + ".message."
		m := rawMessage{role: attrs.Get(p + "role").Text(), text: attrs.Get(p + "content").Text()}
		for _, c := range indices(attrs, p+"contents.") {
			q := p + "contents." + strconv.Itoa(c) + "."
			m.add(attrs.Get(q + "message_content.text").Text())
			if url := attrs.Get(q + "message_content.image.image.url").Text(); url != "" {
				m.add("[image " + oneLine(url, 60) + "]")
			}
			m.call(attrs, q+"tool_call.")
		}
		for _, k := range indices(attrs, p+"tool_calls.") {
			m.call(attrs, p+"tool_calls."+strconv.Itoa(k)+".tool_call.")
		}
		list = append(list, m)
	}
	return list
}

func (m *rawMessage) add(text string) {
	if text != "" && m.text != "" {
		text = "\n" + text
	}
	m.text += text
}

// call adds the tool call under a key prefix, unless its id is known already.
func (m *rawMessage) call(attrs attr.Set, prefix string) {
	c := rawCall{
		id:        attrs.Get(prefix + "id").Text(),
		name:      attrs.Get(prefix + "function.name").Text(),
		arguments: attrs.Get(prefix + "function.arguments").Text(),
	}
	known := func(o rawCall) bool { return c.id != "" && o.id == c.id }
	if c.name != "" && !slices.ContainsFunc(m.calls, known) {
		m.calls = append(m.calls, c)
	}
}

// traceloopMessages reads the form prefixN.role, prefixN.content and
// prefixN.tool_calls.K.name.
func traceloopMessages(attrs attr.Set, prefix string) []rawMessage {
	var list []rawMessage
	for _, n := range indices(attrs, prefix) {
		p := prefix + strconv.Itoa(n) + "."
		m := rawMessage{role: attrs.Get(p + "role").Text(), text: attrs.Get(p + "content").Text()}
		for _, k := range indices(attrs, p+"tool_calls.") {
			q := p + "tool_calls." + strconv.Itoa(k) + "."
			m.calls = append(m.calls, rawCall{attrs.Get(q + "id").Text(), attrs.Get(q + "name").Text(), attrs.Get(q + "arguments").Text()})
		}
		list = append(list, m)
	}
	return list
}

// partMessages reads a JSON array of messages: OpenTelemetry's, whose content
// is parts, and the providers' own, whose content is a text or parts.
func partMessages(v attr.Value) []rawMessage {
	type part struct {
		Type      string          `json:"type"`
		Content   json.RawMessage `json:"content"`
		Text      string          `json:"text"`
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Response  json.RawMessage `json:"response"`
		Result    json.RawMessage `json:"result"`
	}
	var raw []struct {
		part
		Role      string `json:"role"`
		Parts     []part `json:"parts"`
		ToolCalls []struct {
			ID       string `json:"id"`
			Function struct {
				Name      string          `json:"name"`
				Arguments json.RawMessage `json:"arguments"`
			} `json:"function"`
		} `json:"tool_calls"`
	}
	if text := v.Text(); !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &raw) != nil {
		return nil
	}
	var list []rawMessage
	for _, r := range raw {
		m := rawMessage{role: r.Role}
		parts := r.Parts
		var inner []part
		switch {
		case json.Unmarshal(r.Content, &inner) == nil:
			parts = append(parts, inner...)
		case len(r.Content) > 0:
			m.add(jsonText(r.Content))
		}
		if len(parts) == 0 && r.Text != "" {
			m.add(r.Text)
		}
		for _, p := range parts {
			switch {
			case p.Type == "tool_call" && p.Name != "":
				m.calls = append(m.calls, rawCall{p.ID, p.Name, jsonText(p.Arguments)})
			case p.Type == "tool_call_response":
				m.role = "tool"
				m.add(jsonText(p.Response) + jsonText(p.Result))
			case p.Text != "":
				m.add(p.Text)
			default:
				m.add(jsonText(p.Content))
			}
		}
		for _, c := range r.ToolCalls {
			m.calls = append(m.calls, rawCall{c.ID, c.Function.Name, jsonText(c.Function.Arguments)})
		}
		list = append(list, m)
	}
	return list
}

// jsonText returns a JSON string's text, and other JSON as it stands.
func jsonText(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// A Message is one message of a conversation as a page shows it.
type Message struct {
	Class   string // system, user, assistant, tool or failure
	Role    string // "system"
	Facts   string // "329 ms · 1,487 tokens in · 7 out"
	Missing string // what was not recorded of it
	Href    string // the span that it is from
	Text    Text
	Calls   []Call
}

// A Call is a tool call that a message asks for.
type Call struct {
	Name      string
	Arguments Text
}

func newMessage(m rawMessage) Message {
	out := Message{Class: roleClass(m.role), Role: orAbsent(m.role), Text: newText(m.text)}
	if m.text == "" && len(m.calls) == 0 {
		out.Missing = "text not recorded"
	}
	if out.Class == "system" {
		out.Text = folded(m.text)
	}
	for _, c := range m.calls {
		out.Calls = append(out.Calls, Call{visible(c.name), newText(pretty(c.arguments))})
	}
	return out
}

func roleClass(role string) string {
	switch role {
	case "system", "developer":
		return "system"
	case "assistant", "model", "ai":
		return "assistant"
	case "tool", "function", "tool-response", "tool-call":
		return "tool"
	}
	return "user"
}

// pretty indents JSON that does not fit on a line, and leaves other text alone.
func pretty(text string) string {
	s := strings.TrimSpace(text)
	if len(s) <= 80 || (s[0] != '{' && s[0] != '[') {
		return text
	}
	var out bytes.Buffer
	if json.Indent(&out, []byte(s), "", "  ") != nil {
		return text
	}
	return out.String()
}
