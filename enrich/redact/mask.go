package redact

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// A Mask says what is masked in rows. The zero Mask changes nothing.
type Mask struct {
	Secrets bool // what Rules find
	Text    bool // prompts, responses, messages, arguments and results of tools, errors
}

// Hidden stands in for text that is not shown.
const Hidden = "[text hidden]"

// Any reports whether the mask changes anything.
func (m Mask) Any() bool { return m.Secrets || m.Text }

// ids are the columns that rows are found and joined by; they stay.
var ids = []string{"run_id", "trace_id", "span_id", "parent_span_id", "root_span_id", "test_id", "task_id", "test_case_uid", "metric_name"}

// texts are the columns that hold what agents read and wrote.
var texts = []string{"prompt", "response", "error", "enhanced_trace_info", "llm.tools", "notes"}

// plain are the attributes whose text names what ran, and not what was said. Of
// all others the text is hidden, so that an unknown one does not give it away.
var plain = []string{
	"agent.type", "error.type", "gen_ai.agent.name", "gen_ai.operation.name", "gen_ai.output.type", "gen_ai.provider.name",
	"gen_ai.request.model", "gen_ai.response.finish_reasons", "gen_ai.response.id", "gen_ai.response.model", "gen_ai.system",
	"gen_ai.tool.call.id", "gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.token.type", "gpu_id", "gpu_name",
	"llm.model_name", "llm.provider", "llm.system", "openinference.span.kind", "run.id", "service.name", "service.version",
	"telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "test.difficulty", "test.id", "tool.name", "traceloop.span.kind",
}

// Row masks a row of a dataset.
func Row[R any](m Mask, columns []enrich.Column[R], row *R) {
	if !m.Any() {
		return
	}
	for _, c := range columns {
		if slices.Contains(ids, c.Name) {
			continue
		}
		hide := m.Text && slices.Contains(texts, c.Name)
		switch p := c.Ptr(row).(type) {
		case *string:
			*p = m.text(*p, hide)
		case **string:
			if *p != nil {
				*p = new(m.text(**p, hide))
			}
		case *[]string:
			if *p != nil {
				masked := make([]string, len(*p))
				for i, text := range *p {
					masked[i] = m.text(text, hide)
				}
				*p = masked
			}
		case *enrich.JSON:
			*p = enrich.JSON(m.JSON([]byte(*p)))
		case *enrich.SpanList:
			if p.Known() {
				*p = enrich.SpansText(enrich.JSON(m.JSON(p.AppendJSON(nil))))
			}
		}
	}
}

// Quality masks the values that files state; it returns a copy.
func (m Mask) Quality(q enrich.Quality) enrich.Quality {
	if !m.Any() {
		return q
	}
	stored := make(map[string]map[string]attr.Value, len(q.Stored))
	for where, values := range q.Stored {
		stored[where] = make(map[string]attr.Value, len(values))
		for column, v := range values {
			switch v.Kind() {
			case attr.String:
				text, _ := v.Str()
				v = attr.StringValue(m.text(text, m.Text && slices.Contains(texts, column)))
			case attr.JSON:
				v = attr.JSONValue(string(m.JSON(v.AppendJSON(nil))))
			}
			stored[where][column] = v
		}
	}
	q.Stored = stored
	return q
}

// File masks the receipt of a file; it returns a copy.
func (m Mask) File(f enrich.File) enrich.File {
	if !m.Any() {
		return f
	}
	f.Name = m.text(f.Name, false)
	f.Repairs = slices.Clone(f.Repairs)
	for i, text := range f.Repairs {
		f.Repairs[i] = m.text(text, false)
	}
	f.Warnings = slices.Clone(f.Warnings)
	for i, w := range f.Warnings {
		f.Warnings[i] = enrich.Warning{Where: w.Where, Message: m.text(w.Message, m.Text)}
	}
	if f.Error != nil {
		f.Error = new(m.text(*f.Error, m.Text))
	}
	return f
}

