package decode

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// maxWrapped is how many wrappers may lie around a row.
const maxWrapped = 4

// document reads a stream of JSON values: one document, or JSON Lines.
func (d *decoder) document(head []byte) {
	s := d.s
	if s.ended() && s.err == nil {
		if d.in.n == 0 && strings.HasSuffix(d.name, ".jsonl") {
			d.nothing() // JSON lines of no rows are no lines
			return
		}
		size := count(int(d.in.n), "byte")
		if d.in.n == 0 {
			size = "0 bytes"
		} else {
			size += " of white space"
		}
		d.refuse("empty file (%s), expected one of %s", size, formatNames())
		return
	}
	first := s.token()
	lines, spread := d.layout(first)
	if first != '{' && first != '[' && !lines && s.err == nil {
		if looksLikeCSV(head) {
			d.csv(s.rest(), s.line(s.pos))
			return
		}
		d.refuse("%s; known: %s", textFormat(head), formatNames())
		return
	}
	s.oneLine = lines
	for !s.ended() {
		switch s.token() {
		case '{':
			d.object(nil)
		case '[':
			d.list("")
		default:
			s.expected("an object", s.pos)
		}
		if s.err != nil && !d.badLine() {
			break
		}
		// What follows a first document are lines, unless that one was an
		// object spread over several.
		s.oneLine = !spread
	}
	d.conclude()
}

// layout looks ahead to tell whether values stand on a line each, so that
// reading can go on behind a bad one, or are spread over several lines.
func (d *decoder) layout(first byte) (lines, spread bool) {
	s := d.s
	if first == '[' {
		return false, false
	}
	if first == '{' {
		err := s.peek(func() { s.oneLine = true; s.skip() })
		if err == nil || err == errPeekLimit {
			return err == nil, false
		}
		err = s.peek(s.skip)
		if err == nil || err == errPeekLimit {
			return false, true
		}
	}
	// The first line is bad. If the second is good, it is only a bad line.
	s.peek(func() {
		s.nextLine()
		s.oneLine = true
		if s.token() == '{' {
			s.skip()
			at := s.pos
			lines = s.err == nil && (s.ended() || s.line(s.pos) > s.line(at))
		}
	})
	return lines, false
}

// badLine turns the error of a line into a warning and moves on to the next
// line. It answers no if the error is more than that.
func (d *decoder) badLine() bool {
	e, ok := errors.AsType[*syntaxError](d.s.err)
	if !ok || !d.s.oneLine {
		return false
	}
	d.inRow = false
	d.warnAt(e.line, "%s; line skipped", e.message)
	d.bad++
	if e.cut {
		d.flag("truncated_file")
	}
	d.s.nextLine()
	return true
}

// flag raises a data-quality flag about the file.
func (d *decoder) flag(name string) {
	if !slices.Contains(d.part.Flags, name) {
		d.part.Flags = append(d.part.Flags, name)
	}
}

// conclude decides how the reading went.
func (d *decoder) conclude() {
	switch {
	case d.refused:
	case d.s.err != nil:
		d.brokenOff()
	case d.format != nil || d.ignored:
	case d.skipped != "" && d.unknown == "" && d.bad == 0:
		d.refuse("%s; known: %s", d.skipped, formatNames())
	case d.unknown != "":
		d.warnings = nil
		d.refuse("unknown file format: %s; known: %s", d.unknown, formatNames())
	case d.bad > 0:
		d.refuse("no line could be read: %s: %s; expected one of %s", d.warnings[0].Where, d.warnings[0].Message, formatNames())
	case d.begun > 0:
		d.refuse("unknown file format: a list without objects; known: %s", formatNames())
	default:
		d.nothing()
	}
}

// brokenOff says where the file ends too early or goes wrong, and what of it
// was kept.
func (d *decoder) brokenOff() {
	line, message := d.message(d.s.err)
	place := "before the first row"
	if d.inRow {
		place = fmt.Sprintf("inside row %d (begun on line %d)", d.begun, d.where)
	} else if d.begun > 0 {
		place = fmt.Sprintf("after row %d", d.begun)
	}
	d.failure = fmt.Sprintf("line %d: breaks off %s: %s; %s", line, place, message, d.keptRows())
	d.flag("truncated_file")
}

// keptRows says how much of a file that breaks off is used.
func (d *decoder) keptRows() string {
	switch d.kept {
	case 0:
		return "no whole row was kept"
	case 1:
		return "1 whole row was kept"
	}
	return fmt.Sprintf("%d whole rows were kept", d.kept)
}

