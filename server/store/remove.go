package store

import (
	"context"
	"fmt"
	"slices"
)

// RemoveUploads removes uploads and derives the runs that they were part of
// again from what is left, all of it in one transaction. What they were dropped
// with stays, but forgets that drop where it came in another one too.
//
// Around names the other uploads whose runs may have changed by these. For each,
// derive is called with the store as it is then, without those runs; it says what
// they are now, and which uploads were derived together with that one.
func (s *Store) RemoveUploads(ctx context.Context, sha256s, around []string,
	derive func(v *Snapshot, upload string) (c Change, together []string, err error)) error {
	return s.write(ctx, func(w *writing) error {
		v := &Snapshot{tx: w.tx, blocks: w.blocks}
		runs, err := v.RunsOf(ctx, slices.Concat(sha256s, around)...)
		if err != nil {
			return err
		}
		for _, run := range runs {
			if err := w.removeRun(ctx, run); err != nil {
				return fmt.Errorf("remove run %q: %w", run, err)
			}
		}
		if err := w.removeUploads(ctx, sha256s); err != nil {
			return err
		}
		done := map[string]bool{}
		for _, id := range sha256s {
			done[id] = true
		}
		for _, id := range around {
			if done[id] {
				continue
			}
			c, together, err := derive(v, id)
			if err != nil {
				return err
			}
			if err := w.apply(ctx, c); err != nil {
				return err
			}
			for _, other := range together {
				done[other] = true
			}
		}
		return nil
	})
}

// removeUploads removes uploads with their bytes, keys and places, and the drops
// that only they brought something new with.
func (w *writing) removeUploads(ctx context.Context, sha256s []string) error {
	drops, err := texts(ctx, w.tx, `
		SELECT DISTINCT drop_id
		FROM upload_places
		WHERE sha256 IN (SELECT value FROM json_each(?))
		ORDER BY drop_id`, jsonList(sha256s))
	if err != nil {
		return err
	}
	_, err = w.tx.ExecContext(ctx, `DELETE FROM uploads WHERE sha256 IN (SELECT value FROM json_each(?))`, jsonList(sha256s))
	if err != nil {
		return err
	}
	for _, drop := range drops {
		_, err := w.tx.ExecContext(ctx, `
			DELETE FROM upload_places
			WHERE drop_id = ?1 AND NOT EXISTS (
				SELECT 1
				FROM upload_places AS here
				WHERE here.drop_id = ?1 AND NOT EXISTS (
					SELECT 1
					FROM upload_places AS other
					WHERE other.sha256 = here.sha256 AND other.drop_id <> ?1))`, drop)
		if err != nil {
			return err
		}
	}
	return nil
}
