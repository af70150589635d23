package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

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
