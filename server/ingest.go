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

	"golang.org/x/sync/semaphore"

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
	options  enrich.Options
	limits   decode.Limits
	now      func() time.Time
	changing sync.Mutex
	progress atomic.Pointer[Progress]

	receiving  *semaphore.Weighted // bytes of OTLP batches that are being stored
	sessionsMu sync.Mutex
	sessions   map[string]session // going on, by the key of their resource
	live       *live
	changed    feed
}

// maxReceiving is how many bytes of OTLP batches are stored at one time.
const maxReceiving = 2 * maxBatch

// NewIngester returns an ingester that writes to a store, of runs derived with
// these options from files within these limits.
func NewIngester(s *store.Store, log *slog.Logger, options enrich.Options, limits decode.Limits) *Ingester {
	return &Ingester{
		store: s, log: log, options: options, limits: limits, now: time.Now,
		receiving: semaphore.NewWeighted(maxReceiving), sessions: map[string]session{}, live: newLive(),
	}
}

// Ingest reads files, of which each is read to its end before the next is
// asked for, stores those in which something was usable, and derives the runs
// that they are part of. A file that is bad does not keep the others from being
// taken. An error of reading the files means that nothing was changed; an error
// of storing them, that those of some folders may have been.
//
// Files in one folder belong together, and so do those in none. A file that was
// stored before changes nothing, unless it comes with others that are new: then
// it is of their run too. The files of an archive are files like any other; the
// archive itself is not stored.
func (in *Ingester) Ingest(ctx context.Context, files iter.Seq2[NamedReader, error]) (views.Receipt, error) {
	spool, err := newSpool()
	if err != nil {
		return views.Receipt{}, err
	}
	defer spool.close()
	var taken []takenFile
	reader := newReader(in.limits)
	for file, err := range files {
		if err != nil {
			return views.Receipt{}, err
		}
		list, err := take(reader, spool, file)
		if err != nil {
			return views.Receipt{}, err
		}
		taken = append(taken, list...)
	}

	in.changing.Lock()
	defer in.changing.Unlock()
	before, err := in.store.Snapshot(ctx)
	if err != nil {
		return views.Receipt{}, err
	}
	defer before.Close()
	stored, err := storedOf(ctx, before, taken)
	if err != nil {
		return views.Receipt{}, err
	}
	for _, together := range byFolder(taken) {
		if err := in.add(ctx, together, stored); err != nil {
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

// take reads a file, or those in it if it is an archive.
func take(reader *decode.Reader, s *spool, file NamedReader) ([]takenFile, error) {
	var list []takenFile
	name := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(file.Name, `\`, "/")), "/")
	in := &watched{Reader: file.Reader}
	others, err := reader.Unpack(name, in, s.hold, func(name string, r io.Reader) error {
		t := takenFile{folder: strings.TrimPrefix(path.Dir("/"+name), "/")}
		copied, done := s.copying(r)
		t.part, t.receipt = reader.Read(name, copied)
		var err error
		t.bytes, err = done()
		list = append(list, t)
		return err
	})
	if err := errors.Join(in.err, err); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	for _, receipt := range others {
		list = append(list, takenFile{receipt: receipt})
	}
	return list, nil
}

// storedOf tells which of the files are stored already: their SHA-256, and what
// is to be said of it.
func storedOf(ctx context.Context, v *store.Snapshot, taken []takenFile) (map[string]string, error) {
	stored := map[string]string{}
	for _, t := range taken {
		switch _, err := v.Upload(ctx, t.receipt.SHA256); {
		case err == nil:
			stored[t.receipt.SHA256] = views.Unchanged
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
	}
	return stored, nil
}

// byFolder groups the files in which something was usable: those that are to be
// assembled together. Files of different folders meet only through what they say.
func byFolder(taken []takenFile) [][]*takenFile {
	var files []*takenFile
	for i := range taken {
		if taken[i].part != nil {
			files = append(files, &taken[i])
		}
	}
	slices.SortStableFunc(files, func(a, b *takenFile) int {
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
// and of all that was stored before and belongs with them. It notes on their
// receipts what became of them, and adds them to stored; see storedOf.
func (in *Ingester) add(ctx context.Context, files []*takenFile, stored map[string]string) error {
	files, again := once(files)
	fresh := slices.ContainsFunc(files, func(f *takenFile) bool { return stored[f.receipt.SHA256] == "" })
	for _, f := range slices.Concat(files, again) {
		switch note := stored[f.receipt.SHA256]; {
		case note == "" && slices.Contains(again, f):
			f.note(cameTwice)
		case note == views.Unchanged && fresh:
			f.note("the same bytes were uploaded before: they are stored once, and count with these files too")
		case note != "":
			f.note(note)
		}
	}
	if !fresh {
		return nil
	}
	drop := sha256.New()
	for _, f := range files {
		io.WriteString(drop, f.receipt.SHA256)
	}
	dropID := hex.EncodeToString(drop.Sum(nil)[:16])
	g := &gathering{parts: map[string]*enrich.Part{}}
	for _, f := range files {
		id := f.receipt.SHA256
		g.parts[id] = f.part
		g.places = append(g.places, store.Place{SHA256: id, Drop: dropID, Folder: f.folder})
		if stored[id] == "" {
			g.proofs = append(g.proofs, f.part.Keys()...)
		} else {
			g.ids = append(g.ids, id)
		}
	}
	var change store.Change
	var unused map[string]string
	err := in.store.Read(ctx, func(v *store.Snapshot) (err error) {
		g.view = v
		change, unused, err = in.derive(ctx, g)
		return err
	})
	if err != nil {
		return err
	}
	now := in.now()
	left := enrich.AllLeftOut(change.Runs)
	for _, f := range files {
		if stored[f.receipt.SHA256] != "" {
			continue
		}
		for _, l := range left {
			if l.Source == f.receipt.SHA256 {
				f.receipt.Warnings = append(f.receipt.Warnings, l.Warning())
			}
		}
		if run, ok := unused[f.receipt.SHA256]; ok {
			f.receipt.Warnings = append(f.receipt.Warnings, enrich.Warning{Where: "run " + run,
				Message: "other files say more of this run, and not the same; this one is kept but not used"})
		}
		change.Uploads = append(change.Uploads, store.NewUpload{
			Upload: store.Upload{Receipt: f.receipt, Size: f.bytes.size, Received: now},
			Keys:   f.part.Keys(),
			Bytes:  f.bytes.reader(),
		})
	}
	if err := in.store.Apply(ctx, change); err != nil {
		return err
	}
	for _, u := range change.Uploads {
		stored[u.Receipt.SHA256] = cameTwice
	}
	return nil
}

const cameTwice = "the same bytes came twice in this upload: they count once"

// once divides files of one folder, which are sorted, into the first of each
// bytes and the others.
func once(files []*takenFile) (first, again []*takenFile) {
	for i, f := range files {
		if i > 0 && files[i-1].receipt.SHA256 == f.receipt.SHA256 {
			again = append(again, f)
		} else {
			first = append(first, f)
		}
	}
	return first, again
}

func (t *takenFile) note(repair string) { t.receipt.Repairs = append(t.receipt.Repairs, repair) }

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
	known, err := storedOf(ctx, before, taken)
	if err != nil {
		return views.Receipt{}, err
	}
	for _, id := range ids {
		if known[id] == "" && !slices.Contains(r.New, id) {
			r.New = append(r.New, id)
		}
	}
	err = in.store.Read(ctx, func(v *store.Snapshot) error {
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
