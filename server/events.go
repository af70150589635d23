package server

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"smolscope/enrich/attr"
	"smolscope/views"
)

const (
	heartbeat  = 15 * time.Second
	reconnect  = 2 * time.Second // what browsers are told to wait
	maxStreams = 1000

	// A page that was loaded may follow only now what has changed since: a new
	// reader is told what changed for so long before it came.
	caughtUp = 10 * time.Second
)

// A feed wakes its readers and tells them which runs have changed. A reader that is
// slow gets each run once, however often it changed meanwhile.
type feed struct {
	mu      sync.Mutex
	readers map[*feedReader]bool
	lately  []change // the oldest first
}

// A change is a run that changed, and when.
type change struct {
	run string
	at  time.Time
}

type feedReader struct {
	runs []string // guarded by the feed's mutex
	wake chan struct{}
}

// subscribe returns a new reader, or nil if there are too many.
func (f *feed) subscribe() *feedReader {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.readers) >= maxStreams {
		return nil
	}
	if f.readers == nil {
		f.readers = map[*feedReader]bool{}
	}
	r := &feedReader{wake: make(chan struct{}, 1)}
	f.readers[r] = true
	for _, c := range f.lately {
		if time.Since(c.at) < caughtUp {
			r.add(c.run)
		}
	}
	return r
}

func (f *feed) unsubscribe(r *feedReader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.readers, r)
}

// count returns how many readers there are.
func (f *feed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.readers)
}

// publish tells all readers of runs that changed, and wakes them in any case.
func (f *feed) publish(runs []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lately = slices.DeleteFunc(f.lately, func(c change) bool { return time.Since(c.at) >= caughtUp || slices.Contains(runs, c.run) })
	for _, run := range runs {
		f.lately = append(f.lately, change{run, time.Now()})
	}
	for r := range f.readers {
		r.add(runs...)
	}
}

// add notes runs that changed, and wakes the reader. The feed's mutex is held.
func (r *feedReader) add(runs ...string) {
	for _, run := range runs {
		if !slices.Contains(r.runs, run) {
			r.runs = append(r.runs, run)
		}
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take returns the runs that changed since it was called last.
func (f *feed) take(r *feedReader) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	runs := r.runs
	r.runs = nil
	return runs
}

// events streams what changes, as server-sent events: one named gpu for each reading
// of the GPUs, one named status when there are none, or again some, and one named run for each
// run that changes. A client that is slow gets the latest reading when it can take
// it; one that comes back says which reading it got last, and gets what it missed
// of the last minutes. One that takes nothing for a while is cut off.
func (s *Server) events(c echo.Context) error {
	reader := s.ingester.changed.subscribe()
	if reader == nil {
		c.Response().Header().Set(echo.HeaderRetryAfter, "60")
		return &refusal{http.StatusServiceUnavailable, "busy", "Too many streams are open", "Close a page of the dashboard and try again."}
	}
	defer s.ingester.changed.unsubscribe(reader)
	w := c.Response()
	w.Header().Set(echo.HeaderContentType, "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // proxies that would hold events back
	w.WriteHeader(http.StatusOK)
	var follows follower
	if last, err := strconv.ParseInt(c.Request().Header.Get("Last-Event-ID"), 10, 64); err == nil {
		follows.last, follows.resume = last, true
	}
	deadlines := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	text := fmt.Appendf(nil, "retry: %d\n\n", reconnect.Milliseconds())
	text = s.monitor.next(text, &follows)
	for {
		if len(text) > 0 {
			// Where deadlines do not exist, as in tests, there is no one to wait for.
			_ = deadlines.SetWriteDeadline(time.Now().Add(stalled))
			if _, err := w.Write(text); err != nil {
				return nil
			}
			w.Flush()
		}
		text = text[:0]
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-s.ending:
			return nil
		case <-beat.C:
			text = append(text, ": still here\n\n"...)
		case <-reader.wake:
			for _, run := range s.ingester.changed.take(reader) {
				text = append(text, "event: run\ndata: {\"run_id\":"...)
				text = attr.AppendQuoted(text, run)
				text = append(text, `,"url":`...)
				text = attr.AppendQuoted(text, views.RunURL(run))
				text = append(text, "}\n\n"...)
			}
			text = s.monitor.next(text, &follows)
		}
	}
}
