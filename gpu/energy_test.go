package gpu_test

import (
	"math"
	"testing"
	"time"

	"smolscope/gpu"
)

func TestUsed(t *testing.T) {
	at := func(second int64, watts, joules *float64) gpu.Reading {
		return gpu.Reading{Time: time.Unix(second, 0), GPUs: []gpu.GPU{{ID: "0", Name: "a", PowerWatts: watts, EnergyJoules: joules}, {ID: "1", Name: "b"}}}
	}
	list := gpu.Used([]gpu.Reading{
		at(100, new(100.0), new(5000.0)), at(110, new(300.0), new(7000.0)),
		at(500, new(300.0), new(9000.0)), // 390 s are a gap; the counter went on
		at(510, new(100.0), new(500.0)),  // the driver was loaded again
		at(520, nil, nil),
	})
	if len(list) != 2 {
		t.Fatalf("%d GPUs, want 2", len(list))
	}
	u := list[0]
	// 2000 + 2000 J integrated over 20 s; 2000 + 2000 + 500 J counted.
	if *u.Integral != 4000 || u.Known != 20*time.Second || *u.Counter != 4500 {
		t.Errorf("%v J in %v, %v J counted; want 4000 J in 20 s, 4500 J", *u.Integral, u.Known, *u.Counter)
	}
	if joules, counted := u.Joules(); *joules != 4500 || !counted {
		t.Errorf("best: %v J, counted %v", *joules, counted)
	}
	if u := list[1]; u.Integral != nil || u.Counter != nil {
		t.Errorf("a GPU that says nothing used %v and %v J", u.Integral, u.Counter)
	}
	if u := gpu.Used([]gpu.Reading{at(100, new(100.0), new(5000.0))})[0]; u.Integral != nil || u.Counter != nil {
		t.Error("one reading gives an energy")
	}
	sim := gpu.NewSim(2, 5, time.Unix(0, 0))
	var readings []gpu.Reading
	for second := range int64(700) {
		readings = append(readings, sim.At(time.Unix(second, 0)))
	}
	for _, u := range gpu.Used(readings) {
		if math.Abs(*u.Integral-*u.Counter) > 1e-6**u.Counter {
			t.Errorf("%s: %v J integrated, %v J counted", u.Name, *u.Integral, *u.Counter)
		}
	}
}
