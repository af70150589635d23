package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/filter"
	"smolscope/enrich/redact"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openNew(t *testing.T) *Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "smolscope.db"))
}

func apply(t *testing.T, s *Store, c Change) {
	t.Helper()
	if err := s.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func snapshot(t *testing.T, s *Store) *Snapshot {
	t.Helper()
	v, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// must returns what a call returned, and ends the test if it failed.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func upload(text string, keys ...string) NewUpload {
	sum := sha256.Sum256([]byte(text))
	id := hex.EncodeToString(sum[:])
	return NewUpload{
		Upload: Upload{
			Receipt:  enrich.File{Name: "f.json", Format: "smoltrace-traces", Dataset: enrich.Traces, SHA256: id, Rows: 1, Repairs: []string{}, Warnings: []enrich.Warning{{Where: "line 7", Message: "<b>"}}},
			Size:     int64(len(text)),
			Received: time.Unix(1700000000, 123456789).UTC(),
		},
		Keys:  keys,
		Bytes: strings.NewReader(text),
	}
}

// run makes a run of which a few columns are known.
func run(id string) *enrich.Tables {
	return &enrich.Tables{Leaderboard: enrich.LeaderboardRow{RunID: id, RunIDSource: "reported"}}
}

// fill gives every column of a row a value of its own.
func fill[R any](columns []enrich.Column[R], seed int) R {
	var row R
	for i, c := range columns {
		n := int64(seed*1000 + i + 1)
		switch p := c.Ptr(&row).(type) {
		case *string:
			*p = fmt.Sprintf("%s %d '\"%%\x00é\xff", c.Name, n)
		case **string:
			*p = new(fmt.Sprintf("%s %d '\"%%\x00é\xff", c.Name, n))
		case *bool:
			*p = n%2 == 1
		case **bool:
			*p = new(n%2 == 0)
		case *int64:
			*p = n
		case **int64:
			*p = new(math.MaxInt64 - n)
		case **float64:
			*p = new(float64(n) / 3)
		case *enrich.Time:
			*p = enrich.Time(1761146658415691700 + n)
		case *enrich.UnixNano:
			*p = enrich.UnixNano(1761146658415691701 + n)
		case *[]string:
			*p = []string{"", c.Name, `"`}
		case *[]int64:
			*p = []int64{n, -1, math.MinInt64}
		case *[]float64:
			*p = []float64{0.1, 1e300, float64(n) / 7}
		case *enrich.SpanList:
			*p = enrich.SpansText(enrich.JSON(fmt.Sprintf(`[{"a":%d}]`, n)))
		case *enrich.JSON:
			*p = enrich.JSON(fmt.Sprintf(`{"a":[%d,"<é>"]}`, n))
		default:
			panic(fmt.Sprintf("column %s of type %T", c.Name, p))
		}
	}
	return row
}

func TestRowsSurvive(t *testing.T) {
	s := openNew(t)
	full, other := run("full"), run("other")
	full.Leaderboard = fill(enrich.LeaderboardColumns, 1)
	id := full.Leaderboard.RunID
	for n := range 3 {
		result := fill(enrich.ResultColumns, 3-n) // not in the order of their ids
		result.RunID = id
		full.Results = append(full.Results, result)
		trace := fill(enrich.TraceColumns, 3-n)
		trace.RunID, trace.SpanCount = id, 1
		full.Traces = append(full.Traces, trace)
		span := fill(enrich.SpanColumns, 3-n)
		span.RunID, span.TraceID = id, trace.TraceID
		full.Spans = append(full.Spans, span)
		metric := fill(enrich.MetricColumns, 3-n)
		metric.RunID = id
		full.Metrics = append(full.Metrics, metric)
	}
	// Rows of which nothing is known but the key, and lists that are known to be empty.
	full.Results = append(full.Results,
		enrich.ResultRow{RunID: id, TestCaseUID: "empty"},
		enrich.ResultRow{RunID: id, TestCaseUID: "empty list", ToolsUsed: []string{}, TotalTokens: new(int64(0)), CostTotal: new(0.0), Success: new(false), Prompt: new("")})
	full.Traces = append(full.Traces, enrich.TraceRow{RunID: id, TraceID: "empty"})
	full.Metrics = append(full.Metrics, enrich.MetricRow{RunID: id}, enrich.MetricRow{RunID: id})
	full.Quality = enrich.Quality{
		Flags: map[string][]string{"tz_unknown": {"run"}, "orphan_spans": {"trace:a", "trace:b"}},
		Stored: map[string]map[string]attr.Value{"run": {
			"null": {}, "int": attr.IntValue(29113), "float": attr.FloatValue(0.5), "bool": attr.BoolValue(true),
			"string": attr.StringValue("<é>"), "json": attr.JSONValue(`{"a":["<",1.0]}`),
		}},
	}
	full.Provenance = &enrich.Provenance{}
	full.Provenance.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{"model": {Kind: enrich.Reported, From: "model <é>"}})
	full.Provenance.Put(enrich.Results, "tool:<x>", map[string]enrich.Origin{
		"steps": {Kind: enrich.Derived, From: "spans"}, "success": {Kind: enrich.Reported, From: "model <é>"},
	})
	full.Provenance.Put(enrich.Results, "tool:y", nil) // a row in which nothing is known
	u := upload("bytes")
	full.Sources = []string{u.Receipt.SHA256}
	apply(t, s, Change{Uploads: []NewUpload{u}, Runs: []*enrich.Tables{full, other}})

	v := snapshot(t, s)
	got := must(v.Tables(t.Context(), id))(t)
	if diff := cmp.Diff(full, got, cmp.AllowUnexported(attr.Value{}), byRow); diff != "" {
		t.Errorf("run differs (-stored +read):\n%s", diff)
	}
	got = must(v.Tables(t.Context(), "other"))(t)
	if diff := cmp.Diff(other, got, cmpopts.EquateEmpty(), byRow); diff != "" {
		t.Errorf("empty run differs (-stored +read):\n%s", diff)
	}
	files := must(v.Files(t.Context(), id))(t)
	if diff := cmp.Diff([]enrich.File{u.Receipt}, files); diff != "" {
		t.Errorf("files differ (-stored +read):\n%s", diff)
	}
	result := must(v.Result(t.Context(), id, full.Results[1].TestCaseUID))(t)
	if diff := cmp.Diff(full.Results[1], result); diff != "" {
		t.Errorf("result differs (-stored +read):\n%s", diff)
	}
	trace := must(v.Trace(t.Context(), id, full.Traces[1].TraceID))(t)
	if trace.Spans.Known() || trace.TraceID != full.Traces[1].TraceID {
		t.Errorf("trace = %q with spans %q", trace.TraceID, trace.Spans.AppendJSON(nil))
	}
}

