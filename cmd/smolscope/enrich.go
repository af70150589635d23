package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/decode/parquet"
)

type enrichCommand struct {
	Inputs []string `arg:"" name:"file" help:"Files, archives and folders with all that lies in them, or - for standard input."`
	outputFlags
	enrichFlags
	limitFlags
}

// Help is the long help text.
func (enrichCommand) Help() string {
	return `Files are told apart by what is in them, never by their names, and those of one run
are joined in whatever order they come. What is wrong in a file is said on standard
error; the exit status is 1 when a file was refused.

Example: the success rate of every run below a folder

  smolscope enrich results/ | jq '.runs[].leaderboard | {run_id, success_rate}'

Example: tables for a spreadsheet, one folder a run

  smolscope enrich results/ --format csv -o tables`
}

// Validate is called by kong once the flags are read.
func (c *enrichCommand) Validate() error {
	return cmp.Or(c.outputFlags.validate(), c.enrichFlags.validate(), c.limitFlags.validate())
}

// Run reads the files, enriches what they say and writes it.
func (c *enrichCommand) Run(std streams) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	var parts []*enrich.Part
	var files []enrich.File
	refused := false
	reader := decode.NewReader(c.limits(), parquet.Format)
	for _, in := range inputs(c.Inputs) {
		in.read(reader, std.in, func(path string, part *enrich.Part, file enrich.File) {
			report(std.err, path, file)
			refused = refused || file.Error != nil
			files = append(files, file)
			if part != nil {
				parts = append(parts, part)
			}
		})
	}
	var runs []*enrich.Tables
	for _, run := range enrich.Assemble(parts) {
		runs = append(runs, enrich.Enrich(run, options))
	}
	for _, left := range enrich.AllLeftOut(runs) {
		for i := range files {
			if files[i].SHA256 == left.Source {
				files[i].Warnings = append(files[i].Warnings, left.Warning())
				fmt.Fprintln(std.err, printable(files[i].Name+": "+left.Warning().Where+": "+left.Warning().Message))
			}
		}
	}
	if err := c.write(std, runs, files); err != nil {
		return err
	}
	if refused {
		return errRefused
	}
	return nil
}

// report prints what is wrong with a file, as compilers do.
func report(w io.Writer, path string, file enrich.File) {
	const most = 20
	if path == "-" {
		path = file.Name
	}
	for i, warning := range file.Warnings {
		if i == most {
			fmt.Fprintf(w, "%s: and %d more\n", printable(path), len(file.Warnings)-most)
			break
		}
		fmt.Fprintln(w, printable(path+atLine(warning.Where+": "+warning.Message)))
	}
	if file.Error != nil {
		fmt.Fprintln(w, printable(path+atLine(*file.Error)))
	}
}

// atLine puts a message behind a file's name, its line as compilers write it.
func atLine(message string) string {
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		return ":" + rest
	}
	return ": " + message
}

// printable keeps what a file holds from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, text)
}
