package decode

import (
	"strconv"

	"smolscope/enrich"
)

// parseHex reads an id as SMOLTRACE writes it: hex digits, with or without 0x,
// and unpadded. It answers no to every other spelling, which enrich reads.
func parseHex(dst, text []byte) (padded, ok bool) {
	if len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x' {
		text = text[2:]
	}
	if len(text) == 0 || len(text) > 2*len(dst) {
		return false, false
	}
	clear(dst)
	shift := 2*len(dst) - len(text)
	any := byte(0)
	for i, c := range text {
		var digit byte
		switch {
		case c >= '0' && c <= '9':
			digit = c - '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			digit = c | 0x20 - 'a' + 10
		default:
			clear(dst)
			return false, false
		}
		any |= digit
		dst[(shift+i)/2] |= digit << (4 * (1 - (shift+i)&1))
	}
	return shift > 0 && any > 0, true
}

// An idNote says what had to be done to read an id.
type idNote struct{ padded, derived, coded bool }

// noteID counts what had to be done to read an id. Ids are counted where they
// are given to something, not where they are referred to.
func (d *decoder) noteID(n idNote) {
	if n.padded {
		d.repairs.padded++
	}
	if n.derived {
		d.repairs.derived++
	}
	if n.coded {
		d.repairs.coded++
	}
}

func (d *decoder) traceID(field string) (id enrich.TraceID, note idNote) {
	text := d.idText(field)
	padded, ok := parseHex(id[:], text)
	if !ok {
		id, note.derived = enrich.ParseTraceID(string(text))
	}
	note.padded = padded
	return id, note
}

func (d *decoder) spanID(field string) (id enrich.SpanID, note idNote) {
	text := d.idText(field)
	padded, ok := parseHex(id[:], text)
	if !ok {
		id, note.derived = enrich.ParseSpanID(string(text))
	}
	note.padded = padded
	return id, note
}

// idText reads an id as text.
func (d *decoder) idText(field string) []byte {
	switch d.s.kind() {
	case stringKind:
		text, _ := d.s.quoted()
		return text
	case numberKind:
		return d.s.number()
	case nullKind:
		d.s.null()
	default:
		d.wrong(field, "an id in hex digits")
	}
	return nil
}

// nameSpan gives an id to a span that the file gives none: the first digits of
// the SHA-256 of what the span says and its place in the trace.
func (d *decoder) nameSpan(sp *enrich.Span, place int) {
	if sp.ID != (enrich.SpanID{}) {
		return
	}
	d.json = sp.AppendJSON(d.json[:0])
	d.json = append(d.json, '#')
	d.json = strconv.AppendInt(d.json, int64(place), 10)
	sp.ID, _ = enrich.ParseSpanID(string(d.json))
	d.repairs.missing++
}
