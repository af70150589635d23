package server

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"smolscope/gpu"
	"smolscope/server/store"
)

// metricsTime is how long the store may take to answer.
const metricsTime = 5 * time.Second

// metrics answers in Prometheus' formats: the latest reading of each GPU, how many
// runs there are and who follows them, and the program's own memory and time.
func (s *Server) metrics() echo.HandlerFunc {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newCollector(s))
	return echo.WrapHandler(promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}))
}

// A collector says what the server knows at the time it is asked.
type collector struct {
	server             *Server
	runs, streams, gpu *prometheus.Desc
	fields             []*prometheus.Desc // of gpu.Fields
}

func newCollector(s *Server) *collector {
	labels := []string{"gpu_id", "gpu_name", "gpu_uuid"}
	c := &collector{
		server:  s,
		runs:    prometheus.NewDesc("smolscope_runs", "Runs in the database.", nil, nil),
		streams: prometheus.NewDesc("smolscope_streams", "Clients that follow what happens.", nil, nil),
		gpu:     prometheus.NewDesc("smolscope_gpu_available", "1 while the GPUs of this machine can be read.", []string{"source"}, nil),
	}
	for _, f := range gpu.Fields {
		name := "smolscope_" + f.Name
		if f.Counter {
			name += "_total"
		}
		c.fields = append(c.fields, prometheus.NewDesc(name, f.Doc, labels, nil))
	}
	return c
}

// Describe names nothing: which GPUs there are is known only when they are read.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect says how things stand.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := c.server
	ctx, cancel := context.WithTimeout(context.Background(), metricsTime)
	defer cancel()
	err := s.Store.Read(ctx, func(v *store.Snapshot) error {
		_, total, err := v.Runs(ctx, store.RunQuery{Limit: 1})
		out <- prometheus.MustNewConstMetric(c.runs, prometheus.GaugeValue, float64(total))
		return err
	})
	if err != nil {
		out <- prometheus.NewInvalidMetric(c.runs, err)
	}
	out <- prometheus.MustNewConstMetric(c.streams, prometheus.GaugeValue, float64(s.ingester.changed.count()))
	readings, reason := s.monitor.latest()
	if reason != "" || len(readings) == 0 {
		out <- prometheus.MustNewConstMetric(c.gpu, prometheus.GaugeValue, 0, "")
		return
	}
	last := &readings[len(readings)-1]
	out <- prometheus.MustNewConstMetric(c.gpu, prometheus.GaugeValue, 1, last.Source)
	for k := range last.GPUs {
		g := &last.GPUs[k]
		for i, f := range gpu.Fields {
			kind := prometheus.GaugeValue
			if f.Counter {
				kind = prometheus.CounterValue
			}
			if v := *f.Ptr(g); v != nil {
				out <- prometheus.NewMetricWithTimestamp(last.Time, prometheus.MustNewConstMetric(c.fields[i], kind, *v, g.ID, g.Name, g.UUID))
			}
		}
	}
}
