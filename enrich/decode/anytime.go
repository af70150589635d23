package decode

import (
	"math"
	"strconv"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// anyTime reads a time in any of the forms that writers other than SMOLTRACE
// give it: a whole number or a text of one (nanoseconds; see unitOf), any other
// number by the rule TIME of spec §2.1, an ISO 8601 time, seconds and nanoseconds
// in a list, or a 64-bit number in two halves.
func (d *decoder) anyTime(field string) enrich.Time {
	const want = "nanoseconds"
	s := d.s
	line := s.line(s.pos)
	switch s.kind() {
	case nullKind:
		s.null()
	case numberKind:
		text := s.number()
		if n, ok := parseInt(text); ok && n >= 0 {
			return enrich.Time(n)
		}
		if ns, ok := attr.StringValue(string(text)).Nanos(); ok {
			return enrich.Time(ns)
		}
		if s.err == nil {
			d.warnAt(line, "%s is %s, expected %s", field, clip(string(text)), want)
		}
	case stringKind:
		text, ok := s.quoted()
		if !ok {
			return 0
		}
		if n, ok := parseInt(text); ok && n >= 0 {
			return enrich.Time(n)
		}
		t, naive, ok := parseTime(string(text))
		if !ok {
			d.warnAt(line, "%s is %s, expected %s", field, quote(string(text)), want)
		}
		if naive {
			d.flag("tz_unknown")
		}
		return t
	case listKind:
		if list := d.ints(field); len(list) == 2 && list[0] < math.MaxInt64/1_000_000_000-1 && list[1] < 1e9 {
			return enrich.Time(list[0]*1e9 + list[1])
		}
		d.warnAt(line, "%s is a list, expected seconds and nanoseconds in it", field)
	case objectKind:
		if n, ok := d.long(); ok && n >= 0 {
			return enrich.Time(n)
		}
		d.warnAt(line, "%s is an object, expected %s", field, want)
	default:
		d.wrong(field, want)
	}
	return 0
}

// long reads a 64-bit number that JavaScript holds in two halves of 32 bits:
// {"low":1,"high":0,"unsigned":true}.
func (d *decoder) long() (int64, bool) {
	var low, high int64
	halves := 0
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		half := &low
		switch string(key) {
		case "high":
			half = &high
		case "low":
		default:
			d.s.skip()
			continue
		}
		n, err := strconv.ParseInt(d.value().Text(), 10, 64)
		if err == nil && n >= math.MinInt32 && n <= math.MaxUint32 {
			*half = n
			halves++
		}
	}
	return high<<32 | int64(uint32(low)), halves == 2
}
