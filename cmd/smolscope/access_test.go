package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An address that others can reach needs a token that cannot be guessed. Nothing is
// listened on here.
func TestReachableNeedsToken(t *testing.T) {
	good := filepath.Join(t.TempDir(), "token")
	write(t, good, []byte("0123456789abcdef\n"))
	short := filepath.Join(t.TempDir(), "short")
	write(t, short, []byte("secret\n"))
	for _, tt := range []struct {
		addr, otlp, file, env, want string
	}{
		{"127.0.0.1:8080", "127.0.0.1:4318", "", "", ""},
		{"[::1]:8080", "localhost:4318", "", "", ""},
		{"0.0.0.0:8080", "", "", "", "--addr 0.0.0.0:8080: others could read"},
		{":8080", "", "", "", "--addr :8080: others could read"},
		{"127.0.0.1:8080", "0.0.0.0:4318", "", "", "--otlp-addr 0.0.0.0:4318: others could read"},
		{"0.0.0.0:8080", "0.0.0.0:4318", good, "", ""},
		{"0.0.0.0:8080", "", "", "0123456789abcdef", ""},
		{"0.0.0.0:8080", "", short, "0123456789abcdef", "a token of 6 characters can be guessed"},
		{"127.0.0.1:8080", "", "", "secret", "SMOLSCOPE_TOKEN: a token of 6 characters can be guessed"},
		{"127.0.0.1:8080", "", short + "-none", "", "--token-file: open"},
	} {
		t.Setenv("SMOLSCOPE_TOKEN", tt.env)
		err := (&serveCommand{Addr: tt.addr, OTLPAddr: tt.otlp, TokenFile: tt.file, limitFlags: limitFlags{MaxDepth: 1, MaxRatio: 1, MaxEntries: 1}}).Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s, %s, file %q, environment %q: %v, want %q", tt.addr, tt.otlp, filepath.Base(tt.file), tt.env, err, tt.want)
		}
	}
}

// Commands that ask a server show it the token, and say what is missing without it.
func TestServerWithToken(t *testing.T) {
	sampleRun(t)
	token := filepath.Join(t.TempDir(), "token")
	write(t, token, []byte("0123456789abcdef"))
	base, end := start(t, "serve", "--addr", "127.0.0.1:0", "--otlp-addr", "", "--token-file", token, "--db", filepath.Join(t.TempDir(), "smolscope.db"))
	t.Setenv("SMOLSCOPE_TOKEN", "0123456789abcdef")
	command := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, err strings.Builder
		if exit := run(t.Context(), append(args, "--server", base), strings.NewReader(""), &out, &err); exit != want {
			t.Fatalf("%q: exit status %d, want %d\n%s", args, exit, want, err.String())
		}
		return out.String(), err.String()
	}
	if out, _ := command(done, "import", "run"); !strings.Contains(out, "making 1 new run") {
		t.Errorf("import: %s", out)
	}
	list, _ := command(done, "ls")
	lines := strings.Split(strings.TrimSpace(list), "\n")
	if len(lines) != 2 {
		t.Fatalf("ls: %s", list)
	}
	id := strings.Fields(lines[1])[0]
	link, _ := command(done, "share", id, "--expires", "7d")
	if !strings.HasPrefix(link, base+"/s/") {
		t.Errorf("share: %s", link)
	}
	command(done, "unshare", strings.TrimSpace(link))
	if _, stderr := command(no, "unshare", strings.TrimSpace(link)); !strings.Contains(stderr, "revoked before") {
		t.Errorf("unshare twice: %s", stderr)
	}
	if _, stderr := command(no, "compare", id, "none"); !strings.Contains(stderr, `no run "none"`) {
		t.Errorf("compare with no run: %s", stderr)
	}
	os.Unsetenv("SMOLSCOPE_TOKEN")
	for _, args := range [][]string{{"ls"}, {"import", "run"}} {
		if _, stderr := command(no, args...); !strings.Contains(stderr, "Authorization: Bearer") {
			t.Errorf("%q without the token: %s", args, stderr)
		}
	}
	if exit := end(); exit != done {
		t.Errorf("exit status %d", exit)
	}
}
