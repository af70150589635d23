package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"smolscope/enrich/redact"
	"smolscope/server/store"
	"smolscope/views"
)

// shareable are the routes that a share opens, of its own run. A new route is
// opened by none unless it is named here.
var shareable = []string{
	"/runs/:run", "/runs/:run/tests/:test", "/runs/:run/traces/:trace",
	"/api/v1/runs/:run",
	"/api/v1/runs/:run/results.:format", "/api/v1/runs/:run/traces.:format", "/api/v1/runs/:run/metrics.:format", "/api/v1/runs/:run/leaderboard.:format",
	"/api/v1/runs/:run/traces/:trace/spans", "/api/v1/runs/:run/traces/:trace/spans/:span",
}

// withShares adds the routes of shares: those of a run below its token.
func (s *Server) withShares(routes []route) []route {
	all := slices.Clone(routes)
	for _, r := range routes {
		if r.method == http.MethodGet && slices.Contains(shareable, r.path) {
			all = append(all, route{r.method, sharedRoute(r.path), s.shared(r.handler)})
		}
	}
	return append(all, route{"GET", sharePath + "/card.png", s.shared(s.shareCard)})
}

// sharedRoute returns where a share has what lies at a path of a run, or at one of
// the API.
func sharedRoute(path string) string {
	if rest, ok := strings.CutPrefix(path, "/api/v1/runs/:run"); ok {
		return sharePath + "/api" + rest
	}
	return sharePath + strings.TrimPrefix(path, "/runs/:run")
}

// An opened share is the one by which a request came.
type opened struct {
	token string
	store.Share
}

const openedKey = "share"

// openedBy returns the share by which a request came, if it came by one.
func openedBy(c echo.Context) (opened, bool) {
	o, ok := c.Get(openedKey).(opened)
	return o, ok
}

// mask returns what is masked for whoever has the link.
func (o opened) mask() redact.Mask {
	return redact.Mask{Secrets: o.Redacted || o.TextHidden, Text: o.TextHidden}
}

// shared answers a request by a share, with what the handler answers for its run.
func (s *Server) shared(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Referrer-Policy", "no-referrer") // the address is the key
		h.Set("X-Robots-Tag", "noindex, nofollow")
		token, err := pathParam(c, "token")
		if err != nil {
			return err
		}
		o := opened{token: token}
		err = s.Store.Read(c.Request().Context(), func(v *store.Snapshot) error {
			if o.Share, err = v.Share(c.Request().Context(), token); err != nil {
				return err
			}
			_, err := v.Run(c.Request().Context(), o.RunID)
			return err
		})
		switch {
		case errors.Is(err, store.ErrNotFound):
			return &refusal{http.StatusNotFound, "not_found", "This link opens nothing", "It may be mistyped, or the run may not be there any more. Ask whoever gave it to you for another one."}
		case err != nil:
			return err
		case o.Over(s.ingester.now()):
			return &refusal{http.StatusGone, "gone", "This link has ended", "It has expired or was revoked. Ask whoever gave it to you for another one."}
		}
		c.Set(openedKey, o)
		if c.Path() == sharePath && c.Request().Method == http.MethodGet {
			s.visits.add(o.ID)
		}
		return next(c)
	}
}

// moved returns where a share has what lies at an address of this dashboard, and
// false if it has it not.
func (o opened) moved(address string) (string, bool) {
	if strings.HasPrefix(address, "/static/") {
		return address, true
	}
	run := views.RunURL(o.RunID)
	below := views.ShareURL(o.token)
	if rest, ok := strings.CutPrefix(address, "/api/v1"+run); ok && (rest == "" || rest[0] == '/') {
		return below + "/api" + rest, true
	}
	rest, ok := strings.CutPrefix(address, run)
	for _, begin := range []string{"?", "#", "/tests/", "/traces/"} {
		if ok && (rest == "" || strings.HasPrefix(rest, begin)) {
			return below + rest, true
		}
	}
	return "", false
}

// Visits counts how often links were opened, until they are stored.
type visits struct {
	mu sync.Mutex
	n  map[string]int64
}

func (v *visits) add(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.n == nil {
		v.n = map[string]int64{}
	}
	v.n[id]++
}

// storeVisits stores what was counted since it was called last.
func (s *Server) storeVisits(ctx context.Context) {
	s.visits.mu.Lock()
	n := s.visits.n
	s.visits.n = nil
	s.visits.mu.Unlock()
	if len(n) == 0 {
		return
	}
	if err := s.Store.CountVisits(ctx, n, s.ingester.now()); err != nil {
		s.Log.Warn("visits of links were not counted", "error", err)
	}
}

// countVisits stores the visits every few seconds until ctx is done.
func (s *Server) countVisits(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.storeVisits(ctx)
		case <-ctx.Done():
			s.storeVisits(context.WithoutCancel(ctx))
			return
		}
	}
}

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
