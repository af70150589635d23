package enrich

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich/attr"
)

// Assemble joins the parts of files into runs. Neither the order of the parts
// nor the names of their files change the outcome.
//
// Rows and traces that name the same run or trace belong together, as do those
// of one file that name none. A summary (leaderboard row, metadata, metrics)
// that names no run here goes to the run of its folder, or to the one whose
// model and time, or number of tests and tokens, it states; a run takes one of
// each kind. Summaries without a home are runs of their own, except metadata,
// which describes nothing by itself.
func Assemble(parts []*Part) []*Run {
	var items []item
	parts = distinct(parts)
	for _, p := range parts {
		items = append(items, p.items()...)
	}
	return addExported(settle(connect(items)), parts)
}

// distinct orders parts by their bytes and drops what comes twice: copies of
// one file add nothing, unless it is a summary that lies in two folders and may
// be of a run in each.
func distinct(parts []*Part) []*Part {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b *Part) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Group, b.Group))
	})
	return slices.CompactFunc(parts, func(a, b *Part) bool {
		copied := a.Source == b.Source && a.Rows() == b.Rows() && a.Spans() == b.Spans()
		return a == b || copied && (a.Group == b.Group || len(a.Results)+len(a.Traces) > 0)
	})
}

// A group is the items of one run, as far as they are known to be.
type group struct {
	items   []item
	kinds   [metricsItem + 1]bool
	runs    map[string]bool // ids of the runs that its items name
	folders map[string]bool
	clues   clues
}

func newGroup(items []item) *group {
	g := &group{items: items, runs: map[string]bool{}, folders: map[string]bool{}}
	for _, it := range items {
		g.kinds[it.kind] = true
		if it.part.Group != "" {
			g.folders[it.part.Group] = true
		}
		for _, id := range it.ids {
			if run, ok := strings.CutPrefix(id, runPrefix); ok {
				g.runs[run] = true
			}
		}
	}
	g.clues = mergeClues(items)
	return g
}

// keys returns the join keys of all items, and of the runs that they name.
func (g *group) keys() map[string]bool {
	keys := map[string]bool{}
	for run := range g.runs {
		keys[runKey(run)] = true
	}
	for _, it := range g.items {
		for _, id := range it.ids {
			keys[id] = true
		}
	}
	return keys
}

// isHome reports whether the group holds tests or traces, which summaries
// summarise.
func (g *group) isHome() bool { return g.kinds[resultItem] || g.kinds[traceItem] }

// overlaps reports whether both groups hold a summary of one kind, of which a
// run has one.
func (g *group) overlaps(other *group) bool {
	for kind := leaderboardItem; kind <= metricsItem; kind++ {
		if g.kinds[kind] && other.kinds[kind] {
			return true
		}
	}
	return false
}

// take adds another group's items.
func (g *group) take(other *group) {
	g.items = append(g.items, other.items...)
	for kind, has := range other.kinds {
		g.kinds[kind] = g.kinds[kind] || has
	}
	maps.Copy(g.folders, other.folders)
	maps.Copy(g.runs, other.runs)
}

