package static

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestHandler(t *testing.T) {
	handler := Handler(fstest.MapFS{
		"css/base.css":       {Data: []byte("body{}")},
		"dist/echarts.js":    {Data: []byte("plain")},
		"dist/echarts.js.br": {Data: []byte("brotli")},
		"dist/echarts.js.gz": {Data: []byte("gzip")},
		"dist/.gitkeep":      {},

		"dist/preview-0123456789abcdef.wasm.br": {Data: []byte("brotli")},
		"dist/preview-0123456789abcdef.wasm.gz": {Data: gzipped("module")},
	})
	for _, tt := range []struct {
		name, path, accept string
		status             int
		encoding, body     string // body "" is not compared
	}{
		{"brotli is preferred", "/dist/echarts.js", "gzip, deflate, br", 200, "br", "brotli"},
		{"gzip", "/dist/echarts.js", "gzip", 200, "gzip", "gzip"},
		{"refused by weight", "/dist/echarts.js", "br;q=0, gzip;q=0.0", 200, "", "plain"},
		{"no encoding", "/dist/echarts.js", "", 200, "", "plain"},
		{"ours is compressed when asked for", "/css/base.css", "gzip, br", 200, "gzip", ""},
		{"ours as it is", "/css/base.css", "", 200, "", "body{}"},
		{"a module", "/dist/preview-0123456789abcdef.wasm", "gzip, br", 200, "br", "brotli"},
		{"a module as it is", "/dist/preview-0123456789abcdef.wasm", "", 200, "", "module"},
		{"absent", "/js/none.js", "", 404, "", ""},
		{"not a kind of file that pages load", "/dist/.gitkeep", "", 404, "", ""},
		{"above the folder", "/../static.js", "", 404, "", ""},
		{"a folder", "/css", "", 404, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL.Path = tt.path
			r.Header.Set("Accept-Encoding", tt.accept)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Fatalf("status = %d, want %d", w.Code, tt.status)
			}
			if got := w.Header().Get("Content-Encoding"); got != tt.encoding {
				t.Errorf("Content-Encoding = %q, want %q", got, tt.encoding)
			}
			if got := w.Body.String(); tt.body != "" && got != tt.body {
				t.Errorf("body = %q, want %q", got, tt.body)
			}
		})
	}
}

func TestHandlerRevalidates(t *testing.T) {
	handler := Handler(fstest.MapFS{"css/base.css": {Data: []byte("body{}")}})
	first := httptest.NewRecorder()
	handler.ServeHTTP(first, httptest.NewRequest(http.MethodGet, "/css/base.css", nil))

	r := httptest.NewRequest(http.MethodGet, "/css/base.css", nil)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	second := httptest.NewRecorder()
	handler.ServeHTTP(second, r)
	if second.Code != http.StatusNotModified || second.Body.Len() != 0 {
		t.Errorf("a second request got status %d with %d bytes, want 304 with none", second.Code, second.Body.Len())
	}
}

func gzipped(text string) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write([]byte(text))
	z.Close()
	return buf.Bytes()
}

// A file whose name holds its hash never changes; any other is asked for again.
func TestHandlerKeeps(t *testing.T) {
	handler := Handler(fstest.MapFS{
		"css/base.css": {}, "js/sw.js": {}, "dist/preview-0123456789abcdef.wasm": {},
	})
	for path, want := range map[string]string{
		"/css/base.css":                       "no-cache",
		"/js/sw.js":                           "no-cache",
		"/dist/preview-0123456789abcdef.wasm": "public, max-age=31536000, immutable",
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control = %q, want %q", path, got, want)
		}
		if got, want := w.Header().Get("Service-Worker-Allowed"), map[bool]string{true: "/"}[path == "/js/sw.js"]; got != want {
			t.Errorf("%s: Service-Worker-Allowed = %q, want %q", path, got, want)
		}
	}
}
