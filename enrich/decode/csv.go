package decode

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"smolscope/enrich/attr"
)

// csv reads a table as RFC 4180 has it, the names of its columns first. A field
// without text is null.
func (d *decoder) csv(in io.Reader, firstLine int) {
	text := &lineEnds{in: bufio.NewReader(in)}
	r := csv.NewReader(text)
	r.ReuseRecord = true
	read := func() ([]string, error) {
		text.left = d.rd.limits.Row
		return r.Read()
	}
	header, err := read()
	if err != nil {
		d.refuse("line %d: %s", firstLine, csvMessage(err))
		return
	}
	names := append([]string(nil), header...)
	format := d.columns(names)
	if format == nil {
		return
	}
	var row []byte
	line := 1
	for {
		fields, err := read()
		if err == io.EOF {
			return
		}
		if err == errLongRow {
			d.refuse("line %d: %v", firstLine-1+line, beyond("the row behind this one has", sizeText(d.rd.limits.Row), "max-row"))
			return
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			d.warnAt(firstLine-1+e.Line, "%s; row skipped", csvMessage(err))
			d.bad++
			continue
		}
		if err != nil {
			return // the receipt says why reading ended
		}
		row = append(row[:0], '{')
		for i, field := range fields {
			if i > 0 {
				row = append(row, ',')
			}
			row = append(attr.AppendQuoted(row, names[i]), ':')
			if field == "" {
				row = append(row, "null"...)
			} else {
				row = attr.AppendQuoted(row, field)
			}
		}
		line, _ = r.FieldPos(0)
		d.tableRow(append(row, '}'), firstLine-1+line, format)
	}
}

// csvMessage puts an error of the reader into words, with the column of text.
func csvMessage(err error) string {
	e, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return err.Error()
	case errors.Is(err, csv.ErrFieldCount):
		return "another number of fields than columns"
	}
	return fmt.Sprintf("byte %d: %v", e.Column, e.Err)
}

// lineEnds keeps the csv package from turning the \r\n within quoted fields
// into \n, by giving it another \r to take away.
type lineEnds struct {
	in     *bufio.Reader
	quoted bool
	held   byte  // a byte still to be handed out, if not 0
	left   int64 // bytes that may still be read
}

// errLongRow keeps a quote without an end from being searched for in all of a file.
var errLongRow = errors.New("row too long")

// Read hands out the text.
func (l *lineEnds) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if l.left--; l.left < 0 {
			return n, errLongRow
		}
		if l.held != 0 {
			p[n], l.held = l.held, 0
			n++
			continue
		}
		b, err := l.in.ReadByte()
		if err != nil {
			return n, err
		}
		if b == '"' {
			l.quoted = !l.quoted
		}
		if b == '\r' && l.quoted {
			if next, _ := l.in.Peek(1); len(next) == 1 && next[0] == '\n' {
				l.held = '\r'
			}
		}
		p[n] = b
		n++
	}
	return n, nil
}
