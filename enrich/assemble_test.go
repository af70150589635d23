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
				got = append(got, summary(enrich.Enrich(run)))
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
			tables := enrich.Enrich(run)
			for i := range tables.Results {
				checkNumbers(t, enrich.ResultColumns, &tables.Results[i], "gen_ai.request.temperature", "gen_ai.request.frequency_penalty", "gen_ai.request.presence_penalty", "gen_ai.request.top_p")
			}
			for i := range tables.Spans {
				checkNumbers(t, enrich.SpanColumns, &tables.Spans[i])
			}
		}
	})
}

func checkNumbers[R any](t *testing.T, columns []enrich.Column[R], row *R, mayBeNegative ...string) {
	t.Helper()
	for _, c := range columns {
		if v, ok := enrich.Number(c.Ptr(row)); ok && v < 0 && !strings.Contains(strings.Join(mayBeNegative, " "), c.Name) {
			t.Errorf("%s = %v, want nothing below zero", c.Name, v)
		}
	}
}
