package server

import (
	"errors"

	"github.com/labstack/echo/v4"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/server/store"
	"smolscope/views"
)

func (s *Server) trace(c echo.Context, v *store.Snapshot) (component, error) {
	q, err := views.ParseTraceQuery(c.QueryParams())
	if err != nil {
		return nil, err
	}
	var d views.TraceData
	if d.Run, err = runOf(c, v); err != nil {
		return nil, err
	}
	id, err := pathParam(c, "trace")
	if err != nil {
		return nil, err
	}
	ctx, run := c.Request().Context(), d.Run.RunID
	if d.Trace, err = v.Trace(ctx, run, id); err != nil {
		return nil, absent(err, "trace", id)
	}
	if d.Rows, _, err = v.SpanRows(ctx, store.SpanQuery{Run: run, Trace: id}); err != nil {
		return nil, err
	}
	if d.Prev, d.Next, err = v.TraceBeside(ctx, run, id); err != nil {
		return nil, err
	}
	p, err := v.Provenance(ctx, run, enrich.Traces, id)
	if err != nil {
		return nil, err
	}
	d.Origins = p.Row(enrich.Traces, id)
	if d.Trace.TestCaseUID != nil {
		result, err := v.Result(ctx, run, *d.Trace.TestCaseUID)
		if err == nil {
			d.Result = &result
			of, err := v.Provenance(ctx, run, enrich.Results, result.TestCaseUID)
			if err != nil {
				return nil, err
			}
			d.OfResult = of.Row(enrich.Results, result.TestCaseUID)
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	if q.Span != "" {
		text, err := v.Span(ctx, run, id, q.Span)
		if err != nil {
			return nil, absent(err, "span", q.Span)
		}
		span, err := decode.Span(text)
		if err != nil {
			return nil, err
		}
		d.Selected = &span
	}
	return views.Trace(views.NewTracePage(d, q)), nil
}
