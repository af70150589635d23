package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// A lock keeps other programs from doing the same: an exclusive transaction in a
// file of its own, because SQLite locks files on every system, and the system
// lets go of them when a program is killed. The file stays, and stays empty.
type lock struct {
	db *sql.DB
	tx *sql.Tx
}

// newLock locks a file, made if it is not there. Its error wraps ErrInUse when
// another program has locked it.
func newLock(ctx context.Context, path string) (*lock, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", dsn(path, "_txlock=exclusive", "_busy_timeout=0"))
	if err != nil {
		return nil, err
	}
	// The lock outlives the context.
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		db.Close()
		// SQLite's words, because the driver's type is not there without cgo.
		if strings.Contains(err.Error(), "database is locked") {
			return nil, ErrInUse
		}
		return nil, err
	}
	return &lock{db, tx}, nil
}

func (l *lock) release() error { return errors.Join(l.tx.Rollback(), l.db.Close()) }
