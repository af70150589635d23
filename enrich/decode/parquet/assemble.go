package parquet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"smolscope/enrich/attr"
)

// A column is a node of a file's schema: a group of columns, or a leaf, of
// which there are values. Its leaves are those from up to, but not, to.
type column struct {
	name               string
	optional, repeated bool
	isList, isMap      bool
	children           []*column
	from, to           int
	typ                parquet.Type // of a leaf
}

func newColumn(c *parquet.Column, leaves *int) *column {
	out := &column{name: c.Name(), optional: c.Optional(), repeated: c.Repeated(), from: *leaves}
	if c.Leaf() {
		out.typ = c.Type()
		*leaves++
	} else {
		if t := c.Type().LogicalType(); t != nil {
			_, out.isList = t.Value.(*format.ListType)
			_, out.isMap = t.Value.(*format.MapType)
		}
		for _, child := range c.Columns() {
			out.children = append(out.children, newColumn(child, leaves))
		}
	}
	out.to = *leaves
	return out
}

// An assembler makes JSON objects of rows. A value of a leaf says by its levels
// how much of its path there is, and at which list of it a new item begins.
type assembler struct {
	leaves [][]parquet.Value // of the row at hand, those not yet used
	text   []byte
	short  bool // a leaf has fewer values than the others say
}

var errShort = errors.New("columns of different lengths")

func (a *assembler) row(root *column, row parquet.Row) ([]byte, error) {
	clear(a.leaves)
	row.Range(func(i int, values []parquet.Value) bool {
		if i < len(a.leaves) {
			a.leaves[i] = values
		}
		return true
	})
	a.short = false
	a.text = append(a.text[:0], '{')
	for i, c := range root.children {
		if i > 0 {
			a.text = append(a.text, ',')
		}
		a.text = append(attr.AppendQuoted(a.text, c.name), ':')
		a.text = a.value(a.text, c, 0, 0)
	}
	if a.short {
		return nil, errShort
	}
	return append(a.text, '}'), nil
}

// next returns the next value of a column's first leaf.
func (a *assembler) next(c *column) parquet.Value {
	if c.from == c.to || len(a.leaves[c.from]) == 0 {
		a.short = true
		return parquet.Value{}
	}
	return a.leaves[c.from][0]
}

// skip uses up the values that say that a column has none.
func (a *assembler) skip(c *column) {
	for i := c.from; i < c.to; i++ {
		if len(a.leaves[i]) > 0 {
			a.leaves[i] = a.leaves[i][1:]
		}
	}
}

// value appends what a column holds at a place where its path is there up to
// the definition level def, within as many lists as rep says.
func (a *assembler) value(dst []byte, c *column, def, rep int) []byte {
	switch {
	case c.repeated:
		return a.list(dst, c, def, rep, func(dst []byte) []byte { return a.content(dst, c, def+1, rep+1) })
	case c.optional:
		if a.next(c).DefinitionLevel() <= def {
			a.skip(c)
			return append(dst, "null"...)
		}
		def++
	}
	return a.content(dst, c, def, rep)
}

// list appends the items of a repeated column.
func (a *assembler) list(dst []byte, c *column, def, rep int, item func([]byte) []byte) []byte {
	if a.next(c).DefinitionLevel() <= def {
		a.skip(c)
		return append(dst, "[]"...)
	}
	dst = append(dst, '[')
	for i := 0; i == 0 || len(a.leaves[c.from]) > 0 && a.next(c).RepetitionLevel() == rep+1; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		left := len(a.leaves[c.from])
		dst = item(dst)
		if a.short || len(a.leaves[c.from]) == left {
			a.short = true
			break
		}
	}
	return append(dst, ']')
}

func (a *assembler) content(dst []byte, c *column, def, rep int) []byte {
	switch {
	case c.typ != nil:
		v := a.next(c)
		a.skip(c)
		return appendLeaf(dst, c.typ, v)
	case c.isList && len(c.children) == 1 && c.children[0].repeated:
		items := c.children[0]
		if len(items.children) != 1 { // written before lists had three levels
			return a.value(dst, items, def, rep)
		}
		return a.list(dst, items, def, rep, func(dst []byte) []byte { return a.value(dst, items.children[0], def+1, rep+1) })
	case c.isMap && len(c.children) == 1 && c.children[0].repeated && len(c.children[0].children) == 2:
		return a.entries(dst, c.children[0], def, rep)
	}
	dst = append(dst, '{')
	for _, child := range c.children {
		dst = a.member(dst, child.name, func(dst []byte) []byte { return a.value(dst, child, def, rep) })
	}
	return append(dst, '}')
}

