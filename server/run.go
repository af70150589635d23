package server

import (
	"github.com/labstack/echo/v4"

	"smolscope/enrich"
	"smolscope/server/store"
	"smolscope/views"
)

func (s *Server) run(c echo.Context, v *store.Snapshot) (component, error) {
	q, err := views.ParseRunQuery(c.QueryParams())
	if err != nil {
		return nil, err
	}
	var d views.RunData
	if d.Row, err = runOf(c, v); err != nil {
		return nil, err
	}
	ctx, run := c.Request().Context(), d.Row.RunID
	if d.Results, err = v.Results(ctx, run); err != nil {
		return nil, err
	}
	if d.Quality, err = v.Quality(ctx, run); err != nil {
		return nil, err
	}
	if d.Origins, err = v.Origins(ctx, run, enrich.Leaderboard, "run"); err != nil {
		return nil, err
	}
	if d.Files, err = v.Files(ctx, run); err != nil {
		return nil, err
	}
	return views.Run(views.NewRunPage(d, q)), nil
}

// runOf returns the leaderboard row of the run that the path names.
func runOf(c echo.Context, v *store.Snapshot) (enrich.LeaderboardRow, error) {
	run, err := pathParam(c, "run")
	if err != nil {
		return enrich.LeaderboardRow{}, err
	}
	row, err := v.Run(c.Request().Context(), run)
	return row, absent(err, "run", run)
}
