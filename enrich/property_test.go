package enrich_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
	"smolscope/enrich/export"
)

// mayBeNegative lists the columns that hold what a user asked for.
var mayBeNegative = []string{
	"gen_ai.request.temperature", "gen_ai.request.top_p", "gen_ai.request.frequency_penalty", "gen_ai.request.presence_penalty",
	"common_temperature", "common_top_p",
}

// checkTables holds the enriched rows of any run to what is true of every run.
func checkTables(t *testing.T, tables *enrich.Tables) {
	t.Helper()
	checkRows(t, enrich.Results, enrich.ResultColumns, tables.Results)
	checkRows(t, enrich.Traces, enrich.TraceColumns, tables.Traces)
	checkRows(t, enrich.Metrics, enrich.MetricColumns, tables.Metrics)
	checkRows(t, "spans", enrich.SpanColumns, tables.Spans)
	checkRows(t, enrich.Leaderboard, enrich.LeaderboardColumns, []enrich.LeaderboardRow{tables.Leaderboard})
	// A sum takes what is known (decisions.md), so that parts may exceed a whole
	// that not all calls state.
	stated := !slices.ContainsFunc(tables.Spans, func(r enrich.SpanRow) bool {
		return r.Counted != nil && *r.Counted && (r.PromptTokens == nil || r.CompletionTokens == nil || r.TotalTokens == nil)
	})
	checkTokens := func(t *testing.T, where string, counts ...*int64) {
		t.Helper()
		if stated {
			checkTokens(t, where, counts[0], counts[1], counts[2], counts[3], counts[4], counts[5])
		}
	}
	for i := range tables.Results {
		r := &tables.Results[i]
		checkTokens(t, r.TestCaseUID, r.PromptTokens, r.CompletionTokens, r.UsageTotalTokens, r.ReasoningTokens, r.CacheReadTokens, r.CacheWriteTokens)
		checkCosts(t, r.TestCaseUID, r.CostTotal, r.CostPrompt, r.CostCompletion, r.CostReasoning, r.CostCacheRead, r.CostCacheWrite)
		checkOrigins(t, tables.Provenance, enrich.Results, r.TestCaseUID, enrich.ResultColumns, r)
	}
	for i := range tables.Traces {
		r := &tables.Traces[i]
		checkTokens(t, r.TraceID, r.PromptTokens, r.CompletionTokens, r.TotalTokens, r.ReasoningTokens, r.CacheReadTokens, r.CacheWriteTokens)
		checkCosts(t, r.TraceID, r.TotalCostUSD, r.CostPrompt, r.CostCompletion, r.CostReasoning, r.CostCacheRead, r.CostCacheWrite)
		checkOrigins(t, tables.Provenance, enrich.Traces, r.TraceID, enrich.TraceColumns, r)
	}
	for i := range tables.Metrics {
		r := &tables.Metrics[i]
		checkOrigins(t, tables.Provenance, enrich.Metrics, r.ProvenanceKey(), enrich.MetricColumns, r)
		if len(r.BucketCounts) > 0 && r.Source == string(enrich.Derived) {
			var n int64
			for _, count := range r.BucketCounts {
				n += count
			}
			if r.Count == nil || n != *r.Count || len(r.BucketCounts) != len(r.ExplicitBounds)+1 {
				t.Errorf("%s: buckets %v of bounds %v, count %v", r.MetricName, r.BucketCounts, r.ExplicitBounds, r.Count)
			}
		}
	}
	l := &tables.Leaderboard
	checkTokens(t, "run", l.TotalPromptTokens, l.TotalCompletionTokens, l.TotalTokens, l.TotalReasoningTokens, l.TotalCacheReadTokens, l.TotalCacheWriteTokens)
	checkCosts(t, "run", l.TotalCostUSD, l.TotalCostPromptUSD, l.TotalCostCompletionUSD, l.TotalCostReasoningUSD, l.TotalCostCacheReadUSD, l.TotalCostCacheWriteUSD)
	checkOrigins(t, tables.Provenance, enrich.Leaderboard, "run", enrich.LeaderboardColumns, l)
	for flag := range tables.Quality.Flags {
		if !slices.Contains(enrich.Flags, flag) {
			t.Errorf("flag %q is not of the closed list", flag)
		}
	}
}

func checkRows[R any](t *testing.T, dataset string, columns []enrich.Column[R], rows []R) {
	t.Helper()
	for i := range rows {
		for _, c := range columns {
			ptr := c.Ptr(&rows[i])
			v, ok := enrich.Number(ptr)
			if !ok {
				continue
			}
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s row %d: %s = %v", dataset, i, c.Name, v)
			}
			reported := dataset == enrich.Metrics // a gauge may be what its file says
			if v < 0 && !reported && !slices.Contains(mayBeNegative, c.Name) {
				t.Errorf("%s row %d: %s = %v, want nothing below zero", dataset, i, c.Name, v)
			}
		}
	}
}

