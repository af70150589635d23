package views

import (
	"net/url"
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/filter"
)

// A Find is what the filter bar of a page asks for. Err is a *QueryError that
// names the first term that makes no sense: the page shows it beside the bar, with
// what the other terms find; a program that asks is refused.
type Find[R any] struct {
	Text   string
	Filter filter.Filter[R]
	Err    error
}

// maxFilter is how many bytes of a filter are read.
const maxFilter = 1000

// parseFind reads ?q=.
func parseFind[R any](v url.Values, l filter.Language[R]) Find[R] {
	f := Find[R]{Text: strings.TrimSpace(v.Get("q"))}
	if len(f.Text) > maxFilter {
		return Find[R]{Err: &QueryError{"q", "longer than 1,000 bytes"}}
	}
	var err error
	if f.Filter, err = l.Parse(f.Text); err != nil {
		f.Err = &QueryError{"q", err.Error()}
	}
	return f
}

// runLanguage is what the leaderboard can be asked.
var runLanguage = filter.Language[enrich.LeaderboardRow]{
	Columns: enrich.LeaderboardColumns,
	Names: []filter.Name{
		{Name: "model", Column: "model"}, {Name: "agent", Column: "agent_type"}, {Name: "provider", Column: "provider"},
		{Name: "success", Column: "success_rate"}, {Name: "tests", Column: "num_tests"}, {Name: "time", Column: "avg_duration_ms"},
		{Name: "ttft", Column: "p50_ttft_seconds"}, {Name: "cost", Column: "total_cost_usd"}, {Name: "tokens", Column: "total_tokens"},
		{Name: "in", Column: "total_prompt_tokens"}, {Name: "out", Column: "total_completion_tokens"}, {Name: "energy", Column: "total_gpu_energy_wh"},
		{Name: "errors", Column: "total_errors"}, {Name: "error", Column: "error_types"}, {Name: "steps", Column: "avg_steps"},
		{Name: "calls", Column: "total_tool_calls"}, {Name: "tool", Column: "most_used_tool"}, {Name: "suite", Column: "dataset_used"},
		{Name: "hardware", Column: "hardware"}, {Name: "when", Column: "evaluation_date"}, {Name: "run", Column: "run_id"},
	},
}

// testLanguage is what the tests of a run can be asked: their columns, and how
// they ended.
var testLanguage = filter.Language[enrich.ResultRow]{
	Columns: append([]enrich.Column[enrich.ResultRow]{{Name: "outcome", Ptr: func(r *enrich.ResultRow) any { return new(outcomeWord(outcomeOf(r))) }}}, enrich.ResultColumns...),
	Names: []filter.Name{
		{Name: "outcome", Column: "outcome"}, {Name: "test", Column: "test_id"}, {Name: "question", Column: "prompt"}, {Name: "answer", Column: "response"},
		{Name: "tool", Column: "tools_used"}, {Name: "error", Column: "error_type"}, {Name: "message", Column: "error"}, {Name: "time", Column: "execution_time_ms"},
		{Name: "ttft", Column: "gen_ai.server.ttft"}, {Name: "steps", Column: "steps"}, {Name: "cost", Column: "gen_ai.usage.cost.total"},
		{Name: "tokens", Column: "gen_ai.usage.total_tokens"}, {Name: "in", Column: "gen_ai.usage.prompt_tokens"}, {Name: "out", Column: "gen_ai.usage.completion_tokens"},
		{Name: "energy", Column: "gpu_energy_wh"}, {Name: "difficulty", Column: "difficulty"}, {Name: "agent", Column: "agent_type"}, {Name: "trace", Column: "trace_id"},
	},
}

// outcomeWord writes an outcome as one word.
func outcomeWord(o *Outcome) string { return strings.ReplaceAll(o.Name, " ", "_") }

