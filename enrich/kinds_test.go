package enrich_test

import (
	"fmt"
	"strings"
	"testing"

	"smolscope/enrich"
)

// made writes a traces file of one trace. A line is a span: id, parent ("-" for
// none), start and end in ms, name, and attributes as JSON without braces, in
// which every ' is a ".
func made(trace, lines string) string {
	var spans []string
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 6)
		for len(f) < 6 {
			f = append(f, "")
		}
		parent := "null"
		if f[1] != "-" {
			parent = "'0x" + f[1] + "'"
		}
		var start, end int64
		fmt.Sscan(f[2], &start)
		fmt.Sscan(f[3], &end)
		const epoch = 1767323040000
		spans = append(spans, fmt.Sprintf(`{'trace_id':'%s','span_id':'0x%s','parent_span_id':%s,'name':'%s','start_time':%d000000,'end_time':%d000000,'attributes':{%s},'events':[],'status':{'code':'OK'},'kind':'INTERNAL','resource':{}}`,
			trace, f[0], parent, f[4], epoch+start, epoch+end, f[5]))
	}
	return fmt.Sprintf("[{'trace_id':'%s','spans':[%s]}]", trace, strings.Join(spans, ","))
}

// usage states tokens as OpenInference does.
func usage(prompt, completion int) string {
	return fmt.Sprintf("'openinference.span.kind':'LLM','llm.model_name':'m','llm.token_count.prompt':%d,'llm.token_count.completion':%d,'llm.token_count.total':%d", prompt, completion, prompt+completion)
}

// One run of each kind, small enough to be worked out by hand.
func TestKindsOfRuns(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		files                      []string
		result, trace, leaderboard map[string]string
		flags                      string // that the run must carry, comma-separated
	}{
		{
			// Calls A and C stream. A: first token after 0.5 s of 2 s, 16 tokens, so
			// (2-0.5)/15 = 0.1 s between tokens. C: 1 s of 3 s, 21 tokens: 2/20 = 0.1 s.
			// The test's TTFT is that of its first streamed call. Of the sorted
			// [0.5, 1]: mean 0.75, p50 0.75, p95 0.5+0.95×0.5 = 0.975, p99 0.995.
			name: "streamed",
			files: []string{made("0x1", `
				1 - 0 10000 test_evaluation 'test.id':'a','agent.type':'tool'
				2 1 1000 3000 completion `+usage(100, 16)+`,'gen_ai.server.ttft':0.5
				3 1 4000 5000 completion `+usage(100, 10)+`
				4 1 6000 9000 completion `+usage(100, 21)+`,'ai.response.msToFirstChunk':1000`)},
			result: map[string]string{"gen_ai.server.ttft": "0.5", "gen_ai.server.tbt": "0.1", "gen_ai.usage.total_tokens": "347", "execution_time_ms": "10000"},
			trace:  map[string]string{"gen_ai.server.ttft": "0.5", "avg_tbt": "0.1", "llm_call_count": "3"},
			leaderboard: map[string]string{"avg_ttft_seconds": "0.75", "p50_ttft_seconds": "0.75", "p95_ttft_seconds": "0.975", "p99_ttft_seconds": "0.995", "avg_tbt_seconds": "0.1",
				"data_quality": `{"flags":["results_from_traces"],"price_match":{"m":"none"},"stored":{},"streamed_calls":"2/3"}`},
			flags: "results_from_traces",
		},
		{
			// The agent ran once streamed and once not: both passes were billed, so both
			// calls of 110 tokens count, 220 in all; the AGENT span's roll-up of 110 does not.
			name: "executed twice",
			files: []string{made("0x2", `
				1 - 0 4000 test_evaluation 'test.id':'a','agent.type':'tool'
				2 1 0 0 ToolCallingAgent.run 'openinference.span.kind':'AGENT','input.value':'{\"task\":\"x\",\"stream\":true}'
				3 1 100 1100 completion `+usage(100, 10)+`
				4 1 2000 4000 ToolCallingAgent.run 'openinference.span.kind':'AGENT','input.value':'{\"task\":\"x\",\"stream\":false}','llm.token_count.prompt':100,'llm.token_count.completion':10,'llm.token_count.total':110
				5 4 2100 3100 completion `+usage(100, 10))},
			result:      map[string]string{"gen_ai.usage.total_tokens": "220", "gen_ai.usage.prompt_tokens": "200", "execution_time_ms": "4000", "prompt": `"x"`},
			trace:       map[string]string{"total_tokens": "220", "llm_call_count": "2", "total_duration_ms": "4000"},
			leaderboard: map[string]string{"total_tokens": "220"},
			flags:       "duplicate_execution",
		},
		{
			// Both rows of test "a" name the trace of the tool agent, as builds before
			// 0.1.1 wrote it. The guard gives the code row the trace of its own agent:
			// 1 s and 11 tokens for tool, 2 s and 22 tokens for code.
			name: "both agent types",
			files: []string{
				`[{'model':'m','task_id':'a','agent_type':'tool','success':true,'steps':1,'trace_id':'0x1','total_tokens':11},
				  {'model':'m','task_id':'a','agent_type':'code','success':false,'steps':1,'trace_id':'0x1','total_tokens':11}]`,
				strings.Replace(made("0x1", `
				1 - 0 1000 test_evaluation 'test.id':'a','agent.type':'tool'
				2 1 100 900 completion `+usage(10, 1))+made("0x2", `
				3 - 5000 7000 test_evaluation 'test.id':'a','agent.type':'code'
				4 3 5100 5900 completion `+usage(20, 2)), "][", ",", 1),
			},
			result:      map[string]string{"test_case_uid": `"tool:a"`, "gen_ai.usage.total_tokens": "11", "execution_time_ms": "1000"},
			leaderboard: map[string]string{"agent_type": `"both"`, "num_tests": "2", "total_tokens": "33", "total_duration_ms": "3000", "wall_clock_ms": "7000", "success_rate": "50"},
		},
		{
			// Span 3 names a parent that is nowhere and counts as the root's child; 4 and
			// 5 are each other's parent, so the earlier is lifted to the top. Each of the
			// three calls counts once: 11 + 22 + 33 = 66 tokens. The test lasts as long as
			// its root, 5 s.
			name: "orphans and cycles",
			files: []string{made("0x3", `
				1 - 0 5000 test_evaluation 'test.id':'a','agent.type':'tool'
				2 1 100 200 completion `+usage(10, 1)+`
				3 99 300 400 completion `+usage(20, 2)+`
				4 5 500 600 chain 'openinference.span.kind':'CHAIN'
				5 4 510 590 completion `+usage(30, 3))},
			result:      map[string]string{"gen_ai.usage.total_tokens": "66", "execution_time_ms": "5000"},
			trace:       map[string]string{"total_tokens": "66", "llm_call_count": "3", "span_count": "5"},
			leaderboard: map[string]string{"total_tokens": "66"},
			flags:       "orphan_spans",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tables := enrichOne(t, parts(t, tt.files...))
			checkTables(t, tables)
			wantColumns(t, enrich.ResultColumns, &tables.Results[0], tt.result)
			if tt.trace != nil {
				wantColumns(t, enrich.TraceColumns, &tables.Traces[0], tt.trace)
			}
			wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, tt.leaderboard)
			for flag := range strings.SplitSeq(tt.flags, ",") {
				if flag != "" && tables.Quality.Flags[flag] == nil {
					t.Errorf("flag %s is not raised, only %v", flag, tables.Quality.Flags)
				}
			}
		})
	}
}
