package enrich

import (
	"encoding/json"
	"slices"
	"strings"

	"smolscope/enrich/attr"
)

// tokens are the counts that one span states; nil is not stated. Cached tokens
// lie inside prompt, reasoning inside completion.
type tokens struct {
	prompt, completion, total        *int64
	reasoning, cacheRead, cacheWrite *int64
}

// maxTokens is more than any call can use. A count above it is a mistake, and
// would overflow the sums.
const maxTokens = 1 << 40

// any reports whether any count is above zero: zeros are what failed calls leave.
func (t tokens) any() bool {
	for _, n := range []*int64{t.prompt, t.completion, t.total, t.reasoning, t.cacheRead, t.cacheWrite} {
		if n != nil && *n > 0 {
			return true
		}
	}
	return false
}

// tokensOf reads a span's own counts out of its attributes. Cached tokens
// are part of prompt and reasoning is part of completion, whoever counted (spec
// §3.8). A total below prompt + completion is a mistake and gives way to the sum;
// one above it may hold what the two parts lack, and is kept (spec §2.2
// total_tokens).
func tokensOf(s *Span, role Role) tokens {
	used := s.attrs()
	var stated []int64 // one allocation for all
	count := func(f attr.Field) *int64 {
		n, key := used.Int(f)
		if key == "" || n > maxTokens {
			return nil
		}
		if stated == nil {
			stated = make([]int64, 0, 6)
		}
		stated = append(stated, n)
		return &stated[len(stated)-1]
	}
	t := tokens{
		prompt: count(attr.PromptTokens), completion: count(attr.CompletionTokens), total: count(attr.TotalTokens),
		reasoning: count(attr.ReasoningTokens), cacheRead: count(attr.CacheReadTokens), cacheWrite: count(attr.CacheWriteTokens),
	}
	t.include(cacheApart(s))
	if details, key := used.Str(attr.UsageDetails); key != "" {
		t.fill(langfuseTokens(details))
		t.include(false) // of the two, one may have stated the prompt and one the cache
	}
	if t.total == nil && role != RoleAgent {
		if n, ok := s.Row.Get("total_tokens").Int(); ok && n <= maxTokens {
			t.total = &n
		}
	}
	if t.prompt != nil && t.completion != nil {
		if both := *t.prompt + *t.completion; t.total == nil || *t.total < both {
			t.total = &both
		}
	} else if t.total != nil && *t.total < max(orZero(t.prompt), orZero(t.completion)) {
		t.total = nil
	}
	return t
}

// orZero returns a count, 0 of none.
func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// anthropicCall is the name that genai_otel gives a call of Anthropic's API.
const anthropicCall = "anthropic.messages.create"

// cacheApart reports whether the producer counts cached tokens beside the prompt,
// as Anthropic's API does (spec §3.8): LiteLLM, Traceloop and OpenTelemetry's
// convention add them to it, also for Anthropic.
func cacheApart(s *Span) bool { return s.Name == anthropicCall }

// include adds cached tokens to prompt and reasoning to completion where the
// producer counts them apart. What cannot lie inside is apart, and so is that
// without which the total would not add up, such as Gemini's thoughts.
func (t *tokens) include(cacheApart bool) {
	cached, reasoning := orZero(t.cacheRead)+orZero(t.cacheWrite), orZero(t.reasoning)
	var beside int64 // tokens in the total but neither in prompt nor in completion
	if t.prompt != nil && t.completion != nil && t.total != nil {
		beside = *t.total - *t.prompt - *t.completion
	}
	if t.completion != nil && reasoning > 0 && (beside == reasoning || beside == reasoning+cached || reasoning > *t.completion) {
		t.completion = new(*t.completion + reasoning)
		beside -= reasoning
	}
	if t.prompt != nil && cached > 0 && (cacheApart || beside == cached || cached > *t.prompt) {
		t.prompt = new(*t.prompt + cached)
	}
}

