package enrich

import (
	"strings"

	"smolscope/enrich/attr"
)

// A Role is what a span does in an agent's run, whatever convention says so
// (spec §2.2 span_kind). OpenTelemetry's own span kind is SpanKind.
type Role string

// The roles of spans.
const (
	RoleTest      Role = "TEST"
	RoleAgent     Role = "AGENT"
	RoleLLM       Role = "LLM"
	RoleTool      Role = "TOOL"
	RoleChain     Role = "CHAIN"
	RoleEmbedding Role = "EMBEDDING"
	RoleRetriever Role = "RETRIEVER"
	RoleReranker  Role = "RERANKER"
	RoleGuardrail Role = "GUARDRAIL"
	RoleEvaluator Role = "EVALUATOR"
	RolePrompt    Role = "PROMPT"
	RoleUnknown   Role = "UNKNOWN"
)

var openInferenceRoles = map[string]Role{
	"LLM": RoleLLM, "AGENT": RoleAgent, "TOOL": RoleTool, "CHAIN": RoleChain,
	"EMBEDDING": RoleEmbedding, "RETRIEVER": RoleRetriever, "RERANKER": RoleReranker,
	"GUARDRAIL": RoleGuardrail, "EVALUATOR": RoleEvaluator, "PROMPT": RolePrompt,
}

var operationRoles = map[string]Role{
	"chat": RoleLLM, "text_completion": RoleLLM, "completion": RoleLLM,
	"generate_content": RoleLLM, "generate": RoleLLM, "text_generation": RoleLLM,
	"embeddings": RoleEmbedding, "embedding": RoleEmbedding,
	"invoke_agent": RoleAgent, "create_agent": RoleAgent, "agent_step": RoleAgent,
	"invoke_workflow": RoleAgent, "plan": RoleAgent,
	"execute_tool": RoleTool, "retrieval": RoleRetriever,
}

var traceloopRoles = map[string]Role{
	"workflow": RoleChain, "task": RoleChain, "agent": RoleAgent, "tool": RoleTool,
}

var langfuseRoles = map[string]Role{
	"generation": RoleLLM, "agent": RoleAgent, "tool": RoleTool, "chain": RoleChain,
	"retriever": RoleRetriever, "embedding": RoleEmbedding, "evaluator": RoleEvaluator,
	"guardrail": RoleGuardrail, "span": RoleChain,
}

var requestRoles = map[string]Role{
	"chat": RoleLLM, "completion": RoleLLM, "embedding": RoleEmbedding,
}

// vercelRoles has the operations of Vercel's AI SDK: ai.generateText is a loop
// of steps, of which each has a doGenerate, and sums up their tokens.
var vercelRoles = map[string]Role{
	"generatetext": RoleAgent, "streamtext": RoleAgent, "generateobject": RoleAgent, "streamobject": RoleAgent,
	"generatetext.dogenerate": RoleLLM, "streamtext.dostream": RoleLLM,
	"generateobject.dogenerate": RoleLLM, "streamobject.dostream": RoleLLM,
	"embed": RoleChain, "embedmany": RoleChain, "embed.doembed": RoleEmbedding, "embedmany.doembed": RoleEmbedding,
	"toolcall": RoleTool,
}

// vercelOperation returns the operation without what may stand around it: its
// prefix, and in operation.name the name of a function of the application.
func vercelOperation(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(name), " ")
	return strings.TrimPrefix(name, "ai.")
}

// roleVocabularies are read in turn: the first attribute whose value its
// vocabulary knows decides (spec §2.2 span_kind, rules 2 to 6, and Vercel's).
var roleVocabularies = []struct {
	field attr.Field
	fold  func(string) string
	roles map[string]Role
}{
	{attr.OpenInferenceKind, strings.ToUpper, openInferenceRoles},
	{attr.OperationName, strings.ToLower, operationRoles},
	{attr.TraceloopKind, strings.ToLower, traceloopRoles},
	{attr.LangfuseType, strings.ToLower, langfuseRoles},
	{attr.RequestType, strings.ToLower, requestRoles},
	{attr.VercelOperation, vercelOperation, vercelRoles},
}

// RoleOf returns the role of a span by the first rule of spec §2.2 that fits.
func RoleOf(s *Span) Role {
	if s.Name == "test_evaluation" || !s.attrs().Get("test.id").IsNull() {
		return RoleTest
	}
	for _, v := range roleVocabularies {
		if word, key := s.attrs().Str(v.field); key != "" {
			if role, ok := v.roles[v.fold(word)]; ok {
				return role
			}
		}
	}
	if _, key := s.attrs().Str(attr.ToolNameOnly); key != "" {
		return RoleTool
	}
	if strings.HasSuffix(s.Name, ".run") && (strings.Contains(s.Name, "Agent") || !s.attrs().Get("smolagents.max_steps").IsNull()) {
		return RoleAgent
	}
	if isStep(s.Name) {
		return RoleChain
	}
	if _, key := s.attrs().Str(attr.ModelOnly); key != "" {
		return RoleLLM
	}
	return RoleUnknown
}

// isStep reports whether a name is "Step N", as smolagents names its steps.
func isStep(name string) bool {
	digits, ok := strings.CutPrefix(name, "Step ")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// AgentTypeOf returns the kind of smolagents agent that an AGENT span or its
// class name tells, or "".
func AgentTypeOf(name string) string {
	switch {
	case strings.Contains(name, "CodeAgent"):
		return "code"
	case strings.Contains(name, "ToolCallingAgent"):
		return "tool"
	}
	return ""
}
