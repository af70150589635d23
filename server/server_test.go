package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"smolscope/enrich"
	"smolscope/enrich/enrichtest"
	"smolscope/gpu"
	"smolscope/server/store"
	"smolscope/views"
)

// newServer returns a server with an empty store.
func newServer(t testing.TB) *Server {
	t.Helper()
	return newServerAt(t, filepath.Join(t.TempDir(), "smolscope.db"))
}

func newServerAt(t testing.TB, path string) *Server {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return New(Config{
		Store:     db,
		Options:   enrich.DefaultOptions(),
		Log:       slog.New(slog.DiscardHandler),
		Version:   "v0-test",
		Addr:      "127.0.0.1:8080",
		MaxUpload: 32 << 20,
	})
}

// do sends a request to the server, with headers as names and values in turn.
func do(s *Server, method, path string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, body)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// get answers a GET that must succeed.
func get(t *testing.T, s *Server, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	w := do(s, "GET", path, nil, headers...)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d, want 200\n%.500s", path, w.Code, w.Body)
	}
	return w
}

type file struct{ name, text string }

// form makes a form of files as browsers send it.
func form(files ...file) (body *bytes.Buffer, contentType string) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, f := range files {
		part, err := w.CreateFormFile("files", f.name)
		if err != nil {
			panic(err)
		}
		io.WriteString(part, f.text)
	}
	w.Close()
	return body, w.FormDataContentType()
}

// post uploads files and returns the receipt.
func post(t *testing.T, s *Server, files ...file) (views.Receipt, int) {
	t.Helper()
	body, contentType := form(files...)
	w := do(s, "POST", "/upload", body, "Content-Type", contentType, "Accept", "application/json")
	var r views.Receipt
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("POST /upload: status %d: %v\n%.500s", w.Code, err, w.Body)
	}
	return r, w.Code
}

// sample returns the files of a made-up run, by name.
func sample(seed uint64) (id string, files []file) {
	run := enrichtest.New(enrichtest.Plan{Seed: seed, Tests: 4})
	for _, name := range slices.Sorted(maps.Keys(run.Files)) {
		files = append(files, file{run.Folder + "/" + name, string(run.Files[name])})
	}
	return run.ID, files
}

// hostileRun is a run whose every text is an attack on whoever shows it.
const hostileRun = `a/b "c" 100% <script>`

var hostileFiles = []file{
	{"results.json", `[{"model":"<img src=x onerror=alert(1)>","test_id":"t/1?#\"'","agent_type":"tool","prompt":"</td><script>alert('prompt')</script>","success":true,
		"response":"<script>alert('response')</script>","trace_id":"0xabc1","run_id":"a/b \"c\" 100% <script>","evaluation_date":"2025-10-22T15:30:00+00:00"}]`},
	{"traces.json", `[{"trace_id":"0xabc1","run_id":"a/b \"c\" 100% <script>","spans":[
		{"trace_id":"0xabc1","span_id":"0x1","parent_span_id":null,"name":"<script>alert('name')</script>","start_time":1761146400000000000,"end_time":1761146401500000000,"attributes":{"test.id":"t/1?#\"'","openinference.span.kind":"TEST","<b>":"</script><script>alert('attribute')</script>"},"events":[],"status":{"code":"OK"},"kind":"INTERNAL"},
		{"trace_id":"0xabc1","span_id":"0x2","parent_span_id":"0x1","name":"call","start_time":1761146400100000000,"end_time":1761146401400000000,"attributes":{"openinference.span.kind":"LLM","llm.token_count.prompt":120,"llm.token_count.completion":30,"input.value":"<script>alert('input')</script>"},"events":[],"status":{"code":"ERROR","description":"<script>alert('status')</script>"},"kind":"INTERNAL"}]}]`},
}

