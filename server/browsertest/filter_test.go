package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestFilter asks for less than all by keys alone, and takes it back by links.
func TestFilter(t *testing.T) {
	s := aRun(t)
	p := open(t, serve(t))
	p.visit("/")
	p.upload(s.folder)
	p.awaits(received)
	p.visit("/")
	p.do("find the bar", chromedp.KeyEvent("/"))
	// The driver types the key into what has the focus by then, as a keyboard does not.
	eval[string](p, `document.activeElement.value = ""`)
	p.do("write", chromedp.KeyEvent("success>=0 co"))
	if got := eval[string](p, `document.activeElement.value`); got != "success>=0 co" {
		t.Fatalf("the key / leads to %q", got)
	}
	// What is offered completes the word, not the field.
	if got := eval[string](p, `[...document.getElementById("filter-words").options].map(o => o.value).join("|")`); got != "success>=0 cost>|success>=0 cost<" {
		t.Errorf("offered %q", got)
	}
	p.do("ask", chromedp.KeyEvent("st>>"+kb.Enter))
	p.awaits(`document.querySelector(".filter__problem")`)
	p.sees("cost>>", "want a number", "success>=0", s.model)

	p.visit("/?q=tests%3E100000")
	p.sees("No run is like that.")
	p.follow(".filter__term")
	p.sees(s.model)

	run := eval[string](p, `document.querySelector('tbody a[href^="/runs/"]').getAttribute("href")`)
	p.visit(run)
	all := eval[int64](p, `document.querySelectorAll("[data-rows] tbody tr").length`)
	p.follow(".filter__chips .chip--pass")
	passed := eval[string](p, `[...document.querySelectorAll("[data-rows] tbody tr td:nth-child(2)")].map(c => c.textContent.trim()).join(",")`)
	if n := int64(strings.Count(passed, "pass")); n == 0 || n != int64(strings.Count(passed, ",")+1) || n >= all {
		t.Errorf("of %d tests the filter shows %s", all, passed)
	}
	fit(p, map[string]string{"filter": run + "?q=outcome%3Dpass+time%3E0s+nonsense%3E1"})
	p.follow(".filter__on")
	if got := eval[int64](p, `document.querySelectorAll("[data-rows] tbody tr").length`); got != all {
		t.Errorf("%d tests without the filter, want %d", got, all)
	}
}
