// Package static holds what pages load: style sheets, scripts and icons as they
// are written here, and in dist what `make assets` builds.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

// FS holds the files under their paths in this folder, such as "js/chart.js".
//
//go:embed all:dist css js *.svg
var FS embed.FS

// Built reports whether the chart library was built before the program was.
// Without it pages show their tables only.
func Built() bool {
	_, err := fs.Stat(FS, "dist/echarts.js")
	return err == nil
}

// Types are stated here because the machine's own table may know others.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".wasm": "application/wasm",
}

// hashed are the names that hold the hash of what is in the file.
var hashed = regexp.MustCompile(`-[0-9a-f]{16}\.wasm$`)

// serviceWorker keeps what previews need; pages outside of its folder are its too.
const serviceWorker = "js/sw.js"

// Handler serves the files of fsys by their path. It answers with the .br or
// .gz file that lies beside the one asked for, if the client takes it. Browsers
// keep what they got and ask each time whether it still holds, by its hash; a file
// whose name holds its hash never changes.
func Handler(fsys fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		contentType, ok := contentTypes[path.Ext(name)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		body, encoding, err := read(fsys, name, r.Header.Get("Accept-Encoding"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		sum := sha256.Sum256(body)
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		if hashed.MatchString(name) {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if name == serviceWorker {
			h.Set("Service-Worker-Allowed", "/")
		}
		h.Set("Vary", "Accept-Encoding")
		h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
		if encoding != "" {
			h.Set("Content-Encoding", encoding)
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	})
}

// read returns the smallest form of a file that the client accepts. What we
// write ourselves is small enough to be compressed as it is asked for.
func read(fsys fs.FS, name, accept string) (body []byte, encoding string, err error) {
	for _, form := range []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(accept, form.encoding) {
			continue
		}
		if body, err := fs.ReadFile(fsys, name+form.suffix); err == nil {
			return body, form.encoding, nil
		}
	}
	body, err = fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		body, err = unpacked(fsys, name+".gz")
		return body, "", err
	}
	if err != nil || !accepts(accept, "gzip") {
		return body, "", err
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(body); err != nil {
		return nil, "", err
	}
	if err := z.Close(); err != nil {
		return nil, "", err
	}
	return buf.Bytes(), "gzip", nil
}

// unpacked returns what is in a compressed file, for the few who take it in no
// other form.
func unpacked(fsys fs.FS, name string) ([]byte, error) {
	packed, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// accepts reports whether an Accept-Encoding header names the encoding and does
// not refuse it with a weight of zero.
func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, encoding) {
			return strings.TrimRight(strings.ReplaceAll(weight, " ", ""), ".0") != "q="
		}
	}
	return false
}
