package decode

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

const quality = `"data_quality":{"flags":[],"stored":{}}`

// TestExported shows which rows are taken for those of an export.
func TestExported(t *testing.T) {
	for _, tt := range []struct {
		name, text, format string
		exported, raw      int
		warnings           []enrich.Warning
	}{
		{"results", `{"test_id":"a","success":true,"run_id":"r",` + quality + `}`, "smolscope-results", 1, 0, nil},
		{"SMOLTRACE's own", `{"test_id":"a","success":true,"run_id":"r"}`, "smoltrace-results", 0, 1, nil},
		{"another's column of that name", `{"test_id":"a","success":true,"run_id":"r","data_quality":"good"}`, "smoltrace-results", 0, 1, nil},
		{"without a run", `{"test_id":"a","success":true,` + quality + `}`, "smoltrace-results", 0, 1, nil},
		{"a bad value is left out", `{"test_id":"a","success":true,"run_id":"r","tools_used":7,` + quality + `}`, "smolscope-results", 1, 0,
			[]enrich.Warning{{Where: "line 1", Message: "tools_used is 7, expected a list of string"}}},
		{"a count that is never null is missing", `{"trace_id":"1","run_id":"r","spans":[],` + quality + `}`, "smoltrace-traces", 0, 1, nil},
		{"traces", `{"trace_id":"1","run_id":"r","spans":[],"tool_call_count":0,"span_count":0,"llm_call_count":0,` + quality + `}`, "smolscope-traces", 1, 0, nil},
		{"a document", `{"smolscope":"v1","runs":[{"leaderboard":{"run_id":"r","model":"m","success_rate":1,"num_tests":1,"total_tests":1,` + quality + `},` +
			`"results":[{"test_id":"a","success":true,"run_id":"r",` + quality + `}],"traces":[],"metrics":[],"quality":{},"provenance":{}}],"files":[]}`,
			"smolscope-document", 2, 0, nil},
		{"a document of nothing", `{"smolscope":"v1","runs":[],"files":[]}`, "smolscope-document", 0, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			part, file := Read("x.json", strings.NewReader(tt.text))
			if file.Error != nil {
				t.Fatal(*file.Error)
			}
			x := part.Exported
			exported := len(x.Results) + len(x.Traces) + len(x.Metrics) + len(x.Leaderboard)
			raw := len(part.Results) + len(part.Traces) + len(part.Leaderboard)
			if file.Format != tt.format || exported != tt.exported || raw != tt.raw {
				t.Errorf("%s with %d exported and %d raw rows, want %s with %d and %d", file.Format, exported, raw, tt.format, tt.exported, tt.raw)
			}
			if diff := cmp.Diff(append([]enrich.Warning{}, tt.warnings...), file.Warnings); diff != "" {
				t.Errorf("warnings differ (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzExported proves that no rows that look like an export's make enriching
// panic.
func FuzzExported(f *testing.F) {
	f.Add(`{"test_id":"a","success":true,"run_id":"r","trace_id":"00000000000000000000000000000001","span_id":"0000000000000002","tools_used":["x"],` + quality + `}`)
	f.Add(`{"trace_id":"1","model":null,"run_id":"r","spans":[{"span_id":"2","start_time":5,"end_time":5}],"tool_call_count":0,"span_count":0,"llm_call_count":0,` + quality + `}`)
	f.Add(`{"run_id":"r","metric_name":"m","instrument":"gauge","attributes":{"gpu_id":"0"},"value":1,"time_unix_nano":"17","source":"reported"}`)
	f.Add("run_id,model,success_rate,num_tests,total_tests,data_quality\nr,m,1,1,1,\"{\"\"flags\"\":[],\"\"stored\"\":{}}\"\n")
	f.Add(`{"smolscope":"v","runs":[{"leaderboard":{"run_id":"r","model":"m","success_rate":1,"num_tests":1,"total_tests":1,` + quality + `},"results":[],"quality":{"flags":{"power_gap":["run"]},"stored":{"run":{"x":1}}},"provenance":{"results":{"a":{"model":{"kind":"derived","from":"x"}}}}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		part, _ := Read("x", strings.NewReader(text))
		if part == nil {
			return
		}
		part.Keys()
		for _, run := range enrich.Assemble([]*enrich.Part{part}) {
			enrich.Enrich(run, enrich.DefaultOptions())
		}
	})
}