// parse reads a page.
func parse(t *testing.T, w *httptest.ResponseRecorder) *html.Node {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != htmlType {
		t.Fatalf("Content-Type = %q, want %q", got, htmlType)
	}
	page, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// elements returns the elements with a tag, and with attributes of the given
// names and values in turn.
func elements(page *html.Node, tag string, attributes ...string) []*html.Node {
	var found []*html.Node
	for n := range page.Descendants() {
		if n.Type != html.ElementNode || n.Data != tag {
			continue
		}
		fits := true
		for i := 0; i < len(attributes); i += 2 {
			fits = fits && attribute(n, attributes[i]) == attributes[i+1]
		}
		if fits {
			found = append(found, n)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text returns the text of an element, white space folded.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// heading returns the text of the page's one h1.
func heading(t *testing.T, page *html.Node) string {
	t.Helper()
	h := elements(page, "h1")
	if len(h) != 1 {
		t.Fatalf("page has %d h1, want 1", len(h))
	}
	return text(h[0])
}

func TestRoutes(t *testing.T) {
	s := newServer(t)
	id, files := sample(1)
	if _, status := post(t, s, files...); status != http.StatusOK {
		t.Fatalf("upload: status %d", status)
	}
	var results []struct {
		Case  string `json:"test_case_uid"`
		Trace string `json:"trace_id"`
		Span  string `json:"span_id"`
	}
	if err := json.Unmarshal(get(t, s, "/api/v1/runs/"+id+"/results.json").Body.Bytes(), &results); err != nil {
		t.Fatal(err)
	}
	test := results[0]
	run := "/runs/" + id
	trace := run + "/traces/" + test.Trace

	s.monitor.take(gpu.NewSim(2, 1, time.Now()).At(time.Now()), nil)
	link := share(t, s, id, `{}`)
	requests := map[string]struct{ path, contentType string }{
		"GET /compare":                                    {"/compare?runs=" + id, htmlType},
		"GET /api/v1/compare":                             {}, // wants two runs; tested by itself
		"GET /s/:token":                                   {link + "?tab=charts", htmlType},
		"GET /s/:token/tests/:test":                       {link + "/tests/" + test.Case, htmlType},
		"GET /s/:token/traces/:trace":                     {link + "/traces/" + test.Trace + "?span=" + test.Span, htmlType},
		"GET /s/:token/card.png":                          {link + "/card.png", "image/png"},
		"GET /s/:token/api":                               {link + "/api", jsonType},
		"GET /s/:token/api/results.:format":               {link + "/api/results.csv", "text/csv; charset=utf-8"},
		"GET /s/:token/api/traces.:format":                {link + "/api/traces.jsonl", "application/x-ndjson"},
		"GET /s/:token/api/metrics.:format":               {link + "/api/metrics.json", jsonType},
		"GET /s/:token/api/leaderboard.:format":           {link + "/api/leaderboard.csv", "text/csv; charset=utf-8"},
		"GET /s/:token/api/traces/:trace/spans":           {link + "/api/traces/" + test.Trace + "/spans?from=1&to=3", jsonType},
		"GET /s/:token/api/traces/:trace/spans/:span":     {link + "/api/traces/" + test.Trace + "/spans/" + test.Span, jsonType},
		"GET /runs/:run/shares":                           {run + "/shares?preview=1", htmlType},
		"POST /runs/:run/shares":                          {}, // tested by themselves, as those below
		"POST /runs/:run/shares/revoke":                   {},
		"POST /api/v1/runs/:run/shares":                   {},
		"DELETE /api/v1/shares/:token":                    {},
		"GET /login":                                      {}, // without a token it leads on
		"POST /login":                                     {},
		"POST /logout":                                    {},
		"GET /":                                           {"/?sort=total_tokens&order=asc&page=1", htmlType},
		"GET /runs/:run":                                  {run + "?tab=quality", htmlType},
		"GET /runs/:run/tests/:test":                      {run + "/tests/" + test.Case, htmlType},
		"GET /runs/:run/traces/:trace":                    {trace + "?span=" + test.Span, htmlType},
		"POST /runs/:run/gpu":                             {}, // tested by itself
		"GET /metrics":                                    {"/metrics", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"},
		"GET /gpu":                                        {"/gpu?window=1h&view=each", htmlType},
		"GET /gpu/readings.otlp.json":                     {"/gpu/readings.otlp.json", jsonType},
		"GET /preview":                                    {"/preview", htmlType},
		"GET /upload":                                     {"/upload", htmlType},
		"GET /api/v1/runs":                                {"/api/v1/runs", jsonType},
		"GET /api/v1/runs/:run":                           {"/api/v1" + run, jsonType},
		"GET /healthz":                                    {"/healthz", "text/plain; charset=UTF-8"},
		"GET /readyz":                                     {"/readyz", "text/plain; charset=UTF-8"},
		"GET /static/*":                                   {"/static/css/base.css", "text/css; charset=utf-8"},
		"GET /api/v1/runs/:run/results.:format":           {"/api/v1" + run + "/results.csv", "text/csv; charset=utf-8"},
		"GET /api/v1/runs/:run/traces.:format":            {"/api/v1" + run + "/traces.jsonl", "application/x-ndjson"},
		"GET /api/v1/runs/:run/metrics.:format":           {"/api/v1" + run + "/metrics.json", jsonType},
		"GET /api/v1/runs/:run/leaderboard.:format":       {"/api/v1" + run + "/leaderboard.csv", "text/csv; charset=utf-8"},
		"GET /api/v1/runs/:run/traces/:trace/spans":       {"/api/v1" + trace + "/spans?from=1&to=3", jsonType},
		"GET /api/v1/runs/:run/traces/:trace/spans/:span": {"/api/v1" + trace + "/spans/" + test.Span, jsonType},
		"POST /upload":                                    {}, // tested by themselves, as those below
		"POST /import":                                    {}, // tested by itself
		"POST /upload/undo":                               {}, // tested by itself
		"POST /v1/traces":                                 {},
		"POST /v1/metrics":                                {},
		"GET /gpu/events":                                 {},
	}
	for _, r := range s.echo.Routes() {
		if r.Method == http.MethodHead {
			continue
		}
		name := r.Method + " " + r.Path
		t.Run(name, func(t *testing.T) {
			request, ok := requests[name]
			if !ok {
				t.Fatal("no request of this test goes to it")
			}
			if r.Method != http.MethodGet || request.path == "" {
				return
			}
			w := get(t, s, request.path)
			if got := w.Header().Get("Content-Type"); got != request.contentType {
				t.Errorf("Content-Type = %q, want %q", got, request.contentType)
			}
			if got := w.Header().Get("Content-Security-Policy"); got != contentPolicy {
				t.Errorf("Content-Security-Policy = %q", got)
			}
			if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options = %q", got)
			}
			if w.Body.Len() == 0 {
				t.Error("the answer is empty")
			}
			if request.contentType == htmlType {
				checkPage(t, parse(t, w))
			}
			if w := do(s, "HEAD", request.path, nil); w.Code != http.StatusOK {
				t.Errorf("HEAD: status %d, want 200", w.Code)
			}
		})
		delete(requests, name)
	}
	for name := range requests {
		t.Errorf("%s is requested but is no route", name)
	}
}

// checkPage fails the test for what no page may have.
func checkPage(t *testing.T, page *html.Node) {
	t.Helper()
	heading(t, page)
	for n := range page.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has the attribute %s, which the content policy forbids", n.Data, a.Key)
			}
		}
		if n.Data == "script" && n.FirstChild != nil && attribute(n, "type") != "application/json" {
			t.Errorf("the page has an inline script: %.100s", text(n))
		}
	}
}

func TestEmptyLeaderboard(t *testing.T) {
	page := parse(t, get(t, newServer(t), "/"))
	checkPage(t, page)
	if links := elements(page, "a", "href", "/upload"); len(links) == 0 {
		t.Error("an empty leaderboard does not lead to the upload page")
	}
}

func TestPagesLeadOn(t *testing.T) {
	s := newServer(t)
	id, files := sample(2)
	post(t, s, files...)
	// From the leaderboard a person gets to every page by following links.
	seen := map[string]bool{}
	var pages []string
	queue := []string{"/"}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		pages = append(pages, path)
		w := do(s, "GET", path, nil)
		if w.Code != http.StatusOK {
			t.Errorf("GET %s: status %d", path, w.Code)
			continue
		}
		if w.Header().Get("Content-Type") != htmlType {
			continue
		}
		for _, a := range elements(parse(t, w), "a") {
			href, _, _ := strings.Cut(attribute(a, "href"), "#")
			// Sorting and the like are many; one address of each page is enough.
			key, _, _ := strings.Cut(href, "?")
			if strings.HasPrefix(href, "/") && !seen[key] {
				seen[key] = true
				queue = append(queue, href)
			}
		}
	}
	for _, want := range []string{"/runs/" + id, "/runs/" + id + "/tests/", "/runs/" + id + "/traces/", "/upload", "/api/v1/runs/" + id} {
		if !slices.ContainsFunc(pages, func(p string) bool { return strings.HasPrefix(p, want) }) {
			t.Errorf("no link leads to %s…; visited %q", want, pages)
		}
	}
}

