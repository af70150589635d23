package server

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"smolscope/gpu"
	"smolscope/server/store"
	"smolscope/views"
)

// addGPU adds what the GPU tab of a run shows, or that this machine's readings can be
// taken for it.
func (s *Server) addGPU(ctx context.Context, c echo.Context, v *store.Snapshot, d *views.RunData) (err error) {
	run := d.Row.RunID
	if d.GPU, err = v.GPUMetrics(ctx, run, slices.Sorted(maps.Keys(views.GPUMetrics))); err != nil || len(d.GPU) > 0 {
		return err
	}
	if _, shared := openedBy(c); shared {
		return nil
	}
	m, err := s.measured(ctx, v, run)
	if err != nil || len(m.readings) == 0 {
		return err
	}
	d.Offer = &views.GPUOffer{Host: m.series.Host, Readings: len(m.readings), Simulated: m.series.Source == gpu.Simulated}
	return nil
}

// A measurement is what this machine's GPUs said while the tests of a run ran.
type measurement struct {
	series   store.ReadingSeries
	readings []gpu.Reading // from the last before the first test to the first after the last
}

// measured returns the readings of this machine that cover a run's tests, the
// finest that are kept; none if they do not reach from before the first test to
// after the last one. What a replay says is of another time, and never of a run.
func (s *Server) measured(ctx context.Context, v *store.Snapshot, run string) (m measurement, err error) {
	w, err := v.RunWindow(ctx, run)
	if err != nil || w.From == 0 || w.To <= w.From {
		return m, err
	}
	from, to := time.Unix(0, int64(w.From)), time.Unix(0, int64(w.To))
	lately, _ := s.monitor.latest()
	for _, l := range s.monitor.keep.levels() {
		aside := max(time.Minute, 2*l.step)
		series, _, err := v.LastReadings(ctx, store.ReadingSeries{Host: s.monitor.host, Step: l.step})
		if errors.Is(err, store.ErrNotFound) && len(lately) > 0 {
			series, err = store.ReadingSeries{Source: lately[0].Source, Host: s.monitor.host, Step: l.step}, nil
		}
		if errors.Is(err, store.ErrNotFound) || series.Source == gpu.Replayed {
			continue
		}
		if err != nil {
			return m, err
		}
		list, err := readingsOf(ctx, v, series, from.Add(-aside), to.Add(aside))
		if err != nil {
			return m, err
		}
		for _, r := range lately {
			if l.step == 0 && r.Source == series.Source && !r.Time.Before(from.Add(-aside)) && !r.Time.After(to.Add(aside)) && (len(list) == 0 || r.Time.After(list[len(list)-1].Time)) {
				list = append(list, r)
			}
		}
		if list = around(list, from, to); len(list) > 0 {
			return measurement{series, list}, nil
		}
	}
	return m, nil
}

// around returns the readings from the last one before a time to the first one after
// another; none if there is no such one on either side.
func around(list []gpu.Reading, from, to time.Time) []gpu.Reading {
	first := -1
	for i, r := range list {
		if !r.Time.After(from) {
			first = i
		}
		if first >= 0 && !r.Time.Before(to) {
			return list[first : i+1]
		}
	}
	return nil
}

// takeReadings makes this machine's readings a file of a run that has none. It is
// an upload like any other: what comes of it says where it came from, and it can be undone.
func (s *Server) takeReadings(c echo.Context) error {
	ctx := c.Request().Context()
	run, err := pathParam(c, "run")
	if err != nil {
		return err
	}
	var m measurement
	err = s.Store.Read(ctx, func(v *store.Snapshot) error {
		if _, err := v.Run(ctx, run); err != nil {
			return absent(err, "run", run)
		}
		own, err := v.GPUMetrics(ctx, run, slices.Sorted(maps.Keys(views.GPUMetrics)))
		if err != nil {
			return err
		}
		if len(own) > 0 {
			return &refusal{http.StatusConflict, "measured", "The run has readings of GPUs already", "They stay. Undo the upload that brought them to take those of this machine."}
		}
		m, err = s.measured(ctx, v, run)
		return err
	})
	if err != nil {
		return err
	}
	if len(m.readings) == 0 {
		return &refusal{http.StatusConflict, "not_measured", "The GPUs of this machine were not read while the tests ran",
			"Readings must reach from before the first test to after the last one, and are kept as long as --gpu-keep and its kin say."}
	}
	resource := gpuResource(m.series)
	resource["run.id"] = run
	var document bytes.Buffer
	if err := gpu.WriteOTLP(&document, m.readings, resource); err != nil {
		return err
	}
	name := "measured here.otlp.json"
	if m.series.Source == gpu.Simulated {
		name = "simulated.otlp.json"
	}
	receipt, err := s.ingester.Ingest(ctx, func(yield func(NamedReader, error) bool) { yield(NamedReader{name, &document}, nil) })
	if err != nil {
		return err
	}
	if slices.ContainsFunc(receipt.Runs, func(r views.ReceiptRun) bool { return r.RunID == run }) {
		return s.answerReceipt(c, receipt)
	}
	// The id of the run is one that its files do not state, so nothing that comes
	// later can name it.
	var uploads []string
	for _, f := range receipt.Files {
		uploads = append(uploads, f.SHA256)
	}
	if _, err := s.ingester.Undo(ctx, uploads...); err != nil {
		return err
	}
	return &refusal{http.StatusConflict, "unnamed_run", "The files of this run do not name it",
		"So readings cannot say which run they are of, and nothing was stored. Download the readings on the page of the GPUs, and drop them together with the run's files."}
}
