package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"smolscope/server/store"
)

// databaseAt returns the path of the database, given that of --db, which may be "".
func databaseAt(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	return databasePath("smolscope.db")
}

// openStored opens the database, given the path of --db. It must be there already.
func openStored(ctx context.Context, path string) (*store.Store, error) {
	path, err := databaseAt(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no database to read: %w", err)
	}
	return store.Open(ctx, path)
}

// databasePath returns where a database of ours lies when --db is not given: in
// the user's data folder, by each system's custom.
func databasePath(name string) (string, error) {
	var data string
	switch runtime.GOOS {
	case "darwin":
		if home, err := os.UserHomeDir(); err == nil {
			data = filepath.Join(home, "Library", "Application Support")
		}
	case "windows":
		data = os.Getenv("LocalAppData")
	default:
		data = os.Getenv("XDG_DATA_HOME")
		if !filepath.IsAbs(data) { // which the XDG specification says to ignore
			data = ""
		}
		if home, err := os.UserHomeDir(); data == "" && err == nil {
			data = filepath.Join(home, ".local", "share")
		}
	}
	if data == "" {
		return "", fmt.Errorf("no data folder for %s is known on this machine: say where with --db", name)
	}
	return filepath.Join(data, "smolscope", name), nil
}
