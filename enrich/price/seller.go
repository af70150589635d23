package price

import (
	"cmp"
	"slices"
	"strings"
)

// routes maps the words that begin a model's name, before a slash, to who sells
// it (spec §2.4). Names of organisations on the Hugging Face Hub whose weights
// anyone may run are not among them.
var routes = map[string]string{
	"openai": "openai", "azure": "azure.ai.openai", "anthropic": "anthropic",
	"gemini": "gcp.gemini", "vertex_ai": "gcp.vertex_ai", "bedrock": "aws.bedrock",
	"mistral": "mistral_ai", "cohere": "cohere", "deepseek": "deepseek", "groq": "groq", "perplexity": "perplexity",
	"xai": "x_ai", "moonshot": "moonshot_ai", "watsonx": "ibm.watsonx.ai",
	"together_ai": "together_ai", "together": "together_ai", "ollama": "ollama", "ollama_chat": "ollama",
	"huggingface": "huggingface", "fireworks_ai": "fireworks", "fireworks": "fireworks", "replicate": "replicate",
	"openrouter": "openrouter", "sambanova": "sambanova", "hyperbolic": "hyperbolic", "cerebras": "cerebras",
	"hosted_vllm": "vllm", "vllm": "vllm", "lm_studio": "lm_studio",
}

// vendorsOnOpenRouter are OpenRouter's words for what routes calls otherwise. They
// are the Hub's too.
var vendorsOnOpenRouter = map[string]string{"google": "gcp.gemini", "x-ai": "x_ai"}

// makers sell models of their own. That a call names one of them may be no more
// than the client's: many others are called through OpenAI's.
var makers = map[string]bool{
	"openai": true, "anthropic": true, "gcp.gemini": true, "mistral_ai": true, "cohere": true, "deepseek": true,
	"x_ai": true, "moonshot_ai": true, "perplexity": true, "minimax": true, "zai": true, "zhipuai": true,
}

// runtimes run models on one's own machine, which nobody bills.
var runtimes = []string{"ollama", "transformers", "vllm", "mlx", "lm_studio", "llama_cpp"}

// elsewhere are hosts that the list has no prices of.
var elsewhere = []string{"huggingface", "replicate", "sambanova", "hyperbolic", "ibm.watsonx.ai"}

// carriers pass calls on and say nothing of who sells the model.
var carriers = []string{"litellm", "cometapi", "smolagents", "langchain"}

// made has the beginnings of names that only their maker sells, most specific
// first (spec §2.4, and more of the same kind). What is published as weights is
// not among them, gpt-oss least of all: it may run anywhere. Of Mistral's those
// count that only its own API knows, such as the moving -latest.
var made = []struct{ prefix, maker string }{
	{"gpt-oss", ""},
	{"gpt-", "openai"}, {"chatgpt-", "openai"}, {"o1", "openai"}, {"o3", "openai"}, {"o4", "openai"},
	{"ft:gpt-", "openai"}, {"codex-mini", "openai"}, {"computer-use", "openai"}, {"davinci-002", "openai"}, {"babbage-002", "openai"},
	{"text-embedding-3-", "openai"}, {"text-embedding-ada", "openai"}, {"text-davinci-", "openai"}, {"text-ada-", "openai"},
	{"claude-", "anthropic"}, {"gemini-", "gcp.gemini"}, {"grok-", "x_ai"}, {"sonar", "perplexity"}, {"voyage-", "voyageai"},
	{"codestral", "mistral_ai"}, {"magistral", "mistral_ai"}, {"mistral-small-latest", "mistral_ai"}, {"mistral-large-latest", "mistral_ai"},
	{"mistral-medium", "mistral_ai"}, {"mistral-saba", "mistral_ai"}, {"mistral-tiny", "mistral_ai"}, {"mistral-embed", "mistral_ai"},
	{"ministral-3b-latest", "mistral_ai"}, {"ministral-8b-latest", "mistral_ai"}, {"devstral-small-latest", "mistral_ai"},
	{"pixtral-12b-latest", "mistral_ai"}, {"pixtral-large-latest", "mistral_ai"}, {"voxtral-small-latest", "mistral_ai"},
	{"open-mistral-", "mistral_ai"}, {"open-mixtral-", "mistral_ai"},
	{"deepseek-chat", "deepseek"}, {"deepseek-reasoner", "deepseek"}, {"moonshot-v1-", "moonshot_ai"},
}

// Local reports whether a provider runs models on one's own machine.
func Local(provider string) bool { return slices.Contains(runtimes, provider) }

// Seller returns who sells a model as its name alone tells, whose first word may
// be LiteLLM's of a provider, or "".
func Seller(model string) string {
	if word, _, found := strings.Cut(clean(model), "/"); found {
		return routes[word]
	}
	return makerOf(clean(model))
}

// makerOf returns who alone sells models of a name without a path, or "".
func makerOf(name string) string {
	for _, m := range made {
		if strings.HasPrefix(name, m.prefix) {
			return m.maker
		}
	}
	return ""
}

// sellers returns whose prices count for a model's name, the surest first; none
// when nothing tells.
func (l *List) sellers(model, system string) []string {
	system = clean(system)
	if Local(system) {
		return []string{system}
	}
	path := strings.Split(clean(model), "/")
	name := path[len(path)-1]
	var names []string
	for _, word := range path[:len(path)-1] {
		seller := cmp.Or(routes[word], vendorsOnOpenRouter[word])
		if l.hosts(seller) {
			return l.withFallbacks(append(names, seller))
		}
		if seller != "" {
			names = append(names, seller)
		}
	}
	if l.hosts(system) {
		return l.withFallbacks([]string{system})
	}
	names = append(names, system, makerOf(name))
	if strings.HasPrefix(name, "gpt-oss") {
		names = slices.DeleteFunc(names, func(seller string) bool { return seller == "openai" })
	}
	if bedrockName(name) {
		names = append(names, "aws.bedrock")
	}
	return slices.DeleteFunc(names, func(seller string) bool { return seller == "" || slices.Contains(carriers, seller) })
}

// Why says why Match finds no price, for a reader.
func (l *List) Why(model, system string) string {
	switch sellers := l.sellers(model, system); {
	case len(sellers) == 0:
		return "nothing says who sells it, and it may run anywhere"
	case Local(sellers[0]):
		return "run by " + sellers[0] + " on one's own machine, which is nobody's sale"
	default:
		return "not among the prices of " + sellers[0]
	}
}

// hosts reports whether a provider sells other vendors' models at prices of its
// own, or runs them. OpenRouter is none: what it does not list itself costs what
// its maker asks.
func (l *List) hosts(provider string) bool {
	if provider == "openrouter" || makers[provider] {
		return false
	}
	return l.sold[provider] || l.fallbacks[provider] != nil || slices.Contains(elsewhere, provider) || Local(provider)
}

func (l *List) withFallbacks(names []string) []string {
	return append(names, l.fallbacks[names[len(names)-1]]...)
}

// bedrockName reports whether a name has a vendor, and maybe a region, before it
// as only Amazon Bedrock writes it.
func bedrockName(name string) bool {
	for _, region := range regions {
		name = strings.TrimPrefix(name, region)
	}
	return vendors.MatchString(name)
}
