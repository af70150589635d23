package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"smolscope/enrich"
)

// A document is what the tests read of the output of enrich.
type document struct {
	Runs []struct {
		Leaderboard map[string]any   `json:"leaderboard"`
		Results     []map[string]any `json:"results"`
		Traces      []map[string]any `json:"traces"`
		Quality     struct {
			Stored map[string]map[string]any `json:"stored"`
		} `json:"quality"`
	} `json:"runs"`
	Files []enrich.File `json:"files"`
}

// enrichJSON runs enrich over files and returns the bytes it printed.
func enrichJSON(t *testing.T, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if exit := run(t.Context(), append([]string{"enrich"}, args...), nil, &stdout, &stderr); exit != done {
		t.Fatalf("enrich %q: exit status %d: %s", args, exit, &stderr)
	}
	return stdout.Bytes()
}

func parse(t *testing.T, output []byte) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(output, &d); err != nil {
		t.Fatalf("the output is no JSON: %v", err)
	}
	return d
}

// runsOf returns the part of the output that names and order must not change.
func runsOf(t *testing.T, output []byte) string {
	t.Helper()
	runs, _, found := bytes.Cut(output, []byte("\n\"files\":"))
	if !found {
		t.Fatal("the output has no files")
	}
	return string(runs)
}

// TestNamesAndOrder gives the files of a run in another order, under other
// names and in other folders.
func TestNamesAndOrder(t *testing.T) {
	bareEnvironment(t)
	archive, err := txtar.ParseFile("testdata/enrich.txtar")
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{}
	for _, file := range archive.Files {
		content[file.Name] = file.Data
	}
	results, traces := content["run/results.json"], content["run/traces.json"]
	t.Chdir(t.TempDir())
	write(t, "run/results.json", results)
	write(t, "run/traces.json", traces)
	want := enrichJSON(t, "run")
	if n := len(parse(t, want).Runs); n != 1 {
		t.Fatalf("%d runs, want 1", n)
	}

	t.Run("again", func(t *testing.T) {
		if diff := cmp.Diff(string(want), string(enrichJSON(t, "run"))); diff != "" {
			t.Errorf("the same command prints something else:\n%s", diff)
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		write(t, "deep/down/results.json", results)
		write(t, "deep/down/traces.json", traces)
		if diff := cmp.Diff(string(want), string(enrichJSON(t, filepath.Join("deep", "down")))); diff != "" {
			t.Errorf("the same files in another folder print something else:\n%s", diff)
		}
	})
	for name, args := range map[string][]string{
		"named one by one": {"run/results.json", "run/traces.json"},
		"other order":      {"run/traces.json", "run/results.json"},
		"other names":      {"other/zzz.txt", "other/aaa.bin"},
		"apart":            {"one/traces.json", "two/results.json"},
		"twice":            {"run", "one/traces.json", "run/traces.json"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "other/aaa.bin", traces)
			write(t, "other/zzz.txt", results)
			write(t, "one/traces.json", traces)
			write(t, "two/results.json", results)
			if diff := cmp.Diff(runsOf(t, want), runsOf(t, enrichJSON(t, args...))); diff != "" {
				t.Errorf("enrich %q:\n%s", args, diff)
			}
		})
	}
}

func TestFileNames(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/run/x.json", "a/run/y.json", "b/x.json", "b/.git/z", "z.json"} {
		write(t, name, nil)
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"a file", []string{"a/run/x.json"}, []string{"x.json"}},
		{"a folder", []string{"a/run"}, []string{"x.json", "y.json"}},
		{"a folder above", []string{"a"}, []string{"x.json", "y.json"}},
		{"an absolute path", []string{filepath.Join(here, "b")}, []string{"x.json"}},
		{"two folders", []string{"b", "a"}, []string{"b/x.json", "a/run/x.json", "a/run/y.json"}},
		{"everything", []string{"."}, []string{"a/run/x.json", "a/run/y.json", "b/x.json", "z.json"}},
		{"a way round", []string{"a/../b/x.json", "./z.json"}, []string{"b/x.json", "z.json"}},
		{"standard input", []string{"-", "b/x.json"}, []string{"-", "x.json"}},
		{"nowhere", []string{"b/x.json", "c/x.json"}, []string{"b/x.json", "c/x.json"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, in := range inputs(tt.args) {
				got = append(got, in.name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("names of %q (-want +got):\n%s", tt.args, diff)
			}
		})
	}
}

