package enrich

import (
	"fmt"
	"slices"

	"smolscope/enrich/attr"
)

// A co2 is what a run emitted, in grams of CO2 equivalent, from one source only
// (spec §3.9): a counter and an estimate that share a name are never added.
type co2 struct {
	grams  *float64
	source string // the source attribute of the metric (spec §4.2)
	kind   ProvenanceKind
	from   string
	gpus   []gpuGrams
}

// A gpuGrams is what one GPU emitted; id is "" where it is not known for each GPU.
type gpuGrams struct {
	id    string
	grams float64
}

// The values of the source attribute of gen_ai.co2.emissions (spec §4.2).
const (
	co2OfGPU        = "gpu"
	co2OfCodeCarbon = "codecarbon"
	co2OfTokens     = "token_estimate"
)

const (
	// wattsAsWattHours is how many times too high genai_otel's own counters of cost
	// and CO2 are: they take watts × seconds / 1000 for watt-hours (spec §6 U1).
	wattsAsWattHours = 3.6
	// gramsPerToken is SMOLTRACE's constant: 0.0004 g for 1000 tokens.
	gramsPerToken = 0.0004 / 1000
)

// emissions finds the best figure that the files allow: CodeCarbon's counter,
// genai_otel's own corrected, energy × carbon intensity, else what SMOLTRACE
// estimates from tokens, if the run's own files do so.
func (e *enricher) emissions(g *gpuEnergy) co2 {
	counters := g.series[co2Emissions]
	isCodeCarbon := func(s *series) bool { return s.has("source", co2OfCodeCarbon) }
	if c := countedCO2(counters, isCodeCarbon, 1); c.grams != nil {
		c.source, c.from = co2OfCodeCarbon, "CO2 counter of CodeCarbon, sum over "+plural(len(c.gpus), "counter")
		return c
	}
	if c := countedCO2(counters, func(s *series) bool { return !isCodeCarbon(s) }, wattsAsWattHours); c.grams != nil {
		c.source, c.kind = co2OfGPU, Repaired
		c.from = fmt.Sprintf("CO2 counter of genai_otel, sum over %s, divided by 3.6: it takes watts × seconds / 1000 for watt-hours", plural(len(c.gpus), "GPU"))
		e.found.flag("run", FlagCO2Corrected)
		return c
	}
	if g.wattHours != nil {
		c := co2{source: co2OfGPU, kind: Measured, from: fmt.Sprintf("total_gpu_energy_wh × %v g/kWh", e.options.CarbonGPerKWh)}
		c.grams = new(*g.wattHours / 1000 * e.options.CarbonGPerKWh)
		for _, gpu := range g.gpus {
			c.gpus = append(c.gpus, gpuGrams{gpu.id, gpu.wattHours / 1000 * e.options.CarbonGPerKWh})
		}
		e.found.flag("run", FlagCO2FromEnergy)
		return c
	}
	return e.estimatedCO2()
}

// countedCO2 sums the counters that fit. A total of 0 is what is written where
// nothing was measured.
func countedCO2(counters []series, fits func(*series) bool, tooHigh float64) co2 {
	c := co2{kind: Measured}
	total := 0.0
	for i := range counters {
		if s := &counters[i]; fits(s) {
			grams := s.total() / tooHigh
			c.gpus = append(c.gpus, gpuGrams{s.gpu(), grams})
			total += grams
		}
	}
	if total > 0 {
		c.grams = &total
	}
	return c
}

// estimatedCO2 works out again what SMOLTRACE estimates, since it counts tokens
// of nested spans again. Without spans its own figure is all there is.
func (e *enricher) estimatedCO2() co2 {
	stated, estimates := e.run.Leaderboard.Float(attr.Field{"total_co2_g"})
	found := estimates != ""
	for _, m := range e.run.Metrics {
		i := slices.IndexFunc(m.Aggregates, func(s Sample) bool { return s.Metric == co2Emissions })
		if i < 0 {
			continue
		}
		found = true
		if v := m.Aggregates[i].Value; v != nil && *v >= 0 && *v <= maxReading {
			stated = *v
		}
	}
	if !found {
		return co2{}
	}
	c := co2{source: co2OfTokens, kind: Derived}
	var tokens sum[int64]
	for _, t := range e.tests {
		if t.facts != nil {
			tokens.add(t.facts.totalTokens.value())
		}
	}
	switch {
	case tokens.known > 0:
		c.grams = new(float64(tokens.total) * gramsPerToken)
		c.from = fmt.Sprintf("SMOLTRACE's estimate of 0.0004 g for 1,000 tokens, over %s tokens counted once", compact(tokens.total))
	case len(e.traces) == 0 && stated > 0:
		c.grams, c.kind, c.from = &stated, Reported, "SMOLTRACE's estimate from tokens, unverified: without traces there is nothing to check it against"
		e.found.flag("run", FlagStoredSummary)
	default:
		return co2{}
	}
	c.gpus = []gpuGrams{{"", *c.grams}}
	e.found.flag("run", FlagCO2TokenEstimate)
	return c
}
