package decode

import (
	"smolscope/enrich"
	"smolscope/enrich/attr"
)

var metricAggregates = Format{
	Name:    "smoltrace-metrics",
	Dataset: enrich.Metrics,
	Doc:     "SMOLTRACE's metrics.json before 24 October 2025: a list of aggregates over the run.",
	match:   func(k *keys) bool { return k.has("data_points", "name") },
	row: func(d *decoder) {
		samples := d.aggregate()
		if d.s.err == nil {
			doc := d.metricsOf("")
			doc.Aggregates = append(doc.Aggregates, samples...)
		}
	},
	names: []string{"metrics"},
}

// metricsOf returns the part's metrics of a run, "" being the one not named.
func (d *decoder) metricsOf(runID string) *enrich.MetricsDoc {
	i, ok := d.documents[runID]
	if !ok {
		if d.documents == nil {
			d.documents = make(map[string]int)
		}
		i = len(d.part.Metrics)
		d.documents[runID] = i
		d.part.Metrics = append(d.part.Metrics, enrich.MetricsDoc{RunID: runID})
	}
	return &d.part.Metrics[i]
}

// aggregate reads one of SMOLTRACE's aggregates (spec §1.4 M1): a metric whose
// points hold a number, or the sum and count of a histogram without buckets.
func (d *decoder) aggregate() []enrich.Sample {
	var metric enrich.Sample
	var points []enrich.Sample
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "name":
			metric.Metric = d.label("metric name")
		case "type":
			metric.Instrument = instrument(d.label("type"))
		case "unit":
			metric.Unit = d.label("unit")
		case "data_points":
			points = nil
			d.each("data_points", func() { points = append(points, d.aggregatePoint()) })
		default:
			d.s.skip()
		}
	}
	for i := range points {
		points[i].Metric, points[i].Instrument, points[i].Unit = metric.Metric, metric.Instrument, metric.Unit
	}
	return points
}

// instrument reads the name of an instrument; SMOLTRACE and OpenTelemetry agree
// on them but for up-down counters, which are sums.
func instrument(name string) enrich.Instrument {
	switch i := enrich.Instrument(name); i {
	case enrich.Counter, enrich.Gauge, enrich.Histogram:
		return i
	case "exponentialHistogram", "exponential_histogram", "summary":
		return enrich.Histogram
	}
	return enrich.Sum
}

// aggregatePoint reads the rest of a point that was entered.
func (d *decoder) aggregatePoint() (p enrich.Sample) {
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch string(key) {
		case "value":
			if d.s.kind() != objectKind {
				p.Value = d.float("value")
				continue
			}
			d.s.enter()
			for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
				switch string(key) {
				case "value":
					p.Value = d.float("value")
				case "sum":
					p.Sum = d.float("sum")
				case "count":
					p.Count = d.int("count")
				case "min":
					p.Min = d.float("min")
				case "max":
					p.Max = d.float("max")
				default:
					d.s.skip()
				}
			}
		case "attributes":
			p.Attrs = d.attributes("attributes")
		default:
			d.s.skip()
		}
	}
	return p
}

// float reads a number, or a string that holds one; null is absent.
func (d *decoder) float(field string) *float64 {
	v, ok := d.scalar(field, "a number")
	if !ok {
		return nil
	}
	f, ok := v.Float()
	if !ok {
		d.warn("%s is %s, expected a number", field, show(v))
		return nil
	}
	return &f
}

// int reads a whole number, or a string that holds one; null is absent.
func (d *decoder) int(field string) *int64 {
	v, ok := d.scalar(field, "a whole number")
	if !ok {
		return nil
	}
	n, ok := v.Int()
	if !ok {
		d.warn("%s is %s, expected a whole number", field, show(v))
		return nil
	}
	return &n
}

// scalar reads a number or string, and answers no for what is absent or neither.
func (d *decoder) scalar(field, want string) (attr.Value, bool) {
	switch d.s.kind() {
	case numberKind, stringKind:
		v := d.value()
		if word := v.Text(); word == "NaN" || word == "Infinity" || word == "-Infinity" {
			d.s.nonFinite++ // as OTLP/JSON writes them
			return v, false
		}
		_, stated := v.Str()
		return v, stated
	case nullKind:
		d.s.null()
	case objectKind:
		line := d.s.line(d.s.pos)
		if n, ok := d.long(); ok {
			return attr.IntValue(n), true
		}
		d.warnAt(line, "%s is an object, expected %s", field, want)
	default:
		d.wrong(field, want)
	}
	return attr.Value{}, false
}

func (d *decoder) floats(field string) (list []float64) {
	if d.s.kind() != listKind {
		d.nullOr(field, "a list of numbers")
		return nil
	}
	list = []float64{}
	d.s.enter()
	for d.s.nextItem() {
		if f := d.float(field); f != nil {
			list = append(list, *f)
		}
	}
	return list
}

func (d *decoder) ints(field string) (list []int64) {
	if d.s.kind() != listKind {
		d.nullOr(field, "a list of whole numbers")
		return nil
	}
	list = []int64{}
	d.s.enter()
	for d.s.nextItem() {
		if n := d.int(field); n != nil {
			list = append(list, *n)
		}
	}
	return list
}

// nullOr reads a null, or a value that is wrong.
func (d *decoder) nullOr(field, want string) {
	if d.s.kind() == nullKind {
		d.s.null()
	} else {
		d.wrong(field, want)
	}
}
