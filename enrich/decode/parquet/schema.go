package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go"

	"smolscope/enrich"
)

// A root is the group of a dataset's columns in the order of its table. The
// library's own groups are sorted by name.
type root struct {
	parquet.Group
	fields []parquet.Field
}

// Fields returns the columns in table order.
func (r *root) Fields() []parquet.Field { return r.fields }

func newSchema[R any](columns []enrich.Column[R]) *parquet.Schema {
	r := &root{Group: parquet.Group{}}
	byName := map[string]parquet.Field{}
	var row R
	for _, c := range columns {
		r.Group[c.Name] = node(c.Ptr(&row))
	}
	for _, f := range r.Group.Fields() {
		byName[f.Name()] = f
	}
	for _, c := range columns {
		r.fields = append(r.fields, byName[c.Name])
	}
	return parquet.NewSchema("row", r)
}

// node returns the type of the column whose field ptr points to. Times count
// nanoseconds, since nothing coarser is exact; *_unix_nano columns are strings
// as everywhere (contract: enrich).
func node(ptr any) parquet.Node {
	switch ptr.(type) {
	case *string:
		return parquet.String()
	case *bool:
		return parquet.Leaf(parquet.BooleanType)
	case *int64:
		return parquet.Int(64)
	case **string, *enrich.UnixNano:
		return parquet.Optional(parquet.String())
	case **bool:
		return parquet.Optional(parquet.Leaf(parquet.BooleanType))
	case **int64:
		return parquet.Optional(parquet.Int(64))
	case **float64:
		return parquet.Optional(parquet.Leaf(parquet.DoubleType))
	case *enrich.Time:
		return parquet.Optional(parquet.Timestamp(parquet.Nanosecond))
	case *[]string:
		return parquet.Optional(parquet.List(parquet.String()))
	case *[]int64:
		return parquet.Optional(parquet.List(parquet.Int(64)))
	case *[]float64:
		return parquet.Optional(parquet.List(parquet.Leaf(parquet.DoubleType)))
	case *enrich.JSON, *enrich.SpanList:
		return parquet.Optional(parquet.JSON())
	}
	panic(fmt.Sprintf("column of type %T", ptr))
}
