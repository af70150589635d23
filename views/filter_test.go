package views

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"smolscope/enrich"
)

func TestLeaderboardFilter(t *testing.T) {
	rows := []enrich.LeaderboardRow{
		{RunID: "a", Model: new("gpt"), NumTests: 2, SuccessfulTests: new(int64(1)), SuccessRate: new(50.0), TotalCostUSD: new(0.2)},
	}
	q, err := ParseLeaderboardQuery(url.Values{"q": {` model:gpt cost>0.1 cots<3 `}, "sort": {"model"}})
	if err != nil {
		t.Fatal(err)
	}
	p := NewLeaderboardPage(rows, 1, nil, q)
	if p.Filter.Problem != "cots<3: there is no column cots; did you mean cost?" || p.Filter.Found != "1 run" || !strings.HasPrefix(p.Summary, "1 run found") {
		t.Errorf("problem %q, found %q, summary %q", p.Filter.Problem, p.Filter.Found, p.Summary)
	}
	// Each chip leads to the list without its term, sorted as before.
	var chips []string
	for _, c := range p.Filter.Chips {
		chips = append(chips, c.Text+" "+c.Href)
	}
	want := []string{
		"model:gpt /?order=asc&q=cost%3E0.1&sort=model",
		"cost>0.1 /?order=asc&q=model%3Agpt&sort=model",
	}
	if !slices.Equal(chips, want) {
		t.Errorf("chips %q, want %q", chips, want)
	}
	if h := p.Headings[1].Href; !strings.Contains(h, "q=model%3Agpt+cost%3E0.1+cots%3C3") {
		t.Errorf("sorting by %q forgets the filter: %s", p.Headings[1].Label, h)
	}
	if !slices.Contains(p.Filter.Completions, "model:gpt") || !slices.Contains(p.Filter.Completions, "cost>") {
		t.Errorf("completions %q", p.Filter.Completions)
	}
}

// TestLeaderboardFoundNothing: that no run is like that is not that there is none.
func TestLeaderboardFoundNothing(t *testing.T) {
	q, _ := ParseLeaderboardQuery(url.Values{"q": {"model:none"}})
	p := NewLeaderboardPage(nil, 0, nil, q)
	page := render(t, Leaderboard(p))
	if p.Empty || !strings.Contains(page, "No run is like that.") || strings.Contains(page, "See what your agents really did") {
		t.Errorf("empty %v, page:\n%s", p.Empty, page)
	}
}

// TestFilterWithoutRuns: before there is a run, a term that makes no sense hides
// nothing of what to do first.
func TestFilterWithoutRuns(t *testing.T) {
	q, _ := ParseLeaderboardQuery(url.Values{"q": {"cots>1"}})
	if p := NewLeaderboardPage(nil, 0, nil, q); !p.Empty {
		t.Error("no run is like that, where there is none at all")
	}
}

// TestFilterHostile: a link may hold any text; none turns the page round.
func TestFilterHostile(t *testing.T) {
	q, _ := ParseLeaderboardQuery(url.Values{"q": {"model:\u202e\x07evil no\u202e\x07such:1"}})
	p := NewLeaderboardPage([]enrich.LeaderboardRow{{RunID: "a"}}, 1, nil, q)
	page := render(t, Leaderboard(p))
	for _, want := range []string{"<bdi>model:\u202e␇evil</bdi>", "<bdi>no\u202e␇such:1: there is no column no\u202e␇such</bdi>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q; chip %q, problem %q", want, p.Filter.Chips[0].Text, p.Filter.Problem)
		}
	}
}

func TestTestFilter(t *testing.T) {
	d := RunData{Row: enrich.LeaderboardRow{RunID: "r", NumTests: 4}, Results: []enrich.ResultRow{
		{TestCaseUID: "a:1", TestID: "1", Success: new(true), ToolsUsed: []string{"web search"}},
		{TestCaseUID: "a:2", TestID: "2", Success: new(false), ErrorType: new("timeout")},
		{TestCaseUID: "a:3", TestID: "3", Success: new(false), ErrorType: new("max_steps")},
		{TestCaseUID: "a:4", TestID: "4"},
	}}
	for _, tt := range []struct{ query, found string }{
		{"", "2 3 4 1"},
		{"outcome:pass", "1"},
		{"outcome=max_steps", "3"},
		{"outcome:not_scored", "4"},
		{"-outcome=pass has:error", "2 3"},
		{`tool:"web search"`, "1"},
		{"tool:nothing", ""},
	} {
		q, err := ParseRunQuery(url.Values{"q": {tt.query}})
		if err != nil || q.Find.Err != nil {
			t.Fatal(err, q.Find.Err)
		}
		var ids []string
		for _, line := range NewRunPage(d, q).Tests {
			ids = append(ids, line.Name)
		}
		if got := strings.Join(ids, " "); got != tt.found {
			t.Errorf("%q finds tests %q, want %q", tt.query, got, tt.found)
		}
	}
}

// TestOutcomeLinks: an outcome replaces another, and once more takes it away.
func TestOutcomeLinks(t *testing.T) {
	d := RunData{Row: enrich.LeaderboardRow{RunID: "r", NumTests: 2}, Results: []enrich.ResultRow{
		{TestCaseUID: "a:1", TestID: "1", Success: new(true)},
		{TestCaseUID: "a:2", TestID: "2", Success: new(false)},
	}}
	q, _ := ParseRunQuery(url.Values{"q": {"outcome=fail steps>1"}})
	quick := NewRunPage(d, q).Filter.Quick
	if len(quick) != 2 {
		t.Fatalf("%d links, want 2", len(quick))
	}
	if quick[0].Current || quick[0].Href != "/runs/r?q=steps%3E1+outcome%3Dpass" {
		t.Errorf("pass: %+v", quick[0])
	}
	if !quick[1].Current || quick[1].Href != "/runs/r?q=steps%3E1" {
		t.Errorf("fail: %+v", quick[1])
	}
}
