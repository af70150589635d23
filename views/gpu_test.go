package views

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"smolscope/views/chart"
)

func TestGPUPage(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	reading := func(second int, first, second2 float64) GPUReading {
		return GPUReading{at.Add(time.Duration(second) * time.Second), []GPU{
			{ID: "0", Name: "<b>", Numbers: map[string]float64{gpuPower: first, gpuPowerLimit: 400, gpuTemperature: 91, gpuMemoryUsed: 512}, Throttle: []string{"gpu_idle", "sw_power_cap"}},
			{ID: "1", Name: "b", Numbers: map[string]float64{gpuPower: second2, gpuUtilization: 50}, Processes: []GPUProcess{}},
		}}
	}
	readings := []GPUReading{reading(0, 100, 10), reading(1, 200, 20), reading(2, 300, 60)}
	d := GPUData{
		Source: "sim", Host: "here", Age: 400 * time.Millisecond, From: at.Add(-time.Minute), To: at.Add(2 * time.Second),
		Latest: readings[2].GPUs, Lately: readings, Readings: readings, Tariff: 0.25,
		Used: []GPUUsage{{ID: "0", Name: "<b>", Counter: new(7200.0), Integral: new(3600.0), Known: 10 * time.Second}, {ID: "1", Name: "b", Integral: new(360.0), Known: 10 * time.Second}, {ID: "2", Name: "c"}},
		Runs: []GPURun{{ID: "a/b", Model: "m", From: at.Add(-time.Hour), To: at.Add(time.Second), Tests: 2}},
	}
	q, err := ParseGPUQuery(url.Values{})
	if err != nil || q.Length() != 15*time.Minute {
		t.Fatalf("the window is %v by default, error %v", q.Length(), err)
	}
	p := NewGPUPage(d, q)
	if p.Source != "simulated" || p.Age != "400" || len(p.Cards) != 2 || p.Views == nil {
		t.Errorf("source %q, age %q, %d cards, views %v", p.Source, p.Age, len(p.Cards), p.Views)
	}
	c := p.Cards[0]
	if c.Power != "300 W of 400 W" || c.PowerBar != "75.0" || c.Heat != "hot" || c.Throttle != "power limit" || c.Utilization != "—" || c.UtilizationBar != "" {
		t.Errorf("card %+v", c)
	}
	// 0.0, 50.0 and 100.0 across; 300 W of 400 W are 22×0.75 up from 23.
	if c.Spark != "0.0,17.5 50.0,12.0 100.0,6.5" || c.NoProcesses != "The device does not tell which programs use it." || p.Cards[1].NoProcesses != "No program uses it." {
		t.Errorf("spark %q, processes %q and %q", c.Spark, c.NoProcesses, p.Cards[1].NoProcesses)
	}
	// 100+10, 200+20 and 300+60 W: mean 230 W.
	if rows := p.Charts[0].Rows; len(rows) != 1 || strings.Join(rows[0], "|") != "All GPUs|110 W|230 W|360 W" {
		t.Errorf("power of all: %q", rows)
	}
	q.Each = true
	if rows := NewGPUPage(d, q).Charts[0].Rows; len(rows) != 2 || strings.Join(rows[1], "|") != "GPU 1|10.0 W|30.0 W|60.0 W" {
		t.Errorf("power of each: %q", rows)
	}
	// 7200 J are 2 Wh, at 0.25 USD/kWh $0.0005; 2 Wh and 0.1 Wh are 2.1 Wh.
	want := []GPUUsageLine{
		{Name: "GPU 0, <b>", Energy: "2.00 Wh", Cost: "$0.0005", Mean: "360 W", How: "its energy counter; power over time says 1.00 Wh"},
		{Name: "GPU 1, b", Energy: "360 J", Cost: "$0.000025", Mean: "36.0 W", How: "power over time"},
		{Name: "GPU 2, c", Energy: "—", Cost: "—", Mean: "—", How: "its power is not known"},
		{Name: "All", Energy: "2.10 Wh", Cost: "$0.0005", How: "2 GPUs", Total: true},
	}
	for i, w := range want {
		if p.Used[i] != w {
			t.Errorf("used: %+v, want %+v", p.Used[i], w)
		}
	}
	html := render(t, GPUs(p))
	for _, part := range []string{"&lt;b&gt;", `href="/runs/a%2Fb"`, "1 h", `"useUTC":true`, `"xAxis":1799999940000`} {
		if !strings.Contains(html, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	// The tests of the window are shaded where they are few.
	d.Runs[0].Marks = []chart.Mark{{Name: "before", From: at.Add(-time.Hour), To: at.Add(-30 * time.Minute)}, {Name: "t1", From: at, To: at.Add(time.Second)}}
	if options := string(NewGPUPage(d, q).Charts[0].Options); !strings.Contains(options, `"name":"t1","xAxis":1800000000000`) || strings.Contains(options, "before") {
		t.Errorf("marks: %s", options)
	}
	none := render(t, GPUs(NewGPUPage(GPUData{Reason: "There is no NVIDIA driver"}, q)))
	if !strings.Contains(none, "There is no NVIDIA driver. Start smolscope with --gpu sim") || strings.Contains(none, "data-chart") {
		t.Error("the page of a machine without GPUs does not say why, or draws something")
	}
	if _, err := ParseGPUQuery(url.Values{"window": {"2h"}}); err == nil {
		t.Error("window=2h is taken")
	}
}
