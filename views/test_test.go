package views

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func TestFactsOfATest(t *testing.T) {
	facts := func(d TestData) map[string]string {
		m := map[string]string{}
		for _, f := range NewTestPage(d).Side {
			m[f.Name] = f.Value.Text
			if f.Value.Stored != "" {
				m[f.Name] += " was " + f.Value.Stored
			}
		}
		return m
	}
	bare := facts(TestData{Result: enrich.ResultRow{TestID: "x"}})
	want := map[string]string{
		"Time": "—", "Tokens": "—", "Tokens in": "—", "Tokens out": "—", "Cost": "—", "TTFT": "—", "Steps": "—", "Tools used": "—",
	}
	if diff := cmp.Diff(want, bare); diff != "" {
		t.Errorf("nothing known:\n%s", diff)
	}
	full := facts(TestData{
		Result: enrich.ResultRow{
			TestID: "x", ExecutionTimeMS: new(1845.3), UsageTotalTokens: new(int64(21_952)), PromptTokens: new(int64(0)),
			CompletionTokens: new(int64(78)), Steps: new(int64(0)), ToolsUsed: []string{"a", "b", "a"}, CostTotal: new(0.0),
			FinishReasons: []string{"stop"}, TraceID: new(traceID),
			DataQuality: `{"flags":[],"stored":{"execution_time_ms":4640.2,"gen_ai.usage.total_tokens":"29113","steps":0}}`,
		},
		Trace: &enrich.TraceRow{TraceID: traceID, LLMCallCount: 4, SpanCount: 11},
	})
	want = map[string]string{
		"Time": "1.85 s was 4.64 s", "Tokens": "21,952 was 29,113", "Tokens in": "0", "Tokens out": "78", "Cost": "$0", "TTFT": "—",
		"Steps": "0", "Tools used": "a ×2, b", "LLM calls": "4", "Spans": "11", "Stopped because": "stop", "Trace": "01234567",
	}
	if diff := cmp.Diff(want, full); diff != "" {
		t.Errorf("all known:\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	var got []string
	for _, c := range verdictOf(&enrich.ResultRow{Success: new(true), ToolCalled: new(true), CorrectTool: new(false)}) {
		got = append(got, c.Name+": "+c.Value)
	}
	if diff := cmp.Diff([]string{"Tool called: yes", "Right tool: no", "Final answer: —", "Answer right: nothing expected"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNeighbours(t *testing.T) {
	p := NewTestPage(TestData{Result: enrich.ResultRow{RunID: "r"}, Prev: "a/b", NextFailed: "c"})
	if p.Prev != "/runs/r/tests/a%2Fb" || p.Next != "" || p.NextFailed != "/runs/r/tests/c" {
		t.Errorf("%q %q %q", p.Prev, p.Next, p.NextFailed)
	}
	if p.NoPasses == "" || p.NoAnswer == "" {
		t.Errorf("what is missing is not said: %+v", p)
	}
}

// A page is given the first spans of a long trace, and says so.
func TestConversationOfFirstSpans(t *testing.T) {
	_, rows, spans := longTrace(6)
	const link = `<a href="/runs/r/traces/` + traceID + `">the trace</a>`
	for _, tt := range []struct {
		name        string
		count       int64
		rows, spans int
		want        string // "" when nothing is left out
		noPasses    string
	}{
		{"all", 6, 6, 6, "", ""},
		{"first rows", 100_000, 6, 6, "This conversation is made of the first 6 of 100,000 spans; the trace shows them all.", ""},
		{"fewer spans than rows", 6, 6, 5, "This conversation is made of the first 5 of 6 spans; the trace shows them all.", ""},
		{"nothing said so far", 6, 2, 2, "This conversation is made of the first 2 of 6 spans; the trace shows them all.", "These spans record no messages."},
		{"nothing said", 2, 2, 2, "", "The trace records no messages."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewTestPage(TestData{
				Result: enrich.ResultRow{RunID: "r"}, Trace: &enrich.TraceRow{TraceID: traceID, SpanCount: tt.count},
				Rows: rows[:tt.rows], Spans: spans[:tt.spans],
			})
			if p.NoPasses != tt.noPasses {
				t.Errorf("%q, want %q", p.NoPasses, tt.noPasses)
			}
			page := render(t, Test(p))
			got := ""
			for _, n := range elements(t, page) {
				if n.Data == "p" && strings.HasPrefix(content(n), "This conversation") {
					got = content(n)
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if strings.Contains(page, link) != (tt.want != "") {
				t.Errorf("the page must link to the trace only with that sentence")
			}
		})
	}
}
