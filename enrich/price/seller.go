package price

import (
	"slices"
	"strings"
)

// routes maps the words that begin a model's name, before a slash, to who sells
// it (spec §2.4; OpenRouter's spellings too). Names of organisations on the
// Hugging Face Hub whose weights anyone may run are not among them.
var routes = map[string]string{
	"openai": "openai", "azure": "azure.ai.openai", "anthropic": "anthropic",
	"gemini": "gcp.gemini", "google": "gcp.gemini", "vertex_ai": "gcp.vertex_ai", "bedrock": "aws.bedrock",
	"mistral": "mistral_ai", "cohere": "cohere", "deepseek": "deepseek", "groq": "groq", "perplexity": "perplexity",
	"xai": "x_ai", "x-ai": "x_ai", "moonshot": "moonshot_ai", "watsonx": "ibm.watsonx.ai",
	"together_ai": "together_ai", "together": "together_ai", "ollama": "ollama", "ollama_chat": "ollama",
	"huggingface": "huggingface", "fireworks_ai": "fireworks", "fireworks": "fireworks", "replicate": "replicate",
	"openrouter": "openrouter", "sambanova": "sambanova", "hyperbolic": "hyperbolic", "cerebras": "cerebras",
	"hosted_vllm": "vllm", "vllm": "vllm", "lm_studio": "lm_studio",
}

// makers sell models of their own. That a call names one of them may be no more
// than the client's: many others are called through OpenAI's.
var makers = map[string]bool{
	"openai": true, "anthropic": true, "gcp.gemini": true, "mistral_ai": true, "cohere": true, "deepseek": true,
	"x_ai": true, "moonshot_ai": true, "perplexity": true, "minimax": true, "zai": true, "zhipuai": true,
}

// elsewhere are hosts and local runtimes that the list has no prices of.
var elsewhere = []string{
	"ollama", "huggingface", "transformers", "vllm", "mlx", "lm_studio", "llama_cpp",
	"replicate", "sambanova", "hyperbolic", "ibm.watsonx.ai",
}

// carriers pass calls on and say nothing of who sells the model.
var carriers = []string{"litellm", "cometapi", "smolagents", "langchain"}

// made has the beginnings of names that only their maker gives, most specific
// first (spec §2.4, and Google's, xAI's and DeepSeek's); gpt-oss is weights.
var made = []struct{ prefix, maker string }{
	{"gpt-oss", ""},
	{"gpt-", "openai"}, {"chatgpt-", "openai"}, {"o1", "openai"}, {"o3", "openai"}, {"o4", "openai"},
	{"claude-", "anthropic"}, {"codestral", "mistral_ai"}, {"magistral", "mistral_ai"},
	{"gemini-", "gcp.gemini"}, {"grok-", "x_ai"}, {"deepseek-chat", "deepseek"}, {"deepseek-reasoner", "deepseek"},
}

// sellers returns whose prices count for a model's name, the surest first, and
// whether any maker's do because nothing is known (see Match).
func (l *List) sellers(model, system string) (names []string, anyone bool) {
	system = clean(system)
	path := strings.Split(clean(model), "/")
	name := path[len(path)-1]
	for _, word := range path[:len(path)-1] {
		seller := routes[word]
		if l.hosts(seller) {
			return l.withFallbacks(append(names, seller)), false
		}
		if seller != "" {
			names = append(names, seller)
		}
	}
	if l.hosts(system) {
		return l.withFallbacks([]string{system}), false
	}
	names = append(names, system, makerOf(name))
	if strings.HasPrefix(name, "gpt-oss") {
		names = slices.DeleteFunc(names, func(seller string) bool { return seller == "openai" })
	}
	names = slices.DeleteFunc(names, func(seller string) bool { return seller == "" || slices.Contains(carriers, seller) })
	return names, len(names) == 0 && len(path) == 1
}

// hosts reports whether a provider sells other vendors' models at prices of its
// own. OpenRouter is none: what it does not list itself costs what its maker asks.
func (l *List) hosts(provider string) bool {
	if provider == "openrouter" || makers[provider] {
		return false
	}
	return l.sold[provider] || l.fallbacks[provider] != nil || slices.Contains(elsewhere, provider)
}

func (l *List) withFallbacks(names []string) []string {
	return append(names, l.fallbacks[names[len(names)-1]]...)
}

func makerOf(name string) string {
	for _, m := range made {
		if strings.HasPrefix(name, m.prefix) {
			return m.maker
		}
	}
	return ""
}
