package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes the database at path, as it is at one moment and whoever has it
// open, to a new file, and with it what waits in its inbox: all that was
// acknowledged before the call is in it. Its error wraps fs.ErrExist if the file is
// there already, and fs.ErrNotExist if the database is not.
func Backup(ctx context.Context, path, to string) (err error) {
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	if err := recognise(ctx, path); err != nil {
		return fmt.Errorf("database %s: %w", path, err)
	}
	folder, err := os.MkdirTemp(filepath.Dir(to), ".smolscope-backup-*") // beside it, to be renamed
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copied := filepath.Join(folder, "smolscope.db")

	// The inbox first, and what a server may seal meanwhile after it: whatever has
	// left both by then is in the database.
	for _, end := range []string{".inbox", ".inbox.full"} {
		text, err := os.ReadFile(path + end)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(copied+end, text, 0o600); err != nil {
			return err
		}
	}
	db, err := sql.Open("sqlite3", dsn(path, "_busy_timeout=10000"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, copied)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", path, err)
	}
	if err := os.Chmod(copied, 0o600); err != nil {
		return err
	}
	s, err := Open(ctx, copied)
	if err != nil {
		return err
	}
	_, err = s.Inbox().Drain(ctx)
	if err := errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("the inbox of the backup: %w", err)
	}
	return os.Rename(copied, to)
}
