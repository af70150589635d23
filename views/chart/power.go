package chart

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// A Line is one line of a chart over time. Where it is not known, it breaks.
type Line struct {
	Name   string
	Points []Point // in order of time
}

// A Point is a value at a time; nil is not known.
type Point struct {
	At    time.Time
	Value *float64
}

// A Mark is a stretch of time that is shaded, and named.
type Mark struct {
	Name     string
	From, To time.Time
}

// OverTime draws lines in one unit over a stretch of time, with what ran meanwhile.
// The table beside it has the lowest, mean and highest of each line.
func OverTime(id, title, unitName string, write func(*float64) string, from, to time.Time, lines []Line, marks []Mark) Chart {
	c := Chart{ID: id, Title: title, Axes: unitName + ", times are UTC", Head: []string{"Line", "Lowest", "Mean", "Highest"}, Numeric: 1}
	line := charts.NewLine()
	colours := make(opts.Colors, 0, len(lines))
	for i := range lines {
		colours = append(colours, fmt.Sprintf("var(--chart-%d)", i%3+1))
	}
	top := "16"
	if len(lines) > 1 {
		top = "40"
	}
	axis := opts.YAxis{Type: "value", Min: 0}
	if unitName == "%" {
		axis.Max = 100
	}
	line.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: c.ID}),
		charts.WithColorsOpts(colours),
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(len(lines) > 1), Top: "0", Left: "0", Type: "scroll"}),
		charts.WithGridOpts(opts.Grid{Left: "12", Right: "16", Top: top, Bottom: "8", ContainLabel: on()}),
		charts.WithTooltipOpts(opts.Tooltip{Show: on(), Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "time", Min: from.UnixMilli(), Max: to.UnixMilli(), AxisLabel: &opts.AxisLabel{HideOverlap: on()}}),
		charts.WithYAxisOpts(axis),
	)
	for i, l := range lines {
		data, lowest, sum, highest, n := make([]opts.LineData, 0, len(l.Points)), 0.0, 0.0, 0.0, 0
		apart := usual(l.Points)
		for k, p := range l.Points {
			if k > 0 && p.At.Sub(l.Points[k-1].At) > 5*apart {
				data = append(data, opts.LineData{Value: []any{p.At.UnixMilli() - 1, nil}})
			}
			if p.Value == nil {
				data = append(data, opts.LineData{Value: []any{p.At.UnixMilli(), nil}})
				continue
			}
			v := *p.Value
			if n == 0 {
				lowest, highest = v, v
			}
			lowest, highest, sum, n = min(lowest, v), max(highest, v), sum+v, n+1
			data = append(data, opts.LineData{Value: []any{p.At.UnixMilli(), short(v)}})
		}
		row := []string{l.Name, write(nil), write(nil), write(nil)}
		if n > 0 {
			row = []string{l.Name, write(&lowest), write(new(sum / float64(n))), write(&highest)}
		}
		c.Rows = append(c.Rows, row)
		series := []charts.SeriesOpts{charts.WithLineChartOpts(opts.LineChart{ShowSymbol: opts.Bool(len(l.Points) == 1)}), charts.WithLineStyleOpts(opts.LineStyle{Width: 1.6})}
		if i == 0 && len(marks) > 0 {
			series = append(series, markAreas(marks))
		}
		line.AddSeries(l.Name, data, series...)
		if i == 0 {
			c.Summary = fmt.Sprintf("%s: lowest %s, mean %s, highest %s.", l.Name, row[1], row[2], row[3])
		}
	}
	line.Validate()
	object := line.JSON()
	object["useUTC"] = true
	c.Options = options(c.ID, object)
	return c
}

// usual is how far most points lie apart.
func usual(points []Point) time.Duration {
	if len(points) < 2 {
		return time.Hour
	}
	apart := make([]time.Duration, 0, len(points)-1)
	for i := range points[1:] {
		apart = append(apart, points[i+1].At.Sub(points[i].At))
	}
	slices.Sort(apart)
	return apart[len(apart)/2]
}

// short keeps four digits: a line shows no more, and its tooltip stays short.
func short(v float64) float64 { return float64(int64(v*100+0.5)) / 100 }

// markAreas shades the marks behind the lines.
func markAreas(marks []Mark) charts.SeriesOpts {
	return func(s *charts.SingleSeries) {
		s.MarkAreas = &opts.MarkAreas{}
		for _, m := range marks {
			s.MarkAreas.Data = append(s.MarkAreas.Data, []map[string]any{
				{
					"name": m.Name, "xAxis": m.From.UnixMilli(),
					"itemStyle": map[string]any{"color": "var(--accent)", "opacity": 0.12},
					"label":     map[string]any{"show": m.Name != "", "position": "insideTopLeft", "color": "var(--ink-2)"},
				},
				{"xAxis": m.To.UnixMilli()},
			})
		}
	}
}
