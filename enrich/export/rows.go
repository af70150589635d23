package export

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"smolscope/enrich"
)

// Formats lists the formats of single datasets, by the endings of their files.
var Formats = []string{"json", "jsonl", "csv"}

// Rows yields the rows of a slice, as the writers of this package take them.
func Rows[R any](rows []R) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for i := range rows {
			if !yield(&rows[i], nil) {
				return
			}
		}
	}
}

// Write writes a dataset in one of Formats. The first error that rows yields
// ends the writing and is returned; what was written before it stays written.
func Write[R any](w io.Writer, format string, columns []enrich.Column[R], rows iter.Seq2[*R, error]) error {
	switch format {
	case "json":
		return JSON(w, columns, rows)
	case "jsonl":
		return JSONL(w, columns, rows)
	case "csv":
		return CSV(w, columns, rows)
	}
	return fmt.Errorf("format %q, want %s", format, strings.Join(Formats, ", "))
}

// JSON writes a dataset as a JSON array of objects, one row a line.
func JSON[R any](w io.Writer, columns []enrich.Column[R], rows iter.Seq2[*R, error]) error {
	out := bufio.NewWriter(w)
	if err := writeArray(out, columns, rows); err != nil {
		return err
	}
	out.WriteByte('\n')
	return out.Flush()
}

func writeArray[R any](out *bufio.Writer, columns []enrich.Column[R], rows iter.Seq2[*R, error]) error {
	out.WriteByte('[')
	separator := "\n"
	for row, err := range rows {
		if err != nil {
			return err
		}
		out.WriteString(separator)
		separator = ",\n"
		if _, err := out.Write(enrich.AppendRow(out.AvailableBuffer(), columns, row)); err != nil {
			return err
		}
	}
	return out.WriteByte(']')
}

// JSONL writes a dataset as JSON lines: one object a line.
func JSONL[R any](w io.Writer, columns []enrich.Column[R], rows iter.Seq2[*R, error]) error {
	out := bufio.NewWriter(w)
	for row, err := range rows {
		if err != nil {
			return err
		}
		line := enrich.AppendRow(out.AvailableBuffer(), columns, row)
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

// CSV writes a dataset as RFC 4180 says, with a line of column names and with
// LF line ends, so that line ends inside values stay what they are. Null and
// the empty text are both an empty field; lists and JSON are JSON text.
func CSV[R any](w io.Writer, columns []enrich.Column[R], rows iter.Seq2[*R, error]) error {
	out := csv.NewWriter(w)
	out.Write(enrich.Names(columns))
	record := make([]string, len(columns))
	for row, err := range rows {
		if err != nil {
			return err
		}
		for i, c := range columns {
			record[i] = field(c.Ptr(row))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// field returns a column's value, given by its pointer, as a CSV field: what
// JSON says, but text without its quotes and null as nothing.
func field(ptr any) string {
	if !enrich.Known(ptr) {
		return ""
	}
	switch p := ptr.(type) {
	case *string:
		return strings.ToValidUTF8(*p, "\ufffd")
	case **string:
		return strings.ToValidUTF8(**p, "\ufffd")
	case *enrich.Time:
		return p.String()
	case *enrich.UnixNano:
		return strconv.FormatInt(int64(*p), 10)
	}
	if text := string(enrich.AppendJSON(nil, ptr)); text != "null" {
		return text
	}
	return "" // a number that is none
}
