package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"smolscope/enrich"
)

// A table is the SQL table of rows of type R: a column for each column of its
// column table, of the same name and in the same order.
type table[R any] struct {
	name    string
	columns []enrich.Column[R]

	// key is the primary key, run id first, in the order rows are read in. It
	// may name place, a column of the table's own that counts the run's rows.
	key []string

	// lookup is a further unique key that rows are found by, or nil.
	lookup []string
}

const place = "place"

// quote makes a name an identifier: column names hold dots. Names come from
// the column tables only, as SQLite takes a misspelt quoted name for a text.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ", ")
}

// placed reports whether the table has the column place.
func (t *table[R]) placed() bool { return slices.Contains(t.key, place) }

// definition returns the statements that make the table.
func (t *table[R]) definition() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", quote(t.name))
	for _, c := range t.columns {
		fmt.Fprintf(&b, "\t%s %s,\n", quote(c.Name), sqlType(c.Ptr(new(R))))
	}
	if t.placed() {
		fmt.Fprintf(&b, "\t%s INTEGER NOT NULL,\n", quote(place))
	}
	fmt.Fprintf(&b, "\tPRIMARY KEY (%s)\n) STRICT, WITHOUT ROWID;\n", quoteAll(t.key))
	if t.lookup != nil {
		fmt.Fprintf(&b, "CREATE UNIQUE INDEX %s ON %s (%s);\n", quote(t.name+"_lookup"), quote(t.name), quoteAll(t.lookup))
	}
	return b.String()
}

// insert adds the rows of one run.
func (t *table[R]) insert(ctx context.Context, tx *sql.Tx, rows []R) error {
	names := enrich.Names(t.columns)
	if t.placed() {
		names = append(names, place)
	}
	stmt, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
		quote(t.name), quoteAll(names), strings.Repeat(", ?", len(names)-1)))
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	defer stmt.Close()
	args := make([]any, len(names))
	for i := range rows {
		for j, c := range t.columns {
			args[j] = value(c.Ptr(&rows[i]))
		}
		if t.placed() {
			args[len(t.columns)] = int64(i)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("%s: row %d: %w", t.name, i, err)
		}
	}
	return nil
}

// rows returns the rows that the rest of a SELECT statement picks.
func (t *table[R]) rows(ctx context.Context, tx *sql.Tx, rest string, args ...any) ([]R, error) {
	return t.partial(ctx, tx, t.columns, rest, args...)
}

// partial is rows with these columns alone; the other fields are left zero.
func (t *table[R]) partial(ctx context.Context, tx *sql.Tx, columns []enrich.Column[R], rest string, args ...any) ([]R, error) {
	found, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s %s",
		quoteAll(enrich.Names(columns)), quote(t.name), rest), args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	defer found.Close()
	var list []R
	fields := make([]any, len(columns))
	for found.Next() {
		var row R
		for i, c := range columns {
			fields[i] = field(c.Ptr(&row))
		}
		if err := found.Scan(fields...); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		list = append(list, row)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return list, nil
}

// ofRun returns all rows of a run, in the order they were inserted in.
func (t *table[R]) ofRun(ctx context.Context, tx *sql.Tx, run string) ([]R, error) {
	return t.rows(ctx, tx, `WHERE "run_id" = ? ORDER BY `+quoteAll(t.key), run)
}

// row returns the one row that the rest of a SELECT statement picks; its error
// wraps ErrNotFound when there is none.
func (t *table[R]) row(ctx context.Context, tx *sql.Tx, rest string, args ...any) (R, error) {
	list, err := t.rows(ctx, tx, rest+" LIMIT 1", args...)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s %q: %w", t.name, args, ErrNotFound)
	}
	if err != nil {
		var none R
		return none, err
	}
	return list[0], nil
}

// sqlType returns the SQL type of a column's field, given by its pointer.
func sqlType(ptr any) string {
	switch ptr.(type) {
	case *string:
		return "TEXT NOT NULL"
	case *bool, *int64:
		return "INTEGER NOT NULL"
	case **string, *[]string, *[]int64, *[]float64, *enrich.JSON:
		return "TEXT"
	case **bool, **int64, *enrich.Time, *enrich.UnixNano:
		return "INTEGER"
	case **float64:
		return "REAL"
	}
	panic(fmt.Sprintf("column of type %T", ptr))
}

// value returns what is stored of a column's field, given by its pointer:
// absent is null, a list is a JSON array, a time is nanoseconds.
func value(ptr any) driver.Value {
	if !enrich.Known(ptr) {
		return nil
	}
	switch p := ptr.(type) {
	case *string:
		return *p
	case **string:
		return **p
	case *bool:
		return *p
	case **bool:
		return **p
	case *int64:
		return *p
	case **int64:
		return **p
	case **float64:
		return **p
	case *enrich.Time:
		return int64(*p)
	case *enrich.UnixNano:
		return int64(*p)
	case *enrich.JSON:
		return string(*p)
	}
	return string(enrich.AppendJSON(nil, ptr))
}

// field returns where to scan a column's field to, given by its pointer:
// database/sql reads null into a pointer, and the rest is ours.
func field(ptr any) any {
	switch p := ptr.(type) {
	case *enrich.Time:
		return (*nanos)(p)
	case *enrich.UnixNano:
		return (*nanos)(p)
	case *enrich.JSON:
		return (*text)(p)
	case *[]string:
		return list[string]{p}
	case *[]int64:
		return list[int64]{p}
	case *[]float64:
		return list[float64]{p}
	}
	return ptr
}

type nanos int64

// Scan reads a time; null is the absent one.
func (n *nanos) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n = 0
	case int64:
		*n = nanos(v)
	default:
		return fmt.Errorf("time is %T, want int64", v)
	}
	return nil
}

type text string

// Scan reads JSON; null is the absent one.
func (t *text) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t = ""
	case string:
		*t = text(v)
	default:
		return fmt.Errorf("JSON is %T, want string", v)
	}
	return nil
}

type list[T any] struct{ field *[]T }

// Scan reads a list; null is no list, which differs from an empty one.
func (l list[T]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*l.field = nil
		return nil
	case string:
		return json.Unmarshal([]byte(v), l.field)
	}
	return fmt.Errorf("list is %T, want string", v)
}
