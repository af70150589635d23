package server

import (
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"smolscope/enrich"
	"smolscope/enrich/decode/parquet"
	"smolscope/enrich/export"
	"smolscope/server/store"
	"smolscope/views"
)

// maxRows is how many rows one answer of a list may have.
const maxRows = 10_000

// apiRuns answers the leaderboard. It takes the query of the page, and limit
// and offset besides.
func (s *Server) apiRuns(c echo.Context, v *store.Snapshot, out *answer) error {
	page, err := views.ParseLeaderboardQuery(c.QueryParams())
	if err != nil {
		return err
	}
	if page.Find.Err != nil {
		return page.Find.Err
	}
	q := store.RunQuery{Sort: page.Sort, Desc: page.Desc, Where: page.Find.Filter}
	if q.Limit, err = intParam(c, "limit", page.Limit(), 1, maxRows); err != nil {
		return err
	}
	if q.Offset, err = intParam(c, "offset", (page.Page-1)*q.Limit, 0, 1<<40); err != nil {
		return err
	}
	rows, total, err := v.Runs(c.Request().Context(), q)
	if err != nil {
		return err
	}
	body := append([]byte(`{"runs":`), appendRows(nil, enrich.LeaderboardColumns, rows)...)
	return out.send(jsonType, fmt.Appendf(body, ",\"total\":%d}\n", total))
}

// apiRun answers the object that the enrich command prints, for one run.
func (s *Server) apiRun(c echo.Context, v *store.Snapshot, out *answer) error {
	row, err := runOf(c, v)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	tables, err := v.Tables(ctx, row.RunID)
	if err != nil {
		return err
	}
	files, err := v.Files(ctx, row.RunID)
	if err != nil {
		return err
	}
	out.as(jsonType)
	return export.Document(out, s.Version, []*enrich.Tables{tables}, files)
}

func (s *Server) apiResults(c echo.Context, v *store.Snapshot, out *answer) error {
	row, err := runOf(c, v)
	if err != nil {
		return err
	}
	rows, err := v.Results(c.Request().Context(), row.RunID)
	if err != nil {
		return err
	}
	return writeDataset(c, out, row.RunID, enrich.Results, enrich.ResultColumns, export.Rows(rows))
}

// apiTraces reads the spans of a trace when it is written: those of all would
// not fit in memory.
func (s *Server) apiTraces(c echo.Context, v *store.Snapshot, out *answer) error {
	row, err := runOf(c, v)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	rows, err := v.Traces(ctx, row.RunID)
	if err != nil {
		return err
	}
	return writeDataset(c, out, row.RunID, enrich.Traces, enrich.TraceColumns, func(yield func(*enrich.TraceRow, error) bool) {
		for _, t := range rows {
			text, err := v.TraceSpans(ctx, row.RunID, t.TraceID)
			t.Spans = enrich.SpansText(text)
			if !yield(&t, err) || err != nil {
				return
			}
		}
	})
}

func (s *Server) apiMetrics(c echo.Context, v *store.Snapshot, out *answer) error {
	row, err := runOf(c, v)
	if err != nil {
		return err
	}
	rows, err := v.Metrics(c.Request().Context(), row.RunID)
	if err != nil {
		return err
	}
	return writeDataset(c, out, row.RunID, enrich.Metrics, enrich.MetricColumns, export.Rows(rows))
}

func (s *Server) apiLeaderboard(c echo.Context, v *store.Snapshot, out *answer) error {
	row, err := runOf(c, v)
	if err != nil {
		return err
	}
	return writeDataset(c, out, row.RunID, enrich.Leaderboard, enrich.LeaderboardColumns, export.Rows([]enrich.LeaderboardRow{row}))
}

// datasetTypes are the media types of export.Formats and of Parquet.
var datasetTypes = map[string]string{
	"json":  jsonType,
	"jsonl": "application/x-ndjson",
	"csv":   "text/csv; charset=utf-8",

	"parquet": "application/vnd.apache.parquet",
}

func writeDataset[R any](c echo.Context, out *answer, run, dataset string, columns []enrich.Column[R], rows iter.Seq2[*R, error]) error {
	format := c.Param("format")
	contentType, ok := datasetTypes[format]
	if !ok {
		return &refusal{http.StatusNotFound, "no_format", "No such format",
			fmt.Sprintf("Datasets are served as %s, not as %q.", strings.Join(slices.Sorted(maps.Keys(datasetTypes)), ", "), format)}
	}
	out.as(contentType)
	if format != "json" {
		out.attach(export.FolderName(run) + "-" + dataset + "." + format)
	}
	if format == "parquet" {
		return parquet.Write(out, columns, rows)
	}
	return export.Write(out, format, columns, rows)
}

// spanColumns are the columns of span rows but those that every row of an answer
// shares, and those that say where the store has the rest of the span.
var spanColumns = slices.DeleteFunc(slices.Clone(enrich.SpanColumns), func(c enrich.Column[enrich.SpanRow]) bool {
	return slices.Contains([]string{"run_id", "trace_id", "json_from", "json_to"}, c.Name)
})

// apiSpans answers a window of a trace's spans, without attributes.
func (s *Server) apiSpans(c echo.Context, v *store.Snapshot, out *answer) error {
	row, err := runOf(c, v)
	if err != nil {
		return err
	}
	q := store.SpanQuery{Run: row.RunID, Parent: c.QueryParam("parent")}
	if q.Trace, err = pathParam(c, "trace"); err != nil {
		return err
	}
	if q.From, err = intParam(c, "from", 0, 0, 1<<40); err != nil {
		return err
	}
	if q.To, err = intParam(c, "to", q.From+1000, q.From+1, q.From+maxRows); err != nil {
		return err
	}
	if _, err := v.Trace(c.Request().Context(), q.Run, q.Trace); err != nil {
		return absent(err, "trace", q.Trace)
	}
	rows, total, err := v.SpanRows(c.Request().Context(), q)
	if err != nil {
		return absent(err, "span", q.Parent)
	}
	body := fmt.Appendf(nil, `{"total":%d,"from":%d,"spans":`, total, q.From)
	return out.send(jsonType, append(appendRows(body, spanColumns, rows), "}\n"...))
}

// apiSpan answers one span whole.
func (s *Server) apiSpan(c echo.Context, v *store.Snapshot, out *answer) error {
	row, err := runOf(c, v)
	if err != nil {
		return err
	}
	trace, err := pathParam(c, "trace")
	if err != nil {
		return err
	}
	span, err := pathParam(c, "span")
	if err != nil {
		return err
	}
	text, err := v.Span(c.Request().Context(), row.RunID, trace, span)
	if err != nil {
		return absent(err, "span", span)
	}
	return out.send(jsonType, append(text, '\n'))
}

func appendRows[R any](dst []byte, columns []enrich.Column[R], rows []R) []byte {
	dst = append(dst, '[')
	for i := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = enrich.AppendRow(dst, columns, &rows[i])
	}
	return append(dst, ']')
}

// intParam reads a whole number of the query.
func intParam(c echo.Context, name string, otherwise, least, most int) (int, error) {
	text := c.QueryParam(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, badQuery(fmt.Sprintf("%s=%s: want a number from %d to %d", name, url.QueryEscape(text), least, most))
	}
	return n, nil
}
