package enrich_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
)

// TestSetRow shows what single values are read as: what JSON has, and the same
// text in a string, as CSV and Parquet have it.
func TestSetRow(t *testing.T) {
	type row struct {
		Text   *string
		Truth  *bool
		Count  *int64
		Number *float64
		At     enrich.Time
		Nanos  enrich.UnixNano
		Texts  []string
		Ints   []int64
		Object enrich.JSON
	}
	columns := []enrich.Column[row]{
		{Name: "text", Ptr: func(r *row) any { return &r.Text }},
		{Name: "truth", Ptr: func(r *row) any { return &r.Truth }},
		{Name: "count", Ptr: func(r *row) any { return &r.Count }},
		{Name: "number", Ptr: func(r *row) any { return &r.Number }},
		{Name: "at", Ptr: func(r *row) any { return &r.At }},
		{Name: "nanos", Ptr: func(r *row) any { return &r.Nanos }},
		{Name: "texts", Ptr: func(r *row) any { return &r.Texts }},
		{Name: "ints", Ptr: func(r *row) any { return &r.Ints }},
		{Name: "object", Ptr: func(r *row) any { return &r.Object }},
	}
	text := attr.StringValue
	for _, tt := range []struct {
		column string
		value  attr.Value
		want   string // as AppendJSON writes it, "" when it does not fit
	}{
		{"text", text(""), `""`},
		{"text", text("1e3"), `"1e3"`},
		{"truth", attr.BoolValue(false), `false`},
		{"truth", text("false"), `false`},
		{"truth", text("maybe"), ``},
		{"count", attr.IntValue(-5), `-5`},
		{"count", text("9223372036854775807"), `9223372036854775807`},
		{"count", attr.FloatValue(2.5), ``},
		{"number", attr.IntValue(40), `40`},
		{"number", text("0.30000000000000004"), `0.30000000000000004`},
		{"number", text(""), ``},
		{"at", text("2025-10-22T15:24:34.123456789Z"), `"2025-10-22T15:24:34.123456789Z"`},
		{"at", text("2025-10-22T17:24:34+02:00"), `"2025-10-22T15:24:34Z"`},
		{"at", text("9999-10-22T15:24:34Z"), ``}, // no int64 of nanoseconds holds it
		{"at", text("soon"), ``},
		{"nanos", text("1761146674123456789"), `"1761146674123456789"`},
		{"nanos", text("1.5"), ``},
		{"texts", attr.JSONValue(`["a",""]`), `["a",""]`},
		{"texts", text(`[]`), `[]`},
		{"texts", text(`["a",null]`), ``},
		{"texts", text(`a`), ``},
		{"ints", text(`[0,9007199254740993]`), `[0,9007199254740993]`},
		{"ints", text(`[0.5]`), ``},
		{"object", attr.JSONValue(`{"a":1.50}`), `{"a":1.50}`},
		{"object", text("{\"a\":\n[1, \"\u2028\"]}"), "{\"a\":[1,\"\u2028\"]}"},
		{"object", text(`{"a"`), ``},
	} {
		var r row
		got := ""
		reported := false
		enrich.SetRow(columns, &r, attr.Set{{Key: tt.column, Value: tt.value}}, func(string, attr.Value, string) { reported = true })
		if c, _ := enrich.Lookup(columns, tt.column); !reported {
			got = string(enrich.AppendJSON(nil, c.Ptr(&r)))
		}
		if got != tt.want {
			t.Errorf("%s from %s = %s, want %s", tt.column, tt.value.AppendJSON(nil), got, tt.want)
		}
	}
}

func TestSetRowNeverNull(t *testing.T) {
	type row struct{ Count int64 }
	columns := []enrich.Column[row]{{Name: "count", Ptr: func(r *row) any { return &r.Count }}}
	for _, tt := range []struct {
		values attr.Set
		want   bool
	}{
		{nil, false}, // 0 would be a number that nobody stated
		{attr.Set{{Key: "count", Value: attr.StringValue("many")}}, false},
		{attr.Set{{Key: "count", Value: attr.IntValue(0)}}, true},
	} {
		var r row
		if got := enrich.SetRow(columns, &r, tt.values, func(string, attr.Value, string) {}); got != tt.want {
			t.Errorf("SetRow(%s) = %t, want %t", tt.values.AppendJSON(nil), got, tt.want)
		}
	}
}

