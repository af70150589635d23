package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// receive sends one span of a run over OTLP, as JSON.
func receive(t *testing.T, base, run string, trace, span, parent int) {
	t.Helper()
	above := ""
	if parent > 0 {
		above = fmt.Sprintf(`"parentSpanId":"%016x",`, parent)
	}
	start := 1_800_000_000 + 10*span
	body := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"run.id","value":{"stringValue":%q}}]},"scopeSpans":[{"spans":[
		{"traceId":"%032x","spanId":"%016x",%s"name":"chat","startTimeUnixNano":"%d000000000","endTimeUnixNano":"%d000000000","attributes":[
		{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o-mini"}},
		{"key":"gen_ai.usage.input_tokens","value":{"intValue":1000}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":%d}}]}]}]}]}`,
		run, trace, span, above, start, start+2, 10*span)
	answer, err := http.Post(base+"/v1/traces", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		t.Fatalf("POST /v1/traces: %s: %s", answer.Status, text)
	}
}

// TestLiveRun follows a run while it is received: pages become what they are now
// in place, and where a reader is stays.
func TestLiveRun(t *testing.T) {
	base := serve(t)
	p := open(t, base)
	stays := func() {
		t.Helper()
		if !eval[bool](p, `window.here === true`) {
			t.Error("the page was loaded anew")
		}
	}
	visit := func(path string) {
		t.Helper()
		p.visit(path)
		eval[bool](p, `window.here = true`)
		p.awaits(`performance.getEntriesByType("resource").some((r) => r.name.endsWith("/js/live.js"))`)
	}

	visit("/")
	receive(t, base, "live run", 1, 1, 0)
	p.awaits(`document.querySelector('a[href="/runs/live%20run"]')`)
	stays()

	eval[bool](p, `(document.querySelector("input[name=runs]").checked = true)`)
	receive(t, base, "another live run", 9, 9, 0)
	p.awaits(`document.querySelectorAll("input[name=runs]").length === 2`)
	if !eval[bool](p, `document.querySelector('input[value="live run"]').checked`) {
		t.Error("the run that was ticked is not any more")
	}
	stays()

	visit("/runs/live%20run")
	p.resize(800, 400, "light")
	eval[bool](p, `(document.querySelector("main tbody a").focus({ preventScroll: true }), scrollTo(0, 150), true)`)
	receive(t, base, "live run", 2, 2, 0)
	p.awaits(`document.querySelectorAll("main tbody tr").length === 2`)
	p.sees("2 tests in", "gpt-4o-mini")
	stays()
	if y := eval[float64](p, `scrollY`); y != 150 {
		t.Errorf("the page is scrolled to %v, want 150", y)
	}
	if !eval[bool](p, `document.activeElement === document.querySelector("main tbody a")`) {
		t.Error("the row that had the focus has lost it")
	}
	p.shoot("live-run")

	visit("/runs/live%20run?tab=charts")
	receive(t, base, "live run", 3, 3, 0)
	p.awaits(`document.body.innerText.includes("3 tests")`)
	p.awaits(`document.querySelector("[data-chart] canvas, [data-chart] svg")`)
	stays()

	visit("/runs/live%20run/traces/" + fmt.Sprintf("%032x", 1))
	receive(t, base, "live run", 1, 4, 1)
	p.awaits(`!document.querySelector("[data-grown]").hidden`)
	p.sees("The trace has grown.")
	stays()
	p.follow("[data-grown] a")
	p.awaits(`document.querySelectorAll("[data-trace] tbody tr").length === 2`)
}
