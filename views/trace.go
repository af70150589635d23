package views

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/unit"
)

// spansPerPage is how many rows of a trace a page shows.
const spansPerPage = 1000

// A TraceQuery is how a trace's page is asked for.
type TraceQuery struct {
	Span string // the selected span, "" for none
	View string // "waterfall" or "tree"
	From int    // first row shown, -1 to show the selected span's
}

// ParseTraceQuery reads ?span=, ?view= and ?from=.
func ParseTraceQuery(v url.Values) (TraceQuery, error) {
	q := TraceQuery{Span: strings.ToLower(v.Get("span")), From: -1}
	if q.Span != "" && (len(q.Span) != 16 || strings.Trim(q.Span, "0123456789abcdef") != "") {
		return q, &QueryError{"span=" + q.Span, "want 16 hex digits"}
	}
	var err error
	if q.View, err = parseChoice(v, "view", "waterfall", "tree"); err != nil {
		return q, err
	}
	if text := v.Get("from"); text != "" {
		if q.From, err = strconv.Atoi(text); err != nil || q.From < 0 {
			return q, &QueryError{"from=" + text, "want the number of a row, from 0"}
		}
	}
	return q, nil
}

// TraceData is what a trace's page is made of.
type TraceData struct {
	Run      enrich.LeaderboardRow
	Trace    enrich.TraceRow
	Origins  map[string]enrich.Origin // of the trace's columns
	Result   *enrich.ResultRow        // nil when no result was joined
	OfResult map[string]enrich.Origin // of its columns
	Rows     []enrich.SpanRow         // all of them, in waterfall order
	Selected *enrich.Span             // whole; nil when none is selected

	Prev, Next string // trace ids, "" for none
}

// A TracePage shows one trace on a time line.
type TracePage struct {
	Layout   Layout
	Title    string
	Outcome  *Outcome // nil when no result was joined
	Facts    []TitleFact
	When     Moment
	ID       string
	ShortID  string
	Findings []Finding
	Views    []Tab
	Tree     bool
	Axis     []Tick
	Rows     []SpanLine
	Cost     bool   // some call has one
	Energy   bool   // some call has one
	Before   string // leads to the rows before these, "" for none
	After    string
	Range    string // "rows 1 – 1,000 of 12,345", "" when all are here
	Panel    SpanPanel
	Origins  []OriginLine
	RunHref  string
	TestHref string
	Prev     string
	Next     string
}

// A TitleFact is one fact under a trace's title.
type TitleFact struct {
	Name  string // before the value: "cost"
	Value Quantity
	Unit  string // follows it: "tokens"
}

// A Tick is a mark of the time axis.
type Tick struct {
	X    string // percent
	Text string
	End  bool // the last one, written to the left of its mark
	Odd  bool // left out where there is little room
}

// A SpanLine is one row of a trace.
type SpanLine struct {
	ID       string
	Href     string
	Name     string
	Kind     string // word
	Class    string // of its colour
	Detail   string
	Depth    int    // as drawn: deeper rows stay where the deepest step ends
	Level    int    // as it is, from 1
	Deep     string // the depth in words, for a row that is drawn less deep
	Children bool
	Selected bool
	Failed   bool
	Error    string
	Tokens   Quantity
	Rollup   bool // the tokens are the trace's sum
	NotCount string
	Cost     Quantity
	Energy   Quantity
	Time     Quantity
	Start    string // after the start of the trace
	X, Width string // percent, "" when the span has no time
	Mark     string // pixels to move the mark of a bar too short to be seen, "" for no mark
	Label    string // the bar in words
}

// A bar shorter than this share of the axis is marked, so many pixels wide. The
// mark stands at the left of its place at the start of the axis and at the
// right of it at the end, so that the axis holds all of it.
const (
	thinnest  = 0.005
	markWidth = 2
)

// deepest is how many steps of indentation rows are drawn with.
const deepest = 12