// TestExportFillsWhatOriginalsLack: of a run whose results file is at hand and
// whose traces and metrics are known from an export alone, each is used; the
// exported results are not, for the originals say it better.
func TestExportFillsWhatOriginalsLack(t *testing.T) {
	run := enrichtest.New(enrichtest.Plan{Seed: 5, Tests: 3})
	var parts []*enrich.Part
	for name, raw := range run.Files {
		part, receipt := decode.Read(name, bytes.NewReader(raw))
		if part == nil {
			t.Fatal(receipt.Error)
		}
		parts = append(parts, part)
	}
	whole := enrich.Enrich(enrich.Assemble(parts)[0], enrich.DefaultOptions())
	export := &enrich.Part{Source: "export"}
	export.Exported.Results = whole.Results
	export.Exported.Metrics = whole.Metrics
	for i, row := range whole.Traces {
		trace := enrich.ExportedTrace{Row: row}
		trace.Row.Spans = enrich.SpanList{}
		for _, p := range parts {
			for _, original := range p.Traces {
				if original.ID.String() == row.TraceID {
					trace.Spans = append(trace.Spans, original.Spans...)
				}
			}
		}
		if len(trace.Spans) == 0 {
			t.Fatalf("trace %d has no spans", i)
		}
		export.Exported.Traces = append(export.Exported.Traces, trace)
	}
	for _, tt := range []struct {
		original string // the dataset that is at hand as an original
		keep     func(p *enrich.Part) bool
	}{
		{enrich.Results, func(p *enrich.Part) bool { return len(p.Results) > 0 }},
		{enrich.Traces, func(p *enrich.Part) bool { return len(p.Traces) > 0 }},
	} {
		t.Run(tt.original, func(t *testing.T) {
			list := []*enrich.Part{export}
			for _, p := range parts {
				if tt.keep(p) {
					list = append(list, p)
				}
			}
			runs := enrich.Assemble(list)
			if len(runs) != 1 {
				t.Fatalf("%d runs, want 1", len(runs))
			}
			got := enrich.Enrich(runs[0], enrich.DefaultOptions())
			if len(got.Traces) != len(whole.Traces) || len(got.Results) != len(whole.Results) {
				t.Fatalf("%d traces and %d results, want %d and %d", len(got.Traces), len(got.Results), len(whole.Traces), len(whole.Results))
			}
			for i := range got.Results {
				g, w := &got.Results[i], &whole.Results[i]
				if a, b := enrich.AppendJSON(nil, &g.Success), enrich.AppendJSON(nil, &w.Success); string(a) != string(b) {
					t.Errorf("test %d: success %s, want %s", i, a, b)
				}
				if a, b := enrich.AppendJSON(nil, &g.UsageTotalTokens), enrich.AppendJSON(nil, &w.UsageTotalTokens); string(a) != string(b) {
					t.Errorf("test %d: tokens %s, want %s", i, a, b)
				}
			}
			if a, b := enrich.AppendJSON(nil, &got.Leaderboard.TotalGPUEnergyWh), enrich.AppendJSON(nil, &whole.Leaderboard.TotalGPUEnergyWh); string(a) != string(b) {
				t.Errorf("energy %s, want %s", a, b)
			}
		})
	}
}

// Of exports beside originals the datasets that these hold are left out, and
// each export is told so; a row of results without a trace stands as it was
// exported, with what only its trace told.
func TestExportBesideOriginals(t *testing.T) {
	whole := enrichOne(t, parts(t, strings.ReplaceAll(twoResults, "{'model'", "{'run_id':'r','model'"), twoTraces))
	results := &enrich.Part{Source: "results export"}
	results.Exported.Results = whole.Results
	leaderboard := &enrich.Part{Source: "leaderboard export"}
	leaderboard.Exported.Leaderboard = []enrich.LeaderboardRow{whole.Leaderboard}
	original := parts(t, `{'run_id':'r','aggregates':[{'name':'tests.steps','type':'histogram','data_points':[{'value':{'sum':2,'count':2,'avg':1},'attributes':{}}]}],'resourceMetrics':[]}`)
	tables := enrichOne(t, append(original, results, leaderboard))
	wantColumns(t, enrich.ResultColumns, &tables.Results[0], map[string]string{"gen_ai.usage.prompt_tokens": "8", "gen_ai.usage.total_tokens": "10", "token_source": `"llm_leaf"`, "execution_time_ms": "1000"})
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{"run_id": `"r"`, "total_tokens": "10", "total_prompt_tokens": "8", "num_tests": "2"})
	if len(tables.LeftOut) > 0 {
		t.Errorf("left out: %v, want nothing", tables.LeftOut)
	}

	again := strings.ReplaceAll(twoResults, "{'model'", "{'run_id':'r','model'")
	tables = enrichOne(t, append(parts(t, again), results, leaderboard))
	want := []enrich.LeftOut{{Source: "results export", RunID: "r", Datasets: []string{enrich.Results}}}
	if diff := cmp.Diff(want, tables.LeftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	if got, want := tables.LeftOut[0].Warning(), (enrich.Warning{Where: "run r", Message: "original files hold the results of this run; the rows of this export are left out"}); got != want {
		t.Errorf("warning = %v, want %v", got, want)
	}
}

