package enrich

import (
	"cmp"
	"slices"

	"smolscope/enrich/attr"
)

// metricRows lists the metrics of a run, one row a data point: what its files
// report, and what its spans and results tell (spec §4.1).
func (e *enricher) metricRows(results []ResultRow) []MetricRow {
	var rows []MetricRow
	seen := map[string]bool{}
	for _, m := range e.run.Metrics {
		for _, list := range [][]Sample{m.Samples, m.Aggregates} {
			for i := range list {
				r := e.metricRow(&list[i])
				// A point that two files or two export batches repeat is one point.
				if key := string(AppendRow(nil, MetricColumns, &r)); !seen[key] {
					seen[key] = true
					rows = append(rows, r)
				}
			}
		}
	}
	rows = append(rows, e.derivedMetrics(results)...)
	slices.SortStableFunc(rows, func(a, b MetricRow) int {
		return cmp.Or(cmp.Compare(a.MetricName, b.MetricName), cmp.Compare(a.level(), b.level()), cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.TimeUnixNano, b.TimeUnixNano), cmp.Compare(a.Attributes, b.Attributes))
	})
	for i := range rows {
		r := &rows[i]
		from := Origin{Reported, "metrics file"}
		if r.Source == string(Derived) {
			from = Origin{Derived, derivedMetricReasons[r.MetricName]}
		}
		columns := columnOrigins(origins{}, MetricColumns, r, from)
		columns["run_id"] = Origin{provenanceOfRunID(e.runIDSource), e.runIDFrom}
		e.provenance.put(Metrics, r.MetricName+":"+cmp.Or(r.level(), "run"), columns)
	}
	return rows
}

// level returns the test that a point belongs to, "" for the run.
func (r *MetricRow) level() string {
	if r.TestID == nil {
		return ""
	}
	return *r.TestID
}

func (e *enricher) metricRow(s *Sample) MetricRow {
	r := MetricRow{
		RunID: e.runID, MetricName: s.Metric, Instrument: string(s.Instrument), Unit: text(s.Unit),
		Attributes:        JSON(s.Attrs.AppendJSON(nil)),
		StartTimeUnixNano: UnixNano(s.Start), TimeUnixNano: UnixNano(s.Time),
		Value: s.Value, Count: s.Count, Sum: s.Sum, Min: s.Min, Max: s.Max,
		BucketCounts: s.Buckets, ExplicitBounds: s.Bounds,
		Temporality: text(s.Temporality), IsMonotonic: s.Monotonic, Source: string(Reported), ScopeName: text(s.Scope),
	}
	if s.Resource != nil {
		name, _ := s.Resource.Attrs.Str(attr.ServiceName)
		r.ServiceName = text(name)
	}
	return r
}
