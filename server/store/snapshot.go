package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/filter"
	"smolscope/enrich/redact"
)

// A Snapshot is the store as it was at one moment: what is read from it fits
// together, whatever is written meanwhile. It must be closed, and few can be
// open at once, so nothing slow belongs between opening and closing one.
type Snapshot struct {
	tx     *sql.Tx
	blocks *blocks
	mask   redact.Mask
}

// Masked returns the snapshot with a mask over all that is read of runs. It ends
// with the snapshot itself.
func (v *Snapshot) Masked(m redact.Mask) *Snapshot {
	masked := *v
	masked.mask = m
	return &masked
}

// masked masks rows that were read.
func masked[R any](v *Snapshot, columns []enrich.Column[R], rows []R, err error) ([]R, error) {
	if v.mask.Any() {
		for i := range rows {
			redact.Row(v.mask, columns, &rows[i])
		}
	}
	return rows, err
}

// maskedRow masks a row that was read.
func maskedRow[R any](v *Snapshot, columns []enrich.Column[R], row R, err error) (R, error) {
	redact.Row(v.mask, columns, &row)
	return row, err
}

// Snapshot opens a snapshot, which ends when ctx does at the latest.
func (s *Store) Snapshot(ctx context.Context) (*Snapshot, error) {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	return &Snapshot{tx: tx, blocks: &s.blocks}, nil
}

