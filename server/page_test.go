package server

import (
	"net/http"
	"strings"
	"testing"

	"smolscope/enrich"
	"smolscope/views"
)

// A page beyond the last of a list is not found, and leads back to the first; an
// empty leaderboard's first page is no such page.
func TestPageBeyondTheLast(t *testing.T) {
	s := newServer(t)
	get(t, s, "/?page=1")
	id, files := sample(3)
	post(t, s, files...)
	for _, path := range []string{"/", views.RunURL(id)} {
		get(t, s, path+"?page=1")
		w := do(s, "GET", path+"?page=99", nil)
		if w.Code != http.StatusNotFound {
			t.Errorf("%s?page=99: status %d, want 404", path, w.Code)
		}
		if want := `<a class="button button--go" href="` + path + `">`; !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s?page=99 lacks the way back %s", path, want)
		}
	}
}

func TestPageOver(t *testing.T) {
	for _, tt := range []struct {
		page, rows int
		want       bool
	}{{1, 0, false}, {1, 1, false}, {2, 0, true}, {2, views.RowsPerPage, true}, {2, views.RowsPerPage + 1, false}, {3, 2 * views.RowsPerPage, true}} {
		if got := pageOver(tt.page, tt.rows); got != tt.want {
			t.Errorf("pageOver(%d, %d) = %t, want %t", tt.page, tt.rows, got, tt.want)
		}
	}
}

// Each page carries where its figures came from, and the provenance of a run
// counts the rows of the dataset that is asked for.
func TestPagesTellProvenance(t *testing.T) {
	s := newServer(t)
	id, files := sample(3)
	post(t, s, files...)
	run := views.RunURL(id)
	for _, path := range []string{"/", run, run + "?tab=provenance"} {
		if body := get(t, s, path).Body.String(); !strings.Contains(body, `"kind":"derived"`) || !strings.Contains(body, "data-why=") {
			t.Errorf("%s does not say where its figures came from", path)
		}
	}
	for _, dataset := range []string{enrich.Results, enrich.Traces, enrich.Metrics, enrich.Leaderboard} {
		body := get(t, s, run+"?tab=provenance&dataset="+dataset).Body.String()
		if !strings.Contains(body, `class="coverage__column"`) || !strings.Contains(body, "Where each of the run’s figures came from") {
			t.Errorf("provenance of %s: no coverage, or no figures of the run", dataset)
		}
	}
	if w := do(s, "GET", run+"?tab=provenance&dataset=none", nil); w.Code != http.StatusBadRequest {
		t.Errorf("provenance of no dataset: status %d, want 400", w.Code)
	}
}
