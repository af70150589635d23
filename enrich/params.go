package enrich

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"smolscope/enrich/attr"
)

// A call is what one logical LLM call asked for and got (spec §2.2). Each fact
// comes from the innermost LLM span that states it.
type call struct {
	span             *Span
	at               int // place of the span in its tree
	requestModel     string
	responseModel    string
	responseID       string
	system           string
	systemFrom       string
	provider         string
	temperature      *float64
	topP             *float64
	maxTokens        *int64
	frequencyPenalty *float64
	presencePenalty  *float64
	finishReasons    []string
	tools            []toolDefinition
	streamed         bool
	truncated        bool     // invocation parameters were cut off by the producer
	leaves           []tokens // of its usage leaves
	latency          latency
	errorType        string
}

// invocation is the parsed llm.invocation_parameters of a span: a JSON object,
// or what can be saved of one that its producer cut off (spec §2.3).
type invocation struct {
	fields    map[string]json.RawMessage
	truncated string // the text of an object that does not parse
	tools     []toolDefinition
}

// A repeats holds what the calls of a run state again and again, parsed once.
type repeats struct {
	text    string // of the last invocation parameters
	last    invocation
	tools   map[string][]toolDefinition
	reasons map[string][]string
	names   map[string][]string // of tools
}

func newRepeats() *repeats {
	return &repeats{tools: map[string][]toolDefinition{}, reasons: map[string][]string{}, names: map[string][]string{}}
}

// invocation reads the invocation parameters of a span.
func (p *repeats) invocation(s *Span) invocation {
	for _, key := range attr.InvocationParams {
		text := s.attrs().Get(key).Text()
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			continue
		}
		if text != p.text {
			p.text, p.last = text, invocation{fields: jsonObject(text)}
			if p.last.fields == nil {
				p.last = invocation{truncated: text}
			}
			p.last.tools = definitionList(string(p.last.fields["tools"]))
		}
		return p.last
	}
	return invocation{}
}

// once returns what read makes of a text, from the second time on from memory.
func once[T any](memory map[string]T, text string, read func(string) T) T {
	v, ok := memory[text]
	if !ok {
		v = read(text)
		memory[text] = v
	}
	return v
}

// toolNames reads the tools that an AGENT span has.
func (p *repeats) toolNames(s *Span) []string {
	for _, key := range attr.ToolNames {
		v := s.attrs().Get(key)
		if list := once(p.names, v.Text(), func(string) []string { return v.Strings() }); len(list) > 0 {
			return list
		}
	}
	return nil
}

// value returns the first of the names that is set; JSON null means not set.
func (p invocation) value(names ...string) attr.Value {
	for _, name := range names {
		if raw, ok := p.fields[name]; ok {
			if v := jsonValue(raw); !v.IsNull() {
				return v
			}
		}
		if p.truncated != "" {
			if v := scanNumber(p.truncated, name); !v.IsNull() {
				return v
			}
		}
	}
	return attr.Value{}
}

func jsonValue(raw json.RawMessage) attr.Value {
	text := string(raw)
	switch {
	case text == "null":
		return attr.Value{}
	case text == "true" || text == "false":
		return attr.BoolValue(text == "true")
	case text[0] == '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return attr.Value{}
		}
		return attr.StringValue(s)
	case text[0] == '{' || text[0] == '[':
		return attr.JSONValue(text)
	}
	v := attr.StringValue(text)
	if n, ok := v.Int(); ok {
		return attr.IntValue(n)
	}
	f, _ := v.Float()
	return attr.FloatValue(f)
}

var numberAfterKey = regexp.MustCompile(`^\s*:\s*(-?[0-9][0-9.eE+-]*)`)

// scanNumber finds "name": number outside nested braces of a JSON object that
// was cut off (spec §2.3 b).
func scanNumber(text, name string) attr.Value {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return attr.Value{}
			}
			if depth == 1 && text[i+1:end] == name {
				if m := numberAfterKey.FindStringSubmatch(text[end+1:]); m != nil {
					return jsonValue(json.RawMessage(m[1]))
				}
			}
			i = end
		}
	}
	return attr.Value{}
}

