//go:build linux && cgo

package gpu

import (
	"math"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// A device is one GPU in a session.
type device struct {
	*session
	handle         nvml.Device
	id, name, uuid string
	lost           nvml.Return // why the device says nothing; SUCCESS while it does
	xid            *xid        // nil if the driver does not tell of its errors

	off      map[string]bool   // functions by key: those that are not there; see ask
	answers  int               // to questions of this reading
	refusal  nvml.Return       // the latest of this reading
	mig      bool              // whether MIG was on at the last reading
	names    map[uint32]string // of processes, for as long as they are there
	seen     uint64            // time of the latest sample of processes, in the driver's µs
	sampling sync.WaitGroup    // of PCIe
	busy     atomic.Bool       // likewise
	pcie     atomic.Pointer[throughput]
}

// ask calls a function of NVML unless the driver or the device is known not to have
// it, and says whether it answered. The key is the function's symbol, and after a
// slash what else tells the question from others. A device that answers nothing
// is lost.
func (d *device) ask(key string, call func() nvml.Return) bool {
	if gone(d.lost) {
		return false
	}
	off, known := d.off[key]
	if !known {
		symbol, _, _ := strings.Cut(key, "/")
		off = !d.has(symbol)
		d.off[key] = off
	}
	if off {
		return false
	}
	ret := call()
	switch {
	case ret == nvml.SUCCESS:
		d.answers++
		return true
	case unsupported(ret):
		d.off[key] = true
	case gone(ret):
		d.lost = ret
	default: // not now: it is asked again
		d.refusal = ret
	}
	return false
}

// unsupported tells whether an answer will be the same however often one asks.
func unsupported(ret nvml.Return) bool {
	switch ret {
	case nvml.ERROR_NOT_SUPPORTED, nvml.ERROR_FUNCTION_NOT_FOUND, nvml.ERROR_NO_PERMISSION, nvml.ERROR_INVALID_ARGUMENT,
		nvml.ERROR_ARGUMENT_VERSION_MISMATCH, nvml.ERROR_DEPRECATED:
		return true
	}
	return false
}

// gone tells whether the device or its driver is not there any more.
func gone(ret nvml.Return) bool {
	switch ret {
	case nvml.ERROR_UNINITIALIZED, nvml.ERROR_DRIVER_NOT_LOADED, nvml.ERROR_GPU_IS_LOST, nvml.ERROR_GPU_NOT_FOUND,
		nvml.ERROR_RESET_REQUIRED, nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		return true
	}
	return false
}

// number returns a call that writes one number into a field, divided into the
// field's unit.
func number[N uint32 | uint64 | nvml.Pstates](field **float64, per float64, get func() (N, nvml.Return)) func() nvml.Return {
	return func() nvml.Return {
		value, ret := get()
		if ret == nvml.SUCCESS {
			*field = new(float64(value) / per)
		}
		return ret
	}
}

const mebi = 1 << 20

// read asks the device everything that it can tell. A lost one is not asked again.
func (d *device) read(now time.Time) GPU {
	g := GPU{ID: d.id, Name: d.name, UUID: d.uuid}
	if d.lost == nvml.SUCCESS {
		d.answers, d.refusal = 0, nvml.SUCCESS
		d.askNow(&g)
		if d.lost == nvml.SUCCESS && d.answers == 0 {
			d.lost = d.refusal
		}
		d.askPCIe(&g, now) // last: that a sample is there does not show that the device is
	}
	if d.xid != nil {
		g.XIDErrors, g.LastXID = new(d.xid.count), d.xid.last
	}
	if d.lost != nvml.SUCCESS {
		// What it said before it was lost is half a reading.
		g = GPU{ID: d.id, Name: d.name, UUID: d.uuid, XIDErrors: g.XIDErrors, LastXID: g.LastXID, Error: reason(d.lost)}
	}
	return g
}

// askNow asks everything that is answered at once.
func (d *device) askNow(g *GPU) {
	d.ask("nvmlDeviceGetMigMode", func() nvml.Return {
		mode, _, ret := d.handle.GetMigMode()
		if on := mode == nvml.DEVICE_MIG_ENABLE; ret == nvml.SUCCESS && on != d.mig {
			d.mig = on
			clear(d.off) // MIG decides what a device supports
		}
		return ret
	})
	d.ask("nvmlDeviceGetUtilizationRates", func() nvml.Return {
		rates, ret := d.handle.GetUtilizationRates()
		if ret == nvml.SUCCESS {
			g.Utilization, g.MemoryUtilization = new(float64(rates.Gpu)), new(float64(rates.Memory))
		}
		return ret
	})
	d.askMemory(d.handle, &g.MemoryUsedMiB, &g.MemoryTotalMiB)
	d.ask("nvmlDeviceGetTemperature", number(&g.Temperature, 1, func() (uint32, nvml.Return) { return d.handle.GetTemperature(nvml.TEMPERATURE_GPU) }))
	d.ask("nvmlDeviceGetPowerUsage", number(&g.PowerWatts, 1000, d.handle.GetPowerUsage))
	d.ask("nvmlDeviceGetEnforcedPowerLimit", number(&g.PowerLimitWatts, 1000, d.handle.GetEnforcedPowerLimit))
	d.ask("nvmlDeviceGetTotalEnergyConsumption", number(&g.EnergyJoules, 1000, d.handle.GetTotalEnergyConsumption))
	d.ask("nvmlDeviceGetClockInfo/sm", number(&g.SMClockMHz, 1, func() (uint32, nvml.Return) { return d.handle.GetClockInfo(nvml.CLOCK_SM) }))
	d.ask("nvmlDeviceGetClockInfo/memory", number(&g.MemoryClockMHz, 1, func() (uint32, nvml.Return) { return d.handle.GetClockInfo(nvml.CLOCK_MEM) }))
	d.ask("nvmlDeviceGetFanSpeed", number(&g.FanSpeed, 1, d.handle.GetFanSpeed))
	d.ask("nvmlDeviceGetPerformanceState", number(&g.PerformanceState, 1, func() (nvml.Pstates, nvml.Return) {
		state, ret := d.handle.GetPerformanceState()
		if ret == nvml.SUCCESS && state == nvml.PSTATE_UNKNOWN {
			ret = nvml.ERROR_NO_DATA
		}
		return state, ret
	}))
	d.askECC("corrected", nvml.MEMORY_ERROR_TYPE_CORRECTED, &g.ECCCorrected)
	d.askECC("uncorrected", nvml.MEMORY_ERROR_TYPE_UNCORRECTED, &g.ECCUncorrected)
	d.askThrottle(g)
	d.askProcesses(g)
	if d.mig {
		d.askInstances(g)
	}
}

// askMemory asks the device, or a MIG instance of it. The newer function tells what
// is allocated from what the driver reserves, and is what nvidia-smi shows.
func (d *device) askMemory(of nvml.Device, used, total **float64) {
	const newer, older = "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMemoryInfo"
	d.ask(newer, func() nvml.Return {
		info, ret := of.GetMemoryInfo_v2()
		if ret == nvml.SUCCESS {
			*used, *total = new(float64(info.Used)/mebi), new(float64(info.Total)/mebi)
		}
		return ret
	})
	if !d.off[newer] {
		return
	}
	d.ask(older, func() nvml.Return {
		info, ret := of.GetMemoryInfo()
		if ret == nvml.SUCCESS {
			*used, *total = new(float64(info.Used)/mebi), new(float64(info.Total)/mebi)
		}
		return ret
	})
}

func (d *device) askECC(key string, kind nvml.MemoryErrorType, field **float64) {
	d.ask("nvmlDeviceGetTotalEccErrors/"+key, number(field, 1, func() (uint64, nvml.Return) {
		return d.handle.GetTotalEccErrors(kind, nvml.VOLATILE_ECC)
	}))
}

// throttleReasons are NVML's, by bit.
var throttleReasons = []string{"gpu_idle", "applications_clocks_setting", "sw_power_cap", "hw_slowdown", "sync_boost", "sw_thermal_slowdown",
	"hw_thermal_slowdown", "hw_power_brake_slowdown", "display_clock_setting", "board_limit", "reliability"}

// askThrottle asks why clocks are not higher. The function has got a new name.
func (d *device) askThrottle(g *GPU) {
	const newer, older = "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"
	decode := func(get func() (uint64, nvml.Return)) func() nvml.Return {
		return func() nvml.Return {
			bits, ret := get()
			if ret != nvml.SUCCESS {
				return ret
			}
			g.ThrottleReasons = []string{}
			for i, name := range throttleReasons {
				if bits&(1<<i) != 0 {
					g.ThrottleReasons = append(g.ThrottleReasons, name)
				}
			}
			return ret
		}
	}
	d.ask(newer, decode(d.handle.GetCurrentClocksEventReasons))
	if d.off[newer] {
		d.ask(older, decode(d.handle.GetCurrentClocksThrottleReasons))
	}
}

// askProcesses asks who uses the device. A process that computes and draws is in
// several lists, with the same memory, and counts once. Without one of the lists
// that the device has, there is none.
func (d *device) askProcesses(g *GPU) {
	type place struct{ pid, gpu, compute uint32 }
	at := make(map[place]int)
	var list []Process
	for _, from := range []struct {
		symbol string
		get    func() ([]nvml.ProcessInfo, nvml.Return)
	}{
		{"nvmlDeviceGetComputeRunningProcesses", d.handle.GetComputeRunningProcesses},
		{"nvmlDeviceGetGraphicsRunningProcesses", d.handle.GetGraphicsRunningProcesses},
		{"nvmlDeviceGetMPSComputeRunningProcesses", d.handle.GetMPSComputeRunningProcesses},
	} {
		var infos []nvml.ProcessInfo
		if !d.ask(from.symbol, func() (ret nvml.Return) { infos, ret = from.get(); return ret }) {
			if d.off[from.symbol] {
				continue
			}
			return
		}
		if list == nil {
			list = []Process{}
		}
		for _, info := range infos {
			where := place{info.Pid, info.GpuInstanceId, info.ComputeInstanceId}
			i, known := at[where]
			if !known {
				i = len(list)
				at[where] = i
				list = append(list, Process{
					PID: int(info.Pid), Name: d.processName(info.Pid),
					GPUInstance: instanceID(info.GpuInstanceId), ComputeInstance: instanceID(info.ComputeInstanceId),
				})
			}
			if list[i].MemoryUsedMiB == nil && info.UsedGpuMemory != math.MaxUint64 { // which says that it is not known
				list[i].MemoryUsedMiB = new(float64(info.UsedGpuMemory) / mebi)
			}
		}
	}
	d.askProcessUtilization(list)
	g.Processes = list
	for pid := range d.names {
		if !hasProcess(list, pid) {
			delete(d.names, pid) // its number may be given to another
		}
	}
}

func hasProcess(list []Process, pid uint32) bool {
	for _, p := range list {
		if p.PID == int(pid) {
			return true
		}
	}
	return false
}

// instanceID returns the number of a MIG instance, nil for what stands for none.
func instanceID(id uint32) *int {
	if id == math.MaxUint32 {
		return nil
	}
	return new(int(id))
}

// processName returns the name of a program, "" if the driver does not know it, as
// in a container. It asks once for each process.
func (d *device) processName(pid uint32) string {
	name, known := d.names[pid]
	if !known {
		if file, ret := d.lib.SystemGetProcessName(int(pid)); ret == nvml.SUCCESS && file != "" {
			name = path.Base(file)
		}
		d.names[pid] = name
	}
	return name
}

// askProcessUtilization fills in how busy each process kept the multiprocessors,
// where the driver has sampled it since the last time.
func (d *device) askProcessUtilization(list []Process) {
	if len(list) == 0 || d.mig {
		return
	}
	d.ask("nvmlDeviceGetProcessUtilization", func() nvml.Return {
		samples, ret := processUtilization(d.handle, d.seen)
		if ret == nvml.ERROR_NOT_FOUND || ret == nvml.ERROR_INSUFFICIENT_SIZE {
			return nvml.SUCCESS // none since then, or none that we can have now
		}
		if ret != nvml.SUCCESS {
			return ret
		}
		first := d.seen == 0 // then there are old ones among them
		latest := make(map[int]uint64)
		for _, sample := range samples {
			d.seen = max(d.seen, sample.TimeStamp)
			if first || sample.SmUtil > 100 || sample.TimeStamp < latest[int(sample.Pid)] {
				continue // drivers are known to return what they never wrote
			}
			latest[int(sample.Pid)] = sample.TimeStamp
			for i := range list {
				if list[i].PID == int(sample.Pid) {
					list[i].Utilization = new(float64(sample.SmUtil))
				}
			}
		}
		return ret
	})
}

// processUtilization stands between us and a fault of go-nvml: it asks for the number
// of samples first and panics if there are more of them when it then fetches them.
func processUtilization(handle nvml.Device, seen uint64) (samples []nvml.ProcessUtilizationSample, ret nvml.Return) {
	defer func() {
		if recover() != nil {
			samples, ret = nil, nvml.ERROR_INSUFFICIENT_SIZE
		}
	}()
	return handle.GetProcessUtilization(seen)
}

// askInstances asks what MIG has made of the device.
func (d *device) askInstances(g *GPU) {
	most := 0
	if !d.ask("nvmlDeviceGetMaxMigDeviceCount", func() (ret nvml.Return) { most, ret = d.handle.GetMaxMigDeviceCount(); return ret }) {
		return
	}
	g.MIG = []Instance{}
	for i := range most {
		part, ret := d.handle.GetMigDeviceHandleByIndex(i)
		if ret != nvml.SUCCESS {
			continue // not every place is taken
		}
		instance := Instance{}
		instance.Name, _ = part.GetName()
		instance.UUID, _ = part.GetUUID()
		if id, ret := part.GetGpuInstanceId(); ret == nvml.SUCCESS {
			instance.GPUInstance = &id
		}
		if id, ret := part.GetComputeInstanceId(); ret == nvml.SUCCESS {
			instance.ComputeInstance = &id
		}
		d.askMemory(part, &instance.MemoryUsedMiB, &instance.MemoryTotalMiB)
		g.MIG = append(g.MIG, instance)
	}
}

// A throughput is one sample of PCIe. NVML takes 20 ms for each direction, so it is
// taken seldom, aside from the readings, and only while there are any.
type throughput struct {
	at     time.Time
	tx, rx *float64 // KB/s
	ret    nvml.Return
}

const (
	pcieEvery  = 5 * time.Second
	pcieMaxAge = 15 * time.Second
)

// askPCIe fills in the latest sample, and has the next one taken if it is time.
func (d *device) askPCIe(g *GPU, now time.Time) {
	d.ask("nvmlDeviceGetPcieThroughput", func() nvml.Return {
		latest := d.pcie.Load()
		if (latest == nil || now.Sub(latest.at) >= pcieEvery) && d.busy.CompareAndSwap(false, true) {
			d.sampling.Go(d.samplePCIe)
		}
		if latest == nil {
			return nvml.ERROR_NOT_READY
		}
		if now.Sub(latest.at) <= pcieMaxAge {
			g.PCIeTx, g.PCIeRx = latest.tx, latest.rx
		}
		return latest.ret
	})
}

func (d *device) samplePCIe() {
	defer d.busy.Store(false)
	sample := new(throughput)
	for _, direction := range []struct {
		counter nvml.PcieUtilCounter
		field   **float64
	}{{nvml.PCIE_UTIL_TX_BYTES, &sample.tx}, {nvml.PCIE_UTIL_RX_BYTES, &sample.rx}} {
		get := number(direction.field, 1, func() (uint32, nvml.Return) { return d.handle.GetPcieThroughput(direction.counter) })
		if sample.ret = get(); sample.ret != nvml.SUCCESS {
			break
		}
	}
	sample.at = time.Now()
	d.pcie.Store(sample)
}
