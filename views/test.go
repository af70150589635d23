package views

import (
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// TestData is what a test's page is made of.
type TestData struct {
	Run     enrich.LeaderboardRow
	Result  enrich.ResultRow
	Origins map[string]enrich.Origin // of the result's columns
	Trace   *enrich.TraceRow         // nil when no trace was joined
	Rows    []enrich.SpanRow         // the trace's first, in waterfall order
	Spans   []enrich.Span            // of these rows

	Prev, Next, NextFailed string // case ids, "" for none
}

// A TestPage shows one test: what was asked, what came of it, and how.
type TestPage struct {
	Layout     Layout
	Name       string
	Question   Text
	Outcome    *Outcome
	Facts      string // under the title
	When       Moment
	Verdict    []Check
	Answer     Text
	NoAnswer   string // why there is none, "" if there is one
	Error      Text
	ErrorClass string // "" when the test had no error
	Side       []Fact
	Origins    []OriginLine
	Findings   []Finding
	Passes     []Pass
	NoPasses   string
	Told       string // "the first 2,000 of 100,000 spans", "" when it was all of them
	RunHref    string
	TraceHref  string
	Prev, Next,
	NextFailed string // addresses, "" for none
}

// A Check is one part of a verdict.
type Check struct {
	Name, Value string
	Good, Bad   bool
}

// NewTestPage makes the page of a test.
func NewTestPage(d TestData) TestPage {
	r := &d.Result
	run := RunURL(r.RunID)
	f := resultFigures(newWhys(), r, d.Origins)
	p := TestPage{
		Layout: Layout{Title: orAbsent(r.TestID), Section: "leaderboard", Wide: true, Whys: f.whys, Crumbs: []Crumb{
			{"Leaderboard", "/"}, {modelName(&d.Run), run}, {Text: orAbsent(r.TestID)},
		}},
		Name:     orAbsent(r.TestID),
		Question: newText(deref(r.Prompt)),
		Outcome:  outcomeOf(r),
		Facts:    join(visible(deref(r.Difficulty)), prefixed("case ", visible(r.TestCaseUID))),
		When:     moment(r.StartTime),
		Verdict:  verdictOf(r),
		Answer:   newText(deref(r.Response)),
		Side:     testFacts(d, f),
		Origins:  originLines(f),
		Findings: rowFindings(enrich.ResultColumns, r, r.DataQuality),
		RunHref:  run,
	}
	if p.Question.Body == "" {
		p.Question = Text{Body: "The question was not recorded."}
	}
	if r.Response == nil {
		p.NoAnswer = "The agent gave no answer."
		if r.ErrorType != nil {
			p.NoAnswer = "No answer: the test ended in an error."
		}
	}
	if r.Error != nil || r.ErrorType != nil {
		p.ErrorClass = strings.ReplaceAll(orAbsent(deref(r.ErrorType)), "_", " ")
		p.Error = newText(deref(r.Error))
	}
	p.addConversation(d)
	for _, to := range []struct {
		href *string
		id   string
	}{{&p.Prev, d.Prev}, {&p.Next, d.Next}, {&p.NextFailed, d.NextFailed}} {
		if to.id != "" {
			*to.href = TestURL(r.RunID, to.id)
		}
	}
	return p
}

func (p *TestPage) addConversation(d TestData) {
	if d.Trace == nil {
		p.NoPasses = "No trace of this test is here. Drop the run’s traces.json to see what was said."
		return
	}
	p.TraceHref = TraceURL(d.Result.RunID, d.Trace.TraceID)
	p.Passes = newPasses(d.Result.RunID, d.Trace.TraceID, d.Spans, d.Rows)
	if n := min(len(d.Rows), len(d.Spans)); int64(n) < d.Trace.SpanCount {
		p.Told = "the first " + count(n) + " of " + plural(int(d.Trace.SpanCount), "span")
	}
	if len(p.Passes) == 0 {
		p.NoPasses = "The trace records no messages."
		if p.Told != "" {
			p.NoPasses = "These spans record no messages."
		}
	}
}

// verdictOf lists the parts a verdict is made of.
func verdictOf(r *enrich.ResultRow) []Check {
	check := func(name string, v *bool) Check {
		c := Check{Name: name, Value: unit.Absent}
		if v != nil {
			c.Value, c.Good, c.Bad = yesNo(*v), *v, !*v
		}
		return c
	}
	list := []Check{
		check("Tool called", r.ToolCalled),
		check("Right tool", r.CorrectTool),
		check("Final answer", r.FinalAnswerCalled),
		check("Answer right", r.ResponseCorrect),
	}
	if r.ResponseCorrect == nil && r.ErrorType == nil && r.Success != nil {
		list[3].Value = "nothing expected"
	}
	return list
}

// testFacts are the figures beside a test.
func testFacts(d TestData, f figures[enrich.ResultRow]) []Fact {
	r := f.row
	whole := func(name string) Quantity { // tokens are written in full where there is room
		q := f.shown(name)
		if c, _ := enrich.Lookup(enrich.ResultColumns, name); enrich.Known(c.Ptr(r)) {
			n, _ := enrich.Number(c.Ptr(r))
			q.Text, q.Full = inFull(c.Unit, n), ""
		}
		return q
	}
	list := []Fact{
		{Name: "Time", Value: f.shown("execution_time_ms")},
		{Name: "Tokens", Value: whole("gen_ai.usage.total_tokens")},
		{Name: "Tokens in", Value: whole("gen_ai.usage.prompt_tokens")},
		{Name: "Tokens out", Value: whole("gen_ai.usage.completion_tokens")},
	}
	for _, part := range []struct{ name, column string }{
		{"Cached", "cache_read_input_tokens"}, {"Reasoning", "completion_tokens_details.reasoning_tokens"},
	} {
		if f.known(part.column) {
			list = append(list, Fact{Name: part.name, Value: whole(part.column)})
		}
	}
	list = append(list, spendingFacts(f)...)
	tools := f.get("tools_used")
	tools.Text, tools.Full = orAbsent(toolList(r.ToolsUsed)), ""
	list = append(list,
		Fact{Name: "TTFT", Value: f.get("gen_ai.server.ttft")},
		Fact{Name: "Steps", Value: f.shown("steps")},
		Fact{Name: "Tools used", Value: tools},
	)
	if d.Trace != nil {
		trace := figures[enrich.TraceRow]{whys: f.whys, columns: enrich.TraceColumns, row: d.Trace}
		list = append(list,
			Fact{Name: "LLM calls", Value: trace.get("llm_call_count")},
			Fact{Name: "Spans", Value: Quantity{Text: unit.Count(&d.Trace.SpanCount)}, Href: TraceURL(r.RunID, d.Trace.TraceID)},
		)
	}
	if len(r.FinishReasons) > 0 {
		list = append(list, Fact{Name: "Stopped because", Value: Quantity{Text: visible(strings.Join(r.FinishReasons, ", "))}})
	}
	if r.Temperature != nil {
		list = append(list, Fact{Name: "Temperature", Value: f.get("gen_ai.request.temperature")})
	}
	if r.TraceID != nil {
		list = append(list, Fact{Name: "Trace", Value: Quantity{Text: short(*r.TraceID)}, Mono: true, Copy: *r.TraceID})
	}
	return list
}
