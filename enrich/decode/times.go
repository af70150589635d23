package decode

import (
	"time"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// time reads a time by the rule TIME of spec §2.1: a number counts seconds,
// milliseconds, microseconds or nanoseconds by its size, and a text is a number
// or an ISO 8601 time. Zero, null and "" are no time. In d.written it leaves
// the whole number that the time was written as, 0 if it was none.
func (d *decoder) time(field string) enrich.Time {
	const want = "nanoseconds"
	s := d.s
	d.written = 0
	switch s.kind() {
	case nullKind:
		s.null()
		return 0
	case numberKind:
		line := s.line(s.pos)
		text := s.number()
		n, ok := parseInt(text)
		if d.exact && n > 0 {
			return enrich.Time(n)
		}
		d.written = n
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
			t, ok := unixNano(at)
			return t, false, ok
		}
	}
	for _, layout := range naiveLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			t, ok := unixNano(at)
			return t, ok, ok
		}
	}
	return 0, false, false
}

// unixNano keeps out what an int64 of nanoseconds since 1970 cannot hold.
func unixNano(t time.Time) (enrich.Time, bool) {
	if t.Year() < 1970 || t.Year() >= 2262 || t.UnixNano() <= 0 {
		return 0, false
	}
	return enrich.Time(t.UnixNano()), true
}
