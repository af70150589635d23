package filter

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"smolscope/enrich"
)

// condition makes the test of a column's field, given by its pointer.
func condition(ptr any, unit enrich.Unit, op, value string) (func(ptr any) bool, error) {
	switch ptr.(type) {
	case *int64, **int64, **float64:
		want, err := number(value, unit)
		if err != nil {
			return nil, err
		}
		return func(ptr any) bool {
			n, ok := enrich.Number(ptr)
			return ok && compared(op, compareNumbers(n, want))
		}, nil
	case *enrich.Time, *enrich.UnixNano:
		from, to, err := period(value)
		if err != nil {
			return nil, err
		}
		return func(ptr any) bool { return during(op, instant(ptr), from, to) }, nil
	}
	if op != ":" && op != "=" {
		return nil, fmt.Errorf("the column holds no number; want : or = in place of %s", op)
	}
	switch ptr.(type) {
	case *bool, **bool:
		return truth(value)
	}
	if op == "=" {
		return textIs(value), nil
	}
	return textHas(value), nil
}

// compared reports whether the outcome of a comparison is what an operator asks for.
func compared(op string, outcome int) bool {
	switch op {
	case "<":
		return outcome < 0
	case "<=":
		return outcome <= 0
	case ">":
		return outcome > 0
	case ">=":
		return outcome >= 0
	}
	return outcome == 0
}

// compareNumbers compares; numbers that differ by less than figures on a page
// can show are the same, so that what is read there can be asked for.
func compareNumbers(a, b float64) int {
	if math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) {
		return 0
	}
	if a < b {
		return -1
	}
	return 1
}

// suffixes say how a number of a unit may end, and how much of the unit it then is.
// They are looked for as they are written, and then in small letters.
var suffixes = map[string]struct {
	unit  enrich.Unit
	times float64
}{
	"MWh": {enrich.WattHours, 1e6}, "kwh": {enrich.WattHours, 1e3}, "wh": {enrich.WattHours, 1}, "mWh": {enrich.WattHours, 1e-3},
	"h": {enrich.Seconds, 3600}, "min": {enrich.Seconds, 60}, "m": {enrich.Seconds, 60}, "s": {enrich.Seconds, 1},
	"ms": {enrich.Milliseconds, 1}, "us": {enrich.Microseconds, 1}, "µs": {enrich.Microseconds, 1},
	"gib": {enrich.MiB, 1024}, "mib": {enrich.MiB, 1},
	"kg": {enrich.Grams, 1e3}, "g": {enrich.Grams, 1}, "mg": {enrich.Grams, 1e-3},
	"kw": {enrich.Watts, 1e3}, "w": {enrich.Watts, 1},
	"°c": {enrich.Celsius, 1}, "%": {enrich.Percent, 1},
}

// multiples say how a number may end that counts something: things, tokens, dollars.
var multiples = map[string]float64{"k": 1e3, "m": 1e6}

// seconds says how long the units of time are.
var seconds = map[enrich.Unit]float64{enrich.Seconds: 1, enrich.Milliseconds: 1e-3, enrich.Microseconds: 1e-6}

// number reads a number in the unit of a column: 2s, 1500ms, $0.01, 50%, 10k.
func number(text string, unit enrich.Unit) (float64, error) {
	digits := strings.ReplaceAll(text, ",", "")
	if money, ok := strings.CutPrefix(digits, "$"); ok {
		if unit != enrich.USD {
			return 0, errors.New("the column is not in dollars")
		}
		digits = money
	}
	end := strings.LastIndexAny(digits, "0123456789.") + 1
	n, err := strconv.ParseFloat(digits[:end], 64)
	if err != nil || math.IsInf(n, 0) {
		return 0, fmt.Errorf("want a number, such as %s", example(unit))
	}
	times, ok := scale(digits[end:], unit)
	if !ok {
		return 0, fmt.Errorf("the column is %s, not in %s", measured(unit), digits[end:])
	}
	return n * times, nil
}

