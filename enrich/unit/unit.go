// Package unit writes quantities for people: pages, charts, the command line
// and the browser all take their numbers from here, so that one value reads the
// same everywhere. A column's unit is fixed; only its writing is scaled.
//
// What is absent is written as a dash, never as 0, and 0 is written as 0.
package unit

import (
	"math"
	"strconv"
	"strings"
)

// Absent stands where there is no value.
const Absent = "—"

// A step is a unit of a scale and its size in the scale's base unit.
type step struct {
	size float64
	name string
}

// scaled writes v in the largest step that leaves at least 1 of it after
// rounding to three digits, or in the smallest.
func scaled(v float64, steps ...step) string {
	for _, s := range steps[:len(steps)-1] {
		if math.Abs(rounded(v/s.size)) >= 1 {
			return digits(v/s.size) + s.name
		}
	}
	last := steps[len(steps)-1]
	return digits(v/last.size) + last.name
}

// rounded returns v with three significant digits.
func rounded(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	return r
}

// digits writes v with three significant digits, thousands marked and no
// exponent: 0.0123, 1.20, 12.3, 123, 12,300.
func digits(v float64) string {
	v = rounded(v)
	if v == 0 {
		return "0"
	}
	decimals := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return grouped(strconv.FormatFloat(v, 'f', max(decimals, 0), 64))
}

// grouped puts a comma after every third digit of the whole part.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "−", number[1:]
	}
	whole, fraction, found := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		whole += "." + fraction
	}
	return sign + whole
}

func known(v *float64) bool { return v != nil && !math.IsNaN(*v) && !math.IsInf(*v, 0) }

// Seconds writes a duration given in seconds: three digits in µs, ms or s, and
// from a minute on whole seconds, from an hour on whole minutes.
func Seconds(v *float64) string {
	if !known(v) {
		return Absent
	}
	s := *v
	switch abs := math.Abs(s); {
	case s == 0:
		return "0 s"
	case math.Round(abs) >= 3600:
		m := int64(math.Round(abs / 60))
		return sign(s) + grouped(strconv.FormatInt(m/60, 10)) + " h " + strconv.FormatInt(m%60, 10) + " min"
	case rounded(abs) >= 60:
		n := int64(math.Round(abs))
		return sign(s) + strconv.FormatInt(n/60, 10) + " min " + strconv.FormatInt(n%60, 10) + " s"
	}
	return scaled(s, step{1, " s"}, step{1e-3, " ms"}, step{1e-6, " µs"})
}

func sign(v float64) string {
	if v < 0 {
		return "−"
	}
	return ""
}

// Millis writes a duration given in milliseconds, as Seconds does.
func Millis(v *float64) string { return Seconds(times(v, 1e-3)) }

// Micros writes a duration given in microseconds, as Seconds does.
func Micros(v *float64) string { return Seconds(times(v, 1e-6)) }

func times(v *float64, factor float64) *float64 {
	if v == nil {
		return nil
	}
	return new(*v * factor)
}

// Count writes a whole number with thousands marked.
func Count(n *int64) string {
	if n == nil {
		return Absent
	}
	return grouped(strconv.FormatInt(*n, 10))
}

// Tokens writes a number of tokens: whole up to 9,999, then three digits of
// thousands (29.1k), millions or milliards. Count writes it in full.
func Tokens(n *int64) string {
	if n == nil || (-10_000 < *n && *n < 10_000) {
		return Count(n)
	}
	return scaled(float64(*n), step{1e9, "G"}, step{1e6, "M"}, step{1e3, "k"})
}

// USD writes money: two decimals, four below a cent, and below those two
// digits, so that no price is ever rounded to $0.00.
func USD(v *float64) string {
	if !known(v) {
		return Absent
	}
	f, abs := *v, math.Abs(*v)
	decimals := 2
	switch {
	case f == 0:
		return "$0"
	case abs < 0.000_1:
		decimals = 1 - int(math.Floor(math.Log10(abs)))
	case abs < 0.01:
		decimals = 4
	}
	return sign(f) + "$" + grouped(strconv.FormatFloat(abs, 'f', decimals, 64))
}

// Percent writes a share given in percent, with one decimal.
func Percent(v *float64) string {
	if !known(v) {
		return Absent
	}
	return grouped(strconv.FormatFloat(*v+0, 'f', 1, 64)) + " %"
}

// Energy writes an energy given in watt-hours: in joules below 1 Wh.
func Energy(v *float64) string {
	switch {
	case !known(v):
		return Absent
	case *v == 0:
		return "0 J"
	}
	const wattHour = 3600 // joules
	return scaled(*v*wattHour, step{1e3 * wattHour, " kWh"}, step{wattHour, " Wh"}, step{1, " J"}, step{1e-3, " mJ"})
}

// Watts writes a power.
func Watts(v *float64) string { return plain(v, " W") }

// MiB writes an amount of memory given in mebibytes: in GiB from 1 GiB on.
func MiB(v *float64) string {
	if !known(v) {
		return Absent
	}
	return scaled(*v, step{1024, " GiB"}, step{1, " MiB"})
}

// Bytes writes an amount of bytes in B, KiB, MiB or GiB.
func Bytes(n int64) string {
	if n < 1024 {
		return Count(&n) + " B"
	}
	return scaled(float64(n), step{1 << 30, " GiB"}, step{1 << 20, " MiB"}, step{1 << 10, " KiB"})
}

// Grams writes a mass: in milligrams below a gram, in kilograms from 1 kg on.
func Grams(v *float64) string {
	switch {
	case !known(v):
		return Absent
	case *v == 0:
		return "0 g"
	}
	return scaled(*v, step{1e3, " kg"}, step{1, " g"}, step{1e-3, " mg"})
}

// Celsius writes a temperature, whole: sensors know no more.
func Celsius(v *float64) string {
	if !known(v) {
		return Absent
	}
	return grouped(strconv.FormatFloat(math.Round(*v)+0, 'f', 0, 64)) + " °C"
}

// Rate writes tokens per second.
func Rate(v *float64) string { return plain(v, " tok/s") }

// Number writes a number without a unit, with three significant digits, or
// whole from 1,000 on.
func Number(v *float64) string {
	if known(v) && math.Abs(*v) >= 1000 {
		return grouped(strconv.FormatFloat(math.Round(*v), 'f', 0, 64))
	}
	return plain(v, "")
}

// Exact writes a number with all its digits, for the text beside a shortened one.
func Exact(v *float64) string {
	if !known(v) {
		return Absent
	}
	return grouped(strconv.FormatFloat(*v+0, 'f', -1, 64))
}

func plain(v *float64, name string) string {
	if !known(v) {
		return Absent
	}
	return digits(*v) + name
}
