package views

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

func result(id string, success *bool, class string, ms *float64) enrich.ResultRow {
	r := enrich.ResultRow{RunID: "r", TestID: id, TestCaseUID: "tool:" + id, Success: success, ExecutionTimeMS: ms}
	if class != "" {
		r.ErrorType = &class
	}
	return r
}

func TestOrderOfTests(t *testing.T) {
	results := []enrich.ResultRow{
		result("quick pass", new(true), "", new(10.0)),
		result("slow pass", new(true), "", new(900.0)),
		result("quick fail", new(false), "", new(20.0)),
		result("unknown time", new(false), "auth", nil),
		result("slow fail", new(false), "timeout", new(800.0)),
	}
	for _, tt := range []struct {
		name string
		q    RunQuery
		want []string
	}{
		{"failures first, longest first", RunQuery{}, []string{"slow fail", "quick fail", "unknown time", "slow pass", "quick pass"}},
		{"time up, unknown last", RunQuery{Sort: "execution_time_ms"}, []string{"quick pass", "quick fail", "slow fail", "slow pass", "unknown time"}},
		{"time down, unknown last", RunQuery{Sort: "execution_time_ms", Desc: true}, []string{"slow pass", "slow fail", "quick fail", "quick pass", "unknown time"}},
		{"error class", RunQuery{Sort: "error_type"}, []string{"unknown time", "slow fail", "quick fail", "quick pass", "slow pass"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "r"}, Results: results}, tt.q)
			var got []string
			for _, l := range p.Tests {
				got = append(got, l.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPagesOfTests(t *testing.T) {
	var results []enrich.ResultRow
	for range 120 {
		results = append(results, result("x", nil, "", nil))
	}
	d := RunData{Row: enrich.LeaderboardRow{RunID: "r", NumTests: 120}, Results: results}
	for page, want := range map[int]struct {
		rows           int
		text           string
		previous, next string
	}{
		1: {50, "1 – 50 of 120 tests", "", "/runs/r?order=asc&page=2&sort=steps"},
		3: {20, "101 – 120 of 120 tests", "/runs/r?order=asc&page=2&sort=steps", ""},
		9: {0, "none of 120 tests on this page", "/runs/r?order=asc&page=8&sort=steps", ""},
	} {
		p := NewRunPage(d, RunQuery{Sort: "steps", Page: page})
		if len(p.Tests) != want.rows || p.Pager != (Pager{want.text, want.previous, want.next}) {
			t.Errorf("page %d: %d rows, %+v", page, len(p.Tests), p.Pager)
		}
	}
}

func TestRunFindings(t *testing.T) {
	d := RunData{
		Row: enrich.LeaderboardRow{
			RunID: "r", NumTests: 5, TotalTokens: new(int64(21_952)), TotalDurationMS: new(15_845.5), AvgDurationMS: new(3169.1),
			SuccessRate: new(40.0), AvgSteps: new(2.6),
		},
		Quality: enrich.Quality{
			Flags: map[string][]string{
				"duplicate_execution": {"run", "test:tool:a", "test:tool:b", "trace:" + traceID},
				"success_repaired":    {"test:tool:a", "test:tool:b"},
				"steps_derived":       {"test:tool:c"},
			},
			Stored: map[string]map[string]attr.Value{"run": {
				"total_tokens": attr.IntValue(29_113), "total_duration_ms": attr.FloatValue(37_525.57), "avg_duration_ms": attr.FloatValue(7505.11),
				"success_rate": attr.FloatValue(0), "avg_steps": attr.FloatValue(2.6), "total_cost_usd": attr.FloatValue(0),
			}},
		},
		Provenance: &enrich.Provenance{},
	}
	d.Provenance.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{
		"total_tokens": {Kind: enrich.Derived, From: "7,161 tokens are left out because AGENT spans repeat them"},
	})
	var got []string
	for _, f := range runFindings(d) {
		got = append(got, join(f.Title, f.Where, f.Sentence))
	}
	want := []string{
		"Tokens counted once · SMOLTRACE recorded 29,113 tokens; we count 21,952. 7,161 tokens are left out because AGENT spans repeat them.",
		"Time counted once · SMOLTRACE recorded 37.5 s in all; we count 15.8 s. SMOLTRACE adds the time of every span, so each level of nesting counts again; a test's time is that of its root span.",
		"Executed twice · 2 tests · " + flagText["duplicate_execution"].sentence,
		"Success recounted · 2 tests · SMOLTRACE recorded 0.0 % success; we count 40.0 %. Verdicts that the file left empty, although its own parts prove a pass, count as passes.",
		"Steps counted again · 1 test · " + flagText["steps_derived"].sentence,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	page := render(t, Run(NewRunPage(d, RunQuery{})))
	if !strings.Contains(page, "SMOLTRACE recorded 29,113 tokens; we count 21,952.") {
		t.Error("the page does not say why the tokens differ")
	}
	if !strings.Contains(page, `<del class="stored" title="what the file recorded; not counted">29,113</del>`) {
		t.Error("the stored figure is not struck through")
	}
}

func TestRunCards(t *testing.T) {
	texts := func(p RunPage) map[string]string {
		m := map[string]string{}
		for _, c := range p.Cards {
			m[c.Label] = strings.TrimSpace(c.Value.Text + " " + c.Small)
		}
		return m
	}
	bare := texts(NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "r"}}, RunQuery{}))
	want := map[string]string{"Success": "—", "Time a test, p50 / p95 / p99": "—", "Tokens": "—", "Cost": "—", "Tool calls": "—", "Errors": "—"}
	if diff := cmp.Diff(want, bare); diff != "" {
		t.Errorf("nothing known:\n%s", diff)
	}
	full := texts(NewRunPage(RunData{
		Row: enrich.LeaderboardRow{
			RunID: "r", NumTests: 4, SuccessfulTests: new(int64(0)), FailedTests: new(int64(4)), SuccessRate: new(0.0),
			TotalTokens: new(int64(0)), TotalCostUSD: new(0.0), TotalToolCalls: new(int64(0)), TotalErrors: new(int64(0)),
		},
		Results: []enrich.ResultRow{
			result("a", nil, "", new(4000.0)), result("b", nil, "", new(1000.0)), result("c", nil, "", new(3000.0)), result("d", nil, "", new(2000.0)),
		},
	}, RunQuery{}))
	want = map[string]string{
		"Success": "0.0 %", "Time a test, p50 / p95 / p99": "2.50 s / 3.85 s / 3.97 s", "Tokens": "0", "Cost": "$0", "Tool calls": "0", "Errors": "0",
	}
	if diff := cmp.Diff(want, full); diff != "" {
		t.Errorf("all zero:\n%s", diff)
	}
}

