package server

import (
	"github.com/labstack/echo/v4"

	"smolscope/server/store"
	"smolscope/views"
)

func (s *Server) leaderboard(c echo.Context, v *store.Snapshot) (component, error) {
	q, err := views.ParseLeaderboardQuery(c.QueryParams())
	if err != nil {
		return nil, err
	}
	rows, total, err := v.Runs(c.Request().Context(), store.RunQuery{Sort: q.Sort, Desc: q.Desc, Limit: q.Limit(), Offset: q.Offset()})
	if err != nil {
		return nil, err
	}
	return views.Leaderboard(views.NewLeaderboardPage(rows, total, q)), nil
}
