package store

import (
	"context"
	"fmt"
	"time"
)

// append stores one upload and where it came from, and derives nothing. Bytes that
// are stored already change nothing but their places.
func (w *writing) append(ctx context.Context, u NewUpload, places []Place) error {
	var known bool
	err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM uploads WHERE sha256 = ?)`, u.Receipt.SHA256).Scan(&known)
	if err != nil {
		return err
	}
	if !known {
		if err := w.putUpload(ctx, u); err != nil {
			return fmt.Errorf("store upload %s: %w", u.Receipt.SHA256, err)
		}
	}
	for _, p := range places {
		if err := w.putPlace(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// Underived returns the SHA-256 of the uploads that are part of no run, sorted.
func (v *Snapshot) Underived(ctx context.Context) ([]string, error) {
	return texts(ctx, v.tx, `
		SELECT sha256
		FROM uploads
		WHERE NOT EXISTS (SELECT 1 FROM run_sources WHERE run_sources.sha256 = uploads.sha256)
		ORDER BY sha256`)
}

// A RecentPlace is a place and when something last came from it.
type RecentPlace struct {
	Drop, Folder string
	Received     time.Time
}

// Recent returns the places whose drops begin with prefix, of uploads that were
// received at a time or later.
func (v *Snapshot) Recent(ctx context.Context, prefix string, since time.Time) ([]RecentPlace, error) {
	rows, err := v.tx.QueryContext(ctx, `
		SELECT p.drop_id, p.folder, MAX(u.received_unix_nano)
		FROM upload_places AS p
		JOIN uploads AS u ON u.sha256 = p.sha256
		WHERE u.received_unix_nano >= ? AND p.drop_id >= ? AND p.drop_id < ?
		GROUP BY p.drop_id, p.folder
		ORDER BY p.drop_id, p.folder`, since.UnixNano(), prefix, prefix+"\uffff")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []RecentPlace
	for rows.Next() {
		var p RecentPlace
		var received int64
		if err := rows.Scan(&p.Drop, &p.Folder, &received); err != nil {
			return nil, err
		}
		p.Received = time.Unix(0, received).UTC()
		list = append(list, p)
	}
	return list, rows.Err()
}