// NewTracePage makes the page of a trace.
func NewTracePage(d TraceData, q TraceQuery) TracePage {
	t := &d.Trace
	path := TraceURL(t.RunID, t.TraceID)
	f := figures[enrich.TraceRow]{newWhys(), enrich.TraceColumns, t, d.Origins, readQuality(t.DataQuality)}
	p := TracePage{
		Title:   traceTitle(d),
		Facts:   traceFacts(d, f),
		Origins: originLines(f),
		When:    moment(enrich.Time(t.StartTimeUnixNano)),
		ID:      t.TraceID,
		ShortID: short(t.TraceID),
		Tree:    q.View == "tree",
		RunHref: RunURL(t.RunID),
	}
	p.Layout = Layout{
		Title: "trace " + p.ShortID, Section: "leaderboard", Wide: true, Scripts: []string{"trace"}, Whys: f.whys,
		Crumbs: []Crumb{{"Leaderboard", "/"}, {modelName(&d.Run), p.RunHref}},
	}
	if d.Result != nil {
		p.Outcome = outcomeOf(d.Result)
		p.TestHref = TestURL(d.Result.RunID, d.Result.TestCaseUID)
		p.Layout.Crumbs = append(p.Layout.Crumbs, Crumb{orAbsent(d.Result.TestID), p.TestHref})
	}
	p.Layout.Crumbs = append(p.Layout.Crumbs, Crumb{Text: "trace " + p.ShortID})
	p.Findings = traceFindings(d)
	for _, v := range []struct{ name, text string }{{"", "Waterfall"}, {"tree", "Tree"}} {
		p.Views = append(p.Views, Tab{Text: v.text, Href: address(path, "view", v.name, "span", q.Span), Current: p.Tree == (v.name == "tree")})
	}
	p.addRows(d, q, path)
	// The panel comes last, so that the numbers of the rows' answers do not change
	// with the span that is selected: trace.js replaces the panel alone.
	p.Panel = newSpanPanel(d, f, path)
	if d.Prev != "" {
		p.Prev = TraceURL(t.RunID, d.Prev)
	}
	if d.Next != "" {
		p.Next = TraceURL(t.RunID, d.Next)
	}
	return p
}

// traceTitle is the question, or what the root span is called.
func traceTitle(d TraceData) string {
	if d.Result != nil && d.Result.Prompt != nil && *d.Result.Prompt != "" {
		return oneLine(visible(*d.Result.Prompt), 160)
	}
	if len(d.Rows) > 0 {
		return oneLine(visible(d.Rows[0].Name), 160)
	}
	return "trace " + short(d.Trace.TraceID)
}

func traceFacts(d TraceData, f figures[enrich.TraceRow]) []TitleFact {
	t := f.row
	tokens := f.shown("total_tokens")
	if t.TotalTokens != nil {
		tokens.Text, tokens.Full = unit.Count(t.TotalTokens), ""
	}
	failed := 0
	for i := range d.Rows {
		if failedSpan(&d.Rows[i]) {
			failed++
		}
	}
	spans, calls := f.get("span_count"), f.get("llm_call_count")
	spans.Text, calls.Text = plural(int(t.SpanCount), "span"), plural(int(t.LLMCallCount), "LLM call")
	list := []TitleFact{
		{Value: f.shown("total_duration_ms")}, {Value: spans}, {Value: calls},
		{Value: tokens, Unit: "tokens"},
		{Name: "cost", Value: f.cost("total_cost_usd")},
	}
	// The energy of the test is the trace's only where the trace is all of one test.
	if d.Result != nil && d.Result.GPUEnergyWh != nil && !slices.Contains(f.quality.flags, enrich.FlagMultiTestTrace) {
		list = append(list, TitleFact{Name: "GPU energy", Value: resultFigures(f.whys, d.Result, d.OfResult).get("gpu_energy_wh")})
	}
	if failed > 0 {
		list = append(list, TitleFact{Value: Quantity{Text: plural(failed, "failed span")}})
	}
	return list
}

