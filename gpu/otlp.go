package gpu

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
)

// Scope is the instrumentation scope of the metrics that WriteOTLP writes.
const Scope = "smolscope/gpu"

// WriteOTLP writes readings, in order of time, as the metrics of one resource with
// these attributes: a document of OTLP/JSON. Each number is a gauge of the name that
// genai_otel gives it, told apart by gpu_id, gpu_name and gpu_uuid; throttle reasons
// are its three gauges of 0 and 1. The energy counter is OpenTelemetry's hw.energy, a
// cumulative sum in J from the first reading on; where the device began anew, so did
// what it counted, and nothing is lost or counted twice.
func WriteOTLP(w io.Writer, readings []Reading, resource map[string]string) error {
	attributes := make([]otlpAttribute, 0, len(resource))
	for _, key := range slices.Sorted(maps.Keys(resource)) {
		attributes = append(attributes, otlpAttribute{key, otlpText{resource[key]}})
	}
	metrics := []otlpMetric{}
	for _, field := range Fields {
		if field.Metric != "" {
			metrics = field.appendOTLP(metrics, readings)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(throttles)) {
		field := Field{Metric: "gen_ai.gpu.throttle." + name, Unit: "1", Doc: "1 while the clocks are held down for this reason.", Ptr: func(g *GPU) **float64 {
			value := g.throttled(throttles[name])
			return &value
		}}
		metrics = field.appendOTLP(metrics, readings)
	}
	return json.NewEncoder(w).Encode(map[string]any{"resourceMetrics": []any{map[string]any{
		"resource": map[string]any{"attributes": attributes},
		"scopeMetrics": []any{map[string]any{
			"scope":   map[string]string{"name": Scope},
			"metrics": metrics,
		}},
	}}})
}

// throttles are genai_otel's gauges by the reasons that NVML gives.
var throttles = map[string][]string{
	"thermal":     {"sw_thermal_slowdown", "hw_thermal_slowdown"},
	"power":       {"sw_power_cap", "hw_power_brake_slowdown"},
	"hw_slowdown": {"hw_slowdown"},
}

// throttled returns 1 if one of the reasons applies, 0 if none does, and nil where
// the device does not tell.
func (g *GPU) throttled(reasons []string) *float64 {
	switch {
	case g.ThrottleReasons == nil:
		return nil
	case slices.ContainsFunc(g.ThrottleReasons, func(r string) bool { return slices.Contains(reasons, r) }):
		return new(1.0)
	}
	return new(0.0)
}

type otlpText struct {
	Value string `json:"stringValue"`
}

type otlpAttribute struct {
	Key   string   `json:"key"`
	Value otlpText `json:"value"`
}

type otlpPoint struct {
	Attributes []otlpAttribute `json:"attributes"`
	Start      string          `json:"startTimeUnixNano,omitempty"`
	Time       string          `json:"timeUnixNano"`
	Value      float64         `json:"asDouble"`
}

type otlpMetric struct {
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Unit        string     `json:"unit,omitempty"`
	Gauge       *otlpGauge `json:"gauge,omitempty"`
	Sum         *otlpSum   `json:"sum,omitempty"`
}

type otlpGauge struct {
	Points []otlpPoint `json:"dataPoints"`
}

type otlpSum struct {
	Temporality int         `json:"aggregationTemporality"`
	Monotonic   bool        `json:"isMonotonic"`
	Points      []otlpPoint `json:"dataPoints"`
}

// appendOTLP adds the field's points, if there are any.
func (f Field) appendOTLP(metrics []otlpMetric, readings []Reading) []otlpMetric {
	energy := f.Metric == Energy
	var points []otlpPoint
	counters := map[string]*counter{}
	for i := range readings {
		for k := range readings[i].GPUs {
			g := &readings[i].GPUs[k]
			value := *f.Ptr(g)
			if value == nil {
				continue
			}
			p := otlpPoint{Attributes: g.otlpAttributes(), Time: strconv.FormatInt(readings[i].Time.UnixNano(), 10), Value: *value}
			if energy {
				c := counters[g.key()]
				if c == nil {
					c = &counter{start: p.Time, last: *value}
					counters[g.key()] = c
				}
				p.Start, p.Value = c.start, c.to(*value)
				p.Attributes = append(p.Attributes, otlpAttribute{"hw.id", otlpText{g.key()}}, otlpAttribute{"hw.type", otlpText{"gpu"}})
			}
			points = append(points, p)
		}
	}
	if points == nil {
		return metrics
	}
	m := otlpMetric{Name: f.Metric, Description: f.Doc, Unit: f.Unit}
	if energy {
		const cumulative = 2
		m.Sum = &otlpSum{cumulative, true, points}
	} else {
		m.Gauge = &otlpGauge{points}
	}
	return append(metrics, m)
}

func (g *GPU) otlpAttributes() []otlpAttribute {
	list := []otlpAttribute{{"gpu_id", otlpText{g.ID}}}
	if g.Name != "" {
		list = append(list, otlpAttribute{"gpu_name", otlpText{g.Name}})
	}
	if g.UUID != "" {
		list = append(list, otlpAttribute{"gpu_uuid", otlpText{g.UUID}})
	}
	return list
}

// A counter goes on counting where a device's begins anew.
type counter struct {
	start       string
	last, total float64
}

// to returns what was counted from the first value to this one.
func (c *counter) to(value float64) float64 {
	if value < c.last {
		c.last = 0
	}
	c.total += value - c.last
	c.last = value
	return c.total
}
