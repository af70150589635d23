package views

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich"
)

// RowsPerPage is how many rows a table of a page shows.
const RowsPerPage = 50

// A QueryError is a parameter of a page's address that makes no sense. Its text
// says what would.
type QueryError struct{ Param, Message string }

func (e *QueryError) Error() string { return e.Param + ": " + e.Message }

// parseSort reads ?sort=column&order=asc|desc. Without an order, a column goes
// the way in which it is read: the best or the newest first, text from A to Z.
func parseSort[R any](v url.Values, columns []enrich.Column[R]) (name string, desc bool, err error) {
	name = v.Get("sort")
	if name == "" {
		return "", false, nil
	}
	c, ok := enrich.Lookup(columns, name)
	if !ok {
		message := "no such column"
		if near := enrich.Nearest(enrich.Names(columns), name); near != "" {
			message += "; did you mean " + near + "?"
		}
		return "", false, &QueryError{"sort=" + name, message}
	}
	switch order := v.Get("order"); order {
	case "":
		return name, firstDesc(c), nil
	case "asc", "desc":
		return name, order == "desc", nil
	default:
		return "", false, &QueryError{"order=" + order, "want asc or desc"}
	}
}

// firstDesc reports whether a column's first sorting is descending.
func firstDesc[R any](c enrich.Column[R]) bool {
	if c.Better != enrich.Neither {
		return c.Better == enrich.Higher
	}
	switch c.Ptr(new(R)).(type) {
	case *enrich.Time, *enrich.UnixNano, *int64, **int64, **float64:
		return true
	}
	return false
}

// parsePage reads ?page=n, counted from 1.
func parsePage(v url.Values) (int, error) {
	text := v.Get("page")
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, &QueryError{"page=" + text, "want a number from 1"}
	}
	return n, nil
}

// parseChoice reads a parameter that has a few values, the first the default.
func parseChoice(v url.Values, param string, choices ...string) (string, error) {
	value := v.Get(param)
	if value == "" {
		return choices[0], nil
	}
	if !slices.Contains(choices, value) {
		return "", &QueryError{param + "=" + value, fmt.Sprintf("want one of %s", strings.Join(choices, ", "))}
	}
	return value, nil
}
