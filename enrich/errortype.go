package enrich

import (
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich/attr"
)

// The classes of errors (spec §3.5), a closed list.
const (
	ErrToolNotFound  = "tool_not_found"
	ErrMaxSteps      = "max_steps"
	ErrParse         = "parse_error"
	ErrTool          = "tool_error"
	ErrContextLength = "context_length"
	ErrContentFilter = "content_filter"
	ErrRateLimit     = "rate_limit"
	ErrAuth          = "auth"
	ErrTimeout       = "timeout"
	ErrConnection    = "connection"
	ErrLLM           = "llm_error"
	ErrUnknown       = "unknown"
)

// errorPatterns are tried in order on the text of an error, case folded; the
// first that fits decides. What an agent did wrong comes before what a provider
// did, because a tool's own timeout is a tool failure, and the specific before
// the general, because LiteLLM nests one class name in another (spec §3.5). A
// class is told by any of its phrases, or by a word that stands alone.
var errorPatterns = []struct {
	class   string
	phrases []string
	words   []string
}{
	{ErrToolNotFound, []string{"is not among the explicitly allowed tools"}, nil},
	{ErrMaxSteps, []string{"agentmaxstepserror", "reached max steps"}, nil},
	{ErrParse, []string{"agentparsingerror", "error in code parsing", "error while parsing tool call from model output"}, nil},
	{ErrTool, []string{"agenttoolcallerror", "agenttoolexecutionerror", "agentexecutionerror", "error executing tool", "error executing request to team member", "interpretererror"}, nil},
	{ErrContextLength, []string{"contextwindowexceeded", "context_length_exceeded", "context length exceeded", "context_length exceeded", "context length_exceeded", "maximum context length", "prompt is too long", "input is too long", "reduce the length of the messages"}, nil},
	{ErrContentFilter, []string{"contentpolicyviolation", "content_policy_violation", "content_filter", "content filter", "safety system", "responsibleaipolicyviolation"}, nil},
	{ErrRateLimit, []string{"ratelimiterror", "rate_limit", "rate limit", "too many requests", "insufficient_quota", "exceeded your current quota", "capacity_exceeded", "capacity exceeded", "throttlingexception"}, []string{"429"}},
	{ErrAuth, []string{"authenticationerror", "permissiondenied", "api_key client option must be set", "invalid_api_key", "invalid api key", "invalid_api key", "invalid api_key", "incorrect api key", "unauthorized", "requires an api key"}, []string{"401", "403"}},
	{ErrTimeout, []string{"apitimeouterror", "litellm.timeout", "timed out", "deadline exceeded", "exceeded the maximum execution time"}, []string{"timeout", "timeouterror", "408"}},
	{ErrConnection, []string{"apiconnectionerror", "connectionerror", "connection error", "connectionrefused", "connection refused", "connectionreset", "connection reset", "connectionaborted", "connection aborted", "name or service not known", "getaddrinfo", "sslerror", "remoteprotocolerror", "peer closed connection"}, nil},
	{ErrLLM, []string{"agentgenerationerror", "error while generating output", "error in generating model output", "litellm.", "openai.", "internalservererror", "serviceunavailable", "badgateway", "badrequesterror", "notfounderror", "unprocessableentity", "apierror"}, nil},
}

// ErrorType returns the class of an error's text, or "" for no text. Texts no
// pattern fits are ErrUnknown.
func ErrorType(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return ""
	}
	if _, rest, ok := strings.Cut(text, "unknown tool "); ok && strings.Contains(rest, ", should be one of") {
		return ErrToolNotFound
	}
	for _, p := range errorPatterns {
		if slices.ContainsFunc(p.phrases, func(s string) bool { return strings.Contains(text, s) }) ||
			slices.ContainsFunc(p.words, func(s string) bool { return containsWord(text, s) }) {
			return p.class
		}
	}
	return ErrUnknown
}

