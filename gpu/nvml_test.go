//go:build linux && cgo

package gpu

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/gpus"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/server"
	"github.com/google/go-cmp/cmp"
)

// A machine is NVIDIA's own mock with readings of ours. Faults can be set by the
// name of a function ("GetFanSpeed"), of a function of one device ("1 GetFanSpeed")
// or of everything on a device ("1"); "" is the whole driver.
type machine struct {
	*server.Server
	mu      sync.Mutex
	faults  map[string]nvml.Return
	missing map[string]bool // symbols that the driver is too old for
	calls   map[string]int  // by "1 GetFanSpeed"
	started int             // successful Inits less Shutdowns
	events  []nvml.EventData
}

func newMachine(t testing.TB, n int) *machine {
	m := &machine{
		Server:  dgxh100.NewWithGPUs(gpus.Multiple(n, gpus.H100_SXM5_80GB)...),
		faults:  make(map[string]nvml.Return),
		missing: make(map[string]bool),
		calls:   make(map[string]int),
	}
	m.LookupSymbolFunc = func(symbol string) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.started == 0 {
			t.Errorf("%s is looked up before Init", symbol)
		}
		if m.missing[symbol] {
			return fmt.Errorf("no %s", symbol)
		}
		return nil
	}
	m.InitFunc = func() nvml.Return {
		ret := m.answer("Init")
		m.mu.Lock()
		defer m.mu.Unlock()
		if ret == nvml.ERROR_UNINITIALIZED {
			ret = nvml.ERROR_DRIVER_NOT_LOADED
		}
		if ret == nvml.SUCCESS {
			m.started++
		}
		return ret
	}
	m.ShutdownFunc = func() nvml.Return {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.started--
		return nvml.SUCCESS
	}
	m.DeviceGetHandleByIndexFunc = func(i int) (nvml.Device, nvml.Return) {
		if ret := m.answer(fmt.Sprint(i), "handle"); ret != nvml.SUCCESS {
			return nil, ret
		}
		return m.Devices[i], nvml.SUCCESS
	}
	m.SystemGetProcessNameFunc = func(pid int) (string, nvml.Return) {
		return fmt.Sprintf("/opt/env/bin/python%d", pid), m.answer("SystemGetProcessName")
	}
	m.EventSetCreateFunc = func() (nvml.EventSet, nvml.Return) {
		return &mock.EventSet{
			FreeFunc: func() nvml.Return { return nvml.SUCCESS },
			WaitFunc: func(timeout uint32) (nvml.EventData, nvml.Return) {
				m.mu.Lock()
				defer m.mu.Unlock()
				if timeout != 0 {
					t.Errorf("waits %d ms for events", timeout)
				}
				if len(m.events) == 0 {
					return nvml.EventData{}, nvml.ERROR_TIMEOUT
				}
				event := m.events[0]
				m.events = m.events[1:]
				return event, nvml.SUCCESS
			},
		}, m.answer("EventSetCreate")
	}
	for i := range n {
		m.fill(m.device(i), fmt.Sprint(i))
	}
	return m
}

func (m *machine) device(i int) *server.Device { return m.Devices[i].(*server.Device) }

