package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	shown  = `document.querySelector("#why:popover-open")`
	answer = `(document.querySelector("#why:popover-open")?.innerText ?? "")`
	held   = `document.activeElement.matches("[data-why]")`
)

// says ends the test unless the box that is open says each text.
func (p *tab) says(texts ...string) {
	p.Helper()
	p.awaits(shown)
	got := strings.ReplaceAll(eval[string](p, answer), ",", "")
	for _, text := range texts {
		if !strings.Contains(got, text) {
			p.Errorf("the answer is %q, want it to say %q", got, text)
		}
	}
}

func (p *tab) press(keys ...string) {
	p.Helper()
	for _, key := range keys {
		p.do(fmt.Sprintf("press %q", key), chromedp.KeyEvent(key))
	}
}

// TestWhy opens figures by pointer and by keys on every page that has some.
func TestWhy(t *testing.T) {
	s := aRun(t)
	p := open(t, serve(t))
	p.visit("/")
	p.upload(s.folder)
	p.awaits(received)

	p.visit("/")
	run := eval[string](p, `document.querySelector('tbody a[href^="/runs/"]').getAttribute("href")`)
	p.press("j", kb.ArrowRight)
	p.awaits(held)
	p.press(kb.Enter)
	p.says("Success", s.rate, "100 × successful_tests / num_tests")
	p.press(kb.Escape)
	p.awaits(`!` + shown + ` && ` + held)

	p.visit(run)
	click := func(what, selector string) {
		p.do(what, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	}
	click("open the tokens", `.card:nth-of-type(4) [data-why]`)
	p.says("Tokens", s.tokens, "derived", "The file stored "+s.stored)
	p.shoot("why-1440-light")
	click("close it again", `.card:nth-of-type(4) [data-why]`)
	p.awaits(`!` + shown)

	// A table is one stop; its arrows lead from a row to its figures and down a column.
	p.press("j", kb.ArrowRight)
	p.awaits(held)
	first := eval[string](p, `document.activeElement.closest("tr").rowIndex + " " + document.activeElement.closest("td").cellIndex`)
	p.press(kb.ArrowDown)
	p.awaits(held + ` && document.activeElement.closest("tr").rowIndex === 2`)
	p.press(kb.ArrowUp)
	if got := eval[string](p, `document.activeElement.closest("tr").rowIndex + " " + document.activeElement.closest("td").cellIndex`); got != first {
		t.Errorf("down and up again lead to %s, want %s", got, first)
	}
	p.press(" ")
	p.says("Steps")
	p.press(kb.Escape)
	p.awaits(`!` + shown)
	p.press(kb.ArrowLeft)
	p.awaits(`document.activeElement.matches("tbody th a")`)
	if stops := eval[int](p, `document.querySelectorAll('tbody [data-why][tabindex="0"]').length`); stops != 0 {
		t.Errorf("%d figures of the table are stops of their own, want none", stops)
	}
	// What is absent says why.
	p.visit(run)
	click("open an absent figure", `.card [title="no call was streamed"], .card:nth-of-type(3) [data-why]`)
	p.says("absent")
	p.press(kb.Escape)
	p.awaits(`!` + shown)

	trace := eval[string](p, `document.querySelector('tbody a[href*="/traces/"]').getAttribute("href")`)
	p.follow(`tbody th a[href*="/tests/"]`)
	p.awaits(`document.querySelector(".facts [data-why]")`)
	p.do("focus the time", chromedp.Focus(chromedp.CSS(`.facts [data-why]`)))
	p.press(kb.Enter)
	p.says("Time", "derived", "root span")
	p.press(kb.Escape)
	if rows := eval[int](p, `document.querySelectorAll("details table tbody tr").length`); rows < 20 {
		t.Errorf("the plain table of origins has %d rows, want at least 20", rows)
	}

	// On a trace the panel is replaced, and the answers of rows and panel still fit.
	p.visit(trace)
	p.do("click a span", chromedp.Click(chromedp.CSS(`tr.row:nth-child(2) a[data-span]`), chromedp.NodeVisible))
	p.awaits(`location.search.includes("span=") && document.querySelector("[data-panel] .tabs__tab")`)
	click("open the panel's time", `[data-panel] .facts__row:nth-child(2) [data-why], [data-panel] .facts [data-why]`)
	p.awaits(shown)
	p.press(kb.Escape)
	p.awaits(`!` + shown + ` && document.querySelector("[data-panel-close]")`)
	click("open a row's time", `tr.row:nth-child(2) td:nth-last-child(2) [data-why]`)
	p.says("Time", "Length of the span.")

	// On a phone the box lies along the bottom.
	p.resize(400, 800, "dark")
	p.visit(run)
	click("open the first card", `.card:nth-of-type(4) [data-why]`)
	p.says("Tokens")
	if got := eval[[]int](p, `(r => [r.left, r.right, r.bottom])(document.querySelector("#why").getBoundingClientRect()).map(Math.round)`); got[0] < 0 || got[1] > 400 || got[2] > 800 {
		t.Errorf("the box reaches from %d to %d and down to %d on a screen of 400 × 800", got[0], got[1], got[2])
	}
	p.shoot("why-400-dark")
}
