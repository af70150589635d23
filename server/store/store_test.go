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
			Folder:   "a folder",
			Drop:     id, // alone
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
	full.Provenance = enrich.Provenance{
		enrich.Leaderboard: {"run": {"model": {Kind: enrich.Reported, From: "model"}}},
		enrich.Results:     {"tool:<x>": {"steps": {Kind: enrich.Derived, From: "spans"}}},
	}
	u := upload("bytes")
	full.Sources = []string{u.Receipt.SHA256}
	apply(t, s, Change{Uploads: []NewUpload{u}, Runs: []*enrich.Tables{full, other}})

	v := snapshot(t, s)
	got := must(v.Tables(t.Context(), id))(t)
	if diff := cmp.Diff(full, got, cmp.AllowUnexported(attr.Value{})); diff != "" {
		t.Errorf("run differs (-stored +read):\n%s", diff)
	}
	got = must(v.Tables(t.Context(), "other"))(t)
	if diff := cmp.Diff(other, got, cmpopts.EquateEmpty()); diff != "" {
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
	if trace.Spans != "" || trace.TraceID != full.Traces[1].TraceID {
		t.Errorf("trace = %q with spans %q", trace.TraceID, trace.Spans)
	}
	origins := must(v.Origins(t.Context(), id, enrich.Results, "tool:<x>"))(t)
	if diff := cmp.Diff(full.Provenance[enrich.Results]["tool:<x>"], origins); diff != "" {
		t.Errorf("origins differ (-stored +read):\n%s", diff)
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
	trace.Spans = enrich.JSON(append(text, ']'))
	t.Traces = []enrich.TraceRow{trace}
	return t
}

func TestSpans(t *testing.T) {
	s := openNew(t)
	want := treeRun("r", 300)
	apply(t, s, Change{Runs: []*enrich.Tables{want, treeRun("other", 1)}})
	v := snapshot(t, s)
	ctx := t.Context()
	text := want.Traces[0].Spans
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
		if got := must(v.Upload(t.Context(), receipt.SHA256))(t); got.Receipt.Rows != 7 || got.Folder != a.Folder {
			t.Errorf("upload after Reread = %+v", got)
		}
		for key, want := range map[string]int{"k": 0, "other": 1, "drop:" + a.Drop: 1} {
			if got := must(v.Related(t.Context(), []string{key}, nil))(t); len(got) != want {
				t.Errorf("Related(%s) = %v, want %d", key, got, want)
			}
		}
	})
}

func TestRelated(t *testing.T) {
	s := openNew(t)
	names := map[string]string{}
	var uploads []NewUpload
	add := func(name, drop string, keys ...string) {
		u := upload(name, keys...)
		u.Drop = drop
		names[u.Receipt.SHA256] = name
		uploads = append(uploads, u)
	}
	add("a", "1", "run:1", "trace:1")
	add("b", "2", "trace:1", "trace:2", "it's \"50%\"")
	add("c", "3", "trace:2")
	add("d", "4", "trace:9")
	add("e", "4")
	apply(t, s, Change{Uploads: uploads})
	v := snapshot(t, s)
	for _, tt := range []struct {
		name    string
		keys    []string
		uploads []string
		want    string
	}{
		{"through others", []string{"trace:2"}, nil, "a b c"},
		{"from the far end", []string{"run:1", "unknown"}, nil, "a b c"},
		{"dropped together", []string{"trace:9"}, nil, "d e"},
		{"both groups", []string{"trace:9", "run:1"}, nil, "a b c d e"},
		{"key of any text", []string{"it's \"50%\""}, nil, "a b c"},
		{"unknown", []string{"trace:7"}, nil, ""},
		{"none", nil, nil, ""},
		{"by upload", nil, []string{uploads[4].Receipt.SHA256, "unknown"}, "d e"},
		{"by upload and key", []string{"run:1"}, []string{uploads[4].Receipt.SHA256}, "a b c d e"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, id := range must(v.Related(t.Context(), tt.keys, tt.uploads))(t) {
				got = append(got, names[id])
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("Related(%q) = %q, want %q", tt.keys, got, tt.want)
			}
		})
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
	if diff := cmp.Diff(before, must(v.Tables(t.Context(), "kept"))(t)); diff != "" {
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
	r.Provenance = enrich.Provenance{enrich.Leaderboard: {"run": {"model": {Kind: enrich.Reported}}}}
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
		stale, err := v.Stale(t.Context())
		if stale {
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

func TestDerivedTablesAreMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, path)
	apply(t, s, Change{Uploads: []NewUpload{upload("kept")}, Runs: []*enrich.Tables{run("a")}})
	// As if it had been made by an older version, with a table that is no more.
	if _, err := s.writer.Exec(`
		ALTER TABLE leaderboard DROP COLUMN model;
		CREATE TABLE former (run_id);
		UPDATE derivation SET hash = 'older', tables = json_insert(tables, '$[#]', 'former')`); err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = open(t, path)
	err := s.Read(t.Context(), func(v *Snapshot) error {
		if stale := must(v.Stale(t.Context()))(t); !stale {
			t.Error("the store is not stale")
		}
		if _, total, err := v.Runs(t.Context(), RunQuery{Sort: "model"}); err != nil || total != 0 {
			t.Errorf("runs = %d, %v, want none", total, err)
		}
		all, err := v.Uploads(t.Context())
		if len(all) != 1 {
			t.Errorf("uploads = %v, want 1", all)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	var n int
	if err := s.writer.QueryRow(`SELECT COUNT(*) FROM sqlite_schema WHERE name = 'former'`).Scan(&n); err != nil || n != 0 {
		t.Errorf("former tables = %d, %v, want none", n, err)
	}
	if err := s.MarkDerived(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if stale := must(snapshot(t, open(t, path)).Stale(t.Context()))(t); stale {
		t.Error("the store is stale after MarkDerived")
	}
}

func TestDerivationHash(t *testing.T) {
	tables := derivedTables()
	hash := derivationHash(tables, 1)
	if again := derivationHash(derivedTables(), 1); again != hash {
		t.Errorf("hash of the same tables = %s, want %s", again, hash)
	}
	if derivationHash(tables, 2) == hash {
		t.Error("hash is the same for another revision")
	}
	if derivationHash(tables[1:], 1) == hash {
		t.Error("hash is the same for other tables")
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
