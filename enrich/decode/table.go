package decode

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"smolscope/enrich/attr"
)

// A Container is a kind of file that holds rows in a form of its own. It is
// handed to Read by programs that are linked with what reads it.
type Container struct {
	Name  string // such as "Parquet"
	Magic string // the first bytes of every such file
	Open  func(file []byte) (Table, error)
}

// A Table is what a container holds: the names of its columns, and its rows as
// JSON objects, which are good until the next. An error ends the rows.
type Table struct {
	Columns []string
	Rows    iter.Seq2[[]byte, error]
}

// maxContainer bounds a container's bytes, which are held in memory.
const maxContainer = 2 << 30

// container reads the rows of a container as it reads those of a list.
func (d *decoder) container(c Container, in io.Reader) {
	file, err := io.ReadAll(io.LimitReader(in, maxContainer+1))
	if err != nil {
		d.refuse("reading: %v", err)
		return
	}
	if len(file) > maxContainer {
		d.refuse("%s file of more than %d MiB", c.Name, maxContainer>>20)
		return
	}
	table, err := c.Open(file)
	if err != nil {
		d.refuse("damaged %s file: %v", c.Name, err)
		return
	}
	format := d.columns(table.Columns)
	if format == nil {
		return
	}
	d.unit = "row"
	for row, err := range table.Rows {
		if err != nil {
			d.failure = fmt.Sprintf("row %d: damaged %s data: %v; %s", d.begun+1, c.Name, err, d.keptRows())
			d.flag("truncated_file")
			return
		}
		if limit := d.rd.limits.Row; int64(len(row)) > limit {
			d.begun++
			d.warnAt(d.begun, "%v; row skipped", beyond(fmt.Sprintf("a row of %d bytes,", len(row)), sizeText(limit), "max-row"))
			continue
		}
		d.tableRow(row, d.begun+1, format)
	}
}

// columns tells by the columns of a table what its rows are. It refuses the
// file and returns nil if they are nothing that is read.
func (d *decoder) columns(names []string) *Format {
	text := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(attr.AppendQuoted(text, name), ":null"...)
	}
	d.s = d.textScanner(append(text, '}'))
	what, k := d.sniff()
	switch {
	case what.format != nil:
		d.format = what.format
	case what.foreign != "":
		d.refuse("%s; known: %s", what.foreign, formatNames())
	default:
		d.refuse("unknown file format: table with columns %s; known: %s", strings.TrimPrefix(k.String(), "object with keys "), formatNames())
	}
	return what.format
}

// tableRow reads a row, of which line tells the place.
func (d *decoder) tableRow(row []byte, line int, format *Format) {
	before := d.s
	d.s = d.textScanner(row)
	d.s.onLine = line
	d.s.nonFinite, d.s.mended = before.nonFinite, before.mended
	d.object(format)
	if d.s.err != nil {
		_, message := d.message(d.s.err)
		d.warnAt(line, "%s; row skipped", message)
		d.bad++
		d.inRow = false
	}
}
