package enrich

import "smolscope/enrich/attr"

// A Run is all that the files of one evaluation say, joined.
type Run struct {
	Results     []result
	Traces      []*Trace // by id, their spans by start
	Leaderboard attr.Set // nil without a leaderboard row
	Metadata    attr.Set
	Metrics     []MetricsDoc
	Sources     []string // SHA-256 of the files, sorted
	found       findings
}

// A result is a results row and the file it stands in.
type result struct {
	Record
	source string
}
