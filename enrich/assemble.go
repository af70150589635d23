package enrich

import (
	"cmp"
	"crypto/sha256"
	"slices"

	"smolscope/enrich/attr"
)

// Assemble joins the parts of files into runs, in the order of their run ids
// when enriched. Neither the order of the parts nor the names of their files
// change the outcome.
//
// Rows and traces that name the same run or trace belong together, as do those
// of one file that name none. A summary (leaderboard row, metadata, metrics)
// that names no run goes to the run of its folder, else to the one whose model
// and time, or number of tests and tokens, it states. Summaries without a home
// are runs of their own, except metadata, which describes nothing by itself.
func Assemble(parts []*Part) []*Run {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b *Part) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Group, b.Group))
	})
	parts = slices.CompactFunc(parts, func(a, b *Part) bool { return a == b })
	var items []item
	for _, p := range parts {
		items = append(items, p.items()...)
	}
	groups := connect(items)
	groups = settle(groups)
	var runs []*Run
	for _, g := range groups {
		if run := newRun(g); run != nil {
			runs = append(runs, run)
		}
	}
	return runs
}

// connect unites items that share an id, by union-find; groups come in the
// order of their first items.
func connect(items []item) [][]item {
	leader := make([]int, len(items))
	for i := range leader {
		leader[i] = i
	}
	find := func(i int) int {
		for leader[i] != i {
			leader[i] = leader[leader[i]]
			i = leader[i]
		}
		return i
	}
	owner := make(map[string]int)
	for i := range items {
		for _, id := range items[i].ids {
			if first, ok := owner[id]; ok {
				a, b := find(first), find(i)
				leader[max(a, b)] = min(a, b)
			} else {
				owner[id] = i
			}
		}
	}
	var groups [][]item
	place := make(map[int]int)
	for i := range items {
		l := find(i)
		if _, ok := place[l]; !ok {
			place[l] = len(groups)
			groups = append(groups, nil)
		}
		groups[place[l]] = append(groups[place[l]], items[i])
	}
	return groups
}

// settle gives each group of summaries alone to the one run they describe.
func settle(groups [][]item) [][]item {
	var homes, summaries [][]item
	for _, g := range groups {
		if slices.ContainsFunc(g, func(it item) bool { return it.kind <= traceItem }) {
			homes = append(homes, g)
		} else {
			summaries = append(summaries, g)
		}
	}
	known := make([]clues, len(homes))
	for i, h := range homes {
		known[i] = homeClues(h)
	}
	var homeless [][]item
	added := make([][]item, len(homes))
	for _, g := range summaries {
		if i := findHome(g, homes, known); i >= 0 {
			added[i] = append(added[i], g...)
		} else {
			homeless = append(homeless, g)
		}
	}
	for i := range homes {
		homes[i] = append(homes[i], added[i]...)
	}
	return append(homes, gather(homeless)...)
}

// gather unites summaries without results or traces that tell of one run: same
// folder, or same model written within a minute. Of metrics without a name and
// a leaderboard row, say, one run is made instead of two.
func gather(summaries [][]item) [][]item {
	var out [][]item
	for _, g := range summaries {
		i := slices.IndexFunc(out, func(o []item) bool {
			if namesRun(o) && namesRun(g) || overlap(o, g) {
				return false
			}
			return sameFolder(o, g) || near(merged(o), merged(g))
		})
		if i < 0 {
			out = append(out, slices.Clone(g))
		} else {
			out[i] = append(out[i], g...)
		}
	}
	return out
}

func namesRun(g []item) bool { return slices.ContainsFunc(g, item.namesRun) }

// overlap reports whether both groups hold a summary of one kind, of which a
// run has one.
func overlap(a, b []item) bool {
	for _, x := range a {
		if slices.ContainsFunc(b, func(y item) bool { return x.kind == y.kind }) {
			return true
		}
	}
	return false
}

func sameFolder(a, b []item) bool {
	for _, x := range a {
		if x.part.Group != "" && slices.ContainsFunc(b, func(y item) bool { return x.part.Group == y.part.Group }) {
			return true
		}
	}
	return false
}

func merged(g []item) clues {
	var c clues
	for _, it := range g {
		c.model = cmp.Or(c.model, it.clues.model)
		c.agent = cmp.Or(c.agent, it.clues.agent)
		if c.clock.wall == 0 {
			c.clock = it.clues.clock
		}
		c.tests = cmp.Or(c.tests, it.clues.tests)
		c.tokens = cmp.Or(c.tokens, it.clues.tokens)
	}
	return c
}