// fill takes from other what t lacks.
func (t *tokens) fill(other tokens) {
	for _, n := range []struct{ dst, src **int64 }{
		{&t.prompt, &other.prompt}, {&t.completion, &other.completion}, {&t.total, &other.total},
		{&t.reasoning, &other.reasoning}, {&t.cacheRead, &other.cacheRead}, {&t.cacheWrite, &other.cacheWrite},
	} {
		if *n.dst == nil {
			*n.dst = *n.src
		}
	}
}

// langfuseTokens reads usage_details, an object of disjoint counts: input,
// input_cached_tokens, input_cache_creation, cache_read_input_tokens, output,
// output_reasoning_tokens and so on, and total. Some pass on OpenAI's object:
// there prompt_tokens and completion_tokens are wholes, and objects below them
// tell of what.
func langfuseTokens(details string) tokens {
	var t tokens
	var parts [costPartCount]sum[int64]
	fields := jsonObject(details)
	for key, raw := range fields {
		if part, ok := langfusePart(key); ok && !langfuseRepeats(fields, key) {
			parts[part].add(countIn(raw))
		}
	}
	if t.total = countIn(fields["total"]); t.total == nil {
		t.total = countIn(fields["total_tokens"])
	}
	whole := func(key string, of ...int) *int64 {
		if raw, ok := fields[key]; ok && !langfuseRepeats(fields, key) {
			return countIn(raw)
		}
		var all sum[int64]
		for _, part := range of {
			all.add(parts[part].value())
		}
		return all.value()
	}
	t.prompt = whole("prompt_tokens", promptPart, cacheReadPart, cacheWritePart)
	t.completion = whole("completion_tokens", completionPart, reasoningPart)
	t.reasoning, t.cacheRead, t.cacheWrite = parts[reasoningPart].value(), parts[cacheReadPart].value(), parts[cacheWritePart].value()
	for _, d := range []struct {
		dst         **int64
		object, key string
	}{
		{&t.cacheRead, "prompt_tokens_details", "cached_tokens"}, {&t.cacheRead, "input_tokens_details", "cached_tokens"},
		{&t.reasoning, "completion_tokens_details", "reasoning_tokens"}, {&t.reasoning, "output_tokens_details", "reasoning_tokens"},
	} {
		if *d.dst == nil {
			*d.dst = countIn(jsonObject(string(fields[d.object]))[d.key])
		}
	}
	return t
}

// langfuseRepeats reports whether a key of usage_details or cost_details says
// once more what another one of the object says.
func langfuseRepeats(fields map[string]json.RawMessage, key string) bool {
	has := func(key string) bool { raw, ok := fields[key]; return ok && string(raw) != "null" }
	switch key {
	case "input_tokens":
		return has("input")
	case "prompt_tokens":
		return has("input") || has("input_tokens")
	case "output_tokens":
		return has("output")
	case "completion_tokens":
		return has("output") || has("output_tokens")
	}
	return false
}

// countIn reads a count of tokens out of a JSON value, nil of none.
func countIn(raw json.RawMessage) *int64 {
	if len(raw) == 0 {
		return nil
	}
	n, ok := jsonValue(raw).Int()
	if !ok || n > maxTokens {
		return nil
	}
	return &n
}

// jsonObject reads the fields of a JSON object, none of anything else.
func jsonObject(text string) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &fields) != nil {
		return nil
	}
	return fields
}

// Why a span's tokens are left out of the sums (spec §3.2).
const (
	agentRollUp      = "repeats the tokens of the calls below it"
	outerSpan        = "an inner span of the same call is counted"
	siblingDuplicate = "a second record of the call beside it"
	notACall         = "not an LLM call"
	outsideTests     = "in none of the trace's tests"
)

// A usage says which spans of a trace are LLM calls and which of them carry the
// tokens that count (spec §3.2).
type usage struct {
	tree       *tree
	tokens     []tokens
	models     []string // asked for by LLM and EMBEDDING spans
	responses  []string // models that LLM spans got
	calls      []int    // LLM spans with no LLM ancestor, in span order
	leaves     []int    // LLM spans with tokens and no LLM descendant with tokens
	rollUp     []int    // outermost AGENT spans that stand in when there is no leaf
	notCounted []string // per span: why its tokens are not counted, "" if they are or it has none
	duplicates int      // siblings left out as second records
	seen       *repeats
}

