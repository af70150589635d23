package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"
	"syscall"

	"smolscope/enrich"
	"smolscope/server"
	"smolscope/server/hub"
	"smolscope/server/store"
	"smolscope/views"
)

type importCommand struct {
	Inputs []string `arg:"" name:"file" help:"Files, folders with all that lies in them, addresses of the web, hf://datasets/OWNER/NAME, or - for standard input."`
	Server string   `placeholder:"URL" help:"Import into the smolscope that serves there, by its rules, and not into a database."`
	DB     string   `name:"db" placeholder:"PATH" help:"Database file, made where there is none. By default smolscope.db in your data folder."`
	enrichFlags
	limitFlags
}

// Help is the long help text.
func (importCommand) Help() string {
	return `Files are told apart by what is in them, and those of one run are joined in whatever
order they come. A dataset of the Hugging Face Hub that is a leaderboard brings the
datasets that its rows name. HF_TOKEN opens private ones; HF_ENDPOINT names another Hub.
What was imported before changes nothing. The exit status is 1 when a file was refused.

Example: all runs below a folder

  smolscope import results/

Example: into a smolscope that is running

  smolscope import results/ --server http://127.0.0.1:8080

Example: every run of a leaderboard

  smolscope import hf://datasets/acme/smoltrace-leaderboard`
}

// Validate is called by kong once the flags are read.
func (c *importCommand) Validate() error {
	if u, err := url.Parse(c.Server); c.Server != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("--server %s: want an address such as http://127.0.0.1:8080", c.Server)
	}
	if _, _, _, err := c.sources(); err != nil {
		return err
	}
	return cmp.Or(c.enrichFlags.validate(), c.limitFlags.validate())
}

// sources divides the arguments by where they lead, and returns the client of the
// Hub.
func (c *importCommand) sources() (client *hub.Client, paths, others []string, err error) {
	client, err = hub.New(os.Getenv("HF_ENDPOINT"), os.Getenv("HF_TOKEN"))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("HF_ENDPOINT: %w", err)
	}
	for _, arg := range c.Inputs {
		switch scheme, _, found := strings.Cut(arg, "://"); {
		case !found:
			paths = append(paths, arg)
		case scheme == "http" || scheme == "https":
			others = append(others, arg)
		default:
			if _, err := client.Dataset(arg); err != nil {
				return nil, nil, nil, err
			}
			others = append(others, arg)
		}
	}
	return client, paths, others, nil
}

// Run imports the files and prints the receipt.
func (c *importCommand) Run(ctx context.Context, std streams) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ingest := c.post
	if c.Server == "" {
		in, done, err := c.open(ctx, std)
		if err != nil {
			return err
		}
		defer done()
		ingest = in.Ingest
	}
	meter := newMeter(std.err)
	defer meter.close()
	var receipt views.Receipt
	refuse := func(f enrich.File) { receipt.Files = append(receipt.Files, f) }
	err := batches(c.files(ctx, std, meter, refuse), meter.full, func(files iter.Seq2[server.NamedReader, error]) error {
		got, err := ingest(ctx, files)
		receipt = joined(receipt, got)
		return err
	})
	meter.close()
	if err != nil && len(receipt.Files) == 0 {
		return err
	}
	if err := printReceipt(std.out, receipt, c.Server); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("what comes behind was not imported: %w", err)
	}
	if slices.ContainsFunc(receipt.Files, func(f enrich.File) bool { return f.Error != nil }) {
		return errRefused
	}
	return nil
}

