package enrich

import (
	"slices"

	"smolscope/enrich/attr"
)

// The data-quality flags that enrichment raises: a closed list (spec §3.17 and
// decisions.md). What each means for a reader is said in views.
const (
	FlagTZUnknown           = "tz_unknown"
	FlagStoredSummary       = "stored_summary_unverified"
	FlagDurationInflated    = "duration_inflated"
	FlagUnjoinedTrace       = "unjoined_trace"
	FlagUnjoinedResult      = "unjoined_result"
	FlagMultiTestTrace      = "multi_test_trace"
	FlagOrphanSpans         = "orphan_spans"
	FlagSiblingDuplicate    = "sibling_duplicate"
	FlagDuplicateExecution  = "duplicate_execution"
	FlagRunIDConflict       = "run_id_conflict"
	FlagSuccessRepaired     = "success_repaired"
	FlagParamsVary          = "params_vary"
	FlagParametersTruncated = "invocation_parameters_truncated"
	FlagTBTFromChunks       = "tbt_from_chunks"
	FlagStepsDerived        = "steps_derived"
	FlagToolsDerived        = "tools_derived"
	FlagToolCalledDerived   = "tool_called_derived"
	FlagPromptTruncated     = "prompt_truncated"
	FlagAPIPlaceholder      = "api_placeholder_metrics"
	FlagProviderOverridden  = "provider_default_overridden"
	FlagDuplicateSpanID     = "duplicate_span_id"
	FlagResultsFromTraces   = "results_from_traces"
	FlagRowIDSynthesized    = "row_id_synthesized"
	FlagPowerCost           = "power_cost_3_6x"
	FlagJobTypeInferred     = "job_type_inferred"
	FlagTruncatedFile       = "truncated_file"
	FlagPriceFallback       = "price_fallback"
	FlagCostSplitScaled     = "cost_split_scaled"
	FlagCostMismatch        = "cost_components_mismatch"
	FlagCostDiffers         = "reported_cost_differs"
	FlagPartialCost         = "partial_cost"
	FlagPowerGap            = "power_gap"
	FlagEnergyDisagreement  = "energy_disagreement"
	FlagCO2Corrected        = "co2_corrected"
	FlagCO2FromEnergy       = "co2_from_energy"
	FlagCO2TokenEstimate    = "co2_token_estimate"
	FlagMultiGPULost        = "multi_gpu_lost_in_flattening"
	FlagOTLPSnakeCase       = "otlp_snake_case"
)

// Flags lists every flag, sorted.
var Flags = []string{
	FlagAPIPlaceholder, FlagCO2Corrected, FlagCO2FromEnergy, FlagCO2TokenEstimate, FlagCostMismatch, FlagCostSplitScaled,
	FlagDuplicateExecution, FlagDuplicateSpanID, FlagDurationInflated, FlagEnergyDisagreement,
	FlagParametersTruncated, FlagJobTypeInferred, FlagMultiGPULost, FlagMultiTestTrace, FlagOrphanSpans, FlagOTLPSnakeCase,
	FlagParamsVary, FlagPartialCost, FlagPowerCost, FlagPowerGap, FlagPriceFallback, FlagPromptTruncated, FlagProviderOverridden,
	FlagCostDiffers, FlagResultsFromTraces, FlagRowIDSynthesized, FlagRunIDConflict, FlagSiblingDuplicate,
	FlagStepsDerived, FlagStoredSummary, FlagSuccessRepaired, FlagTBTFromChunks, FlagToolCalledDerived,
	FlagToolsDerived, FlagTruncatedFile, FlagTZUnknown, FlagUnjoinedResult, FlagUnjoinedTrace,
}

// Quality is what enrichment found out about the data of a run.
type Quality struct {
	// Flags maps a flag to the sorted places it was raised at: "run",
	// "test:<case>", "trace:<id>", "span:<trace>/<span>" or "file:<first 12
	// hex digits of its SHA-256>".
	Flags map[string][]string
	// Stored maps a place to the values that files state and ours replaced,
	// by column.
	Stored map[string]map[string]attr.Value
}

// findings gathers flags and stored values while a run is enriched.
type findings struct {
	flags  map[string]map[string]bool // place → flags
	stored map[string]map[string]attr.Value
}

func (f *findings) flag(where, flag string) {
	if f.flags == nil {
		f.flags = map[string]map[string]bool{}
	}
	if f.flags[where] == nil {
		f.flags[where] = map[string]bool{}
	}
	f.flags[where][flag] = true
}

func (f *findings) keep(where, column string, value attr.Value) {
	if f.stored == nil {
		f.stored = map[string]map[string]attr.Value{}
	}
	if f.stored[where] == nil {
		f.stored[where] = map[string]attr.Value{}
	}
	f.stored[where][column] = value
}

func (f *findings) drop(where, column string) {
	delete(f.stored[where], column)
	if len(f.stored[where]) == 0 {
		delete(f.stored, where)
	}
}

func (f *findings) quality() Quality {
	q := Quality{Flags: map[string][]string{}, Stored: f.stored}
	for where, flags := range f.flags {
		for flag := range flags {
			q.Flags[flag] = append(q.Flags[flag], where)
		}
	}
	for _, places := range q.Flags {
		slices.Sort(places)
	}
	if q.Stored == nil {
		q.Stored = map[string]map[string]attr.Value{}
	}
	return q
}

// column encodes one place's share for the data_quality column: flags, stored
// values, and the extras that hold a text.
func (f *findings) column(where string, extras ...attr.KeyValue) JSON {
	flags := []string{}
	for flag := range f.flags[where] {
		flags = append(flags, flag)
	}
	slices.Sort(flags)
	stored := make([]attr.KeyValue, 0, len(f.stored[where]))
	out := make([]attr.KeyValue, 0, len(extras)+2)
	for column, value := range f.stored[where] {
		stored = append(stored, attr.KeyValue{Key: column, Value: value})
	}
	for _, e := range extras {
		if e.Value.Text() != "" {
			out = append(out, e)
		}
	}
	out = append(out,
		attr.KeyValue{Key: "flags", Value: attr.JSONValue(string(appendList(nil, flags, attr.AppendQuoted)))},
		attr.KeyValue{Key: "stored", Value: attr.JSONValue(string(attr.NewSet(stored).AppendJSON(nil)))})
	return JSON(attr.NewSet(out).AppendJSON(nil))
}