// A FilterBar is where a list is asked for less than all.
type FilterBar struct {
	Action      string     // of the form, and where it leads without a filter
	All         string     // the whole list
	Keep        []FilterAs // what stays as it is
	Text        string     // as written
	Example     string
	Problem     string // why a term makes no sense, "" if all do
	Found       string // how many, where anything is asked
	Chips       []FilterChip
	Quick       []FilterChip
	Completions []string
}

// A FilterAs is a part of the address that the form sends along.
type FilterAs struct{ Name, Value string }

// A FilterChip is a term: Href leads to the list without it, or of a quick one
// with it, unless it is Current.
type FilterChip struct {
	Text, Href, Count string
	Class             string
	Icon              string
	Current           bool
}

// newFilterBar makes the bar of a list at a path; keep are the pairs of its
// address besides the filter and the page, found is how many rows there are.
func newFilterBar[R any](f Find[R], path string, keep []string, found string, complete []string) FilterBar {
	b := FilterBar{Action: path, All: address(path, keep...), Text: f.Text, Completions: complete}
	for i := 0; i+1 < len(keep); i += 2 {
		b.Keep = append(b.Keep, FilterAs{keep[i], keep[i+1]})
	}
	if bad, ok := f.Err.(*QueryError); ok {
		b.Problem = visible(bad.Message)
	}
	if len(f.Filter.Terms) > 0 {
		b.Found = found
	}
	for i, t := range f.Filter.Terms {
		b.Chips = append(b.Chips, FilterChip{Text: visible(t.Text), Href: address(path, append([]string{"q", f.Filter.Without(i)}, keep...)...)})
	}
	return b
}

// outcomeLinks lead to the tests that ended alike, where tests ended in
// different ways.
func outcomeLinks(results []enrich.ResultRow, f Find[enrich.ResultRow], path string, keep []string) []FilterChip {
	counts := map[*Outcome]int{}
	for i := range results {
		counts[outcomeOf(&results[i])]++
	}
	if len(counts) < 2 {
		return nil
	}
	var others, asked []string // the outcomes among them
	for _, t := range f.Filter.Terms {
		if strings.HasPrefix(t.Text, "outcome=") {
			asked = append(asked, t.Text)
		} else {
			others = append(others, t.Text)
		}
	}
	var list []FilterChip
	for _, o := range outcomes {
		if counts[o] == 0 {
			continue
		}
		term := "outcome=" + outcomeWord(o)
		current := slices.Contains(asked, term)
		terms := others
		if !current {
			terms = append(slices.Clip(others), term)
		}
		list = append(list, FilterChip{
			Text: o.Name, Count: count(counts[o]), Class: o.Class, Icon: o.Icon, Current: current,
			Href: address(path, append([]string{"q", strings.Join(terms, " ")}, keep...)...),
		})
	}
	return list
}

// completions lists how terms may begin, and the values that the rows have for
// the given names, each once.
func completions[R any](l filter.Language[R], rows []R, names ...string) []string {
	const mostValues = 20
	list := l.Completions()
	for _, name := range names {
		i := slices.IndexFunc(l.Names, func(n filter.Name) bool { return n.Name == name })
		c, _ := enrich.Lookup(l.Columns, l.Names[i].Column)
		var values []string
		for i := range rows {
			for _, v := range textsOf(c.Ptr(&rows[i])) {
				if len(values) < mostValues && v != "" && len(v) < 100 && !slices.Contains(values, v) && !strings.Contains(v, `"`) && v == visible(v) {
					values = append(values, v)
				}
			}
		}
		slices.Sort(values)
		for _, v := range values {
			list = append(list, name+":"+quoted(v))
		}
	}
	return list
}

// quoted writes a value as one word of a filter.
func quoted(value string) string {
	if strings.ContainsAny(value, " \t\n\r") {
		return `"` + value + `"`
	}
	return value
}

// textsOf returns the texts of a field, given by its pointer.
func textsOf(ptr any) []string {
	switch p := ptr.(type) {
	case *string:
		return []string{*p}
	case **string:
		if *p != nil {
			return []string{**p}
		}
	case *[]string:
		return *p
	}
	return nil
}
