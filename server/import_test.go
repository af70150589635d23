package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/decode/parquet"
	"smolscope/server/hub"
	"smolscope/server/hub/hubtest"
	"smolscope/views"
)

// hubOf returns the four datasets of a run as SMOLTRACE pushes them: Parquet, and
// a leaderboard that names the other three.
func hubOf(t *testing.T, seed uint64) (id string, datasets map[string]map[string][]byte) {
	t.Helper()
	_, files := sample(seed)
	var parts []*enrich.Part
	for _, f := range files {
		part, _ := decode.Read(f.name, strings.NewReader(f.text))
		parts = append(parts, part)
	}
	runs := enrich.Assemble(parts)
	if len(runs) != 1 {
		t.Fatalf("%d runs, want 1", len(runs))
	}
	run := enrich.Enrich(runs[0], enrich.DefaultOptions())
	row := &run.Leaderboard
	row.ResultsDataset, row.TracesDataset, row.MetricsDataset = new("acme/smoltrace-results-1"), new("acme/smoltrace-traces-1"), new("acme/smoltrace-metrics-1")
	datasets = map[string]map[string][]byte{}
	for dataset, name := range map[string]string{
		enrich.Results: *row.ResultsDataset, enrich.Traces: *row.TracesDataset, enrich.Metrics: *row.MetricsDataset, enrich.Leaderboard: "acme/smoltrace-leaderboard",
	} {
		var b bytes.Buffer
		if err := parquet.Dataset(&b, run, dataset); err != nil {
			t.Fatal(err)
		}
		datasets[name] = map[string][]byte{
			"README.md": []byte("# Model\n"), ".gitattributes": []byte("*.parquet filter=lfs"),
			"data/train-00000-of-00001.parquet": b.Bytes(),
		}
	}
	return row.RunID, datasets
}

// serverAt returns a server that imports from a Hub.
func serverAt(t *testing.T, endpoint, token string) *Server {
	t.Helper()
	client, err := hub.New(endpoint, token)
	if err != nil {
		t.Fatal(err)
	}
	c := newServer(t).Config
	c.Hub = client
	return New(c)
}

// importFrom sends the form of the page.
func importFrom(s *Server, dataset string, headers ...string) *httptest.ResponseRecorder {
	form := url.Values{"dataset": {dataset}}.Encode()
	return do(s, "POST", "/import", strings.NewReader(form), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

func TestImportFromLeaderboard(t *testing.T) {
	id, datasets := hubOf(t, 31)
	s := serverAt(t, (&hubtest.Hub{Datasets: datasets, Token: "hf_secret"}).Serve(t), "hf_secret")
	w := importFrom(s, "acme/smoltrace-leaderboard", "Accept", "application/json")
	var receipt views.Receipt
	if err := json.Unmarshal(w.Body.Bytes(), &receipt); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, %v\n%s", w.Code, err, w.Body)
	}
	var names []string
	for _, f := range receipt.Files {
		names = append(names, f.Name)
		if f.Error != nil {
			t.Errorf("%s: %s", f.Name, *f.Error)
		}
	}
	slices.Sort(names)
	var want []string
	for _, name := range []string{"leaderboard", "metrics-1", "results-1", "traces-1"} {
		want = append(want, "acme/smoltrace-"+name+"/data/train-00000-of-00001.parquet")
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(receipt.Runs) != 1 || receipt.Runs[0].RunID != id || receipt.Runs[0].Tests != 4 {
		t.Errorf("runs = %+v, want %s with 4 tests", receipt.Runs, id)
	}
	for _, dataset := range []string{"results", "traces", "metrics"} {
		if rows := get(t, s, "/api/v1/runs/"+id+"/"+dataset+".jsonl").Body.String(); strings.Count(rows, "\n") < 4 {
			t.Errorf("%s came to %d lines", dataset, strings.Count(rows, "\n"))
		}
	}
	page := importFrom(s, "https://huggingface.co/datasets/acme/smoltrace-leaderboard", "Accept", "text/html")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "Nothing is new") {
		t.Errorf("imported again: status %d, want that nothing is new", page.Code)
	}
	checkPage(t, parse(t, page))
}

func TestImportRefused(t *testing.T) {
	_, datasets := hubOf(t, 32)
	delete(datasets, "acme/smoltrace-metrics-1")
	datasets["acme/empty"] = map[string][]byte{"README.md": []byte("# nothing")}
	s := serverAt(t, (&hubtest.Hub{Datasets: datasets}).Serve(t), "")
	for _, tt := range []struct {
		dataset string
		status  int
		want    string
		headers []string
	}{
		{"acme/none", 422, "dataset acme/none: there is none", nil},
		{"acme/empty", 422, "no files with rows or spans", nil},
		{"acme/smoltrace-leaderboard", 200, "dataset acme/smoltrace-metrics-1: there is none", nil},
		{"http://169.254.169.254/latest/meta-data", 400, "OWNER/NAME", nil},
		{"../../etc/passwd", 400, "OWNER/NAME", nil},
		{"", 400, "OWNER/NAME", nil},
		{"acme/smoltrace-results-1", 403, "cross_origin", []string{"Sec-Fetch-Site", "cross-site"}},
	} {
		t.Run(tt.dataset, func(t *testing.T) {
			w := importFrom(s, tt.dataset, append(tt.headers, "Accept", "application/json")...)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("status %d, want %d and %q\n%s", w.Code, tt.status, tt.want, w.Body)
			}
		})
	}
}

