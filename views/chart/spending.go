package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// OfTests draws the charts of a run's tests: tokens and time, then what tests
// cost and what GPUs used for them where that is known of any.
func OfTests(rows []enrich.ResultRow) []Chart {
	list := []Chart{Tests(rows)}
	for _, m := range measures {
		if c, ok := m.chart(rows); ok {
			list = append(list, c)
		}
	}
	return list
}

// A measure is a column of the tests that is drawn as bars, highest first.
type measure struct {
	id, title, head, unit string
	value                 func(*enrich.ResultRow) *float64
	write                 func(*float64) string
	factor                float64 // from the column's unit to the axis'
}

var measures = []measure{
	{"chart-cost", "Cost of each test", "Cost", "USD", func(r *enrich.ResultRow) *float64 { return r.CostTotal }, unit.USD, 1},
	{"chart-energy", "GPU energy of each test", "GPU energy", "J", func(r *enrich.ResultRow) *float64 { return r.GPUEnergyWh }, unit.Energy, 3600},
}

// chart draws the tests of which the measure is known, and reports false where
// there are none.
func (m measure) chart(rows []enrich.ResultRow) (Chart, bool) {
	var known []*enrich.ResultRow
	total := 0.0
	for i := range rows {
		if v := m.value(&rows[i]); v != nil {
			known, total = append(known, &rows[i]), total+*v
		}
	}
	if len(known) == 0 {
		return Chart{}, false
	}
	slices.SortStableFunc(known, func(a, b *enrich.ResultRow) int { return cmp.Compare(*m.value(b), *m.value(a)) })
	c := Chart{ID: m.id, Title: m.title, Axes: m.unit + ", highest first", Head: []string{"Test", m.head}, Numeric: 1}
	c.Summary = fmt.Sprintf("Known for %d of %d tests, %s in all. Highest: %s with %s.", len(known), len(rows), m.write(&total), known[0].TestID, m.write(m.value(known[0])))
	names, bars := make([]string, len(known)), make([]opts.BarData, len(known))
	for i, r := range known {
		// Nine digits are more than a reading has, and keep the tooltip short.
		names[i], bars[i].Value = r.TestID, significant(*m.value(r)*m.factor)
		if i < tableRows {
			c.Rows = append(c.Rows, []string{r.TestID, m.write(m.value(r))})
		}
	}
	if len(known) > tableRows {
		c.Left = fmt.Sprintf("The table lists the first %d of %d tests.", tableRows, len(known))
	}
	bar := charts.NewBar()
	bar.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: c.ID}),
		charts.WithColorsOpts(opts.Colors{"var(--chart-1)"}),
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: off()}),
		charts.WithGridOpts(opts.Grid{Left: "12", Right: "12", Top: "40", Bottom: bottom(len(known)), ContainLabel: on()}),
		charts.WithTooltipOpts(opts.Tooltip{Show: on(), Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", AxisLabel: &opts.AxisLabel{Rotate: rotation(len(known))}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: m.unit}),
	)
	if zoomed(len(known)) {
		bar.SetGlobalOptions(charts.WithDataZoomOpts(opts.DataZoom{Type: "slider", Start: 0, End: float32(6000 / float64(len(known)))}))
	}
	bar.SetXAxis(names).AddSeries(m.head+", "+m.unit, bars)
	bar.Validate()
	c.Options = options(c.ID, bar.JSON())
	return c, true
}

// significant rounds to nine digits.
func significant(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 8, 64), 64)
	return r
}
