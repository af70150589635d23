package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"smolscope/enrich"
	"smolscope/server/store"
	"smolscope/views"
)

// Undo removes uploads as if they had never come: the runs that they were part of
// are derived again from what is left, or go. Uploads that are not there any more
// are passed over; if none is there, the error wraps store.ErrNotFound.
func (in *Ingester) Undo(ctx context.Context, sha256s ...string) (views.Undone, error) {
	in.changing.Lock()
	defer in.changing.Unlock()
	undone := views.Undone{Files: []enrich.File{}, Gone: []string{}, Runs: []views.ReceiptRun{}}
	var remove, around, runs []string
	err := in.store.Read(ctx, func(v *store.Snapshot) error {
		for _, id := range sha256s {
			u, err := v.Upload(ctx, id)
			if errors.Is(err, store.ErrNotFound) || slices.Contains(remove, id) {
				continue
			}
			if err != nil {
				return err
			}
			remove = append(remove, id)
			undone.Files = append(undone.Files, u.Receipt)
		}
		if len(remove) == 0 {
			return fmt.Errorf("undo: %w", store.ErrNotFound)
		}
		// What comes in with them now is what may have changed when they came.
		g := &gathering{view: v, parts: map[string]*enrich.Part{}, ids: remove}
		change, _, err := in.derive(ctx, g)
		around, runs = g.ids, change.Remove
		return err
	})
	if err != nil {
		return views.Undone{}, err
	}
	err = in.store.RemoveUploads(ctx, remove, around, func(v *store.Snapshot, upload string) (store.Change, []string, error) {
		g := &gathering{view: v, parts: map[string]*enrich.Part{}, ids: []string{upload}}
		change, _, err := in.derive(ctx, g)
		runs = append(runs, changedRuns(change)...)
		return change, g.ids, err
	})
	if err != nil {
		return views.Undone{}, err
	}
	slices.Sort(runs)
	runs = slices.Compact(runs)
	in.changed.publish(runs)
	return undone, in.store.Read(ctx, func(v *store.Snapshot) error {
		for _, id := range runs {
			switch row, err := v.Run(ctx, id); {
			case errors.Is(err, store.ErrNotFound):
				undone.Gone = append(undone.Gone, id)
			case err != nil:
				return err
			default:
				undone.Runs = append(undone.Runs, views.ReceiptRun{RunID: id, URL: views.RunURL(id), Tests: int(row.NumTests)})
			}
		}
		return nil
	})
}

// maxUndo is how many bytes the form that undoes an upload may have: the SHA-256
// of each of its files.
const maxUndo = 100 * maxFiles

// undo removes the uploads that a form names.
func (s *Server) undo(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxUndo)
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return err
		}
		return badQuery("The form makes no sense: " + err.Error() + ".")
	}
	undone, err := s.ingester.Undo(r.Context(), r.PostForm["sha256"]...)
	if errors.Is(err, store.ErrNotFound) {
		return &refusal{http.StatusNotFound, "not_found", "Nothing is left to undo", "The files of this upload are not here any more; perhaps it was undone before."}
	}
	if err != nil {
		return err
	}
	if !wantsJSON(c) {
		return s.render(c, http.StatusOK, views.UploadUndone(views.NewUndonePage(undone)))
	}
	body, err := json.Marshal(undone)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, jsonType, append(body, '\n'))
}
