package parquet

import (
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"smolscope/enrich"
)

// groupBytes is about how many bytes of values a row group holds: readers and
// writers keep a group in memory.
const groupBytes = 32 << 20

// Write writes a dataset as a Parquet file: columns in table order, dotted
// names as one path element, zstd. The same rows give the same bytes. The first
// error that rows yields ends the writing and is returned.
func Write[R any](w io.Writer, columns []enrich.Column[R], rows iter.Seq2[*R, error]) error {
	options := []parquet.WriterOption{newSchema(columns), parquet.DataPageStatistics(false), parquet.Compression(&zstd.Codec{}), parquet.CreatedBy("smolscope", "1", "0")}
	var row R
	for _, c := range columns {
		if hasText(c.Ptr(&row)) { // the least and greatest text would stand in the file again, unpacked
			options = append(options, parquet.SkipPageBounds(c.Name))
		}
	}
	out := parquet.NewWriter(w, options...)
	var values parquet.Row
	held := 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		values = values[:0]
		for i, c := range columns {
			values = appendValues(values, c.Ptr(row), i)
		}
		for _, v := range values {
			if held += 8; v.Kind() == parquet.ByteArray {
				held += len(v.ByteArray())
			}
		}
		if _, err := out.WriteRows([]parquet.Row{values}); err != nil {
			return err
		}
		if held >= groupBytes {
			held = 0
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	return out.Close()
}

// Dataset writes one of a run's datasets, by its name.
func Dataset(w io.Writer, t *enrich.Tables, name string) error {
	switch name {
	case enrich.Results:
		return Write(w, enrich.ResultColumns, all(t.Results))
	case enrich.Traces:
		return Write(w, enrich.TraceColumns, all(t.Traces))
	case enrich.Metrics:
		return Write(w, enrich.MetricColumns, all(t.Metrics))
	case enrich.Leaderboard:
		return Write(w, enrich.LeaderboardColumns, all([]enrich.LeaderboardRow{t.Leaderboard}))
	}
	return fmt.Errorf("no dataset %q", name)
}

func all[R any](rows []R) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for i := range rows {
			if !yield(&rows[i], nil) {
				return
			}
		}
	}
}

// appendValues appends the values of a column's field, given by its pointer.
// Numbers that are none are null and what is no UTF-8 becomes U+FFFD, as in JSON.
func appendValues(row parquet.Row, ptr any, column int) parquet.Row {
	null := append(row, parquet.NullValue().Level(0, 0, column))
	if !enrich.Known(ptr) {
		return null
	}
	level := 1
	var v parquet.Value
	switch p := ptr.(type) {
	case *string:
		v, level = text(*p), 0
	case *bool:
		v, level = parquet.BooleanValue(*p), 0
	case *int64:
		v, level = parquet.Int64Value(*p), 0
	case **string:
		v = text(**p)
	case **bool:
		v = parquet.BooleanValue(**p)
	case **int64:
		v = parquet.Int64Value(**p)
	case **float64:
		if math.IsNaN(**p) || math.IsInf(**p, 0) {
			return null
		}
		v = parquet.DoubleValue(**p)
	case *enrich.Time:
		v = parquet.Int64Value(int64(*p))
	case *enrich.UnixNano:
		v = text(strconv.FormatInt(int64(*p), 10))
	case *enrich.JSON:
		v = text(string(*p))
	case *enrich.SpanList:
		v = text(string(p.AppendJSON(nil)))
	case *[]string:
		return appendList(row, *p, column, text)
	case *[]int64:
		return appendList(row, *p, column, parquet.Int64Value)
	case *[]float64:
		return appendList(row, *p, column, parquet.DoubleValue)
	default:
		panic(fmt.Sprintf("column of type %T", ptr))
	}
	return append(row, v.Level(0, level, column))
}

func hasText(ptr any) bool {
	switch ptr.(type) {
	case *string, **string, *enrich.JSON, *enrich.SpanList:
		return true
	}
	return false
}

func text(s string) parquet.Value {
	return parquet.ByteArrayValue([]byte(strings.ToValidUTF8(s, "\ufffd")))
}

// appendList appends a list: level 1 is the empty list, level 2 an element.
func appendList[T any](row parquet.Row, list []T, column int, value func(T) parquet.Value) parquet.Row {
	if len(list) == 0 {
		return append(row, parquet.NullValue().Level(0, 1, column))
	}
	for i, v := range list {
		row = append(row, value(v).Level(min(i, 1), 2, column))
	}
	return row
}
