package decode

import (
	"smolscope/enrich"
	"smolscope/enrich/attr"
)

var results = Format{
	Name:    "smoltrace-results",
	Dataset: enrich.Results,
	Doc:     "SMOLTRACE's results.json, or rows of its results dataset: one object per test.",
	match: func(k *keys) bool {
		return k.any("test_id", "task_id") && k.has("success") && !k.any("spans")
	},
	row: func(d *decoder) {
		if r, ok := d.record(resultFields); ok && !d.exportedResult(r.Set) {
			if d.agent != "" && r.Get("agent_type").IsNull() {
				r.Set = r.Set.Merge(attr.Set{{Key: "agent_type", Value: attr.StringValue(d.agent)}})
			}
			d.part.Results = append(d.part.Results, r)
		}
	},
	names: []string{"results"},
}

var leaderboard = Format{
	Name:    "smoltrace-leaderboard",
	Dataset: enrich.Leaderboard,
	Doc:     "SMOLTRACE's leaderboard_row.json, or rows of its leaderboard dataset: one object per run.",
	match: func(k *keys) bool {
		return k.has("success_rate", "model") && k.any("num_tests", "total_tests")
	},
	row: func(d *decoder) {
		if r, ok := d.record(leaderboardFields); ok && !d.exportedLeaderboard(r.Set) {
			d.part.Leaderboard = append(d.part.Leaderboard, r)
		}
	},
	names: []string{"leaderboard_row", "leaderboard"},
}

var metadata = Format{
	Name:    "smoltrace-metadata",
	Dataset: "metadata",
	Doc:     "SMOLTRACE's metadata.json: model, agent type, task set and time of a run.",
	match:   func(k *keys) bool { return k.has("num_results", "num_traces") },
	row: func(d *decoder) {
		if r, ok := d.record(metadataFields); ok {
			d.part.Metadata = append(d.part.Metadata, r)
		}
	},
	names: []string{"metadata"},
}

// An expectation says what the value of a field must be to be of use.
type expectation struct {
	text  string
	holds func(attr.Value) bool
}

var (
	aTruth  = expectation{"true, false or null", func(v attr.Value) bool { _, ok := v.Bool(); return ok }}
	aCount  = expectation{"a whole number", func(v attr.Value) bool { _, ok := v.Int(); return ok }}
	aNumber = expectation{"a number", func(v attr.Value) bool { _, ok := v.Float(); return ok }}
	aMoment = expectation{"a time such as 2025-10-22T20:54:34", func(v attr.Value) bool { _, _, ok := parseTime(v.Text()); return ok }}

	resultFields = map[string]expectation{
		"success": aTruth, "tool_called": aTruth, "correct_tool": aTruth, "final_answer_called": aTruth, "response_correct": aTruth,
		"steps": aCount, "total_tokens": aCount, "execution_time_ms": aNumber, "cost_usd": aNumber, "evaluation_date": aMoment,
	}
	leaderboardFields = map[string]expectation{
		"num_tests": aCount, "total_tests": aCount, "successful_tests": aCount, "failed_tests": aCount, "total_tokens": aCount,
		"success_rate": aNumber, "avg_steps": aNumber, "avg_duration_ms": aNumber, "total_duration_ms": aNumber,
		"avg_tokens_per_test": aNumber, "total_cost_usd": aNumber, "avg_cost_per_test_usd": aNumber, "total_co2_g": aNumber,
		"co2_emissions_g": aNumber, "power_cost_total_usd": aNumber, "evaluation_date": aMoment, "timestamp": aMoment,
	}
	metadataFields = map[string]expectation{"num_results": aCount, "num_traces": aCount, "timestamp": aMoment}
)

// record reads a flat row. A field whose value is not what it must be is left
// out: what cannot be used is as good as absent, and a row lives without it.
func (d *decoder) record(fields map[string]expectation) (enrich.Record, bool) {
	base, line := len(d.stack), d.where
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		name := d.keep.name(key)
		v := d.value()
		want, known := fields[name]
		if _, stated := v.Str(); known && stated && !want.holds(v) {
			d.warn("%s is %s, expected %s", name, show(v), want.text)
			continue
		}
		d.stack = append(d.stack, attr.KeyValue{Key: name, Value: v})
	}
	return enrich.Record{Set: d.pop(base), Where: d.place(line)}, d.s.err == nil
}

// show is how a message shows a value of a file.
func show(v attr.Value) string {
	switch v.Kind() {
	case attr.String:
		return quote(v.Text())
	case attr.JSON:
		if v.Text()[0] == '[' {
			return "a list"
		}
		return "an object"
	}
	return clip(v.Text())
}
