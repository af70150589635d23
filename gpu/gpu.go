// Package gpu reads what the GPUs of this machine say now: from NVIDIA's driver, from
// a simulation, or from a recording. What a device does not say is absent, never 0.
package gpu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Source gives readings. It is safe for use by several goroutines.
type Source interface {
	// Read asks every GPU once. A reading whose time is not after that of the one
	// before is the same reading. The text of an error is one line for people, the
	// reason why there are no readings; later calls may succeed. A call lasts as
	// long as the driver takes to answer: ctx cannot cut it short.
	Read(ctx context.Context) (Reading, error)
	// Close lets the driver go. Read fails from then on.
	Close() error
}

// The kinds of source, as Reading.Source names them.
const (
	NVML      = "nvml"
	Simulated = "sim"
	Replayed  = "replay"
)

// A Reading is what all GPUs said at one moment. Readings share memory with
// their source and are not to be changed. As JSON it is the data of an event of
// /gpu/events, and a line of a recording.
type Reading struct {
	Time          time.Time `json:"time"`   // UTC
	Source        string    `json:"source"` // one of the kinds
	DriverVersion string    `json:"driver_version,omitempty"`
	CUDAVersion   string    `json:"cuda_version,omitempty"` // the newest that the driver runs
	GPUs          []GPU     `json:"gpus"`
}

// A GPU is what one device said. Pointers and slices that are nil are absent: the
// device does not have the value, or would not tell it now. Fields describes the numbers.
type GPU struct {
	ID   string `json:"gpu_id"` // number in the driver's order, from 0; it can change when a GPU is lost
	Name string `json:"gpu_name,omitempty"`
	UUID string `json:"gpu_uuid,omitempty"` // stays with the device

	Utilization       *float64 `json:"gpu_utilization_percent,omitempty"`
	MemoryUsedMiB     *float64 `json:"gpu_memory_used_mib,omitempty"`
	MemoryTotalMiB    *float64 `json:"gpu_memory_total_mib,omitempty"`
	MemoryUtilization *float64 `json:"gpu_memory_utilization_percent,omitempty"`
	Temperature       *float64 `json:"gpu_temperature_celsius,omitempty"`
	PowerWatts        *float64 `json:"gpu_power_watts,omitempty"`
	PowerLimitWatts   *float64 `json:"gpu_power_limit_watts,omitempty"`
	EnergyJoules      *float64 `json:"gpu_energy_joules,omitempty"`
	SMClockMHz        *float64 `json:"gpu_clock_sm_mhz,omitempty"`
	MemoryClockMHz    *float64 `json:"gpu_clock_memory_mhz,omitempty"`
	FanSpeed          *float64 `json:"gpu_fan_speed_percent,omitempty"`
	PerformanceState  *float64 `json:"gpu_performance_state,omitempty"`
	PCIeTx            *float64 `json:"gpu_pcie_tx_kb_per_second,omitempty"`
	PCIeRx            *float64 `json:"gpu_pcie_rx_kb_per_second,omitempty"`
	ECCCorrected      *float64 `json:"gpu_ecc_errors_corrected,omitempty"`
	ECCUncorrected    *float64 `json:"gpu_ecc_errors_uncorrected,omitempty"`
	XIDErrors         *float64 `json:"gpu_xid_errors,omitempty"`
	LastXID           *float64 `json:"gpu_xid_last,omitempty"`

	// ThrottleReasons are why the clocks are not higher, in NVML's words and bit
	// order: gpu_idle, applications_clocks_setting, sw_power_cap, hw_slowdown,
	// sync_boost, sw_thermal_slowdown, hw_thermal_slowdown,
	// hw_power_brake_slowdown, display_clock_setting, board_limit, reliability.
	// Empty is none.
	ThrottleReasons []string   `json:"gpu_throttle_reasons,omitzero"`
	Processes       []Process  `json:"gpu_processes,omitzero"`
	MIG             []Instance `json:"gpu_mig_instances,omitzero"` // absent unless MIG is on

	Error string `json:"gpu_error,omitempty"` // why the device says nothing now
}

// A Process is a program that uses a GPU.
type Process struct {
	PID             int      `json:"pid"`            // as the driver sees it, outside of containers
	Name            string   `json:"name,omitempty"` // of the program's file, without its folder
	MemoryUsedMiB   *float64 `json:"memory_used_mib,omitempty"`
	Utilization     *float64 `json:"utilization_percent,omitempty"` // of the SMs, in the driver's latest sample
	GPUInstance     *int     `json:"gpu_instance_id,omitempty"`     // with MIG
	ComputeInstance *int     `json:"compute_instance_id,omitempty"` // with MIG
}

// An Instance is a part of a GPU that MIG has made a device of its own.
type Instance struct {
	Name            string   `json:"name,omitempty"`
	UUID            string   `json:"uuid,omitempty"`
	GPUInstance     *int     `json:"gpu_instance_id,omitempty"`
	ComputeInstance *int     `json:"compute_instance_id,omitempty"`
	MemoryUsedMiB   *float64 `json:"memory_used_mib,omitempty"`
	MemoryTotalMiB  *float64 `json:"memory_total_mib,omitempty"`
}

// Open opens the source that spec, the value of --gpu, names:
//
//	auto                 the NVIDIA driver; without one, Read says why, until there is one
//	nvml                 the same, but an error without a driver
//	off                  no readings
//	sim                  one simulated GPU
//	sim:gpus=N,seed=N    1 to 16 of them, and other loads
//	sim:outage=N         of each 20 s, the last N (1 to 15) without a driver
//	replay:FILE          a recording, over and over
//
// The error is for people and says what spec may be.
func Open(spec string) (Source, error) {
	kind, rest, given := strings.Cut(spec, ":")
	switch {
	case kind == Replayed && rest != "":
		return openReplay(rest)
	case kind == Simulated && (!given || rest != ""):
		return openSim(rest)
	case spec == "auto":
		return openNVML(), nil
	case spec == "off":
		return none("GPU readings are switched off"), nil
	case spec == NVML:
		source := openNVML()
		if _, err := source.Read(context.Background()); err != nil {
			return nil, errors.Join(err, source.Close())
		}
		return source, nil
	}
	return nil, fmt.Errorf("%q is no source of GPU readings, want auto, off, nvml, sim, sim:gpus=N,seed=N or replay:FILE", spec)
}

func openReplay(name string) (Source, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	readings, err := ReadRecording(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return NewReplay(readings, time.Now()), nil
}

func openSim(options string) (Source, error) {
	gpus, seed := uint64(1), uint64(1)
	var outage time.Duration
	for option := range strings.SplitSeq(options, ",") {
		if option == "" {
			continue
		}
		name, value, _ := strings.Cut(option, "=")
		n, err := strconv.ParseUint(value, 10, 64)
		switch {
		case name == "gpus" && err == nil && 1 <= n && n <= 16:
			gpus = n
		case name == "seed" && err == nil:
			seed = n
		case name == "outage" && err == nil && 1 <= n && n <= 15:
			outage = time.Duration(n) * time.Second
		default:
			return nil, fmt.Errorf("%q is no option of the simulated GPUs, want gpus=1 to gpus=16, seed=N or outage=1 to outage=15", option)
		}
	}
	sim := NewSim(int(gpus), seed, time.Now())
	if outage > 0 {
		return &failing{sim, outage}, nil
	}
	return sim, nil
}

// none is the source of a machine, or a user, that has none: the reason why.
type none string

func (n none) Read(context.Context) (Reading, error) { return Reading{}, errors.New(string(n)) }
func (n none) Close() error                          { return nil }
