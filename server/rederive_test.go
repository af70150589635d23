package server

import (
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/price"
	"smolscope/server/store"
)

// changed returns a server over the same store, with another tariff.
func changed(s *Server) *Server {
	c := s.Config
	c.Options.ElectricityUSDPerKWh *= 2
	return New(c)
}

// sabotage changes the database behind the store's back.
func sabotage(t *testing.T, path, script string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
}

func TestRederive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := newServerAt(t, path)
	want := map[string]string{}
	for seed := range uint64(2) {
		id, files := sample(13 + seed)
		if seed == 0 {
			post(t, s, files...)
		} else {
			for _, f := range files {
				post(t, s, f)
			}
		}
		want[id] = datasets(t, s, id)
	}
	for name, script := range map[string]string{
		"other rules":  `UPDATE derivation SET rules = 'older'`,
		"missing rows": `UPDATE derivation SET rules = 'older', missing = 1; DELETE FROM leaderboard; DELETE FROM run_sources; DELETE FROM results; DELETE FROM traces; DELETE FROM metrics; DELETE FROM spans; DELETE FROM trace_blocks; DELETE FROM qualities; DELETE FROM origins; DELETE FROM row_origins`,
	} {
		t.Run(name, func(t *testing.T) {
			sabotage(t, path, script)
			if err := s.Ingester().Rederive(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), runIDs(t, s)); diff != "" {
				t.Fatalf("runs differ (-want +got):\n%s", diff)
			}
			for id, rows := range want {
				if got := datasets(t, s, id); got != rows {
					t.Errorf("run %s differs:\n%s", id, cmp.Diff(strings.Split(rows, "\n"), strings.Split(got, "\n")))
				}
			}
			err := s.Store.Read(t.Context(), func(v *store.Snapshot) error {
				d, err := v.Derivation(t.Context())
				if d.Stale || d.Missing {
					t.Errorf("derivation = %+v, want it up to date", d)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if p := s.Ingester().Progress(); p.Deriving || p.Missing || p.Done != p.Total || p.Total == 0 || p.Failed > 0 {
				t.Errorf("progress = %+v, want all done", p)
			}
		})
	}
}

// While runs are derived again they can be read as they were, and what cannot
// be derived stays so.
func TestRederiveKeepsOldRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := newServerAt(t, path)
	good, files := sample(15)
	post(t, s, files...)
	bad, more := sample(16)
	post(t, s, more...)
	sabotage(t, path, `UPDATE upload_blocks SET block = x'00' WHERE sha256 = (
		SELECT sha256 FROM run_sources WHERE run_id = '`+bad+`' LIMIT 1)`)
	s = changed(s)
	if err := s.Ingester().Rederive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ids := runIDs(t, s); !slices.Contains(ids, good) || !slices.Contains(ids, bad) {
		t.Errorf("runs = %v, want both", ids)
	}
	if p := s.Ingester().Progress(); p.Failed == 0 || p.Done != p.Total {
		t.Errorf("progress = %+v, want failures, and all else done", p)
	}
	page := text(parse(t, get(t, s, "/")))
	if !strings.Contains(page, "could not be derived again") {
		t.Errorf("the leaderboard does not say so: %.300s", page)
	}
	if page := get(t, s, "/api/v1/runs/"+bad).Body.String(); !strings.Contains(page, "could not be derived again") {
		t.Error("no receipt of the run's files says so")
	}
	if page := get(t, s, "/api/v1/runs/"+good).Body.String(); strings.Contains(page, "could not be derived again") {
		t.Error("a receipt of the good run says that it could not be derived")
	}
}

