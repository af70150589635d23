package decode

import "smolscope/enrich"

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
	for i := range doc.Samples {
		// SMOLTRACE's exporter is cumulative and does not always say so.
		if p := &doc.Samples[i]; p.Instrument != enrich.Gauge && p.Temporality == "" {
			p.Temporality = "cumulative"
		}
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
			resource = d.anyResource()
		case "scopeMetrics", "scope_metrics", "instrumentationLibraryMetrics", "instrumentation_library_metrics":
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
		case "scope", "instrumentationLibrary", "instrumentation_library":
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

// metric reads the rest of a metric that was entered. Of an exponential
// histogram the buckets are left out, as no list of bounds describes them; a
// summary is a histogram without buckets, of all since the start.
func (d *decoder) metric() (samples []enrich.Sample) {
	var metric enrich.Sample
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "name":
			metric.Metric = d.label("metric name")
		case "unit":
			metric.Unit = d.label("unit")
		case "gauge", "sum", "histogram", "exponentialHistogram", "exponential_histogram", "summary":
			metric.Instrument = instrument(string(key))
			if string(key) == "summary" {
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
		case "dataPoints", "data_points":
			d.each("dataPoints", func() {
				if p, recorded := d.dataPoint(); recorded {
					samples = append(samples, p)
				}
			})
		case "aggregationTemporality", "aggregation_temporality":
			switch d.value().Text() {
			case "1", "AGGREGATION_TEMPORALITY_DELTA":
				metric.Temporality = "delta"
			case "2", "AGGREGATION_TEMPORALITY_CUMULATIVE":
				metric.Temporality = "cumulative"
			}
		case "isMonotonic", "is_monotonic":
			if b, ok := d.value().Bool(); ok {
				metric.Monotonic = &b
			}
		default:
			d.s.skip()
		}
	}
	return samples
}

// dataPoint reads the rest of a point that was entered, and whether it has a
// value. Of asInt and asDouble SMOLTRACE writes both, one being null.
func (d *decoder) dataPoint() (p enrich.Sample, recorded bool) {
	recorded = true
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "asInt", "asDouble", "as_int", "as_double":
			if f := d.float("value"); f != nil {
				p.Value = f
			}
		case "timeUnixNano", "time_unix_nano":
			p.Time = d.anyTime("timeUnixNano")
		case "startTimeUnixNano", "start_time_unix_nano":
			p.Start = d.anyTime("startTimeUnixNano")
		case "attributes":
			p.Attrs = d.anyAttributes("attributes", false)
		case "count":
			p.Count = d.int("count")
		case "sum":
			p.Sum = d.float("sum")
		case "min":
			p.Min = d.float("min")
		case "max":
			p.Max = d.float("max")
		case "bucketCounts", "bucket_counts":
			p.Buckets = d.ints("bucketCounts")
		case "explicitBounds", "explicit_bounds":
			p.Bounds = d.floats("explicitBounds")
		case "flags":
			// The first of them says that the point was not recorded.
			n := d.int("flags")
			recorded = n == nil || *n&1 == 0
		default:
			d.s.skip()
		}
	}
	return p, recorded
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
