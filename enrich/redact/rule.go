// Package redact masks what should not leave with a run: keys and passwords,
// names of people, and, if asked for, all text that agents read and wrote. Numbers,
// times, ids and models stay, so that a masked run tells the same story.
package redact

import (
	"regexp"
	"strings"
)

// A Rule finds one kind of secret in a text.
type Rule struct {
	Name  string // stands in for what is masked: "[e-mail masked]"
	Means string // one sentence: what it finds

	near []string // without one of these, in these cases, there is none: searching for them is quick
	find *regexp.Regexp
	mask string // what a find becomes
}

// rule makes a Rule. Where the pattern has a group named keep, that part stays.
func rule(name, means, pattern string, near ...string) Rule {
	r := Rule{Name: name, Means: means, near: near, find: regexp.MustCompile(pattern), mask: "[" + name + " masked]"}
	if r.find.SubexpIndex("keep") >= 0 {
		r.mask = "${keep}" + r.mask
	}
	return r
}

// Rules are all that secrets are found by, in the order in which they are
// applied: the surest first.
var Rules = []Rule{
	rule("private key", "A private key in PEM.",
		`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`, "PRIVATE KEY"),
	rule("API key", "A key by the form that its issuer gives it: of OpenAI, Anthropic, Hugging Face, GitHub, GitLab, Google, AWS, Slack, Stripe, Groq, Replicate, Langfuse, LangSmith, npm, SendGrid.",
		`\b(?:sk-[A-Za-z0-9_-]{16,}|pk-lf-[A-Za-z0-9-]{12,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}`+
			`|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|A[KS]IA[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|gsk_[A-Za-z0-9]{20,}`+
			`|r8_[A-Za-z0-9]{20,}|lsv2_[A-Za-z0-9_]{20,}|npm_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})`,
		"sk-", "pk-lf-", "k_live_", "k_test_", "hf_", "gh", "glpat-", "xox", "KIA", "SIA", "AIza", "ya29.", "gsk_", "r8_", "lsv2_", "npm_", "SG."),
	rule("token", "A JSON Web Token.", `\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*`, "eyJ"),
	rule("token", "What follows the word Bearer.", `(?P<keep>\b(?i:bearer) +)[A-Za-z0-9._~+/=-]{12,}`, "earer ", "EARER "),
	rule("token", "What follows the word Basic.", `(?P<keep>\b(?i:basic) +)[A-Za-z0-9+/]{16,}=*`, "asic ", "ASIC "),
	rule("password", "The password of an address.", `(?P<keep>://[^/\s:@"']*:)[^/\s@"']+@`, "://"),
	rule("secret", "What is said to be a key, token, secret or password, such as password=….",
		`(?P<keep>(?i:api[_-]?key|secret(?:[_-]?(?:access[_-]?)?key)?|access[_-]?token|auth[_-]?token|token|passw(?:or)?d|cookie)\\*["']?\s*[:=]\s*\\*["']?)[^\s"'\\&,;<>\[\]{}()]{6,}`,
		"key", "Key", "KEY", "ecret", "ECRET", "oken", "OKEN", "assw", "ASSW", "ookie", "COOKIE"),
	rule("secret", "A header named Authorization.", `(?P<keep>(?i:authorization)\\*["']?\s*[:=]\s*\\*["']?)[^\s"'\\&,;<>\[\]{}()]{8,}`, "uthorization", "AUTHORIZATION"),
	rule("e-mail", "An e-mail address.", `[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`, "@"),
	rule("user", "The user's name in the path of a home folder.",
		`(?P<keep>(?:/home/|/Users/|[A-Za-z]:\\+Users\\+|[A-Za-z]:/Users/))[^/\\\s"'<>:|\[][^/\\\s"'<>:|]*`, "/home/", "/Users/", `\Users\`),
}

// secretKey matches the keys of attributes whose whole value is a secret.
var secretKey = regexp.MustCompile(`(?i)(?:^|[._-])(?:api[_-]?key|x-api-key|secret|secret[_-]?(?:access[_-]?)?key|access[_-]?token|auth[_-]?token|passw(?:or)?d|authorization|(?:set-)?cookie|private[_-]?key)$`)

const maskedValue = "[secret masked]"

func (r *Rule) mayBeIn(text string) bool {
	for _, n := range r.near {
		if strings.Contains(text, n) {
			return true
		}
	}
	return false
}

// Text masks the secrets in a text.
func Text(text string) string {
	for i := range Rules {
		if r := &Rules[i]; r.mayBeIn(text) {
			text = r.find.ReplaceAllString(text, r.mask)
		}
	}
	return text
}
