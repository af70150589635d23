package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is what -ldflags "-X main.version=v1.2.3" sets for a release.
var version = "dev"

type versionCommand struct{}

// Run prints the version, and what a report of a fault should name beside it.
func (versionCommand) Run(std streams) error {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value + " "
			}
		}
	}
	_, err := fmt.Fprintf(std.out, "smolscope %s (%s%s %s/%s)\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
