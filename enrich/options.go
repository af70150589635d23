package enrich

import "smolscope/enrich/price"

// Options are what a run's numbers depend on besides its files.
type Options struct {
	Prices               *price.List // what models cost; nil for no prices
	ElectricityUSDPerKWh float64     // tariff that GPU energy is paid at
	CarbonGPerKWh        float64     // CO2 that a kWh of electricity causes
}

// DefaultOptions returns the settings of a program that was told nothing:
// genai_otel's own tariff and carbon intensity (spec §3.9).
func DefaultOptions() Options {
	return Options{Prices: price.Builtin(), ElectricityUSDPerKWh: 0.12, CarbonGPerKWh: 475}
}
