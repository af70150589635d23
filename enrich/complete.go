package enrich

import (
	"slices"
	"strings"

	"smolscope/enrich/attr"
)

// A LeftOut says of which datasets the rows of an export are not used in a run:
// it has original files that hold them, which say it better.
type LeftOut struct {
	Source   string // SHA-256 of the export
	RunID    string // as the export names it
	Datasets []string
}

// Warning says it on the receipt of the export.
func (l LeftOut) Warning() Warning {
	return Warning{Where: "run " + l.RunID, Message: "original files hold the " + strings.Join(l.Datasets, " and the ") + " of this run; the rows of this export are left out"}
}

// AllLeftOut lists what is left out of any of the runs.
func AllLeftOut(runs []*Tables) []LeftOut {
	var list []LeftOut
	for _, t := range runs {
		list = append(list, t.LeftOut...)
	}
	return list
}

// datasets lists those that the export has rows of.
func (x *Exported) datasets() []string {
	return heldOf(len(x.Results), len(x.Traces), len(x.Metrics), len(x.Leaderboard))
}

// datasets lists those that files of the run hold.
func (r *Run) datasets() []string {
	return heldOf(len(r.Results), len(r.Traces), len(r.Metrics), len(r.Leaderboard))
}

func heldOf(results, traces, metrics, leaderboard int) []string {
	var list []string
	for i, rows := range []int{results, traces, metrics, leaderboard} {
		if rows > 0 {
			list = append(list, []string{Results, Traces, Metrics, Leaderboard}[i])
		}
	}
	return list
}

// leaveOut notes which datasets of exports the run's originals hold.
func (r *Run) leaveOut(exports []LeftOut) {
	mine := r.datasets()
	for _, x := range exports {
		x.Datasets = slices.DeleteFunc(x.Datasets, func(name string) bool { return !slices.Contains(mine, name) })
		if len(x.Datasets) > 0 {
			r.leftOut = append(r.leftOut, x)
		}
	}
}

// An exportedName is what exports that complete a run call it.
type exportedName struct{ runID, source, era string }

// takeMissing makes exported rows the run's evidence in the datasets that its
// originals do not hold, and reports whether there were any. Derived values are
// derived again, from all that is at hand now.
func (r *Run) takeMissing(x *Exported) bool {
	took := false
	if len(r.Traces) == 0 && len(x.Traces) > 0 {
		for _, t := range x.originalTraces() {
			r.Traces = append(r.Traces, mergeTraces([]*Trace{t}, &r.found))
		}
		slices.SortFunc(r.Traces, func(a, b *Trace) int { return slices.Compare(a.ID[:], b.ID[:]) })
		took = true
	}
	if len(r.Metrics) == 0 {
		r.Metrics = x.originalMetrics()
		took = took || len(r.Metrics) > 0
	}
	judged := func(row ResultRow) bool { return row.Success != nil } // or it says no more than its trace
	if len(r.Results) == 0 && slices.ContainsFunc(x.Results, judged) {
		for i := range x.Results {
			r.Results = append(r.Results, result{Record: x.Results[i].record(), exported: &x.Results[i]})
		}
		took = true
	}
	if len(r.Leaderboard) == 0 && len(x.Leaderboard) > 0 {
		r.Leaderboard = x.Leaderboard[0].record()
		q := keptOf(x.Leaderboard[0].DataQuality)
		// Of what these say, the row shows nothing any more.
		for _, flag := range []string{FlagTZUnknown, FlagJobTypeInferred} {
			if slices.Contains(q.flags, flag) {
				r.found.flag("run", flag)
			}
		}
		took = true
	}
	if took && len(x.Leaderboard) > 0 { // it tells from files that are not all here
		r.named.era = keptOf(x.Leaderboard[0].DataQuality).era
	}
	if took && r.named.runID == "" {
		r.named.runID, r.named.source = x.runID, runIDReported
		if len(x.Leaderboard) > 0 {
			r.named.source = x.Leaderboard[0].RunIDSource
		}
	}
	return took
}

// resultFields are the columns of a results row that an original has too, and
// what it calls those that it has other names for.
var resultFields = map[string]string{
	"model": "", "evaluation_date": "", "test_id": "", "agent_type": "", "difficulty": "", "prompt": "", "success": "", "tool_called": "", "correct_tool": "",
	"final_answer_called": "", "response_correct": "", "tools_used": "", "steps": "", "response": "", "error": "", "execution_time_ms": "", "enhanced_trace_info": "",
	"gen_ai.usage.total_tokens": "total_tokens", "gen_ai.usage.cost.total": "cost_usd", "trace_id": "", "span_id": "",
}

// record is the results row as its original file held it.
func (r *ResultRow) record() Record {
	q := keptOf(r.DataQuality)
	set := original(ResultColumns, r, q, func(column string) (string, bool) {
		switch name, ok := resultFields[column]; {
		case column == "success" && slices.Contains(q.flags, FlagSuccessRepaired),
			column == "tools_used" && slices.Contains(q.flags, FlagToolsDerived),
			column == "error" && r.CorrectTool != nil: // else the error is not the row's but its trace's
			return "", false
		case name != "":
			return name, true
		default:
			return column, ok
		}
	})
	return Record{Set: set, Where: fromExport.From}
}

// record is the leaderboard row as its original file held it, and what was
// derived besides. What names the run is left to the run.
func (r *LeaderboardRow) record() attr.Set {
	return original(LeaderboardColumns, r, keptOf(r.DataQuality), func(column string) (string, bool) {
		return column, !slices.Contains([]string{"run_id", "run_id_source", "data_quality", "timestamp", "total_tests", "token_coverage"}, column)
	})
}

// original undoes what was done to an exported row: a value that ours replaced
// is kept beside it (spec §3 G3). field tells what a file calls a column, and
// whether it has it.
func original[R any](columns []Column[R], row *R, q kept, field func(column string) (string, bool)) attr.Set {
	var list []attr.KeyValue
	for _, c := range columns {
		name, ok := field(c.Name)
		if !ok {
			continue
		}
		if stored := q.stored.Get(c.Name); !stored.IsNull() {
			list = append(list, attr.KeyValue{Key: name, Value: stored})
		} else if ptr := c.Ptr(row); Known(ptr) {
			list = append(list, attr.KeyValue{Key: name, Value: jsonValue(AppendJSON(nil, ptr))})
		}
	}
	return attr.NewSet(list)
}

// exportedRow is the row of a test that is known from an export, without a
// trace to derive it from: it stands as it was exported.
func (e *enricher) exportedRow(t *test) ResultRow {
	r := *t.exported
	r.RunID, r.TestCaseUID = e.runID, t.caseID
	e.found.takeColumn(t.where(), r.DataQuality)
	e.provenance.Put(Results, t.caseID, knownOrigins(ResultColumns, &r))
	return r
}
