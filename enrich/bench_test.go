package enrich_test

import (
	"bytes"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
)

// BenchmarkEnrich joins and derives decoded runs of some 8,000 spans: many short
// tests, as evaluations are, and few long ones.
func BenchmarkEnrich(b *testing.B) {
	for _, bb := range []struct {
		name string
		plan enrichtest.Plan
	}{
		{"short", enrichtest.Plan{Seed: 1, Tests: 500}},
		{"long", enrichtest.Plan{Seed: 1, Tests: 8, Steps: 200}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			run := enrichtest.New(bb.plan)
			decoded := func() (list []*enrich.Part, spans int) {
				for name, raw := range run.Files {
					part, _ := decode.Read(name, bytes.NewReader(raw))
					list = append(list, part)
					spans += part.Spans()
				}
				return list, spans
			}
			total := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				list, spans := decoded()
				b.StartTimer()
				for _, r := range enrich.Assemble(list) {
					enrich.Enrich(r, enrich.DefaultOptions())
				}
				total += spans
			}
			b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "spans/s")
			b.ReportMetric(float64(total)/float64(b.N), "spans/op")
		})
	}
}
