package views

import (
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"smolscope/enrich"
	"smolscope/static"
)

// pages are all pages in all their states, made of hostile content.
func pages() map[string]templ.Component {
	d := exampleRun()
	trace, rows, spans := exampleTrace()
	leaderboard := func(rows []enrich.LeaderboardRow, total int, sort string) templ.Component {
		return Leaderboard(NewLeaderboardPage(rows, total, nil, LeaderboardQuery{Sort: sort, Desc: true, Page: 1}))
	}
	run := func(tab string) templ.Component { return Run(NewRunPage(d, RunQuery{Tab: tab, Page: 1})) }
	test := TestData{Run: d.Row, Result: d.Results[0], Origins: d.Provenance.Row(enrich.Results, "tool:one"+hostile), Trace: &trace, Rows: rows, Spans: spans, Prev: hostile, Next: hostile, NextFailed: hostile}
	return map[string]templ.Component{
		"leaderboard/empty":    leaderboard(nil, 0, "success_rate"),
		"leaderboard":          leaderboard([]enrich.LeaderboardRow{d.Row, {RunID: "bare"}}, 2, "success_rate"),
		"leaderboard/page":     leaderboard([]enrich.LeaderboardRow{d.Row}, 120, "notes"),
		"run/tests":            run("tests"),
		"run/failures":         run("failures"),
		"run/charts":           run("charts"),
		"run/quality":          run("quality"),
		"run/files":            run("files"),
		"run/provenance":       run("provenance"),
		"run/bare":             Run(NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "bare"}}, RunQuery{})),
		"run/bare/charts":      Run(NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "bare"}}, RunQuery{Tab: "charts"})),
		"run/bare/quality":     Run(NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "bare"}}, RunQuery{Tab: "quality"})),
		"run/bare/provenance":  Run(NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "bare"}}, RunQuery{Tab: "provenance"})),
		"run/bare/files":       Run(NewRunPage(RunData{Row: enrich.LeaderboardRow{RunID: "bare"}}, RunQuery{Tab: "files"})),
		"test":                 Test(NewTestPage(test)),
		"test/failed":          Test(NewTestPage(TestData{Run: d.Row, Result: d.Results[1]})),
		"test/bare":            Test(NewTestPage(TestData{})),
		"trace":                Trace(NewTracePage(TraceData{Run: d.Row, Trace: trace, Result: &d.Results[0], Rows: rows, Prev: traceID, Next: traceID}, TraceQuery{From: -1})),
		"trace/span":           Trace(NewTracePage(TraceData{Run: d.Row, Trace: trace, Rows: rows, Selected: &spans[2]}, TraceQuery{Span: callID, From: -1})),
		"trace/span without":   Trace(NewTracePage(TraceData{Run: d.Row, Trace: trace, Rows: rows, Selected: &spans[0]}, TraceQuery{Span: rootID, From: -1})),
		"trace/tool":           Trace(NewTracePage(TraceData{Run: d.Row, Trace: trace, Rows: rows, Selected: &spans[3]}, TraceQuery{Span: toolID, From: -1})),
		"trace/tree":           Trace(NewTracePage(TraceData{Run: d.Row, Trace: trace, Rows: rows}, TraceQuery{View: "tree", From: -1})),
		"trace/bare":           Trace(NewTracePage(TraceData{}, TraceQuery{From: -1})),
		"upload":               Upload(NewUploadPage(nil)),
		"upload/receipt":       Upload(NewUploadPage(&Receipt{Files: d.Files, Runs: []ReceiptRun{{RunID: hostile, URL: RunURL(hostile), New: true, Tests: 2}}})),
		"upload/empty receipt": Upload(NewUploadPage(&Receipt{})),
		"error":                Error(NewErrorPage(422, hostile, hostile)),
	}
}

func TestPages(t *testing.T) {
	for name, page := range pages() {
		t.Run(name, func(t *testing.T) {
			text := render(t, page)
			if strings.Contains(text, "%!") {
				t.Errorf("page holds a formatting error: %s", text[max(0, strings.Index(text, "%!")-60):])
			}
			headings, ids := 0, map[string]bool{}
			for _, n := range elements(t, text) {
				checkInert(t, n)
				checkAssets(t, n)
				checkNamed(t, n)
				if n.Data == "h1" {
					headings++
					if content(n) == "" {
						t.Error("h1 is empty")
					}
				}
				if id, ok := attribute(n, "id"); ok {
					if ids[id] {
						t.Errorf("two elements have the id %q", id)
					}
					ids[id] = true
				}
			}
			if headings != 1 {
				t.Errorf("page has %d h1, want 1", headings)
			}
			checkReferences(t, text, ids)
		})
	}
}

