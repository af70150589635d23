package decode

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"smolscope/enrich/attr"
)

// value reads a value of any kind as an attribute. Lists and objects become
// canonical JSON text.
func (d *decoder) value() attr.Value {
	switch d.s.kind() {
	case nullKind:
		d.s.null()
	case boolKind:
		return attr.BoolValue(d.s.bool())
	case numberKind:
		return d.number()
	case stringKind:
		text, _ := d.s.quoted()
		return attr.StringValue(d.keep.text(text))
	case listKind, objectKind:
		d.json = d.appendCanonical(d.json[:0])
		return attr.JSONValue(d.keep.text(d.json))
	}
	return attr.Value{}
}

// number reads a number: whole if it is written so and fits, and null if it is
// too large for a float.
func (d *decoder) number() attr.Value {
	text := d.s.number()
	if n, ok := parseInt(text); ok {
		return attr.IntValue(n)
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && d.s.err == nil {
		d.s.nonFinite++
		return attr.Value{}
	}
	return attr.FloatValue(f)
}

// parseInt reads a whole number exactly, which a float64 would not hold.
func parseInt(text []byte) (int64, bool) {
	digits := text
	negative := len(digits) > 0 && digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || string(text) == "-0" {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -int64(n), n <= math.MaxInt64
	}
	return int64(n), n <= math.MaxInt64
}

// set reads an object as attributes.
func (d *decoder) set() attr.Set {
	base := len(d.stack)
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		d.field(key)
	}
	return d.pop(base)
}

// field reads the value of a key onto the stack of attributes.
func (d *decoder) field(key []byte) {
	name := d.keep.name(key)
	d.stack = append(d.stack, attr.KeyValue{Key: name, Value: d.value()})
}

// pop makes a set of the attributes that lie on the stack from base on.
func (d *decoder) pop(base int) attr.Set {
	set := attr.NewSet(d.stack[base:])
	set = d.keep.set(set)
	clear(d.stack[base:])
	d.stack = d.stack[:base]
	return set
}

// appendCanonical reads a value of any kind and appends it as JSON text,
// compact and with the keys of every object sorted, each key once. Numbers keep
// the text that they were written with.
func (d *decoder) appendCanonical(dst []byte) []byte {
	switch k := d.s.kind(); k {
	case nullKind:
		d.s.null()
		return append(dst, "null"...)
	case boolKind:
		return strconv.AppendBool(dst, d.s.bool())
	case numberKind:
		return append(dst, d.s.number()...)
	case stringKind:
		text, _ := d.s.quoted()
		return attr.AppendQuoted(dst, string(text))
	case listKind:
		d.s.enter()
		dst = append(dst, '[')
		for i := 0; d.s.nextItem(); i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = d.appendCanonical(dst)
		}
		return append(dst, ']')
	case objectKind:
		return d.appendObject(dst)
	}
	return dst
}

// A member is a key of an object and where its text, with the key, stands.
type member struct {
	key      string
	from, to int
}

func (d *decoder) appendObject(dst []byte) []byte {
	base, start := len(d.members), len(dst)
	d.s.enter()
	dst = append(dst, '{')
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		m := member{key: d.keep.name(key), from: len(dst)}
		dst = attr.AppendQuoted(dst, m.key)
		dst = append(dst, ':')
		dst = d.appendCanonical(dst)
		m.to = len(dst)
		d.members = append(d.members, m)
		dst = append(dst, ',')
	}
	return d.closeObject(dst, start, base)
}

// closeObject ends an object whose members, each with a comma behind it, were
// appended from start on and noted in d.members from base on.
func (d *decoder) closeObject(dst []byte, start, base int) []byte {
	members := d.members[base:]
	ascending := true
	for i := 1; i < len(members); i++ {
		ascending = ascending && members[i-1].key < members[i].key
	}
	if !ascending {
		was := slices.Clone(dst[start:])
		slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
		dst = append(dst[:start], '{')
		for i, m := range members {
			if i+1 < len(members) && members[i+1].key == m.key {
				continue // the last one counts
			}
			dst = append(dst, was[m.from-start:m.to-start]...)
			dst = append(dst, ',')
		}
	}
	if len(members) > 0 {
		dst = dst[:len(dst)-1]
	}
	clear(members)
	d.members = d.members[:base]
	return append(dst, '}')
}
