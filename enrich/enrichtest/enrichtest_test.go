package enrichtest

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewIsDeterministic(t *testing.T) {
	a, b := New(Plan{Seed: 7}), New(Plan{Seed: 7})
	for name := range a.Files {
		if !bytes.Equal(a.Files[name], b.Files[name]) {
			t.Errorf("the same plan made two different %s", name)
		}
	}
	if c := New(Plan{Seed: 8}); c.ID == a.ID {
		t.Errorf("another seed made the same run %s", c.ID)
	}
}

// TestCounts counts in the files what the generator says it did.
func TestCounts(t *testing.T) {
	for i := range Models {
		t.Run(Models[i].Name, func(t *testing.T) {
			run := New(Plan{Seed: 3, Model: &Models[i], Tests: 30})
			var traces []trace
			if err := json.Unmarshal(run.Files["traces.json"], &traces); err != nil {
				t.Fatal(err)
			}
			got := Truth{Passed: run.Truth.Passed, Errors: run.Truth.Errors, Tests: len(traces)}
			for _, trace := range traces {
				for _, s := range trace.Spans {
					got.Spans++
					switch {
					case s.Name == "LiteLLMModel.generate" && s.Status.Code == "ERROR":
						got.LLMCalls++
						got.FailedCalls++
					case s.Name == "LiteLLMModel.generate":
						got.LLMCalls++
						got.PromptTokens += int64(s.Attributes["llm.token_count.prompt"].(float64))
						got.CompletionTokens += int64(s.Attributes["llm.token_count.completion"].(float64))
					case s.ToolOutput != nil && s.Name != "FinalAnswerTool":
						got.ToolCalls++
					case s.ParentID == nil:
						got.DurationNanos += s.End - s.Start
					}
				}
			}
			if diff := cmp.Diff(run.Truth, got); diff != "" {
				t.Errorf("truth and files differ (-truth +files):\n%s", diff)
			}
			if got.Passed == 0 || got.Passed == got.Tests {
				t.Errorf("%d of %d tests passed, want some of each", got.Passed, got.Tests)
			}
		})
	}
}

func TestSteps(t *testing.T) {
	run := New(Plan{Seed: 1, Model: &Model{Name: "steady", Skill: 1, TokensPerSecond: 100}, Tests: 1, Steps: 200})
	// The root, the agent, and of each step its own span, two of the call and one of the tool.
	if want := 2 + 4*200; run.Truth.Spans != want {
		t.Errorf("200 steps made %d spans, want %d", run.Truth.Spans, want)
	}
}
