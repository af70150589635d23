package decode_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/decode/parquet"
)

// realFiles are files that other people's software wrote. They lie beside the
// project.
const realFiles = "../../../shared/data"

// TestRealFiles pins what comes of every one of them: what it is read as, how
// much is in it, what was mended, how often it was complained of, or why it is
// refused.
func TestRealFiles(t *testing.T) {
	if _, err := os.Stat(realFiles); err != nil {
		t.Skip("the real files lie beside the project and are not here")
	}
	var got strings.Builder
	err := filepath.WalkDir(realFiles, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(realFiles, path)
		if err != nil || entry.IsDir() || name == "INDEX.md" || filepath.Base(path) == "SOURCE.md" || strings.HasPrefix(filepath.Base(path), "LICENSE") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		part, file := decode.Read(filepath.ToSlash(name), f, parquet.Format)
		fmt.Fprintf(&got, "%s: ", file.Name)
		if part != nil {
			points := 0
			for _, m := range part.Metrics {
				points += len(m.Samples) + len(m.Aggregates)
			}
			fmt.Fprintf(&got, "%s, %d rows, %d spans, %d points", file.Format, file.Rows, file.Spans, points)
		} else {
			got.WriteString("refused")
		}
		if n := len(file.Warnings); n > 0 {
			fmt.Fprintf(&got, ", %d warnings", n)
		}
		got.WriteByte('\n')
		if part != nil && len(part.Flags) > 0 {
			fmt.Fprintf(&got, "  flags: %s\n", strings.Join(part.Flags, ", "))
		}
		for _, r := range file.Repairs {
			fmt.Fprintf(&got, "  repair: %s\n", r)
		}
		if part != nil && file.Spans > 0 {
			describeSpans(&got, part)
		}
		if n := len(file.Warnings); n > 0 {
			fmt.Fprintf(&got, "  first warning: %s: %s\n", file.Warnings[0].Where, file.Warnings[0].Message)
		}
		if file.Error != nil {
			reason, _, _ := strings.Cut(*file.Error, "; known: ")
			reason, _, _ = strings.Cut(reason, ", expected one of ")
			fmt.Fprintf(&got, "  error: %s\n", reason)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/realfiles.txt"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got; go test ./enrich/decode -update writes what it got):\n%s", diff)
	}
}

// describeSpans says what enriching makes of the spans of a file.
func describeSpans(w *strings.Builder, part *enrich.Part) {
	for _, run := range enrich.Assemble([]*enrich.Part{part}) {
		tables := enrich.Enrich(run, enrich.DefaultOptions())
		roles, calls, tools := map[string]int{}, int64(0), int64(0)
		for i := range tables.Spans {
			roles[tables.Spans[i].SpanKind]++
		}
		for i := range tables.Traces {
			calls += tables.Traces[i].LLMCallCount
			tools += tables.Traces[i].ToolCallCount
		}
		row := &tables.Leaderboard
		fmt.Fprintf(w, "  %v, %d LLM calls, %d tool calls, tokens %s in %s out, %s ms, model %s\n", roles, calls, tools,
			known(row.TotalPromptTokens), known(row.TotalCompletionTokens), known(row.TotalDurationMS), known(row.Model))
	}
}

func known[T any](v *T) string {
	if v == nil {
		return "—"
	}
	return fmt.Sprint(*v)
}

// TestSameSpans reads what was written twice: as OpenTelemetry's libraries for
// JavaScript hold it, or generic writers of protobuf messages as JSON write it,
// and as OTLP's JSON should be.
func TestSameSpans(t *testing.T) {
	pairs := map[string]string{"agent-prism/rag_earnings_agent.json": "derived-otlp-pdata/rag_earnings.traces.otlpjson.jsonl"}
	raw, _ := filepath.Glob(filepath.Join(realFiles, "langfuse/otlp_raw_protobufjs/*.json"))
	for _, path := range raw {
		pairs["langfuse/otlp_raw_protobufjs/"+filepath.Base(path)] = "langfuse/otlp/" + filepath.Base(path)
	}
	if len(raw) == 0 {
		t.Skip("the real files lie beside the project and are not here")
	}
	for one, other := range pairs {
		if diff := cmp.Diff(spansOf(t, one), spansOf(t, other)); diff != "" {
			t.Errorf("%s says (-), %s (+):\n%s", one, other, diff)
		}
	}
}

// spansOf lists the spans of a file as JSON.
func spansOf(t *testing.T, name string) (list []string) {
	t.Helper()
	f, err := os.Open(filepath.Join(realFiles, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	part, file := decode.Read(name, f)
	if part == nil {
		t.Fatalf("%s: %s", name, *file.Error)
	}
	for _, tr := range part.Traces {
		for i := range tr.Spans {
			list = append(list, string(tr.Spans[i].AppendJSON(nil)))
		}
	}
	return list
}
