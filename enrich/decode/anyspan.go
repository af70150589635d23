package decode

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// spanRows are spans that stand by themselves, as others' tools write them.
var spanRows = Format{
	Name:    "span-rows",
	Dataset: enrich.Traces,
	Doc:     "Spans as rows of their own, as Phoenix, OpenInference, OpenTelemetry's SDKs, Data Prepper and the like write them; attributes as an object, as a list, or in columns.",
	match: func(k *keys) bool {
		sdk := k.any("spanContext", "span_context", "_spanContext", "context") && k.any("startTime", "start_time")
		flat := k.any("trace_id", "traceId", "context.trace_id") && k.any("span_id", "spanId", "context.span_id") && k.any("traceId", "spanId", "context.span_id",
			"scope", "trace_state", "span_kind", "status_code", "startTimeUnixNano", "start_time_unix_nano", "start_time_ns", "parent_id", "serviceName")
		return (sdk || flat) && k.has("name") && k.lacks("success", "prompt", "metric_name", "spans", "body")
	},
	row: func(d *decoder) {
		if sp := d.anySpan(false); d.s.err == nil {
			d.addSpan(&sp)
		}
	},
}

// anySpan reads a span however its writer spells the fields. A strict one is
// OTLP's: a name in snake_case is worth a warning there, and fields beyond the
// specification are ignored; of other writers they are kept beside the span.
func (d *decoder) anySpan(strict bool) (sp enrich.Span) {
	s, base := d.s, len(d.stack)
	var columns []attr.KeyValue // attributes and resource attributes that are fields
	var ofResource []attr.KeyValue
	var kind, length attr.Value
	var service string
	sdk := false // OpenTelemetry's SDKs number the kinds from 0, OTLP from 1
	s.enter()
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		if strict {
			d.noteSnake(key)
		}
		switch string(key) {
		case "traceId", "trace_id", "context.trace_id":
			sp.TraceID = d.anyTraceID("traceId")
		case "spanId", "span_id", "context.span_id":
			var note idNote
			sp.ID, note = d.anySpanID("spanId")
			d.noteID(note)
		case "parentSpanId", "parent_span_id", "parent_id", "parentId":
			sp.ParentID, _ = d.anySpanID("parentSpanId")
		case "name", "span_name":
			sp.Name = d.label("name")
		case "kind", "span_kind":
			kind = d.value()
		case "startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "start_time_ns":
			sp.Start = d.anyTime("startTimeUnixNano")
		case "endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time", "end_time_ns":
			sp.End = d.anyTime("endTimeUnixNano")
		case "attributes":
			sp.Attrs = d.anyAttributes("attributes", !strict)
		case "events":
			sp.Events = d.anyEvents()
		case "links":
			sp.Links = d.anyLinks()
		case "status":
			sp.Status, sp.StatusMessage = d.status()
		case "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount", "dropped_attributes_count", "dropped_events_count", "dropped_links_count":
			if n := d.int("droppedAttributesCount"); n != nil {
				d.dropped += *n
			}
		default:
			if strict {
				s.skip()
				continue
			}
			switch name := string(key); name {
			case "context", "spanContext", "span_context", "_spanContext":
				sdk = true
				var note idNote
				sp.TraceID, sp.ID, note = d.spanContext(name)
				d.noteID(note)
			case "parent", "parentSpanContext":
				if s.kind() == objectKind {
					_, sp.ParentID, _ = d.spanContext(name)
				} else {
					sp.ParentID, _ = d.anySpanID(name)
				}
			case "status_code", "statusCode":
				sp.Status = enrich.ParseStatusCode(d.value())
			case "status_message", "statusMessage":
				sp.StatusMessage = d.value().Text()
			case "resource":
				sp.Resource = d.anyResource()
			case "scope", "instrumentationScope", "instrumentation_scope", "instrumentationLibrary":
				sp.Scope = d.anyScope()
			case "serviceName", "service_name":
				service, _ = d.value().Str()
			case "durationInNanos":
				length = inMilliseconds(d.value())
			case "duration_ms":
				length = d.value()
			default:
				if attribute, ok := strings.CutPrefix(name, "attributes."); ok {
					columns = d.nestedInto(columns, attribute)
				} else if attribute, ok := strings.CutPrefix(name, "span.attributes."); ok {
					columns = d.nestedInto(columns, strings.ReplaceAll(attribute, "@", "."))
				} else if attribute, ok := strings.CutPrefix(name, "resource.attributes."); ok {
					ofResource = d.nestedInto(ofResource, strings.ReplaceAll(attribute, "@", "."))
				} else {
					d.field(key)
				}
			}
		}
	}
	if strict {
		sp.Kind = enrich.ParseSpanKind(kind)
		return sp
	}
	sp.Row = d.pop(base)
	sp.Attrs = sp.Attrs.Merge(attr.NewSet(columns))
	if ofResource != nil && sp.Resource == nil {
		sp.Resource = d.resources.shared(&enrich.Resource{Attrs: attr.NewSet(ofResource)})
	}
	if service != "" && sp.Resource == nil {
		sp.Resource = d.resources.service(service)
	}
	d.stateKind(&sp, kind, sdk)
	if ms, ok := length.Float(); ok && sp.End == 0 && sp.Start > 0 && ms >= 0 && ms < 1e12 && sp.Start < math.MaxInt64-1e18 {
		if u := unitOf(sp.Start, 0); u == 1 {
			sp.End = sp.Start + enrich.Time(math.Round(ms*1e6))
			d.repairs.lengths++
		}
	}
	return sp
}

