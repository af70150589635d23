package enrich

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"smolscope/enrich/attr"
)

const second = Time(1e9)

// readings are one every ten seconds from second 1000 on.
func tens(values ...float64) []reading {
	var list []reading
	for i, v := range values {
		list = append(list, reading{(1000 + 10*Time(i)) * second, v})
	}
	return list
}

func near1(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// The golden values of spec §3.9 and §5: GPU 0 uses (150 + 200 + 150) W × 10 s =
// 5000 J = 1.3889 Wh, GPU 1 50 W × 30 s = 1500 J = 0.4167 Wh.
func TestEnergyGolden(t *testing.T) {
	gpus := []series{{readings: tens(100, 200, 200, 100)}, {readings: tens(50, 50, 50, 50)}}
	total := 0.0
	for i, want := range []float64{1.388888888888889, 0.4166666666666667} {
		c, gaps := powerCurve(gpus[i].readings)
		if got := c.wattHours(); !near1(got, want) || gaps != 0 {
			t.Errorf("GPU %d used %v Wh with %d gaps, want %v and none", i, got, gaps, want)
		}
		total += c.wattHours()
	}
	if want := 1.8055555555555558; !near1(total, want) {
		t.Errorf("both used %v Wh, want %v", total, want)
	}
	if _, highest := pooled(gpus); *highest != 200 {
		t.Errorf("highest power of one GPU = %v W, want 200", *highest)
	}
	// At each moment 150, 250, 250, 150 W.
	if mean, highest := summed(gpus); *mean != 200 || *highest != 250 {
		t.Errorf("power of both = %v W, at most %v, want 200 and 250", *mean, *highest)
	}
	if c, _ := powerCurve(tens(100)); c != nil {
		t.Errorf("one sample gives %v, want no energy", c)
	}
}

func TestCounterTotal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		delta  bool
		want   float64
	}{
		{"restart", []float64{5, 7, 1, 2.5}, false, 9.5}, // 5 + 2 + 1 + 1.5
		{"one reading", []float64{0.036}, false, 0.036},
		{"delta", []float64{5, 7, 1, 2.5}, true, 15.5},
	} {
		s := series{delta: tt.delta, readings: tens(tt.values...)}
		if got := s.total(); !near1(got, tt.want) {
			t.Errorf("%s: total = %v, want %v", tt.name, got, tt.want)
		}
	}
	two := []series{{readings: tens(0.02, 0.036)}, {readings: tens(0.05)}}
	if got := totals(two, func(*series) bool { return true }); !near1(*got, 0.086) {
		t.Errorf("sum of two series = %v, want 0.086", *got)
	}
	if got := totals(nil, func(*series) bool { return true }); got != nil {
		t.Errorf("sum of no series = %v, want nil", *got)
	}
}

// Samples 10 s apart and then a pause of 100 s, which is more than 5 × 10 s and
// more than 60 s: 20 s at 100 W and 10 s at 100 W are left, 3000 J.
func TestPowerGap(t *testing.T) {
	list := tens(100, 100, 100)
	list = append(list, reading{1120 * second, 100}, reading{1130 * second, 100})
	c, gaps := powerCurve(list)
	if got := c.wattHours(); gaps != 1 || !near1(got, 3000.0/3600) {
		t.Errorf("%v Wh and %d gaps, want %v and 1", got, gaps, 3000.0/3600)
	}
	// Rare samples are no gaps: the median is 100 s, and five times that is longer.
	var rare []reading
	for i := range Time(4) {
		rare = append(rare, reading{(1 + 100*i) * second, 36})
	}
	if c, gaps := powerCurve(rare); gaps != 0 || !near1(c.wattHours(), 3) {
		t.Errorf("rare samples: %v Wh and %d gaps, want 3 and none", c.wattHours(), gaps)
	}
}

