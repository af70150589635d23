package server

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"smolscope/server/store"
)

// batch is an OTLP request of LLM calls, in protobuf, each of 10 tokens in and 2
// out: a call is its trace, its span and its parent's, as numbers.
func batch(resource string, calls ...[3]int) string {
	// Field numbers are those of opentelemetry/proto/trace/v1.
	message := func(field protowire.Number, text []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), text)
	}
	attribute := func(field protowire.Number, key string, value []byte) []byte {
		return message(field, append(message(1, []byte(key)), message(2, value)...))
	}
	str := func(s string) []byte { return message(1, []byte(s)) }
	count := func(n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), n)
	}
	moment := func(field protowire.Number, second int) []byte {
		return protowire.AppendFixed64(protowire.AppendTag(nil, field, protowire.Fixed64Type), uint64(1_800_000_000+second)*1e9)
	}
	id := func(n, size int) []byte { return binary.BigEndian.AppendUint64(make([]byte, size-8), uint64(n)) }

	var spans []byte
	for _, c := range calls {
		parent := []byte{}
		if c[2] != 0 {
			parent = message(4, id(c[2], 8))
		}
		spans = append(spans, message(2, slices.Concat(
			message(1, id(c[0], 16)), message(2, id(c[1], 8)), parent, message(5, []byte("chat")), moment(7, 2*c[1]), moment(8, 2*c[1]+1),
			attribute(9, "gen_ai.operation.name", str("chat")), attribute(9, "gen_ai.request.model", str("m")),
			attribute(9, "gen_ai.usage.input_tokens", count(10)), attribute(9, "gen_ai.usage.output_tokens", count(2))))...)
	}
	var attributes []byte
	for pair := range strings.FieldsSeq(resource) {
		key, value, _ := strings.Cut(pair, "=")
		attributes = append(attributes, attribute(1, key, str(value))...)
	}
	return string(message(1, append(message(1, attributes), message(2, spans)...)))
}

