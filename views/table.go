package views

import (
	"strconv"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// A Heading is the head of one column of a table.
type Heading struct {
	Label string
	Help  string
	Href  string // sorts by the column; "" if it cannot be sorted
	Sort  string // aria-sort of the column that is sorted by, else ""
	Class string // "num" or ""
}

// sorting says how a table is sorted and where its headings lead.
type sorting struct {
	path string
	keep []string // query pairs that stay
	by   string
	desc bool
}

// sortPairs are the query pairs of an order of rows, none of the list's own.
func sortPairs(by string, desc bool) []string {
	if by == "" {
		return nil
	}
	order := "asc"
	if desc {
		order = "desc"
	}
	return []string{"sort", by, "order", order}
}

// columnHeading makes the head of a column of a dataset: a first click sorts it in
// its own direction, a second one the other way.
func columnHeading[R any](s sorting, columns []enrich.Column[R], name, label string) Heading {
	c, ok := enrich.Lookup(columns, name)
	if !ok {
		return Heading{Label: label, Class: "num"}
	}
	h := Heading{Label: label, Help: c.Doc}
	if label == "" {
		h.Label = c.Label
	}
	if isNumber(c.Ptr(new(R))) {
		h.Class = "num"
	}
	desc := firstDesc(c)
	if s.by == name {
		desc = !s.desc
		h.Sort = "ascending"
		if s.desc {
			h.Sort = "descending"
		}
	}
	h.Href = address(s.path, append(sortPairs(name, desc), s.keep...)...)
	return h
}

func isNumber(ptr any) bool {
	switch ptr.(type) {
	case *int64, **int64, **float64:
		return true
	}
	return false
}

// A Pager leads through a table that is longer than a page.
type Pager struct {
	Text           string // "1 – 50 of 1,234 runs", "" when all rows are here
	Previous, Next string // addresses, "" at the ends
}

// newPager describes page n of a table, counted from 1.
func newPager(n, shown, total int, things string, href func(page string) string) Pager {
	if total <= RowsPerPage {
		return Pager{}
	}
	from := (n - 1) * RowsPerPage
	p := Pager{Text: count(from+1) + " – " + count(from+shown) + " of " + count(total) + " " + things}
	if shown == 0 {
		p.Text = "none of " + count(total) + " " + things + " on this page"
	}
	if n > 1 {
		p.Previous = href(pageNumber(n - 1))
	}
	if from+shown < total && shown > 0 {
		p.Next = href(pageNumber(n + 1))
	}
	return p
}

// pageNumber is the value of ?page=, which the first page goes without.
func pageNumber(n int) string {
	if n <= 1 {
		return ""
	}
	return strconv.Itoa(n)
}

// cut returns the rows of page n.
func cut[R any](rows []R, n int) []R {
	from := min((n-1)*RowsPerPage, len(rows))
	return rows[from:min(from+RowsPerPage, len(rows))]
}

func count(n int) string { return unit.Count(new(int64(n))) }

// plural writes a number of things: "1 test", "5 tests".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}
