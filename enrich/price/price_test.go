package price

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func day(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// own reads rows in short: key, provider ("" for any), USD per million of input
// tokens, day from which.
func own(t *testing.T, rows ...[4]string) *List {
	t.Helper()
	var read []Row
	for _, r := range rows {
		row := Row{Key: r[0], ValidFrom: r[3]}
		if r[1] != "" {
			row.Provider = &r[1]
		}
		if err := setPrices(r[2:3], &row.Input); err != nil {
			t.Fatal(err)
		}
		row.Output = row.Input
		read = append(read, row)
	}
	l, err := parse("source\tnone\n\n")
	if err != nil {
		t.Fatal(err)
	}
	return l.With(read)
}

// TestForms has spec §3.8's examples.
func TestForms(t *testing.T) {
	tests := []struct {
		model string
		want  string // how:name
	}{
		{" GPT-4o ", "exact:gpt-4o"},
		{"openrouter/openai/gpt-4o", "exact:openrouter/openai/gpt-4o no_provider:openai/gpt-4o no_provider:gpt-4o"},
		{"mistral/mistral-small-latest", "exact:mistral/mistral-small-latest no_provider:mistral-small-latest " +
			"no_date:mistral/mistral-small no_date:mistral-small"},
		{"gpt-4o-2024-08-06", "exact:gpt-4o-2024-08-06 no_date:gpt-4o " +
			"version_form:gpt-4o-2024.08.06"},
		{"claude-3-5-sonnet@20241022", "exact:claude-3-5-sonnet@20241022 canonical:claude-3-5-sonnet-20241022 no_date:claude-3-5-sonnet " +
			"version_form:claude-3.5-sonnet@20241022 version_form:claude-3.5-sonnet-20241022 version_form:claude-3.5-sonnet"},
		{"us.anthropic.claude-opus-5-v1:0", "exact:us.anthropic.claude-opus-5-v1:0 canonical:us.anthropic.claude-opus-5 " +
			"canonical:anthropic.claude-opus-5-v1:0 canonical:anthropic.claude-opus-5 no_provider:claude-opus-5-v1:0 no_provider:claude-opus-5"},
		{"gpt-4.1", "exact:gpt-4.1 version_form:gpt-4-1"},
		{"gpt-4-1", "exact:gpt-4-1 version_form:gpt-4.1"},
		{"gpt-4-0613", "exact:gpt-4-0613 no_date:gpt-4 version_form:gpt-4.0613"},
		// 2512 is no month and day; nor is 0230 a date, but 0229 is one
		{"mistral-large-2512", "exact:mistral-large-2512"},
		{"m-0230", "exact:m-0230"},
		{"m-0229", "exact:m-0229 no_date:m"},
		{"m-20251301", "exact:m-20251301"},
		{"m-latest", "exact:m-latest no_date:m"},
		{"1.2.3", "exact:1.2.3 version_form:1-2-3"},
		// what tells models apart stays
		{"gpt-4o-mini", "exact:gpt-4o-mini"},
		{"o3-preview-audio-thinking", "exact:o3-preview-audio-thinking"},
		{"qwen3:8b", "exact:qwen3:8b"},
		{"", ""},
		{"a/", "exact:a/"},
	}
	for _, test := range tests {
		var got []string
		for _, f := range Forms(test.model) {
			got = append(got, f.How+":"+f.Name)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("Forms(%q) (-want +got):\n%s", test.model, diff)
		}
	}
}

// TestMatch proves which row of the built-in list a name leads to. Prices are
// those of version 0.1.8 of the package, read in its own data.
func TestMatch(t *testing.T) {
	tests := []struct {
		model, system, at string
		want              string // how name provider input, or "" for none
	}{
		{"gpt-4o", "", "", "exact gpt-4o openai 2.5"},
		{"gpt-4o", "openai", "", "exact gpt-4o openai 2.5"},
		{"gpt-4o-2024-05-13", "", "", "exact gpt-4o-2024-05-13 openai 5"}, // dearer than gpt-4o
		{"gpt-4o-2024-12-24", "", "", "no_date gpt-4o openai 2.5"},
		{"gpt-4-1-nano", "", "", "version_form gpt-4.1-nano openai 0.1"},
		{"mistral/mistral-small-latest", "mistral_ai", "", "no_provider mistral-small-latest mistral_ai 0.1"},
		{"mistral-small-latest", "mistral_ai", "", "exact mistral-small-latest mistral_ai 0.1"},
		{"mistral-small-latest", "", "", "exact mistral-small-latest mistral_ai 0.1"},
		{"mistral-small-latest", "litellm", "", "exact mistral-small-latest mistral_ai 0.1"},
		{"claude-3-5-haiku-20241022", "anthropic", "", "no_date claude-3-5-haiku anthropic 0.8"},
		{"claude-3.5-sonnet", "", "", "version_form claude-3-5-sonnet anthropic 3"},
		{"claude-sonnet-4@20250514", "gcp.vertex_ai", "", "no_date claude-sonnet-4 gcp.gemini 3"},

		// never by a part of the name, nor by likeness
		{"my-autoencoder", "", "", ""},
		{"photo3-model", "", "", ""},
		{"gpt-4o-x", "openai", "", ""},
		{"gpt-4o-audio", "openai", "", ""},
		{"gpt-4", "mistral_ai", "", "exact gpt-4 openai 30"}, // who makes it: the client only spoke Mistral's way

		// the seller decides
		{"openrouter/openai/gpt-4o", "openrouter", "", "no_provider openai/gpt-4o openrouter 2.5"},
		{"azure/gpt-4o", "", "", "no_provider gpt-4o openai 2.5"}, // the package's fallback
		{"azure/o4-mini", "", "", "no_provider o4-mini azure.ai.openai 1.1"},
		{"o3-mini", "", "", "exact o3-mini openai 1.1"},
		{"gemini-2.5-pro", "gcp.vertex_ai", "", "exact gemini-2.5-pro gcp.gemini 1.25"},
		{"bedrock/us.anthropic.claude-opus-5-5", "", "", "no_provider us.anthropic.claude-opus-5-5 aws.bedrock 4.4"},
		{"global.anthropic.claude-opus-5-5-v1:0", "aws.bedrock", "", "canonical global.anthropic.claude-opus-5-5 aws.bedrock 4"},
		{"claude-opus-5-5", "anthropic", "", "exact claude-opus-5-5 anthropic 4"},
		{"claude-opus-5-5", "aws.bedrock", "", "exact claude-opus-5-5 aws.bedrock 4.4"},
		{"groq/gpt-4o", "", "", ""},         // Groq does not sell it
		{"gpt-4o", "sambanova", "", ""},     // nor do we know a price of theirs
		{"openai/gpt-oss-120b", "", "", ""}, // weights: anyone's
		{"openai/gpt-oss-120b", "groq", "", "exact openai/gpt-oss-120b groq 0.15"},
		{"gpt-oss-120b", "", "", ""}, // sold at many prices
		{"gpt-oss-120b", "cerebras", "", "exact gpt-oss-120b cerebras 0.35"},
		{"deepseek-v4-pro", "", "", ""}, // DeepSeek and Fireworks disagree
		{"deepseek/deepseek-v4-pro", "", "2026-08-01 12:00", "no_provider deepseek-v4-pro deepseek 0.435"},

		// what runs at home costs nothing that a list knows
		{"ollama/gpt-oss-120b", "", "", ""},
		{"mistral-nemo", "ollama", "", ""},
		{"mistral-nemo", "mistral_ai", "", "exact mistral-nemo mistral_ai 0.15"},
		{"Qwen/Qwen3-32B", "huggingface", "", ""},
		{"Qwen/Qwen3-32B", "", "", ""},
		{"Qwen/Qwen3-32B", "vllm", "", ""},
		{"mistralai/Mistral-Small-24B-Instruct-2501", "", "", ""},
		{"meta-llama/Llama-3.3-70B-Instruct-Turbo", "together_ai", "", "exact meta-llama/llama-3.3-70b-instruct-turbo together_ai 0.88"},

		{"openai/gpt-oss-20b", "transformers", "", ""},
		{"cerebras/Cerebras-GPT-13B", "vllm", "", ""}, // an organisation of the Hub here, not the host
		{"gpt-4o", "mlx", "", ""},

		// weights that one seller lists may run anywhere; names that only their maker sells are that one's
		{"qwen3-32b", "", "", ""},
		{"qwen-3-32b", "", "", ""},
		{"mistral-nemo", "", "", ""},
		{"mistral-nemo", "litellm", "", ""},
		{"llama-3.1-8b-instant", "", "", ""},
		{"phi-4", "", "", ""},
		{"qwen-3-32b", "cerebras", "", "exact qwen-3-32b cerebras 0.4"},
		{"gemini-2.5-pro", "", "", "exact gemini-2.5-pro gcp.gemini 1.25"},
		{"claude-sonnet-4-5", "", "", "exact claude-sonnet-4-5 anthropic 3"},
		{"open-mistral-nemo", "", "", "exact open-mistral-nemo mistral_ai 0.15"},
		{"text-embedding-3-small", "", "", "exact text-embedding-3-small openai 0.02"},
		{"anthropic.claude-3-haiku-20240307-v1:0", "", "", "exact anthropic.claude-3-haiku-20240307-v1:0 aws.bedrock 0.25"}, // Bedrock's spelling
		{"eu.anthropic.claude-opus-5-5", "", "", "exact eu.anthropic.claude-opus-5-5 aws.bedrock 4.4"},

		// days and hours (DeepSeek's are twice as dear from 1:00 to 4:00 UTC)
		{"deepseek-v4-pro", "deepseek", "2026-08-16 23:59", "exact deepseek-v4-pro deepseek 0.435"},
		{"deepseek-v4-pro", "deepseek", "2026-08-16 02:00", "exact deepseek-v4-pro deepseek 0.435"},
		{"deepseek-v4-pro", "deepseek", "2026-08-17 00:59", "exact deepseek-v4-pro deepseek 0.66"},
		{"deepseek-v4-pro", "deepseek", "2026-08-17 01:00", "exact deepseek-v4-pro deepseek 1.32"},
		{"deepseek-v4-pro", "deepseek", "2026-08-17 04:00", "exact deepseek-v4-pro deepseek 0.66"},
		{"deepseek-v4-pro", "deepseek", "", "exact deepseek-v4-pro deepseek 0.66"},
		{"mistral-medium-latest", "mistral_ai", "2026-06-15 12:00", "exact mistral-medium-latest mistral_ai 0.4"},
		{"mistral-medium-latest", "mistral_ai", "2026-06-16 00:00", "exact mistral-medium-latest mistral_ai 1.5"},
	}
	for _, test := range tests {
		got := ""
		if m, ok := Builtin().Match(test.model, test.system, day(t, test.at)); ok {
			got = strings.Join([]string{m.How, m.Name, providerOf(m.Row), prices(m.Row.Input)}, " ")
		}
		if got != test.want {
			t.Errorf("Match(%q, %q, %s) = %q, want %q", test.model, test.system, test.at, got, test.want)
		}
	}
}

// TestWhy: what has no price says why.
func TestWhy(t *testing.T) {
	for _, test := range []struct{ model, system, want string }{
		{"qwen3-32b", "litellm", "nothing says who sells it, and it may run anywhere"},
		{"Qwen/Qwen3-32B", "", "nothing says who sells it, and it may run anywhere"},
		{"Qwen/Qwen3-32B", "vllm", "run by vllm on one's own machine, which is nobody's sale"},
		{"ollama/qwen3:8b", "", "run by ollama on one's own machine, which is nobody's sale"},
		{"groq/gpt-4o", "", "not among the prices of groq"},
		{"gpt-4o-x", "", "not among the prices of openai"},
	} {
		if got := Builtin().Why(test.model, test.system); got != test.want {
			t.Errorf("Why(%q, %q) = %q, want %q", test.model, test.system, got, test.want)
		}
	}
}

// TestNeverSubstring uses lists that lack the row of the name itself.
func TestNeverSubstring(t *testing.T) {
	l := own(t, [4]string{"gpt-4o", "", "1", ""}, [4]string{"auto", "", "1", ""}, [4]string{"o3", "", "1", ""}, [4]string{"gpt-4", "", "1", ""})
	for _, model := range []string{
		"gpt-4o-audio-preview", "my-autoencoder", "photo3-model", "gpt-4o-mini", "gpt-4o:extended", "gpt-4-turbo",
		"gpt-4o-8b", "gpt-4o-q4_k_m", "gpt-4o-thinking", "gpt", "4o", "gpt-4o2024-08-06", "",
	} {
		if m, ok := l.Match(model, "", time.Time{}); ok {
			t.Errorf("Match(%q) = %+v, want none", model, m)
		}
	}
}

func TestOwnRows(t *testing.T) {
	l := Builtin().With([]Row{{Key: "gpt-4o", Input: new(7.0), Output: new(9.0), ValidFrom: "2026-01-01", Source: "mine"}})
	if m, _ := l.Match("gpt-4o", "openai", day(t, "2026-01-01 00:00")); m.Row.Source != "mine" {
		t.Errorf("the row of one's own is not before the built-in: %+v", m)
	}
	if m, _ := l.Match("gpt-4o", "openai", day(t, "2025-12-31 23:59")); m.Row.Source != Builtin().Source() {
		t.Errorf("before its first day, want the built-in row, got %+v", m)
	}
	if m, _ := Builtin().Match("gpt-4o", "openai", time.Time{}); *m.Row.Input != 2.5 {
		t.Errorf("With changed the built-in list: %+v", m)
	}

	// without a provider for any seller, local ones too; with one for that alone
	l = own(t, [4]string{"qwen3:8b", "", "1", ""}, [4]string{"m", "acme", "2", ""}, [4]string{"m", "", "3", ""}, [4]string{"n", "acme", "2", ""})
	tests := []struct{ model, system, want string }{
		{"ollama/qwen3:8b", "ollama", "1"}, {"qwen3:8b", "ollama", "1"}, {"qwen3:8b", "huggingface", "1"},
		{"m", "acme", "2"}, {"m", "other", "3"}, {"m", "", "3"},
		{"n", "acme", "2"}, {"n", "other", ""}, {"n", "", "2"}, {"n", "ollama", ""},
	}
	for _, test := range tests {
		got := ""
		if m, ok := l.Match(test.model, test.system, time.Time{}); ok {
			got = prices(m.Row.Input)
		}
		if got != test.want {
			t.Errorf("Match(%q, %q) costs %q, want %q", test.model, test.system, got, test.want)
		}
	}

	l = own(t, [4]string{"m", "", "1", "2025-01-01"}, [4]string{"m", "", "3", "2026-01-01"}, [4]string{"m", "", "2", "2025-06-01"})
	for at, want := range map[string]string{"2024-12-31 12:00": "", "2025-01-01 00:00": "1", "2025-12-31 23:59": "2", "2026-01-01 00:00": "3", "": "3"} {
		got := ""
		if m, ok := l.Match("m", "", day(t, at)); ok {
			got = prices(m.Row.Input)
		}
		if got != want {
			t.Errorf("at %q the price is %q, want %q", at, got, want)
		}
	}
}

func TestHash(t *testing.T) {
	row := Row{Key: "m", Input: new(1.0), Output: new(2.0)}
	dearer := row
	dearer.Output = new(2.5)
	other := Row{Key: "n", Input: new(1.0), Output: new(2.0)}
	hash := func(rows ...Row) string { return Builtin().With(rows).Hash() }
	if hash() != Builtin().Hash() || hash(row) == hash() || hash(row) == hash(dearer) || hash(row) == hash(row, other) {
		t.Error("Hash does not follow the prices")
	}
	if hash(row, other) != hash(other, row) {
		t.Error("Hash depends on the order of rows")
	}
}

// TestTiers: above 200,000 prompt tokens all of Gemini 2.5 Pro's tokens cost
// 2.5 and 15 USD, up to and with 200,000 they cost 1.25 and 10.
func TestTiers(t *testing.T) {
	m, ok := Builtin().Match("gemini-2.5-pro", "gcp.gemini", time.Time{})
	if !ok {
		t.Fatal("no row")
	}
	for tokens, want := range map[int64]string{0: "1.25/10/0.125//", 200_000: "1.25/10/0.125//", 200_001: "2.5/15/0.25//"} {
		if got := pricesOf(m.Row.For(tokens)); got != want {
			t.Errorf("%d prompt tokens: %s, want %s", tokens, got, want)
		}
	}
	r := Row{Input: new(1.0), Output: new(2.0), Tiers: []Tier{{Above: 10, Input: new(3.0)}, {Above: 20, Output: new(0.0)}}}
	if got := pricesOf(r.For(21)); got != "3/0///" {
		t.Errorf("a later tier keeps what it does not name: %s, want 3/0///", got)
	}
}

func TestReadFile(t *testing.T) {
	const good = `[{"key":" Mistral-Small ","provider":null,"input":0.1,"output":0.3,"cache_read":null,"cache_write":0,"reasoning":null,"valid_from":"2025-01-01","source":"…"},
	{"key":"m","provider":"Mistral_AI","input":0,"output":1e-3}]`
	rows, err := ReadFile(strings.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{
		{Key: "mistral-small", Input: new(0.1), Output: new(0.3), CacheWrite: new(0.0), ValidFrom: "2025-01-01", Source: "…"},
		{Key: "m", Provider: new("mistral_ai"), Input: new(0.0), Output: new(0.001)},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	bad := map[string]string{
		``:                                       "not JSON: unexpected EOF, want an array of prices",
		`{"key":"m"}`:                            `{ at the start, want an array of prices: [{"key": …}]`,
		`[{"input":1,"output":1}]`:               "row 1: key is missing",
		`[{"key":" ","input":1}]`:                "row 1: key is empty, want a model's name",
		`[{"key":7,"input":1}]`:                  "row 1: key is 7, want a string",
		`[{"key":"m","output":1}]`:               `row 1 (key "m"): input is missing`,
		`[{"key":"m","input":null}]`:             `row 1 (key "m"): input is missing`,
		`[{"key":"m","input":1}]`:                `row 1 (key "m"): output is missing`,
		`[7]`:                                    "row 1: want an object with key, input and output",
		`[null]`:                                 "row 1: want an object with key, input and output",
		`[{"key":"m","input":1,"output":-1}]`:    `row 1 (key "m"): output is -1, want USD per million tokens, a number from 0 up`,
		`[{"key":"m","input":"1","output":1}]`:   `row 1 (key "m"): input is "1", want USD per million tokens, a number from 0 up`,
		`[{"key":"m","input":1e999,"output":1}]`: `row 1 (key "m"): input is 1e999, want USD per million tokens, a number from 0 up`,
		`[{"key":"m","input":NaN,"output":1}]`:   "row 1: not JSON: invalid character 'N' looking for beginning of value",
		`[{"key":"m","input":1,"output":1,"valid_from":"2025-02-30"}]`: `row 1 (key "m"): valid_from is "2025-02-30", want a date such as 2025-01-31`,
		`[{"key":"m","input":1,"output":1,"valid_from":"1.1.25"}]`:     `row 1 (key "m"): valid_from is "1.1.25", want a date such as 2025-01-31`,
		`[{"key":"m","input":1,"output":1,"cached":1}]`: `row 1 (key "m"): unknown field "cached", want one of ` +
			"key, provider, input, output, cache_read, cache_write, reasoning, valid_from, source",
		`[{"key":"m","input":1,"output":1},{"key":"M ","input":2,"output":1}]`: `row 2 (key "m"): same key, provider and valid_from as row 1, want one row for each`,
		`[{"key":"m","input":1,"output":1}] x`:                                 "more data after the array, want one array of prices",
		`[{"key":"m","input":1,"output":1}][]`:                                 "more data after the array, want one array of prices",
		`[{"key":"m","input":1,"output":1}`:                                    "after row 1: not JSON: unexpected EOF, want ] at the end",
	}
	for file, want := range bad {
		if _, err := ReadFile(strings.NewReader(file)); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", file, err, want)
		}
	}
}

// FuzzReadFile: what is read is finite, and can be written and read again.
func FuzzReadFile(f *testing.F) {
	f.Add(`[{"key":"m","provider":"x","input":0.1,"output":0.3,"valid_from":"2025-01-01"}]`)
	f.Add(`[{"key":"m","input":1e999,"output":-0}]`)
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := ReadFile(strings.NewReader(file))
		if err != nil {
			return
		}
		body, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadFile(strings.NewReader(string(body)))
		if diff := cmp.Diff(rows, again); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		Builtin().With(rows).Match("m", "x", time.Time{})
	})
}

