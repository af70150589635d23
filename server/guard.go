package server

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// contentPolicy lets a page load what this server has and nothing else, so that
// markup in a trace could do nothing even if it reached a page unescaped.
// Compiling WebAssembly is the one thing it adds.
const contentPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secured sets the headers that every answer has, and turns away requests that
// a page of someone else may have sent.
func (s *Server) secured(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		if s.TLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		// Not no-referrer: browsers would send "Origin: null" with our own forms.
		h.Set("Referrer-Policy", "same-origin")
		if c.Path() != staticPath {
			h.Set("Cache-Control", "private, no-cache")
		}
		if !s.hosts.allow(c.Request().Host) {
			return &refusal{http.StatusForbidden, "wrong_host", "This address is not served here",
				fmt.Sprintf("The request asks for the host %q. Open the dashboard by the address that it was started with.", c.Request().Host)}
		}
		if err := s.origins.Check(c.Request()); err != nil {
			return &refusal{http.StatusForbidden, "cross_origin", "This request came from another site",
				"Only pages of this dashboard, and programs, may change something here."}
		}
		return next(c)
	}
}

// hosts are the names and addresses that a request may ask for. A name of
// someone else that resolves to this machine is not among them: its pages would
// otherwise be able to read ours.
type hosts struct {
	names      []string
	anyAddress bool
}

// hostsOf returns what may be asked for when addr is listened on, and by which
// other names.
func hostsOf(addr string, names ...string) hosts {
	h := hosts{names: append([]string{"localhost"}, names...)}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		h.anyAddress = true
		if name, err := os.Hostname(); err == nil {
			h.names = append(h.names, name)
		}
	default:
		h.names = append(h.names, host)
	}
	return h
}

func (h hosts) allow(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsLoopback() || h.anyAddress) {
		return true
	}
	for _, name := range h.names {
		if strings.EqualFold(host, name) {
			return true
		}
	}
	return strings.HasSuffix(strings.ToLower(host), ".localhost")
}

// logged writes a line for each request. It names the route, not the address:
// ids and queries may hold what is nobody's business.
func (s *Server) logged(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		if err := next(c); err != nil {
			c.Error(err) // answered here, so that its status can be logged
		}
		level := slog.LevelDebug
		if c.Response().Status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		s.Log.Log(c.Request().Context(), level, "request", "method", c.Request().Method, "route", c.Path(),
			"status", c.Response().Status, "bytes", c.Response().Size, "took", time.Since(began))
		return nil
	}
}

// recovered makes a panic of a handler an error of that request alone.
func (s *Server) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch r := recover(); r {
			case nil:
			case http.ErrAbortHandler:
				panic(r)
			default:
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		return next(c)
	}
}