// Originals that name neither run nor trace are known by the id that they get
// when they are derived, which the export names.
func TestExportOfUnnamedRun(t *testing.T) {
	untraced := strings.NewReplacer(",'trace_id':'0xa1'", "", ",'trace_id':'0xb1'", "").Replace(twoResults)
	whole := enrichOne(t, parts(t, untraced, strings.ReplaceAll(leaderboardRow, "'team'", "'notes':'n','team'")))
	export := &enrich.Part{Source: "export"}
	export.Exported.Results, export.Exported.Leaderboard = whole.Results, []enrich.LeaderboardRow{whole.Leaderboard}
	tables := enrichOne(t, append(parts(t, untraced), export))
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{
		"run_id": `"` + whole.Leaderboard.RunID + `"`, "run_id_source": `"synthesized"`, "notes": `"n"`, "team": `"blue"`, "num_tests": "2", "total_tokens": "30",
	})
	if len(tables.LeftOut) != 1 {
		t.Errorf("left out: %v, want the results of the export", tables.LeftOut)
	}
}

// Summaries that name no run go to the exported run that they describe, and to
// none if two fit alike or what they state contradicts it: by the time and model
// of a leaderboard row, and by the 30 tokens in 2 tests that metrics state and the
// results recorded, which were exported as 10.
func TestSummaryBesideExport(t *testing.T) {
	named := strings.ReplaceAll(twoResults, "{'model'", "{'run_id':'r','enhanced_trace_info':'{\\'total_tokens\\':15}','model'")
	named = strings.ReplaceAll(named, `\'`, `\"`)
	named = strings.NewReplacer("'total_tokens':30,", "", "'total_tokens':0,", "").Replace(named)
	whole := enrichOne(t, parts(t, named, twoTraces))
	export := func(run string) *enrich.Part {
		part := &enrich.Part{Source: "export " + run}
		for _, row := range whole.Results {
			row.RunID = run
			part.Exported.Results = append(part.Exported.Results, row)
		}
		return part
	}
	for _, tt := range []struct {
		name      string
		summaries []string
		exports   []string
		want      int // runs
	}{
		{"row by time", []string{leaderboardRow}, []string{"r"}, 1},
		{"metrics by totals", []string{aggregates}, []string{"r"}, 1},
		{"both", []string{aggregates, leaderboardRow, metadata}, []string{"r"}, 1},
		{"row of another model", []string{strings.ReplaceAll(leaderboardRow, "'m'", "'other'")}, []string{"r"}, 2},
		{"row of another day", []string{strings.ReplaceAll(leaderboardRow, "2026-01-02", "2026-01-03")}, []string{"r"}, 2},
		{"metrics of either", []string{aggregates}, []string{"r", "s"}, 3},
		{"metrics of other totals beside two", []string{strings.ReplaceAll(aggregates, "30", "31")}, []string{"r", "s"}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := parts(t, tt.summaries...)
			for _, run := range tt.exports {
				list = append(list, export(run))
			}
			for range 2 {
				runs := enrich.Assemble(list)
				if len(runs) != tt.want {
					t.Fatalf("%d runs, want %d", len(runs), tt.want)
				}
				if got := enrich.Enrich(runs[0], enrich.DefaultOptions()); tt.want == 1 && (got.Leaderboard.RunID != "r" || got.Leaderboard.NumTests != 2 || len(got.Sources) != len(list)) {
					t.Errorf("run %q of %d tests and %d files, want r of 2 and %d", got.Leaderboard.RunID, got.Leaderboard.NumTests, len(got.Sources), len(list))
				}
				slices.Reverse(list)
			}
		})
	}
}
