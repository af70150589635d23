package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// fixed is a number of 8 bytes, where an int is one of as many as it needs.
type fixed uint64

// pb writes one field of a message.
func pb(number protowire.Number, value any) []byte {
	tag := func(t protowire.Type) []byte { return protowire.AppendTag(nil, number, t) }
	switch v := value.(type) {
	case int:
		return protowire.AppendVarint(tag(protowire.VarintType), uint64(v))
	case fixed:
		return protowire.AppendFixed64(tag(protowire.Fixed64Type), uint64(v))
	case float64:
		return protowire.AppendFixed64(tag(protowire.Fixed64Type), math.Float64bits(v))
	case string:
		return protowire.AppendString(tag(protowire.BytesType), v)
	case []byte:
		return protowire.AppendBytes(tag(protowire.BytesType), v)
	}
	panic(fmt.Sprintf("%T", value))
}

func join(fields ...[]byte) []byte { return bytes.Join(fields, nil) }

// pbAttribute writes a KeyValue of which the value is one field of AnyValue.
func pbAttribute(key string, value []byte) []byte { return join(pb(1, key), pb(2, value)) }

// pbSpan writes a span as OTLP has it.
func pbSpan(s *enrich.Span) []byte {
	attributes := func(number protowire.Number, set attr.Set) (b []byte) {
		for _, a := range set {
			b = append(b, pb(number, pbAttribute(a.Key, pbValue(a.Value)))...)
		}
		return b
	}
	b := join(pb(1, s.TraceID[:]), pb(2, s.ID[:]), pb(4, s.ParentID[:]), pb(5, s.Name), pb(6, int(s.Kind)),
		pb(7, fixed(s.Start)), pb(8, fixed(s.End)), attributes(9, s.Attrs))
	for _, e := range s.Events {
		b = append(b, pb(11, join(pb(1, fixed(e.Time)), pb(2, e.Name), attributes(3, e.Attrs)))...)
	}
	for _, l := range s.Links {
		b = append(b, pb(13, join(pb(1, l.TraceID[:]), pb(2, l.SpanID[:]), attributes(4, l.Attrs)))...)
	}
	return append(b, pb(15, join(pb(2, s.StatusMessage), pb(3, int(s.Status))))...)
}

// pbValue writes an AnyValue of a simple value.
func pbValue(v attr.Value) []byte {
	switch v.Kind() {
	case attr.Bool:
		b, _ := v.Bool()
		return pb(2, map[bool]int{true: 1}[b])
	case attr.Int:
		var n int
		fmt.Sscan(v.Text(), &n)
		return pb(3, n)
	case attr.Float:
		f, _ := v.Float()
		return pb(4, f)
	case attr.String:
		return pb(1, v.Text())
	}
	return nil
}

// pbRequest writes a request of one resource and scope.
func pbRequest(leaves ...[]byte) []byte {
	scope := pb(1, join(pb(1, "n"), pb(2, "1")))
	for _, l := range leaves {
		scope = append(scope, pb(2, l)...)
	}
	resource := pb(1, pb(1, pbAttribute("service.name", pb(1, "s"))))
	return pb(1, join(resource, pb(2, scope)))
}

var sameSpans = cmp.Options{cmp.AllowUnexported(attr.Value{}), cmpopts.IgnoreUnexported(enrich.Span{}), cmpopts.EquateEmpty()}

