package views

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func TestAxis(t *testing.T) {
	for extent, want := range map[float64]string{
		0:           "",
		1_845_303:   "0, 500 ms, 1 s, 1.5 s",
		1_000_000:   "0, 200 ms, 400 ms, 600 ms, 800 ms, 1 s",
		87:          "0, 20 µs, 40 µs, 60 µs, 80 µs",
		4_000:       "0, 1 ms, 2 ms, 3 ms, 4 ms",
		300_000_000: "0, 1 min 40 s, 3 min 20 s, 5 min 0 s",
	} {
		var got []string
		for _, tick := range axis(extent) {
			got = append(got, tick.Text)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("axis(%g) = %v, want %s", extent, got, want)
		}
	}
}

func TestSpanLines(t *testing.T) {
	trace, rows, spans := exampleTrace()
	p := NewTracePage(TraceData{Trace: trace, Rows: rows, Selected: &spans[2]}, TraceQuery{Span: callID, From: -1})
	root, agent, call, tool := p.Rows[0], p.Rows[1], p.Rows[2], p.Rows[3]
	if !root.Rollup || root.Tokens.Text != "1,494" || root.X != "0" || root.Width != "14.29" || !root.Children {
		t.Errorf("root: %+v", root)
	}
	if agent.NotCount != "not counted: repeats "+visible(hostile) || agent.Depth != 1 || agent.Level != 2 {
		t.Errorf("agent: %+v", agent)
	}
	if call.NotCount != "" || call.Tokens.Full != "1,487 in, 7 out" || !call.Selected || call.Kind != "LLM" || call.X != "57.14" {
		t.Errorf("call: %+v", call)
	}
	if !tool.Failed || tool.Error != "tool error" || tool.Tokens.Text != "" {
		t.Errorf("tool: %+v", tool)
	}
	var titles []string
	for _, f := range p.Findings {
		titles = append(titles, f.Title+" "+f.Sentence)
	}
	want := []string{
		"Tokens counted once SMOLTRACE recorded 2,988 tokens; we count 1,494. Only the calls themselves are summed; the AGENT span around them repeats 1,494 tokens, which stand crossed out below.",
		"Executed twice " + flagText["duplicate_execution"].sentence,
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Error(diff)
	}
}

func TestSpansWithoutTimes(t *testing.T) {
	row := spanRow(0, 0, rootID, "", "UNKNOWN", "x", 0)
	row.OffsetUS, row.DurationUS = nil, nil
	line := NewTracePage(TraceData{Rows: []enrich.SpanRow{row}}, TraceQuery{From: -1}).Rows[0]
	if line.X != "" || line.Time.Text != "—" || line.Kind != "span" || line.Class != "other" {
		t.Errorf("%+v", line)
	}
}

// All of every bar lies on the axis, and so does the mark of one too short to
// be seen, wherever it is.
func TestBarsLieOnTheAxis(t *testing.T) {
	rows := make([]enrich.SpanRow, 6)
	for i, at := range []struct{ offset, duration float64 }{{0, 1000}, {0, 0}, {500, 0}, {1000, 0}, {998, 2}, {-200, 400}} {
		rows[i] = spanRow(int64(i), 0, fmt.Sprintf("%016x", i+1), "", "CHAIN", "x", 0)
		rows[i].OffsetUS, rows[i].DurationUS = new(at.offset), new(at.duration)
	}
	var got []string
	for _, l := range NewTracePage(TraceData{Rows: rows}, TraceQuery{From: -1}).Rows {
		got = append(got, l.X+" + "+l.Width+" "+l.Mark)
	}
	want := []string{"0 + 100 ", "0 + 0 0", "50 + 0 -1", "100 + 0 -2", "99.8 + 0.2 -2", "0 + 20 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A page shows a thousand rows, from the one asked for or around the selected
// span; indentation stops where the names would have no room.
func TestLongAndDeepTraces(t *testing.T) {
	rows := make([]enrich.SpanRow, 2500)
	for i := range rows {
		rows[i] = spanRow(int64(i), int64(i), fmt.Sprintf("%016x", i+1), "", "CHAIN", "Step", 1)
	}
	d := TraceData{Trace: enrich.TraceRow{RunID: "r", TraceID: traceID}, Rows: rows}
	for _, tt := range []struct {
		name  string
		q     TraceQuery
		first string
		n     int
		text  string
	}{
		{"start", TraceQuery{From: -1}, rows[0].SpanID, 1000, "Rows 1 – 1,000 of 2,500"},
		{"from", TraceQuery{From: 2000}, rows[2000].SpanID, 500, "Rows 2,001 – 2,500 of 2,500"},
		{"selected", TraceQuery{From: -1, Span: rows[1700].SpanID}, rows[1000].SpanID, 1000, "Rows 1,001 – 2,000 of 2,500"},
		{"past the end", TraceQuery{From: 9999}, rows[2499].SpanID, 1, "Rows 2,500 – 2,500 of 2,500"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewTracePage(d, tt.q)
			if p.Rows[0].ID != tt.first || len(p.Rows) != tt.n || p.Range != tt.text {
				t.Errorf("%s, %d rows, %q", p.Rows[0].ID, len(p.Rows), p.Range)
			}
		})
	}
	p := NewTracePage(d, TraceQuery{From: -1})
	if p.Before != "" || p.After != "/runs/r/traces/"+traceID+"?from=1000" {
		t.Errorf("before %q, after %q", p.Before, p.After)
	}
	if last := p.Rows[999]; last.Depth != deepest || last.Deep != "depth 999" || last.Level != 1000 {
		t.Errorf("%+v", last)
	}
}

func TestSpanPanel(t *testing.T) {
	trace, rows, spans := exampleTrace()
	panel := func(i int) SpanPanel {
		return NewTracePage(TraceData{Trace: trace, Rows: rows, Selected: &spans[i]}, TraceQuery{From: -1}).Panel
	}
	call := panel(2)
	if len(call.Messages) != 3 || call.Messages[2].Calls[0].Name != "get_weather" || call.HasInput {
		t.Errorf("messages of a call: %+v", call.Messages)
	}
	if len(call.Events) != 1 || !call.Events[0].Failed || call.Events[0].At != "+0.00100 µs" {
		t.Errorf("events: %+v", call.Events)
	}
	tool := panel(3)
	if !tool.HasInput || !tool.HasOutput || tool.Output.Body != visible(hostile) || len(tool.Messages) != 0 {
		t.Errorf("tool: %+v", tool)
	}
	if call.JSONHref != "/api/v1/runs/r1/traces/"+traceID+"/spans/"+callID || call.Close != "/runs/r1/traces/"+traceID {
		t.Errorf("%q %q", call.JSONHref, call.Close)
	}
	if !strings.Contains(call.JSON.Body, `"span_id": "`+callID+`"`) {
		t.Errorf("JSON: %s", call.JSON.Body)
	}
	if p := NewTracePage(TraceData{Trace: trace, Rows: rows}, TraceQuery{From: -1}).Panel; p.Selected || p.Title != "Trace" {
		t.Errorf("nothing selected: %+v", p)
	}
}
