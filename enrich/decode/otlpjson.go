package decode

import (
	"encoding/base64"
	"strconv"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// OTLP in JSON (spec §1.8) is read span by span and batch by batch: each is a
// row, so that of a document that breaks off all whole ones are kept.
var (
	otlpTraces = Format{
		Name: "otlp-json", Dataset: enrich.Traces, match: never, names: []string{"resourcespans"},
		Doc: "OTLP traces in JSON: a document, a list of them, or one per line, as the OpenTelemetry Collector's file exporter and SDKs write them, and as Tempo and Jaeger's API v3 answer.",
		row: func(d *decoder) {
			if sp := d.anySpan(true); d.s.err == nil {
				d.spans = append(d.spans, sp)
			}
		},
	}
	otlpMetrics = Format{
		Name: "otlp-json", Dataset: enrich.Metrics, match: never, names: []string{"resourcemetrics"},
		Doc: "OTLP metrics in JSON, likewise.",
		row: func(d *decoder) {
			d.s.enter()
			samples := d.metricsBatch()
			for i := range samples {
				if d.s.err == nil {
					d.addSample(&samples[i])
				}
			}
		},
	}
)

// logsIgnored says what comes of logs.
const logsIgnored = "holds OTLP logs, of which nothing is shown"

// isOTLP reports whether an object holds OTLP: a document, or what its list
// holds. SMOLTRACE's own metrics documents look alike.
func isOTLP(k *keys) bool {
	return k.any("resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "scopeSpans", "scope_spans", "scopeMetrics", "scope_metrics",
		"instrumentationLibrarySpans", "instrumentation_library_spans") ||
		k.is("batches", listKind) || k.any("resourceMetrics", "resource_metrics") && (k.lacks("aggregates", "run_id") || k.bad && !k.any("aggregates", "run_id"))
}

// otlpObject reads an object that isOTLP.
func (d *decoder) otlpObject() {
	var resource *enrich.Resource
	known := false // the resource
	from := len(d.spans)
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		d.noteSnake(key)
		switch string(key) {
		case "resourceSpans", "resource_spans", "batches":
			d.taken(&otlpTraces)
			d.objects("resourceSpans", d.otlpObject)
		case "resourceMetrics", "resource_metrics":
			d.taken(&otlpMetrics)
			d.objects("resourceMetrics", func() { d.row(&otlpMetrics) })
		case "resourceLogs", "resource_logs":
			d.skipLogs()
		case "resource":
			resource, known = d.anyResource(), true
		case "scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans":
			d.taken(&otlpTraces)
			d.each("scopeSpans", func() { d.scopeSpans(resource, known) })
		default:
			d.s.skip()
		}
	}
	d.release(from, resource)
}

// taken notes what a file is of which no row has been read yet.
func (d *decoder) taken(f *Format) {
	if d.format == nil {
		d.format = f
	}
}

// skipLogs reads over logs and says so once.
func (d *decoder) skipLogs() {
	if d.skipped == "" {
		d.skipped = logsIgnored
		d.warn("OTLP logs say nothing that is shown; ignored")
	}
	d.s.skip()
}

// scopeSpans reads the rest of the spans of a scope that was entered. They wait
// in d.spans until scope and resource are known, which may come after them.
func (d *decoder) scopeSpans(resource *enrich.Resource, known bool) {
	var scope *enrich.Scope
	from, scoped := len(d.spans), false
	settle := func() {
		for i := range d.spans[from:] {
			d.spans[from+i].Scope = scope
		}
		if known {
			d.release(from, resource)
		}
	}
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		d.noteSnake(key)
		switch string(key) {
		case "scope", "instrumentationLibrary", "instrumentation_library":
			scope, scoped = d.anyScope(), true
		case "spans":
			d.objects("spans", func() {
				d.row(&otlpTraces)
				if scoped {
					settle()
				}
			})
		default:
			d.s.skip()
		}
	}
	settle()
}

// release puts the spans that wait from an index on into the part.
func (d *decoder) release(from int, resource *enrich.Resource) {
	for i := range d.spans[from:] {
		sp := &d.spans[from+i]
		sp.Resource = resource
		d.addSpan(sp)
	}
	clear(d.spans[from:])
	d.spans = d.spans[:from]
}

// keyValues reads a list of attributes as OpenTelemetry writes it:
// [{"key":…,"value":{"stringValue":…}}, …].
func (d *decoder) keyValues(field string) attr.Set {
	base := len(d.stack)
	d.each(field, func() {
		var a attr.KeyValue
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "key":
				a.Key = d.label("attribute key")
			case "value":
				a.Value = d.anyValue()
			default:
				d.s.skip()
			}
		}
		d.stack = append(d.stack, a)
	})
	return d.pop(base)
}

