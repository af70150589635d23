package enrich_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
)

// parts decodes small files given as text, in which every ' is a ".
func parts(t *testing.T, files ...string) []*enrich.Part {
	t.Helper()
	var list []*enrich.Part
	for i, text := range files {
		part, file := decode.Read(fmt.Sprintf("file%d.json", i), strings.NewReader(strings.ReplaceAll(text, "'", `"`)))
		if part == nil || file.Error != nil {
			t.Fatalf("file %d: %+v", i, file)
		}
		list = append(list, part)
	}
	return list
}

const (
	twoResults = `[{'model':'m','evaluation_date':'2026-01-02T03:04:05.123456','test_id':'a','agent_type':'tool','success':true,'steps':2,'tools_used':['x'],'trace_id':'0xa1','total_tokens':30,'execution_time_ms':5000},
	               {'model':'m','evaluation_date':'2026-01-02T03:04:05.123456','test_id':'b','agent_type':'tool','success':false,'steps':0,'tools_used':[],'trace_id':'0xb1','total_tokens':0,'execution_time_ms':0}]`
	twoTraces = `[{'trace_id':'0xa1','spans':[{'trace_id':'0xa1','span_id':'0x1','parent_span_id':null,'name':'test_evaluation','start_time':1767323040000000000,'end_time':1767323041000000000,'attributes':{'test.id':'a','agent.type':'tool'},'events':[],'status':{'code':'OK'},'kind':'INTERNAL','resource':{}},
	              {'trace_id':'0xa1','span_id':'0x2','parent_span_id':'0x1','name':'completion','start_time':1767323040000000000,'end_time':1767323040500000000,'attributes':{'openinference.span.kind':'LLM','llm.token_count.prompt':8,'llm.token_count.completion':2,'llm.token_count.total':10},'events':[],'status':{'code':'OK'},'kind':'INTERNAL','resource':{}}]},
	              {'trace_id':'0xb1','spans':[{'trace_id':'0xb1','span_id':'0x3','parent_span_id':null,'name':'test_evaluation','start_time':1767323042000000000,'end_time':1767323045123456000,'attributes':{'test.id':'b','agent.type':'tool'},'events':[],'status':{'code':'OK'},'kind':'INTERNAL','resource':{}}]}]`
	leaderboardRow = `{'model':'m','agent_type':'tool','timestamp':'2026-01-02T03:04:05.2','success_rate':50.0,'total_tests':2,'total_tokens':30,'team':'blue'}`
	metadata       = `{'model':'m','agent_type':'tool','dataset_used':'d/s','timestamp':'20260102_030405','num_results':2,'num_traces':2,'num_metrics':6}`
	aggregates     = `[{'name':'tests.successful','type':'counter','data_points':[{'value':{'value':1},'attributes':{'total_tests':2}}]},
	                   {'name':'llm.token_count.total','type':'sum','unit':'tokens','data_points':[{'value':{'value':30},'attributes':{}}]}]`
)

func summary(tables *enrich.Tables) string {
	r := &tables.Leaderboard
	show := func(names ...string) string {
		out := columnsOf(enrich.LeaderboardColumns, r, names...)
		var list []string
		for _, n := range names {
			list = append(list, n+"="+out[n])
		}
		return strings.Join(list, " ")
	}
	reported := 0
	for i := range tables.Metrics {
		if tables.Metrics[i].Source == string(enrich.Reported) {
			reported++
		}
	}
	return fmt.Sprintf("%s results=%d traces=%d metrics=%d", show("num_tests", "successful_tests", "total_tokens", "team", "dataset_used"), len(tables.Results), len(tables.Traces), reported)
}

