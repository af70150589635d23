package views

import (
	"net/url"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"plain", RunURL("r42"), "/runs/r42"},
		{"slash and percent", RunURL("a/b 100%"), "/runs/a%2Fb%20100%25"},
		{"colon may stand", TestURL("r", "tool:x"), "/runs/r/tests/tool:x"},
		{"query characters", TestURL("r", "a?b#c"), "/runs/r/tests/a%3Fb%23c"},
		{"trace", TraceURL("r", traceID), "/runs/r/traces/" + traceID},
		{"span", SpanURL("r", traceID, callID), "/runs/r/traces/" + traceID + "?span=" + callID},
		{"no query", address("/x", "tab", ""), "/x"},
		{"query", address("/x", "tab", "a b", "page", ""), "/x?tab=a+b"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// Any id is one segment, and comes back as it was.
func TestURLsRoundTrip(t *testing.T) {
	for _, id := range []string{"a/b", "100%25", "%2F", hostile, "ü/\x00", `"quoted"`, "a;b&c=d"} {
		escaped := strings.TrimPrefix(TestURL("r", id), "/runs/r/tests/")
		if strings.Contains(escaped, "/") {
			t.Errorf("%q becomes several segments: %s", id, escaped)
		}
		if back, err := url.PathUnescape(escaped); err != nil || back != id {
			t.Errorf("%q comes back as %q, %v", id, back, err)
		}
	}
}
