package server

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

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
			if d := *u.Integral/ *u.Counter - 1; d > 0.01 || d < -0.01 {
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
