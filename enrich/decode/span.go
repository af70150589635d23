package decode

import (
	"math"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// Span reads one span as [enrich.Span.AppendJSON] writes it.
func Span(raw []byte) (enrich.Span, error) {
	d := &decoder{rd: &anyReader, part: &enrich.Part{}, s: textScanner(raw), exact: true}
	if d.s.token() != '{' {
		d.s.expected("a span", d.s.pos)
	}
	span := d.span()
	if d.s.err == nil && !d.s.ended() {
		d.s.expected("the end of the span", d.s.pos)
	}
	if d.s.err != nil {
		return enrich.Span{}, d.s.err
	}
	if len(d.warnings) > 0 {
		return enrich.Span{}, &syntaxError{line: 1, message: d.warnings[0].Message}
	}
	return span, nil
}

// span reads one span in any of SMOLTRACE's generations (spec §1.3), or ours.
func (d *decoder) span() (sp enrich.Span) {
	s, base := d.s, len(d.stack)
	var length, kind attr.Value
	var start, end int64
	d.moments = d.moments[:0]
	s.enter()
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "trace_id":
			var note idNote
			if sp.TraceID, note = d.traceID("trace_id"); note != (idNote{}) && sp.TraceID != d.noted && d.flat[sp.TraceID] == nil {
				d.noted = sp.TraceID
				d.noteID(note)
			}
		case "span_id":
			var note idNote
			sp.ID, note = d.spanID("span_id")
			d.noteID(note)
		case "parent_span_id":
			sp.ParentID, _ = d.spanID("parent_span_id")
		case "name", "span_name":
			sp.Name = d.label("name")
		case "start_time":
			sp.Start = d.time("start_time")
			start = d.written
		case "end_time":
			sp.End = d.time("end_time")
			end = d.written
		case "duration_ms":
			length = d.value()
		case "attributes":
			sp.Attrs = d.attributes("attributes")
		case "events":
			sp.Events = d.events()
		case "links":
			sp.Links = d.links()
		case "status":
			sp.Status, sp.StatusMessage = d.status()
		case "kind":
			kind = d.value()
		case "resource":
			sp.Resource = d.resource()
		case "scope":
			sp.Scope = d.scope()
		case "tool_output":
			s.skip() // the beginning of the attribute output.value
		default:
			d.field(key)
		}
	}
	d.stateKind(&sp, kind, false)
	if start > 0 && start < nanosFrom && inNanoseconds(start, end, length) {
		sp.Start, sp.End = enrich.Time(start), enrich.Time(end)
		for i, t := range d.moments {
			if t > 0 {
				sp.Events[i].Time = enrich.Time(t)
			}
		}
	}
	if sp.Start == 0 || sp.End == 0 {
		d.stack = append(d.stack, attr.KeyValue{Key: "duration_ms", Value: length})
	}
	sp.Row = d.pop(base)
	return sp
}

// nanosFrom is where the rule TIME begins to take a number for nanoseconds.
const nanosFrom = 1e17

// inNanoseconds reports whether the length of a span, stated in milliseconds,
// proves that its times count nanoseconds though they are too small to be
// today's. Clocks that begin with a test's process write such times.
func inNanoseconds(start, end int64, length attr.Value) bool {
	ms, ok := length.Float()
	return ok && ms > 0 && end > start && math.Abs(float64(end-start)/1e6-ms) <= 1e-6*ms
}

// label reads a name that many spans are likely to share.
func (d *decoder) label(field string) string {
	if d.s.kind() == stringKind {
		text, _ := d.s.quoted()
		return d.keep.name(text)
	}
	d.nullOr(field, "a string")
	return ""
}

// attributes reads an object of attributes, or a string that holds one.
func (d *decoder) attributes(field string) (set attr.Set) {
	switch d.s.kind() {
	case objectKind:
		return d.set()
	case listKind:
		return d.keyValues(field)
	case stringKind:
		d.within(field, objectKind, func() { set = d.set() })
		return set
	}
	d.nullOr(field, "an object")
	return nil
}

