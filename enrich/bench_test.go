package enrich_test

import (
	"bytes"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/enrichtest"
)

// BenchmarkEnrich joins and derives a decoded run of 500 tests.
func BenchmarkEnrich(b *testing.B) {
	run := enrichtest.New(enrichtest.Plan{Seed: 1, Tests: 500})
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
			enrich.Enrich(r)
		}
		total += spans
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "spans/s")
}
