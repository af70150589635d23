// Package chart turns rows into ECharts options. It draws nothing: a page
// carries the options as JSON and a table of the same figures, and
// static/js/chart.js draws them where scripts run.
//
// Colours in options are names of CSS variables, as "var(--pass)": the script
// puts in what the theme says, so that a chart follows light and dark.
package chart

import (
	"encoding/json"
	"fmt"

	"github.com/go-echarts/go-echarts/v2/opts"
)

// A Chart is one chart of a page.
type Chart struct {
	ID      string // of the element that holds the options
	Title   string // states the measure
	Axes    string // what its axes count, "" where the title says it
	Summary string // what the chart shows, for those who do not see it
	Options json.RawMessage
	Head    []string   // the same figures as a table
	Rows    [][]string // first cell names the row
	Numeric int        // columns from this one on are numbers
	Left    string     // how much the table leaves out, "" if nothing
}

// options marshals what go-echarts gives for a chart that was validated.
func options(id string, object map[string]any) json.RawMessage {
	body, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("chart %s: %v", id, err)) // go-echarts built the object of plain values
	}
	return body
}

func on() *bool  { return opts.Bool(true) }
func off() *bool { return opts.Bool(false) }