// TestProtobufSpan reads a span with everything a span can have.
func TestProtobufSpan(t *testing.T) {
	want := full()
	// Of JSON only what AnyValue can say: 1.50 has no second zero there.
	list := func(items ...[]byte) []byte { return pb(5, join(items...)) }
	object := func(members ...[]byte) []byte { return pb(6, join(members...)) }
	nested := object(
		pb(1, pbAttribute("b", object())),
		pb(1, pbAttribute("a", list(pb(1, pb(4, 1.5)), pb(1, nothing()), pb(1, pb(4, math.NaN())), pb(1, pb(7, "\xff")), pb(1, pb(2, 1)), pb(1, pb(3, -1)), pb(1, pb(1, "x"))))),
	)
	raw := full()
	raw.Attrs = slices.DeleteFunc(raw.Attrs, func(a attr.KeyValue) bool { return a.Key == "json" })
	want.Attrs = raw.Attrs.Merge(attr.Set{
		{Key: "json", Value: attr.JSONValue(`{"a":[1.5,null,null,"/w==",true,-1,"x"],"b":{}}`)},
		{Key: "none", Value: attr.Value{}},
		{Key: "bytes", Value: attr.StringValue("/w==")},
	})
	span := join(pbSpan(&raw),
		pb(9, pbAttribute("json", nested)), pb(9, pb(1, "none")), pb(9, pbAttribute("bytes", pb(7, "\xff"))),
		pb(3, "state"), pb(16, 1), pb(99, "unknown"), protowire.AppendFixed32(protowire.AppendTag(nil, 98, protowire.Fixed32Type), 1))
	part, file := Read("x", bytes.NewReader(pbRequest(span)))
	if file.Error != nil || len(file.Warnings) > 0 || file.Rows != 1 || file.Spans != 1 {
		t.Fatalf("receipt %+v", file)
	}
	if diff := cmp.Diff(want, part.Traces[0].Spans[0], sameSpans); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := []string{"1 NaN or Infinity value read as null"}; !slices.Equal(file.Repairs, want) {
		t.Errorf("repairs %q, want %q", file.Repairs, want)
	}
}

// nothing is an AnyValue without a member.
func nothing() []byte { return []byte{} }

