// Package attr holds attribute values as telemetry states them, the rules that
// coerce them to what is meant (spec §2.1), and the names each convention gives
// to one and the same fact (spec §2.2).
//
// Values are typed but not trusted: files before SMOLTRACE 0.1.0 write every
// attribute as a string, so a number may arrive as "1489" and a list as a
// Python tuple. The coercions accept every spelling and say no by their
// second result, never by zero.
package attr

import (
	"math"
	"strconv"
	"strings"
)

// A Kind says how a value was written in its source.
type Kind uint8

// The kinds of a Value. JSON is an array or object, kept as canonical text.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	JSON
)

// A Value is one attribute value. The zero Value is null.
type Value struct {
	kind Kind
	num  uint64
	str  string
}

// StringValue returns the value of a text.
func StringValue(s string) Value { return Value{kind: String, str: s} }

// IntValue returns the value of a whole number.
func IntValue(n int64) Value { return Value{kind: Int, num: uint64(n)} }

// BoolValue returns the value of a truth.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: Bool, num: 1}
	}
	return Value{kind: Bool}
}

// FloatValue returns the value of a number, or null if it is NaN or infinite:
// JSON has no such numbers, and a sum with one is worthless.
func FloatValue(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}
	}
	return Value{kind: Float, num: math.Float64bits(f)}
}

// JSONValue returns the value of an array or object, given as JSON text.
// Objects in it should have sorted keys; Canonical makes them so.
func JSONValue(text string) Value { return Value{kind: JSON, str: text} }

// Kind says how the value was written.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether the value is absent.
func (v Value) IsNull() bool { return v.kind == Null }

// Text returns the value as a person would write it: a string as it is, a
// number in its shortest form, an array or object as JSON, null as "".
func (v Value) Text() string {
	switch v.kind {
	case String, JSON:
		return v.str
	case Null:
		return ""
	}
	return string(v.AppendJSON(nil))
}

// AppendJSON appends the value as JSON. Floats take the shortest text that
// reads back the same.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case Bool:
		return strconv.AppendBool(dst, v.num == 1)
	case Int:
		return strconv.AppendInt(dst, int64(v.num), 10)
	case Float:
		return AppendFloat(dst, math.Float64frombits(v.num))
	case String:
		return AppendQuoted(dst, v.str)
	case JSON:
		return append(dst, v.str...)
	}
	return append(dst, "null"...)
}

// Str coerces to text that names something (spec §2.1 STR): "", "None" and
// "null" are what Python and JSON writers leave where there was nothing.
func (v Value) Str() (string, bool) {
	s := v.Text()
	if s == "" || s == "None" || s == "null" {
		return "", false
	}
	return s, true
}

// Int coerces to a count (spec §2.1 INT): a whole number not below zero, an
// integral float, or a decimal string of either.
func (v Value) Int() (int64, bool) {
	switch v.kind {
	case Int:
		n := int64(v.num)
		return n, n >= 0
	case Float:
		return integral(math.Float64frombits(v.num))
	case String:
		s := strings.TrimSpace(v.str)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, n >= 0
		}
		if f, ok := parseFloat(s); ok {
			return integral(f)
		}
	}
	return 0, false
}

func integral(f float64) (int64, bool) {
	if f < 0 || f >= math.MaxInt64 || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

// Float coerces to a number (spec §2.1 FLOAT). Truths are not numbers.
func (v Value) Float() (float64, bool) {
	switch v.kind {
	case Int:
		return float64(int64(v.num)), true
	case Float:
		return math.Float64frombits(v.num), true
	case String:
		return parseFloat(strings.TrimSpace(v.str))
	}
	return 0, false
}

// parseFloat accepts decimal and scientific notation only: strconv would also
// take "inf", "nan", hexadecimal floats and underscores.
func parseFloat(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// Bool coerces to a truth (spec §2.1 BOOL), in JSON's, Python's or C's spelling.
func (v Value) Bool() (value, ok bool) {
	switch v.kind {
	case Bool:
		return v.num == 1, true
	case Int:
		return v.num == 1, v.num <= 1
	case String:
		switch strings.ToLower(strings.TrimSpace(v.str)) {
		case "true", "1":
			return true, true
		case "false", "0":
			return false, true
		}
	}
	return false, false
}

// Nanos coerces a number to nanoseconds since the Unix epoch (spec §2.1 TIME):
// below 1e11 it counts seconds, below 1e14 milliseconds, below 1e17
// microseconds, else nanoseconds. Zero and below is no time.
func (v Value) Nanos() (int64, bool) {
	if n, ok := v.Int(); ok {
		var unit int64 = 1
		switch {
		case n <= 0:
			return 0, false
		case n < 1e11:
			unit = 1e9
		case n < 1e14:
			unit = 1e6
		case n < 1e17:
			unit = 1e3
		}
		if n > math.MaxInt64/unit {
			return 0, false
		}
		return n * unit, true
	}
	f, ok := v.Float()
	if !ok || f <= 0 || f >= 1e17 {
		return 0, false
	}
	switch {
	case f < 1e11:
		f *= 1e9
	case f < 1e14:
		f *= 1e6
	default:
		f *= 1e3
	}
	if f >= math.MaxInt64 {
		return 0, false
	}
	return int64(f), true
}