// anyValue reads OpenTelemetry's tagged value: one without a tag is null, and
// one that is no object stands for itself.
func (d *decoder) anyValue() (v attr.Value) {
	if d.s.kind() != objectKind {
		return d.value()
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		if d.s.kind() == nullKind {
			d.s.null()
			continue
		}
		switch string(key) {
		case "stringValue", "string_value", "boolValue", "bool_value":
			v = d.value()
		case "intValue", "int_value":
			v = d.intValue()
		case "doubleValue", "double_value":
			v = d.doubleValue()
		case "bytesValue", "bytes_value":
			v = d.bytesValue()
		case "arrayValue", "array_value", "kvlistValue", "kvlist_value":
			d.json = d.appendMembers(d.json[:0], string(key))
			v = attr.JSONValue(d.keep.text(d.json))
		default:
			d.s.skip()
		}
	}
	return v
}

// intValue reads a whole number, which a string or two halves may hold.
func (d *decoder) intValue() attr.Value {
	if d.s.kind() == objectKind {
		if n, ok := d.long(); ok {
			return attr.IntValue(n)
		}
		return attr.Value{}
	}
	v := d.value()
	if n, err := strconv.ParseInt(v.Text(), 10, 64); err == nil {
		return attr.IntValue(n)
	}
	return v
}

// doubleValue reads a number; the words for those that JSON lacks are null.
func (d *decoder) doubleValue() attr.Value {
	v, _ := d.scalar("doubleValue", "a number")
	if f, ok := v.Float(); ok {
		return attr.FloatValue(f)
	}
	return attr.Value{}
}

// bytesValue reads bytes as base64, which OTLP has them in.
func (d *decoder) bytesValue() attr.Value {
	if k := d.s.kind(); k == objectKind || k == listKind {
		return attr.StringValue(base64.StdEncoding.EncodeToString(d.byteList("bytesValue")))
	}
	return d.value()
}

// appendMembers reads {"values":[…]} of a list or an object and appends the
// canonical JSON text of what they say.
func (d *decoder) appendMembers(dst []byte, tag string) []byte {
	isList := tag == "arrayValue" || tag == "array_value"
	start, base := len(dst), len(d.members)
	open, shut := byte('{'), byte('}')
	if isList {
		open, shut = '[', ']'
	}
	dst = append(dst, open)
	if d.s.kind() != objectKind {
		d.wrong(tag, "an object with values")
		return append(dst, shut)
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		if string(key) != "values" || d.s.kind() != listKind {
			d.s.skip()
			continue
		}
		d.s.enter()
		for d.s.nextItem() {
			if isList {
				if len(dst) > start+1 {
					dst = append(dst, ',')
				}
				dst = d.appendAny(dst)
			} else {
				dst = d.appendMember(dst)
			}
		}
	}
	if isList {
		return append(dst, ']')
	}
	return d.closeObject(dst, start, base)
}

// appendMember reads {"key":…,"value":…} of an object.
func (d *decoder) appendMember(dst []byte) []byte {
	if d.s.kind() != objectKind {
		d.wrong("one of kvlistValue", "an object")
		return dst
	}
	m := member{from: len(dst)}
	value := []byte("null")
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "key":
			m.key = d.label("attribute key")
		case "value":
			value = d.appendAny(nil)
		default:
			d.s.skip()
		}
	}
	dst = append(attr.AppendQuoted(dst, m.key), ':')
	dst = append(dst, value...)
	m.to = len(dst)
	d.members = append(d.members, m)
	return append(dst, ',')
}

// appendAny appends a tagged value as JSON text.
func (d *decoder) appendAny(dst []byte) []byte {
	if d.s.kind() != objectKind {
		return d.appendCanonical(dst)
	}
	from := len(dst)
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		if d.s.kind() == nullKind {
			d.s.null()
			continue
		}
		switch tag := string(key); tag {
		case "stringValue", "string_value", "boolValue", "bool_value":
			dst = d.appendCanonical(dst[:from])
		case "intValue", "int_value":
			dst = d.intValue().AppendJSON(dst[:from])
		case "doubleValue", "double_value":
			dst = d.doubleValue().AppendJSON(dst[:from])
		case "bytesValue", "bytes_value":
			dst = d.bytesValue().AppendJSON(dst[:from])
		case "arrayValue", "array_value", "kvlistValue", "kvlist_value":
			dst = d.appendMembers(dst[:from], tag)
		default:
			d.s.skip()
		}
	}
	if len(dst) == from {
		dst = append(dst, "null"...)
	}
	return dst
}
