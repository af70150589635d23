package enrich_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
)

func about(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 1e-9*max(1, want) {
		t.Errorf("%s = %s, want %v", what, enrich.AppendJSON(nil, &got), want)
	}
}

// A generated run on two GPUs: what its tests used, what those too short used,
// and what is idle make up the whole, and the LLM calls stay within it.
func TestEnergyOfGeneratedRun(t *testing.T) {
	run := enrichtest.New(enrichtest.Plan{Seed: 4, Model: &enrichtest.Models[3], GPUs: 2})
	var parts []*enrich.Part
	for name, body := range run.Files {
		part, _ := decode.Read(name, bytes.NewReader(body))
		parts = append(parts, part)
	}
	tables := enrichOne(t, parts)
	r := &tables.Leaderboard
	if r.TotalGPUEnergyWh == nil || r.IdleGPUEnergyWh == nil {
		t.Fatal("no energy")
	}
	sum, known := *r.IdleGPUEnergyWh, 0
	for i := range tables.Results {
		if wh := tables.Results[i].GPUEnergyWh; wh != nil {
			sum += *wh
			known++
		}
	}
	if known < len(tables.Results)/2 {
		t.Errorf("energy of %d of %d tests is known, want most", known, len(tables.Results))
	}
	if known == len(tables.Results) {
		about(t, "tests and idle", &sum, *r.TotalGPUEnergyWh)
	} else if sum > *r.TotalGPUEnergyWh*(1+1e-9) {
		t.Errorf("tests and idle make up %v Wh of %v", sum, *r.TotalGPUEnergyWh)
	}
	calls := 0.0
	for i := range tables.Spans {
		if wh := tables.Spans[i].GPUEnergyWh; wh != nil {
			calls += *wh
		}
	}
	if calls <= 0 || calls > sum {
		t.Errorf("LLM calls used %v Wh, want some, and no more than %v", calls, sum)
	}
	about(t, "electricity_cost_usd", r.ElectricityCostUSD, *r.TotalGPUEnergyWh/1000*0.12)
	about(t, "co2_emissions_g", r.CO2EmissionsG, *r.TotalGPUEnergyWh/1000*475)
	about(t, "gpu_memory_total_mib", r.GPUMemoryTotalMiB, 2*23034)
	cost, gpus := 0.0, 0
	for _, m := range tables.Metrics {
		if m.MetricName == "gen_ai.power.cost" && m.Source == "derived" {
			cost += *m.Value
			gpus++
		}
	}
	if gpus != 2 {
		t.Errorf("gen_ai.power.cost has %d derived points, want one per GPU", gpus)
	}
	about(t, "gen_ai.power.cost", &cost, *r.ElectricityCostUSD)
}

// flattened reads rows of flattened metrics ten seconds apart, given by their other columns.
func flattened(rows ...string) []*enrich.Part {
	var file strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&file, `{"run_id":"r","timestamp_unix_nano":"%d","gpu_id":"0","gpu_name":"NVIDIA A100","gpu_utilization_percent":50,%s}`+"\n", int64(1772442000+10*i)*1e9, row)
	}
	part, _ := decode.Read("m.jsonl", strings.NewReader(file.String()))
	return []*enrich.Part{part}
}

// exported reads a metrics file of one batch.
func exported(points string) []*enrich.Part {
	part, _ := decode.Read("metrics.json", strings.NewReader(`{"run_id":"r","aggregates":[],"resourceMetrics":[{"scopeMetrics":[{"metrics":[`+points+`]}]}]}`))
	return []*enrich.Part{part}
}

// counter writes a metric with one series, a point every ten seconds.
func counter(name string, attribute string, values ...float64) string {
	var points []string
	key, value, _ := strings.Cut(attribute, "=")
	for i, v := range values {
		points = append(points, fmt.Sprintf(`{"timeUnixNano":"%d","asDouble":%v,"attributes":[{"key":%q,"value":{"stringValue":%q}}]}`, int64(1772442000+10*i)*1e9, v, key, value))
	}
	kind := "sum"
	if name == "gen_ai.gpu.power" {
		kind = "gauge"
	}
	return fmt.Sprintf(`{"name":%q,%q:{"dataPoints":[%s]}}`, name, kind, strings.Join(points, ","))
}

