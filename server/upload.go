package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/labstack/echo/v4"

	"smolscope/server/store"
	"smolscope/views"
)

// maxFiles is how many files one upload may have.
const maxFiles = 10_000

func (s *Server) uploadForm(echo.Context, *store.Snapshot) (component, error) {
	return views.Upload(views.NewUploadPage(nil)), nil
}

// preview answers who loads the page of a preview again: what it showed was in
// the tab only.
func (s *Server) preview(echo.Context, *store.Snapshot) (component, error) {
	return views.Preview(views.NewPreviewPage()), nil
}

// upload takes the files of a form as they arrive.
func (s *Server) upload(c echo.Context) error {
	r := c.Request()
	whole := r.Body
	r.Body = http.MaxBytesReader(c.Response(), whole, s.MaxUpload)
	form, err := r.MultipartReader()
	if err != nil {
		return &refusal{http.StatusUnsupportedMediaType, "not_multipart", "This is not an upload",
			"Files are sent as multipart/form-data, each in a field named files: " + err.Error() + "."}
	}
	receipt, err := s.ingester.Ingest(r.Context(), formFiles(form))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		// Browsers read an answer only once they have sent everything.
		io.CopyN(io.Discard, whole, 10*s.MaxUpload)
	}
	if err != nil {
		return err
	}
	return s.answerReceipt(c, receipt)
}

// answerReceipt answers with a receipt, as a page or to a program.
func (s *Server) answerReceipt(c echo.Context, receipt views.Receipt) error {
	status := http.StatusUnprocessableEntity
	for _, f := range receipt.Files {
		if f.Error == nil || f.Rows > 0 {
			status = http.StatusOK
		}
	}
	if !wantsJSON(c) {
		return s.render(c, status, views.Upload(views.NewUploadPage(&receipt)))
	}
	body, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	return c.Blob(status, jsonType, append(body, '\n'))
}

// formFiles yields the files in the fields of a form that are named files.
func formFiles(form *multipart.Reader) iter.Seq2[NamedReader, error] {
	return func(yield func(NamedReader, error) bool) {
		for n := 0; ; {
			part, err := form.NextRawPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(NamedReader{}, brokenForm(err))
				return
			}
			// Not FileName, which drops the folder.
			_, fields, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
			if err == nil && fields["filename"] != "" && fields["name"] != "files" {
				yield(NamedReader{}, &refusal{status: http.StatusBadRequest, code: "wrong_field", title: "The form has a file in a field of another name",
					message: fmt.Sprintf("Nothing was stored: files are sent in fields named files, and there is one in %q.", fields["name"])})
				return
			}
			if err != nil || fields["filename"] == "" {
				continue // such as the empty file that a form without a choice sends
			}
			if n++; n > maxFiles {
				yield(NamedReader{}, &refusal{http.StatusRequestEntityTooLarge, "too_many", "Too many files",
					fmt.Sprintf("One upload may have %d files. Send the others in a second one.", maxFiles)})
				return
			}
			if !yield(NamedReader{fields["filename"], &formFile{part}}, nil) {
				return
			}
		}
	}
}

// A formFile reads one file of a form. That the form breaks off is said as such,
// for the file would look cut short otherwise.
type formFile struct{ *multipart.Part }

func (f *formFile) Read(p []byte) (int, error) {
	n, err := f.Part.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = brokenForm(err)
	}
	return n, err
}

// brokenForm tells a form that breaks off, or makes no sense, from one that is
// too large.
func brokenForm(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	return &refusal{http.StatusBadRequest, "broken_upload", "The upload broke off",
		"Not all of it arrived, so nothing was stored: " + err.Error() + ". Send it again."}
}
