package server

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/export"
	"smolscope/server/store"
)

// TestAPIEqualsEnrich proves that what was stored and read again is what the
// enrich command prints, byte for byte.
func TestAPIEqualsEnrich(t *testing.T) {
	id, files := sample(20)
	var parts []*enrich.Part
	var receipts []enrich.File
	for _, f := range files {
		part, receipt := decode.Read(f.name, strings.NewReader(f.text))
		part.Group = "a folder"
		parts = append(parts, part)
		receipts = append(receipts, receipt)
	}
	var tables []*enrich.Tables
	for _, run := range enrich.Assemble(parts) {
		tables = append(tables, enrich.Enrich(run, enrich.DefaultOptions()))
	}
	var want bytes.Buffer
	if err := export.Document(&want, "v0-test", tables, receipts); err != nil {
		t.Fatal(err)
	}

	s := newServer(t)
	post(t, s, files...)
	got := get(t, s, "/api/v1/runs/"+id).Body.String()
	if got != want.String() {
		t.Errorf("the API and enrich differ:\n%s", cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(got, "\n")))
	}

	for _, tt := range []struct {
		dataset string
		rows    int
		columns []string
		write   func(w *bytes.Buffer, format string) error
	}{
		{enrich.Results, len(tables[0].Results), enrich.Names(enrich.ResultColumns), func(w *bytes.Buffer, format string) error {
			return export.Write(w, format, enrich.ResultColumns, export.Rows(tables[0].Results))
		}},
		{enrich.Traces, len(tables[0].Traces), enrich.Names(enrich.TraceColumns), func(w *bytes.Buffer, format string) error {
			return export.Write(w, format, enrich.TraceColumns, export.Rows(tables[0].Traces))
		}},
		{enrich.Metrics, len(tables[0].Metrics), enrich.Names(enrich.MetricColumns), func(w *bytes.Buffer, format string) error {
			return export.Write(w, format, enrich.MetricColumns, export.Rows(tables[0].Metrics))
		}},
		{enrich.Leaderboard, 1, enrich.Names(enrich.LeaderboardColumns), func(w *bytes.Buffer, format string) error {
			return export.Write(w, format, enrich.LeaderboardColumns, export.Rows([]enrich.LeaderboardRow{tables[0].Leaderboard}))
		}},
	} {
		for _, format := range export.Formats {
			t.Run(tt.dataset+"."+format, func(t *testing.T) {
				var want bytes.Buffer
				if err := tt.write(&want, format); err != nil {
					t.Fatal(err)
				}
				w := get(t, s, fmt.Sprintf("/api/v1/runs/%s/%s.%s", id, tt.dataset, format))
				if got := w.Body.String(); got != want.String() {
					t.Errorf("the API and enrich differ:\n%s", cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(got, "\n")))
				}
				if format == "csv" {
					records, err := csv.NewReader(w.Body).ReadAll()
					if err != nil || len(records) != tt.rows+1 || !slices.Equal(records[0], tt.columns) {
						t.Errorf("%d records, %v, want %d and a heading of the columns' names", len(records), err, tt.rows)
					}
				}
			})
		}
	}
}

// TestSlowReadersHoldNothing has more clients stall in an export than there can
// be snapshots.
func TestSlowReadersHoldNothing(t *testing.T) {
	s := newServer(t)
	id, files := sample(22)
	post(t, s, files...)
	stall, stalled := make(chan struct{}), make(chan struct{})
	var clients sync.WaitGroup
	for range 6 {
		clients.Go(func() {
			r := httptest.NewRequest("GET", "http://127.0.0.1:8080/api/v1/runs/"+id+"/traces.json", nil)
			s.ServeHTTP(stalling{httptest.NewRecorder(), stall, stalled}, r)
		})
	}
	defer clients.Wait()
	defer close(stall)
	for range 6 {
		select {
		case <-stalled:
		case <-time.After(time.Minute): // only of a test that fails
			t.Fatal("a client waits for a snapshot that another holds")
		}
	}
	get(t, s, "/")
}

// stalling is a client that takes nothing until it is told to.
type stalling struct {
	http.ResponseWriter
	until <-chan struct{}
	told  chan<- struct{}
}

func (w stalling) Write(p []byte) (int, error) {
	select {
	case w.told <- struct{}{}:
	case <-w.until:
	}
	<-w.until
	return w.ResponseWriter.Write(p)
}

// TestLongAnswer sends an answer that is kept in memory and in a file.
func TestLongAnswer(t *testing.T) {
	for _, n := range []int{0, 1, inMemory, inMemory + 1, 3*inMemory + 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newServer(t)
			want := strings.Repeat("0123456789abcde\n", n/16+1)[:n]
			s.echo.GET("/api/long", s.data(func(_ echo.Context, _ *store.Snapshot, out *answer) error {
				out.as("text/plain")
				for rest := want; rest != ""; rest = rest[min(len(rest), 9999):] {
					if _, err := io.WriteString(out, rest[:min(len(rest), 9999)]); err != nil {
						return err
					}
				}
				return nil
			}))
			if w := get(t, s, "/api/long"); w.Body.String() != want || w.Header().Get("Content-Type") != "text/plain" {
				t.Errorf("%d bytes of %s differ from the %d that were written", w.Body.Len(), w.Header().Get("Content-Type"), n)
			}
		})
	}
}

// TestFailedExport proves that an export that fails on the way is an error.
func TestFailedExport(t *testing.T) {
	s := newServer(t)
	s.echo.GET("/api/half", s.data(func(_ echo.Context, _ *store.Snapshot, out *answer) error {
		out.attach("half.json")
		out.send(jsonType, make([]byte, 2*inMemory))
		return errors.New("the rest is lost")
	}))
	w := do(s, "GET", "/api/half", nil)
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("status %d, headers %v, want 500 and no file", w.Code, w.Header())
	}
}

