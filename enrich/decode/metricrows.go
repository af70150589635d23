package decode

import "smolscope/enrich"

var metricRows = Format{
	Name:    "smolscope-metrics",
	Dataset: enrich.Metrics,
	Doc:     "The metrics dataset as smolscope writes it. Rows that were derived are left out, because they are derived again.",
	match:   func(k *keys) bool { return k.has("metric_name", "instrument") },
	row:     (*decoder).metricRow,
}

// metricRow reads a row of the enriched metrics dataset.
func (d *decoder) metricRow() {
	var p enrich.Sample
	var runID, source, service string
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "run_id":
			runID, _ = d.value().Str()
		case "metric_name":
			p.Metric = d.label("metric_name")
		case "instrument":
			p.Instrument = instrument(d.label("instrument"))
		case "unit":
			p.Unit = d.label("unit")
		case "attributes":
			p.Attrs = d.attributes("attributes")
		case "start_time_unix_nano":
			p.Start = d.unixNano("start_time_unix_nano")
		case "time_unix_nano":
			p.Time = d.unixNano("time_unix_nano")
		case "value":
			p.Value = d.float("value")
		case "count":
			p.Count = d.int("count")
		case "sum":
			p.Sum = d.float("sum")
		case "min":
			p.Min = d.float("min")
		case "max":
			p.Max = d.float("max")
		case "bucket_counts":
			p.Buckets = d.ints("bucket_counts")
		case "explicit_bounds":
			p.Bounds = d.floats("explicit_bounds")
		case "temporality":
			p.Temporality = d.label("temporality")
		case "is_monotonic":
			if b, ok := d.value().Bool(); ok {
				p.Monotonic = &b
			}
		case "source":
			source = d.label("source")
		case "scope_name":
			p.Scope = d.label("scope_name")
		case "service_name":
			service = d.label("service_name")
		default:
			d.s.skip()
		}
	}
	if d.s.err != nil {
		return
	}
	doc := d.metricsOf(runID)
	if source == "derived" {
		return
	}
	if service != "" {
		p.Resource = d.resources.service(service)
	}
	// What summarises a run was measured at no time by no one.
	if p.Time == 0 && p.Scope == "" && service == "" {
		doc.Aggregates = append(doc.Aggregates, p)
	} else {
		doc.Samples = append(doc.Samples, p)
	}
}
