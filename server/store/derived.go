package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"smolscope/enrich"
)

// The tables of the datasets. A trace's spans are not in its row: they are in
// trace_blocks, so that a list of traces does not touch them.
var (
	leaderboard = table[enrich.LeaderboardRow]{
		name: "leaderboard", columns: enrich.LeaderboardColumns,
		key: []string{"run_id"},
	}
	results = table[enrich.ResultRow]{
		name: "results", columns: enrich.ResultColumns,
		key: []string{"run_id", place}, lookup: []string{"run_id", "test_case_uid"},
	}
	traces = table[enrich.TraceRow]{
		name: "traces", columns: slices.DeleteFunc(slices.Clone(enrich.TraceColumns),
			func(c enrich.Column[enrich.TraceRow]) bool { return c.Name == "spans" }),
		key: []string{"run_id", place}, lookup: []string{"run_id", "trace_id"},
	}
	metrics = table[enrich.MetricRow]{
		name: "metrics", columns: enrich.MetricColumns,
		key: []string{"run_id", place},
	}
	spans = table[enrich.SpanRow]{
		name: "spans", columns: enrich.SpanColumns,
		key: []string{"run_id", "trace_id", "seq"},
	}
)

// A derivedTable is one that can be made again from the uploads.
type derivedTable struct{ name, definition string }

// derivedTables lists them all; each has a column run_id.
func derivedTables() []derivedTable {
	return []derivedTable{
		{leaderboard.name, leaderboard.definition()},
		{results.name, results.definition()},
		{traces.name, traces.definition()},
		{metrics.name, metrics.definition()},
		{spans.name, spans.definition()},
		{"trace_blocks", `
			CREATE TABLE trace_blocks (
				run_id   TEXT NOT NULL,
				trace_id TEXT NOT NULL,
				start    INTEGER NOT NULL,
				block    BLOB NOT NULL,
				PRIMARY KEY (run_id, trace_id, start)
			) STRICT;`},
		{"qualities", `
			CREATE TABLE qualities (
				run_id TEXT NOT NULL PRIMARY KEY,
				block  BLOB NOT NULL
			) STRICT;`},
		{"origins", `
			CREATE TABLE origins (
				run_id TEXT NOT NULL PRIMARY KEY,
				block  BLOB NOT NULL
			) STRICT;`},
		{"row_origins", `
			CREATE TABLE row_origins (
				run_id  TEXT NOT NULL,
				dataset TEXT NOT NULL,
				row_key TEXT NOT NULL,
				numbers BLOB NOT NULL,
				PRIMARY KEY (run_id, dataset, row_key)
			) STRICT, WITHOUT ROWID;`},
		{"run_sources", `
			CREATE TABLE run_sources (
				run_id TEXT NOT NULL,
				sha256 TEXT NOT NULL REFERENCES uploads (sha256),
				PRIMARY KEY (run_id, sha256)
			) STRICT, WITHOUT ROWID;
			CREATE INDEX run_sources_of ON run_sources (sha256, run_id);`},
	}
}

