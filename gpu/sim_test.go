package gpu_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smolscope/gpu"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// TestSimIntegral integrates power by trapezoids and compares with the counter. On
// whole seconds both must agree; on other grids nearly, over more than two cycles.
func TestSimIntegral(t *testing.T) {
	for _, tt := range []struct {
		every     time.Duration
		tolerance float64 // of the counter
	}{
		{time.Second, 1e-12},
		{500 * time.Millisecond, 1e-12},
		{370 * time.Millisecond, 2e-3},
		{10 * time.Second, 5e-2},
	} {
		sim := gpu.NewSim(4, 42, noon)
		sum := make([]float64, 4)
		last := sim.At(noon)
		for at := noon.Add(tt.every); at.Before(noon.Add(11 * time.Minute)); at = at.Add(tt.every) {
			r := sim.At(at)
			for i := range sum {
				sum[i] += (*last.GPUs[i].PowerWatts + *r.GPUs[i].PowerWatts) / 2 * tt.every.Seconds()
				if *r.GPUs[i].EnergyJoules <= *last.GPUs[i].EnergyJoules {
					t.Fatalf("the counter of GPU %d does not grow at %v", i, at)
				}
			}
			last = r
		}
		for i, joules := range sum {
			counter := *last.GPUs[i].EnergyJoules
			if math.Abs(joules-counter) > tt.tolerance*counter {
				t.Errorf("every %v: GPU %d used %v J by trapezoids, %v J by its counter", tt.every, i, joules, counter)
			}
		}
	}
}

func TestSimIsDeterministic(t *testing.T) {
	a, b, c := gpu.NewSim(2, 1, noon), gpu.NewSim(2, 1, noon), gpu.NewSim(2, 2, noon)
	at := noon.Add(100 * time.Second)
	if diff := cmp.Diff(a.At(at), b.At(at)); diff != "" {
		t.Errorf("same seed, same time (-a +b):\n%s", diff)
	}
	if cmp.Equal(a.At(at), c.At(at)) {
		t.Error("another seed gives the same reading")
	}
	if got := *a.At(noon.Add(-time.Hour)).GPUs[0].EnergyJoules; got != 0 {
		t.Errorf("%v J before the start, want 0", got)
	}
}

// TestSimIsPlausible proves that readings stay within what the devices can do, that
// there is load and rest, and that what a model lacks is absent.
func TestSimIsPlausible(t *testing.T) {
	for seed := range uint64(20) {
		sim := gpu.NewSim(2, seed, noon)
		idle, busy := 0, 0
		for second := range 600 {
			for i, g := range sim.At(noon.Add(time.Duration(second) * time.Second)).GPUs {
				if *g.PowerWatts > *g.PowerLimitWatts || *g.PowerWatts < 19 || *g.MemoryUsedMiB > *g.MemoryTotalMiB ||
					*g.Utilization > 100 || *g.Temperature < 30 || *g.Temperature > 80 {
					t.Fatalf("seed %d, second %d: not plausible: %v W, %v MiB, %v %%, %v °C", seed, second, *g.PowerWatts, *g.MemoryUsedMiB, *g.Utilization, *g.Temperature)
				}
				if (g.FanSpeed == nil) != (i == 0) || (g.ECCCorrected == nil) != (i == 1) || g.MIG != nil || g.LastXID != nil {
					t.Fatalf("seed %d: GPU %d has what its model lacks, or lacks what it has", seed, i)
				}
				if !strings.HasPrefix(g.Name, "simulated ") {
					t.Fatalf("the name %q does not say that it is simulated", g.Name)
				}
				if *g.Utilization == 0 {
					idle++
				} else {
					busy++
				}
				if (*g.Utilization == 0) != slices.Contains(g.ThrottleReasons, "gpu_idle") || (*g.Utilization == 0) != (len(g.Processes) == 0) {
					t.Fatalf("seed %d, second %d: %v %% with %v and %d processes", seed, second, *g.Utilization, g.ThrottleReasons, len(g.Processes))
				}
			}
		}
		if idle < 120 || busy < 360 { // of 1200
			t.Errorf("seed %d: %d readings idle, %d busy", seed, idle, busy)
		}
	}
}
