package decode

import (
	"strconv"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

var metricsDocument = Format{
	Name:    "smoltrace-metrics",
	Dataset: enrich.Metrics,
	Doc:     "SMOLTRACE's metrics.json since 24 October 2025: run id, batches of OpenTelemetry metrics, and aggregates.",
	match:   func(k *keys) bool { return k.has("resourceMetrics") && k.any("aggregates", "run_id") },
	row:     (*decoder).metricsDocument,
	names:   []string{"metrics"},
}

// metricsDocument reads a metrics document (spec §1.4 M2, M3).
func (d *decoder) metricsDocument() {
	var doc enrich.MetricsDoc
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "run_id":
			doc.RunID, _ = d.value().Str()
		case "resourceMetrics":
			d.each("resourceMetrics", func() { doc.Samples = append(doc.Samples, d.metricsBatch()...) })
		case "aggregates":
			d.objects("aggregates", func() { doc.Aggregates = append(doc.Aggregates, d.aggregate()...) })
		default:
			d.s.skip()
		}
	}
	if d.s.err != nil {
		return
	}
	to := d.metricsOf(doc.RunID)
	to.Samples = append(to.Samples, doc.Samples...)
	to.Aggregates = append(to.Aggregates, doc.Aggregates...)
}

// metricsBatch reads the rest of one exported batch that was entered.
func (d *decoder) metricsBatch() (samples []enrich.Sample) {
	var resource *enrich.Resource
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "resource":
			d.one("resource", func() {
				for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
					if string(key) != "attributes" {
						d.s.skip()
						continue
					}
					if set := d.keyValues("resource attributes"); len(set) > 0 {
						resource = d.resources.shared(&enrich.Resource{Attrs: set})
					}
				}
			})
		case "scopeMetrics":
			d.each("scopeMetrics", func() { samples = append(samples, d.scopeMetrics()...) })
		default:
			d.s.skip()
		}
	}
	for i := range samples {
		samples[i].Resource = resource
	}
	return samples
}

func (d *decoder) scopeMetrics() (samples []enrich.Sample) {
	var scope string
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "scope":
			if sc := d.scope(); sc != nil {
				scope = sc.Name
			}
		case "metrics":
			d.each("metrics", func() { samples = append(samples, d.metric()...) })
		default:
			d.s.skip()
		}
	}
	for i := range samples {
		samples[i].Scope = scope
	}
	return samples
}

// metric reads the rest of a metric that was entered. An exponential histogram
// has no data in these files, and gives no samples.
func (d *decoder) metric() (samples []enrich.Sample) {
	var metric enrich.Sample
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "name":
			metric.Metric = d.label("metric name")
		case "unit":
			metric.Unit = d.label("unit")
		case "gauge", "sum", "histogram":
			metric.Instrument = instrument(string(key))
			// SMOLTRACE's exporter is cumulative and does not always say so.
			if metric.Instrument != enrich.Gauge {
				metric.Temporality = "cumulative"
			}
			d.one(string(metric.Instrument), func() { samples = d.dataPoints(&metric) })
		default:
			d.s.skip()
		}
	}
	for i := range samples {
		p := &samples[i]
		p.Metric, p.Unit, p.Instrument = metric.Metric, metric.Unit, metric.Instrument
		p.Temporality, p.Monotonic = metric.Temporality, metric.Monotonic
	}
	return samples
}

func (d *decoder) dataPoints(metric *enrich.Sample) (samples []enrich.Sample) {
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "dataPoints":
			d.each("dataPoints", func() { samples = append(samples, d.dataPoint()) })
		case "aggregationTemporality":
			switch d.value().Text() {
			case "1", "AGGREGATION_TEMPORALITY_DELTA":
				metric.Temporality = "delta"
			case "2", "AGGREGATION_TEMPORALITY_CUMULATIVE":
				metric.Temporality = "cumulative"
			}
		case "isMonotonic":
			if b, ok := d.value().Bool(); ok {
				metric.Monotonic = &b
			}
		default:
			d.s.skip()
		}
	}
	return samples
}

// dataPoint reads the rest of a point that was entered. Of asInt and asDouble
// both are there and one is null.
func (d *decoder) dataPoint() (p enrich.Sample) {
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "asInt", "asDouble":
			if f := d.float("value"); f != nil {
				p.Value = f
			}
		case "timeUnixNano":
			p.Time = d.unixNano("timeUnixNano")
		case "startTimeUnixNano":
			p.Start = d.unixNano("startTimeUnixNano")
		case "attributes":
			p.Attrs = d.keyValues("attributes")
		case "count":
			p.Count = d.int("count")
		case "sum":
			p.Sum = d.float("sum")
		case "min":
			p.Min = d.float("min")
		case "max":
			p.Max = d.float("max")
		case "bucketCounts":
			p.Buckets = d.ints("bucketCounts")
		case "explicitBounds":
			p.Bounds = d.floats("explicitBounds")
		default:
			d.s.skip()
		}
	}
	return p
}

// unixNano reads nanoseconds since the epoch, which a string or number holds;
// unlike a SMOLTRACE time it never counts anything else.
func (d *decoder) unixNano(field string) enrich.Time {
	v, ok := d.scalar(field, "nanoseconds")
	if !ok {
		return 0
	}
	n, ok := v.Int()
	if !ok {
		d.warn("%s is %s, expected nanoseconds", field, show(v))
	}
	return enrich.Time(n)
}

// one reads an object; read reads the rest of it when it was entered.
func (d *decoder) one(field string, read func()) {
	if d.s.kind() != objectKind {
		d.nullOr(field, "an object")
		return
	}
	d.s.enter()
	read()
}

// keyValues reads a list of attributes as OpenTelemetry writes it:
// [{"key":…,"value":{"stringValue":…}}, …].
func (d *decoder) keyValues(field string) attr.Set {
	base := len(d.stack)
	d.each(field, func() {
		var a attr.KeyValue
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			switch string(key) {
			case "key":
				a.Key = d.label("attribute key")
			case "value":
				a.Value = d.anyValue()
			default:
				d.s.skip()
			}
		}
		d.stack = append(d.stack, a)
	})
	return d.pop(base)
}

// anyValue reads OpenTelemetry's tagged value; one without a tag is null.
func (d *decoder) anyValue() (v attr.Value) {
	if d.s.kind() != objectKind {
		return d.value()
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		tag := d.keep.name(key)
		member := d.value()
		if member.IsNull() {
			continue
		}
		v = member
		switch tag {
		case "intValue":
			if n, err := strconv.ParseInt(member.Text(), 10, 64); err == nil {
				v = attr.IntValue(n)
			}
		case "doubleValue":
			if f, ok := member.Float(); ok {
				v = attr.FloatValue(f)
			}
		}
	}
	return v
}
