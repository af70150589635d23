package views

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"smolscope/enrich"
	"smolscope/enrich/unit"
	"smolscope/views/chart"
)

// GPUMetrics are the metrics that the GPU tab of a run draws, by the numbers that
// they are of.
var GPUMetrics = map[string]string{
	"gen_ai.gpu.power":       gpuPower,
	"gen_ai.gpu.utilization": gpuUtilization,
	"gen_ai.gpu.memory.used": gpuMemoryUsed,
	"gen_ai.gpu.temperature": gpuTemperature,
}

// A RunGPU is what the GPUs did while a run's tests ran.
type RunGPU struct {
	Charts []chart.Chart
	Energy []GPUEnergyLine
	Note   string // what the energy is from
	Take   string // address that takes the readings of this machine, "" where there are none
	Host   string
	Advice string // where there are no readings
}

// A GPUEnergyLine says what a part of the energy went to.
type GPUEnergyLine struct {
	Name, Energy, Share, Cost, CO2 string
	Total                          bool
}

// A GPUOffer says that a machine's own readings cover a run that has none.
type GPUOffer struct {
	Host      string
	Readings  int
	Simulated bool
}

// marksPerChart is how many tests are shaded; a chart of more is all shade.
const marksPerChart = 100

func newRunGPU(d RunData) (g RunGPU) {
	readings := gpuReadingsOf(d.GPU)
	if len(readings) == 0 {
		g.Advice = "No file of this run holds readings of GPUs. genai_otel measures them while an evaluation runs, and so does smolscope record -- COMMAND."
		if d.Offer != nil {
			g.Take, g.Host = RunURL(d.Row.RunID)+"/gpu", visible(d.Offer.Host)
			kind := "reading"
			if d.Offer.Simulated {
				kind = "simulated reading"
			}
			g.Advice = "No file of this run holds readings of GPUs, but those of this machine were read while its tests ran: " + plural(d.Offer.Readings, kind) + " on " + g.Host + "."
		}
		return g
	}
	var marks []chart.Mark
	for i := range d.Results {
		r := &d.Results[i]
		if r.StartTime != 0 && r.EndTime != 0 {
			marks = append(marks, chart.Mark{Name: visible(r.TestID), From: time.Unix(0, int64(r.StartTime)), To: time.Unix(0, int64(r.EndTime))})
		}
	}
	if len(marks) > named {
		for i := range marks {
			marks[i].Name = ""
		}
	}
	if len(marks) > marksPerChart {
		marks = nil
	}
	data := GPUData{Readings: readings, From: readings[0].At, To: readings[len(readings)-1].At}
	g.Charts = gpuCharts(data, gpuNames(readings), true, marks)
	g.Energy, g.Note = gpuEnergyLines(d)
	return g
}

// gpuReadingsOf gathers points of the metrics of a run. What several GPUs said
// within half a second is one reading.
func gpuReadingsOf(rows []enrich.MetricRow) (list []GPUReading) {
	const together = int64(time.Second / 2)
	byTime := map[int64]*GPUReading{}
	for i := range rows {
		m := &rows[i]
		field := GPUMetrics[m.MetricName]
		if field == "" || m.Value == nil || m.TimeUnixNano == 0 {
			continue
		}
		var attributes struct {
			GPU any `json:"gpu_id"`
		}
		_ = json.Unmarshal([]byte(m.Attributes), &attributes) // ours, and an object
		id := "0"
		if attributes.GPU != nil {
			id = fmt.Sprint(attributes.GPU) // a text, or a number as some write it
		}
		r := byTime[int64(m.TimeUnixNano)/together]
		if r == nil {
			r = &GPUReading{At: time.Unix(0, int64(m.TimeUnixNano))}
			byTime[int64(m.TimeUnixNano)/together] = r
		}
		k := slices.IndexFunc(r.GPUs, func(g GPU) bool { return g.ID == id })
		if k < 0 {
			k = len(r.GPUs)
			r.GPUs = append(r.GPUs, GPU{ID: id, Numbers: map[string]float64{}})
		}
		r.GPUs[k].Numbers[field] = *m.Value
	}
	for _, key := range slices.Sorted(maps.Keys(byTime)) {
		r := byTime[key]
		slices.SortFunc(r.GPUs, func(a, b GPU) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
		list = append(list, *r)
	}
	return list
}

// gpuEnergyLines says what the run's energy went to: what the tests got, what GPUs
// used while none ran, and what cannot be given to one.
func gpuEnergyLines(d RunData) (list []GPUEnergyLine, note string) {
	r := &d.Row
	if r.TotalGPUEnergyWh == nil {
		return nil, "The energy is not known: power was read fewer than two times."
	}
	total := *r.TotalGPUEnergyWh
	line := func(name string, wattHours float64) GPUEnergyLine {
		l := GPUEnergyLine{Name: name, Energy: unit.Energy(&wattHours), Share: unit.Absent, Cost: unit.Absent, CO2: unit.Absent}
		if total > 0 {
			part := wattHours / total
			l.Share = unit.Percent(new(100 * part))
			if r.ElectricityCostUSD != nil {
				l.Cost = unit.USD(new(*r.ElectricityCostUSD * part))
			}
			if r.CO2EmissionsG != nil {
				l.CO2 = unit.Grams(new(*r.CO2EmissionsG * part))
			}
		}
		return l
	}
	sum, n := 0.0, 0
	for i := range d.Results {
		if wh := d.Results[i].GPUEnergyWh; wh != nil {
			sum, n = sum+*wh, n+1
		}
	}
	list = append(list, line(plural(n, "test")+" of "+count(len(d.Results)), sum))
	rest := total - sum
	if r.IdleGPUEnergyWh != nil {
		list = append(list, line("While no test ran", *r.IdleGPUEnergyWh))
		rest -= *r.IdleGPUEnergyWh
	}
	if rest > 0.001*total {
		list = append(list, line("Not given to a test", rest))
	}
	whole := line("The run", total)
	whole.Total = true
	list = append(list, whole)
	if o, ok := d.origins(enrich.Leaderboard, "run")["total_gpu_energy_wh"]; ok {
		note = visible(o.From)
	}
	return list, note
}
