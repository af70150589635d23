package views

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

// answers reads the dictionary that a page carries, nil if it has none.
func answers(t *testing.T, page string) *Whys {
	t.Helper()
	for _, n := range elements(t, page) {
		if id, _ := attribute(n, "id"); id == "whys" {
			var w Whys
			if err := json.Unmarshal([]byte(n.FirstChild.Data), &w); err != nil {
				t.Fatal(err)
			}
			return &w
		}
	}
	return nil
}

// Each figure of each page carries the number of an answer, whose parts exist;
// hostile text stands in it as it is shown everywhere, and no tag is ended by it.
func TestEveryFigureHasItsAnswer(t *testing.T) {
	for name, page := range pages() {
		t.Run(name, func(t *testing.T) {
			text := render(t, page)
			w := answers(t, text)
			figures := 0
			for _, n := range elements(t, text) {
				number, ok := attribute(n, "data-why")
				if !ok {
					continue
				}
				figures++
				i, err := strconv.Atoi(number)
				if err != nil || w == nil || i < 0 || i >= len(w.Figures) {
					t.Fatalf("data-why=%q: no such answer", number)
				}
				f := w.Figures[i]
				if f.Column >= len(w.Columns) || f.Origin != nil && *f.Origin >= len(w.Origins) {
					t.Errorf("answer %d: %+v", i, f)
				}
				for _, flag := range f.Flags {
					if flag >= len(w.Flags) {
						t.Errorf("answer %d: no flag %d", i, flag)
					}
				}
			}
			if (w == nil) != (figures == 0) {
				t.Errorf("%d figures, and answers: %t", figures, w != nil)
			}
			if w != nil {
				for _, o := range w.Origins {
					if strings.ContainsAny(o.From, "\x1b\a") {
						t.Errorf("an answer holds control characters: %q", o.From)
					}
					if w.Kinds[o.Kind] == "" {
						t.Errorf("kind %q is not explained", o.Kind)
					}
				}
			}
		})
	}
}

func TestWhys(t *testing.T) {
	row := enrich.ResultRow{
		UsageTotalTokens: new(int64(21_952)), TotalTokens: new(int64(21_952)), Steps: new(int64(2)), CostTotal: new(0.0123), CostUSD: new(0.0123),
		DataQuality: `{"flags":["duplicate_execution","steps_derived","stored_summary_unverified","reported_cost_differs"],"stored":{"total_tokens":"29113"},` +
			`"streamed_calls":"0/4","energy":"too short to attribute: 1 power sample while the test ran","priced_cost_usd":0.0028}`,
	}
	f := resultFigures(newWhys(), &row, map[string]enrich.Origin{
		"gen_ai.usage.total_tokens": {Kind: enrich.Derived, From: "sum of 13 calls"},
		"gen_ai.usage.cost.total":   {Kind: enrich.Reported, From: "13 LLM calls state llm.cost.total"},
		"steps":                     {Kind: enrich.Repaired, From: "step events"},
	})
	for _, tt := range []struct{ column, want string }{
		{"gen_ai.usage.total_tokens", "22.0k (21,952 tokens): Tokens; derived: sum of 13 calls; stored 29,113; Executed twice"},
		{"steps", "2 (): Steps; repaired: step events; stored ; Steps counted again"},
		{"gen_ai.usage.cost.total", "$0.01 (0.0123 USD): Cost; reported: 13 LLM calls state llm.cost.total; the price list makes it $0.0028; stored ; Executed twice, Taken from a summary, Reported cost differs"},
		{"gen_ai.usage.cost.cache_read", "— (the calls do not tell this part of the cost apart): Cost of cache reads; absent: the calls do not tell this part of the cost apart; stored ; Executed twice, Reported cost differs"},
		{"gen_ai.server.ttft", "— (no call was streamed): TTFT; absent: no call was streamed; stored ; "},
		{"gpu_energy_wh", "— (too short to attribute: 1 power sample while the test ran): GPU energy; absent: too short to attribute: 1 power sample while the test ran; stored ; "},
		{"cache_read_input_tokens", "— (no call reports this kind of tokens, which does not mean 0): Cached tokens; absent: no call reports this kind of tokens, which does not mean 0; stored ; Executed twice"},
	} {
		q := f.get(tt.column)
		i, _ := strconv.Atoi(q.Why)
		w := f.whys.Figures[i]
		var flags []string
		for _, n := range w.Flags {
			flags = append(flags, f.whys.Flags[n].Title)
		}
		o := f.whys.Origins[*w.Origin]
		got := fmt.Sprintf("%s (%s): %s; %s: %s; stored %s; %s", q.Text, q.Full, f.whys.Columns[w.Column].Name, o.Kind, o.From, w.Stored, strings.Join(flags, ", "))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s:\n%s", tt.column, diff)
		}
	}
}

