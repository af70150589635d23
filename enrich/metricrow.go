package enrich

import (
	"cmp"
	"slices"

	"smolscope/enrich/attr"
)

// metricRows lists the metrics of a run, one row a data point: what its files
// report, and what its spans and results tell (spec §4.1).
func (e *enricher) metricRows(results []ResultRow) []MetricRow {
	var rows []*MetricRow
	seen := map[string]bool{}
	aliases := usableAliases(e.run.Metrics)
	for _, m := range e.run.Metrics {
		for _, list := range [][]Sample{m.Samples, m.Aggregates} {
			for i := range list {
				sample := rename(list[i], aliases)
				r := e.metricRow(&sample)
				// A point that two files or two export batches repeat is one point.
				if key := string(AppendRow(nil, MetricColumns, r)); !seen[key] {
					seen[key] = true
					rows = append(rows, r)
				}
			}
		}
	}
	rows = append(rows, e.derivedMetrics(results)...)
	slices.SortStableFunc(rows, compareMetrics)
	list := make([]MetricRow, len(rows))
	for i, r := range rows {
		list[i] = *r
		r = &list[i]
		from := Origin{Reported, "metrics file"}
		if r.Source == string(Derived) {
			from = Origin{Derived, derivedMetricReasons[r.MetricName] + e.unjoinedReason(r)}
		}
		o := metricType.originsOf(&e.provenance, r)
		o.note(provenanceOfRunID(e.runIDSource), e.runIDFrom, &r.RunID)
		metricType.settle(o, r, r.ProvenanceKey(), from)
	}
	return list
}

// unjoinedReason says whether a metric of the run counts traces that no results
// row is of: what was called is all that there was; the sums that the leaderboard
// has too, and how tests went, are of the tests.
func (e *enricher) unjoinedReason(r *MetricRow) string {
	if len(e.unjoined) == 0 || r.TestID != nil {
		return ""
	}
	switch r.MetricName {
	case "gen_ai.requests", "gen_ai.client.errors", "gen_ai.client.token.usage", "gen_ai.client.operation.duration", "gen_ai.server.ttft", "gen_ai.server.tbt":
		return "; those of " + plural(len(e.unjoined), "traced test") + " without a results row are in it, which the leaderboard leaves out"
	}
	return ""
}

// compareMetrics orders the rows of the metrics dataset.
func compareMetrics(a, b *MetricRow) int {
	if c := cmp.Compare(a.MetricName, b.MetricName); c != 0 {
		return c
	}
	if c := cmp.Compare(a.level(), b.level()); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.TimeUnixNano, b.TimeUnixNano), cmp.Compare(a.Attributes, b.Attributes))
}

// ProvenanceKey is the key of the row in the metrics of a Provenance: its name
// and its test, "run" for the run, and "reported" behind what a file states.
func (r *MetricRow) ProvenanceKey() string {
	key := r.MetricName + ":" + cmp.Or(r.level(), "run")
	if r.Source != string(Derived) {
		key += ":reported"
	}
	return key
}

// level returns the test that a point belongs to, "" for the run.
func (r *MetricRow) level() string {
	if r.TestID == nil {
		return ""
	}
	return *r.TestID
}

func (e *enricher) metricRow(s *Sample) *MetricRow {
	r := &MetricRow{
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