// FuzzForms: forms are few, distinct, in lower case and never longer than the name.
func FuzzForms(f *testing.F) {
	f.Add("bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0")
	f.Fuzz(func(t *testing.T, model string) {
		seen := make(map[string]bool)
		for _, form := range Forms(model) {
			if seen[form.Name] || form.Name == "" || form.Name != strings.ToLower(form.Name) || len(form.Name) > len(clean(model)) {
				t.Errorf("Forms(%q) has %+v", model, form)
			}
			seen[form.Name] = true
		}
	})
}

// TestEmbedded checks what generate.js wrote.
func TestEmbedded(t *testing.T) {
	l, err := parse(embedded)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.DateOnly, l.AsOf()); err != nil || l.Source() == "" {
		t.Errorf("as of %q, source %q", l.AsOf(), l.Source())
	}
	if len(l.Keys()) < 1000 {
		t.Errorf("%d names, want thousands", len(l.Keys()))
	}
	_, body, _ := strings.Cut(embedded, "\n\n")
	order := func(line string) string {
		f := strings.SplitN(line, "\t", 3)
		return f[1] + "\t" + f[0]
	}
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if !slices.IsSortedFunc(lines, func(a, b string) int { return strings.Compare(order(a), order(b)) }) {
		t.Error("not sorted by provider and names")
	}
	seen := make(map[[4]string]bool)
	for _, rows := range l.rows[0] {
		for _, r := range rows {
			id := [4]string{r.Key, providerOf(r), r.ValidFrom, r.Hours}
			if seen[id] {
				t.Errorf("%q twice", id)
			}
			seen[id] = true
			checkRow(t, r)
		}
	}
}