func TestAPIRuns(t *testing.T) {
	s := newServer(t)
	var ids []string
	for seed := range uint64(5) {
		id, files := sample(30 + seed)
		post(t, s, files...)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for query, want := range map[string][]string{
		"sort=run_id&order=asc":                    ids,
		"sort=run_id&order=asc&limit=2&offset=1":   ids[1:3],
		"sort=run_id&order=asc&limit=2&page=2":     ids[2:4],
		"sort=run_id&order=asc&offset=9":           nil,
		"sort=run_id&order=desc&limit=1":           ids[4:],
		"sort=run_id&order=asc&limit=10000":        ids,
		"sort=run_id&order=asc&limit=2&offset=4":   ids[4:],
		"sort=run_id&order=asc&limit=2&ignored=it": ids[:2],
	} {
		t.Run(query, func(t *testing.T) {
			var list struct {
				Runs []struct {
					RunID string `json:"run_id"`
				}
				Total int
			}
			if err := json.Unmarshal(get(t, s, "/api/v1/runs?"+query).Body.Bytes(), &list); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range list.Runs {
				got = append(got, r.RunID)
			}
			if diff := cmp.Diff(want, got); diff != "" || list.Total != 5 {
				t.Errorf("total %d, want 5; runs differ (-want +got):\n%s", list.Total, diff)
			}
		})
	}
}

// TestAPIRunsFound: a program that filters gets what the page shows, and is refused
// where the page would only say what is wrong.
func TestAPIRunsFound(t *testing.T) {
	s := newServer(t)
	var ids []string
	for seed := range uint64(3) {
		id, files := sample(30 + seed)
		post(t, s, files...)
		ids = append(ids, id)
	}
	var list struct {
		Runs []struct {
			RunID string `json:"run_id"`
		}
		Total int
	}
	if err := json.Unmarshal(get(t, s, "/api/v1/runs?q=run:"+ids[1]).Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if list.Total != 1 || len(list.Runs) != 1 || list.Runs[0].RunID != ids[1] {
		t.Errorf("found %+v, want %s alone", list, ids[1])
	}
	if page := get(t, s, "/?q=run:"+ids[1]).Body.String(); strings.Contains(page, ids[0]) || !strings.Contains(page, ids[1]) {
		t.Error("the page shows other runs than the API")
	}
	refused := do(s, "GET", "/api/v1/runs?q=cots%3E1", nil)
	if refused.Code != http.StatusBadRequest || !strings.Contains(refused.Body.String(), "did you mean cost?") {
		t.Errorf("a bad filter: %d %s", refused.Code, refused.Body)
	}
	if page := get(t, s, "/?q=cots%3E1"); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "did you mean cost?") {
		t.Errorf("the page of a bad filter: %d", page.Code)
	}
	if code := do(s, "GET", "/runs/"+ids[0]+"?q=outcome:nothing&page=2", nil).Code; code != http.StatusNotFound {
		t.Errorf("a page behind what is found: %d, want 404", code)
	}
}

func TestAPISpans(t *testing.T) {
	s := newServer(t)
	id, files := sample(21)
	post(t, s, files...)
	var traces []struct {
		ID    string            `json:"trace_id"`
		Root  string            `json:"root_span_id"`
		Spans []json.RawMessage `json:"spans"`
	}
	if err := json.Unmarshal(get(t, s, "/api/v1/runs/"+id+"/traces.json").Body.Bytes(), &traces); err != nil {
		t.Fatal(err)
	}
	trace := traces[0]
	path := "/api/v1/runs/" + id + "/traces/" + trace.ID + "/spans"

	type row struct {
		Seq        int
		Depth      int
		Span       string   `json:"span_id"`
		Parent     *string  `json:"parent_span_id"`
		OffsetUS   *float64 `json:"offset_us"`
		DurationUS *float64 `json:"duration_us"`
		Attributes any
	}
	type window struct {
		Total, From int
		Spans       []row
	}
	ask := func(query string) (w window) {
		if err := json.Unmarshal(get(t, s, path+query).Body.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	all := ask("")
	if all.Total != len(trace.Spans) || len(all.Spans) != all.Total || all.Spans[0].Span != trace.Root {
		t.Errorf("all: %d of %d spans, want %d, the root first", len(all.Spans), all.Total, len(trace.Spans))
	}
	for i, r := range all.Spans {
		if r.Seq != i || r.OffsetUS == nil || r.DurationUS == nil || r.Attributes != nil {
			t.Errorf("span %d = %+v", i, r)
		}
	}
	if diff := cmp.Diff(window{all.Total, 1, all.Spans[1:3]}, ask("?from=1&to=3")); diff != "" {
		t.Errorf("window differs (-want +got):\n%s", diff)
	}
	if got := ask(fmt.Sprintf("?from=%d", all.Total)); len(got.Spans) != 0 || got.Spans == nil || got.Total != all.Total {
		t.Errorf("window beyond the end = %+v, want an empty list", got)
	}
	children := ask("?parent=" + trace.Root)
	for _, r := range children.Spans {
		if r.Depth != 1 || r.Parent == nil || *r.Parent != trace.Root {
			t.Errorf("child of the root = %+v", r)
		}
	}
	if len(children.Spans) == 0 || children.Total != len(children.Spans) {
		t.Errorf("children of the root: %d of %d", len(children.Spans), children.Total)
	}

	for _, want := range trace.Spans {
		var span struct {
			ID string `json:"span_id"`
		}
		if err := json.Unmarshal(want, &span); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(get(t, s, path+"/"+span.ID).Body.String()); got != string(want) {
			t.Errorf("span %s = %.100s, want %.100s", span.ID, got, want)
		}
	}
}
