package price

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the table in docs/prices.md")

const (
	tables = "../../../shared/data/prices" // other projects' tables, not part of the repository
	doc    = "../../docs/prices.md"
)

// compared has the models of the table: our name, who sells it, and what the
// tables that tell providers apart call the two.
var compared = []struct{ model, provider, litellm, modelsDev string }{
	{"gpt-3.5-turbo", "openai", "", "openai"},
	{"gpt-4o", "openai", "", "openai"},
	{"gpt-4o-mini", "openai", "", "openai"},
	{"gpt-4.1", "openai", "", "openai"},
	{"gpt-4.1-mini", "openai", "", "openai"},
	{"gpt-4.1-nano", "openai", "", "openai"},
	{"gpt-5", "openai", "", "openai"},
	{"gpt-5-mini", "openai", "", "openai"},
	{"o3", "openai", "", "openai"},
	{"o4-mini", "openai", "", "openai"},
	{"claude-3-5-haiku-20241022", "anthropic", "", "anthropic"},
	{"claude-haiku-4-5", "anthropic", "", "anthropic"},
	{"claude-sonnet-4-5", "anthropic", "", "anthropic"},
	{"claude-opus-4-1", "anthropic", "", "anthropic"},
	{"gemini-2.5-flash", "gcp.gemini", "", "google"},
	{"gemini-2.5-pro", "gcp.gemini", "", "google"},
	{"mistral-small-latest", "mistral_ai", "mistral/", "mistral"},
	{"mistral-large-latest", "mistral_ai", "mistral/", "mistral"},
	{"deepseek-chat", "deepseek", "deepseek/", "deepseek"},
	{"grok-4", "x_ai", "xai/", "xai"},
}

// A quote is what a table says, in USD per million tokens; nil is not listed.
type quote struct{ input, output, cacheRead *float64 }

func (q quote) String() string {
	if q.input == nil && q.output == nil {
		return "–"
	}
	return strings.TrimRight(prices(q.input, q.output, q.cacheRead), "/")
}

// million multiplies prices per so many tokens up to a million, rounded to a
// billionth of a dollar, since 2.5e-06 × 1e6 is not quite 2.5.
func million(per float64, list ...*float64) quote {
	for i, p := range list {
		if p != nil {
			list[i] = new(math.Round(*p*1e6/per*1e9) / 1e9)
		}
	}
	return quote{list[0], list[1], list[2]}
}

