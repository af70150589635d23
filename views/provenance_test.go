package views

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

// Of three tests, two have tokens from spans and one from the file; one has a
// cost; none has a TTFT.
func TestProvenanceOfARun(t *testing.T) {
	p := &enrich.Provenance{}
	for i, origins := range []map[string]enrich.Origin{
		{"gen_ai.usage.total_tokens": {Kind: enrich.Derived, From: "2 calls"}, "gen_ai.usage.cost.total": {Kind: enrich.Priced, From: "list"}},
		{"gen_ai.usage.total_tokens": {Kind: enrich.Derived, From: "2 calls"}},
		{"gen_ai.usage.total_tokens": {Kind: enrich.Reported, From: "results row"}},
	} {
		p.Put(enrich.Results, fmt.Sprint("tool:", i), origins)
	}
	p.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{"total_tokens": {Kind: enrich.Derived, From: "sum over 3 tests"}})
	page := NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "r", TotalTokens: new(int64(9)), Hardware: new("1x NVIDIA L4")}, Provenance: p}, RunQuery{Tab: "provenance"})
	got := page.Sources
	if len(got.Never) != len(enrich.ResultColumns)-2 {
		t.Errorf("%d columns are known for none, want %d", len(got.Never), len(enrich.ResultColumns)-2)
	}
	want := []ColumnCoverage{
		{"column-gen_ai.usage.total_tokens", "Tokens", got.Known[0].Doc, "3 of 3", "100", []SourceLine{{"derived", "2", []string{"2 × 2 calls"}, ""}, {"reported", "1", []string{"1 × results row"}, ""}}},
		{"column-gen_ai.usage.cost.total", "Cost", got.Known[1].Doc, "1 of 3", "33.33", []SourceLine{{"priced", "1", []string{"1 × list"}, ""}}},
	}
	if diff := cmp.Diff(want, got.Known); diff != "" {
		t.Error(diff)
	}
	if len(got.Origins) != 1 || got.Origins[0].From != "sum over 3 tests" || got.Origins[0].Value != "9" {
		t.Errorf("origins of the run: %+v", got.Origins)
	}
	if !slices.ContainsFunc(got.Settings, func(f Fact) bool { return f.Name == "Hardware" && f.Value.Text == "1x NVIDIA L4" }) {
		t.Errorf("settings: %+v", got.Settings)
	}
	var tabs []string
	for _, tab := range got.Datasets {
		tabs = append(tabs, tab.Href)
	}
	if diff := cmp.Diff([]string{
		"/runs/r?tab=provenance", "/runs/r?dataset=traces&tab=provenance", "/runs/r?dataset=metrics&tab=provenance", "/runs/r?dataset=leaderboard&tab=provenance",
	}, tabs); diff != "" {
		t.Error(diff)
	}
}

func TestReasonsAreCut(t *testing.T) {
	counts := map[enrich.Origin]int{}
	for i := range reasonsShown + 3 {
		counts[enrich.Origin{Kind: enrich.Measured, From: fmt.Sprint("reason ", i)}] = 1 + i
	}
	got := sources(counts)
	if len(got) != 1 || len(got[0].Reasons) != reasonsShown || got[0].Reasons[0] != "11 × reason 10" || got[0].More != "and 3 more reasons" || got[0].Count != "66" {
		t.Errorf("%+v", got)
	}
}
