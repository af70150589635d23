package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/server/store"
	"smolscope/views"
)

// A NamedReader is one file of an upload. Its name may hold the path of the
// folder it lies in, as browsers send it with a dropped folder.
type NamedReader struct {
	Name string
	io.Reader
}

// An Ingester turns files into stored runs: it is the one place that joins
// decode, enrich and store. It changes the store one upload at a time.
type Ingester struct {
	store    *store.Store
	log      *slog.Logger
	now      func() time.Time
	changing sync.Mutex
	deriving atomic.Bool
}

// NewIngester returns an ingester that writes to a store.
func NewIngester(s *store.Store, log *slog.Logger) *Ingester {
	return &Ingester{store: s, log: log, now: time.Now}
}

// Deriving reports whether runs are being derived again and some are missing.
func (in *Ingester) Deriving() bool { return in.deriving.Load() }

// Ingest reads files, of which each is read to its end before the next is
// asked for, stores those in which something was usable, and derives the runs
// that they are part of. A file that is bad does not keep the others from being
// taken. An error of reading the files means that nothing was changed; an error
// of storing them, that those of some folders may have been.
//
// Files in one folder belong together, and so do those in none. A file that was
// stored before changes nothing.
func (in *Ingester) Ingest(ctx context.Context, files iter.Seq2[NamedReader, error]) (views.Receipt, error) {
	spool, err := newSpool()
	if err != nil {
		return views.Receipt{}, err
	}
	defer spool.close()
	var taken []takenFile
	for file, err := range files {
		if err != nil {
			return views.Receipt{}, err
		}
		t, err := take(spool, file)
		if err != nil {
			return views.Receipt{}, err
		}
		taken = append(taken, t)
	}

	in.changing.Lock()
	defer in.changing.Unlock()
	before, err := in.store.Snapshot(ctx)
	if err != nil {
		return views.Receipt{}, err
	}
	defer before.Close()
	fresh, err := sift(ctx, before, taken)
	if err != nil {
		return views.Receipt{}, err
	}
	for _, together := range byFolder(fresh) {
		if err := in.add(ctx, together); err != nil {
			return views.Receipt{}, err
		}
	}
	return in.receipt(ctx, before, taken)
}

// A takenFile is a file of an upload, read.
type takenFile struct {
	receipt enrich.File
	part    *enrich.Part // nil when nothing was usable
	folder  string
	bytes   section
}

