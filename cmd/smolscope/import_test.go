package main

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"smolscope/server"
	"smolscope/server/hub/hubtest"
	"smolscope/views"
)

// sampleRun writes the files of the golden run to the folder run.
func sampleRun(t *testing.T) map[string][]byte {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/enrich.txtar")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	files := map[string][]byte{}
	for _, f := range archive.Files {
		if name, found := strings.CutPrefix(f.Name, "run/"); found {
			write(t, f.Name, f.Data)
			files[name] = f.Data
		}
	}
	return files
}

// imported runs import and returns what it prints.
func imported(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if exit := run(t.Context(), append([]string{"import"}, args...), nil, &out, &err); exit != want {
		t.Fatalf("import %q: exit status %d, want %d\n%s%s", args, exit, want, &out, &err)
	}
	return out.String(), err.String()
}

// TestImportServer imports into a database that is served: through the server,
// because it has it open.
func TestImportServer(t *testing.T) {
	sampleRun(t)
	db := filepath.Join(t.TempDir(), "smolscope.db")
	base, end := start(t, "serve", "--addr", "127.0.0.1:0", "--otlp-addr", "", "--db", db)
	_, stderr := imported(t, no, "run", "--db", db)
	if !strings.Contains(stderr, "another smolscope has it open") || !strings.Contains(stderr, "--server") {
		t.Errorf("a database in use: %s", stderr)
	}
	first, _ := imported(t, done, "run", "--server", base)
	if !strings.Contains(first, "making 1 new run") || !strings.Contains(first, base+"/runs/") {
		t.Errorf("receipt:\n%s", first)
	}
	again, _ := imported(t, done, "run", "--server", base+"/")
	if !strings.Contains(again, "nothing was changed") || !strings.Contains(again, "unchanged") {
		t.Errorf("receipt of the same again:\n%s", again)
	}
	if exit := end(); exit != done {
		t.Errorf("exit status %d", exit)
	}
	_, stderr = imported(t, no, "run", "--server", base)
	if !strings.Contains(stderr, "--server") {
		t.Errorf("nobody serves: %s", stderr)
	}

	// Into the database itself, the same bytes are known.
	local, _ := imported(t, done, "run", "--db", db)
	if !strings.Contains(local, "nothing was changed") {
		t.Errorf("receipt of what the server has taken:\n%s", local)
	}
}

func TestImportNoServer(t *testing.T) {
	sampleRun(t)
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"another program": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>hello") }, "no smolscope answers there (200 OK)"},
		"too large": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			io.WriteString(w, `{"error":{"code":"too_large","message":"One upload may have 5 bytes."}}`)
		}, "One upload may have 5 bytes."},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			if _, stderr := imported(t, no, "run", "--server", server.URL); !strings.Contains(stderr, tt.want) {
				t.Errorf("%q, want %q", stderr, tt.want)
			}
		})
	}
}

// TestImportHub imports a run from the Hub, where a leaderboard names its datasets,
// and one file from an address of the web.
func TestImportHub(t *testing.T) {
	files := sampleRun(t)
	row := `{"run_id":"run-1","model":"acme/atlas","agent_type":"tool","total_tests":2,"success_rate":50,"timestamp":"2025-10-22T15:30:00+00:00","results_dataset":"acme/results","traces_dataset":"acme/traces","metrics_dataset":"local:metrics.json"}`
	hub := &hubtest.Hub{Token: "hf_secret", Datasets: map[string]map[string][]byte{
		"acme/board":   {"README.md": []byte("# runs"), "data/rows.jsonl": []byte(row)},
		"acme/results": {"data/results.parquet": files["results.json"]},
		"acme/traces":  {"data/traces.json": files["traces.json"]},
	}}
	endpoint := hub.Serve(t)
	bareEnvironment(t)
	t.Setenv("HF_ENDPOINT", endpoint)
	t.Setenv("HF_TOKEN", "hf_secret")
	stdout, stderr := imported(t, done, "hf://datasets/acme/board", "--db", "a.db")
	if !strings.Contains(stdout, "3 of 3 files taken, making 1 new run.") {
		t.Errorf("receipt:\n%s", stdout)
	}
	for _, line := range []string{"hf://datasets/acme/board: 1 file, ", "hf://datasets/acme/results: 1 file, ", "hf://datasets/acme/traces: 1 file, "} {
		if !strings.Contains(stderr, line) {
			t.Errorf("standard error lacks %q:\n%s", line, stderr)
		}
	}
	if strings.Contains(stdout+stderr, "hf_secret") {
		t.Error("the token is printed")
	}

	stdout, _ = imported(t, done, endpoint+"/datasets/acme/traces/resolve/main/data/traces.json", endpoint+"/datasets/acme/results", "--db", "b.db")
	if !strings.Contains(stdout, "2 of 2 files taken, making 1 new run.") {
		t.Errorf("receipt:\n%s", stdout)
	}

	t.Setenv("HF_TOKEN", "")
	stdout, _ = imported(t, no, "hf://datasets/acme/board", "run", "--db", "c.db")
	if !strings.Contains(stdout, "refused    hf://datasets/acme/board: dataset acme/board: there is none, or it is private") || !strings.Contains(stdout, "making 1 new run") {
		t.Errorf("receipt:\n%s", stdout)
	}
}

