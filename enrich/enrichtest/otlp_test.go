package enrichtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
)

// TestOTLP enriches runs out of SMOLTRACE's files, and again with the traces and
// metrics as OTLP: every row of the datasets is the same, byte for byte. What
// OTLP has no place for is taken out of SMOLTRACE's files first: what a trace's
// row says beside its spans, and the aggregates.
func TestOTLP(t *testing.T) {
	for i := range enrichtest.Models {
		run := enrichtest.New(enrichtest.Plan{Seed: uint64(i) + 1, Model: &enrichtest.Models[i], Tests: 12, GPUs: 2})
		t.Run(run.Folder, func(t *testing.T) {
			files := maps.Clone(run.Files)
			files["traces.json"] = onlySpans(t, files["traces.json"])
			files["metrics.json"] = onlyBatches(t, files["metrics.json"])
			want := datasets(t, files)
			files["traces.json"] = run.OTLP()
			if delete(files, "metrics.json"); len(run.OTLPMetrics()) > 0 {
				files["metrics.jsonl"] = run.OTLPMetrics()
			}
			if diff := cmp.Diff(want, datasets(t, files)); diff != "" {
				t.Errorf("(-SMOLTRACE +OTLP):\n%s", diff)
			}
		})
	}
}

// datasets enriches files and lists the rows of the four datasets as JSON.
func datasets(t *testing.T, files map[string][]byte) (rows []string) {
	t.Helper()
	var parts []*enrich.Part
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, file := decode.Read(name, bytes.NewReader(files[name]))
		if part == nil || len(file.Warnings) > 0 {
			t.Fatalf("%s: %v", name, file)
		}
		parts = append(parts, part)
	}
	runs := enrich.Assemble(parts)
	if len(runs) != 1 {
		t.Fatalf("one run became %d", len(runs))
	}
	tables := enrich.Enrich(runs[0], enrich.DefaultOptions())
	rows = append(rows, string(enrich.AppendRow(nil, enrich.LeaderboardColumns, &tables.Leaderboard)))
	rows = appendRows(rows, enrich.ResultColumns, tables.Results)
	rows = appendRows(rows, enrich.TraceColumns, tables.Traces)
	rows = appendRows(rows, enrich.MetricColumns, tables.Metrics)
	return append(rows, fmt.Sprint(tables.Quality))
}

func appendRows[R any](rows []string, columns []enrich.Column[R], list []R) []string {
	for i := range list {
		rows = append(rows, string(enrich.AppendRow(nil, columns, &list[i])))
	}
	return rows
}

// onlySpans leaves of traces their ids and spans.
func onlySpans(t *testing.T, text []byte) []byte {
	t.Helper()
	var traces []map[string]json.RawMessage
	if err := json.Unmarshal(text, &traces); err != nil {
		t.Fatal(err)
	}
	for _, tr := range traces {
		maps.DeleteFunc(tr, func(key string, _ json.RawMessage) bool { return !strings.Contains("trace_id spans", key) })
	}
	return encode(t, traces)
}

// onlyBatches leaves of a metrics document what was exported.
func onlyBatches(t *testing.T, text []byte) []byte {
	t.Helper()
	var document map[string]json.RawMessage
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	document["aggregates"] = json.RawMessage("[]")
	return encode(t, document)
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