// Any of the five files may be missing, and those that are there make one run.
func TestAssembleSomeOfTheFiles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		want  []string
	}{
		{"all five", []string{twoResults, twoTraces, leaderboardRow, metadata, aggregates}, []string{`num_tests=2 successful_tests=1 total_tokens=10 team="blue" dataset_used="d/s" results=2 traces=2 metrics=2`}},
		{"results alone keep stored numbers", []string{twoResults}, []string{`num_tests=2 successful_tests=1 total_tokens=30 team=null dataset_used=null results=2 traces=0 metrics=0`}},
		{"traces alone make results", []string{twoTraces}, []string{`num_tests=2 successful_tests=null total_tokens=10 team=null dataset_used=null results=2 traces=2 metrics=0`}},
		{"traces and leaderboard", []string{twoTraces, leaderboardRow}, []string{`num_tests=2 successful_tests=null total_tokens=10 team="blue" dataset_used=null results=2 traces=2 metrics=0`}},
		{"leaderboard alone", []string{leaderboardRow}, []string{`num_tests=2 successful_tests=null total_tokens=30 team="blue" dataset_used=null results=0 traces=0 metrics=0`}},
		{"leaderboard and metadata", []string{leaderboardRow, metadata}, []string{`num_tests=2 successful_tests=null total_tokens=30 team="blue" dataset_used="d/s" results=0 traces=0 metrics=0`}},
		{"metadata alone is no run", []string{metadata}, nil},
		{"metrics alone", []string{aggregates}, []string{`num_tests=0 successful_tests=null total_tokens=null team=null dataset_used=null results=0 traces=0 metrics=2`}},
		{"metrics of another run stay apart", []string{twoResults, strings.ReplaceAll(leaderboardRow, "03:04:05", "09:04:05")}, []string{
			`num_tests=2 successful_tests=1 total_tokens=30 team=null dataset_used=null results=2 traces=0 metrics=0`,
			`num_tests=2 successful_tests=null total_tokens=30 team="blue" dataset_used=null results=0 traces=0 metrics=0`}},
		{"the same results in two files", []string{twoResults, strings.ReplaceAll(twoResults, ",", " , ")}, []string{`num_tests=2 successful_tests=1 total_tokens=30 team=null dataset_used=null results=2 traces=0 metrics=0`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, run := range enrich.Assemble(parts(t, tt.files...)) {
				got = append(got, summary(enrich.Enrich(run, enrich.DefaultOptions())))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("runs differ (-want +got):\n%s", diff)
			}
		})
	}
}

// A local time is turned to UTC by the end of the last span: 03:04:05 stands
// 0 minutes from it here, and 5½ hours when it is written in India.
func TestOffsetIsInferred(t *testing.T) {
	for stamp, want := range map[string]string{
		"03:04:05.123456": `"2026-01-02T03:04:05.123456Z"`,
		"08:34:05.123456": `"2026-01-02T03:04:05.123456Z"`,
		"22:04:05.123456": `"2026-01-02T22:04:05.123456Z"`, // 19 hours: no time zone
	} {
		results := strings.ReplaceAll(twoResults, "03:04:05.123456", stamp)
		tables := enrichOne(t, parts(t, results, twoTraces))
		if got := columnsOf(enrich.ResultColumns, &tables.Results[0], "evaluation_date")["evaluation_date"]; got != want {
			t.Errorf("%s becomes %s, want %s", stamp, got, want)
		}
		if flagged := len(tables.Quality.Flags[enrich.FlagTZUnknown]) > 0; flagged != strings.HasPrefix(stamp, "22") {
			t.Errorf("%s: tz_unknown raised is %v", stamp, flagged)
		}
	}
}

// Before 0.1.1 the tool and the code row of a test name the same trace: the row
// whose agent the trace names gets it, the other keeps its stored numbers.
func TestJoinGuardsAgentType(t *testing.T) {
	results := `[{'model':'m','test_id':'a','agent_type':'code','success':true,'steps':1,'trace_id':'0xa1','total_tokens':77},
	             {'model':'m','test_id':'a','agent_type':'tool','success':true,'steps':1,'trace_id':'0xa1','total_tokens':77}]`
	tables := enrichOne(t, parts(t, results, twoTraces))
	got := map[string]string{}
	for i := range tables.Results {
		r := &tables.Results[i]
		got[r.TestCaseUID] = columnsOf(enrich.ResultColumns, r, "total_tokens")["total_tokens"]
	}
	if diff := cmp.Diff(map[string]string{"tool:a": "10", "code:a": "77"}, got); diff != "" {
		t.Errorf("tokens by case (-want +got):\n%s", diff)
	}
	if got := tables.Quality.Flags[enrich.FlagStoredSummary]; !cmp.Equal(got, []string{"run", "test:code:a"}) {
		t.Errorf("stored_summary_unverified at %v, want run and test:code:a", got)
	}
}

// Cutting the files of a run into pieces changes no row.
func TestSplitFilesGiveTheSameRows(t *testing.T) {
	whole := parts(t, twoResults, twoTraces, leaderboardRow)
	cut := func(text string) []string {
		var pieces []string
		for _, item := range strings.SplitAfter(strings.Trim(text, "[]"), "}]},\n") {
			pieces = append(pieces, "["+strings.TrimRight(item, ", \n")+"]")
		}
		return pieces
	}
	files := append(cut(twoTraces), twoResults, leaderboardRow)
	if len(files) != 4 {
		t.Fatalf("cut into %d files, want 4", len(files))
	}
	if diff := cmp.Diff(document(enrich.Assemble(whole)), document(enrich.Assemble(parts(t, files...)))); diff != "" {
		t.Errorf("rows differ:\n%.2000s", diff)
	}
}

