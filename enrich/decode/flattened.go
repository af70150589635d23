package decode

import (
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

var flattenedMetrics = Format{
	Name:    "smoltrace-flattened-metrics",
	Dataset: enrich.Metrics,
	Doc:     "SMOLTRACE's metrics on the Hugging Face Hub and in OpenSearch since 27 October 2025: one row per time, one column per metric.",
	match: func(k *keys) bool {
		return k.any("timestamp_unix_nano", "gpu_power_watts", "gpu_utilization_percent", "co2_emissions_gco2e")
	},
	row: (*decoder).flattenedRow,
}

// A flattenedColumn is a metric that flattened rows hold in a column.
type flattenedColumn struct {
	column, metric, unit string
	instrument           enrich.Instrument
	zero                 zero
	attributes           []string // columns that hold the attributes of its point
}

// A zero says what a 0 in a column means. In the columns that every row has,
// SMOLTRACE writes 0 for what was not measured (spec §3.11).
type zero int

const (
	zeroIsReal       zero = iota // the column is there only where the metric is
	zeroOfRealRow                // real if the row has a reading of a GPU
	zeroIsUnmeasured             // no GPU reads it, and a counter only seems to begin anew with it
)

var ofGPU = []string{"gpu_id", "gpu_name", "gpu_vendor"}

// flattenedColumns lists the columns that are read (spec §1.4 M4): those that
// every row has, then those named like further metrics, with _ for dots.
// Counters of calls are not among them: of their many sets of attributes a row
// holds one, and not which.
var flattenedColumns = append([]flattenedColumn{
	{"gpu_utilization_percent", "gen_ai.gpu.utilization", "%", enrich.Gauge, zeroOfRealRow, ofGPU},
	{"gpu_memory_used_mib", "gen_ai.gpu.memory.used", "MiB", enrich.Gauge, zeroOfRealRow, ofGPU},
	{"gpu_memory_total_mib", "gen_ai.gpu.memory.total", "MiB", enrich.Gauge, zeroIsUnmeasured, ofGPU},
	{"gpu_temperature_celsius", "gen_ai.gpu.temperature", "Cel", enrich.Gauge, zeroIsUnmeasured, ofGPU},
	{"gpu_power_watts", "gen_ai.gpu.power", "W", enrich.Gauge, zeroIsUnmeasured, ofGPU},
	{"co2_emissions_gco2e", "gen_ai.co2.emissions", "gCO2e", enrich.Sum, zeroIsUnmeasured, append([]string{"source"}, ofGPU...)},
	{"power_cost_usd", "gen_ai.power.cost", "USD", enrich.Sum, zeroIsUnmeasured, ofGPU},
}, namedLikeMetrics()...)

func namedLikeMetrics() (list []flattenedColumn) {
	for _, m := range []struct {
		metric, unit string
		instrument   enrich.Instrument
		attributes   []string
	}{
		{"gen_ai.energy.consumed", "kWh", enrich.Sum, []string{"component"}},
		{"gen_ai.energy.total", "kWh", enrich.Sum, nil},
		{"gen_ai.gpu.memory.utilization", "%", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.power.limit", "W", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.clock.sm", "MHz", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.clock.memory", "MHz", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.fan.speed", "%", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.performance.state", "", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.pcie.tx", "KB/s", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.pcie.rx", "KB/s", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.throttle.thermal", "", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.throttle.power", "", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.throttle.hw_slowdown", "", enrich.Gauge, ofGPU},
		{"gen_ai.gpu.aggregate.mean_utilization", "%", enrich.Gauge, nil},
		{"gen_ai.gpu.aggregate.total_memory_used", "GiB", enrich.Gauge, nil},
		{"gen_ai.gpu.aggregate.total_power", "W", enrich.Gauge, nil},
		{"gen_ai.gpu.aggregate.max_temperature", "Cel", enrich.Gauge, nil},
		{"gen_ai.server.requests.running", "{request}", enrich.Gauge, nil},
		{"gen_ai.server.requests.waiting", "{request}", enrich.Gauge, nil},
		{"gen_ai.server.requests.max", "{request}", enrich.Gauge, nil},
		{"gen_ai.server.kv_cache.usage", "", enrich.Gauge, nil},
	} {
		list = append(list, flattenedColumn{strings.ReplaceAll(m.metric, ".", "_"), m.metric, m.unit, m.instrument, zeroIsReal, m.attributes})
	}
	return list
}

// flattenedRow reads a row of flattened metrics (spec §1.4 M4, M5).
func (d *decoder) flattenedRow() {
	row := d.set()
	if d.s.err != nil {
		return
	}
	runID, _ := row.Get("run_id").Str()
	doc := d.flattenedOf(runID)
	// The column timestamp holds local time of an unknown zone.
	at, timed := row.Get("timestamp_unix_nano").Int()
	gpu := measuresGPU(row)
	if !timed && !gpu {
		d.flag(enrich.FlagAPIPlaceholder)
		return
	}
	if !timed {
		d.warn("timestamp_unix_nano is %s, expected nanoseconds; row has no readings without it", show(row.Get("timestamp_unix_nano")))
		return
	}
	var resource *enrich.Resource
	if service, ok := row.Get("service_name").Str(); ok {
		resource = d.resources.service(service)
	}
	for _, c := range flattenedColumns {
		v, ok := d.reading(row, c.column)
		if !ok || v == 0 && (c.zero == zeroIsUnmeasured || c.zero == zeroOfRealRow && !gpu) {
			continue
		}
		p := enrich.Sample{Metric: c.metric, Instrument: c.instrument, Unit: c.unit, Time: enrich.Time(at), Value: &v,
			Attrs: attributesOf(row, c.attributes), Resource: resource}
		if c.instrument == enrich.Sum {
			p.Temporality, p.Monotonic = "cumulative", new(true)
		}
		doc.Samples = append(doc.Samples, p)
	}
}

// flattenedOf is metricsOf for flattened rows.
func (d *decoder) flattenedOf(runID string) *enrich.MetricsDoc {
	doc := d.metricsOf(runID)
	doc.Flattened = true
	return doc
}

// measuresGPU reports whether a GPU was read for the row: else its zeros stand
// for nothing (spec §3.11).
func measuresGPU(row attr.Set) bool {
	for _, c := range flattenedColumns {
		if v, ok := row.Get(c.column).Float(); c.zero != zeroIsReal && ok && v > 0 && c.instrument == enrich.Gauge {
			return true
		}
	}
	return false
}

// reading returns the number in a column.
func (d *decoder) reading(row attr.Set, column string) (float64, bool) {
	v := row.Get(column)
	f, ok := v.Float()
	if _, stated := v.Str(); stated && !ok {
		d.warn("%s is %s, expected a number", column, show(v))
	}
	return f, ok
}

// attributesOf returns the attributes of a point that stand in columns. An id is
// a text, whatever type the column has.
func attributesOf(row attr.Set, columns []string) attr.Set {
	var list []attr.KeyValue
	for _, name := range columns {
		v := row.Get(name)
		if text, ok := v.Str(); ok {
			v = attr.StringValue(text)
		} else {
			v = attr.Value{}
		}
		list = append(list, attr.KeyValue{Key: name, Value: v})
	}
	return attr.NewSet(list)
}