// Close ends the snapshot.
func (v *Snapshot) Close() error {
	if err := v.tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// Read calls f with a snapshot and closes it.
func (s *Store) Read(ctx context.Context, f func(v *Snapshot) error) error {
	v, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	return f(v)
}

// A RunQuery says which leaderboard rows are wanted, in which order.
type RunQuery struct {
	Sort          string // a column of enrich.LeaderboardColumns; "" is the newest first
	Desc          bool
	Limit, Offset int // Limit 0 is no limit
	Where         filter.Filter[enrich.LeaderboardRow]
}

// Runs returns leaderboard rows and how many there are in all that are asked for.
// Absent values come last in either direction, letter case does not matter, and of
// equals the first by run id comes first.
func (v *Snapshot) Runs(ctx context.Context, q RunQuery) ([]enrich.LeaderboardRow, int, error) {
	if q.Sort == "" {
		q.Sort, q.Desc = "evaluation_date", true
	}
	column, ok := enrich.Lookup(enrich.LeaderboardColumns, q.Sort)
	if !ok {
		return nil, 0, fmt.Errorf("sort=%s: %w", q.Sort, ErrNoColumn)
	}
	order := quote(column.Name)
	if strings.HasPrefix(sqlType(column.Ptr(new(enrich.LeaderboardRow))), "TEXT") {
		order += " COLLATE NOCASE"
	}
	if q.Desc {
		order += " DESC"
	}
	order = ` ORDER BY ` + order + ` NULLS LAST, "run_id"`
	if len(q.Where.Terms) > 0 {
		return v.runsWhere(ctx, q, order)
	}
	if q.Limit == 0 {
		q.Limit = -1
	}
	var total int
	if err := v.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM leaderboard`).Scan(&total); err != nil {
		return nil, 0, err
	}
	rows, err := leaderboard.rows(ctx, v.tx, order+` LIMIT ? OFFSET ?`, q.Limit, q.Offset)
	rows, err = masked(v, enrich.LeaderboardColumns, rows, err)
	return rows, total, err
}

// runsWhere returns the runs that a filter finds. It asks it of the few columns
// that it is about, masked, so that nobody finds out by asking what is not shown.
func (v *Snapshot) runsWhere(ctx context.Context, q RunQuery, order string) ([]enrich.LeaderboardRow, int, error) {
	var columns []enrich.Column[enrich.LeaderboardRow]
	for _, name := range append(q.Where.Columns(), "run_id") {
		c, _ := enrich.Lookup(enrich.LeaderboardColumns, name)
		columns = append(columns, c)
	}
	all, err := leaderboard.partial(ctx, v.tx, columns, order)
	if all, err = masked(v, columns, all, err); err != nil {
		return nil, 0, err
	}
	found := []string{}
	for i := range all {
		if q.Where.Finds(&all[i]) {
			found = append(found, all[i].RunID)
		}
	}
	total := len(found)
	found = found[min(q.Offset, total):]
	if q.Limit > 0 {
		found = found[:min(q.Limit, len(found))]
	}
	ids, err := json.Marshal(found)
	if err != nil {
		return nil, 0, err
	}
	rows, err := leaderboard.rows(ctx, v.tx, `WHERE "run_id" IN (SELECT value FROM json_each(?))`+order, string(ids))
	rows, err = masked(v, enrich.LeaderboardColumns, rows, err)
	return rows, total, err
}

// Run returns the leaderboard row of a run.
func (v *Snapshot) Run(ctx context.Context, run string) (enrich.LeaderboardRow, error) {
	row, err := leaderboard.row(ctx, v.tx, `WHERE "run_id" = ?`, run)
	return maskedRow(v, enrich.LeaderboardColumns, row, err)
}

// Results returns the tests of a run, by start, those without one last.
func (v *Snapshot) Results(ctx context.Context, run string) ([]enrich.ResultRow, error) {
	rows, err := results.ofRun(ctx, v.tx, run)
	return masked(v, enrich.ResultColumns, rows, err)
}

// Result returns one test of a run by its case id.
func (v *Snapshot) Result(ctx context.Context, run, caseID string) (enrich.ResultRow, error) {
	row, err := results.row(ctx, v.tx, `WHERE "run_id" = ? AND "test_case_uid" = ?`, run, caseID)
	return maskedRow(v, enrich.ResultColumns, row, err)
}

// ResultBeside names the tests around a test, in the order of Results, by
// their case ids: the one before, the one after, and the first one after that
// did not pass. "" is none.
func (v *Snapshot) ResultBeside(ctx context.Context, run, caseID string) (prev, next, nextFailed string, err error) {
	const here = `(SELECT place FROM results WHERE run_id = ?1 AND test_case_uid = ?2)`
	return beside(ctx, v.tx, `
		SELECT
			(SELECT test_case_uid FROM results WHERE run_id = ?1 AND place < `+here+` ORDER BY place DESC LIMIT 1),
			(SELECT test_case_uid FROM results WHERE run_id = ?1 AND place > `+here+` ORDER BY place LIMIT 1),
			(SELECT test_case_uid FROM results WHERE run_id = ?1 AND place > `+here+`
				AND (success = 0 OR error_type IS NOT NULL) ORDER BY place LIMIT 1)`, run, caseID)
}

// TraceBeside names the traces before and after a trace, in the order of
// Traces, by their ids. "" is none.
func (v *Snapshot) TraceBeside(ctx context.Context, run, trace string) (prev, next string, err error) {
	const here = `(SELECT place FROM traces WHERE run_id = ?1 AND trace_id = ?2)`
	prev, next, _, err = beside(ctx, v.tx, `
		SELECT
			(SELECT trace_id FROM traces WHERE run_id = ?1 AND place < `+here+` ORDER BY place DESC LIMIT 1),
			(SELECT trace_id FROM traces WHERE run_id = ?1 AND place > `+here+` ORDER BY place LIMIT 1),
			NULL`, run, trace)
	return prev, next, err
}

func beside(ctx context.Context, tx *sql.Tx, query string, args ...any) (a, b, c string, err error) {
	var ids [3]sql.NullString
	err = tx.QueryRowContext(ctx, query, args...).Scan(&ids[0], &ids[1], &ids[2])
	return ids[0].String, ids[1].String, ids[2].String, err
}

// Traces returns the traces of a run without their spans, by start, those
// without one last.
func (v *Snapshot) Traces(ctx context.Context, run string) ([]enrich.TraceRow, error) {
	rows, err := traces.ofRun(ctx, v.tx, run)
	return masked(v, enrich.TraceColumns, rows, err)
}

// Trace returns one trace of a run, without its spans.
func (v *Snapshot) Trace(ctx context.Context, run, trace string) (enrich.TraceRow, error) {
	row, err := traces.row(ctx, v.tx, `WHERE "run_id" = ? AND "trace_id" = ?`, run, trace)
	return maskedRow(v, enrich.TraceColumns, row, err)
}

// TraceSpans returns the spans of a trace whole, as the spans column of the
// traces dataset has them, or "" where there are none.
func (v *Snapshot) TraceSpans(ctx context.Context, run, trace string) (enrich.JSON, error) {
	var size sql.NullInt64
	err := v.tx.QueryRowContext(ctx, `
		SELECT MAX(start)
		FROM trace_blocks
		WHERE run_id = ? AND trace_id = ?`, run, trace).Scan(&size)
	if err != nil || !size.Valid {
		return "", err
	}
	var text strings.Builder
	text.Grow(int(size.Int64) + blockSize)
	err = v.writeSpans(ctx, &text, run, trace, 0, size.Int64+blockSize)
	if v.mask.Any() && err == nil {
		return enrich.JSON(v.mask.JSON([]byte(text.String()))), nil
	}
	return enrich.JSON(text.String()), err
}

// SpansOf returns the JSON of each of these spans of a trace, which need not be
// all of it. It reads what lies between them too, so they should be near.
func (v *Snapshot) SpansOf(ctx context.Context, run, trace string, rows []enrich.SpanRow) ([][]byte, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	from, to := rows[0].JSONFrom, rows[0].JSONTo
	for _, row := range rows {
		from, to = min(from, row.JSONFrom), max(to, row.JSONTo)
	}
	var text bytes.Buffer
	if err := v.writeSpans(ctx, &text, run, trace, from, to); err != nil {
		return nil, err
	}
	if int64(text.Len()) != to-from {
		return nil, fmt.Errorf("spans of trace %s: found %d bytes, want %d", trace, text.Len(), to-from)
	}
	list := make([][]byte, len(rows))
	for i, row := range rows {
		list[i] = v.mask.JSON(text.Bytes()[row.JSONFrom-from : row.JSONTo-from])
	}
	return list, nil
}

// writeSpans writes a part of a trace's spans column.
func (v *Snapshot) writeSpans(ctx context.Context, w io.Writer, run, trace string, from, to int64) error {
	rows, err := v.tx.QueryContext(ctx, `
		SELECT start, block
		FROM trace_blocks
		WHERE run_id = ? AND trace_id = ? AND start > ? AND start < ?
		ORDER BY start`, run, trace, from-blockSize, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var start int64
		var block sql.RawBytes
		if err := rows.Scan(&start, &block); err != nil {
			return err
		}
		text, err := v.blocks.unpack(block)
		if err != nil {
			return fmt.Errorf("spans of trace %s: %w", trace, err)
		}
		length := int64(len(text))
		if _, err := w.Write(text[min(max(from-start, 0), length):min(max(to-start, 0), length)]); err != nil {
			return err
		}
	}
	return rows.Err()
}

// A SpanQuery says which span rows of a trace are wanted.
type SpanQuery struct {
	Run, Trace string
	Parent     string // only its direct children; "" is all spans
	From, To   int    // counted from 0; To is not included, and 0 is all
}

// SpanRows returns a window of the spans of a trace in waterfall order, and how
// many there are in all.
func (v *Snapshot) SpanRows(ctx context.Context, q SpanQuery) ([]enrich.SpanRow, int, error) {
	limit := -1
	if q.To > 0 {
		limit = max(q.To-q.From, 0)
	}
	var total int
	if q.Parent == "" {
		t, err := v.Trace(ctx, q.Run, q.Trace)
		if err != nil {
			return nil, 0, err
		}
		total = int(t.SpanCount)
	} else {
		parent, err := v.span(ctx, q.Run, q.Trace, q.Parent)
		if err != nil {
			return nil, 0, err
		}
		total = int(parent.Children)
	}
	rows, err := spans.rows(ctx, v.tx, `
		WHERE "run_id" = ? AND "trace_id" = ? AND (? = '' OR "parent_span_id" = ?)
		ORDER BY "seq"
		LIMIT ? OFFSET ?`, q.Run, q.Trace, q.Parent, q.Parent, limit, q.From)
	rows, err = masked(v, enrich.SpanColumns, rows, err)
	return rows, total, err
}

func (v *Snapshot) span(ctx context.Context, run, trace, span string) (enrich.SpanRow, error) {
	return spans.row(ctx, v.tx, `
		WHERE "run_id" = ? AND "trace_id" = ? AND "span_id" = ?
		ORDER BY "seq"`, run, trace, span)
}

// Span returns one span whole, as JSON: the part of TraceSpans that is this
// span. Of several spans with the same id it is the first.
func (v *Snapshot) Span(ctx context.Context, run, trace, span string) ([]byte, error) {
	row, err := v.span(ctx, run, trace, span)
	if err != nil {
		return nil, err
	}
	list, err := v.SpansOf(ctx, run, trace, []enrich.SpanRow{row})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Metrics returns the metric points of a run, by metric name, test, time and
// attributes.
func (v *Snapshot) Metrics(ctx context.Context, run string) ([]enrich.MetricRow, error) {
	rows, err := metrics.ofRun(ctx, v.tx, run)
	return masked(v, enrich.MetricColumns, rows, err)
}

// Files returns the receipts of the uploads that a run was made of, by SHA-256.
func (v *Snapshot) Files(ctx context.Context, run string) ([]enrich.File, error) {
	sources, err := v.Sources(ctx, run)
	if err != nil {
		return nil, err
	}
	files := make([]enrich.File, len(sources))
	for i, sha256 := range sources {
		u, err := v.Upload(ctx, sha256)
		if err != nil {
			return nil, err
		}
		files[i] = v.mask.File(u.Receipt)
	}
	return files, nil
}

// Tables returns a run whole.
func (v *Snapshot) Tables(ctx context.Context, run string) (*enrich.Tables, error) {
	t := &enrich.Tables{}
	var err error
	if t.Leaderboard, err = v.Run(ctx, run); err != nil {
		return nil, err
	}
	if t.Results, err = v.Results(ctx, run); err != nil {
		return nil, err
	}
	if t.Traces, err = v.Traces(ctx, run); err != nil {
		return nil, err
	}
	for i := range t.Traces {
		text, err := v.TraceSpans(ctx, run, t.Traces[i].TraceID)
		if err != nil {
			return nil, err
		}
		t.Traces[i].Spans = enrich.SpansText(text)
		rows, _, err := v.SpanRows(ctx, SpanQuery{Run: run, Trace: t.Traces[i].TraceID})
		if err != nil {
			return nil, err
		}
		t.Spans = append(t.Spans, rows...)
	}
	if t.Metrics, err = v.Metrics(ctx, run); err != nil {
		return nil, err
	}
	if t.Quality, err = v.Quality(ctx, run); err != nil {
		return nil, err
	}
	if t.Provenance, err = v.Provenance(ctx, run, ""); err != nil {
		return nil, err
	}
	t.Sources, err = v.Sources(ctx, run)
	return t, err
}
