package views

import (
	"cmp"
	"maps"
	"slices"

	"smolscope/enrich"
)

// A Provenance is the part of a run's page that says how the run was set up,
// and of each column of a dataset for how many rows it is known, and from what.
type Provenance struct {
	Settings []Fact
	Datasets []Tab
	Things   string // what a row of the dataset is: "tests"
	Known    []ColumnCoverage
	Never    []ColumnCoverage // columns known for no row
	Origins  []OriginLine     // of the run's own figures
}

// A ColumnCoverage says for how many rows a column is known.
type ColumnCoverage struct {
	ID        string // of its place on the page
	Name, Doc string
	Text      string // "5 of 5"
	Width     string // percent of the bar
	Sources   []SourceLine
}

// A SourceLine counts the rows whose value came about in one way.
type SourceLine struct {
	Kind    string
	Count   string
	Reasons []string // with their counts, commonest first
	More    string   // how many reasons are left out, "" for none
}

// reasonsShown is how many reasons of one kind are listed.
const reasonsShown = 8

// settings are the columns that say how a run was set up.
var settings = []string{
	"agent_type", "provider", "gen_ai.system", "common_temperature", "common_top_p", "common_max_tokens", "dataset_used", "suite_version", "use_case", "team",
	"purpose", "submitted_by", "hardware", "job_type", "hf_job_id", "smoltrace_version", "genai_otel_version", "smolagents_version", "run_id", "run_id_source", "notes",
}

// datasets are those that provenance is kept of, and what their rows are.
var datasets = []struct{ name, title, things string }{
	{enrich.Results, "Results", "tests"}, {enrich.Traces, "Traces", "traces"},
	{enrich.Metrics, "Metrics", "metrics of a test or the run"}, {enrich.Leaderboard, "Leaderboard", "row"},
}

func newProvenance(d RunData, f figures[enrich.LeaderboardRow], dataset string) Provenance {
	p := Provenance{Origins: originLines(f)}
	for _, name := range settings {
		if f.known(name) {
			c, _ := enrich.Lookup(enrich.LeaderboardColumns, name)
			q := f.get(name)
			q.Text = oneLine(q.Text, 300)
			p.Settings = append(p.Settings, Fact{Name: c.Label, Value: q})
		}
	}
	for _, set := range datasets {
		if set.name == dataset {
			p.Things = set.things
		}
		p.Datasets = append(p.Datasets, Tab{Text: set.title, Href: sourcesURL(d.Row.RunID, set.name), Current: set.name == dataset})
	}
	if d.Provenance == nil {
		return p
	}
	var list []ColumnCoverage
	switch dataset {
	case enrich.Results:
		list = coverageOf(d.Provenance, dataset, enrich.ResultColumns)
	case enrich.Traces:
		list = coverageOf(d.Provenance, dataset, enrich.TraceColumns)
	case enrich.Metrics:
		list = coverageOf(d.Provenance, dataset, enrich.MetricColumns)
	case enrich.Leaderboard:
		list = coverageOf(d.Provenance, dataset, enrich.LeaderboardColumns)
	}
	for _, c := range list {
		if len(c.Sources) == 0 {
			p.Never = append(p.Never, c)
		} else {
			p.Known = append(p.Known, c)
		}
	}
	return p
}

// coverageOf counts the rows of a dataset that have an origin, by column. A
// known value has one, and a null has none (decisions: provenance).
func coverageOf[R any](p *enrich.Provenance, dataset string, columns []enrich.Column[R]) []ColumnCoverage {
	keys := p.Keys(dataset)
	counts := map[string]map[enrich.Origin]int{}
	for _, key := range keys {
		for column, o := range p.Row(dataset, key) {
			if counts[column] == nil {
				counts[column] = map[enrich.Origin]int{}
			}
			counts[column][o]++
		}
	}
	if len(keys) == 0 {
		return nil
	}
	list := make([]ColumnCoverage, len(columns))
	for i, c := range columns {
		known := 0
		for _, n := range counts[c.Name] {
			known += n
		}
		list[i] = ColumnCoverage{
			ID: columnID(c.Name), Name: c.Label, Doc: c.Doc, Text: count(known) + " of " + count(len(keys)),
			Width: geometry(100 * float64(known) / float64(len(keys))), Sources: sources(counts[c.Name]),
		}
	}
	return list
}

// sources groups origins by kind, the commonest first.
func sources(counts map[enrich.Origin]int) []SourceLine {
	origins := slices.SortedFunc(maps.Keys(counts), func(a, b enrich.Origin) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.From, b.From))
	})
	totals := map[enrich.ProvenanceKind]int{}
	for o, n := range counts {
		totals[o.Kind] += n
	}
	kinds := slices.SortedFunc(maps.Keys(totals), func(a, b enrich.ProvenanceKind) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b))
	})
	var list []SourceLine
	for _, kind := range kinds {
		line, left := SourceLine{Kind: string(kind), Count: count(totals[kind])}, 0
		for _, o := range origins {
			switch {
			case o.Kind != kind:
			case len(line.Reasons) < reasonsShown:
				line.Reasons = append(line.Reasons, count(counts[o])+" × "+visible(o.From))
			default:
				left++
			}
		}
		if left > 0 {
			line.More = "and " + plural(left, "more reason")
		}
		list = append(list, line)
	}
	return list
}

// columnID is the place of a column among those of a dataset.
func columnID(name string) string { return "column-" + name }

// sourcesURL is where a run's page says where the columns of a dataset come from.
func sourcesURL(runID, dataset string) string {
	if dataset == enrich.Results {
		dataset = "" // the default
	}
	return address(RunURL(runID), "tab", "provenance", "dataset", dataset)
}

// sourcesOf is where a run's page says where the figures that a flag touches
// come from, "" if it touches none.
func sourcesOf(runID, flag string) string {
	for _, about := range flagTopics[flag] {
		for _, c := range enrich.ResultColumns {
			if topic(c.Name, c.Unit) == about {
				return sourcesURL(runID, enrich.Results) + "#" + columnID(c.Name)
			}
		}
		for _, c := range enrich.LeaderboardColumns {
			if topic(c.Name, c.Unit) == about {
				return sourcesURL(runID, enrich.Leaderboard) + "#" + columnID(c.Name)
			}
		}
	}
	return ""
}
