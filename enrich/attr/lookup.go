package attr

// A Lookup is a Set with an index that finds a key, or its absence, at once. The
// rules ask a span for a hundred spellings and it has few of them.
type Lookup struct {
	Set
	index *Index
}

// Lookup returns the set with its index, from Set.Index. No index is as good.
func (s Set) Lookup(index *Index) Lookup { return Lookup{s, index} }

// An Index is a hash table of the places of a Set's keys, each plus one.
type Index [64]uint8

// maxIndexed leaves enough of an index empty that what is not there is soon seen
// not to be.
const maxIndexed = 40

// Index fills the index of a set and returns it, or nil if the set has more keys
// than an index holds.
func (s Set) Index(into *Index) *Index {
	if len(s) > maxIndexed {
		return nil
	}
	*into = Index{}
	for i := range s {
		at := slot(s[i].Key)
		for into[at] != 0 {
			at = (at + 1) % uint8(len(into))
		}
		into[at] = uint8(i + 1)
	}
	return into
}

// slot spreads keys over an index by their length and some of their bytes: keys
// begin alike and differ further on.
func slot(key string) uint8 {
	n := len(key)
	if n == 0 {
		return 0
	}
	h := uint32(n)*0x9e3779b1 ^ (uint32(key[n-1]) | uint32(key[n/2])<<8 | uint32(key[n/3])<<16 | uint32(key[n-1-n/5])<<24)
	return uint8(h * 0x85ebca6b >> 26)
}

// Get returns the value of one key, null when there is none.
func (l Lookup) Get(key string) Value {
	if l.index == nil {
		return l.Set.Get(key)
	}
	for at := slot(key); ; at = (at + 1) % uint8(len(l.index)) {
		place := l.index[at]
		if place == 0 {
			return Value{}
		}
		if a := &l.Set[place-1]; a.Key == key {
			return a.Value
		}
	}
}

// Str returns the first key of the field that names something, and that key.
// Here and below the key is "" when no key of the field has a usable value.
func (l Lookup) Str(f Field) (value, key string) { return first(l, f, Value.Str) }

// Int returns the first usable count of the field, and its key.
func (l Lookup) Int(f Field) (value int64, key string) { return first(l, f, Value.Int) }

// Float returns the first usable number of the field, and its key.
func (l Lookup) Float(f Field) (value float64, key string) { return first(l, f, Value.Float) }

// Bool returns the first usable truth of the field, and its key.
func (l Lookup) Bool(f Field) (value bool, key string) { return first(l, f, Value.Bool) }

// Strings returns the first list of the field with an element, and its key.
func (l Lookup) Strings(f Field) (list []string, key string) { return first(l, f, someStrings) }

func someStrings(v Value) ([]string, bool) {
	list := v.Strings()
	return list, len(list) > 0
}

// first returns the value of the first key whose value a coercion can use, and
// that key.
func first[T any](l Lookup, f Field, coerce func(Value) (T, bool)) (value T, key string) {
	for _, k := range f {
		if v := l.Get(k); v.kind != Null {
			if value, ok := coerce(v); ok {
				return value, k
			}
		}
	}
	return value, ""
}

// Str is Lookup.Str, without an index; so are those below.
func (s Set) Str(f Field) (value, key string) { return s.Lookup(nil).Str(f) }

// Int is Lookup.Int.
func (s Set) Int(f Field) (value int64, key string) { return s.Lookup(nil).Int(f) }

// Float is Lookup.Float.
func (s Set) Float(f Field) (value float64, key string) { return s.Lookup(nil).Float(f) }

// Bool is Lookup.Bool.
func (s Set) Bool(f Field) (value bool, key string) { return s.Lookup(nil).Bool(f) }

// Strings is Lookup.Strings.
func (s Set) Strings(f Field) (list []string, key string) { return s.Lookup(nil).Strings(f) }