// containsWord reports whether a text holds a word with no letter, digit or
// underscore beside it.
func containsWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if (start == 0 || !isWordByte(text[start-1])) && (end == len(text) || !isWordByte(text[end])) {
			return true
		}
		from = end
	}
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// failed reports whether a span ended in an error. The status alone does not
// tell: the smolagents instrumentor sets OK after an exception in streaming
// runs (spec §0 rule 10).
func failed(s *Span) bool {
	if s.Status == StatusError {
		return true
	}
	for i := range s.Events {
		if s.Events[i].Name == "exception" {
			return true
		}
	}
	return false
}

// errorText gathers what a span says of its error: exception types and
// messages, then the status. Stack traces quote classes that had no part in it
// and are left out.
func errorText(s *Span) string {
	var parts []string
	for i := range s.Events {
		e := &s.Events[i]
		if e.Name != "exception" && e.Name != "agent.step_recovery" {
			continue
		}
		for _, f := range []attr.Field{attr.ExceptionType, attr.ExceptionMessage, {"type"}, {"message"}} {
			if text, key := e.Attrs.Str(f); key != "" {
				parts = append(parts, text)
			}
		}
	}
	if s.Status == StatusError || len(parts) > 0 {
		for _, text := range []string{s.StatusMessage, s.attrs().Get("error.type").Text(), s.attrs().Get("error.message").Text(), s.attrs().Get("mcp.error.message_raw").Text()} {
			if text != "" {
				parts = append(parts, text)
			}
		}
	}
	return strings.Join(parts, "\n")
}

// exceptionMessage returns what a person should read of a span's error, or "".
func exceptionMessage(s *Span) string {
	for i := range s.Events {
		if s.Events[i].Name == "exception" {
			if text, key := s.Events[i].Attrs.Str(attr.ExceptionMessage); key != "" {
				return text
			}
		}
	}
	if s.Status == StatusError {
		return s.StatusMessage
	}
	return ""
}

// spanErrorType classifies the error of one span, "" when it has none. An HTTP
// status or numeric error.type is plainer than any text and comes first.
func spanErrorType(s *Span) string {
	if !failed(s) {
		return ""
	}
	for _, f := range []attr.Field{attr.ErrorType, attr.HTTPStatus} {
		if code, key := s.attrs().Int(f); key != "" {
			if class := httpErrorType(code); class != "" {
				return class
			}
		}
	}
	if class := ErrorType(errorText(s)); class != "" {
		return class
	}
	return ErrUnknown
}

func httpErrorType(code int64) string {
	switch {
	case code == 401 || code == 403:
		return ErrAuth
	case code == 408 || code == 504:
		return ErrTimeout
	case code == 413:
		return ErrContextLength
	case code == 429:
		return ErrRateLimit
	case code >= 400 && code < 600:
		return ErrLLM
	}
	return ""
}

// An Outcome is what became of a test, in one word (design: vocabulary).
type Outcome string

// The outcomes of tests.
const (
	Pass          Outcome = "pass"
	Timeout       Outcome = "timeout"
	MaxSteps      Outcome = "max steps"
	ProviderError Outcome = "provider error"
	Error         Outcome = "error"
	Fail          Outcome = "fail"
	NotScored     Outcome = "not scored"
)

// providerErrors are the classes that the provider, not the agent, is to blame for.
var providerErrors = map[string]bool{
	ErrRateLimit: true, ErrAuth: true, ErrConnection: true, ErrLLM: true, ErrContentFilter: true,
}

// Outcome returns what became of the test: the first outcome that fits.
func (r *ResultRow) Outcome() Outcome {
	if r.Success != nil && *r.Success {
		return Pass
	}
	if r.ErrorType != nil {
		return ErrorOutcome(*r.ErrorType)
	}
	if r.Success != nil {
		return Fail
	}
	return NotScored
}

// ErrorOutcome returns the outcome of a test that did not pass and ended in an
// error of a class.
func ErrorOutcome(class string) Outcome {
	switch {
	case class == ErrTimeout:
		return Timeout
	case class == ErrMaxSteps:
		return MaxSteps
	case providerErrors[class]:
		return ProviderError
	}
	return Error
}

// compact writes a count for a reason: 7161 as "7,161".
func compact(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
