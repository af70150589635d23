package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"smolscope/server/store"
)

type backupCommand struct {
	File string `arg:"" help:"File to write, which must not be there yet."`
	DB   string `name:"db" placeholder:"PATH" help:"Database file. By default smolscope.db in your data folder."`
}

// Help is the long help text.
func (backupCommand) Help() string {
	return `Copies the database as it is at one moment, also while smolscope serves and receives. The
copy is a database itself: smolscope serve --db FILE shows it.`
}

// Run writes the backup.
func (c *backupCommand) Run(ctx context.Context, std streams) error {
	path, err := databaseAt(c.DB)
	if err != nil {
		return err
	}
	switch err := store.Backup(ctx, path, c.File); {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already: choose another name, or move it away", c.File)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no database to back up: %w", err)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(std.err, "wrote %s\n", c.File)
	return err
}
