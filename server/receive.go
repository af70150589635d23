package server

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"smolscope/enrich"
	"smolscope/server/store"
)

// pause is how long a resource must have been silent for what it sends next to
// be another run, if nothing in it names one.
const pause = 30 * time.Minute

// sessionDrop begins the drops of what was received over OTLP: the rest names
// the session by when it began and who sent it, and the folder is the key of that
// resource.
const sessionDrop = "otlp:"

// A session is what one resource sends without a long pause.
type session struct {
	drop string
	last time.Time // something came
}

// Receive stores a batch of OTLP spans or metric points, as it was sent, and
// returns what was wrong with it. When it returns, the batch is as safe as any
// upload; the runs that it is part of are derived a moment later, by Follow.
func (in *Ingester) Receive(dataset string, batch []byte) ([]enrich.Warning, error) {
	if empty := bytes.TrimSpace(batch); len(empty) == 0 || string(empty) == "{}" {
		return nil, nil
	}
	if !in.receiving.TryAcquire(int64(len(batch))) {
		return nil, errBusy
	}
	defer in.receiving.Release(int64(len(batch)))

	part, receipt := newReader(in.limits).Read("otlp "+dataset, bytes.NewReader(batch))
	switch {
	case part == nil && receipt.Error != nil:
		return nil, badBatch("%s", *receipt.Error)
	case part == nil || part.Rows() == 0:
		return receipt.Warnings, nil
	case !strings.HasPrefix(receipt.Format, "otlp-"):
		return nil, badBatch("it holds %s, not OTLP", receipt.Format)
	}
	id := receipt.SHA256
	places := in.sessionsOf(id, part.Resources())
	part.Sessions = sessionsAt(places)
	upload := store.Upload{Receipt: receipt, Size: int64(len(batch)), Received: in.now()}
	if err := in.store.Inbox().Put(upload, part.Keys(), places, batch); err != nil {
		return nil, err
	}
	in.live.add(id, part)
	return receipt.Warnings, nil
}

// sessionsOf returns the sessions that a batch of these resources is part of, as
// places of its upload.
func (in *Ingester) sessionsOf(id string, resources []*enrich.Resource) []store.Place {
	in.sessionsMu.Lock()
	defer in.sessionsMu.Unlock()
	now := in.now()
	var places []store.Place
	for _, r := range resources {
		key := r.Key()
		if slices.ContainsFunc(places, func(p store.Place) bool { return p.Folder == key }) {
			continue
		}
		s, ok := in.sessions[key]
		if !ok || now.Sub(s.last) > pause {
			s.drop = fmt.Sprintf("%s%016x-%s", sessionDrop, now.UnixNano(), key)
		}
		s.last = now
		in.sessions[key] = s
		places = append(places, store.Place{SHA256: id, Drop: s.drop, Folder: key})
	}
	return places
}

// sessionsAt returns the sessions of an upload by its places, for its part.
func sessionsAt(places []store.Place) map[string]string {
	var sessions map[string]string
	for _, p := range places {
		if strings.HasPrefix(p.Drop, sessionDrop) {
			if sessions == nil {
				sessions = map[string]string{}
			}
			sessions[p.Folder] = p.Drop
		}
	}
	return sessions
}

// resume takes up the sessions that were going on when the program ended, and the
// uploads that no run was derived of.
func (in *Ingester) resume(ctx context.Context) error {
	if _, err := in.store.Inbox().Drain(ctx); err != nil {
		return err
	}
	err := in.store.Read(ctx, func(v *store.Snapshot) error {
		recent, err := v.Recent(ctx, sessionDrop, in.now().Add(-pause))
		if err != nil {
			return err
		}
		in.sessionsMu.Lock()
		for _, r := range recent {
			if s, ok := in.sessions[r.Folder]; !ok || s.last.Before(r.Received) {
				in.sessions[r.Folder] = session{r.Drop, r.Received}
			}
		}
		in.sessionsMu.Unlock()
		pending, err := v.Underived(ctx)
		for _, id := range pending {
			in.live.add(id, nil)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take up what was being received: %w", err)
	}
	return nil
}
