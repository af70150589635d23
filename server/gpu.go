package server

import (
	"context"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"smolscope/gpu"
	"smolscope/server/store"
	"smolscope/views"
	"smolscope/views/chart"
)

// drawn is how many readings a chart shows at most.
const drawn = 600

// gpuFields is what pages are told of the numbers.
var gpuFields = func() (list []views.GPUField) {
	for _, f := range gpu.Fields {
		list = append(list, views.GPUField{Name: f.Name, Metric: f.Metric, Unit: f.Unit, Doc: f.Doc})
	}
	return list
}()

func (s *Server) gpus(c echo.Context, v *store.Snapshot) (component, error) {
	q, err := views.ParseGPUQuery(c.QueryParams())
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	w, err := s.gpuWindow(ctx, v, q.Length())
	if err != nil {
		return nil, err
	}
	d := views.GPUData{Source: w.series.Source, Host: w.series.Host, Reason: w.reason, Fields: gpuFields, From: w.from, To: w.to, Tariff: s.Options.ElectricityUSDPerKWh}
	if n := len(w.lately); n > 0 {
		last := w.lately[n-1]
		d.Driver, d.CUDA, d.Age = last.DriverVersion, last.CUDAVersion, time.Since(last.Time)
		d.Latest = readingsShown([]gpu.Reading{last})[0].GPUs
		d.Lately = readingsShown(gpu.Rollup(w.lately, 3*time.Second))
	}
	d.Readings = readingsShown(few(w.readings, q.Length()))
	for _, u := range gpu.Used(w.readings) {
		d.Used = append(d.Used, views.GPUUsage{ID: u.ID, Name: u.Name, Counter: u.Counter, Integral: u.Integral, Known: u.Known})
	}
	if len(d.Readings) > 0 {
		runs, err := v.RunsBetween(ctx, w.from, w.to)
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			run := views.GPURun{ID: r.RunID, Model: r.Model, From: time.Unix(0, int64(r.From)), To: time.Unix(0, int64(r.To)), Tests: len(r.Tests)}
			for _, t := range r.Tests {
				if t.From != 0 {
					run.Marks = append(run.Marks, chart.Mark{Name: t.TestID, From: time.Unix(0, int64(t.From)), To: time.Unix(0, int64(t.To))})
				}
			}
			d.Runs = append(d.Runs, run)
		}
	}
	return views.GPUs(views.NewGPUPage(d, q)), nil
}

// gpuReadings answers with the readings of a window as a document of OTLP/JSON.
func (s *Server) gpuReadings(c echo.Context, v *store.Snapshot, a *answer) error {
	q, err := views.ParseGPUQuery(c.QueryParams())
	if err != nil {
		return err
	}
	w, err := s.gpuWindow(c.Request().Context(), v, q.Length())
	if err != nil {
		return err
	}
	if len(w.readings) == 0 {
		return absent(store.ErrNotFound, "readings of GPUs for", q.Window)
	}
	a.as(jsonType)
	a.attach("gpu-readings.otlp.json")
	return gpu.WriteOTLP(a, w.readings, gpuResource(w.series))
}

// gpuResource is what readings of a series are of, in OpenTelemetry's terms.
func gpuResource(of store.ReadingSeries) map[string]string {
	return map[string]string{"service.name": "smolscope", "host.name": of.Host, "smolscope.gpu.source": of.Source}
}

// A gpuWindow is what is known of the GPUs over a stretch of time that ends now, or
// with the last reading where there are none now.
type gpuWindow struct {
	series   store.ReadingSeries // "" where there are no readings at all
	reason   string              // why there are none now, "" if there are
	lately   []gpu.Reading       // the last minutes, as they were taken
	from, to time.Time
	readings []gpu.Reading // as fine as they are kept for so long a time
}

