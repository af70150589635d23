package views

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

// spentRun is a run of 24 tests that were priced and measured in full.
func spentRun() enrich.LeaderboardRow {
	return enrich.LeaderboardRow{
		RunID: "r", NumTests: 24, SuccessfulTests: new(int64(18)), FailedTests: new(int64(6)), TotalTokens: new(int64(36_000)),
		TotalCostUSD: new(0.009), AvgCostPerTestUSD: new(0.000375), CostSource: new("priced"),
		TotalCostPromptUSD: new(0.006), TotalCostCompletionUSD: new(0.003), TotalCostReasoningUSD: new(0.0),
		TotalGPUEnergyWh: new(2.0), IdleGPUEnergyWh: new(0.5), ElectricityCostUSD: new(0.00024),
		GPUPowerAvgW: new(43.4), GPUPowerMaxW: new(69.1), CO2EmissionsG: new(0.95),
		DataQuality: `{"flags":["co2_from_energy"]}`,
	}
}

func TestSpendingCards(t *testing.T) {
	row := spentRun()
	var got []string
	for _, c := range NewRunPage(RunData{Row: row, Quality: enrich.Quality{Flags: map[string][]string{"co2_from_energy": {"run"}}}}, RunQuery{}).Cards {
		switch c.Label {
		case "Cost", "GPU energy", "GPU power, mean", "CO₂":
			got = append(got, strings.Join(append([]string{c.Label, strings.TrimSpace(c.Value.Text + " " + c.Small)}, c.Lines...), " | "))
		}
	}
	want := []string{
		// $0.009 / 24 tests; $0.009 / 18 right ones.
		"Cost | $0.0090 from the price list | $0.0060 prompt · $0.0030 completion | $0.0004 a test · $0.0005 a correct answer",
		// 2 Wh × 3600 / 36,000 tokens; 0.5 of 2 Wh.
		"GPU energy | 2.00 Wh | 0.200 J a token | $0.0002 of electricity | 25.0 % while no test ran",
		"GPU power, mean | 43.4 W | highest 69.1 W",
		"CO₂ | 950 mg | GPU energy × carbon intensity",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCostOfCorrect(t *testing.T) {
	none, free, unpriced := spentRun(), spentRun(), spentRun()
	none.SuccessfulTests, free.TotalCostUSD, unpriced.TotalCostUSD = new(int64(0)), new(0.0), nil
	for _, tt := range []struct {
		name string
		row  enrich.LeaderboardRow
		want string
	}{{"all known", spentRun(), "$0.0005"}, {"none passed", none, "—"}, {"free", free, "$0"}, {"no price", unpriced, "—"}} {
		if got := costOfCorrect(runFigures(newWhys(), &tt.row, nil)); got.Text != tt.want || got.Text == "—" && got.Full == "" {
			t.Errorf("%s: %+v, want %s", tt.name, got, tt.want)
		}
	}
}

// What is estimated from tokens is never added to what was measured.
func TestLeaderboardSpending(t *testing.T) {
	estimate := boardRow("estimate", 1, 2)
	estimate.CO2EmissionsG, estimate.DataQuality = new(0.01), `{"flags":["co2_token_estimate"],"partial_cost_usd":0.002,"priced_calls":"1/2"}`
	p := NewLeaderboardPage([]enrich.LeaderboardRow{spentRun(), estimate}, 2, nil, LeaderboardQuery{Sort: "co2_emissions_g", Desc: true, Page: 1})
	cards := map[string]string{}
	for _, c := range p.Cards {
		cards[c.Label] = strings.Join(append([]string{c.Value.Text}, c.Lines...), " | ")
	}
	if got, want := cards["Cost"], "≥ $0.01 | 1 of 2 runs priced in full"; got != want {
		t.Errorf("cost: %q, want %q", got, want)
	}
	if got, want := cards["GPU energy"], "2.00 Wh | $0.0002 of electricity · 1 of 2 runs measured | 950 mg CO₂, measured for 1 run"; got != want {
		t.Errorf("energy: %q, want %q", got, want)
	}
	var lines []string
	for _, l := range p.Rows {
		lines = append(lines, join(l.Cost.Text, l.Correct.Text, l.Energy.Text, l.Extra.Text))
	}
	if diff := cmp.Diff([]string{"$0.0090 · $0.0005 · 2.00 Wh · 950 mg", "≥ $0.0020 · — · — · ≈ 10.0 mg"}, lines); diff != "" {
		t.Error(diff)
	}
}

// The class beside the count of all errors says how many of them it is.
func TestErrorsOfTheLeaderboard(t *testing.T) {
	for _, tt := range []struct{ classes, want string }{
		{`{}`, ""}, {`{"context_length":5}`, "context length"}, {`{"context_length":3,"auth":1,"timeout":1}`, "3 context length + 2 more"},
	} {
		row := boardRow("r", 0, 5)
		row.ErrorTypes = enrich.JSON(tt.classes)
		if got := NewLeaderboardPage([]enrich.LeaderboardRow{row}, 1, nil, ranked).Rows[0].TopError; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.classes, got, tt.want)
		}
	}
}

func TestSpendingFacts(t *testing.T) {
	row := enrich.ResultRow{
		CostTotal: new(0.009), CostPrompt: new(0.006), CostCompletion: new(0.003), CostSource: new("reported"), GPUEnergyWh: new(0.1664), GPUPowerAvgW: new(42.8),
		DataQuality: `{"flags":["reported_cost_differs"],"stored":{},"priced_cost_usd":0.0028}`,
	}
	var got []string
	for _, f := range spendingFacts(resultFigures(newWhys(), &row, nil)) {
		got = append(got, f.Name+" "+f.Value.Text)
	}
	want := []string{"Cost $0.0090", "· prompt $0.0060", "· completion $0.0030", "By price list $0.0028", "Cost source reported", "GPU energy 599 J", "GPU power 42.8 W"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTimedBy(t *testing.T) {
	joined := func(trace, quality string) enrich.ResultRow {
		return enrich.ResultRow{ExecutionTimeMS: new(1.0), TraceID: &trace, DataQuality: enrich.JSON(quality)}
	}
	stated := joined("", `{"flags":["duration_inflated"]}`)
	stated.TraceID = nil
	for _, tt := range []struct {
		name string
		rows []enrich.ResultRow
		want string
	}{
		{"a trace each", []enrich.ResultRow{joined("a", ""), joined("b", "")}, "root span of 2 tests"},
		{"one trace of several", []enrich.ResultRow{joined("a", ""), joined("a", ""), joined("b", "")}, "3 tests in 2 traces"},
		{"some have none", []enrich.ResultRow{joined("a", ""), stated, {}}, "2 of 3 tests, 1 by root span"},
		{"none has", []enrich.ResultRow{stated}, "1 test, as the file states it"},
	} {
		if got := timedBy(tt.rows); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
