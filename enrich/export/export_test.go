package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/export"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares what was written with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test ./enrich/export -update accepts it):\n%s", path, diff)
	}
}

// fill gives a column's field a value that tells it from its neighbours and is
// awkward for its type: quotes, line ends and other scripts in text, numbers
// that a float64 cannot hold or that need no decimal point.
func fill(ptr any, i int) {
	text := fmt.Sprintf("text %d, \"quoted\"\n<b>é\x1b</b>", i)
	number := int64(1<<53 + 1 + i)
	switch p := ptr.(type) {
	case *string:
		*p = text
	case **string:
		*p = &text
	case *bool:
		*p = true
	case **bool:
		*p = new(bool)
	case *int64:
		*p = number
	case **int64:
		*p = &number
	case **float64:
		f := float64(i) / 4
		*p = &f
	case *enrich.Time:
		*p = enrich.Time(1761146674100000000 + i)
	case *enrich.UnixNano:
		*p = enrich.UnixNano(1761146674100000000 + i)
	case *[]string:
		*p = []string{text, ""}
	case *[]int64:
		*p = []int64{0, number}
	case *[]float64:
		*p = []float64{0.1, 40, 1e21}
	case *enrich.SpanList:
		*p = enrich.SpansText(`[]`)
	case *enrich.JSON:
		*p = `{"a":[1,null],"b":"x"}`
	default:
		panic(fmt.Sprintf("column of type %T", ptr))
	}
}

func full[R any](columns []enrich.Column[R]) R {
	var row R
	for i, c := range columns {
		fill(c.Ptr(&row), i)
	}
	return row
}

func fullRun() *enrich.Tables {
	return &enrich.Tables{
		Leaderboard: full(enrich.LeaderboardColumns),
		Results:     []enrich.ResultRow{full(enrich.ResultColumns), {}},
		Traces:      []enrich.TraceRow{full(enrich.TraceColumns), {}},
		Metrics:     []enrich.MetricRow{full(enrich.MetricColumns), {}},
		Quality: enrich.Quality{
			Flags:  map[string][]string{"success_repaired": {"test:tool:a", "test:tool:b"}, "duration_inflated": {"run"}},
			Stored: map[string]map[string]attr.Value{"run": {"total_tokens": attr.IntValue(29113), "avg_steps": attr.FloatValue(2.5)}},
		},
		Provenance: fullProvenance(),
	}
}

func fullProvenance() *enrich.Provenance {
	p := &enrich.Provenance{}
	p.Put("results", "tool:b", map[string]enrich.Origin{"success": {Kind: enrich.Repaired, From: "spec §3.4"}})
	p.Put("results", "tool:a", nil)
	p.Put("leaderboard", "run", map[string]enrich.Origin{
		"total_tokens": {Kind: enrich.Derived, From: `9 "leaves"`},
		"model":        {Kind: enrich.Reported, From: "leaderboard row"},
	})
	return p
}

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

