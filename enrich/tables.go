package enrich

// Tables are the enriched rows of one run.
type Tables struct {
	Leaderboard LeaderboardRow
	Results     []ResultRow // by start time, those without one last, then case
	Traces      []TraceRow  // by start time, those without one last, then id
	Metrics     []MetricRow // by metric name, test, time, attributes
	Spans       []SpanRow   // by trace in the order of Traces, then in waterfall order
	Quality     Quality
	Provenance  *Provenance // nil when nothing is known of it
	Sources     []string    // SHA-256 of the files the run was made of, sorted
	Exported    bool        // it was made of exports of smolscope alone
	LeftOut     []LeftOut   // exported rows that are not in it
}

// The names of the datasets, as provenance, coverage and file receipts use them.
const (
	Results     = "results"
	Traces      = "traces"
	Metrics     = "metrics"
	Leaderboard = "leaderboard"
)
