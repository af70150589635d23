package views

import (
	"fmt"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
	"smolscope/enrich/unit"
)

// A Quantity is one value as pages show it.
type Quantity struct {
	Text   string // short: "29.1k", or "—"
	Full   string // with all its digits, or why there is none; "" if Text says it
	Stored string // what a file recorded where ours replaced it, struck through
	Why    string // number of its answer among the page's Whys, "" for none
}

// quantity writes the value of a column's field, given by its pointer.
func quantity(u enrich.Unit, ptr any) Quantity {
	if !enrich.Known(ptr) {
		return Quantity{Text: unit.Absent}
	}
	q := Quantity{Text: text(u, ptr)}
	if f, ok := enrich.Number(ptr); ok && u != enrich.Count {
		if full := strings.TrimSpace(unit.Exact(&f) + " " + unitWord(u)); full != q.Text {
			q.Full = full
		}
	}
	return q
}

// unitWord is the unit as it follows a number written in full.
func unitWord(u enrich.Unit) string {
	switch u {
	case enrich.None, enrich.Count:
		return ""
	case enrich.Microseconds:
		return "µs"
	}
	return string(u)
}

// text writes a column's field in its unit's own way.
func text(u enrich.Unit, ptr any) string {
	switch p := ptr.(type) {
	case *string:
		return visible(*p)
	case **string:
		return visible(**p)
	case *bool:
		return yesNo(*p)
	case **bool:
		return yesNo(**p)
	case *enrich.Time:
		return moment(*p).Text
	case *enrich.UnixNano:
		return fmt.Sprint(int64(*p))
	case *[]string:
		return visible(strings.Join(*p, ", "))
	case *enrich.JSON:
		return visible(string(*p))
	}
	f, ok := enrich.Number(ptr)
	if !ok {
		return visible(string(enrich.AppendJSON(nil, ptr)))
	}
	return number(u, f)
}

func number(u enrich.Unit, f float64) string {
	switch u {
	case enrich.Tokens:
		return unit.Tokens(new(int64(f + 0.5)))
	case enrich.USD:
		return unit.USD(&f)
	case enrich.Seconds:
		return unit.Seconds(&f)
	case enrich.Milliseconds:
		return unit.Millis(&f)
	case enrich.Microseconds:
		return unit.Micros(&f)
	case enrich.Percent:
		return unit.Percent(&f)
	case enrich.MiB:
		return unit.MiB(&f)
	case enrich.Celsius:
		return unit.Celsius(&f)
	case enrich.Watts:
		return unit.Watts(&f)
	case enrich.WattHours:
		return unit.Energy(&f)
	case enrich.Grams:
		return unit.Grams(&f)
	case enrich.None: // a setting, such as a temperature, is written as it was set
		return unit.Exact(&f)
	case enrich.Count:
		if f == float64(int64(f)) {
			return unit.Count(new(int64(f)))
		}
	}
	return unit.Number(&f)
}

// inFull writes a number with all its digits where a sentence compares two.
func inFull(u enrich.Unit, f float64) string {
	if u == enrich.Tokens {
		return unit.Count(new(int64(f + 0.5)))
	}
	return number(u, f)
}

// stored writes a value as a file stated it, in the unit of our column.
func stored(u enrich.Unit, v attr.Value) string {
	if f, ok := v.Float(); ok && u != enrich.None {
		return inFull(u, f)
	}
	if b, ok := v.Bool(); ok && v.Kind() == attr.Bool {
		return yesNo(b)
	}
	if v.IsNull() || v.Text() == "null" {
		return "empty"
	}
	return visible(v.Text())
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// join puts a middle dot between the texts that say something.
func join(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
