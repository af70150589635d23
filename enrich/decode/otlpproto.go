package decode

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

var otlpProtoTraces = Format{
	Name:    "otlp-protobuf",
	Dataset: enrich.Traces,
	Doc:     "OTLP traces in protobuf, as exporters send them: one request, or length-prefixed ones as the Collector's file exporter writes them.",
	match:   func(*keys) bool { return false },
}

var otlpProtoMetrics = Format{
	Name:    "otlp-protobuf",
	Dataset: enrich.Metrics,
	Doc:     "OTLP metrics in protobuf, likewise.",
	match:   func(*keys) bool { return false },
}

// A protobuf reads OTLP requests (spec §1.8). ExportTraceServiceRequest and
// TracesData look alike, and so do those of metrics and logs: a list of
// resources in field 1, in each a list of scopes in field 2, in each a list of
// leaves in field 2. These three levels are streamed; a leaf is held whole.
type protobuf struct {
	d *decoder
	w wire

	// Leaves wait here until it is known what they are of: fields may come in
	// any order, though writers begin with resource and scope.
	spans   []enrich.Span
	samples []enrich.Sample
}

// A source is what leaves are of.
type source struct {
	resource *enrich.Resource
	scope    *enrich.Scope
}

// protobuf reads one request, which begins at an offset of the file.
func (d *decoder) protobuf(in *bufio.Reader, at int64) error {
	p := &d.proto
	p.d, p.w.in, p.w.at = d, in, at
	for {
		tag, err := p.w.field(endless)
		switch {
		case err == io.EOF:
			return nil
		case err == nil && tag == 1<<3|lengthType:
			err = p.ofResource()
		case err == nil:
			err = p.w.pass(tag, endless)
		}
		if err != nil {
			return err
		}
	}
}

func (p *protobuf) ofResource() error {
	end, err := p.w.length(endless)
	if err != nil {
		return err
	}
	var from source
	known := false
	for err == nil {
		var tag uint64
		switch tag, err = p.w.field(end); {
		case err != nil:
		case tag == 1<<3|lengthType:
			var b []byte
			if b, err = p.leaf("resource", end); err == nil {
				from.resource = p.resource(b)
				known = true
			}
		case tag == 2<<3|lengthType:
			err = p.ofScope(end, from, known)
		default:
			err = p.w.pass(tag, end)
		}
	}
	// What is whole is kept, whatever comes after it.
	for i := range p.spans {
		p.spans[i].Resource = from.resource
	}
	for i := range p.samples {
		p.samples[i].Resource = from.resource
	}
	p.add()
	if err == io.EOF {
		return nil
	}
	return err
}