func TestRepeatedCaseIsNumbered(t *testing.T) {
	results := `[{'model':'m','test_id':'a','agent_type':'tool','success':true,'steps':1,'response':'one'},{'model':'m','test_id':'a','agent_type':'tool','success':true,'steps':1,'response':'two'}]`
	tables := enrichOne(t, parts(t, results))
	if a, b := tables.Results[0].TestCaseUID, tables.Results[1].TestCaseUID; a != "tool:a" || b != "tool:a#2" {
		t.Errorf("cases = %s, %s, want tool:a and tool:a#2", a, b)
	}
}

// FuzzEnrich: whatever a file holds, enrichment neither fails nor invents
// negative or impossible numbers.
func FuzzEnrich(f *testing.F) {
	for _, s := range []string{twoResults, twoTraces, leaderboardRow, metadata, aggregates} {
		f.Add([]byte(strings.ReplaceAll(s, "'", `"`)), []byte(strings.ReplaceAll(twoTraces, "'", `"`)))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var list []*enrich.Part
		for _, raw := range [][]byte{a, b} {
			if part, _ := decode.Read("x", bytes.NewReader(raw)); part != nil {
				list = append(list, part)
			}
		}
		for _, run := range enrich.Assemble(list) {
			checkTables(t, enrich.Enrich(run, enrich.DefaultOptions()))
		}
	})
}

// later shifts every time of a sample file by whole seconds and renames its
// traces, so that it is of another run of the same model.
func later(file string, seconds int) string {
	for _, stamp := range []string{"03:04:05", "030405"} {
		at := 5 + seconds
		moved := fmt.Sprintf("03:%02d:%02d", 4+at/60, at%60)
		if !strings.Contains(stamp, ":") {
			moved = strings.ReplaceAll(moved, ":", "")
		}
		file = strings.ReplaceAll(file, stamp, moved)
	}
	for _, ns := range []string{"17673230400", "17673230405", "17673230410", "17673230420", "17673230451"} {
		var n int64
		fmt.Sscan(ns, &n)
		file = strings.ReplaceAll(file, "'start_time':"+ns, fmt.Sprintf("'start_time':%d", n+int64(seconds)*10))
		file = strings.ReplaceAll(file, "'end_time':"+ns, fmt.Sprintf("'end_time':%d", n+int64(seconds)*10))
	}
	return strings.NewReplacer("0xa1", "0xa2", "0xb1", "0xb2", "blue", "red").Replace(file)
}

// Two runs of one model, written 40 seconds apart and dropped in one heap: each
// summary goes to the run that was written nearest to it.
func TestAssembleTwoRunsCloseInTime(t *testing.T) {
	var files []string
	for _, f := range []string{twoResults, twoTraces, leaderboardRow, metadata} {
		files = append(files, f, later(f, 40))
	}
	runs := enrich.Assemble(parts(t, files...))
	if len(runs) != 2 {
		t.Fatalf("Assemble gives %d runs, want 2", len(runs))
	}
	for _, run := range runs {
		tables := enrich.Enrich(run, enrich.DefaultOptions())
		team := "blue"
		if tables.Results[0].TraceID != nil && strings.HasSuffix(*tables.Results[0].TraceID, "a2") {
			team = "red"
		}
		if got := columnsOf(enrich.LeaderboardColumns, &tables.Leaderboard, "team", "dataset_used"); got["team"] != `"`+team+`"` || got["dataset_used"] != `"d/s"` {
			t.Errorf("run has %v, want team %s and its metadata", got, team)
		}
	}
}

// A home takes one leaderboard row, by evidence and never by being there.
func TestAssembleManyLeaderboardRows(t *testing.T) {
	row := func(id, at string) string {
		return `{'run_id':'` + id + `','model':'m','timestamp':'2026-01-02T` + at + `','success_rate':50.0,'total_tests':2}`
	}
	for _, tt := range []struct {
		name, results, rows string
		want                string // the run id of the results
		runs                int
	}{
		{"the nearest, whatever the order", twoResults, row("other", "03:04:45") + "\n" + row("right", "03:04:06"), "right", 2},
		{"the nearest, the other way", twoResults, row("right", "03:04:06") + "\n" + row("other", "03:04:45"), "right", 2},
		{"none without evidence", `[{'model':'m','test_id':'a','success':true}]`, row("r0", "01:00:00") + "\n" + row("r1", "02:00:00"), "", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runs := enrich.Assemble(parts(t, tt.results, tt.rows))
			if len(runs) != tt.runs {
				t.Errorf("%d runs, want %d", len(runs), tt.runs)
			}
			for _, run := range runs {
				if tables := enrich.Enrich(run, enrich.DefaultOptions()); len(tables.Results) > 0 && tt.want != "" && tables.Leaderboard.RunID != tt.want {
					t.Errorf("results are of run %s, want %s", tables.Leaderboard.RunID, tt.want)
				}
			}
		})
	}
}

