package enrichtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// OTLP returns the traces of the run as OTLP in JSON, as the agent would have
// sent them to a collector: one document, the spans of a trace one after another.
func (r *Run) OTLP() []byte {
	spans := []any{}
	for _, t := range r.traces {
		for _, s := range t.Spans {
			spans = append(spans, s.otlp())
		}
	}
	return marshal(map[string]any{"resourceSpans": []any{map[string]any{
		"resource":   map[string]any{"attributes": keyValues(r.resource.Attributes)},
		"scopeSpans": []any{map[string]any{"scope": map[string]any{}, "spans": spans}},
	}}})
}

// OTLPMetrics returns the metrics of the run as OTLP in JSON lines, an export
// each, and no line for a model without a GPU.
func (r *Run) OTLPMetrics() []byte {
	var lines []byte
	for _, batch := range r.batches {
		lines = append(append(lines, marshal(map[string]any{"resourceMetrics": []any{batch}})...), '\n')
	}
	return lines
}

func marshal(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("enrichtest: OTLP: %v", err)) // a value of ours that JSON cannot say
	}
	return body
}

func (s *span) otlp() map[string]any {
	out := map[string]any{
		"traceId": padded(s.TraceID, 32), "spanId": padded(s.SpanID, 16), "name": s.Name, "kind": "SPAN_KIND_" + s.Kind,
		"startTimeUnixNano": strconv.FormatInt(s.Start, 10), "endTimeUnixNano": strconv.FormatInt(s.End, 10),
		"attributes": keyValues(s.Attributes), "status": map[string]any{"code": map[string]int{"OK": 1, "ERROR": 2}[s.Status.Code]},
	}
	if s.ParentID != nil {
		out["parentSpanId"] = padded(*s.ParentID, 16)
	}
	if s.Status.Description != nil {
		out["status"].(map[string]any)["message"] = *s.Status.Description
	}
	events := []any{}
	for _, e := range s.Events {
		events = append(events, map[string]any{"name": e.Name, "timeUnixNano": strconv.FormatInt(e.Time, 10), "attributes": keyValues(e.Attributes)})
	}
	out["events"] = events
	return out
}

// padded writes an id that Python's hex() left short as OTLP has it.
func padded(id string, digits int) string {
	id = strings.TrimPrefix(id, "0x")
	return strings.Repeat("0", digits-len(id)) + id
}

func keyValues(attributes map[string]any) []any {
	list := []any{}
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		list = append(list, map[string]any{"key": key, "value": anyValue(attributes[key])})
	}
	return list
}

func anyValue(v any) map[string]any {
	switch v := v.(type) {
	case string:
		return map[string]any{"stringValue": v}
	case bool:
		return map[string]any{"boolValue": v}
	case int:
		return map[string]any{"intValue": strconv.Itoa(v)}
	case int64:
		return map[string]any{"intValue": strconv.FormatInt(v, 10)}
	case float64:
		return map[string]any{"doubleValue": v}
	case []string:
		values := []any{}
		for _, s := range v {
			values = append(values, anyValue(s))
		}
		return map[string]any{"arrayValue": map[string]any{"values": values}}
	}
	panic(fmt.Sprintf("enrichtest: an attribute of type %T", v)) // none of ours has another
}
