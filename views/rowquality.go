package views

import (
	"encoding/json"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// rowQuality is what the data_quality column of a row says.
type rowQuality struct {
	flags  []string
	stored map[string]attr.Value
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
	q := rowQuality{flags: raw.Flags, stored: map[string]attr.Value{}}
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
