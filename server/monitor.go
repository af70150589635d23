package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"smolscope/gpu"
	"smolscope/server/store"
)

const (
	remembered = 5 * time.Minute  // of readings, for pages and for streams that come back
	storeEvery = 10 * time.Second // what a kill loses of them
)

// GPUConfig says which GPUs are read and what becomes of the readings.
type GPUConfig struct {
	Source gpu.Source    // nil for none
	Every  time.Duration // 0 is a second
	Keep   Keep          // the zero value is DefaultKeep
}

// A monitor reads the GPUs of this machine, remembers what they said lately, and
// hands it on to the store.
type monitor struct {
	source gpu.Source
	every  time.Duration
	log    *slog.Logger
	host   string
	store  *store.Store
	keep   Keep
	told   func() // called after each change

	mu     sync.Mutex
	recent []tick // the oldest first
	status tick   // that says whether there are readings; it has no number
	reason string // why there are no readings now, "" if there are
	unkept []gpu.Reading
}

// A tick is an event of the stream, numbered by the milliseconds of its time.
type tick struct {
	id      int64
	reading gpu.Reading
	text    []byte // the whole event
}

func newMonitor(c GPUConfig, s *store.Store, log *slog.Logger, told func()) *monitor {
	m := &monitor{source: c.Source, every: c.Every, keep: c.Keep, log: log, store: s, told: told, reason: "GPU readings are switched off"}
	if m.every == 0 {
		m.every = time.Second
	}
	if m.keep == (Keep{}) {
		m.keep = DefaultKeep
	}
	m.host, _ = os.Hostname()
	if m.source != nil {
		m.reason = "The GPUs have not been read yet"
	}
	m.status = statusOf(false, m.reason)
	return m
}

// run reads until ctx is done, and then stores what is not stored yet.
func (m *monitor) run(ctx context.Context) {
	if m.source == nil {
		return
	}
	var kept sync.WaitGroup
	kept.Go(func() { m.keepReadings(ctx) })
	defer kept.Wait()
	_ = gpu.Sample(ctx, m.source, m.every, func(r gpu.Reading, err error) error {
		m.take(r, err)
		return nil
	})
}

// take remembers a reading, or why there is none.
func (m *monitor) take(r gpu.Reading, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil && err.Error() == m.reason {
		return
	}
	defer m.told()
	switch {
	case err != nil:
		m.reason = err.Error()
		m.status = statusOf(false, m.reason)
	default:
		if m.reason != "" {
			m.reason = ""
			m.status = statusOf(true, "")
		}
		m.unkept = append(m.unkept, r)
		m.recent = append(m.recent, tickOf(r))
		old := 0
		for r.Time.Sub(m.recent[old].reading.Time) > remembered {
			old++
		}
		m.recent = append(m.recent[:0], m.recent[old:]...)
	}
}

func tickOf(r gpu.Reading) tick {
	data, _ := json.Marshal(r) // numbers and texts: it cannot fail
	id := r.Time.UnixMilli()
	text := strconv.AppendInt([]byte("id: "), id, 10)
	text = append(text, "\nevent: gpu\ndata: "...)
	return tick{id, r, append(append(text, data...), "\n\n"...)}
}

// statusOf is the event that says whether there are readings.
func statusOf(available bool, reason string) tick {
	data, _ := json.Marshal(struct {
		Available bool   `json:"available"`
		Reason    string `json:"reason,omitempty"`
	}{available, reason})
	return tick{text: append(append([]byte("event: status\ndata: "), data...), "\n\n"...)}
}

// A follower is how far a stream has come.
type follower struct {
	last   int64 // id of the last reading that it got, 0 of none
	status string
	resume bool // it was cut off, and gets all that it missed
}

// next appends what a stream does not have yet: a change of the status, and the
// latest reading, or all if it comes back after it was cut off.
func (m *monitor) next(text []byte, f *follower) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if status := string(m.status.text); status != f.status && (m.reason != "" || f.status != "") {
		text = append(text, status...)
		f.status = status
	}
	for i, t := range m.recent {
		if t.id > f.last && (f.resume || i == len(m.recent)-1 && m.reason == "") {
			text = append(text, t.text...)
			f.last = t.id
		}
	}
	f.resume = false
	return text
}

// latest returns the readings of the last minutes, the newest last, and why there
// are none now, "" if there are.
func (m *monitor) latest() (readings []gpu.Reading, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.recent {
		readings = append(readings, t.reading)
	}
	return readings, m.reason
}

// keepReadings stores what was read, every so often and when ctx is done.
func (m *monitor) keepReadings(ctx context.Context) {
	h := newHistory(m.store, m.host, m.keep)
	ticker := time.NewTicker(storeEvery)
	defer ticker.Stop()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			done = true
		case <-ticker.C:
		}
		if err := m.flush(context.WithoutCancel(ctx), h); err != nil {
			m.log.Error("could not store GPU readings", "error", err)
		}
	}
}

// flush stores what is not stored yet. What cannot be is tried again.
func (m *monitor) flush(ctx context.Context, h *history) error {
	m.mu.Lock()
	list := m.unkept
	m.unkept = nil
	m.mu.Unlock()
	err := h.add(ctx, list, time.Now())
	if err != nil { // those that h has already are passed over the next time
		m.mu.Lock()
		m.unkept = append(list, m.unkept...)
		m.mu.Unlock()
	}
	return err
}