func newUsage(t *tree, seen *repeats) *usage {
	n := len(t.spans)
	u := &usage{tree: t, seen: seen, tokens: make([]tokens, n), models: make([]string, n), responses: make([]string, n), notCounted: make([]string, n)}
	for i := range t.spans {
		u.tokens[i] = tokensOf(&t.spans[i], t.roles[i])
		if t.roles[i] == RoleLLM || t.roles[i] == RoleEmbedding {
			u.models[i] = requestModelOf(&t.spans[i])
			u.responses[i], _ = t.spans[i].attrs().Str(attr.ResponseModel)
		}
	}
	second := u.siblingDuplicates()
	isLLM := func(i int) bool { return t.roles[i] == RoleLLM && !second[i] }

	// Parents come before children in depth-first order, so one walk down tells
	// who has an LLM or AGENT above, and one walk up who has usage below.
	llmAbove, agentAbove := make([]bool, n), make([]bool, n)
	usageBelow := make([]bool, n)
	for _, i := range t.order {
		if p := t.parent[i]; p >= 0 {
			second[i] = second[i] || second[p] && t.roles[i] == RoleLLM // the same call once more
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
	type call struct {
		model              string
		prompt, completion int64
	}
	for p := range t.spans {
		if len(t.children(p)) < 2 {
			continue
		}
		var waiting map[call][]int // OpenInference's, by what both records say
		for _, i := range t.children(p) {
			n := u.tokens[i]
			if t.roles[i] != RoleLLM || n.prompt == nil || n.completion == nil || conventionOf(&t.spans[i]) != openInference {
				continue
			}
			key := call{bareModel(u.models[i]), *n.prompt, *n.completion}
			if waiting == nil {
				waiting = map[call][]int{}
			}
			waiting[key] = append(waiting[key], i)
		}
		if len(waiting) == 0 {
			continue
		}
		for _, i := range t.children(p) {
			n := u.tokens[i]
			if t.roles[i] != RoleLLM || n.prompt == nil || n.completion == nil || conventionOf(&t.spans[i]) != openTelemetry {
				continue
			}
			key := call{bareModel(u.models[i]), *n.prompt, *n.completion}
			k := slices.IndexFunc(waiting[key], func(o int) bool { return oneInTheOther(&t.spans[o], &t.spans[i]) })
			if k < 0 {
				continue
			}
			other := waiting[key][k]
			waiting[key] = slices.Delete(waiting[key], k, k+1)
			if usageDetail(&t.spans[i]) > usageDetail(&t.spans[other]) {
				second[other] = true
			} else {
				second[i] = true
			}
		}
	}
	return second
}

// The conventions that two records of one call follow.
const (
	noConvention = iota
	openInference
	openTelemetry
)

func conventionOf(s *Span) int {
	oi, otel := len(s.Attrs.Prefix("llm.token_count.")) > 0, len(s.Attrs.Prefix("gen_ai.usage.")) > 0
	switch {
	case oi && !otel:
		return openInference
	case otel && !oi:
		return openTelemetry
	}
	return noConvention
}

// oneInTheOther reports whether the time of one span contains that of the other.
func oneInTheOther(a, b *Span) bool {
	_, okA := a.Duration()
	_, okB := b.Duration()
	return okA && okB && (a.Start <= b.Start && b.End <= a.End || b.Start <= a.Start && a.End <= b.End)
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

// bareModel drops LiteLLM's provider prefix.
func bareModel(model string) string {
	return strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
}

func requestModelOf(s *Span) string {
	if m, key := s.attrs().Str(attr.RequestModel); key != "" {
		return m
	}
	m, _ := s.attrs().Str(attr.ModelName)
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
