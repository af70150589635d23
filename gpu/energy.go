package gpu

import (
	"slices"
	"time"
)

// A Usage is what one GPU used over some readings, in joules. What is not known is nil.
type Usage struct {
	ID, Name string
	Counter  *float64      // what its own counter grew by
	Integral *float64      // under its power, by trapezoids, without gaps
	Known    time.Duration // for which power is known: the length of the integral
}

// Joules is the best figure, and whether it is the counter's.
func (u Usage) Joules() (joules *float64, counted bool) {
	if u.Counter != nil {
		return u.Counter, true
	}
	return u.Integral, false
}

// Used returns what the GPUs used over readings, which must be in order of time.
// Stretches without a reading that are five times as long as most, and longer than a
// minute, are gaps: nobody knows what power was, but counters went on.
func Used(readings []Reading) []Usage {
	type card struct {
		Usage
		counter counter
		times   []time.Time
		watts   []float64
	}
	cards := map[string]*card{}
	var order []*card
	for i := range readings {
		for k := range readings[i].GPUs {
			g := &readings[i].GPUs[k]
			c := cards[g.key()]
			if c == nil {
				c = &card{}
				cards[g.key()], order = c, append(order, c)
			}
			c.ID, c.Name = g.ID, g.Name
			if v := g.EnergyJoules; v != nil {
				if c.Counter == nil {
					c.Counter, c.counter.last = new(float64), *v
				}
				*c.Counter = c.counter.to(*v)
			}
			if v := g.PowerWatts; v != nil {
				c.times, c.watts = append(c.times, readings[i].Time), append(c.watts, *v)
			}
		}
	}
	list := make([]Usage, 0, len(order))
	for _, c := range order {
		if len(c.times) > 1 {
			c.Integral, c.Known = integrate(c.times, c.watts)
		}
		if len(readings) < 2 {
			c.Counter = nil
		}
		list = append(list, c.Usage)
	}
	return list
}

func integrate(times []time.Time, watts []float64) (*float64, time.Duration) {
	var apart []time.Duration
	for i := range times[1:] {
		apart = append(apart, times[i+1].Sub(times[i]))
	}
	sorted := slices.Sorted(slices.Values(apart))
	longest := max(5*sorted[len(sorted)/2], time.Minute)
	joules, known := 0.0, time.Duration(0)
	for i, d := range apart {
		if d <= longest {
			joules += (watts[i] + watts[i+1]) / 2 * d.Seconds()
			known += d
		}
	}
	return &joules, known
}
