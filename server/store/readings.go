package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"smolscope/enrich"
)

// A ReadingSeries names readings of GPUs that belong together: from one source of
// one machine, one for each step of time; step 0 is each as it was taken.
type ReadingSeries struct {
	Source, Host string
	Step         time.Duration
}

// A ReadingBlock is a stretch of such readings, as the lines of a recording.
type ReadingBlock struct {
	ReadingSeries
	Start time.Time // to the millisecond
	Text  []byte
}

// PutReadings keeps blocks, each in the place of the one that began when it does.
func (s *Store) PutReadings(ctx context.Context, list ...ReadingBlock) error {
	return s.write(ctx, func(w *writing) error {
		for _, b := range list {
			_, err := w.tx.ExecContext(ctx, `
				INSERT INTO gpu_readings (source, host, step, start_unix_milli, block)
				VALUES (?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET block = excluded.block`,
				b.Source, b.Host, b.Step.Milliseconds(), b.Start.UnixMilli(), w.blocks.pack(b.Text))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// PruneReadings drops the blocks of a step, of all sources and machines, that begin
// before a time.
func (s *Store) PruneReadings(ctx context.Context, step time.Duration, before time.Time) error {
	return s.write(ctx, func(w *writing) error {
		_, err := w.tx.ExecContext(ctx, `DELETE FROM gpu_readings WHERE step = ? AND start_unix_milli < ?`, step.Milliseconds(), before.UnixMilli())
		return err
	})
}

// Readings returns the texts of the blocks that begin in a time, to included, and of
// the one before them, in order: all readings of that time are in them, and perhaps some of
// before and after.
func (v *Snapshot) Readings(ctx context.Context, of ReadingSeries, from, to time.Time) (list []ReadingBlock, err error) {
	rows, err := v.tx.QueryContext(ctx, `
		SELECT start_unix_milli, block
		FROM gpu_readings
		WHERE source = ?1 AND host = ?2 AND step = ?3 AND start_unix_milli <= ?5 AND start_unix_milli >= coalesce((
			SELECT max(start_unix_milli)
			FROM gpu_readings
			WHERE source = ?1 AND host = ?2 AND step = ?3 AND start_unix_milli <= ?4), ?4)
		ORDER BY start_unix_milli`, of.Source, of.Host, of.Step.Milliseconds(), from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var start int64
		var block []byte
		if err := rows.Scan(&start, &block); err != nil {
			return nil, err
		}
		text, err := v.blocks.unpack(block)
		if err != nil {
			return nil, err
		}
		list = append(list, ReadingBlock{of, time.UnixMilli(start).UTC(), text})
	}
	return list, rows.Err()
}

// LastReadings names the series of a step whose last block is the newest, and tells
// when that begins; its error wraps ErrNotFound if there are no readings. An empty
// source or host stands for any.
func (v *Snapshot) LastReadings(ctx context.Context, of ReadingSeries) (ReadingSeries, time.Time, error) {
	var start int64
	err := v.tx.QueryRowContext(ctx, `
		SELECT source, host, start_unix_milli
		FROM gpu_readings
		WHERE step = ?3 AND ?1 IN ('', source) AND ?2 IN ('', host)
		ORDER BY start_unix_milli DESC
		LIMIT 1`, of.Source, of.Host, of.Step.Milliseconds()).Scan(&of.Source, &of.Host, &start)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return of, time.UnixMilli(start).UTC(), err
}

// A RunWindow is when the tests of a run ran.
type RunWindow struct {
	RunID, Model string
	From, To     enrich.Time
	Tests        []TestWindow // also those of which no time is known
}

// A TestWindow is when a test ran; From is 0 where that is not known.
type TestWindow struct {
	TestID   string
	From, To enrich.Time
}

// asideOf is how far a run's date may lie from when its tests ran.
const asideOf = 7 * 24 * time.Hour

// RunsBetween returns the runs of which tests ran in a time, the newest first, 50 at
// most. Runs of which no times are known are not among them.
func (v *Snapshot) RunsBetween(ctx context.Context, from, to time.Time) (list []RunWindow, err error) {
	column := func(name string) enrich.Column[enrich.LeaderboardRow] {
		c, _ := enrich.Lookup(enrich.LeaderboardColumns, name)
		return c
	}
	date := func(t time.Time) any { return value(new(enrich.Time(t.UnixNano()))) }
	rows, err := leaderboard.partial(ctx, v.tx, []enrich.Column[enrich.LeaderboardRow]{column("run_id"), column("model")},
		`WHERE "evaluation_date" BETWEEN ? AND ? ORDER BY "evaluation_date" DESC LIMIT 50`, date(from.Add(-asideOf)), date(to.Add(asideOf)))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		w := RunWindow{RunID: r.RunID}
		if r.Model != nil {
			w.Model = *r.Model
		}
		if err := v.windowOf(ctx, &w); err != nil {
			return nil, err
		}
		if w.From != 0 && int64(w.From) <= to.UnixNano() && int64(w.To) >= from.UnixNano() {
			list = append(list, w)
		}
	}
	return list, nil
}

// RunWindow returns when the tests of a run ran; From is 0 where that is not known.
func (v *Snapshot) RunWindow(ctx context.Context, run string) (RunWindow, error) {
	w := RunWindow{RunID: run}
	return w, v.windowOf(ctx, &w)
}

func (v *Snapshot) windowOf(ctx context.Context, w *RunWindow) error {
	var columns []enrich.Column[enrich.ResultRow]
	for _, name := range []string{"test_id", "start_time", "end_time"} {
		c, _ := enrich.Lookup(enrich.ResultColumns, name)
		columns = append(columns, c)
	}
	tests, err := results.partial(ctx, v.tx, columns, `WHERE "run_id" = ?`, w.RunID)
	if err != nil {
		return err
	}
	for _, t := range tests {
		if t.StartTime == 0 || t.EndTime == 0 {
			w.Tests = append(w.Tests, TestWindow{TestID: t.TestID})
			continue
		}
		w.Tests = append(w.Tests, TestWindow{t.TestID, t.StartTime, t.EndTime})
		if w.From == 0 || t.StartTime < w.From {
			w.From = t.StartTime
		}
		w.To = max(w.To, t.EndTime)
	}
	return nil
}

// GPUMetrics returns the points of some metrics of a run that were reported, in
// order of time.
func (v *Snapshot) GPUMetrics(ctx context.Context, run string, names []string) ([]enrich.MetricRow, error) {
	rows, err := metrics.rows(ctx, v.tx, `WHERE "run_id" = ? AND "metric_name" IN (SELECT value FROM json_each(?)) ORDER BY "time_unix_nano"`, run, jsonList(names))
	return masked(v, enrich.MetricColumns, rows, err)
}
