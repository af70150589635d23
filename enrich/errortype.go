package enrich

import (
	"regexp"
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

// errorPatterns are tried in order on the text of an error; the first that
// fits decides. What an agent did wrong comes before what a provider did,
// because a tool's own timeout is a tool failure, and the specific before the
// general, because LiteLLM nests one class name in another (spec §3.5).
var errorPatterns = []struct {
	class   string
	pattern *regexp.Regexp
}{
	{ErrToolNotFound, errorPattern(`Unknown tool .+?, should be one of`, `is not among the explicitly allowed tools`)},
	{ErrMaxSteps, errorPattern(`AgentMaxStepsError`, `Reached max steps`)},
	{ErrParse, errorPattern(`AgentParsingError`, `Error in code parsing`, `Error while parsing tool call from model output`)},
	{ErrTool, errorPattern(`AgentToolCallError`, `AgentToolExecutionError`, `AgentExecutionError`, `Error executing (tool|request to team member)`, `InterpreterError`)},
	{ErrContextLength, errorPattern(`ContextWindowExceeded`, `context[_ ]length[_ ]exceeded`, `maximum context length`, `prompt is too long`, `input is too long`, `reduce the length of the messages`)},
	{ErrContentFilter, errorPattern(`ContentPolicyViolation`, `content_policy_violation`, `content[_ ]filter`, `safety system`, `ResponsibleAIPolicyViolation`)},
	{ErrRateLimit, errorPattern(`RateLimitError`, `rate[_ ]limit`, `\b429\b`, `Too Many Requests`, `insufficient_quota`, `exceeded your current quota`, `capacity[_ ]exceeded`, `ThrottlingException`)},
	{ErrAuth, errorPattern(`AuthenticationError`, `PermissionDenied`, `\b401\b`, `\b403\b`, `api_key client option must be set`, `invalid[_ ]api[_ ]key`, `Incorrect API key`, `Unauthorized`, `requires an API key`)},
	{ErrTimeout, errorPattern(`APITimeoutError`, `litellm\.Timeout`, `\bTimeout(Error)?\b`, `timed out`, `\b408\b`, `deadline exceeded`, `exceeded the maximum execution time`)},
	{ErrConnection, errorPattern(`APIConnectionError`, `Connection ?(Error|refused|reset|aborted)`, `Name or service not known`, `getaddrinfo`, `SSLError`, `RemoteProtocolError`, `peer closed connection`)},
	{ErrLLM, errorPattern(`AgentGenerationError`, `Error while generating output`, `Error in generating model output`, `litellm\.`, `openai\.`, `InternalServerError`, `ServiceUnavailable`, `BadGateway`, `BadRequestError`, `NotFoundError`, `UnprocessableEntity`, `APIError\b`)},
}

func errorPattern(alternatives ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?is)` + strings.Join(alternatives, "|"))
}

// ErrorType returns the class of an error's text, or "" for no text. Texts no
// pattern fits are ErrUnknown.
func ErrorType(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	for _, p := range errorPatterns {
		if p.pattern.MatchString(text) {
			return p.class
		}
	}
	return ErrUnknown
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
		for _, text := range []string{s.StatusMessage, s.Attrs.Get("error.type").Text(), s.Attrs.Get("error.message").Text(), s.Attrs.Get("mcp.error.message_raw").Text()} {
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
		if code, key := s.Attrs.Int(f); key != "" {
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
