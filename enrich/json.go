package enrich

import (
	"fmt"
	"strconv"

	"smolscope/enrich/attr"
)

// AppendJSON appends a column's field, given by its pointer, as JSON: null
// where it is absent, numbers in the shortest form that reads back the same,
// datetimes as RFC 3339 in UTC, UnixNano as a decimal string (contract: enrich).
func AppendJSON(dst []byte, ptr any) []byte {
	if !Known(ptr) {
		return append(dst, "null"...)
	}
	switch p := ptr.(type) {
	case *string:
		return attr.AppendQuoted(dst, *p)
	case **string:
		return attr.AppendQuoted(dst, **p)
	case *bool:
		return strconv.AppendBool(dst, *p)
	case **bool:
		return strconv.AppendBool(dst, **p)
	case *int64:
		return strconv.AppendInt(dst, *p, 10)
	case **int64:
		return strconv.AppendInt(dst, **p, 10)
	case **float64:
		return attr.AppendFloat(dst, **p)
	case *Time:
		return attr.AppendQuoted(dst, p.String())
	case *UnixNano:
		dst = append(dst, '"')
		dst = strconv.AppendInt(dst, int64(*p), 10)
		return append(dst, '"')
	case *[]string:
		return appendList(dst, *p, attr.AppendQuoted)
	case *[]int64:
		return appendList(dst, *p, func(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) })
	case *[]float64:
		return appendList(dst, *p, attr.AppendFloat)
	case *JSON:
		return append(dst, *p...)
	case *SpanList:
		return p.AppendJSON(dst)
	}
	panic(fmt.Sprintf("column of type %T", ptr))
}

func appendList[T any](dst []byte, list []T, each func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = each(dst, v)
	}
	return append(dst, ']')
}

// AppendRow appends a row as a JSON object with its columns in table order.
func AppendRow[R any](dst []byte, columns []Column[R], row *R) []byte {
	dst = append(dst, '{')
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = attr.AppendQuoted(dst, c.Name)
		dst = append(dst, ':')
		dst = AppendJSON(dst, c.Ptr(row))
	}
	return append(dst, '}')
}
