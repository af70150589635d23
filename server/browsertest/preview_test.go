package browsertest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// A door stands before the program: it remembers what was asked for, and can be
// shut.
type door struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newDoor(t *testing.T, base string) *door {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Del("Origin") }}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.asked = append(d.asked, r.Method+" "+r.URL.Path)
		d.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

// previewed is the text of what a preview shows, and uploaded that of a page of
// the server.
const (
	frame     = `document.querySelector("[data-preview] iframe:last-of-type")`
	previewed = frame + `?.contentDocument?.querySelector("main")`
	ready     = `document.querySelectorAll("[data-preview] iframe").length === 1 && !("late" in ` + frame + `.dataset) && ` + previewed
)

func (p *tab) previewsAt(prefix string) {
	p.Helper()
	p.awaits(fmt.Sprintf(`location.hash.startsWith(%q) && %s.dataset.address.startsWith(%q) && %s`, "#"+prefix, frame, prefix, ready))
}

// promised returns what a promise comes to in the page.
func promised(p *tab, expression string) string {
	p.Helper()
	eval[bool](p, `(delete window.told, (`+expression+`).then((v) => { window.told = String(v) }), true)`)
	p.awaits(`window.told !== undefined`)
	return eval[string](p, `window.told`)
}

func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestPreview drops a run while the program is gone, and reads its pages, which
// are those that the program makes of an upload, word for word.
func TestPreview(t *testing.T) {
	s := aRun(t)
	base := serve(t)
	d := newDoor(t, base)
	p := open(t, d.URL)
	p.visit("/upload")
	p.awaits(`navigator.serviceWorker.controller`)
	d.CloseClientConnections()
	d.Close()

	p.drop(s.folder)
	p.previewsAt("/runs/")
	p.sees("Not uploaded: this run is in this tab only.")
	run := strings.TrimPrefix(eval[string](p, `location.hash`), "#")
	pages := []string{run, run + "?tab=failures", run + "?tab=charts", run + "?tab=quality", run + "?tab=provenance",
		eval[string](p, previewed+`.querySelector('a[href*="/tests/"]').getAttribute("href")`),
		eval[string](p, previewed+`.querySelector('a[href*="/traces/"]').getAttribute("href")`)}
	shown := map[string]string{}
	for i, page := range pages {
		if i > 0 { // the first is open
			eval[bool](p, fmt.Sprintf(`(() => { const a = document.createElement("a"); a.href = %q; %s.append(a); a.click(); a.remove(); return true })()`, page, previewed))
			p.previewsAt(page)
		}
		shown[page] = words(eval[string](p, previewed+`.textContent`))
		if strings.HasSuffix(page, "tab=charts") {
			p.awaits(previewed + `.querySelectorAll(".chart--drawn").length > 0`)
		}
		p.shoot("preview")
	}
	document := promised(p, fmt.Sprintf(`document.querySelector("[data-preview]").get(%q).then(r => r.json()).then(o => JSON.stringify([o.runs, o.files.map(f => f.sha256).sort()]))`, "/api/v1"+run))
	p.do("go back", chromedp.NavigateBack())
	p.awaits(fmt.Sprintf(`location.hash === %q`, "#"+pages[len(pages)-2]))

	for _, asked := range d.asked {
		if strings.HasPrefix(asked, "POST") || strings.Contains(asked, "/api/") {
			t.Errorf("the preview asked the server: %s", asked)
		}
	}

	q := open(t, base)
	q.visit("/upload")
	if total := promised(q, `fetch("/api/v1/runs").then(r => r.json()).then(o => o.total)`); total != "0" {
		t.Errorf("the server has %s runs, and nothing was uploaded", total)
	}
	q.upload(s.folder)
	q.awaits(received)
	for _, page := range pages {
		q.visit(page)
		want := eval[string](q, `(() => { for (const a of document.querySelectorAll('main .head__tools a')) if (/^(Compare|Share)$/.test(a.textContent.trim())) a.remove(); return document.querySelector("main").textContent })()`)
		if words(want) != shown[page] {
			t.Errorf("%s differs in the preview:\n%.3000s\nwant:\n%.3000s", page, shown[page], words(want))
		}
	}
	if want := promised(q, fmt.Sprintf(`fetch(%q).then(r => r.json()).then(o => JSON.stringify([o.runs, o.files.map(f => f.sha256).sort()]))`, "/api/v1"+run)); want != document {
		t.Errorf("the run's rows differ in the preview (%d and %d bytes)", len(document), len(want))
	}
}

// A preview is uploaded by its button, and not before.
func TestPreviewUpload(t *testing.T) {
	s := aRun(t)
	d := newDoor(t, serve(t))
	p := open(t, d.URL)
	p.visit("/upload")
	p.drop(s.folder)
	p.previewsAt("/runs/")
	if slices.Contains(d.asked, "POST /upload") {
		t.Error("the files were uploaded before the button was pressed")
	}
	p.do("upload", chromedp.Click(chromedp.CSS(`[data-preview-upload]`), chromedp.NodeVisible))
	p.awaits(`location.pathname.startsWith("/runs/")`)
	p.sees(s.model, s.rate)
}

// A Parquet file is read by the larger program, which is fetched only then.
func TestPreviewParquet(t *testing.T) {
	found, _ := filepath.Glob("../../../shared/data/derived-parquet/*.parquet")
	if len(found) == 0 {
		found, _ = filepath.Glob("../../../shared/data/derived-parquet/*/*.parquet")
	}
	if len(found) == 0 {
		t.Skip("needs the files that lie beside the project")
	}
	d := newDoor(t, serve(t))
	p := open(t, d.URL)
	p.visit("/upload")
	file, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	p.drop(file)
	p.awaits(ready)
	if !slices.ContainsFunc(d.asked, func(a string) bool { return strings.HasPrefix(a, "GET /static/dist/parquet-") }) {
		t.Errorf("the program that reads Parquet was not fetched: %q", d.asked)
	}
	if text := eval[string](p, previewed+`.textContent`); strings.Contains(text, "looks like Parquet") {
		t.Errorf("Parquet was not read: %.500s", text)
	}
}

// A reading that is cancelled leaves the page as it was, and uploads nothing.
func TestPreviewCancel(t *testing.T) {
	large := filepath.Join(t.TempDir(), "traces.jsonl")
	line := []byte(`{"trace_id":"0af7651916cd43dd8448eb211c80319c","spans":[]}` + "\n")
	if err := os.WriteFile(large, bytes.Repeat(line, 1_000_000), 0o644); err != nil {
		t.Fatal(err)
	}
	d := newDoor(t, serve(t))
	p := open(t, d.URL)
	p.visit("/upload")
	p.drop(large)
	p.awaits(`document.querySelector("[data-drop-bar]").value > 0 && document.querySelector("[data-drop-progress]").open`)
	p.do("cancel", chromedp.Click(chromedp.CSS(`[data-drop-cancel]`), chromedp.NodeVisible))
	p.awaits(`!document.querySelector("[data-drop-progress]").open`)
	p.sees("They are read here")
	if !eval[bool](p, `document.querySelector("[data-preview]").hidden && location.pathname === "/upload"`) {
		t.Error("a preview is shown although it was cancelled")
	}
	if slices.Contains(d.asked, "POST /upload") {
		t.Error("the file was uploaded")
	}
}
