package server

import (
	"bytes"
	"encoding/json"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"smolscope/enrich"
	"smolscope/server/store"
	"smolscope/views"
)

// share makes a link by the API and returns its path.
func share(t *testing.T, s *Server, run, request string, headers ...string) string {
	t.Helper()
	w := do(s, "POST", "/api/v1/runs/"+url.PathEscape(run)+"/shares", strings.NewReader(request), headers...)
	var link SharedLink
	if err := json.Unmarshal(w.Body.Bytes(), &link); w.Code != http.StatusCreated || err != nil || link.URL != "/s/"+link.Token || len(link.Token) < 22 {
		t.Fatalf("share: status %d, %v\n%s", w.Code, err, w.Body)
	}
	return link.URL
}

const testToken = "a-token-of-24-characters"

// withToken returns a server that asks for testToken, with two runs, and what each
// route needs.
func withToken(t *testing.T) (s *Server, ids [2]string, test struct{ Case, Trace, Span string }) {
	t.Helper()
	plain := newServer(t)
	for i := range ids {
		var files []file
		ids[i], files = sample(uint64(i + 1))
		if _, status := post(t, plain, files...); status != http.StatusOK {
			t.Fatalf("upload: status %d", status)
		}
	}
	c := plain.Config
	c.Token = testToken
	s = New(c)
	var results []struct {
		Case  string `json:"test_case_uid"`
		Trace string `json:"trace_id"`
		Span  string `json:"span_id"`
	}
	w := get(t, s, "/api/v1/runs/"+ids[0]+"/results.json", "Authorization", "Bearer "+testToken)
	if err := json.Unmarshal(w.Body.Bytes(), &results); err != nil {
		t.Fatal(err)
	}
	return s, ids, struct{ Case, Trace, Span string }(results[0])
}

// Every route there is answers who may see it and no one else. What comes without
// a token is not even told whether a thing is there.
func TestAccessOfEveryRoute(t *testing.T) {
	s, ids, test := withToken(t)
	bearer := []string{"Authorization", "Bearer " + testToken}
	own := share(t, s, ids[0], `{}`, bearer...)
	other := share(t, s, ids[1], `{"expires":null}`, bearer...)
	revoked := share(t, s, ids[0], `{}`, bearer...)
	if w := do(s, "DELETE", "/api/v1/shares/"+strings.TrimPrefix(revoked, "/s/"), nil, bearer...); w.Code != http.StatusNoContent {
		t.Fatalf("revoke: status %d", w.Code)
	}
	if err := s.Store.PutShare(t.Context(), "expired", store.Share{RunID: ids[0], Created: time.Unix(1, 0), Expires: time.Unix(2, 0)}); err != nil {
		t.Fatal(err)
	}
	s.monitor.take(watts(time.Now().Unix(), 50), nil)
	fill := strings.NewReplacer(":run", ids[0], ":test", test.Case, ":trace", test.Trace, ":span", test.Span, ":format", "json", "*", "css/base.css")
	at := func(path, token string) string { return fill.Replace(strings.Replace(path, ":token", token, 1)) }
	token := func(link string) string { return strings.TrimPrefix(link, "/s/") }
	for _, r := range s.echo.Routes() {
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			expect := func(who string, want int, path string, headers ...string) {
				t.Helper()
				if w := do(s, r.Method, path, nil, headers...); w.Code != want {
					t.Errorf("%s: status %d, want %d", who, w.Code, want)
				}
			}
			switch {
			case strings.HasPrefix(r.Path, sharePath):
				expect("share", http.StatusOK, at(r.Path, token(own)))
				expect("no share", http.StatusNotFound, at(r.Path, "AAAAAAAAAAAAAAAAAAAAAAAAAA"))
				expect("revoked", http.StatusGone, at(r.Path, token(revoked)))
				expect("expired", http.StatusGone, at(r.Path, "expired"))
				if strings.Contains(r.Path, ":trace/") || strings.HasSuffix(r.Path, ":trace") { // cases have one name in both runs
					expect("share of another run", http.StatusNotFound, at(r.Path, token(other)))
				}
			case openTo(r.Path):
				if w := do(s, r.Method, at(r.Path, ""), nil); w.Code == http.StatusNotFound || r.Path != loginPath && w.Code != http.StatusOK {
					t.Errorf("an open route: status %d", w.Code)
				}
			case r.Path == logoutPath:
				expect("no token", http.StatusUnauthorized, r.Path)
			default:
				path := at(r.Path, token(own))
				expect("no token", http.StatusUnauthorized, path)
				// One of another address each, because wrong ones are counted.
				for _, wrong := range []string{"Bearer wrong", "Bearer " + token(own), "Bearer ", "Basic " + testToken, testToken} {
					s.access.fails.of = nil
					expect(wrong, http.StatusUnauthorized, path, "Authorization", wrong)
				}
				expect("wrong cookie", http.StatusUnauthorized, path, "Cookie", sessionCookie+"="+testToken)
				if r.Method == http.MethodGet {
					if w := do(s, "GET", path, nil, "Accept", "text/html"); !strings.HasPrefix(r.Path, "/api/") && !strings.HasPrefix(r.Path, "/v1/") {
						if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != loginPath+"?next="+url.QueryEscape(path) {
							t.Errorf("a browser is led to %q with %d", to, w.Code)
						}
					}
					if r.Path == "/api/v1/compare" {
						path += "?runs=" + ids[0] + "," + ids[1]
					}
					if r.Path != eventsPath {
						expect("token", http.StatusOK, path, bearer...)
						expect("cookie", http.StatusOK, path, "Cookie", sessionCookie+"="+s.access.session)
					}
				}
			}
		})
	}
	if w := do(s, "GET", "/no/such/page", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("what is no page: status %d, want 401", w.Code)
	}
}