func TestFolder(t *testing.T) {
	for name, run := range map[string]*enrich.Tables{"full": fullRun(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			archive := &txtar.Archive{Comment: []byte("A run as Folder writes it, in every format.\n")}
			for _, format := range export.Formats {
				var files []string
				contents := map[string]*buffer{}
				err := export.Folder(run, format, func(name string) (io.WriteCloser, error) {
					files = append(files, name)
					contents[name] = &buffer{}
					return contents[name], nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range files {
					archive.Files = append(archive.Files, txtar.File{Name: name, Data: contents[name].Bytes()})
				}
			}
			golden(t, name+".txtar", txtar.Format(archive))
		})
	}
}

func TestFolderError(t *testing.T) {
	full := errors.New("disk full")
	err := export.Folder(fullRun(), "csv", func(string) (io.WriteCloser, error) { return nil, full })
	if !errors.Is(err, full) {
		t.Errorf("Folder = %v, want the error of create", err)
	}
	err = export.Folder(fullRun(), "xml", func(string) (io.WriteCloser, error) { return &buffer{}, nil })
	if err == nil || !strings.Contains(err.Error(), `format "xml", want json, jsonl, csv`) {
		t.Errorf("Folder to xml = %v, want an error that names the formats", err)
	}
}

func TestDocument(t *testing.T) {
	reason := "empty file; want JSON"
	files := []enrich.File{
		{Name: "b.json", Format: "smoltrace-traces", Dataset: "traces", SHA256: "bb", Rows: 5, Spans: 43,
			Repairs: []string{"trace ids padded"}, Warnings: []enrich.Warning{{Where: "line 7", Message: `want an object, got "x"`}}},
		{Name: "z.json", SHA256: "aa", Error: &reason},
		{Name: "a.json", SHA256: "aa", Error: &reason},
	}
	other := &enrich.Tables{Leaderboard: enrich.LeaderboardRow{RunID: "r0"}}

	var out bytes.Buffer
	if err := export.Document(&out, "v1.2.3", []*enrich.Tables{fullRun(), other}, files); err != nil {
		t.Fatal(err)
	}
	golden(t, "document.json", out.Bytes())
	if !json.Valid(out.Bytes()) {
		t.Error("the document is no JSON")
	}

	t.Run("order changes nothing", func(t *testing.T) {
		var again bytes.Buffer
		slices.Reverse(files)
		if err := export.Document(&again, "v1.2.3", []*enrich.Tables{other, fullRun()}, files); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(out.String(), again.String()); diff != "" {
			t.Errorf("the same runs in another order differ:\n%s", diff)
		}
	})

	t.Run("nothing", func(t *testing.T) {
		var out bytes.Buffer
		if err := export.Document(&out, "dev", nil, nil); err != nil {
			t.Fatal(err)
		}
		want := "{\"smolscope\":\"dev\",\"runs\":[],\n\"files\":[]}\n"
		if out.String() != want {
			t.Errorf("Document of nothing = %q, want %q", out.String(), want)
		}
	})
}

// TestValues shows the text of single values in JSON and in CSV.
func TestValues(t *testing.T) {
	type row struct {
		Text   *string
		Number *float64
		Count  *int64
		At     enrich.Time
		Nanos  enrich.UnixNano
		List   []string
		Object enrich.JSON
	}
	columns := []enrich.Column[row]{
		{Name: "text", Ptr: func(r *row) any { return &r.Text }},
		{Name: "gen_ai.usage.cost.total", Ptr: func(r *row) any { return &r.Number }},
		{Name: "count", Ptr: func(r *row) any { return &r.Count }},
		{Name: "at", Ptr: func(r *row) any { return &r.At }},
		{Name: "at_unix_nano", Ptr: func(r *row) any { return &r.Nanos }},
		{Name: "list", Ptr: func(r *row) any { return &r.List }},
		{Name: "object", Ptr: func(r *row) any { return &r.Object }},
	}
	tenth := 0.1
	for _, tt := range []struct {
		name      string
		row       row
		json, csv string // without the line of names
	}{
		{"absent is null", row{},
			`{"text":null,"gen_ai.usage.cost.total":null,"count":null,"at":null,"at_unix_nano":null,"list":null,"object":null}`, `,,,,,,`},
		{"zero is not absent", row{Text: new(""), Number: new(0.0), Count: new(int64(0)), List: []string{}},
			`{"text":"","gen_ai.usage.cost.total":0,"count":0,"at":null,"at_unix_nano":null,"list":[],"object":null}`, `,0,0,,,[],`},
		{"whole numbers have no point", row{Number: new(40.0)},
			`{"text":null,"gen_ai.usage.cost.total":40,"count":null,"at":null,"at_unix_nano":null,"list":null,"object":null}`, `,40,,,,,`},
		{"shortest text", row{Number: new(tenth + 0.2), Count: new(int64(math.MaxInt64))},
			`{"text":null,"gen_ai.usage.cost.total":0.30000000000000004,"count":9223372036854775807,"at":null,"at_unix_nano":null,"list":null,"object":null}`,
			`,0.30000000000000004,9223372036854775807,,,,`},
		{"never NaN", row{Number: new(math.NaN())},
			`{"text":null,"gen_ai.usage.cost.total":null,"count":null,"at":null,"at_unix_nano":null,"list":null,"object":null}`, `,,,,,,`},
		{"never infinite", row{Number: new(math.Inf(-1))},
			`{"text":null,"gen_ai.usage.cost.total":null,"count":null,"at":null,"at_unix_nano":null,"list":null,"object":null}`, `,,,,,,`},
		{"times are UTC to the nanosecond", row{At: 1761146674123456789, Nanos: 1761146674123456789},
			`{"text":null,"gen_ai.usage.cost.total":null,"count":null,"at":"2025-10-22T15:24:34.123456789Z","at_unix_nano":"1761146674123456789","list":null,"object":null}`,
			`,,,2025-10-22T15:24:34.123456789Z,1761146674123456789,,`},
		{"text is exact", row{Text: new("=1+1,\"a\"\r\nb\t<i>")},
			`{"text":"=1+1,\"a\"\r\nb\t<i>","gen_ai.usage.cost.total":null,"count":null,"at":null,"at_unix_nano":null,"list":null,"object":null}`,
			"\"=1+1,\"\"a\"\"\r\nb\t<i>\",,,,,,"},
		{"bytes that are no text", row{Text: new("a\xffb")},
			"{\"text\":\"a\ufffdb\",\"gen_ai.usage.cost.total\":null,\"count\":null,\"at\":null,\"at_unix_nano\":null,\"list\":null,\"object\":null}",
			"a\ufffdb,,,,,,"},
		{"lists and objects are JSON in CSV", row{List: []string{"a", `b"`}, Object: `{"k":1}`},
			`{"text":null,"gen_ai.usage.cost.total":null,"count":null,"at":null,"at_unix_nano":null,"list":["a","b\""],"object":{"k":1}}`,
			`,,,,,"[""a"",""b\""""]","{""k"":1}"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows := []row{tt.row}
			var out bytes.Buffer
			if err := export.JSONL(&out, columns, export.Rows(rows)); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != tt.json+"\n" {
				t.Errorf("JSONL = %s\nwant    %s", got, tt.json)
			}
			out.Reset()
			if err := export.JSON(&out, columns, export.Rows(rows)); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != "[\n"+tt.json+"]\n" {
				t.Errorf("JSON = %s\nwant   [%s]", got, tt.json)
			}
			out.Reset()
			if err := export.CSV(&out, columns, export.Rows(rows)); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(out.String(), "\n")
			if got != tt.csv+"\n" {
				t.Errorf("CSV = %q\nwant  %q", got, tt.csv)
			}
		})
	}
}

// TestReadBack parses what was written with the standard library's readers.
func TestReadBack(t *testing.T) {
	rows := fullRun().Results
	var lines, table bytes.Buffer
	if err := export.JSONL(&lines, enrich.ResultColumns, export.Rows(rows)); err != nil {
		t.Fatal(err)
	}
	if err := export.CSV(&table, enrich.ResultColumns, export.Rows(rows)); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&table).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(enrich.Names(enrich.ResultColumns), records[0]); diff != "" {
		t.Errorf("CSV's first line (-want +got):\n%s", diff)
	}
	dec := json.NewDecoder(&lines)
	for i, row := range rows {
		var got map[string]json.RawMessage
		if err := dec.Decode(&got); err != nil {
			t.Fatal(err)
		}
		for j, c := range enrich.ResultColumns {
			want := string(enrich.AppendJSON(nil, c.Ptr(&row)))
			if string(got[c.Name]) != want {
				t.Errorf("row %d, %s = %s in JSONL, want %s", i, c.Name, got[c.Name], want)
			}
			var text string
			if json.Unmarshal([]byte(want), &text) != nil {
				text = want
			}
			text = strings.ReplaceAll(text, "\r\n", "\n") // encoding/csv reads it so
			if records[i+1][j] != text {
				t.Errorf("row %d, %s = %q in CSV, want %q", i, c.Name, records[i+1][j], text)
			}
		}
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("after the last row: %v, want end of file", err)
	}
}

// TestRowError ends at the first error of the rows or of the writer.
func TestRowError(t *testing.T) {
	broken := errors.New("rows broke off")
	var rows iter.Seq2[*enrich.ResultRow, error] = func(yield func(*enrich.ResultRow, error) bool) {
		for yield(&enrich.ResultRow{}, nil) {
			if !yield(nil, broken) {
				return
			}
			t.Error("asked for a row after the error")
		}
	}
	for _, format := range export.Formats {
		t.Run(format, func(t *testing.T) {
			if err := export.Write(io.Discard, format, enrich.ResultColumns, rows); !errors.Is(err, broken) {
				t.Errorf("Write = %v, want the error of the rows", err)
			}
			many := export.Rows(make([]enrich.ResultRow, 1000))
			if err := export.Write(failing{}, format, enrich.ResultColumns, many); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("Write = %v, want the error of the writer", err)
			}
		})
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestFolderName(t *testing.T) {
	for id, want := range map[string]string{
		"9bb7bf0a-6b14-42d7-bada-b4ae3b244648": "9bb7bf0a-6b14-42d7-bada-b4ae3b244648",
		"Run_1.2":                              "Run_1.2",
		".":                                    "%2E",
		"..":                                   "%2E%2E",
		"...":                                  "...",
		"../../etc/passwd":                     "..%2F..%2Fetc%2Fpasswd",
		`a\b:c*?"<>|`:                          "a%5Cb%3Ac%2A%3F%22%3C%3E%7C",
		"100%":                                 "100%25",
		"é\x00 ":                               "%C3%A9%00%20",
	} {
		if got := export.FolderName(id); got != want {
			t.Errorf("FolderName(%q) = %q, want %q", id, got, want)
		}
	}
}