func (p *protobuf) ofScope(end int64, from source, known bool) error {
	end, err := p.w.length(end)
	if err != nil {
		return err
	}
	spans, samples := len(p.spans), len(p.samples)
	scoped := false
	for err == nil {
		var tag uint64
		switch tag, err = p.w.field(end); {
		case err != nil:
		case tag == 1<<3|lengthType:
			var b []byte
			if b, err = p.leaf("scope", end); err == nil {
				from.scope = p.scope(b)
				scoped = true
			}
		case tag == 2<<3|lengthType:
			if err = p.ofKind(end); scoped && known {
				p.come(from, spans, samples)
				p.add()
			}
		default:
			err = p.w.pass(tag, end)
		}
	}
	p.come(from, spans, samples)
	if known {
		p.add()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// come notes where the spans and samples from these on come from.
func (p *protobuf) come(from source, span, sample int) {
	for ; span < len(p.spans); span++ {
		p.spans[span].Scope, p.spans[span].Resource = from.scope, from.resource
	}
	for ; sample < len(p.samples); sample++ {
		s := &p.samples[sample]
		s.Resource = from.resource
		if from.scope != nil {
			s.Scope = from.scope.Name
		}
	}
}

// add puts what is waiting into the part.
func (p *protobuf) add() {
	for i := range p.spans {
		p.d.addSpan(&p.spans[i])
	}
	for i := range p.samples {
		p.d.addSample(&p.samples[i])
	}
	clear(p.spans)
	clear(p.samples)
	p.spans, p.samples = p.spans[:0], p.samples[:0]
}

// leaf returns a message that comes next, whole. One that is too large is read
// over, and nil.
func (p *protobuf) leaf(what string, end int64) ([]byte, error) {
	end, err := p.w.length(end)
	if err != nil {
		return nil, err
	}
	from := p.w.at
	if limit := p.d.rd.limits.Row; end-from > limit {
		p.d.bad++
		p.d.warnAt(int(from), "%v; skipped", beyond(fmt.Sprintf("a %s of %d bytes,", what, end-from), sizeText(limit), "max-row"))
		return nil, p.w.discard(end, end)
	}
	return p.w.hold(end)
}

// ofKind reads a span, metric or log record.
func (p *protobuf) ofKind(end int64) error {
	d := p.d
	b, err := p.leaf("span or metric", end)
	if err != nil || b == nil {
		return err
	}
	at := int(p.w.at) - len(b)
	d.begun++
	d.where = at
	d.s.onLine = max(at, 1)
	var damaged error
	switch kindOfLeaf(b) {
	case spanLeaf:
		d.is(&otlpProtoTraces)
		var sp enrich.Span
		if sp, damaged = p.span(b); damaged == nil {
			p.spans = append(p.spans, sp)
		}
	case metricLeaf:
		d.is(&otlpProtoMetrics)
		was := len(p.samples)
		if damaged = p.metric(b); damaged != nil {
			p.samples = p.samples[:was]
		}
	case logLeaf:
		if d.skipped == "" {
			d.skipped = logsIgnored
			d.warnAt(at, "OTLP logs say nothing that is shown; ignored")
		}
		return nil
	default:
		damaged = errors.New("neither a span nor a metric")
	}
	if damaged != nil {
		d.bad++
		d.warnAt(at, "message of %d bytes: %v; skipped", len(b), damaged)
		return nil
	}
	d.kept++
	return nil
}

// is notes what the file turns out to be.
func (d *decoder) is(f *Format) {
	if d.format == nil {
		d.format = f
	}
}

type leafKind byte

const (
	unknownLeaf leafKind = iota
	spanLeaf
	metricLeaf
	logLeaf
)

// kindOfLeaf tells what a leaf is by the fields it has (spec §1.10). Spans and
// metrics share most numbers of fields: the types of the values tell, and the
// ids of a span are 16 and 8 bytes long.
func kindOfLeaf(b []byte) leafKind {
	var name, second []byte
	data := 0
	m := message{rest: b}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			name = m.bytes
		case 2<<3 | lengthType:
			second = m.bytes
		case 5<<3 | lengthType, 7<<3 | lengthType, 9<<3 | lengthType, 10<<3 | lengthType, 11<<3 | lengthType:
			data++
		case 7<<3 | fixed64Type, 8<<3 | fixed64Type: // when it began and ended
			return spanLeaf
		case 1<<3 | fixed64Type, 11<<3 | fixed64Type: // when it was logged and seen
			return logLeaf
		}
	}
	isText := utf8.Valid(name)
	for _, c := range name {
		isText = isText && c >= ' '
	}
	switch {
	case len(name) == 16 && len(second) == 8 && !(isText && data == 1):
		return spanLeaf
	case isText && data > 0:
		return metricLeaf
	}
	return unknownLeaf
}

// text stores a string, which should be UTF-8 and is made so.
func (p *protobuf) text(b []byte) string { return p.d.keep.text(p.d.unicode(b)) }

// name stores a string that many spans are likely to share.
func (p *protobuf) name(b []byte) string { return p.d.keep.name(p.d.unicode(b)) }

// unicode replaces what is no UTF-8, each byte by itself, as scanning text does.
func (d *decoder) unicode(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	var mended []byte
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			d.s.mended++
		}
		mended = utf8.AppendRune(mended, r)
		b = b[n:]
	}
	return mended
}

