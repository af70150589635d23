package views

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"smolscope/enrich"
)

// RunFailures groups the tests of a run that did not pass, so that one cause is
// read once. Tests without a verdict and without an error are not failures.
type RunFailures struct {
	Summary  string
	Cost     Quantity // of all failures, what is known of it
	CostNote string
	Groups   []FailureGroup
}

// A FailureGroup is the tests that failed alike: with one outcome and class of
// error, after the same tools, with messages of one shape.
type FailureGroup struct {
	Outcome *Outcome
	Class   string // of the error, "" for a wrong answer
	Reason  Text   // a message of the group, or which checks failed
	Alike   string // that the messages differ in numbers, names and ids only
	Tools   string
	Count   string
	Bar     string // of the failures, in percent
	Cost, Tokens,
	Time Quantity // sums of what is known
	Tests    []FailedTest // the first ones
	More     string       // how many further ones there are, "" for none
	MoreHref string       // the tests of its outcome and class
}

// A FailedTest is one test of a group.
type FailedTest struct{ Name, Case, Href string }

// failedShown is how many tests of a group are listed.
const failedShown = 20

// isFailure reports whether a test failed.
func isFailure(o *Outcome) bool { return o != pass && o != notScored }

func failures(results []enrich.ResultRow) int {
	n := 0
	for i := range results {
		if isFailure(outcomeOf(&results[i])) {
			n++
		}
	}
	return n
}

// newRunFailures groups the failures of a run, the largest group first.
func newRunFailures(whys *Whys, results []enrich.ResultRow) RunFailures {
	type kind struct {
		outcome              *Outcome
		class, tools, reason string
	}
	groups := map[kind][]*enrich.ResultRow{}
	var kinds []kind // in order, so that a run is one page, byte for byte
	var all []*enrich.ResultRow
	for i := range results {
		r := &results[i]
		o := outcomeOf(r)
		if !isFailure(o) {
			continue
		}
		all = append(all, r)
		k := kind{o, deref(r.ErrorType), toolNames(r.ToolsUsed), shape(failureReason(r))}
		if groups[k] == nil {
			kinds = append(kinds, k)
		}
		groups[k] = append(groups[k], r)
	}
	var f RunFailures
	if len(all) == 0 {
		return f
	}
	cost, spent := costOf(all), costOf(rowsOf(results))
	f.Summary = fmt.Sprintf("%d of %s did not pass", len(all), plural(len(results), "test"))
	f.Cost = sumQuantity(whys, "Cost of the failures", "What the tests that did not pass cost together.", cost, len(all), enrich.USD)
	if cost.known > 0 && spent.total > 0 && cost.known == len(all) && spent.known == len(results) {
		f.CostNote = fmt.Sprintf("%.0f %% of what the run's tests cost", 100*cost.total/spent.total)
	} else if cost.known > 0 && cost.known < len(all) {
		f.CostNote = fmt.Sprintf("known for %d of %d", cost.known, len(all))
	}
	for _, k := range kinds {
		f.Groups = append(f.Groups, newFailureGroup(whys, k.outcome, groups[k], len(all)))
	}
	slices.SortFunc(f.Groups, func(a, b FailureGroup) int {
		return cmp.Or(cmp.Compare(len(b.Tests), len(a.Tests)), strings.Compare(a.Tests[0].Case, b.Tests[0].Case))
	})
	for i := range f.Groups {
		g := &f.Groups[i]
		if n := len(g.Tests); n > failedShown {
			g.Tests, g.More = g.Tests[:failedShown], "and "+count(n-failedShown)+" more"
		} else {
			g.MoreHref = ""
		}
	}
	return f
}

func newFailureGroup(whys *Whys, o *Outcome, rows []*enrich.ResultRow, all int) FailureGroup {
	reasons := map[string]bool{}
	var tokens, time sumOf
	for _, r := range rows {
		reasons[failureReason(r)] = true
		tokens.add(r.UsageTotalTokens)
		time.addFloat(r.ExecutionTimeMS)
	}
	g := FailureGroup{
		Outcome: o, Class: strings.ReplaceAll(visible(deref(rows[0].ErrorType)), "_", " "),
		MoreHref: alikeURL(rows[0], o),
		Reason:   newText(failureReason(rows[0])), Tools: orAbsent(toolNames(rows[0].ToolsUsed)),
		Count: count(len(rows)), Bar: geometry(100 * float64(len(rows)) / float64(all)),
		Cost:   sumQuantity(whys, "Cost of these failures", "What the tests of the group cost together.", costOf(rows), len(rows), enrich.USD),
		Tokens: sumQuantity(whys, "Tokens of these failures", "The tokens that the tests of the group used together.", tokens, len(rows), enrich.Tokens),
		Time:   sumQuantity(whys, "Time of these failures", "How long the tests of the group took, one after another.", time, len(rows), enrich.Milliseconds),
	}
	if len(reasons) > 1 {
		g.Alike = plural(len(reasons), "message") + " that differ in numbers, names or ids only"
	}
	for _, r := range rows {
		g.Tests = append(g.Tests, FailedTest{orAbsent(r.TestID), visible(r.TestCaseUID), TestURL(r.RunID, r.TestCaseUID)})
	}
	slices.SortFunc(g.Tests, func(a, b FailedTest) int { return strings.Compare(a.Case, b.Case) })
	return g
}

