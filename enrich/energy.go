package enrich

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"smolscope/enrich/attr"
)

// The metrics that energy, emissions and the state of GPUs are read from (spec
// §4.2, §4.3). The gauges gen_ai.gpu.aggregate.* are not among them: they are
// sums over these.
const (
	gpuUtilization = "gen_ai.gpu.utilization"
	gpuMemoryUsed  = "gen_ai.gpu.memory.used"
	gpuMemoryTotal = "gen_ai.gpu.memory.total"
	gpuTemperature = "gen_ai.gpu.temperature"
	gpuPower       = "gen_ai.gpu.power"
	energyConsumed = "gen_ai.energy.consumed"
	co2Emissions   = "gen_ai.co2.emissions"
	powerCost      = "gen_ai.power.cost"
	deviceEnergy   = "hw.energy" // OpenTelemetry's, of the conventions for hardware: J
)

// gpuEnergy is what GPUs used during a run, and for what.
type gpuEnergy struct {
	series map[string][]series

	wattHours *float64 // of the run
	from      string   // how it was measured
	scaled    string   // what to say of shares of power that were scaled to a counter
	gpus      []gpuShare
	idle      *float64 // Wh used while no test ran
	lost      float64  // Wh used by tests too short to say what each of them used
	lostTests int
	tests     map[*test]testEnergy
	calls     map[*Span]float64 // Wh
	co2       co2
}

// A gpuShare is what one GPU used, in Wh; id is "" where the energy is not
// measured for each GPU.
type gpuShare struct {
	id        string
	wattHours float64
}

// A testEnergy is what GPUs used for one test.
type testEnergy struct {
	wattHours *float64 // its share
	watts     *float64 // mean power of all GPUs while it ran, whoever used it
	from      string
	missing   string // why there are no values, or what part of them is not known
	silent    string // which of the GPUs are not in them
}

// measureEnergy finds out what the GPUs of the run used (spec §3.9).
func (e *enricher) measureEnergy() *gpuEnergy {
	g := &gpuEnergy{series: seriesOf(e.run.Metrics, gpuUtilization, gpuMemoryUsed, gpuMemoryTotal, gpuTemperature, gpuPower, energyConsumed, co2Emissions, powerCost, deviceEnergy)}
	power := g.series[gpuPower]
	var curves []curve
	readings, gaps := 0, 0
	for i := range power {
		c, left := powerCurve(power[i].readings)
		gaps += left
		if len(c) > 0 {
			curves = append(curves, c)
			readings += len(power[i].readings)
			g.gpus = append(g.gpus, gpuShare{power[i].gpu(), c.wattHours()})
		}
	}
	used := newTally(sumCurves(curves))
	if len(curves) > 0 {
		g.wattHours = new(0.0)
		for _, gpu := range g.gpus {
			*g.wattHours += gpu.wattHours
		}
		g.from = "trapezoid over " + plural(readings, "power sample") + " of " + plural(len(curves), "GPU")
		if gaps > 0 {
			e.found.flag("run", FlagPowerGap)
			g.from += "; " + plural(gaps, "gap") + " between samples left out"
		}
	}
	scale := e.counted(g)
	g.attribute(e.tests, used, scale, power)
	g.co2 = e.emissions(g)
	return g
}

// An energyCounter is a figure that stands above the integral of power.
type energyCounter struct {
	wattHours float64
	from      string
	gpus      []gpuShare
	tolerance float64 // how far power may be off, as part of the figure, before that is said
}

// counter returns the best energy counter of the run, nil of none: CodeCarbon's,
// whose 0 is what it leaves where it sees no GPU, else that of the devices.
func (g *gpuEnergy) counter() *energyCounter {
	kWh := totals(g.series[energyConsumed], func(s *series) bool { return s.has("component", "gpu") })
	if kWh != nil && *kWh > 0 {
		return &energyCounter{*kWh * 1000, "energy counter of CodeCarbon, component gpu", []gpuShare{{"", *kWh * 1000}}, 0.2}
	}
	return g.deviceCounter()
}

// deviceCounter adds up what the GPUs' own counters say. It is nil unless all
// GPUs whose power is known have one, for all of that time.
func (g *gpuEnergy) deviceCounter() *energyCounter {
	c := &energyCounter{tolerance: 0.05}
	var counted, powered Time
	for i := range g.series[deviceEnergy] {
		s := &g.series[deviceEnergy][i]
		if n := len(s.readings); s.has("hw.type", "gpu") && n > 1 {
			wattHours := s.increase() / 3600
			c.wattHours += wattHours
			c.gpus = append(c.gpus, gpuShare{s.gpu(), wattHours})
			counted += s.readings[n-1].at - s.readings[0].at
		}
	}
	gpus := 0
	for _, s := range g.series[gpuPower] {
		if n := len(s.readings); n > 1 {
			gpus++
			powered += s.readings[n-1].at - s.readings[0].at
		}
	}
	if c.wattHours == 0 || len(c.gpus) < gpus || float64(counted) < 0.95*float64(powered) {
		return nil
	}
	c.from = "energy counter of " + plural(len(c.gpus), "GPU")
	return c
}

// counted takes the run's energy from a counter where there is one, and returns
// what the integral of power is to be multiplied by to agree with it.
func (e *enricher) counted(g *gpuEnergy) (scale float64) {
	c := g.counter()
	if c == nil {
		return 1
	}
	integral := g.wattHours
	g.wattHours, g.from, g.gpus = &c.wattHours, c.from, c.gpus
	if integral == nil || *integral == 0 {
		return 0
	}
	if max(c.wattHours-*integral, *integral-c.wattHours) > c.tolerance*c.wattHours {
		e.found.flag("run", FlagEnergyDisagreement)
		g.from += fmt.Sprintf("; the power samples say %s Wh", brief(*integral))
	}
	scale = c.wattHours / *integral
	g.scaled = ", × " + brief(scale) + " to agree with the energy counter"
	return scale
}