// Power of 360 W for 10 s is 1 Wh.
func TestEnergySources(t *testing.T) {
	type want struct {
		wh, co2, cost float64 // below zero for null
		flags         string
	}
	power := counter("gen_ai.gpu.power", "gpu_id=0", 360, 360)
	leaderboard, _ := decode.Read("leaderboard_row.json", strings.NewReader(`{"run_id":"r","model":"m","success_rate":0,"num_tests":0,"hardware":"4x NVIDIA A100","co2_emissions_g":0}`))
	for _, tt := range []struct {
		name  string
		parts []*enrich.Part
		want  want
	}{
		{"power", exported(power), want{1, 0.475, -1, "co2_from_energy"}},
		{"one sample of power", exported(counter("gen_ai.gpu.power", "gpu_id=0", 360)), want{-1, -1, -1, ""}},
		{"CodeCarbon agrees", exported(power + "," + counter("gen_ai.energy.consumed", "component=gpu", 0.0005, 0.0011)), want{1.1, 1.1 * 0.475, -1, "co2_from_energy"}},
		{"CodeCarbon disagrees", exported(power + "," + counter("gen_ai.energy.consumed", "component=gpu", 0.002)), want{2, 0.95, -1, "co2_from_energy energy_disagreement"}},
		// From its first reading on, whatever it counted before: 3672 J are 1.02 Wh.
		{"the GPU's counter agrees", exported(power + "," + counter("hw.energy", "hw.type=gpu", 5000, 8672)), want{1.02, 1.02 * 0.475, -1, "co2_from_energy"}},
		{"the GPU's counter began anew", exported(power + "," + counter("hw.energy", "hw.type=gpu", 5000, 5072, 3600)), want{1.02, 1.02 * 0.475, -1, "co2_from_energy"}},
		// 3960 J are 1.1 Wh, of which 1 Wh is 9 % short.
		{"the GPU's counter disagrees", exported(power + "," + counter("hw.energy", "hw.type=gpu", 0, 3960)), want{1.1, 1.1 * 0.475, -1, "co2_from_energy energy_disagreement"}},
		{"a counter for one GPU of two", exported(power + "," + counter("gen_ai.gpu.power", "gpu_id=1", 360, 360) + "," + counter("hw.energy", "hw.type=gpu", 0, 3672)), want{2, 0.95, -1, "co2_from_energy"}},
		{"a counter for half of the time", exported(counter("gen_ai.gpu.power", "gpu_id=0", 360, 360, 360) + "," + counter("hw.energy", "hw.type=gpu", 0, 3672)), want{2, 0.95, -1, "co2_from_energy"}},
		{"a disk's counter", exported(power + "," + counter("hw.energy", "hw.type=physical_disk", 0, 3672)), want{1, 0.475, -1, "co2_from_energy"}},
		{"energy of the CPU", exported(counter("gen_ai.energy.consumed", "component=cpu", 0.002)), want{-1, -1, -1, ""}},
		{"CodeCarbon beats manual", exported(counter("gen_ai.co2.emissions", "source=codecarbon", 0.5) + "," + counter("gen_ai.co2.emissions", "gpu_id=0", 3.6)), want{-1, 0.5, -1, ""}},
		{"manual is corrected", exported(counter("gen_ai.co2.emissions", "gpu_id=0", 3.6) + "," + counter("gen_ai.co2.emissions", "gpu_id=1", 7.2)), want{-1, 3, -1, "co2_corrected"}},
		{"cost as reported", exported(counter("gen_ai.power.cost", "gpu_id=0", 0.5, 0.75, 0.25)), want{-1, -1, 1, "power_cost_3_6x"}},
		{"flattened", flattened(`"gpu_power_watts":360`, `"gpu_power_watts":360`), want{1, 0.475, -1, "co2_from_energy"}},
		// The 0 between them is no restart: SMOLTRACE writes it where there is no reading.
		{"flattened CO2", flattened(`"co2_emissions_gco2e":1.8`, `"co2_emissions_gco2e":0`, `"co2_emissions_gco2e":3.6`), want{-1, 1, -1, "co2_corrected"}},
		{"flattened beside exported", append(flattened(`"gpu_power_watts":360`, `"gpu_power_watts":360`), exported(power)...), want{1, 0.475, -1, "co2_from_energy"}},
		{"one GPU of four", append(flattened(`"gpu_power_watts":360`, `"gpu_power_watts":360`), leaderboard), want{1, 0.475, -1, "co2_from_energy multi_gpu_lost_in_flattening"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tables := enrichOne(t, tt.parts)
			r := &tables.Leaderboard
			for _, c := range []struct {
				name string
				got  *float64
				want float64
			}{{"total_gpu_energy_wh", r.TotalGPUEnergyWh, tt.want.wh}, {"co2_emissions_g", r.CO2EmissionsG, tt.want.co2}, {"power_cost_total_usd", r.PowerCostTotalUSD, tt.want.cost}} {
				if c.want >= 0 {
					about(t, c.name, c.got, c.want)
				} else if c.got != nil {
					t.Errorf("%s = %v, want null", c.name, *c.got)
				}
			}
			for _, flag := range []string{"co2_from_energy", "co2_corrected", "co2_token_estimate", "energy_disagreement", "power_cost_3_6x", "multi_gpu_lost_in_flattening"} {
				if raised, want := len(tables.Quality.Flags[flag]) > 0, strings.Contains(tt.want.flags, flag); raised != want {
					t.Errorf("flag %s raised: %v, want %v", flag, raised, want)
				}
			}
		})
	}
}

