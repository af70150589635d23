package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/decode/parquet"
	"smolscope/server/store"
)

// rulesOf names all that runs depend on besides their files, so that the store
// can tell when they have to be derived again.
func rulesOf(o enrich.Options) string {
	prices := "none"
	if o.Prices != nil {
		prices = o.Prices.Hash()
	}
	return fmt.Sprintf("revision %d, prices %s, %g USD/kWh, %g g/kWh", enrich.Revision, prices, o.ElectricityUSDPerKWh, o.CarbonGPerKWh)
}

// A gathering is the uploads that are to be assembled together, as far as they
// are known.
type gathering struct {
	limits decode.Limits
	view   *store.Snapshot
	parts  map[string]*enrich.Part // by SHA-256; nil of what nothing is read in
	places []store.Place           // of uploads that are not stored yet there
	proofs []string                // keys of parts that are not stored yet
	ids    []string                // of the stored uploads
	known  map[string]*enrich.Part // parts of stored uploads that need not be read
}

// join adds the stored uploads that belong together with these and with all
// that is gathered, and reads them.
func (g *gathering) join(ctx context.Context, ids []string) (err error) {
	if g.ids, err = g.view.Connected(ctx, g.proofs, slices.Concat(g.ids, ids)); err != nil {
		return err
	}
	for _, id := range g.ids {
		if _, ok := g.parts[id]; ok {
			continue
		}
		if part := g.known[id]; part != nil {
			g.parts[id] = part
		} else if g.parts[id], _, err = reread(ctx, g.view, id, g.limits); err != nil {
			return err
		}
	}
	return nil
}

// together returns the parts in the folders that they lie in.
func (g *gathering) together(ctx context.Context) ([]*enrich.Part, error) {
	places, err := g.view.Places(ctx, g.ids...)
	if err != nil {
		return nil, err
	}
	return placed(g.parts, slices.Concat(places, g.places)), nil
}

// placed returns each part once for each folder that it may be of a run in.
//
// Folders that hold the same results or traces are one: someone dropped a run
// again with more files. Another part can be a copy that several runs have, or
// have come before its run did: it counts in the folders where there are results
// or traces, or else in one.
func placed(parts map[string]*enrich.Part, places []store.Place) []*enrich.Part {
	leader := map[string]string{}
	var find func(group string) string
	find = func(group string) string {
		if leader[group] == "" || leader[group] == group {
			return group
		}
		return find(leader[group])
	}
	first := map[string]string{} // of a home, the folder it was found in first
	homes := map[string]bool{}   // folders that hold one
	slices.SortFunc(places, comparePlaces)
	for _, p := range places {
		if !isHome(parts[p.SHA256]) {
			continue
		}
		group := groupOf(p)
		if first[p.SHA256] == "" {
			first[p.SHA256] = group
		}
		if a, b := find(first[p.SHA256]), find(group); a != b {
			leader[max(a, b)] = min(a, b)
		}
		homes[group] = true
	}
	homely := map[string]bool{}
	for group := range homes {
		homely[find(group)] = true
	}
	groups := map[string][]string{} // of each part
	at := map[string][]store.Place{}
	for _, p := range places {
		groups[p.SHA256] = append(groups[p.SHA256], find(groupOf(p)))
		at[p.SHA256] = append(at[p.SHA256], p)
	}
	var list []*enrich.Part
	for id, part := range parts {
		if part == nil {
			continue
		}
		all := groups[id]
		slices.Sort(all)
		all = slices.Compact(all)
		if slices.ContainsFunc(all, func(g string) bool { return homely[g] }) {
			all = slices.DeleteFunc(all, func(g string) bool { return !homely[g] })
		} else {
			all = all[:min(1, len(all))]
		}
		for _, group := range all {
			copied := *part
			copied.Group = group
			copied.Sessions = sessionsAt(at[id])
			list = append(list, &copied)
		}
	}
	slices.SortFunc(list, func(a, b *enrich.Part) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Group, b.Group))
	})
	return list
}

func comparePlaces(a, b store.Place) int {
	return cmp.Or(cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.Drop, b.Drop), cmp.Compare(a.Folder, b.Folder))
}

