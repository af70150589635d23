package store

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

// TestRemoveUploads removes one of two uploads of a run, which came together with
// one that was there before.
func TestRemoveUploads(t *testing.T) {
	ctx := t.Context()
	old, kept, gone := upload("old", "k"), upload("kept", "k"), upload("gone", "k")
	ids := func(list ...NewUpload) (ids []string) {
		for _, u := range list {
			ids = append(ids, u.Receipt.SHA256)
		}
		slices.Sort(ids)
		return ids
	}
	of := func(id string, sources ...NewUpload) *enrich.Tables {
		r := run(id)
		r.Sources = ids(sources...)
		return r
	}
	fill := func(t *testing.T) *Store {
		s := openNew(t)
		old, kept, gone := upload("old", "k"), upload("kept", "k"), upload("gone", "k")
		apply(t, s, Change{Uploads: []NewUpload{old, kept}, Places: []Place{{old.Receipt.SHA256, "first", ""}, {kept.Receipt.SHA256, "first", ""}}})
		apply(t, s, Change{
			Uploads: []NewUpload{gone},
			Places:  []Place{{old.Receipt.SHA256, "second", ""}, {gone.Receipt.SHA256, "second", ""}},
			Runs:    []*enrich.Tables{of("r", old, kept, gone), of("other")},
		})
		return s
	}
	runsOf := func(t *testing.T, s *Store) (list []string) {
		rows, _, err := snapshot(t, s).Runs(ctx, RunQuery{Sort: "run_id"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			list = append(list, r.RunID)
		}
		return list
	}

	t.Run("removed", func(t *testing.T) {
		s := fill(t)
		var asked []string
		err := s.RemoveUploads(ctx, ids(gone), ids(old, kept, gone), func(v *Snapshot, id string) (Change, []string, error) {
			asked = append(asked, id)
			if sources := must(v.Sources(ctx, "r"))(t); len(sources) > 0 {
				t.Errorf("the run still has sources %q", sources)
			}
			if left := must(v.Connected(ctx, nil, []string{id}))(t); !slices.Equal(left, ids(old, kept)) {
				t.Errorf("connected are %q, want the two that are left", left)
			}
			return Change{Runs: []*enrich.Tables{of("again", old, kept)}}, ids(old, kept), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(asked) != 1 {
			t.Errorf("derived for %q, want once for both that are left", asked)
		}
		if diff := cmp.Diff([]string{"again", "other"}, runsOf(t, s)); diff != "" {
			t.Errorf("runs (-want +got):\n%s", diff)
		}
		v := snapshot(t, s)
		if _, err := v.Upload(ctx, gone.Receipt.SHA256); !errors.Is(err, ErrNotFound) {
			t.Errorf("the upload: %v, want ErrNotFound", err)
		}
		for _, p := range must(v.Places(ctx, ids(old, kept)...))(t) {
			if p.Drop != "first" {
				t.Errorf("place %+v is left of the drop that is gone", p)
			}
		}
		for _, table := range []string{"upload_blocks", "upload_keys"} {
			var n int
			if err := v.tx.QueryRow(`SELECT COUNT(*) FROM `+table+` WHERE sha256 = ?`, gone.Receipt.SHA256).Scan(&n); err != nil || n > 0 {
				t.Errorf("%s has %d rows of the upload, %v", table, n, err)
			}
		}
	})
	t.Run("all or nothing", func(t *testing.T) {
		s := fill(t)
		broken := errors.New("broken")
		err := s.RemoveUploads(ctx, ids(gone), ids(old), func(*Snapshot, string) (Change, []string, error) { return Change{}, nil, broken })
		if !errors.Is(err, broken) {
			t.Errorf("error %v, want %v", err, broken)
		}
		if diff := cmp.Diff([]string{"other", "r"}, runsOf(t, s)); diff != "" {
			t.Errorf("runs (-want +got):\n%s", diff)
		}
		if _, err := snapshot(t, s).Upload(ctx, gone.Receipt.SHA256); err != nil {
			t.Error(err)
		}
	})
}
