package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"smolscope/enrich"
)

func TestMcNemar(t *testing.T) {
	for _, tt := range []struct {
		base, other int
		want        float64
	}{
		{0, 0, 1},
		{1, 0, 1},          // 2 · (1/2)
		{5, 0, 0.0625},     // 2 · (1/2)^5
		{6, 0, 0.03125},    // 2 · (1/2)^6
		{1, 8, 0.0390625},  // 2 · (1 + 9) / 512
		{2, 8, 0.109375},   // 2 · (1 + 10 + 45) / 1024
		{10, 10, 1},        // more than 1 is 1
		{1000, 1000, 1},    // no overflow
		{1200, 800, 4e-19}, // about; only its size is looked at below
	} {
		got := Verdicts{Both: 7, Base: tt.base, Other: tt.other, Neither: 3}.P()
		if tt.want < 1e-9 {
			if got > 1e-17 || got <= 0 {
				t.Errorf("P(%d, %d) = %g", tt.base, tt.other, got)
			}
		} else if math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("P(%d, %d) = %g, want %g", tt.base, tt.other, got, tt.want)
		}
		if swapped := (Verdicts{Base: tt.other, Other: tt.base}).P(); swapped != (Verdicts{Base: tt.base, Other: tt.other}).P() {
			t.Errorf("P(%d, %d) differs when turned around", tt.base, tt.other)
		}
	}
}

// By hand, of 36 that both pass, 12 and 2 that one does: shares 0.96 with a Wilson
// interval of 0.8654 to 0.9890, and 0.76 with 0.6259 to 0.8570; phi is
// (0 − 24) / √(48·2·38·12) = −0.1147. Below: √(0.0946² + 0.2294·0.0946·0.0970 + 0.0970²)
// = 0.1431, above: √(0.0290² + 0.2294·0.0290·0.1341 + 0.1341²) = 0.1404.
func TestDifference(t *testing.T) {
	diff, low, high := Verdicts{Both: 36, Other: 12, Base: 2, Neither: 0}.Difference()
	if math.Abs(diff-0.2) > 1e-12 || math.Abs(low-0.0569) > 1e-4 || math.Abs(high-0.3404) > 1e-4 {
		t.Errorf("difference %.4f, %.4f to %.4f", diff, low, high)
	}
	for range 500 {
		v := Verdicts{rand.IntN(40), rand.IntN(40), rand.IntN(40), rand.IntN(40)}
		diff, low, high := v.Difference()
		turned, turnedLow, turnedHigh := Verdicts{v.Both, v.Other, v.Base, v.Neither}.Difference()
		if math.Abs(diff+turned) > 1e-12 || math.Abs(low+turnedHigh) > 1e-9 || math.Abs(high+turnedLow) > 1e-9 {
			t.Errorf("%+v: %g, %g to %g; turned around %g, %g to %g", v, diff, low, high, turned, turnedLow, turnedHigh)
		}
		if low > diff || high < diff || low < -1 || high > 1 {
			t.Errorf("%+v: %g is not within %g to %g", v, diff, low, high)
		}
	}
}

func TestInterval(t *testing.T) {
	if _, _, _, ok := Interval([]float64{3}); ok {
		t.Error("one difference has an interval")
	}
	if mean, low, high, ok := Interval([]float64{2, 2, 2}); !ok || mean != 2 || low != 2 || high != 2 {
		t.Errorf("equal differences: %g, %g to %g", mean, low, high)
	}
	// Of 400 draws from a normal distribution, the interval is about the mean ± 1.96
	// standard errors, and a tenth of those off.
	random := rand.New(rand.NewPCG(3, 4))
	list := make([]float64, 400)
	var sum, squares float64
	for i := range list {
		list[i] = 5 + 2*random.NormFloat64()
		sum += list[i]
		squares += list[i] * list[i]
	}
	n := float64(len(list))
	mean, low, high, _ := Interval(list)
	half := 1.96 * math.Sqrt((squares/n-sum/n*sum/n)/n)
	if math.Abs(mean-sum/n) > 1e-9 || math.Abs(mean-low-half) > 0.1*half || math.Abs(high-mean-half) > 0.1*half {
		t.Errorf("%g, %g to %g; want about ± %g", mean, low, high, half)
	}
	if _, again, _, _ := Interval(list); again != low {
		t.Error("the same differences have another interval")
	}
}

