package enrich

import (
	"strings"

	"smolscope/enrich/attr"
	"smolscope/enrich/price"
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
	"ollama_chat":    "ollama",
	"amazon-bedrock": "aws.bedrock", "azure-openai": "azure.ai.openai", "google.vertex": "gcp.vertex_ai", "vertex.anthropic": "gcp.vertex_ai",
	"hugging_face": "huggingface", "transformers": "huggingface", "inference": "huggingface",
}

// gateways pass calls on: they are the system only if nothing else is known.
var gateways = map[string]bool{
	"litellm": true, "openrouter": true, "cometapi": true, "smolagents": true, "langchain": true,
}

// hosts serve other vendors' models, so that llm.provider tells more than llm.system.
var hosts = map[string]bool{"azure.ai.openai": true, "aws.bedrock": true, "gcp.gemini": true, "gcp.vertex_ai": true}

// apis end the names of Vercel's AI SDK, which are of an API rather than of who
// offers it: openai.responses.
var apis = []string{".chat", ".responses", ".completion", ".messages", ".embedding", ".generative-ai"}

func canonicalSystem(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, api := range apis {
		name = strings.TrimSuffix(name, api)
	}
	if canonical, ok := systemAliases[name]; ok {
		return canonical
	}
	return name
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
	if name := price.Seller(model); name != "" && (!gateways[name] || gateway == "") {
		return name, "model name"
	}
	return gateway, gatewayFrom
}

// providerOf tells how the agent reached the model: ollama, litellm,
// transformers, inference, or "" (spec §3.10 provider), and vllm or mlx, which
// smolagents runs as it does transformers.
func providerOf(s *Span, model string) string {
	if strings.HasPrefix(model, "ollama/") || strings.HasPrefix(model, "ollama_chat/") {
		return "ollama" // before litellm, through which SMOLTRACE drives it
	}
	switch {
	case s.Name == "completion", s.Name == "acompletion", strings.HasPrefix(s.Name, "LiteLLMModel."):
		return "litellm"
	case strings.HasPrefix(s.Name, "TransformersModel."):
		return "transformers"
	case strings.HasPrefix(s.Name, "VLLMModel."):
		return "vllm"
	case strings.HasPrefix(s.Name, "MLXModel."):
		return "mlx"
	case strings.HasPrefix(s.Name, "InferenceClientModel."):
		return "inference"
	}
	if system, _ := s.attrs().Str(attr.Field{"gen_ai.system"}); system == "huggingface" && s.Scope != nil && strings.HasPrefix(s.Scope.Name, "genai_otel") {
		return "transformers"
	}
	return ""
}