// groupOf names what came in one folder of one drop: files that came together
// belong together before any that came at another time, whatever their folders
// are called.
func groupOf(p store.Place) string { return p.Drop + "/" + p.Folder }

// isHome reports whether a part holds results or traces, which others
// summarise.
func isHome(p *enrich.Part) bool { return p != nil && len(p.Results)+len(p.Traces) > 0 }

// clues returns by which keys other uploads may be of these runs without being
// connected: those of summaries that lie with no results or traces of their run
// can lead anywhere, and those of results and traces to such summaries only.
func clues(parts []*enrich.Part, runs []*enrich.Run) (anywhere, loose []string) {
	groups := map[string]map[string]bool{} // source of a home → its folder
	for _, p := range parts {
		if isHome(p) {
			groups[p.Source] = map[string]bool{p.Group: true}
		}
	}
	in := map[string][]*enrich.Run{}
	for _, run := range runs {
		for _, source := range run.Sources {
			in[source] = append(in[source], run)
		}
	}
	settled := func(p *enrich.Part) bool {
		return len(in[p.Source]) > 0 && !slices.ContainsFunc(in[p.Source], func(run *enrich.Run) bool {
			return !slices.ContainsFunc(run.Sources, func(source string) bool { return groups[source][p.Group] })
		})
	}
	for _, p := range parts {
		keys := slices.DeleteFunc(p.Keys(), func(key string) bool { return !enrich.IsClue(key) })
		switch {
		case isHome(p):
			loose = append(loose, keys...)
		case !settled(p):
			anywhere = append(anywhere, keys...)
		}
	}
	return anywhere, loose
}

// derive assembles what is gathered with all stored uploads that belong with
// it, and says what is to change, and which uploads are not used in which run.
func (in *Ingester) derive(ctx context.Context, g *gathering) (change store.Change, unused map[string]string, err error) {
	g.limits = in.limits
	if err := g.join(ctx, nil); err != nil {
		return change, nil, err
	}
	parts, err := g.together(ctx)
	if err != nil {
		return change, nil, err
	}
	// Clues are followed one step, from what is connected for sure: further ones
	// would lead from run to run of one model, through all that there are.
	anywhere, loose := clues(parts, enrich.Assemble(parts))
	for all, keys := range map[bool][]string{true: anywhere, false: loose} {
		hinted, err := g.view.Hinted(ctx, keys, all)
		if err != nil {
			return change, nil, err
		}
		if err := g.join(ctx, hinted); err != nil {
			return change, nil, err
		}
	}
	for {
		if parts, err = g.together(ctx); err != nil {
			return change, nil, err
		}
		change.Runs = nil
		for _, run := range enrich.Assemble(parts) {
			change.Runs = append(change.Runs, enrich.Enrich(run, in.options))
		}
		change.Runs, unused = enrich.Distinct(change.Runs)
		// A run that is stored already under an id that comes out here is the
		// same run, whatever its uploads share.
		known := len(g.ids)
		for _, t := range change.Runs {
			sources, err := g.view.Sources(ctx, t.Leaderboard.RunID)
			if err != nil {
				return change, nil, err
			}
			if err := g.join(ctx, sources); err != nil {
				return change, nil, err
			}
		}
		if len(g.ids) == known {
			break
		}
	}
	change.Places = g.places
	change.Remove, err = g.view.RunsOf(ctx, g.ids...)
	return change, unused, err
}

// newReader returns a reader of every format there is.
func newReader(limits decode.Limits) *decode.Reader {
	return decode.NewReader(limits, parquet.Format)
}

// reread decodes a stored upload.
func reread(ctx context.Context, v *store.Snapshot, id string, limits decode.Limits) (*enrich.Part, enrich.File, error) {
	u, err := v.Upload(ctx, id)
	if err != nil {
		return nil, enrich.File{}, err
	}
	bytes := &watched{Reader: v.UploadBytes(ctx, id)}
	part, receipt := newReader(limits.Accepted()).Read(u.Receipt.Name, bytes)
	if bytes.err != nil {
		return nil, enrich.File{}, fmt.Errorf("upload %s: %w", id, bytes.err)
	}
	return part, receipt, nil
}
