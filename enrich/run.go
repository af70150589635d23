package enrich

import (
	"slices"

	"smolscope/enrich/attr"
)

// A Run is all that the files of one evaluation say, joined.
type Run struct {
	Results     []result
	Traces      []*Trace // by id, their spans by start
	Leaderboard attr.Set // nil without a leaderboard row
	Metadata    attr.Set
	Metrics     []MetricsDoc
	Sources     []string // SHA-256 of the files, sorted
	session     string   // in which a sender's resource sent it, "" of files
	found       findings

	exported *Exported       // what the run is known from, if it is exports alone
	folders  map[string]bool // that the exports lie in
	unused   []string        // SHA-256 of exports of the run, which say nothing new
	leftOut  []LeftOut       // what of exports is not used, because originals hold it
	named    exportedName
}

// sentIn notes a session that something of the run was sent in. Of several the
// first by name, which is the earliest, stands for all.
func (r *Run) sentIn(session string) {
	if session != "" && (r.session == "" || session < r.session) {
		r.session = session
	}
}

// A result is a results row and the file it stands in.
type result struct {
	Record
	source   string
	exported *ResultRow // nil of an original
}

// sources lists the files of the run, those that say nothing new included.
func (r *Run) sources() []string {
	if len(r.unused) == 0 {
		return r.Sources
	}
	all := unique(slices.Concat(r.Sources, r.unused))
	slices.Sort(all)
	return all
}