// fill gives a device readings; those of GPU 1 differ from those of GPU 0 by 1 W.
func (m *machine) fill(d *server.Device, id string) {
	d.UUID = "GPU-" + id
	d.GetUtilizationRatesFunc = func() (nvml.Utilization, nvml.Return) {
		return nvml.Utilization{Gpu: 97, Memory: 41}, m.answer(id, "GetUtilizationRates")
	}
	d.GetMemoryInfo_v2Func = func() (nvml.Memory_v2, nvml.Return) {
		return nvml.Memory_v2{Total: 80 << 30, Reserved: 512 << 20, Used: 1536 << 20, Free: 78 << 30}, m.answer(id, "GetMemoryInfo_v2")
	}
	d.GetMemoryInfoFunc = func() (nvml.Memory, nvml.Return) {
		return nvml.Memory{Total: 80 << 30, Used: 2 << 30, Free: 78 << 30}, m.answer(id, "GetMemoryInfo")
	}
	d.GetTemperatureFunc = func(nvml.TemperatureSensors) (uint32, nvml.Return) { return 61, m.answer(id, "GetTemperature") }
	d.GetPowerUsageFunc = func() (uint32, nvml.Return) {
		return 345_678 + 1000*uint32(d.Index), m.answer(id, "GetPowerUsage")
	}
	d.GetEnforcedPowerLimitFunc = func() (uint32, nvml.Return) { return 700_000, m.answer(id, "GetEnforcedPowerLimit") }
	d.GetTotalEnergyConsumptionFunc = func() (uint64, nvml.Return) {
		return 1_234_567_891, m.answer(id, "GetTotalEnergyConsumption")
	}
	d.GetClockInfoFunc = func(kind nvml.ClockType) (uint32, nvml.Return) {
		return map[nvml.ClockType]uint32{nvml.CLOCK_SM: 1980, nvml.CLOCK_MEM: 2619}[kind], m.answer(id, "GetClockInfo")
	}
	d.GetFanSpeedFunc = func() (uint32, nvml.Return) { return 35, m.answer(id, "GetFanSpeed") }
	d.GetPerformanceStateFunc = func() (nvml.Pstates, nvml.Return) { return nvml.PSTATE_0, m.answer(id, "GetPerformanceState") }
	d.GetTotalEccErrorsFunc = func(kind nvml.MemoryErrorType, _ nvml.EccCounterType) (uint64, nvml.Return) {
		return map[nvml.MemoryErrorType]uint64{nvml.MEMORY_ERROR_TYPE_CORRECTED: 3, nvml.MEMORY_ERROR_TYPE_UNCORRECTED: 0}[kind], m.answer(id, "GetTotalEccErrors")
	}
	d.GetCurrentClocksEventReasonsFunc = func() (uint64, nvml.Return) {
		return 0x4 | 0x40, m.answer(id, "GetCurrentClocksEventReasons")
	}
	d.GetCurrentClocksThrottleReasonsFunc = func() (uint64, nvml.Return) {
		return 0x8, m.answer(id, "GetCurrentClocksThrottleReasons")
	}
	none := func(name string) func() ([]nvml.ProcessInfo, nvml.Return) {
		return func() ([]nvml.ProcessInfo, nvml.Return) { return nil, m.answer(id, name) }
	}
	d.GetComputeRunningProcessesFunc = none("GetComputeRunningProcesses")
	d.GetGraphicsRunningProcessesFunc = none("GetGraphicsRunningProcesses")
	d.GetMPSComputeRunningProcessesFunc = none("GetMPSComputeRunningProcesses")
	d.GetPcieThroughputFunc = func(counter nvml.PcieUtilCounter) (uint32, nvml.Return) {
		time.Sleep(20 * time.Millisecond) // as the real one does
		return map[nvml.PcieUtilCounter]uint32{nvml.PCIE_UTIL_TX_BYTES: 1500, nvml.PCIE_UTIL_RX_BYTES: 2500}[counter], m.answer(id, "GetPcieThroughput")
	}
	d.GetSupportedEventTypesFunc = func() (uint64, nvml.Return) {
		return nvml.EventTypeXidCriticalError, m.answer(id, "GetSupportedEventTypes")
	}
	d.RegisterEventsFunc = func(uint64, nvml.EventSet) nvml.Return { return m.answer(id, "RegisterEvents") }
	mode := d.GetMigModeFunc
	d.GetMigModeFunc = func() (int, int, nvml.Return) {
		current, pending, _ := mode()
		return current, pending, m.answer(id, "GetMigMode")
	}
}

// answer counts a call and says how it ends.
func (m *machine) answer(names ...string) nvml.Return {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := strings.Join(names, " ")
	m.calls[name]++
	for _, key := range []string{"", names[0], names[len(names)-1], name} {
		if ret := m.faults[key]; ret != nvml.SUCCESS {
			return ret
		}
	}
	return nvml.SUCCESS
}

func (m *machine) fault(key string, ret nvml.Return) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults[key] = ret
}

func (m *machine) called(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[name]
}

func (m *machine) xid(device int, code uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, nvml.EventData{Device: m.Devices[device], EventType: nvml.EventTypeXidCriticalError, EventData: code})
}

