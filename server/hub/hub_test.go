package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smolscope/server/hub/hubtest"
)

// newClient returns a client that notes how long it would sleep, and does not.
func newClient(t *testing.T, endpoint, token string) (*Client, *[]time.Duration) {
	t.Helper()
	c, err := New(endpoint, token)
	if err != nil {
		t.Fatal(err)
	}
	var slept []time.Duration
	c.sleep = func(ctx context.Context, d time.Duration) error { slept = append(slept, d); return ctx.Err() }
	return c, &slept
}

func sample() map[string][]byte {
	return map[string][]byte{
		".gitattributes":            []byte("*.parquet filter=lfs\n"),
		"README.md":                 []byte("# a card\n"),
		"data/a b#1?%2F.json":       []byte(`[{"test_id":"a"}]`),
		"data/train-00000.parquet":  bytes.Repeat([]byte("0123456789"), 5000),
		"data/train-00001.parquet":  []byte("PAR1"),
		"more/deep/train-2.parquet": {},
	}
}

// TestDataset reads a dataset whole: a list of many pages, names that have to be
// escaped, and content on another host, which must not see the token.
func TestDataset(t *testing.T) {
	files := sample()
	hub := &hubtest.Hub{Datasets: map[string]map[string][]byte{"acme/runs": files}, Token: "hf_secret", PageSize: 2}
	c, _ := newClient(t, hub.Serve(t), "hf_secret")
	list, err := c.Files(t.Context(), "acme/runs")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	for _, f := range list {
		r, err := c.Open(t.Context(), "acme/runs", f)
		if err != nil {
			t.Fatal(err)
		}
		if got[f.Path], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	if diff := cmp.Diff(files, got); diff != "" {
		t.Error(diff)
	}
	tokens := 0
	for _, r := range hub.Requests() {
		content, token := strings.HasPrefix(r, "content "), strings.HasSuffix(r, " with token")
		if content && token {
			t.Errorf("the token went to the content host: %s", r)
		}
		if token {
			tokens++
		}
	}
	if want := 4 + len(files); tokens != want { // eight entries, two of them folders, are four pages
		t.Errorf("%d requests with the token, want %d: %q", tokens, want, hub.Requests())
	}
}

// TestResume breaks each answer off after 20,000 of the file's 50,000 bytes.
func TestResume(t *testing.T) {
	for _, tt := range []struct {
		name    string
		plain   bool
		want    string
		content []string
	}{
		{"ranges", false, "", []string{"", "bytes=20000-", "bytes=40000-"}},
		// Each answer begins anew, so that reading never gets further than the first.
		{"no ranges", true, "broke off", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hub := &hubtest.Hub{Datasets: map[string]map[string][]byte{"acme/runs": sample()}, Break: 20_000, Plain: tt.plain}
			c, _ := newClient(t, hub.Serve(t), "")
			list, err := c.Files(t.Context(), "acme/runs")
			if err != nil {
				t.Fatal(err)
			}
			f := list[slices.IndexFunc(list, func(f File) bool { return f.Size == 50_000 })]
			r, err := c.Open(t.Context(), "acme/runs", f)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			data, err := io.ReadAll(r)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want that it %s", err, tt.want)
				}
				return
			}
			if err != nil || !bytes.Equal(data, sample()[f.Path]) {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			var ranges []string
			for _, line := range hub.Requests() {
				if rest, found := strings.CutPrefix(line, "content /"+f.SHA256); found {
					ranges = append(ranges, strings.TrimSpace(rest))
				}
			}
			if diff := cmp.Diff(tt.content, ranges); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A file that becomes another between two connections is not glued together.
func TestChanged(t *testing.T) {
	var asked int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("ETag", fmt.Sprintf(`"v%d"`, asked))
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "01234")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	c, _ := newClient(t, server.URL, "")
	for what, open := range map[string]func() (io.ReadCloser, error){
		"web":         func() (io.ReadCloser, error) { r, _, err := c.Fetch(t.Context(), server.URL+"/x"); return r, err },
		"file":        func() (io.ReadCloser, error) { return c.Open(t.Context(), "a/b", File{Path: "x", Size: 10}) },
		"other bytes": func() (io.ReadCloser, error) { return c.Open(t.Context(), "a/b", File{Path: "x", Size: 5}) },
	} {
		r, err := open()
		if err == nil {
			_, err = io.ReadAll(r)
			r.Close()
		}
		if !errors.Is(err, errChanged) {
			t.Errorf("%s: error %v, want that it changed", what, err)
		}
	}
	same := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "0123456789") }))
	defer same.Close()
	c, _ = newClient(t, same.URL, "")
	r, err := c.Open(t.Context(), "a/b", File{Path: "x", Size: 10, SHA256: strings.Repeat("0", 64)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, errChanged) {
		t.Errorf("another sum: error %v, want that it changed", err)
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		header map[string]string
		want   string
		slept  []time.Duration
	}{
		{"not found", 404, nil, "dataset acme/runs: there is none", nil},
		{"no token", 401, nil, "dataset acme/runs: there is none, or it is private: check the name, or set HF_TOKEN to a token that may read it", nil},
		{"gated", 403, nil, "dataset acme/runs: access was refused: it is gated or private, and HF_TOKEN must hold a token that may read it", nil},
		{"busy", 429, map[string]string{"Retry-After": "7"}, "dataset acme/runs: too many requests: try again in 7s", []time.Duration{7e9, 7e9, 7e9, 7e9}},
		{"busy for long", 429, map[string]string{"Retry-After": "3600"}, "dataset acme/runs: too many requests: try again in 1h0m0s", nil},
		{"busy, by the Hub's header", 429, map[string]string{"RateLimit": `"api";r=0;t=12`}, "dataset acme/runs: too many requests: try again in 12s", []time.Duration{12e9, 12e9, 12e9, 12e9}},
		{"broken", 503, nil, "dataset acme/runs: the server answered 503 Service Unavailable", []time.Duration{1e9, 2e9, 4e9, 8e9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, value := range tt.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
			}))
			defer server.Close()
			c, slept := newClient(t, server.URL, "hf_secret")
			_, err := c.Files(t.Context(), "acme/runs")
			refused, ok := errors.AsType[*Error](err)
			if !ok || refused.Status != tt.status || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if diff := cmp.Diff(tt.slept, *slept); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPasses has the Hub busy twice, and then not.
func TestPasses(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		io.WriteString(w, `[{"type":"file","path":"x","size":1}]`)
	}))
	defer server.Close()
	c, slept := newClient(t, server.URL, "")
	list, err := c.Files(t.Context(), "acme/runs")
	if err != nil || len(list) != 1 || len(*slept) != 2 {
		t.Errorf("files %v, waits %v, %v", list, *slept, err)
	}
}

