package enrich

import (
	"cmp"
	"slices"

	"smolscope/enrich/attr"
)

// metricRows lists the metrics that the run's files report, one row a data
// point (spec §4.1).
func (e *enricher) metricRows() []MetricRow {
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
	slices.SortStableFunc(rows, func(a, b MetricRow) int {
		return cmp.Or(cmp.Compare(a.MetricName, b.MetricName), cmp.Compare(a.TimeUnixNano, b.TimeUnixNano), cmp.Compare(a.Attributes, b.Attributes))
	})
	for i := range rows {
		r := &rows[i]
		columns := columnOrigins(origins{}, MetricColumns, r, Origin{Reported, "metrics file"})
		columns["run_id"] = Origin{provenanceOfRunID(e.runIDSource), e.runIDFrom}
		e.provenance.put(Metrics, r.MetricName+":run", columns)
	}
	return rows
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
