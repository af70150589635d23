package server

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"smolscope/enrich"
	"smolscope/server/store"
	"smolscope/views"
)

func (s *Server) leaderboard(c echo.Context, v *store.Snapshot) (component, error) {
	q, err := views.ParseLeaderboardQuery(c.QueryParams())
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	rows, total, err := v.Runs(ctx, store.RunQuery{Sort: q.Sort, Desc: q.Desc, Limit: q.Limit(), Offset: q.Offset(), Where: q.Find.Filter})
	if err != nil {
		return nil, err
	}
	if pageOver(q.Page, total) {
		return nil, noSuchPage("runs", "/")
	}
	origins := make(map[string]map[string]enrich.Origin, len(rows))
	for i := range rows {
		p, err := v.Provenance(ctx, rows[i].RunID, enrich.Leaderboard, "run")
		if err != nil {
			return nil, err
		}
		origins[rows[i].RunID] = p.Row(enrich.Leaderboard, "run")
	}
	return views.Leaderboard(views.NewLeaderboardPage(rows, total, origins, q)), nil
}

// pageOver reports whether page n, counted from 1, lies beyond the last of so
// many rows. The first page is never over: it says itself that it is empty.
func pageOver(n, rows int) bool { return n > 1 && (n-1)*views.RowsPerPage >= rows }

// A pastEnd is the refusal of a page beyond the last one of a list.
type pastEnd struct {
	*refusal
	first string // address of the list's first page
}

func (p *pastEnd) Unwrap() error { return p.refusal }

func noSuchPage(things, first string) error {
	return &pastEnd{&refusal{http.StatusNotFound, "not_found", "There is no such page",
		fmt.Sprintf("The list of %s ends before it. Files uploaded since may have made it shorter.", things)}, first}
}

// wayBack returns where to go on from an error, "" where only the leaderboard helps.
func wayBack(err error) string {
	if p, ok := errors.AsType[*pastEnd](err); ok {
		return p.first
	}
	return ""
}
