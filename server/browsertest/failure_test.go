package browsertest

import "testing"

// TestFailuresKeepToTheirCells: on no screen does a message run into the tests
// beside it.
func TestFailuresKeepToTheirCells(t *testing.T) {
	s := aRun(t)
	p := open(t, serve(t))
	p.visit("/")
	p.upload(s.folder)
	p.awaits(received)
	p.visit("/")
	run := eval[string](p, `document.querySelector('tbody a[href^="/runs/"]').getAttribute("href")`)
	for _, width := range []int64{360, 768, 1440} {
		p.resize(width, 900, "light")
		p.visit(run + "?tab=failures")
		over := eval[int64](p, `[...document.querySelectorAll(".failures__reason *")].filter(e =>
			e.getBoundingClientRect().right > e.closest("th").getBoundingClientRect().right + 1).length`)
		if groups := eval[int64](p, `document.querySelectorAll(".failures__reason").length`); groups == 0 || over > 0 {
			t.Errorf("at %d: %d of %d messages reach over their cells", width, over, groups)
		}
	}
}