// checkInert rejects what the content security policy would block, and what
// hostile content would become if it were not escaped.
func checkInert(t *testing.T, n *html.Node) {
	t.Helper()
	for _, a := range n.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
			t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
		case (a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "data-open") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
			t.Errorf("<%s> leads to %q", n.Data, a.Val)
		}
	}
	switch n.Data {
	case "img", "iframe", "style", "object", "embed", "base":
		t.Errorf("page has a <%s>", n.Data)
	case "script":
		kind, _ := attribute(n, "type")
		if src, ok := attribute(n, "src"); kind != "application/json" && (!ok || !strings.HasPrefix(src, "/static/js/")) {
			t.Errorf("inline script of type %q: %.80s", kind, content(n))
		}
	}
}

// checkAssets wants what a page loads to be in the static folder.
func checkAssets(t *testing.T, n *html.Node) {
	t.Helper()
	for _, key := range []string{"src", "href", "action"} {
		v, ok := attribute(n, key)
		if !ok {
			continue
		}
		if u, err := url.Parse(v); err != nil || u.Host != "" || u.Scheme != "" {
			t.Errorf("<%s %s=%q> leads away", n.Data, key, v)
		}
		if name, ok := strings.CutPrefix(v, "/static/"); ok {
			if _, err := fs.Stat(static.FS, name); err != nil {
				t.Errorf("<%s %s=%q>: %v", n.Data, key, v, err)
			}
		}
	}
}

// checkNamed wants a name on everything that can be operated, and a scope on
// every head of a table.
func checkNamed(t *testing.T, n *html.Node) {
	t.Helper()
	label, labelled := attribute(n, "aria-label")
	if labelled && strings.TrimSpace(label) == "" && n.Data != "svg" {
		t.Errorf("<%s> has an empty aria-label", n.Data)
	}
	switch n.Data {
	case "a", "button":
		if !labelled && content(n) == "" {
			t.Errorf("<%s> has no name: %v", n.Data, n.Attr)
		}
	case "input", "select", "textarea":
		if kind, _ := attribute(n, "type"); kind == "hidden" {
			return // nobody can see or reach it
		}
		within := n.Parent
		for within != nil && within.Data != "label" {
			within = within.Parent
		}
		if !labelled && (within == nil || content(within) == "") {
			t.Errorf("<%s> has no label: %v", n.Data, n.Attr)
		}
	case "th":
		if scope, _ := attribute(n, "scope"); scope != "col" && scope != "row" {
			t.Errorf("<th>%s</th> has no scope", content(n))
		}
		if sort, ok := attribute(n, "aria-sort"); ok && sort != "ascending" && sort != "descending" {
			t.Errorf("aria-sort=%q", sort)
		}
	}
}

// checkReferences wants every id that a page refers to within itself.
func checkReferences(t *testing.T, page string, ids map[string]bool) {
	t.Helper()
	for _, n := range elements(t, page) {
		for _, key := range []string{"aria-labelledby", "data-chart", "for"} {
			if id, ok := attribute(n, key); ok && !ids[id] {
				t.Errorf("<%s %s=%q>: no such id", n.Data, key, id)
			}
		}
		if href, _ := attribute(n, "href"); strings.HasPrefix(href, "#") && !ids[href[1:]] {
			t.Errorf("<%s href=%q>: no such id", n.Data, href)
		}
	}
}

func TestNothingOfAPageIsRandom(t *testing.T) {
	for name, page := range pages() {
		if render(t, page) != render(t, pages()[name]) {
			t.Errorf("%s: two renderings differ", name)
		}
	}
}

func TestSite(t *testing.T) {
	page := render(t, Upload(NewUploadPage(nil)))
	for _, want := range []string{"0.1.0", "Sample data."} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q", want)
		}
	}
}

// The style sheets and scripts keep the house rules that a browser would not
// complain about.
func TestStaticFiles(t *testing.T) {
	for pattern, forbidden := range map[string][]string{
		"css/*.css": {"!important", "http:", "https:", "@import", "expression("},
		"js/*.js":   {"innerHTML", "outerHTML", "eval(", "new Function", "document.write", "http:", "https:", "insertAdjacentHTML"},
	} {
		names, err := fs.Glob(static.FS, pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			body, err := fs.ReadFile(static.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range forbidden {
				if strings.Contains(string(body), word) {
					t.Errorf("%s holds %q", name, word)
				}
			}
			if base := strings.TrimSuffix(name[strings.Index(name, "/")+1:], ".css"); strings.HasSuffix(name, ".css") && !slices.Contains(styleSheets, base) {
				t.Errorf("no page loads %s", name)
			}
		}
	}
}
