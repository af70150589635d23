package enrich

import (
	"slices"
	"strings"

	"smolscope/enrich/attr"
)

// tokens are the counts that one span states; nil is not stated.
type tokens struct {
	prompt, completion, total        *int64
	reasoning, cacheRead, cacheWrite *int64
}

// any reports whether any count is above zero: zeros are what failed calls leave.
func (t tokens) any() bool {
	for _, n := range []*int64{t.prompt, t.completion, t.total, t.reasoning, t.cacheRead, t.cacheWrite} {
		if n != nil && *n > 0 {
			return true
		}
	}
	return false
}

// tokensOf reads a span's own counts. A total below prompt + completion is a
// mistake and gives way to the sum; one above it may hold what the two parts
// lack, such as Gemini's thoughts, and is kept (spec §2.2 total_tokens).
func tokensOf(s *Span, role Role) tokens {
	count := func(f attr.Field) *int64 {
		if n, key := s.Attrs.Int(f); key != "" {
			return &n
		}
		return nil
	}
	t := tokens{
		prompt: count(attr.PromptTokens), completion: count(attr.CompletionTokens), total: count(attr.TotalTokens),
		reasoning: count(attr.ReasoningTokens), cacheRead: count(attr.CacheReadTokens), cacheWrite: count(attr.CacheWriteTokens),
	}
	if t.total == nil && role != RoleAgent {
		if n, ok := s.Row.Get("total_tokens").Int(); ok {
			t.total = &n
		}
	}
	if t.prompt != nil && t.completion != nil {
		if both := *t.prompt + *t.completion; t.total == nil || *t.total < both {
			t.total = &both
		}
	}
	return t
}

// Why a span's tokens are left out of the sums (spec §3.2).
const (
	agentRollUp      = "repeats the tokens of the calls below it"
	outerSpan        = "an inner span of the same call is counted"
	siblingDuplicate = "a second record of the call beside it"
	notACall         = "not an LLM call"
)

// A usage says which spans of a trace are LLM calls and which of them carry the
// tokens that count (spec §3.2).
type usage struct {
	tree       *tree
	tokens     []tokens
	calls      []int    // LLM spans with no LLM ancestor, in span order
	leaves     []int    // LLM spans with tokens and no LLM descendant with tokens
	rollUp     []int    // outermost AGENT spans that stand in when there is no leaf
	notCounted []string // per span: why its tokens are not counted, "" if they are or it has none
	duplicates int      // siblings left out as second records
}

func newUsage(t *tree) *usage {
	n := len(t.spans)
	u := &usage{tree: t, tokens: make([]tokens, n), notCounted: make([]string, n)}
	for i := range t.spans {
		u.tokens[i] = tokensOf(&t.spans[i], t.roles[i])
	}
	second := u.siblingDuplicates()
	isLLM := func(i int) bool { return t.roles[i] == RoleLLM && !second[i] }

	// Parents come before children in depth-first order, so one walk down tells
	// who has an LLM or AGENT above, and one walk up who has usage below.
	llmAbove, agentAbove := make([]bool, n), make([]bool, n)
	usageBelow := make([]bool, n)
	for _, i := range t.order {
		if p := t.parent[i]; p >= 0 {
			llmAbove[i] = llmAbove[p] || isLLM(p)
			agentAbove[i] = agentAbove[p] || t.roles[p] == RoleAgent && u.tokens[p].any()
		}
	}
	for _, i := range slices.Backward(t.order) {
		if p := t.parent[i]; p >= 0 && (usageBelow[i] || isLLM(i) && u.tokens[i].any()) {
			usageBelow[p] = true
		}
	}
	for i := range t.spans {
		hasUsage := u.tokens[i].any()
		switch {
		case isLLM(i):
			if !llmAbove[i] {
				u.calls = append(u.calls, i)
			}
			if hasUsage && !usageBelow[i] {
				u.leaves = append(u.leaves, i)
			} else if hasUsage {
				u.notCounted[i] = outerSpan
			}
		case !hasUsage:
		case second[i]:
			u.notCounted[i] = siblingDuplicate
			u.duplicates++
		case t.roles[i] == RoleAgent || t.roles[i] == RoleChain || t.roles[i] == RoleTest:
			u.notCounted[i] = agentRollUp
		default:
			u.notCounted[i] = notACall
		}
		if t.roles[i] == RoleAgent && hasUsage && !agentAbove[i] {
			u.rollUp = append(u.rollUp, i)
		}
	}
	return u
}