func (p *protobuf) resource(b []byte) *enrich.Resource {
	base := len(p.d.stack)
	m := message{rest: b}
	for m.next() {
		if m.tag == 1<<3|lengthType {
			m.fail(p.attribute(m.bytes))
		}
	}
	p.complain("resource", &m)
	set := p.d.pop(base)
	if len(set) == 0 {
		return nil
	}
	return p.d.resources.shared(&enrich.Resource{Attrs: set})
}

func (p *protobuf) scope(b []byte) *enrich.Scope {
	var sc enrich.Scope
	m := message{rest: b}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			sc.Name = p.name(m.bytes)
		case 2<<3 | lengthType:
			sc.Version = p.name(m.bytes)
		}
	}
	p.complain("scope", &m)
	if sc == (enrich.Scope{}) {
		return nil
	}
	if d := p.d; d.lastScope == nil || *d.lastScope != sc {
		d.lastScope = &sc
	}
	return p.d.lastScope
}

// complain notes that a message is damaged of which what is whole is used.
func (p *protobuf) complain(what string, m *message) {
	if m.err != nil {
		p.d.warnAt(int(p.w.at), "damaged %s: %v; what is whole in it was kept", what, m.err)
	}
}

// fail ends the walk if there is an error within the field at hand.
func (m *message) fail(err error) {
	if err != nil {
		m.err = err
	}
}

// attribute reads a key and its value onto the stack of attributes.
func (p *protobuf) attribute(b []byte) error {
	var a attr.KeyValue
	m := message{rest: b}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			a.Key = p.name(m.bytes)
		case 2<<3 | lengthType:
			if limit := p.d.rd.limits.Value; int64(len(m.bytes)) > limit {
				p.d.warn("%v; left out", beyond(fmt.Sprintf("attribute %s has %d bytes,", plain(a.Key), len(m.bytes)), sizeText(limit), "max-value"))
				continue
			}
			var err error
			a.Value, err = p.value(m.bytes)
			m.fail(err)
		}
	}
	p.d.stack = append(p.d.stack, a)
	return m.err
}

// value reads an AnyValue; one without a member is null. Bytes are base64, as
// OTLP/JSON has them.
func (p *protobuf) value(b []byte) (v attr.Value, err error) {
	m := message{rest: b}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			v = attr.StringValue(p.text(m.bytes))
		case 2<<3 | varintType:
			v = attr.BoolValue(m.num != 0)
		case 3<<3 | varintType:
			v = attr.IntValue(int64(m.num))
		case 4<<3 | fixed64Type:
			if v = attr.FloatValue(m.float()); v.IsNull() {
				p.d.s.nonFinite++
			}
		case 5<<3 | lengthType, 6<<3 | lengthType:
			text, err := p.appendValue(p.d.json[:0], m.tag, m.bytes, 1)
			m.fail(err)
			p.d.json = text
			v = attr.JSONValue(p.d.keep.text(text))
		case 7<<3 | lengthType:
			v = attr.StringValue(base64.StdEncoding.EncodeToString(m.bytes))
		}
	}
	return v, m.err
}

// appendValue appends a list (field 5 of AnyValue) or an object (field 6) as
// canonical JSON text.
func (p *protobuf) appendValue(dst []byte, tag uint64, b []byte, depth int) ([]byte, error) {
	if limit := p.d.rd.limits.Depth; depth > limit {
		return dst, beyond("lists and objects within one another,", strconv.Itoa(limit), "max-depth")
	}
	d, isList, start := p.d, tag == 5<<3|lengthType, len(dst)
	base := len(d.members)
	m := message{rest: b}
	dst = append(dst, '[')
	for m.next() {
		if m.tag != 1<<3|lengthType {
			continue
		}
		if isList {
			if len(dst) > start+1 {
				dst = append(dst, ',')
			}
			var err error
			dst, err = p.appendAny(dst, m.bytes, depth)
			m.fail(err)
			continue
		}
		var key, value []byte
		field := message{rest: m.bytes}
		for field.next() {
			switch field.tag {
			case 1<<3 | lengthType:
				key = field.bytes
			case 2<<3 | lengthType:
				value = field.bytes
			}
		}
		m.fail(field.err)
		member := member{key: p.name(key), from: len(dst)}
		dst = append(attr.AppendQuoted(dst, member.key), ':')
		var err error
		dst, err = p.appendAny(dst, value, depth)
		m.fail(err)
		member.to = len(dst)
		dst = append(dst, ',')
		d.members = append(d.members, member)
	}
	if isList {
		return append(dst, ']'), m.err
	}
	dst[start] = '{'
	return d.closeObject(dst, start, base), m.err
}

