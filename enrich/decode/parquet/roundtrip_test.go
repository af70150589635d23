package parquet_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/decode/parquet"
	"smolscope/enrich/enrichtest"
	"smolscope/enrich/export"
)

// A corpus is the original files of some runs, by name.
func corpora(t *testing.T) map[string]map[string][]byte {
	t.Helper()
	list := map[string]map[string][]byte{}
	for seed := range uint64(4) {
		plan := enrichtest.Plan{Seed: seed, Tests: 3 + int(seed)*4, Model: &enrichtest.Models[int(seed)%len(enrichtest.Models)]}
		list[fmt.Sprintf("generated %d", seed)] = enrichtest.New(plan).Files
	}
	real, _ := filepath.Glob("../../../../shared/data/smoltrace/*/*/*.json")
	for _, path := range real {
		name := filepath.Base(filepath.Dir(path))
		if list[name] == nil {
			list[name] = map[string][]byte{}
		}
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list[name][filepath.Base(path)] = body
	}
	// Files that leave a dataset to be made of the others.
	for name, leave := range map[string]string{"without results": "results.json", "without traces": "traces.json", "without a run id": "leaderboard_row.json"} {
		files := maps.Clone(list["generated 1"])
		delete(files, leave)
		list[name] = files
	}
	return list
}

func read(t *testing.T, files map[string][]byte) []*enrich.Part {
	t.Helper()
	var parts []*enrich.Part
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, file := decode.Read(name, bytes.NewReader(files[name]), parquet.Format)
		if file.Error != nil || len(file.Warnings) > 0 {
			t.Fatalf("%s: error %v, warnings %v", name, show(file.Error), file.Warnings)
		}
		parts = append(parts, part)
	}
	return parts
}

func show(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

func derive(t *testing.T, parts []*enrich.Part) []*enrich.Tables {
	t.Helper()
	var runs []*enrich.Tables
	for _, run := range enrich.Assemble(parts) {
		runs = append(runs, enrich.Enrich(run, enrich.DefaultOptions()))
	}
	return runs
}

func one(t *testing.T, parts []*enrich.Part) *enrich.Tables {
	t.Helper()
	runs := derive(t, parts)
	if len(runs) != 1 {
		t.Fatalf("%d runs, want 1", len(runs))
	}
	return runs[0]
}

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

// write exports a run in a format, "document" being the whole of it.
func write(t *testing.T, run *enrich.Tables, format string) map[string][]byte {
	t.Helper()
	files := map[string]*buffer{}
	create := func(name string) (io.WriteCloser, error) {
		files[name] = &buffer{}
		return files[name], nil
	}
	var err error
	switch format {
	case "document":
		w, _ := create("document.json")
		err = export.Document(w, "test", []*enrich.Tables{run}, nil)
	case "parquet":
		err = export.Files(format, create, func(w io.Writer, dataset string) error { return parquet.Dataset(w, run, dataset) })
	default:
		err = export.Folder(run, format, create)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for name, b := range files {
		out[name] = b.Bytes()
	}
	return out
}

// rows encodes the datasets and the rows of the spans, for comparison.
func rows(t *testing.T, run *enrich.Tables) string {
	t.Helper()
	var out strings.Builder
	for _, name := range []string{"results.jsonl", "traces.jsonl", "metrics.jsonl", "leaderboard.jsonl"} {
		out.WriteString(name + "\n")
		out.Write(write(t, run, "jsonl")[name])
	}
	out.WriteString("spans\n")
	for i := range run.Spans {
		out.Write(append(enrich.AppendRow(nil, enrich.SpanColumns, &run.Spans[i]), '\n'))
	}
	return out.String()
}

// csvForm is what CSV keeps of JSON lines: null and the empty text are one.
func csvForm(s string) string { return strings.ReplaceAll(s, `:"",`, ":null,") }

func TestRoundTrip(t *testing.T) {
	for name, files := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			original := one(t, read(t, files))
			want := rows(t, original)
			for _, format := range []string{"json", "jsonl", "csv", "parquet", "document"} {
				t.Run(format, func(t *testing.T) {
					exported := write(t, original, format)
					back := read(t, exported)
					again := one(t, back)
					if !again.Exported {
						t.Error("the rows were not known for an export's")
					}
					got, want := rows(t, again), want
					if format == "csv" {
						got, want = csvForm(got), csvForm(want)
					}
					if got != want {
						t.Fatalf("rows differ (-exported +read back):\n%s", clip(cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))))
					}
					second := write(t, again, format)
					for name := range exported {
						if format != "csv" && !bytes.Equal(exported[name], second[name]) {
							t.Errorf("%s: exported again, other bytes\n%s", name, clip(cmp.Diff(strings.Split(string(exported[name]), "\n"), strings.Split(string(second[name]), "\n"))))
						}
					}

					rand.Shuffle(len(back), func(i, j int) { back[i], back[j] = back[j], back[i] })
					if shuffled := rows(t, one(t, back)); shuffled != rows(t, again) {
						t.Error("the order of the files changes the rows")
					}
					both := append(read(t, files), back...)
					if got := rows(t, one(t, both)); got != rows(t, original) {
						t.Errorf("originals and export are not the originals:\n%s", clip(cmp.Diff(strings.Split(rows(t, original), "\n"), strings.Split(got, "\n"))))
					}
				})
			}
		})
	}
}

func clip(s string) string { return s[:min(len(s), 3000)] }