// A trace id that is no real id may be used by two runs; runs that name
// themselves stay apart.
func TestAssembleKeepsNamedRunsApart(t *testing.T) {
	row := `[{'run_id':'r1','model':'m','test_id':'a','success':true,'trace_id':'trace_001'}]`
	other := strings.NewReplacer("'r1'", "'r2'", "'m'", "'n'").Replace(row)
	if runs := enrich.Assemble(parts(t, row, other)); len(runs) != 2 {
		t.Errorf("%d runs, want 2", len(runs))
	}
}

// Files without tests or traces are told apart by what they say.
func TestRunIDsOfSummariesDiffer(t *testing.T) {
	for name, files := range map[string][]string{
		"two metrics files":    {aggregates, strings.ReplaceAll(aggregates, "30", "31")},
		"two leaderboard rows": {leaderboardRow + "\n" + strings.ReplaceAll(leaderboardRow, "tool", "code")},
	} {
		runs := enrich.Assemble(parts(t, files...))
		if len(runs) != 2 {
			t.Fatalf("%s: %d runs, want 2", name, len(runs))
		}
		if a, b := enrich.Enrich(runs[0], enrich.DefaultOptions()).Leaderboard.RunID, enrich.Enrich(runs[1], enrich.DefaultOptions()).Leaderboard.RunID; a == b {
			t.Errorf("%s: both have the id %s", name, a)
		}
	}
}

func TestCaseIDsAreUnique(t *testing.T) {
	var rows []string
	for i, id := range []string{"a", "a", "a#2"} {
		rows = append(rows, fmt.Sprintf(`{'model':'m','test_id':'%s','agent_type':'tool','success':true,'response':'%d'}`, id, i))
	}
	tables := enrichOne(t, parts(t, "["+strings.Join(rows, ",")+"]"))
	seen := map[string]bool{}
	for i := range tables.Results {
		seen[tables.Results[i].TestCaseUID] = true
	}
	if len(seen) != 3 || !seen["tool:a#2"] {
		t.Errorf("cases = %v, want three different ones", seen)
	}
}

// The same bytes in two folders are one file, and the same rows in two spellings
// one row, traces or not.
func TestCopiesCountOnce(t *testing.T) {
	untraced := strings.ReplaceAll(strings.ReplaceAll(twoResults, ",'trace_id':'0xa1'", ""), ",'trace_id':'0xb1'", "")
	list := parts(t, untraced, untraced, strings.ReplaceAll(untraced, "'steps':2", "'steps':2,'extra':1"))
	list[0].Group, list[1].Group = "one", "two"
	if tables := enrichOne(t, list); len(tables.Results) != 2 {
		t.Errorf("%d tests, want 2", len(tables.Results))
	}
}

// A duplicated span counts once however often a batch was sent again.
func TestRepeatedSpansCountOnce(t *testing.T) {
	longer := strings.ReplaceAll(twoTraces, "'end_time':1767323040500000000", "'end_time':1767323040600000000")
	tables := enrichOne(t, parts(t, twoTraces, longer, strings.ReplaceAll(longer, "'m'", "'m' "), strings.ReplaceAll(longer, ",{", ", {")))
	if n := tables.Traces[0].SpanCount; n != 3 {
		t.Errorf("%d spans, want 3: the span, and once the one under its id with another end", n)
	}
}