// send posts a batch and derives its runs.
func send(t *testing.T, s *Server, body string) {
	t.Helper()
	w := do(s, "POST", "/v1/traces", strings.NewReader(body), "Content-Type", protobufType)
	if w.Code != http.StatusOK || w.Body.Len() > 0 {
		t.Fatalf("POST /v1/traces: status %d, %q; want 200 and nothing", w.Code, w.Body)
	}
	if err := s.ingester.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// received describes the runs of a server: how each got its id, and its traces,
// calls and tokens.
func received(t *testing.T, s *Server) (ids, lines []string) {
	t.Helper()
	err := s.Store.Read(t.Context(), func(v *store.Snapshot) error {
		uploads, err := v.Uploads(t.Context())
		if err != nil {
			return err
		}
		if ids, err = v.RunsOf(t.Context(), uploads...); err != nil {
			return err
		}
		for _, id := range ids {
			r, err := v.Run(t.Context(), id)
			if err != nil {
				return err
			}
			traces, err := v.Traces(t.Context(), id)
			if err != nil {
				return err
			}
			calls := int64(0)
			for _, trace := range traces {
				calls += trace.LLMCallCount
			}
			lines = append(lines, fmt.Sprintf("%s: %d tests, %d calls, %d tokens", r.RunIDSource, r.NumTests, calls, *r.TotalTokens))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return ids, lines
}

func TestReceiveRuns(t *testing.T) {
	for _, tt := range []struct {
		name    string
		batches []string
		want    []string
	}{
		{"one batch", []string{batch("service.name=a", [3]int{1, 1, 0}, [3]int{2, 2, 0})}, []string{"synthesized: 2 tests, 2 calls, 24 tokens"}},
		{"one resource, one run", []string{batch("service.name=a", [3]int{1, 1, 0}), batch("service.name=a", [3]int{2, 2, 0}), batch("service.name=a", [3]int{3, 3, 0})},
			[]string{"synthesized: 3 tests, 3 calls, 36 tokens"}},
		{"two resources, two runs", []string{batch("service.name=a", [3]int{1, 1, 0}), batch("service.name=b", [3]int{2, 2, 0})},
			[]string{"synthesized: 1 tests, 1 calls, 12 tokens", "synthesized: 1 tests, 1 calls, 12 tokens"}},
		{"a late span joins its trace", []string{batch("service.name=a", [3]int{1, 2, 1}), batch("service.name=a", [3]int{1, 1, 0})},
			[]string{"synthesized: 1 tests, 1 calls, 12 tokens"}},
		{"a trace of two services is one", []string{batch("service.name=a", [3]int{1, 1, 0}), batch("service.name=b", [3]int{1, 2, 1})},
			[]string{"synthesized: 1 tests, 1 calls, 12 tokens"}},
		{"named runs of one process", []string{batch("service.name=a run.id=x", [3]int{1, 1, 0}), batch("service.name=a run.id=y", [3]int{2, 2, 0}), batch("service.name=a run.id=x", [3]int{3, 3, 0})},
			[]string{"reported: 1 tests, 1 calls, 12 tokens", "reported: 2 tests, 2 calls, 24 tokens"}},
		{"the same batch twice", []string{batch("service.name=a", [3]int{1, 1, 0}), batch("service.name=a", [3]int{1, 1, 0})},
			[]string{"synthesized: 1 tests, 1 calls, 12 tokens"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			var first []string
			for i, b := range tt.batches {
				send(t, s, b)
				ids, _ := received(t, s)
				if i == 0 {
					first = ids
				} else if !slices.Contains(ids, first[0]) {
					t.Errorf("after batch %d the run %s is %s", i, first[0], ids)
				}
			}
			if _, got := received(t, s); !slices.Equal(got, tt.want) {
				t.Errorf("runs:\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// What a resource sends after a long pause is another run.
func TestReceiveAfterPause(t *testing.T) {
	s := newServer(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.ingester.now = func() time.Time { return now }
	for i, wait := range []time.Duration{0, pause, pause + 1} {
		now = now.Add(wait)
		send(t, s, batch("service.name=a", [3]int{i + 1, i + 1, 0}))
	}
	want := []string{"synthesized: 1 tests, 1 calls, 12 tokens", "synthesized: 2 tests, 2 calls, 24 tokens"}
	if _, got := received(t, s); !slices.Equal(got, want) {
		t.Errorf("runs:\n got %q\nwant %q", got, want)
	}
}

// A server that ends before it has derived anything has lost nothing, and its
// successor goes on with the session.
func TestReceiveAcrossRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "smolscope.db")
	s := newServerAt(t, path)
	w := do(s, "POST", "/v1/traces", strings.NewReader(batch("service.name=a", [3]int{1, 1, 0})), "Content-Type", protobufType)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d, want 200", w.Code)
	}
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	s = newServerAt(t, path)
	if err := s.ingester.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, got := received(t, s); !slices.Equal(got, []string{"synthesized: 1 tests, 1 calls, 12 tokens"}) {
		t.Errorf("runs = %q, want one of the first batch", got)
	}
	send(t, s, batch("service.name=a", [3]int{2, 2, 0}))
	if _, got := received(t, s); !slices.Equal(got, []string{"synthesized: 2 tests, 2 calls, 24 tokens"}) {
		t.Errorf("runs = %q, want one of both batches", got)
	}
}

// Runs that were derived again from what is stored are the same.
func TestRederiveReceived(t *testing.T) {
	s := newServer(t)
	send(t, s, batch("service.name=a", [3]int{1, 1, 0}))
	send(t, s, batch("service.name=a", [3]int{2, 2, 0}))
	before, lines := received(t, s)
	if err := s.Store.Follow(t.Context(), "other rules"); err != nil {
		t.Fatal(err)
	}
	if err := s.ingester.Rederive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, again := received(t, s); !slices.Equal(before, after) || !slices.Equal(lines, again) {
		t.Errorf("after: %s %q, before: %s %q", after, again, before, lines)
	}
}

func TestOTLPAnswers(t *testing.T) {
	packed := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		return b.String()
	}
	const jsonBody, protobuf = otlpJSONType, protobufType
	good := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat",
		"startTimeUnixNano":"1800000000000000000","endTimeUnixNano":"1800000001000000000"}]}]}]}`
	for _, tt := range []struct {
		name, contentType, encoding, body string
		status                            int
		answer                            string // begins so
	}{
		{"protobuf", protobuf, "", batch("service.name=a", [3]int{1, 1, 0}), 200, ""},
		{"JSON", jsonBody, "", good, 200, "{}"},
		{"JSON with a charset", jsonBody + "; charset=utf-8", "", good, 200, "{}"},
		{"gzip", jsonBody, "gzip", packed(good), 200, "{}"},
		{"half of it damaged", jsonBody, "", strings.Replace(good, `"name":"chat"`, `"name":"chat","kind":{}`, 1), 200, "{"},
		{"nothing in JSON", jsonBody, "", "{}", 200, "{}"},
		{"nothing in protobuf", protobuf, "", "", 200, ""},
		{"another type", "text/plain", "", good, 415, `{"code":3,"message":"This is not OTLP`},
		{"no type", "", "", good, 415, `{"code":3`},
		{"another packing", jsonBody, "br", good, 415, `{"code":3`},
		{"damaged gzip", jsonBody, "gzip", "abc", 400, `{"code":3`},
		{"no JSON", jsonBody, "", "<html>", 400, `{"code":3`},
		{"no OTLP", jsonBody, "", `{"test_id":"a","success":true,"model":"m"}`, 400, `{"code":3`},
		{"no protobuf", protobuf, "", "hello", 400, "\x08\x03\x12"},
		{"too large", jsonBody, "", `{"x":"` + strings.Repeat("x", 33<<20) + `"}`, 413, `{"code":3`},
		{"too large, packed", jsonBody, "gzip", packed(`{"x":"` + strings.Repeat("x", 33<<20) + `"}`), 413, `{"code":3`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Content-Type", tt.contentType}
			if tt.encoding != "" {
				headers = append(headers, "Content-Encoding", tt.encoding)
			}
			w := do(newServer(t), "POST", "/v1/traces", strings.NewReader(tt.body), headers...)
			if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), tt.answer) {
				t.Errorf("status %d, %.200q; want %d, %q", w.Code, w.Body, tt.status, tt.answer)
			}
		})
	}
	t.Run("busy", func(t *testing.T) {
		s := newServer(t)
		s.ingester.receiving.TryAcquire(maxReceiving)
		w := do(s, "POST", "/v1/traces", strings.NewReader(good), "Content-Type", jsonBody)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" {
			t.Errorf("status %d, Retry-After %q; want 503 and 2", w.Code, w.Header().Get("Retry-After"))
		}
	})
}

// Readers are told once of each run, however slow they are.
func TestFeed(t *testing.T) {
	var f feed
	r := f.subscribe()
	f.publish([]string{"a"})
	f.publish([]string{"b", "a"})
	<-r.wake
	if got := f.take(r); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("runs = %q, want a and b", got)
	}
	f.unsubscribe(r)
	f.publish([]string{"c"})
	if got := f.take(r); got != nil {
		t.Errorf("after the end: %q, want nothing", got)
	}
	if got := f.take(f.subscribe()); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("a new reader is told of %q, want what changed just before: b, a and c", got)
	}
	for range maxStreams - 1 {
		f.subscribe()
	}
	if f.subscribe() != nil {
		t.Errorf("more than %d streams", maxStreams)
	}
}
