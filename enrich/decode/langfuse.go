package decode

import (
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

var langfuse = Format{
	Name:    "langfuse-observations",
	Dataset: enrich.Traces,
	Doc:     "Langfuse's observations: its export of a trace, the answer of its API, or rows of them.",
	match: func(k *keys) bool {
		return k.any("parentObservationId", "parent_observation_id") && k.any("traceId", "trace_id") && k.any("type", "startTime", "start_time")
	},
	row: func(d *decoder) {
		if sp := d.observation(); d.s.err == nil {
			d.addSpan(&sp)
		}
	},
}

// observation reads an observation as the span that it is: Langfuse's own fields
// become the attributes that its SDK sends them as.
func (d *decoder) observation() (sp enrich.Span) {
	var list []attr.KeyValue
	var legacy attr.Value // usage, before usageDetails
	state := func(name string, v attr.Value) {
		if v.Kind() != attr.JSON || len(v.Text()) > 2 { // {} and [] state nothing
			list = append(list, attr.KeyValue{Key: name, Value: v})
		}
	}
	var level string
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "id":
			var note idNote
			sp.ID, note = d.anySpanID("id")
			d.noteID(note)
		case "traceId", "trace_id":
			sp.TraceID = d.anyTraceID("traceId")
		case "parentObservationId", "parent_observation_id":
			sp.ParentID, _ = d.anySpanID("parentObservationId")
		case "name":
			sp.Name = d.label("name")
		case "startTime", "start_time":
			sp.Start = d.anyTime("startTime")
		case "endTime", "end_time":
			sp.End = d.anyTime("endTime")
		case "level":
			level = d.label("level")
		case "statusMessage", "status_message":
			sp.StatusMessage = d.value().Text()
		case "type":
			state("langfuse.observation.type", attr.StringValue(strings.ToLower(d.label("type"))))
		case "model", "provided_model_name", "providedModelName":
			state("langfuse.observation.model.name", d.value())
		case "modelParameters", "model_parameters":
			state("langfuse.observation.model.parameters", d.value())
		case "usageDetails", "usage_details":
			state("langfuse.observation.usage_details", d.value())
		case "costDetails", "cost_details":
			state("langfuse.observation.cost_details", d.value())
		case "usage":
			legacy = d.value()
		case "completionStartTime", "completion_start_time":
			state("langfuse.observation.completion_start_time", d.value())
		case "timeToFirstToken", "time_to_first_token":
			state("gen_ai.server.time_to_first_token", d.value())
		case "input":
			state("langfuse.observation.input", d.value())
		case "output":
			state("langfuse.observation.output", d.value())
		case "metadata":
			d.observationMetadata(&sp)
		default:
			d.s.skip()
		}
	}
	if level == "ERROR" {
		sp.Status = enrich.StatusError
	}
	own := attr.NewSet(list)
	if own.Get("langfuse.observation.usage_details").IsNull() && legacy.Kind() == attr.JSON && len(legacy.Text()) > 2 {
		own = own.Merge(attr.Set{{Key: "langfuse.observation.usage_details", Value: legacy}})
	}
	sp.Attrs = own.Merge(sp.Attrs)
	return sp
}

// observationMetadata reads what Langfuse keeps of a span that reached it by
// OpenTelemetry: its attributes, resource and scope.
func (d *decoder) observationMetadata(sp *enrich.Span) {
	switch d.s.kind() {
	case stringKind:
		// Metadata may be any text; only an object says something here.
		if d.beginsObject() {
			d.within("metadata", objectKind, func() { d.observationMetadata(sp) })
		} else {
			d.s.skip()
		}
		return
	case objectKind:
	default:
		d.s.skip()
		return
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch k := d.s.kind(); {
		case string(key) == "attributes" && k == objectKind:
			sp.Attrs = d.set()
		case string(key) == "resourceAttributes" && k == objectKind:
			if set := d.set(); len(set) > 0 {
				sp.Resource = d.resources.shared(&enrich.Resource{Attrs: set})
			}
		case string(key) == "scope" && k == objectKind:
			sp.Scope = d.anyScope()
		default:
			d.s.skip()
		}
	}
}

// beginsObject looks ahead whether the string that comes next is an object's.
func (d *decoder) beginsObject() (yes bool) {
	d.s.peek(func() {
		text, _ := d.s.quoted()
		for len(text) > 0 && text[0] <= ' ' {
			text = text[1:]
		}
		yes = len(text) > 0 && text[0] == '{'
	})
	return yes
}
