package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"text/tabwriter"
	"time"

	"smolscope/enrich"
	"smolscope/enrich/unit"
	"smolscope/server/store"
)

type lsCommand struct {
	JSON bool `name:"json" help:"Print the rows of the leaderboard as the API does."`
	whereFlags
}

// Validate is called by kong once the flags are read.
func (c *lsCommand) Validate() error { return c.whereFlags.validate() }

// Run lists the runs, the newest first.
func (c *lsCommand) Run(ctx context.Context, std streams) error {
	text, err := c.rows(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err := fmt.Fprintf(std.out, "%s\n", text)
		return err
	}
	// Of the rows, what the table shows; the names are the columns'.
	var list struct {
		Runs []struct {
			RunID string     `json:"run_id"`
			Model *string    `json:"model"`
			Agent *string    `json:"agent_type"`
			Tests int64      `json:"num_tests"`
			Rate  *float64   `json:"success_rate"`
			Cost  *float64   `json:"total_cost_usd"`
			Token *int64     `json:"total_tokens"`
			When  *time.Time `json:"evaluation_date"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("the list of runs cannot be read: %w", err)
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tMODEL\tAGENT\tTESTS\tSUCCESS\tCOST\tTOKENS\tWHEN")
	word := func(s *string) string {
		if s == nil {
			return unit.Absent
		}
		return printable(*s)
	}
	for _, r := range list.Runs {
		when := unit.Absent
		if r.When != nil {
			when = r.When.UTC().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(r.RunID), word(r.Model), word(r.Agent), strconv.FormatInt(r.Tests, 10),
			unit.Percent(r.Rate), unit.USD(r.Cost), unit.Tokens(r.Token), when)
	}
	return table.Flush()
}

// rows returns the leaderboard's rows as /api/v1/runs answers them.
func (c *lsCommand) rows(ctx context.Context) ([]byte, error) {
	if c.Server != "" {
		var text json.RawMessage
		err := c.call(ctx, http.MethodGet, "/api/v1/runs?sort=evaluation_date&order=desc&limit=10000", nil, &text)
		return text, err
	}
	db, err := openStored(ctx, c.DB)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	text := []byte(`{"runs":[`)
	err = db.Read(ctx, func(v *store.Snapshot) error {
		rows, total, err := v.Runs(ctx, store.RunQuery{})
		for i := range rows {
			if i > 0 {
				text = append(text, ',')
			}
			text = enrich.AppendRow(text, enrich.LeaderboardColumns, &rows[i])
		}
		text = fmt.Appendf(text, `],"total":%d}`, total)
		return err
	})
	return text, err
}