func TestHostileContent(t *testing.T) {
	s := newServer(t)
	receipt, status := post(t, s, hostileFiles...)
	if status != http.StatusOK || len(receipt.Runs) != 1 || receipt.Runs[0].RunID != hostileRun {
		t.Fatalf("upload: status %d, receipt %+v", status, receipt)
	}
	run := views.RunURL(hostileRun)
	if receipt.Runs[0].URL != run {
		t.Errorf("url = %q, want %q", receipt.Runs[0].URL, run)
	}
	test, trace := views.TestURL(hostileRun, `tool:t/1?#"'`), views.TraceURL(hostileRun, "0000000000000000000000000000abc1")
	for _, path := range []string{"/", run, run + "?tab=quality", run + "?tab=charts", run + "?tab=files", test, strings.Replace(test, "tool:", "tool%3A", 1), trace,
		trace + "?span=0000000000000001", trace + "?span=0000000000000002", trace + "?view=tree"} {
		w := get(t, s, path)
		if body := strings.ToLower(w.Body.String()); strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") {
			t.Errorf("GET %s: content of the trace is markup of the page", path)
		}
		page := parse(t, w)
		checkPage(t, page)
		for _, a := range elements(page, "a") {
			href := attribute(a, "href")
			if !strings.HasPrefix(href, "/") {
				continue
			}
			if w := do(s, "GET", href, nil); w.Code != http.StatusOK {
				t.Errorf("GET %s: its link %s: status %d", path, href, w.Code)
			}
		}
	}
	var document struct {
		Runs []struct {
			Leaderboard struct {
				RunID string `json:"run_id"`
			} `json:"leaderboard"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(get(t, s, "/api/v1"+run).Body.Bytes(), &document); err != nil || len(document.Runs) != 1 || document.Runs[0].Leaderboard.RunID != hostileRun {
		t.Errorf("API: %+v, %v", document, err)
	}
}

func TestRefusals(t *testing.T) {
	s := newServer(t)
	id, files := sample(3)
	post(t, s, files...)
	run := "/runs/" + id
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
		says               string
	}{
		{"no page", "GET", "/nothing", nil, 404, "There is no such page"},
		{"no run", "GET", "/runs/r%2F42", nil, 404, `There is no run "r/42"`},
		{"no test", "GET", run + "/tests/x", nil, 404, `There is no test "x"`},
		{"no trace", "GET", run + "/traces/x", nil, 404, `There is no trace "x"`},
		{"trace of another run", "GET", "/runs/x/traces/x", nil, 404, `There is no run "x"`},
		{"misspelt column", "GET", "/?sort=total_tokenz", nil, 400, "did you mean total_tokens?"},
		{"bad page", "GET", "/?page=0", nil, 400, "want a number from 1"},
		{"bad tab", "GET", run + "?tab=x", nil, 400, "want one of"},
		{"wrong method", "DELETE", "/upload", nil, 405, "takes other methods"},
		{"bad encoding", "GET", "/api/v1/runs/x%2F", nil, 404, `There is no run \"x/\"`},
		{"no run in the API", "GET", "/api/v1/runs/x", nil, 404, `"code":"not_found"`},
		{"no format", "GET", "/api/v1" + run + "/results.xlsx", nil, 404, "csv, json, jsonl, parquet"},
		{"bad limit", "GET", "/api/v1/runs?limit=0", nil, 400, "limit=0: want a number from 1"},
		{"bad sort in the API", "GET", "/api/v1/runs?sort=x", nil, 400, `"code":"bad_query"`},
		{"no span", "GET", "/api/v1" + run + "/traces/x/spans/y", nil, 404, "no span"},
		{"bad window", "GET", "/api/v1" + run + "/traces/x/spans?from=5&to=5", nil, 400, "to=5"},
		{"another host", "GET", "/", []string{"Host", "evil.example"}, 403, "evil.example"},
		{"another site's form", "POST", "/upload", []string{"Sec-Fetch-Site", "cross-site"}, 403, "another site"},
		{"another site's script", "POST", "/upload", []string{"Origin", "http://evil.example"}, 403, "another site"},
		{"no form", "POST", "/upload", []string{"Content-Type", "text/plain"}, 415, "multipart/form-data"},
		{"program without a form", "POST", "/upload", []string{"Accept", "application/json"}, 415, `{"error":{"code":"not_multipart"`},
		{"no static file", "GET", "/static/none.css", nil, 404, ""},
		{"static file outside", "GET", "/static/..%2fserver.go", nil, 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := do(s, tt.method, tt.path, nil, tt.headers...)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			said := w.Body.String()
			if w.Header().Get("Content-Type") == htmlType {
				page := parse(t, w)
				checkPage(t, page)
				said = text(page)
			} else if strings.HasPrefix(tt.path, "/api/") && !json.Valid(w.Body.Bytes()) {
				t.Errorf("the answer is no JSON: %s", said)
			}
			if !strings.Contains(said, tt.says) {
				t.Errorf("the answer does not say %q:\n%.1000s", tt.says, said)
			}
			if w.Header().Get("Content-Security-Policy") == "" {
				t.Error("the answer has no content policy")
			}
		})
	}
}

