package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"smolscope/enrich"
	"smolscope/enrich/decode/parquet"
	"smolscope/enrich/export"
)

// outputFlags say in which form and where runs are written, the same for every
// command that does so.
type outputFlags struct {
	Format string `enum:"json,jsonl,csv,parquet" default:"json" help:"Format of the output: ${enum}. json is one object with everything in it; the others need -o DIR."`
	Output string `short:"o" default:"-" placeholder:"DIR" help:"Folder to write to: one folder a run, with a file for each dataset. - is standard output."`
}

// validate is for the Validate of each command; see enrichFlags.
func (f *outputFlags) validate() error {
	if f.Format != "json" && f.Output == "-" {
		return fmt.Errorf("--format %s writes several files: say where with -o DIR", f.Format)
	}
	return nil
}

// write writes the runs, and to standard output what files they were made of.
func (f *outputFlags) write(std streams, runs []*enrich.Tables, files []enrich.File) error {
	if f.Output == "-" {
		return export.Document(std.out, version, runs, files)
	}
	slices.SortFunc(runs, func(a, b *enrich.Tables) int {
		return cmp.Compare(a.Leaderboard.RunID, b.Leaderboard.RunID)
	})
	for _, run := range runs {
		folder := filepath.Join(f.Output, export.FolderName(run.Leaderboard.RunID))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		create := func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(folder, name)) }
		err := export.Files(f.Format, create, func(w io.Writer, dataset string) error {
			if f.Format == "parquet" {
				return parquet.Dataset(w, run, dataset)
			}
			return export.Dataset(w, run, f.Format, dataset)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(std.err, "wrote %s: %d tests, %d traces\n", folder, len(run.Results), len(run.Traces))
	}
	return nil
}