// TestLinks walks folders as Hugging Face's cache has them: a folder that is a
// link, of files that are links.
func TestLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "blobs/5ebf", nil)
	for link, target := range map[string]string{"snapshot/results.json": "../blobs/5ebf", "snapshot/gone.json": "../blobs/gone", "latest": "snapshot"} {
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	var got []string
	for _, in := range inputs([]string{"latest"}) {
		got = append(got, in.name+" "+strconv.FormatBool(in.err == nil))
	}
	if diff := cmp.Diff([]string{"gone.json false", "results.json true"}, got); diff != "" {
		t.Errorf("files of a linked folder, and whether they can be read (-want +got):\n%s", diff)
	}
}

func TestEnvironment(t *testing.T) {
	bareEnvironment(t)
	t.Chdir(t.TempDir())
	write(t, "results.json", []byte(`[{"test_id": "a", "agent_type": "tool", "success": true}]`))
	t.Setenv("SMOLSCOPE_FORMAT", "csv")
	var stdout, stderr bytes.Buffer
	if exit := run(t.Context(), []string{"enrich", "results.json"}, nil, &stdout, &stderr); exit != wrongUsage {
		t.Errorf("with SMOLSCOPE_FORMAT=csv: exit status %d, want %d: CSV needs -o", exit, wrongUsage)
	}
	if exit := run(t.Context(), []string{"enrich", "results.json", "--format", "json"}, nil, &stdout, &stderr); exit != done {
		t.Errorf("with --format json besides: exit status %d, want %d: a flag given wins: %s", exit, done, &stderr)
	}
}

func TestHostileText(t *testing.T) {
	bareEnvironment(t)
	t.Chdir(t.TempDir())
	write(t, "a\x1b[2J.json", []byte("\x1b]0;title\x07"))
	var stdout, stderr bytes.Buffer
	run(t.Context(), []string{"enrich", "."}, nil, &stdout, &stderr)
	if bytes.ContainsAny(stderr.Bytes(), "\x1b\x07") {
		t.Errorf("what a file holds reached the terminal as it is: %q", &stderr)
	}
}

// TestRealRuns enriches the two runs that SMOLTRACE publishes.
func TestRealRuns(t *testing.T) {
	bareEnvironment(t)
	shared, err := filepath.Abs("../../../shared/data/smoltrace")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("the published runs are not here: %v", err)
	}

	d := parse(t, enrichJSON(t, filepath.Join(shared, "test_results"), filepath.Join(shared, "test_cost_debug")))
	if len(d.Runs) != 2 || len(d.Files) != 10 {
		t.Fatalf("%d runs of %d files, want 2 of 10", len(d.Runs), len(d.Files))
	}
	mistral, gpt := d.Runs[0].Leaderboard, d.Runs[1].Leaderboard
	for _, tt := range []struct {
		name   string
		row    map[string]any
		column string
		want   any
	}{
		{"mistral", mistral, "run_id", "4da47ecc-b58a-5319-9316-4971971b7e7d"},
		{"mistral", mistral, "total_tokens", 21952.0},
		{"mistral", mistral, "success_rate", 40.0},
		{"mistral", mistral, "total_cost_usd", 0.0023146},
		{"gpt", gpt, "run_id", "9bb7bf0a-6b14-42d7-bada-b4ae3b244648"},
		{"gpt", gpt, "total_errors", 8.0},
		{"gpt", gpt, "error_types", map[string]any{"auth": 8.0}},
		{"gpt", gpt, "total_cost_usd", nil},
		{"gpt", gpt, "total_tokens", nil},
	} {
		if diff := cmp.Diff(tt.want, tt.row[tt.column]); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.name, tt.column, diff)
		}
	}
	if got, _ := mistral["total_duration_ms"].(float64); math.Abs(got-15845.5034) > 1e-6 {
		t.Errorf("mistral: total_duration_ms = %v, want the sum of the root spans", got)
	}
	if got := d.Runs[0].Quality.Stored["run"]["total_tokens"]; got != 29113.0 {
		t.Errorf("mistral: stored total_tokens = %v, want SMOLTRACE's 29113 kept beside ours", got)
	}
	for _, run := range d.Runs {
		for _, row := range run.Traces {
			if id, _ := row["trace_id"].(string); len(id) != 32 {
				t.Errorf("trace id %q, want 32 digits", id)
			}
		}
	}
}

