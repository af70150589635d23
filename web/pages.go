//go:build js && wasm

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/export"
	"smolscope/views"
)

// receiptPath is where the receipt of the dropped files is, as on the server.
const receiptPath = "/upload"

// An answer is a page, or a download with a name.
type answer struct {
	status            int
	contentType, name string
	body              []byte
}

type component interface {
	Render(ctx context.Context, w io.Writer) error
}

var errAbsent = errors.New("absent")

// answer answers a path as the server does, from the runs of the preview.
func (p *preview) answer(address string) answer {
	u, err := url.Parse(address)
	if err != nil {
		return failed(err)
	}
	steps := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, step := range steps {
		if steps[i], err = url.PathUnescape(step); err != nil {
			return failed(err)
		}
	}
	if len(steps) > 3 && steps[0] == "api" && steps[1] == "v1" && steps[2] == "runs" {
		return p.data(steps[3:])
	}
	page, err := p.page(steps, u.Query())
	if err != nil {
		return failed(err)
	}
	return rendered(200, page)
}

func failed(err error) answer {
	if errors.Is(err, errAbsent) {
		return rendered(404, views.Error(views.NewErrorPage(404, "Not in this preview", "The files that were dropped have no such page. The leaderboard lists their runs.")))
	}
	return rendered(400, views.Error(views.NewErrorPage(400, "The address asks for something that does not exist", err.Error())))
}

func rendered(status int, page component) answer {
	var body bytes.Buffer
	ctx := views.WithSite(context.Background(), views.Site{Preview: true})
	if err := page.Render(ctx, &body); err != nil {
		return answer{500, "text/plain; charset=utf-8", "", []byte(err.Error())}
	}
	return answer{status, "text/html; charset=utf-8", "", body.Bytes()}
}

func (p *preview) page(steps []string, q url.Values) (component, error) {
	switch {
	case len(steps) == 1 && steps[0] == "":
		return p.leaderboard(q)
	case len(steps) == 1 && "/"+steps[0] == receiptPath:
		return views.Upload(views.NewUploadPage(p.receipt())), nil
	case steps[0] != "runs" || len(steps)%2 != 0:
		return nil, errAbsent
	}
	t, err := p.run(steps[1])
	switch {
	case err != nil:
		return nil, err
	case len(steps) == 2:
		return p.runPage(t, q)
	case steps[2] == "tests":
		return testPage(t, steps[3])
	case steps[2] == "traces":
		return tracePage(t, steps[3], q)
	}
	return nil, errAbsent
}

func (p *preview) run(id string) (*enrich.Tables, error) {
	i := slices.IndexFunc(p.runs, func(t *enrich.Tables) bool { return t.Leaderboard.RunID == id })
	if i < 0 {
		return nil, errAbsent
	}
	return p.runs[i], nil
}

func (p *preview) leaderboard(v url.Values) (component, error) {
	q, err := views.ParseLeaderboardQuery(v)
	if err != nil {
		return nil, err
	}
	var rows []enrich.LeaderboardRow
	origins := map[string]map[string]enrich.Origin{}
	for _, t := range p.runs {
		rows = append(rows, t.Leaderboard)
		origins[t.Leaderboard.RunID] = origin(t, enrich.Leaderboard, "run")
	}
	shown, found := q.Shown(rows)
	return views.Leaderboard(views.NewLeaderboardPage(shown, found, origins, q)), nil
}

func origin(t *enrich.Tables, dataset, key string) map[string]enrich.Origin {
	if t.Provenance == nil {
		return nil
	}
	return t.Provenance.Row(dataset, key)
}

func (p *preview) runPage(t *enrich.Tables, v url.Values) (component, error) {
	q, err := views.ParseRunQuery(v)
	if err != nil {
		return nil, err
	}
	return views.Run(views.NewRunPage(views.RunData{
		Row: t.Leaderboard, Results: t.Results, Quality: t.Quality, Provenance: t.Provenance, Files: p.filesOf(t), GPU: gpuMetrics(t),
	}, q)), nil
}

// gpuMetrics returns the points that the tab of the GPUs draws.
func gpuMetrics(t *enrich.Tables) []enrich.MetricRow {
	return slices.DeleteFunc(slices.Clone(t.Metrics), func(m enrich.MetricRow) bool { return views.GPUMetrics[m.MetricName] == "" })
}

// filesOf returns the receipts of the files that a run was made of.
func (p *preview) filesOf(t *enrich.Tables) []enrich.File {
	files := slices.DeleteFunc(slices.Clone(p.files), func(f enrich.File) bool { return !slices.Contains(t.Sources, f.SHA256) })
	slices.SortStableFunc(files, func(a, b enrich.File) int { return strings.Compare(a.SHA256, b.SHA256) })
	return slices.CompactFunc(files, func(a, b enrich.File) bool { return a.SHA256 == b.SHA256 })
}

// toldSpans is how many spans of a test are read to tell its story, as on the
// server.
const toldSpans = 2000

