package enrich

import (
	"slices"

	"smolscope/enrich/attr"
)

// A metricAlias is another name that producers give to a metric of the seed
// (spec §4.3).
type metricAlias struct {
	metric, alias string
	tokenType     string // that the alias has in its name
}

// metricAliases lists the aliases, of one metric the preferred first.
var metricAliases = []metricAlias{
	{"gen_ai.server.ttft", "gen_ai.server.time_to_first_token", ""},
	{"gen_ai.server.ttft", "gen_ai.client.operation.time_to_first_chunk", ""},
	{"gen_ai.server.tbt", "gen_ai.server.time_per_output_token", ""},
	{"gen_ai.server.tbt", "gen_ai.client.operation.time_per_output_chunk", ""},
	{"gen_ai.usage.cost.total", "gen_ai.usage.cost", ""},
	{"gen_ai.client.token.usage", "gen_ai.client.token.usage.prompt", "input"},
	{"gen_ai.client.token.usage", "gen_ai.client.token.usage.completion", "output"},
	{"gen_ai.client.operation.duration", "gen_ai.server.request.duration", ""},
}

// oldTokenTypes are genai_otel's words for OpenTelemetry's types of tokens.
var oldTokenTypes = map[string]string{"input": "prompt", "output": "completion"}

// usableAliases returns the aliases that stand for their metric in these files:
// where a file reports the metric by its own name, or by a preferred alias, a
// further one counts the same calls again and stays what it is.
func usableAliases(docs []MetricsDoc) map[string]metricAlias {
	reported := map[string]bool{}
	for i := range docs {
		for _, list := range [][]Sample{docs[i].Samples, docs[i].Aggregates} {
			for k := range list {
				reported[list[k].Metric] = true
			}
		}
	}
	usable := map[string]metricAlias{}
	taken := map[string]bool{} // metric and token type
	for _, a := range metricAliases {
		if key := a.metric + a.tokenType; reported[a.alias] && !reported[a.metric] && !taken[key] {
			usable[a.alias], taken[key] = a, true
		}
	}
	return usable
}

// rename gives a sample the name of the metric that its own name is an alias
// of, and keeps its own as an attribute.
func rename(s Sample, aliases map[string]metricAlias) Sample {
	a, ok := aliases[s.Metric]
	if !ok {
		return s
	}
	s.Attrs = attr.NewSet(append(slices.Clone(s.Attrs), label("reported_as", s.Metric),
		label("gen_ai.token.type", a.tokenType), label("token_type", oldTokenTypes[a.tokenType])))
	s.Metric = a.metric
	return s
}
