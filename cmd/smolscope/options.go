package main

import (
	"fmt"
	"math"
	"os"

	"smolscope/enrich"
	"smolscope/enrich/price"
)

// enrichFlags are the settings that runs are enriched with, the same for every
// command that does so.
type enrichFlags struct {
	Prices               string  `placeholder:"FILE" help:"Prices of your own, which come before the built-in ones: a JSON array, USD per million tokens."`
	ElectricityUSDPerKWh float64 `name:"electricity-usd-per-kwh" default:"0.12" help:"What a kWh of electricity costs, in USD."`
	CarbonGPerKWh        float64 `name:"carbon-g-per-kwh" default:"475" help:"How much CO2 a kWh of electricity causes, in grams."`
}

// validate is for the Validate of each command, which hides one of ours from kong.
func (f *enrichFlags) validate() error {
	if err := atLeastZero("electricity-usd-per-kwh", f.ElectricityUSDPerKWh); err != nil {
		return err
	}
	return atLeastZero("carbon-g-per-kwh", f.CarbonGPerKWh)
}

func atLeastZero(flag string, value float64) error {
	if math.IsNaN(value) || math.IsInf(value, 0) || value < 0 {
		return fmt.Errorf("--%s %v: want a number, 0 or more", flag, value)
	}
	return nil
}

// options reads the price file, if there is one.
func (f *enrichFlags) options() (enrich.Options, error) {
	o := enrich.Options{Prices: price.Builtin(), ElectricityUSDPerKWh: f.ElectricityUSDPerKWh, CarbonGPerKWh: f.CarbonGPerKWh}
	if f.Prices == "" {
		return o, nil
	}
	file, err := os.Open(f.Prices)
	if err != nil {
		return enrich.Options{}, fmt.Errorf("--prices: %w", err)
	}
	defer file.Close()
	rows, err := price.ReadFile(file)
	if err != nil {
		return enrich.Options{}, fmt.Errorf("--prices %s: %w", f.Prices, err)
	}
	o.Prices = o.Prices.With(rows)
	return o, nil
}
