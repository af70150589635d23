package browsertest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A sentSpan is a span as a client says that it sent it, and as the API gives it.
type sentSpan struct {
	TraceID    string         `json:"trace_id"`
	SpanID     string         `json:"span_id"`
	ParentID   *string        `json:"parent_span_id"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Status     string         `json:"status"`
	Attributes map[string]any `json:"attributes"`
	Events     []struct {
		Name       string         `json:"name"`
		Attributes map[string]any `json:"attributes"`
	} `json:"events"`
	Links int `json:"links"`
}

// storedSpan is one span of the API's traces.
type storedSpan struct {
	sentSpan
	Status struct{ Code string } `json:"status"`
	Links  []any                 `json:"links"`
}

// client runs a script of the folder clients against a server, which it knows by
// the SDK's setting alone, and returns what it prints.
func client(t *testing.T, base string, args ...string) []byte {
	t.Helper()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join("clients", "node_modules", "@opentelemetry"))
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the clients need Node and their packages: %v", err)
		}
		t.Skipf("needs Node and `npm ci` in clients (make test does both): %v", err)
	}
	cmd := exec.CommandContext(t.Context(), node, args...)
	cmd.Dir = "clients"
	cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+base)
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args, err, failed.String())
	}
	return out
}

// fetch reads the API, again and again until a run that was just sent is there.
func fetch(t *testing.T, address string, v any) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			if err := json.Unmarshal(text, v); err != nil {
				t.Fatalf("%s: %v", address, err)
			}
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%s: %s\n%.500s", address, answer.Status, text)
		}
	}
}

// tracesOf returns the spans of a run, by id.
func tracesOf(t *testing.T, base, run string) map[string]storedSpan {
	t.Helper()
	var traces []struct {
		Spans []storedSpan `json:"spans"`
	}
	fetch(t, base+"/api/v1/runs/"+url.PathEscape(run)+"/traces.json", &traces)
	spans := map[string]storedSpan{}
	for _, trace := range traces {
		for _, s := range trace.Spans {
			spans[s.SpanID] = s
		}
	}
	return spans
}

// wantWhole compares the spans of a run with what was sent.
func wantWhole(t *testing.T, sent []sentSpan, got map[string]storedSpan) {
	t.Helper()
	if len(sent) == 0 || len(got) != len(sent) {
		t.Fatalf("%d spans arrived of %d", len(got), len(sent))
	}
	for _, want := range sent {
		have, ok := got[want.SpanID]
		if !ok {
			t.Errorf("%s did not arrive", want.Name)
			continue
		}
		for what, pair := range map[string][2]any{
			"trace": {have.TraceID, want.TraceID}, "name": {have.Name, want.Name}, "kind": {have.Kind, want.Kind}, "status": {have.Status.Code, want.Status},
			"parent": {have.ParentID, want.ParentID}, "attributes": {have.Attributes, want.Attributes}, "links": {len(have.Links), want.Links}, "events": {len(have.Events), len(want.Events)},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Errorf("%s of %s = %v, want %v", what, want.Name, text(pair[0]), text(pair[1]))
			}
		}
		for i := range min(len(have.Events), len(want.Events)) {
			if h, w := have.Events[i], want.Events[i]; h.Name != w.Name || !reflect.DeepEqual(h.Attributes, w.Attributes) {
				t.Errorf("event %d of %s = %s, want %s", i, want.Name, text(h), text(w))
			}
		}
	}
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// wantUsage compares a run's calls, tokens and cost of one call of gpt-4o-mini.
func wantUsage(t *testing.T, base, run string, cost float64) {
	t.Helper()
	var traces []map[string]any
	fetch(t, base+"/api/v1/runs/"+url.PathEscape(run)+"/traces.json", &traces)
	if len(traces) != 1 {
		t.Fatalf("%d traces, want 1", len(traces))
	}
	got := traces[0]
	for column, want := range map[string]float64{"llm_call_count": 1, "total_tokens": 1100, "total_cost_usd": cost} {
		if have, ok := got[column].(float64); !ok || math.Abs(have-want) > 1e-12*want {
			t.Errorf("%s = %v, want %v", column, got[column], want)
		}
	}
}

// TestJavaScriptSDK sends with OpenTelemetry's SDK for JavaScript. 1,000 tokens in
// and 100 out at $0.15 and $0.60 a million: $0.00021.
func TestJavaScriptSDK(t *testing.T) {
	base := serve(t)
	for encoding, suffix := range map[string]string{"protobuf": "proto", "json": "http"} {
		t.Run(encoding, func(t *testing.T) {
			var sent []sentSpan
			if err := json.Unmarshal(client(t, base, "sdk.mjs", encoding), &sent); err != nil {
				t.Fatal(err)
			}
			run := "js sdk, " + suffix
			got := tracesOf(t, base, run)
			wantWhole(t, sent, got)
			wantUsage(t, base, run, 0.00021)
			sentMetric := func(m map[string]any) bool {
				return m["metric_name"] == "gen_ai.client.operation.duration" && m["source"] == "reported" && m["sum"] == 0.5
			}
			for began := time.Now(); ; time.Sleep(50 * time.Millisecond) { // it comes in a batch of its own
				var metrics []map[string]any
				fetch(t, base+"/api/v1/runs/"+url.PathEscape(run)+"/metrics.json", &metrics)
				if slices.ContainsFunc(metrics, sentMetric) {
					break
				}
				if time.Since(began) > patience {
					t.Fatalf("the histogram that was sent is not among the metrics:\n%.2000s", text(metrics))
				}
			}
		})
	}
}

// TestOpenInference sends what OpenInference's instrumentation records of a call
// with OpenAI's client: 600 tokens in at $0.15, 400 cached at $0.075 and 100 out at
// $0.60 a million are $0.00018.
func TestOpenInference(t *testing.T) {
	base := serve(t)
	client(t, base, "openinference.mjs")
	spans := slices.Collect(maps.Values(tracesOf(t, base, "openinference")))
	if len(spans) != 1 || spans[0].Attributes["openinference.span.kind"] != "LLM" {
		t.Fatalf("spans = %s, want one of an LLM", text(spans))
	}
	wantUsage(t, base, "openinference", 0.00018)
}

// TestGoSDK sends with OpenTelemetry's SDK for Go.
func TestGoSDK(t *testing.T) {
	base := serve(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base)
	exporter, err := otlptracehttp.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kept := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithSyncer(kept),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "go"), attribute.String("run.id", "go sdk"))))
	tracer := provider.Tracer("smolscope-clients")
	ctx, agent := tracer.Start(t.Context(), "invoke_agent")
	agent.SetAttributes(attribute.String("gen_ai.operation.name", "invoke_agent"))
	_, chat := tracer.Start(ctx, "chat")
	chat.SetAttributes(attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "openai"), attribute.String("gen_ai.request.model", "gpt-4o-mini"),
		attribute.Int("gen_ai.usage.input_tokens", 1000), attribute.Int("gen_ai.usage.output_tokens", 100), attribute.StringSlice("gen_ai.response.finish_reasons", []string{"stop"}))
	chat.RecordError(fmt.Errorf("too late"))
	chat.SetStatus(codes.Error, "too late")
	chat.End()
	agent.End()
	if err := provider.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sent []sentSpan
	for _, s := range kept.GetSpans() {
		one := sentSpan{TraceID: s.SpanContext.TraceID().String(), SpanID: s.SpanContext.SpanID().String(), Name: s.Name,
			Kind: strings.ToUpper(s.SpanKind.String()), Status: strings.ToUpper(s.Status.Code.String()), Attributes: map[string]any{}}
		if s.Parent.IsValid() {
			one.ParentID = new(s.Parent.SpanID().String())
		}
		for _, a := range s.Attributes {
			var v any
			if err := json.Unmarshal([]byte(text(a.Value.AsInterface())), &v); err != nil {
				t.Fatal(err)
			}
			one.Attributes[string(a.Key)] = v
		}
		for _, e := range s.Events {
			event := struct {
				Name       string         `json:"name"`
				Attributes map[string]any `json:"attributes"`
			}{e.Name, map[string]any{}}
			for _, a := range e.Attributes {
				event.Attributes[string(a.Key)] = a.Value.AsInterface()
			}
			one.Events = append(one.Events, event)
		}
		sent = append(sent, one)
	}
	wantWhole(t, sent, tracesOf(t, base, "go sdk"))
	wantUsage(t, base, "go sdk", 0.00021)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