// traceFindings are the trace's own, and those of its spans whose tokens stand
// crossed out.
func traceFindings(d TraceData) []Finding {
	list := rowFindings(enrich.TraceColumns, &d.Trace, d.Trace.DataQuality)
	var rollup int64
	var agents, others int
	for i := range d.Rows {
		r := &d.Rows[i]
		if r.Counted == nil || *r.Counted || r.TotalTokens == nil || *r.TotalTokens == 0 {
			continue
		}
		rollup += *r.TotalTokens
		if enrich.Role(r.SpanKind) == enrich.RoleAgent {
			agents++
		} else {
			others++
		}
	}
	if rollup == 0 {
		return list
	}
	who := plural(agents+others, "span") + " around them repeat"
	if agents == 1 && others == 0 {
		who = "the AGENT span around them repeats"
	}
	said := fmt.Sprintf("Only the calls themselves are summed; %s %s tokens, which stand crossed out below.", who, unit.Count(&rollup))
	for i := range list {
		if list[i].Title == corrections["total_tokens"].title {
			list[i].Sentence, _, _ = strings.Cut(list[i].Sentence, ". ")
			list[i].Sentence += ". " + said
			return list
		}
	}
	return append(list, Finding{Title: "Roll-up not counted", Sentence: said})
}

func failedSpan(r *enrich.SpanRow) bool { return r.ErrorType != nil || r.Status == "ERROR" }

func (p *TracePage) addRows(d TraceData, q TraceQuery, path string) {
	from := q.From
	if from < 0 {
		from = 0
		for i := range d.Rows {
			if d.Rows[i].SpanID == q.Span {
				from = i / spansPerPage * spansPerPage
			}
		}
	}
	from = min(from, max(len(d.Rows)-1, 0))
	to := min(from+spansPerPage, len(d.Rows))
	extent := 0.0
	for i := range d.Rows {
		if r := &d.Rows[i]; r.OffsetUS != nil && r.DurationUS != nil {
			extent = max(extent, *r.OffsetUS+*r.DurationUS)
		}
	}
	p.Axis = axis(extent)
	p.Cost = slices.ContainsFunc(d.Rows, func(r enrich.SpanRow) bool { return r.CostUSD != nil })
	p.Energy = slices.ContainsFunc(d.Rows, func(r enrich.SpanRow) bool { return r.GPUEnergyWh != nil })
	trace := figures[enrich.TraceRow]{p.Layout.Whys, enrich.TraceColumns, &d.Trace, d.Origins, readQuality(d.Trace.DataQuality)}
	rollup := trace.get("total_tokens").Why
	view := ""
	if p.Tree {
		view = "tree"
	}
	start := ""
	if from > 0 {
		start = strconv.Itoa(from)
	}
	for i := from; i < to; i++ {
		line := newSpanLine(spanFigures(p.Layout.Whys, &d.Rows[i]), extent)
		line.Href = address(path, "view", view, "from", start, "span", line.ID)
		line.Selected = d.Selected != nil && d.Selected.ID.String() == line.ID
		if i == 0 && d.Rows[0].TotalTokens == nil && d.Trace.TotalTokens != nil {
			line.Tokens, line.Rollup = Quantity{Text: unit.Count(d.Trace.TotalTokens), Full: "sum of the calls under it", Why: rollup}, true
		}
		p.Rows = append(p.Rows, line)
	}
	if len(d.Rows) > spansPerPage {
		p.Range = "Rows " + count(from+1) + " – " + count(to) + " of " + count(len(d.Rows))
	}
	if from > 0 {
		p.Before = address(path, "view", view, "from", strconv.Itoa(max(from-spansPerPage, 0)))
	}
	if to < len(d.Rows) {
		p.After = address(path, "view", view, "from", strconv.Itoa(to))
	}
}

// spanFigures makes the quantities of a span's row. Tokens that are not counted
// say why.
func spanFigures(whys *Whys, r *enrich.SpanRow) figures[enrich.SpanRow] {
	f := figures[enrich.SpanRow]{whys: whys, columns: enrich.SpanColumns, row: r}
	if notCounted(r) {
		f.origins = map[string]enrich.Origin{"total_tokens": {Kind: enrich.Reported, From: "not counted: " + orAbsent(deref(r.NotCountedBecause))}}
	}
	return f
}