func TestReadyWhileDeriving(t *testing.T) {
	for _, tt := range []struct {
		progress Progress
		status   int
		notice   string
	}{
		{Progress{}, 200, ""},
		{Progress{Deriving: true, Done: 3, Total: 40}, 200, "3 of 40 files are done. The others show what they were before."},
		{Progress{Deriving: true, Missing: true, Done: 3, Total: 40}, 503, "3 of 40 files are done. Their runs are missing until then."},
		{Progress{Done: 40, Total: 40}, 200, ""},
		{Progress{Failed: 2, Done: 40, Total: 40}, 200, "The runs of 2 of 40 files could not be derived again"},
	} {
		t.Run(fmt.Sprintf("%+v", tt.progress), func(t *testing.T) {
			s := newServer(t)
			s.Notice = "sample runs"
			s.ingester.progress.Store(&tt.progress)
			if w := do(s, "GET", "/readyz", nil); w.Code != tt.status {
				t.Errorf("readyz: status %d, want %d", w.Code, tt.status)
			}
			page := text(parse(t, get(t, s, "/upload")))
			if !strings.Contains(page, tt.notice) || strings.Contains(page, "derived again") != (tt.notice != "") {
				t.Errorf("the page does not say %q alone: %.300s", tt.notice, page)
			}
			if !strings.Contains(page, "sample runs") {
				t.Error("the notice of the configuration is gone")
			}
		})
	}
}

// TestRulesNameEveryOption changes the options one by one.
func TestRulesNameEveryOption(t *testing.T) {
	before := rulesOf(enrich.DefaultOptions())
	if again := rulesOf(enrich.DefaultOptions()); again != before {
		t.Errorf("rules of the same options = %q and %q", before, again)
	}
	for field := range reflect.TypeFor[enrich.Options]().Fields() {
		o := enrich.DefaultOptions()
		switch v := reflect.ValueOf(&o).Elem().FieldByIndex(field.Index).Addr().Interface().(type) {
		case *float64:
			*v++
		case **price.List:
			*v = (*v).With([]price.Row{{Key: "my-model", Input: new(1.0), Output: new(2.0)}})
		default:
			t.Fatalf("no other value of %s, a %s", field.Name, field.Type)
		}
		if rulesOf(o) == before {
			t.Errorf("the rules do not name %s", field.Name)
		}
	}
}

func BenchmarkUploadBesideRunsOfOneModel(b *testing.B) {
	for _, stored := range []int{10, 60, 200} {
		b.Run(fmt.Sprint(stored), func(b *testing.B) {
			s := newServer(b)
			n := 0
			files := func() []NamedReader {
				n++
				// One an hour, at the same minute, as a nightly job's.
				date := fmt.Sprintf("2026-01-%02dT%02d:04:05", 1+n/24%28, n%24)
				return []NamedReader{
					{"results.json", strings.NewReader(fmt.Sprintf(`[{"model":"m","evaluation_date":"%s.%06d","test_id":"a","agent_type":"tool","success":true,"total_tokens":%d,"trace_id":"0x%x"}]`, date, n, n, n))},
					{"leaderboard.json", strings.NewReader(fmt.Sprintf(`{"model":"m","agent_type":"tool","total_tests":1,"total_tokens":%d,"success_rate":100,"timestamp":"%s.2"}`, n, date))},
					{"traces.json", strings.NewReader(fmt.Sprintf(`[{"trace_id":"0x%x","spans":[{"trace_id":"0x%x","span_id":"0x1","parent_span_id":null,"name":"run","start_time":%d,"end_time":%d,"attributes":{"openinference.span.kind":"AGENT"},"events":[],"status":{"code":"OK"},"kind":"INTERNAL"}]}]`, n, n, 1767236645000000000+int64(n)*3600e9, 1767236646000000000+int64(n)*3600e9))},
				}
			}
			ingest := func() {
				_, err := s.Ingester().Ingest(b.Context(), func(yield func(NamedReader, error) bool) {
					for _, f := range files() {
						if !yield(f, nil) {
							return
						}
					}
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for range stored {
				ingest()
			}
			for b.Loop() {
				ingest()
			}
		})
	}
}
