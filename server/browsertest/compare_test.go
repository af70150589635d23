package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestTickAndCompare ticks two runs on the leaderboard and compares them, changes
// the baseline, filters the tests, and makes a link to one of them that a browser
// without anything else can open.
func TestTickAndCompare(t *testing.T) {
	p := open(t, serve(t, "--demo"))
	p.visit("/")
	if ticked := eval[int](p, `[...document.querySelectorAll("input[name=runs]")].slice(0, 2).filter(box => { box.click(); return box.checked; }).length`); ticked != 2 {
		t.Fatalf("%d runs are ticked, want 2", ticked)
	}
	p.do("compare", chromedp.Click(chromedp.CSS(`#compare-runs button`), chromedp.NodeVisible))
	p.awaits(`location.pathname === "/compare" && document.readyState === "complete" && document.querySelector("h1").textContent === "Compare 2 runs"`)
	p.sees("exact McNemar test", "baseline", "95 % interval")
	first := eval[string](p, `document.querySelector(".versus__head a").getAttribute("href")`)
	p.follow(`.versus__tools a`) // makes the other one the baseline
	if now := eval[string](p, `document.querySelector(".versus__head a").getAttribute("href")`); now == first || !strings.HasPrefix(now, "/runs/") {
		t.Errorf("the baseline is still %s", now)
	}
	p.follow(`#tests .tabs a:nth-child(2)`)
	if !eval[bool](p, `location.search.includes("show=differs") && [...document.querySelectorAll("#tests tbody tr")].every(row => new Set([...row.querySelectorAll(".chip")].map(c => c.textContent.trim() === "pass")).size === 2)`) {
		t.Error("tests that end alike are shown as differing")
	}
	p.shoot("compare")
	p.visit(first)
	p.follow(`a[href$="/shares"]`)
	p.do("make a link", chromedp.Click(chromedp.CSS(`.share__form button`), chromedp.NodeVisible))
	p.awaits(`document.querySelector(".share__link a")`)
	link := eval[string](p, `new URL(document.querySelector(".share__link a").href).pathname`)
	p.visit(link)
	p.awaits(`document.querySelector("h1")`)
	if eval[bool](p, `[...document.querySelectorAll("a[href^='/']")].some(a => !a.getAttribute("href").startsWith("/s/"))`) {
		t.Error("the shared page leads out of the share")
	}
	p.shoot("shared")
	p.do("press the keys to the leaderboard, which is not there", chromedp.KeyEvent("gl"))
	p.follow(`tbody td a[href*="/traces/"]`)
	p.do("click a span", chromedp.Click(chromedp.CSS(`tr.row:nth-child(2) a[data-span]`), chromedp.NodeVisible))
	p.awaits(`location.pathname.startsWith("` + link + `/traces/") && location.search.includes("span=") && document.querySelector("[data-panel] .tabs__tab")`)
}
