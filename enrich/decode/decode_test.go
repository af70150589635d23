package decode

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

var update = flag.Bool("update", false, "write what is decoded into testdata as what is wanted")

// cases returns the archives under testdata: a line saying what the case
// shows, input files, and a file "want" that describes what is read in them.
func cases(t testing.TB) map[string]*txtar.Archive {
	t.Helper()
	list := make(map[string]*txtar.Archive)
	err := filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".txtar" {
			return err
		}
		list[path], err = txtar.ParseFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no cases under testdata")
	}
	return list
}

func TestRead(t *testing.T) {
	for path, a := range cases(t) {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			var want []byte
			inputs := a.Files[:0:0]
			for _, f := range a.Files {
				if f.Name == "want" {
					want = f.Data
					continue
				}
				inputs = append(inputs, f)
				part, file := Read(f.Name, bytes.NewReader(f.Data))
				describe(&got, part, file)
			}
			if *update {
				a.Files = append(inputs, txtar.File{Name: "want", Data: []byte(got.String())})
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got; go test ./enrich/decode -update writes what it got):\n%s", diff)
			}
		})
	}
}

// describe writes a part and a receipt for people to read.
func describe(w *strings.Builder, part *enrich.Part, f enrich.File) {
	fmt.Fprintf(w, "%s: format %q, dataset %q, %d rows, %d spans\n", f.Name, f.Format, f.Dataset, f.Rows, f.Spans)
	for _, r := range f.Repairs {
		fmt.Fprintf(w, "repair: %s\n", r)
	}
	for _, x := range f.Warnings {
		fmt.Fprintf(w, "warning: %s: %s\n", x.Where, x.Message)
	}
	if f.Error != nil {
		fmt.Fprintf(w, "error: %s\n", *f.Error)
	}
	if part == nil {
		fmt.Fprintf(w, "no part\n")
		return
	}
	for _, flag := range part.Flags {
		fmt.Fprintf(w, "flag: %s\n", flag)
	}
	records := func(kind string, list []enrich.Record) {
		for _, r := range list {
			fmt.Fprintf(w, "%s, %s: %s\n", kind, r.Where, r.AppendJSON(nil))
		}
	}
	records("result", part.Results)
	records("leaderboard", part.Leaderboard)
	records("metadata", part.Metadata)
	for _, t := range part.Traces {
		fmt.Fprintf(w, "trace %s: %s\n", t.ID, t.Row.AppendJSON(nil))
		for _, s := range t.Spans {
			fmt.Fprintf(w, "  span %s", s.AppendJSON(nil))
			if len(s.Row) > 0 {
				fmt.Fprintf(w, " beside %s", s.Row.AppendJSON(nil))
			}
			fmt.Fprintln(w)
		}
	}
	for _, m := range part.Metrics {
		fmt.Fprintf(w, "metrics of run %q\n", m.RunID)
		for _, s := range m.Samples {
			fmt.Fprintf(w, "  sample %s\n", sampleText(s))
		}
		for _, s := range m.Aggregates {
			fmt.Fprintf(w, "  aggregate %s\n", sampleText(s))
		}
	}
	for i := range part.Exported.Metrics {
		fmt.Fprintf(w, "exported metric: %s\n", enrich.AppendRow(nil, enrich.MetricColumns, &part.Exported.Metrics[i]))
	}
}

func sampleText(s enrich.Sample) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", s.Metric, s.Instrument)
	field := func(name string, v any) {
		if text, _ := json.Marshal(v); string(text) != "null" && string(text) != `""` && string(text) != "0" {
			fmt.Fprintf(&b, " %s=%s", name, text)
		}
	}
	field("unit", s.Unit)
	field("start", int64(s.Start))
	field("time", int64(s.Time))
	if s.Value != nil {
		fmt.Fprintf(&b, " value=%v", *s.Value)
	}
	if s.Count != nil {
		fmt.Fprintf(&b, " count=%d", *s.Count)
	}
	if s.Sum != nil {
		fmt.Fprintf(&b, " sum=%v", *s.Sum)
	}
	field("min", s.Min)
	field("max", s.Max)
	field("buckets", s.Buckets)
	field("bounds", s.Bounds)
	field("temporality", s.Temporality)
	field("monotonic", s.Monotonic)
	field("scope", s.Scope)
	fmt.Fprintf(&b, " %s", s.Attrs.AppendJSON(nil))
	if s.Resource != nil {
		fmt.Fprintf(&b, " of %s", s.Resource.Attrs.AppendJSON(nil))
	}
	return b.String()
}

