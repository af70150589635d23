package enrich

import (
	"math"
	"testing"

	"smolscope/enrich/attr"
)

func event(name string, ms int64, attrs ...attr.KeyValue) Event {
	return Event{Name: name, Time: Time(1e18 + ms*1e6), Attrs: attr.NewSet(attrs)}
}

// A call of one second with 11 completion tokens.
func TestLatency(t *testing.T) {
	for _, tt := range []struct {
		name      string
		attrs     []attr.KeyValue
		events    []Event
		deltas    []Time
		ttft, tbt *float64
	}{
		{"not streamed", nil, nil, nil, nil, nil},
		{"seconds", []attr.KeyValue{kv("gen_ai.server.ttft", 0.2)}, nil, nil, new(0.2), new(0.08)},
		{"milliseconds", []attr.KeyValue{kv("ai.response.msToFirstChunk", 250)}, nil, nil, new(0.25), new(0.075)},
		{"zero is not measured", []attr.KeyValue{kv("gen_ai.server.ttft", 0)}, nil, nil, nil, nil},
		{"after the end", []attr.KeyValue{kv("gen_ai.server.ttft", 1.06)}, nil, nil, nil, nil},
		{"unusable, then usable", []attr.KeyValue{kv("gen_ai.server.ttft", 250), kv("ai.response.msToFirstChunk", 250)}, nil, nil, new(0.25), new(0.075)},
		{"stated time between tokens", []attr.KeyValue{kv("gen_ai.server.ttft", 0.2), kv("gen_ai.server.tbt", 0.01)}, nil, nil, new(0.2), new(0.01)},
		{"Langfuse's quoted time", []attr.KeyValue{kv("langfuse.observation.completion_start_time", `"2001-09-09T01:46:40.4Z"`)}, nil, nil, new(0.4), new(0.06)},
		{"event of the first token", nil, []Event{event("First Token Stream Event", 300)}, nil, new(0.3), new(0.07)},
		{"first of two chunks", nil, []Event{event("gen_ai.content.completion.chunk", 100), event("gen_ai.content.completion.chunk", 900)}, nil, new(0.1), new(0.09)},
		{"SMOLTRACE's stream deltas", nil, nil, []Time{1e18 + 5e8, 1e18 + 9e8}, new(0.5), new(0.05)},
		{"other events say nothing", nil, []Event{event("exception", 100)}, nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := span(1, 0, "completion", 0, 1000, tt.attrs...)
			s.Events = tt.events
			l := newLatency(&s, []*Span{&s}, tt.deltas, new(int64(11)))
			if !close(l.ttft, tt.ttft) || !close(l.tbt, tt.tbt) {
				t.Errorf("ttft %v, tbt %v, want %v, %v", show(l.ttft), show(l.tbt), show(tt.ttft), show(tt.tbt))
			}
		})
	}
}

// Without a token count the time between chunks has to do, and says so.
func TestLatencyFromChunks(t *testing.T) {
	s := span(1, 0, "completion", 0, 1000)
	s.Events = []Event{event("llm.content.completion.chunk", 100), event("llm.content.completion.chunk", 300), event("llm.content.completion.chunk", 700)}
	if l := newLatency(&s, []*Span{&s}, nil, nil); !close(l.tbt, new(0.3)) || !l.fromChunks {
		t.Errorf("tbt %v, from chunks %v, want 0.3 s between three chunks", show(l.tbt), l.fromChunks)
	}
}

func close(a, b *float64) bool {
	return a == nil && b == nil || a != nil && b != nil && math.Abs(*a-*b) < 1e-9
}

func show(v *float64) any {
	if v == nil {
		return "nil"
	}
	return *v
}