// byRow compares provenances by what they say of each row, whatever numbers
// they give the origins. Without a row, none is as good as an empty one.
var byRow = cmp.Options{spanTexts, cmp.Transformer("byRow", func(p *enrich.Provenance) map[string]map[string]enrich.Origin {
	rows := map[string]map[string]enrich.Origin{}
	if p == nil {
		return rows
	}
	for _, dataset := range p.Datasets() {
		for _, key := range p.Keys(dataset) {
			rows[dataset+" "+key] = p.Row(dataset, key)
		}
	}
	return rows
})}

// spanTexts compares spans by their JSON.
var spanTexts = cmp.Transformer("spanTexts", func(l enrich.SpanList) string { return string(l.AppendJSON(nil)) })

func TestProvenance(t *testing.T) {
	s := openNew(t)
	stated, counted := enrich.Origin{Kind: enrich.Reported, From: "steps <é>"}, enrich.Origin{Kind: enrich.Derived, From: "spans"}
	r := run("r")
	r.Provenance = &enrich.Provenance{}
	r.Provenance.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{"model": stated})
	// The row is read with other numbers than it was written with, as counted is
	// the first origin of it and the second of the run.
	r.Provenance.Put(enrich.Results, "a", map[string]enrich.Origin{"steps": counted, "success": stated})
	r.Provenance.Put(enrich.Results, "b", map[string]enrich.Origin{"steps": stated})
	r.Provenance.Put(enrich.Results, "empty", nil)
	r.Provenance.Put(enrich.Traces, "a", map[string]enrich.Origin{"trace_id": stated})
	apply(t, s, Change{Runs: []*enrich.Tables{r, run("without")}})
	v := snapshot(t, s)

	for _, tt := range []struct {
		name, run, dataset string
		keys, want         []string // want: "dataset key"
	}{
		{"whole run", "r", "", nil, []string{"leaderboard run", "results a", "results b", "results empty", "traces a"}},
		{"dataset", "r", enrich.Results, nil, []string{"results a", "results b", "results empty"}},
		{"rows", "r", enrich.Results, []string{"b", "a", "unknown"}, []string{"results a", "results b"}},
		{"key of any dataset", "r", "", []string{"a"}, []string{"results a", "traces a"}},
		{"unknown row", "r", enrich.Results, []string{"unknown"}, nil},
		{"run without any", "without", "", nil, nil},
		{"unknown run", "unknown", "", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must(v.Provenance(t.Context(), tt.run, tt.dataset, tt.keys...))(t)
			want := &enrich.Provenance{}
			for _, name := range tt.want {
				dataset, key, _ := strings.Cut(name, " ")
				want.Put(dataset, key, r.Provenance.Row(dataset, key))
			}
			if diff := cmp.Diff(want, got, byRow); diff != "" {
				t.Errorf("provenance differs (-stored +read):\n%s", diff)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	s := openNew(t)
	apply(t, s, Change{Runs: []*enrich.Tables{{
		Leaderboard: enrich.LeaderboardRow{RunID: "r"},
		Traces:      []enrich.TraceRow{{RunID: "r", TraceID: "t"}},
	}}})
	v := snapshot(t, s)
	ctx := t.Context()
	for name, ask := range map[string]func() error{
		"run":          func() error { _, err := v.Run(ctx, "x"); return err },
		"result":       func() error { _, err := v.Result(ctx, "r", "x"); return err },
		"trace":        func() error { _, err := v.Trace(ctx, "r", "x"); return err },
		"span rows":    func() error { _, _, err := v.SpanRows(ctx, SpanQuery{Run: "r", Trace: "x"}); return err },
		"child spans":  func() error { _, _, err := v.SpanRows(ctx, SpanQuery{Run: "r", Trace: "t", Parent: "x"}); return err },
		"span":         func() error { _, err := v.Span(ctx, "r", "t", "x"); return err },
		"quality":      func() error { _, err := v.Quality(ctx, "x"); return err },
		"tables":       func() error { _, err := v.Tables(ctx, "x"); return err },
		"upload":       func() error { _, err := v.Upload(ctx, "x"); return err },
		"other's test": func() error { _, err := v.Trace(ctx, "other", "t"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := ask(); !errors.Is(err, ErrNotFound) {
				t.Errorf("error = %v, want ErrNotFound", err)
			}
		})
	}
}

// TestRunsWhere: a filter finds the same runs in the same order as reading them all
// would, pages are counted among what is found, and a mask hides from it too.
func TestRunsWhere(t *testing.T) {
	s := openNew(t)
	a, b, c, d := run("a"), run("b"), run("c"), run("d")
	a.Leaderboard.TotalTokens, b.Leaderboard.TotalTokens, d.Leaderboard.TotalTokens = new(int64(5)), new(int64(0)), new(int64(7))
	a.Leaderboard.Team, c.Leaderboard.Team = new("someone@example.com"), new("ours")
	apply(t, s, Change{Runs: []*enrich.Tables{a, b, c, d}})
	v := snapshot(t, s)
	language := filter.Language[enrich.LeaderboardRow]{Columns: enrich.LeaderboardColumns}
	for _, tt := range []struct {
		where         string
		limit, offset int
		v             *Snapshot
		want          string
		total         int
	}{
		{"total_tokens>=0", 0, 0, v, "d a b", 3},
		{"total_tokens>=0", 1, 1, v, "a", 3},
		{"total_tokens>=0", 5, 9, v, "", 3},
		{"-has:total_tokens", 0, 0, v, "c", 1},
		{"total_tokens>1 run_id:d", 0, 0, v, "d", 1},
		{"total_tokens>1000", 0, 0, v, "", 0},
		{"team:someone", 0, 0, v, "a", 1},
		{"team:someone", 0, 0, v.Masked(redact.Mask{Secrets: true}), "", 0},
	} {
		where, err := language.Parse(tt.where)
		if err != nil {
			t.Fatal(err)
		}
		rows, total, err := tt.v.Runs(t.Context(), RunQuery{Sort: "total_tokens", Desc: true, Where: where, Limit: tt.limit, Offset: tt.offset})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range rows {
			ids = append(ids, r.RunID)
		}
		if got := strings.Join(ids, " "); got != tt.want || total != tt.total {
			t.Errorf("%q from %d: %q of %d, want %q of %d", tt.where, tt.offset, got, total, tt.want, tt.total)
		}
	}
}

func TestRuns(t *testing.T) {
	s := openNew(t)
	a, b, c, d := run("a"), run("b"), run("c"), run("d")
	a.Leaderboard.TotalTokens = new(int64(5))
	b.Leaderboard.TotalTokens = new(int64(0))
	d.Leaderboard.TotalTokens = new(int64(5))
	a.Leaderboard.RunIDSource, b.Leaderboard.RunIDSource, c.Leaderboard.RunIDSource, d.Leaderboard.RunIDSource = "Zeta", "alpha", "Beta", "alpha"
	b.Leaderboard.EvaluationDate, d.Leaderboard.EvaluationDate = 10, 20
	apply(t, s, Change{Runs: []*enrich.Tables{a, b, c, d}})
	v := snapshot(t, s)

	for _, tt := range []struct {
		name string
		q    RunQuery
		want string
	}{
		{"newest first, those without a date last", RunQuery{}, "d b a c"},
		{"ascending, absent last, equals by id", RunQuery{Sort: "total_tokens"}, "b a d c"},
		{"descending, absent last all the same", RunQuery{Sort: "total_tokens", Desc: true}, "a d b c"},
		{"letter case does not matter", RunQuery{Sort: "run_id_source"}, "b d c a"},
		{"page", RunQuery{Sort: "run_id", Limit: 2, Offset: 1}, "b c"},
		{"page beyond the end", RunQuery{Sort: "run_id", Limit: 2, Offset: 9}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, total, err := v.Runs(t.Context(), tt.q)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, r := range rows {
				ids = append(ids, r.RunID)
			}
			if got := strings.Join(ids, " "); got != tt.want || total != 4 {
				t.Errorf("Runs = %q of %d, want %q of 4", got, total, tt.want)
			}
		})
	}
	t.Run("misspelt column", func(t *testing.T) {
		_, _, err := v.Runs(t.Context(), RunQuery{Sort: "total_tokenz"})
		if !errors.Is(err, ErrNoColumn) || !strings.Contains(err.Error(), "total_tokenz") {
			t.Errorf("error = %v, want ErrNoColumn naming the column", err)
		}
	})
	t.Run("every column", func(t *testing.T) {
		for _, column := range enrich.LeaderboardColumns {
			if _, _, err := v.Runs(t.Context(), RunQuery{Sort: column.Name, Desc: true}); err != nil {
				t.Errorf("sort=%s: %v", column.Name, err)
			}
		}
	})
}

func TestBeside(t *testing.T) {
	s := openNew(t)
	r := run("r")
	for i, id := range []string{"d", "a", "c", "b"} {
		r.Results = append(r.Results, enrich.ResultRow{RunID: "r", TestCaseUID: id, Success: new(i%2 == 0)})
		r.Traces = append(r.Traces, enrich.TraceRow{RunID: "r", TraceID: id})
	}
	r.Results[2].Success, r.Results[2].ErrorType = nil, new("auth")
	apply(t, s, Change{Runs: []*enrich.Tables{r, run("s")}})
	v := snapshot(t, s)
	for id, want := range map[string][3]string{
		"d": {"", "a", "a"},
		"a": {"d", "c", "c"},
		"c": {"a", "b", "b"},
		"b": {"c", "", ""},
		"x": {"", "", ""},
	} {
		prev, next, failed, err := v.ResultBeside(t.Context(), "r", id)
		if got := [3]string{prev, next, failed}; got != want || err != nil {
			t.Errorf("ResultBeside(%s) = %q, %v, want %q", id, got, err, want)
		}
		prev, next, err = v.TraceBeside(t.Context(), "r", id)
		if got := [2]string{prev, next}; got != [2]string(want[:2]) || err != nil {
			t.Errorf("TraceBeside(%s) = %q, %v, want %q", id, got, err, want[:2])
		}
	}
}

// treeRun makes a run with one trace: a root with n children, each with one
// child, whose JSON is long enough to span several blocks.
func treeRun(id string, n int) *enrich.Tables {
	t := run(id)
	trace := enrich.TraceRow{RunID: id, TraceID: "t", SpanCount: int64(1 + 2*n)}
	text := []byte("[")
	add := func(span string, parent *string, depth, children int64) {
		if len(text) > 1 {
			text = append(text, ',')
		}
		row := enrich.SpanRow{RunID: id, TraceID: "t", Seq: int64(len(t.Spans)), SpanID: span, ParentSpanID: parent, Depth: depth, Children: children, JSONFrom: int64(len(text))}
		text = append(text, fmt.Sprintf(`{"span_id":%q,"filler":%q}`, span, strings.Repeat(span, 1000))...)
		row.JSONTo = int64(len(text))
		t.Spans = append(t.Spans, row)
	}
	add("root", nil, 0, int64(n))
	for i := range n {
		child := fmt.Sprintf("child%d", i)
		add(child, new("root"), 1, 1)
		add(fmt.Sprintf("leaf%d", i), &child, 2, 0)
	}
	trace.Spans = enrich.SpansText(enrich.JSON(append(text, ']')))
	t.Traces = []enrich.TraceRow{trace}
	return t
}

func TestSpans(t *testing.T) {
	s := openNew(t)
	want := treeRun("r", 300)
	apply(t, s, Change{Runs: []*enrich.Tables{want, treeRun("other", 1)}})
	v := snapshot(t, s)
	ctx := t.Context()
	text := enrich.JSON(want.Traces[0].Spans.AppendJSON(nil))
	if len(text) < 3*blockSize {
		t.Fatalf("spans are %d bytes, want several blocks", len(text))
	}

	if got := must(v.TraceSpans(ctx, "r", "t"))(t); got != text {
		t.Errorf("TraceSpans differs from what was stored (%d bytes, want %d)", len(got), len(text))
	}
	if got := must(v.TraceSpans(ctx, "r", "none"))(t); got != "" {
		t.Errorf("TraceSpans of no trace = %q", got)
	}
	for _, row := range want.Spans {
		got := must(v.Span(ctx, "r", "t", row.SpanID))(t)
		if string(got) != string(text[row.JSONFrom:row.JSONTo]) {
			t.Fatalf("Span(%s) = %.60q…, want its part of the spans column", row.SpanID, got)
		}
	}

	for _, tt := range []struct {
		name  string
		q     SpanQuery
		want  []int // their seq
		total int
	}{
		{"window", SpanQuery{From: 2, To: 5}, []int{2, 3, 4}, 601},
		{"window over the end", SpanQuery{From: 599, To: 700}, []int{599, 600}, 601},
		{"window beyond the end", SpanQuery{From: 700, To: 800}, nil, 601},
		{"empty window", SpanQuery{From: 5, To: 5}, nil, 601},
		{"inverted window", SpanQuery{From: 5, To: 3}, nil, 601},
		{"children", SpanQuery{Parent: "root", From: 1, To: 3}, []int{3, 5}, 300},
		{"no children", SpanQuery{Parent: "leaf7"}, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.q.Run, tt.q.Trace = "r", "t"
			rows, total, err := v.SpanRows(ctx, tt.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, row := range rows {
				got = append(got, int(row.Seq))
			}
			if !slices.Equal(got, tt.want) || total != tt.total {
				t.Errorf("SpanRows = %v of %d, want %v of %d", got, total, tt.want, tt.total)
			}
		})
	}
	if rows, _, err := v.SpanRows(ctx, SpanQuery{Run: "r", Trace: "t"}); err != nil || len(rows) != 601 {
		t.Errorf("all span rows: %d, %v, want 601", len(rows), err)
	}
}

func TestUploads(t *testing.T) {
	s := openNew(t)
	long := strings.Repeat("0123456789abcdef", 3*blockSize/16) + "tail"
	a, b := upload(long, "k"), upload("")
	apply(t, s, Change{Uploads: []NewUpload{a, b}})
	v := snapshot(t, s)
	for _, u := range []NewUpload{a, b} {
		got := must(v.Upload(t.Context(), u.Receipt.SHA256))(t)
		if diff := cmp.Diff(u.Upload, got); diff != "" {
			t.Errorf("upload differs (-stored +read):\n%s", diff)
		}
	}
	if text, err := io.ReadAll(v.UploadBytes(t.Context(), a.Receipt.SHA256)); err != nil || string(text) != long {
		t.Errorf("bytes differ: %d, want %d, %v", len(text), len(long), err)
	}
	if text, err := io.ReadAll(v.UploadBytes(t.Context(), b.Receipt.SHA256)); err != nil || len(text) > 0 {
		t.Errorf("bytes of the empty upload: %q, %v", text, err)
	}
	all := must(v.Uploads(t.Context()))(t)
	if len(all) != 2 || !slices.IsSorted(all) {
		t.Errorf("Uploads = %v", all)
	}

	t.Run("shorter than it says", func(t *testing.T) {
		u := upload("short")
		u.Size++
		if err := s.Apply(t.Context(), Change{Uploads: []NewUpload{u}}); err == nil || !strings.Contains(err.Error(), "read 5 bytes, want 6") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("reread", func(t *testing.T) {
		receipt := a.Receipt
		receipt.Rows = 7
		if err := s.Reread(t.Context(), receipt, []string{"other"}); err != nil {
			t.Fatal(err)
		}
		v := snapshot(t, s)
		if got := must(v.Upload(t.Context(), receipt.SHA256))(t); got.Receipt.Rows != 7 || got.Size != a.Size {
			t.Errorf("upload after Reread = %+v", got)
		}
		for key, want := range map[string]int{"k": 0, "other": 1} {
			if got := must(v.Connected(t.Context(), []string{key}, nil))(t); len(got) != want {
				t.Errorf("Connected(%s) = %v, want %d", key, got, want)
			}
		}
	})
}

func TestConnected(t *testing.T) {
	s := openNew(t)
	names := map[string]string{}
	var change Change
	add := func(name, drop string, keys ...string) string {
		u := upload(name, keys...)
		id := u.Receipt.SHA256
		names[id] = name
		change.Uploads = append(change.Uploads, u)
		change.Places = append(change.Places, Place{id, drop, "folder"})
		return id
	}
	add("a", "1", "run:1", "trace:1")
	add("b", "2", "trace:1", "trace:2", "it's \"50%\"")
	add("c", "3", "trace:2", "near:m|0|1")
	add("d", "4", "trace:9")
	e := add("e", "4", "totals:1|2")
	f := add("f", "5", "near:m|0|1", "totals:1|2")
	// The same run was made of g and h, which share nothing.
	g := add("g", "6")
	h := add("h", "7")
	joined := run("r")
	joined.Sources = []string{g, h}
	change.Runs = []*enrich.Tables{joined}
	// The bytes of d came once more, in another drop, with i.
	change.Places = append(change.Places, Place{change.Uploads[3].Receipt.SHA256, "8", ""})
	i := add("i", "8")
	apply(t, s, change)
	v := snapshot(t, s)
	for _, tt := range []struct {
		name    string
		keys    []string
		uploads []string
		want    string
	}{
		{"through others", []string{"trace:2"}, nil, "a b c"},
		{"from the far end", []string{"run:1", "unknown"}, nil, "a b c"},
		{"dropped together, in either drop", []string{"trace:9"}, nil, "d e i"},
		{"through another's drop", nil, []string{i}, "d e i"},
		{"both groups", []string{"trace:9", "run:1"}, nil, "a b c d e i"},
		{"key of any text", []string{"it's \"50%\""}, nil, "a b c"},
		{"a clue connects nothing", []string{"near:m|0|1"}, nil, ""},
		{"nor on the way", nil, []string{f}, "f"},
		{"one stored run", nil, []string{h}, "g h"},
		{"unknown", []string{"trace:7"}, nil, ""},
		{"none", nil, nil, ""},
		{"by upload", nil, []string{e, "unknown"}, "d e i"},
		{"by upload and key", []string{"run:1"}, []string{e}, "a b c d e i"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, id := range must(v.Connected(t.Context(), tt.keys, tt.uploads))(t) {
				got = append(got, names[id])
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("Connected(%q) = %q, want %q", tt.keys, got, tt.want)
			}
		})
	}
}

func TestHinted(t *testing.T) {
	s := openNew(t)
	names := map[string]string{}
	var change Change
	// All share one clue. Those of a run are told by its name.
	runs := map[string]*enrich.Tables{}
	add := func(name, dataset, drop string, of ...string) {
		u := upload(name, "near:m|0|1", "run:"+name)
		u.Receipt.Dataset = dataset
		names[u.Receipt.SHA256] = name
		change.Uploads = append(change.Uploads, u)
		change.Places = append(change.Places, Place{u.Receipt.SHA256, drop, ""})
		for _, id := range of {
			if runs[id] == nil {
				runs[id] = run(id)
				change.Runs = append(change.Runs, runs[id])
			}
			runs[id].Sources = append(runs[id].Sources, u.Receipt.SHA256)
		}
	}
	add("home", enrich.Results, "1", "r1")
	add("beside it", enrich.Leaderboard, "1", "r1")
	add("came later", enrich.Metrics, "2", "r1")
	add("without a home", enrich.Leaderboard, "3", "r2")
	add("one row without", enrich.Leaderboard, "1", "r1", "r3")
	add("of no run", "metadata", "1")
	apply(t, s, change)
	v := snapshot(t, s)
	for all, want := range map[bool]string{
		true:  "beside it, came later, home, of no run, one row without, without a home",
		false: "came later, of no run, one row without, without a home",
	} {
		var got []string
		for _, id := range must(v.Hinted(t.Context(), []string{"near:m|0|1", "run:home", "unknown"}, all))(t) {
			got = append(got, names[id])
		}
		slices.Sort(got)
		if strings.Join(got, ", ") != want {
			t.Errorf("Hinted, all %v = %q, want %q", all, got, want)
		}
	}
	if got := must(v.Hinted(t.Context(), []string{"run:home"}, true))(t); len(got) > 0 {
		t.Errorf("Hinted by a key that is no clue = %q, want none", got)
	}
}

func TestApplyIsAtomic(t *testing.T) {
	s := openNew(t)
	kept := treeRun("kept", 2)
	old := upload("old")
	kept.Sources = []string{old.Receipt.SHA256}
	apply(t, s, Change{Uploads: []NewUpload{old}, Runs: []*enrich.Tables{kept}})

	before := must(snapshot(t, s).Tables(t.Context(), "kept"))(t)
	bad := run("bad")
	bad.Results = []enrich.ResultRow{{RunID: "bad", TestCaseUID: "twice"}, {RunID: "bad", TestCaseUID: "twice"}}
	err := s.Apply(t.Context(), Change{Uploads: []NewUpload{upload("new")}, Remove: []string{"kept"}, Runs: []*enrich.Tables{run("good"), bad}})
	if err == nil || !strings.Contains(err.Error(), `run "bad": results: row 1`) {
		t.Fatalf("error = %v, want one naming run and row", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Apply(cancelled, Change{Remove: []string{"kept"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}

	v := snapshot(t, s)
	if diff := cmp.Diff(before, must(v.Tables(t.Context(), "kept"))(t), byRow); diff != "" {
		t.Errorf("run changed:\n%s", diff)
	}
	if rows, total, err := v.Runs(t.Context(), RunQuery{}); err != nil || total != 1 || len(rows) != 1 {
		t.Errorf("runs = %d, %v, want 1", total, err)
	}
	if all := must(v.Uploads(t.Context()))(t); len(all) != 1 {
		t.Errorf("uploads = %v, want the old one alone", all)
	}
}

func TestReplacedRunLeavesNothing(t *testing.T) {
	s := openNew(t)
	u := upload("u")
	r := treeRun("r", 3)
	r.Sources = []string{u.Receipt.SHA256}
	r.Results = []enrich.ResultRow{{RunID: "r", TestCaseUID: "x"}}
	r.Metrics = []enrich.MetricRow{{RunID: "r"}}
	r.Provenance = &enrich.Provenance{}
	r.Provenance.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{"model": {Kind: enrich.Reported}})
	apply(t, s, Change{Uploads: []NewUpload{u}, Runs: []*enrich.Tables{r}})
	if got := must(snapshot(t, s).RunsOf(t.Context(), u.Receipt.SHA256, "unknown"))(t); !slices.Equal(got, []string{"r"}) {
		t.Errorf("RunsOf = %q, want r", got)
	}
	apply(t, s, Change{Remove: []string{"r", "unknown"}})
	for _, table := range derivedTables() {
		var n int
		if err := s.writer.QueryRow("SELECT COUNT(*) FROM " + quote(table.name)).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s has %d rows, %v, want none", table.name, n, err)
		}
	}
}

func TestSnapshotStays(t *testing.T) {
	s := openNew(t)
	apply(t, s, Change{Runs: []*enrich.Tables{run("a")}})
	v := snapshot(t, s)
	must(v.Run(t.Context(), "a"))(t)
	apply(t, s, Change{Remove: []string{"a"}, Runs: []*enrich.Tables{run("b")}})
	if _, err := v.Run(t.Context(), "a"); err != nil {
		t.Errorf("run a of the older snapshot: %v", err)
	}
	if _, err := v.Run(t.Context(), "b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("run b of the older snapshot: %v, want ErrNotFound", err)
	}
	if _, err := snapshot(t, s).Run(t.Context(), "b"); err != nil {
		t.Errorf("run b: %v", err)
	}
}

func TestReadersWhileWriting(t *testing.T) {
	s := openNew(t)
	apply(t, s, Change{Runs: []*enrich.Tables{treeRun("r", 1)}})
	var wait sync.WaitGroup
	done := make(chan struct{})
	for range 2 * readers {
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				err := s.Read(t.Context(), func(v *Snapshot) error {
					trace, err := v.Trace(t.Context(), "r", "t")
					if err != nil {
						return err
					}
					rows, _, err := v.SpanRows(t.Context(), SpanQuery{Run: "r", Trace: "t"})
					if err == nil && len(rows) != int(trace.SpanCount) {
						err = fmt.Errorf("%d span rows of %d", len(rows), trace.SpanCount)
					}
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 50 {
		if err := s.Apply(t.Context(), Change{Remove: []string{"r"}, Runs: []*enrich.Tables{treeRun("r", 1+n%7)}}); err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	wait.Wait()
}

func TestOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "it's 50% #1?.db")
	first := open(t, path)
	apply(t, first, Change{Runs: []*enrich.Tables{run("a")}})
	second := open(t, path)
	apply(t, second, Change{Runs: []*enrich.Tables{run("b")}})
	apply(t, first, Change{Runs: []*enrich.Tables{run("c")}})
	err := second.Read(t.Context(), func(v *Snapshot) error {
		if _, total, err := v.Runs(t.Context(), RunQuery{}); err != nil || total != 3 {
			t.Errorf("runs = %d, %v, want 3", total, err)
		}
		d, err := v.Derivation(t.Context())
		if d.Stale {
			t.Error("the store is stale after opening it twice")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("mode of %s = %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("files after Close: %v, %v, want the database alone", entries, err)
	}
	if _, total, err := snapshot(t, open(t, path)).Runs(t.Context(), RunQuery{}); err != nil || total != 3 {
		t.Errorf("runs after opening again = %d, %v, want 3", total, err)
	}
}

func TestOpenAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "x.db")
	first, err := OpenAlone(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := OpenAlone(t.Context(), path); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		if err == nil {
			second.Close()
		}
		t.Errorf("OpenAlone of an open store: %v, want ErrInUse and the file's name", err)
	}
	if beside, err := Open(t.Context(), path); err != nil {
		t.Errorf("Open beside it: %v", err)
	} else {
		beside.Close()
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	again, err := OpenAlone(t.Context(), path)
	if err != nil {
		t.Fatalf("OpenAlone of a closed store: %v", err)
	}
	again.Close()
}

func TestMigrateTwice(t *testing.T) {
	s := openNew(t)
	apply(t, s, Change{Uploads: []NewUpload{upload("kept")}})
	if err := migrate(t.Context(), s.writer); err != nil {
		t.Fatal(err)
	}
	if all := must(snapshot(t, s).Uploads(t.Context()))(t); len(all) != 1 {
		t.Errorf("uploads after migrating again = %v, want 1", all)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"another program's": {`CREATE TABLE theirs (x)`, "another program"},
		"a later version's": {fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = 99`, applicationID), "schema 99"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			db, err := sql.Open("sqlite3", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(tt.script); err != nil {
				t.Fatal(err)
			}
			db.Close()
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
					t.Errorf("the file was changed, %v", err)
				}
			}()
			_, err = Open(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open = %v, want an error naming %q and the file", err, tt.want)
			}
		})
	}
	t.Run("no database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path); err == nil {
			t.Error("Open took a file that is no database")
		}
	})
	t.Run("folder", func(t *testing.T) {
		if _, err := Open(t.Context(), t.TempDir()); err == nil {
			t.Error("Open took a folder")
		}
	})
}

// TestSchemaChanges opens databases as older versions may have left them.
func TestSchemaChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		kept   bool
	}{
		"a column came":                    {`ALTER TABLE leaderboard DROP COLUMN model`, true},
		"a column went":                    {`ALTER TABLE results ADD COLUMN former TEXT`, true},
		"a table came":                     {`DROP TABLE row_origins`, true},
		"a table went":                     {`CREATE TABLE former (run_id); UPDATE derivation SET tables = json_insert(tables, '$[#]', 'former')`, true},
		"a column came that is never null": {`ALTER TABLE leaderboard DROP COLUMN run_id_source`, false},
		"a type changed":                   {`ALTER TABLE leaderboard DROP COLUMN model; ALTER TABLE leaderboard ADD COLUMN model INTEGER`, false},
		"an index went":                    {`CREATE INDEX former_of ON results (run_id, success)`, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			s := open(t, path)
			r := treeRun("r", 2)
			r.Leaderboard.Model = new("m")
			r.Leaderboard.TotalTokens = new(int64(5))
			r.Provenance = &enrich.Provenance{}
			r.Provenance.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{"model": {Kind: enrich.Reported}})
			apply(t, s, Change{Uploads: []NewUpload{upload("kept")}, Runs: []*enrich.Tables{r}})
			if _, err := s.writer.Exec(tt.script + `; UPDATE derivation SET hash = 'older'`); err != nil {
				t.Fatal(err)
			}
			s.Close()

			for _, again := range []string{"", " when opened again"} {
				s = open(t, path)
				v := snapshot(t, s)
				if d := must(v.Derivation(t.Context()))(t); !d.Stale || d.Missing == tt.kept {
					t.Errorf("derivation%s = %+v, want stale, missing: %v", again, d, !tt.kept)
				}
				got, err := v.Tables(t.Context(), "r")
				switch {
				case !tt.kept && !errors.Is(err, ErrNotFound):
					t.Errorf("run%s: %v, want ErrNotFound", again, err)
				case tt.kept && err != nil:
					t.Errorf("run%s: %v", again, err)
				case tt.kept:
					if len(got.Spans) != 5 || *got.Leaderboard.TotalTokens != 5 {
						t.Errorf("run%s has %d spans and %d tokens, want 5 and 5", again, len(got.Spans), *got.Leaderboard.TotalTokens)
					}
					// A place among other columns would make it the origin of another.
					if origins := got.Provenance.Row(enrich.Leaderboard, "run"); name != "a table went" && len(origins) > 0 {
						t.Errorf("origins%s = %v, want none", again, origins)
					}
				}
				if all := must(v.Uploads(t.Context()))(t); len(all) != 1 {
					t.Errorf("uploads%s = %v, want 1", again, all)
				}
				var n int
				if err := s.writer.QueryRow(`SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'former%'`).Scan(&n); err != nil || n != 0 {
					t.Errorf("former tables%s = %d, %v, want none", again, n, err)
				}
				v.Close()
				s.Close()
			}

			s = open(t, path)
			apply(t, s, Change{Remove: []string{"r"}, Runs: []*enrich.Tables{r}})
			if err := s.MarkDerived(t.Context()); err != nil {
				t.Fatal(err)
			}
			v := snapshot(t, s)
			if diff := cmp.Diff(r, must(v.Tables(t.Context(), "r"))(t), cmpopts.EquateEmpty(), byRow); diff != "" {
				t.Errorf("run as derived again differs (-stored +read):\n%s", diff)
			}
			if d := must(v.Derivation(t.Context()))(t); d.Stale || d.Missing {
				t.Errorf("derivation after MarkDerived = %+v", d)
			}
		})
	}
}

func TestFollow(t *testing.T) {
	s := openNew(t)
	follow := func(rules string) Derivation {
		t.Helper()
		if err := s.Follow(t.Context(), rules); err != nil {
			t.Fatal(err)
		}
		var d Derivation
		err := s.Read(t.Context(), func(v *Snapshot) (err error) {
			d, err = v.Derivation(t.Context())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := follow("one"); d != (Derivation{Rules: "one"}) {
		t.Errorf("without uploads: %+v, want nothing stale", d)
	}
	apply(t, s, Change{Uploads: []NewUpload{upload("u")}})
	if d := follow("one"); d.Stale {
		t.Errorf("the same rules: %+v, want nothing stale", d)
	}
	if d := follow("two"); d != (Derivation{Rules: "two", Stale: true}) {
		t.Errorf("other rules: %+v, want it stale and nothing missing", d)
	}
	if d := follow("two"); !d.Stale {
		t.Errorf("other rules, told again: %+v, want it stale still", d)
	}
}

func TestSchemaHash(t *testing.T) {
	tables := derivedTables()
	hash := schemaHash(tables)
	if again := schemaHash(derivedTables()); again != hash {
		t.Errorf("hash of the same tables = %s, want %s", again, hash)
	}
	if schemaHash(tables[1:]) == hash {
		t.Error("hash is the same for other tables")
	}
}

// TestFirstMigration brings a database of the first schema up to date.
func TestFirstMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	script := must(migrations.ReadFile("migrations/0001_uploads.sql"))(t)
	if _, err := db.Exec(string(script) + fmt.Sprintf(`
		PRAGMA user_version = 1; PRAGMA application_id = %d;
		INSERT INTO uploads VALUES ('aa', 'folder', 'drop', 0, 5, '{"name":"f.json","sha256":"aa"}');
		INSERT INTO upload_keys VALUES ('k', 'aa');
		INSERT INTO derivation VALUES (1, 'older', '["leaderboard"]', 0);
		CREATE TABLE leaderboard (run_id TEXT)`, applicationID)); err != nil {
		t.Fatal(err)
	}
	db.Close()
	v := snapshot(t, open(t, path))
	if got := must(v.Upload(t.Context(), "aa"))(t); got.Receipt.Name != "f.json" || got.Received.UnixNano() != 5 {
		t.Errorf("upload = %+v", got)
	}
	if got := must(v.Places(t.Context(), "aa"))(t); !slices.Equal(got, []Place{{"aa", "drop", "folder"}}) {
		t.Errorf("places = %+v", got)
	}
	if d := must(v.Derivation(t.Context()))(t); !d.Stale || !d.Missing {
		t.Errorf("derivation = %+v, want stale and missing", d)
	}
}

func TestEveryIndexLeadsWithTheRun(t *testing.T) {
	v := snapshot(t, openNew(t))
	for _, table := range derivedTables() {
		columns := must(texts(t.Context(), v.tx, `
			SELECT info.name
			FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
			WHERE info.seqno = 0`, table.name))(t)
		for _, name := range columns {
			if name != "run_id" && name != "sha256" {
				t.Errorf("an index of %s begins with %s", table.name, name)
			}
		}
		if len(columns) == 0 {
			t.Errorf("%s has no index", table.name)
		}
	}
}
