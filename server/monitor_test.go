package server

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smolscope/gpu"
	"smolscope/server/store"
)

// scripted gives what the test sets.
type scripted struct {
	mu      sync.Mutex
	reading gpu.Reading
	err     error
}

func (s *scripted) set(r gpu.Reading, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading, s.err = r, err
}

func (s *scripted) Read(context.Context) (gpu.Reading, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reading, s.err
}

func (s *scripted) Close() error { return nil }

func watts(second int64, watts float64) gpu.Reading {
	return gpu.Reading{Time: time.Unix(second, 0).UTC(), Source: "sim", GPUs: []gpu.GPU{{ID: "0", Name: "simulated", PowerWatts: &watts}}}
}

// A stream is told the latest reading, what it missed if it was cut off, and when
// the GPUs go and come back.
func TestMonitor(t *testing.T) {
	told := 0
	m := newMonitor(GPUConfig{Source: &scripted{}}, nil, slog.New(slog.DiscardHandler), func() { told++ })
	events := func(f *follower) (names []string) {
		for line := range strings.Lines(string(m.next(nil, f))) {
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				names = append(names, strings.TrimSpace(id))
			} else if data, ok := strings.CutPrefix(line, "data: {\"available\""); ok {
				names = append(names, strings.TrimSpace(data))
			}
		}
		return names
	}
	expect := func(what string, f *follower, want ...string) {
		t.Helper()
		if got := events(f); !slices.Equal(got, want) {
			t.Errorf("%s: events %q, want %q", what, got, want)
		}
	}
	var first, slow follower
	expect("before the first reading", &first, `:false,"reason":"The GPUs have not been read yet"}`)
	m.take(watts(100, 50), nil)
	expect("the first reading", &first, ":true}", "100000")
	expect("a stream that comes later", &slow, "100000")
	expect("nothing new", &first)
	m.take(watts(101, 60), nil)
	m.take(watts(102, 70), nil)
	expect("the latest wins", &slow, "102000")
	expect("a stream that was cut off", &follower{last: 100_000, resume: true}, "101000", "102000")
	m.take(gpu.Reading{}, errors.New("the driver is gone"))
	m.take(gpu.Reading{}, errors.New("the driver is gone"))
	expect("the driver goes", &slow, `:false,"reason":"the driver is gone"}`)
	expect("a stream that comes without a driver", &follower{}, `:false,"reason":"the driver is gone"}`)
	m.take(watts(110, 80), nil)
	expect("the driver is back", &slow, ":true}", "110000")
	if told != 5 { // not when the same reason was given again
		t.Errorf("streams were woken %d times, want 5", told)
	}
	m.take(watts(110+301, 90), nil)
	if list, _ := m.latest(); len(list) != 1 {
		t.Errorf("%d readings are remembered after five minutes, want 1", len(list))
	}
}

func TestEventsOfGPUs(t *testing.T) {
	w := streamed(t, newServer(t), "")
	if !strings.Contains(w, "retry: 2000\n\nevent: status\ndata: {\"available\":false,\"reason\":\"GPU readings are switched off\"}\n\n") {
		t.Errorf("without GPUs: %q", w)
	}
	s := newServer(t)
	s.monitor.take(watts(100, 50), nil)
	s.monitor.take(watts(101, 50.5), nil)
	const last = "id: 101000\nevent: gpu\ndata: {\"time\":\"1970-01-01T00:01:41Z\",\"source\":\"sim\",\"gpus\":[{\"gpu_id\":\"0\",\"gpu_name\":\"simulated\",\"gpu_power_watts\":50.5}]}\n\n"
	if w := streamed(t, s, ""); w != "retry: 2000\n\n"+last {
		t.Errorf("the stream begins %q, want the last reading", w)
	}
	if w := streamed(t, s, "100000"); w != "retry: 2000\n\n"+last {
		t.Errorf("the stream goes on with %q, want the reading that was missed", w)
	}
	if w := streamed(t, s, "101000"); w != "retry: 2000\n\n" {
		t.Errorf("the stream goes on with %q, want nothing that was sent before", w)
	}
}

// streamed returns how the stream of events begins for a client that got the event
// last.
func streamed(t *testing.T, s *Server, last string) string {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	end() // the client leaves after what it is sent at once
	r := httptest.NewRequestWithContext(ctx, "GET", "http://127.0.0.1:8080/gpu/events", nil)
	r.Header.Set("Last-Event-ID", last)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Header().Get("Content-Type") != "text/event-stream" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("headers %v", w.Header())
	}
	return w.Body.String()
}

