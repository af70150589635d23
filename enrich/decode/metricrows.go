package decode

import "smolscope/enrich"

var metricRows = Format{
	Name:    "smolscope-metrics",
	Dataset: enrich.Metrics,
	Doc:     "The metrics dataset as smolscope writes it, as JSON, JSON lines, CSV or Parquet.",
	match:   func(k *keys) bool { return k.has("metric_name", "instrument") },
	row:     (*decoder).metricRow,
}

// metricRow reads a row of the enriched metrics dataset.
func (d *decoder) metricRow() {
	record, ok := d.record(nil)
	if !ok {
		return
	}
	row, ok := typedRow(d, nil, enrich.MetricColumns, record.Set)
	if !ok {
		d.warnAt(d.where, "row %d names no run, expected run_id; row skipped", d.begun)
		return
	}
	d.part.Exported.Metrics = append(d.part.Exported.Metrics, row)
}
