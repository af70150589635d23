package decode

import (
	"hash/maphash"
	"slices"
	"strings"

	"smolscope/enrich/attr"
)

// A keeper stores what outlives the scanner's window. Texts and attributes go
// into chunks, because a file holds a million of them; texts that repeat, such
// as keys, are stored once. The zero keeper is ready to use.
type keeper struct {
	chunk strings.Builder
	attrs []attr.KeyValue
	names []string // by hash; a newer name displaces an older
	seed  maphash.Seed
}

const (
	textChunk = 64 << 10
	attrChunk = 512
	nameSlots = 2048
	longName  = 64
)

// name stores a text that is likely to come again.
func (k *keeper) name(b []byte) string {
	if len(b) > longName {
		return k.text(b)
	}
	if k.names == nil {
		return string(b)
	}
	slot := &k.names[maphash.Bytes(k.seed, b)%nameSlots]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// remember makes name worth its table, which reading one span is not.
func (k *keeper) remember() {
	k.names = make([]string, nameSlots)
	k.seed = maphash.MakeSeed()
}

// text stores a text.
func (k *keeper) text(b []byte) string {
	if len(b) > textChunk/16 || k.names == nil {
		return string(b)
	}
	if len(b) <= 12 {
		return k.name(b)
	}
	if k.chunk.Cap()-k.chunk.Len() < len(b) {
		k.chunk.Reset()
		k.chunk.Grow(textChunk)
	}
	from := k.chunk.Len()
	k.chunk.Write(b)
	return k.chunk.String()[from:]
}

// set stores attributes.
func (k *keeper) set(set attr.Set) attr.Set {
	if len(set) == 0 {
		return nil
	}
	if len(set) > attrChunk/8 || k.names == nil {
		return slices.Clone(set)
	}
	if cap(k.attrs)-len(k.attrs) < len(set) {
		k.attrs = make([]attr.KeyValue, 0, attrChunk)
	}
	from := len(k.attrs)
	k.attrs = append(k.attrs, set...)
	return attr.Set(k.attrs[from:len(k.attrs):len(k.attrs)])
}
