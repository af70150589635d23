package enrich

import (
	"encoding/json"
	"strconv"
	"strings"

	"smolscope/enrich/attr"
)

// finalAnswer is the tool by which smolagents' agents end; it is no tool call
// in any count (spec §3.10).
const finalAnswer = "final_answer"

func indexed(prefix string, n int, suffix string) string {
	return prefix + "." + strconv.Itoa(n) + "." + suffix
}

// toolName returns the tool that a TOOL span ran.
func toolName(s *Span) string {
	if name, key := s.attrs().Str(attr.ToolName); key != "" {
		return name
	}
	return s.Name
}

// A toolDefinition is a tool that was offered to the model.
type toolDefinition struct{ name, json string }

// toolDefinitions reads the tools offered on one LLM span, in whichever form
// its convention has (spec §2.2 tool definitions).
func (p *repeats) toolDefinitions(s *Span, params invocation) []toolDefinition {
	for _, key := range attr.ToolDefinitions {
		if list := once(p.tools, s.attrs().Get(key).Text(), definitionList); list != nil {
			return list
		}
	}
	var list []toolDefinition
	for n := range s.Attrs.Prefix("llm.tools.") {
		text := s.attrs().Get(indexed("llm.tools", n, "tool.json_schema")).Text()
		if text == "" {
			break
		}
		if d, ok := newDefinition(text); ok {
			list = append(list, d)
		}
	}
	if list == nil {
		list = functionDefinitions(s)
	}
	if list == nil {
		list = params.tools
	}
	return list
}

// functionDefinitions reads Traceloop's one attribute per part of a tool.
func functionDefinitions(s *Span) []toolDefinition {
	const prefix = "llm.request.functions"
	var list []toolDefinition
	for n := range s.Attrs.Prefix(prefix) {
		name, ok := s.attrs().Get(indexed(prefix, n, "name")).Str()
		if !ok {
			return list
		}
		function := map[string]any{"name": name}
		if text, ok := s.attrs().Get(indexed(prefix, n, "description")).Str(); ok {
			function["description"] = text
		}
		if text := s.attrs().Get(indexed(prefix, n, "parameters")).Text(); json.Valid([]byte(text)) {
			function["parameters"] = json.RawMessage(text)
		}
		raw, err := json.Marshal(map[string]any{"type": "function", "function": function})
		if err != nil {
			return list
		}
		if d, ok := newDefinition(string(raw)); ok {
			list = append(list, d)
		}
	}
	return list
}

func definitionList(text string) []toolDefinition {
	var raw []json.RawMessage
	if text == "" || json.Unmarshal([]byte(text), &raw) != nil {
		return nil
	}
	var list []toolDefinition
	for _, r := range raw {
		if d, ok := newDefinition(string(r)); ok {
			list = append(list, d)
		}
	}
	return list
}

func newDefinition(text string) (toolDefinition, bool) {
	var d struct {
		Name     string `json:"name"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal([]byte(text), &d) != nil {
		return toolDefinition{}, false
	}
	name := d.Function.Name
	if name == "" {
		name = d.Name
	}
	compacted, ok := attr.Canonical(text)
	return toolDefinition{name, compacted}, ok && name != ""
}

// toolsJSON encodes the union of definitions by name, the first of each
// counting, or names alone where nothing else is known; nil if neither is.
func toolsJSON(definitions []toolDefinition, names []string) *string {
	seen := map[string]bool{}
	var items []string
	for _, d := range definitions {
		if !seen[d.name] {
			seen[d.name] = true
			items = append(items, d.json)
		}
	}
	if items == nil {
		for _, name := range unique(names) {
			items = append(items, `{"name":`+string(attr.AppendQuoted(nil, name))+`}`)
		}
	}
	if items == nil {
		return nil
	}
	return new("[" + strings.Join(items, ",") + "]")
}
