package main

import (
	"path/filepath"
	"runtime"
	"testing"
)

func TestDatabasePath(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the cases are Linux's")
	}
	for _, tt := range []struct {
		name, xdg, home string
		want            string
	}{
		{"XDG folder", "/data", "/home/u", "/data/smolscope/smolscope.db"},
		{"home", "", "/home/u", "/home/u/.local/share/smolscope/smolscope.db"},
		{"XDG folder that is relative is ignored", "data", "/home/u", "/home/u/.local/share/smolscope/smolscope.db"},
		{"neither", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("XDG_DATA_HOME", tt.xdg)
			t.Setenv("HOME", tt.home)
			got, err := databasePath("smolscope.db")
			if (err != nil) != (tt.want == "") || got != filepath.FromSlash(tt.want) {
				t.Errorf("databasePath = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
