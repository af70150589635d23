package views

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"smolscope/static"
)

var token = regexp.MustCompile(`(--[\w-]+):\s*#([0-9a-f]{3,6});`)

// themes reads the colours of tokens.css: light, dark by the system, dark by
// the switch.
func themes(t *testing.T) []map[string]string {
	t.Helper()
	body, err := fs.ReadFile(static.FS, "css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(body), ":root")[1:]
	var list []map[string]string
	for _, b := range blocks {
		colours := map[string]string{}
		for _, m := range token.FindAllStringSubmatch(b, -1) {
			colours[m[1]] = m[2]
		}
		list = append(list, colours)
	}
	if len(list) != 3 {
		t.Fatalf("%d themes, want 3", len(list))
	}
	return list
}

// luminance is that of WCAG 2.
func luminance(hex string) float64 {
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	text := [][2]string{
		{"--ink", "--bg"}, {"--ink", "--panel"}, {"--ink-2", "--bg"}, {"--ink-2", "--panel"}, {"--ink-2", "--sunk"}, {"--ink-2", "--mute-soft"},
		{"--ink-3", "--bg"}, {"--ink-3", "--panel"}, {"--ink-3", "--sunk"}, {"--ink-3", "--accent-soft"},
		{"--accent", "--panel"}, {"--accent", "--bg"}, {"--accent", "--accent-soft"}, {"--on-accent", "--accent"},
		{"--pass", "--pass-soft"}, {"--fail", "--fail-soft"}, {"--error", "--error-soft"}, {"--warn", "--warn-soft"},
		{"--provider", "--provider-soft"}, {"--mute", "--mute-soft"}, {"--ink", "--accent-soft"}, {"--warn", "--panel"}, {"--pass", "--panel"}, {"--fail", "--panel"}, {"--error", "--panel"},
	}
	graphics := [][2]string{
		{"--kind-test", "--panel"}, {"--kind-agent", "--panel"}, {"--kind-llm", "--panel"}, {"--kind-tool", "--panel"},
		{"--kind-chain", "--panel"}, {"--kind-retriever", "--panel"}, {"--kind-other", "--panel"},
		{"--bar-pass", "--panel"}, {"--bar-fail", "--panel"}, {"--bar-error", "--panel"}, {"--bar-provider", "--panel"},
		{"--chart-1", "--panel"}, {"--chart-2", "--panel"}, {"--chart-3", "--panel"}, {"--focus", "--panel"}, {"--focus", "--bg"},
	}
	for i, colours := range themes(t) {
		for _, set := range []struct {
			pairs [][2]string
			least float64
		}{{text, 4.5}, {graphics, 3}} {
			for _, p := range set.pairs {
				if c := contrast(colours[p[0]], colours[p[1]]); c < set.least {
					t.Errorf("theme %d: %s on %s has a contrast of %.2f, want %.1f", i, p[0], p[1], c, set.least)
				}
			}
		}
	}
}

// Dark is the same whether the system or the switch asks for it.
func TestDarkThemesAgree(t *testing.T) {
	all := themes(t)
	for name, colour := range all[1] {
		if all[2][name] != colour {
			t.Errorf("%s: #%s by the system, #%s by the switch", name, colour, all[2][name])
		}
	}
	for name := range all[0] {
		if _, ok := all[1][name]; !ok {
			t.Errorf("%s has no dark colour", name)
		}
	}
}
