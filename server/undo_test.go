package server

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich/enrichtest"
	"smolscope/server/store"
)

// state is all that a store holds, in lines.
func state(t *testing.T, s *Server) []string {
	t.Helper()
	var lines []string
	err := s.Store.Read(t.Context(), func(v *store.Snapshot) error {
		uploads, err := v.Uploads(t.Context())
		if err != nil {
			return err
		}
		for _, id := range uploads {
			u, err := v.Upload(t.Context(), id)
			if err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("upload %+v", u.Receipt))
		}
		places, err := v.Places(t.Context(), uploads...)
		for _, p := range places {
			lines = append(lines, fmt.Sprintf("place %+v", p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range runIDs(t, s) {
		lines = append(lines, strings.Split(get(t, s, "/api/v1/runs/"+url.PathEscape(id)).Body.String(), "\n")...)
	}
	return lines
}

// undoAll undoes the uploads that a receipt brought new, as its page does.
func undoAll(t *testing.T, s *Server, ids []string) {
	t.Helper()
	body := strings.NewReader(url.Values{"sha256": ids}.Encode())
	w := do(s, "POST", "/upload/undo", body, "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json")
	if w.Code != http.StatusOK {
		t.Fatalf("undo: status %d\n%s", w.Code, w.Body)
	}
}

// ingest takes files in, and returns the SHA-256 of those that are new.
func ingest(t *testing.T, s *Server, files []file) []string {
	t.Helper()
	receipt, err := s.ingester.Ingest(t.Context(), func(yield func(NamedReader, error) bool) {
		for _, f := range files {
			if !yield(NamedReader{f.name, strings.NewReader(f.text)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return receipt.New
}

// undoPool is files that may be of each other's runs: runs whole, summaries that
// name none, and bytes that several runs have.
func undoPool() []file {
	var pool []file
	for seed := range uint64(3) {
		run := enrichtest.New(enrichtest.Plan{Seed: 40 + seed, Tests: 2})
		for _, name := range slices.Sorted(maps.Keys(run.Files)) {
			pool = append(pool, file{name, string(run.Files[name])})
		}
	}
	for n := range 3 {
		date := fmt.Sprintf("2026-01-02T03:%02d:05", n)
		pool = append(pool,
			file{fmt.Sprintf("results%d.json", n), fmt.Sprintf(`[{"model":"m","evaluation_date":"%s.12345%d","test_id":"a","agent_type":"tool","success":true,"total_tokens":%d,"trace_id":"0x%d"}]`, date, n, n+1, n+1)},
			file{fmt.Sprintf("leaderboard%d.json", n), fmt.Sprintf(`{"model":"m","agent_type":"tool","total_tests":1,"total_tokens":%d,"success_rate":100,"timestamp":"%s.2"}`, n+1, date)})
	}
	return append(pool, file{"metrics.json", `{"run_id":null,"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"gen_ai.gpu.power","unit":"W","gauge":{"dataPoints":[{"timeUnixNano":"1761146400000000000","asDouble":11}]}}]}]}]}`})
}

// TestUndoProperty imports some files, then others, and undoes those: all is as
// it was before.
func TestUndoProperty(t *testing.T) {
	pool := undoPool()
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			drop := func() (files []file) {
				for _, i := range random.Perm(len(pool))[:1+random.IntN(6)] {
					f := pool[i]
					f.name = []string{"", "a/", "b/"}[random.IntN(3)] + f.name
					files = append(files, f)
				}
				return files
			}
			s := newServer(t)
			for range random.IntN(4) {
				ingest(t, s, drop())
			}
			before := state(t, s)
			fresh := ingest(t, s, drop())
			if len(fresh) == 0 {
				t.Skip("nothing new was imported")
			}
			undoAll(t, s, fresh)
			if diff := cmp.Diff(before, state(t, s)); diff != "" {
				t.Errorf("import and undo change something (-before +after):\n%s", diff)
			}
		})
	}
}

func TestUndo(t *testing.T) {
	s := newServer(t)
	id, files := sample(21)
	fresh := ingest(t, s, files)
	if len(fresh) != len(files) {
		t.Fatalf("%d new files, want %d", len(fresh), len(files))
	}
	body, contentType := form(files...)
	again := parse(t, do(s, "POST", "/upload", body, "Content-Type", contentType))
	if len(elements(again, "form", "action", "/upload/undo")) != 0 {
		t.Error("the receipt of files that changed nothing offers to undo them")
	}
	undo := func(accept string, headers ...string) (status int, page string) {
		body := strings.NewReader(url.Values{"sha256": fresh}.Encode())
		w := do(s, "POST", "/upload/undo", body, append(headers, "Content-Type", "application/x-www-form-urlencoded", "Accept", accept)...)
		return w.Code, w.Body.String()
	}
	if status, _ := undo("text/html", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("another site's form: status %d, want 403", status)
	}
	if status, page := undo("text/html"); status != http.StatusOK || !strings.Contains(page, "5 files removed, and 1 run with them.") || !strings.Contains(page, id) {
		t.Errorf("status %d, want 200, and what went\n%.3000s", status, page)
	}
	if ids := runIDs(t, s); len(ids) != 0 {
		t.Errorf("runs %q are left", ids)
	}
	if status, _ := undo("text/html"); status != http.StatusNotFound {
		t.Errorf("undone again: status %d, want 404", status)
	}

	body, contentType = form(files...)
	page := parse(t, do(s, "POST", "/upload", body, "Content-Type", contentType))
	checkPage(t, page)
	var offered []string
	for _, input := range elements(page, "input", "name", "sha256") {
		offered = append(offered, attribute(input, "value"))
	}
	slices.Sort(offered)
	slices.Sort(fresh)
	if diff := cmp.Diff(fresh, offered); diff != "" {
		t.Errorf("the receipt's form undoes other files (-want +got):\n%s", diff)
	}
}

// onMessage is a log that calls a function at a message.
type onMessage struct {
	slog.Handler
	message string
	call    func()
}

func (o onMessage) Enabled(context.Context, slog.Level) bool { return true }

func (o onMessage) Handle(_ context.Context, r slog.Record) error {
	if r.Message == o.message {
		o.call()
	}
	return nil
}

// Deriving again goes on when an upload that it has listed is undone meanwhile.
func TestUndoWhileDeriving(t *testing.T) {
	s := newServer(t)
	_, files := sample(24)
	id, others := sample(25)
	fresh := ingest(t, s, files)
	ingest(t, s, others)
	s = changed(s)
	s.ingester.log = slog.New(onMessage{slog.DiscardHandler, "deriving runs again", func() { undoAll(t, s, fresh) }})
	if err := s.ingester.Rederive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := s.ingester.Progress(); p.Failed > 0 || p.Deriving {
		t.Errorf("progress = %+v, want it done without a failure", p)
	}
	if diff := cmp.Diff([]string{id}, runIDs(t, s)); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}
