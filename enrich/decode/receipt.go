package decode

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"smolscope/enrich"
)

// maxWarnings is how many warnings a receipt lists; the rest are counted.
const maxWarnings = 100

// repairs are what was mended in a file, counted.
type repairs struct {
	padded  int // ids with fewer digits than they should have
	derived int // ids made because the file's is no hex number
	coded   int // ids in base64, which should be hex digits
	missing int // ids made because the file has none
	units   int // spans and points whose times do not count nanoseconds
	lengths int // spans whose end was computed from their length
}

// list puts the repairs into words.
func (d *decoder) listRepairs() []string {
	list := []string{}
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			list = append(list, "1 "+one)
		case n > 1:
			list = append(list, strconv.Itoa(n)+" "+many)
		}
	}
	add(d.repairs.padded, "id padded with zeros", "ids padded with zeros")
	add(d.repairs.coded, "id in base64 read as hex digits", "ids in base64 read as hex digits")
	add(d.repairs.derived, "id that is no hex number replaced by the first digits of its SHA-256",
		"ids that are no hex numbers replaced by the first digits of their SHA-256")
	add(d.repairs.missing, "missing id made up from the content", "missing ids made up from the content")
	add(d.repairs.units, "time in seconds, milliseconds or microseconds converted to nanoseconds",
		"times in seconds, milliseconds or microseconds converted to nanoseconds")
	add(d.repairs.lengths, "missing end computed from start and duration", "missing ends computed from start and duration")
	add(d.s.nonFinite, "NaN or Infinity value read as null", "NaN or Infinity values read as null")
	add(d.s.mended, "place that is not valid Unicode read as U+FFFD", "places that are not valid Unicode read as U+FFFD")
	return list
}

// warn notes something wrong at the place that is being read.
func (d *decoder) warn(format string, args ...any) {
	d.warnAt(d.s.line(d.s.pos), format, args...)
}

func (d *decoder) warnAt(line int, format string, args ...any) {
	if len(d.warnings) < maxWarnings {
		d.warnings = append(d.warnings, enrich.Warning{Where: d.place(line), Message: fmt.Sprintf(format, args...)})
	} else {
		d.unlisted++
	}
}

// place names a line as the place of something, or what a file without lines is
// counted in.
func (d *decoder) place(line int) string {
	return cmp.Or(d.unit, "line") + " " + strconv.Itoa(line)
}

// wrong notes a field whose value cannot be used, and reads over the value.
func (d *decoder) wrong(field, expected string) {
	line := d.s.line(d.s.pos)
	switch k := d.s.kind(); k {
	case stringKind:
		if text, ok := d.s.quoted(); ok {
			d.warnAt(line, "%s is %s, expected %s", field, quote(string(text)), expected)
		}
	case numberKind:
		if text := d.s.number(); text != nil {
			d.warnAt(line, "%s is %s, expected %s", field, clip(string(text)), expected)
		}
	case boolKind:
		d.warnAt(line, "%s is %t, expected %s", field, d.s.bool(), expected)
	default:
		d.s.skip()
		if d.s.err == nil {
			d.warnAt(line, "%s is %s, expected %s", field, k, expected)
		}
	}
}

// maxShown is how many characters of a file's content a message shows.
const maxShown = 40

// clip shortens content that a message shows.
func clip(s string) string {
	if utf8.RuneCountInString(s) <= maxShown {
		return s
	}
	runes := 0
	for i := range s {
		if runes++; runes == maxShown {
			return s[:i] + "…"
		}
	}
	return s
}

// quote is clip between quotes, with whatever is not printable escaped.
func quote(s string) string { return strconv.QuoteToGraphic(clip(s)) }

// plain shows a key as it is when it is an ordinary word, else quoted.
func plain(key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == ',' || r == '"' }) {
		return quote(key)
	}
	return clip(key)
}

// count puts a number and its noun into words.
func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun
	case 1:
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// message splits an error of the scanner into the line it is about and what is
// wrong there.
func (d *decoder) message(err error) (line int, text string) {
	if e, ok := errors.AsType[*syntaxError](err); ok {
		return e.line, e.message
	}
	return d.s.line(d.s.pos), err.Error()
}
