package store

import (
	"bytes"
	"path/filepath"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
)

// large returns a run of tests that take so many steps, of some five spans each.
func large(b *testing.B, tests, steps int) *enrich.Tables {
	b.Helper()
	var parts []*enrich.Part
	for name, text := range enrichtest.New(enrichtest.Plan{Tests: tests, Steps: steps}).Files {
		part, file := decode.Read(name, bytes.NewReader(text))
		if file.Error != nil {
			b.Fatal(*file.Error)
		}
		parts = append(parts, part)
	}
	runs := enrich.Assemble(parts)
	if len(runs) != 1 {
		b.Fatalf("%d runs, want 1", len(runs))
	}
	t := enrich.Enrich(runs[0], enrich.DefaultOptions())
	t.Sources = nil // their uploads are not stored here
	return t
}

func BenchmarkApply(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "x.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	t := large(b, 100, 20)
	change := Change{Remove: []string{t.Leaderboard.RunID}, Runs: []*enrich.Tables{t}}
	for b.Loop() {
		if err := s.Apply(b.Context(), change); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(t.Spans)*b.N)/b.Elapsed().Seconds(), "spans/s")
}

func BenchmarkRead(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "x.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	t := large(b, 4, 2000)
	if err := s.Apply(b.Context(), Change{Runs: []*enrich.Tables{t}}); err != nil {
		b.Fatal(err)
	}
	run, trace := t.Leaderboard.RunID, t.Traces[0]
	var middle enrich.SpanRow
	for _, row := range t.Spans {
		if row.TraceID == trace.TraceID && row.Seq == trace.SpanCount/2 {
			middle = row
		}
	}
	for name, read := range map[string]func(v *Snapshot) error{
		"span": func(v *Snapshot) error {
			_, err := v.Span(b.Context(), run, trace.TraceID, middle.SpanID)
			return err
		},
		"window of 1000 rows": func(v *Snapshot) error {
			_, _, err := v.SpanRows(b.Context(), SpanQuery{Run: run, Trace: trace.TraceID, From: int(middle.Seq), To: int(middle.Seq) + 1000})
			return err
		},
		"all rows": func(v *Snapshot) error {
			_, _, err := v.SpanRows(b.Context(), SpanQuery{Run: run, Trace: trace.TraceID})
			return err
		},
		"spans whole": func(v *Snapshot) error {
			_, err := v.TraceSpans(b.Context(), run, trace.TraceID)
			return err
		},
		"run": func(v *Snapshot) error {
			_, err := v.Run(b.Context(), run)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := s.Read(b.Context(), read); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(trace.SpanCount), "spans")
		})
	}
}
