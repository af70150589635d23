package views

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"smolscope/enrich"
)

// An Outcome is how a test ended, in a word with a colour and an icon of its
// own (design: vocabulary).
type Outcome struct {
	Name  string
	Class string // of the chip and of its share in a bar
	Icon  string // path data within 16 × 16
}

// The outcomes, in the order in which bars stack them.
var (
	pass          = &Outcome{"pass", "pass", "M3 8.5l3.3 3.3L13 4.6"}
	fail          = &Outcome{"fail", "fail", "M4 4l8 8M12 4l-8 8"}
	errored       = &Outcome{"error", "error", "M8 2.5v7M8 12.8v.4"}
	timeout       = &Outcome{"timeout", "timeout", "M8 2.2a5.8 5.8 0 1 0 .01 0zM8 4.8V8l2.3 1.6"}
	maxSteps      = &Outcome{"max steps", "max-steps", "M13 8a5 5 0 1 1-1.6-3.7M13.2 2v3.2H10"}
	providerError = &Outcome{"provider error", "provider", "M9.2 1.8L3.6 9.2h3.9L6.6 14.2l5.8-7.6H8.5z"}
	notScored     = &Outcome{"not scored", "none", "M8 3a5 5 0 1 0 .01 0z"}
	outcomes      = []*Outcome{pass, fail, errored, timeout, maxSteps, providerError, notScored}
)

// errorOutcome returns the outcome of a test that did not pass and has an
// error class.
func errorOutcome(class string) *Outcome {
	switch class {
	case "timeout":
		return timeout
	case "max_steps":
		return maxSteps
	case "rate_limit", "auth", "connection", "llm_error", "content_filter":
		return providerError
	}
	return errored
}

func outcomeOf(r *enrich.ResultRow) *Outcome {
	switch {
	case r.Success != nil && *r.Success:
		return pass
	case r.ErrorType != nil:
		return errorOutcome(*r.ErrorType)
	case r.Success != nil:
		return fail
	}
	return notScored
}

// A tally counts the tests of a run by outcome.
type tally map[*Outcome]int64

// tallyOf counts a run's outcomes from its leaderboard row. A test with an
// error has success false in every file seen, so what failed beyond the errors
// failed on its answer.
func tallyOf(r *enrich.LeaderboardRow) tally {
	t := tally{}
	rest := r.NumTests
	take := func(o *Outcome, n int64) {
		if n = min(n, rest); n > 0 {
			t[o] += n
			rest -= n
		}
	}
	var failed, errors int64
	if r.SuccessfulTests != nil {
		take(pass, *r.SuccessfulTests)
	}
	for _, e := range errorClasses(r.ErrorTypes) {
		take(errorOutcome(e.name), e.n)
		errors += e.n
	}
	if r.FailedTests != nil {
		failed = *r.FailedTests
	}
	take(fail, failed-errors)
	take(notScored, rest)
	return t
}

// scored returns how many tests have a verdict on the model's work: the
// provider's failures say nothing about it.
func (t tally) scored() int64 {
	return t[pass] + t[fail] + t[errored] + t[timeout] + t[maxSteps]
}

// String lists the outcomes that occur: "2 pass, 3 provider error".
func (t tally) String() string {
	var parts []string
	for _, o := range outcomes {
		if t[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", t[o], o.Name))
		}
	}
	return strings.Join(parts, ", ")
}

// A classCount is how many tests ended with an error of one class.
type classCount struct {
	name string
	n    int64
}

// errorClasses reads the error_types column, commonest class first.
func errorClasses(j enrich.JSON) []classCount {
	var counts map[string]int64
	if j == "" || json.Unmarshal([]byte(j), &counts) != nil {
		return nil
	}
	var list []classCount
	for name, n := range counts {
		list = append(list, classCount{name, n})
	}
	slices.SortFunc(list, func(a, b classCount) int {
		return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.name, b.name))
	})
	return list
}

// A Share is one part of a bar of outcomes, in percent of its length.
type Share struct{ Class, X, Width string }

// An OutcomeBar shows a run's outcomes as one stacked bar.
type OutcomeBar struct {
	Label  string
	Shares []Share
}

func newOutcomeBar(t tally, total int64) OutcomeBar {
	b := OutcomeBar{Label: t.String()}
	x := 0.0
	for _, o := range outcomes {
		if n := t[o]; n > 0 && total > 0 {
			w := 100 * float64(n) / float64(total)
			b.Shares = append(b.Shares, Share{o.Class, geometry(x), geometry(w)})
			x += w
		}
	}
	return b
}

// An IntervalBar shows a share and its 95 % interval on a line from 0 to 100 %.
type IntervalBar struct {
	Label           string
	Low, Width, Mid string
}

// newIntervalBar draws the Wilson interval of k of n.
func newIntervalBar(k, n int64) *IntervalBar {
	if n == 0 {
		return nil
	}
	low, high := enrich.Wilson(k, n)
	return &IntervalBar{
		Label: "95 % interval " + interval(low, high),
		Low:   geometry(100 * low),
		Width: geometry(100 * (high - low)),
		Mid:   geometry(100 * float64(k) / float64(n)),
	}
}

func interval(low, high float64) string {
	return fmt.Sprintf("%.1f – %.1f %%", 100*low, 100*high)
}

// geometry writes a percentage for an attribute of an SVG element.
func geometry(v float64) string {
	s := strings.TrimRight(fmt.Sprintf("%.2f", v), "0")
	return strings.TrimSuffix(s, ".")
}
