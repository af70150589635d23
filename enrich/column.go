package enrich

import (
	"fmt"
	"slices"
	"strings"
)

// A Unit says what a number counts. It is fixed for a column, stands in its
// name where the seed put it there, and decides how pages write the value.
type Unit string

// The units of columns.
const (
	None         Unit = ""
	Tokens       Unit = "tokens"
	USD          Unit = "USD"
	Seconds      Unit = "s"
	Milliseconds Unit = "ms"
	Microseconds Unit = "us"
	Percent      Unit = "%"
	MiB          Unit = "MiB"
	Celsius      Unit = "°C"
	Watts        Unit = "W"
	WattHours    Unit = "Wh"
	Grams        Unit = "g"
	Count        Unit = "1"
)

// A Priority is the seed's word on how much a column matters.
type Priority string

// The seed's priorities; a captured column was in SMOLTRACE's files already,
// an extra is one the seed does not list.
const (
	Captured Priority = "captured"
	Critical Priority = "critical"
	High     Priority = "high"
	Nice     Priority = "nice"
	Extra    Priority = "extra"
)

// Better says which direction of a measure is the good one.
type Better int8

// Directions. Neither is for values that are not measures of quality.
const (
	Lower   Better = -1
	Neither Better = 0
	Higher  Better = 1
)

// A Column describes one column of a dataset whose rows are of type R. From the
// table of a dataset's columns come its SQL table, its JSON and CSV, what pages
// may sort by, headings, help texts and docs/fields.md.
//
// Ptr returns a pointer to the row's field. Its type is one of:
//
//	*string *bool *int64           never null
//	**string **bool **int64 **float64   nil is null
//	*Time *UnixNano                zero is null
//	*[]string *[]int64 *[]float64  nil is null
//	*JSON                          "" is null
//	*SpanList                      the spans of a trace
type Column[R any] struct {
	Name     string
	Label    string
	Unit     Unit
	Priority Priority
	Better   Better
	Doc      string // one or two sentences: what it is and the rule it follows
	Ptr      func(*R) any
}

// JSON is text that holds one JSON value, keys sorted; "" is null.
type JSON string

// Lookup returns the column with a name.
func Lookup[R any](columns []Column[R], name string) (Column[R], bool) {
	i := slices.IndexFunc(columns, func(c Column[R]) bool { return c.Name == name })
	if i < 0 {
		return Column[R]{}, false
	}
	return columns[i], true
}

// Names returns the columns' names, in order.
func Names[R any](columns []Column[R]) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// Known reports whether a column's field, given by its pointer, has a value.
func Known(ptr any) bool {
	switch p := ptr.(type) {
	case **string:
		return *p != nil
	case **bool:
		return *p != nil
	case **int64:
		return *p != nil
	case **float64:
		return *p != nil
	case *Time:
		return *p != 0
	case *UnixNano:
		return *p != 0
	case *[]string:
		return *p != nil
	case *[]int64:
		return *p != nil
	case *[]float64:
		return *p != nil
	case *JSON:
		return *p != ""
	case *SpanList:
		return p.Known()
	case *string, *bool, *int64:
		return true
	}
	panic(fmt.Sprintf("column of type %T", ptr))
}

// Number returns the value of a numeric field, given by its pointer, and
// whether it is numeric and known.
func Number(ptr any) (float64, bool) {
	switch p := ptr.(type) {
	case *int64:
		return float64(*p), true
	case **int64:
		if *p != nil {
			return float64(**p), true
		}
	case **float64:
		if *p != nil {
			return **p, true
		}
	}
	return 0, false
}

// TypeName names a column's type for people, such as "int" or "list of string".
func TypeName(ptr any) string {
	switch ptr.(type) {
	case *string, **string:
		return "string"
	case *bool, **bool:
		return "bool"
	case *int64, **int64:
		return "int"
	case **float64:
		return "float"
	case *Time:
		return "datetime UTC"
	case *UnixNano:
		return "string of int64"
	case *[]string:
		return "list of string"
	case *[]int64:
		return "list of int"
	case *[]float64:
		return "list of float"
	case *JSON:
		return "JSON"
	case *SpanList:
		return "list of span"
	}
	panic(fmt.Sprintf("column of type %T", ptr))
}

// Nearest returns the column name that most resembles a mistyped one, or "".
func Nearest(names []string, name string) string {
	best, bestDistance := "", len(name)/2+1
	for _, n := range names {
		if d := editDistance(strings.ToLower(name), n); d < bestDistance {
			best, bestDistance = n, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions and substitutions between texts.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
