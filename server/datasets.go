package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"path"
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/decode"
	"smolscope/server/hub"
)

// Datasets are datasets of the Hub that are read as files.
type Datasets struct {
	Hub    *hub.Client
	Limits decode.Limits

	Listed  func(dataset string, files int, bytes int64) error // called with what is about to be read; its error ends all
	Refused func(enrich.File)                                  // called with what could not be read
}

const (
	maxDatasets = 1000     // that are followed from leaderboard rows
	maxTable    = 64 << 20 // bytes of a file in which leaderboard rows are looked for
)

// Files yields the files of datasets that may hold rows or spans, and then those
// of the datasets that leaderboard rows in them name: a run's results, traces and
// metrics (spec §1.1). Each is named by its dataset and its path there. What the
// Hub does not give is told to Refused, and the others are read all the same.
func (d *Datasets) Files(ctx context.Context, names ...string) iter.Seq2[NamedReader, error] {
	return func(yield func(NamedReader, error) bool) {
		known := map[string]bool{}
		var named []string
		follow := func(part *enrich.Part) {
			for _, name := range namedDatasets(part) {
				if name, err := d.Hub.Dataset(name); err == nil && !known[name] {
					known[name] = true
					named = append(named, name)
				}
			}
		}
		for _, name := range names {
			known[name] = true
		}
		for _, name := range names {
			if !d.files(ctx, name, follow, yield) {
				return
			}
		}
		if len(named) > maxDatasets {
			err := fmt.Errorf("they name %d datasets, of which the first %d are read", len(named), maxDatasets)
			if !d.skip("leaderboard rows", err, yield) {
				return
			}
			named = named[:maxDatasets]
		}
		for _, name := range named {
			if !d.files(ctx, name, nil, yield) {
				return
			}
		}
	}
}

// files yields the files of one dataset, and reports whether to go on. Follow is
// called with what small ones hold, unless it is nil.
func (d *Datasets) files(ctx context.Context, dataset string, follow func(*enrich.Part), yield func(NamedReader, error) bool) bool {
	list, err := d.Hub.Files(ctx, dataset)
	if err != nil {
		return d.skip("hf://datasets/"+dataset, err, yield)
	}
	list = slices.DeleteFunc(list, func(f hub.File) bool { return !mayHoldData(f.Path) })
	if len(list) == 0 {
		return d.skip("hf://datasets/"+dataset, errors.New("no files with rows or spans in this dataset"), yield)
	}
	// Files of one folder come one after the other.
	slices.SortStableFunc(list, func(a, b hub.File) int { return strings.Compare(path.Dir(a.Path), path.Dir(b.Path)) })
	var size int64
	for _, f := range list {
		size += f.Size
	}
	if err := d.Listed(dataset, len(list), size); err != nil {
		yield(NamedReader{}, err)
		return false
	}
	for _, f := range list {
		name := dataset + "/" + f.Path
		body, err := d.Hub.Open(ctx, dataset, f)
		if err != nil {
			if !d.skip(name, err, yield) {
				return false
			}
			continue
		}
		more := false
		if file := (NamedReader{name, &hubFile{body}}); follow != nil && f.Size <= maxTable {
			more = d.peeked(file, follow, yield)
		} else {
			more = yield(file, nil)
		}
		body.Close()
		if !more {
			return false
		}
	}
	return true
}

// peeked yields a file once follow was called with what is in it.
func (d *Datasets) peeked(file NamedReader, follow func(*enrich.Part), yield func(NamedReader, error) bool) bool {
	spool, err := newSpool()
	if err != nil {
		yield(NamedReader{}, err)
		return false
	}
	defer spool.close()
	in := &watched{Reader: file}
	copied, done := spool.copying(in)
	part, _ := newReader(d.Limits).Read(file.Name, copied)
	kept, err := done()
	if err := errors.Join(in.err, err); err != nil {
		yield(NamedReader{}, err)
		return false
	}
	if part != nil {
		follow(part)
	}
	return yield(NamedReader{file.Name, kept.reader()}, nil)
}

// A hubFile reads one file of a dataset. That it cannot be read to its end is
// said as the Hub's fault, not ours.
type hubFile struct{ io.Reader }

func (f *hubFile) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && err != io.EOF && !ended(err) {
		err = &refusal{http.StatusBadGateway, "hub_failed", "The Hub did not give all of it",
			"Nothing of this was stored: " + err.Error() + "."}
	}
	return n, err
}

// ended reports whether an error is that whoever asked has left, or waited long
// enough.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// skip tells what the Hub does not give, and reports whether to go on: not if the
// error is that all of it has to end.
func (d *Datasets) skip(name string, err error, yield func(NamedReader, error) bool) bool {
	if ended(err) {
		yield(NamedReader{}, err)
		return false
	}
	d.Refused(enrich.File{Name: name, Repairs: []string{}, Warnings: []enrich.Warning{}, Error: new(err.Error())})
	return true
}

// namedDatasets returns the datasets that leaderboard rows name, as they write
// them.
func namedDatasets(part *enrich.Part) []string {
	var names []string
	for _, row := range part.Leaderboard {
		for _, key := range []string{"results_dataset", "traces_dataset", "metrics_dataset"} {
			if name, _ := row.Str(attr.Field{key}); name != "" {
				names = append(names, name)
			}
		}
	}
	for _, row := range part.Exported.Leaderboard {
		for _, name := range []*string{row.ResultsDataset, row.TracesDataset, row.MetricsDataset} {
			if name != nil {
				names = append(names, *name)
			}
		}
	}
	return names
}

// mayHoldData reports whether a file of a dataset is worth reading: what is in it
// decides, but not of what describes the dataset or shows it.
func mayHoldData(name string) bool {
	for folder := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(folder, ".") {
			return false
		}
	}
	base := strings.ToLower(path.Base(name))
	return !strings.HasPrefix(base, "license") &&
		!slices.Contains([]string{".md", ".py", ".ipynb", ".yaml", ".yml", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".pdf"}, path.Ext(base))
}