// notCounted reports whether a span's tokens stand crossed out.
func notCounted(r *enrich.SpanRow) bool {
	return r.Counted != nil && !*r.Counted && r.TotalTokens != nil && *r.TotalTokens > 0
}

func newSpanLine(f figures[enrich.SpanRow], extent float64) SpanLine {
	r := f.row
	l := SpanLine{
		ID: r.SpanID, Name: oneLine(visible(r.Name), 120), Kind: kindWord(r.SpanKind), Class: kindClass(r.SpanKind),
		Detail: oneLine(visible(deref(r.Detail)), 60), Depth: min(int(r.Depth), deepest), Level: int(r.Depth) + 1,
		Children: r.Children > 0, Failed: failedSpan(r), Error: strings.ReplaceAll(visible(deref(r.ErrorType)), "_", " "),
		Time: f.get("duration_us"),
	}
	if r.CostUSD != nil {
		l.Cost = f.get("cost_usd")
	}
	if r.GPUEnergyWh != nil {
		l.Energy = f.get("gpu_energy_wh")
	}
	if l.Detail == l.Name {
		l.Detail = ""
	}
	if r.Depth > deepest {
		l.Deep = "depth " + count(int(r.Depth))
	}
	if r.TotalTokens != nil {
		l.Tokens = f.get("total_tokens")
		l.Tokens.Text, l.Tokens.Full = unit.Count(r.TotalTokens), ""
		if r.PromptTokens != nil && r.CompletionTokens != nil {
			l.Tokens.Full = unit.Count(r.PromptTokens) + " in, " + unit.Count(r.CompletionTokens) + " out"
		}
		if notCounted(r) {
			l.NotCount = "not counted"
			if r.NotCountedBecause != nil {
				l.NotCount += ": " + visible(*r.NotCountedBecause)
			}
		}
	}
	if r.OffsetUS != nil {
		l.Start = unit.Micros(r.OffsetUS)
		if r.DurationUS != nil {
			l.Label = l.Time.Text + ", " + l.Start + " after the start"
			l.X, l.Width = "0", "100"
			if extent > 0 {
				from := min(max(*r.OffsetUS/extent, 0), 1)
				to := min(max((*r.OffsetUS+*r.DurationUS)/extent, from), 1)
				l.X, l.Width = geometry(100*from), geometry(100*(to-from))
				if to-from < thinnest {
					l.Mark = geometry(0 - markWidth*from)
				}
			}
		}
	}
	return l
}

// kindClass is the part of a class name that colours a kind of span.
func kindClass(kind string) string {
	switch enrich.Role(kind) {
	case enrich.RoleTest, enrich.RoleAgent, enrich.RoleLLM, enrich.RoleTool, enrich.RoleChain, enrich.RoleEmbedding, enrich.RoleRetriever:
		return strings.ToLower(kind)
	}
	return "other"
}

func kindWord(kind string) string {
	switch enrich.Role(kind) {
	case enrich.RoleLLM:
		return "LLM"
	case enrich.RoleUnknown, "":
		return "span"
	}
	return visible(strings.ToLower(kind))
}

// axis marks a time axis of so many microseconds at three to six round times.
func axis(extent float64) []Tick {
	if extent <= 0 {
		return nil
	}
	step := roundStep(extent)
	var ticks []Tick
	for i := 0; float64(i)*step <= extent*1.0001 && i < 12; i++ {
		at := float64(i) * step
		x := 100 * at / extent
		ticks = append(ticks, Tick{X: geometry(x), Text: tickText(at), End: x > 94, Odd: i%2 == 1})
	}
	return ticks
}

// roundStep returns the greatest of 1, 2 and 5 times a power of ten that goes
// into the extent at least three times.
func roundStep(extent float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(extent)))
	for _, step := range []float64{2 * power, power, power / 2} {
		if extent/step >= 3 {
			return step
		}
	}
	return power / 5
}

