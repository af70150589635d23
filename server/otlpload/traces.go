package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// bodies makes the requests: each of perPost traces of one run, of 4 to 13
// spans, some 1.1 kB each.
func (l *load) bodies() (list [][]byte, spans, size int) {
	r := rand.New(rand.NewPCG(1, 2))
	const begin = 1_790_000_000_000_000_000
	for from := 0; from < l.traces; from += l.perPost {
		m := message{json: l.json, run: len(list) % l.runs}
		for i := from; i < min(from+l.perPost, l.traces); i++ {
			spans += m.trace(r, uint64(i), begin+int64(i)*2e9)
		}
		list = append(list, m.body())
		size += len(list[len(list)-1])
	}
	return list, spans, size
}

// A message is one ExportTraceServiceRequest in the making.
type message struct {
	json  bool
	run   int
	proto []byte
	texts []string
}

type attribute struct {
	key   string
	value any // string or int
}

// trace adds an agent's trace: the agent, and steps of a model call and a tool
// call each.
func (m *message) trace(r *rand.Rand, n uint64, start int64) (spans int) {
	id := n<<8 + 1
	m.span(n, id, 0, "invoke_agent", start, start+1.9e9, attribute{"gen_ai.operation.name", "invoke_agent"}, attribute{"gen_ai.agent.name", "worker"},
		attribute{"input.value", words(r, 60)}, attribute{"output.value", words(r, 60)})
	steps := 2 + r.IntN(5)
	for i := range steps {
		at := start + int64(i)*3e8
		m.span(n, id+uint64(2*i)+1, id, "chat", at, at+2e8, attribute{"gen_ai.operation.name", "chat"}, attribute{"gen_ai.request.model", "gpt-4o-mini"},
			attribute{"gen_ai.provider.name", "openai"}, attribute{"gen_ai.usage.input_tokens", 300 + r.IntN(900)}, attribute{"gen_ai.usage.output_tokens", 20 + r.IntN(200)},
			attribute{"gen_ai.input.messages", words(r, 70)}, attribute{"gen_ai.output.messages", words(r, 30)})
		if i+1 < steps {
			m.span(n, id+uint64(2*i)+2, id, "execute_tool search", at+2e8, at+3e8, attribute{"gen_ai.operation.name", "execute_tool"}, attribute{"gen_ai.tool.name", "search"},
				attribute{"input.value", words(r, 30)}, attribute{"output.value", words(r, 80)})
			spans++
		}
		spans++
	}
	return spans + 1
}

var vocabulary = strings.Fields("the agent asks for weather in a city and finds that it rains while the price of two tickets is more than what was said before so it looks again")

func words(r *rand.Rand, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = vocabulary[r.IntN(len(vocabulary))]
	}
	return strings.Join(list, " ")
}

func (m *message) span(trace, id, parent uint64, name string, start, end int64, attributes ...attribute) {
	traceID := binary.BigEndian.AppendUint64([]byte("otlpload"), trace)
	if m.json {
		var list []string
		for _, a := range attributes {
			list = append(list, a.json())
		}
		above := ""
		if parent != 0 {
			above = fmt.Sprintf(`"parentSpanId":"%016x",`, parent)
		}
		m.texts = append(m.texts, fmt.Sprintf(`{"traceId":"%x","spanId":"%016x",%s"name":%q,"kind":1,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s],"status":{}}`,
			traceID, id, above, name, start, end, strings.Join(list, ",")))
		return
	}
	// Field numbers are those of opentelemetry/proto/trace/v1.
	s := slices.Concat(field(1, traceID), field(2, binary.BigEndian.AppendUint64(nil, id)))
	if parent != 0 {
		s = append(s, field(4, binary.BigEndian.AppendUint64(nil, parent))...)
	}
	s = append(s, field(5, []byte(name))...)
	s = protowire.AppendFixed64(protowire.AppendTag(s, 7, protowire.Fixed64Type), uint64(start))
	s = protowire.AppendFixed64(protowire.AppendTag(s, 8, protowire.Fixed64Type), uint64(end))
	for _, a := range attributes {
		s = append(s, field(9, a.proto())...)
	}
	m.proto = append(m.proto, field(2, s)...)
}

func (m *message) body() []byte {
	resource := []attribute{{"service.name", "otlpload"}, {"run.id", fmt.Sprintf("load-%d", m.run)}}
	if m.json {
		return fmt.Appendf(nil, `{"resourceSpans":[{"resource":{"attributes":[%s,%s]},"scopeSpans":[{"scope":{"name":"otlpload"},"spans":[%s]}]}]}`,
			resource[0].json(), resource[1].json(), strings.Join(m.texts, ","))
	}
	attributes := append(field(1, resource[0].proto()), field(1, resource[1].proto())...)
	scope := field(1, field(1, []byte("otlpload")))
	return field(1, append(field(1, attributes), field(2, append(scope, m.proto...))...))
}

func (a attribute) json() string {
	if n, ok := a.value.(int); ok {
		return fmt.Sprintf(`{"key":%q,"value":{"intValue":"%d"}}`, a.key, n)
	}
	text, _ := json.Marshal(a.value)
	return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%s}}`, a.key, text)
}

func (a attribute) proto() []byte {
	var value []byte
	switch v := a.value.(type) {
	case int:
		value = protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), uint64(v))
	case string:
		value = field(1, []byte(v))
	}
	return append(field(1, []byte(a.key)), field(2, value)...)
}

// field encodes a field of bytes.
func field(number protowire.Number, text []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), text)
}
