package enrich

import (
	"maps"
	"slices"

	"smolscope/enrich/attr"
)

// joinExported gives summaries that name no run, such as the metrics file of
// SMOLTRACE, to the exported runs that they describe, by the evidence that gives
// others to runs with originals; see settle. Of those of one exported run one group
// is made, which names it. It reports whether there are any. Exported are the runs that have no originals.
func joinExported(groups []*group, exported []*Run) (joined []*group, found bool) {
	var homes, summaries []*group
	alone := true // no originals that a summary could be of
	for _, g := range groups {
		if g.isHome() {
			alone = false
		} else if len(g.runs) == 0 {
			summaries = append(summaries, g)
		}
	}
	for _, run := range exported {
		if x := run.exported; len(x.Results)+len(x.Traces) > 0 {
			home := &group{runs: map[string]bool{x.runID: true}, folders: maps.Clone(run.folders), clues: x.clues()}
			homes = append(homes, home)
		}
	}
	if len(homes) == 0 || len(summaries) == 0 {
		return groups, false
	}
	left := slices.Clone(summaries)
	for _, e := range []evidence{inFolderByTime, inFolderByTotals, inFolder, byTime, byTotals, byBeingAlone} {
		if e == byBeingAlone && (!alone || len(homes) > 1) {
			break
		}
		left = assign(left, homes, e)
	}
	for _, g := range groups {
		if !slices.Contains(summaries, g) || slices.Contains(left, g) {
			joined = append(joined, g)
		}
	}
	for _, home := range homes {
		if len(home.items) > 0 {
			joined = append(joined, home)
		}
	}
	return joined, len(left) < len(summaries)
}

// clues are what summaries of the run state of it: the totals that its files
// recorded, not those that it was exported with.
func (x *Exported) clues() clues {
	var c clues
	for i := range x.Results {
		row := x.Results[i].record()
		if readStoredSummary(row.Set).TotalTokens != nil {
			row.Set = slices.DeleteFunc(slices.Clone(row.Set), func(kv attr.KeyValue) bool { return kv.Key == "total_tokens" })
		}
		c.addResult(&row)
	}
	if len(x.Results) == 0 {
		for _, t := range x.originalTraces() {
			c.addTrace(t)
		}
	}
	return c
}