// checkTokens: the parts of a count are no more than the whole.
func checkTokens(t *testing.T, where string, prompt, completion, total, reasoning, read, write *int64) {
	t.Helper()
	n := func(v *int64) int64 {
		if v == nil {
			return 0
		}
		return *v
	}
	if total != nil && n(prompt)+n(completion) > *total {
		t.Errorf("%s: %d prompt and %d completion tokens of %d in all", where, n(prompt), n(completion), *total)
	}
	if prompt != nil && n(read)+n(write) > *prompt {
		t.Errorf("%s: %d tokens read from and %d written to the cache of %d in the prompt", where, n(read), n(write), *prompt)
	}
	if completion != nil && n(reasoning) > *completion {
		t.Errorf("%s: %d reasoning tokens of %d in the completion", where, n(reasoning), *completion)
	}
}

// checkCosts: where the parts are known they make up the whole, and without a
// whole there are no parts.
func checkCosts(t *testing.T, where string, total *float64, parts ...*float64) {
	t.Helper()
	sum, known := 0.0, 0
	for _, p := range parts {
		if p != nil {
			sum += *p
			known++
		}
	}
	switch {
	case total == nil && known > 0:
		t.Errorf("%s: %d parts of an unknown cost", where, known)
	case total != nil && known > 0 && math.Abs(sum-*total) > 1e-9+0.01**total:
		t.Errorf("%s: parts of the cost add up to %v, want %v", where, sum, *total)
	}
}

// checkOrigins: every value says where it came from, and no absent one does.
func checkOrigins[R any](t *testing.T, p *enrich.Provenance, dataset, key string, columns []enrich.Column[R], row *R) {
	t.Helper()
	origins := p.Row(dataset, key)
	kinds := []enrich.ProvenanceKind{enrich.Reported, enrich.Derived, enrich.Priced, enrich.Measured, enrich.Repaired}
	for _, c := range columns {
		o, ok := origins[c.Name]
		known := enrich.Known(c.Ptr(row))
		switch {
		case known && !ok:
			t.Errorf("%s %q: %s has a value and no origin", dataset, key, c.Name)
		case !known && ok && dataset != enrich.Metrics: // several points share a key there
			t.Errorf("%s %q: %s has no value and the origin %v", dataset, key, c.Name, o)
		case ok && (o.From == "" || !slices.Contains(kinds, o.Kind)):
			t.Errorf("%s %q: %s has the origin %+v", dataset, key, c.Name, o)
		}
	}
}

// What holds of every run holds of generated ones, and a run does not depend on
// how its files are cut and ordered.
func TestEveryRun(t *testing.T) {
	for seed := range uint64(len(enrichtest.Models)) {
		model := &enrichtest.Models[seed]
		run := enrichtest.New(enrichtest.Plan{Seed: seed, Model: model, Tests: 12, GPUs: 2})
		t.Run(model.Name, func(t *testing.T) {
			var list []*enrich.Part
			for name, raw := range run.Files {
				part, _ := decode.Read(name, bytes.NewReader(raw))
				if part != nil {
					list = append(list, part)
				}
			}
			whole := runDocument(t, list, func(tables *enrich.Tables) { checkTables(t, tables) })
			if again := runDocument(t, pieces(list), nil); again != whole {
				t.Error("the run cut into pieces differs from the whole")
			}
		})
	}
}

// runDocument derives the one run of some parts and writes it out.
func runDocument(t *testing.T, list []*enrich.Part, check func(*enrich.Tables)) string {
	t.Helper()
	runs := enrich.Assemble(list)
	if len(runs) != 1 {
		t.Fatalf("%d runs, want 1", len(runs))
	}
	tables := enrich.Enrich(runs[0], enrich.DefaultOptions())
	if check != nil {
		check(tables)
	}
	var out bytes.Buffer
	if err := export.Document(&out, "test", []*enrich.Tables{tables}, nil); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// pieces cuts parts into one part a trace and one for the rest, in reverse.
func pieces(list []*enrich.Part) []*enrich.Part {
	var cut []*enrich.Part
	for _, p := range list {
		rest := *p
		rest.Traces = nil
		for _, trace := range p.Traces {
			one := &enrich.Part{Source: p.Source + trace.ID.String(), Group: p.Group, Traces: []*enrich.Trace{trace}}
			cut = append(cut, one)
		}
		cut = append(cut, &rest)
	}
	slices.Reverse(cut)
	return cut
}
