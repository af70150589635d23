package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"smolscope/enrich/redact"
	"smolscope/server/store"
	"smolscope/views"
)

// ErrExpires is the error of a time that a link cannot last.
var ErrExpires = errors.New("want a number of days, hours or minutes, such as 7d, 12h or 30m, of ten years at most")

// ExpiresIn reads how long a link is to last, such as 7d; "" is forever, 0.
func ExpiresIn(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	unit, ok := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute}[text[len(text)-1]]
	n, err := strconv.Atoi(text[:len(text)-1])
	if !ok || err != nil || n <= 0 || n > int(3653*24*time.Hour/unit) {
		return 0, fmt.Errorf("%q: %w", text, ErrExpires)
	}
	return time.Duration(n) * unit, nil
}

// A ShareRequest says how a run is to be shared (contract: POST …/shares).
type ShareRequest struct {
	Expires  *string `json:"expires"`   // such as "7d"; null is never
	Redact   bool    `json:"redact"`    // secrets and names are masked
	HideText bool    `json:"hide_text"` // so is all that agents read and wrote
}

// A SharedLink is the answer to a ShareRequest (contract: POST …/shares).
type SharedLink struct {
	Token    string  `json:"token"`
	URL      string  `json:"url"`
	Expires  *string `json:"expires"` // RFC 3339
	Redacted bool    `json:"redacted"`
}

// NewShare makes a link to a run. Its error wraps store.ErrNotFound if there is no
// such run, and ErrExpires if it cannot last that long.
func NewShare(ctx context.Context, db *store.Store, run string, q ShareRequest, now time.Time) (SharedLink, error) {
	share := store.Share{RunID: run, Created: now.UTC(), Redacted: q.Redact || q.HideText, TextHidden: q.HideText}
	if q.Expires != nil {
		lasts, err := ExpiresIn(*q.Expires)
		if err != nil {
			return SharedLink{}, err
		}
		if lasts > 0 {
			share.Expires = share.Created.Add(lasts)
		}
	}
	err := db.Read(ctx, func(v *store.Snapshot) error {
		_, err := v.Run(ctx, run)
		return err
	})
	if err != nil {
		return SharedLink{}, err
	}
	token := rand.Text() // 130 bits
	if err := db.PutShare(ctx, token, share); err != nil {
		return SharedLink{}, err
	}
	link := SharedLink{Token: token, URL: views.ShareURL(token), Redacted: share.Redacted}
	if !share.Expires.IsZero() {
		link.Expires = new(share.Expires.Format(time.RFC3339))
	}
	return link, nil
}

// share makes a link, and says what went wrong as an answer does.
func (s *Server) share(ctx context.Context, run string, q ShareRequest) (SharedLink, error) {
	link, err := NewShare(ctx, s.Store, run, q, s.ingester.now())
	if errors.Is(err, ErrExpires) {
		return link, badQuery("expires: " + err.Error())
	}
	return link, absent(err, "run", run)
}

// apiShare makes a link to a run.
func (s *Server) apiShare(c echo.Context) error {
	run, err := pathParam(c, "run")
	if err != nil {
		return err
	}
	var q ShareRequest
	body := json.NewDecoder(http.MaxBytesReader(c.Response(), c.Request().Body, 64<<10))
	body.DisallowUnknownFields()
	if err := body.Decode(&q); err != nil && !errors.Is(err, io.EOF) {
		return badQuery(`the body is not such as {"expires":"7d","redact":false,"hide_text":false}: ` + err.Error())
	}
	link, err := s.share(c.Request().Context(), run, q)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, link)
}

// apiUnshare revokes a link, by its token or its id.
func (s *Server) apiUnshare(c echo.Context) error {
	token, err := pathParam(c, "token")
	if err != nil {
		return err
	}
	if err := s.revoke(c.Request().Context(), token); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) revoke(ctx context.Context, tokenOrID string) error {
	err := s.Store.RevokeShare(ctx, tokenOrID)
	if errors.Is(err, store.ErrNotFound) {
		return &refusal{http.StatusNotFound, "not_found", "There is no such link", "It may have been revoked before."}
	}
	return err
}

// shares shows the links to a run, and the form that makes one.
func (s *Server) shares(c echo.Context, v *store.Snapshot) (component, error) {
	return s.sharesPage(c, v, "")
}

// sharesPage builds the page of a run's links. made is the address of one that was
// just made, which is shown this once.
func (s *Server) sharesPage(c echo.Context, v *store.Snapshot, made string) (component, error) {
	row, err := runOf(c, v)
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	d := views.SharesData{Run: row, Now: s.ingester.now(), Made: made, Alone: s.access == nil, Preview: c.QueryParam("preview") != ""}
	list, err := v.Shares(ctx, row.RunID)
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		d.Shares = append(d.Shares, views.ShareLine{
			ID: o.ID, Created: o.Created, Expires: o.Expires, Visited: o.Visited, Visits: o.Visits,
			Redacted: o.Redacted, TextHidden: o.TextHidden, Over: o.Over(d.Now),
		})
	}
	if d.Preview {
		tables, err := v.Tables(ctx, row.RunID)
		if err != nil {
			return nil, err
		}
		d.Found = redact.Find(tables)
	}
	return views.Shares(views.NewSharesPage(d)), nil
}

// addShare makes a link as the form says.
func (s *Server) addShare(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, 16<<10)
	run, err := pathParam(c, "run")
	if err != nil {
		return err
	}
	link, err := s.share(r.Context(), run, ShareRequest{
		Expires: new(r.PostFormValue("expires")), Redact: r.PostFormValue("redact") != "", HideText: r.PostFormValue("hide_text") != "",
	})
	if err != nil {
		return err
	}
	return s.page(func(c echo.Context, v *store.Snapshot) (component, error) {
		return s.sharesPage(c, v, s.origin(c)+link.URL)
	})(c)
}

// removeShare revokes the link that the form names.
func (s *Server) removeShare(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, 16<<10)
	run, err := pathParam(c, "run")
	if err != nil {
		return err
	}
	if err := s.revoke(r.Context(), r.PostFormValue("id")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, views.SharesURL(run))
}
