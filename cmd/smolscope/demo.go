package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"smolscope/enrich/enrichtest"
	"smolscope/server"
)

// demoNotice stands on every page of the demo.
const demoNotice = "These are sample runs: smolscope made them up, and the models do not exist."

// loadDemo takes the sample runs in as if they were dropped on the page. Those
// that are there already change nothing.
func loadDemo(ctx context.Context, in *server.Ingester) error {
	for _, plan := range enrichtest.Demo() {
		run := enrichtest.New(plan)
		receipt, err := in.Ingest(ctx, func(yield func(server.NamedReader, error) bool) {
			for _, name := range slices.Sorted(maps.Keys(run.Files)) {
				file := server.NamedReader{Name: path.Join(run.Folder, name), Reader: bytes.NewReader(run.Files[name])}
				if !yield(file, nil) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
		for _, file := range receipt.Files {
			if file.Error != nil {
				return fmt.Errorf("%s", *file.Error)
			}
		}
	}
	return nil
}
