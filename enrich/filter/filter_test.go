package filter_test

import (
	"errors"
	"slices"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/filter"
)

// A row has a column of each kind that a filter may ask for.
type row struct {
	model  string
	tool   *string
	names  []string
	seen   enrich.JSON
	passed *bool
	steps  int64
	cost   *float64
	time   *float64
	at     enrich.Time
	energy *float64
}

var language = filter.Language[row]{
	Columns: []enrich.Column[row]{
		{Name: "model", Ptr: func(r *row) any { return &r.model }},
		{Name: "best_tool", Ptr: func(r *row) any { return &r.tool }},
		{Name: "names", Ptr: func(r *row) any { return &r.names }},
		{Name: "seen", Ptr: func(r *row) any { return &r.seen }},
		{Name: "passed", Ptr: func(r *row) any { return &r.passed }},
		{Name: "steps", Unit: enrich.Count, Ptr: func(r *row) any { return &r.steps }},
		{Name: "cost_usd", Unit: enrich.USD, Ptr: func(r *row) any { return &r.cost }},
		{Name: "time_ms", Unit: enrich.Milliseconds, Ptr: func(r *row) any { return &r.time }},
		{Name: "energy", Unit: enrich.WattHours, Ptr: func(r *row) any { return &r.energy }},
		{Name: "at", Ptr: func(r *row) any { return &r.at }},
	},
	Names: []filter.Name{{"tool", "best_tool"}, {"cost", "cost_usd"}, {"time", "time_ms"}},
}

// The two rows: what the first has, the second lacks.
var (
	full = row{
		model: "openai/GPT-4.1", tool: new("web search"), names: []string{"alpha", "Beta"}, seen: `{"timeout":2}`, passed: new(true),
		steps: 12, cost: new(0.3), time: new(2500.0), energy: new(0.005), at: 1_772_366_400_000_000_000, // 2026-03-01T12:00:00Z
	}
	bare = row{model: "llama 3"}
)

func TestFinds(t *testing.T) {
	for _, tt := range []struct {
		text       string
		full, bare bool
	}{
		{"", true, true},
		{"  ", true, true},
		{"model:gpt", true, false},
		{"-model:gpt", false, true},
		{"model=gpt", false, false},
		{"model=OPENAI/gpt-4.1", true, false},
		{`model:"llama 3"`, false, true},
		{`"web sea"`, true, false},
		{`beta`, true, false},
		{"-beta", false, true},
		{"names=beta", true, false},
		{"names=bet", false, false},
		{"seen:timeout", true, false},
		{"timeout", false, false}, // JSON is no text to look for words in
		{"passed:yes", true, false},
		{"passed:no", false, false},
		{"steps>11", true, false},
		{"steps>=12", true, false},
		{"steps>12", false, false},
		{"steps:12", true, false},
		{"steps<12", false, true},
		{"cost>0", true, false},
		{"cost<1", true, false}, // not known is not less
		{"-cost<1", false, true},
		{"cost=$0.3", true, false},
		{"cost=0.30000000000000004", true, false},
		{"has:cost", true, false},
		{"-has:cost", false, true},
		{"time>2s", true, false},
		{"time>2.5s", false, false},
		{"time<=2,500ms", true, false},
		{"time<0.05min", true, false}, // 3,000 ms
		{"steps<0.013k", true, true},
		{"time<0.05m", true, false}, // 3,000 ms: minutes of a time, millions of a count
		{"time>0.04m", true, false},
		{"steps<1m", true, true},
		{"energy=5mWh", true, false},
		{"energy<1MWh", true, false},
		{"energy>1e-6MWh", false, false},
		{"at:2026", true, false},
		{"at:2026-03-01", true, false},
		{"at>2026-03-01", false, false},
		{"at>=2026-03-01", true, false},
		{"at<=2026-03-01", true, false},
		{"at<2026-03-01T12:00", false, false},
		{"at>2026-03-01t11:59", true, false},
		{"gpt steps>3", true, false},
		{"gpt steps>300", false, false},
		{"-", false, false}, // a minus alone is a word
	} {
		f, err := language.Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		if got := f.Finds(&full); got != tt.full && tt.text != "-" {
			t.Errorf("%q of the full row: %v, want %v", tt.text, got, tt.full)
		}
		if got := f.Finds(&bare); got != tt.bare {
			t.Errorf("%q of the bare row: %v, want %v", tt.text, got, tt.bare)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ text, term, message string }{
		{"modle:gpt", "modle:gpt", "there is no column modle; did you mean model?"},
		{"gpt cots>3 steps>1", "cots>3", "there is no column cots; did you mean cost?"},
		{"has:quux_never", "has:quux_never", "there is no column quux_never"},
		{"cost>", "cost>", "want a value behind >"},
		{"cost>much", "cost>much", "want a number, such as 0.01"},
		{"cost>nan", "cost>nan", "want a number, such as 0.01"},
		{"cost>1s", "cost>1s", "the column is in USD, not in s"},
		{"steps>2s", "steps>2s", "the column is a number without a unit, not in s"},
		{"time>2k", "time>2k", "the column is in ms, not in k"},
		{"time>$2", "time>$2", "the column is not in dollars"},
		{"model>4", "model>4", "the column holds no number; want : or = in place of >"},
		{"passed:maybe", "passed:maybe", "want yes or no"},
		{"at>yesterday", "at>yesterday", "want a date, such as 2026-03-01 or 2026-03"},
	} {
		_, err := language.Parse(tt.text)
		bad, ok := errors.AsType[*filter.Error](err)
		if !ok || bad.Term != tt.term || bad.Message != tt.message {
			t.Errorf("Parse(%q) = %v, want %s: %s", tt.text, err, tt.term, tt.message)
		}
	}
}

// TestTermsAroundAnError are kept, so that a page can still show them.
func TestTermsAroundAnError(t *testing.T) {
	f, err := language.Parse("gpt cots>3 steps>1")
	if err == nil || f.Without(-1) != "gpt steps>1" || f.Without(0) != "steps>1" {
		t.Errorf("terms %q, error %v", f.Without(-1), err)
	}
	if got, want := f.Columns(), []string{"model", "best_tool", "names", "steps"}; !slices.Equal(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
}

func TestCompletions(t *testing.T) {
	if got, want := language.Completions(), []string{"tool:", "cost>", "cost<", "time>", "time<"}; !slices.Equal(got, want) {
		t.Errorf("completions %v, want %v", got, want)
	}
}

// FuzzParse: no text makes it panic, and what was read once is read alike again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", `a:"b c" -d>=3`, `"`, "-", ":", "has:", "time>1e308s", "-\xff<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		one, _ := language.Parse(text)
		two, err := language.Parse(one.Without(-1))
		if err != nil || len(one.Terms) != len(two.Terms) {
			t.Fatalf("%q: %d terms, then %d, %v", text, len(one.Terms), len(two.Terms), err)
		}
		if one.Finds(&full) != two.Finds(&full) || one.Finds(&bare) != two.Finds(&bare) {
			t.Fatalf("%q finds other rows when it is read again", text)
		}
	})
}
