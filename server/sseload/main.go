// Command sseload measures what many followers of a smolscope server cost: it
// starts one that reads simulated GPUs at 1 Hz, opens streams of events, and prints
// how late readings arrive, how much memory a stream takes, and how long another
// request waits meanwhile. `make bench-sse` runs it; docs/gpu.md has its figures.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("bin", "bin/smolscope", "the program to measure")
	clients := flag.Int("clients", 500, "streams, of which one in a hundred stops reading")
	length := flag.Duration("for", time.Minute, "how long they are followed")
	flag.Parse()
	if err := run(*bin, *clients, *length); err != nil {
		fmt.Fprintln(os.Stderr, "sseload:", err)
		os.Exit(1)
	}
}

var listens = regexp.MustCompile(`\baddr=(127\.0\.0\.1:\d+)`)

func run(bin string, clients int, length time.Duration) error {
	dir, err := os.MkdirTemp("", "sseload-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), length+time.Minute)
	defer cancel()
	server := exec.CommandContext(ctx, bin, "serve", "--addr", "127.0.0.1:0", "--otlp-addr", "", "--gpu", "sim", "--db", filepath.Join(dir, "smolscope.db"))
	log, err := server.StderrPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}()
	lines, base := bufio.NewScanner(log), ""
	for base == "" && lines.Scan() {
		if found := listens.FindStringSubmatch(lines.Text()); found != nil {
			base = "http://" + found[1]
		}
	}
	if base == "" {
		return errors.New("the server did not say where it listens")
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	pid := server.Process.Pid
	time.Sleep(3 * time.Second)
	before := resident(pid)

	var all followers
	following, stop := context.WithTimeout(ctx, length)
	defer stop()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	for i := range clients {
		all.done.Go(func() { all.follow(following, client, base, i%100 == 99) })
		time.Sleep(2 * time.Millisecond)
	}
	used := cpu(pid)
	began := time.Now()
	var waits []time.Duration
	var most int64
	for following.Err() == nil {
		asked := time.Now()
		answer, err := client.Get(base + "/api/v1/runs")
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		waits = append(waits, time.Since(asked))
		most = max(most, resident(pid))
		time.Sleep(50 * time.Millisecond)
	}
	spent, passed := cpu(pid)-used, time.Since(began)
	stop()
	all.done.Wait()

	slices.Sort(all.delays)
	slices.Sort(waits)
	if len(all.delays) == 0 {
		return errors.New("no reading arrived")
	}
	fmt.Printf("%d streams for %v, %d of which read nothing: %d readings received, %d streams failed\n", clients, length, clients/100, len(all.delays), all.failed)
	fmt.Printf("from reading to receipt: p50 %v, p99 %v, most %v\n", quantile(all.delays, 0.5), quantile(all.delays, 0.99), all.delays[len(all.delays)-1])
	fmt.Printf("memory: %.1f MiB before, at most %.1f MiB: %.1f KiB a stream\n", mib(before), mib(most), float64(most-before)/1024/float64(clients))
	fmt.Printf("other requests meanwhile: p50 %v, p99 %v of %d\n", quantile(waits, 0.5), quantile(waits, 0.99), len(waits))
	fmt.Printf("CPU time: %.1f %% of a core\n", 100*spent.Seconds()/passed.Seconds())
	return nil
}

// followers gather what all streams see.
type followers struct {
	done   sync.WaitGroup
	mu     sync.Mutex
	delays []time.Duration
	failed int
}

func (f *followers) follow(ctx context.Context, client *http.Client, base string, silent bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/gpu/events", nil)
	if err != nil {
		panic(err) // the address is ours
	}
	answer, err := client.Do(request)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
		answer.Body.Close()
	}
	if err != nil {
		f.mu.Lock()
		f.failed++
		f.mu.Unlock()
		return
	}
	defer answer.Body.Close()
	if silent {
		<-ctx.Done()
		return
	}
	lines := bufio.NewScanner(answer.Body)
	first := true
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "id: ")
		if !ok {
			continue
		}
		if first { // it was read before the stream was opened
			first = false
			continue
		}
		taken, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			continue
		}
		delay := time.Since(time.UnixMilli(taken))
		f.mu.Lock()
		f.delays = append(f.delays, delay)
		f.mu.Unlock()
	}
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))].Round(100 * time.Microsecond)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// resident returns the memory of a process, in bytes.
func resident(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// cpu returns the CPU time of a process.
func cpu(pid int) time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // 100 ticks a second
}
