package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"smolscope/enrich/compare"
	"smolscope/views"
)

func TestCompare(t *testing.T) {
	s := newServer(t)
	a, files := sample(1)
	post(t, s, files...)
	b, files := sample(2)
	post(t, s, files...)
	post(t, s, hostileFiles...)

	for _, query := range []string{"", "?runs=" + a} { // asks which
		page := parse(t, get(t, s, "/compare"+query))
		checkPage(t, page)
		if boxes := elements(page, "input", "type", "checkbox", "name", "runs"); len(boxes) != 3 {
			t.Errorf("%q: %d runs to choose from, want 3", query, len(boxes))
		}
	}
	path := views.CompareURL(a, a, b)
	page := parse(t, get(t, s, path))
	checkPage(t, page)
	if got := heading(t, page); got != "Compare 2 runs" {
		t.Errorf("heading %q", got)
	}
	for _, title := range []string{"Measures", "Tests"} {
		if len(elements(page, "div", "aria-label", title)) != 1 {
			t.Errorf("no table of %s", title)
		}
	}
	var report compare.Report
	body := get(t, s, "/api/v1"+path).Body
	if err := json.Unmarshal(body.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.Base != a || len(report.Runs) != 1 || report.Runs[0].RunID != b || report.Runs[0].Shared != 4 {
		t.Errorf("report %+v", report)
	}
	if shown := text(page); !strings.Contains(shown, "Of 4 tests with a verdict in both") && report.Runs[0].Verdicts.N() == 4 {
		t.Errorf("the page does not say how many tests are compared: %s", shown)
	}
	// The other run as the baseline turns every difference around.
	var turned compare.Report
	if err := json.Unmarshal(get(t, s, "/api/v1"+views.CompareURL(b, a, b)).Body.Bytes(), &turned); err != nil {
		t.Fatal(err)
	}
	if x, y := report.Runs[0].Success, turned.Runs[0].Success; *x.Diff != -*y.Diff || *x.Base != *y.Other {
		t.Errorf("success %v turned around %v", x, y)
	}
	// Commas divide ids in one parameter; an id with a comma is given by itself.
	get(t, s, "/compare?runs="+a+","+b+"&base="+b+"&show=differs")
	// Ids, models and tests of a hostile run are text, and runs without a shared test
	// say so.
	lone := parse(t, get(t, s, "/compare?"+url.Values{"runs": {a, hostileRun}}.Encode()))
	checkPage(t, lone)
	if len(elements(lone, "div", "aria-label", "Settings")) != 1 {
		t.Error("models that differ are not listed")
	}
	if !strings.Contains(text(lone), "shares no test with the baseline") {
		t.Error("runs without a shared test are compared")
	}

	for query, want := range map[string]int{
		"runs=" + a + ",none":              http.StatusNotFound,
		"runs=a,b,c,d,e,f,g,h,i":           http.StatusBadRequest,
		"runs=" + a + "," + b + "&base=c":  http.StatusBadRequest,
		"runs=" + a + "," + b + "&show=no": http.StatusBadRequest,
	} {
		for _, path := range []string{"/compare?", "/api/v1/compare?"} {
			if w := do(s, "GET", path+query, nil); w.Code != want {
				t.Errorf("%s%s: status %d, want %d", path, query, w.Code, want)
			}
		}
	}
	if w := do(s, "GET", "/api/v1/compare?runs="+a, nil); w.Code != http.StatusBadRequest {
		t.Errorf("one run in the API: status %d, want 400", w.Code)
	}
}
