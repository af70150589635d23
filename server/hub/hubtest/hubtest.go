// Package hubtest serves datasets by the API of the Hugging Face Hub, for tests.
package hubtest

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Hub serves datasets: files with an ending of large ones from a content host
// that it redirects to, the others itself. Its fields must not change while it is
// served.
type Hub struct {
	Datasets map[string]map[string][]byte // by OWNER/NAME and path
	Token    string                       // that is asked for, "" if all datasets are public
	PageSize int                          // entries on a page of a list, 0 for 1000
	Break    int                          // bytes after which the content host breaks off each answer, 0 for never
	Plain    bool                         // the content host knows no ranges

	mu       sync.Mutex
	requests []string
	content  string
}

// Serve starts the Hub until the test ends, and returns its endpoint.
func (h *Hub) Serve(t testing.TB) (endpoint string) {
	content := httptest.NewServer(http.HandlerFunc(h.serveContent))
	t.Cleanup(content.Close)
	h.content = content.URL
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/datasets/{owner}/{name}/tree/main", h.allowed(h.serveTree))
	mux.HandleFunc("GET /datasets/{owner}/{name}/resolve/main/{path...}", h.allowed(h.serveFile))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// Requests returns what was asked for until now: host ("hub" or "content"), path,
// range and whether a token came with it.
func (h *Hub) Requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests)
}

func (h *Hub) note(host string, r *http.Request) {
	line := strings.TrimSpace(host + " " + r.URL.Path + " " + r.Header.Get("Range"))
	if r.Header.Get("Authorization") != "" {
		line += " with token"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, line)
}

// allowed answers as the Hub does to who may not know whether a dataset exists.
func (h *Hub) allowed(next func(http.ResponseWriter, *http.Request, map[string][]byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.note("hub", r)
		files, found := h.Datasets[r.PathValue("owner")+"/"+r.PathValue("name")]
		switch authorized := h.Token == "" || r.Header.Get("Authorization") == "Bearer "+h.Token; {
		case !authorized:
			refuse(w, http.StatusUnauthorized, "RepoNotFound", "Invalid username or password.")
		case !found:
			refuse(w, http.StatusNotFound, "RepoNotFound", "Repository not found")
		default:
			next(w, r, files)
		}
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": message})
}

func isLarge(name string) bool { return path.Ext(name) == ".parquet" }

func (h *Hub) serveTree(w http.ResponseWriter, r *http.Request, files map[string][]byte) {
	type lfs struct {
		OID         string `json:"oid"`
		Size        int    `json:"size"`
		PointerSize int    `json:"pointerSize"`
	}
	type entry struct {
		Type string `json:"type"`
		OID  string `json:"oid"`
		Size int    `json:"size"`
		Path string `json:"path"`
		LFS  *lfs   `json:"lfs,omitempty"`
	}
	var entries []entry
	folders := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if folder := path.Dir(name); folder != "." && !folders[folder] {
			folders[folder] = true
			entries = append(entries, entry{Type: "directory", OID: gitID("tree", []byte(folder)), Path: folder})
		}
		e := entry{Type: "file", OID: gitID("blob", files[name]), Size: len(files[name]), Path: name}
		if isLarge(name) {
			e.LFS = &lfs{OID: sum(files[name]), Size: len(files[name]), PointerSize: 132}
		}
		entries = append(entries, e)
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	to := min(from+cmp.Or(h.PageSize, 1000), len(entries))
	if to < len(entries) {
		next := *r.URL
		q := next.Query()
		q.Set("cursor", strconv.Itoa(to))
		next.RawQuery = q.Encode()
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next"`, r.Host, next.String()))
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(entries[from:to])
}

func (h *Hub) serveFile(w http.ResponseWriter, r *http.Request, files map[string][]byte) {
	name := r.PathValue("path")
	data, found := files[name]
	if !found {
		refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	if isLarge(name) {
		http.Redirect(w, r, h.content+"/"+sum(data)+"?signature=secret", http.StatusFound)
		return
	}
	w.Header().Set("ETag", `"`+gitID("blob", data)+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func (h *Hub) serveContent(w http.ResponseWriter, r *http.Request) {
	h.note("content", r)
	for _, files := range h.Datasets {
		for _, data := range files {
			if r.URL.Path != "/"+sum(data) {
				continue
			}
			w.Header().Set("ETag", `"`+sum(data)+`"`)
			if h.Plain {
				r.Header.Del("Range")
			}
			if h.Break > 0 {
				w = &breaking{w, h.Break}
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return
		}
	}
	http.NotFound(w, r)
}

// breaking is an answer that breaks off once so many bytes are sent.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	if len(p) <= b.left {
		b.left -= len(p)
		return b.ResponseWriter.Write(p)
	}
	b.ResponseWriter.Write(p[:b.left])
	http.NewResponseController(b.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func gitID(kind string, data []byte) string {
	s := sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kind, len(data), data))
	return hex.EncodeToString(s[:])
}