// schemaHash changes when the derived tables do.
func schemaHash(tables []derivedTable) string {
	h := sha256.New()
	for _, t := range tables {
		fmt.Fprintln(h, t.definition)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// prepareDerived makes the derived tables. If those that are there have another
// schema, the store is stale, and their rows are kept for as long as it is if
// they can be read by the new columns.
func prepareDerived(ctx context.Context, db *sql.DB) error {
	tables := derivedTables()
	hash := schemaHash(tables)
	return inTx(ctx, db, func(tx *sql.Tx) error {
		var made string
		var old []byte
		err := tx.QueryRowContext(ctx, `SELECT hash, tables FROM derivation`).Scan(&made, &old)
		if err == nil && made == hash || err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var names []string
		if old != nil {
			if err := json.Unmarshal(old, &names); err != nil {
				return fmt.Errorf("derivation.tables: %w", err)
			}
		}
		kept, err := replaceTables(ctx, tx, names, tables)
		if err != nil {
			return err
		}
		names = names[:0]
		for _, t := range tables {
			names = append(names, t.name)
		}
		const uploads = `EXISTS (SELECT 1 FROM uploads)`
		_, err = tx.ExecContext(ctx, `
			INSERT INTO derivation (id, hash, tables, stale, missing)
			VALUES (1, ?1, ?2, `+uploads+`, `+uploads+`)
			ON CONFLICT (id) DO UPDATE
			SET hash = ?1, tables = ?2, stale = `+uploads+`, missing = `+uploads+` AND (missing OR NOT ?3)`,
			hash, jsonList(names), kept)
		return err
	})
}

// A Derivation says how the derived tables stand.
type Derivation struct {
	Rules   string // that runs are derived by, as Follow was told
	Stale   bool   // runs have to be derived again: the rules or the columns have changed
	Missing bool   // runs cannot be read before that
}

// Derivation returns how the derived tables stand.
func (v *Snapshot) Derivation(ctx context.Context) (Derivation, error) {
	var d Derivation
	err := v.tx.QueryRowContext(ctx, `SELECT rules, stale, missing FROM derivation`).Scan(&d.Rules, &d.Stale, &d.Missing)
	return d, err
}

// Follow notes the rules that runs are derived by. If they are not those of
// before, the store is stale.
func (s *Store) Follow(ctx context.Context, rules string) error {
	_, err := s.writer.ExecContext(ctx, `
		UPDATE derivation
		SET rules = ?1, stale = EXISTS (SELECT 1 FROM uploads)
		WHERE rules <> ?1`, rules)
	return err
}

// MarkDerived notes that every run has been derived from the uploads.
func (s *Store) MarkDerived(ctx context.Context) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE derivation SET stale = 0, missing = 0`)
	return err
}

// A Change is what one upload does to the store.
type Change struct {
	Uploads []NewUpload
	Places  []Place          // where uploads, new ones or stored before, came from
	Remove  []string         // ids of the runs that the uploads change
	Runs    []*enrich.Tables // what these runs, and new ones, are now
}

// Apply makes a change, all of it or nothing.
func (s *Store) Apply(ctx context.Context, c Change) error {
	return s.write(ctx, func(w *writing) error { return w.apply(ctx, c) })
}

func (w *writing) apply(ctx context.Context, c Change) error {
	// A statement that can be cancelled costs a goroutine; the transaction
	// is cancelled between runs instead.
	rows := context.WithoutCancel(ctx)
	for _, u := range c.Uploads {
		if err := w.putUpload(rows, u); err != nil {
			return fmt.Errorf("store upload %s: %w", u.Receipt.SHA256, err)
		}
	}
	for _, p := range c.Places {
		if err := w.putPlace(rows, p); err != nil {
			return fmt.Errorf("store the place of upload %s: %w", p.SHA256, err)
		}
	}
	for _, run := range c.Remove {
		if err := w.removeRun(rows, run); err != nil {
			return fmt.Errorf("remove run %q: %w", run, err)
		}
	}
	for _, t := range c.Runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.putRun(rows, t); err != nil {
			return fmt.Errorf("store run %q: %w", t.Leaderboard.RunID, err)
		}
	}
	return nil
}

// writing is a transaction of the writer.
type writing struct {
	tx     *sql.Tx
	blocks *blocks
}

func (w *writing) removeRun(ctx context.Context, run string) error {
	for _, t := range derivedTables() {
		if _, err := w.tx.ExecContext(ctx, "DELETE FROM "+quote(t.name)+` WHERE "run_id" = ?`, run); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) putRun(ctx context.Context, t *enrich.Tables) error {
	run := t.Leaderboard.RunID
	if err := leaderboard.insert(ctx, w.tx, []enrich.LeaderboardRow{t.Leaderboard}); err != nil {
		return err
	}
	if err := results.insert(ctx, w.tx, t.Results); err != nil {
		return err
	}
	if err := traces.insert(ctx, w.tx, t.Traces); err != nil {
		return err
	}
	if err := metrics.insert(ctx, w.tx, t.Metrics); err != nil {
		return err
	}
	rest := t.Spans // trace by trace, in the order of the traces
	for i := range t.Traces {
		n := 0
		for n < len(rest) && rest[n].TraceID == t.Traces[i].TraceID {
			n++
		}
		if err := w.putSpans(ctx, &t.Traces[i], rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	for _, sha256 := range t.Sources {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO run_sources (run_id, sha256) VALUES (?, ?)`, run, sha256); err != nil {
			return fmt.Errorf("source %s: %w", sha256, err)
		}
	}
	if err := w.putQuality(ctx, run, t.Quality); err != nil {
		return err
	}
	return w.putProvenance(ctx, run, t.Provenance)
}

// putSpans keeps a trace's spans as text, and their rows, which say where in
// the text each stands.
func (w *writing) putSpans(ctx context.Context, t *enrich.TraceRow, rows []enrich.SpanRow) error {
	at := make(map[string]int, len(rows))
	for i := range rows {
		at[rows[i].SpanID] = i
	}
	cut := w.blocks.cutter(func(start int64, block []byte) error {
		_, err := w.tx.ExecContext(ctx, `
			INSERT INTO trace_blocks (run_id, trace_id, start, block)
			VALUES (?, ?, ?, ?)`, t.RunID, t.TraceID, start, block)
		return err
	})
	err := t.Spans.Chunks(func(id enrich.SpanID, piece []byte) error {
		if i, ok := at[id.String()]; ok {
			rows[i].JSONFrom, rows[i].JSONTo = cut.written, cut.written+int64(len(piece))
		}
		_, err := cut.Write(piece)
		return err
	})
	if err == nil {
		err = cut.Close()
	}
	if err != nil {
		return fmt.Errorf("spans of trace %s: %w", t.TraceID, err)
	}
	return spans.insert(ctx, w.tx, rows)
}