// TestReadForeignBytes names files that are not JSON by their first bytes.
func TestReadForeignBytes(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"PAR1\x15\x04", "looks like Parquet, which this build does not read"},
		{"PK\x03\x04\x14\x00", "looks like a zip archive, which this build does not read"},
		{"PK\x05\x06\x00\x00", "looks like an empty zip archive"},
		{"ARROW1\x00\x00", "looks like an Arrow file"},
		{"\xff\xff\xff\xff\x10", "looks like an Arrow stream"},
		{"traces.json" + strings.Repeat("\x00", 246) + "ustar", "looks like a tar archive"},
		{"SQLite format 3\x00", "looks like an SQLite database"},
		{"\xff\xfe[\x00]\x00", "looks like UTF-16 text (save it as UTF-8)"},
		{"\x0a\x04\x0a\x02\x08\x01", "OTLP without spans or metrics"},
		{"\x00\x01\x02", "unknown file format: binary data"},
	} {
		part, file := Read("x", strings.NewReader(tt.text))
		if part != nil || file.Error == nil || !strings.HasPrefix(*file.Error, tt.want) || !strings.Contains(*file.Error, "smoltrace-results") {
			t.Errorf("%q: part %v, error %s, want %s and the known formats", tt.text, part, errorText(file.Error), tt.want)
		}
	}
}

func TestReadCutLine(t *testing.T) {
	part, file := Read("x.jsonl", strings.NewReader(`{"trace_id": "0x1", "spans": []}`+"\n"+`{"trace_id": "0x2", "spa`))
	if part == nil || len(part.Traces) != 1 || !slices.Equal(part.Flags, []string{"truncated_file"}) {
		t.Fatalf("part %+v, want one trace and the flag truncated_file", part)
	}
	want := []enrich.Warning{{Where: "line 2", Message: "expected the end of the string, found the end of the file; line skipped"}}
	if diff := cmp.Diff(want, file.Warnings); diff != "" || file.Error != nil {
		t.Errorf("error %s, warnings (-want +got):\n%s", errorText(file.Error), diff)
	}
}

// TestReadPacked reads compressed files, whole and damaged.
func TestReadPacked(t *testing.T) {
	plain := []byte("\xef\xbb\xbf" + `[{"trace_id": "0x1", "spans": [{"span_id": "0x2", "name": "a"}]}, {"trace_id": "0x2", "spans": []}]`)
	zipped, zstd := gzipped(plain), zstandard(plain)
	for _, tt := range []struct {
		name   string
		file   []byte
		traces int
		want   string
	}{
		{"gzip", zipped, 2, ""},
		{"zstd", zstd, 2, ""},
		{"zstd, two frames", append(zstandard(plain[:20]), zstandard(plain[20:])...), 2, ""},
		{"gzip, cut", zipped[:len(zipped)-12], -1, "line 1: breaks off"},
		{"zstd, cut", zstd[:len(zstd)-12], 0, "damaged zstd data"},
		{"gzip, wrong checksum", append(zipped[:len(zipped)-8:len(zipped)-8], "12345678"...), 2, "gzip: invalid checksum; 2 whole rows were kept"},
		{"zstd, wrong checksum", append(zstd[:len(zstd)-4:len(zstd)-4], "1234"...), 0, "damaged zstd data: "},
		{"gzip, nothing but the magic", []byte("\x1f\x8b"), 0, "damaged gzip data"},
		{"zstd, nothing but the magic", []byte(zstdMagic), 0, "damaged zstd data"},
		{"CSV, cut", gzipped([]byte("task_id,success\na,true\nb,true\n"))[:40], -1, "damaged gzip data: unexpected EOF; 2 whole rows were kept"},
		{"gzip in gzip", gzipped(zipped), 0, "gzip within gzip"},
		{"zstd in gzip", gzipped(zstd), 0, "zstd within gzip"},
		{"gzip in zstd", zstandard(zipped), 0, "gzip within zstd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			part, file := Read("x.gz", bytes.NewReader(tt.file))
			if tt.want == "" != (file.Error == nil) || tt.want != "" && !strings.Contains(*file.Error, tt.want) {
				t.Errorf("error %s, want %s", errorText(file.Error), tt.want)
			}
			if tt.traces > 0 && (part == nil || len(part.Traces) != tt.traces) || tt.traces == 0 && part != nil {
				t.Errorf("part %v, want %d traces", part, tt.traces)
			}
			if sum := sha256.Sum256(tt.file); file.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("SHA-256 %s, want that of the bytes as they came, %x", file.SHA256, sum)
			}
		})
	}
}

// TestReadSums sums the whole file up, also where reading stopped early.
func TestReadSums(t *testing.T) {
	for _, text := range []string{"", "PAR1" + strings.Repeat("x", 1<<20), `[{"a": ` + strings.Repeat(" ", 1<<20), `{"resourceSpans": []}` + strings.Repeat("\n", 1<<20)} {
		sum := sha256.Sum256([]byte(text))
		if _, file := Read("x", strings.NewReader(text)); file.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%.10q…: SHA-256 %s, want %x", text, file.SHA256, sum)
		}
	}
}

