package views

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// A Whys is what a page knows about where its figures came from. Each distinct
// answer is kept once; a figure carries its number as data-why, and
// static/js/why.js shows the answer when the figure is opened. The page carries
// it as JSON, so nothing is fetched.
type Whys struct {
	Kinds   map[enrich.ProvenanceKind]string `json:"kinds"` // what each kind means
	Columns []whyColumn                      `json:"columns"`
	Origins []enrich.Origin                  `json:"origins"`
	Flags   []whyFlag                        `json:"flags"`
	Figures []whyFigure                      `json:"figures"`

	columns map[whyColumn]int
	origins map[enrich.Origin]int
	flags   map[string]int
	figures map[string]string
}

// A whyColumn is what a figure is called, and what it is.
type whyColumn struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// A whyFlag is a finding about the data that touches a figure.
type whyFlag struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// A whyFigure is one answer: the numbers of its parts.
type whyFigure struct {
	Column int    `json:"column"`
	Origin *int   `json:"origin,omitempty"` // absent where only the column is known
	Flags  []int  `json:"flags,omitempty"`
	Stored string `json:"stored,omitempty"` // what a file stated and ours replaced
}

// absent is the kind of a figure that is not there.
const absent enrich.ProvenanceKind = "absent"

// kindText says what each kind of provenance means.
var kindText = map[enrich.ProvenanceKind]string{
	enrich.Reported: "a file states it",
	enrich.Derived:  "counted or worked out from spans and rows",
	enrich.Priced:   "tokens × a price list",
	enrich.Measured: "from readings of power or energy",
	enrich.Repaired: "stated wrongly or not in full, and mended by a rule",
	absent:          "not known, which is not 0",
}

func newWhys() *Whys {
	return &Whys{
		Kinds:   kindText,
		columns: map[whyColumn]int{}, origins: map[enrich.Origin]int{}, flags: map[string]int{}, figures: map[string]string{},
	}
}

// empty reports whether no figure of the page can be opened.
func (w *Whys) empty() bool { return w == nil || len(w.Figures) == 0 }

// add returns the number of an answer. An origin without a kind is none.
func (w *Whys) add(c whyColumn, o enrich.Origin, flags []string, stored string) string {
	f := whyFigure{Column: intern(&w.Columns, w.columns, c), Stored: stored}
	if o.Kind != "" {
		o.From = visible(o.From)
		f.Origin = new(intern(&w.Origins, w.origins, o))
	}
	for _, flag := range flags {
		i, ok := w.flags[flag]
		if !ok {
			found := flagFinding(flag, nil)
			i = len(w.Flags)
			w.flags[flag], w.Flags = i, append(w.Flags, whyFlag{found.Title, found.Sentence})
		}
		f.Flags = append(f.Flags, i)
	}
	key := fmt.Sprint(f.Column, " ", o, f.Flags, stored)
	number, ok := w.figures[key]
	if !ok {
		number = strconv.Itoa(len(w.Figures))
		w.figures[key], w.Figures = number, append(w.Figures, f)
	}
	return number
}

// intern returns the place of v in a list, to which it is added if it is new.
func intern[T comparable](list *[]T, places map[T]int, v T) int {
	i, ok := places[v]
	if !ok {
		i = len(*list)
		places[v], *list = i, append(*list, v)
	}
	return i
}

// explain makes a figure that is no column, such as a sum over runs, openable.
func (w *Whys) explain(q Quantity, name, doc string, o enrich.Origin) Quantity {
	q.Why = w.add(whyColumn{name, doc}, o, nil, "")
	return q
}

// A figures makes quantities of the columns of one row, each with the number of
// its answer.
type figures[R any] struct {
	whys    *Whys
	columns []enrich.Column[R]
	row     *R
	origins map[string]enrich.Origin
	quality rowQuality
}

// get returns the quantity of a column; an absent one says why it is absent.
func (f figures[R]) get(name string) Quantity {
	c, ok := enrich.Lookup(f.columns, name)
	if !ok {
		panic("views: no column " + name) // a page names columns that exist
	}
	about := topic(c.Name, c.Unit)
	q := quantity(c.Unit, c.Ptr(f.row))
	origin := f.origins[name]
	if !enrich.Known(c.Ptr(f.row)) {
		origin = enrich.Origin{Kind: absent, From: f.missing(c.Name, about)}
		q.Full = visible(origin.From)
	}
	if ours, ok := f.quality.pricedCost(); ok && slices.Contains(totalCosts, name) && origin.Kind == enrich.Reported {
		origin.From += "; the price list makes it " + unit.USD(&ours)
	}
	var flags []string
	for _, flag := range f.quality.flags {
		if touches(flag, about, origin) {
			flags = append(flags, flag)
		}
	}
	q.Why = f.whys.add(whyColumn{c.Label, c.Doc}, origin, flags, f.stored(name))
	return q
}