// attribute shares out the energy over tests and LLM calls. At each instant the
// power is split evenly among the tests that run, and what a test gets among
// its calls that run; while no test runs, GPUs idle.
func (g *gpuEnergy) attribute(tests []*test, power *tally, scale float64, gpus []series) {
	rounds := moments(gpus)
	g.tests, g.calls = map[*test]testEnergy{}, map[*Span]float64{}
	if len(power.curve) == 0 || scale == 0 {
		return
	}
	used := func(t Time) float64 { wh, _ := power.at(t); return scale * wh }
	var timed []*test
	var windows []window
	for _, t := range tests {
		if f := t.facts; f != nil && f.start != 0 && f.start < f.end {
			timed, windows = append(timed, t), append(windows, window{f.start, f.end})
		} else {
			g.tests[t] = testEnergy{missing: "not attributed: when the test ran is not known"}
		}
	}
	shares, each := split(used, windows)
	gpuTallies := make([]*tally, len(gpus))
	for i := range gpus {
		c, _ := powerCurve(gpus[i].readings)
		gpuTallies[i] = newTally(c)
	}
	shared := 0.0
	for i, t := range timed {
		shared += shares[i]
		one := newTestEnergy(power, rounds, windows[i], shares[i])
		if one.wattHours != nil {
			one.from += g.scaled
			if n := reporting(gpuTallies, power, windows[i]); n < len(gpus) {
				one.silent = fmt.Sprintf("%d of %s reported power throughout; of the others only what they did is in it", n, plural(len(gpus), "GPU"))
				one.from += "; " + one.silent
				one.missing = strings.TrimPrefix(one.missing+"; "+one.silent, "; ")
			}
		} else if shares[i] > 0 {
			g.lost += shares[i]
			g.lostTests++
		}
		g.tests[t] = one
		g.attributeCalls(t.facts.calls, each, rounds, windows[i])
	}
	// Where it is not known when a test ran, nobody knows when none did.
	if len(timed) == len(tests) && len(tests) > 0 {
		g.idle = new(max(0, scale*power.total()-shared))
	}
}

func newTestEnergy(power *tally, rounds []moment, w window, share float64) (one testEnergy) {
	whole := seconds(w.to - w.from)
	from, knownFrom := power.at(w.from)
	to, knownTo := power.at(w.to)
	known := knownTo - knownFrom
	switch n := roundsIn(rounds, w); {
	case n < 2 && known <= 0:
		one.missing = "not attributed: power is not known for the time that the test ran"
	case n == 0:
		one.missing = "too short to attribute: no power sample while the test ran"
	case n == 1:
		one.missing = "too short to attribute: 1 power sample while the test ran"
	case known <= 0:
		one.missing = "not attributed: the power samples while the test ran lie too far apart"
	default:
		one.wattHours, one.watts = &share, new(max(0, to-from)*3600/known)
		one.from = "share of the power while the test ran, " + plural(n, "round") + " of samples"
		if part := 100 * known / whole; part < 99 {
			one.missing = fmt.Sprintf("power is known for %.0f %% of the time that the test ran", part)
			one.from += "; " + one.missing
		}
	}
	return one
}

// attributeCalls shares out what a test got over its LLM calls.
func (g *gpuEnergy) attributeCalls(calls []call, each amount, rounds []moment, test window) {
	var timed []*Span
	var windows []window
	for i := range calls {
		s := calls[i].span
		if _, ok := s.Duration(); !ok {
			continue
		}
		if w, ok := (window{s.Start, s.End}).within(test); ok {
			timed, windows = append(timed, s), append(windows, w)
		}
	}
	shares, _ := split(each, windows)
	for i, s := range timed {
		if roundsIn(rounds, windows[i]) >= 2 {
			g.calls[s] = shares[i]
		}
	}
}

// reporting counts the GPUs whose power is known for all of the part of a window
// that any power is known for, up to what rounds of samples lie apart or 1 %.
func reporting(gpus []*tally, all *tally, w window) int {
	longest := all.known(w)
	n := 0
	for _, gpu := range gpus {
		if known := gpu.known(w); known > 0 && longest-known <= max(0.01*longest, seconds(together)) {
			n++
		}
	}
	return n
}

// roundsIn counts the moments of a window, ends included.
func roundsIn(rounds []moment, w window) int {
	first := sort.Search(len(rounds), func(i int) bool { return rounds[i].at >= w.from })
	past := sort.Search(len(rounds), func(i int) bool { return rounds[i].at > w.to })
	return past - first
}

// gpu returns the id of the GPU that the series is of, "" if it names none.
func (s *series) gpu() string {
	id, _ := s.attrs.Str(attr.Field{"gpu_id", "hw.id"})
	return id
}

// flattenedOnly reports whether all that is known of the GPUs comes from
// flattened rows.
func (e *enricher) flattenedOnly() bool {
	flattened := false
	for i := range e.run.Metrics {
		m := &e.run.Metrics[i]
		if !m.Flattened && slices.ContainsFunc(m.Samples, func(s Sample) bool { return s.Metric == gpuUtilization || s.Metric == gpuPower }) {
			return false
		}
		flattened = flattened || m.Flattened && len(m.Samples) > 0
	}
	return flattened
}

// brief writes a number to three digits, for a message.
func brief(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
