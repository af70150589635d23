package attr

// A Lookup is a Set with a filter that tells of most keys which it lacks that it
// does. The rules ask a span for a hundred spellings and it has few of them.
type Lookup struct {
	Set
	filter Filter
}

// Lookup returns the set with its filter, from Set.Filter. The zero filter is as
// good as none.
func (s Set) Lookup(f Filter) Lookup { return Lookup{s, f} }

// A Filter has a bit set for each key of a Set; keys may share one.
type Filter [4]uint64

// Filter returns the filter of a set.
func (s Set) Filter() Filter {
	var f Filter
	for i := range s {
		b := bit(s[i].Key)
		f[b>>6] |= 1 << (b & 63)
	}
	return f
}

// bit spreads keys over the bits of a filter by their length and some of their
// bytes: keys begin alike and differ further on.
func bit(key string) uint8 {
	n := len(key)
	if n == 0 {
		return 0
	}
	h := uint32(n)*0x9e3779b1 ^ (uint32(key[n-1]) | uint32(key[n/2])<<8 | uint32(key[n/3])<<16 | uint32(key[n-1-n/5])<<24)
	return uint8(h * 0x85ebca6b >> 24)
}

// Get returns the value of one key, null when there is none.
func (l Lookup) Get(key string) Value {
	if b := bit(key); l.filter[b>>6]&(1<<(b&63)) == 0 && l.filter != (Filter{}) {
		return Value{}
	}
	return l.Set.Get(key)
}

// Str is Set.Str.
func (l Lookup) Str(f Field) (value, key string) { return first(l, f, Value.Str) }

// Int is Set.Int.
func (l Lookup) Int(f Field) (value int64, key string) { return first(l, f, Value.Int) }

// Float is Set.Float.
func (l Lookup) Float(f Field) (value float64, key string) { return first(l, f, Value.Float) }

// Bool is Set.Bool.
func (l Lookup) Bool(f Field) (value bool, key string) { return first(l, f, Value.Bool) }

// Strings is Set.Strings.
func (l Lookup) Strings(f Field) (list []string, key string) { return first(l, f, someStrings) }
