// Package store keeps uploads and the runs derived from them in one SQLite
// file.
//
// Uploads are the truth: their bytes as they came, in tables made by numbered
// migrations. Everything else is derived from them, in tables made from the
// column tables of package enrich, and can be dropped and derived again.
//
// There is one writer and there are several readers. A change is one
// transaction, so that a kill loses at most the change in flight, and a reader
// sees a run whole, as it was before or as it is after.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	_ "github.com/mattn/go-sqlite3" // the driver named sqlite3
)

// ErrNotFound is the error of asking for what is not in the store.
var ErrNotFound = errors.New("not found")

// ErrNoColumn is the error of sorting by a column that does not exist.
var ErrNoColumn = errors.New("no such column")

// ErrInUse is the error of opening a store alone that another program has open.
var ErrInUse = errors.New("another smolscope has it open: use that one, or end it")

// readers is how many snapshots can be open at once; more wait.
const readers = 4

// A Store is an open database. Its methods may be called concurrently.
type Store struct {
	writer  *sql.DB
	readers *sql.DB
	blocks  blocks
	inbox   Inbox
	alone   *lock // nil of a store that others may write to
}

// Open opens the database at path, making it and its folder if they are not
// there, readable by the user alone, and brings its tables up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	if err := recognise(ctx, path); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	s := &Store{}
	s.inbox = Inbox{store: s, path: path + ".inbox"}
	if err := s.open(ctx, path); err != nil {
		s.Close()
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return s, nil
}

// OpenAlone is Open for a program that goes on writing: while the store is open,
// no other program can open it this way, and the error of those wraps ErrInUse.
func OpenAlone(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	// First of all: opening may change the tables.
	alone, err := newLock(ctx, path+".lock")
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	s, err := Open(ctx, path)
	if err != nil {
		return nil, errors.Join(err, alone.release())
	}
	s.alone = alone
	return s, nil
}

// create makes the file first, because SQLite would make it readable by others;
// SQLite gives the files beside it the same mode.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) open(ctx context.Context, path string) (err error) {
	if s.blocks.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest)); err != nil {
		return err
	}
	if s.blocks.decoder, err = zstd.NewReader(nil); err != nil {
		return err
	}
	s.writer, err = sql.Open("sqlite3", dsn(path,
		"_txlock=immediate", "_journal_mode=WAL", "_synchronous=NORMAL", "_busy_timeout=10000", "_foreign_keys=1"))
	if err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writer); err != nil {
		return err
	}
	if err := prepareDerived(ctx, s.writer); err != nil {
		return err
	}
	s.readers, err = sql.Open("sqlite3", dsn(path, "mode=ro", "_query_only=1", "_busy_timeout=10000"))
	if err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(readers)
	s.readers.SetMaxIdleConns(readers)
	return s.readers.PingContext(ctx)
}

// dsn names a file as SQLite's URI, in which a path may hold any character.
func dsn(path string, options ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(options, "&")}
	return u.String()
}

// Close waits for queries to end, moves what is in the write-ahead log into the
// database and closes it. A store that is not closed loses nothing.
func (s *Store) Close() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		_, err := s.writer.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
		errs = append(errs, err, s.writer.Close())
	}
	if s.inbox.file != nil {
		errs = append(errs, s.inbox.file.Close())
	}
	s.blocks.close()
	if s.alone != nil {
		errs = append(errs, s.alone.release())
	}
	return errors.Join(errs...)
}

// write runs f in one transaction: all of it is kept or nothing.
func (s *Store) write(ctx context.Context, f func(w *writing) error) error {
	return inTx(ctx, s.writer, func(tx *sql.Tx) error {
		return f(&writing{tx: tx, blocks: &s.blocks})
	})
}

func inTx(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
