package enrich

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"smolscope/enrich/attr"
)

// A TraceID names a trace; the zero TraceID is absent.
type TraceID [16]byte

// A SpanID names a span within its trace; the zero SpanID is absent.
type SpanID [8]byte

// String returns the id as 32 lower-case hex digits, or "" when absent.
func (id TraceID) String() string {
	if id == (TraceID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// String returns the id as 16 lower-case hex digits, or "" when absent.
func (id SpanID) String() string {
	if id == (SpanID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// ParseTraceID reads a trace id as its source spells it: hex digits of either
// case, with or without "0x" and dashes, and unpadded, as Python's hex() leaves
// them (spec §0 rule 4). A text that is no hex number of at most 32 digits gets
// an id derived from its SHA-256, and derived is true. "", zero and null words
// give the absent id.
func ParseTraceID(s string) (id TraceID, derived bool) {
	derived = parseID(id[:], s)
	return id, derived
}

// ParseSpanID is ParseTraceID for span ids of at most 16 digits.
func ParseSpanID(s string) (id SpanID, derived bool) {
	derived = parseID(id[:], s)
	return id, derived
}

func parseID(dst []byte, s string) (derived bool) {
	s = strings.TrimSpace(s)
	if s == "" || s == "None" || s == "null" {
		return false
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "0X")
	digits = strings.ReplaceAll(digits, "-", "")
	if n := 2 * len(dst); len(digits) > 0 && len(digits) <= n {
		if _, err := hex.Decode(dst, []byte(strings.Repeat("0", n-len(digits))+digits)); err == nil {
			return false
		}
	}
	sum := sha256.Sum256([]byte(s))
	copy(dst, sum[:])
	return true
}

// A SpanKind is OpenTelemetry's kind of a span, by its place in OTLP's enum.
type SpanKind uint8

// OpenTelemetry's span kinds.
const (
	SpanKindUnspecified SpanKind = iota
	SpanKindInternal
	SpanKindServer
	SpanKindClient
	SpanKindProducer
	SpanKindConsumer
)

var spanKinds = [...]string{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}

// String returns the kind's name, such as INTERNAL.
func (k SpanKind) String() string { return spanKinds[k] }

// ParseSpanKind reads every spelling of a kind: INTERNAL, SpanKind.INTERNAL,
// SPAN_KIND_INTERNAL, or OTLP's number. What it does not know is unspecified.
func ParseSpanKind(v attr.Value) SpanKind {
	if n, ok := v.Int(); ok {
		if n < int64(len(spanKinds)) {
			return SpanKind(n)
		}
		return SpanKindUnspecified
	}
	name := strings.ToUpper(v.Text())
	name = strings.TrimPrefix(strings.TrimPrefix(name, "SPANKIND."), "SPAN_KIND_")
	for i, k := range spanKinds {
		if k == name {
			return SpanKind(i)
		}
	}
	return SpanKindUnspecified
}

// A StatusCode is OpenTelemetry's verdict of a span, by its place in OTLP's enum.
type StatusCode uint8

// OpenTelemetry's status codes.
const (
	StatusUnset StatusCode = iota
	StatusOK
	StatusError
)

var statusCodes = [...]string{"UNSET", "OK", "ERROR"}

// String returns the code's name: UNSET, OK or ERROR.
func (c StatusCode) String() string { return statusCodes[c] }

// ParseStatusCode reads every spelling of a status: OK, STATUS_CODE_OK,
// StatusCode.OK, or OTLP's number. What it does not know is unset.
func ParseStatusCode(v attr.Value) StatusCode {
	if n, ok := v.Int(); ok {
		if n < int64(len(statusCodes)) {
			return StatusCode(n)
		}
		return StatusUnset
	}
	name := strings.ToUpper(v.Text())
	name = strings.TrimPrefix(strings.TrimPrefix(name, "STATUSCODE."), "STATUS_CODE_")
	for i, c := range statusCodes {
		if c == name {
			return StatusCode(i)
		}
	}
	return StatusUnset
}

// A Resource is what emitted telemetry: OpenTelemetry's resource attributes.
type Resource struct{ Attrs attr.Set }

// Key is a short name of what the resource's attributes say: the same for the
// same attributes. No resource has a key too.
func (r *Resource) Key() string {
	var text []byte
	if r != nil {
		text = r.Attrs.AppendJSON(nil)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// A Scope is the instrumentation library that recorded a span or metric.
type Scope struct{ Name, Version string }

// An Event is a moment within a span.
type Event struct {
	Name  string
	Time  Time
	Attrs attr.Set
}

// A Link points from a span to a span of any trace.
type Link struct {
	TraceID TraceID
	SpanID  SpanID
	Attrs   attr.Set
}

// A Span is one timed operation, normalised (spec §2.1, §3.13 row 7): ids
// padded, times in nanoseconds, kind and status by name. Zero times are unknown.
type Span struct {
	TraceID       TraceID
	ID            SpanID
	ParentID      SpanID
	Name          string
	Kind          SpanKind
	Start, End    Time
	Status        StatusCode
	StatusMessage string
	Attrs         attr.Set
	Events        []Event
	Links         []Link
	Resource      *Resource // nil when not stated; shared by the spans that have the same
	Scope         *Scope    // nil when not stated

	// Row holds what the source says beside OpenTelemetry's fields, such as the
	// total_tokens that SMOLTRACE copies out of the attributes.
	Row attr.Set

	keys *attr.Index // of Attrs, once the span stands in a tree
}

// attrs returns the attributes for rules that look for many of them.
func (s *Span) attrs() attr.Lookup { return s.Attrs.Lookup(s.keys) }

// Duration returns the span's length in nanoseconds, and whether both of its
// ends are known and in order.
func (s *Span) Duration() (int64, bool) {
	if s.Start == 0 || s.End == 0 || s.End < s.Start {
		return 0, false
	}
	return int64(s.End - s.Start), true
}

// AppendJSON appends the span as it stands in the spans column of the traces
// dataset: SMOLTRACE's eleven fields in its order (times as integers of
// nanoseconds), then trace_state-like extras only where the source had them.
func (s *Span) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"trace_id":`...)
	dst = appendStringOrNull(dst, s.TraceID.String())
	dst = append(dst, `,"span_id":`...)
	dst = appendStringOrNull(dst, s.ID.String())
	dst = append(dst, `,"parent_span_id":`...)
	dst = appendStringOrNull(dst, s.ParentID.String())
	dst = append(dst, `,"name":`...)
	dst = attr.AppendQuoted(dst, s.Name)
	dst = append(dst, `,"start_time":`...)
	dst = s.Start.appendNanos(dst)
	dst = append(dst, `,"end_time":`...)
	dst = s.End.appendNanos(dst)
	dst = append(dst, `,"duration_ms":`...)
	if d, ok := s.Duration(); ok {
		dst = attr.AppendFloat(dst, millis(d))
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"attributes":`...)
	dst = s.Attrs.AppendJSON(dst)
	dst = append(dst, `,"events":[`...)
	for i, e := range s.Events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":`...)
		dst = attr.AppendQuoted(dst, e.Name)
		dst = append(dst, `,"timestamp":`...)
		dst = e.Time.appendNanos(dst)
		dst = append(dst, `,"attributes":`...)
		dst = e.Attrs.AppendJSON(dst)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"status":{"code":"`...)
	dst = append(dst, s.Status.String()...)
	dst = append(dst, `","description":`...)
	dst = appendStringOrNull(dst, s.StatusMessage)
	dst = append(dst, `},"kind":"`...)
	dst = append(dst, s.Kind.String()...)
	dst = append(dst, `","resource":`...)
	if s.Resource == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, `{"attributes":`...)
		dst = s.Resource.Attrs.AppendJSON(dst)
		dst = append(dst, '}')
	}
	if s.Scope != nil {
		dst = append(dst, `,"scope":{"name":`...)
		dst = attr.AppendQuoted(dst, s.Scope.Name)
		dst = append(dst, `,"version":`...)
		dst = appendStringOrNull(dst, s.Scope.Version)
		dst = append(dst, '}')
	}
	if len(s.Links) > 0 {
		dst = append(dst, `,"links":[`...)
		for i, l := range s.Links {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"trace_id":`...)
			dst = appendStringOrNull(dst, l.TraceID.String())
			dst = append(dst, `,"span_id":`...)
			dst = appendStringOrNull(dst, l.SpanID.String())
			dst = append(dst, `,"attributes":`...)
			dst = l.Attrs.AppendJSON(dst)
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendStringOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return attr.AppendQuoted(dst, s)
}