// TestProtobuf reads requests that are odd in one way each.
func TestProtobuf(t *testing.T) {
	id, span := "\x01234567890abcdef", "\x012345678"
	leaf := func(fields ...[]byte) []byte {
		return join(append([][]byte{pb(1, id), pb(2, span), pb(7, fixed(5)), pb(8, fixed(7))}, fields...)...)
	}
	resource := pb(1, pb(1, pbAttribute("run.id", pb(1, "r"))))
	point := func(fields ...[]byte) []byte {
		return pb(1, join(append([][]byte{pb(2, fixed(5)), pb(3, fixed(7))}, fields...)...))
	}
	k := func(number protowire.Number) []byte { return pb(number, pbAttribute("k", pb(1, "v"))) }
	const traceID = "01323334353637383930616263646566"
	const spanText = `{"trace_id":"` + traceID + `","span_id":"0132333435363738","parent_span_id":null,"name":"","start_time":5,"end_time":7,"duration_ms":0.000002,"attributes":{},"events":[],"status":{"code":"UNSET","description":null},"kind":"UNSPECIFIED","resource":`
	for _, tt := range []struct {
		name  string
		input []byte
		want  string
	}{
		{"resource and scope after the spans",
			pb(1, join(pb(2, join(pb(2, leaf()), pb(1, pb(1, "n")))), resource)),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				"trace " + traceID + ": {}\n  span " + spanText + `{"attributes":{"run.id":"r"}},"scope":{"name":"n","version":null}}` + "\n"},
		{"no resource and no scope",
			pb(1, pb(2, pb(2, leaf()))),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				"trace " + traceID + ": {}\n  span " + spanText + "null}\n"},
		{"gauge, of a name of 16 bytes and a description of 8, and a point without a value",
			pb(1, join(resource, pb(2, pb(2, join(pb(1, "gen_ai.gpu.power"), pb(2, "in watts"), pb(3, "W"),
				pb(5, join(point(pb(4, 1.5), k(7)), point(pb(6, fixed(3))), point(pb(8, 1))))))))),
			"format \"otlp-protobuf\", dataset \"metrics\", 2 rows, 0 spans\nmetrics of run \"r\"\n" +
				"  sample gen_ai.gpu.power gauge unit=\"W\" start=5 time=7 value=1.5 {\"k\":\"v\"} of {\"run.id\":\"r\"}\n" +
				"  sample gen_ai.gpu.power gauge unit=\"W\" start=5 time=7 value=3 {} of {\"run.id\":\"r\"}\n"},
		{"sum, histograms and summary; two resources",
			join(
				pb(1, pb(2, join(pb(1, pb(1, "s")), pb(2, join(pb(1, "a"), pb(7, join(point(pb(6, fixed(math.MaxUint64))), pb(2, 1), pb(3, 1))))),
					pb(2, join(pb(1, "b"), pb(9, join(point(pb(4, fixed(3)), pb(5, 2.5), pb(6, protowire.AppendFixed64(protowire.AppendFixed64(nil, 1), 2)), pb(7, 0.5), pb(11, 0.25), pb(12, 2.0), k(9)), pb(2, 2))))),
				))),
				pb(1, join(resource, pb(2, join(
					pb(2, join(pb(1, "c"), pb(10, join(point(pb(4, fixed(4)), pb(5, 1.5), pb(12, 0.5), pb(13, 1.0), pb(6, 3), k(1)), pb(2, 1))))),
					pb(2, join(pb(1, "d"), pb(11, point(pb(4, fixed(6)), pb(5, 4.5), pb(6, join(pb(1, 0.5), pb(2, 1.0))), k(7)))))))))),
			"format \"otlp-protobuf\", dataset \"metrics\", 4 rows, 0 spans\n" +
				"metrics of run \"\"\n" +
				"  sample a sum start=5 time=7 value=-1 temporality=\"delta\" monotonic=true scope=\"s\" {}\n" +
				"  sample b histogram start=5 time=7 count=3 sum=2.5 min=0.25 max=2 buckets=[1,2] bounds=[0.5] temporality=\"cumulative\" scope=\"s\" {\"k\":\"v\"}\n" +
				"metrics of run \"r\"\n" +
				"  sample c histogram start=5 time=7 count=4 sum=1.5 min=0.5 max=1 temporality=\"delta\" {\"k\":\"v\"} of {\"run.id\":\"r\"}\n" +
				"  sample d histogram start=5 time=7 count=6 sum=4.5 temporality=\"cumulative\" {\"k\":\"v\"} of {\"run.id\":\"r\"}\n"},
		{"logs are passed over",
			join(pb(1, pb(2, pb(2, join(pb(1, fixed(5)), pb(5, pb(1, "body")))))), pb(1, pb(2, pb(2, leaf())))),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				"warning: byte 6: OTLP logs say nothing that is shown; ignored\n" +
				"trace " + traceID + ": {}\n  span " + spanText + "null}\n"},
		{"nothing but logs",
			pb(1, pb(2, pb(2, join(pb(1, fixed(5)), pb(5, pb(1, "body")))))),
			"format \"\", dataset \"\", 0 rows, 0 spans\nerror: holds OTLP logs, of which nothing is shown; known: "},
		{"a damaged span is skipped",
			pb(1, pb(2, join(pb(2, leaf([]byte{5<<3 | 2, 200})), pb(2, leaf())))),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				"warning: byte 6: message of 48 bytes: unexpected EOF; skipped\n" +
				"trace " + traceID + ": {}\n  span " + spanText + "null}\n"},
		{"ids of other lengths",
			pb(1, pb(2, join(pb(2, join(pb(1, "\x0a"), pb(2, "\xff\x01"), pb(7, fixed(5)), pb(8, fixed(7)))), pb(2, join(pb(1, id+"x"), pb(7, fixed(5))))))),
			"format \"otlp-protobuf\", dataset \"traces\", 2 rows, 2 spans\n" +
				"repair: 2 ids padded with zeros\n" +
				"repair: 1 id that is no hex number replaced by the first digits of its SHA-256\n" +
				"repair: 1 missing id made up from the content\n"},
		{"text that is no UTF-8, and a time too large",
			pb(1, pb(2, pb(2, leaf(pb(5, "a\xffb\xfe"), pb(7, fixed(math.MaxUint64)))))),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				"repair: 2 places that are not valid Unicode read as U+FFFD\n" +
				"warning: byte 6: start_time_unix_nano is 18446744073709551615, expected nanoseconds\n"},
		{"a span that says nothing of itself", pb(1, pb(2, pb(2, pb(8, fixed(1))))),
			"format \"otlp-protobuf\", dataset \"traces\", 0 rows, 0 spans\n" +
				"warning: byte 6: span has neither ids nor name nor time"},
		{"a span without a trace", pb(1, pb(2, pb(2, pb(7, fixed(1))))),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				"repair: 2 missing ids made up from the content\n"},
		{"nothing in it", pb(1, nothing()), "format \"\", dataset \"\", 0 rows, 0 spans\nerror: OTLP without spans or metrics; known: "},
		{"something else", pb(1, pb(2, pb(2, pb(20, 1)))),
			"format \"\", dataset \"\", 0 rows, 0 spans\nerror: nothing could be read: byte 6: message of 3 bytes: neither a span nor a metric; skipped; expected one of "},
		{"a field that cannot be", join(pbRequest(leaf()), []byte{0, 1}),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				fmt.Sprintf("error: byte %d: breaks", len(pbRequest(leaf()))) + " off after row 1: field 0, which does not exist; 1 whole row was kept\n"},
		{"a message longer than the one it is in", pb(1, join(pb(2, pb(2, leaf())), []byte{2<<3 | 2, 9})),
			"format \"otlp-protobuf\", dataset \"traces\", 1 rows, 1 spans\n" +
				"error: byte 54: breaks off after row 1: a message of 9 bytes within one that has 0 left; 1 whole row was kept\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			part, file := Read("", bytes.NewReader(tt.input))
			describe(&got, part, file)
			if text := strings.TrimPrefix(got.String(), ": "); !strings.HasPrefix(text, tt.want) {
				t.Errorf("got:\n%s\nwant the beginning:\n%s", text, tt.want)
			}
		})
	}
}

