package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"smolscope/enrich"
)

// What was acknowledged before a backup begins is in it, in the database and in
// the inbox alike, while others go on writing and draining.
func TestBackupWhileWriting(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "smolscope.db")
	s, err := OpenAlone(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var mu sync.Mutex
	var acknowledged []string
	stop := make(chan struct{})
	var writers sync.WaitGroup
	writers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			text := fmt.Appendf(nil, "batch %d", i)
			sum := sha256.Sum256(text)
			id := hex.EncodeToString(sum[:])
			u := Upload{Receipt: enrich.File{Name: "x", SHA256: id}, Size: int64(len(text)), Received: time.Unix(int64(i), 0)}
			if err := s.Inbox().Put(u, nil, []Place{{SHA256: id, Drop: "d"}}, text); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			acknowledged = append(acknowledged, id)
			mu.Unlock()
			if i%37 == 0 {
				if _, err := s.Inbox().Drain(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
			time.Sleep(time.Millisecond) // a few hundred a second are enough
		}
	})
	for n := range 8 {
		time.Sleep(20 * time.Millisecond)
		mu.Lock()
		want := slices.Clone(acknowledged)
		mu.Unlock()
		to := filepath.Join(folder, fmt.Sprintf("backup%d.db", n))
		if err := Backup(t.Context(), path, to); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("backup %d: %v, %v", n, info, err)
		}
		b, err := Open(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		err = b.Read(t.Context(), func(v *Snapshot) error {
			for _, id := range want {
				var text bytes.Buffer
				if _, err := text.ReadFrom(v.UploadBytes(t.Context(), id)); err != nil || text.Len() == 0 {
					return fmt.Errorf("upload %s of %d: %d bytes, %w", id, len(want), text.Len(), err)
				}
			}
			return nil
		})
		if err := errors.Join(err, b.Close()); err != nil {
			t.Errorf("backup %d: %v", n, err)
		}
	}
	close(stop)
	writers.Wait()
	if err := Backup(t.Context(), path, filepath.Join(folder, "backup0.db")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a backup is written over: %v", err)
	}
	if err := Backup(t.Context(), filepath.Join(folder, "none.db"), filepath.Join(folder, "b.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a backup of nothing: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(folder, ".smolscope-backup-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
