package enrich

import (
	"math"
	"slices"
	"sort"
)

// A segment is a stretch of time over which power goes in a straight line, in
// watts, from one reading to the next.
type segment struct {
	from, to   Time
	start, end float64
}

// at returns the power at a moment of the segment.
func (s segment) at(t Time) float64 {
	part := float64(t-s.from) / float64(s.to-s.from)
	return s.start*(1-part) + s.end*part
}

// wattHours returns the energy used from the segment's beginning to a moment of it.
func (s segment) wattHours(until Time) float64 {
	return (s.start + s.at(until)) / 2 * seconds(until-s.from) / 3600
}

// A curve is power over time, segments in order. What lies between two of them
// is not known.
type curve []segment

// powerCurve draws the curve of one GPU through its readings. Where they lie
// apart by more than five times the median, and by more than a minute, nobody
// knows what the GPU did: such gaps are left out and counted (spec §3.9).
func powerCurve(readings []reading) (c curve, gaps int) {
	if len(readings) < 2 {
		return nil, 0
	}
	apart := make([]float64, 0, len(readings)-1)
	for i, r := range readings[1:] {
		apart = append(apart, seconds(r.at-readings[i].at))
	}
	slices.Sort(apart)
	longest := max(5**Percentile(apart, 0.5), 60)
	for i, r := range readings[1:] {
		before := readings[i]
		if seconds(r.at-before.at) > longest {
			gaps++
			continue
		}
		c = append(c, segment{before.at, r.at, before.value, r.value})
	}
	return c, gaps
}

// wattHours returns the energy under the curve, by the trapezoidal rule.
func (c curve) wattHours() float64 {
	total := 0.0
	for _, s := range c {
		total += s.wattHours(s.to)
	}
	return total
}

// plus adds two curves; where only one is known, it stands for both.
func (c curve) plus(d curve) curve {
	var out curve
	for t := Time(math.MinInt64); ; {
		for len(c) > 0 && c[0].to <= t {
			c = c[1:]
		}
		for len(d) > 0 && d[0].to <= t {
			d = d[1:]
		}
		if len(c) == 0 && len(d) == 0 {
			return out
		}
		next := min(c.turn(t), d.turn(t))
		s, known := segment{from: t, to: next}, false
		for _, one := range []curve{c, d} {
			if len(one) > 0 && one[0].from <= t {
				s.start, s.end, known = s.start+one[0].at(t), s.end+one[0].at(next), true
			}
		}
		if known {
			out = append(out, s)
		}
		t = next
	}
}

// turn returns when a curve whose first segment is not over at t next begins or
// ends a segment.
func (c curve) turn(t Time) Time {
	switch {
	case len(c) == 0:
		return math.MaxInt64
	case c[0].from > t:
		return c[0].from
	}
	return c[0].to
}

// sumCurves adds curves by halves, so that each reading is looked at once for
// every doubling of the curves.
func sumCurves(list []curve) curve {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	half := len(list) / 2
	return sumCurves(list[:half]).plus(sumCurves(list[half:]))
}

// A tally says what was used up to any moment.
type tally struct {
	curve     curve
	wattHours []float64 // before each segment, and after the last
	seconds   []float64 // for which the power is known, likewise
}

func newTally(c curve) *tally {
	t := &tally{curve: c, wattHours: make([]float64, len(c)+1), seconds: make([]float64, len(c)+1)}
	for i, s := range c {
		t.wattHours[i+1] = t.wattHours[i] + s.wattHours(s.to)
		t.seconds[i+1] = t.seconds[i] + seconds(s.to-s.from)
	}
	return t
}

// at returns the energy in Wh used up to a moment, and for how many seconds
// before it the power is known.
func (t *tally) at(m Time) (wattHours, known float64) {
	i := sort.Search(len(t.curve), func(i int) bool { return t.curve[i].to > m })
	wattHours, known = t.wattHours[i], t.seconds[i]
	if i < len(t.curve) && t.curve[i].from < m {
		wattHours += t.curve[i].wattHours(m)
		known += seconds(m - t.curve[i].from)
	}
	return wattHours, known
}

// known returns for how many seconds of a window the power is known.
func (t *tally) known(w window) float64 {
	_, from := t.at(w.from)
	_, to := t.at(w.to)
	return to - from
}

// total returns the energy of the whole curve in Wh.
func (t *tally) total() float64 { return t.wattHours[len(t.curve)] }