// entries appends a map as an object.
func (a *assembler) entries(dst []byte, c *column, def, rep int) []byte {
	if a.next(c).DefinitionLevel() <= def {
		a.skip(c)
		return append(dst, "{}"...)
	}
	key, value := c.children[0], c.children[1]
	dst = append(dst, '{')
	for i := 0; i == 0 || len(a.leaves[c.from]) > 0 && a.next(c).RepetitionLevel() == rep+1; i++ {
		name := ""
		if v := a.next(key); v.Kind() == parquet.ByteArray {
			name = string(v.ByteArray())
		}
		a.skip(key)
		dst = a.member(dst, name, func(dst []byte) []byte { return a.value(dst, value, def+1, rep+1) })
		if a.short {
			break
		}
	}
	return append(dst, '}')
}

// member appends a member of an object, unless it is null: the columns of a
// struct are all that any row has (spec §1.7).
func (a *assembler) member(dst []byte, name string, value func([]byte) []byte) []byte {
	start := len(dst)
	if dst[start-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(attr.AppendQuoted(dst, name), ':')
	from := len(dst)
	dst = value(dst)
	if string(dst[from:]) == "null" {
		return dst[:start]
	}
	return dst
}

// appendLeaf appends a value as JSON: times as RFC 3339, without a zone where
// the file knows none, bytes that are no text as hex digits.
func appendLeaf(dst []byte, t parquet.Type, v parquet.Value) []byte {
	if v.IsNull() {
		return append(dst, "null"...)
	}
	var logical format.LogicalTypeValue
	if l := t.LogicalType(); l != nil {
		logical = l.Value
	}
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(dst, v.Boolean())
	case parquet.Int32:
		return appendInt(dst, int64(v.Int32()), uint64(v.Uint32()), logical)
	case parquet.Int64:
		return appendInt(dst, v.Int64(), v.Uint64(), logical)
	case parquet.Int96:
		return appendMoment(dst, time.Unix(0, int96Nanos(v.Int96())), time.RFC3339Nano)
	case parquet.Float:
		shortest, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v.Float()), 'g', -1, 32), 64)
		return attr.AppendFloat(dst, shortest)
	case parquet.Double:
		return attr.AppendFloat(dst, v.Double())
	}
	b := v.ByteArray()
	switch l := logical.(type) {
	case *format.DecimalType:
		return appendDecimal(dst, bigEndian(b), int(l.Scale))
	case *format.UUIDType:
		if len(b) == 16 {
			return fmt.Appendf(dst, `"%x-%x-%x-%x-%x"`, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
		}
	}
	if v.Kind() == parquet.FixedLenByteArray {
		return attr.AppendQuoted(dst, hex.EncodeToString(b))
	}
	return attr.AppendQuoted(dst, string(b))
}

func appendInt(dst []byte, n int64, unsigned uint64, logical format.LogicalTypeValue) []byte {
	switch l := logical.(type) {
	case *format.TimestampType:
		layout := time.RFC3339Nano
		if !l.IsAdjustedToUTC {
			layout = naiveTime
		}
		if l.Unit.Value == nil {
			break
		}
		switch l.Unit.Value.Duration() {
		case time.Millisecond:
			return appendMoment(dst, time.UnixMilli(n), layout)
		case time.Microsecond:
			return appendMoment(dst, time.UnixMicro(n), layout)
		case time.Nanosecond:
			return appendMoment(dst, time.Unix(0, n), layout)
		}
	case *format.DateType:
		return appendMoment(dst, time.Unix(n*86400, 0), time.DateOnly)
	case *format.DecimalType:
		return appendDecimal(dst, big.NewInt(n), int(l.Scale))
	case *format.IntType:
		if !l.IsSigned {
			return strconv.AppendUint(dst, unsigned, 10)
		}
	}
	return strconv.AppendInt(dst, n, 10)
}

const naiveTime = "2006-01-02T15:04:05.999999999"

func appendMoment(dst []byte, at time.Time, layout string) []byte {
	return append(at.UTC().AppendFormat(append(dst, '"'), layout), '"')
}

// int96Nanos reads the old form of times: nanoseconds of the day, and the day
// by the Julian calendar, of which 2440588 is that of the Unix epoch.
func int96Nanos(v deprecated.Int96) int64 {
	const epoch, day = 2440588, 24 * 3600e9
	return (int64(v[2])-epoch)*day + int64(uint64(v[1])<<32|uint64(v[0]))
}

func bigEndian(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// appendDecimal appends n with its last scale digits behind the point.
func appendDecimal(dst []byte, n *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		dst = append(dst, '-')
	}
	if scale <= 0 || scale > 64 {
		return append(dst, digits...)
	}
	if zeros := scale + 1 - len(digits); zeros > 0 {
		digits = string(slices.Repeat([]byte{'0'}, zeros)) + digits
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	return append(append(dst, '.'), digits[len(digits)-scale:]...)
}