// open opens the database, its runs up to date.
func (c *importCommand) open(ctx context.Context, std streams) (in *server.Ingester, done func() error, err error) {
	options, err := c.options()
	if err != nil {
		return nil, nil, err
	}
	path, err := databaseAt(c.DB)
	if err != nil {
		return nil, nil, err
	}
	db, err := store.OpenAlone(ctx, path)
	if errors.Is(err, store.ErrInUse) {
		return nil, nil, fmt.Errorf("%w; with --server and its address, files are imported through that one", err)
	}
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	in = server.NewIngester(db, log, options, c.limits())
	if err = in.Rederive(ctx); err == nil {
		err = in.CatchUp(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return in, db.Close, nil
}

// files yields all that the arguments name: files, those of one folder one after
// the other, then what has to be fetched.
func (c *importCommand) files(ctx context.Context, std streams, m *meter, refuse func(enrich.File)) iter.Seq2[server.NamedReader, error] {
	return func(yield func(server.NamedReader, error) bool) {
		client, paths, others, err := c.sources()
		if err != nil {
			yield(server.NamedReader{}, err)
			return
		}
		local := inputs(paths)
		slices.SortStableFunc(local, func(a, b input) int { return strings.Compare(path.Dir(a.name), path.Dir(b.name)) })
		for _, in := range local {
			m.expect(in.size())
		}
		for _, in := range local {
			content, _, done, err := in.open(std.in)
			if err != nil {
				refuse(in.refusal(err))
				continue
			}
			if in.path == "-" {
				in.name = "stdin"
			}
			more := yield(server.NamedReader{Name: in.name, Reader: m.reading(in.name, content)}, nil)
			done()
			if !more {
				return
			}
		}
		var datasets []string
		for _, arg := range others {
			if dataset, err := client.Dataset(arg); err == nil {
				datasets = append(datasets, dataset)
			} else if !fetch(ctx, client, arg, m, refuse, yield) {
				return
			}
		}
		d := server.Datasets{Hub: client, Limits: c.limits(), Refused: refuse, Listed: func(dataset string, files int, size int64) error {
			m.say(fmt.Sprintf("hf://datasets/%s: %s, %s", dataset, counted(files, "file"), bytesOf(size)))
			m.expect(size)
			return nil
		}}
		for file, err := range d.Files(ctx, datasets...) {
			if err == nil {
				file.Reader = m.reading(file.Name, file.Reader)
			}
			if !yield(file, err) {
				return
			}
		}
	}
}

// fetch yields what is at an address of the web, named by its host and path.
func fetch(ctx context.Context, client *hub.Client, address string, m *meter, refuse func(enrich.File), yield func(server.NamedReader, error) bool) bool {
	u, err := url.Parse(address)
	if err != nil {
		refuse(input{name: address}.refusal(errors.New("this is no address of the web")))
		return true
	}
	name := path.Join(u.Host, u.Path)
	body, size, err := client.Fetch(ctx, address)
	if ctx.Err() != nil {
		return yield(server.NamedReader{}, context.Cause(ctx))
	}
	if err != nil {
		refuse(input{name: name}.refusal(err))
		return true
	}
	defer body.Close()
	m.say(fmt.Sprintf("%s: %s", u.Redacted(), bytesOf(size)))
	m.expect(size)
	return yield(server.NamedReader{Name: name, Reader: m.reading(name, body)}, nil)
}

// batches calls ingest with the files until full says that it is enough for once,
// and again with the rest. Files that come one after the other and lie in one
// folder are never divided.
func batches(files iter.Seq2[server.NamedReader, error], full func() bool, ingest func(iter.Seq2[server.NamedReader, error]) error) error {
	next, stop := iter.Pull2(files)
	defer stop()
	file, failed, more := next()
	for more {
		err := ingest(func(yield func(server.NamedReader, error) bool) {
			for more {
				folder := path.Dir(file.Name)
				if !yield(file, failed) {
					more = false
					return
				}
				file, failed, more = next()
				if more && failed == nil && path.Dir(file.Name) != folder && full() {
					return
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// joined returns one receipt for two batches, of which b came later.
func joined(a, b views.Receipt) views.Receipt {
	a.Files = append(a.Files, b.Files...)
	for _, run := range b.Runs {
		i := slices.IndexFunc(a.Runs, func(r views.ReceiptRun) bool { return r.RunID == run.RunID })
		if i < 0 {
			a.Runs = append(a.Runs, run)
			continue
		}
		run.New = run.New || a.Runs[i].New
		a.Runs[i] = run
	}
	return a
}

// printReceipt prints what became of each file, and which runs came of them; base
// is the address of the server that has them, if there is one.
func printReceipt(w io.Writer, r views.Receipt, base string) error {
	slices.SortStableFunc(r.Files, func(a, b enrich.File) int { return strings.Compare(a.Name, b.Name) })
	page := views.NewUploadPage(&r)
	var text strings.Builder
	line := func(format string, args ...any) {
		text.WriteString(printable(fmt.Sprintf(format, args...)))
		text.WriteByte('\n')
	}
	line("%s", page.Verdict)
	for _, run := range page.Runs {
		at := ""
		if base != "" {
			at = "  " + strings.TrimRight(base, "/") + run.Href
		}
		line("run %s: %s%s", run.ID, run.Text, at)
	}
	for i, f := range page.Files {
		if f.Status == "refused" {
			line("refused    %s", f.Name+atLine(f.Error))
			continue
		}
		line("%-10s %s: %s, %s", f.Status, f.Name, f.Format, rowsOf(r.Files[i]))
		if f.Error != "" {
			line("  error: %s", f.Name+atLine(f.Error))
		}
		for _, warning := range f.Warnings {
			line("  warning: %s", f.Name+atLine(warning))
		}
		if f.Rest != "" {
			line("  %s", f.Rest)
		}
		for _, repair := range f.Repairs {
			line("  mended: %s", repair)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func rowsOf(f enrich.File) string {
	text := counted(f.Rows, "row")
	if f.Spans > 0 {
		text += ", " + counted(f.Spans, "span")
	}
	return text
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
