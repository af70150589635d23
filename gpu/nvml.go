//go:build linux && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// An nvmlSource reads from the NVIDIA driver. It initialises NVML once and keeps it
// open. When the driver goes, it tries again, later each time.
type nvmlSource struct {
	lib nvml.Interface

	mu     sync.Mutex
	live   *session // nil while there is no driver
	reason error    // why there is none
	delay  time.Duration
	retry  time.Time       // not to be tried before
	xids   map[string]*xid // by UUID: errors are what drivers go by, so they outlive a session
	closed bool
}

// An xid counts the Xid errors of one device.
type xid struct {
	count float64
	last  *float64
}

// Tries to reach the driver again are this far apart, twice as far after each.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

func openNVML() Source {
	// Calls into the library are bound to its address once. It must stay at that
	// address when NVML is shut down, or the calls after the next start go astray.
	// Without the library, initialising says so.
	_ = dl.New("libnvidia-ml.so.1", dl.RTLD_LAZY|dl.RTLD_GLOBAL|dl.RTLD_NODELETE).Open()
	return newNVML(nvml.New())
}

func newNVML(lib nvml.Interface) *nvmlSource {
	return &nvmlSource{lib: lib, xids: make(map[string]*xid)}
}

func (s *nvmlSource) Read(ctx context.Context) (Reading, error) {
	if err := ctx.Err(); err != nil {
		return Reading{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Reading{}, errors.New("the source of GPU readings is closed")
	}
	now := time.Now()
	due := !now.Before(s.retry)
	if s.live != nil && s.live.ailing && due {
		s.live.end()
		s.live = nil
	}
	if s.live == nil {
		if !due {
			return Reading{}, s.reason
		}
		if s.live, s.reason = begin(s.lib, s.xids); s.reason != nil {
			s.postpone(now)
			return Reading{}, s.reason
		}
	}
	reading, lost := s.live.read(now)
	switch {
	case lost == 0:
		s.delay = 0
	case lost == len(reading.GPUs):
		s.live.end()
		s.live, s.reason = nil, errors.New(reading.GPUs[0].Error)
		s.postpone(now)
		return Reading{}, s.reason
	case !s.live.ailing:
		s.live.ailing = true
		s.postpone(now)
	}
	return reading, nil
}

// postpone sets when the driver is tried again.
func (s *nvmlSource) postpone(now time.Time) {
	s.delay = min(max(2*s.delay, firstRetry), lastRetry)
	s.retry = now.Add(s.delay)
}

func (s *nvmlSource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		s.live.end()
	}
	s.live, s.closed = nil, true
	return nil
}

// A session lasts from an initialisation of NVML to its end. What NVML hands out
// is valid in the session alone.
type session struct {
	lib          nvml.Interface
	driver, cuda string
	devices      []*device
	events       nvml.EventSet // nil if no device tells of Xid errors
	ailing       bool          // some devices are lost
}

// begin initialises NVML. The error is for people.
func begin(lib nvml.Interface, xids map[string]*xid) (*session, error) {
	// Before a successful Init, any other call would end the process.
	if ret := lib.Init(); ret != nvml.SUCCESS {
		return nil, errors.New(reason(ret))
	}
	s := &session{lib: lib}
	count, ret := lib.DeviceGetCount()
	if ret == nvml.SUCCESS && count == 0 {
		ret = nvml.ERROR_GPU_NOT_FOUND
	}
	if ret != nvml.SUCCESS {
		s.end()
		return nil, errors.New(reason(ret))
	}
	s.driver, _ = lib.SystemGetDriverVersion()
	if s.has("nvmlSystemGetCudaDriverVersion") {
		if v, ret := lib.SystemGetCudaDriverVersion(); ret == nvml.SUCCESS {
			s.cuda = fmt.Sprintf("%d.%d", v/1000, v%1000/10)
		}
	}
	for i := range count {
		d := &device{session: s, id: strconv.Itoa(i), off: make(map[string]bool), names: make(map[uint32]string)}
		if d.handle, d.lost = lib.DeviceGetHandleByIndex(i); d.lost == nvml.SUCCESS {
			d.name, _ = d.handle.GetName()
			d.uuid, _ = d.handle.GetUUID()
		}
		s.devices = append(s.devices, d)
	}
	s.watch(xids)
	return s, nil
}