// inMilliseconds converts a length from nanoseconds.
func inMilliseconds(v attr.Value) attr.Value {
	if f, ok := v.Float(); ok {
		return attr.FloatValue(f / 1e6)
	}
	return attr.Value{}
}

// noteSnake notes a key of OTLP that is in snake_case, which OTLP's JSON has not.
func (d *decoder) noteSnake(key []byte) {
	if d.snake || bytes.IndexByte(key, '_') < 0 {
		return
	}
	d.snake = true
	d.warn("%s and other keys are in snake_case, expected lowerCamelCase", plain(string(key)))
	d.flag(enrich.FlagOTLPSnakeCase)
}

// stateKind gives a span the kind that its row states: OpenTelemetry's, or
// OpenInference's, which is an attribute.
func (d *decoder) stateKind(sp *enrich.Span, kind attr.Value, sdk bool) {
	if kind.Kind() == attr.Int && sdk {
		if n, ok := kind.Int(); ok && n < 16 {
			kind = attr.IntValue(n + 1)
		}
	}
	sp.Kind = enrich.ParseSpanKind(kind)
	word, ok := kind.Str()
	if _, number := kind.Int(); !ok || number || sp.Kind != enrich.SpanKindUnspecified {
		return
	}
	if upper := strings.ToUpper(word); upper != "UNKNOWN" && !strings.HasSuffix(upper, "UNSPECIFIED") {
		sp.Attrs = sp.Attrs.Merge(attr.Set{{Key: attr.OpenInferenceKind[0], Value: attr.StringValue(upper)}})
	}
}

// spanContext reads {"trace_id":…,"span_id":…}.
func (d *decoder) spanContext(field string) (traceID enrich.TraceID, id enrich.SpanID, note idNote) {
	if d.s.kind() != objectKind {
		d.nullOr(field, "an object with trace_id and span_id")
		return traceID, id, note
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "traceId", "trace_id", "_traceId":
			traceID = d.anyTraceID("trace_id")
		case "spanId", "span_id", "_spanId":
			id, note = d.anySpanID("span_id")
		default:
			d.s.skip()
		}
	}
	return traceID, id, note
}

// anyAttributes reads attributes as OTLP's list, as an object, or as a string
// that holds one of them. Others' objects may be nested.
func (d *decoder) anyAttributes(field string, nested bool) (set attr.Set) {
	switch d.s.kind() {
	case listKind:
		return d.keyValues(field)
	case stringKind:
		d.within(field, objectKind, func() { set = d.anyAttributes(field, nested) })
		return set
	case objectKind:
	default:
		d.nullOr(field, "a list or an object")
		return nil
	}
	base := len(d.stack)
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		if nested {
			d.nested(string(key))
		} else {
			d.field(key)
		}
	}
	return d.pop(base)
}

