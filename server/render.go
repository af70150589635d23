package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
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
			page, err = build(c, masked(c, v))
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
	site := views.Site{Version: s.Version, Notice: strings.TrimSpace(s.ingester.Progress().notice() + " " + s.Notice)}
	site.OTLP, site.Settings = s.origin(c), s.settings
	site.Login = s.access != nil && s.access.hasSession(c.Request())
	o, shared := openedBy(c)
	if site.Shared = ofShare(c.Path()); site.Shared {
		site.OTLP, site.Settings, site.Login, site.Notice = "", nil, false, s.Notice
	}
	if shared {
		site.Card = s.origin(c) + views.ShareURL(o.token) + "/card.png"
	}
	var body bytes.Buffer
	if err := page.Render(views.WithSite(c.Request().Context(), site), &body); err != nil {
		return err
	}
	if shared {
		return c.Blob(status, htmlType, moved(body.Bytes(), o.moved))
	}
	return c.Blob(status, htmlType, body.Bytes())
}

// settingsOf are what previews in the browser are made with: the same as runs here.
func settingsOf(c Config) *views.PreviewSettings {
	p := &views.PreviewSettings{Version: c.Version, ElectricityUSDPerKWh: c.Options.ElectricityUSDPerKWh, CarbonGPerKWh: c.Options.CarbonGPerKWh}
	if c.Options.Prices != nil && c.Options.Prices.Own() != nil {
		p.Prices, _ = json.Marshal(c.Options.Prices.Own()) // prices are finite: price.ReadFile refuses others
	}
	return p
}

// masked returns the snapshot as whoever asks may see it.
func masked(c echo.Context, v *store.Snapshot) *store.Snapshot {
	if o, shared := openedBy(c); shared {
		return v.Masked(o.mask())
	}
	return v
}

// origin returns the scheme and host that a request came to. Headers that claim
// another are not believed.
func (s *Server) origin(c echo.Context) string {
	if s.TLS || c.IsTLS() {
		return "https://" + c.Request().Host
	}
	return "http://" + c.Request().Host
}

// notice says on top of every page what is to be known of deriving runs again, ""
// if that is nothing.
func (p Progress) notice() string {
	switch {
	case p.Deriving && p.Missing:
		return fmt.Sprintf("Runs are being derived again after an update: %d of %d files are done. Their runs are missing until then.", p.Done, p.Total)
	case p.Deriving:
		return fmt.Sprintf("Runs are being derived again after an update: %d of %d files are done. The others show what they were before.", p.Done, p.Total)
	case p.Failed > 0:
		return fmt.Sprintf("The runs of %d of %d files could not be derived again after an update. Their receipts and the log say why.", p.Failed, p.Total)
	}
	return ""
}

// data makes a handler of a function that writes an answer of the API from one
// snapshot. The answer is kept until it is whole, and the snapshot closed before
// it is sent: a client that reads slowly keeps no snapshot from others, and an
// answer that fails on the way is an error and not half an answer.
func (s *Server) data(write func(echo.Context, *store.Snapshot, *answer) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		out := &answer{}
		defer out.close()
		err := s.Store.Read(c.Request().Context(), func(v *store.Snapshot) error {
			return write(c, masked(c, v), out)
		})
		if err != nil {
			return err
		}
		return out.sendTo(c)
	}
}

const (
	stalled    = 30 * time.Second // how long a client may take nothing of an answer
	inMemory   = 1 << 20          // longer answers are kept in a file
	sentAtOnce = 64 << 10
)

// An answer is a body of the API that is written piece by piece.
type answer struct {
	contentType, disposition string
	begin                    bytes.Buffer // what fits in memory
	rest                     *spool       // what follows, nil if it all fits
}

func (a *answer) as(contentType string) { a.contentType = contentType }

// attach has browsers save the answer under a name.
func (a *answer) attach(name string) { a.disposition = `attachment; filename="` + name + `"` }

// send writes an answer that is one piece.
func (a *answer) send(contentType string, body []byte) error {
	a.as(contentType)
	_, err := a.Write(body)
	return err
}

// Write keeps a piece.
func (a *answer) Write(p []byte) (n int, err error) {
	if a.rest == nil && a.begin.Len()+len(p) <= inMemory {
		return a.begin.Write(p)
	}
	if a.rest == nil {
		if a.rest, err = newSpool(); err != nil {
			return 0, err
		}
	}
	return a.rest.Write(p)
}

func (a *answer) close() {
	if a.rest != nil {
		a.rest.close()
	}
}

// sendTo sends what was written. A client that takes nothing for a while is cut
// off.
func (a *answer) sendTo(c echo.Context) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, a.contentType)
	if a.disposition != "" {
		h.Set(echo.HeaderContentDisposition, a.disposition)
	}
	deadlines := http.NewResponseController(c.Response())
	// The connection may serve other requests after this one.
	defer deadlines.SetWriteDeadline(time.Time{})
	body := io.Reader(&a.begin)
	if a.rest != nil {
		body = io.MultiReader(body, section{a.rest.file, 0, a.rest.size}.reader())
	}
	piece := make([]byte, sentAtOnce)
	for {
		n, err := body.Read(piece)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		// Where deadlines do not exist, as in tests, there is no one to wait for.
		_ = deadlines.SetWriteDeadline(time.Now().Add(stalled))
		if _, err := c.Response().Write(piece[:n]); err != nil {
			return err
		}
	}
}

// pathParam returns a parameter of the path as it was before it was encoded.
// Echo gives it encoded where the path could not be written in the plain way.
func pathParam(c echo.Context, name string) (string, error) {
	if o, shared := openedBy(c); shared && name == "run" {
		return o.RunID, nil
	}
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