// stored returns what a file stated for a column where ours differs, "" if
// nothing. The total of tokens goes by two names.
func (f figures[R]) stored(name string) string {
	names := []string{name}
	for from, to := range aliases {
		if to == name {
			names = append(names, from)
		} else if from == name {
			names = append(names, to)
		}
	}
	return wasStored(f.columns, f.row, f.quality, names...)
}

// shown is get with the figure that a file stated struck through beside it.
func (f figures[R]) shown(name string) Quantity {
	q := f.get(name)
	q.Stored = f.stored(name)
	return q
}

// known reports whether a column of the row has a value.
func (f figures[R]) known(name string) bool {
	c, ok := enrich.Lookup(f.columns, name)
	return ok && enrich.Known(c.Ptr(f.row))
}

// cost is the cost in a column, or the part of it that is known, as a bound.
func (f figures[R]) cost(name string) Quantity {
	q := f.get(name)
	if part, ok := f.quality.partialCost(); ok && !f.known(name) {
		bound := quantity(enrich.USD, new(&part))
		q.Text, q.Full = "≥ "+bound.Text, f.missing(name, costTopic)
		if bound.Full != "" {
			q.Full = "at least " + bound.Full + ": " + q.Full
		}
	}
	return q
}

// missing says why a column of the row has no value, as far as the row knows.
func (f figures[R]) missing(name, about string) string {
	switch about {
	case costTopic:
		if priced := f.quality.of("priced_calls"); priced != "" {
			return priced + " calls priced"
		}
		if len(f.quality.unpriced) > 0 {
			return "no price for " + strings.Join(f.quality.unpriced, ", ")
		}
		switch {
		case slices.ContainsFunc(totalCosts, f.known):
			return "the calls do not tell this part of the cost apart"
		case !f.known("total_tokens"):
			return "no call reported tokens that could be priced"
		}
		return "no price is known"
	case tokenTopic:
		if f.known("total_tokens") {
			return "no call reports this kind of tokens, which does not mean 0"
		}
		return "no call reported tokens"
	case streamTopic:
		if strings.HasPrefix(f.quality.texts["streamed_calls"], "0/") {
			return "no call was streamed"
		}
		return "no call is known to have streamed"
	case energyTopic, gpuTopic:
		if said := f.quality.texts["energy"]; said != "" {
			return said
		}
		return "no readings of a GPU"
	case co2Topic:
		return "no energy was measured, and the files estimate none"
	case timeTopic:
		return "no span or row gives a time"
	case settingTopic:
		return "no call states it"
	}
	return "no file states it"
}

// totalCosts are the columns of a whole cost, whatever the dataset.
var totalCosts = []string{"total_cost_usd", "gen_ai.usage.cost.total", "cost_usd"}

// What columns are about: what a flag touches, and why a value may be missing,
// goes by it.
const (
	costTopic     = "cost"
	tokenTopic    = "tokens"
	timeTopic     = "time"
	streamTopic   = "streaming"
	energyTopic   = "energy"
	gpuTopic      = "gpu"
	co2Topic      = "co2"
	settingTopic  = "settings"
	successTopic  = "success"
	stepTopic     = "steps"
	toolTopic     = "tools"
	dateTopic     = "date"
	machineTopic  = "machine"
	providerTopic = "provider"
	runTopic      = "run"
	testTopic     = "test"
	questionTopic = "question"
)

// topicOf lists the columns whose unit does not tell what they are about.
var topicOf = map[string]string{
	"electricity_cost_usd": energyTopic, "power_cost_total_usd": energyTopic, "cost_source": costTopic,
	"token_source": tokenTopic, "token_coverage": tokenTopic,
	"gen_ai.request.max_tokens": settingTopic, "common_max_tokens": settingTopic, "common_temperature": settingTopic, "common_top_p": settingTopic,
	"success": successTopic, "success_rate": successTopic, "successful_tests": successTopic, "failed_tests": successTopic,
	"steps": stepTopic, "avg_steps": stepTopic,
	"tools_used": toolTopic, "tool_called": toolTopic, "correct_tool": toolTopic, "total_tool_calls": toolTopic, "avg_tool_calls_per_test": toolTopic,
	"unique_tools_used": toolTopic, "most_used_tool": toolTopic, "tool_call_count": toolTopic, "llm_call_count": toolTopic,
	"evaluation_date": dateTopic, "timestamp": dateTopic, "hardware": machineTopic, "job_type": machineTopic,
	"provider": providerTopic, "run_id": runTopic, "run_id_source": runTopic, "test_id": testTopic, "prompt": questionTopic,
}

