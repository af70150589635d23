package enrich_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smolscope/enrich"
	"smolscope/enrich/decode"
)

const (
	mistralRun = "../../shared/data/smoltrace/test_results/mistral_mistral-small-latest_tool_20251022_205434"
	gptRun     = "../../shared/data/smoltrace/test_cost_debug/gpt-3.5-turbo_tool_20251027_192408"
)

// load decodes the files of real runs, or skips where they are not at hand.
func load(t *testing.T, dirs ...string) []*enrich.Part {
	t.Helper()
	var parts []*enrich.Part
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(files) == 0 {
			t.Skipf("%s: the real runs lie beside the project and are not here", dir)
		}
		for _, name := range files {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			part, file := decode.Read(filepath.Base(name), bytes.NewReader(raw))
			if file.Error != nil {
				t.Fatal(*file.Error)
			}
			part.Group = dir
			parts = append(parts, part)
		}
	}
	return parts
}

func enrichOne(t *testing.T, parts []*enrich.Part) *enrich.Tables {
	t.Helper()
	runs := enrich.Assemble(parts)
	if len(runs) != 1 {
		t.Fatalf("Assemble gives %d runs, want 1", len(runs))
	}
	return enrich.Enrich(runs[0], enrich.DefaultOptions())
}

// columnsOf encodes some columns of a row, for comparison with what the spec says.
func columnsOf[R any](columns []enrich.Column[R], row *R, names ...string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		c, ok := enrich.Lookup(columns, name)
		if !ok {
			out[name] = "no such column"
			continue
		}
		out[name] = string(enrich.AppendJSON(nil, c.Ptr(row)))
	}
	return out
}

func wantColumns[R any](t *testing.T, columns []enrich.Column[R], row *R, want map[string]string) {
	t.Helper()
	var names []string
	for name := range want {
		names = append(names, name)
	}
	if diff := cmp.Diff(want, columnsOf(columns, row, names...)); diff != "" {
		t.Errorf("columns differ (-want +got):\n%s", diff)
	}
}

// The figures are those of spec §5, worked out by an independent implementation.
func TestMistralRun(t *testing.T) {
	tables := enrichOne(t, load(t, mistralRun))
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{
		"run_id": `"4da47ecc-b58a-5319-9316-4971971b7e7d"`, "run_id_source": `"synthesized"`,
		"model": `"mistral/mistral-small-latest"`, "agent_type": `"tool"`, "provider": `"litellm"`,
		"evaluation_date": `"2025-10-22T15:24:34.27681Z"`, "num_tests": "5",
		"successful_tests": "2", "failed_tests": "3", "success_rate": "40",
		"avg_steps": "2.6", "total_duration_ms": "15845.5034", "avg_duration_ms": "3169.10068",
		"wall_clock_ms": "15845.5034", "total_prompt_tokens": "21355", "total_completion_tokens": "597",
		"total_tokens": "21952", "avg_tokens_per_test": "5488", "token_coverage": `"4/5"`,
		"total_tool_calls": "7", "unique_tools_used": "3", "most_used_tool": `"get_weather"`,
		"total_errors": "3", "error_rate": "60", "error_types": `{"rate_limit":3}`,
		"gen_ai.system": `"mistral_ai"`, "avg_ttft_seconds": "null",
		"total_gpu_energy_wh": "null", "smoltrace_version": "null", "common_temperature": "null",
		"total_reasoning_tokens": "null", "co2_emissions_g": "0.0087808", "notes": `"Eval on 2025-10-22; 5 traces"`,
		// 21,355 in at 0.1 and 597 out at 0.3 USD per million; four tests used tokens.
		"total_cost_usd": "0.0023146", "cost_source": `"priced"`, "avg_cost_per_test_usd": "0.00057865", "total_cost_reasoning_usd": "null",
	})
	for i, want := range []map[string]string{
		{"test_id": `"tool_weather_single"`, "trace_id": `"ea1ec9a60010cd7896363beb81a3752d"`, "span_id": `"1179255501a90087"`, "start_time_unix_nano": `"1761146658415691700"`, "end_time_unix_nano": `"1761146662062295900"`, "execution_time_ms": "3646.6042", "gen_ai.usage.prompt_tokens": "3037", "gen_ai.usage.completion_tokens": "32", "gen_ai.usage.total_tokens": "3069", "success": "false", "steps": "3", "error_type": `"rate_limit"`, "final_answer_called": "true", "tool_called": "true", "tools_used": `["get_weather"]`},
		{"test_id": `"tool_time_single"`, "trace_id": `"c0dea9a8ab67b892b9e671f73c6770f7"`, "span_id": `"7221c3f8da49d8c7"`, "execution_time_ms": "1844.992", "gen_ai.usage.prompt_tokens": "6090", "gen_ai.usage.completion_tokens": "78", "gen_ai.usage.total_tokens": "6168", "success": "true", "steps": "3", "error_type": "null", "evaluation_date": `"2025-10-22T15:24:34.261195Z"`},
		{"test_id": `"tool_search_single"`, "span_id": `"86ae6d4f3927358d"`, "execution_time_ms": "283.2548", "gen_ai.usage.prompt_tokens": "null", "gen_ai.usage.total_tokens": "null", "total_tokens": "null", "steps": "1", "error_type": `"rate_limit"`, "final_answer_called": "false", "tool_called": "false", "tools_used": "[]"},
		{"test_id": `"shared_basic_weather"`, "span_id": `"836812ebad03186b"`, "execution_time_ms": "3077.1642", "gen_ai.usage.total_tokens": "4570", "steps": "3", "error_type": `"rate_limit"`},
		{"test_id": `"shared_basic_search"`, "span_id": `"0dc2814befffdeb3"`, "execution_time_ms": "6993.4882", "gen_ai.usage.total_tokens": "8145", "gen_ai.usage.completion_tokens": "443", "success": "true", "steps": "3"},
	} {
		wantColumns(t, enrich.ResultColumns, &tables.Results[i], want)
	}
	stored := tables.Quality.Stored["run"]
	for column, want := range map[string]string{"total_tokens": "29113", "total_duration_ms": "37525.57", "success_rate": "0", "avg_steps": "1.2", "total_cost_usd": "0"} {
		if got := stored[column].Text(); got != want {
			t.Errorf("stored %s = %q, want %s kept beside ours", column, got, want)
		}
	}
	wantFlags := map[string]int{enrich.FlagSuccessRepaired: 2, enrich.FlagStepsDerived: 3, enrich.FlagDuplicateExecution: 9}
	for flag, want := range wantFlags {
		if got := len(tables.Quality.Flags[flag]); got != want {
			t.Errorf("flag %s at %d places, want %d: %v", flag, got, want, tables.Quality.Flags[flag])
		}
	}
	calls, failed := 0, 0
	for _, tr := range tables.Traces {
		calls += int(tr.LLMCallCount)
	}
	for _, s := range tables.Spans {
		if s.SpanKind == "LLM" && s.ErrorType != nil {
			failed++
		}
	}
	if calls != 16 || failed != 3 || len(tables.Spans) != 43 {
		t.Errorf("%d LLM calls, %d failed, %d spans, want 16, 3, 43", calls, failed, len(tables.Spans))
	}
}