func TestLogin(t *testing.T) {
	s, _, _ := withToken(t)
	send := func(token, next string) *httptest.ResponseRecorder {
		body := url.Values{"token": {token}, "next": {next}}.Encode()
		return do(s, "POST", "/login", strings.NewReader(body), "Content-Type", "application/x-www-form-urlencoded")
	}
	if page := parse(t, get(t, s, "/login?next=/upload")); len(elements(page, "input", "name", "next", "value", "/upload")) != 1 || len(elements(page, "a", "href", "/")) > 0 {
		t.Error("the login page does not remember where to go, or leads elsewhere")
	}
	for _, tt := range []struct{ next, to string }{
		{"/upload?x=1", "/upload?x=1"}, {"", "/"}, {"//evil.example", "/"}, {"https://evil.example", "/"}, {`/\evil.example`, "/"}, {"/\t/evil.example", "/"}, {"evil", "/"},
	} {
		w := send(" "+testToken+"\n", tt.next)
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != tt.to {
			t.Errorf("next=%q leads to %q with %d, want %q", tt.next, got, w.Code, tt.to)
		}
		cookie := w.Result().Cookies()[0]
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, testToken) {
			t.Errorf("the cookie is %v", cookie)
		}
		page := parse(t, get(t, s, "/", "Cookie", cookie.Name+"="+cookie.Value))
		if len(elements(page, "form", "action", "/logout")) != 1 {
			t.Error("whoever is logged in cannot log out")
		}
	}
	// Ten wrong ones, and then not even the right one is looked at, from there.
	for range attemptsAtOnce {
		if w := send("wrong", "/"); w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) > 0 {
			t.Fatalf("wrong token: status %d", w.Code)
		}
	}
	if w := send(testToken, "/"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("after ten wrong tokens: status %d", w.Code)
	}
	if w := do(s, "GET", "/", nil, "Cookie", sessionCookie+"="+s.access.session); w.Code != http.StatusOK {
		t.Errorf("who is logged in is kept out: status %d", w.Code)
	}
	if w := do(s, "POST", "/logout", nil, "Cookie", sessionCookie+"="+s.access.session); w.Code != http.StatusSeeOther || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("logging out: status %d", w.Code)
	}
}

// From a shared run, links lead to the shared run alone, and no page of it names
// or leads to anything else.
func TestSharedPagesLeadNowhereElse(t *testing.T) {
	s, ids, _ := withToken(t)
	link := share(t, s, ids[0], `{}`, "Authorization", "Bearer "+testToken)
	seen := map[string]bool{link: true}
	queue := []string{link}
	pages := 0
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		w := get(t, s, path) // without a token
		if w.Header().Get("Referrer-Policy") != "no-referrer" || w.Header().Get("X-Robots-Tag") == "" {
			t.Errorf("%s may be indexed, or tells its address", path)
		}
		if w.Header().Get("Content-Type") != htmlType {
			continue
		}
		pages++
		if body := w.Body.String(); strings.Contains(body, ids[1]) {
			t.Errorf("%s names the other run", path)
		}
		page := parse(t, w)
		checkPage(t, page)
		for n := range page.Descendants() {
			for _, a := range n.Attr {
				if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "/static/") {
					continue
				}
				if !strings.HasPrefix(a.Val, link) {
					t.Errorf("%s: <%s %s=%q> leads out of the share", path, n.Data, a.Key, a.Val)
				}
			}
		}
		for _, a := range elements(page, "a") {
			href, _, _ := strings.Cut(attribute(a, "href"), "#")
			if key, _, _ := strings.Cut(href, "?"); strings.HasPrefix(href, "/") && !seen[key] {
				seen[key] = true
				queue = append(queue, href)
			}
		}
	}
	if pages < 9 { // a run, four tests, four traces
		t.Errorf("only %d pages can be reached: %v", pages, seen)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), func(p string) bool { return strings.HasPrefix(p, link+"/traces/") }) {
		t.Error("no trace can be reached")
	}
}

