package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// start runs a command line that serves, and returns the address it names and a
// function that ends it and returns its exit status.
func start(t *testing.T, args ...string) (url string, end func() int) {
	t.Helper()
	bareEnvironment(t)
	ctx, cancel := context.WithCancel(t.Context())
	log, stderr := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, args, nil, io.Discard, stderr)
		stderr.Close()
	}()
	end = func() int {
		cancel()
		go io.Copy(io.Discard, log)
		return <-exit
	}
	var text strings.Builder
	for buf := make([]byte, 4096); ; {
		n, err := log.Read(buf)
		text.Write(buf[:n])
		if found := served.FindStringSubmatch(text.String()); found != nil {
			go io.Copy(io.Discard, log)
			return found[1], end
		}
		if err != nil {
			cancel()
			t.Fatalf("%q ended with status %d before it served:\n%s", args, <-exit, &text)
		}
	}
}

var served = regexp.MustCompile(`url=(\S+) `)

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("GET %s = %s", url, response.Status)
	}
	return string(body)
}

func TestServe(t *testing.T) {
	for name, command := range map[string][]string{"serve": {"serve"}, "without a command": nil} {
		t.Run(name, func(t *testing.T) {
			db := filepath.Join(t.TempDir(), "new", "smolscope.db")
			url, end := start(t, append(command, "--addr", "127.0.0.1:0", "--db", db)...)
			get(t, url+"/healthz")
			get(t, url+"/")
			if exit := end(); exit != done {
				t.Errorf("exit status %d once it is told to end, want %d", exit, done)
			}
			if _, err := os.Stat(db); err != nil {
				t.Errorf("the database is not where --db says: %v", err)
			}
		})
	}
}

func TestServeDemo(t *testing.T) {
	dir := t.TempDir()
	for _, again := range []string{"", " when served again"} {
		url, end := start(t, "serve", "--demo", "--addr", "127.0.0.1:0", "--db", filepath.Join(dir, "smolscope.db"))
		if page := get(t, url+"/"); !strings.Contains(page, demoNotice) {
			t.Errorf("the leaderboard does not say that its runs are made up%s", again)
		}
		if list := get(t, url+"/api/v1/runs"); !strings.Contains(list, `"total":8`) {
			t.Errorf("the demo has not its eight runs%s: %.200s", again, list)
		}
		if exit := end(); exit != done {
			t.Errorf("exit status %d%s, want %d", exit, again, done)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "smolscope.db")); err == nil {
		t.Error("the demo made a database of real runs")
	}
}

func TestServeBusyAddress(t *testing.T) {
	bareEnvironment(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	db := filepath.Join(t.TempDir(), "smolscope.db")
	var stderr bytes.Buffer
	exit := run(t.Context(), []string{"serve", "--addr", taken.Addr().String(), "--db", db}, nil, io.Discard, &stderr)
	if exit != no || !strings.Contains(stderr.String(), "is in use") {
		t.Errorf("exit status %d, %q; want %d and that the address is in use", exit, &stderr, no)
	}
	if _, err := os.Stat(db); err == nil {
		t.Error("a database was made although nothing was served")
	}
}

// TestServeOneDatabase starts a second server on a database that is served.
func TestServeOneDatabase(t *testing.T) {
	db := filepath.Join(t.TempDir(), "smolscope.db")
	_, end := start(t, "serve", "--addr", "127.0.0.1:0", "--db", db)
	var stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // if it is served after all
	defer cancel()
	exit := run(ctx, []string{"serve", "--addr", "127.0.0.1:0", "--db", db}, nil, io.Discard, &stderr)
	if exit != no || !strings.Contains(stderr.String(), db) || !strings.Contains(stderr.String(), "another smolscope") {
		t.Errorf("exit status %d, %q; want %d, and that another smolscope has the database open", exit, &stderr, no)
	}
	if exit := end(); exit != done {
		t.Errorf("exit status %d of the first, want %d", exit, done)
	}
	_, end = start(t, "serve", "--addr", "127.0.0.1:0", "--db", db)
	if exit := end(); exit != done {
		t.Errorf("exit status %d after the first has ended, want %d", exit, done)
	}
}

func TestServeAddress(t *testing.T) {
	limits := limitFlags{MaxRatio: 1, MaxEntries: 1, MaxDepth: 1}
	for addr, want := range map[string]bool{
		"127.0.0.1:8080": true,
		"127.1.2.3:0":    true,
		"[::1]:8080":     true,
		"localhost:8080": true,
		"0.0.0.0:8080":   false,
		"[::]:8080":      false,
		":8080":          false,
		"10.0.0.1:8080":  false,
		"example.org:80": false,
		"127.0.0.1":      false,
		"8080":           false,
		"":               false,
	} {
		if err := (&serveCommand{Addr: addr, limitFlags: limits}).Validate(); (err == nil) != want {
			t.Errorf("--addr %q: %v, want it allowed: %v", addr, err, want)
		}
	}
}