// topic returns what a column is about, "" for what no flag touches.
func topic(name string, u enrich.Unit) string {
	if t, ok := topicOf[name]; ok {
		return t
	}
	switch {
	case strings.HasPrefix(name, "gen_ai.request."):
		return settingTopic
	case strings.Contains(name, "ttft"), strings.Contains(name, "tbt"):
		return streamTopic
	}
	switch u {
	case enrich.USD:
		return costTopic
	case enrich.Tokens:
		return tokenTopic
	case enrich.Milliseconds, enrich.Microseconds:
		return timeTopic
	case enrich.WattHours, enrich.Watts:
		return energyTopic
	case enrich.Grams:
		return co2Topic
	case enrich.MiB, enrich.Celsius:
		return gpuTopic
	case enrich.Percent:
		if strings.HasPrefix(name, "gpu_") {
			return gpuTopic
		}
	}
	return ""
}

// flagTopics says which figures a flag touches.
var flagTopics = map[string][]string{
	enrich.FlagTZUnknown:           {dateTopic},
	enrich.FlagStoredSummary:       {tokenTopic, costTopic, co2Topic, timeTopic},
	enrich.FlagDurationInflated:    {timeTopic},
	enrich.FlagUnjoinedTrace:       {tokenTopic, costTopic},
	enrich.FlagUnjoinedResult:      {timeTopic, tokenTopic, costTopic, stepTopic},
	enrich.FlagMultiTestTrace:      {tokenTopic, costTopic, timeTopic},
	enrich.FlagSiblingDuplicate:    {tokenTopic, costTopic},
	enrich.FlagDuplicateExecution:  {tokenTopic, costTopic, toolTopic},
	enrich.FlagRunIDConflict:       {runTopic},
	enrich.FlagSuccessRepaired:     {successTopic},
	enrich.FlagParamsVary:          {settingTopic},
	enrich.FlagParametersTruncated: {settingTopic},
	enrich.FlagTBTFromChunks:       {streamTopic},
	enrich.FlagPriceFallback:       {costTopic},
	enrich.FlagCostSplitScaled:     {costTopic},
	enrich.FlagCostMismatch:        {costTopic},
	enrich.FlagCostDiffers:         {costTopic},
	enrich.FlagPartialCost:         {costTopic},
	enrich.FlagStepsDerived:        {stepTopic},
	enrich.FlagToolsDerived:        {toolTopic},
	enrich.FlagToolCalledDerived:   {toolTopic},
	enrich.FlagPromptTruncated:     {questionTopic},
	enrich.FlagPowerGap:            {energyTopic},
	enrich.FlagPowerCost:           {energyTopic},
	enrich.FlagEnergyDisagreement:  {energyTopic},
	enrich.FlagCO2Corrected:        {co2Topic},
	enrich.FlagCO2FromEnergy:       {co2Topic},
	enrich.FlagCO2TokenEstimate:    {co2Topic},
	enrich.FlagMultiGPULost:        {energyTopic, gpuTopic},
	enrich.FlagAPIPlaceholder:      {energyTopic, gpuTopic},
	enrich.FlagJobTypeInferred:     {machineTopic},
	enrich.FlagProviderOverridden:  {providerTopic},
	enrich.FlagResultsFromTraces:   {successTopic},
	enrich.FlagRowIDSynthesized:    {testTopic},
}

// touches reports whether a flag of a row says something about a figure of it.
// That a summary could not be checked is said only of what it reports.
func touches(flag, about string, o enrich.Origin) bool {
	if flag == enrich.FlagStoredSummary && o.Kind != enrich.Reported {
		return false
	}
	return slices.Contains(flagTopics[flag], about)
}

// An OriginLine says where one value of a row came from, for a plain table.
type OriginLine struct{ Name, Doc, Value, Stored, Kind, From string }

// originLines lists the values of a row that have an origin, in column order.
func originLines[R any](f figures[R]) []OriginLine {
	var list []OriginLine
	for _, c := range f.columns {
		o, ok := f.origins[c.Name]
		ptr := c.Ptr(f.row)
		if !ok || !enrich.Known(ptr) {
			continue
		}
		value := text(c.Unit, ptr)
		if n, ok := enrich.Number(ptr); ok {
			value = inFull(c.Unit, n)
		}
		list = append(list, OriginLine{c.Label, c.Doc, oneLine(value, 80), oneLine(f.stored(c.Name), 80), string(o.Kind), visible(o.From)})
	}
	return list
}
