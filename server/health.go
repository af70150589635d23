package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"smolscope/server/store"
)

// healthz answers as long as the program runs.
func (s *Server) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz answers whether the store can be read. While runs are derived again and
// can be read as they were, the dashboard can be used, so it is ready.
func (s *Server) readyz(c echo.Context) error {
	if p := s.ingester.Progress(); p.Deriving && p.Missing {
		return c.String(http.StatusServiceUnavailable, p.notice()+"\n")
	}
	ctx := c.Request().Context()
	err := s.Store.Read(ctx, func(v *store.Snapshot) error {
		_, _, err := v.Runs(ctx, store.RunQuery{Limit: 1})
		return err
	})
	if err != nil {
		s.Log.Error("not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "the database cannot be read; the program's log says why\n")
	}
	return c.String(http.StatusOK, "ready\n")
}
