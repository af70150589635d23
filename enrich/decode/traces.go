package decode

import "smolscope/enrich"

var traces = Format{
	Name:    "smoltrace-traces",
	Dataset: enrich.Traces,
	Doc:     "SMOLTRACE's traces.json, or rows of its traces dataset: one object per trace, its spans within.",
	match: func(k *keys) bool {
		return k.is("spans", listKind, stringKind, nullKind) && (k.has("trace_id") || k.cut)
	},
	row:   (*decoder).traceRow,
	names: []string{"traces"},
}

// traceRow reads a trace with its spans.
func (d *decoder) traceRow() {
	base, line := len(d.stack), d.where
	var t enrich.Trace
	d.noted = enrich.TraceID{}
	d.s.enter()
	ours, at := true, 0 // whether the keys so far are those of our own rows, in their order
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		ours = ours && at < len(enrich.TraceColumns) && enrich.TraceColumns[at].Name == string(key)
		at++
		switch string(key) {
		case "trace_id":
			var note idNote
			if t.ID, note = d.traceID("trace_id"); t.ID != d.noted {
				d.noted = t.ID
				d.noteID(note)
			}
		case "spans":
			t.Spans = nil
			d.exact = ours // no one else's rows have a model before their spans
			d.objects("spans", func() { t.Spans = append(t.Spans, d.span()) })
			d.exact = false
		default:
			d.field(key)
		}
	}
	t.Row = d.pop(base)
	if d.s.err != nil {
		return
	}
	for i := 0; i < len(t.Spans) && t.ID == (enrich.TraceID{}); i++ {
		t.ID = t.Spans[i].TraceID
	}
	if t.ID == (enrich.TraceID{}) {
		if len(t.Spans) == 0 {
			d.warnAt(line, "row %d has neither trace_id nor spans, expected both; row skipped", d.begun)
			return
		}
		d.json = d.json[:0]
		for i := range t.Spans {
			d.json = t.Spans[i].AppendJSON(d.json)
		}
		t.ID, _ = enrich.ParseTraceID(string(append(d.json, '#')))
		d.repairs.missing++
	}
	for i := range t.Spans {
		if t.Spans[i].TraceID == (enrich.TraceID{}) {
			t.Spans[i].TraceID = t.ID
		}
		d.nameSpan(&t.Spans[i], i)
	}
	if !d.exportedTrace(&t) {
		d.part.Traces = append(d.part.Traces, &t)
	}
}

var flatSpans = Format{
	Name:    "smoltrace-spans",
	Dataset: enrich.Traces,
	Doc:     "Spans as rows of their own, as SMOLTRACE's dataset card describes them; they are grouped by trace_id.",
	match: func(k *keys) bool {
		return k.has("trace_id") && (k.has("span_id") && k.any("span_name", "name") || k.has("attributes")) && k.lacks("prompt", "metric_name")
	},
	row: func(d *decoder) {
		if sp := d.span(); d.s.err == nil {
			d.addSpan(&sp)
		}
	},
	names: []string{"spans"},
}
