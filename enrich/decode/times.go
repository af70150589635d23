package decode

import (
	"time"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// time reads a time by the rule TIME of spec §2.1: a number counts seconds,
// milliseconds, microseconds or nanoseconds by its size, and a text is a number
// or an ISO 8601 time. Zero, null and "" are no time.
func (d *decoder) time(field string) enrich.Time {
	const want = "nanoseconds"
	s := d.s
	switch s.kind() {
	case nullKind:
		s.null()
		return 0
	case numberKind:
		line := s.line(s.pos)
		text := s.number()
		n, ok := parseInt(text)
		v := attr.IntValue(n)
		if !ok {
			v = attr.StringValue(string(text))
		}
		if ns, ok := v.Nanos(); ok {
			return enrich.Time(ns)
		}
		if f, ok := v.Float(); (!ok || f != 0) && s.err == nil {
			d.warnAt(line, "%s is %s, expected %s", field, clip(string(text)), want)
		}
		return 0
	case stringKind:
		line := s.line(s.pos)
		text, ok := s.quoted()
		if !ok {
			return 0
		}
		t, naive, ok := parseTime(string(text))
		if !ok {
			d.warnAt(line, "%s is %s, expected %s", field, quote(string(text)), want)
		}
		if naive {
			d.flag("tz_unknown")
		}
		return t
	}
	d.wrong(field, want)
	return 0
}

var naiveLayouts = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "20060102_150405"}

// parseTime reads a time written as text. A naive one has no offset, and is
// taken for UTC. Texts that stand for nothing are the absent time.
func parseTime(text string) (t enrich.Time, naive, ok bool) {
	v := attr.StringValue(text)
	if _, ok := v.Str(); !ok {
		return 0, false, true
	}
	if ns, ok := v.Nanos(); ok {
		return enrich.Time(ns), false, true
	}
	if f, ok := v.Float(); ok {
		return 0, false, f == 0
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return enrich.Time(at.UnixNano()), false, inRange(at)
		}
	}
	for _, layout := range naiveLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return enrich.Time(at.UnixNano()), true, inRange(at)
		}
	}
	return 0, false, false
}

// inRange keeps out years that an int64 of nanoseconds cannot hold.
func inRange(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2262 }