func TestOwnRequestsPass(t *testing.T) {
	s := newServer(t)
	_, files := sample(4)
	for name, headers := range map[string][]string{
		"form of this site":    {"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8080"},
		"older browser's form": {"Origin", "http://127.0.0.1:8080"},
		"program":              {},
		"localhost":            {"Host", "localhost:9999", "Origin", "http://localhost:9999"},
		"IPv6":                 {"Host", "[::1]:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			body, contentType := form(files...)
			if w := do(s, "POST", "/upload", body, append(headers, "Content-Type", contentType)...); w.Code != http.StatusOK {
				t.Errorf("status %d, want 200", w.Code)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		addr, host string
		want       bool
	}{
		{"127.0.0.1:8080", "127.0.0.1:8080", true},
		{"127.0.0.1:8080", "localhost:8080", true},
		{"127.0.0.1:8080", "LOCALHOST.:8080", true},
		{"127.0.0.1:8080", "[::1]", true},
		{"127.0.0.1:8080", "a.localhost", true},
		{"127.0.0.1:8080", "192.168.0.7:8080", false},
		{"127.0.0.1:8080", "evil.example", false},
		{"127.0.0.1:8080", "localhost.evil.example", false},
		{"127.0.0.1:8080", "", false},
		{"192.168.0.7:8080", "192.168.0.7:8080", true},
		{"192.168.0.7:8080", "192.168.0.8:8080", false},
		{"box.lan:8080", "box.lan", true},
		{":8080", "192.168.0.7:8080", true},
		{"0.0.0.0:8080", "[fe80::1]:8080", true},
		{"[::]:8080", "evil.example", false},
	} {
		t.Run(fmt.Sprintf("%s asked for %s", tt.addr, tt.host), func(t *testing.T) {
			if got := hostsOf(tt.addr).allow(tt.host); got != tt.want {
				t.Errorf("allow = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStaticFiles(t *testing.T) {
	s := newServer(t)
	first := get(t, s, "/static/css/base.css", "Accept-Encoding", "gzip")
	if got := first.Header().Get("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding = %q, want gzip", got)
	}
	tag := first.Header().Get("ETag")
	if w := do(s, "GET", "/static/css/base.css", nil, "Accept-Encoding", "gzip", "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("with the tag %s: status %d and %d bytes, want 304 and none", tag, w.Code, w.Body.Len())
	}
	if got := first.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control = %q, want no-cache: kept, and asked for again", got)
	}
}

func TestCompression(t *testing.T) {
	s := newServer(t)
	id, files := sample(5)
	post(t, s, files...)
	for _, path := range []string{"/", "/api/v1/runs/" + id, "/api/v1/runs/" + id + "/traces.jsonl"} {
		w := get(t, s, path, "Accept-Encoding", "gzip")
		if got := w.Header().Get("Content-Encoding"); got != "gzip" {
			t.Errorf("GET %s: Content-Encoding = %q, want gzip", path, got)
		}
	}
}

func TestLogHoldsNoContent(t *testing.T) {
	s := newServer(t)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	post(t, s, hostileFiles...)
	do(s, "GET", views.RunURL(hostileRun)+"?tab=secret", nil)
	do(s, "GET", "/runs/secret", nil)
	if text := log.String(); strings.Contains(text, "script") || strings.Contains(text, "secret") || !strings.Contains(text, "/runs/:run") {
		t.Errorf("log = %s", text)
	}
}
