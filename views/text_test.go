package views

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n\ttext":        "plain\n\ttext",
		"\x1b[1;31mred\x1b[0m": "red",
		"\x1b[2Jcleared":       "␛[2Jcleared",
		"bell\a, nul\x00":      "bell␇, nul␀",
		"one\r\ntwo\rthree":    "one\ntwo␍three",
		"del\x7f c1\u0085":     "del␡ c1\ufffd",
		"bad \xff byte":        "bad \ufffd byte",
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNewText(t *testing.T) {
	for _, tt := range []struct {
		name             string
		in               string
		head, size, more string
	}{
		{"short", "hello", "", "", ""},
		{"empty", "", "", "", ""},
		{"long", strings.Repeat("a b ", 200), strings.TrimSpace(strings.Repeat("a b ", 60)[:239]) + "…", "800 characters", ""},
		{"many lines", strings.Repeat("x\n", 13), strings.TrimSpace(strings.Repeat("x ", 13)), "26 characters", ""},
	} {
		got := newText(tt.in)
		if got.Head != tt.head || got.Size != tt.size || got.More != tt.more || got.Body != tt.in {
			t.Errorf("%s: head %q, size %q, more %q", tt.name, got.Head, got.Size, got.More)
		}
	}
	big := newText(strings.Repeat("ä", 1<<20))
	if len(big.Body) > cutAt || !utf8.ValidString(big.Body) || big.Size != "1,048,576 characters" || big.More != "1,032,192 more characters left out here" {
		t.Errorf("big text: %d bytes, %q, %q", len(big.Body), big.Size, big.More)
	}
}

func TestShort(t *testing.T) {
	for id, want := range map[string]string{
		"4da47ecc-b58a-5319-9316-4971971b7e7d": "4da47ecc",
		"5b8efff798038103d269b633813fc60c":     "5b8efff7",
		"abc":                                  "abc",
		"js sdk, proto":                        "js sdk, proto",
		"nightly 2026-11-24 of the big suite":  "nightly 2026-11-24 of th…",
	} {
		if got := short(id); got != want {
			t.Errorf("short(%q) = %q, want %q", id, got, want)
		}
	}
}