func TestListRefused(t *testing.T) {
	for name, tt := range map[string]struct{ link, body, want string }{
		"other host": {`<http://192.0.2.1/x>; rel="next"`, `[{"type":"file","path":"x"}]`, "another host"},
		"endless":    {`</api/datasets/a/b/tree/main>; rel="next"`, `[]`, "does not end"},
		"no list":    {"", `<html>`, "makes no sense"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tt.link != "" {
				w.Header().Set("Link", tt.link)
			}
			io.WriteString(w, tt.body)
		}))
		c, _ := newClient(t, server.URL, "")
		if _, err := c.Files(t.Context(), "a/b"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
		server.Close()
	}
}

func TestRedirects(t *testing.T) {
	for _, tt := range []struct {
		endpoint, to string
		want         bool
	}{
		{Public, Public + "/x", true},
		{Public, "https://cdn-lfs.huggingface.co/x", true},
		{Public, "https://cas-bridge.xethub.hf.co/x", true},
		{Public, "https://notreallyhf.co/x", false},
		{Public, "https://huggingface.co.example.org/x", false},
		{Public, "http://huggingface.co/x", false},
		{Public, "http://127.0.0.1/x", false},
		{Public, "https://169.254.169.254/x", false},
		{"https://hub.example.org", "https://files.hub.example.org/x", true},
		{"https://hub.example.org", "https://cdn-lfs.hf.co/x", true},
		{"https://hub.example.org", "https://localhost/x", false},
		{"http://127.0.0.1:9000", "http://127.0.0.1:9001/x", true},
		{"http://127.0.0.1:9000", "http://10.0.0.1:9000/x", false},
	} {
		c, err := New(tt.endpoint, "")
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest("GET", tt.to, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.hub.CheckRedirect(r, nil); (err == nil) != tt.want {
			t.Errorf("%s → %s: %v, want it allowed: %v", tt.endpoint, tt.to, err, tt.want)
		}
	}
}

// A redirect that is refused is not asked for again, and its error hides what
// opens a file.
func TestRedirectRefused(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "http://192.0.2.1/x?signature=secret", http.StatusFound)
	}))
	defer server.Close()
	c, _ := newClient(t, server.URL, "hf_secret")
	_, err := c.Open(t.Context(), "a/b", File{Path: "x", Size: 1})
	if err == nil || !strings.Contains(err.Error(), "not the Hub") || strings.Contains(err.Error(), "secret") || asked != 1 {
		t.Errorf("error %v after %d requests", err, asked)
	}
}

func TestDatasetName(t *testing.T) {
	c, _ := newClient(t, "https://hub.example.org/", "")
	for text, want := range map[string]string{
		"acme/runs": "acme/runs",
		" hf://datasets/acme/smoltrace-results-2025.1": "acme/smoltrace-results-2025.1",
		"https://huggingface.co/datasets/acme/runs/":   "acme/runs",
		"https://hub.example.org/datasets/acme/runs":   "acme/runs",
		"https://example.org/datasets/acme/runs":       "",
		"acme":                                         "",
		"acme/../x":                                    "",
		"acme/runs/tree":                               "",
		"acme/a..b":                                    "",
		"../runs":                                      "",
		"acme/runs?x":                                  "",
		"hf://models/acme/runs":                        "",
		"":                                             "",
	} {
		if got, err := c.Dataset(text); got != want || (err == nil) != (want != "") {
			t.Errorf("Dataset(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"": true, Public: true, "http://127.0.0.1:9000/": true, "https://example.org/hub": true,
		"example.org": false, "ftp://example.org": false, "https://": false, "https://user:pass@example.org": false,
	} {
		if _, err := New(endpoint, ""); (err == nil) != want {
			t.Errorf("New(%q): %v, want it taken: %v", endpoint, err, want)
		}
	}
}
