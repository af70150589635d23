package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// A Share is a link by which one run is shown to whoever has it.
type Share struct {
	ID         string // by which lists name it; it opens nothing
	RunID      string
	Created    time.Time
	Expires    time.Time // zero: never
	Redacted   bool      // secrets and what names people are masked
	TextHidden bool      // prompts, responses and tool data are left out
	Revoked    bool
	Visits     int64
	Visited    time.Time // last; zero: never
}

// Over reports whether the link opens nothing any more.
func (s Share) Over(now time.Time) bool {
	return s.Revoked || !s.Expires.IsZero() && !now.Before(s.Expires)
}

// shareIDLength is how many hexadecimal digits of a token's hash name a share.
const shareIDLength = 16

const shareColumns = `token_hash, run_id, created_unix_nano, expires_unix_nano, redacted, text_hidden, revoked, visits, visited_unix_nano`

// PutShare keeps a share that token opens, of which only the hash is kept.
func (s *Store) PutShare(ctx context.Context, token string, share Share) error {
	return s.write(ctx, func(w *writing) error {
		sum := sha256.Sum256([]byte(token))
		_, err := w.tx.ExecContext(ctx, `
			INSERT INTO shares (token_hash, run_id, created_unix_nano, expires_unix_nano, redacted, text_hidden)
			VALUES (?, ?, ?, ?, ?, ?)`,
			sum[:], share.RunID, share.Created.UnixNano(), nanosOf(share.Expires), share.Redacted, share.TextHidden)
		return err
	})
}

// RevokeShare makes a share open nothing any more, given its token or its id. Its
// error wraps ErrNotFound if there is none that still does.
func (s *Store) RevokeShare(ctx context.Context, tokenOrID string) error {
	return s.write(ctx, func(w *writing) error {
		sum := sha256.Sum256([]byte(tokenOrID))
		done, err := w.tx.ExecContext(ctx, `
			UPDATE shares SET revoked = 1
			WHERE (token_hash = ?1 OR lower(hex(substr(token_hash, 1, ?3))) = ?2) AND NOT revoked`,
			sum[:], strings.ToLower(tokenOrID), shareIDLength/2)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("share: %w", ErrNotFound)
	})
}

// CountVisits adds to the visits of shares, by their ids.
func (s *Store) CountVisits(ctx context.Context, visits map[string]int64, at time.Time) error {
	return s.write(ctx, func(w *writing) error {
		for id, n := range visits {
			_, err := w.tx.ExecContext(ctx, `
				UPDATE shares SET visits = visits + ?2, visited_unix_nano = ?3
				WHERE lower(hex(substr(token_hash, 1, ?4))) = ?1`, id, n, at.UnixNano(), shareIDLength/2)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Share returns the share that a token opens, also one that is over; its error
// wraps ErrNotFound if there is none.
func (v *Snapshot) Share(ctx context.Context, token string) (Share, error) {
	sum := sha256.Sum256([]byte(token))
	list, err := v.shares(ctx, `WHERE token_hash = ?`, sum[:])
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("share: %w", ErrNotFound)
	}
	if err != nil {
		return Share{}, err
	}
	return list[0], nil
}

// Shares returns the shares of a run that were not revoked, the newest first.
func (v *Snapshot) Shares(ctx context.Context, run string) ([]Share, error) {
	return v.shares(ctx, `WHERE run_id = ? AND NOT revoked ORDER BY created_unix_nano DESC, token_hash`, run)
}

func (v *Snapshot) shares(ctx context.Context, rest string, args ...any) ([]Share, error) {
	rows, err := v.tx.QueryContext(ctx, `SELECT `+shareColumns+` FROM shares `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Share
	for rows.Next() {
		var s Share
		var hash []byte
		var created int64
		var expires, visited sql.NullInt64
		if err := rows.Scan(&hash, &s.RunID, &created, &expires, &s.Redacted, &s.TextHidden, &s.Revoked, &s.Visits, &visited); err != nil {
			return nil, err
		}
		s.ID = hex.EncodeToString(hash)[:shareIDLength]
		s.Created, s.Expires, s.Visited = time.Unix(0, created).UTC(), timeOf(expires), timeOf(visited)
		list = append(list, s)
	}
	return list, rows.Err()
}

// nanosOf returns what is stored of a time that may not be known.
func nanosOf(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

func timeOf(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}