// scale returns what a number with an ending is multiplied by to be in a unit, and
// whether the two go together.
func scale(ending string, unit enrich.Unit) (float64, bool) {
	if ending == "" {
		return 1, true
	}
	small := strings.ToLower(ending)
	switch unit {
	case enrich.None, enrich.Count, enrich.Tokens, enrich.USD:
		times, ok := multiples[small]
		return times, ok
	}
	s, ok := suffixes[ending]
	if !ok {
		s, ok = suffixes[small]
	}
	if to := seconds[unit]; to > 0 {
		return s.times * seconds[s.unit] / to, ok && seconds[s.unit] > 0
	}
	return s.times, ok && s.unit == unit
}

func measured(unit enrich.Unit) string {
	if unit == enrich.None || unit == enrich.Count {
		return "a number without a unit"
	}
	return "in " + string(unit)
}

func example(unit enrich.Unit) string {
	switch unit {
	case enrich.Seconds, enrich.Milliseconds, enrich.Microseconds:
		return "2s or 500ms"
	case enrich.USD:
		return "0.01"
	case enrich.Percent:
		return "50"
	case enrich.Tokens:
		return "10k"
	}
	return "3"
}

// instant returns the nanoseconds of a date, 0 of none.
func instant(ptr any) int64 {
	switch p := ptr.(type) {
	case *enrich.Time:
		return int64(*p)
	case *enrich.UnixNano:
		return int64(*p)
	}
	return 0
}

// period reads a date in UTC, of a year, a month, a day, a minute or a second,
// and returns its first nanosecond and the first one behind it.
func period(text string) (from, to int64, err error) {
	for _, p := range []struct {
		layout string
		next   func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
		{time.RFC3339, func(t time.Time) time.Time { return t.Add(time.Second) }},
	} {
		if t, err := time.Parse(p.layout, strings.ToUpper(text)); err == nil && t.Year() > 1970 && t.Year() < 2200 {
			return t.UnixNano(), p.next(t).UnixNano(), nil
		}
	}
	return 0, 0, errors.New("want a date, such as 2026-03-01 or 2026-03")
}

// during compares a date with a period: > is after it, >= from its beginning.
func during(op string, at, from, to int64) bool {
	if at == 0 {
		return false
	}
	switch op {
	case "<":
		return at < from
	case "<=":
		return at < to
	case ">":
		return at >= to
	case ">=":
		return at >= from
	}
	return at >= from && at < to
}

func truth(value string) (func(ptr any) bool, error) {
	var want bool
	switch strings.ToLower(value) {
	case "true", "yes":
		want = true
	case "false", "no":
	default:
		return nil, errors.New("want yes or no")
	}
	return func(ptr any) bool {
		switch p := ptr.(type) {
		case *bool:
			return *p == want
		case **bool:
			return *p != nil && **p == want
		}
		return false
	}, nil
}

// textHas finds a part of a text, or of any element of a list.
func textHas(part string) func(ptr any) bool {
	part = strings.ToLower(part)
	return func(ptr any) bool {
		return anyText(ptr, func(s string) bool { return strings.Contains(strings.ToLower(s), part) })
	}
}

// textIs finds a whole text, or a whole element of a list.
func textIs(whole string) func(ptr any) bool {
	return func(ptr any) bool { return anyText(ptr, func(s string) bool { return strings.EqualFold(s, whole) }) }
}

func anyText(ptr any, is func(string) bool) bool {
	switch p := ptr.(type) {
	case *string:
		return is(*p)
	case **string:
		return *p != nil && is(**p)
	case *[]string:
		return slices.ContainsFunc(*p, is)
	case *[]int64:
		return slices.ContainsFunc(*p, func(n int64) bool { return is(strconv.FormatInt(n, 10)) })
	case *[]float64:
		return slices.ContainsFunc(*p, func(n float64) bool { return is(strconv.FormatFloat(n, 'g', -1, 64)) })
	case *enrich.JSON:
		return *p != "" && is(string(*p))
	}
	return false
}
