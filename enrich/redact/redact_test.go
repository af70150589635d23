package redact

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"nothing to hide", "nothing to hide"},
		{"use sk-proj-abcdEFGH1234567890 now", "use [API key masked] now"},
		{"hf_abcdefghijklmnopqrst", "[API key masked]"},
		{"AKIAIOSFODNN7EXAMPLE", "[API key masked]"},
		{"ghp_0123456789abcdefghijABCDEFGHIJ012345", "[API key masked]"},
		{"Authorization: Bearer abc.def-ghi_jkl", "Authorization: Bearer [token masked]"},
		{"a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln b", "a [token masked] b"},
		{"postgres://app:hunter22@db/x", "postgres://app:[password masked]db/x"},
		{`{"api_key": "0123456789"}`, `{"api_key": "[secret masked]"}`},
		{`{\"password\": \"correct horse\"}`, `{\"password\": \"[secret masked] horse\"}`},
		{"PASSWORD=abcdefgh&x=1", "PASSWORD=[secret masked]&x=1"},
		{"mail ada.l+x@mail.example.org.", "mail [e-mail masked]."},
		{"/home/ada/work and /Users/Bob/x", "/home/[user masked]/work and /Users/[user masked]/x"},
		{`C:\Users\Ada\file`, `C:\Users\[user masked]\file`},
		{`C:\\Users\\Ada\\file`, `C:\\Users\\[user masked]\\file`},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- ok", "[private key masked] ok"},
		{"-----BEGIN PRIVATE KEY-----\nMII", "[private key masked]"},
		// What only looks like it.
		{"max_tokens: 4096, total_tokens=123456", "max_tokens: 4096, total_tokens=123456"},
		{"the risk-averse-sketching-task of 12", "the risk-averse-sketching-task of 12"},
		{"a basic understanding of it", "a basic understanding of it"},
		{"see http://127.0.0.1:8080/x and @home", "see http://127.0.0.1:8080/x and @home"},
		{"weather_token: no", "weather_token: no"},
	} {
		if got := Text(tt.text); got != tt.want {
			t.Errorf("Text(%q)\n got %q\nwant %q", tt.text, got, tt.want)
		}
		if got := Text(Text(tt.text)); got != Text(tt.text) {
			t.Errorf("Text(%q) twice: %q", tt.text, got)
		}
	}
}

const span = `[{"trace_id":"0123456789abcdef0123456789abcdef","span_id":"0123456789abcdef","name":"call","status":{"code":"ERROR","description":"for ada@example.org"},` +
	`"attributes":{"gen_ai.request.model":"gpt-4o","input.value":"hello, I am ada@example.org","llm.token_count.total":12,"server.api_key":"k","x":[true,null,1.50]},` +
	`"events":[{"name":"exception","attributes":{"exception.message":"no /home/ada"}}]}]`

func TestJSON(t *testing.T) {
	for _, tt := range []struct {
		mask Mask
		want string
	}{
		{Mask{}, span},
		{Mask{Secrets: true}, strings.NewReplacer("ada@example.org", "[e-mail masked]", "/home/ada", "/home/[user masked]", `"server.api_key":"k"`, `"server.api_key":"[secret masked]"`).Replace(span)},
		{Mask{Text: true}, strings.NewReplacer("for ada@example.org", Hidden, "hello, I am ada@example.org", Hidden, "no /home/ada", Hidden, `"server.api_key":"k"`, `"server.api_key":"`+Hidden+`"`).Replace(span)},
	} {
		if got := string(tt.mask.JSON([]byte(span))); got != tt.want {
			t.Errorf("%+v\n got %s\nwant %s", tt.mask, got, tt.want)
		}
	}
	if got, want := string(Mask{Secrets: true}.JSON([]byte("ada@example.org {"))), "[e-mail masked] {"; got != want {
		t.Errorf("what is no JSON: %q, want %q", got, want)
	}
}

// All of a run that can be read as text loses its secrets, and what rows are
// joined by, numbers and models stay.
func TestTables(t *testing.T) {
	const secret = "sk-abcdefghijklmnopqrstuv"
	run := &enrich.Tables{
		Leaderboard: enrich.LeaderboardRow{RunID: "r", Notes: new("by " + secret)},
		Results:     []enrich.ResultRow{{RunID: "r", TestID: "t", TestCaseUID: "tool:t", Prompt: new("use " + secret), ToolsUsed: []string{"curl", secret}}},
		Traces:      []enrich.TraceRow{{RunID: "r", TraceID: "0123456789abcdef0123456789abcdef", Spans: enrich.SpansText(enrich.JSON(strings.ReplaceAll(span, "hello", secret)))}},
		Spans:       []enrich.SpanRow{{RunID: "r", Name: secret}},
		Quality:     enrich.Quality{Stored: map[string]map[string]attr.Value{"run": {"notes": attr.StringValue(secret)}}},
		Provenance:  &enrich.Provenance{},
	}
	run.Provenance.Put(enrich.Leaderboard, "run", map[string]enrich.Origin{"notes": {Kind: enrich.Reported, From: "as " + secret}})
	before := dump(t, run)
	masked := dump(t, Mask{Secrets: true}.Tables(run))
	for _, gone := range []string{secret, "ada@", "/home/ada"} {
		if strings.Contains(masked, gone) {
			t.Errorf("%q is still in %s", gone, masked)
		}
	}
	for _, kept := range []string{"tool:t", "0123456789abcdef0123456789abcdef", "gpt-4o", `"curl"`} {
		if !strings.Contains(masked, kept) {
			t.Errorf("%q is gone from %s", kept, masked)
		}
	}
	if dump(t, run) != before {
		t.Error("the run itself has changed")
	}
	if hidden := dump(t, Mask{Text: true}.Tables(run)); strings.Contains(hidden, "use ") || !strings.Contains(hidden, "gpt-4o") {
		t.Errorf("text is not hidden, or the model is: %s", hidden)
	}
	found := Find(run)
	if len(found) != 3 || found[0].Name != "API key" || found[0].Count != 4 || !slices.Equal(found[0].Places, []string{"leaderboard.notes", "results.prompt", "results.tools_used", "traces.spans"}) {
		t.Errorf("found %+v", found)
	}
	if after := Find(Mask{Secrets: true}.Tables(run)); len(after) != 0 {
		t.Errorf("found after masking: %+v", after)
	}
}

func dump(t *testing.T, run *enrich.Tables) string {
	t.Helper()
	var b []byte
	b = enrich.AppendRow(b, enrich.LeaderboardColumns, &run.Leaderboard)
	b = enrich.AppendRow(b, enrich.ResultColumns, &run.Results[0])
	b = enrich.AppendRow(b, enrich.TraceColumns, &run.Traces[0])
	b = enrich.AppendRow(b, enrich.SpanColumns, &run.Spans[0])
	stored := run.Quality.Stored["run"]["notes"]
	b = stored.AppendJSON(b)
	origins, err := json.Marshal(run.Provenance.Origins())
	if err != nil {
		t.Fatal(err)
	}
	return string(append(b, origins...))
}

func FuzzText(f *testing.F) {
	f.Add("password: sk-abcdefghijklmnopqrstuv ada@example.org /home/ada")
	f.Fuzz(func(t *testing.T, text string) {
		once := Text(text)
		if again := Text(once); again != once {
			t.Errorf("masked twice %q differs from once %q", again, once)
		}
	})
}