// homeClues says what a run's summaries should state of it.
func homeClues(home []item) clues {
	var c, traces clues
	for _, it := range home {
		switch it.kind {
		case resultItem:
			addResult(&c, &it.part.Results[it.at])
		case traceItem:
			t := it.part.Traces[it.at]
			traces.tests++
			if n, ok := t.Row.Get("total_tokens").Int(); ok {
				traces.tokens += n
			}
			for i := range t.Spans {
				traces.clock.wall = max(traces.clock.wall, int64(t.Spans[i].End))
				if traces.model == "" {
					traces.model = requestModelOf(&t.Spans[i])
				}
			}
		}
	}
	if c.tests == 0 {
		return traces
	}
	return c
}

// findHome returns the one home that a group of summaries describes, or -1.
// Its folder counts most; among several homes, when it was written, then its
// totals; and if there is but one home, and nothing against it, that.
func findHome(g []item, homes [][]item, known []clues) int {
	if namesRun(g) {
		// It names a run that none of the homes names; a home that names
		// another is not its own.
		homes = slices.Clone(homes)
		for i, h := range homes {
			if slices.ContainsFunc(h, item.namesRun) {
				homes[i] = nil
			}
		}
	}
	c := merged(g)
	candidates := func(fits func(int) bool) []int {
		var list []int
		for i, h := range homes {
			if h != nil && !contradicts(c, known[i]) && fits(i) {
				list = append(list, i)
			}
		}
		return list
	}
	inFolder := candidates(func(i int) bool { return sameFolder(g, homes[i]) })
	if len(inFolder) == 1 {
		return inFolder[0]
	}
	among := func(i int) bool { return len(inFolder) == 0 || slices.Contains(inFolder, i) }
	for _, fits := range []func(int) bool{
		func(i int) bool { return near(c, known[i]) },
		func(i int) bool { return c.tokens > 0 && c.tokens == known[i].tokens && c.tests == known[i].tests },
		func(int) bool { return true },
	} {
		if list := candidates(func(i int) bool { return among(i) && fits(i) }); len(list) == 1 {
			return list[0]
		} else if len(list) > 1 {
			homes = keepOnly(homes, list)
		}
	}
	return -1
}

func keepOnly(homes [][]item, list []int) [][]item {
	kept := make([][]item, len(homes))
	for _, i := range list {
		kept[i] = homes[i]
	}
	return kept
}

// contradicts reports whether two clues cannot be of one run.
func contradicts(a, b clues) bool {
	if a.model != "" && b.model != "" && bareModel(a.model) != bareModel(b.model) {
		return true
	}
	if a.agent != "" && b.agent != "" && a.agent != b.agent && a.agent != "both" && b.agent != "both" {
		return true
	}
	d, known := apart(a, b)
	return known && d > 5*minute
}

// near reports whether two clues were written within a minute of each other by
// one model.
func near(a, b clues) bool {
	d, known := apart(a, b)
	return known && d <= minute && (a.model == "" || b.model == "" || bareModel(a.model) == bareModel(b.model))
}

const minute = int64(60e9)

// apart returns the time between two clues in nanoseconds. A local time and one
// in UTC may differ by an offset in quarters of an hour besides.
func apart(a, b clues) (ns int64, known bool) {
	if a.clock.wall == 0 || b.clock.wall == 0 {
		return 0, false
	}
	d := max(a.clock.wall-b.clock.wall, b.clock.wall-a.clock.wall)
	if a.clock.naive != b.clock.naive && d < 15*60*minute {
		d %= 15 * minute
		d = min(d, 15*minute-d)
	}
	return d, true
}