func (p *protobuf) appendAny(dst, b []byte, depth int) ([]byte, error) {
	from := len(dst)
	m := message{rest: b}
	for m.next() {
		dst = dst[:from] // of several members the last counts
		switch m.tag {
		case 1<<3 | lengthType:
			dst = attr.AppendQuoted(dst, string(p.d.unicode(m.bytes)))
		case 2<<3 | varintType:
			dst = strconv.AppendBool(dst, m.num != 0)
		case 3<<3 | varintType:
			dst = strconv.AppendInt(dst, int64(m.num), 10)
		case 4<<3 | fixed64Type:
			if f := m.float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
				dst = attr.AppendFloat(dst, f)
			} else {
				p.d.s.nonFinite++
			}
		case 5<<3 | lengthType, 6<<3 | lengthType:
			var err error
			dst, err = p.appendValue(dst, m.tag, m.bytes, depth+1)
			m.fail(err)
		case 7<<3 | lengthType:
			dst = append(dst, '"')
			dst = base64.StdEncoding.AppendEncode(dst, m.bytes)
			dst = append(dst, '"')
		}
	}
	if len(dst) == from {
		dst = append(dst, "null"...)
	}
	return dst, m.err
}

func (p *protobuf) span(b []byte) (sp enrich.Span, err error) {
	d, base := p.d, len(p.d.stack)
	m := message{rest: b}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			sp.TraceID = p.traceID(m.bytes)
		case 2<<3 | lengthType:
			var note idNote
			sp.ID, note = p.spanID(m.bytes)
			d.noteID(note)
		case 4<<3 | lengthType:
			sp.ParentID, _ = p.spanID(m.bytes)
		case 5<<3 | lengthType:
			sp.Name = p.name(m.bytes)
		case 6<<3 | varintType:
			sp.Kind = enrich.ParseSpanKind(attr.IntValue(int64(m.num)))
		case 7<<3 | fixed64Type:
			sp.Start = p.time("start_time_unix_nano", m.num)
		case 8<<3 | fixed64Type:
			sp.End = p.time("end_time_unix_nano", m.num)
		case 9<<3 | lengthType:
			m.fail(p.attribute(m.bytes))
		case 11<<3 | lengthType:
			sp.Events = append(sp.Events, p.event(&m))
		case 13<<3 | lengthType:
			sp.Links = append(sp.Links, p.link(&m))
		case 15<<3 | lengthType:
			status := message{rest: m.bytes}
			for status.next() {
				switch status.tag {
				case 2<<3 | lengthType:
					sp.StatusMessage = p.text(status.bytes)
				case 3<<3 | varintType:
					sp.Status = enrich.ParseStatusCode(attr.IntValue(int64(status.num)))
				}
			}
			m.fail(status.err)
		}
	}
	sp.Attrs = d.pop(base)
	return sp, m.err
}

func (p *protobuf) event(of *message) (e enrich.Event) {
	base := len(p.d.stack)
	m := message{rest: of.bytes}
	for m.next() {
		switch m.tag {
		case 1<<3 | fixed64Type:
			e.Time = p.time("event's time_unix_nano", m.num)
		case 2<<3 | lengthType:
			e.Name = p.name(m.bytes)
		case 3<<3 | lengthType:
			m.fail(p.attribute(m.bytes))
		}
	}
	e.Attrs = p.d.pop(base)
	of.fail(m.err)
	return e
}