// tickText writes a time of the axis without trailing zeros.
func tickText(us float64) string {
	switch {
	case us == 0:
		return "0"
	case us >= 60e6:
		return unit.Micros(&us)
	case us >= 1e6:
		return strconv.FormatFloat(us/1e6, 'f', -1, 64) + " s"
	case us >= 1e3:
		return strconv.FormatFloat(us/1e3, 'f', -1, 64) + " ms"
	}
	return strconv.FormatFloat(us, 'f', -1, 64) + " µs"
}

// A SpanPanel shows one span in full, or, when none is selected, the trace.
type SpanPanel struct {
	Title      string
	Kind       string
	Class      string
	Selected   bool
	Facts      []Fact
	Messages   []Message
	Input      Text
	Output     Text
	HasInput   bool
	HasOutput  bool
	Attributes []Attribute
	Events     []Event
	JSON       Text
	JSONHref   string
	Close      string // address of the page with nothing selected
}

// An Attribute is one attribute of a span.
type Attribute struct {
	Key   string
	Value Text
}

// An Event is one event of a span.
type Event struct {
	Name       string
	At         string // after the start of the span
	Failed     bool
	Attributes []Attribute
}

func newSpanPanel(d TraceData, f figures[enrich.TraceRow], path string) SpanPanel {
	if d.Selected == nil {
		return tracePanel(f)
	}
	s := d.Selected
	p := SpanPanel{Selected: true, Title: orAbsent(s.Name), Close: path, JSONHref: apiURL(path) + "/spans/" + s.ID.String()}
	var row enrich.SpanRow
	for i := range d.Rows {
		if d.Rows[i].SpanID == s.ID.String() {
			row = d.Rows[i]
		}
	}
	p.Kind, p.Class = kindWord(row.SpanKind), kindClass(row.SpanKind)
	p.Facts = spanFacts(d, s, spanFigures(f.whys, &row))
	if enrich.Role(row.SpanKind) == enrich.RoleLLM {
		for _, m := range inputMessages(s.Attrs) {
			p.Messages = append(p.Messages, newMessage(m))
		}
		for _, m := range outputMessages(s.Attrs) {
			if m.role == "" {
				m.role = "assistant"
			}
			msg := newMessage(m)
			msg.Role += " · answer"
			p.Messages = append(p.Messages, msg)
		}
	}
	if len(p.Messages) == 0 {
		if in, key := s.Attrs.Str(attr.InputValue); key != "" {
			p.Input, p.HasInput = newText(pretty(in)), true
		}
		if out, key := s.Attrs.Str(attr.OutputValue); key != "" {
			p.Output, p.HasOutput = newText(pretty(out)), true
		}
	}
	p.Attributes = newAttributes(s.Attrs)
	for _, e := range s.Events {
		p.Events = append(p.Events, newEvent(s, &e))
	}
	p.JSON = newText(pretty(string(s.AppendJSON(nil))))
	return p
}

// tracePanel tells about the whole trace.
func tracePanel(f figures[enrich.TraceRow]) SpanPanel {
	t := f.row
	p := SpanPanel{Title: "Trace", Kind: "choose a span to see what it holds", Class: "test"}
	figure := func(name, column string) {
		if f.known(column) {
			q := f.get(column)
			if t := q.Full; strings.HasSuffix(t, " "+string(enrich.Tokens)) {
				q.Text, q.Full = strings.TrimSuffix(t, " "+string(enrich.Tokens)), ""
			}
			p.Facts = append(p.Facts, Fact{Name: name, Value: q})
		}
	}
	add := func(name, value string) {
		if value != "" && value != unit.Absent {
			p.Facts = append(p.Facts, Fact{Name: name, Value: Quantity{Text: value}})
		}
	}
	add("Model", visible(deref(t.Model)))
	add("System", visible(deref(t.System)))
	add("Provider", visible(deref(t.Provider)))
	add("Agent", visible(deref(t.AgentType)))
	figure("Tokens in", "gen_ai.usage.prompt_tokens")
	figure("Tokens out", "gen_ai.usage.completion_tokens")
	for _, k := range costKinds {
		figure("Cost of "+k.name, "gen_ai.usage.cost."+k.end)
	}
	figure("LLM calls", "llm_call_count")
	figure("Tool calls", "tool_call_count")
	figure("TTFT", "gen_ai.server.ttft")
	add("Error class", strings.ReplaceAll(visible(deref(t.ErrorType)), "_", " "))
	p.Facts = append(p.Facts, Fact{Name: "Trace id", Value: Quantity{Text: t.TraceID}, Mono: true, Copy: t.TraceID})
	return p
}