func testPage(t *enrich.Tables, id string) (component, error) {
	i := slices.IndexFunc(t.Results, func(r enrich.ResultRow) bool { return r.TestCaseUID == id })
	if i < 0 {
		return nil, errAbsent
	}
	d := views.TestData{Run: t.Leaderboard, Result: t.Results[i], Origins: origin(t, enrich.Results, id)}
	if i > 0 {
		d.Prev = t.Results[i-1].TestCaseUID
	}
	if i+1 < len(t.Results) {
		d.Next = t.Results[i+1].TestCaseUID
	}
	for _, r := range t.Results[i+1:] {
		if r.Success != nil && !*r.Success || r.ErrorType != nil {
			d.NextFailed = r.TestCaseUID
			break
		}
	}
	if id := d.Result.TraceID; id != nil {
		if at := traceAt(t, *id); at >= 0 {
			d.Trace = &t.Traces[at]
			d.Rows = spanRows(t, *id)
			d.Rows = d.Rows[:min(len(d.Rows), toldSpans)]
			var err error
			if d.Spans, err = spans(d.Trace, d.Rows); err != nil {
				return nil, err
			}
		}
	}
	return views.Test(views.NewTestPage(d)), nil
}

func traceAt(t *enrich.Tables, id string) int {
	return slices.IndexFunc(t.Traces, func(r enrich.TraceRow) bool { return r.TraceID == id })
}

// spanRows returns the rows of a trace, which lie together.
func spanRows(t *enrich.Tables, id string) []enrich.SpanRow {
	from := slices.IndexFunc(t.Spans, func(r enrich.SpanRow) bool { return r.TraceID == id })
	if from < 0 {
		return nil
	}
	n := slices.IndexFunc(t.Spans[from:], func(r enrich.SpanRow) bool { return r.TraceID != id })
	if n < 0 {
		return t.Spans[from:]
	}
	return t.Spans[from : from+n]
}

// spans returns the spans of rows whole, from the trace's column, which has each
// under its id.
func spans(trace *enrich.TraceRow, rows []enrich.SpanRow) ([]enrich.Span, error) {
	wanted := make(map[string]int, len(rows))
	for i, r := range rows {
		wanted[r.SpanID] = i
	}
	list := make([]enrich.Span, len(rows))
	err := trace.Spans.Chunks(func(id enrich.SpanID, piece []byte) (err error) {
		if i, ok := wanted[hex.EncodeToString(id[:])]; ok {
			list[i], err = decode.Span(slices.Clone(piece))
		}
		return err
	})
	return list, err
}

func tracePage(t *enrich.Tables, id string, v url.Values) (component, error) {
	q, err := views.ParseTraceQuery(v)
	if err != nil {
		return nil, err
	}
	at := traceAt(t, id)
	if at < 0 {
		return nil, errAbsent
	}
	d := views.TraceData{Run: t.Leaderboard, Trace: t.Traces[at], Origins: origin(t, enrich.Traces, id), Rows: spanRows(t, id)}
	d.Trace.Spans = enrich.SpanList{} // the rows and the selected span say it
	if at > 0 {
		d.Prev = t.Traces[at-1].TraceID
	}
	if at+1 < len(t.Traces) {
		d.Next = t.Traces[at+1].TraceID
	}
	if uid := d.Trace.TestCaseUID; uid != nil {
		if i := slices.IndexFunc(t.Results, func(r enrich.ResultRow) bool { return r.TestCaseUID == *uid }); i >= 0 {
			d.Result, d.OfResult = &t.Results[i], origin(t, enrich.Results, *uid)
		}
	}
	if q.Span != "" {
		i := slices.IndexFunc(d.Rows, func(r enrich.SpanRow) bool { return r.SpanID == q.Span })
		if i < 0 {
			return nil, errAbsent
		}
		list, err := spans(&t.Traces[at], d.Rows[i:i+1])
		if err != nil {
			return nil, err
		}
		d.Selected = &list[0]
	}
	return views.Trace(views.NewTracePage(d, q)), nil
}

// data answers what follows /api/v1/runs/: a run as one document, a dataset of
// it in a format, or a span.
func (p *preview) data(steps []string) answer {
	t, err := p.run(steps[0])
	if err != nil {
		return failed(err)
	}
	var body bytes.Buffer
	a := answer{status: 200, contentType: "application/json", name: export.FolderName(t.Leaderboard.RunID) + ".json"}
	switch {
	case len(steps) == 1:
		err = export.Document(&body, p.settings.Version, []*enrich.Tables{t}, p.filesOf(t))
	case len(steps) == 2:
		dataset, format, _ := strings.Cut(steps[1], ".")
		a.name = export.FolderName(t.Leaderboard.RunID) + "-" + dataset + "." + format
		err = export.Dataset(&body, t, format, dataset)
	case len(steps) == 5 && steps[1] == "traces" && steps[3] == "spans":
		a.name = ""
		body.Write(p.span(t, steps[2], steps[4]))
	}
	switch {
	case err != nil:
		return failed(err)
	case body.Len() == 0:
		return failed(errAbsent)
	}
	a.body = body.Bytes()
	return a
}

// span returns one span whole, as JSON; nil if there is none.
func (p *preview) span(t *enrich.Tables, trace, span string) []byte {
	at := traceAt(t, trace)
	if at < 0 {
		return nil
	}
	rows := spanRows(t, trace)
	i := slices.IndexFunc(rows, func(r enrich.SpanRow) bool { return r.SpanID == span })
	if i < 0 {
		return nil
	}
	list, err := spans(&t.Traces[at], rows[i:i+1])
	if err != nil {
		return nil
	}
	return append(list[0].AppendJSON(nil), '\n')
}
