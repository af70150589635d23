//go:build linux && cgo

package gpu

import (
	"context"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// TestHardware reads the GPUs of this machine, if it has any, and says with -v what
// they tell, what a poll costs, and how far nvidia-smi agrees. docs/gpu.md has the
// command that also puts a load on them.
func TestHardware(t *testing.T) {
	source := openNVML().(*nvmlSource)
	defer source.Close()
	r, err := source.Read(t.Context())
	if err != nil {
		t.Skipf("no GPU to test with: %v", err)
	}
	t.Logf("driver %s, CUDA %s", r.DriverVersion, r.CUDAVersion)
	time.Sleep(time.Second) // until PCIe is sampled and processes can be
	r = read(t, source)
	for i := range r.GPUs {
		logFields(t, &r.GPUs[i])
	}
	logCost(t, source)
	compareWithSMI(t, source)
	if load := os.Getenv("SMOLSCOPE_GPU_LOAD"); load != "" {
		recordLoad(t, source, load, os.Getenv("SMOLSCOPE_GPU_RECORDING"))
	}
}

// logFields says what a GPU tells and what it does not.
func logFields(t *testing.T, g *GPU) {
	t.Logf("GPU %s: %s", g.ID, g.Name)
	var absent []string
	for _, field := range Fields {
		if value := *field.Ptr(g); value != nil {
			t.Logf("  %-32s %v %s", field.Name, *value, field.Unit)
		} else {
			absent = append(absent, field.Name)
		}
	}
	t.Logf("  absent: %s", strings.Join(absent, ", "))
	t.Logf("  throttle reasons %q, %d processes (absent: %v), %d MIG instances (absent: %v), error %q",
		g.ThrottleReasons, len(g.Processes), g.Processes == nil, len(g.MIG), g.MIG == nil, g.Error)
}

// logCost says how long polls take, one after the other, and the two calls for PCIe
// that are not part of them.
func logCost(t *testing.T, source *nvmlSource) {
	runtime.LockOSThread() // so that the thread's time is the poll's
	defer runtime.UnlockOSThread()
	measure := func(what string, times int, call func()) {
		wall, cpu := make([]time.Duration, times), make([]time.Duration, times)
		for i := range times {
			start, used := time.Now(), cpuTime(t, ofThread)
			call()
			wall[i], cpu[i] = time.Since(start), cpuTime(t, ofThread)-used
		}
		slices.Sort(wall)
		slices.Sort(cpu)
		p99 := (times*99 - 1) / 100
		t.Logf("%s, %d times: wall p50 %v, p99 %v; CPU p50 %v, p99 %v", what, times, wall[times/2], wall[p99], cpu[times/2], cpu[p99])
	}
	measure("poll", 500, func() { read(t, source) })
	device := source.live.devices[0]
	measure("PCIe, one direction", 10, func() { device.handle.GetPcieThroughput(nvml.PCIE_UTIL_TX_BYTES) })
}

// nvidiaSMI are the numbers that nvidia-smi prints too, by its name for them.
var nvidiaSMI = []struct{ query, field string }{
	{"utilization.gpu", "gpu_utilization_percent"}, {"utilization.memory", "gpu_memory_utilization_percent"},
	{"memory.used", "gpu_memory_used_mib"}, {"memory.total", "gpu_memory_total_mib"}, {"temperature.gpu", "gpu_temperature_celsius"},
	{"power.draw", "gpu_power_watts"}, {"enforced.power.limit", "gpu_power_limit_watts"}, {"clocks.sm", "gpu_clock_sm_mhz"},
	{"clocks.mem", "gpu_clock_memory_mhz"}, {"fan.speed", "gpu_fan_speed_percent"}, {"pstate", "gpu_performance_state"},
	{"ecc.errors.corrected.volatile.total", "gpu_ecc_errors_corrected"}, {"ecc.errors.uncorrected.volatile.total", "gpu_ecc_errors_uncorrected"},
}

// compareWithSMI puts what nvidia-smi prints between a reading before and one after.
// What changes may differ by more than they do; what does not must be equal, to the
// digits that are printed.
func compareWithSMI(t *testing.T, source *nvmlSource) {
	queries := []string{"index"}
	for _, pair := range nvidiaSMI {
		queries = append(queries, pair.query)
	}
	before := read(t, source)
	out, err := exec.CommandContext(t.Context(), "nvidia-smi", "--query-gpu="+strings.Join(queries, ","), "--format=csv,noheader,nounits").Output()
	if err != nil {
		t.Logf("not compared with nvidia-smi: %v", err)
		return
	}
	after := read(t, source)
	for line := range strings.Lines(string(out)) {
		cells := strings.Split(strings.TrimSpace(line), ", ")
		id, err := strconv.Atoi(cells[0])
		if err != nil || id >= len(before.GPUs) || len(cells) != len(queries) {
			t.Errorf("nvidia-smi printed %q", line)
			continue
		}
		for i, pair := range nvidiaSMI {
			first, second := *numberOf(&before.GPUs[id], pair.field), *numberOf(&after.GPUs[id], pair.field)
			theirs, err := strconv.ParseFloat(strings.TrimPrefix(cells[i+1], "P"), 64)
			switch {
			case err != nil && first == nil:
				t.Logf("  %-38s absent in both (%s)", pair.query, cells[i+1])
			case err != nil || first == nil || second == nil:
				t.Errorf("  %-38s nvidia-smi %s, ours %s and %s", pair.query, cells[i+1], show(first), show(second))
			default:
				agrees := min(*first, *second)-1 <= theirs && theirs <= max(*first, *second)+1
				t.Logf("  %-38s %v before, nvidia-smi %v, %v after: agrees to 1 %v", pair.query, *first, theirs, *second, agrees)
				if still := pair.query == "memory.total" || pair.query == "enforced.power.limit"; still && !agrees {
					t.Errorf("  %s must agree", pair.query)
				}
			}
		}
	}
}

// recordLoad records a minute, in whose middle half a load runs, and compares the
// energy counter with power integrated over time.
func recordLoad(t *testing.T, source *nvmlSource, load, name string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var aside sync.WaitGroup
	defer aside.Wait()
	aside.Go(func() {
		time.Sleep(30 * time.Second)
		t.Log("under load:")
		compareWithSMI(t, source)
	})
	aside.Go(func() {
		time.Sleep(15 * time.Second)
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		command := exec.CommandContext(ctx, "sh", "-c", "exec "+load)
		if out, err := command.CombinedOutput(); ctx.Err() == nil {
			t.Errorf("the load ended early: %v: %s", err, out)
		}
	})
	if name == "" {
		name = t.TempDir() + "/recording.jsonl"
	}
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	used := cpuTime(t, ofProcess)
	if err := Record(ctx, file, anonymous{source}, time.Second); err != nil {
		t.Fatal(err)
	}
	t.Logf("a minute of readings every second: %v of CPU time in the whole process", cpuTime(t, ofProcess)-used)
	if _, err := file.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	readings, err := ReadRecording(file)
	if err != nil {
		t.Fatal(err)
	}
	logFields(t, &readings[len(readings)/2].GPUs[0])
	begin := readings[0].Time
	for _, part := range []struct {
		name     string
		from, to time.Duration
	}{{"whole minute", 0, time.Minute}, {"idle before", 0, 14 * time.Second}, {"load alone", 25 * time.Second, 44 * time.Second}} {
		var inside []Reading
		for _, r := range readings {
			if at := r.Time.Sub(begin); part.from <= at && at <= part.to {
				inside = append(inside, r)
			}
		}
		logEnergy(t, part.name, inside)
	}
}

// logEnergy compares the counter of each GPU with its power, integrated by
// trapezoids from the first to the last reading.
func logEnergy(t *testing.T, what string, readings []Reading) {
	if len(readings) < 2 {
		return
	}
	for id := range readings[0].GPUs {
		var joules float64
		for i := range readings[1:] {
			a, b := readings[i], readings[i+1]
			if a.GPUs[id].PowerWatts == nil || b.GPUs[id].PowerWatts == nil {
				return
			}
			joules += (*a.GPUs[id].PowerWatts + *b.GPUs[id].PowerWatts) / 2 * b.Time.Sub(a.Time).Seconds()
		}
		first, last := readings[0].GPUs[id].EnergyJoules, readings[len(readings)-1].GPUs[id].EnergyJoules
		if first == nil || last == nil {
			t.Logf("energy, %s, GPU %d: %.1f J integrated, no counter", what, id, joules)
			continue
		}
		counter := *last - *first
		t.Logf("energy, %s, GPU %d: %.1f J integrated, %.1f J by the counter, %+.2f %%", what, id, joules, counter, 100*(joules-counter)/counter)
		if what == "whole minute" && math.Abs(joules-counter) > 0.05*counter {
			t.Errorf("they differ by more than 5 %%")
		}
	}
}

// anonymous leaves out what tells one machine from another.
type anonymous struct{ Source }

func (a anonymous) Read(ctx context.Context) (Reading, error) {
	r, err := a.Source.Read(ctx)
	for i := range r.GPUs {
		g := &r.GPUs[i]
		g.UUID = "GPU-00000000-0000-0000-0000-00000000000" + g.ID
		for j := range g.Processes {
			g.Processes[j].Name = ""
		}
	}
	return r, err
}

// numberOf returns where a GPU keeps the number of a name.
func numberOf(g *GPU, name string) **float64 {
	i := slices.IndexFunc(Fields, func(f Field) bool { return f.Name == name })
	return Fields[i].Ptr(g)
}

func show(f *float64) string {
	if f == nil {
		return "absent"
	}
	return strconv.FormatFloat(*f, 'g', -1, 64)
}

// Clocks of Linux that count CPU time.
const (
	ofProcess = 2 // CLOCK_PROCESS_CPUTIME_ID
	ofThread  = 3 // CLOCK_THREAD_CPUTIME_ID
)

func cpuTime(t *testing.T, clock uintptr) time.Duration {
	var now syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		t.Fatal(errno)
	}
	return time.Duration(now.Nano())
}
