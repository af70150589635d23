package decode

import (
	"encoding/json"
	"math"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// Jaeger's JSON (spec §1.10 rule 4a): times count microseconds, and what
// OpenTelemetry has fields for stands in tags.
var (
	jaeger = Format{
		Name: "jaeger-json", Dataset: enrich.Traces,
		Doc:   "Jaeger's JSON of traces, as its page downloads them and its query API answers: spans, and the processes that they refer to.",
		match: func(k *keys) bool { return k.has("traceID") && k.is("spans", listKind, nullKind) },
		row:   (*decoder).jaegerTrace,
	}
	jaegerSpans = Format{
		Name: "jaeger-json", Dataset: enrich.Traces,
		Doc:   "Jaeger's spans as rows of their own, as its indices in OpenSearch hold them.",
		match: func(k *keys) bool { return k.has("traceID", "spanID") && k.any("operationName", "startTime") },
		row: func(d *decoder) {
			if sp := d.jaegerSpan(); d.s.err == nil {
				d.addSpan(&sp.Span)
			}
		},
	}
)

// A jaegerSpan is a span and the process that it refers to.
type jaegerSpan struct {
	enrich.Span
	process string
}

// jaegerTrace reads a trace, whose processes come after the spans.
func (d *decoder) jaegerTrace() {
	var spans []jaegerSpan
	processes := map[string]*enrich.Resource{}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "spans":
			d.objects("spans", func() { spans = append(spans, d.jaegerSpan()) })
		case "processes":
			d.one("processes", func() {
				for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
					id := string(key)
					processes[id] = d.jaegerProcess()
				}
			})
		default:
			d.s.skip()
		}
	}
	if d.s.err != nil {
		return
	}
	for i := range spans {
		if sp := &spans[i]; sp.Resource == nil {
			sp.Resource = processes[sp.process]
		}
		d.addSpan(&spans[i].Span)
	}
}

func (d *decoder) jaegerSpan() (sp jaegerSpan) {
	var length enrich.Time
	var tags []attr.KeyValue
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "traceID":
			sp.TraceID = d.anyTraceID("traceID")
		case "spanID":
			var note idNote
			sp.ID, note = d.anySpanID("spanID")
			d.noteID(note)
		case "parentSpanID":
			if id, _ := d.anySpanID("parentSpanID"); id != (enrich.SpanID{}) {
				sp.ParentID = id
			}
		case "operationName":
			sp.Name = d.label("operationName")
		case "references":
			d.references(&sp.Span)
		case "startTime":
			sp.Start = d.micros("startTime")
		case "duration":
			length = d.micros("duration")
		case "tags":
			tags = append(tags, d.jaegerTags("tags")...)
		case "tag":
			// An index may hold some tags as fields, with another character for dots.
			for _, t := range d.anyAttributes("tag", false) {
				tags = append(tags, attr.KeyValue{Key: strings.ReplaceAll(t.Key, "@", "."), Value: t.Value})
			}
		case "logs":
			sp.Events = d.jaegerLogs()
		case "processID":
			sp.process = d.label("processID")
		case "process":
			sp.Resource = d.jaegerProcess()
		default:
			d.s.skip()
		}
	}
	if sp.Start > 0 && length <= math.MaxInt64-sp.Start {
		sp.End = sp.Start + length
	}
	sp.untag(tags)
	if d.lastScope != nil && sp.Scope != nil && *d.lastScope == *sp.Scope {
		sp.Scope = d.lastScope
	}
	d.lastScope = sp.Scope
	if refs := sp.Links; len(refs) > 0 {
		sp.Links = refs[:0]
		for _, l := range refs {
			if l.TraceID != sp.TraceID || l.SpanID != sp.ParentID {
				sp.Links = append(sp.Links, l)
			}
		}
		if len(sp.Links) == 0 {
			sp.Links = nil
		}
	}
	return sp
}

