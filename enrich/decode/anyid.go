package decode

import (
	"encoding/base64"
	"encoding/hex"
	"math/big"

	"smolscope/enrich"
)

// anyTraceID reads a trace id in any of the forms that writers other than
// SMOLTRACE give it.
func (d *decoder) anyTraceID(field string) (id enrich.TraceID) {
	note := d.anyID(field, id[:])
	if id != d.noted && d.flat[id] == nil {
		d.noted = id
		d.noteID(note)
	}
	return id
}

// anySpanID is anyTraceID for span ids.
func (d *decoder) anySpanID(field string) (id enrich.SpanID, note idNote) {
	note = d.anyID(field, id[:])
	return id, note
}

// anyID reads an id: hex digits, base64 of the right number of bytes (which
// generic writers of protobuf messages as JSON make), a list of bytes (which
// JavaScript makes of a buffer), or a number (Python's own form).
func (d *decoder) anyID(field string, dst []byte) (note idNote) {
	switch d.s.kind() {
	case nullKind:
		d.s.null()
		return note
	case objectKind, listKind:
		return parseAnyID(dst, hex.EncodeToString(d.byteList(field)))
	case numberKind:
		n, ok := new(big.Int).SetString(string(d.s.number()), 10)
		if !ok || n.Sign() < 0 {
			d.warn("%s is no id, expected hex digits", field)
			return note
		}
		if n.Sign() == 0 {
			return note
		}
		note = parseAnyID(dst, n.Text(16))
		note.padded = false // a number has no digits to be short of
		return note
	case stringKind:
	default:
		d.wrong(field, "an id in hex digits")
		return note
	}
	text, _ := d.s.quoted()
	if padded, ok := parseHex(dst, text); ok {
		note.padded = padded
		return note
	}
	if raw, ok := parseBase64(text, len(dst)); ok {
		copy(dst, raw)
		note.coded = true
		return note
	}
	return parseAnyID(dst, string(text))
}

// parseAnyID is enrich's reading of an id as text.
func parseAnyID(dst []byte, text string) (note idNote) {
	padded, ok := parseHex(dst, []byte(text))
	switch {
	case ok:
		note.padded = padded
	case len(dst) == len(enrich.TraceID{}):
		var id enrich.TraceID
		id, note.derived = enrich.ParseTraceID(text)
		copy(dst, id[:])
	default:
		var id enrich.SpanID
		id, note.derived = enrich.ParseSpanID(text)
		copy(dst, id[:])
	}
	return note
}

// parseBase64 reads an id in base64, padded as it must be.
func parseBase64(text []byte, size int) ([]byte, bool) {
	if len(text) != base64.StdEncoding.EncodedLen(size) || text[len(text)-1] != '=' {
		return nil, false
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		if raw, err := e.DecodeString(string(text)); err == nil && len(raw) == size {
			return raw, true
		}
	}
	return nil, false
}

// maxID bounds the bytes of an id that is written as a list of them.
const maxID = 64

// byteList reads bytes as JavaScript writes a buffer: {"type":"Buffer","data":
// [1,2,3]}, {"0":1,"1":2}, or the list alone.
func (d *decoder) byteList(field string) (list []byte) {
	add := func() {
		n := d.int(field)
		if n == nil || *n > 255 || len(list) == maxID {
			return
		}
		list = append(list, byte(*n))
	}
	if d.s.kind() == listKind {
		d.s.enter()
		for d.s.nextItem() {
			add()
		}
		return list
	}
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch {
		case string(key) == "data" && d.s.kind() == listKind:
			list = d.byteList(field)
		case len(key) > 0 && key[0] >= '0' && key[0] <= '9':
			add()
		default:
			d.s.skip()
		}
	}
	return list
}