func TestRunQuality(t *testing.T) {
	p := NewRunPage(exampleRun(), RunQuery{Tab: "quality"})
	if len(p.Quality.Findings) != 3 {
		t.Errorf("findings: %+v", p.Quality.Findings)
	}
	var stored []string
	for _, s := range p.Quality.Stored {
		stored = append(stored, join(s.Where.Text, s.Name, s.Theirs, s.Ours))
	}
	want := []string{
		"run · Notes · " + oneLine(visible(hostile), 120) + " · —",
		"run · total_co2_g · 0.01 · —",
		"run · Tokens · 29,113 · 21,952",
		"test tool:one · Tokens · 9,255 · —",
		"test tool:one · Success · empty · —",
		"trace 01234567 · Tokens · 9,255 · on its page",
	}
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Error(diff)
	}
}

// A run says how many of its calls streamed; one that streamed none has no time
// to first token, and that is not 0.
func TestRunTTFTCard(t *testing.T) {
	card := func(row enrich.LeaderboardRow) string {
		for _, c := range NewRunPage(RunData{Row: row}, RunQuery{}).Cards {
			if strings.HasPrefix(c.Label, "TTFT") {
				return strings.TrimSpace(c.Value.Text+" "+c.Small) + ": " + strings.Join(c.Lines, " ")
			}
		}
		return "no card"
	}
	for _, tt := range []struct {
		name string
		row  enrich.LeaderboardRow
		want string
	}{
		{"no calls", enrich.LeaderboardRow{DataQuality: `{"flags":[]}`}, "no card"},
		{"not streamed", enrich.LeaderboardRow{DataQuality: `{"streamed_calls":"0/16"}`}, "—: no call was streamed"},
		{"some streamed", enrich.LeaderboardRow{DataQuality: `{"streamed_calls":"12/50"}`, P50TTFTSeconds: new(0.38), P95TTFTSeconds: new(1.41), P99TTFTSeconds: new(2.0)}, "380 ms / 1.41 s / 2.00 s: 12 of 50 calls streamed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := card(tt.row); got != tt.want {
				t.Errorf("card = %q, want %q", got, tt.want)
			}
		})
	}
}

// A finding at ten thousand tests does not make a page of ten thousand lines.
func TestLongListsAreCut(t *testing.T) {
	long := make([]int, 10_000)
	if n, more := len(listed(long)), unlisted(long); n != 200 || more != "and 9,800 more, which stand under quality in the run’s JSON" {
		t.Errorf("%d listed, %q", n, more)
	}
	if n, more := len(listed(long[:200])), unlisted(long[:200]); n != 200 || more != "" {
		t.Errorf("of 200: %d listed, %q", n, more)
	}
}
