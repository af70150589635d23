package gpu

import (
	"slices"
	"time"
)

// Rollup puts one reading in the place of all that fall into the same stretch of
// time of this length; stretches begin at its multiples since 1970. Its numbers are
// the means over the readings that have them, and its time is the mean of theirs, so
// that power still integrates to nearly the same energy. States, and counters that
// do not go in straight lines, are the last. Throttle reasons are all that there
// were. Readings must be in order of time; those of different sources stay apart.
func Rollup(readings []Reading, length time.Duration) []Reading {
	var out []Reading
	for len(readings) > 0 {
		first := readings[0]
		begin := first.Time.Truncate(length)
		n := slices.IndexFunc(readings, func(r Reading) bool {
			return r.Source != first.Source || !r.Time.Truncate(length).Equal(begin)
		})
		if n < 0 {
			n = len(readings)
		}
		out = append(out, rolled(readings[:n]))
		readings = readings[n:]
	}
	return out
}

// rolled returns the reading that stands for all of these.
func rolled(readings []Reading) Reading {
	r := readings[len(readings)-1]
	if len(readings) == 1 {
		return r
	}
	var since time.Duration
	same := map[string][]*GPU{}
	var order []string
	for i := range readings {
		since += readings[i].Time.Sub(readings[0].Time)
		for k := range readings[i].GPUs {
			g := &readings[i].GPUs[k]
			if same[g.key()] == nil {
				order = append(order, g.key())
			}
			same[g.key()] = append(same[g.key()], g)
		}
	}
	r.Time = readings[0].Time.Add(since / time.Duration(len(readings)))
	r.GPUs = make([]GPU, 0, len(order))
	for _, key := range order {
		r.GPUs = append(r.GPUs, rolledGPU(same[key]))
	}
	return r
}

// key tells one GPU from another through readings.
func (g *GPU) key() string {
	if g.UUID != "" {
		return g.UUID
	}
	return g.ID
}

func rolledGPU(list []*GPU) GPU {
	g := *list[len(list)-1]
	for _, field := range Fields {
		var sum float64
		var n int
		var last *float64
		steady := true // it never falls
		for _, one := range list {
			if v := *field.Ptr(one); v != nil {
				steady = steady && (last == nil || *v >= *last)
				sum, n, last = sum+*v, n+1, v
			}
		}
		switch {
		case n == 0:
			*field.Ptr(&g) = nil
		case field.counts() || field.Counter && !steady:
			*field.Ptr(&g) = last
		default:
			*field.Ptr(&g) = new(sum / float64(n))
		}
	}
	var reasons []string
	for _, one := range list {
		for _, reason := range one.ThrottleReasons {
			if !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	if reasons != nil {
		g.ThrottleReasons = reasons
	}
	return g
}

// counts reports whether the field counts events or names a state: a mean of it
// says nothing.
func (f Field) counts() bool { return f.Unit == "" || f.Unit == "{error}" }
