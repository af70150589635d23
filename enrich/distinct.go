package enrich

import (
	"cmp"
	"slices"
)

// Distinct keeps one run of each id, the one that says most. Summaries of one
// run can differ without saying which of them holds, and make two. The files of
// the other count as the run's, so that they are found with it, and are
// returned with its id. Runs come back in the order of their ids.
func Distinct(runs []*Tables) (kept []*Tables, unused map[string]string) {
	unused = map[string]string{}
	slices.SortFunc(runs, func(a, b *Tables) int {
		return cmp.Or(
			cmp.Compare(a.Leaderboard.RunID, b.Leaderboard.RunID),
			cmp.Compare(len(b.Results), len(a.Results)),
			cmp.Compare(len(b.Spans), len(a.Spans)),
			cmp.Compare(len(b.Metrics), len(a.Metrics)),
			slices.Compare(a.Sources, b.Sources),
		)
	})
	for i, run := range runs {
		if i == 0 || runs[i-1].Leaderboard.RunID != run.Leaderboard.RunID {
			kept = append(kept, run)
			continue
		}
		first := kept[len(kept)-1]
		for _, id := range run.Sources {
			if !slices.Contains(first.Sources, id) {
				first.Sources = append(first.Sources, id)
				unused[id] = run.Leaderboard.RunID
			}
		}
		slices.Sort(first.Sources)
	}
	return kept, unused
}
