package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"smolscope/enrich"
	"smolscope/enrich/compare"
	"smolscope/enrich/unit"
	"smolscope/server"
	"smolscope/server/store"
	"smolscope/views"
)

type compareCommand struct {
	Runs             []string `arg:"" name:"run" help:"Ids of two to eight runs, the baseline first."`
	FailOnRegression bool     `help:"Exit with 1 if a run is shown to be worse than the baseline in success, time, time to first token, tokens, cost or energy."`
	JSON             bool     `name:"json" help:"Print the comparison as JSON."`
	whereFlags
}

// Help is the long help text.
func (compareCommand) Help() string {
	return `Compares runs test by test with the first, over the tests that they share. A difference is
shown where the 95 % interval of the paired differences holds no 0.

Example: a gate for a change of the agent

  smolscope compare main-run new-run --fail-on-regression`
}

// Validate is called by kong once the flags are read.
func (c *compareCommand) Validate() error {
	ids := slices.Compact(slices.Sorted(slices.Values(c.Runs)))
	if len(ids) != len(c.Runs) || len(ids) < 2 || len(ids) > views.MostCompared {
		return fmt.Errorf("want two to %d different runs, not %d", views.MostCompared, len(ids))
	}
	return c.whereFlags.validate()
}

// Run prints the comparison.
func (c *compareCommand) Run(ctx context.Context, std streams) error {
	report, err := c.report(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		text, err := json.Marshal(report)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s\n", text)
	} else if err := printComparison(std, report); err != nil {
		return err
	}
	if c.FailOnRegression && slices.ContainsFunc(report.Runs, func(a compare.Against) bool { return len(a.Regressions()) > 0 }) {
		return errRefused
	}
	return nil
}

func (c *compareCommand) report(ctx context.Context) (report compare.Report, err error) {
	if c.Server != "" {
		err = c.call(ctx, http.MethodGet, "/api/v1/compare?"+url.Values{"runs": c.Runs}.Encode(), nil, &report)
		return report, err
	}
	db, err := openStored(ctx, c.DB)
	if err != nil {
		return report, err
	}
	defer db.Close()
	var runs []compare.Run
	err = db.Read(ctx, func(v *store.Snapshot) error {
		list, missing, err := server.RunsToCompare(ctx, v, c.Runs)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no run %q", missing)
		}
		runs = list
		return err
	})
	if err != nil {
		return report, err
	}
	return compare.New(runs, c.Runs[0]), nil
}

// printComparison prints a table for each run beside the baseline.
func printComparison(std streams, report compare.Report) error {
	for _, a := range report.Runs {
		v := a.Verdicts
		fmt.Fprintln(std.out, printable(fmt.Sprintf("%s beside %s: %s shared, %d passed in both, %d in the baseline alone, %d in this run alone, %d in neither, %d without a verdict",
			a.RunID, report.Base, counted(a.Shared, "test"), v.Both, v.Base, v.Other, v.Neither, a.Unscored)))
		table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "  measure\ttests\tbaseline\trun\tdifference\t95 % interval\tshows")
		for _, d := range append([]compare.Difference{a.Success}, a.Measures...) {
			fmt.Fprintf(table, "  %s\t%d\t%s\t%s\t%s\t%s\t%s\n", unitOf(d), d.Pairs, exact(d.Base), exact(d.Other), exact(d.Diff), between(d), d.Change)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if a.P != nil {
			fmt.Fprintf(std.out, "  exact McNemar test of success: p = %.3g\n", *a.P)
		}
	}
	return nil
}

func unitOf(d compare.Difference) string {
	if d.Unit == enrich.None || d.Unit == enrich.Count {
		return strings.ToLower(d.Label)
	}
	return fmt.Sprintf("%s (%s)", strings.ToLower(d.Label), d.Unit)
}

func exact(v *float64) string {
	if v == nil {
		return unit.Absent
	}
	return fmt.Sprintf("%.6g", *v)
}

func between(d compare.Difference) string {
	if d.Low == nil {
		return unit.Absent
	}
	return exact(d.Low) + " to " + exact(d.High)
}
