package enrich

// A SpanRow is one span as lists and waterfalls show it, without attributes.
type SpanRow struct {
	RunID             string
	TraceID           string
	Seq               int64
	Depth             int64
	SpanID            string
	ParentSpanID      *string
	Children          int64
	Name              string
	SpanKind          string
	Detail            *string
	StartTimeUnixNano UnixNano
	OffsetUS          *float64
	DurationUS        *float64
	PromptTokens      *int64
	CompletionTokens  *int64
	TotalTokens       *int64
	Counted           *bool
	NotCountedBecause *string
	CostUSD           *float64
	GPUEnergyWh       *float64
	Status            string
	ErrorType         *string
	Events            int64
	JSONFrom          int64
	JSONTo            int64
}

// SpanColumns describes span rows. They are no dataset of the seed's: they are
// what a trace page reads, so that attributes are touched only on demand.
var SpanColumns = []Column[SpanRow]{
	{"run_id", "Run", None, Extra, Neither, "Id of the run.", func(r *SpanRow) any { return &r.RunID }},
	{"trace_id", "Trace", None, Extra, Neither, "Id of the trace.", func(r *SpanRow) any { return &r.TraceID }},
	{"seq", "Row", Count, Extra, Neither, "Place in waterfall order, from 0: depth first, siblings by start.", func(r *SpanRow) any { return &r.Seq }},
	{"depth", "Depth", Count, Extra, Neither, "Distance from the root; orphans count as children of the root (spec §3.1).", func(r *SpanRow) any { return &r.Depth }},
	{"span_id", "Span", None, Extra, Neither, "Id of the span, 16 hex digits.", func(r *SpanRow) any { return &r.SpanID }},
	{"parent_span_id", "Parent", None, Extra, Neither, "Parent in the tree as shown; null at the root.", func(r *SpanRow) any { return &r.ParentSpanID }},
	{"children", "Children", Count, Extra, Neither, "Direct children in the tree as shown.", func(r *SpanRow) any { return &r.Children }},
	{"name", "Name", None, Extra, Neither, "Name of the span.", func(r *SpanRow) any { return &r.Name }},
	{"span_kind", "Kind", None, Extra, Neither, "What the span is: LLM, AGENT, TOOL, CHAIN, TEST and so on (spec §2.2).", func(r *SpanRow) any { return &r.SpanKind }},
	{"detail", "Model or tool", None, Extra, Neither, "Model of an LLM span, tool of a TOOL span.", func(r *SpanRow) any { return &r.Detail }},
	{"start_time_unix_nano", "Start ns", None, Extra, Neither, "Start in nanoseconds since the Unix epoch.", func(r *SpanRow) any { return &r.StartTimeUnixNano }},
	{"offset_us", "Start", Microseconds, Extra, Neither, "Start after the trace's first span.", func(r *SpanRow) any { return &r.OffsetUS }},
	{"duration_us", "Time", Microseconds, Extra, Lower, "Length of the span.", func(r *SpanRow) any { return &r.DurationUS }},
	{"prompt_tokens", "Tokens in", Tokens, Extra, Neither, "Prompt tokens that the span states.", func(r *SpanRow) any { return &r.PromptTokens }},
	{"completion_tokens", "Tokens out", Tokens, Extra, Neither, "Completion tokens that the span states.", func(r *SpanRow) any { return &r.CompletionTokens }},
	{"total_tokens", "Tokens", Tokens, Extra, Neither, "Tokens that the span states.", func(r *SpanRow) any { return &r.TotalTokens }},
	{"counted", "Counted", None, Extra, Neither, "Whether the span's tokens are in the totals; null when it states none (spec §3.2).", func(r *SpanRow) any { return &r.Counted }},
	{"not_counted_because", "Not counted because", None, Extra, Neither, "Why the span's tokens are not in the totals.", func(r *SpanRow) any { return &r.NotCountedBecause }},
	{"cost_usd", "Cost", USD, Extra, Lower, "Cost of the span's counted tokens, or what it states once for those of the calls below it (spec §3.8).", func(r *SpanRow) any { return &r.CostUSD }},
	{"gpu_energy_wh", "GPU energy", WattHours, Extra, Lower, "Energy the GPUs used during an LLM call, shared evenly with what ran at the same time (spec §3.9).", func(r *SpanRow) any { return &r.GPUEnergyWh }},
	{"status", "Status", None, Extra, Neither, "UNSET, OK or ERROR.", func(r *SpanRow) any { return &r.Status }},
	{"error_type", "Error class", None, Extra, Neither, "Class of the span's error: status ERROR or an exception event (spec §3.5).", func(r *SpanRow) any { return &r.ErrorType }},
	{"events", "Events", Count, Extra, Neither, "Events on the span.", func(r *SpanRow) any { return &r.Events }},
	{"json_from", "JSON from", Count, Extra, Neither, "Where the span begins in the bytes of the trace's spans column.", func(r *SpanRow) any { return &r.JSONFrom }},
	{"json_to", "JSON to", Count, Extra, Neither, "Where the span ends in the bytes of the trace's spans column.", func(r *SpanRow) any { return &r.JSONTo }},
}
