package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"smolscope/views"
)

// MinToken is the fewest characters that an access token may have: one that can
// be guessed is none.
const MinToken = 16

const (
	loginPath     = "/login"
	logoutPath    = "/logout"
	sharePath     = "/s/:token"
	sessionCookie = "smolscope"
	sessionTime   = 30 * 24 * time.Hour
)

// openTo reports whether a route is answered without the access token, given its
// path as routes has it. Whatever is not named here asks for it.
func openTo(path string) bool {
	switch path {
	case staticPath, loginPath, "/healthz", "/readyz":
		return true
	}
	return ofShare(path)
}

// An access tells who may use the dashboard: whoever shows its token, as a bearer
// or by the cookie that the login page sets. A nil one lets everyone in.
type access struct {
	token [sha256.Size]byte // its hash, so that comparing takes as long for any length
	// session is what the cookie holds: made of the token, so that it ends with it,
	// and not the token, which the cookie does not give away.
	session string
	fails   attempts
}

func newAccess(token string) *access {
	if token == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("smolscope session"))
	return &access{token: sha256.Sum256([]byte(token)), session: hex.EncodeToString(mac.Sum(nil))}
}

// accepts compares a token in a time that does not depend on it.
func (a *access) accepts(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1
}

// hasSession reports whether a request comes from a browser that is logged in.
func (a *access) hasSession(r *http.Request) bool {
	for _, c := range r.CookiesNamed(sessionCookie) {
		if subtle.ConstantTimeCompare([]byte(c.Value), []byte(a.session)) == 1 {
			return true
		}
	}
	return false
}

// admitted turns away whoever may not use the dashboard: people to the login
// page, programs with 401.
func (s *Server) admitted(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if s.access == nil || openTo(c.Path()) || s.access.hasSession(r) {
			return next(c)
		}
		token, given := strings.CutPrefix(r.Header.Get(echo.HeaderAuthorization), "Bearer ")
		if given {
			switch ok, err := s.tried(c, token); {
			case err != nil:
				return err
			case ok:
				return next(c)
			}
		}
		if r.Method == http.MethodGet && strings.Contains(r.Header.Get(echo.HeaderAccept), "text/html") && !wantsJSON(c) {
			return c.Redirect(http.StatusSeeOther, loginPath+"?next="+url.QueryEscape(r.URL.RequestURI()))
		}
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="smolscope"`)
		message := "Send it as Authorization: Bearer TOKEN, or log in at " + loginPath + " with a browser."
		if given {
			message = "The token that was sent is not this dashboard's. " + message
		}
		return &refusal{http.StatusUnauthorized, "unauthorized", "This dashboard asks for its access token", message}
	}
}

// tried compares a token that a request shows, unless too many from there were
// wrong. Then it is not even looked at, so that nobody learns whether it was
// right.
func (s *Server) tried(c echo.Context, token string) (bool, error) {
	from := s.access.fails.from(c.RealIP())
	if wait := from.wait(time.Now()); wait > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(wait/time.Second)+1))
		return false, &refusal{http.StatusTooManyRequests, "too_many_attempts", "Too many wrong tokens came from there",
			fmt.Sprintf("Try again in %d seconds.", int(wait/time.Second)+1)}
	}
	if s.access.accepts(token) {
		return true, nil
	}
	from.failed(time.Now())
	return false, nil
}

// login shows the form that asks for the token.
func (s *Server) login(c echo.Context) error {
	next := localPath(c.QueryParam("next"))
	if s.access == nil || s.access.hasSession(c.Request()) {
		return c.Redirect(http.StatusSeeOther, next)
	}
	return s.render(c, http.StatusOK, views.Login(views.NewLoginPage(next, false)))
}

// logIn sets the cookie, if the token of the form is right.
func (s *Server) logIn(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, 16<<10)
	next := localPath(r.PostFormValue("next"))
	if s.access == nil {
		return c.Redirect(http.StatusSeeOther, next)
	}
	switch ok, err := s.tried(c, strings.TrimSpace(r.PostFormValue("token"))); {
	case err != nil:
		return err
	case !ok:
		return s.render(c, http.StatusUnauthorized, views.Login(views.NewLoginPage(next, true)))
	}
	s.setSession(c, s.access.session, sessionTime)
	return c.Redirect(http.StatusSeeOther, next)
}

// logOut takes the cookie back.
func (s *Server) logOut(c echo.Context) error {
	s.setSession(c, "", -time.Second)
	return c.Redirect(http.StatusSeeOther, loginPath)
}

func (s *Server) setSession(c echo.Context, value string, lasts time.Duration) {
	c.SetCookie(&http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.TLS,
	})
}

// localPath returns where to go after logging in: a page of this dashboard,
// whatever the address says. Browsers read a backslash as a slash and leave out
// control characters, so that either could lead elsewhere.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || r < ' ' }) {
		return "/"
	}
	return next
}

// attempts counts wrong tokens by where they come from: ten at once, and then one
// every six seconds.
type attempts struct {
	mu sync.Mutex
	of map[netip.Prefix]*attempt
}

type attempt struct{ left *rate.Limiter }

const (
	attemptsAtOnce = 10
	attemptEvery   = 6 * time.Second
	maxSources     = 10_000 // that are told apart
)

// from returns the count of an address; addresses of one IPv6 network count as
// one, since its owner has them all.
func (a *attempts) from(address string) *attempt {
	var source netip.Prefix
	if ip, err := netip.ParseAddr(address); err == nil {
		ip = ip.Unmap().WithZone("")
		bits := ip.BitLen()
		if ip.Is6() {
			bits = 64
		}
		source, _ = ip.Prefix(bits)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[netip.Prefix]*attempt{}
	}
	if a.of[source] == nil {
		if len(a.of) >= maxSources {
			now := time.Now()
			for key, old := range a.of {
				if old.left.TokensAt(now) >= attemptsAtOnce {
					delete(a.of, key)
				}
			}
		}
		if len(a.of) >= maxSources {
			source = netip.Prefix{} // all further ones count as one
		}
		if a.of[source] == nil {
			a.of[source] = &attempt{rate.NewLimiter(rate.Every(attemptEvery), attemptsAtOnce)}
		}
	}
	return a.of[source]
}

// wait returns how long no token from there is looked at.
func (a *attempt) wait(now time.Time) time.Duration {
	missing := 1 - a.left.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * float64(attemptEvery))
}

func (a *attempt) failed(now time.Time) { a.left.AllowN(now, 1) }
