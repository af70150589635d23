package browsertest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// received holds once a drop was answered: by its receipt, or by the run that it
// brought.
const received = `location.pathname.startsWith("/runs/") || document.querySelector("[data-receipt]")`

// TestDropToSpan is the main road: drop a run's folder on the empty leaderboard,
// and click through to the attributes of one span.
func TestDropToSpan(t *testing.T) {
	s := aRun(t)
	p := open(t, serve(t))
	p.visit("/")
	p.sees("Drop the five files")
	p.upload(s.folder)
	p.awaits(received)

	p.visit("/")
	p.sees(s.model, s.rate)
	p.follow(`tbody a[href^="/runs/"]`)
	p.sees(s.model, s.rate, s.tokens, s.stored)
	if !eval[bool](p, fmt.Sprintf(`[...document.querySelectorAll("del")].some(e => e.textContent.replaceAll(",", "").includes(%q))`, s.stored)) {
		t.Errorf("the run's page does not strike through the %s tokens that the file recorded", s.stored)
	}
	if got := eval[int](p, `document.querySelectorAll('tbody th a[href*="/tests/"]').length`); got != s.tests {
		t.Errorf("the run's page lists %d tests, want %d", got, s.tests)
	}
	p.follow(`tbody th a[href*="/tests/"]`)
	p.follow(`main a[href*="/traces/"]`)
	if rows := eval[int](p, `document.querySelectorAll("tr.row").length`); rows < 3 {
		t.Errorf("the trace's page shows %d rows, want at least 3", rows)
	}
	p.do("click a span", chromedp.Click(chromedp.CSS(`tr.row:nth-child(3) a[data-span]`), chromedp.NodeVisible))
	p.awaits(`location.search.includes("span=") && document.querySelector("[data-panel] .tabs__tab")`)
	p.shoot("span")
	p.do("click its attributes", chromedp.Click(chromedp.CSS(`[data-panel] .tabs__tab:nth-child(2)`), chromedp.NodeVisible))
	p.awaits(`document.querySelector("[data-panel]").innerText.includes("openinference.span.kind")`)
}

// TestChooseFiles takes the other road, of the file dialog, and goes it twice.
func TestChooseFiles(t *testing.T) {
	s := aRun(t)
	p := open(t, serve(t))
	const input = chromedp.CSS(`input[name=files]:not([webkitdirectory])`)
	const runs = `fetch("/api/v1/runs").then(r => r.json()).then(o => o.total)`
	for _, want := range []string{s.model, "nothing was changed"} {
		p.visit("/upload")
		eval[bool](p, `localStorage.setItem("smolscope-upload", "at once") ?? true`)
		p.do("choose files", chromedp.SetUploadFiles(input, s.files(t)))
		p.awaits(received)
		p.sees(want)
	}
	p.do("count runs", chromedp.Evaluate[chromedp.Void](runs+`.then(n => document.body.dataset.runs = n)`, chromedp.EvalAwaitPromise))
	if got := eval[string](p, `document.body.dataset.runs`); got != "1" {
		t.Errorf("the same files twice are %s runs, want 1", got)
	}
}

// TestRefusedFiles drops what is broken in every way together with what is not.
func TestRefusedFiles(t *testing.T) {
	s := aRun(t)
	read := func(name string) []byte {
		body, err := os.ReadFile(filepath.Join(s.folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	lines := strings.Repeat(`{"task_id":"a","success":true,"model":"m"}`+"\n", 6) + `{"task_id":"b","success":` + "\n"
	dir := t.TempDir()
	var paths []string
	for _, f := range []struct {
		name string
		body []byte
	}{
		{"results.json", read("results.json")},
		{"cut-off.json", read("traces.json")[:20_000]},
		{"bad-line.jsonl", []byte(lines)},
		{"picture.bin", bytes.Repeat([]byte{0x89, 'P', 'N', 'G', 0, 1}, 50)},
		{"nothing.json", nil},
	} {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, f.body, 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	p := open(t, serve(t))
	p.visit("/")
	p.upload(paths...)
	p.awaits(`document.querySelector("[data-receipt]")`)
	p.sees("results.json", "cut-off.json", "bad-line.jsonl", "line 7", "picture.bin", "nothing.json", "empty")
	p.shoot("receipt")
	p.visit("/")
	p.sees(s.model)
}

// TestPagesFit opens every page on every width of screen: nothing may stick out
// to the side, in light or dark.
func TestPagesFit(t *testing.T) {
	s := aRun(t)
	p := open(t, serve(t))
	p.visit("/")
	pages := map[string]string{"empty": "/", "upload": "/upload"}
	fit(p, pages)

	p.upload(s.folder)
	p.awaits(received)
	href := func(selector string) string {
		return eval[string](p, fmt.Sprintf(`document.querySelector(%q).getAttribute("href")`, selector))
	}
	p.visit("/")
	run := href(`tbody a[href^="/runs/"]`)
	p.visit(run)
	test, trace := href(`tbody th a[href*="/tests/"]`), href(`tbody a[href*="/traces/"]`)
	p.visit(trace)
	fit(p, map[string]string{
		"leaderboard": "/", "run": run, "run-failures": run + "?tab=failures", "run-charts": run + "?tab=charts", "run-quality": run + "?tab=quality", "run-provenance": run + "?tab=provenance", "run-files": run + "?tab=files",
		"test": test, "trace": trace, "trace-span": href(`tr.row:nth-child(2) a[data-span]`),
	})
	p.visit(run + "?tab=charts")
	p.awaits(`document.querySelector("canvas")`)
}

// fit looks at pages by their names.
func fit(p *tab, pages map[string]string) {
	p.Helper()
	for name, path := range pages {
		for _, width := range []int64{360, 400, 768, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				p.resize(width, 900, scheme)
				if status := p.visit(path); status != 200 {
					p.Errorf("%s answers %d", path, status)
				}
				if got := eval[int64](p, `document.documentElement.scrollWidth`); got > width {
					p.Errorf("%s is %d wide on a screen of %d: %s", path, got, width, eval[string](p, widest))
				}
				if width == 400 || width == 1440 {
					p.shoot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
				}
			}
		}
	}
}

// widest names the elements that reach out of the page to the right.
const widest = `[...document.body.querySelectorAll("*")]
	.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll"))
	.slice(0, 5).map(e => e.tagName + "." + e.className).join(", ")`
