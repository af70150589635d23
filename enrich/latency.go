package enrich

import (
	"strings"

	"smolscope/enrich/attr"
)

// ttftSources are the attributes that state a time to first token, in the order
// in which they are believed, with the seconds in one of their units (spec §2.2).
var ttftSources = []struct {
	key     string
	seconds float64
}{
	{"gen_ai.server.time_to_first_token", 1},
	{"gen_ai.server.ttft", 1},
	{"gen_ai.response.time_to_first_chunk", 1},
	{"gen_ai.response.time_to_first_token", 1},
	{"llm.time_to_first_token", 1},
	{"ai.response.msToFirstChunk", 1e-3},
	{"ai.stream.msToFirstChunk", 1e-3},
}

// tokenEvents are the events that mark a token, or a chunk of tokens, of a
// streamed answer (spec §3.7).
var tokenEvents = map[string]bool{
	"First Token Stream Event":        true, // OpenInference
	"llm.content.completion.chunk":    true, // Traceloop
	"gen_ai.content.completion.chunk": true,
}

// A latency is how a streamed call delivered its tokens. A call that does not
// stream has neither value; its latency is its duration.
type latency struct {
	ttft       *float64 // seconds to the first token
	ttftFrom   string
	tbt        *float64 // seconds between tokens
	tbtFrom    string
	fromChunks bool // tbt is between chunks, each of which may hold several tokens
}

// newLatency derives the latencies of a logical call (spec §3.7) from its LLM
// spans, innermost first, from the times of SMOLTRACE's stream deltas within
// it, and from its completion tokens.
func newLatency(call *Span, spans []*Span, deltas []Time, completion *int64) latency {
	var l latency
	length, known := call.Duration()
	accept := func(seconds float64, from string) bool {
		if seconds <= 0 || known && seconds > 1.05*float64(length)/1e9 {
			return false // zero means not measured, and no token comes after the end
		}
		l.ttft, l.ttftFrom = new(seconds), from
		return true
	}
	l.readTTFT(spans, deltas, call, accept)
	l.readTBT(spans, deltas, completion, length, known)
	return l
}

func (l *latency) readTTFT(spans []*Span, deltas []Time, call *Span, accept func(float64, string) bool) {
	for _, s := range spans {
		for _, source := range ttftSources {
			if v, ok := s.attrs().Get(source.key).Float(); ok && accept(v*source.seconds, "attribute "+source.key) {
				return
			}
		}
		for _, key := range attr.CompletionStartTime {
			if at, ok := momentOf(s.attrs().Get(key)); ok && s.Start != 0 && accept(seconds(at-s.Start), "attribute "+key) {
				return
			}
		}
	}
	for _, s := range spans {
		for i := range s.Events {
			if e := &s.Events[i]; tokenEvents[e.Name] && s.Start != 0 && e.Time != 0 {
				if accept(seconds(e.Time-s.Start), "first event "+e.Name) {
					return
				}
				break // of the first one only: a later token is not the first
			}
		}
	}
	for _, at := range deltas {
		if accept(seconds(at-call.Start), "first step event of type ChatMessageStreamDelta") {
			return
		}
	}
}

func (l *latency) readTBT(spans []*Span, deltas []Time, completion *int64, length int64, known bool) {
	for _, s := range spans {
		for _, key := range []string{"gen_ai.server.time_per_output_token", "gen_ai.server.tbt"} {
			if v, ok := s.attrs().Get(key).Float(); ok && v > 0 {
				l.tbt, l.tbtFrom = new(v), "attribute "+key
				return
			}
		}
	}
	if l.ttft != nil && known && completion != nil && *completion >= 2 {
		l.tbt = new(max(float64(length)/1e9-*l.ttft, 0) / float64(*completion-1))
		l.tbtFrom = "(duration − time to first token) / (completion tokens − 1)"
		return
	}
	for _, s := range spans {
		var times []Time
		for i := range s.Events {
			if tokenEvents[s.Events[i].Name] && s.Events[i].Time != 0 {
				times = append(times, s.Events[i].Time)
			}
		}
		if l.gaps(times) {
			return
		}
	}
	l.gaps(deltas)
}

// gaps takes the mean time between chunks, if there are two or more.
func (l *latency) gaps(times []Time) bool {
	if len(times) < 2 {
		return false
	}
	first, last := times[0], times[0]
	for _, t := range times {
		first, last = min(first, t), max(last, t)
	}
	if last == first {
		return false
	}
	l.tbt = new(seconds(last-first) / float64(len(times)-1))
	l.tbtFrom = "mean time between streamed chunks, which may hold several tokens each"
	l.fromChunks = true
	return true
}

func seconds(ns Time) float64 { return float64(ns) / 1e9 }

// momentOf reads a time that a producer may have quoted twice, as Langfuse does.
func momentOf(v attr.Value) (Time, bool) {
	if v.IsNull() {
		return 0, false
	}
	if ns, ok := v.Nanos(); ok {
		return Time(ns), true
	}
	c, ok := parseClock(strings.Trim(v.Text(), `"`))
	return Time(c.wall), ok && !c.naive
}

// streamDeltas returns the times of SMOLTRACE's stream deltas within a span.
func (f *facts) streamDeltas(within *Span) []Time {
	var list []Time
	for _, at := range f.deltas {
		if at >= within.Start && at <= within.End {
			list = append(list, at)
		}
	}
	return list
}

// firstTTFT returns the time to first token of the earliest call that has one.
func (f *facts) firstTTFT() (v *float64, from string) {
	for i := range f.calls {
		if l := &f.calls[i].latency; l.ttft != nil {
			return l.ttft, l.ttftFrom
		}
	}
	return nil, ""
}

// meanTBT returns the mean time between tokens over the calls that have one,
// and whether any of them is measured between chunks.
func (f *facts) meanTBT() (v *float64, fromChunks bool) {
	var s sum[float64]
	for i := range f.calls {
		s.add(f.calls[i].latency.tbt)
		fromChunks = fromChunks || f.calls[i].latency.fromChunks
	}
	return s.mean(), fromChunks
}
