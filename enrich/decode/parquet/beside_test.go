package parquet_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of a run one original file is at hand, and an export of all: together they
// are the run. What the original does not hold comes from the export, and
// nothing twice.
func TestExportBesideOneOriginal(t *testing.T) {
	for name, files := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			whole := one(t, read(t, files))
			want := rows(t, whole)
			exported := write(t, whole, "jsonl")
			for _, original := range slices.Sorted(maps.Keys(files)) {
				t.Run(original, func(t *testing.T) {
					parts := append(read(t, map[string][]byte{original: files[original]}), read(t, exported)...)
					runs := derive(t, parts)
					if len(runs) != 1 {
						t.Fatalf("%d runs, want 1", len(runs))
					}
					if got := rows(t, runs[0]); got != want {
						t.Errorf("rows differ (-all originals +one and an export):\n%s", clip(cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))))
					}
				})
			}
		})
	}
}