// within reads JSON text that stands in a string, where typed columns could
// not hold it otherwise (spec §1.7). A string that is empty, or holds a null,
// is read as null. Text that is damaged is not read at all.
func (d *decoder) within(field string, want kind, read func()) {
	outer := d.s
	line := outer.line(outer.pos)
	text, ok := outer.quoted()
	if t := string(text[:min(len(text), 5)]); !ok || t == "" || t == "null" || t == "None" {
		return
	}
	// The text stays where it is, because the outer scanner reads nothing now.
	inner := d.textScanner(text)
	inner.onLine = line
	inner.depth = outer.depth
	if inner.kind() != want {
		d.warnAt(line, "%s is %s, expected %s", field, quote(string(text)), want)
		return
	}
	from := *inner
	inner.skip()
	if inner.err == nil && !inner.ended() {
		inner.expected("the end of the text", inner.pos)
	}
	if inner.err != nil {
		_, message := d.message(inner.err)
		d.warnAt(line, "%s is a string that breaks off: %s; left out", field, message)
		return
	}
	*inner = from
	d.s = inner
	read()
	d.s = outer
	outer.nonFinite += inner.nonFinite
	outer.mended += inner.mended
}

func (d *decoder) events() (events []enrich.Event) {
	d.moments = d.moments[:0]
	d.each("events", func() {
		var e enrich.Event
		var moment int64
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "name":
				e.Name = d.label("event name")
			case "timestamp":
				e.Time = d.time("event timestamp")
				moment = d.written
			case "attributes":
				e.Attrs = d.attributes("event attributes")
			default:
				d.s.skip()
			}
		}
		events = append(events, e)
		d.moments = append(d.moments, moment)
	})
	return events
}

func (d *decoder) links() (links []enrich.Link) {
	d.each("links", func() {
		var l enrich.Link
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "trace_id":
				l.TraceID, _ = d.traceID("link trace_id")
			case "span_id":
				l.SpanID, _ = d.spanID("link span_id")
			case "attributes":
				l.Attrs = d.attributes("link attributes")
			default:
				d.s.skip()
			}
		}
		links = append(links, l)
	})
	return links
}

// each reads a list of objects, or a string that holds one: read reads the rest
// of an object that was entered.
func (d *decoder) each(field string, read func()) {
	d.objects(field, func() { d.s.enter(); read() })
}

// objects is each for a read that reads the whole object.
func (d *decoder) objects(field string, read func()) {
	items := func() {
		d.s.enter()
		for d.s.nextItem() {
			switch d.s.kind() {
			case objectKind:
				read()
			case nullKind:
				d.s.null()
			default:
				d.wrong("one of "+field, "an object")
			}
		}
	}
	switch d.s.kind() {
	case listKind:
		items()
	case stringKind:
		d.within(field, listKind, items)
	default:
		d.nullOr(field, "a list of objects")
	}
}

// status reads {"code":…,"description":…}, or a code alone.
func (d *decoder) status() (code enrich.StatusCode, message string) {
	switch d.s.kind() {
	case objectKind:
	case stringKind, numberKind:
		return enrich.ParseStatusCode(d.value()), ""
	default:
		d.nullOr("status", "an object with code and description")
		return code, ""
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "code", "status_code":
			code = enrich.ParseStatusCode(d.value())
		case "description", "message":
			message = d.value().Text()
		default:
			d.s.skip()
		}
	}
	return code, message
}

func (d *decoder) scope() *enrich.Scope {
	if d.s.kind() != objectKind {
		d.nullOr("scope", "an object with name and version")
		return nil
	}
	var sc enrich.Scope
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "name":
			sc.Name = d.label("scope name")
		case "version":
			sc.Version = d.label("scope version")
		default:
			d.s.skip()
		}
	}
	if d.lastScope == nil || *d.lastScope != sc {
		d.lastScope = &sc
	}
	return d.lastScope
}
