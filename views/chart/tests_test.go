package chart

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func TestTests(t *testing.T) {
	c := Tests([]enrich.ResultRow{
		{TestID: "a", PromptTokens: new(int64(6090)), CompletionTokens: new(int64(78)), UsageTotalTokens: new(int64(6168)), ExecutionTimeMS: new(1845.3034)},
		{TestID: "b", PromptTokens: new(int64(0)), CompletionTokens: new(int64(0)), UsageTotalTokens: new(int64(0)), ExecutionTimeMS: new(0.0)},
		{TestID: "c"},
	})
	var o struct {
		Series []struct {
			Name, Type, Stack string
			YAxisIndex        int
			Data              []struct{ Value *float64 }
		}
		XAxis []struct{ Data []string }
		YAxis []struct{ Name string }
	}
	if err := json.Unmarshal(c.Options, &o); err != nil {
		t.Fatal(err)
	}
	var got [][]*float64
	for _, s := range o.Series {
		var values []*float64
		for _, d := range s.Data {
			values = append(values, d.Value)
		}
		got = append(got, values)
	}
	want := [][]*float64{{new(6090.0), new(0.0), nil}, {new(78.0), new(0.0), nil}, {new(1.845), new(0.0), nil}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, o.XAxis[0].Data); diff != "" {
		t.Error(diff)
	}
	if len(o.YAxis) != 2 || o.YAxis[0].Name != "tokens" || o.YAxis[1].Name != "seconds" || o.Series[2].YAxisIndex != 1 {
		t.Errorf("axes: %+v, series on %d", o.YAxis, o.Series[2].YAxisIndex)
	}
	rows := [][]string{{"a", "6,090", "78", "1.85 s"}, {"b", "0", "0", "0 s"}, {"c", "—", "—", "—"}}
	if diff := cmp.Diff(rows, c.Rows); diff != "" {
		t.Error(diff)
	}
	if want := "3 tests. Most tokens: a with 6,168. Longest: a with 1.85 s."; c.Summary != want {
		t.Errorf("summary %q, want %q", c.Summary, want)
	}
}

// The policy of pages allows no inline script, and a page is the same each time.
func TestOptionsArePlainData(t *testing.T) {
	rows := make([]enrich.ResultRow, 300)
	first, second := Tests(rows), Tests(rows)
	if string(first.Options) != string(second.Options) {
		t.Error("two charts of the same rows differ")
	}
	for _, word := range []string{"function", "__f__", "http"} {
		if strings.Contains(string(first.Options), word) {
			t.Errorf("options hold %q", word)
		}
	}
	if len(first.Rows) != tableRows || first.Left == "" {
		t.Errorf("table: %d rows, %q", len(first.Rows), first.Left)
	}
	if !strings.Contains(string(first.Options), "dataZoom") {
		t.Error("many tests cannot be zoomed")
	}
	if none := Tests(nil); none.Summary != "0 tests. No test's tokens are known." {
		t.Errorf("summary of nothing: %q", none.Summary)
	}
}
