package enrich

import (
	"slices"
	"strings"
	"unicode/utf8"

	"smolscope/enrich/attr"
)

// The values of join_method: by which rule a results row found its trace.
const (
	joinTraceID   = "trace_id"
	joinCaseUID   = "case_uid"
	joinAgentTest = "agent_test"
	joinTestID    = "test_id"
	joinPrompt    = "prompt"
	joinOrder     = "order"
	joinNone      = "none"
)

// A test is one task of a run: its results row, the facts of its trace, or both.
type test struct {
	row    attr.Set // nil when it is known from its trace alone
	facts  *facts   // nil without a trace
	method string   // the rule that joined them
	caseID string

	stored   storedSummary // in the row
	exported *ResultRow    // the row as it was exported, nil of an original

	unnamed bool // neither row nor trace names the test

	testID, agent, prompt, caseUID string // as the row states them
	traceID                        TraceID
}

// where names the test among the findings.
func (t *test) where() string { return "test:" + t.caseID }

func (t *test) start() Time {
	if t.facts == nil {
		return 0
	}
	return t.facts.start
}

// toolCalls lists the tools a test called, without final_answer, and whether
// that is known: from its trace, where that has tool calls, else as its row
// states them (spec §3.10).
func (t *test) toolCalls() (names []string, known bool) {
	if t.facts != nil && len(t.facts.toolCalls) > 0 {
		return t.facts.toolCalls, true
	}
	stated := t.row.Get("tools_used")
	names = slices.DeleteFunc(toolList(stated), func(name string) bool { return name == finalAnswer })
	return names, t.facts != nil || !stated.IsNull()
}

func newTest(r result) *test {
	t := &test{row: r.Set, exported: r.exported, stored: readStoredSummary(r.Set), method: joinNone, traceID: resultTraceID(&r.Record)}
	t.testID, _ = r.Str(rowTestID)
	t.agent, _ = r.Str(attr.Field{"agent_type"})
	t.agent = strings.ToLower(t.agent)
	t.prompt = r.Get("prompt").Text()
	t.caseUID, _ = r.Str(attr.Field{"test_case_uid"})
	return t
}

// join gives each results row the trace it belongs to, by the first rule of
// spec §3.1 that finds exactly one that no other row has claimed. Traces left
// over stay in the returned list.
func join(tests []*test, traced []*facts) (unclaimed []*facts) {
	claimed := map[*facts]bool{}
	claim := func(t *test, f *facts, method string) {
		t.facts, t.method = f, method
		claimed[f] = true
	}
	joinByTraceID(tests, traced, claim)

	// The other rules compare what both sides say. Where a rule needs it to be
	// unique on both sides, two equal rows are joined by none.
	rules := []struct {
		method string
		unique bool
		row    func(*test) string
		trace  func(*facts) string
	}{
		{joinCaseUID, false, func(t *test) string { return t.caseUID }, func(f *facts) string { return f.caseUID }},
		{joinAgentTest, false, func(t *test) string { return both(t.agent, t.testID) }, func(f *facts) string { return both(f.agentType, f.testID) }},
		{joinTestID, true, func(t *test) string { return t.testID }, func(f *facts) string { return f.testID }},
		{joinPrompt, true, func(t *test) string { return both(t.agent, head(t.prompt, 100)) }, func(f *facts) string { return both(f.agentType, head(f.prompt, 100)) }},
	}
	for _, rule := range rules {
		traces := map[string][]*facts{}
		for _, f := range traced {
			if key := rule.trace(f); key != "" && !claimed[f] {
				traces[key] = append(traces[key], f)
			}
		}
		rows := map[string]int{}
		for _, t := range tests {
			if t.facts == nil {
				rows[rule.row(t)]++
			}
		}
		for _, t := range tests {
			key := rule.row(t)
			if t.facts != nil || key == "" || rule.unique && rows[key] > 1 {
				continue
			}
			// agentsDiffer guards the rules that do not compare agents.
			if f := only(traces[key], func(f *facts) bool { return !claimed[f] && !agentsDiffer(t, f) }); f != nil {
				claim(t, f, rule.method)
			}
		}
	}
	joinByOrder(tests, traced, claimed, claim)
	return slices.DeleteFunc(slices.Clone(traced), func(f *facts) bool { return claimed[f] })
}

// only returns the one of the list that fits, or nil if none or several do.
func only(list []*facts, fits func(*facts) bool) *facts {
	var found *facts
	for _, f := range list {
		if fits(f) {
			if found != nil {
				return nil
			}
			found = f
		}
	}
	return found
}

// joinByTraceID is rule 1. Files before 0.1.1 give the tool and the code row of
// a test the same trace id: the row whose agent the trace names gets it.
func joinByTraceID(tests []*test, traced []*facts, claim func(*test, *facts, string)) {
	byTrace := map[TraceID][]*test{}
	for _, t := range tests {
		if t.traceID != (TraceID{}) {
			byTrace[t.traceID] = append(byTrace[t.traceID], t)
		}
	}
	for _, f := range traced {
		var claimants []*test
		for _, t := range byTrace[f.trace.ID] {
			if t.facts == nil && !agentsDiffer(t, f) && (f.whole || t.testID == f.testID) {
				claimants = append(claimants, t)
			}
		}
		if len(claimants) == 0 {
			continue
		}
		best := claimants[0]
		if i := slices.IndexFunc(claimants, func(t *test) bool { return t.agent != "" && t.agent == f.agentType }); i >= 0 {
			best = claimants[i]
		}
		claim(best, f, joinTraceID)
	}
}

// joinByOrder is rule 6: per agent, the k-th row left over and the k-th trace
// left over, if there are as many of each.
func joinByOrder(tests []*test, traced []*facts, claimed map[*facts]bool, claim func(*test, *facts, string)) {
	rows, traces := map[string][]*test{}, map[string][]*facts{}
	for _, t := range tests {
		if t.facts == nil {
			rows[t.agent] = append(rows[t.agent], t)
		}
	}
	for _, f := range traced {
		if !claimed[f] {
			traces[f.agentType] = append(traces[f.agentType], f)
		}
	}
	for agent, list := range rows {
		left := traces[agent]
		if len(list) != len(left) {
			continue
		}
		slices.SortStableFunc(left, func(a, b *facts) int { return compareTimes(a.start, b.start) })
		for i, t := range list {
			claim(t, left[i], joinOrder)
		}
	}
}

func agentsDiffer(t *test, f *facts) bool {
	return t.agent != "" && f.agentType != "" && t.agent != f.agentType
}

// both joins two texts to a key, or gives "" if either is missing.
func both(a, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return a + "\x00" + b
}

// head returns the first n characters of s.
func head(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return strings.Clone(string(runes[:n]))
}
