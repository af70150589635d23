package server

import (
	"context"

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
	if pageOver(q.Page, len(q.Found(d.Results))) {
		return nil, noSuchPage("tests", views.RunURL(run))
	}
	if d.Provenance, err = provenanceOf(ctx, v, run, q, d.Results); err != nil {
		return nil, err
	}
	if d.Files, err = v.Files(ctx, run); err != nil {
		return nil, err
	}
	if q.Tab == "gpu" {
		if err := s.addGPU(ctx, c, v, &d); err != nil {
			return nil, err
		}
	}
	return views.Run(views.NewRunPage(d, q)), nil
}

// provenanceOf returns where the figures come from that a run's page shows.
func provenanceOf(ctx context.Context, v *store.Snapshot, run string, q views.RunQuery, results []enrich.ResultRow) (*enrich.Provenance, error) {
	keys := []string{"run"}
	for _, r := range q.Shown(results) {
		keys = append(keys, r.TestCaseUID)
	}
	if q.Tab != "provenance" || q.Dataset == enrich.Leaderboard {
		return v.Provenance(ctx, run, "", keys...)
	}
	p, err := v.Provenance(ctx, run, q.Dataset)
	if err != nil {
		return nil, err
	}
	own, err := v.Provenance(ctx, run, enrich.Leaderboard, "run")
	if err != nil {
		return nil, err
	}
	p.Put(enrich.Leaderboard, "run", own.Row(enrich.Leaderboard, "run"))
	return p, nil
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