func TestGPTRun(t *testing.T) {
	tables := enrichOne(t, load(t, gptRun))
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{
		"run_id": `"9bb7bf0a-6b14-42d7-bada-b4ae3b244648"`, "run_id_source": `"reported"`, "provider": `"litellm"`,
		"num_tests": "8", "successful_tests": "0", "failed_tests": "8", "success_rate": "0",
		"total_duration_ms": "4905.4727", "avg_duration_ms": "613.1840875", "wall_clock_ms": "4905.4727",
		"total_tokens": "null", "total_prompt_tokens": "null", "avg_tokens_per_test": "null", "token_coverage": `"0/8"`,
		"total_cost_usd": "null", "co2_emissions_g": "null", "power_cost_total_usd": "null",
		"total_errors": "8", "error_rate": "100", "error_types": `{"auth":8}`, "avg_steps": "1",
		"total_tool_calls": "0", "unique_tools_used": "0", "most_used_tool": "null",
		"gen_ai.system": `"openai"`, "submitted_by": `"kshitijthakkar"`,
	})
	var durations []float64
	for i := range tables.Results {
		durations = append(durations, *tables.Results[i].ExecutionTimeMS)
	}
	slices.Sort(durations)
	if p50 := *enrich.Percentile(durations, 0.5); p50 < 569.73025 || p50 > 569.73035 {
		t.Errorf("median duration = %v ms, want 569.7303", p50)
	}
	wantColumns(t, enrich.ResultColumns, &tables.Results[1], map[string]string{
		"trace_id": `"0d63467e46838d158e4e08a9fda12d85"`, "span_id": `"cb682db76ff4a077"`, "test_case_uid": `"tool:tool_time_single"`, "error_type": `"auth"`,
	})
}

// document is what the CLI would print of the runs, without the files.
func document(runs []*enrich.Run) string {
	var out []byte
	for _, r := range runs {
		tables := enrich.Enrich(r, enrich.DefaultOptions())
		out = enrich.AppendRow(out, enrich.LeaderboardColumns, &tables.Leaderboard)
		for i := range tables.Results {
			out = enrich.AppendRow(out, enrich.ResultColumns, &tables.Results[i])
		}
		for i := range tables.Traces {
			out = enrich.AppendRow(out, enrich.TraceColumns, &tables.Traces[i])
		}
		for i := range tables.Metrics {
			out = enrich.AppendRow(out, enrich.MetricColumns, &tables.Metrics[i])
		}
		out = append(out, '\n')
	}
	return string(out)
}