func take(s *spool, file NamedReader) (takenFile, error) {
	name := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(file.Name, `\`, "/")), "/")
	t := takenFile{folder: strings.TrimPrefix(path.Dir("/"+name), "/")}
	in, done := s.copying(file.Reader)
	t.part, t.receipt = decode.Read(name, in)
	var err error
	if t.bytes, err = done(); err != nil {
		return takenFile{}, fmt.Errorf("read %s: %w", name, err)
	}
	return t, nil
}

// sift returns the files that are new to the store, and notes on the receipts
// of the others that they are not.
func sift(ctx context.Context, v *store.Snapshot, taken []takenFile) ([]*takenFile, error) {
	var fresh []*takenFile
	seen := map[string]bool{}
	for i := range taken {
		t := &taken[i]
		if t.part == nil {
			continue
		}
		switch _, err := v.Upload(ctx, t.receipt.SHA256); {
		case err == nil:
			t.receipt.Repairs = append(t.receipt.Repairs, views.Unchanged)
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		case seen[t.receipt.SHA256]:
			t.receipt.Repairs = append(t.receipt.Repairs, "the same bytes came twice in this upload: they count once")
		default:
			fresh = append(fresh, t)
		}
		seen[t.receipt.SHA256] = true
	}
	return fresh, nil
}

// byFolder groups files that are to be assembled together. Files of different
// folders meet only through what they say.
func byFolder(files []*takenFile) [][]*takenFile {
	slices.SortFunc(files, func(a, b *takenFile) int {
		return cmp.Or(cmp.Compare(a.folder, b.folder), cmp.Compare(a.receipt.SHA256, b.receipt.SHA256))
	})
	var groups [][]*takenFile
	for i, f := range files {
		if i == 0 || files[i-1].folder != f.folder {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], f)
	}
	return groups
}

// add stores files that were dropped together, and the runs that come of them
// and of all that was stored before and belongs with them.
func (in *Ingester) add(ctx context.Context, files []*takenFile) error {
	drop := sha256.New()
	var parts []*enrich.Part
	var keys []string
	for _, f := range files {
		io.WriteString(drop, f.receipt.SHA256)
		parts = append(parts, f.part)
		keys = append(keys, f.part.Keys()...)
	}
	dropID := hex.EncodeToString(drop.Sum(nil)[:16])
	for _, f := range files {
		f.part.Group = groupOf(dropID, f.folder)
	}
	change, unused, err := in.derive(ctx, parts, keys, nil)
	if err != nil {
		return err
	}
	now := in.now()
	for _, f := range files {
		if run, ok := unused[f.receipt.SHA256]; ok {
			f.receipt.Warnings = append(f.receipt.Warnings, enrich.Warning{Where: "run " + run,
				Message: "other files say more of this run, and not the same; this one is kept but not used"})
		}
		change.Uploads = append(change.Uploads, store.NewUpload{
			Upload: store.Upload{
				Receipt: f.receipt, Folder: f.folder, Drop: dropID,
				Size: f.bytes.size, Received: now,
			},
			Keys:  f.part.Keys(),
			Bytes: f.bytes.reader(),
		})
	}
	return in.store.Apply(ctx, change)
}

// groupOf names what came in one folder of one drop: files that came together
// belong together before any that came at another time, whatever their folders
// are called.
func groupOf(drop, folder string) string { return drop + "/" + folder }

// derive assembles parts with all stored uploads that belong with them by their
// keys, and with the given uploads, and says what is to change, and which
// uploads are not used in which run.
func (in *Ingester) derive(ctx context.Context, parts []*enrich.Part, keys, uploads []string) (change store.Change, unused map[string]string, err error) {
	err = in.store.Read(ctx, func(v *store.Snapshot) error {
		have := map[string]bool{}
		for {
			if uploads, err = v.Related(ctx, keys, uploads); err != nil {
				return err
			}
			for _, id := range uploads {
				if have[id] {
					continue
				}
				have[id] = true
				part, _, err := reread(ctx, v, id)
				if err != nil {
					return err
				}
				if part != nil {
					parts = append(parts, part)
				}
			}
			change.Runs = nil
			for _, run := range enrich.Assemble(parts) {
				change.Runs = append(change.Runs, enrich.Enrich(run))
			}
			change.Runs, unused = distinct(change.Runs)
			// A run that is stored already under an id that comes out here is
			// the same run, whatever its uploads share.
			known := len(uploads)
			for _, t := range change.Runs {
				sources, err := v.Sources(ctx, t.Leaderboard.RunID)
				if err != nil {
					return err
				}
				for _, id := range sources {
					if !have[id] {
						uploads = append(uploads, id)
					}
				}
			}
			if len(uploads) == known {
				break
			}
		}
		change.Remove, err = v.RunsOf(ctx, uploads...)
		return err
	})
	return change, unused, err
}

// distinct keeps one run of each id, the one that says most. Summaries of one
// run can differ without saying which of them holds, and make two. The files of
// the other count as the run's, so that they are found with it, and are
// returned with its id.
func distinct(runs []*enrich.Tables) (kept []*enrich.Tables, unused map[string]string) {
	unused = map[string]string{}
	slices.SortFunc(runs, func(a, b *enrich.Tables) int {
		return cmp.Or(
			cmp.Compare(a.Leaderboard.RunID, b.Leaderboard.RunID),
			cmp.Compare(len(b.Results), len(a.Results)),
			cmp.Compare(len(b.Spans), len(a.Spans)),
			cmp.Compare(len(b.Metrics), len(a.Metrics)),
			slices.Compare(a.Sources, b.Sources),
		)
	})
	for i, run := range runs {
		if i == 0 || runs[i-1].Leaderboard.RunID != run.Leaderboard.RunID {
			kept = append(kept, run)
			continue
		}
		first := kept[len(kept)-1]
		for _, id := range run.Sources {
			if !slices.Contains(first.Sources, id) {
				first.Sources = append(first.Sources, id)
				unused[id] = run.Leaderboard.RunID
			}
		}
		slices.Sort(first.Sources)
	}
	return kept, unused
}

// reread decodes a stored upload.
func reread(ctx context.Context, v *store.Snapshot, id string) (*enrich.Part, enrich.File, error) {
	u, err := v.Upload(ctx, id)
	if err != nil {
		return nil, enrich.File{}, err
	}
	bytes := &watched{Reader: v.UploadBytes(ctx, id)}
	part, receipt := decode.Read(u.Receipt.Name, bytes)
	if bytes.err != nil {
		return nil, enrich.File{}, fmt.Errorf("upload %s: %w", id, bytes.err)
	}
	if part != nil {
		part.Group = groupOf(u.Drop, u.Folder)
	}
	return part, receipt, nil
}

// receipt says what became of the files, and of which runs they are part now.
func (in *Ingester) receipt(ctx context.Context, before *store.Snapshot, taken []takenFile) (views.Receipt, error) {
	r := views.Receipt{Files: []enrich.File{}, Runs: []views.ReceiptRun{}}
	var ids []string
	for _, t := range taken {
		r.Files = append(r.Files, t.receipt)
		if t.part != nil {
			ids = append(ids, t.receipt.SHA256)
		}
	}
	slices.SortStableFunc(r.Files, func(a, b enrich.File) int { return cmp.Compare(a.SHA256, b.SHA256) })
	err := in.store.Read(ctx, func(v *store.Snapshot) error {
		runs, err := v.RunsOf(ctx, ids...)
		if err != nil {
			return err
		}
		for _, id := range runs {
			row, err := v.Run(ctx, id)
			if err != nil {
				return err
			}
			_, err = before.Run(ctx, id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			r.Runs = append(r.Runs, views.ReceiptRun{RunID: id, URL: views.RunURL(id), New: err != nil, Tests: int(row.NumTests)})
		}
		return nil
	})
	return r, err
}

// Rederive derives all runs from the stored uploads, if the rules or columns
// have changed since they were derived. Runs appear as they are done. It can
// be broken off at any time and begins anew when called again.
func (in *Ingester) Rederive(ctx context.Context) error {
	var stale bool
	var uploads []string
	err := in.store.Read(ctx, func(v *store.Snapshot) (err error) {
		if stale, err = v.Stale(ctx); err != nil || !stale {
			return err
		}
		uploads, err = v.Uploads(ctx)
		return err
	})
	if err != nil || !stale {
		return err
	}
	in.deriving.Store(true)
	defer in.deriving.Store(false)
	in.log.Info("deriving runs again", "uploads", len(uploads))

	// First the keys of all, since they say what belongs together.
	for _, id := range uploads {
		err := in.rekey(ctx, id)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			in.log.Error("could not read an upload again", "upload", id, "error", err) // the others still can be
		}
	}
	done := map[string]bool{}
	for _, id := range uploads {
		if done[id] {
			continue
		}
		together, err := in.rederive(ctx, id)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			in.log.Error("could not derive runs", "upload", id, "error", err)
		}
		for _, other := range together {
			done[other] = true
		}
	}
	return in.store.MarkDerived(ctx)
}

func (in *Ingester) rekey(ctx context.Context, id string) error {
	in.changing.Lock()
	defer in.changing.Unlock()
	var receipt enrich.File
	var keys []string
	err := in.store.Read(ctx, func(v *store.Snapshot) error {
		part, again, err := reread(ctx, v, id)
		if part != nil {
			keys = part.Keys()
		}
		receipt = again
		return err
	})
	if err != nil {
		return err
	}
	return in.store.Reread(ctx, receipt, keys)
}

// rederive derives the runs that an upload is part of, and returns all uploads
// that belong with it.
func (in *Ingester) rederive(ctx context.Context, id string) (together []string, err error) {
	in.changing.Lock()
	defer in.changing.Unlock()
	err = in.store.Read(ctx, func(v *store.Snapshot) (err error) {
		together, err = v.Related(ctx, nil, []string{id})
		return err
	})
	if err != nil {
		return nil, err
	}
	change, _, err := in.derive(ctx, nil, nil, together)
	if err != nil {
		return together, err
	}
	return together, in.store.Apply(ctx, change)
}
