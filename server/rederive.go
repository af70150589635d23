package server

import (
	"context"
	"errors"
	"fmt"

	"smolscope/enrich"
	"smolscope/server/store"
)

// A Progress says how far deriving runs again has come, by uploads.
type Progress struct {
	Deriving    bool // it is going on
	Missing     bool // runs cannot be read before it is done
	Done, Total int
	Failed      int // of which no run could be derived
}

// Progress returns how far deriving runs again has come, or came.
func (in *Ingester) Progress() Progress {
	if p := in.progress.Load(); p != nil {
		return *p
	}
	return Progress{}
}

// Rederive derives all runs from the stored uploads, if the rules, the settings
// or the columns have changed since they were derived. Each run is replaced in
// one transaction, and can be read as it was until then; one that cannot be
// derived stays as it was, with a warning on the receipts of its files. It can
// be broken off at any time and begins anew when called again.
func (in *Ingester) Rederive(ctx context.Context) error {
	if err := in.store.Follow(ctx, rulesOf(in.options)); err != nil {
		return err
	}
	var stands store.Derivation
	var uploads []string
	err := in.store.Read(ctx, func(v *store.Snapshot) (err error) {
		if stands, err = v.Derivation(ctx); err != nil || !stands.Stale {
			return err
		}
		uploads, err = v.Uploads(ctx)
		return err
	})
	if err != nil || !stands.Stale {
		return err
	}
	at := Progress{Deriving: true, Missing: stands.Missing, Total: len(uploads)}
	tell := func() { now := at; in.progress.Store(&now) }
	tell()
	defer func() { at.Deriving = false; tell() }()
	in.log.Info("deriving runs again", "uploads", len(uploads))

	done := map[string]bool{} // or given up
	fail := func(id string, err error) error {
		in.log.Error("could not derive the runs of an upload", "upload", id, "error", err)
		at.Failed++
		done[id] = true
		return in.store.Warn(ctx, id, enrich.Warning{Where: "file",
			Message: fmt.Sprintf("its runs could not be derived again and are as they were: %v", err)})
	}
	// First the keys of all, since they say what belongs together.
	for _, id := range uploads {
		err := in.rekey(ctx, id)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, store.ErrNotFound) { // undone meanwhile
			done[id] = true
			continue
		}
		if err == nil {
			continue
		}
		if err := fail(id, err); err != nil { // the others still can be derived
			return err
		}
	}
	for _, id := range uploads {
		if done[id] {
			continue
		}
		together, _, err := in.rederive(ctx, id, nil)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if err := fail(id, err); err != nil {
				return err
			}
		}
		for _, other := range together {
			done[other] = true
		}
		at.Done = len(done)
		tell()
	}
	at.Missing = false
	return in.store.MarkDerived(ctx)
}

func (in *Ingester) rekey(ctx context.Context, id string) error {
	in.changing.Lock()
	defer in.changing.Unlock()
	var receipt enrich.File
	var keys []string
	err := in.store.Read(ctx, func(v *store.Snapshot) error {
		part, again, err := reread(ctx, v, id, in.limits)
		if part != nil {
			keys = part.Keys()
		}
		receipt = again
		return err
	})
	if err != nil {
		return err
	}
	return in.store.Reread(ctx, receipt, keys)
}

// rederive derives the runs that an upload is part of, and returns all uploads
// that were derived with it, and the runs that have changed. parts are those of
// uploads that need not be read.
func (in *Ingester) rederive(ctx context.Context, id string, parts map[string]*enrich.Part) (together, runs []string, err error) {
	in.changing.Lock()
	defer in.changing.Unlock()
	var change store.Change
	err = in.store.Read(ctx, func(v *store.Snapshot) (err error) {
		g := &gathering{view: v, parts: map[string]*enrich.Part{}, known: parts, ids: []string{id}}
		if change, _, err = in.derive(ctx, g); err != nil {
			return err
		}
		together = g.ids
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return together, changedRuns(change), in.store.Apply(ctx, change)
}