func (p *protobuf) link(of *message) (l enrich.Link) {
	base := len(p.d.stack)
	m := message{rest: of.bytes}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			l.TraceID = p.traceID(m.bytes)
		case 2<<3 | lengthType:
			l.SpanID, _ = p.spanID(m.bytes)
		case 4<<3 | lengthType:
			m.fail(p.attribute(m.bytes))
		}
	}
	l.Attrs = p.d.pop(base)
	of.fail(m.err)
	return l
}

// time reads nanoseconds since the epoch, of which 0 is no time.
func (p *protobuf) time(field string, n uint64) enrich.Time {
	if n > math.MaxInt64 {
		p.d.warn("%s is %d, expected nanoseconds", field, n)
		return 0
	}
	return enrich.Time(n)
}

// traceID reads an id. One that is not 16 bytes long is read as its hex digits.
func (p *protobuf) traceID(b []byte) (id enrich.TraceID) {
	if len(b) == len(id) {
		return enrich.TraceID(b)
	}
	var note idNote
	digits := fmt.Sprintf("%x", b)
	if note.padded, _ = parseHex(id[:], []byte(digits)); len(b) > len(id) {
		id, note.derived = enrich.ParseTraceID(digits)
	}
	if p.d.flat[id] == nil {
		p.d.noteID(note)
	}
	return id
}

// spanID is traceID for ids of 8 bytes.
func (p *protobuf) spanID(b []byte) (id enrich.SpanID, note idNote) {
	if len(b) == len(id) {
		return enrich.SpanID(b), note
	}
	digits := fmt.Sprintf("%x", b)
	if note.padded, _ = parseHex(id[:], []byte(digits)); len(b) > len(id) {
		id, note.derived = enrich.ParseSpanID(digits)
	}
	return id, note
}

// metric reads a metric, a sample for each of its points.
func (p *protobuf) metric(b []byte) error {
	var metric enrich.Sample
	from := len(p.samples)
	m := message{rest: b}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			metric.Metric = p.name(m.bytes)
		case 3<<3 | lengthType:
			metric.Unit = p.name(m.bytes)
		case 5<<3 | lengthType:
			metric.Instrument = enrich.Gauge
			m.fail(p.points(&metric, m.bytes, p.numberPoint))
		case 7<<3 | lengthType:
			metric.Instrument = enrich.Sum
			m.fail(p.points(&metric, m.bytes, p.numberPoint))
		case 9<<3 | lengthType:
			metric.Instrument = enrich.Histogram
			m.fail(p.points(&metric, m.bytes, p.histogramPoint))
		case 10<<3 | lengthType:
			metric.Instrument = enrich.Histogram
			m.fail(p.points(&metric, m.bytes, p.exponentialPoint))
		case 11<<3 | lengthType:
			// Counts since the start, and no buckets.
			metric.Instrument, metric.Temporality = enrich.Histogram, "cumulative"
			m.fail(p.points(&metric, m.bytes, p.summaryPoint))
		}
	}
	for i := range p.samples[from:] {
		s := &p.samples[from+i]
		s.Metric, s.Unit, s.Instrument = metric.Metric, metric.Unit, metric.Instrument
		s.Temporality, s.Monotonic = metric.Temporality, metric.Monotonic
	}
	return m.err
}

// points reads the points of a metric, and what is said of all of them.
func (p *protobuf) points(metric *enrich.Sample, b []byte, point func(*enrich.Sample, *message) (present bool)) error {
	m := message{rest: b}
	for m.next() {
		switch m.tag {
		case 1<<3 | lengthType:
			var s enrich.Sample
			base := len(p.d.stack)
			of := message{rest: m.bytes}
			present := true
			for of.next() {
				present = point(&s, &of) && present
			}
			s.Attrs = p.d.pop(base)
			m.fail(of.err)
			if present {
				p.samples = append(p.samples, s)
			}
		case 2<<3 | varintType:
			switch m.num {
			case 1:
				metric.Temporality = "delta"
			case 2:
				metric.Temporality = "cumulative"
			}
		case 3<<3 | varintType:
			metric.Monotonic = new(m.num != 0)
		}
	}
	return m.err
}

