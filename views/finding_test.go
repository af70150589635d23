package views

import (
	"strings"
	"testing"

	"smolscope/enrich"
)

func TestEveryFlagIsExplained(t *testing.T) {
	for _, flag := range enrich.Flags {
		text, ok := flagText[flag]
		if !ok {
			t.Errorf("flag %s has no sentence", flag)
		}
		if !strings.HasSuffix(text.sentence, ".") || strings.HasSuffix(text.title, ".") {
			t.Errorf("flag %s: title %q, sentence %q", flag, text.title, text.sentence)
		}
	}
	for _, name := range correctionOrder {
		if alias := aliases[name]; alias != "" {
			name = alias
		}
		if _, ok := corrections[name]; !ok {
			t.Errorf("no correction of %s", name)
		}
	}
}

func TestUnknownFlag(t *testing.T) {
	f := flagFinding("brand_new", nil)
	if f.Title != "brand new" || f.Sentence == "" {
		t.Errorf("%+v", f)
	}
}

func TestPlaces(t *testing.T) {
	got := places("r", []string{"run", "test:tool:a/b", "trace:" + traceID, "span:" + traceID + "/" + callID, "file:0123456789ab"})
	want := []Place{
		{"run", ""},
		{"test tool:a/b", "/runs/r/tests/tool:a%2Fb"},
		{"trace 01234567", "/runs/r/traces/" + traceID},
		{"span 00000000", "/runs/r/traces/" + traceID + "?span=" + callID},
		{"file 0123456789ab", ""},
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("place %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if text := whereText(got); text != "1 test" {
		t.Errorf("where: %q", text)
	}
}
