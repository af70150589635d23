package server

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"smolscope/enrich"
	"smolscope/server/store"
)

// Runs that are being received are derived at most this often, and while batches
// keep coming so that three quarters of the time are left for receiving them.
const (
	liveEvery = 250 * time.Millisecond
	liveShare = 3
	quiet     = 200 * time.Millisecond // without a batch, after which nobody waits
)

// partsKept is how many spans of received batches are kept decoded, for a run
// that grows is derived again and again.
const partsKept = 50_000

// A live is what was received and is not part of a run yet.
type live struct {
	mu      sync.Mutex
	pending map[string]bool // uploads
	parts   map[string]*enrich.Part
	order   []string  // of parts, the oldest first
	spans   int       // in parts
	last    time.Time // something was added
	wake    chan struct{}
}

func newLive() *live {
	return &live{pending: map[string]bool{}, parts: map[string]*enrich.Part{}, wake: make(chan struct{}, 1)}
}

// add notes uploads that are stored; part may be nil.
func (l *live) add(id string, part *enrich.Part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending[id] = true
	l.last = time.Now()
	if part != nil && l.parts[id] == nil {
		l.parts[id] = part
		l.order = append(l.order, id)
		l.spans += part.Spans()
		for l.spans > partsKept && len(l.order) > 1 {
			l.spans -= l.parts[l.order[0]].Spans()
			delete(l.parts, l.order[0])
			l.order = l.order[1:]
		}
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns what is pending and, as far as they are kept, the parts of all.
func (l *live) take() (ids []string, parts map[string]*enrich.Part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	parts = make(map[string]*enrich.Part, len(l.parts))
	maps.Copy(parts, l.parts)
	for id := range l.pending {
		ids = append(ids, id)
	}
	clear(l.pending)
	slices.Sort(ids)
	return ids, parts
}

// CatchUp takes up what was received before the program ended, and derives its
// runs.
func (in *Ingester) CatchUp(ctx context.Context) error {
	if err := in.resume(ctx); err != nil {
		return err
	}
	return in.catchUp(ctx)
}

// Follow derives the runs of what is received, until ctx is done. What a kill
// kept from being derived is derived first.
func (in *Ingester) Follow(ctx context.Context) error {
	if err := in.CatchUp(ctx); err != nil && ctx.Err() == nil {
		in.log.Error("could not derive the runs of batches that were received before", "error", err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-in.live.wake:
		}
		began := time.Now()
		if err := in.catchUp(ctx); err != nil && ctx.Err() == nil {
			// Not tried again before the program starts: it would most likely fail
			// again.
			in.log.Error("could not derive the runs of received batches", "error", err)
		}
		if !in.live.leaveTime(ctx, liveShare*time.Since(began)) {
			return nil
		}
	}
}

// leaveTime waits between two derivations: for a while, and while batches keep
// coming for as long as told. It reports whether ctx goes on.
func (l *live) leaveTime(ctx context.Context, atMost time.Duration) bool {
	began := time.Now()
	for wait := liveEvery; ; wait = quiet / 4 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
		l.mu.Lock()
		silent := time.Since(l.last) >= quiet
		l.mu.Unlock()
		if silent || time.Since(began) >= atMost {
			return true
		}
	}
}

// catchUp derives the runs of all that was received, and tells who listens which
// runs those are.
func (in *Ingester) catchUp(ctx context.Context) error {
	ids, parts := in.live.take()
	drained, err := in.store.Inbox().Drain(ctx)
	if err != nil {
		return err // what is pending waits in the inbox, and comes with it
	}
	ids = append(ids, drained...) // of those that failed to be drained before, nothing is pending
	done := map[string]bool{}
	for _, id := range ids {
		if done[id] {
			continue
		}
		together, runs, err := in.rederive(ctx, id, parts)
		if err != nil {
			return err
		}
		for _, other := range together {
			done[other] = true
		}
		in.changed.publish(runs)
	}
	return nil
}

// changedRuns returns the ids of the runs that a change removes or puts.
func changedRuns(change store.Change) []string {
	ids := slices.Clone(change.Remove)
	for _, t := range change.Runs {
		ids = append(ids, t.Leaderboard.RunID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