// share reports whether two sets have a member in common.
func share(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

// How strongly an id that two items share says that they are of one run.
const (
	byRun     = iota // it is the run's
	byFact           // it is that of a trace, a file or a moment
	bySession        // it is of who sent them: it holds where nothing names a run
)

func strengthOf(id string) int {
	switch {
	case strings.HasPrefix(id, runPrefix):
		return byRun
	case strings.HasPrefix(id, sessionPrefix):
		return bySession
	}
	return byFact
}

// connect unites items that share an id, by union-find; groups come in the
// order of their first items. What names different runs stays apart whatever
// else it shares, unless it lies in one folder: a trace id is only as unique as
// its producer made it.
func connect(items []item) []*group {
	leader := make([]int, len(items))
	runs, folders := make([]map[string]bool, len(items)), make([]map[string]bool, len(items))
	for i := range items {
		leader[i] = i
		g := newGroup(items[i : i+1])
		runs[i], folders[i] = g.runs, g.folders
	}
	find := func(i int) int {
		for leader[i] != i {
			leader[i] = leader[leader[i]]
			i = leader[i]
		}
		return i
	}
	unite := func(a, b int, strength int) {
		if a, b = find(a), find(b); a == b {
			return
		}
		if a > b {
			a, b = b, a
		}
		if strength > byRun && len(runs[a]) > 0 && len(runs[b]) > 0 && !share(runs[a], runs[b]) && !share(folders[a], folders[b]) {
			return
		}
		leader[b] = a
		maps.Copy(runs[a], runs[b])
		maps.Copy(folders[a], folders[b])
	}
	for _, strength := range []int{byRun, byFact, bySession} {
		owner := make(map[string]int)
		for i := range items {
			for _, id := range items[i].ids {
				if strengthOf(id) != strength || strength == bySession && len(runs[find(i)]) > 0 {
					continue
				}
				if first, ok := owner[id]; ok {
					unite(first, i, strength)
				} else {
					owner[id] = i
				}
			}
		}
	}
	var lists [][]item
	place := make(map[int]int)
	for i := range items {
		l := find(i)
		if _, ok := place[l]; !ok {
			place[l] = len(lists)
			lists = append(lists, nil)
		}
		lists[place[l]] = append(lists[place[l]], items[i])
	}
	groups := make([]*group, len(lists))
	for i, list := range lists {
		groups[i] = newGroup(list)
	}
	return groups
}

// settle gives summaries to the runs they describe, strongest evidence first.
// A summary goes nowhere if two runs fit it equally, or two of its kind fit the
// one run.
func settle(groups []*group) []*group {
	var homes, summaries []*group
	for _, g := range groups {
		if g.isHome() {
			homes = append(homes, g)
		} else {
			summaries = append(summaries, g)
		}
	}
	for _, e := range []evidence{inFolderByTime, inFolderByTotals, inFolder, byTime, byTotals, byBeingAlone} {
		if e == byBeingAlone && len(homes) > 1 {
			break
		}
		summaries = assign(summaries, homes, e)
	}
	return append(homes, gather(summaries)...)
}

// An evidence tells whether a summary fits a run, and how far apart they are.
type evidence int

const (
	inFolderByTime evidence = iota
	inFolderByTotals
	inFolder
	byTime
	byTotals
	byBeingAlone
)

func (e evidence) fits(summary, home *group) (distance int64, ok bool) {
	folder := share(summary.folders, home.folders)
	if summary.overlaps(home) || contradict(summary.clues, home.clues) {
		return 0, false
	}
	if e <= inFolder {
		if !folder {
			return 0, false
		}
	} else if len(summary.runs) > 0 && len(home.runs) > 0 {
		return 0, false // they name different runs, else they were connected
	}
	switch e {
	case inFolderByTime, byTime:
		return near(summary.clues, home.clues)
	case inFolderByTotals, byTotals:
		c := summary.clues
		return 0, c.tokens > 0 && c.tokens == home.clues.tokens && c.tests == home.clues.tests
	case byBeingAlone:
		return 0, len(summary.runs) == 0
	}
	return 0, true
}

// assign gives each summary to the home that it alone fits best, by one kind of
// evidence, and returns those left over.
func assign(summaries, homes []*group, e evidence) []*group {
	type pair struct {
		summary, home int
		distance      int64
	}
	var pairs []pair
	for i, s := range summaries {
		for k, h := range homes {
			if d, ok := e.fits(s, h); ok {
				pairs = append(pairs, pair{i, k, d})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.distance, b.distance) })
	given := make([]bool, len(summaries))
	end := 0 // of the pairs that are as far apart as this one
	var equals []pair
	for at, p := range pairs {
		if at == end {
			for end < len(pairs) && pairs[end].distance == p.distance {
				end++
			}
			equals = pairs[at:end]
		}
		s, h := summaries[p.summary], homes[p.home]
		if given[p.summary] || s.overlaps(h) {
			continue
		}
		rivals := func(q pair) bool {
			return !given[q.summary] && (q.summary == p.summary && q.home != p.home && !s.overlaps(homes[q.home]) ||
				q.home == p.home && q.summary != p.summary && s.overlaps(summaries[q.summary]))
		}
		if slices.ContainsFunc(equals, rivals) {
			given[p.summary] = e == byBeingAlone // nothing weaker is left to try
			continue
		}
		h.take(s)
		given[p.summary] = true
		summaries[p.summary] = nil
	}
	return slices.DeleteFunc(summaries, func(s *group) bool { return s == nil })
}

// gather unites summaries without results or traces that tell of one run: of a
// leaderboard row and the metadata and metrics beside it one run is made.
func gather(summaries []*group) []*group {
	var bases, rest []*group
	for _, g := range summaries {
		if g.kinds[leaderboardItem] {
			bases = append(bases, g)
		} else {
			rest = append(rest, g)
		}
	}
	for _, e := range []evidence{inFolderByTime, inFolderByTotals, inFolder, byTime, byTotals} {
		rest = assign(rest, bases, e)
	}
	for _, g := range rest {
		i := slices.IndexFunc(bases, func(b *group) bool {
			_, together := inFolder.fits(g, b)
			return together && !b.kinds[leaderboardItem]
		})
		if i < 0 {
			bases = append(bases, g)
		} else {
			bases[i].take(g)
		}
	}
	return bases
}

// mergeClues says what a run's summaries state, or should state, of it: results
// tell it best, then traces, then the summaries' own words.
func mergeClues(items []item) clues {
	var results, traces, own clues
	for _, it := range items {
		switch it.kind {
		case resultItem:
			results.addResult(&it.part.Results[it.at])
		case traceItem:
			traces.addTrace(it.part.Traces[it.at])
		default:
			own.model = cmp.Or(own.model, it.clues.model)
			own.agent = cmp.Or(own.agent, it.clues.agent)
			if own.clock.wall == 0 {
				own.clock = it.clues.clock
			}
			own.tests = cmp.Or(own.tests, it.clues.tests)
			own.tokens = cmp.Or(own.tokens, it.clues.tokens)
		}
	}
	switch {
	case results.tests > 0:
		return results
	case traces.tests > 0:
		return traces
	}
	return own
}

// contradict reports whether two clues cannot be of one run.
func contradict(a, b clues) bool {
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
// one model, and how long it is between them.
func near(a, b clues) (ns int64, ok bool) {
	d, known := apart(a, b)
	return d, known && d <= minute && a.model != "" && bareModel(a.model) == bareModel(b.model)
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
			run.Results = append(run.Results, result{Record: it.part.Results[it.at], source: it.part.Source})
		case traceItem:
			t := it.part.Traces[it.at]
			run.sentIn(it.part.traceSession(t))
			traces[t.ID] = append(traces[t.ID], t)
		case leaderboardItem:
			leaderboard = append(leaderboard, it.part.Leaderboard[it.at])
		case metadataItem:
			metadata = append(metadata, it.part.Metadata[it.at])
		case metricsItem:
			run.sentIn(it.part.metricsSession(&it.part.Metrics[it.at]))
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
// test of the same trace; without a trace, of the same run or moment, the k-th
// of its file being the k-th of the other; without either, the same in every
// field.
func dropRepeats(rows []result) []result {
	type sighting struct {
		at     int
		source string
	}
	first := map[string]sighting{}
	nth := map[string]int{}
	var out []result
	for _, r := range rows {
		id, _ := r.Str(rowTestID)
		agent, _ := r.Str(attr.Field{"agent_type"})
		date, _ := r.Str(rowDate)
		identity := string(r.Set.AppendJSON(nil))
		if trace := resultTraceID(&r.Record); trace != (TraceID{}) {
			identity = strings.Join([]string{"trace", agent, id, trace.String()}, "\x00")
		} else if origin := cmp.Or(validRunID(r.Set), date); origin != "" {
			identity = strings.Join([]string{"run", agent, id, origin}, "\x00")
			nth[identity+"\x00"+r.source]++
			identity += "\x00" + strconv.Itoa(nth[identity+"\x00"+r.source])
		}
		if seen, ok := first[identity]; ok && seen.source != r.source {
			out[seen.at].Set = out[seen.at].Set.Merge(r.Set)
			continue
		}
		first[identity] = sighting{len(out), r.source}
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
	if allDiffer(out.Spans) {
		return out
	}
	at := make(map[SpanID][]int, total) // where the spans of an id are kept
	kept := out.Spans[:0]
	for _, s := range out.Spans {
		same := at[s.ID]
		if s.ID == (SpanID{}) {
			kept = append(kept, s)
			continue
		}
		if i := slices.IndexFunc(same, func(i int) bool {
			return kept[i].Name == s.Name && kept[i].Start == s.Start && kept[i].End == s.End
		}); i >= 0 {
			kept[same[i]].merge(&s)
			continue
		}
		id := s.ID
		if len(same) > 0 {
			found.flag("span:"+out.ID.String()+"/"+id.String(), FlagDuplicateSpanID)
			sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d", id, s.Name, s.Start, s.End))
			copy(s.ID[:], sum[:])
		}
		at[id] = append(same, len(kept))
		kept = append(kept, s)
	}
	out.Spans = kept
	sortSpans(out.Spans)
	return out
}

// allDiffer reports whether no two spans have the same id.
func allDiffer(spans []Span) bool {
	ids := make(map[SpanID]struct{}, len(spans))
	named := 0
	for i := range spans {
		if id := spans[i].ID; id != (SpanID{}) {
			ids[id] = struct{}{}
			named++
		}
	}
	return len(ids) == named
}

// merge fills the gaps of a span from another record of it.
func (s *Span) merge(other *Span) {
	s.Attrs = s.Attrs.Merge(other.Attrs)
	s.Row = s.Row.Merge(other.Row)
	if len(s.Events) < len(other.Events) {
		s.Events = other.Events
	}
	if len(s.Links) < len(other.Links) {
		s.Links = other.Links
	}
	if s.Resource == nil || len(s.Resource.Attrs) == 0 {
		s.Resource = cmp.Or(other.Resource, s.Resource)
	}
	s.Scope = cmp.Or(s.Scope, other.Scope)
	if s.Status == StatusUnset {
		s.Status, s.StatusMessage = other.Status, other.StatusMessage
	}
	if s.Kind == SpanKindUnspecified {
		s.Kind = other.Kind
	}
	if s.ParentID == (SpanID{}) {
		s.ParentID = other.ParentID
	}
}