// The same answer is kept once, whatever the number of figures that have it.
func TestAnswersAreShared(t *testing.T) {
	w := newWhys()
	for i := range 100 {
		row := enrich.ResultRow{Steps: new(int64(i))}
		resultFigures(w, &row, map[string]enrich.Origin{"steps": {Kind: enrich.Reported, From: "results row"}}).get("steps")
	}
	if len(w.Figures) != 1 || len(w.Origins) != 1 || len(w.Columns) != 1 {
		t.Errorf("100 like figures have %d answers, %d origins, %d columns", len(w.Figures), len(w.Origins), len(w.Columns))
	}
}

// A cost that is known in part is a lower bound, and says how much of it is known.
func TestPartialCost(t *testing.T) {
	for _, tt := range []struct {
		name, quality string
		cost          *float64
		want          string
	}{
		{"all priced", `{}`, new(0.5), "$0.50"},
		{"part", `{"flags":["partial_cost"],"partial_cost_usd":0.0023,"priced_calls":"9/12"}`, nil, "≥ $0.0023"},
		{"part of nothing", `{"flags":["partial_cost"],"partial_cost_usd":0,"priced_calls":"1/2"}`, nil, "≥ $0"},
		{"none", `{"price_match":{"my-autoencoder":"none","gpt-4o":"exact"}}`, nil, "—"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			row := enrich.LeaderboardRow{TotalCostUSD: tt.cost, DataQuality: enrich.JSON(tt.quality)}
			if got := runFigures(newWhys(), &row, nil).cost("total_cost_usd").Text; got != tt.want {
				t.Errorf("cost = %q, want %q", got, tt.want)
			}
		})
	}
	row := enrich.LeaderboardRow{DataQuality: `{"partial_cost_usd":0.0023,"priced_calls":"9/12"}`}
	if got := costCard(runFigures(newWhys(), &row, nil)); got.Lines[0] != "9 of 12 calls priced" {
		t.Errorf("card of a cost known in part: %+v", got)
	}
	row = enrich.LeaderboardRow{DataQuality: `{"price_match":{"my-autoencoder":"none","gpt-4o":"exact"}}`}
	if got := costCard(runFigures(newWhys(), &row, nil)); got.Lines[0] != "no price for my-autoencoder" {
		t.Errorf("card of a cost that is not known: %+v", got)
	}
}

// A finding that touches no figure would never be seen beside one: those that do
// not are named here.
func TestFlagsTouchFigures(t *testing.T) {
	general := []string{enrich.FlagOrphanSpans, enrich.FlagDuplicateSpanID, enrich.FlagTruncatedFile, enrich.FlagOTLPSnakeCase}
	for _, flag := range enrich.Flags {
		if (len(flagTopics[flag]) == 0) != slices.Contains(general, flag) {
			t.Errorf("flag %s touches %v", flag, flagTopics[flag])
		}
		for _, about := range flagTopics[flag] {
			if sourcesOf("r", flag) == "" {
				t.Errorf("flag %s: no column is about %s", flag, about)
			}
		}
	}
	if got := sourcesOf("r", enrich.FlagCO2Corrected); got != "/runs/r?dataset=leaderboard&tab=provenance#column-co2_emissions_g" {
		t.Errorf("where CO2 comes from: %s", got)
	}
}
