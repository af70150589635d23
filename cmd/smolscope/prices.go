package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"smolscope/enrich/price"
)

type pricesCommand struct {
	Model    string `arg:"" help:"Name of the model, as a trace has it."`
	Provider string `placeholder:"NAME" help:"Who sells it, by OpenTelemetry's name (openai, mistral_ai, aws.bedrock, …)."`
	At       string `placeholder:"DATE" help:"The day, such as 2025-01-31, or time (RFC 3339) of the price; now, if not given."`
	Prices   string `placeholder:"FILE" help:"JSON file with prices of your own."`
	JSON     bool   `help:"Print JSON."`

	at time.Time
}

// Help is the long help text.
func (pricesCommand) Help() string {
	return `Shows which price a model's name leads to, and by which form of the name. Names are
matched exactly: docs/prices.md has the rules. The exit status is 1 when no price
matches; then a file of your own, given with --prices, can add one.

Example: what a model cost in May

  smolscope prices mistral-medium-latest --at 2026-05-01`
}

// Validate is called by kong once the flags are read.
func (c *pricesCommand) Validate() error {
	if c.At == "" {
		c.at = time.Now()
		return nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, c.At); err == nil {
			c.at = at
			return nil
		}
	}
	return fmt.Errorf("--at %q, want a date such as 2025-01-31 or a time such as 2025-01-31T12:00:00Z", c.At)
}

// A pricesAnswer is what --json prints.
type pricesAnswer struct {
	Model    string     `json:"model"`
	How      *string    `json:"price_match"`
	Name     *string    `json:"name"`
	Tried    []string   `json:"tried"`
	Row      *price.Row `json:"row"`
	List     string     `json:"list"`
	ListAsOf string     `json:"list_as_of"`
}

// Run looks the model up and prints its price.
func (c *pricesCommand) Run(std streams) error {
	options, err := (&enrichFlags{Prices: c.Prices}).options()
	if err != nil {
		return err
	}
	list := options.Prices
	forms := price.Forms(c.Model)
	match, ok := list.Match(c.Model, c.Provider, c.at)
	if ok {
		last := slices.IndexFunc(forms, func(f price.Form) bool { return f.Name == match.Name })
		forms = forms[:last+1]
	}
	if c.JSON {
		answer := pricesAnswer{Model: c.Model, Tried: []string{}, List: list.Source(), ListAsOf: list.AsOf()}
		for _, f := range forms {
			answer.Tried = append(answer.Tried, f.Name)
		}
		if ok {
			answer.How, answer.Name, answer.Row = &match.How, &match.Name, &match.Row
		}
		encoder := json.NewEncoder(std.out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	} else if ok {
		if err := printPrice(std.out, list, match, forms); err != nil {
			return err
		}
	}
	if !ok {
		c.explain(std.err, list, forms)
		return errRefused
	}
	return nil
}

func printPrice(out io.Writer, list *price.List, match price.Match, tried []price.Form) error {
	row := match.Row
	provider, from := "any", cmp.Or(row.ValidFrom, "always")
	if row.Provider != nil {
		provider = *row.Provider
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(label, text string) { fmt.Fprintf(w, "%s\t%s\n", label, printable(text)) }
	line("model", row.Key)
	line("provider", provider)
	line("match", match.How)
	line("tried", names(tried))
	printPrices(line, "", row.Input, row.Output, row.CacheRead, row.CacheWrite, row.Reasoning)
	for _, t := range row.Tiers {
		suffix := fmt.Sprintf(" (prompt above %d)", t.Above)
		printPrices(line, suffix, t.Input, t.Output, t.CacheRead, t.CacheWrite, t.Reasoning)
	}
	line("valid from", from)
	if row.Hours != "" {
		line("hours (UTC)", row.Hours)
	}
	line("source", cmp.Or(row.Source, "—"))
	line("list", list.Source()+" of "+list.AsOf())
	return w.Flush()
}

// printPrices prints one line a price; without a suffix also those not listed.
func printPrices(line func(label, text string), suffix string, list ...*float64) {
	for i, label := range []string{"input", "output", "cache read", "cache write", "reasoning"} {
		switch p := list[i]; {
		case p != nil:
			line(label+suffix, strconv.FormatFloat(*p, 'f', -1, 64)+" USD per 1M tokens")
		case suffix == "":
			line(label, "—")
		}
	}
}

// explain says why there is no price and, as a hint only, which names are alike.
func (c *pricesCommand) explain(w io.Writer, list *price.List, tried []price.Form) {
	fmt.Fprintln(w, printable(fmt.Sprintf("smolscope: no price for %s in %s of %s", c.Model, list.Source(), list.AsOf())))
	fmt.Fprintln(w, printable("tried: "+names(tried)))
	if near := nearest(list.Keys(), tried, 5); len(near) > 0 {
		fmt.Fprintln(w, printable("names that look alike (a hint: other models, never used): "+strings.Join(near, ", ")))
	}
}

func names(forms []price.Form) string {
	words := make([]string, len(forms))
	for i, f := range forms {
		words[i] = f.Name
	}
	return strings.Join(words, ", ")
}

// nearest returns the keys that differ least from one of the forms, at most a
// third of their letters.
func nearest(keys []string, forms []price.Form, most int) []string {
	type candidate struct {
		key  string
		edit int
	}
	var found []candidate
	for _, key := range keys {
		best := len(key)/3 + 1
		for _, f := range forms {
			if gap := len(key) - len(f.Name); gap < best && -gap < best {
				best = min(best, distance(key, f.Name))
			}
		}
		if best <= len(key)/3 {
			found = append(found, candidate{key, best})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.edit, b.edit) })
	var near []string
	for _, f := range found[:min(most, len(found))] {
		near = append(near, f.key)
	}
	return near
}

// distance returns how many bytes must be put in, taken out or replaced to make
// b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
