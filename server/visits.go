package server

import (
	"context"
	"sync"
	"time"
)

// visits counts how often links were opened, until they are stored.
type visits struct {
	mu sync.Mutex
	n  map[string]int64
}

func (v *visits) add(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.n == nil {
		v.n = map[string]int64{}
	}
	v.n[id]++
}

// storeVisits stores what was counted since it was called last.
func (s *Server) storeVisits(ctx context.Context) {
	s.visits.mu.Lock()
	n := s.visits.n
	s.visits.n = nil
	s.visits.mu.Unlock()
	if len(n) == 0 {
		return
	}
	if err := s.Store.CountVisits(ctx, n, s.ingester.now()); err != nil {
		s.Log.Warn("visits of links were not counted", "error", err)
	}
}

// countVisits stores the visits every few seconds until ctx is done.
func (s *Server) countVisits(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.storeVisits(ctx)
		case <-ctx.Done():
			s.storeVisits(context.WithoutCancel(ctx))
			return
		}
	}
}
