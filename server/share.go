package server

import (
	"errors"
	"net/http"
	"slices"
	"strings"

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

// ofShare reports whether a route is one of a share, given its path.
func ofShare(path string) bool { return path == sharePath || strings.HasPrefix(path, sharePath+"/") }

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
