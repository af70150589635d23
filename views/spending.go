package views

import (
	"fmt"
	"slices"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// costKinds are the parts of a cost as pages name them, and how their columns
// end: total_cost_<end>_usd of a run, gen_ai.usage.cost.<end> of a test or trace.
var costKinds = []struct{ name, end string }{
	{"prompt", "prompt"}, {"completion", "completion"}, {"reasoning", "reasoning"}, {"cache read", "cache_read"}, {"cache write", "cache_write"},
}

// costSources says what each cost_source means for the figure it stands beside.
var costSources = map[string]string{
	"reported": "reported", "priced": "from the price list", "estimated": "estimated", "unknown": "not all priced",
}

// costCard shows what a run cost, in kinds, a test and a correct answer.
func costCard(f figures[enrich.LeaderboardRow]) Card {
	r := f.row
	c := Card{Label: "Cost", Value: f.cost("total_cost_usd"), Small: costSources[deref(r.CostSource)]}
	if r.TotalCostUSD == nil {
		c.Small, c.Lines = "", []string{f.missing("total_cost_usd", costTopic)}
		return c
	}
	kinds := ""
	for _, k := range costKinds {
		column, _ := enrich.Lookup(enrich.LeaderboardColumns, "total_cost_"+k.end+"_usd")
		if part, ok := enrich.Number(column.Ptr(r)); ok && part > 0 {
			kinds = join(kinds, unit.USD(&part)+" "+k.name)
		}
	}
	each := ""
	if r.AvgCostPerTestUSD != nil {
		each = unit.USD(r.AvgCostPerTestUSD) + " a test"
	}
	if r.SuccessfulTests != nil && *r.SuccessfulTests > 0 {
		each = join(each, costOfCorrect(f).Text+" a correct answer")
	}
	for _, line := range []string{kinds, each} {
		if line != "" {
			c.Lines = append(c.Lines, line)
		}
	}
	if ours, ok := f.quality.pricedCost(); ok {
		c.Lines = append(c.Lines, "the price list makes it "+unit.USD(&ours))
	}
	return c
}

// energyCards show what GPUs used and emitted, where that is known.
func energyCards(f figures[enrich.LeaderboardRow]) []Card {
	r := f.row
	var list []Card
	if r.TotalGPUEnergyWh != nil {
		c := Card{Label: "GPU energy", Value: f.get("total_gpu_energy_wh")}
		if r.TotalTokens != nil && *r.TotalTokens > 0 {
			joules := *r.TotalGPUEnergyWh * 3600 / float64(*r.TotalTokens)
			c.Lines = append(c.Lines, unit.Number(&joules)+" J a token")
		}
		if r.ElectricityCostUSD != nil {
			c.Lines = append(c.Lines, unit.USD(r.ElectricityCostUSD)+" of electricity")
		}
		if r.IdleGPUEnergyWh != nil && *r.TotalGPUEnergyWh > 0 {
			share := 100 * *r.IdleGPUEnergyWh / *r.TotalGPUEnergyWh
			c.Lines = append(c.Lines, unit.Percent(&share)+" while no test ran")
		}
		list = append(list, c)
	}
	if r.GPUPowerAvgW != nil {
		c := Card{Label: "GPU power, mean", Value: f.get("gpu_power_avg_w")}
		if r.GPUPowerMaxW != nil {
			c.Lines = []string{"highest " + unit.Watts(r.GPUPowerMaxW)}
		}
		list = append(list, c)
	}
	if r.CO2EmissionsG != nil {
		list = append(list, Card{Label: "CO₂", Value: f.get("co2_emissions_g"), Lines: []string{co2Source(f)}})
	}
	return list
}

// co2Source says in a few words where a run's CO2 comes from.
func co2Source(f figures[enrich.LeaderboardRow]) string {
	for _, by := range []struct{ flag, text string }{
		{enrich.FlagCO2TokenEstimate, "estimate from tokens, not measured"},
		{enrich.FlagCO2FromEnergy, "GPU energy × carbon intensity"},
		{enrich.FlagCO2Corrected, "reported counter, corrected"},
	} {
		if slices.Contains(f.quality.flags, by.flag) {
			return by.text
		}
	}
	return string(f.origins["co2_emissions_g"].Kind)
}

// spendingFacts are the cost of a test by kind, its energy and its mean power.
func spendingFacts(f figures[enrich.ResultRow]) []Fact {
	cost := f.cost("gen_ai.usage.cost.total")
	cost.Stored = f.stored("gen_ai.usage.cost.total")
	list := []Fact{{Name: "Cost", Value: cost}}
	for _, k := range costKinds {
		name := "gen_ai.usage.cost." + k.end
		if column, _ := enrich.Lookup(enrich.ResultColumns, name); enrich.Known(column.Ptr(f.row)) {
			list = append(list, Fact{Name: fmt.Sprintf("· %s", k.name), Value: f.get(name)})
		}
	}
	if ours, ok := f.quality.pricedCost(); ok {
		list = append(list, Fact{Name: "By price list", Value: quantity(enrich.USD, new(&ours))})
	}
	if f.row.CostSource != nil {
		list = append(list, Fact{Name: "Cost source", Value: f.get("cost_source")})
	}
	if f.row.GPUEnergyWh != nil || f.quality.texts["energy"] != "" {
		list = append(list, Fact{Name: "GPU energy", Value: f.get("gpu_energy_wh")}, Fact{Name: "GPU power", Value: f.get("gpu_power_avg_w")})
	}
	return list
}
