package decode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/enrichtest"
)

// full is a span with everything a span can have.
func full() enrich.Span {
	return enrich.Span{
		TraceID: enrich.TraceID{1, 15: 2}, ID: enrich.SpanID{7: 3}, ParentID: enrich.SpanID{0xff, 7: 0xff},
		Name: "say \"hi\"\n\u2028\x00 日本", Kind: enrich.SpanKindConsumer, Start: 1761146658415691701, End: math.MaxInt64,
		Status: enrich.StatusError, StatusMessage: "broken \\ pipe",
		Attrs: attr.NewSet([]attr.KeyValue{
			{Key: "", Value: attr.StringValue("")},
			{Key: "big", Value: attr.IntValue(math.MaxInt64)},
			{Key: "bool", Value: attr.BoolValue(false)},
			{Key: "float", Value: attr.FloatValue(1.5e-300)},
			{Key: "json", Value: attr.JSONValue(`{"a":[1.50,null],"b":{}}`)},
			{Key: "small", Value: attr.IntValue(math.MinInt64 + 1)},
			{Key: "text", Value: attr.StringValue("<b>\t\u007f")},
		}),
		Events:   []enrich.Event{{Name: "e", Time: 5e17, Attrs: attr.Set{{Key: "k", Value: attr.IntValue(1)}}}, {}},
		Links:    []enrich.Link{{TraceID: enrich.TraceID{9}, SpanID: enrich.SpanID{9}}, {}},
		Resource: &enrich.Resource{Attrs: attr.Set{{Key: "service.name", Value: attr.StringValue("s")}}},
		Scope:    &enrich.Scope{Name: "n", Version: "1"},
	}
}

func TestSpanRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name string
		span enrich.Span
	}{
		{"empty", enrich.Span{}},
		{"full", full()},
		{"resource without attributes", enrich.Span{Resource: &enrich.Resource{}}},
		{"scope without version", enrich.Span{Scope: &enrich.Scope{Name: "n"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.span.AppendJSON(nil)
			got, err := Span(text)
			if diff := cmp.Diff(tt.span, got, cmp.AllowUnexported(attr.Value{}), cmpopts.IgnoreUnexported(enrich.Span{})); err != nil || diff != "" {
				t.Errorf("Span(%s): %v (-want +got):\n%s", text, err, diff)
			}
		})
	}
}

func TestSpanErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{``, "line 1: expected a span, found the end of the file"},
		{`[]`, "line 1: expected a span, found '['"},
		{`{"name":"a"`, `line 1: expected "," or "}", found the end of the file`},
		{`{} {}`, "line 1: expected the end of the span, found '{'"},
		{`{"start_time":"soon"}`, `line 1: start_time is "soon", expected nanoseconds`},
	} {
		if _, err := Span([]byte(tt.text)); err == nil || err.Error() != tt.want {
			t.Errorf("Span(%s): %v, want %s", tt.text, err, tt.want)
		}
	}
}

// TestResourcesShared finds spans of one resource, however spelt, on one.
func TestResourcesShared(t *testing.T) {
	part, _ := Read("x", strings.NewReader(`[{"trace_id": "0x1", "spans": [
		{"span_id": "0x1", "resource": {"attributes": {"a": 1, "b": 2}}},
		{"span_id": "0x2", "resource": {"attributes": {"b": 2, "a": 1}}},
		{"span_id": "0x3", "resource": {"attributes": {"a": 1, "b": 2}}},
		{"span_id": "0x4", "resource": {"attributes": {"a": 1}}},
		{"span_id": "0x5", "resource": {}}]}]`))
	spans := part.Traces[0].Spans
	if r := spans[0].Resource; r == nil || spans[1].Resource != r || spans[2].Resource != r {
		t.Errorf("resources of the first three spans: %p, %p, %p, want one", spans[0].Resource, spans[1].Resource, spans[2].Resource)
	}
	if spans[3].Resource == spans[0].Resource || spans[4].Resource != nil {
		t.Errorf("resources of the others: %v, %v, want one of its own and none", spans[3].Resource, spans[4].Resource)
	}
}