// newRun builds a run of a group's items, or nil when the group describes none.
func newRun(g []item) *Run {
	run := &Run{}
	describes := false
	sources := map[string]bool{}
	var leaderboard, metadata []Record
	traces := map[TraceID][]*Trace{}
	for _, it := range g {
		sources[it.part.Source] = true
		describes = describes || it.kind != metadataItem
		switch it.kind {
		case resultItem:
			run.Results = append(run.Results, result{it.part.Results[it.at], it.part.Source})
		case traceItem:
			t := it.part.Traces[it.at]
			traces[t.ID] = append(traces[t.ID], t)
		case leaderboardItem:
			leaderboard = append(leaderboard, it.part.Leaderboard[it.at])
		case metadataItem:
			metadata = append(metadata, it.part.Metadata[it.at])
		case metricsItem:
			run.Metrics = append(run.Metrics, it.part.Metrics[it.at])
		}
		for _, flag := range it.part.Flags {
			run.found.flag("file:"+it.part.Source[:min(12, len(it.part.Source))], flag)
		}
	}
	if !describes {
		return nil
	}
	run.Leaderboard = mergeRecords(leaderboard)
	run.Metadata = mergeRecords(metadata)
	run.Results = dropRepeats(run.Results)
	for _, list := range traces {
		run.Traces = append(run.Traces, mergeTraces(list, &run.found))
	}
	slices.SortFunc(run.Traces, func(a, b *Trace) int { return slices.Compare(a.ID[:], b.ID[:]) })
	for s := range sources {
		run.Sources = append(run.Sources, s)
	}
	slices.Sort(run.Sources)
	return run
}

// mergeRecords makes one row of those that say the same of a run; one that
// names the run comes first, and others fill its gaps.
func mergeRecords(list []Record) attr.Set {
	slices.SortStableFunc(list, func(a, b Record) int {
		return cmp.Compare(boolInt(validRunID(a.Set) == ""), boolInt(validRunID(b.Set) == ""))
	})
	var s attr.Set
	for _, r := range list {
		s = s.Merge(r.Set)
	}
	return s
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// dropRepeats keeps one of the rows that two files hold of one test: the same
// test of the same trace, or, without a trace, the same in every field.
func dropRepeats(rows []result) []result {
	first := map[string]int{}
	source := map[string]string{}
	var out []result
	for _, r := range rows {
		id, _ := r.Str(rowTestID)
		agent, _ := r.Str(attr.Field{"agent_type"})
		identity := ""
		if trace := resultTraceID(&r.Record); trace != (TraceID{}) {
			identity = agent + "|" + id + "|" + trace.String()
		} else {
			identity = string(r.Set.AppendJSON(nil))
		}
		if at, seen := first[identity]; seen && source[identity] != r.source {
			out[at].Set = out[at].Set.Merge(r.Set)
			continue
		}
		first[identity], source[identity] = len(out), r.source
		out = append(out, r)
	}
	return out
}

// mergeTraces unites what several files say of one trace. A span that comes
// twice with one name and one time is one span, its attributes united; else
// both are kept, the later under an id of its own (decisions: same trace id and
// span id twice).
func mergeTraces(list []*Trace, found *findings) *Trace {
	out := &Trace{ID: list[0].ID}
	total := 0
	for _, t := range list {
		out.Row = out.Row.Merge(t.Row)
		total += len(t.Spans)
	}
	out.Spans = make([]Span, 0, total)
	for _, t := range list {
		out.Spans = append(out.Spans, t.Spans...)
	}
	sortSpans(out.Spans)
	at := make(map[SpanID]int, total)
	kept := out.Spans[:0]
	for _, s := range out.Spans {
		if s.ID == (SpanID{}) {
			kept = append(kept, s)
			continue
		}
		i, seen := at[s.ID]
		switch {
		case !seen:
			at[s.ID] = len(kept)
			kept = append(kept, s)
		case kept[i].Name == s.Name && kept[i].Start == s.Start && kept[i].End == s.End:
			kept[i].Attrs = kept[i].Attrs.Merge(s.Attrs)
			if len(kept[i].Events) < len(s.Events) {
				kept[i].Events = s.Events
			}
			if kept[i].Status == StatusUnset {
				kept[i].Status, kept[i].StatusMessage = s.Status, s.StatusMessage
			}
		default:
			found.flag("span:"+out.ID.String()+"/"+s.ID.String(), FlagDuplicateSpanID)
			for n := byte(1); ; n++ {
				sum := sha256.Sum256(append(append([]byte{n}, s.ID[:]...), s.Name...))
				copy(s.ID[:], sum[:])
				if _, taken := at[s.ID]; !taken {
					break
				}
			}
			at[s.ID] = len(kept)
			kept = append(kept, s)
		}
	}
	out.Spans = kept
	sortSpans(out.Spans)
	return out
}
