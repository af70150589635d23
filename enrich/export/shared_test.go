package export_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/export"
)

// sharedData are real files, which are not part of the repository.
const sharedData = "../../../shared/data"

// TestSharedRows pins the rows of every real file by their hash, each file as a run of
// its own. `make wasm-test` runs it again in WebAssembly: there they must be the same,
// byte for byte.
func TestSharedRows(t *testing.T) {
	if _, err := os.Stat(sharedData); err != nil {
		t.Skipf("needs the real files beside the checkout: %v", err)
	}
	var out strings.Builder
	err := filepath.WalkDir(sharedData, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		part, _ := decode.Read(filepath.Base(name), file)
		if part == nil {
			return nil
		}
		var runs []*enrich.Tables
		for _, run := range enrich.Assemble([]*enrich.Part{part}) {
			runs = append(runs, enrich.Enrich(run, enrich.DefaultOptions()))
		}
		runs, _ = enrich.Distinct(runs)
		var document bytes.Buffer
		if err := export.Document(&document, "", runs, nil); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		short, _ := filepath.Rel(sharedData, name)
		fmt.Fprintf(&out, "%x %d %s\n", sha256.Sum256(document.Bytes()), len(runs), filepath.ToSlash(short))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/sharedrows.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("rows differ (-want +got); -update after a change of the rules:\n%.3000s", diff)
	}
}
