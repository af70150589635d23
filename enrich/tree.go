package enrich

import (
	"bytes"
	"slices"

	"smolscope/enrich/attr"
)

// A tree is the spans of one trace with their parents found. Indices are
// positions in spans, which are in (start, id) order. It is a forest of every
// span whatever the input: a parent that is missing, or that would close a
// circle, is not followed.
type tree struct {
	spans    []Span
	roles    []Role
	parent   []int // index of the parent, -1 at the top
	first    []int // children of i are kids[first[i]:first[i+1]]
	kids     []int
	order    []int // all spans, depth first, siblings by start
	depth    []int
	root     int // of the trace (spec §3.1), -1 without spans
	orphans  int // spans whose parent is not in the trace
	topTests []int
}

// sortSpans orders spans by start, then id; a span without a start comes last.
func sortSpans(spans []Span) {
	for i := 1; i < len(spans); i++ {
		if compareSpans(&spans[i-1], &spans[i]) > 0 { // most come in order
			slices.SortStableFunc(spans, func(a, b Span) int { return compareSpans(&a, &b) })
			return
		}
	}
}

func compareSpans(a, b *Span) int {
	if c := compareTimes(a.Start, b.Start); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

func newTree(spans []Span) *tree {
	n := len(spans)
	t := &tree{spans: spans, roles: make([]Role, n), parent: make([]int, n), depth: make([]int, n), root: -1}
	if n == 0 {
		return t
	}
	index := make(map[SpanID]int, n)
	keys := make([]attr.Index, n)
	for i := range spans {
		spans[i].keys = spans[i].Attrs.Index(&keys[i])
		t.roles[i] = RoleOf(&spans[i])
		if _, taken := index[spans[i].ID]; !taken && spans[i].ID != (SpanID{}) {
			index[spans[i].ID] = i
		}
	}
	var orphans []int
	firstTop := -1
	for i := range spans {
		t.parent[i] = -1
		if p, ok := index[spans[i].ParentID]; ok && p != i {
			t.parent[i] = p
			continue
		}
		if spans[i].ParentID != (SpanID{}) {
			orphans = append(orphans, i)
		}
		if firstTop < 0 {
			firstTop = i
		}
	}
	t.cutCycles()
	t.orphans = len(orphans)
	t.root = slices.Index(t.roles, RoleTest)
	if t.root < 0 {
		t.root = max(firstTop, 0)
	}
	// An orphan belongs under the root, unless the root stands below it.
	for _, o := range orphans {
		if o != t.root && !t.above(o, t.root) {
			t.parent[o] = t.root
		}
	}
	t.link()
	for _, i := range t.order {
		if t.roles[i] == RoleTest && !t.hasAncestor(i, func(p int) bool { return t.roles[p] == RoleTest }) {
			t.topTests = append(t.topTests, i)
		}
	}
	return t
}

// cutCycles lifts one span of each circle of parents to the top: the first in
// span order.
func (t *tree) cutCycles() {
	walk := make([]int, len(t.parent)) // which walk saw the span first, 0 for none
	for i := range t.parent {
		p := i
		for p >= 0 && walk[p] == 0 {
			walk[p] = i + 1
			p = t.parent[p]
		}
		if p < 0 || walk[p] != i+1 {
			continue
		}
		first := p
		for q := t.parent[p]; q != p; q = t.parent[q] {
			first = min(first, q)
		}
		t.parent[first] = -1
	}
}

// link lists children and the depth-first order.
func (t *tree) link() {
	n := len(t.spans)
	t.first = make([]int, n+2)
	for _, p := range t.parent {
		t.first[p+2]++ // the tops are the children of -1
	}
	for i := 1; i < len(t.first); i++ {
		t.first[i] += t.first[i-1]
	}
	fill := slices.Clone(t.first)
	t.kids = make([]int, n)
	for i, p := range t.parent {
		t.kids[fill[p+1]] = i
		fill[p+1]++
	}
	tops := t.kids[t.first[0]:t.first[1]]
	t.first = t.first[1:]
	t.order = make([]int, 0, n)
	stack := make([]int, 0, 64)
	for _, i := range slices.Backward(tops) {
		stack = append(stack, i)
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		t.order = append(t.order, i)
		if p := t.parent[i]; p >= 0 {
			t.depth[i] = t.depth[p] + 1
		}
		for _, kid := range slices.Backward(t.children(i)) {
			stack = append(stack, kid)
		}
	}
}

func (t *tree) children(i int) []int { return t.kids[t.first[i]:t.first[i+1]] }

// above reports whether span a is an ancestor of span b.
func (t *tree) above(a, b int) bool {
	return t.hasAncestor(b, func(p int) bool { return p == a })
}

func (t *tree) hasAncestor(i int, is func(int) bool) bool {
	for p := t.parent[i]; p >= 0; p = t.parent[p] {
		if is(p) {
			return true
		}
	}
	return false
}

// subtree returns span i and all below it, in span order.
func (t *tree) subtree(i int) []int {
	at := slices.Index(t.order, i)
	end := at + 1
	for end < len(t.order) && t.depth[t.order[end]] > t.depth[i] {
		end++
	}
	list := slices.Clone(t.order[at:end])
	slices.Sort(list)
	return list
}