// has tells whether the driver is new enough to have a function. Calling one that
// it lacks would end the process.
func (s *session) has(symbol string) bool {
	return s.lib.Extensions().LookupSymbol(symbol) == nil
}

// end waits for what still samples, and shuts NVML down.
func (s *session) end() {
	for _, d := range s.devices {
		d.sampling.Wait()
	}
	if s.events != nil {
		s.events.Free()
	}
	s.lib.Shutdown() // whatever it answers, the next Init says what is wrong
}

// watch asks the driver to tell of Xid errors.
func (s *session) watch(xids map[string]*xid) {
	for _, symbol := range []string{"nvmlEventSetCreate", "nvmlEventSetWait_v2", "nvmlDeviceGetSupportedEventTypes", "nvmlDeviceRegisterEvents"} {
		if !s.has(symbol) {
			return
		}
	}
	events, ret := s.lib.EventSetCreate()
	if ret != nvml.SUCCESS {
		return
	}
	s.events = events
	for _, d := range s.devices {
		if d.lost != nvml.SUCCESS {
			continue
		}
		types, ret := d.handle.GetSupportedEventTypes()
		if ret != nvml.SUCCESS || types&nvml.EventTypeXidCriticalError == 0 {
			continue
		}
		if d.handle.RegisterEvents(nvml.EventTypeXidCriticalError, events) != nvml.SUCCESS {
			continue
		}
		if xids[d.uuid] == nil {
			xids[d.uuid] = new(xid)
		}
		d.xid = xids[d.uuid]
	}
}

// count counts the Xid errors since the last call. It does not wait for any.
func (s *session) count() {
	if s.events == nil {
		return
	}
	for range 100 { // a device that errs without end must not keep us here
		event, ret := s.events.Wait(0)
		if ret != nvml.SUCCESS {
			return
		}
		for _, d := range s.devices {
			if d.xid != nil && d.handle == event.Device && event.EventType == nvml.EventTypeXidCriticalError {
				d.xid.count++
				d.xid.last = new(float64(event.EventData))
			}
		}
	}
}

// read asks every device, and counts those that are lost.
func (s *session) read(now time.Time) (r Reading, lost int) {
	s.count()
	r = Reading{
		Time:          now.UTC().Truncate(time.Millisecond),
		Source:        NVML,
		DriverVersion: s.driver,
		CUDAVersion:   s.cuda,
		GPUs:          make([]GPU, len(s.devices)),
	}
	for i, d := range s.devices {
		r.GPUs[i] = d.read(now)
		if d.lost != nvml.SUCCESS {
			lost++
		}
	}
	return r, lost
}

// reason says in a line for people why NVML gives no readings.
func reason(ret nvml.Return) string {
	switch ret {
	case nvml.ERROR_LIBRARY_NOT_FOUND:
		return "no NVIDIA driver on this machine (libnvidia-ml.so.1 was not found)"
	case nvml.ERROR_DRIVER_NOT_LOADED:
		return "the NVIDIA driver is not loaded, or this container was not given its devices"
	case nvml.ERROR_NO_PERMISSION:
		return "no permission to use the NVIDIA driver (see the mode of /dev/nvidia*)"
	case nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		return "the NVIDIA driver was changed: restart smolscope, or the machine if that does not help"
	case nvml.ERROR_GPU_NOT_FOUND:
		return "the NVIDIA driver sees no GPU"
	case nvml.ERROR_GPU_IS_LOST:
		return "the GPU is lost: it has fallen off the bus"
	case nvml.ERROR_RESET_REQUIRED:
		return "the GPU needs a reset"
	case nvml.ERROR_UNINITIALIZED:
		return "the NVIDIA driver has gone"
	}
	return fmt.Sprintf("the NVIDIA driver does not answer (NVML error %d)", ret)
}