// Whatever Assemble joins, a store finds by keys: uploading the files of a run
// one at a time, each finds one that came before it, or one that comes after
// connects them.
func TestKeysFindWhatAssembleJoins(t *testing.T) {
	traced := strings.ReplaceAll(twoTraces, "'openinference.span.kind':'LLM'", "'openinference.span.kind':'LLM','llm.model_name':'m'")
	india := strings.ReplaceAll(leaderboardRow, "03:04:05", "08:34:05")
	for name, files := range map[string][]string{
		"results and leaderboard":                {twoResults, leaderboardRow},
		"a minute apart":                         {twoResults, strings.ReplaceAll(leaderboardRow, "03:04:05.2", "03:05:04.9")},
		"traces and leaderboard":                 {traced, leaderboardRow},
		"traces and a leaderboard in India":      {traced, india},
		"results and aggregates":                 {twoResults, aggregates},
		"leaderboard, metadata":                  {leaderboardRow, metadata},
		"model with and without provider prefix": {strings.ReplaceAll(twoResults, "'model':'m'", "'model':'x/m'"), leaderboardRow},
	} {
		t.Run(name, func(t *testing.T) {
			list := parts(t, files...)
			if runs := enrich.Assemble(list); len(runs) != 1 {
				t.Fatalf("Assemble gives %d runs, want 1", len(runs))
			}
			known := map[string]bool{}
			for _, k := range list[0].Keys() {
				known[k] = true
			}
			for _, k := range list[1].Keys() {
				if known[k] {
					return
				}
			}
			t.Errorf("no key in common: %v and %v", list[0].Keys(), list[1].Keys())
		})
	}
}

// What cannot be is not counted: overflowing tokens, ends that are unknown.
func TestImpossibleNumbers(t *testing.T) {
	traces := strings.ReplaceAll(twoTraces, "'llm.token_count.prompt':8", "'llm.token_count.prompt':9223372036854775807")
	traces = strings.ReplaceAll(traces, "'llm.token_count.total':10", "'x':1")
	traces = strings.ReplaceAll(traces, "'end_time':1767323045123456000", "'end_time':0")
	tables := enrichOne(t, parts(t, traces))
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{"total_tokens": "null", "total_completion_tokens": "2", "total_duration_ms": "1000"})
	results := strings.ReplaceAll(twoResults, "'execution_time_ms':5000", "'execution_time_ms':1e300")
	tables = enrichOne(t, parts(t, results))
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{"avg_duration_ms": "null"})
}

// Tool calls come from the trace, else from the row.
func TestToolCallsOfRows(t *testing.T) {
	tables := enrichOne(t, parts(t, twoResults))
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{"total_tool_calls": "1", "most_used_tool": `"x"`})
}

// A trace that no results row is of: the run's tokens are those of its tests, on
// the leaderboard as in the metrics, and the run says what it leaves out.
func TestUnjoinedTraces(t *testing.T) {
	third := strings.NewReplacer("0xa1", "0xc1", "'test.id':'a'", "'test.id':'c'").Replace(twoTraces)
	third, _, _ = strings.Cut(third, ",\n	              {'trace_id':'0xb1'")
	tables := enrichOne(t, parts(t, twoResults, strings.TrimSuffix(twoTraces, "]")+","+strings.TrimPrefix(third, "[")+"]"))
	wantColumns(t, enrich.LeaderboardColumns, &tables.Leaderboard, map[string]string{"num_tests": "2", "total_tokens": "10"})
	if n := len(tables.Traces); n != 3 {
		t.Errorf("%d traces, want 3", n)
	}
	for _, r := range tables.Metrics {
		if r.MetricName == "llm.token_count.total" && r.TestID == nil && *r.Value != 10 {
			t.Errorf("llm.token_count.total = %v, want 10 as on the leaderboard", *r.Value)
		}
	}
	if got := tables.Quality.Flags[enrich.FlagUnjoinedTrace]; len(got) != 2 || got[0] != "run" {
		t.Errorf("unjoined_trace at %v, want the run and the trace", got)
	}
	const left = "1 traced test without a results row left out, with 1 LLM call, 10 tokens"
	if got := string(tables.Leaderboard.DataQuality); !strings.Contains(got, `"unjoined_traces":"`+left+`"`) {
		t.Errorf("data_quality = %s, want %q in it", got, left)
	}
	if got := tables.Provenance.Row(enrich.Leaderboard, "run")["total_tokens"].From; !strings.HasSuffix(got, "; "+left) {
		t.Errorf("tokens are from %q, want %q at the end", got, left)
	}
}

// Tokens that only rows state are the leaderboard's, and so the metric's.
func TestTokenMetricOfRows(t *testing.T) {
	tables := enrichOne(t, parts(t, twoResults))
	var got []float64
	for _, r := range tables.Metrics {
		if r.MetricName == "llm.token_count.total" {
			got = append(got, *r.Value)
		}
	}
	if diff := cmp.Diff([]float64{30}, got); diff != "" {
		t.Errorf("llm.token_count.total (-want +got):\n%s", diff)
	}
}