const (
	plantedKey  = "sk-planted0123456789abcdef"
	plantedMail = "planted@example.org"
	plantedHome = "/home/planteduser"
)

var secretFiles = []file{
	{"results.json", `[{"model":"m","test_id":"t1","agent_type":"tool","prompt":"use ` + plantedKey + `","success":false,"response":"mail ` + plantedMail + `",
		"error":"no ` + plantedHome + `/x","trace_id":"0xabc1","run_id":"secretive","evaluation_date":"2025-10-22T15:30:00+00:00"}]`},
	{"traces.json", `[{"trace_id":"0xabc1","run_id":"secretive","spans":[
		{"trace_id":"0xabc1","span_id":"0x1","parent_span_id":null,"name":"ask ` + plantedMail + `","start_time":1761146400000000000,"end_time":1761146401500000000,"attributes":{"test.id":"t1","openinference.span.kind":"TEST"},"events":[{"name":"exception","timestamp":1761146400500000000,"attributes":{"exception.message":"` + plantedHome + `"}}],"status":{"code":"ERROR","description":"` + plantedKey + `"},"kind":"INTERNAL"},
		{"trace_id":"0xabc1","span_id":"0x2","parent_span_id":"0x1","name":"call","start_time":1761146400100000000,"end_time":1761146401400000000,"attributes":{"openinference.span.kind":"LLM","gen_ai.request.model":"m","llm.token_count.prompt":120,"llm.token_count.completion":30,"input.value":"say hello with ` + plantedKey + `","output.value":"{\"to\":\"` + plantedMail + `\"}"},"events":[],"status":{"code":"OK"},"kind":"INTERNAL"}]}]`},
}

// What a link masks is in no page, dataset or span that it opens, and what it does
// not mask is there.
func TestSharesMask(t *testing.T) {
	s := newServer(t)
	if _, status := post(t, s, secretFiles...); status != http.StatusOK {
		t.Fatalf("upload: status %d", status)
	}
	everything := func(link string) string {
		var all strings.Builder
		for _, path := range []string{
			"", "?tab=charts", "?tab=quality", "?tab=provenance", "?tab=files", "/tests/tool:t1", "/traces/0000000000000000000000000000abc1",
			"/api", "/api/results.json", "/api/traces.jsonl", "/api/metrics.csv", "/api/leaderboard.json",
		} {
			all.WriteString(get(t, s, link+path).Body.String())
		}
		for _, span := range []string{"0000000000000001", "0000000000000002"} {
			all.WriteString(get(t, s, link+"/api/traces/0000000000000000000000000000abc1/spans/"+span).Body.String())
			all.WriteString(get(t, s, link+"/traces/0000000000000000000000000000abc1?span="+span).Body.String())
		}
		return all.String()
	}
	planted := []string{plantedKey, plantedMail, "planteduser"}
	for _, tt := range []struct {
		request string
		gone    []string
		there   []string
	}{
		{`{}`, nil, append([]string{"say hello", "120"}, planted...)},
		{`{"redact":true}`, planted, []string{"say hello", "120", "[API key masked]", "[e-mail masked]", "[user masked]"}},
		{`{"hide_text":true}`, append([]string{"say hello"}, planted...), []string{"120", "[text hidden]"}},
	} {
		all := everything(share(t, s, "secretive", tt.request))
		for _, text := range tt.gone {
			if i := strings.Index(all, text); i >= 0 {
				t.Errorf("%s: %q is there: …%s…", tt.request, text, all[max(i-100, 0):min(i+100, len(all))])
			}
		}
		for _, text := range tt.there {
			if !strings.Contains(all, text) {
				t.Errorf("%s: %q is not there", tt.request, text)
			}
		}
	}
	page := text(parse(t, get(t, s, views.SharesURL("secretive")+"?preview=1")))
	for _, kind := range []string{"API key", "e-mail", "user", "results.prompt", "traces.spans"} {
		if !strings.Contains(page, kind) {
			t.Errorf("the page of links does not say that %s would be masked", kind)
		}
	}
}

