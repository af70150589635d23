package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"smolscope/enrich/decode"
)

// Format lets decode.Read read Parquet files: ours, and those of any writer
// whose rows are of a kind that decode knows.
var Format = decode.Container{Name: "Parquet", Magic: "PAR1", Open: open}

// maxBytes bounds what a file may say it grows to. The library allocates by
// what the file says, so a small file could otherwise take all memory.
const maxBytes = 8 << 30

func open(file []byte) (table decode.Table, err error) {
	defer caught(&err)
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return table, err
	}
	var size int64
	for _, g := range f.Metadata().RowGroups {
		if g.TotalByteSize < 0 || size > maxBytes-g.TotalByteSize {
			return table, fmt.Errorf("it grows to more than %d GiB", maxBytes>>30)
		}
		size += g.TotalByteSize
	}
	root := newColumn(f.Root(), new(int))
	for _, c := range root.children {
		table.Columns = append(table.Columns, c.name)
	}
	table.Rows = func(yield func([]byte, error) bool) {
		for _, group := range f.RowGroups() {
			if !readGroup(group, root, yield) {
				return
			}
		}
	}
	return table, nil
}

// readGroup yields the rows of a group and reports whether to go on.
func readGroup(group parquet.RowGroup, root *column, yield func([]byte, error) bool) bool {
	rows, err := rowsOf(group)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer rows.Close()
	batch := make([]parquet.Row, 16)
	a := assembler{leaves: make([][]parquet.Value, root.to)}
	for {
		n, err := read(rows, batch)
		for _, row := range batch[:n] {
			text, err := a.row(root, row)
			if !yield(text, err) || err != nil {
				return false
			}
		}
		if err == io.EOF {
			return true
		}
		if err == nil && n == 0 {
			err = io.ErrNoProgress
		}
		if err != nil {
			yield(nil, err)
			return false
		}
	}
}

func rowsOf(group parquet.RowGroup) (rows parquet.Rows, err error) {
	defer caught(&err)
	return group.Rows(), nil
}

func read(rows parquet.Rows, batch []parquet.Row) (n int, err error) {
	defer caught(&err)
	return rows.ReadRows(batch)
}

// caught turns a panic of the library, which damaged files can cause, into an
// error.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = errors.New("it contradicts itself")
	}
}
