package enrichtest

import (
	"strconv"
	"time"
)

// metrics is the metrics file: what the exporter sent every ten seconds, with a
// reading of each GPU for every second of them, and the aggregates of the run.
func (m *maker) metrics() map[string]any {
	batches := []any{}
	if m.plan.Model.GPU != "" {
		end := m.now
		for now := m.plan.Start.UnixNano(); now <= end; now += int64(exportEvery) {
			batches = append(batches, m.gpuBatch(now))
		}
	}
	value := func(v any) map[string]any { return map[string]any{"value": v} }
	aggregate := func(name, kind, unit string, v any, attributes map[string]any) map[string]any {
		a := map[string]any{"name": name, "type": kind, "data_points": []any{map[string]any{"value": v, "attributes": attributes}}}
		if unit != "" {
			a["unit"] = unit
		}
		return a
	}
	s := m.stored()
	none := map[string]any{}
	return map[string]any{
		"run_id":          m.runID,
		"resourceMetrics": batches,
		"aggregates": []any{
			aggregate("tests.successful", "counter", "", value(m.truth.Passed), map[string]any{"total_tests": len(m.results), "success_rate": s.successRate}),
			aggregate("tests.tool_calls", "histogram", "", histogram(s.toolCalls, len(m.results)), none),
			aggregate("tests.steps", "histogram", "", histogram(s.steps, len(m.results)), none),
			aggregate("llm.token_count.total", "sum", "tokens", value(s.tokens), none),
			aggregate("gen_ai.usage.cost.total", "sum", "USD", value(s.cost), none),
			aggregate("gen_ai.co2.emissions", "sum", "gCO2e", value(float64(s.tokens)/1000*0.0004), none),
		},
	}
}

func histogram(sum, count int) map[string]any {
	return map[string]any{"sum": sum, "count": count, "avg": float64(sum) / float64(count)}
}

// gpuBatch is one export of the GPUs' gauges, a point a second. A whole number is
// written as an integer in a string, so one series changes its type from point
// to point.
func (m *maker) gpuBatch(from int64) map[string]any {
	point := func(gpu int, now int64, v float64) map[string]any {
		p := map[string]any{"timeUnixNano": strconv.FormatInt(now, 10), "asInt": nil, "asDouble": nil, "attributes": []any{
			map[string]any{"key": "gpu_id", "value": map[string]any{"stringValue": strconv.Itoa(gpu)}},
			map[string]any{"key": "gpu_name", "value": map[string]any{"stringValue": m.plan.Model.GPU}},
		}}
		if v == float64(int64(v)) {
			p["asInt"] = strconv.FormatInt(int64(v), 10)
		} else {
			p["asDouble"] = v
		}
		return p
	}
	gauges := []struct {
		name, unit string
		read       func(busy float64) float64
	}{
		{"gen_ai.gpu.utilization", "%", func(busy float64) float64 { return float64(int(busy * 100)) }},
		{"gen_ai.gpu.memory.used", "MiB", func(busy float64) float64 { return 14210 + float64(int(busy*600)) }},
		{"gen_ai.gpu.memory.total", "MiB", func(float64) float64 { return 23034 }},
		{"gen_ai.gpu.temperature", "Cel", func(busy float64) float64 { return float64(48 + int(busy*20)) }},
		{"gen_ai.gpu.power", "W", func(busy float64) float64 { return 18 + m.plan.Model.Watts*busy*0.8 }},
	}
	points := make([][]any, len(gauges))
	for now := from; now < from+int64(exportEvery) && now <= m.now+int64(time.Second); now += int64(time.Second) {
		for gpu := range max(1, m.plan.GPUs) {
			busy := m.rand.Float64()
			for i, g := range gauges {
				points[i] = append(points[i], point(gpu, now, g.read(busy)))
			}
		}
	}
	metrics := make([]any, len(gauges))
	for i, g := range gauges {
		metrics[i] = map[string]any{"name": g.name, "unit": g.unit, "gauge": map[string]any{"dataPoints": points[i]}}
	}
	return map[string]any{
		"resource": map[string]any{"attributes": []any{
			map[string]any{"key": "service.name", "value": map[string]any{"stringValue": "smoltrace-eval"}},
			map[string]any{"key": "run.id", "value": map[string]any{"stringValue": m.runID}},
		}},
		"scopeMetrics": []any{map[string]any{
			"scope":   map[string]any{"name": "genai.gpu", "version": nil},
			"metrics": metrics,
		}},
	}
}

const exportEvery = 10 * time.Second