// TestProtobufLimits leaves out what is too large, and says which flag sets that.
func TestProtobufLimits(t *testing.T) {
	span := full()
	span.Attrs = attr.Set{{Key: "prompt", Value: attr.StringValue(strings.Repeat("x", 100))}}
	deep := pb(3, 1)
	for range 5 {
		deep = pb(5, pb(1, deep))
	}
	nested := join(pbSpan(&enrich.Span{TraceID: enrich.TraceID{1}, ID: enrich.SpanID{1}, Start: 1}), pb(9, pbAttribute("k", deep)))
	for _, tt := range []struct {
		limits Limits
		leaf   []byte
		spans  int
		want   string // "" for no warning
	}{
		{Limits{Value: 102}, pbSpan(&span), 1, ""}, // the text, its tag and its length
		{Limits{Value: 101}, pbSpan(&span), 1, "attribute prompt has 102 bytes, more than 101 bytes (--max-value); left out"},
		{Limits{Row: 100}, pbSpan(&span), 0, "more than 100 bytes (--max-row); skipped"},
		{Limits{Depth: 5}, nested, 1, ""},
		{Limits{Depth: 4}, nested, 0, "more than 4 (--max-depth); skipped"},
	} {
		part, file := NewReader(tt.limits).Read("x", bytes.NewReader(pbRequest(tt.leaf)))
		got := ""
		if len(file.Warnings) > 0 {
			got = file.Warnings[0].Message
		} else if file.Error != nil {
			got = *file.Error
		}
		if file.Spans != tt.spans || tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: part %v, %d spans, warning %q, error %s; want %d and %q", tt.limits, part, file.Spans, got, errorText(file.Error), tt.spans, tt.want)
		}
	}
}