// A client that stops reading keeps no one else from getting readings.
func TestStalledStream(t *testing.T) {
	s := newServer(t)
	source := &scripted{}
	s.monitor = newMonitor(GPUConfig{Source: source, Every: 2 * time.Millisecond}, s.Store, s.Log, func() { s.ingester.changed.publish(nil) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ctx, end := context.WithCancel(t.Context())
	go func() { served <- s.Serve(ctx, listener, nil) }()
	defer func() {
		end()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()

	stalled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	if _, err := stalled.Write([]byte("GET /gpu/events HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+listener.Addr().String()+"/gpu/events", nil)
	r.Host = "127.0.0.1:8080"
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	long := strings.Repeat("x", 200_000) // fills what a connection holds within a few readings
	for second := range int64(60) {
		reading := watts(1000+second, 50)
		reading.GPUs[0].Error = long
		source.set(reading, nil)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: {\"time\"") {
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// Readings that cannot be stored are stored later, once.
func TestStoreThatFails(t *testing.T) {
	s := newServer(t)
	m := newMonitor(GPUConfig{Source: &scripted{}}, s.Store, slog.New(slog.DiscardHandler), func() {})
	begin := time.Now().Truncate(time.Minute).Unix()
	m.take(watts(begin, 50), nil)
	h := newHistory(s.Store, "here", DefaultKeep)
	failing, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.flush(failing, h); err == nil {
		t.Fatal("a store that fails is no error")
	}
	m.take(watts(begin+1, 60), nil)
	if err := m.flush(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	err := s.Store.Read(t.Context(), func(v *store.Snapshot) error {
		list, err := readingsOf(t.Context(), v, store.ReadingSeries{Source: "sim", Host: "here"}, time.Unix(begin, 0), time.Unix(begin+10, 0))
		if len(list) != 2 {
			t.Errorf("%d readings are kept, want 2", len(list))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHistory(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "smolscope.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const begin = 1_800_000_000 // a whole hour, and a whole block of four hours
	sim := gpu.NewSim(1, 7, time.Unix(begin, 0))
	var taken []gpu.Reading
	for second := range 2 * 3600 {
		if second < 3000 || second >= 3100 { // a gap
			taken = append(taken, sim.At(time.Unix(begin+int64(second), 0)))
		}
	}
	read := func(step time.Duration, from, to int64) []gpu.Reading {
		t.Helper()
		var list []gpu.Reading
		err := db.Read(t.Context(), func(v *store.Snapshot) (err error) {
			list, err = readingsOf(t.Context(), v, store.ReadingSeries{Source: "sim", Host: "here", Step: step}, time.Unix(begin+from, 0), time.Unix(begin+to, 0))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	now := time.Unix(begin+7200, 0)
	h := newHistory(db, "here", DefaultKeep)
	for i, rest := 0, taken; len(rest) > 0; i++ {
		n := min(10+i%5, len(rest))
		if err := h.add(t.Context(), rest[:n], now); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
		if i%97 == 0 { // the program is ended and started again
			h = newHistory(db, "here", DefaultKeep)
		}
	}
	if got := read(0, 0, 7200); len(got) != len(taken) || !got[0].Time.Equal(taken[0].Time) {
		t.Fatalf("%d readings are kept, want all %d", len(got), len(taken))
	}
	if got := read(0, 100, 110); len(got) != 11 {
		t.Errorf("%d readings from second 100 to 110, want 11", len(got))
	}
	if got := read(0, 3000, 3099); len(got) != 0 {
		t.Errorf("%d readings in the gap, want none", len(got))
	}
	tens, minutes := read(10*time.Second, 0, 7200), read(time.Minute, 0, 7200)
	// The last minute, and the last half hour of tens, are not whole yet. The gap is
	// of ten tens, and of one whole minute.
	if len(tens) != 7140/10-10 || len(minutes) < 5400/60-1-1 {
		t.Errorf("%d roll-ups to 10 s and %d to a minute, want 704 and 88 or more", len(tens), len(minutes))
	}
	if want := gpu.Rollup(taken[:10], 10*time.Second)[0]; *tens[0].GPUs[0].PowerWatts != *want.GPUs[0].PowerWatts {
		t.Errorf("the first roll-up is of %v W, want %v", *tens[0].GPUs[0].PowerWatts, *want.GPUs[0].PowerWatts)
	}
	// A day later nothing is left but roll-ups.
	later := now.Add(25 * time.Hour)
	if err := h.add(t.Context(), []gpu.Reading{sim.At(later)}, later); err != nil {
		t.Fatal(err)
	}
	if got := read(0, 0, 7200); len(got) != 0 {
		t.Errorf("%d readings are kept longer than a day", len(got))
	}
	if got := read(10*time.Second, 0, 7200); len(got) < len(tens) {
		t.Errorf("%d roll-ups to 10 s are left, want all %d", len(got), len(tens))
	}
}
