package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smolscope/enrich"
)

// TestEnrichFlags serves with settings that make no sense.
func TestEnrichFlags(t *testing.T) {
	dir := t.TempDir()
	prices := filepath.Join(dir, "prices.json")
	if err := os.WriteFile(prices, []byte(`[{"key":"x","input":-1}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args   []string
		env    string
		status int
		says   string
	}{
		"negative tariff":     {[]string{"--electricity-usd-per-kwh=-0.1"}, "", wrongUsage, "--electricity-usd-per-kwh -0.1"},
		"endless tariff":      {[]string{"--electricity-usd-per-kwh=Inf"}, "", wrongUsage, "--electricity-usd-per-kwh +Inf"},
		"carbon is no number": {[]string{"--carbon-g-per-kwh=NaN"}, "", wrongUsage, "--carbon-g-per-kwh NaN"},
		"carbon is a word":    {[]string{"--carbon-g-per-kwh=much"}, "", wrongUsage, "--carbon-g-per-kwh"},
		"environment":         {nil, "-1", wrongUsage, "--carbon-g-per-kwh -1"},
		"no price file":       {[]string{"--prices", filepath.Join(dir, "none.json")}, "", no, "--prices: open"},
		"bad price file":      {[]string{"--prices", prices}, "", no, "--prices " + prices},
	} {
		t.Run(name, func(t *testing.T) {
			bareEnvironment(t)
			if tt.env != "" {
				t.Setenv("SMOLSCOPE_CARBON_G_PER_KWH", tt.env)
			}
			var stderr bytes.Buffer
			args := append([]string{"serve", "--addr", "127.0.0.1:0", "--db", filepath.Join(dir, "x.db")}, tt.args...)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // of a case that is served
			defer cancel()
			if exit := run(ctx, args, nil, io.Discard, &stderr); exit != tt.status || !strings.Contains(stderr.String(), tt.says) {
				t.Errorf("exit status %d, %q; want %d and %q", exit, &stderr, tt.status, tt.says)
			}
		})
	}
}

func TestEnrichOptions(t *testing.T) {
	defaults := enrich.DefaultOptions()
	f := enrichFlags{ElectricityUSDPerKWh: 0.12, CarbonGPerKWh: 475}
	got, err := f.options()
	if err != nil || got.Prices.Hash() != defaults.Prices.Hash() || got.ElectricityUSDPerKWh != defaults.ElectricityUSDPerKWh || got.CarbonGPerKWh != defaults.CarbonGPerKWh {
		t.Errorf("options of the flags' defaults = %+v, %v, want %+v", got, err, defaults)
	}
	f.Prices = filepath.Join(t.TempDir(), "prices.json")
	if err := os.WriteFile(f.Prices, []byte(`[{"key":"my-model","input":1,"output":2}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := f.options(); err != nil || got.Prices.Hash() == defaults.Prices.Hash() {
		t.Errorf("options with a price file: the same prices, %v", err)
	}
}