func TestMoments(t *testing.T) {
	at := func(tenths Time, v float64) reading { return reading{100*second + tenths*second/10, v} }
	for _, tt := range []struct {
		name string
		gpus []series
		want []float64
	}{
		{"half a second apart", []series{{readings: []reading{at(0, 1), at(50, 2)}}, {readings: []reading{at(5, 10), at(55, 20)}}}, []float64{11, 22}},
		{"adds nothing before its first", []series{{readings: []reading{at(0, 1), at(50, 2)}}, {readings: []reading{at(50, 10)}}}, []float64{1, 12}},
		{"missing takes its last", []series{{readings: []reading{at(0, 1), at(50, 2), at(100, 3)}}, {readings: []reading{at(0, 10), at(100, 30)}}}, []float64{11, 12, 33}},
		{"one GPU every half second", []series{{readings: []reading{at(0, 1), at(5, 2), at(10, 3)}}}, []float64{1, 2, 3}},
		{"none", nil, nil},
	} {
		var got []float64
		for _, m := range moments(tt.gpus) {
			got = append(got, m.total)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: moments = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// 100 W from second 1000 to 1040. A runs 1000 to 1020, B 1010 to 1030: A has
// 10 s alone and 10 s shared, 1500 J, B likewise, and 1000 J are idle.
func TestSplit(t *testing.T) {
	c, _ := powerCurve(tens(100, 100, 100, 100, 100))
	used := newTally(c)
	shares, each := split(func(m Time) float64 { wh, _ := used.at(m); return wh }, []window{
		{1000 * second, 1020 * second}, {1010 * second, 1030 * second}})
	for i, got := range shares {
		if want := 1500.0 / 3600; !near1(got, want) {
			t.Errorf("share %d = %v Wh, want %v", i, got, want)
		}
	}
	// One that ran all the time would have got 1000 + 500 + 1000 J.
	if got, want := each(1040*second), 2500.0/3600; !near1(got, want) {
		t.Errorf("each up to the end = %v Wh, want %v", got, want)
	}
}

// randomTests are windows that overlap, and power of several GPUs with gaps.
func randomTests(r *rand.Rand) (*tally, []*test) {
	var curves []curve
	for range 1 + r.IntN(4) {
		var list []reading
		at := Time(1+r.IntN(50)) * second
		for range r.IntN(60) {
			at += Time(1+r.IntN(4000)) * 1e6
			if r.IntN(20) == 0 {
				at += 300 * second
			}
			list = append(list, reading{at, 400 * r.Float64()})
		}
		c, _ := powerCurve(list)
		curves = append(curves, c)
	}
	var tests []*test
	for range 1 + r.IntN(12) {
		from := Time(1+r.IntN(150e3)) * 1e6
		to := from + Time(1+r.IntN(40e3))*1e6
		f := &facts{start: from, end: to}
		for range r.IntN(5) {
			start := from + Time(r.Int64N(int64(to-from)))
			f.calls = append(f.calls, call{span: &Span{Start: start, End: start + Time(r.Int64N(20e9))}})
		}
		tests = append(tests, &test{facts: f})
	}
	return newTally(sumCurves(curves)), tests
}

// What tests get, those too short included, and what is idle make up the run;
// calls never get more than their test.
func TestSharesMakeUpTheRun(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	every := []series{{readings: make([]reading, 1000)}} // so that no window is too short
	for i := range every[0].readings {
		every[0].readings[i].at = Time(i) * second / 4
	}
	attributed := 0
	for range 500 {
		power, tests := randomTests(r)
		if len(power.curve) == 0 {
			continue
		}
		scale := 0.5 + r.Float64()
		var g gpuEnergy
		g.attribute(tests, power, scale, every)
		total := *g.idle + g.lost
		for _, t1 := range tests {
			one := g.tests[t1]
			if one.wattHours == nil {
				continue
			}
			attributed++
			total += *one.wattHours
			calls := 0.0
			for _, c := range t1.facts.calls {
				wh := g.calls[c.span]
				if calls += wh; !(wh >= 0) {
					t.Fatalf("a call used %v Wh", wh)
				}
			}
			if !(*one.wattHours >= 0) || !(*one.watts >= 0 && *one.watts <= 1600*(1+1e-9)) || calls > *one.wattHours+1e-9 {
				t.Fatalf("a test used %v Wh at %v W, its calls %v Wh", *one.wattHours, *one.watts, calls)
			}
		}
		if want := scale * power.total(); !near1(total, want) || *g.idle < 0 {
			t.Fatalf("tests and idle (%v) make up %v Wh, want the run's %v", *g.idle, total, want)
		}
	}
	if attributed == 0 {
		t.Fatal("no test got any energy")
	}
}

func TestSumCurvesKeepsTheEnergy(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var curves []curve
		want := 0.0
		for range r.IntN(6) {
			at := Time(1+r.IntN(9)) * second
			var list []reading
			for range r.IntN(30) {
				at += Time(1+r.IntN(90)) * second
				list = append(list, reading{at, 300 * r.Float64()})
			}
			c, _ := powerCurve(list)
			curves, want = append(curves, c), want+c.wattHours()
		}
		if got := sumCurves(curves).wattHours(); !near1(got, want) {
			t.Fatalf("the sum has %v Wh, its parts %v", got, want)
		}
	}
}

func TestTooShort(t *testing.T) {
	c, _ := powerCurve(tens(100, 100, 100))
	gpus := []series{{readings: tens(100, 100, 100)}}
	tests := []*test{
		{facts: &facts{start: 1001 * second, end: 1003 * second}},
		{facts: &facts{start: 1009 * second, end: 1012 * second}},
		{facts: &facts{start: 1010 * second, end: 1020 * second}},
	}
	var g gpuEnergy
	g.attribute(tests, newTally(c), 1, gpus)
	for i, want := range []string{"too short to attribute: no power sample while the test ran", "too short to attribute: 1 power sample while the test ran", ""} {
		one := g.tests[tests[i]]
		if one.missing != want || (one.wattHours == nil) != (want != "") {
			t.Errorf("test %d: %v Wh, %q; want %q", i, show(one.wattHours), one.missing, want)
		}
	}
	// 2 s alone; 1 s alone and 2 s shared; 2 s shared and 8 s alone: 2 + 2 + 9 s of 20.
	if got := *g.tests[tests[2]].wattHours; !near1(got, 900.0/3600) {
		t.Errorf("the long test used %v Wh, want %v", got, 900.0/3600)
	}
	if g.lostTests != 2 || !near1(g.lost, 400.0/3600) || !near1(*g.idle, 700.0/3600) {
		t.Errorf("%d tests lost %v Wh, %v idle; want 2, %v and %v", g.lostTests, g.lost, *g.idle, 400.0/3600, 700.0/3600)
	}
}

// A long test that no sample saw is not too short, and used nothing that is known.
func TestTestOutsideSamples(t *testing.T) {
	c, _ := powerCurve(tens(100, 100, 100))
	before := &test{facts: &facts{start: 900 * second, end: 950 * second}}
	var g gpuEnergy
	g.attribute([]*test{before}, newTally(c), 1, []series{{readings: tens(100, 100, 100)}})
	if got, want := g.tests[before].missing, "not attributed: power is not known for the time that the test ran"; got != want {
		t.Errorf("missing = %q, want %q", got, want)
	}
	if got := g.unattributed(); got != "" {
		t.Errorf("unattributed = %q, want nothing", got)
	}
}

func sample(metric string, at Time, v float64, resource *Resource, attrs ...attr.KeyValue) Sample {
	return Sample{Metric: metric, Time: at * second, Value: &v, Resource: resource, Attrs: attr.NewSet(attrs)}
}

// Order and the splitting over files change nothing, and neither does a copy:
// the same file again, flattened rows, or our own rows, which keep of the
// resource the service only.
func TestSeriesOfIsStable(t *testing.T) {
	whole := &Resource{attr.NewSet([]attr.KeyValue{label("service.name", "s"), label("run.id", "r")})}
	plain := &Resource{attr.NewSet([]attr.KeyValue{label("service.name", "s")})}
	var samples, copies []Sample
	for i := range Time(20) {
		for _, gpu := range []string{"0", "1"} {
			samples = append(samples, sample(gpuPower, 100+i, float64(100+i), whole, label("gpu_id", gpu)))
			copies = append(copies, sample(gpuPower, 100+i, float64(100+i), plain, label("gpu_id", gpu)))
		}
	}
	want := seriesOf([]MetricsDoc{{Samples: samples}}, gpuPower)
	if n := len(want[gpuPower]); n != 2 {
		t.Fatalf("%d series, want 2", n)
	}
	same := func(a, b series) bool { return slices.Equal(a.readings, b.readings) && a.gpu() == b.gpu() }
	shuffled := slices.Clone(samples)
	rand.New(rand.NewPCG(5, 6)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for name, docs := range map[string][]MetricsDoc{
		"shuffled":           {{Samples: shuffled}},
		"two files":          {{Samples: shuffled[:15]}, {Samples: shuffled[10:]}},
		"flattened":          {{Samples: copies, Flattened: true}, {Samples: samples}},
		"our rows":           {{Samples: copies}, {Samples: samples}},
		"our rows hold more": {{Samples: copies}, {Samples: samples[:20]}},
	} {
		if got := seriesOf(docs, gpuPower)[gpuPower]; !slices.EqualFunc(want[gpuPower], got, same) {
			t.Errorf("%s: other series: %v", name, got)
		}
	}
	bad := []Sample{sample(gpuPower, 0, 1, nil), sample(gpuPower, 1, -1, nil), sample(gpuPower, 1, math.NaN(), nil), sample(gpuPower, 1, 1e300, nil), sample("gen_ai.gpu.aggregate.total_power", 1, 5, nil)}
	if got := seriesOf([]MetricsDoc{{Samples: bad}}, gpuPower); len(got) != 0 {
		t.Errorf("readings that cannot be give %v, want nothing", got)
	}
}

// CodeCarbon's 1.1 Wh against 1 Wh of power (360 W for 10 s): tests get a tenth more.
func TestCounterScalesShares(t *testing.T) {
	c, _ := powerCurve(tens(360, 360))
	counter := Sample{Metric: energyConsumed, Attrs: attr.NewSet([]attr.KeyValue{label("component", "gpu")}), Time: second, Value: new(0.0011)}
	e := &enricher{found: &findings{}}
	g := gpuEnergy{wattHours: new(c.wattHours()), series: seriesOf([]MetricsDoc{{Samples: []Sample{counter}}}, energyConsumed)}
	scale := e.counted(&g)
	one := &test{facts: &facts{start: 1000 * second, end: 1010 * second}}
	g.attribute([]*test{one}, newTally(c), scale, []series{{readings: tens(360, 360)}})
	if got := g.tests[one]; got.wattHours == nil || !near1(*got.wattHours, 1.1) || !near1(*got.watts, 360) {
		t.Errorf("the test used %v Wh at %v W, want 1.1 at 360", show(got.wattHours), show(got.watts))
	}
	if got, want := g.tests[one].from, "share of the power while the test ran, 2 rounds of samples, × 1.1 to agree with the energy counter"; got != want {
		t.Errorf("from = %q, want %q", got, want)
	}
}

// BenchmarkAttribute shares out 100,000 samples over 100,000 tests.
func BenchmarkAttribute(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	gpus := make([]series, 8)
	for i := range 100_000 {
		gpu := &gpus[i%8]
		gpu.readings = append(gpu.readings, reading{Time(i/8+1)*second + Time(i%8)*1e6, 400 * r.Float64()})
	}
	var tests []*test
	for range 100_000 {
		from := Time(1+r.IntN(12_000)) * second
		tests = append(tests, &test{facts: &facts{start: from, end: from + Time(1+r.IntN(20_000))*1e6}})
	}
	for b.Loop() {
		var curves []curve
		for i := range gpus {
			c, _ := powerCurve(gpus[i].readings)
			curves = append(curves, c)
		}
		var g gpuEnergy
		g.attribute(tests, newTally(sumCurves(curves)), 1, gpus)
	}
}

// Of two GPUs one falls silent before the test begins: the energy is the
// other's, 100 W for 20 s, and both figures say so. A test without times says why
// it has none.
func TestSilentGPU(t *testing.T) {
	gpus := []series{{readings: tens(100, 100, 100, 100, 100)}, {readings: tens(50, 50)}}
	var curves []curve
	for i := range gpus {
		c, _ := powerCurve(gpus[i].readings)
		curves = append(curves, c)
	}
	late := &test{facts: &facts{start: 1020 * second, end: 1040 * second}}
	both := &test{facts: &facts{start: 1000 * second, end: 1010 * second}}
	timeless := &test{facts: &facts{}}
	var g gpuEnergy
	g.attribute([]*test{both, late, timeless}, newTally(sumCurves(curves)), 1, gpus)
	const silent = "1 of 2 GPUs reported power throughout; of the others only what they did is in it"
	if one := g.tests[late]; !near1(*one.wattHours, 2000.0/3600) || one.silent != silent || one.missing != silent {
		t.Errorf("%v Wh, %q, %q; want %v and %q twice", show(one.wattHours), one.silent, one.missing, 2000.0/3600, silent)
	}
	// It falls silent for the last fifth of a test, 10 s of 50.
	most := &test{facts: &facts{start: 1000 * second, end: 1050 * second}}
	gpus = []series{{readings: tens(100, 100, 100, 100, 100, 100)}, {readings: tens(50, 50, 50, 50, 50)}}
	curves = nil
	for i := range gpus {
		c, _ := powerCurve(gpus[i].readings)
		curves = append(curves, c)
	}
	var h gpuEnergy
	h.attribute([]*test{most}, newTally(sumCurves(curves)), 1, gpus)
	if one := h.tests[most]; !near1(*one.wattHours, 7000.0/3600) || one.silent != silent { // 100 W × 50 s + 50 W × 40 s
		t.Errorf("%v Wh, %q; want %v and %q", show(one.wattHours), one.silent, 7000.0/3600, silent)
	}
	if one := g.tests[both]; !near1(*one.wattHours, 1500.0/3600) || one.silent != "" {
		t.Errorf("%v Wh, %q; want %v and nothing", show(one.wattHours), one.silent, 1500.0/3600)
	}
	if got, want := g.tests[timeless].missing, "not attributed: when the test ran is not known"; got != want {
		t.Errorf("missing = %q, want %q", got, want)
	}
}