func (s *Server) gpuWindow(ctx context.Context, v *store.Snapshot, length time.Duration) (w gpuWindow, err error) {
	w.lately, w.reason = s.monitor.latest()
	w.to = time.Now()
	levels := s.monitor.keep.levels()
	if n := len(w.lately); n > 0 {
		w.series = store.ReadingSeries{Source: w.lately[n-1].Source, Host: s.monitor.host}
		if w.reason != "" {
			w.to = w.lately[n-1].Time
		}
	} else if w.series, w.to, err = lastKept(ctx, v, levels); err != nil {
		return w, err
	}
	w.from = w.to.Add(-length)
	if w.series.Source != "" {
		w.readings, err = kept(ctx, v, w.series, levels, w.from, w.to, w.lately)
	}
	return w, err
}

// lastKept returns the series whose readings are the newest, and when the last was
// taken; the zero series if there are none.
func lastKept(ctx context.Context, v *store.Snapshot, levels []level) (store.ReadingSeries, time.Time, error) {
	for _, l := range levels {
		series, start, err := v.LastReadings(ctx, store.ReadingSeries{Step: l.step})
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return series, start, err
		}
		list, err := readingsOf(ctx, v, series, start, start.Add(l.block))
		if err != nil || len(list) == 0 {
			return series, start, err
		}
		return series, list[len(list)-1].Time, nil
	}
	return store.ReadingSeries{}, time.Now(), nil
}

// kept returns the readings of a window, each level's where those before it end: the
// coarsest that the window needs first, and what is not stored yet last.
func kept(ctx context.Context, v *store.Snapshot, series store.ReadingSeries, levels []level, from, to time.Time, lately []gpu.Reading) ([]gpu.Reading, error) {
	coarsest := 0
	for i, l := range levels {
		if l.step > 0 && to.Sub(from)/l.step >= drawn {
			coarsest = i
		}
	}
	step := levels[coarsest].step
	var list []gpu.Reading
	next := from
	add := func(readings []gpu.Reading) {
		for len(readings) > 0 && readings[0].Time.Before(next) {
			readings = readings[1:]
		}
		if len(readings) == 0 {
			return
		}
		if step > 0 {
			readings = gpu.Rollup(readings, step)
			next = readings[len(readings)-1].Time.Truncate(step).Add(step)
		} else {
			next = readings[len(readings)-1].Time.Add(time.Nanosecond)
		}
		list = append(list, readings...)
	}
	for i := coarsest; i >= 0; i-- {
		series.Step = levels[i].step
		readings, err := readingsOf(ctx, v, series, next, to)
		if err != nil {
			return nil, err
		}
		add(readings)
	}
	add(lately)
	return list, nil
}

// few thins readings out to what a chart can show.
func few(readings []gpu.Reading, length time.Duration) []gpu.Reading {
	if len(readings) <= drawn {
		return readings
	}
	return gpu.Rollup(readings, max(time.Second, (length/drawn).Round(time.Second)))
}

// readingsShown says readings in the words of pages.
func readingsShown(readings []gpu.Reading) []views.GPUReading {
	list := make([]views.GPUReading, len(readings))
	for i := range readings {
		list[i] = views.GPUReading{At: readings[i].Time, GPUs: make([]views.GPU, len(readings[i].GPUs))}
		for k := range readings[i].GPUs {
			list[i].GPUs[k] = gpuOf(&readings[i].GPUs[k])
		}
	}
	return list
}

func gpuOf(g *gpu.GPU) views.GPU {
	out := views.GPU{ID: g.ID, Name: g.Name, Error: g.Error, Numbers: make(map[string]float64, len(gpu.Fields)), Throttle: g.ThrottleReasons}
	for _, f := range gpu.Fields {
		if v := *f.Ptr(g); v != nil {
			out.Numbers[f.Name] = *v
		}
	}
	if g.Processes != nil {
		out.Processes = []views.GPUProcess{}
	}
	for _, p := range g.Processes {
		out.Processes = append(out.Processes, views.GPUProcess{PID: p.PID, Name: p.Name, MemoryMiB: p.MemoryUsedMiB, Utilization: p.Utilization})
	}
	for _, one := range g.MIG {
		out.Instances = append(out.Instances, one.Name)
	}
	return out
}
