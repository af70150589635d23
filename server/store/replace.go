package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// replaceTables gives the derived tables their present schema and reports
// whether the rows that were in them can still be read: columns that came are
// null in them. Where that cannot be, as of a new column that is never null, all
// tables are made anew, so that no run is there in part. old are the names of
// the tables as they were.
func replaceTables(ctx context.Context, tx *sql.Tx, old []string, tables []derivedTable) (kept bool, err error) {
	want, err := wantedShapes(ctx, tables)
	if err != nil {
		return false, err
	}
	var changes, anew []string
	kept = true
	for _, t := range tables {
		have, err := shapeOf(ctx, tx, t.name)
		if err != nil {
			return false, err
		}
		change, ok := t.change(have, want[t.name])
		kept = kept && ok
		changes = append(changes, change...)
		anew = append(anew, t.definition)
	}
	if len(changes) > 0 {
		// Where values came from is kept by the place of their columns.
		changes = append(changes, `DELETE FROM origins`, `DELETE FROM row_origins`)
	}
	if !kept {
		changes = anew
	}
	for _, name := range slices.Backward(old) {
		if !kept || !slices.ContainsFunc(tables, func(t derivedTable) bool { return t.name == name }) {
			changes = append([]string{"DROP TABLE IF EXISTS " + quote(name)}, changes...)
		}
	}
	for _, change := range changes {
		if _, err := tx.ExecContext(ctx, change); err != nil {
			return false, fmt.Errorf("%s: %w", change, err)
		}
	}
	return kept, nil
}

// change returns the statements that make a table of one shape one of another,
// and whether there are such.
func (t derivedTable) change(have, want shape) (statements []string, ok bool) {
	switch {
	case len(have.columns) == 0:
		return []string{t.definition}, true
	case t.name == "origins" || t.name == "row_origins":
		// These say why, not what: a run can be read without them.
		if slices.Equal(have.columns, want.columns) && have.indexes == want.indexes {
			return nil, true
		}
		return []string{"DROP TABLE " + quote(t.name), t.definition}, true
	case have.indexes != want.indexes:
		return nil, false
	}
	for _, c := range want.columns {
		switch i := have.find(c.name); {
		case i >= 0 && have.columns[i] != c, i < 0 && (c.notNull || c.key > 0):
			return nil, false
		case i < 0:
			statements = append(statements, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", quote(t.name), quote(c.name), c.kind))
		}
	}
	for _, c := range have.columns {
		if want.find(c.name) < 0 {
			if c.key > 0 {
				return nil, false
			}
			statements = append(statements, fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s", quote(t.name), quote(c.name)))
		}
	}
	return statements, true
}

// A shape is what matters of a table's schema; that of no table has no columns.
type shape struct {
	columns []column
	indexes string // the statements that made them
}

// A column is one of a table: its name, its SQL type, and its place in the
// primary key, 0 outside it.
type column struct {
	name, kind string
	notNull    bool
	key        int
}

func (s shape) find(name string) int {
	return slices.IndexFunc(s.columns, func(c column) bool { return c.name == name })
}

// wantedShapes returns the shapes of tables as they are when made anew.
func wantedShapes(ctx context.Context, tables []derivedTable) (map[string]shape, error) {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	shapes := map[string]shape{}
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		for _, t := range tables {
			if _, err := tx.ExecContext(ctx, t.definition); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
			if shapes[t.name], err = shapeOf(ctx, tx, t.name); err != nil {
				return err
			}
		}
		return nil
	})
	return shapes, err
}

func shapeOf(ctx context.Context, tx *sql.Tx, table string) (shape, error) {
	var s shape
	err := tx.QueryRowContext(ctx, `
		SELECT COALESCE(GROUP_CONCAT(sql, ';' ORDER BY name), '')
		FROM sqlite_schema
		WHERE type = 'index' AND tbl_name = ?`, table).Scan(&s.indexes)
	if err != nil {
		return shape{}, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT name, type, "notnull", pk FROM pragma_table_info(?)`, table)
	if err != nil {
		return shape{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.notNull, &c.key); err != nil {
			return shape{}, err
		}
		s.columns = append(s.columns, c)
	}
	return s, rows.Err()
}