// TestParseHex reads what enrich reads, where it says that it can.
func TestParseHex(t *testing.T) {
	for _, text := range []string{
		"0x0", "0", "", "0x", "0x1", "0X1", "1", "abcdef", "ABCDEF", "0xd63467e46838d158", "d63467e46838d158", "0xd63467e46838d15",
		"0xd63467e46838d1580", "g", "0x0x1", "12-34", " 1", "span_1", "None", "xyz", "0xg",
	} {
		var got enrich.SpanID
		padded, ok := parseHex(got[:], []byte(text))
		if !ok {
			if got != (enrich.SpanID{}) {
				t.Errorf("parseHex(%q) leaves %s behind", text, got)
			}
			continue
		}
		want, derived := enrich.ParseSpanID(text)
		if got != want || derived {
			t.Errorf("parseHex(%q) = %s, but enrich reads %s, derived %t", text, got, want, derived)
		}
		digits := strings.TrimPrefix(strings.ToLower(text), "0x")
		if wantPadded := len(digits) < 16 && want != (enrich.SpanID{}); padded != wantPadded {
			t.Errorf("parseHex(%q) padded %t, want %t", text, padded, wantPadded)
		}
	}
}

func TestParseTime(t *testing.T) {
	for _, tt := range []struct {
		text  string
		want  enrich.Time
		naive bool
		ok    bool
	}{
		{"", 0, false, true},
		{"None", 0, false, true},
		{"0", 0, false, true},
		{"soon", 0, false, false},
		{"-1", 0, false, false},
		{"1761146658", 1761146658e9, false, true},
		{"1761146658415691701", 1761146658415691701, false, true},
		{"2025-10-22T15:24:18.415691701Z", 1761146658415691701, false, true},
		{"2025-10-22T20:54:18.415691701+05:30", 1761146658415691701, false, true},
		{"2025-10-22 15:24:18.415691+00:00", 1761146658415691000, false, true},
		{"2025-10-22T15:24:18.4", 1761146658400000000, true, true},
		{"20251022_152418", 1761146658000000000, true, true},
		{"9999-01-01T00:00:00Z", 0, false, false},
	} {
		got, naive, ok := parseTime(tt.text)
		if ok != tt.ok || ok && (got != tt.want || naive != tt.naive) {
			t.Errorf("parseTime(%q) = %d, naive %t, %t, want %d, %t, %t", tt.text, got, naive, ok, tt.want, tt.naive, tt.ok)
		}
	}
}

