package attr

import (
	"slices"
	"strings"
)

// A KeyValue is one attribute.
type KeyValue struct {
	Key   string
	Value Value
}

// A Set is a list of attributes sorted by key, each key once.
type Set []KeyValue

// NewSet sorts attributes into a Set, reusing the slice. Null attributes are
// dropped: a dataset with a union schema fills every row with them (spec §1.7).
// Of a repeated key the last value counts, as in JSON.
func NewSet(list []KeyValue) Set {
	list = slices.DeleteFunc(list, func(a KeyValue) bool { return a.Value.IsNull() })
	slices.SortStableFunc(list, func(a, b KeyValue) int { return strings.Compare(a.Key, b.Key) })
	out := list[:0]
	for i, a := range list {
		if i+1 == len(list) || list[i+1].Key != a.Key {
			out = append(out, a)
		}
	}
	return Set(out)
}

// Get returns the value of one key, null when there is none.
func (s Set) Get(key string) Value {
	if i := s.search(key); i < len(s) && s[i].Key == key {
		return s[i].Value
	}
	return Value{}
}

// search returns the place of the first key that is not before key.
func (s Set) search(key string) int {
	low, high := 0, len(s)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if s[mid].Key < key {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// Prefix returns the attributes whose keys begin with prefix.
func (s Set) Prefix(prefix string) Set {
	from := s.search(prefix)
	to := from
	for to < len(s) && strings.HasPrefix(s[to].Key, prefix) {
		to++
	}
	return s[from:to]
}

// AppendJSON appends the set as a JSON object, keys sorted.
func (s Set) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for i, a := range s {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendQuoted(dst, a.Key)
		dst = append(dst, ':')
		dst = a.Value.AppendJSON(dst)
	}
	return append(dst, '}')
}

// Merge returns the union of two sets; where both have a key, s counts.
func (s Set) Merge(other Set) Set {
	if len(other) == 0 {
		return s
	}
	return NewSet(append(slices.Clone(other), s...))
}