// TestProtobufCut cuts a request at every byte: what is whole is kept, and it is
// said that there should be more.
func TestProtobufCut(t *testing.T) {
	one, two := full(), full()
	two.ID, two.TraceID = enrich.SpanID{7: 4}, enrich.TraceID{7}
	whole := join(pbRequest(pbSpan(&one)), pbRequest(pbSpan(&two)))
	first := len(pbRequest(pbSpan(&one)))
	for n := range len(whole) {
		part, file := Read("x", bytes.NewReader(whole[:n]))
		want := 0
		if n >= first { // the span ends where its request does
			want = 1
		}
		if file.Spans != want || file.Error == nil != (n == first) {
			t.Fatalf("%d of %d bytes: %d spans, error %s, want %d spans", n, len(whole), file.Spans, errorText(file.Error), want)
		}
		if want == 1 {
			if diff := cmp.Diff(one.Name, part.Traces[0].Spans[0].Name); diff != "" {
				t.Fatalf("%d bytes: %s", n, diff)
			}
			if part.Traces[0].Spans[0].Resource == nil {
				t.Fatalf("%d bytes: span without its resource", n)
			}
			if n > first && !slices.Contains(part.Flags, "truncated_file") {
				t.Fatalf("%d bytes: flags %q", n, part.Flags)
			}
		}
	}
}

// TestProtobufLies reads lengths that promise more than there is, which must not
// be believed before it comes.
func TestProtobufLies(t *testing.T) {
	huge := protowire.AppendVarint(nil, 60<<20)
	file := join([]byte{1<<3 | 2}, protowire.AppendVarint(nil, 1<<40), []byte{2<<3 | 2}, protowire.AppendVarint(nil, 1<<39), []byte{2<<3 | 2}, huge, []byte("x"))
	before := allocated()
	part, got := Read("x", bytes.NewReader(file))
	if took := allocated() - before; took > 4<<20 {
		t.Errorf("%d bytes of memory for a file of %d", took, len(file))
	}
	if part != nil || got.Error == nil || !strings.Contains(*got.Error, "found the end of the data") {
		t.Errorf("part %v, error %s", part, errorText(got.Error))
	}
}

// TestSharedProtobuf reads the files of others: what they hold was counted from
// the JSON beside them.
func TestSharedProtobuf(t *testing.T) {
	const data = "../../../shared/data"
	if _, err := os.Stat(data); err != nil {
		t.Skip("the files of others lie beside the project and are not here")
	}
	read := func(name string) (string, enrich.File) {
		raw, err := os.ReadFile(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		part, file := Read("", bytes.NewReader(raw))
		var text strings.Builder
		describe(&text, part, file)
		_, content, _ := strings.Cut(text.String(), "\n")
		return content, file
	}
	for _, tt := range []struct {
		name, dataset string
		rows, spans   int
		like          string // holds the same
	}{
		{"derived-otlp-pdata/otel_proto_examples.metrics.pb", "metrics", 4, 0, "derived-otlp-pdata/otel_proto_examples.metrics.otlpjson.jsonl"},
		{"derived-otlp-pdata/otel_proto_examples.metrics.len32be.pb", "metrics", 4, 0, "derived-otlp-pdata/otel_proto_examples.metrics.pb"},
		{"derived-otlp-pdata/otel_proto_examples.traces.pb", "traces", 1, 1, "derived-otlp-pdata/otel_proto_examples.traces.otlpjson.jsonl"},
		{"derived-otlp-pdata/otel_proto_examples.traces.len32be.pb", "traces", 1, 1, "derived-otlp-pdata/otel_proto_examples.traces.pb"},
		{"derived-otlp-pdata/rag_earnings.traces.pb", "traces", 1, 18, "derived-otlp-pdata/rag_earnings.traces.otlpjson.jsonl"},
		{"derived-otlp-pdata/rag_earnings.traces.len32be.pb", "traces", 1, 18, "derived-otlp-pdata/rag_earnings.traces.pb"},
		{"duckdb-otlp/otlp_metrics.pb", "metrics", 1, 0, ""},
		{"duckdb-otlp/otlp_traces.pb", "traces", 1, 1, ""},
		{"otlp2parquet/metrics_gauge.pb", "metrics", 3, 0, "otlp2parquet/metrics_gauge.json"},
		{"otlp2parquet/metrics_sum.pb", "metrics", 4, 0, "otlp2parquet/metrics_sum.json"},
		{"otlp2parquet/trace.pb", "traces", 1, 2, ""}, // its JSON has other spans
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, file := read(tt.name)
			if file.Error != nil || len(file.Warnings) > 0 || len(file.Repairs) > 0 || file.Dataset != tt.dataset || file.Rows != tt.rows || file.Spans != tt.spans {
				t.Errorf("receipt %+v, want %s, %d rows, %d spans", file, tt.dataset, tt.rows, tt.spans)
			}
			if tt.like == "" {
				return
			}
			want, _ := read(tt.like)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s holds something else (-it +this):\n%s", tt.like, diff)
			}
		})
	}
}

