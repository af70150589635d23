package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"smolscope/enrich"
)

func put(t *testing.T, s *Store, text string) (id string) {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	id = hex.EncodeToString(sum[:])
	u := Upload{Receipt: enrich.File{Name: "otlp traces", SHA256: id}, Size: int64(len(text)), Received: time.Unix(1, 0)}
	if err := s.Inbox().Put(u, []string{"run:" + text}, []Place{{id, "otlp:1", "f"}}, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return id
}

// stored returns the texts of all uploads, sorted.
func stored(t *testing.T, s *Store) (texts []string) {
	t.Helper()
	err := s.Read(t.Context(), func(v *Snapshot) error {
		ids, err := v.Uploads(t.Context())
		if err != nil {
			return err
		}
		for _, id := range ids {
			text, err := io.ReadAll(v.UploadBytes(t.Context(), id))
			if err != nil {
				return err
			}
			texts = append(texts, string(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(texts)
	return texts
}

func drain(t *testing.T, s *Store) []string {
	t.Helper()
	ids, err := s.Inbox().Drain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestInbox(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if ids := drain(t, s); len(ids) > 0 {
		t.Errorf("an empty inbox gives %s", ids)
	}
	want := []string{put(t, s, "a"), put(t, s, "b")}
	if got := drain(t, s); !slices.Equal(got, want) {
		t.Errorf("drained %s, want %s", got, want)
	}
	put(t, s, "b") // the same bytes again
	put(t, s, "c")
	drain(t, s)
	if got := stored(t, s); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("stored %q, want a, b and c", got)
	}
	err = s.Read(t.Context(), func(v *Snapshot) error {
		connected, err := v.Connected(t.Context(), []string{"run:a"}, nil)
		if len(connected) != 3 {
			t.Errorf("%d uploads are connected by their session, want 3", len(connected))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A kill leaves the inbox cut off anywhere, while it is written or drained: whole
// records are kept, and a half of one is not seen.
func TestInboxAfterKill(t *testing.T) {
	for _, name := range []string{".inbox", ".inbox.full"} {
		dir := t.TempDir()
		s, err := Open(t.Context(), filepath.Join(dir, "x.db"))
		if err != nil {
			t.Fatal(err)
		}
		var ends []int64
		for _, text := range []string{"a", "b", "c"} {
			put(t, s, text)
			ends = append(ends, s.inbox.size)
		}
		s.Close()
		whole, err := os.ReadFile(filepath.Join(dir, "x.db.inbox"))
		if err != nil {
			t.Fatal(err)
		}
		for cut := 0; cut <= len(whole); cut += 37 {
			path := filepath.Join(dir, fmt.Sprint(cut), "x.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+name, whole[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			put(t, s, "later")
			drain(t, s)
			want := []string{"a", "b", "c"}[:len(slices.DeleteFunc(slices.Clone(ends), func(end int64) bool { return end > int64(cut) }))]
			want = append(want, "later")
			if got := stored(t, s); !slices.Equal(got, want) {
				t.Fatalf("%s cut at %d of %d: stored %q, want %q", name, cut, len(whole), got, want)
			}
			s.Close()
		}
	}
}
