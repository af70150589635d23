package gpu_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"smolscope/gpu"
)

func TestOpen(t *testing.T) {
	recording := filepath.Join("testdata", "gap.jsonl")
	for _, tt := range []struct {
		spec, source string
		gpus         int
		err          string // of Open, or if source is "" of Read
	}{
		{"sim", "sim", 1, ""},
		{"sim:gpus=3,seed=7", "sim", 3, ""},
		{"replay:" + recording, "replay", 2, ""},
		{"off", "", 0, "GPU readings are switched off"},
		{"sim:", "", 0, `"sim:" is no source of GPU readings, want auto, off, nvml, sim, sim:gpus=N,seed=N or replay:FILE`},
		{"sim:gpus=0", "", 0, `"gpus=0" is no option of the simulated GPUs, want gpus=1 to gpus=16, seed=N or outage=1 to outage=15`},
		{"sim:gpus=17", "", 0, `"gpus=17" is no option of the simulated GPUs, want gpus=1 to gpus=16, seed=N or outage=1 to outage=15`},
		{"sim:outage=5", "sim", 1, ""},
		{"sim:outage=20", "", 0, `"outage=20" is no option of the simulated GPUs, want gpus=1 to gpus=16, seed=N or outage=1 to outage=15`},
		{"sim:speed=2", "", 0, `"speed=2" is no option of the simulated GPUs, want gpus=1 to gpus=16, seed=N or outage=1 to outage=15`},
		{"replay:", "", 0, `"replay:" is no source of GPU readings, want auto, off, nvml, sim, sim:gpus=N,seed=N or replay:FILE`},
		{"replay:testdata/none.jsonl", "", 0, "open testdata/none.jsonl: no such file or directory"},
		{"amd", "", 0, `"amd" is no source of GPU readings, want auto, off, nvml, sim, sim:gpus=N,seed=N or replay:FILE`},
		{"", "", 0, `"" is no source of GPU readings, want auto, off, nvml, sim, sim:gpus=N,seed=N or replay:FILE`},
	} {
		t.Run(tt.spec, func(t *testing.T) {
			source, err := gpu.Open(tt.spec)
			var reading gpu.Reading
			if err == nil {
				defer source.Close()
				reading, err = source.Read(t.Context())
			}
			if text(err) != tt.err {
				t.Fatalf("error %q, want %q", text(err), tt.err)
			}
			if reading.Source != tt.source || len(reading.GPUs) != tt.gpus {
				t.Errorf("a reading from %q of %d GPUs, want from %q of %d", reading.Source, len(reading.GPUs), tt.source, tt.gpus)
			}
		})
	}
}

// TestAuto needs no driver: without one, Read says in one line why.
func TestAuto(t *testing.T) {
	source, err := gpu.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Read(t.Context())
	if err == nil {
		t.Log("this machine has an NVIDIA driver")
	} else if strings.Contains(err.Error(), "\n") {
		t.Errorf("the reason has several lines: %q", err)
	}
	if _, explicit := gpu.Open("nvml"); (explicit == nil) != (err == nil) {
		t.Errorf("nvml: %v, auto: %v", explicit, err)
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
}

// TestFields proves that each number has one entry, which names it as JSON does,
// and that an absent one is left out of JSON.
func TestFields(t *testing.T) {
	var numbers int
	for field := range reflect.TypeFor[gpu.GPU]().Fields() {
		if field.Type == reflect.TypeFor[*float64]() {
			numbers++
		}
	}
	if numbers != len(gpu.Fields) {
		t.Errorf("%d fields for %d numbers", len(gpu.Fields), numbers)
	}
	seen := make(map[string]bool)
	for _, field := range gpu.Fields {
		g := gpu.GPU{ID: "0"}
		*field.Ptr(&g) = new(0.0)
		got, err := json.Marshal(g)
		if want := `{"gpu_id":"0","` + field.Name + `":0}`; err != nil || string(got) != want {
			t.Errorf("with %s at 0: %s, %v, want %s", field.Name, got, err, want)
		}
		if seen[field.Name] || field.Metric != "" && seen[field.Metric] {
			t.Errorf("%s or %s is there twice", field.Name, field.Metric)
		}
		seen[field.Name], seen[field.Metric] = true, true
		if !strings.HasSuffix(field.Doc, ".") {
			t.Errorf("%s: the doc is no sentence: %q", field.Name, field.Doc)
		}
	}
}

// TestEmptyIsNotAbsent proves that a GPU without processes is told from one that
// does not say.
func TestEmptyIsNotAbsent(t *testing.T) {
	g := gpu.GPU{ID: "0", ThrottleReasons: []string{}, Processes: []gpu.Process{}, MIG: []gpu.Instance{}}
	got, err := json.Marshal(g)
	if want := `{"gpu_id":"0","gpu_throttle_reasons":[],"gpu_processes":[],"gpu_mig_instances":[]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// TestDocs proves that docs/gpu.md has every number, as the table says it.
func TestDocs(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "gpu.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range gpu.Fields {
		metric := "–"
		if field.Metric != "" {
			metric = "`" + field.Metric + "`"
		}
		if row := "| `" + field.Name + "` | " + metric + " | " + field.Unit + " | " + field.Doc + " |"; !strings.Contains(string(doc), row) {
			t.Errorf("docs/gpu.md lacks the line\n%s", row)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
