package enrich

import (
	"strings"

	"smolscope/enrich/attr"
)

// systemAliases maps what producers write to OpenTelemetry's names (spec §2.4).
var systemAliases = map[string]string{
	"azure": "azure.ai.openai", "azure_openai": "azure.ai.openai", "az.ai.openai": "azure.ai.openai",
	"gemini": "gcp.gemini", "google": "gcp.gemini", "gcp.gen_ai": "gcp.gemini", "google_ai": "gcp.gemini",
	"vertexai": "gcp.vertex_ai", "vertex_ai": "gcp.vertex_ai",
	"aws_bedrock": "aws.bedrock", "bedrock": "aws.bedrock", "aws": "aws.bedrock", "amazon": "aws.bedrock",
	"mistral": "mistral_ai", "mistralai": "mistral_ai",
	"xai": "x_ai", "grok": "x_ai",
	"moonshot": "moonshot_ai", "watsonx": "ibm.watsonx.ai",
	"together": "together_ai", "togetherai": "together_ai",
	"ollama_chat":  "ollama",
	"hugging_face": "huggingface", "transformers": "huggingface", "inference": "huggingface",
}

// gateways pass calls on: they are the system only if nothing else is known.
var gateways = map[string]bool{
	"litellm": true, "openrouter": true, "cometapi": true, "smolagents": true, "langchain": true,
}

// hosts serve other vendors' models, so that llm.provider tells more than llm.system.
var hosts = map[string]bool{"azure.ai.openai": true, "aws.bedrock": true, "gcp.gemini": true, "gcp.vertex_ai": true}

// modelSystems maps the start of a model's name to its system, most specific
// first; a name ending in "/" is LiteLLM's provider prefix.
var modelSystems = []struct{ prefix, system string }{
	{"openai/", "openai"}, {"azure/", "azure.ai.openai"}, {"anthropic/", "anthropic"},
	{"gemini/", "gcp.gemini"}, {"vertex_ai/", "gcp.vertex_ai"}, {"bedrock/", "aws.bedrock"},
	{"mistral/", "mistral_ai"}, {"cohere/", "cohere"}, {"deepseek/", "deepseek"}, {"groq/", "groq"},
	{"perplexity/", "perplexity"}, {"xai/", "x_ai"}, {"moonshot/", "moonshot_ai"},
	{"watsonx/", "ibm.watsonx.ai"}, {"together_ai/", "together_ai"}, {"ollama/", "ollama"},
	{"ollama_chat/", "ollama"}, {"huggingface/", "huggingface"}, {"fireworks_ai/", "fireworks"},
	{"replicate/", "replicate"}, {"openrouter/", "openrouter"}, {"sambanova/", "sambanova"},
	{"hyperbolic/", "hyperbolic"}, {"cerebras/", "cerebras"},
	{"gpt-", "openai"}, {"chatgpt-", "openai"}, {"o1", "openai"}, {"o3", "openai"}, {"o4", "openai"},
	{"claude-", "anthropic"}, {"codestral", "mistral_ai"}, {"magistral", "mistral_ai"},
}

func canonicalSystem(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if canonical, ok := systemAliases[name]; ok {
		return canonical
	}
	return name
}

// systemFromModel infers the system from a model's name, or returns "". A bare
// "org/name" of the Hugging Face Hub tells nothing.
func systemFromModel(model string) string {
	model = strings.ToLower(model)
	for _, m := range modelSystems {
		if strings.HasPrefix(model, m.prefix) {
			return m.system
		}
	}
	return ""
}

// systemOf returns the system of a logical call from its spans, innermost
// first, and why; the model's name decides only when no attribute does.
func systemOf(spans []*Span, model string) (system, from string) {
	gateway, gatewayFrom := "", ""
	for _, s := range spans {
		vendor, _ := s.attrs().Str(attr.SystemVendor)
		host, hostKey := s.attrs().Str(attr.SystemHost)
		if vendor != "" && hosts[canonicalSystem(host)] {
			return canonicalSystem(host), hostKey
		}
		for _, key := range attr.System {
			word, ok := s.attrs().Get(key).Str()
			if !ok {
				continue
			}
			if name := canonicalSystem(word); !gateways[name] {
				return name, key
			} else if gateway == "" {
				gateway, gatewayFrom = name, key
			}
		}
	}
	if name := systemFromModel(model); name != "" && (!gateways[name] || gateway == "") {
		return name, "model name"
	}
	return gateway, gatewayFrom
}

// runtimes are what smolagents' classes of models run them with, on the machine
// of the agent, by the beginnings of their spans' names.
var runtimes = []struct{ prefix, runtime string }{
	{"VLLMModel.", "vllm"}, {"MLXModel.", "mlx"}, {"TransformersModel.", "transformers"},
}

// runtimeOf returns what a call's model runs with on the machine of the agent, or "".
func runtimeOf(s *Span) string {
	for _, r := range runtimes {
		if strings.HasPrefix(s.Name, r.prefix) {
			return r.runtime
		}
	}
	return ""
}

// providerOf tells how the agent reached the model: ollama, litellm,
// transformers, inference, or "" (spec §3.10 provider).
func providerOf(s *Span, model string) string {
	if strings.HasPrefix(model, "ollama/") || strings.HasPrefix(model, "ollama_chat/") {
		return "ollama" // before litellm, through which SMOLTRACE drives it
	}
	switch {
	case s.Name == "completion", s.Name == "acompletion", strings.HasPrefix(s.Name, "LiteLLMModel."):
		return "litellm"
	case strings.HasPrefix(s.Name, "TransformersModel."):
		return "transformers"
	case strings.HasPrefix(s.Name, "InferenceClientModel."):
		return "inference"
	}
	if system, _ := s.attrs().Str(attr.Field{"gen_ai.system"}); system == "huggingface" && s.Scope != nil && strings.HasPrefix(s.Scope.Name, "genai_otel") {
		return "transformers"
	}
	return ""
}
