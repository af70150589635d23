// Package filter reads what people write to find rows: "model:gpt cost>0.01
// success<50% -error:timeout". A row is found when every term holds for it.
//
// A term is a name, an operator and a value; or has:name, which asks whether the
// value is known; or a word alone, which any text of the row may hold. A minus in
// front turns a term around, and quotes keep blanks together: model:"claude 3".
// Text is found without regard to case, by : anywhere in it and by = as a whole.
// What is not known is neither more nor less than anything.
package filter

import (
	"fmt"
	"slices"
	"strings"

	"smolscope/enrich"
)

// An Error is a term that makes no sense. Message says what would.
type Error struct{ Term, Message string }

func (e *Error) Error() string { return e.Term + ": " + e.Message }

// A Name is a short name for a column.
type Name struct{ Name, Column string }

// A Language is what the rows of one dataset can be asked: by the names of its
// columns, and by the short names that come first in completion.
type Language[R any] struct {
	Columns []enrich.Column[R]
	Names   []Name
}

// A Filter is a list of terms, all of which must hold. The zero Filter finds
// every row.
type Filter[R any] struct {
	Terms []Term[R]
}

// A Term is one condition.
type Term[R any] struct {
	Text    string // as it was written
	columns []enrich.Column[R]
	not     bool
	holds   func(ptr any) bool // for any of the columns
}

// Columns names the columns that the filter reads, each once.
func (f Filter[R]) Columns() []string {
	var names []string
	for _, t := range f.Terms {
		for _, c := range t.columns {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// Finds reports whether every term holds for a row.
func (f Filter[R]) Finds(row *R) bool {
	for i := range f.Terms {
		if !f.Terms[i].of(row) {
			return false
		}
	}
	return true
}

func (t *Term[R]) of(row *R) bool {
	for i := range t.columns {
		if t.holds(t.columns[i].Ptr(row)) {
			return !t.not
		}
	}
	return t.not
}

// Without returns the text of the filter without its term i.
func (f Filter[R]) Without(i int) string {
	var texts []string
	for j, t := range f.Terms {
		if j != i {
			texts = append(texts, t.Text)
		}
	}
	return strings.Join(texts, " ")
}

// maxTerms is more than anyone writes, and few enough to be asked of every row.
const maxTerms = 32

// Parse reads a filter. An *Error names the term that makes no sense; the terms
// around it are returned all the same.
func (l Language[R]) Parse(text string) (Filter[R], error) {
	var f Filter[R]
	var first error
	for _, word := range split(text) {
		t, err := l.term(word)
		switch {
		case err != nil && first == nil:
			first = err
		case err == nil && len(f.Terms) == maxTerms:
			return f, &Error{word, fmt.Sprintf("more than %d terms", maxTerms)}
		case err == nil:
			f.Terms = append(f.Terms, t)
		}
	}
	return f, first
}

// split cuts a text at the blanks that stand outside quotes. A quote that is not
// closed reaches to the end.
func split(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t' || r == '\n' || r == '\r')
	})
}

// operators, the longer of two that begin alike first.
var operators = []string{"<=", ">=", "<", ">", "=", ":"}

// cut splits a word into name, operator and value, at the first operator outside
// quotes; op is "" where there is none.
func cut(word string) (name, op, value string) {
	for i := range len(word) {
		if word[i] == '"' {
			break
		}
		for _, op := range operators {
			if strings.HasPrefix(word[i:], op) {
				return word[:i], op, unquote(word[i+len(op):])
			}
		}
	}
	return "", "", unquote(word)
}

func unquote(s string) string { return strings.ReplaceAll(s, `"`, "") }

func (l Language[R]) term(word string) (Term[R], error) {
	t := Term[R]{Text: word}
	rest := word
	if len(word) > 1 && word[0] == '-' {
		t.not, rest = true, word[1:]
	}
	name, op, value := cut(rest)
	switch {
	case op == "":
		t.columns = l.texts()
		t.holds = textHas(value)
		return t, nil
	case value == "":
		return t, &Error{word, "want a value behind " + op}
	case name == "has" && op == ":":
		c, err := l.column(word, value)
		t.columns, t.holds = []enrich.Column[R]{c}, enrich.Known
		return t, err
	}
	c, err := l.column(word, name)
	if err != nil {
		return t, err
	}
	t.columns = []enrich.Column[R]{c}
	if t.holds, err = condition(c.Ptr(new(R)), c.Unit, op, value); err != nil {
		err = &Error{word, err.Error()}
	}
	return t, err
}

// column finds a column by its short name or its own.
func (l Language[R]) column(word, name string) (enrich.Column[R], error) {
	own := strings.ToLower(name)
	for _, n := range l.Names {
		if n.Name == own {
			own = n.Column
			break
		}
	}
	c, ok := enrich.Lookup(l.Columns, own)
	if ok {
		return c, nil
	}
	message := "there is no column " + name
	if near := enrich.Nearest(l.known(), name); near != "" {
		message += "; did you mean " + near + "?"
	}
	return c, &Error{word, message}
}

// known lists all names, the short ones first.
func (l Language[R]) known() []string {
	var names []string
	for _, n := range l.Names {
		names = append(names, n.Name)
	}
	return append(names, enrich.Names(l.Columns)...)
}

// texts lists the columns that a word alone is looked for in.
func (l Language[R]) texts() []enrich.Column[R] {
	return slices.DeleteFunc(slices.Clone(l.Columns), func(c enrich.Column[R]) bool {
		switch c.Ptr(new(R)).(type) {
		case *string, **string, *[]string:
			return false
		}
		return true
	})
}

// Completions lists how terms may begin, for the short names: each with the
// operator that goes with its column.
func (l Language[R]) Completions() []string {
	var list []string
	for _, n := range l.Names {
		c, ok := enrich.Lookup(l.Columns, n.Column)
		if !ok {
			continue
		}
		switch c.Ptr(new(R)).(type) {
		case *int64, **int64, **float64, *enrich.Time, *enrich.UnixNano:
			list = append(list, n.Name+">", n.Name+"<")
		default:
			list = append(list, n.Name+":")
		}
	}
	return list
}
