package views

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func boardRow(id string, passed, tests int64) enrich.LeaderboardRow {
	return enrich.LeaderboardRow{
		RunID: id, Model: &id, NumTests: tests, SuccessfulTests: &passed, FailedTests: new(tests - passed),
		SuccessRate: new(100 * float64(passed) / float64(tests)), TotalErrors: new(int64(0)), ErrorTypes: "{}",
	}
}

var ranked = LeaderboardQuery{Sort: "success_rate", Desc: true, Page: 1}

func TestRanks(t *testing.T) {
	provider := boardRow("provider", 0, 8)
	provider.TotalErrors, provider.ErrorTypes = new(int64(8)), `{"auth":8}`
	unscored := enrich.LeaderboardRow{RunID: "unscored", NumTests: 4, SuccessfulTests: new(int64(0)), FailedTests: new(int64(0))}
	cheap, dear := boardRow("cheap", 122, 132), boardRow("dear", 122, 132)
	cheap.TotalCostUSD, dear.TotalCostUSD = new(0.5), new(1.5)
	rows := []enrich.LeaderboardRow{
		provider, boardRow("lucky", 2, 2), boardRow("weak", 40, 132), dear, unscored, boardRow("close", 119, 132), cheap,
	}
	p := NewLeaderboardPage(rows, len(rows), nil, ranked)
	var got []string
	for _, r := range p.Rows {
		line := r.Rank + " " + r.Model
		if r.Tie {
			line += " tie"
		}
		if r.Unranked != "" {
			line += ": " + r.Unranked
		}
		got = append(got, line)
	}
	want := []string{
		"1 cheap tie", "1 dear tie", "1 close tie", "1 lucky tie", "5 weak",
		" provider: provider failed", " unnamed model: nothing scored",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRanksNeedAllRuns(t *testing.T) {
	p := NewLeaderboardPage([]enrich.LeaderboardRow{boardRow("a", 1, 2)}, 51, nil, LeaderboardQuery{Sort: "success_rate", Desc: true, Page: 2})
	if p.Ranks || p.Rows[0].Rank != "" {
		t.Errorf("a page of many gives ranks: %+v", p.Rows[0])
	}
	if p.Pager.Text != "51 – 51 of 51 runs" || p.Pager.Previous != "/" || p.Pager.Next != "" {
		t.Errorf("pager: %+v", p.Pager)
	}
}

func TestAbsentAndZero(t *testing.T) {
	zero := boardRow("zero", 0, 2)
	zero.AvgDurationMS, zero.TotalPromptTokens, zero.TotalCompletionTokens = new(0.0), new(int64(0)), new(int64(0))
	zero.TotalCostUSD, zero.TotalToolCalls = new(0.0), new(int64(0))
	absent := enrich.LeaderboardRow{RunID: "absent", NumTests: 2}
	p := NewLeaderboardPage([]enrich.LeaderboardRow{zero, absent}, 2, nil, ranked)
	texts := func(l LeaderboardLine) []string {
		return []string{l.Success.Text, l.Time.Text, l.In.Text, l.Out.Text, l.Cost.Text, l.Errors.Text, l.When.Text}
	}
	if diff := cmp.Diff([]string{"0.0 %", "0 s", "0", "0", "$0", "0", "—"}, texts(p.Rows[0])); diff != "" {
		t.Errorf("zero:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"0 of 2 scored", "—", "—", "—", "—", "—", "—"}, texts(p.Rows[1])); diff != "" {
		t.Errorf("absent:\n%s", diff)
	}
}

func TestHeadings(t *testing.T) {
	p := NewLeaderboardPage([]enrich.LeaderboardRow{boardRow("a", 1, 2)}, 1, nil, LeaderboardQuery{Sort: "avg_ttft_seconds", Page: 1})
	byLabel := map[string]Heading{}
	for _, h := range p.Headings {
		byLabel[h.Label] = h
	}
	if h := byLabel["TTFT, mean"]; h.Sort != "ascending" || h.Href != "/?order=desc&sort=avg_ttft_seconds" || p.Extra != h.Label {
		t.Errorf("the column sorted by: %+v", h)
	}
	if h := byLabel["Success"]; h.Sort != "" || h.Href != "/?order=desc&sort=success_rate" {
		t.Errorf("another column: %+v", h)
	}
	if p.Rows[0].Extra.Text != "—" {
		t.Errorf("value of the column sorted by: %+v", p.Rows[0].Extra)
	}
	if !strings.Contains(p.Summary, "sorted by “TTFT, mean”") {
		t.Errorf("summary: %q", p.Summary)
	}
}

func TestEmptyLeaderboard(t *testing.T) {
	page := render(t, Leaderboard(NewLeaderboardPage(nil, 0, nil, ranked)))
	for _, want := range []string{"Drop the five files", "results.json", `type="file"`, "webkitdirectory"} {
		if !strings.Contains(page, want) {
			t.Errorf("the empty page lacks %q", want)
		}
	}
}