// FuzzRead reads any bytes: no panic, and either a part or an error. What was
// read is read again as it was written.
func FuzzRead(f *testing.F) {
	for _, a := range cases(f) {
		for _, file := range a.Files {
			if file.Name != "want" {
				f.Add(file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkRead(t, text) })
}

// frames lead any text to one of the readers, which few mutations of whole files
// reach.
var frames = []struct{ before, after string }{
	{`{"resourceSpans":[{"scopeSpans":[{"spans":[`, `]}]}]}`},
	{`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"1","spanId":"2","attributes":[{"key":"k","value":`, `}]}]}]}]}`},
	{`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[`, `]}]}]}`},
	{`{"data":[{"traceID":"1","spans":[`, `],"processes":{"p1":{"serviceName":"s"}}}]}`},
	{`{"observations":[{"parentObservationId":null,"traceId":"1","type":"SPAN",`, `}]}`},
	{`{"name":"n","context":{"trace_id":"1","span_id":"2"},"start_time":1,"attributes":`, `}`},
	{`{"name":"n","span_kind":"LLM","trace_id":"1","span_id":"2",`, `}`},
	{`{"hits":{"hits":[`, `]}}`},
}

func FuzzForeign(f *testing.F) {
	for i, text := range []string{
		`{"traceId":"tH12H+eb6IruQTQs3VJyaA==","spanId":{"type":"Buffer","data":[1,2]},"startTimeUnixNano":{"low":1,"high":2},"endTimeUnixNano":[1,2],"kind":"x","status":{"code":2},"events":[{"timeUnixNano":"1"}],"links":[{"traceId":"2"}],"droppedAttributesCount":1},{}`,
		`{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},{"doubleValue":"NaN"},{"bytesValue":"AA=="}]}}}]}}`,
		`{"name":"m","unit":"s","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":"1","sum":1,"bucketCounts":["1",2],"explicitBounds":[1],"flags":1}]}},{"name":"s","summary":{"dataPoints":[{"count":1}]}}`,
		`{"traceID":"1","spanID":"2","references":[{"refType":"CHILD_OF","traceID":"1","spanID":"3"}],"startTime":1,"duration":2,"tags":[{"key":"error","type":"bool","value":"true"}],"logs":[{"timestamp":1,"fields":[{"key":"event","value":"e"}]}],"processID":"p1"}`,
		`"id":"1","level":"ERROR","usage":{"input":1},"metadata":"{\"attributes\":{\"a\":1},\"scope\":{\"name\":\"s\"}}","input":{}`,
		`{"llm":{"input_messages":[{"message":{"role":"u"}}],"token_count":{"prompt":1}},"gen_ai.x":[1]}`,
		`"name":"a","parent":{"span_id":"0x1"},"attributes.llm.model_name":"m","span.attributes.a@b":1,"resource.attributes.c":2,"durationInNanos":5,"start_time":"2025-10-27T08:00:00Z","kind":3`,
		`{"_source":{"task_id":"t","success":true}},{"_source":{"trace_id":"1","spans":[]}}`,
	} {
		f.Add(byte(i), text)
	}
	f.Fuzz(func(t *testing.T, which byte, text string) {
		frame := frames[int(which)%len(frames)]
		checkRead(t, []byte(frame.before+text+frame.after))
	})
}

// checkRead reads a text and holds what comes of it to what Read promises.
func checkRead(t *testing.T, text []byte) {
	part, file := Read("x.json", bytes.NewReader(text))
	if part == nil && file.Error == nil {
		t.Fatal("neither part nor error")
	}
	for _, w := range file.Warnings {
		checkMessage(t, w.Message)
	}
	if file.Error != nil {
		checkMessage(t, *file.Error)
	}
	if part == nil {
		return
	}
	if file.Rows != part.Rows() || file.Spans != part.Spans() {
		t.Fatalf("receipt counts %d rows, %d spans; the part holds %d and %d", file.Rows, file.Spans, part.Rows(), part.Spans())
	}
	// A row takes at least its braces, a point or span likewise.
	if n := file.Rows + file.Spans; n > len(text) && packingOf(text) == nil {
		t.Fatalf("%d rows and spans out of %d bytes", n, len(text))
	}
	checkPart(t, part)
}

// checkPart reads every span back from what it is written as.
func checkPart(t *testing.T, part *enrich.Part) {
	for _, tr := range part.Traces {
		if tr.ID == (enrich.TraceID{}) {
			t.Fatal("trace without an id")
		}
		for i := range tr.Spans {
			want := tr.Spans[i].AppendJSON(nil)
			span, err := Span(want)
			if err != nil {
				t.Fatalf("Span(%s): %v", want, err)
			}
			if got := span.AppendJSON(nil); !bytes.Equal(got, want) {
				t.Fatalf("span\n%s\nis read back as\n%s", want, got)
			}
			if span.ID == (enrich.SpanID{}) || span.TraceID == (enrich.TraceID{}) {
				t.Fatalf("span without ids: %s", want)
			}
		}
	}
}

func newBuffered(text []byte) *bufio.Reader {
	return bufio.NewReaderSize(bytes.NewReader(text), headBytes)
}

// allocated returns how many bytes of memory the program has taken so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// checkMessage holds messages to their promise: short, printable, one line.
func checkMessage(t *testing.T, text string) {
	if len(text) > 2000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x1b }) {
		t.Fatalf("message %.300q is long or holds control characters", text)
	}
}