// whole is what GPU 0 of a machine says at its first reading, before the first
// sample of PCIe: 1536 MiB and 345.678 W as they are, 1,234,567,891 mJ.
func whole() GPU {
	return GPU{
		ID: "0", Name: "NVIDIA H100 80GB HBM3", UUID: "GPU-0",
		Utilization: new(97.0), MemoryUtilization: new(41.0), MemoryUsedMiB: new(1536.0), MemoryTotalMiB: new(81920.0),
		Temperature: new(61.0), PowerWatts: new(345.678), PowerLimitWatts: new(700.0), EnergyJoules: new(1234567.891),
		SMClockMHz: new(1980.0), MemoryClockMHz: new(2619.0), FanSpeed: new(35.0), PerformanceState: new(0.0),
		ECCCorrected: new(3.0), ECCUncorrected: new(0.0), XIDErrors: new(0.0),
		ThrottleReasons: []string{"sw_power_cap", "hw_thermal_slowdown"}, Processes: []Process{},
	}
}

// scene runs a test on a machine of n GPUs with a clock that stands still but
// for sleeps. The source must leave nothing behind.
func scene(t *testing.T, n int, test func(t *testing.T, m *machine, s *nvmlSource)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, n)
		s := newNVML(m)
		test(t, m, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if m.started != 0 {
			t.Errorf("NVML was started %d times more often than ended", m.started)
		}
		if _, err := s.Read(t.Context()); err == nil {
			t.Error("a closed source gives readings")
		}
	})
}

