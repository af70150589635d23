package decode

import (
	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// What is in this file is the same for OTLP in JSON and in protobuf, and for all
// spans that are rows by themselves: how one that was read goes into the part.

// addSpan puts a span that stands by itself with the others of its trace, and
// mends what others' exporters are known to get wrong. A span without a trace id
// is a trace of its own, under an id made up from what it says.
func (d *decoder) addSpan(sp *enrich.Span) {
	d.mendTimes(sp)
	if sp.TraceID == (enrich.TraceID{}) {
		if sp.ID == (enrich.SpanID{}) && sp.Name == "" && sp.Start == 0 {
			d.warnAt(d.where, "span has neither ids nor name nor time, expected all of them; span skipped")
			d.kept--
			return
		}
		d.json = append(sp.AppendJSON(d.json[:0]), '#')
		sp.TraceID, _ = enrich.ParseTraceID(string(d.json))
		d.repairs.missing++
	}
	t := d.traceOf(sp.TraceID)
	d.nameSpan(sp, len(t.Spans))
	t.Spans = append(t.Spans, *sp)
	if runID := sp.Row.Get("run_id"); !runID.IsNull() && len(t.Row) == 0 {
		t.Row = attr.Set{{Key: "run_id", Value: runID}}
	}
}

// traceOf returns the trace that spans of an id are gathered in.
func (d *decoder) traceOf(id enrich.TraceID) *enrich.Trace {
	t := d.flat[id]
	if t == nil {
		if d.flat == nil {
			d.flat = make(map[enrich.TraceID]*enrich.Trace)
		}
		t = &enrich.Trace{ID: id}
		d.flat[id] = t
		d.part.Traces = append(d.part.Traces, t)
	}
	return t
}

// addSample puts a sample with the others of its run, which its resource names.
func (d *decoder) addSample(s *enrich.Sample) {
	if u := unitOf(s.Time, s.Start); u > 1 {
		s.Time, s.Start = s.Time*u, s.Start*u
		d.repairs.units++
	}
	run := ""
	if s.Resource != nil {
		run, _ = s.Resource.Attrs.Str(attr.RunID)
	}
	doc := d.metricsOf(run)
	doc.Samples = append(doc.Samples, *s)
}

// mendTimes finds times of a span that count seconds, milliseconds or
// microseconds though their fields are of nanoseconds.
func (d *decoder) mendTimes(sp *enrich.Span) {
	u := unitOf(sp.Start, sp.End)
	if u == 1 {
		return
	}
	sp.Start, sp.End = sp.Start*u, sp.End*u
	for i := range sp.Events {
		if e := &sp.Events[i]; unitOf(e.Time, 0) == u {
			e.Time *= u
		}
	}
	d.repairs.units++
}

// unitOf returns how many nanoseconds the unit of a time has, 1 being what it
// should be. OpenTelemetry is of 2019, so a number that counts another unit from
// there to 2033 does count it, if the other time of the same thing agrees; as
// nanoseconds it would be a moment of the year 1970. A clock that begins with a
// test's process has such times too: therefore the narrow years.
func unitOf(t, other enrich.Time) enrich.Time {
	const from, to = 1_546_300_800, 2_000_000_000 // seconds
	for u := enrich.Time(1e9); u > 1; u /= 1000 {
		scale := 1e9 / u
		within := func(t enrich.Time) bool { return t >= from*scale && t < to*scale }
		if within(t) && (other == 0 || within(other)) {
			return u
		}
	}
	return 1
}