// Ten files of two runs in one heap, in any order, without folders: the same rows.
func TestOrderAndNamesChangeNothing(t *testing.T) {
	both := func() []*enrich.Part { return load(t, mistralRun, gptRun) }
	want := document(enrich.Assemble(both()))
	if n := len(enrich.Assemble(both())); n != 2 {
		t.Fatalf("Assemble gives %d runs, want 2", n)
	}
	for name, change := range map[string]func([]*enrich.Part){
		"again":           func([]*enrich.Part) {},
		"backwards":       slices.Reverse[[]*enrich.Part],
		"without folders": func(p []*enrich.Part) { setGroup(p, "") },
		"in one folder":   func(p []*enrich.Part) { setGroup(p, "all") },
	} {
		t.Run(name, func(t *testing.T) {
			parts := both()
			change(parts)
			if diff := cmp.Diff(want, document(enrich.Assemble(parts))); diff != "" {
				t.Errorf("rows changed:\n%.2000s", diff)
			}
		})
	}
}

func setGroup(parts []*enrich.Part, group string) {
	for _, p := range parts {
		p.Group = group
	}
}

// Every file of a run shares a key with another, directly or through others, so
// that files dropped one at a time find each other.
func TestKeysConnectTheRun(t *testing.T) {
	for _, dir := range []string{mistralRun, gptRun} {
		parts := load(t, dir)
		reached := map[string]bool{}
		for _, k := range parts[0].Keys() {
			reached[k] = true
		}
		for range parts {
			for _, p := range parts {
				if slices.ContainsFunc(p.Keys(), func(k string) bool { return reached[k] }) {
					for _, k := range p.Keys() {
						reached[k] = true
					}
				}
			}
		}
		for i, p := range parts {
			if !slices.ContainsFunc(p.Keys(), func(k string) bool { return reached[k] }) {
				t.Errorf("%s: file %d shares no key with the others: %v", dir, i, p.Keys())
			}
		}
	}
}

// pointName is a point's metric, with the token type where it has one.
func pointName(r enrich.MetricRow) string {
	for _, kind := range []string{"input", "output"} {
		if strings.Contains(string(r.Attributes), `"gen_ai.token.type":"`+kind+`"`) {
			return r.MetricName + " " + kind
		}
	}
	return r.MetricName
}

// The derived metrics of spec §4.4. A histogram has a point per set of
// attributes; the spec's figures are over all of them.
func TestMistralMetrics(t *testing.T) {
	tables := enrichOne(t, load(t, mistralRun))
	type total struct {
		Value, Sum float64
		Count      int64
		Buckets    []int64
	}
	got := map[string]*total{}
	for _, r := range tables.Metrics {
		if r.Source != string(enrich.Derived) || r.TestID != nil {
			continue
		}
		name := pointName(r)
		if got[name] == nil {
			got[name] = &total{Buckets: make([]int64, len(r.BucketCounts))}
		}
		g := got[name]
		if r.Value != nil {
			g.Value += *r.Value
			continue
		}
		g.Count += *r.Count
		g.Sum += *r.Sum
		for i, n := range r.BucketCounts {
			g.Buckets[i] += n
		}
	}
	want := map[string]*total{
		"gen_ai.requests":                  {Value: 16},
		"gen_ai.client.errors":             {Value: 3},
		"gen_ai.client.operation.duration": {Count: 16, Sum: 13.1385853, Buckets: []int64{0, 0, 0, 0, 0, 2, 9, 1, 4, 0, 0, 0, 0, 0, 0}},
		"gen_ai.client.token.usage input":  {Count: 13, Sum: 21355, Buckets: []int64{0, 0, 0, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0}},
		"gen_ai.client.token.usage output": {Count: 13, Sum: 597, Buckets: []int64{0, 0, 8, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"llm.token_count.total":            {Value: 21952},
		"tests.tool_calls":                 {Count: 5, Sum: 7, Buckets: []int64{1, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"tests.steps":                      {Count: 5, Sum: 13, Buckets: []int64{0, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0}},
		"tests.successful":                 {Value: 2},
		"gen_ai.co2.emissions":             {Value: 0.0087808}, // 21952 tokens × 0.0004 g / 1000
		"gen_ai.usage.cost.prompt":         {Value: 0.0021355}, // 21355 tokens × 0.1 USD / 1 M
		"gen_ai.usage.cost.completion":     {Value: 0.0001791}, // 597 tokens × 0.3 USD / 1 M
		"gen_ai.usage.cost.total":          {Value: 0.0023146},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("derived metrics differ from spec §4.4 (-want +got):\n%s", diff)
	}
}
