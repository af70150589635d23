package parquet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pq "github.com/parquet-go/parquet-go"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/decode/parquet"
)

// TestOtherWriters reads the traces of a real run as arrow-rs and DuckDB wrote
// them, spans as a list of structs whose attributes are the union of all, and
// compares with the JSON they were made of.
func TestOtherWriters(t *testing.T) {
	const data = "../../../../shared/data/"
	open := func(name string) []*enrich.Part {
		body, err := os.ReadFile(data + name)
		if err != nil {
			t.Skipf("%s: the real runs lie beside the project and are not here", name)
		}
		return read(t, map[string][]byte{filepath.Base(name): body})
	}
	want := one(t, open("smoltrace/test_cost_debug/gpt-3.5-turbo_tool_20251027_192408/traces.json"))
	for _, file := range []string{
		"derived-parquet/smoltrace_gpt35_traces.arrowrs.snappy.parquet",
		"derived-parquet/smoltrace_gpt35_traces.duckdb.snappy.parquet",
		"derived-parquet/smoltrace_gpt35_traces.duckdb.zstd.parquet",
	} {
		t.Run(file, func(t *testing.T) {
			got := one(t, open(file))
			if got.Leaderboard.RunID != want.Leaderboard.RunID {
				t.Errorf("run_id = %s, want %s", got.Leaderboard.RunID, want.Leaderboard.RunID)
			}
			for i := range want.Traces {
				for _, c := range enrich.TraceColumns {
					if c.Name == "spans" {
						continue
					}
					a, b := enrich.AppendJSON(nil, c.Ptr(&want.Traces[i])), enrich.AppendJSON(nil, c.Ptr(&got.Traces[i]))
					if !bytes.Equal(a, b) {
						t.Errorf("trace %d: %s = %s, want %s", i, c.Name, b, a)
					}
				}
			}
		})
	}
}

type point struct {
	X *int64  `parquet:"x,optional"`
	S *string `parquet:"s,optional"`
}

type nested struct {
	TraceID string            `parquet:"trace_id"`
	Points  []point           `parquet:"points,list"`
	Bare    []int64           `parquet:"bare"`
	Tags    map[string]string `parquet:"tags"`
	Struct  *point            `parquet:"a.b,optional"`
	Flag    bool              `parquet:"flag"`
	Small   float32           `parquet:"small"`
}

func TestShapes(t *testing.T) {
	one, text := int64(1), "a\"b"
	var file bytes.Buffer
	w := pq.NewGenericWriter[nested](&file)
	if _, err := w.Write([]nested{
		{TraceID: "t1", Points: []point{{X: &one}, {S: &text}, {}}, Bare: []int64{1, 2}, Tags: map[string]string{"k": "v"}, Struct: &point{X: &one}, Flag: true, Small: 0.1},
		{TraceID: "t2"},
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	table, err := parquet.Format.Open(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for row, err := range table.Rows {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(row))
	}
	want := []string{
		`{"trace_id":"t1","points":[{"x":1},{"s":"a\"b"},{}],"bare":[1,2],"tags":{"k":"v"},"a.b":{"x":1},"flag":true,"small":0.1}`,
		`{"trace_id":"t2","points":[],"bare":[],"tags":{},"a.b":null,"flag":false,"small":0}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows differ (-want +got):\n%s", diff)
	}
}

// TestWriteSize: long texts stay out of the statistics, which nothing packs and
// which repeat the least and greatest value of a column.
func TestWriteSize(t *testing.T) {
	text := strings.Repeat("the same words again and again ", 10_000)
	run := &enrich.Tables{Results: []enrich.ResultRow{{TestID: "a", Prompt: &text}, {TestID: "b", Prompt: &text}}}
	first, second := write(t, run, "parquet")["results.parquet"], write(t, run, "parquet")["results.parquet"]
	if !bytes.Equal(first, second) {
		t.Error("the same rows gave other bytes")
	}
	if len(first) > len(text)/4 {
		t.Errorf("%d bytes for two rows that say the same %d bytes of prompt", len(first), len(text))
	}
}

func TestDamaged(t *testing.T) {
	whole := write(t, &enrich.Tables{Results: []enrich.ResultRow{{TestID: "a", RunID: "r"}}}, "parquet")["results.parquet"]
	for name, body := range map[string][]byte{
		"cut":       whole[:len(whole)/2],
		"only head": []byte("PAR1"),
		"no footer": append([]byte("PAR1"), bytes.Repeat([]byte{0xff}, 200)...),
	} {
		part, file := decode.Read("x.parquet", bytes.NewReader(body), parquet.Format)
		if part != nil || file.Error == nil || !strings.Contains(*file.Error, "damaged Parquet file") {
			t.Errorf("%s: part %v, error %s; want a damaged Parquet file", name, part, show(file.Error))
		}
	}
}

// FuzzOpen proves that no bytes make reading panic.
func FuzzOpen(f *testing.F) {
	var b bytes.Buffer
	id := "0123456789abcdef0123456789abcdef"
	run := &enrich.Tables{Traces: []enrich.TraceRow{{TraceID: id, RunID: "r", Spans: enrich.SpansText("[]"), DataQuality: `{"flags":[],"stored":{}}`, FinishReasons: []string{"stop"}}}}
	if err := parquet.Dataset(&b, run, enrich.Traces); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, body []byte) {
		if part, _ := decode.Read("x.parquet", bytes.NewReader(body), parquet.Format); part != nil {
			for _, run := range enrich.Assemble([]*enrich.Part{part}) {
				enrich.Enrich(run, enrich.DefaultOptions())
			}
		}
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	var file bytes.Buffer
	spans := ("[" + strings.Repeat(`{"name":"completion","attributes":{"llm.token_count.total":1489}},`, 400) + `{}]`)
	run := &enrich.Tables{}
	for range 200 {
		run.Traces = append(run.Traces, enrich.TraceRow{RunID: "r", Spans: enrich.SpansText(enrich.JSON(spans))})
	}
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			file.Reset()
			if err := parquet.Dataset(&file, run, enrich.Traces); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(spans) * len(run.Traces)))
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			table, err := parquet.Format.Open(file.Bytes())
			if err != nil {
				b.Fatal(err)
			}
			for _, err := range table.Rows {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.SetBytes(int64(len(spans) * len(run.Traces)))
	})
}