// TestImportManyFolders keeps the files of a folder in one batch, whatever lies
// between them in the order of names.
func TestImportManyFolders(t *testing.T) {
	files := sampleRun(t)
	for _, name := range []string{"runs/b/results.json", "runs/results.json", "runs/z/results.json"} {
		write(t, name, files["results.json"])
	}
	write(t, "runs/traces.json", files["traces.json"])
	var stderr bytes.Buffer
	var order []string
	c := &importCommand{Inputs: []string{"runs"}}
	for f, err := range c.files(t.Context(), streams{}, newMeter(&stderr), nil) {
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, f.Name)
	}
	want := []string{"results.json", "traces.json", "b/results.json", "z/results.json"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestBatches(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name   string
		files  []string // a name that begins with "!" fails
		always bool     // full
		want   []string
		err    error
	}{
		{"none", nil, true, nil, nil},
		{"one by one", []string{"a/1", "b/1", "c/1"}, true, []string{"a/1", "b/1", "c/1"}, nil},
		{"folders stay whole", []string{"1", "2", "a/1", "a/2"}, true, []string{"1 2", "a/1 a/2"}, nil},
		{"never full", []string{"1", "a/1", "b/1"}, false, []string{"1 a/1 b/1"}, nil},
		{"a failure ends it", []string{"a/1", "!", "b/1"}, true, []string{"a/1 failed"}, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			files := func(yield func(server.NamedReader, error) bool) {
				for _, name := range tt.files {
					var err error
					if name == "!" {
						name, err = "", broken
					}
					if !yield(server.NamedReader{Name: name}, err) {
						return
					}
				}
			}
			err := batches(files, func() bool { return tt.always }, func(files iter.Seq2[server.NamedReader, error]) error {
				var batch []string
				defer func() { got = append(got, strings.Join(batch, " ")) }()
				for f, err := range files {
					if err != nil {
						batch = append(batch, "failed")
						return err
					}
					batch = append(batch, f.Name)
				}
				return nil
			})
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJoined(t *testing.T) {
	a := views.Receipt{Runs: []views.ReceiptRun{{RunID: "r", New: true, Tests: 1}}}
	b := views.Receipt{Runs: []views.ReceiptRun{{RunID: "r", Tests: 2}, {RunID: "s", Tests: 3}}}
	want := []views.ReceiptRun{{RunID: "r", New: true, Tests: 2}, {RunID: "s", Tests: 3}}
	if diff := cmp.Diff(want, joined(a, b).Runs); diff != "" {
		t.Error(diff)
	}
}

func TestMeter(t *testing.T) {
	var w bytes.Buffer
	m := newMeter(&w)
	now := time.Unix(0, 0)
	m.now = func() time.Time { return now }
	m.terminal = true
	m.expect(4_000_000)
	r := m.reading("a\x1b[2J/very/long/path/of/traces.json", bytes.NewReader(make([]byte, 1_000_000)))
	now = now.Add(time.Second)
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	if want := "[######..................]  25%  1.0 MB of 4.0 MB  …ong/path/of/traces.json"; m.bar() != want {
		t.Errorf("%q, want %q", m.bar(), want)
	}
	m.close()
	if out := w.String(); strings.Contains(out, "\x1b[2J") || !strings.HasSuffix(out, "\r\x1b[K") {
		t.Errorf("%q", out)
	}
	m.expect(-1)
	if want := "1.0 MB  …ong/path/of/traces.json"; m.bar() != want {
		t.Errorf("%q, want %q", m.bar(), want)
	}

	w.Reset()
	m.terminal = false
	m.reading("b", strings.NewReader("x")).Read(make([]byte, 1))
	m.close()
	if w.Len() > 0 {
		t.Errorf("what is no terminal got %q", &w)
	}
}

// A device that is no terminal, and a file, get no bar.
func TestMeterOfFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if newMeter(f).terminal || newMeter(io.Discard).terminal {
		t.Error("a file is taken for a terminal")
	}
}

func TestInputSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	write(t, name, []byte("12345"))
	got := []int64{input{path: name}.size(), input{path: "-"}.size(), input{path: name + "y"}.size()}
	if want := []int64{5, -1, 0}; !slices.Equal(got, want) {
		t.Errorf("sizes %v, want %v", got, want)
	}
}