func checkRow(t *testing.T, r Row) {
	t.Helper()
	if r.Key != clean(r.Key) || r.Key == "" || providerOf(r) == "" || r.Input == nil {
		t.Errorf("%+v lacks a key, a provider or the price of input", r)
	}
	if _, err := time.Parse(time.DateOnly, r.ValidFrom); err != nil && r.ValidFrom != "" {
		t.Errorf("%s: valid from %q", r.Key, r.ValidFrom)
	}
	above := int64(0)
	list := []*float64{r.Input, r.Output, r.CacheRead, r.CacheWrite, r.Reasoning}
	for _, tier := range r.Tiers {
		if tier.Above <= above {
			t.Errorf("%s: tiers are not ascending", r.Key)
		}
		above = tier.Above
		list = append(list, tier.Input, tier.Output, tier.CacheRead, tier.CacheWrite, tier.Reasoning)
	}
	for _, p := range list {
		if p != nil && (*p < 0 || *p > 1000) { // per token or per 1k would be far off; the dearest is 600
			t.Errorf("%s (%s): %v USD per million tokens", r.Key, providerOf(r), *p)
		}
	}
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		if _, err := parse(embedded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	l := Builtin()
	for b.Loop() {
		l.Match("mistral/mistral-small-latest", "mistral_ai", time.Time{})
	}
}
