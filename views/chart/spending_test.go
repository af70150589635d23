package chart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func TestSpending(t *testing.T) {
	rows := []enrich.ResultRow{
		{TestID: "a", GPUEnergyWh: new(0.01), CostTotal: new(0.0)},
		{TestID: "b", GPUEnergyWh: new(0.05)},
		{TestID: "c"},
	}
	list := OfTests(rows)
	if len(list) != 3 {
		t.Fatalf("%d charts, want 3", len(list))
	}
	cost, energy := list[1], list[2]
	if diff := cmp.Diff([][]string{{"b", "180 J"}, {"a", "36.0 J"}}, energy.Rows); diff != "" {
		t.Error(diff)
	}
	// 0.05 Wh × 3600 J
	if !strings.Contains(string(energy.Options), `[{"value":180},{"value":36}]`) {
		t.Errorf("options: %s", energy.Options)
	}
	if want := "Known for 2 of 3 tests, 216 J in all. Highest: b with 180 J."; energy.Summary != want {
		t.Errorf("summary %q, want %q", energy.Summary, want)
	}
	if diff := cmp.Diff([][]string{{"a", "$0"}}, cost.Rows); diff != "" {
		t.Error(diff)
	}
	if len(OfTests(rows[2:])) != 1 {
		t.Error("what is known of no test is drawn")
	}
}
