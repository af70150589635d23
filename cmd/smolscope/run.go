package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// streams are where a command reads and writes: results go to out, all else to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exit statuses of the contract.
const (
	done = iota
	no
	wrongUsage
)

// errRefused says that a command did its work but the answer is no. What was
// refused, and why, is printed by then.
var errRefused = errors.New("refused")

// run runs one command line and returns its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var commands struct {
		Serve   serveCommand   `cmd:"" default:"withargs" help:"Serve the dashboard (the default command)."`
		Enrich  enrichCommand  `cmd:"" help:"Print the enriched datasets of files; no server, no database."`
		Import  importCommand  `cmd:"" help:"Take files, folders, addresses or datasets of the Hub into a database."`
		Prices  pricesCommand  `cmd:"" help:"Show the price that a model's name leads to."`
		Ls      lsCommand      `cmd:"" help:"List the runs of a database or a server."`
		Export  exportCommand  `cmd:"" help:"Write stored runs as JSON, JSON lines, CSV or Parquet."`
		Backup  backupCommand  `cmd:"" help:"Copy the database to a file, also while it is served."`
		Compare compareCommand `cmd:"" help:"Compare runs test by test, and fail on a regression if asked."`
		Record  recordCommand  `cmd:"" help:"Run a command and write what the GPUs do meanwhile."`
		Share   shareCommand   `cmd:"" help:"Make a link that shows one run to others."`
		Unshare unshareCommand `cmd:"" help:"Revoke a link."`
		Version versionCommand `cmd:"" help:"Print the version."`
	}
	exited := false // by --help, which kong answers while it parses
	parser := kong.Must(&commands,
		kong.Name("smolscope"),
		kong.Description("A dashboard for people who evaluate LLM agents."),
		kong.DefaultEnvars("SMOLSCOPE"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams{in: stdin, out: stdout, err: stderr}),
	)
	command, err := parser.Parse(args)
	if exited {
		return done
	}
	if err != nil {
		fmt.Fprintf(stderr, "smolscope: %v\nRun \"%s --help\" to see what is allowed.\n", err, commandOf(args, err))
		return wrongUsage
	}
	err = command.Run()
	status, ofCommand := errors.AsType[errStatus](err)
	switch {
	case errors.Is(err, errRefused):
		return no
	case ofCommand && err.Error() == status.Error(): // and nothing went wrong besides
		return int(status)
	case err != nil:
		fmt.Fprintf(stderr, "smolscope: %v\n", err)
		return no
	}
	return done
}

// commandOf returns the command that a wrong command line was meant for. It is
// serve only where serve was written: without a command, anything was meant.
func commandOf(args []string, err error) string {
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		if node := parse.Context.Selected(); node != nil && len(args) > 0 && args[0] == node.Name {
			return "smolscope " + node.Name
		}
	}
	return "smolscope"
}
