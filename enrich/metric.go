package enrich

// A MetricRow is one data point of a metric: a row of the metrics dataset.
type MetricRow struct {
	RunID             string
	TestID            *string
	TraceID           *string
	MetricName        string
	Instrument        string
	Unit              *string
	Attributes        JSON
	StartTimeUnixNano UnixNano
	TimeUnixNano      UnixNano
	Value             *float64
	Count             *int64
	Sum               *float64
	Min               *float64
	Max               *float64
	BucketCounts      []int64
	ExplicitBounds    []float64
	Temporality       *string
	IsMonotonic       *bool
	Source            string
	ScopeName         *string
	ServiceName       *string
}

// MetricColumns describes the metrics dataset (spec §4.1).
var MetricColumns = []Column[MetricRow]{
	{"run_id", "Run", None, Critical, Neither, "Id of the run.", func(r *MetricRow) any { return &r.RunID }},
	{"test_id", "Test", None, High, Neither, "Id of the test that a per-test point belongs to; trace_id tells agents and repeats apart. Null at run and GPU level.", func(r *MetricRow) any { return &r.TestID }},
	{"trace_id", "Trace", None, High, Neither, "Trace that a per-test point belongs to; null at run and GPU level.", func(r *MetricRow) any { return &r.TraceID }},
	{"metric_name", "Metric", None, Captured, Neither, "Name of the metric (spec §4.2).", func(r *MetricRow) any { return &r.MetricName }},
	{"instrument", "Instrument", None, Captured, Neither, "Kind of measurement: counter, sum, gauge or histogram.", func(r *MetricRow) any { return &r.Instrument }},
	{"unit", "Unit", None, Captured, Neither, "Unit of the value, in UCUM's notation where the producer used it.", func(r *MetricRow) any { return &r.Unit }},
	{"attributes", "Attributes", None, Captured, Neither, "Attributes of the data point as a JSON object, keys sorted.", func(r *MetricRow) any { return &r.Attributes }},
	{"start_time_unix_nano", "Start ns", None, Extra, Neither, "Start of the interval the point covers, nanoseconds since the Unix epoch.", func(r *MetricRow) any { return &r.StartTimeUnixNano }},
	{"time_unix_nano", "Time ns", None, Captured, Neither, "Time of the point, nanoseconds since the Unix epoch.", func(r *MetricRow) any { return &r.TimeUnixNano }},
	{"value", "Value", None, Captured, Neither, "Value of a counter, sum or gauge.", func(r *MetricRow) any { return &r.Value }},
	{"count", "Observations", Count, Extra, Neither, "Number of observations of a histogram.", func(r *MetricRow) any { return &r.Count }},
	{"sum", "Sum", None, Extra, Neither, "Sum of the observations of a histogram.", func(r *MetricRow) any { return &r.Sum }},
	{"min", "Minimum", None, Extra, Neither, "Least observation of a histogram.", func(r *MetricRow) any { return &r.Min }},
	{"max", "Maximum", None, Extra, Neither, "Greatest observation of a histogram.", func(r *MetricRow) any { return &r.Max }},
	{"bucket_counts", "Bucket counts", None, Extra, Neither, "Observations per bucket, upper bounds inclusive; one more than the bounds (spec §4.1).", func(r *MetricRow) any { return &r.BucketCounts }},
	{"explicit_bounds", "Bounds", None, Extra, Neither, "Upper bounds of the buckets, ascending.", func(r *MetricRow) any { return &r.ExplicitBounds }},
	{"temporality", "Temporality", None, Extra, Neither, "Whether the point covers its own interval (delta) or all since the start (cumulative).", func(r *MetricRow) any { return &r.Temporality }},
	{"is_monotonic", "Monotonic", None, Extra, Neither, "Whether the sum can only grow.", func(r *MetricRow) any { return &r.IsMonotonic }},
	{"source", "Source", None, Extra, Neither, "reported when a metrics file says it, derived when it was counted from spans and results.", func(r *MetricRow) any { return &r.Source }},
	{"scope_name", "Scope", None, Extra, Neither, "Instrumentation scope that reported the point.", func(r *MetricRow) any { return &r.ScopeName }},
	{"service_name", "Service", None, Extra, Neither, "service.name of the reporting resource.", func(r *MetricRow) any { return &r.ServiceName }},
}