// newCall gathers the facts of a logical call from its LLM spans, innermost first.
func newCall(span *Span, spans []*Span, seen *repeats) call {
	c := call{span: span, errorType: spanErrorType(span)}
	for _, s := range spans {
		params := seen.invocation(s)
		c.truncated = c.truncated || params.truncated != ""
		text := func(dst *string, f attr.Field, names ...string) {
			if *dst == "" {
				*dst, _ = s.attrs().Str(f)
			}
			if *dst == "" && len(names) > 0 {
				*dst, _ = params.value(names...).Str()
			}
		}
		number := func(dst **float64, f attr.Field, names ...string) {
			if *dst != nil {
				return
			}
			if v, key := s.attrs().Float(f); key != "" {
				*dst = new(v)
			} else if v, ok := params.value(names...).Float(); ok {
				*dst = new(v)
			}
		}
		text(&c.requestModel, attr.RequestModel, "model", "model_id")
		text(&c.requestModel, attr.ModelName)
		text(&c.responseModel, attr.ResponseModel)
		text(&c.responseID, attr.ResponseID)
		number(&c.temperature, attr.Temperature, "temperature")
		number(&c.topP, attr.TopP, "top_p", "topP")
		number(&c.frequencyPenalty, attr.FrequencyPenalty, "frequency_penalty", "frequencyPenalty")
		number(&c.presencePenalty, attr.PresencePenalty, "presence_penalty", "presencePenalty")
		if c.maxTokens == nil {
			if n, key := s.attrs().Int(attr.MaxTokens); key != "" {
				c.maxTokens = new(n)
			} else if n, ok := params.value("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "num_predict").Int(); ok {
				c.maxTokens = new(n)
			}
		}
		if c.finishReasons == nil {
			c.finishReasons = seen.finishReasons(s)
		}
		c.tools = append(c.tools, seen.toolDefinitions(s, params)...)
		c.readOutput(s)
		if !c.streamed {
			yes, _ := s.attrs().Bool(attr.Streamed)
			inv, _ := params.value("stream").Bool()
			c.streamed = yes || inv || slices.ContainsFunc(attr.TTFTEvidence, func(k string) bool { return !s.attrs().Get(k).IsNull() })
		}
	}
	c.system, c.systemFrom = systemOf(spans, c.requestModel)
	for _, s := range slices.Backward(spans) {
		if c.provider == "" {
			c.provider = providerOf(s, c.requestModel)
		}
	}
	return c
}

// readOutput takes model, id and finish reasons out of a JSON output, which
// raw provider responses are (spec §2.2).
func (c *call) readOutput(s *Span) {
	if c.responseModel != "" && c.responseID != "" && c.finishReasons != nil {
		return
	}
	if mime, _ := s.attrs().Str(attr.OutputMIMEType); mime != "application/json" {
		return
	}
	text, _ := s.attrs().Str(attr.OutputValue)
	var out struct {
		ID      string `json:"id"`
		Model   string `json:"model"`
		Choices []struct {
			FinishReason string `json:"finish_reason"`
		} `json:"choices"`
	}
	if json.Unmarshal([]byte(text), &out) != nil {
		return
	}
	if c.responseModel == "" {
		c.responseModel = out.Model
	}
	if c.responseID == "" {
		c.responseID = out.ID
	}
	if c.finishReasons == nil {
		for _, choice := range out.Choices {
			if choice.FinishReason != "" {
				c.finishReasons = append(c.finishReasons, choice.FinishReason)
			}
		}
	}
}

// finishReasons reads why a span's call stopped, from one list or from one
// attribute per completion.
func (p *repeats) finishReasons(s *Span) []string {
	for _, key := range attr.FinishReasons {
		v := s.attrs().Get(key)
		if list := once(p.reasons, v.Text(), func(string) []string { return v.Strings() }); len(list) > 0 {
			return list
		}
	}
	var list []string
	for n := range s.Attrs.Prefix("gen_ai.completion.") {
		reason, ok := s.attrs().Get(indexed("gen_ai.completion", n, "finish_reason")).Str()
		if !ok {
			break
		}
		list = append(list, reason)
	}
	if list != nil {
		return list
	}
	var messages []struct {
		FinishReason string `json:"finish_reason"`
	}
	text, key := s.attrs().Str(attr.OutputMessages)
	if key != "" && json.Unmarshal([]byte(text), &messages) == nil {
		for _, m := range messages {
			if m.FinishReason != "" {
				list = append(list, m.FinishReason)
			}
		}
	}
	return list
}