// bigTraces writes a trace file of at least size bytes, as SMOLTRACE indents
// it. Heavy spans carry long prompts, escaped as JSON within JSON is; lean ones
// a dozen short attributes.
func bigTraces(size int, heavy bool) []byte {
	var b bytes.Buffer
	prompt := strings.Repeat(`{\"role\": \"user\", \"content\": \"What is the weather in Paris? It is a question that agents are asked time and again, and so is this one.\\n\"}, `, 40)
	b.WriteString("[\n")
	for n := uint64(0); b.Len() < size; n++ {
		if n%8 == 0 {
			if n > 0 {
				b.WriteString("\n    ],\n    \"total_tokens\": 5\n  },\n")
			}
			fmt.Fprintf(&b, "  {\n    \"trace_id\": \"0x%032x\",\n    \"spans\": [\n", n/8+1)
		} else {
			b.WriteString(",\n")
		}
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], n+1)
		fmt.Fprintf(&b, "      {\n        \"trace_id\": \"0x%032x\",\n        \"span_id\": \"0x%x\",\n        \"parent_span_id\": null,\n        \"name\": \"completion\",\n        \"start_time\": %d,\n        \"end_time\": %d,\n        \"duration_ms\": 1.5,\n        \"attributes\": {\n", n/8+1, id, 1761146658415691700+n, 1761146658417191700+n)
		for _, k := range []string{"openinference.span.kind", "llm.model_name", "llm.provider", "gen_ai.operation.name", "gen_ai.system", "llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total"} {
			fmt.Fprintf(&b, "          %q: %q,\n", k, fmt.Sprint(n%1000))
		}
		if heavy {
			fmt.Fprintf(&b, "          \"input.value\": \"%s\",\n          \"output.value\": \"%s\",\n", prompt, strings.Repeat("The weather in Paris is sunny, and so it will stay. ", 60))
		}
		b.WriteString("          \"stream\": false\n        },\n        \"events\": [],\n        \"status\": {\n          \"code\": \"OK\",\n          \"description\": null\n        },\n        \"kind\": \"INTERNAL\",\n        \"resource\": {\n          \"attributes\": {\n            \"telemetry.sdk.language\": \"python\",\n            \"service.name\": \"smoltrace-eval\"\n          }\n        }\n      }")
	}
	b.WriteString("\n    ]\n  }\n]\n")
	return b.Bytes()
}

func BenchmarkScan(b *testing.B) {
	benchmarks(b, func(text []byte) {
		s := newScanner(bytes.NewReader(text), minWindow)
		if s.skip(); s.err != nil {
			b.Fatal(s.err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	benchmarks(b, func(text []byte) {
		if _, file := Read("traces.json", bytes.NewReader(text)); file.Error != nil {
			b.Fatal(*file.Error)
		}
	})
}

// BenchmarkReadOTLP reads the traces of one run as SMOLTRACE writes them, and as
// OTLP in JSON.
func BenchmarkReadOTLP(b *testing.B) {
	run := enrichtest.New(enrichtest.Plan{Tests: 1000})
	for name, text := range map[string][]byte{"smoltrace": run.Files["traces.json"], "otlp": run.OTLP()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			spans := 0
			for b.Loop() {
				_, file := Read("traces.json", bytes.NewReader(text))
				spans += file.Spans
			}
			b.ReportMetric(float64(spans)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

func benchmarks(b *testing.B, run func([]byte)) {
	for _, heavy := range []bool{true, false} {
		name := map[bool]string{true: "heavy", false: "lean"}[heavy]
		b.Run(name, func(b *testing.B) {
			text := bigTraces(32<<20, heavy)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				run(text)
			}
		})
	}
}

func BenchmarkSpan(b *testing.B) {
	span := full()
	text := span.AppendJSON(nil)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Span(text); err != nil {
			b.Fatal(err)
		}
	}
}
