package gpu_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smolscope/gpu"
)

// written returns what WriteOTLP writes: by metric the kind and the values of its points.
func written(t *testing.T, readings []gpu.Reading) map[string][]float64 {
	t.Helper()
	var b bytes.Buffer
	if err := gpu.WriteOTLP(&b, readings, map[string]string{"host.name": "here"}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		ResourceMetrics []struct {
			ScopeMetrics []struct {
				Metrics []struct {
					Name       string
					Gauge, Sum struct{ DataPoints []struct{ AsDouble float64 } }
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string][]float64{}
	for _, m := range doc.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		for _, p := range append(m.Gauge.DataPoints, m.Sum.DataPoints...) {
			out[m.Name] = append(out[m.Name], p.AsDouble)
		}
	}
	return out
}

func TestWriteOTLP(t *testing.T) {
	var list []gpu.Reading
	for i, joules := range []float64{500, 520, 10, 40} { // the driver was loaded again before the third
		list = append(list, gpu.Reading{Time: time.Unix(1_800_000_000+int64(i), 0), GPUs: []gpu.GPU{{ID: "0", EnergyJoules: &joules, PowerWatts: new(20.5)}}})
	}
	list[3].GPUs[0].PowerWatts = nil
	list[3].GPUs[0].ThrottleReasons = []string{"sw_power_cap", "gpu_idle"}
	want := map[string][]float64{
		"gen_ai.gpu.power":                {20.5, 20.5, 20.5},
		"hw.energy":                       {0, 20, 30, 60},
		"gen_ai.gpu.throttle.power":       {1},
		"gen_ai.gpu.throttle.thermal":     {0},
		"gen_ai.gpu.throttle.hw_slowdown": {0},
	}
	if diff := cmp.Diff(want, written(t, list)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := written(t, nil); len(got) != 0 {
		t.Errorf("of no reading: %v", got)
	}
}

// TestRecordedH100 reads the minute that was recorded on a real H100, half of it
// under load: its energy counter and the integral of its power agree.
func TestRecordedH100(t *testing.T) {
	file, err := os.Open("testdata/h100.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list, err := gpu.ReadRecording(file)
	if err != nil {
		t.Fatal(err)
	}
	counted := written(t, list)["hw.energy"]
	joules := counted[len(counted)-1]
	// docs/gpu.md: 20622.6 J integrated, 20611.9 J by the counter.
	if got := integral(list); len(list) != 61 || int(got) != 20622 || int(joules) != 20611 {
		t.Errorf("%d readings, %v J integrated, %v J counted", len(list), got, joules)
	}
}
