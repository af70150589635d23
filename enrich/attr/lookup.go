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
type Index struct {
	places  [64]uint8
	lengths uint64 // a bit for each length that a key has, modulo 64
}

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
		into.lengths |= 1 << (len(s[i].Key) % 64)
		at := slot(s[i].Key)
		for into.places[at] != 0 {
			at = (at + 1) % uint8(len(into.places))
		}
		into.places[at] = uint8(i + 1)
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
	if place := l.place(key); place != 0 {
		return l.Set[place-1].Value
	}
	return Value{}
}

// place returns the place of a key by the index, plus one, or 0.
func (l *Lookup) place(key string) uint8 {
	if l.index.lengths>>(len(key)%64)&1 == 0 {
		return 0
	}
	for at := slot(key); ; at++ {
		place := l.index.places[at%uint8(len(l.index.places))]
		if place == 0 || l.Set[place-1].Key == key {
			return place
		}
	}
}

// next returns the first value that is not null among those of f's keys from
// the one at a place on, and the place of its key; len(f) when there is none.
func (l *Lookup) next(f Field, at int) (Value, int) {
	for ; at < len(f); at++ {
		if l.index == nil {
			if v := l.Set.Get(f[at]); v.kind != Null {
				return v, at
			}
		} else if place := l.place(f[at]); place != 0 && l.Set[place-1].Value.kind != Null {
			return l.Set[place-1].Value, at
		}
	}
	return Value{}, at
}

// Str returns the first key of the field that names something, and that key.
// Here and below the key is "" when no key of the field has a usable value.
func (l Lookup) Str(f Field) (value, key string) {
	for v, at := l.next(f, 0); at < len(f); v, at = l.next(f, at+1) {
		if s, ok := v.Str(); ok {
			return s, f[at]
		}
	}
	return "", ""
}

// Int returns the first usable count of the field, and its key.
func (l Lookup) Int(f Field) (value int64, key string) {
	for v, at := l.next(f, 0); at < len(f); v, at = l.next(f, at+1) {
		if n, ok := v.Int(); ok {
			return n, f[at]
		}
	}
	return 0, ""
}

// Float returns the first usable number of the field, and its key.
func (l Lookup) Float(f Field) (value float64, key string) {
	for v, at := l.next(f, 0); at < len(f); v, at = l.next(f, at+1) {
		if n, ok := v.Float(); ok {
			return n, f[at]
		}
	}
	return 0, ""
}

// Bool returns the first usable truth of the field, and its key.
func (l Lookup) Bool(f Field) (value bool, key string) {
	for v, at := l.next(f, 0); at < len(f); v, at = l.next(f, at+1) {
		if b, ok := v.Bool(); ok {
			return b, f[at]
		}
	}
	return false, ""
}

// Strings returns the first list of the field with an element, and its key.
func (l Lookup) Strings(f Field) (list []string, key string) {
	for v, at := l.next(f, 0); at < len(f); v, at = l.next(f, at+1) {
		if list := v.Strings(); len(list) > 0 {
			return list, f[at]
		}
	}
	return nil, ""
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