// Tables returns a run with all of its rows masked; t stays as it is.
func (m Mask) Tables(t *enrich.Tables) *enrich.Tables {
	masked := *t
	if !m.Any() {
		return &masked
	}
	Row(m, enrich.LeaderboardColumns, &masked.Leaderboard)
	masked.Results = rows(m, enrich.ResultColumns, t.Results)
	masked.Traces = rows(m, enrich.TraceColumns, t.Traces)
	masked.Metrics = rows(m, enrich.MetricColumns, t.Metrics)
	masked.Spans = rows(m, enrich.SpanColumns, t.Spans)
	masked.Quality = m.Quality(t.Quality)
	masked.Provenance = m.Provenance(t.Provenance)
	return &masked
}

// Provenance masks the reasons, which can quote what a file states; it returns a
// copy.
func (m Mask) Provenance(p *enrich.Provenance) *enrich.Provenance {
	if p == nil || !m.Any() {
		return p
	}
	out := &enrich.Provenance{}
	for _, dataset := range p.Datasets() {
		for _, key := range p.Keys(dataset) {
			row := p.Row(dataset, key)
			for column, o := range row {
				o.From = m.text(o.From, false)
				row[column] = o
			}
			out.Put(dataset, key, row)
		}
	}
	return out
}

func rows[R any](m Mask, columns []enrich.Column[R], list []R) []R {
	masked := slices.Clone(list)
	for i := range masked {
		Row(m, columns, &masked[i])
	}
	return masked
}

func (m Mask) text(text string, hide bool) string {
	switch {
	case hide && text != "":
		return Hidden
	case m.Secrets:
		return Text(text)
	}
	return text
}

// JSON masks the texts in a JSON value: spans, or a column that holds JSON. Text
// that is no JSON is masked as text.
func (m Mask) JSON(text []byte) []byte {
	if !m.Any() || len(text) == 0 {
		return text
	}
	tokens := json.NewDecoder(bytes.NewReader(text))
	tokens.UseNumber()
	w := writer{m: m, tokens: tokens}
	if err := w.value("", false); err != nil || tokens.More() {
		return []byte(m.text(string(text), m.Text))
	}
	return w.out
}

// A writer writes masked JSON as it reads it.
type writer struct {
	m      Mask
	tokens *json.Decoder
	out    []byte
}

// value writes the next value, which stands under key. said reports whether it is
// within something that holds what was said.
func (w *writer) value(key string, said bool) error {
	token, err := w.tokens.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return w.list(t, key, said)
	case string:
		w.text(key, t, said)
	case json.Number:
		w.out = append(w.out, t...)
	case bool:
		if t {
			w.out = append(w.out, "true"...)
		} else {
			w.out = append(w.out, "false"...)
		}
	default:
		w.out = append(w.out, "null"...)
	}
	return nil
}

func (w *writer) list(open json.Delim, key string, said bool) error {
	w.out = append(w.out, byte(open))
	for n := 0; w.tokens.More(); n++ {
		if n > 0 {
			w.out = append(w.out, ',')
		}
		within, under := said, key
		if open == '{' {
			name, err := w.tokens.Token()
			if err != nil {
				return err
			}
			under = name.(string)
			within = said || slices.Contains([]string{"attributes", "stored", "resource", "scope"}, key)
			w.out = append(attr.AppendQuoted(w.out, w.m.text(under, false)), ':')
		}
		if err := w.value(under, within); err != nil {
			return err
		}
	}
	end, err := w.tokens.Token()
	if err == nil {
		w.out = append(w.out, byte(end.(json.Delim)))
	}
	return err
}

func (w *writer) text(key, text string, said bool) {
	switch {
	case slices.Contains(ids, key) || key == "flags":
	case w.m.Secrets && text != "" && secretKey.MatchString(key):
		text = maskedValue
	default:
		hide := said && !slices.Contains(plain, key) && !strings.HasPrefix(key, "tests.")
		// Of a span itself, only its status and what exceptions say is said by anyone.
		hide = hide || key == "message" || key == "description" || slices.Contains(texts, key)
		text = w.m.text(text, w.m.Text && hide)
	}
	w.out = attr.AppendQuoted(w.out, text)
}