// untag gives the tags that stand for fields of OpenTelemetry to the fields,
// and the rest to the attributes.
func (sp *jaegerSpan) untag(tags []attr.KeyValue) {
	var scope enrich.Scope
	rest := tags[:0]
	failed := false
	for _, t := range tags {
		switch t.Key {
		case "span.kind":
			sp.Kind = enrich.ParseSpanKind(t.Value)
		case "error":
			failed, _ = t.Value.Bool()
		case "otel.status_code":
			sp.Status = enrich.ParseStatusCode(t.Value)
		case "otel.status_description":
			sp.StatusMessage = t.Value.Text()
		case "otel.scope.name", "otel.library.name":
			scope.Name = t.Value.Text()
		case "otel.scope.version", "otel.library.version":
			scope.Version = t.Value.Text()
		default:
			rest = append(rest, t)
		}
	}
	if failed && sp.Status == enrich.StatusUnset {
		sp.Status = enrich.StatusError
	}
	if scope != (enrich.Scope{}) {
		sp.Scope = &scope
	}
	sp.Attrs = attr.NewSet(rest)
}

// references reads what a span refers to: the first CHILD_OF is its parent,
// else the first FOLLOWS_FROM. All are links until the trace's id is known.
func (d *decoder) references(sp *enrich.Span) {
	child := false
	d.each("references", func() {
		var l enrich.Link
		var kind string
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "refType":
				kind = d.label("refType")
			case "traceID":
				d.anyID("reference's traceID", l.TraceID[:])
			case "spanID":
				d.anyID("reference's spanID", l.SpanID[:])
			default:
				d.s.skip()
			}
		}
		if same := l.TraceID == sp.TraceID || sp.TraceID == (enrich.TraceID{}); same && (kind == "CHILD_OF" && !child || sp.ParentID == (enrich.SpanID{})) {
			sp.ParentID = l.SpanID
			child = child || kind == "CHILD_OF"
		}
		sp.Links = append(sp.Links, l)
	})
}

// jaegerTags reads [{"key":…,"type":"int64","value":…}]. Every value may be
// written as a string: the type says what it is.
func (d *decoder) jaegerTags(field string) (tags []attr.KeyValue) {
	d.each(field, func() {
		var t attr.KeyValue
		var kind string
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "key":
				t.Key = d.label("tag's key")
			case "type":
				kind = d.label("tag's type")
			case "value":
				t.Value = d.value()
			default:
				d.s.skip()
			}
		}
		t.Value = tagged(t.Value, kind)
		tags = append(tags, t)
	})
	return tags
}

// tagged gives a value the type that its tag names, if it can.
func tagged(v attr.Value, kind string) attr.Value {
	switch strings.ToLower(kind) {
	case "bool":
		if b, ok := v.Bool(); ok {
			return attr.BoolValue(b)
		}
	case "int64":
		if n, err := json.Number(v.Text()).Int64(); err == nil {
			return attr.IntValue(n)
		}
	case "float64":
		if f, ok := v.Float(); ok {
			return attr.FloatValue(f)
		}
	}
	return v
}

// jaegerLogs reads the moments of a span; of their fields, event or name names
// them.
func (d *decoder) jaegerLogs() (events []enrich.Event) {
	d.each("logs", func() {
		var e enrich.Event
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "timestamp":
				e.Time = d.micros("log's timestamp")
			case "fields":
				fields := d.jaegerTags("fields")
				for _, name := range []string{"event", "name"} {
					for i, f := range fields {
						if f.Key == name && f.Value.Kind() == attr.String && e.Name == "" {
							e.Name = f.Value.Text()
							fields = append(fields[:i], fields[i+1:]...)
							break
						}
					}
				}
				e.Attrs = attr.NewSet(fields)
			default:
				d.s.skip()
			}
		}
		events = append(events, e)
	})
	return events
}

// jaegerProcess reads a process as the resource that it was.
func (d *decoder) jaegerProcess() *enrich.Resource {
	var list []attr.KeyValue
	d.one("process", func() {
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "serviceName":
				list = append(list, attr.KeyValue{Key: attr.ServiceName[0], Value: d.value()})
			case "tags":
				list = append(list, d.jaegerTags("process tags")...)
			case "tag":
				for _, t := range d.anyAttributes("process tag", false) {
					list = append(list, attr.KeyValue{Key: strings.ReplaceAll(t.Key, "@", "."), Value: t.Value})
				}
			default:
				d.s.skip()
			}
		}
	})
	set := attr.NewSet(list)
	if len(set) == 0 {
		return nil
	}
	return d.resources.shared(&enrich.Resource{Attrs: set})
}

// micros reads microseconds.
func (d *decoder) micros(field string) enrich.Time {
	n := d.int(field)
	if n == nil {
		return 0
	}
	if *n > math.MaxInt64/1000 {
		d.warn("%s is %d, expected microseconds", field, *n)
		return 0
	}
	return enrich.Time(*n * 1000)
}
