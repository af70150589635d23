package enrich

import (
	"slices"
	"testing"
)

func TestRename(t *testing.T) {
	for _, tt := range []struct {
		name     string
		reported []string
		want     []string
	}{
		{"alias alone", []string{"gen_ai.usage.cost"}, []string{`gen_ai.usage.cost.total {"reported_as":"gen_ai.usage.cost"}`}},
		{"beside its metric", []string{"gen_ai.server.ttft", "gen_ai.server.time_to_first_token"}, []string{"gen_ai.server.ttft {}", "gen_ai.server.time_to_first_token {}"}},
		{"two aliases of the same calls", []string{"gen_ai.client.operation.time_to_first_chunk", "gen_ai.server.time_to_first_token"},
			[]string{"gen_ai.client.operation.time_to_first_chunk {}", `gen_ai.server.ttft {"reported_as":"gen_ai.server.time_to_first_token"}`}},
		{"types of tokens", []string{"gen_ai.client.token.usage.prompt", "gen_ai.client.token.usage.completion"}, []string{
			`gen_ai.client.token.usage {"gen_ai.token.type":"input","reported_as":"gen_ai.client.token.usage.prompt","token_type":"prompt"}`,
			`gen_ai.client.token.usage {"gen_ai.token.type":"output","reported_as":"gen_ai.client.token.usage.completion","token_type":"completion"}`}},
		{"no alias", []string{"gen_ai.gpu.aggregate.total_power"}, []string{"gen_ai.gpu.aggregate.total_power {}"}},
	} {
		var doc MetricsDoc
		for _, name := range tt.reported {
			doc.Samples = append(doc.Samples, Sample{Metric: name})
		}
		aliases := usableAliases([]MetricsDoc{doc})
		var got []string
		for _, s := range doc.Samples {
			s = rename(s, aliases)
			got = append(got, s.Metric+" "+string(s.Attrs.AppendJSON(nil)))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
