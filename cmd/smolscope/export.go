package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"smolscope/enrich"
	"smolscope/enrich/redact"
	"smolscope/server/store"
)

type exportCommand struct {
	Runs []string `arg:"" name:"run" help:"Ids of the runs."`
	DB   string   `name:"db" placeholder:"PATH" help:"Database file. By default smolscope.db in your data folder."`
	outputFlags
	Redact   bool `help:"Mask keys, tokens, passwords, e-mail addresses and names in paths of home folders."`
	HideText bool `help:"Leave out prompts, responses, what tools were given and gave, and errors; masks, too."`
}

// Help is the long help text.
func (exportCommand) Help() string {
	return `What is written can be read again, by this program too.

Example: a run's datasets as Parquet, in a folder of its own

  smolscope export 3f1c9f0e --format parquet -o tables`
}

// Validate is called by kong once the flags are read.
func (c *exportCommand) Validate() error { return c.outputFlags.validate() }

// Run writes the runs.
func (c *exportCommand) Run(ctx context.Context, std streams) error {
	db, err := openStored(ctx, c.DB)
	if err != nil {
		return err
	}
	defer db.Close()
	mask := redact.Mask{Secrets: c.Redact || c.HideText, Text: c.HideText}
	var runs []*enrich.Tables
	files := map[string]enrich.File{} // by SHA-256: several runs can be made of one
	err = db.Read(ctx, func(v *store.Snapshot) error {
		v = v.Masked(mask)
		for _, id := range slices.Compact(slices.Sorted(slices.Values(c.Runs))) {
			run, err := v.Tables(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("there is no run %q", id)
			}
			if err != nil {
				return err
			}
			of, err := v.Files(ctx, id)
			if err != nil {
				return err
			}
			for _, f := range of {
				files[f.SHA256] = f
			}
			runs = append(runs, run)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.write(std, runs, slices.Collect(maps.Values(files)))
}