// siblingDuplicates finds pairs of LLM spans that record one call twice side by
// side, one after OpenInference and one after OpenTelemetry, and marks the one
// with less detail.
func (u *usage) siblingDuplicates() []bool {
	t := u.tree
	second := make([]bool, len(t.spans))
	for p := range t.spans {
		siblings := t.children(p)
		for x, a := range siblings {
			if t.roles[a] != RoleLLM || second[a] || !u.tokens[a].any() {
				continue
			}
			for _, b := range siblings[x+1:] {
				if t.spans[b].Start > t.spans[a].End {
					break
				}
				if t.roles[b] == RoleLLM && !second[b] && u.sameCall(a, b) {
					if usageDetail(&t.spans[b]) > usageDetail(&t.spans[a]) {
						second[a] = true
						break
					}
					second[b] = true
				}
			}
		}
	}
	return second
}

func (u *usage) sameCall(a, b int) bool {
	x, y := &u.tree.spans[a], &u.tree.spans[b]
	within := x.Start <= y.Start && y.End <= x.End || y.Start <= x.Start && x.End <= y.End
	xi, yi := len(x.Attrs.Prefix("llm.token_count.")) > 0, len(y.Attrs.Prefix("llm.token_count.")) > 0
	xg, yg := len(x.Attrs.Prefix("gen_ai.usage.")) > 0, len(y.Attrs.Prefix("gen_ai.usage.")) > 0
	conventions := xi && !xg && yg && !yi || xg && !xi && yi && !yg
	return within && conventions && u.tokens[b].any() &&
		equal(u.tokens[a].prompt, u.tokens[b].prompt) && equal(u.tokens[a].completion, u.tokens[b].completion) &&
		bareModel(requestModelOf(x)) == bareModel(requestModelOf(y))
}

func usageDetail(s *Span) int {
	return len(s.Attrs.Prefix("llm.token_count.")) + len(s.Attrs.Prefix("gen_ai.usage."))
}

// leavesOf lists the tokens of a logical call's usage leaves: several where the
// provider was asked again and billed again.
func (u *usage) leavesOf(call int) []tokens {
	var leaves []tokens
	stack := []int{call}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if u.tree.roles[i] == RoleLLM && u.notCounted[i] == "" && u.tokens[i].any() {
			leaves = append(leaves, u.tokens[i])
		}
		stack = append(stack, u.tree.children(i)...)
	}
	return leaves
}

func equal(a, b *int64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// bareModel drops LiteLLM's provider prefix.
func bareModel(model string) string {
	return strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
}

func requestModelOf(s *Span) string {
	if m, key := s.Attrs.Str(attr.RequestModel); key != "" {
		return m
	}
	m, _ := s.Attrs.Str(attr.ModelName)
	return m
}

// callSpans returns the LLM spans of a logical call, innermost first, later
// before earlier: the order in which its attributes are believed (spec §3.2).
func (u *usage) callSpans(call int) []*Span {
	t := u.tree
	var inCall []int
	stack := []int{call}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if t.roles[i] == RoleLLM {
			inCall = append(inCall, i)
		}
		stack = append(stack, t.children(i)...)
	}
	slices.SortStableFunc(inCall, func(a, b int) int {
		if t.depth[a] != t.depth[b] {
			return t.depth[b] - t.depth[a]
		}
		return b - a
	})
	spans := make([]*Span, len(inCall))
	for k, i := range inCall {
		spans[k] = &t.spans[i]
	}
	return spans
}
