package enrichtest

import (
	"strconv"
	"time"
)

// metrics is the metrics file: what the exporter sent every ten seconds, and the
// aggregates of the run.
func (m *maker) metrics() map[string]any {
	batches := []any{}
	if m.plan.Model.GPU != "" {
		end := m.now
		for now := m.plan.Start.UnixNano(); now <= end; now += int64(10 * time.Second) {
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

// gpuBatch is one export of the GPU's gauges. A whole number is written as an
// integer in a string, so one series changes its type from batch to batch.
func (m *maker) gpuBatch(now int64) map[string]any {
	busy := m.rand.Float64()
	point := func(v float64) map[string]any {
		p := map[string]any{"timeUnixNano": strconv.FormatInt(now, 10), "asInt": nil, "asDouble": nil, "attributes": []any{
			map[string]any{"key": "gpu_id", "value": map[string]any{"stringValue": "0"}},
			map[string]any{"key": "gpu_name", "value": map[string]any{"stringValue": m.plan.Model.GPU}},
		}}
		if v == float64(int64(v)) {
			p["asInt"] = strconv.FormatInt(int64(v), 10)
		} else {
			p["asDouble"] = v
		}
		return p
	}
	gauge := func(name, unit string, v float64) map[string]any {
		return map[string]any{"name": name, "unit": unit, "gauge": map[string]any{"dataPoints": []any{point(v)}}}
	}
	return map[string]any{
		"resource": map[string]any{"attributes": []any{
			map[string]any{"key": "service.name", "value": map[string]any{"stringValue": "smoltrace-eval"}},
			map[string]any{"key": "run.id", "value": map[string]any{"stringValue": m.runID}},
		}},
		"scopeMetrics": []any{map[string]any{
			"scope": map[string]any{"name": "genai.gpu", "version": nil},
			"metrics": []any{
				gauge("gen_ai.gpu.utilization", "%", float64(int(busy*100))),
				gauge("gen_ai.gpu.memory.used", "MiB", 14210+float64(int(busy*600))),
				gauge("gen_ai.gpu.memory.total", "MiB", 23034),
				gauge("gen_ai.gpu.temperature", "Cel", float64(48+int(busy*20))),
				gauge("gen_ai.gpu.power", "W", 18+m.plan.Model.Watts*busy*0.8),
			},
		}},
	}
}
