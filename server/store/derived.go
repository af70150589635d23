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
	"strings"

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
				run_id  TEXT NOT NULL,
				dataset TEXT NOT NULL,
				row_key TEXT NOT NULL,
				block   BLOB NOT NULL,
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

// derivationHash changes when the derived tables or the rules that fill them do.
func derivationHash(tables []derivedTable, revision int) string {
	h := sha256.New()
	fmt.Fprintf(h, "revision %d\n", revision)
	for _, t := range tables {
		fmt.Fprintln(h, t.definition)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// prepareDerived makes the derived tables. Those of another schema or of other
// rules are dropped; if there are uploads, the store is stale then.
func prepareDerived(ctx context.Context, db *sql.DB) error {
	tables := derivedTables()
	hash := derivationHash(tables, enrich.Revision)
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
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS "+quote(name)); err != nil {
				return err
			}
		}
		names = names[:0]
		for _, t := range tables {
			if _, err := tx.ExecContext(ctx, t.definition); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
			names = append(names, t.name)
		}
		_, err = tx.ExecContext(ctx, `
			INSERT OR REPLACE INTO derivation (id, hash, tables, stale)
			VALUES (1, ?, ?, EXISTS (SELECT 1 FROM uploads))`, hash, jsonList(names))
		return err
	})
}

// Stale reports whether runs are missing that have to be derived again from
// the uploads, because the rules or the columns have changed.
func (v *Snapshot) Stale(ctx context.Context) (bool, error) {
	var stale bool
	err := v.tx.QueryRowContext(ctx, `SELECT stale FROM derivation`).Scan(&stale)
	return stale, err
}

// MarkStale notes that runs have to be derived again, as after a change of the
// rules that they follow.
func (s *Store) MarkStale(ctx context.Context) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE derivation SET stale = 1`)
	return err
}

// MarkDerived notes that every run has been derived from the uploads.
func (s *Store) MarkDerived(ctx context.Context) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE derivation SET stale = 0`)
	return err
}

// A Change is what one upload does to the store.
type Change struct {
	Uploads []NewUpload
	Remove  []string         // ids of the runs that the uploads change
	Runs    []*enrich.Tables // what these runs, and new ones, are now
}

// Apply makes a change, all of it or nothing.
func (s *Store) Apply(ctx context.Context, c Change) error {
	return s.write(ctx, func(w *writing) error {
		// A statement that can be cancelled costs a goroutine; the transaction
		// is cancelled between runs instead.
		rows := context.WithoutCancel(ctx)
		for _, u := range c.Uploads {
			if err := w.putUpload(rows, u); err != nil {
				return fmt.Errorf("store upload %s: %w", u.Receipt.SHA256, err)
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
	})
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
	if err := spans.insert(ctx, w.tx, t.Spans); err != nil {
		return err
	}
	for i := range t.Traces {
		if err := w.putSpans(ctx, run, &t.Traces[i]); err != nil {
			return err
		}
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

func (w *writing) putSpans(ctx context.Context, run string, t *enrich.TraceRow) error {
	_, err := w.blocks.cut(strings.NewReader(string(t.Spans)), func(start int64, block []byte) error {
		_, err := w.tx.ExecContext(ctx, `
			INSERT INTO trace_blocks (run_id, trace_id, start, block)
			VALUES (?, ?, ?, ?)`, run, t.TraceID, start, block)
		return err
	})
	if err != nil {
		return fmt.Errorf("spans of trace %s: %w", t.TraceID, err)
	}
	return nil
}
