package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"smolscope/enrich/enrichtest"
)

// A sample is a run in a folder, and what its pages have to say, numbers
// without the commas between thousands.
type sample struct {
	folder         string
	model          string
	tests          int
	rate           string // percent of tests that passed
	tokens, stored string // what was billed, and what the file recorded
}

// realRun lies beside the project where it is developed.
const realRun = "../../../shared/data/smoltrace/test_results/mistral_mistral-small-latest_tool_20251022_205434"

// aRun returns the real run, or a generated one where that is not at hand.
func aRun(t *testing.T) sample {
	t.Helper()
	if _, err := os.Stat(realRun); err == nil {
		folder, err := filepath.Abs(realRun)
		if err != nil {
			t.Fatal(err)
		}
		return sample{folder, "mistral/mistral-small-latest", 5, "40", "21952", "29113"}
	}
	run := enrichtest.New(enrichtest.Plan{Seed: 5, Tests: 8})
	folder := filepath.Join(t.TempDir(), run.Folder)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, body := range run.Files {
		if err := os.WriteFile(filepath.Join(folder, name), body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var row struct {
		Model  string `json:"model"`
		Tokens int64  `json:"total_tokens"`
	}
	if err := json.Unmarshal(run.Files["leaderboard_row.json"], &row); err != nil {
		t.Fatal(err)
	}
	truth := run.Truth
	return sample{folder, row.Model, truth.Tests, fmt.Sprintf("%.3g", 100*float64(truth.Passed)/float64(truth.Tests)),
		fmt.Sprint(truth.PromptTokens + truth.CompletionTokens), fmt.Sprint(row.Tokens)}
}

// files lists the files of the sample's folder.
func (s sample) files(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.folder, "*.json"))
	if err != nil || len(names) != 5 {
		t.Fatalf("%s holds %d files (%v), want 5", s.folder, len(names), err)
	}
	return names
}