func read(t *testing.T, s *nvmlSource) Reading {
	t.Helper()
	r, err := s.Read(t.Context())
	if err != nil {
		t.Fatalf("at %v: %v", time.Now(), err)
	}
	return r
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestNVMLReading(t *testing.T) {
	scene(t, 2, func(t *testing.T, m *machine, s *nvmlSource) {
		second := whole()
		second.ID, second.UUID, second.PowerWatts = "1", "GPU-1", new(346.678)
		same(t, "first reading", read(t, s), Reading{
			Time: time.Now().UTC(), Source: "nvml", DriverVersion: "550.54.15", CUDAVersion: "12.4", GPUs: []GPU{whole(), second},
		})
		if n := m.called("Init"); n != 1 {
			t.Errorf("%d Inits", n)
		}
		time.Sleep(time.Second)
		read(t, s)
		if n := m.called("Init"); n != 1 {
			t.Errorf("%d Inits after the second reading", n)
		}
	})
}

// TestUnsupported proves that what a device does not support is absent and not
// asked again, and that what fails today is asked tomorrow.
func TestUnsupported(t *testing.T) {
	scene(t, 2, func(t *testing.T, m *machine, s *nvmlSource) {
		m.fault("0 GetFanSpeed", nvml.ERROR_NOT_SUPPORTED)
		m.fault("0 GetTotalEccErrors", nvml.ERROR_NOT_SUPPORTED)
		m.fault("0 GetComputeRunningProcesses", nvml.ERROR_NO_PERMISSION)
		m.fault("0 GetGraphicsRunningProcesses", nvml.ERROR_NOT_SUPPORTED)
		m.fault("0 GetMPSComputeRunningProcesses", nvml.ERROR_NOT_SUPPORTED)
		m.fault("0 GetSupportedEventTypes", nvml.ERROR_NOT_SUPPORTED)
		m.fault("0 GetMigMode", nvml.ERROR_NOT_SUPPORTED)
		m.fault("0 GetPowerUsage", nvml.ERROR_TIMEOUT)
		want := whole()
		want.FanSpeed, want.ECCCorrected, want.ECCUncorrected, want.Processes, want.XIDErrors, want.PowerWatts = nil, nil, nil, nil, nil, nil
		for range 5 {
			same(t, "reading", read(t, s).GPUs[0], want)
		}
		for name, want := range map[string]int{
			"0 GetFanSpeed": 1, "0 GetTotalEccErrors": 2, "0 GetComputeRunningProcesses": 1, "0 GetMigMode": 1, "0 GetPowerUsage": 5, "1 GetFanSpeed": 5,
		} {
			if got := m.called(name); got != want {
				t.Errorf("%s is asked %d times, want %d", name, got, want)
			}
		}
		m.fault("0 GetPowerUsage", nvml.SUCCESS)
		if got := read(t, s).GPUs[0].PowerWatts; got == nil {
			t.Error("power stays absent")
		}
	})
}

// TestOldDriver proves that functions that a driver lacks are never called, since
// that would end the process, and that older ones take their place.
func TestOldDriver(t *testing.T) {
	scene(t, 1, func(t *testing.T, m *machine, s *nvmlSource) {
		for _, symbol := range []string{
			"nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetMigMode", "nvmlSystemGetCudaDriverVersion",
			"nvmlEventSetWait_v2", "nvmlDeviceGetMPSComputeRunningProcesses", "nvmlDeviceGetPcieThroughput",
		} {
			m.missing[symbol] = true
		}
		r := read(t, s)
		want := whole()
		want.MemoryUsedMiB = new(2048.0) // with the 512 MiB that are reserved
		want.ThrottleReasons = []string{"hw_slowdown"}
		want.XIDErrors = nil
		same(t, "reading", r.GPUs[0], want)
		if r.CUDAVersion != "" {
			t.Errorf("CUDA version %q", r.CUDAVersion)
		}
		synctest.Wait()
		for _, name := range []string{"GetMemoryInfo_v2", "GetCurrentClocksEventReasons", "GetMigMode", "GetMPSComputeRunningProcesses", "GetPcieThroughput"} {
			if m.called("0 "+name) != 0 {
				t.Errorf("%s is called", name)
			}
		}
	})
}

// TestPCIe proves that readings do not wait for PCIe, which is sampled every 5 s
// while there are readings, and that samples get too old.
func TestPCIe(t *testing.T) {
	scene(t, 1, func(t *testing.T, m *machine, s *nvmlSource) {
		start := time.Now()
		for i := range 21 { // 0 to 20 s
			r := read(t, s)
			if tx := r.GPUs[0].PCIeTx; (tx != nil) != (i > 0) || tx != nil && (*tx != 1500 || *r.GPUs[0].PCIeRx != 2500) {
				t.Errorf("reading %d: PCIe sends %v", i, tx)
			}
			if late := time.Since(start) - time.Duration(i)*time.Second; late != 0 {
				t.Fatalf("reading %d is %v late", i, late)
			}
			time.Sleep(time.Second)
		}
		// Samples end at 0.04, 6.04, 12.04 and 18.04 s: the first reading 5 s later has the next taken.
		if n := m.called("0 GetPcieThroughput"); n != 8 {
			t.Errorf("%d calls, want 4 for each direction", n)
		}
		time.Sleep(30 * time.Second)
		if got := read(t, s).GPUs[0].PCIeTx; got != nil {
			t.Error("a sample of half a minute ago is given as of now")
		}
		m.fault("0 GetPcieThroughput", nvml.ERROR_NOT_SUPPORTED)
		time.Sleep(10 * time.Second)
		read(t, s)
		time.Sleep(time.Second)
		before := m.called("0 GetPcieThroughput")
		for range 20 {
			if read(t, s).GPUs[0].PCIeTx != nil {
				t.Error("PCIe is given although it is not supported")
			}
			time.Sleep(time.Second)
		}
		if got := m.called("0 GetPcieThroughput"); got != before {
			t.Errorf("%d more calls although it is not supported", got-before)
		}
	})
}

// TestDriverGoesAndReturns takes the driver away for ten minutes.
func TestDriverGoesAndReturns(t *testing.T) {
	for _, ret := range []nvml.Return{nvml.ERROR_UNINITIALIZED, nvml.ERROR_GPU_IS_LOST, nvml.ERROR_UNKNOWN} {
		t.Run(ret.Error(), func(t *testing.T) {
			scene(t, 2, func(t *testing.T, m *machine, s *nvmlSource) {
				m.xid(1, 31)
				first := read(t, s).GPUs[1]
				m.xid(1, 79)
				m.fault("", ret)
				before := m.called("Init")
				for range 600 {
					if r, err := s.Read(t.Context()); err == nil {
						t.Fatalf("a reading without a driver: %+v", r)
					}
					time.Sleep(time.Second)
				}
				// After 1, 2, 4, 8 and 16 s, and every 30 s from the 61st on.
				if n := m.called("Init") - before; n < 15 || n > 25 {
					t.Errorf("%d tries in 10 minutes, want about 23", n)
				}
				m.fault("", nvml.SUCCESS)
				for i := 0; ; i++ {
					r, err := s.Read(t.Context())
					if err == nil {
						want := first
						want.XIDErrors, want.LastXID = new(2.0), new(79.0)
						same(t, "GPU 1 after the driver's return", r.GPUs[1], want)
						break
					}
					if i > 30 {
						t.Fatalf("after 30 s still %v", err)
					}
					time.Sleep(time.Second)
				}
				// Being well again, it is tried soon if it goes again.
				m.fault("", ret)
				s.Read(t.Context())
				m.fault("", nvml.SUCCESS)
				time.Sleep(time.Second)
				read(t, s)
			})
		})
	}
}

// TestNoDriverAtFirst has the driver come later.
func TestNoDriverAtFirst(t *testing.T) {
	for ret, want := range map[nvml.Return]string{
		nvml.ERROR_LIBRARY_NOT_FOUND:       "no NVIDIA driver on this machine (libnvidia-ml.so.1 was not found)",
		nvml.ERROR_DRIVER_NOT_LOADED:       "the NVIDIA driver is not loaded, or this container was not given its devices",
		nvml.ERROR_NO_PERMISSION:           "no permission to use the NVIDIA driver (see the mode of /dev/nvidia*)",
		nvml.ERROR_LIB_RM_VERSION_MISMATCH: "the NVIDIA driver was changed: restart smolscope, or the machine if that does not help",
		nvml.ERROR_UNKNOWN:                 "the NVIDIA driver does not answer (NVML error 999)",
	} {
		scene(t, 1, func(t *testing.T, m *machine, s *nvmlSource) {
			m.fault("Init", ret)
			for range 2 {
				if _, err := s.Read(t.Context()); err == nil || err.Error() != want {
					t.Errorf("error %v, want %q", err, want)
				}
			}
			m.fault("Init", nvml.SUCCESS)
			time.Sleep(time.Second)
			read(t, s)
		})
	}
	scene(t, 0, func(t *testing.T, _ *machine, s *nvmlSource) {
		if _, err := s.Read(t.Context()); err == nil || err.Error() != "the NVIDIA driver sees no GPU" {
			t.Errorf("no GPU: error %v", err)
		}
	})
}

// TestOneOfTwoIsLost proves that the other goes on, that the lost one is named, and
// that it comes back.
func TestOneOfTwoIsLost(t *testing.T) {
	scene(t, 2, func(t *testing.T, m *machine, s *nvmlSource) {
		read(t, s)
		m.xid(1, 79)
		m.fault("1 GetTotalEnergyConsumption", nvml.ERROR_GPU_IS_LOST)
		r := read(t, s)
		if r.GPUs[0].PowerWatts == nil || r.GPUs[0].Error != "" {
			t.Errorf("GPU 0 is silent too: %+v", r.GPUs[0])
		}
		lost := GPU{ID: "1", Name: "NVIDIA H100 80GB HBM3", UUID: "GPU-1", XIDErrors: new(1.0), LastXID: new(79.0), Error: "the GPU is lost: it has fallen off the bus"}
		same(t, "the lost GPU", r.GPUs[1], lost)
		before := m.called("1 GetPowerUsage")
		read(t, s)
		if m.called("1 GetPowerUsage") != before {
			t.Error("a lost GPU is asked again")
		}
		m.fault("1", nvml.ERROR_GPU_IS_LOST) // even its handle is gone after the next Init
		time.Sleep(5 * time.Second)
		same(t, "without a handle", read(t, s).GPUs[1], GPU{ID: "1", Error: lost.Error})
		m.fault("1", nvml.SUCCESS)
		m.fault("1 GetTotalEnergyConsumption", nvml.SUCCESS)
		for range 31 {
			time.Sleep(time.Second)
			if r = read(t, s); r.GPUs[1].Error == "" {
				break
			}
		}
		if r.GPUs[1].PowerWatts == nil || *r.GPUs[1].XIDErrors != 1 {
			t.Errorf("GPU 1 does not come back: %+v", r.GPUs[1])
		}
	})
}

// TestProcesses has a process that computes and draws, which counts once, one whose
// memory is unknown, and a sample of the kind that drivers make up.
func TestProcesses(t *testing.T) {
	scene(t, 1, func(t *testing.T, m *machine, s *nvmlSource) {
		const none, unknown = 1<<32 - 1, 1<<64 - 1
		compute := []nvml.ProcessInfo{{Pid: 7, UsedGpuMemory: 3 << 30, GpuInstanceId: none, ComputeInstanceId: none}, {Pid: 8, UsedGpuMemory: unknown, GpuInstanceId: none, ComputeInstanceId: none}}
		d := m.device(0)
		d.GetComputeRunningProcessesFunc = func() ([]nvml.ProcessInfo, nvml.Return) { return compute, m.answer("compute") }
		d.GetGraphicsRunningProcessesFunc = func() ([]nvml.ProcessInfo, nvml.Return) { return compute[:1], m.answer("graphics") }
		var samples []nvml.ProcessUtilizationSample
		var since []uint64
		d.GetProcessUtilizationFunc = func(seen uint64) ([]nvml.ProcessUtilizationSample, nvml.Return) {
			since = append(since, seen)
			if len(since) == 4 { // as go-nvml does when samples come between its two calls
				return samples[:len(samples)+1], nvml.ERROR_INSUFFICIENT_SIZE
			}
			if len(samples) == 0 {
				return nil, nvml.ERROR_NOT_FOUND
			}
			return samples, nvml.SUCCESS
		}
		samples = []nvml.ProcessUtilizationSample{{Pid: 7, TimeStamp: 100, SmUtil: 50}}
		want := []Process{{PID: 7, Name: "python7", MemoryUsedMiB: new(3072.0)}, {PID: 8, Name: "python8"}}
		same(t, "the first reading, whose samples may be old", read(t, s).GPUs[0].Processes, want)
		samples = []nvml.ProcessUtilizationSample{{Pid: 7, TimeStamp: 300, SmUtil: 40}, {Pid: 7, TimeStamp: 200, SmUtil: 90}, {Pid: 8, TimeStamp: 250, SmUtil: 1 << 30}}
		want[0].Utilization = new(40.0)
		same(t, "the second", read(t, s).GPUs[0].Processes, want)
		samples = nil
		want[0].Utilization = nil
		same(t, "the third, without samples", read(t, s).GPUs[0].Processes, want)
		same(t, "the fourth, which panics", read(t, s).GPUs[0].Processes, want)
		same(t, "asked for samples since", since, []uint64{0, 100, 300, 300})
		if n := m.called("SystemGetProcessName"); n != 2 {
			t.Errorf("names of 2 processes are asked %d times", n)
		}

		m.fault("graphics", nvml.ERROR_TIMEOUT)
		if got := read(t, s).GPUs[0].Processes; got != nil {
			t.Errorf("half a list: %v", got)
		}
		m.fault("graphics", nvml.ERROR_NOT_SUPPORTED)
		same(t, "without graphics", read(t, s).GPUs[0].Processes, want)
		compute = nil
		same(t, "all ended", read(t, s).GPUs[0].Processes, []Process{})
		compute = []nvml.ProcessInfo{{Pid: 7, UsedGpuMemory: 0, GpuInstanceId: none, ComputeInstanceId: none}}
		m.fault("SystemGetProcessName", nvml.ERROR_NOT_FOUND)
		same(t, "another with the same number", read(t, s).GPUs[0].Processes, []Process{{PID: 7, MemoryUsedMiB: new(0.0)}})
	})
}

// TestMIG switches MIG on, with instances in places 0 and 2 of 7, and off again.
func TestMIG(t *testing.T) {
	scene(t, 1, func(t *testing.T, m *machine, s *nvmlSource) {
		d := m.device(0)
		rates := d.GetUtilizationRatesFunc
		d.GetUtilizationRatesFunc = func() (nvml.Utilization, nvml.Return) {
			if d.MigMode == nvml.DEVICE_MIG_ENABLE {
				return nvml.Utilization{}, nvml.ERROR_NOT_SUPPORTED
			}
			return rates()
		}
		d.GetMaxMigDeviceCountFunc = func() (int, nvml.Return) { return 7, nvml.SUCCESS }
		d.GetMigDeviceHandleByIndexFunc = func(i int) (nvml.Device, nvml.Return) {
			if i != 0 && i != 2 {
				return nil, nvml.ERROR_NOT_FOUND
			}
			return &mock.Device{
				GetNameFunc:              func() (string, nvml.Return) { return "NVIDIA H100 80GB HBM3 MIG 1g.10gb", nvml.SUCCESS },
				GetUUIDFunc:              func() (string, nvml.Return) { return fmt.Sprintf("MIG-%d", i), nvml.SUCCESS },
				GetGpuInstanceIdFunc:     func() (int, nvml.Return) { return 9 + i, nvml.SUCCESS },
				GetComputeInstanceIdFunc: func() (int, nvml.Return) { return 0, nvml.SUCCESS },
				GetMemoryInfo_v2Func: func() (nvml.Memory_v2, nvml.Return) {
					return nvml.Memory_v2{Total: 10 << 30, Used: 1 << 30}, nvml.SUCCESS
				},
			}, nvml.SUCCESS
		}
		d.GetComputeRunningProcessesFunc = func() ([]nvml.ProcessInfo, nvml.Return) {
			return []nvml.ProcessInfo{{Pid: 7, UsedGpuMemory: 1 << 30, GpuInstanceId: 9, ComputeInstanceId: 0}, {Pid: 7, UsedGpuMemory: 1 << 30, GpuInstanceId: 11, ComputeInstanceId: 0}}, nvml.SUCCESS
		}
		d.GetProcessUtilizationFunc = func(uint64) ([]nvml.ProcessUtilizationSample, nvml.Return) { return nil, nvml.ERROR_NOT_FOUND }
		if g := read(t, s).GPUs[0]; g.MIG != nil || g.Utilization == nil {
			t.Errorf("MIG off: instances %v, utilisation %v", g.MIG, g.Utilization)
		}

		d.MigMode = nvml.DEVICE_MIG_ENABLE
		g := read(t, s).GPUs[0]
		instance := func(i int) Instance {
			return Instance{"NVIDIA H100 80GB HBM3 MIG 1g.10gb", fmt.Sprintf("MIG-%d", i), new(9 + i), new(0), new(1024.0), new(10240.0)}
		}
		same(t, "instances", g.MIG, []Instance{instance(0), instance(2)})
		if g.Utilization != nil {
			t.Errorf("utilisation %v while MIG is on", *g.Utilization)
		}
		same(t, "processes by instance", g.Processes, []Process{
			{PID: 7, Name: "python7", MemoryUsedMiB: new(1024.0), GPUInstance: new(9), ComputeInstance: new(0)},
			{PID: 7, Name: "python7", MemoryUsedMiB: new(1024.0), GPUInstance: new(11), ComputeInstance: new(0)},
		})

		d.MigMode = nvml.DEVICE_MIG_DISABLE
		if g := read(t, s).GPUs[0]; g.MIG != nil || g.Utilization == nil {
			t.Errorf("MIG off again: instances %v, utilisation %v", g.MIG, g.Utilization)
		}
	})
}

// TestXID counts errors by device, and stops reading a stream of them that does
// not end.
func TestXID(t *testing.T) {
	scene(t, 2, func(t *testing.T, m *machine, s *nvmlSource) {
		read(t, s)
		m.xid(0, 31)
		m.xid(1, 48)
		m.xid(0, 13)
		r := read(t, s)
		if *r.GPUs[0].XIDErrors != 2 || *r.GPUs[0].LastXID != 13 || *r.GPUs[1].XIDErrors != 1 || *r.GPUs[1].LastXID != 48 {
			t.Errorf("GPU 0 has %v errors, the last %v; GPU 1 %v, %v", *r.GPUs[0].XIDErrors, *r.GPUs[0].LastXID, *r.GPUs[1].XIDErrors, *r.GPUs[1].LastXID)
		}
		if got := *read(t, s).GPUs[0].XIDErrors; got != 2 {
			t.Errorf("counted again: %v", got)
		}
		for range 1000 {
			m.xid(0, 31)
		}
		if got := *read(t, s).GPUs[0].XIDErrors; got != 102 {
			t.Errorf("%v errors, want 100 more at once", got)
		}
	})
}

// BenchmarkPoll reads two GPUs of the mock: what reading costs besides the driver.
func BenchmarkPoll(b *testing.B) {
	s := newNVML(newMachine(b, 2))
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
