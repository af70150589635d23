package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"smolscope/server/store"
	"smolscope/views"
)

const (
	htmlType = "text/html; charset=utf-8"
	jsonType = "application/json"
)

// A component is a page to be written, of package views.
type component interface {
	Render(ctx context.Context, w io.Writer) error
}

// page makes a handler of a function that builds a page from one snapshot. The
// snapshot is closed before the page is sent, which may take as long as the
// client likes.
func (s *Server) page(build func(echo.Context, *store.Snapshot) (component, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		var page component
		err := s.Store.Read(c.Request().Context(), func(v *store.Snapshot) (err error) {
			page, err = build(c, v)
			return err
		})
		if err != nil {
			return err
		}
		return s.render(c, http.StatusOK, page)
	}
}

// render sends a page. It is written to memory first, so that a page that
// cannot be written is an error and not half a page.
func (s *Server) render(c echo.Context, status int, page component) error {
	site := views.Site{Version: s.Version, Notice: s.Notice}
	if s.ingester.Deriving() {
		site.Notice = "Runs are being derived again after an update. Some are missing until that is done."
	}
	var body bytes.Buffer
	if err := page.Render(views.WithSite(c.Request().Context(), site), &body); err != nil {
		return err
	}
	return c.Blob(status, htmlType, body.Bytes())
}

// data makes a handler of a function that writes an answer of the API from one
// snapshot as it reads. A client that takes nothing for a while is cut off, as
// it keeps a snapshot from others.
func (s *Server) data(write func(echo.Context, *store.Snapshot, *answer) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		deadlines := http.NewResponseController(c.Response())
		// The connection may serve other requests after this one.
		defer deadlines.SetWriteDeadline(time.Time{})
		return s.Store.Read(c.Request().Context(), func(v *store.Snapshot) error {
			return write(c, v, &answer{c.Response(), deadlines})
		})
	}
}

// stalled is how long a client may take nothing of an answer.
const stalled = 30 * time.Second

// An answer is a body of the API that is written piece by piece. Its status and
// headers go out with the first piece.
type answer struct {
	response  *echo.Response
	deadlines *http.ResponseController
}

func (a *answer) as(contentType string) {
	a.response.Header().Set(echo.HeaderContentType, contentType)
}

// attach has browsers save the answer under a name.
func (a *answer) attach(name string) {
	a.response.Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
}

// send writes an answer that is one piece.
func (a *answer) send(contentType string, body []byte) error {
	a.as(contentType)
	_, err := a.Write(body)
	return err
}

// Write sends a piece.
func (a *answer) Write(p []byte) (int, error) {
	// Where deadlines do not exist, as in tests, there is no one to wait for.
	_ = a.deadlines.SetWriteDeadline(time.Now().Add(stalled))
	return a.response.Write(p)
}

// pathParam returns a parameter of the path as it was before it was encoded.
// Echo gives it encoded where the path could not be written in the plain way.
func pathParam(c echo.Context, name string) (string, error) {
	value := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return value, nil
	}
	decoded, err := url.PathUnescape(value)
	if err != nil {
		return "", badQuery("the path is not percent-encoded rightly: " + err.Error())
	}
	return decoded, nil
}
