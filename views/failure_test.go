package views

import (
	"strings"
	"testing"

	"smolscope/enrich"
)

// TestFailureGroups works three groups of five failures by hand: two timeouts
// whose messages differ in numbers and names only, one of another tool, and two
// wrong answers. What passed, and what has no verdict, is no failure.
func TestFailureGroups(t *testing.T) {
	f := newRunFailures(newWhys(), []enrich.ResultRow{
		{TestCaseUID: "a:1", TestID: "1", RunID: "r", Success: new(true), CostTotal: new(1.0)},
		{TestCaseUID: "a:2", TestID: "2", RunID: "r"},
		{TestCaseUID: "a:4", TestID: "4", RunID: "r", Success: new(false), ErrorType: new("timeout"), Error: new("no answer from 'web' after 30.5 s"), ToolsUsed: []string{"web", "web"}, CostTotal: new(0.25), ExecutionTimeMS: new(500.0)},
		{TestCaseUID: "a:3", TestID: "3", RunID: "r", Success: new(false), ErrorType: new("timeout"), Error: new("no answer from 'page'  after 7 s\n"), ToolsUsed: []string{"web"}, CostTotal: new(0.5), ExecutionTimeMS: new(700.0)},
		{TestCaseUID: "a:5", TestID: "5", RunID: "r", Success: new(false), ErrorType: new("timeout"), Error: new("no answer from 'web' after 1 s"), ToolsUsed: []string{"mail"}},
		{TestCaseUID: "a:6", TestID: "6", RunID: "r", Success: new(false), ToolCalled: new(true), CorrectTool: new(false)},
		{TestCaseUID: "a:7", TestID: "7", RunID: "r", Success: new(false), ToolCalled: new(true), CorrectTool: new(false), FinalAnswerCalled: new(true), CostTotal: new(0.25)},
	})
	if f.Summary != "5 of 7 tests did not pass" || f.Cost.Text != "≥ $1.00" || f.CostNote != "known for 3 of 5" {
		t.Errorf("%q, cost %q (%s)", f.Summary, f.Cost.Text, f.CostNote)
	}
	var got []string
	for _, g := range f.Groups {
		var tests []string
		for _, test := range g.Tests {
			tests = append(tests, test.Name)
		}
		got = append(got, strings.Join([]string{g.Outcome.Name, g.Class, g.Tools, g.Count, strings.Join(tests, "+"), g.Cost.Text, g.Time.Text, g.Alike}, "; "))
	}
	want := []string{
		"timeout; timeout; web; 2; 3+4; $0.75; 1.20 s; 2 messages that differ in numbers, names or ids only",
		"fail; ; —; 2; 6+7; ≥ $0.25; —; ",
		"timeout; timeout; mail; 1; 5; —; —; ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("groups\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFailureReason(t *testing.T) {
	for _, tt := range []struct {
		row  enrich.ResultRow
		want string
	}{
		{enrich.ResultRow{Error: new(" broken \n")}, "broken"},
		{enrich.ResultRow{Error: new("  ")}, "the files do not say why"},
		{enrich.ResultRow{ToolCalled: new(false), CorrectTool: new(false)}, "no tool was called"},
		{enrich.ResultRow{ToolCalled: new(true), FinalAnswerCalled: new(false), ResponseCorrect: new(false)}, "no final answer, the answer is wrong"},
	} {
		if got := failureReason(&tt.row); got != tt.want {
			t.Errorf("failureReason = %q, want %q", got, tt.want)
		}
	}
}

func TestShape(t *testing.T) {
	for _, tt := range []struct{ a, b string }{
		{"HTTP 429 at 12:30:01", "HTTP 503 at 1:2:3"},
		{`unknown tool "a b"`, "unknown tool 'c'"},
		{"object at 0x7f3a", "object at 0xdeadBEEF"},
		{"id 4da47ecc-0000-4000-8000-0123456789ab gone", "id 00000000-0000-4000-8000-000000000000  gone"},
		{"trace 0123456789abcdef0123456789abcdef", "trace 99999999999999999999999999999999"},
	} {
		if shape(tt.a) != shape(tt.b) {
			t.Errorf("%q is shaped %q, %q is shaped %q", tt.a, shape(tt.a), tt.b, shape(tt.b))
		}
	}
	// Other words are another cause, in the fields of an object too.
	for _, tt := range []struct{ a, b string }{
		{"connection refused", "connection reset"},
		{`{"message":"Rate limit reached"}`, `{"message":"Bad API key"}`},
		{`Error code: 400 - {'error': {'message': "can't parse", 'type': 'a'}}`, `Error code: 400 - {'error': {'message': "can't connect", 'type': 'a'}}`},
		{`{"code":"invalid_api_key"}`, `{"code":"model_not_found"}`},
		{"couldn't find the page, can't go on", "couldn't open the mail, can't go on"},
	} {
		if shape(tt.a) == shape(tt.b) {
			t.Errorf("%q and %q are shaped alike: %q", tt.a, tt.b, shape(tt.a))
		}
	}
	// Ids in such fields are not.
	if a, b := shape(`{"message":"Slow down","id":"req_011CSHo"}`), shape(`{"message":"Slow down","id":"req_022XYZ"}`); a != b {
		t.Errorf("%q, %q", a, b)
	}
}

// TestFailuresSame: one run is one page, byte for byte.
func TestFailuresSame(t *testing.T) {
	var results []enrich.ResultRow
	for i := range 9 { // groups of 1 to 9 tests
		for j := range i + 1 {
			id := strings.Repeat("i", i+1) + strings.Repeat("j", j)
			results = append(results, enrich.ResultRow{TestCaseUID: id, TestID: id, RunID: "r", Success: new(false), Error: new("cause " + strings.Repeat("i", i+1))})
		}
	}
	d := RunData{Row: enrich.LeaderboardRow{RunID: "r", NumTests: 9}, Results: results}
	first := render(t, Run(NewRunPage(d, RunQuery{Tab: "failures"})))
	for range 5 {
		if render(t, Run(NewRunPage(d, RunQuery{Tab: "failures"}))) != first {
			t.Fatal("the page differs from one rendering to the next")
		}
	}
}

// TestFailuresMore: what a group does not list is a click away.
func TestFailuresMore(t *testing.T) {
	var results []enrich.ResultRow
	for i := range failedShown + 2 {
		results = append(results, enrich.ResultRow{TestCaseUID: "c" + count(i), TestID: "t", RunID: "r", Success: new(false), ErrorType: new("timeout")})
	}
	g := newRunFailures(newWhys(), results).Groups[0]
	if len(g.Tests) != failedShown || g.More != "and 2 more" || g.MoreHref != "/runs/r?q=outcome%3Dtimeout+error%3Dtimeout" {
		t.Errorf("%d tests, %q, %s", len(g.Tests), g.More, g.MoreHref)
	}
}