// The page makes links and revokes them, and counts how often they were opened.
func TestSharesPage(t *testing.T) {
	s := newServer(t)
	id, files := sample(1)
	post(t, s, files...)
	send := func(path string, form url.Values) *httptest.ResponseRecorder {
		return do(s, "POST", path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	}
	w := send("/runs/"+id+"/shares", url.Values{"expires": {"7d"}, "redact": {"1"}})
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	page := parse(t, w)
	checkPage(t, page)
	made := elements(page, "a", "rel", "noreferrer")
	if len(made) != 1 || !strings.HasPrefix(attribute(made[0], "href"), "http://127.0.0.1:8080/s/") {
		t.Fatal("the new link is not shown")
	}
	link := strings.TrimPrefix(attribute(made[0], "href"), "http://127.0.0.1:8080")
	for range 3 {
		get(t, s, link)
	}
	do(s, "HEAD", link, nil)
	s.storeVisits(t.Context())
	page = parse(t, get(t, s, "/runs/"+id+"/shares"))
	revoke := elements(page, "input", "name", "id")
	if all := text(page); len(revoke) != 1 || !strings.Contains(all, "secrets masked") || !strings.Contains(all, "UTC 3 Revoke") || strings.Contains(all, strings.TrimPrefix(link, "/s/")) {
		t.Errorf("the list is %q", all)
	}
	if w := send("/runs/"+id+"/shares/revoke", url.Values{"id": {attribute(revoke[0], "value")}}); w.Code != http.StatusSeeOther {
		t.Errorf("revoke: status %d", w.Code)
	}
	if w := do(s, "GET", link, nil); w.Code != http.StatusGone {
		t.Errorf("a revoked link: status %d, want 410", w.Code)
	}
	if w := send("/runs/"+id+"/shares/revoke", url.Values{"id": {attribute(revoke[0], "value")}}); w.Code != http.StatusNotFound {
		t.Errorf("revoking twice: status %d, want 404", w.Code)
	}
	for request, want := range map[string]int{
		`{"expires":"soon"}`: http.StatusBadRequest, `{"expires":"-1d"}`: http.StatusBadRequest, `{"expire":"1d"}`: http.StatusBadRequest, `[`: http.StatusBadRequest, ``: http.StatusCreated,
	} {
		if w := do(s, "POST", "/api/v1/runs/"+id+"/shares", strings.NewReader(request)); w.Code != want {
			t.Errorf("share with %s: status %d, want %d", request, w.Code, want)
		}
	}
	if w := do(s, "POST", "/api/v1/runs/none/shares", nil); w.Code != http.StatusNotFound {
		t.Errorf("share of no run: status %d, want 404", w.Code)
	}
	cross := []string{"Sec-Fetch-Site", "cross-site"}
	if w := do(s, "POST", "/runs/"+id+"/shares", nil, cross...); w.Code != http.StatusForbidden {
		t.Errorf("share by another site: status %d, want 403", w.Code)
	}
}

func TestMoved(t *testing.T) {
	move := func(a string) (string, bool) { return "/below" + a, strings.HasPrefix(a, "/in") }
	for _, tt := range []struct{ page, want string }{
		{`<p title='a"b'>as&nbsp;it is</p>`, `<p title='a"b'>as&nbsp;it is</p>`},
		{`<a href="/in?x=1&amp;y=2">in</a>`, `<a href="/below/in?x=1&amp;y=2">in</a>`},
		{`<a href="/out">out <b>text</b></a>.`, `<a>out <b>text</b></a>.`},
		{`<a class="button x" href="/out">out <svg><path d="M0"/></svg></a>.`, `.`},
		{`<form action="/out"><button>go</button></form>.`, `.`},
		{`<form action="/in"><button formaction="/out">go</button></form>`, `<form action="/below/in"><button>go</button></form>`},
		{`<a href="#x">x</a><a href="?tab=y">y</a><a href="//host/">z</a><a href="https://host/">w</a>`, `<a href="#x">x</a><a href="?tab=y">y</a><a href="//host/">z</a><a href="https://host/">w</a>`},
		{`<script type="application/json">{"href":"/in"}</script>`, `<script type="application/json">{"href":"/in"}</script>`},
	} {
		if got := string(moved([]byte(tt.page), move)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.page, got, tt.want)
		}
	}
}

func TestCard(t *testing.T) {
	for _, row := range []enrich.LeaderboardRow{
		{},
		{Model: new(strings.Repeat("a very long model name \u202e\x00日本 ", 40)), SuccessRate: new(130.0), NumTests: 1, TotalCostUSD: new(1e12), TotalTokens: new(int64(1) << 60)},
	} {
		text, err := cardOf(row)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(text))
		if err != nil || picture.Bounds().Dx() != cardWidth || picture.Bounds().Dy() != cardHeight {
			t.Errorf("card of %v: %v", row.Model, err)
		}
	}
}