func TestReadBrokenReader(t *testing.T) {
	broken := iotest.ErrReader(errors.New("cable pulled"))
	part, file := Read("x.json", io.MultiReader(strings.NewReader(`[{"trace_id": "0x1", "spans": []},`), broken))
	if part != nil || file.Error == nil || *file.Error != "reading: cable pulled" {
		t.Errorf("part %v, error %s, want no part and the reader's error", part, errorText(file.Error))
	}
}

// TestReadManyWarnings lists some and counts the rest.
func TestReadManyWarnings(t *testing.T) {
	_, file := Read("x.jsonl", strings.NewReader(`{"task_id": "t", "success": true}`+strings.Repeat("\nx", 250)))
	last := enrich.Warning{Where: "further on", Message: "and 150 more warnings"}
	if n := len(file.Warnings); n != maxWarnings+1 || file.Warnings[n-1] != last {
		t.Errorf("%d warnings, the last %v, want %d and %v", n, file.Warnings[n-1], maxWarnings+1, last)
	}
}

// TestReadLongRow peeks at a row longer than it looks at.
func TestReadLongRow(t *testing.T) {
	long := strings.Repeat("x", 3*maxPeek) // more than the window may grow to meanwhile
	for _, tt := range []struct{ name, text, format string }{
		{"spans first", `[{"spans": [{"span_id": "0x1", "name": "` + long + `"}], "trace_id": "0x2"}]`, "smoltrace-traces"},
		{"text first", `{"response": "` + long + `", "task_id": "t", "success": true}`, ""},
		{"text last", `{"task_id": "t", "success": true, "response": "` + long + `"}` + "\n" + `{"task_id": "u", "success": true}`, "smoltrace-results"},
		{"many keys", `[{"trace_id": "0x2", "x": [` + strings.Repeat(`"yyyyyyyy",`, 3*maxPeek/10) + `1], "spans": []}]`, ""},
	} {
		if _, file := Read("x", strings.NewReader(tt.text)); file.Format != tt.format || (file.Error == nil) != (tt.format != "") {
			t.Errorf("%s: format %q, error %.80s, want %q", tt.name, file.Format, errorText(file.Error), tt.format)
		}
	}
}

// TestRealRuns reads two runs that SMOLTRACE's author recorded.
func TestRealRuns(t *testing.T) {
	for _, tt := range []struct {
		dir           string
		traces, spans int
		padded        string
	}{
		{"test_results/mistral_mistral-small-latest_tool_20251022_205434", 5, 43, "3 ids padded with zeros"},
		{"test_cost_debug/gpt-3.5-turbo_tool_20251027_192408", 8, 24, "1 id padded with zeros"},
	} {
		t.Run(filepath.Base(tt.dir), func(t *testing.T) {
			dir := filepath.Join("../../../shared/data/smoltrace", tt.dir)
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the real runs lie beside the project and are not here")
			}
			rows := map[string]int{"results": tt.traces, "traces": tt.traces, "metrics": 6, "leaderboard_row": 1, "metadata": 1}
			for name, want := range rows {
				f, err := os.Open(filepath.Join(dir, name+".json"))
				if err != nil {
					t.Fatal(err)
				}
				part, file := Read(name+".json", f)
				f.Close()
				if file.Error != nil || len(file.Warnings) > 0 || part == nil {
					t.Fatalf("%s: error %s, warnings %v", name, errorText(file.Error), file.Warnings)
				}
				if file.Rows != want {
					t.Errorf("%s: %d rows, want %d", name, file.Rows, want)
				}
				if name == "traces" && (file.Spans != tt.spans || !slices.Equal(file.Repairs, []string{tt.padded})) {
					t.Errorf("%d spans, repairs %q, want %d and %q", file.Spans, file.Repairs, tt.spans, tt.padded)
				}
				again(t, part)
			}
		})
	}
}

// again reads every span of a part again from what it is written as.
func again(t *testing.T, part *enrich.Part) {
	t.Helper()
	for _, tr := range part.Traces {
		for _, want := range tr.Spans {
			text := want.AppendJSON(nil)
			got, err := Span(text)
			want.Row = nil // not part of what a span is written as
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(attr.Value{}), cmpopts.IgnoreUnexported(enrich.Span{})); err != nil || diff != "" {
				t.Fatalf("Span(%s): %v (-want +got):\n%s", text, err, diff)
			}
		}
	}
}

func errorText(s *string) string {
	if s == nil {
		return "none"
	}
	return strconv.Quote(*s)
}
