package views

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// rowQuality is what the data_quality column of a row says.
type rowQuality struct {
	flags  []string
	stored map[string]attr.Value
	texts  map[string]string // what else is a text or a number: streamed_calls, energy, …

	unpriced []string // models that the price list lacks
}

// readQuality reads the column; what it cannot read is no finding.
func readQuality(j enrich.JSON) rowQuality {
	var raw struct {
		Flags  []string       `json:"flags"`
		Stored map[string]any `json:"stored"`
	}
	if j == "" || json.Unmarshal([]byte(j), &raw) != nil {
		return rowQuality{}
	}
	var rest map[string]any
	if json.Unmarshal([]byte(j), &rest) != nil {
		return rowQuality{}
	}
	q := rowQuality{flags: raw.Flags, stored: map[string]attr.Value{}, texts: map[string]string{}}
	for name, v := range rest {
		switch v := v.(type) {
		case string:
			q.texts[name] = visible(v)
		case float64:
			q.texts[name] = strconv.FormatFloat(v, 'g', -1, 64)
		case map[string]any:
			for model, how := range v {
				if name == "price_match" && how == "none" {
					q.unpriced = append(q.unpriced, oneLine(visible(model), 80))
				}
			}
		}
	}
	slices.Sort(q.unpriced)
	for name, v := range raw.Stored {
		switch v := v.(type) {
		case string:
			q.stored[name] = attr.StringValue(v)
		case float64:
			q.stored[name] = attr.FloatValue(v)
		case bool:
			q.stored[name] = attr.BoolValue(v)
		default:
			if text, err := json.Marshal(v); err == nil && v != nil {
				q.stored[name] = attr.JSONValue(string(text))
			}
		}
	}
	return q
}

// flagged reports whether a data_quality column holds a flag. It reads only those
// that hold its name, since a run may have many rows.
func flagged(j enrich.JSON, flag string) bool {
	return strings.Contains(string(j), flag) && slices.Contains(readQuality(j).flags, flag)
}

// partialCost returns the cost of the calls that have one, where others have
// none, in USD.
func (q rowQuality) partialCost() (float64, bool) { return q.number("partial_cost_usd") }

// pricedCost returns what the price list makes of a reported cost that it
// differs from, in USD.
func (q rowQuality) pricedCost() (float64, bool) { return q.number("priced_cost_usd") }

func (q rowQuality) number(name string) (float64, bool) {
	f, err := strconv.ParseFloat(q.texts[name], 64)
	return f, err == nil
}

// of writes a text such as "12/50" as "12 of 50", "" where there is none.
func (q rowQuality) of(name string) string {
	some, all, ok := strings.Cut(q.texts[name], "/")
	if !ok {
		return ""
	}
	return some + " of " + all
}

// rowFindings makes the findings of one row: figures corrected, then flags.
func rowFindings[R any](columns []enrich.Column[R], row *R, j enrich.JSON) []Finding {
	q := readQuality(j)
	list := corrected(columns, row, q.stored, nil)
	for _, flag := range q.flags {
		list = addFlag(list, flag, nil)
	}
	orderFindings(list)
	return list
}

// wasStored returns the figure a file stated for a column where ours differs,
// written in full, or "".
func wasStored[R any](columns []enrich.Column[R], row *R, q rowQuality, names ...string) string {
	for _, name := range names {
		was, ok := q.stored[name]
		c, known := enrich.Lookup(columns, name)
		if !ok || !known {
			continue
		}
		text := stored(c.Unit, was)
		ours, _ := enrich.Number(c.Ptr(row))
		if enrich.Known(c.Ptr(row)) && text == inFull(c.Unit, ours) {
			continue
		}
		return text
	}
	return ""
}
