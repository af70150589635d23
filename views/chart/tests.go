package chart

import (
	"fmt"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// tableRows is how many rows the table beside a chart lists at most.
const tableRows = 200

// Tests draws the tokens of each test, in and out, as stacked bars, and its
// time as a point on an axis of its own. Tests come in the order given.
func Tests(rows []enrich.ResultRow) Chart {
	c := Chart{
		ID:      "chart-tests",
		Title:   "Tokens and time of each test",
		Axes:    "tokens on the left, seconds on the right",
		Head:    []string{"Test", "Tokens in", "Tokens out", "Time"},
		Numeric: 1,
	}
	names := make([]string, len(rows))
	in := make([]opts.BarData, len(rows))
	out := make([]opts.BarData, len(rows))
	took := make([]opts.ScatterData, len(rows))
	var longest, heaviest *enrich.ResultRow
	for i := range rows {
		r := &rows[i]
		names[i] = r.TestID
		in[i].Value, out[i].Value = value(r.PromptTokens), value(r.CompletionTokens)
		if r.ExecutionTimeMS != nil {
			// Seconds to the millisecond: the tooltip shows the number as it is.
			took[i].Value = float64(int64(*r.ExecutionTimeMS+0.5)) / 1000
			if longest == nil || *r.ExecutionTimeMS > *longest.ExecutionTimeMS {
				longest = r
			}
		}
		if r.UsageTotalTokens != nil && (heaviest == nil || *r.UsageTotalTokens > *heaviest.UsageTotalTokens) {
			heaviest = r
		}
		if i < tableRows {
			c.Rows = append(c.Rows, []string{r.TestID, unit.Count(r.PromptTokens), unit.Count(r.CompletionTokens), unit.Millis(r.ExecutionTimeMS)})
		}
	}
	if len(rows) > tableRows {
		c.Left = fmt.Sprintf("The table lists the first %d of %d tests.", tableRows, len(rows))
	}
	c.Summary = summary(len(rows), heaviest, longest)

	bar := charts.NewBar()
	bar.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: c.ID}),
		charts.WithColorsOpts(opts.Colors{"var(--chart-1)", "var(--chart-2)", "var(--chart-3)"}),
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: on(), Top: "0", Left: "0"}),
		charts.WithGridOpts(opts.Grid{Left: "12", Right: "12", Top: "64", Bottom: bottom(len(rows)), ContainLabel: on()}),
		charts.WithTooltipOpts(opts.Tooltip{Show: on(), Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", AxisLabel: &opts.AxisLabel{Rotate: rotation(len(rows))}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "tokens"}),
	)
	bar.ExtendYAxis(opts.YAxis{Type: "value", Name: "seconds", SplitLine: &opts.SplitLine{Show: off()}})
	if zoomed(len(rows)) {
		bar.SetGlobalOptions(charts.WithDataZoomOpts(
			opts.DataZoom{Type: "slider", Start: 0, End: float32(6000 / float64(len(rows)))},
		))
	}
	bar.SetXAxis(names).
		AddSeries("Tokens in", in, charts.WithBarChartOpts(opts.BarChart{Stack: "tokens"})).
		AddSeries("Tokens out", out, charts.WithBarChartOpts(opts.BarChart{Stack: "tokens"}))
	scatter := charts.NewScatter()
	scatter.AddSeries("Time, s", took, charts.WithScatterChartOpts(opts.ScatterChart{YAxisIndex: 1, SymbolSize: 9}))
	bar.Overlap(scatter)
	bar.Validate()
	c.Options = options(c.ID, bar.JSON())
	return c
}

// value keeps absent apart from 0: ECharts draws nothing for null.
func value(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

func zoomed(n int) bool { return n > 60 }

func bottom(n int) string {
	if zoomed(n) {
		return "48"
	}
	return "8"
}

func rotation(n int) float64 {
	if n > 4 {
		return 28
	}
	return 0
}

func summary(n int, heaviest, longest *enrich.ResultRow) string {
	text := fmt.Sprintf("%d tests.", n)
	if n == 1 {
		text = "1 test."
	}
	if heaviest != nil {
		text += fmt.Sprintf(" Most tokens: %s with %s.", heaviest.TestID, unit.Count(heaviest.UsageTotalTokens))
	} else {
		text += " No test's tokens are known."
	}
	if longest != nil {
		text += fmt.Sprintf(" Longest: %s with %s.", longest.TestID, unit.Millis(longest.ExecutionTimeMS))
	}
	return text
}
