package views

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func TestOutcomeOf(t *testing.T) {
	for _, tt := range []struct {
		name    string
		success *bool
		class   string
		want    *Outcome
	}{
		{"passed", new(true), "", pass},
		{"passed in spite of an error", new(true), "timeout", pass},
		{"failed", new(false), "", fail},
		{"timed out", new(false), "timeout", timeout},
		{"gave up", nil, "max_steps", maxSteps},
		{"rate limited", new(false), "rate_limit", providerError},
		{"filtered", new(false), "content_filter", providerError},
		{"tool broke", new(false), "tool_error", errored},
		{"unknown class", nil, "unknown", errored},
		{"no verdict", nil, "", notScored},
	} {
		r := enrich.ResultRow{Success: tt.success}
		if tt.class != "" {
			r.ErrorType = &tt.class
		}
		if got := outcomeOf(&r); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got.Name, tt.want.Name)
		}
	}
}

func TestTallyOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		row  enrich.LeaderboardRow
		want string
	}{
		{"nothing known", enrich.LeaderboardRow{NumTests: 3}, "3 not scored"},
		{"no tests", enrich.LeaderboardRow{}, ""},
		{"passes and failures", enrich.LeaderboardRow{NumTests: 10, SuccessfulTests: new(int64(7)), FailedTests: new(int64(3))}, "7 pass, 3 fail"},
		{"errors are no failures", enrich.LeaderboardRow{NumTests: 10, SuccessfulTests: new(int64(5)), FailedTests: new(int64(5)), ErrorTypes: `{"auth":2,"max_steps":1,"tool_error":1}`}, "5 pass, 1 fail, 1 error, 1 max steps, 2 provider error"},
		{"some without verdict", enrich.LeaderboardRow{NumTests: 5, SuccessfulTests: new(int64(2)), FailedTests: new(int64(1))}, "2 pass, 1 fail, 2 not scored"},
		{"more errors than tests", enrich.LeaderboardRow{NumTests: 2, SuccessfulTests: new(int64(1)), ErrorTypes: `{"auth":5}`}, "1 pass, 1 provider error"},
		{"broken column", enrich.LeaderboardRow{NumTests: 1, ErrorTypes: `{`}, "1 not scored"},
	} {
		if got := tallyOf(&tt.row).String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestOutcomeBar(t *testing.T) {
	got := newOutcomeBar(tally{pass: 1, fail: 2}, 3)
	want := OutcomeBar{Label: "1 pass, 2 fail", Shares: []Share{{"pass", "0", "33.33"}, {"fail", "33.33", "66.67"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := newOutcomeBar(tally{}, 0); len(got.Shares) != 0 {
		t.Errorf("bar of no tests: %v", got)
	}
}

func TestIntervalBar(t *testing.T) {
	got := newIntervalBar(2, 5)
	want := &IntervalBar{Label: "95 % interval 11.8 – 76.9 %", Low: "11.76", Width: "65.17", Mid: "40"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if newIntervalBar(0, 0) != nil {
		t.Error("interval of no tests")
	}
}
