package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"smolscope/enrich"
)

// TestKill kills a process that stores one upload after the other, each with a
// run: what it said to have stored is there, and no run is there in part.
func TestKill(t *testing.T) {
	const pathVariable = "SMOLSCOPE_TEST_KILL_DB"
	numbered := func(n int) (NewUpload, *enrich.Tables) {
		u := upload(fmt.Sprintf("upload %d", n))
		r := treeRun(fmt.Sprintf("run %d", n), 20)
		r.Sources = []string{u.Receipt.SHA256}
		return u, r
	}
	if path := os.Getenv(pathVariable); path != "" {
		s := open(t, path)
		for n := 0; ; n++ {
			u, r := numbered(n)
			apply(t, s, Change{Uploads: []NewUpload{u}, Runs: []*enrich.Tables{r}})
			fmt.Println("stored", n)
		}
	}

	path := filepath.Join(t.TempDir(), "x.db")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), pathVariable+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	stored := 0
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "stored ") {
			stored++
		}
		if stored == 20 {
			child.Process.Kill() // it is in the middle of a later one
		}
	}
	child.Wait()
	if stored < 20 {
		t.Fatalf("the other process stored %d uploads, want 20 at least", stored)
	}

	v := snapshot(t, open(t, path))
	uploads := must(v.Uploads(t.Context()))(t)
	rows, total, err := v.Runs(t.Context(), RunQuery{})
	if err != nil || total < stored || total != len(uploads) {
		t.Fatalf("%d runs and %d uploads, %v, want %d of both", total, len(uploads), err, stored)
	}
	for _, row := range rows {
		got := must(v.Tables(t.Context(), row.RunID))(t)
		if len(got.Spans) != 41 || len(got.Traces) != 1 || !got.Traces[0].Spans.Known() {
			t.Errorf("run %q is there in part: %d traces, %d spans", row.RunID, len(got.Traces), len(got.Spans))
		}
	}
	var check string
	if err := v.tx.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity_check = %q, %v", check, err)
	}
}