func TestImportTooLarge(t *testing.T) {
	_, datasets := hubOf(t, 33)
	hub := &hubtest.Hub{Datasets: datasets}
	s := serverAt(t, hub.Serve(t), "")
	s.MaxUpload = int64(len(datasets["acme/smoltrace-leaderboard"]["data/train-00000-of-00001.parquet"])) + 1
	if w := importFrom(s, "acme/smoltrace-leaderboard", "Accept", "application/json"); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413\n%s", w.Code, w.Body)
	}
	if ids := runIDs(t, s); len(ids) != 0 {
		t.Errorf("runs %q were stored", ids)
	}
	for _, r := range hub.Requests() {
		if strings.Contains(r, "resolve") && !strings.Contains(r, "leaderboard") {
			t.Errorf("a file was asked for that is too large: %s", r)
		}
	}
}

func TestMayHoldData(t *testing.T) {
	for name, want := range map[string]bool{
		"data/train-00000-of-00001.parquet": true, "traces.jsonl.gz": true, "run.zip": true, "results": true,
		"README.md": false, ".gitattributes": false, ".cache/x.json": false, "LICENSE": false, "images/plot.PNG": false, "load.py": false,
	} {
		if got := mayHoldData(name); got != want {
			t.Errorf("mayHoldData(%q) = %v, want %v", name, got, want)
		}
	}
}

// A leaderboard of many runs is followed to a limit.
func TestManyDatasets(t *testing.T) {
	var rows bytes.Buffer
	for i := range maxDatasets {
		fmt.Fprintf(&rows, `{"model":"m","agent_type":"tool","total_tests":1,"success_rate":100,"run_id":"r%d","timestamp":"2026-01-02T03:04:05","results_dataset":"acme/results-%d","traces_dataset":"local:x","metrics_dataset":"acme/results-%d"}`+"\n", i, i, i+1)
	}
	endpoint := (&hubtest.Hub{Datasets: map[string]map[string][]byte{"acme/board": {"x.jsonl": rows.Bytes()}}}).Serve(t)
	client, err := hub.New(endpoint, "")
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	d := &Datasets{Hub: client, Limits: decode.DefaultLimits(), Listed: func(string, int, int64) error { return nil },
		Refused: func(f enrich.File) { refused = append(refused, *f.Error) }}
	files := 0
	for f, err := range d.Files(t.Context(), "acme/board") {
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, f)
		files++
	}
	if files != 1 || len(refused) != maxDatasets+1 || !strings.Contains(refused[0], "they name 1001 datasets, of which the first 1000 are read") {
		t.Errorf("%d files, %d refused: %.200q", files, len(refused), refused)
	}
}

// What the Hub says of a file and what it sends differ: nothing is stored, and the
// answer names whose fault it is.
func TestImportChanged(t *testing.T) {
	row := `{"test_id":"a","agent_type":"tool","success":true,"run_id":"r"}`
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			fmt.Fprintf(w, `[{"type":"file","path":"results.jsonl","size":%d}]`, len(row))
			return
		}
		io.WriteString(w, row)
		http.NewResponseController(w).Flush() // so that no length is sent
		io.WriteString(w, "\n"+row)
	}))
	defer endpoint.Close()
	s := serverAt(t, endpoint.URL, "")
	w := importFrom(s, "acme/runs", "Accept", "application/json")
	if w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "it changed while it was read") {
		t.Errorf("status %d, want 502\n%s", w.Code, w.Body)
	}
	if ids := runIDs(t, s); len(ids) != 0 {
		t.Errorf("runs %q were stored", ids)
	}
}