// TestComparison compares the built-in list with other projects' tables, each in
// units of its own, and keeps the table of docs/prices.md.
func TestComparison(t *testing.T) {
	if _, err := os.Stat(tables); err != nil {
		t.Skip("needs the other tables: ", err)
	}
	others := []struct {
		name  string
		quote func(i int) quote
	}{
		{"LiteLLM", liteLLM(t)},
		{"models.dev", modelsDev(t)},
		{"Langfuse", langfuse(t)},
		{"OpenLIT", perThousand(t, "openlit_pricing.json")},
		{"genai_otel", perThousand(t, "genai_otel_llm_pricing.json")},
	}
	var table strings.Builder
	table.WriteString("| model | ours")
	for _, o := range others {
		table.WriteString(" | " + o.name)
	}
	table.WriteString(" |\n|---|---" + strings.Repeat("|---", len(others)) + "|\n")
	at, err := time.Parse(time.DateOnly, Builtin().AsOf())
	if err != nil {
		t.Fatal(err)
	}
	same, listed := make([]int, len(others)), make([]int, len(others))
	for i, c := range compared {
		m, ok := Builtin().Match(c.model, c.provider, at.Add(12*time.Hour))
		if !ok {
			t.Errorf("no price for %s", c.model)
			continue
		}
		ours := quote{m.Row.Input, m.Row.Output, m.Row.CacheRead}
		fmt.Fprintf(&table, "| %s | %s", c.model, ours)
		for n, o := range others {
			theirs := o.quote(i)
			cell := theirs.String()
			if theirs.input != nil {
				listed[n]++
				if agree(ours.input, theirs.input) && agree(ours.output, theirs.output) {
					same[n]++
					cell = "="
					if !agree(ours.cacheRead, theirs.cacheRead) {
						cell = "= " + prices(theirs.cacheRead) + " cached"
					}
				}
			}
			table.WriteString(" | " + cell)
		}
		table.WriteString(" |\n")
	}
	table.WriteString("| same input and output |")
	for n := range others {
		fmt.Fprintf(&table, " | %d of %d", same[n], listed[n])
		// a slip of units would spoil nearly every row
		if 2*same[n] < listed[n] {
			t.Errorf("%s: only %d of %d agree", others[n].name, same[n], listed[n])
		}
	}
	table.WriteString(" |\n")

	body, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	marked := regexp.MustCompile(`(?s)(<!-- comparison -->\n).*?(<!-- /comparison -->)`)
	want := marked.ReplaceAllString(string(body), "${1}"+table.String()+"${2}")
	if !marked.Match(body) {
		t.Fatal("docs/prices.md has no place for the table")
	}
	if *update {
		if err := os.WriteFile(doc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(body) {
		t.Errorf("docs/prices.md is out of date (go test ./enrich/price -update rewrites it):\n%s", table.String())
	}
}

// agree reports whether two prices are one; a price that is not listed says nothing.
func agree(a, b *float64) bool {
	return a == nil || b == nil || math.Abs(*a-*b) < 1e-9
}

func readTable[T any](t *testing.T, name string) T {
	t.Helper()
	var table T
	body, err := os.ReadFile(filepath.Join(tables, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &table); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return table
}

// liteLLM is in USD per token.
func liteLLM(t *testing.T) func(i int) quote {
	table := readTable[map[string]json.RawMessage](t, "litellm_model_prices.json")
	return func(i int) quote {
		var p struct {
			Input  *float64 `json:"input_cost_per_token"`
			Output *float64 `json:"output_cost_per_token"`
			Cache  *float64 `json:"cache_read_input_token_cost"`
		}
		if raw := table[compared[i].litellm+compared[i].model]; raw != nil {
			if err := json.Unmarshal(raw, &p); err != nil {
				t.Fatal(err)
			}
		}
		return million(1, p.Input, p.Output, p.Cache)
	}
}

// modelsDev is in USD per million tokens, by provider.
func modelsDev(t *testing.T) func(i int) quote {
	type model struct {
		Cost struct {
			Input  *float64 `json:"input"`
			Output *float64 `json:"output"`
			Cache  *float64 `json:"cache_read"`
		} `json:"cost"`
	}
	table := readTable[map[string]map[string]model](t, "models_dev.json")
	return func(i int) quote {
		p := table[compared[i].modelsDev][compared[i].model].Cost
		return million(1e6, p.Input, p.Output, p.Cache)
	}
}

// langfuse is in USD per token, and matches names by a pattern.
func langfuse(t *testing.T) func(i int) quote {
	type tier struct {
		IsDefault bool                `json:"isDefault"`
		Prices    map[string]*float64 `json:"prices"`
	}
	table := readTable[[]struct {
		MatchPattern string `json:"matchPattern"`
		PricingTiers []tier `json:"pricingTiers"`
	}](t, "langfuse_default_model_prices.json")
	return func(i int) quote {
		for _, m := range table {
			pattern, err := regexp.Compile(m.MatchPattern)
			if err != nil || !pattern.MatchString(compared[i].model) {
				continue // some patterns look ahead, which regexp cannot
			}
			for _, tier := range m.PricingTiers {
				if tier.IsDefault {
					return million(1, tier.Prices["input"], tier.Prices["output"], tier.Prices["input_cached_tokens"])
				}
			}
		}
		return quote{}
	}
}

// perThousand reads a table in USD per thousand tokens, by bare names.
func perThousand(t *testing.T, name string) func(i int) quote {
	type model struct {
		Prompt     *float64 `json:"promptPrice"`
		Completion *float64 `json:"completionPrice"`
		Cache      *float64 `json:"cacheReadPrice"`
	}
	table := readTable[struct {
		Chat map[string]model `json:"chat"`
	}](t, name)
	return func(i int) quote {
		p := table.Chat[compared[i].model]
		return million(1e3, p.Prompt, p.Completion, p.Cache)
	}
}

// TestMillion works the three units by hand: 2.5 USD a million is 0.0025 a
// thousand and 0.0000025 a token.
func TestMillion(t *testing.T) {
	for per, p := range map[float64]float64{1: 2.5e-06, 1e3: 0.0025, 1e6: 2.5} {
		got := million(per, new(p), nil, nil)
		if text := strconv.FormatFloat(*got.input, 'g', -1, 64); text != "2.5" {
			t.Errorf("%v per %v tokens is %s per million, want 2.5", p, per, text)
		}
	}
}