// moment reads a field that all points have: when it was measured, since when.
func (p *protobuf) moment(s *enrich.Sample, m *message) {
	switch m.tag {
	case 2<<3 | fixed64Type:
		s.Start = p.time("start_time_unix_nano", m.num)
	case 3<<3 | fixed64Type:
		s.Time = p.time("time_unix_nano", m.num)
	}
}

// recorded reads the flags of a point: the first says that it has no value.
func recorded(m *message) bool { return m.num&1 == 0 }

func (p *protobuf) numberPoint(s *enrich.Sample, m *message) bool {
	switch m.tag {
	case 4<<3 | fixed64Type:
		s.Value = p.finite(m)
	case 6<<3 | fixed64Type:
		s.Value = new(float64(int64(m.num)))
	case 7<<3 | lengthType:
		m.fail(p.attribute(m.bytes))
	case 8<<3 | varintType:
		return recorded(m)
	}
	p.moment(s, m)
	return true
}

func (p *protobuf) histogramPoint(s *enrich.Sample, m *message) bool {
	switch m.tag {
	case 4<<3 | fixed64Type:
		s.Count = new(int64(m.num))
	case 5<<3 | fixed64Type:
		s.Sum = p.finite(m)
	case 6<<3 | fixed64Type, 6<<3 | lengthType:
		m.each(func(n uint64) { s.Buckets = append(s.Buckets, int64(n)) })
	case 7<<3 | fixed64Type, 7<<3 | lengthType:
		m.each(func(n uint64) { s.Bounds = append(s.Bounds, math.Float64frombits(n)) })
	case 9<<3 | lengthType:
		m.fail(p.attribute(m.bytes))
	case 10<<3 | varintType:
		return recorded(m)
	case 11<<3 | fixed64Type:
		s.Min = p.finite(m)
	case 12<<3 | fixed64Type:
		s.Max = p.finite(m)
	}
	p.moment(s, m)
	return true
}

// exponentialPoint leaves the buckets out: no bounds of ours describe them.
func (p *protobuf) exponentialPoint(s *enrich.Sample, m *message) bool {
	switch m.tag {
	case 1<<3 | lengthType:
		m.fail(p.attribute(m.bytes))
	case 4<<3 | fixed64Type:
		s.Count = new(int64(m.num))
	case 5<<3 | fixed64Type:
		s.Sum = p.finite(m)
	case 10<<3 | varintType:
		return recorded(m)
	case 12<<3 | fixed64Type:
		s.Min = p.finite(m)
	case 13<<3 | fixed64Type:
		s.Max = p.finite(m)
	}
	p.moment(s, m)
	return true
}

func (p *protobuf) summaryPoint(s *enrich.Sample, m *message) bool {
	switch m.tag {
	case 4<<3 | fixed64Type:
		s.Count = new(int64(m.num))
	case 5<<3 | fixed64Type:
		s.Sum = p.finite(m)
	case 7<<3 | lengthType:
		m.fail(p.attribute(m.bytes))
	case 8<<3 | varintType:
		return recorded(m)
	}
	p.moment(s, m)
	return true
}

// finite reads a double; NaN and infinities are absent.
func (p *protobuf) finite(m *message) *float64 {
	f := m.float()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		p.d.s.nonFinite++
		return nil
	}
	return &f
}

// each hands out the 64-bit numbers of a repeated field, packed or not.
func (m *message) each(use func(uint64)) {
	if m.tag&7 == fixed64Type {
		use(m.num)
		return
	}
	if len(m.bytes)%8 != 0 {
		m.fail(fmt.Errorf("%d bytes of numbers of 8 bytes", len(m.bytes)))
		return
	}
	for b := m.bytes; len(b) > 0; b = b[8:] {
		use(binary.LittleEndian.Uint64(b))
	}
}