func FuzzProtobuf(f *testing.F) {
	span := full()
	f.Add(pbRequest(pbSpan(&span)))
	f.Add(pbRequest(join(pb(1, "m"), pb(7, join(pb(1, join(pb(2, fixed(5)), pb(3, fixed(7)), pb(6, fixed(1)), pb(7, pbAttribute("k", pb(1, "v"))))), pb(2, 1), pb(3, 1))))))
	f.Add(pbRequest(join(pb(1, "m"), pb(9, pb(1, join(pb(4, fixed(1)), pb(6, "12345678"), pb(7, "12345678"))))), join(pb(1, "n"), pb(10, pb(1, pb(4, fixed(1))))), join(pb(1, "o"), pb(11, pb(1, pb(4, fixed(1)))))))
	f.Add(pbRequest(join(pbSpan(&enrich.Span{TraceID: enrich.TraceID{1}}), pb(9, pbAttribute("k", pb(6, pb(1, pbAttribute("a", pb(5, pb(1, pb(1, "\xff")))))))))))
	f.Add(pb(1, join(pb(2, pb(2, pbSpan(&span))), pb(1, pb(1, pbAttribute("k", pb(4, 1.5)))))))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := &decoder{rd: NewReader(Limits{Depth: 20}), part: &enrich.Part{}, in: &hashed{}, unit: "byte"}
		d.s = d.textScanner(nil)
		d.bare(newBuffered(text))
		checkPart(t, d.part)
		for _, m := range d.part.Metrics {
			for _, s := range m.Samples {
				if !json.Valid(s.Attrs.AppendJSON(nil)) {
					t.Fatalf("attributes that are no JSON: %s", s.Attrs.AppendJSON(nil))
				}
			}
		}
		if n := d.part.Rows() + d.part.Spans(); n > len(text) {
			t.Fatalf("%d rows and spans out of %d bytes", n, len(text))
		}
		for _, w := range d.warnings {
			checkMessage(t, w.Message)
		}
		checkMessage(t, d.failure)
	})
}

// pbTraces writes n spans of traces of 8, in requests of 512, each span with the
// dozen short attributes of bigTraces.
func pbTraces(n int) (file []byte) {
	part, _ := Read("traces.json", bytes.NewReader(bigTraces(1<<20, false)))
	var spans []enrich.Span
	for _, t := range part.Traces {
		spans = append(spans, t.Spans...)
	}
	for i := 0; i < n; i += 512 {
		var leaves [][]byte
		for k := i; k < min(i+512, n); k++ {
			s := spans[k%len(spans)]
			s.TraceID[0], s.TraceID[1], s.TraceID[2] = byte(k>>19), byte(k>>11), byte(k>>3)
			leaves = append(leaves, pbSpan(&s))
		}
		file = append(file, pbRequest(leaves...)...)
	}
	return file
}

func BenchmarkReadProtobuf(b *testing.B) {
	const spans = 50_000
	file := pbTraces(spans)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, f := Read("x", bytes.NewReader(file)); f.Error != nil || f.Spans != spans {
			b.Fatalf("%d spans, error %s", f.Spans, errorText(f.Error))
		}
	}
	b.ReportMetric(float64(spans*b.N)/b.Elapsed().Seconds(), "spans/s")
}
