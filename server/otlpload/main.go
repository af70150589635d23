// Command otlpload measures how fast a smolscope server takes OTLP over HTTP:
// it starts one with a database of its own, sends it lean agent traces, reads
// pages meanwhile, waits until all of it can be queried, and prints what that
// took. `make bench-otlp` runs it; docs/performance.md has its figures.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	var l load
	flag.StringVar(&l.bin, "bin", "bin/smolscope", "the program to measure")
	flag.IntVar(&l.traces, "traces", 10_564, "traces to send")
	flag.IntVar(&l.perPost, "per-post", 100, "traces in one request")
	flag.IntVar(&l.runs, "runs", 1, "runs that the traces are of")
	flag.IntVar(&l.clients, "clients", 2, "requests at one time")
	flag.BoolVar(&l.json, "json", false, "send JSON instead of protobuf")
	flag.Parse()
	if err := l.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "otlpload:", err)
		os.Exit(1)
	}
}

// A load is what is sent, and to what.
type load struct {
	bin                            string
	traces, perPost, runs, clients int
	json                           bool

	url string
	pid int
}

// limit is how long everything may take.
const limit = 5 * time.Minute

func (l *load) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "otlpload-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bodies, spans, size := l.bodies()
	stop, err := l.start(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()

	reading, stopReading := context.WithCancel(ctx)
	reads := make(chan []time.Duration, 1)
	go func() { reads <- l.read(reading) }()
	began := time.Now()
	if err := l.send(ctx, bodies); err != nil {
		stopReading()
		return err
	}
	accepted := time.Since(began)
	err = l.await(ctx)
	queryable := time.Since(began)
	stopReading()
	took := <-reads
	if err != nil {
		return err
	}

	rate := func(d time.Duration) float64 { return float64(spans) / d.Seconds() }
	fmt.Printf("sent       %d traces, %d spans, %.0f MB of %s in %d requests, %d at a time, %d run(s)\n",
		l.traces, spans, float64(size)/1e6, map[bool]string{true: "JSON", false: "protobuf"}[l.json], len(bodies), l.clients, l.runs)
	fmt.Printf("accepted   %.2f s  %.0f spans/s (durable)\n", accepted.Seconds(), rate(accepted))
	fmt.Printf("queryable  %.2f s  %.0f spans/s\n", queryable.Seconds(), rate(queryable))
	slices.Sort(took)
	if n := len(took); n > 0 {
		fmt.Printf("reads      %d, p50 %v, p99 %v\n", n, took[n/2].Round(time.Millisecond), took[n*99/100].Round(time.Millisecond))
	}
	fmt.Printf("memory     %s at most\n", peak(l.pid))
	fmt.Printf("database   %.0f MB\n", float64(sizeOf(dir))/1e6)
	return nil
}

// start starts the server on a free port of this machine, and returns what ends it.
func (l *load) start(ctx context.Context, dir string) (stop func(), err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := free.Addr().String()
	free.Close()
	l.url = "http://" + addr
	server := exec.CommandContext(ctx, l.bin, "serve", "--addr", addr, "--otlp-addr", "", "--db", filepath.Join(dir, "load.db"))
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return nil, err
	}
	l.pid = server.Process.Pid
	stop = func() {
		server.Process.Signal(os.Interrupt)
		server.Wait()
	}
	for range 200 {
		if answer, err := http.Get(l.url + "/healthz"); err == nil {
			answer.Body.Close()
			return stop, nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	stop()
	return nil, errors.New("the server does not answer")
}

// send posts all bodies; one that is turned away is sent again when it may be.
func (l *load) send(ctx context.Context, bodies [][]byte) error {
	contentType := "application/x-protobuf"
	if l.json {
		contentType = "application/json"
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, l.clients)
	for range l.clients {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(bodies); i = next.Add(1) - 1 {
				if err := l.post(ctx, contentType, bodies[i]); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

func (l *load) post(ctx context.Context, contentType string, body []byte) error {
	for {
		r, err := http.NewRequestWithContext(ctx, "POST", l.url+"/v1/traces", bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", contentType)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		switch answer.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			time.Sleep(time.Duration(seconds) * time.Second)
		default:
			return fmt.Errorf("POST /v1/traces: %s: %.300s", answer.Status, text)
		}
	}
}

// read asks for the leaderboard and its data again and again.
func (l *load) read(ctx context.Context) (took []time.Duration) {
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		r, err := http.NewRequestWithContext(ctx, "GET", l.url+[]string{"/", "/api/v1/runs"}[i%2], nil)
		if err != nil {
			return took
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			took = append(took, time.Since(began))
		}
		time.Sleep(20 * time.Millisecond)
	}
	return took
}

// await waits until every trace is a test of a run.
func (l *load) await(ctx context.Context) error {
	for ctx.Err() == nil {
		answer, err := http.Get(l.url + "/api/v1/runs")
		if err != nil {
			return err
		}
		var page struct {
			Runs []struct {
				Tests int `json:"num_tests"`
			} `json:"runs"`
		}
		err = json.NewDecoder(answer.Body).Decode(&page)
		answer.Body.Close()
		if err != nil {
			return err
		}
		tests := 0
		for _, r := range page.Runs {
			tests += r.Tests
		}
		if tests == l.traces {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return ctx.Err()
}

// peak returns the most memory that a process has had, as Linux says.
func peak(pid int) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "not known"
	}
	for line := range strings.Lines(string(status)) {
		if kB, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(kB)[0])
			return fmt.Sprintf("%d MiB", n>>10)
		}
	}
	return "not known"
}

func sizeOf(dir string) (total int64) {
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			total += info.Size()
		}
	}
	return total
}