// alikeURL returns the address of the tests with the outcome and error class of one.
func alikeURL(r *enrich.ResultRow, o *Outcome) string {
	terms := "outcome=" + outcomeWord(o)
	if r.ErrorType != nil {
		terms += " error=" + quoted(*r.ErrorType)
	}
	return address(RunURL(r.RunID), "q", terms)
}

func rowsOf(results []enrich.ResultRow) []*enrich.ResultRow {
	rows := make([]*enrich.ResultRow, len(results))
	for i := range results {
		rows[i] = &results[i]
	}
	return rows
}

func costOf(rows []*enrich.ResultRow) (s sumOf) {
	for _, r := range rows {
		s.addFloat(r.CostTotal)
	}
	return s
}

// sumQuantity writes a sum over tests. One that is known of some only is a lower
// bound, and says so.
func sumQuantity(whys *Whys, name, doc string, s sumOf, of int, u enrich.Unit) Quantity {
	q := s.quantity(u)
	o := enrich.Origin{Kind: enrich.Derived, From: fmt.Sprintf("sum over %s; known for %d of them", plural(of, "test"), s.known)}
	switch {
	case s.known == 0:
		o = enrich.Origin{Kind: absent, From: "known for none of " + plural(of, "test")}
	case s.known < of:
		q.Text = "≥ " + q.Text
	}
	return whys.explain(q, name, doc, o)
}

// failureReason says why a test failed: its error's text, or the checks that its
// answer did not meet.
func failureReason(r *enrich.ResultRow) string {
	if r.Error != nil && strings.TrimSpace(*r.Error) != "" {
		return strings.TrimSpace(*r.Error)
	}
	no := func(b *bool) bool { return b != nil && !*b }
	var missed []string
	if no(r.ToolCalled) {
		missed = append(missed, "no tool was called")
	} else if no(r.CorrectTool) {
		missed = append(missed, "not the tool that was expected")
	}
	if no(r.FinalAnswerCalled) {
		missed = append(missed, "no final answer")
	}
	if no(r.ResponseCorrect) {
		missed = append(missed, "the answer is wrong")
	}
	if len(missed) == 0 {
		return "the files do not say why"
	}
	return strings.Join(missed, ", ")
}

// toolNames lists the tools that a test used, each once, in order of first use.
func toolNames(tools []string) string {
	var names []string
	for _, t := range tools {
		if t = visible(t); !slices.Contains(names, t) {
			names = append(names, t)
		}
	}
	return strings.Join(names, ", ")
}

// Where messages of one cause differ: in ids, addresses of memory, numbers.
var varying = regexp.MustCompile(`\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b[0-9a-fA-F]*[0-9][0-9a-fA-F]{7,}\b|[0-9]+(?:[.,:][0-9]+)*`)

// citing finds what messages cite in quotes, apostrophes aside, and the fields of
// objects, as JSON and Python write them, whose values say what happened.
var citing = regexp.MustCompile(`("[^"]*"|'[^']*')\s*:\s*("[^"]*"|'[^']*')|"[^"]*"|\B'[^']*'\B|` + "`[^`]*`")

// shapeLength is how much of a message tells its cause: what follows is the
// trace of the stack, or the text that the model wrote.
const shapeLength = 300

// shape is what messages of one cause have in common: their words, without numbers,
// ids and the names that they cite.
func shape(message string) string {
	if len(message) > 4*shapeLength {
		message = message[:4*shapeLength]
	}
	message = citing.ReplaceAllStringFunc(message, func(cited string) string {
		field := citing.FindStringSubmatch(cited)
		if value := field[2]; value == "" || strings.ContainsAny(value, "0123456789") && !strings.Contains(value, " ") {
			return "#"
		}
		return cited
	})
	words := strings.Join(strings.Fields(varying.ReplaceAllString(message, "#")), " ")
	return words[:min(len(words), shapeLength)]
}
