// Package price says what a model's tokens cost: a dated list of prices that is
// built in, rows of the user's own before it, and exact rules to match a model's
// name to a row (spec §3.8).
package price

import "cmp"

// A Row is what one model costs from a day on, in USD per million tokens.
// A price that is nil is not listed; 0 is free. Rows of the built-in list that
// make no text, such as embeddings, have no Output.
type Row struct {
	Key        string   `json:"key"`      // model name in lower case
	Provider   *string  `json:"provider"` // OpenTelemetry's name of who sells it (spec §2.4), nil for any
	Input      *float64 `json:"input"`
	Output     *float64 `json:"output"`
	CacheRead  *float64 `json:"cache_read"`
	CacheWrite *float64 `json:"cache_write"` // the short-lived kind
	Reasoning  *float64 `json:"reasoning"`
	ValidFrom  string   `json:"valid_from"` // a date, 2006-01-02; "" for always
	Source     string   `json:"source"`
	Hours      string   `json:"hours,omitempty"` // of the day in UTC, 15:04-15:04, the end excluded; "" for all day
	Tiers      []Tier   `json:"tiers,omitempty"` // by Above, ascending
}

// A Tier is what all tokens of a call cost once its prompt is larger than Above.
// A price that is nil stays as it was.
type Tier struct {
	Above      int64    `json:"above"` // tokens of the prompt, cached ones included
	Input      *float64 `json:"input"`
	Output     *float64 `json:"output"`
	CacheRead  *float64 `json:"cache_read"`
	CacheWrite *float64 `json:"cache_write"`
	Reasoning  *float64 `json:"reasoning"`
}

// For returns the row's prices for a call with that many prompt tokens, cached
// ones included. Every token of the call costs the price of the tier reached,
// not only those above it.
func (r Row) For(promptTokens int64) Row {
	for _, t := range r.Tiers {
		if promptTokens > t.Above {
			r.Input = cmp.Or(t.Input, r.Input)
			r.Output = cmp.Or(t.Output, r.Output)
			r.CacheRead = cmp.Or(t.CacheRead, r.CacheRead)
			r.CacheWrite = cmp.Or(t.CacheWrite, r.CacheWrite)
			r.Reasoning = cmp.Or(t.Reasoning, r.Reasoning)
		}
	}
	r.Tiers = nil
	return r
}

// How a name was matched, from the surest (spec §3.8).
const (
	Exact       = "exact"
	Canonical   = "canonical"
	NoProvider  = "no_provider"
	NoDate      = "no_date"
	VersionForm = "version_form"
)

// A Match is the row that a model's name leads to.
type Match struct {
	Row  Row
	How  string // Exact, Canonical, NoProvider, NoDate or VersionForm
	Name string // the form of the name that matched
}
