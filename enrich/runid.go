package enrich

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"smolscope/enrich/attr"
)

// runNamespace is the UUID namespace of run ids that no file states (spec §3.3).
var runNamespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/Mandark-droid/SMOLTRACE#run"))

// The values of run_id_source.
const (
	runIDReported    = "reported"
	runIDSynthesized = "synthesized"
)

// runID returns the id of a run, where it comes from, and which fields stated
// it. Where the files disagree, the id that most of them state wins, then the
// order results, metrics, leaderboard, traces, resources (spec §3.3).
func (r *Run) runID(model string) (id, source, from string) {
	type claim struct{ id, from string }
	var claims []claim
	say := func(id, from string) {
		if id != "" {
			claims = append(claims, claim{id, from})
		}
	}
	var results, traces, resources, metrics, all ballot
	for _, row := range r.Results {
		results.add(validRunID(row.Set))
	}
	for _, t := range r.Traces {
		traces.add(validRunID(t.Row))
		for i := range t.Spans {
			resources.add(spanRunID(&t.Spans[i]))
		}
	}
	for _, m := range r.Metrics {
		metrics.add(usableRunID(m.RunID))
		for _, s := range m.Samples {
			if s.Resource != nil {
				resources.add(resourceRunID(s.Resource))
			}
		}
	}
	say(results.mode(), "run_id of the results rows")
	say(metrics.mode(), "run_id of the metrics")
	say(validRunID(r.Leaderboard), "run_id of the leaderboard row")
	say(traces.mode(), "run_id of the trace rows")
	say(resources.mode(), "resource attribute run.id")
	if len(claims) > 0 {
		var votes ballot
		for _, c := range claims {
			votes.add(c.id)
		}
		for _, t := range []ballot{results, metrics, traces, resources, votes} {
			for _, id := range t.names {
				all.add(id)
			}
		}
		if len(all.names) > 1 {
			r.found.flag("run", FlagRunIDConflict)
		}
		winner := votes.mode()
		i := slices.IndexFunc(claims, func(c claim) bool { return c.id == winner })
		return winner, runIDReported, claims[i].from
	}
	if r.named.runID != "" {
		return r.named.runID, r.named.source, fromExport.From
	}
	if r.session != "" { // which spans there are is not known before the last
		return uuid.NewSHA1(runNamespace, []byte("session\n"+r.session)).String(), runIDSynthesized, "UUIDv5 of the session that its sender's first span began"
	}
	lines := []string{"v1", model}
	if len(r.Traces) > 0 {
		for _, t := range r.Traces {
			lines = append(lines, t.ID.String())
		}
		from = "UUIDv5 of the model and the trace ids"
	} else {
		var cases, dates []string
		for _, row := range r.Results {
			agent, _ := row.Str(attr.Field{"agent_type"})
			test, _ := row.Str(rowTestID)
			cases = append(cases, agent+":"+test)
			date, _ := row.Str(rowDate)
			dates = append(dates, date)
		}
		slices.Sort(cases)
		slices.Sort(dates)
		lines = append(append(lines, cases...), dates...)
		from = "UUIDv5 of the model, the tests and the evaluation dates"
		if len(r.Results) == 0 {
			lines, from = r.summaryLines(lines), "UUIDv5 of the leaderboard row, else of the files"
		}
	}
	return uuid.NewSHA1(runNamespace, []byte(strings.Join(lines, "\n"))).String(), runIDSynthesized, from
}

// summaryLines tells runs apart of which there is neither a test nor a trace: by
// what the leaderboard row says, and without one by the bytes of the files.
func (r *Run) summaryLines(lines []string) []string {
	if len(r.Leaderboard) > 0 {
		return append(lines, string(r.Leaderboard.AppendJSON(nil)))
	}
	return append(lines, r.Sources...)
}

// offset infers how far the local times of a run are ahead of UTC: SMOLTRACE
// stamps its files when the last span ends, so the difference, to the quarter
// of an hour, is the offset if it fits within two minutes (spec §1.1).
func (r *Run) offset() (ns int64, ok bool) {
	var lastEnd int64
	for _, t := range r.Traces {
		for i := range t.Spans {
			lastEnd = max(lastEnd, int64(t.Spans[i].End))
		}
	}
	if lastEnd == 0 {
		return 0, false
	}
	var stamps []int64
	stamp := func(s attr.Set) {
		date, _ := s.Str(rowDate)
		if c, ok := parseClock(date); ok && c.naive {
			stamps = append(stamps, c.wall)
		}
	}
	for _, row := range r.Results {
		stamp(row.Set)
	}
	stamp(r.Leaderboard)
	stamp(r.Metadata)
	const quarter = 15 * minute
	slices.SortFunc(stamps, func(a, b int64) int { return cmp.Compare(a, b) })
	for _, wall := range stamps {
		d := wall - lastEnd
		rounded := (d + sign(d)*quarter/2) / quarter * quarter
		if rest := d - rounded; max(rest, -rest) < 2*minute && max(rounded, -rounded) <= 14*60*minute {
			return rounded, true
		}
	}
	return 0, false
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}