// nothing deals with an empty list, which only a name can tell what it is of:
// that of the file, or the key it stands under.
func (d *decoder) nothing() {
	base := path.Base(strings.ReplaceAll(d.name, `\`, "/"))
	base, _, _ = strings.Cut(strings.ToLower(base), ".")
	for i, f := range Formats {
		if slices.Contains(f.names, base) || d.key != "" && slices.Contains(f.names, d.key) {
			d.format = &Formats[i]
			return
		}
	}
	d.refuse("empty list, and no name that says of what; known: %s", formatNames())
}

// list reads the rows of a list. Its first object says what all of them are.
// With item they are not the items themselves, but lie in them under that key.
func (d *decoder) list(item string) {
	var format *Format
	d.s.enter()
	for d.s.nextItem() {
		switch k := d.s.kind(); {
		case k == noKind:
		case k != objectKind:
			d.begun++
			d.wrong(fmt.Sprintf("row %d", d.begun), "an object")
		case item != "":
			format = d.item(item, format)
		default:
			format = d.object(format)
		}
	}
}

// item reads the row that lies in an object of the datasets server.
func (d *decoder) item(key string, format *Format) *Format {
	cut := d.truncatedCells()
	if slices.Contains(cut, "spans") {
		d.begun++
		d.warn("row %d: spans were truncated by the datasets server, expected them whole; row skipped", d.begun)
		d.s.skip()
		return format
	}
	if len(cut) > 0 {
		d.warn("row %d: the datasets server truncated %s", d.begun+1, clip(strings.Join(cut, ", ")))
	}
	d.s.enter()
	for k, ok := d.s.nextKey(); ok; k, ok = d.s.nextKey() {
		if string(k) == key && d.s.kind() == objectKind {
			format = d.object(format)
		} else {
			d.s.skip()
		}
	}
	return format
}

// truncatedCells looks ahead for the cells that the datasets server cut short.
func (d *decoder) truncatedCells() (cells []string) {
	d.s.peek(func() {
		d.s.enter()
		for k, ok := d.s.nextKey(); ok; k, ok = d.s.nextKey() {
			if string(k) == "truncated_cells" && d.s.kind() == listKind {
				cells = d.value().Strings()
			} else {
				d.s.skip()
			}
		}
	})
	return cells
}

// object reads an object that is a row, or holds rows, and returns the format
// of the row.
func (d *decoder) object(format *Format) *Format {
	what := shape{format: format}
	var k *keys
	if format == nil {
		what, k = d.sniff()
	}
	switch {
	case what.wrapper != nil && d.wrapped < maxWrapped:
		d.unwrap(what.wrapper)
		return nil
	case what.format != nil:
		d.row(what.format)
		return what.format
	}
	line := d.s.line(d.s.pos)
	d.begun++
	d.inRow, d.where = true, line
	if what.foreign == "" || d.format != nil {
		d.s.skip()
	}
	if d.s.err != nil {
		return nil
	}
	d.inRow = false
	switch {
	case what.ignored != "":
		d.ignored = true
		d.warnAt(line, "%s", what.ignored)
	case what.foreign != "" && d.format == nil:
		d.refuse("%s; known: %s", what.foreign, formatNames())
	case what.foreign != "":
		d.warnAt(line, "row %d %s; row skipped", d.begun, what.foreign)
	default:
		if d.unknown == "" {
			d.unknown = k.String()
		}
		d.warnAt(line, "row %d is an %s, which no format has; row skipped", d.begun, k)
	}
	return nil
}

// unwrap reads the rows that an object holds.
func (d *decoder) unwrap(w *wrapper) {
	d.wrapped++
	defer func() { d.wrapped-- }()
	if w.read != nil {
		w.read(d)
		return
	}
	if w.format != nil && d.format == nil {
		d.format = w.format
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		if d.s.kind() != listKind || w.lists != nil && !slices.Contains(w.lists, string(key)) {
			d.s.skip()
			continue
		}
		d.key = string(key)
		if w.agent {
			d.agent = d.key
		}
		d.list(w.item)
		d.agent = ""
	}
}

// row reads one row. What a row that breaks off has left in the receipt so far
// goes with it.
func (d *decoder) row(f *Format) {
	if d.format == nil {
		d.format = f
	}
	d.begun++
	d.inRow, d.where = true, d.s.line(d.s.pos)
	repairs, warnings, unlisted := d.repairs, len(d.warnings), d.unlisted
	nonFinite, mended := d.s.nonFinite, d.s.mended
	f.row(d)
	if d.s.err != nil {
		d.repairs, d.warnings, d.unlisted = repairs, d.warnings[:warnings], unlisted
		d.s.nonFinite, d.s.mended = nonFinite, mended
		return
	}
	d.kept++
	d.inRow = false
}