func spanFacts(d TraceData, s *enrich.Span, f figures[enrich.SpanRow]) []Fact {
	var list []Fact
	r := f.row
	add := func(name, value string) {
		if value != "" && value != unit.Absent {
			list = append(list, Fact{Name: name, Value: Quantity{Text: value}})
		}
	}
	detail := "Tool"
	if enrich.Role(r.SpanKind) == enrich.RoleLLM {
		detail = "Model"
	}
	add(detail, visible(deref(r.Detail)))
	if r.TotalTokens != nil {
		v := f.get("total_tokens")
		v.Text, v.Full = unit.Count(r.TotalTokens), ""
		if r.PromptTokens != nil && r.CompletionTokens != nil {
			v.Text = unit.Count(r.PromptTokens) + " in · " + unit.Count(r.CompletionTokens) + " out"
		}
		list = append(list, Fact{Name: "Tokens", Value: v})
	}
	for _, spent := range []struct{ name, column string }{{"Cost", "cost_usd"}, {"GPU energy", "gpu_energy_wh"}} {
		if f.known(spent.column) {
			list = append(list, Fact{Name: spent.name, Value: f.get(spent.column)})
		}
	}
	took := f.get("duration_us")
	if r.OffsetUS != nil && r.DurationUS != nil {
		took.Text += ", " + unit.Micros(r.OffsetUS) + " after start"
	}
	list = append(list, Fact{Name: "Time", Value: took})
	list = append(list, Fact{Name: "Started", Moment: moment(s.Start), Value: Quantity{Text: unit.Absent}})
	add("Status", strings.ToLower(s.Status.String()))
	if s.StatusMessage != "" {
		add("Message", oneLine(visible(s.StatusMessage), 300))
	}
	add("Error class", strings.ReplaceAll(visible(deref(r.ErrorType)), "_", " "))
	if s.Kind != enrich.SpanKindUnspecified && s.Kind != enrich.SpanKindInternal {
		add("OTel kind", strings.ToLower(s.Kind.String()))
	}
	if s.Scope != nil {
		add("Scope", visible(strings.TrimSpace(s.Scope.Name+" "+s.Scope.Version)))
	}
	list = append(list, Fact{Name: "Span id", Value: Quantity{Text: s.ID.String()}, Mono: true, Copy: s.ID.String()})
	if r.ParentSpanID != nil {
		list = append(list, Fact{Name: "Parent", Value: Quantity{Text: *r.ParentSpanID}, Mono: true, Href: SpanURL(d.Trace.RunID, d.Trace.TraceID, *r.ParentSpanID)})
	}
	for i, l := range s.Links {
		if i == 5 {
			add("Links", plural(len(s.Links), "link"))
			break
		}
		list = append(list, Fact{Name: "Link", Value: Quantity{Text: l.TraceID.String() + "/" + l.SpanID.String()}, Mono: true})
	}
	return list
}

func newAttributes(set attr.Set) []Attribute {
	list := make([]Attribute, len(set))
	for i, a := range set {
		list[i] = Attribute{visible(a.Key), folded(a.Value.Text())}
	}
	return list
}

func newEvent(s *enrich.Span, e *enrich.Event) Event {
	out := Event{Name: orAbsent(e.Name), Failed: e.Name == "exception", Attributes: newAttributes(e.Attrs)}
	if e.Time != 0 && s.Start != 0 {
		after := float64(e.Time-s.Start) / 1e9
		out.At = "+" + unit.Seconds(&after)
	}
	return out
}