// TestArchives reads a run out of archives, which give what its folder gives.
func TestArchives(t *testing.T) {
	bareEnvironment(t)
	archive, err := txtar.ParseFile("testdata/enrich.txtar")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var zipped, tarred bytes.Buffer
	z, gz := zip.NewWriter(&zipped), gzip.NewWriter(&tarred)
	tape := tar.NewWriter(gz)
	for _, file := range archive.Files {
		if !strings.HasPrefix(file.Name, "run/") {
			continue
		}
		write(t, file.Name, file.Data)
		if w, err := z.Create(file.Name); err != nil {
			t.Fatal(err)
		} else if _, err := w.Write(file.Data); err != nil {
			t.Fatal(err)
		}
		if err := tape.WriteHeader(&tar.Header{Name: file.Name, Size: int64(len(file.Data)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := tape.Write(file.Data); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []io.Closer{z, tape, gz} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(t, "in/runs.zip", zipped.Bytes())
	write(t, "in/runs.tar.gz", tarred.Bytes())
	want := enrichJSON(t, "run")
	for name, content := range map[string][]byte{"in/runs.zip": zipped.Bytes(), "in/runs.tar.gz": tarred.Bytes()} {
		got := enrichJSON(t, name)
		if diff := cmp.Diff(runsOf(t, want), runsOf(t, got)); diff != "" {
			t.Errorf("%s (-folder +archive):\n%s", name, diff)
		}
		for _, file := range parse(t, got).Files {
			if folder := filepath.Base(name) + "/run/"; !strings.HasPrefix(file.Name, folder) {
				t.Errorf("file %s, want it in %s", file.Name, folder)
			}
		}
		var stdout, stderr bytes.Buffer
		if exit := run(t.Context(), []string{"enrich", "-"}, bytes.NewReader(content), &stdout, &stderr); exit != done {
			t.Fatalf("%s on standard input: exit status %d: %s", name, exit, &stderr)
		}
		if diff := cmp.Diff(runsOf(t, want), runsOf(t, stdout.Bytes())); diff != "" {
			t.Errorf("%s on standard input (-folder +archive):\n%s", name, diff)
		}
	}

	t.Run("refused", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		exit := run(t.Context(), []string{"enrich", "--max-entries=1", "in/runs.zip"}, nil, &stdout, &stderr)
		want := "in/runs.zip: breaks off after 1 file: the archives of this upload hold more than 1 file (--max-entries)\n"
		if exit != no || stderr.String() != want {
			t.Errorf("exit status %d, %q, want %d, %q", exit, &stderr, no, want)
		}
	})
}

// One original of a run and an export of the whole of it give the run, and the
// receipt of the export says what of it is left out.
func TestExportBesideOriginal(t *testing.T) {
	bareEnvironment(t)
	archive, err := txtar.ParseFile("testdata/enrich.txtar")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, file := range archive.Files {
		if file.Name == "run/results.json" || file.Name == "run/traces.json" {
			write(t, file.Name, file.Data)
		}
	}
	want := parse(t, enrichJSON(t, "run"))
	write(t, "export.json", enrichJSON(t, "run"))
	got := parse(t, enrichJSON(t, "run/results.json", "export.json"))
	if diff := cmp.Diff(want.Runs[0].Results, got.Runs[0].Results); len(got.Runs) != 1 || diff != "" {
		t.Errorf("%d runs; results differ (-want +got):\n%s", len(got.Runs), diff)
	}
	if diff := cmp.Diff(want.Runs[0].Traces, got.Runs[0].Traces); diff != "" {
		t.Errorf("traces differ (-want +got):\n%s", diff)
	}
	for _, file := range got.Files {
		var said []string
		for _, w := range file.Warnings {
			said = append(said, w.Message)
		}
		wanted := []string(nil)
		if file.Name == "export.json" {
			wanted = []string{"original files hold the results of this run; the rows of this export are left out"}
		}
		if diff := cmp.Diff(wanted, said); diff != "" {
			t.Errorf("%s: warnings differ (-want +got):\n%s", file.Name, diff)
		}
	}
}