// namespaces are the first words of attributes' names, below which an object
// holds attributes rather than a value.
var namespaces = map[string]bool{
	"agent": true, "ai": true, "embedding": true, "exception": true, "gen_ai": true, "input": true, "langfuse": true, "llm": true,
	"openinference": true, "output": true, "reranker": true, "retrieval": true, "session": true, "smolagents": true, "tool": true, "user": true,
}

// lists are those of the namespaces in which a list of objects is spelt out by
// OpenInference: llm.input_messages.0.message.role.
var lists = map[string]bool{"embedding": true, "llm": true, "reranker": true, "retrieval": true}

// opaque are the last words of attributes whose value is an object.
var opaque = map[string]bool{
	"arguments": true, "cost_details": true, "invocation_parameters": true, "json_schema": true, "metadata": true, "parameters": true, "usage_details": true, "value": true,
}

// maxName bounds names that are put together, which would otherwise repeat a
// long beginning for every attribute below it.
const maxName = 128

// nested reads the value of an attribute onto the stack, or the attributes that
// lie in it as Phoenix nests them: {"llm":{"token_count":{"prompt":1}}}.
func (d *decoder) nested(name string) {
	root, _, _ := strings.Cut(name, ".")
	if len(name) > maxName || !namespaces[root] || opaque[name[strings.LastIndexByte(name, '.')+1:]] {
		d.stack = append(d.stack, attr.KeyValue{Key: d.keep.name([]byte(name)), Value: d.value()})
		return
	}
	switch k := d.s.kind(); {
	case k == objectKind:
		d.s.enter()
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			d.nested(name + "." + string(key))
		}
	case k == listKind && lists[root] && d.holdsObjects():
		d.s.enter()
		for i := 0; d.s.nextItem(); i++ {
			d.nested(name + "." + strconv.Itoa(i))
		}
	default:
		d.stack = append(d.stack, attr.KeyValue{Key: d.keep.name([]byte(name)), Value: d.value()})
	}
}

// nestedInto is nested onto a list of the caller's.
func (d *decoder) nestedInto(list []attr.KeyValue, name string) []attr.KeyValue {
	base := len(d.stack)
	d.nested(name)
	list = append(list, d.stack[base:]...)
	clear(d.stack[base:])
	d.stack = d.stack[:base]
	return list
}

// holdsObjects looks ahead whether the list that comes next begins with one.
func (d *decoder) holdsObjects() (yes bool) {
	d.s.peek(func() {
		d.s.enter()
		yes = d.s.nextItem() && d.s.kind() == objectKind
	})
	return yes
}

func (d *decoder) anyEvents() (events []enrich.Event) {
	d.each("events", func() {
		var e enrich.Event
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "name":
				e.Name = d.label("event name")
			case "timeUnixNano", "time_unix_nano", "timestamp", "time":
				e.Time = d.anyTime("timeUnixNano")
			case "attributes":
				e.Attrs = d.anyAttributes("event attributes", false)
			case "droppedAttributesCount", "dropped_attributes_count":
				if n := d.int("droppedAttributesCount"); n != nil {
					d.dropped += *n
				}
			default:
				d.s.skip()
			}
		}
		events = append(events, e)
	})
	return events
}

func (d *decoder) anyLinks() (links []enrich.Link) {
	d.each("links", func() {
		var l enrich.Link
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "traceId", "trace_id":
				d.anyID("link traceId", l.TraceID[:])
			case "spanId", "span_id":
				d.anyID("link spanId", l.SpanID[:])
			case "context", "spanContext":
				l.TraceID, l.SpanID, _ = d.spanContext("link context")
			case "attributes":
				l.Attrs = d.anyAttributes("link attributes", false)
			default:
				d.s.skip()
			}
		}
		links = append(links, l)
	})
	return links
}

// anyResource reads a resource; one without attributes is none.
func (d *decoder) anyResource() *enrich.Resource {
	if r := d.resource(); r != nil && len(r.Attrs) > 0 {
		return r
	}
	return nil
}

// anyScope reads a scope; one without name and version is none.
func (d *decoder) anyScope() *enrich.Scope {
	if sc := d.scope(); sc != nil && *sc != (enrich.Scope{}) {
		return sc
	}
	return nil
}