// What a reader is told of energy is as true as the figure: a gap is left out by
// its length beside the others, not at a fixed one.
func TestEnergyReasons(t *testing.T) {
	counted := exported(counter("gen_ai.co2.emissions", "source=codecarbon", 0.5) + "," + strings.Replace(counter("gen_ai.co2.emissions", "source=codecarbon", 0.25), `"attributes":[`, `"attributes":[{"key":"country","value":{"stringValue":"FR"}},`, 1))
	var points []string // 10 s apart, and then once 300 s
	for _, at := range []int64{0, 10, 20, 320, 330} {
		points = append(points, fmt.Sprintf(`{"timeUnixNano":"%d","asDouble":360,"attributes":[{"key":"gpu_id","value":{"stringValue":"0"}}]}`, (1772442000+at)*1e9))
	}
	gap := exported(`{"name":"gen_ai.gpu.power","gauge":{"dataPoints":[` + strings.Join(points, ",") + `]}}`)
	if got, want := enrichOne(t, gap).Provenance.Row(enrich.Leaderboard, "run")["total_gpu_energy_wh"].From, "trapezoid over 5 power samples of 1 GPU; 1 gap between samples left out"; got != want {
		t.Errorf("energy with a gap is from %q, want %q", got, want)
	}
	for column, tt := range map[string]struct {
		parts []*enrich.Part
		want  string
	}{
		"co2_emissions_g":     {counted, "CO2 counter of CodeCarbon, sum over 2 counters"},
		"total_gpu_energy_wh": {exported(counter("gen_ai.gpu.power", "gpu_id=0", 360, 360)), "trapezoid over 2 power samples of 1 GPU"},
	} {
		tables := enrichOne(t, tt.parts)
		if got := tables.Provenance.Row(enrich.Leaderboard, "run")[column].From; got != tt.want {
			t.Errorf("%s is from %q, want %q", column, got, tt.want)
		}
	}
}
