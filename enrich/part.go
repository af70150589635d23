package enrich

import "smolscope/enrich/attr"

// A Record is one flat row as a file states it: a results, leaderboard or
// metadata row. Fields that no rule knows stay in it (spec §3 G3).
type Record struct {
	attr.Set
	Where string // such as "line 7" or "row 3", for messages
}

// A Trace is one trace as a file states it: its spans, and the fields that the
// file keeps beside them, such as SMOLTRACE's total_tokens.
type Trace struct {
	ID    TraceID
	Row   attr.Set
	Spans []Span
}

// An Instrument says what kind of measurement a metric makes.
type Instrument string

// The instruments of the metrics dataset (spec §4.1).
const (
	Counter   Instrument = "counter"
	Sum       Instrument = "sum"
	Gauge     Instrument = "gauge"
	Histogram Instrument = "histogram"
)

// A Sample is one metric data point as a file reports it.
type Sample struct {
	Metric      string
	Instrument  Instrument
	Unit        string
	Attrs       attr.Set
	Start, Time Time
	Value       *float64 // of counters, sums and gauges
	Count       *int64   // this and the rest: of histograms
	Sum         *float64
	Min, Max    *float64
	Buckets     []int64
	Bounds      []float64
	Temporality string // "delta", "cumulative" or ""
	Monotonic   *bool
	Scope       string
	Resource    *Resource
}

// A MetricsDoc is what one metrics file says: samples of instruments, and
// SMOLTRACE's aggregates, which summarise the run rather than measure it
// (spec §1.4 M1, M2).
type MetricsDoc struct {
	RunID      string
	Samples    []Sample
	Aggregates []Sample
	Flattened  bool // of several GPUs the rows hold one (spec §6 B6)
}

// A Part is what one file says about runs. Files of one run may come in any
// order and together or apart; Assemble joins their parts.
type Part struct {
	Source string // SHA-256 of the file's bytes, in hex; orders parts
	Group  string // the folder or archive the file lay in, "" if none is known

	// Sessions tells, by Resource.Key, what a sender's resource sent over OTLP
	// without a long pause: of that, all that names no run is of one run. Nil of
	// files.
	Sessions map[string]string

	Results     []Record
	Leaderboard []Record
	Metadata    []Record
	Traces      []*Trace
	Metrics     []MetricsDoc
	Exported    Exported
	Flags       []string // data-quality findings about the file itself
}

// Resources returns the resources that spans and samples of the part are of.
func (p *Part) Resources() []*Resource {
	seen := map[*Resource]bool{}
	var list []*Resource
	add := func(r *Resource) {
		if !seen[r] {
			seen[r] = true
			list = append(list, r)
		}
	}
	for _, t := range p.Traces {
		for i := range t.Spans {
			add(t.Spans[i].Resource)
		}
	}
	for _, m := range p.Metrics {
		for i := range m.Samples {
			add(m.Samples[i].Resource)
		}
	}
	return list
}

// session returns the session in which a resource sent the part, or "".
func (p *Part) session(r *Resource) string {
	if p.Sessions == nil {
		return ""
	}
	return p.Sessions[r.Key()]
}

// Spans returns how many spans the part holds.
func (p *Part) Spans() int {
	n := 0
	for _, t := range p.Traces {
		n += len(t.Spans)
	}
	for _, t := range p.Exported.Traces {
		n += len(t.Spans)
	}
	return n
}

// Rows returns how many records, traces and metric points the part holds.
func (p *Part) Rows() int {
	n := len(p.Results) + len(p.Leaderboard) + len(p.Metadata) + len(p.Traces) + p.Exported.rows()
	for _, m := range p.Metrics {
		n += len(m.Samples) + len(m.Aggregates)
	}
	return n
}

// A Warning is something wrong in a file that did not keep the rest of it from
// being read.
type Warning struct {
	Where   string `json:"where"` // such as "line 7"
	Message string `json:"message"`
}

// A File is the receipt of one file: what it was taken for, what was found in
// it, what was mended and what was wrong (contract: files).
type File struct {
	Name     string    `json:"name"`
	Format   string    `json:"format"`  // such as "smoltrace-traces", "" when unknown
	Dataset  string    `json:"dataset"` // such as "traces", "" when unknown
	SHA256   string    `json:"sha256"`
	Rows     int       `json:"rows"`
	Spans    int       `json:"spans"`
	Repairs  []string  `json:"repairs"`
	Warnings []Warning `json:"warnings"`
	Error    *string   `json:"error"` // why it was refused, or where it breaks off
}
