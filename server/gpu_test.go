package server

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"smolscope/enrich"
	"smolscope/gpu"
	"smolscope/server/store"
)

// Each level is read where those before it end, and nothing twice.
func TestKept(t *testing.T) {
	s := newServer(t)
	begin := time.Now().Add(-3 * time.Hour).Truncate(time.Hour)
	sim := gpu.NewSim(1, 7, begin)
	h := newHistory(s.Store, "here", DefaultKeep)
	const seconds = 2*3600 + 100
	var lately []gpu.Reading
	for second := range seconds {
		r := sim.At(begin.Add(time.Duration(second) * time.Second))
		if second >= seconds-40 {
			lately = append(lately, r) // of these, half are not stored yet
		}
		if second < seconds-20 {
			if err := h.add(t.Context(), []gpu.Reading{r}, begin); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		window time.Duration
		least  int // readings
		most   int
	}{{time.Minute, 60, 61}, {time.Hour, 3600, 3601}, {6 * time.Hour, seconds / 10, seconds/10 + 1}, {30 * 24 * time.Hour, 3, 3}} {
		var list []gpu.Reading
		to := begin.Add((seconds - 1) * time.Second)
		err := s.Store.Read(t.Context(), func(v *store.Snapshot) (err error) {
			list, err = kept(t.Context(), v, store.ReadingSeries{Source: gpu.Simulated, Host: "here"}, DefaultKeep.levels(), to.Add(-tt.window), to, lately)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(list); n < tt.least || n > tt.most {
			t.Errorf("window of %v: %d readings, want %d to %d", tt.window, n, tt.least, tt.most)
		}
		for i := range list[1:] {
			if !list[i+1].Time.After(list[i].Time) {
				t.Fatalf("window of %v: a reading of %v after one of %v", tt.window, list[i+1].Time, list[i].Time)
			}
		}
		if tt.window == 6*time.Hour {
			u := gpu.Used(list)[0]
			if d := *u.Integral / *u.Counter - 1; d > 0.01 || d < -0.01 {
				t.Errorf("%v J integrated over roll-ups, %v J counted", *u.Integral, *u.Counter)
			}
		}
	}
}

// The page of a machine whose GPUs are not read any more shows what was recorded.
func TestGPUPageOfRecorded(t *testing.T) {
	s := newServer(t)
	if page := get(t, s, "/gpu").Body.String(); !strings.Contains(page, "GPU readings are switched off. Start smolscope with --gpu sim") {
		t.Errorf("without readings: %.3000s", page)
	}
	if w := do(s, "GET", "/gpu/readings.otlp.json", nil); w.Code != http.StatusNotFound {
		t.Errorf("readings of none: status %d, want 404", w.Code)
	}
	m := newMonitor(GPUConfig{Source: &scripted{}}, s.Store, slog.New(slog.DiscardHandler), func() {})
	begin := time.Now().Add(-2 * time.Hour).Truncate(time.Second).UTC()
	sim := gpu.NewSim(1, 7, begin)
	for second := range 100 {
		m.take(sim.At(begin.Add(time.Duration(second)*time.Second)), nil)
	}
	if err := m.flush(t.Context(), newHistory(s.Store, m.host, DefaultKeep)); err != nil {
		t.Fatal(err)
	}
	page := get(t, s, "/gpu").Body.String()
	for _, want := range []string{"simulated", "on " + m.host, "GPU readings are switched off. What was recorded before is shown.", begin.Format("2 Jan 2006, 15:04:05 UTC"), "its energy counter"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var doc struct{ ResourceMetrics []json.RawMessage }
	if err := json.Unmarshal(get(t, s, "/gpu/readings.otlp.json?window=1m").Body.Bytes(), &doc); err != nil || len(doc.ResourceMetrics) != 1 {
		t.Errorf("%d resources, error %v", len(doc.ResourceMetrics), err)
	}
}

// A run that has no readings takes those of this machine: tests and idle time add
// up to the run, and the run to what the simulation says.
func TestTakeReadings(t *testing.T) {
	s := newServer(t)
	begin := time.Now().Add(-30 * time.Minute).Truncate(time.Second)
	sim := gpu.NewSim(2, 11, begin)
	var list []gpu.Reading
	for second := range 600 {
		list = append(list, sim.At(begin.Add(time.Duration(second)*time.Second)))
	}
	if err := newHistory(s.Store, s.monitor.host, DefaultKeep).add(t.Context(), list, time.Now()); err != nil {
		t.Fatal(err)
	}
	// Tests from second 20 to 120, 110 to 200 (two at a time), 300 to 400.5.
	traces := func(run string) string {
		var spans []string
		for i, w := range [][2]float64{{20, 120}, {110, 200}, {300, 400.5}} {
			at := func(second float64) int64 { return begin.Add(time.Duration(second * 1e9)).UnixNano() }
			spans = append(spans, fmt.Sprintf(`{"trace_id":"0x%x","run_id":%q,"spans":[{"trace_id":"0x%x","span_id":"0x1","parent_span_id":null,"name":"test","start_time":%d,"end_time":%d,
				"attributes":{"test.id":"t%d","openinference.span.kind":"TEST"},"events":[],"status":{"code":"OK"},"kind":"INTERNAL"}]}`, i+1, run, i+1, at(w[0]), at(w[1]), i))
		}
		return "[" + strings.Join(spans, ",") + "]"
	}
	if _, status := post(t, s, file{"traces.json", traces("with power")}); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	const run = "/runs/with%20power"
	if page := get(t, s, run+"?tab=gpu").Body.String(); !strings.Contains(page, `action="`+run+`/gpu"`) || !strings.Contains(page, "382 simulated readings") {
		t.Errorf("the readings are not offered: %s", page[strings.Index(page, "<main"):])
	}
	if w := do(s, "POST", run+"/gpu", nil, "Accept", "application/json"); w.Code != http.StatusOK {
		t.Fatalf("take the readings: status %d\n%s", w.Code, w.Body)
	}
	var row enrich.LeaderboardRow
	var results []enrich.ResultRow
	err := s.Store.Read(t.Context(), func(v *store.Snapshot) (err error) {
		if row, err = v.Run(t.Context(), "with power"); err == nil {
			results, err = v.Results(t.Context(), "with power")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, r := range results {
		if r.GPUEnergyWh == nil {
			t.Fatalf("test %s has no energy", r.TestID)
		}
		sum += *r.GPUEnergyWh
	}
	total, want := *row.TotalGPUEnergyWh, 0.0
	// The readings from second 20 to 401 are taken.
	first, last := list[20], list[401]
	for k := range first.GPUs {
		want += (*last.GPUs[k].EnergyJoules - *first.GPUs[k].EnergyJoules) / 3600
	}
	if math.Abs(total-want) > 1e-6*want {
		t.Errorf("the run used %v Wh, the simulation says %v", total, want)
	}
	if got := sum + *row.IdleGPUEnergyWh; math.Abs(got-total) > 0.01*total {
		t.Errorf("tests %v Wh and idle %v Wh, the run %v Wh", sum, *row.IdleGPUEnergyWh, total)
	}
	page := get(t, s, run+"?tab=gpu").Body.String()
	for _, part := range []string{"3 tests of 3", "While no test ran", "energy counter of 2 GPUs", "chart-gpu-power"} {
		if !strings.Contains(page, part) {
			t.Errorf("the tab lacks %q", part)
		}
	}
	if w := do(s, "POST", run+"/gpu", nil); w.Code != http.StatusConflict {
		t.Errorf("readings are taken again: status %d", w.Code)
	}
	if w := do(s, "POST", "/runs/none/gpu", nil); w.Code != http.StatusNotFound {
		t.Errorf("for no run: status %d", w.Code)
	}
	// A run whose tests ran when nothing was read has nothing to take.
	later := strings.ReplaceAll(traces("later"), fmt.Sprint(begin.Unix()/1e6), fmt.Sprint(begin.Unix()/1e6+1))
	if _, status := post(t, s, file{"traces.json", later}); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if w := do(s, "POST", "/runs/later/gpu", nil); w.Code != http.StatusConflict {
		t.Errorf("for a run of another time: status %d", w.Code)
	}
}

func TestMetrics(t *testing.T) {
	s := newServer(t)
	body := get(t, s, "/metrics").Body.String()
	for _, line := range []string{"smolscope_runs 0\n", `smolscope_gpu_available{source=""} 0` + "\n", "smolscope_streams 0\n", "go_goroutines "} {
		if !strings.Contains(body, line) {
			t.Errorf("there is no line %q", line)
		}
	}
	r := watts(1_800_000_000, 50.5)
	r.GPUs[0].EnergyJoules = new(1234.5)
	s.monitor.take(r, nil)
	body = get(t, s, "/metrics").Body.String()
	for _, line := range []string{
		`smolscope_gpu_available{source="sim"} 1` + "\n",
		"# TYPE smolscope_gpu_energy_joules_total counter\n",
		`smolscope_gpu_power_watts{gpu_id="0",gpu_name="simulated",gpu_uuid=""} 50.5 1800000000000` + "\n",
		`smolscope_gpu_energy_joules_total{gpu_id="0",gpu_name="simulated",gpu_uuid=""} 1234.5 1800000000000` + "\n",
	} {
		if !strings.Contains(body, line) {
			t.Errorf("there is no line %q in\n%s", line, body[strings.Index(body, "smolscope_gpu"):])
		}
	}
	if strings.Contains(body, "smolscope_gpu_temperature") {
		t.Error("what the GPU does not say is there")
	}
}
