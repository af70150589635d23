package gpu_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"smolscope/gpu"
)

func TestRollup(t *testing.T) {
	at := func(second float64) time.Time {
		return time.Unix(1_800_000_000, 0).UTC().Add(time.Duration(second * float64(time.Second)))
	}
	reading := func(second, watts, joules float64, reasons ...string) gpu.Reading {
		return gpu.Reading{Time: at(second), Source: "sim", GPUs: []gpu.GPU{{ID: "0", PowerWatts: &watts, EnergyJoules: &joules,
			PerformanceState: new(second), ThrottleReasons: append([]string{}, reasons...)}}}
	}
	list := []gpu.Reading{
		reading(0, 100, 1000), reading(4, 200, 1600, "sw_power_cap"), reading(8, 300, 2600, "hw_slowdown", "sw_power_cap"),
		reading(13, 50, 40),                     // alone in its stretch
		reading(20, 10, 90), reading(22, 30, 5), // the driver was loaded again
	}
	out := gpu.Rollup(list, 10*time.Second)
	if len(out) != 3 {
		t.Fatalf("%d readings, want 3", len(out))
	}
	g := out[0].GPUs[0]
	// (100+200+300)/3, (1000+1600+2600)/3, the last P-state
	if !out[0].Time.Equal(at(4)) || *g.PowerWatts != 200 || math.Abs(*g.EnergyJoules-5200.0/3) > 1e-9 || *g.PerformanceState != 8 {
		t.Errorf("at %v: %v W, %v J, P%v; want at %v 200 W, 1733.33 J, P8", out[0].Time, *g.PowerWatts, *g.EnergyJoules, *g.PerformanceState, at(4))
	}
	if want := []string{"sw_power_cap", "hw_slowdown"}; !slices.Equal(g.ThrottleReasons, want) {
		t.Errorf("throttle reasons %q, want %q", g.ThrottleReasons, want)
	}
	if g.Temperature != nil {
		t.Error("what no reading has is there")
	}
	if !out[1].Time.Equal(at(13)) || *out[2].GPUs[0].EnergyJoules != 5 {
		t.Errorf("%v and %v J, want the reading that is alone as it is, and the counter that fell as it was last", out[1].Time, *out[2].GPUs[0].EnergyJoules)
	}
	if *list[0].GPUs[0].PowerWatts != 100 || len(list[2].GPUs[0].ThrottleReasons) != 2 {
		t.Error("the readings were changed")
	}
	other := reading(1, 7, 7)
	other.Source = "replay"
	if n := len(gpu.Rollup([]gpu.Reading{list[0], other}, time.Minute)); n != 2 {
		t.Errorf("readings of two sources became %d, want 2", n)
	}
}

// Power that was rolled up integrates to nearly the energy that it did before.
func TestRollupKeepsEnergy(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	start := time.Unix(1_800_000_000, 0)
	for range 20 {
		sim := gpu.NewSim(1, random.Uint64(), start)
		var list []gpu.Reading
		for second := range 3601 {
			list = append(list, sim.At(start.Add(time.Duration(second)*time.Second)))
		}
		whole := integral(list)
		if counted := *list[3600].GPUs[0].EnergyJoules; math.Abs(whole-counted) > 1e-6*counted {
			t.Fatalf("integral of each second %v J, counter %v J", whole, counted)
		}
		for _, length := range []time.Duration{10 * time.Second, time.Minute} {
			rolled := gpu.Rollup(list, length)
			// What is before the first and after the last mean time is not in it.
			part := whole * rolled[len(rolled)-1].Time.Sub(rolled[0].Time).Seconds() / 3600
			if got := integral(rolled); math.Abs(got-part) > 0.02*part {
				t.Errorf("rolled up to %v: %v J, want %v J to 2 %%", length, got, part)
			}
		}
	}
}

// integral is the energy in J of the first GPU, by trapezoids.
func integral(list []gpu.Reading) (joules float64) {
	for i := range list[1:] {
		a, b := list[i], list[i+1]
		joules += (*a.GPUs[0].PowerWatts + *b.GPUs[0].PowerWatts) / 2 * b.Time.Sub(a.Time).Seconds()
	}
	return joules
}
