package server

import (
	"context"
	"errors"

	"github.com/labstack/echo/v4"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/server/store"
	"smolscope/views"
)

func (s *Server) test(c echo.Context, v *store.Snapshot) (component, error) {
	var d views.TestData
	var err error
	if d.Run, err = runOf(c, v); err != nil {
		return nil, err
	}
	caseID, err := pathParam(c, "test")
	if err != nil {
		return nil, err
	}
	ctx, run := c.Request().Context(), d.Run.RunID
	if d.Result, err = v.Result(ctx, run, caseID); err != nil {
		return nil, absent(err, "test", caseID)
	}
	p, err := v.Provenance(ctx, run, enrich.Results, caseID)
	if err != nil {
		return nil, err
	}
	d.Origins = p.Row(enrich.Results, caseID)
	if d.Prev, d.Next, d.NextFailed, err = v.ResultBeside(ctx, run, caseID); err != nil {
		return nil, err
	}
	if d.Result.TraceID != nil {
		if err := addTrace(ctx, v, &d, *d.Result.TraceID); err != nil {
			return nil, err
		}
	}
	return views.Test(views.NewTestPage(d)), nil
}

// toldSpans is how many spans of a test are read to tell its story; the trace's
// page has them all.
const toldSpans = 2000

// addTrace adds a test's trace with its first spans, unless only its id is known.
func addTrace(ctx context.Context, v *store.Snapshot, d *views.TestData, id string) error {
	trace, err := v.Trace(ctx, d.Run.RunID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d.Trace = &trace
	if d.Rows, _, err = v.SpanRows(ctx, store.SpanQuery{Run: d.Run.RunID, Trace: id, To: toldSpans}); err != nil {
		return err
	}
	texts, err := v.SpansOf(ctx, d.Run.RunID, id, d.Rows)
	if err != nil {
		return err
	}
	d.Spans = make([]enrich.Span, len(texts))
	for i, text := range texts {
		if d.Spans[i], err = decode.Span(text); err != nil {
			return err
		}
	}
	return nil
}
