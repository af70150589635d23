package enrichtest_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
)

// TestTruth enriches generated runs and compares them with what the generator
// did, which the rules have to find again under double counts and lost spans.
func TestTruth(t *testing.T) {
	for _, plan := range enrichtest.Demo()[:len(enrichtest.Models)] {
		run := enrichtest.New(plan)
		t.Run(run.Folder, func(t *testing.T) {
			var parts []*enrich.Part
			for name, body := range run.Files {
				part, file := decode.Read(name, bytes.NewReader(body))
				if file.Error != nil || len(file.Warnings) > 0 {
					t.Errorf("%s: error %v, warnings %v; want none", name, file.Error, file.Warnings)
				}
				parts = append(parts, part)
			}
			runs := enrich.Assemble(parts)
			if len(runs) != 1 {
				t.Fatalf("one run became %d", len(runs))
			}
			tables := enrich.Enrich(runs[0], enrich.DefaultOptions())
			if got := tables.Leaderboard.RunID; got != run.ID {
				t.Errorf("run_id = %q, want %q", got, run.ID)
			}
			if diff := cmp.Diff(run.Truth, found(tables), notFound); diff != "" {
				t.Errorf("enriching does not find what was done (-done +found):\n%s", diff)
			}
		})
	}
}

// notFound are counts that no column of a run states.
var notFound = cmpopts.IgnoreFields(enrichtest.Truth{}, "LLMCalls", "FailedCalls")

func found(tables *enrich.Tables) enrichtest.Truth {
	run := tables.Leaderboard
	return enrichtest.Truth{
		Tests:            int(run.NumTests),
		Passed:           int(value(run.SuccessfulTests)),
		Errors:           int(value(run.TotalErrors)),
		ToolCalls:        int(value(run.TotalToolCalls)),
		PromptTokens:     value(run.TotalPromptTokens),
		CompletionTokens: value(run.TotalCompletionTokens),
		Spans:            len(tables.Spans),
		DurationNanos:    int64(1e6*value(run.TotalDurationMS) + 0.5),
	}
}

// value returns what a column says, -1 for what it does not.
func value[T int64 | float64](v *T) T {
	if v == nil {
		return -1
	}
	return *v
}
