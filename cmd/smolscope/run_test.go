package main

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestCommands runs the command lines of testdata. An archive says in its
// comment what it shows and, after "$ smolscope", the arguments of one command or
// of several. Its files are there when they run, "stdin" is their input, and what
// they print, the last exit status and the files they write to "out" are compared.
func TestCommands(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in testdata: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			path, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := runCase(t, want)
			if *update {
				if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(want)), string(txtar.Format(got))); diff != "" {
				t.Errorf("(-want +got; go test ./cmd/smolscope -update accepts it):\n%s", diff)
			}
		})
	}
}

func runCase(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	t.Chdir(t.TempDir())
	bareEnvironment(t)
	got := &txtar.Archive{Comment: archive.Comment}
	var stdin []byte
	for _, file := range archive.Files {
		switch {
		case file.Name == "stdout", file.Name == "stderr", file.Name == "exit", strings.HasPrefix(file.Name, "out/"):
			continue
		case file.Name == "stdin":
			stdin = file.Data
		default:
			write(t, file.Name, file.Data)
		}
		got.Files = append(got.Files, file)
	}
	var stdout, stderr bytes.Buffer
	exit := -1
	for line := range strings.Lines(string(archive.Comment)) {
		if args, found := strings.CutPrefix(line, "$ smolscope"); found {
			exit = run(t.Context(), strings.Fields(args), bytes.NewReader(stdin), &stdout, &stderr)
		}
	}
	if exit < 0 {
		t.Fatal(`the comment has no line that begins with "$ smolscope"`)
	}

	add := func(name string, data []byte) {
		if len(data) > 0 {
			got.Files = append(got.Files, txtar.File{Name: name, Data: data})
		}
	}
	add("stdout", stdout.Bytes())
	add("stderr", stderr.Bytes())
	add("exit", strconv.AppendInt(nil, int64(exit), 10))
	filepath.WalkDir("out", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		add(filepath.ToSlash(path), data)
		return nil
	})
	return got
}

// bareEnvironment unsets what of the developer's environment changes the output.
func bareEnvironment(t *testing.T) {
	t.Setenv("COLUMNS", "80") // wraps help texts
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "SMOLSCOPE_") {
			t.Setenv(name, "") // has it restored
			os.Unsetenv(name)
		}
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
