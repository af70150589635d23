package server

import (
	"context"
	"encoding/json"

	"github.com/labstack/echo/v4"

	"smolscope/enrich/compare"
	"smolscope/server/store"
	"smolscope/views"
)

// compare sets runs side by side; with fewer than two it asks which.
func (s *Server) compare(c echo.Context, v *store.Snapshot) (component, error) {
	q, err := views.ParseCompareQuery(c.QueryParams())
	if err != nil {
		return nil, err
	}
	if len(q.Runs) < 2 {
		rows, _, err := v.Runs(c.Request().Context(), store.RunQuery{Limit: 500})
		if err != nil {
			return nil, err
		}
		return views.Compare(views.NewCompareChooser(rows, q)), nil
	}
	runs, err := comparedRuns(c, v, q)
	if err != nil {
		return nil, err
	}
	return views.Compare(views.NewComparePage(runs, q)), nil
}

// apiCompare answers what the page says, as numbers.
func (s *Server) apiCompare(c echo.Context, v *store.Snapshot, out *answer) error {
	q, err := views.ParseCompareQuery(c.QueryParams())
	if err != nil {
		return err
	}
	if len(q.Runs) < 2 {
		return badQuery("runs: want the ids of two runs or more, such as runs=a,b")
	}
	runs, err := comparedRuns(c, v, q)
	if err != nil {
		return err
	}
	body, err := json.Marshal(compare.New(runs, q.Base))
	if err != nil {
		return err
	}
	return out.send(jsonType, append(body, '\n'))
}

// comparedRuns reads the runs that a request names.
func comparedRuns(c echo.Context, v *store.Snapshot, q views.CompareQuery) ([]compare.Run, error) {
	runs, missing, err := RunsToCompare(c.Request().Context(), v, q.Runs)
	return runs, absent(err, "run", missing)
}

// RunsToCompare reads runs by their ids. If one is not there, its id is returned
// with an error that wraps store.ErrNotFound.
func RunsToCompare(ctx context.Context, v *store.Snapshot, ids []string) (runs []compare.Run, missing string, err error) {
	runs = make([]compare.Run, len(ids))
	for i, id := range ids {
		if runs[i].Row, err = v.Run(ctx, id); err != nil {
			return nil, id, err
		}
		if runs[i].Results, err = v.Results(ctx, id); err != nil {
			return nil, "", err
		}
	}
	return runs, "", nil
}