// run makes a run of which tests pass as told: '+', '-', '?' for no verdict, ' '
// for a test that it lacks; each takes so many milliseconds.
func run(id, verdicts string, ms float64) Run { return runOf(id, verdicts, ms, false) }

// runOf is run of which all measures are known, if told so.
func runOf(id, verdicts string, ms float64, all bool) Run {
	r := Run{Row: enrich.LeaderboardRow{RunID: id, Model: new("m-" + id)}}
	for i, v := range verdicts {
		if v == ' ' {
			continue
		}
		row := enrich.ResultRow{RunID: id, TestCaseUID: fmt.Sprintf("t%03d", i), ExecutionTimeMS: new(ms + float64(i))}
		if all {
			row.TTFT, row.UsageTotalTokens, row.CostTotal, row.GPUEnergyWh, row.Steps = new(ms/7), new(int64(ms)+int64(i)), new(ms/1e5), new(ms/1e3), new(int64(i))
		}
		if v != '?' {
			row.Success = new(v == '+')
		}
		r.Results = append(r.Results, row)
	}
	return r
}

func TestNew(t *testing.T) {
	base := run("a", "++++++++--??", 100)
	report := New([]Run{run("b", "++------ -+ ", 150), base, run("c", "++++++++--??", 100)}, "a")
	if report.Base != "a" || len(report.Runs) != 2 {
		t.Fatalf("%+v", report)
	}
	b := report.Runs[0]
	if want := (Verdicts{Both: 2, Base: 6, Other: 0, Neither: 1}); b.Verdicts != want || b.Shared != 10 || b.Unscored != 1 || math.Abs(*b.P-0.03125) > 1e-12 {
		t.Errorf("b: %+v of %d shared, %d unscored, p %g", b.Verdicts, b.Shared, b.Unscored, *b.P)
	}
	// 8 of 9 and 2 of 9 passed.
	if s := b.Success; s.Change != Worse || math.Abs(*s.Base-800.0/9) > 1e-9 || math.Abs(*s.Other-200.0/9) > 1e-9 || s.Pairs != 9 {
		t.Errorf("success of b: %+v", s)
	}
	if d := b.Measures[0]; d.Name != "execution_time_ms" || d.Pairs != 10 || *d.Diff != 50 || *d.Low != 50 || d.Change != Worse {
		t.Errorf("time of b: %+v", d)
	}
	if list := b.Regressions(); len(list) != 2 {
		t.Errorf("regressions of b: %+v", list)
	}
	c := report.Runs[1]
	if c.Success.Change != None || c.Measures[0].Change != None || math.Abs(*c.P-1) > 1e-12 || len(c.Regressions()) > 0 {
		t.Errorf("a run beside itself: %+v", c)
	}
	more := runOf("e", "++++++++--??", 100, true)
	for i := range more.Results {
		more.Results[i].Steps = new(*more.Results[i].Steps + 2)
	}
	if d := New([]Run{runOf("a", "++++++++--??", 100, true), more}, "a").Runs[0]; d.Measures[len(d.Measures)-1].Change != Differs || len(d.Regressions()) > 0 {
		t.Errorf("more steps are neither better nor worse: %+v", d.Measures)
	}
	if lone := New([]Run{base, run("d", "", 1)}, "a").Runs[0]; lone.Shared != 0 || lone.Success.Change != Unknown || lone.P != nil || len(lone.Measures) > 0 {
		t.Errorf("runs that share no test: %+v", lone)
	}
}

func TestMeasuresAreColumns(t *testing.T) {
	for _, name := range Measures {
		if c, ok := enrich.Lookup(enrich.ResultColumns, name); !ok || c.Better == enrich.Higher {
			t.Errorf("%s is no column of results, or higher is better", name)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	var runs []Run
	for i := range 8 {
		verdicts := make([]byte, 1000)
		for k := range verdicts {
			verdicts[k] = "+-"[rand.IntN(2)]
		}
		runs = append(runs, runOf(fmt.Sprint(i), string(verdicts), 100*rand.Float64(), true))
	}
	for b.Loop() {
		New(runs, "0")
	}
}
