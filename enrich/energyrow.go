package enrich

import (
	"fmt"
	"regexp"
	"strconv"

	"smolscope/enrich/attr"
)

// energy fills what GPUs did and used over the run (spec §3.9).
func (b *leaderboardBuilder) energy() {
	r, g := b.row, b.gpu
	r.GPUUtilizationAvg, r.GPUUtilizationMax = pooled(g.series[gpuUtilization])
	r.GPUTemperatureAvg, r.GPUTemperatureMax = pooled(g.series[gpuTemperature])
	r.GPUMemoryAvgMiB, r.GPUMemoryMaxMiB = summed(g.series[gpuMemoryUsed])
	r.GPUPowerAvgW, r.GPUPowerMaxW = summed(g.series[gpuPower])
	r.GPUMemoryTotalMiB = capacity(g.series[gpuMemoryTotal])
	for _, from := range []struct {
		metric, how string
		ptrs        []any
	}{
		{gpuUtilization, "over all samples", []any{&r.GPUUtilizationAvg, &r.GPUUtilizationMax}},
		{gpuTemperature, "over all samples", []any{&r.GPUTemperatureAvg, &r.GPUTemperatureMax}},
		{gpuMemoryUsed, "over time of the sum over GPUs", []any{&r.GPUMemoryAvgMiB, &r.GPUMemoryMaxMiB}},
		{gpuPower, "over time of the sum over GPUs", []any{&r.GPUPowerAvgW, &r.GPUPowerMaxW}},
		{gpuMemoryTotal, "sum over GPUs", []any{&r.GPUMemoryTotalMiB}},
	} {
		n := 0
		for _, s := range g.series[from.metric] {
			n += len(s.readings)
		}
		b.note(Measured, fmt.Sprintf("%s: %s of %s", from.how, plural(n, "sample"), plural(len(g.series[from.metric]), "GPU")), from.ptrs...)
	}
	if r.TotalGPUEnergyWh = g.wattHours; g.wattHours != nil {
		b.note(Measured, g.from, &r.TotalGPUEnergyWh)
		tariff := b.options.ElectricityUSDPerKWh
		r.ElectricityCostUSD = new(*g.wattHours / 1000 * tariff)
		b.note(Measured, fmt.Sprintf("total_gpu_energy_wh × %v USD/kWh", tariff), &r.ElectricityCostUSD)
	}
	if r.IdleGPUEnergyWh = g.idle; g.idle != nil {
		from := "power while no test ran" + g.scaled
		if g.lostTests > 0 {
			from += "; " + g.unattributed()
		}
		b.note(Measured, from, &r.IdleGPUEnergyWh)
	}
	if r.PowerCostTotalUSD = totals(g.series[powerCost], func(*series) bool { return true }); r.PowerCostTotalUSD != nil {
		b.note(Reported, fmt.Sprintf("counter %s, sum over %s; 3.6 times too high, because genai_otel takes watts × seconds / 1000 for watt-hours", powerCost, plural(len(g.series[powerCost]), "GPU")), &r.PowerCostTotalUSD)
	}
	b.emissions()
	if n := statedGPUs(b.text("hardware", "job_type")); n > b.gpuCount() && b.flattenedOnly() {
		b.found.flag("run", FlagMultiGPULost)
	}
}

func (b *leaderboardBuilder) emissions() {
	r, c := b.row, &b.gpu.co2
	stored, key := b.stated.Float(storedNames["co2_emissions_g"])
	r.CO2EmissionsG = c.grams
	switch {
	case c.grams != nil:
		b.note(c.kind, c.from, &r.CO2EmissionsG)
		if d := max(stored-*c.grams, *c.grams-stored); key != "" && d > 0.01**c.grams {
			b.found.keep("run", "co2_emissions_g", b.stated.Get(key))
		}
	case key == "co2_emissions_g" && stored > 0 && stored <= maxReading:
		r.CO2EmissionsG = &stored
		b.note(Reported, "leaderboard row, unverified: nothing here to check it against", &r.CO2EmissionsG)
		b.found.flag("run", FlagStoredSummary)
	}
}

// unattributed says what tests used that were too short to say it of each.
func (g *gpuEnergy) unattributed() string {
	if g.lostTests == 0 {
		return ""
	}
	return fmt.Sprintf("%s Wh were used by %s too short to attribute it to", brief(g.lost), plural(g.lostTests, "test"))
}

// gpuCount returns how many GPUs the series tell apart.
func (b *leaderboardBuilder) gpuCount() int {
	n := 0
	for _, metric := range []string{gpuUtilization, gpuMemoryUsed, gpuPower} {
		n = max(n, len(b.gpu.series[metric]))
	}
	return n
}

// gpuNumber finds the number of GPUs in names of hardware: 4x NVIDIA A100, and
// Hugging Face's l4x4 and a10g-largex2.
var gpuNumber = regexp.MustCompile(`(?i)^\s*([0-9]+)\s*x\s|x([0-9]+)\s*$`)

// statedGPUs returns how many GPUs a name of hardware speaks of, 0 if it does not.
func statedGPUs(hardware *string) int {
	if hardware == nil {
		return 0
	}
	for _, digits := range gpuNumber.FindStringSubmatch(*hardware) {
		if n, err := strconv.Atoi(digits); err == nil {
			return n
		}
	}
	return 0
}

// energy fills what GPUs used for the test.
func (b *resultBuilder) energy() {
	r, used := b.row, b.gpu.tests[b.test]
	r.GPUEnergyWh, r.GPUPowerAvgW = used.wattHours, used.watts
	b.note(Measured, used.from, &r.GPUEnergyWh)
	power := "mean power of all GPUs while the test ran"
	if used.silent != "" {
		power += "; " + used.silent
	}
	b.note(Measured, power, &r.GPUPowerAvgW)
}

// energyFinding is the part of a test's data_quality that says why its energy
// is not known, or not all of it.
func (g *gpuEnergy) energyFinding(t *test) attr.KeyValue {
	return label("energy", g.tests[t].missing)
}

// callEnergy returns what GPUs used during the LLM call that a span is, in Wh,
// or nil.
func (g *gpuEnergy) callEnergy(s *Span) *float64 {
	if wh, ok := g.calls[s]; ok {
		return new(wh)
	}
	return nil
}

// energyMetrics derives emissions and the price of the energy (spec §4.2, 6 and
// 23), of each GPU where that is known.
func (m *meter) energyMetrics(g *gpuEnergy, options Options) {
	for _, c := range g.co2.gpus {
		if g.co2.grams != nil {
			m.add(co2Emissions, Sum, "gCO2e", c.grams, label("source", g.co2.source), label("gpu_id", c.id))
		}
	}
	for _, gpu := range g.gpus {
		m.add(powerCost, Counter, "USD", gpu.wattHours/1000*options.ElectricityUSDPerKWh, label("gpu_id", gpu.id))
	}
}
