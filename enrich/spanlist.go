package enrich

// A SpanList is the spans column of a trace: the spans themselves, which are
// encoded only as they are written, or their JSON as it was read from a store.
// The zero SpanList is absent.
type SpanList struct {
	spans []Span
	text  JSON
}

// SpansOf returns the column of a trace with these spans, which must not change
// from then on.
func SpansOf(spans []Span) SpanList {
	if spans == nil {
		spans = []Span{}
	}
	return SpanList{spans: spans}
}

// SpansText returns the column of a trace whose spans are encoded already, "" if
// they are absent.
func SpansText(text JSON) SpanList { return SpanList{text: text} }

// Known reports whether the column has a value.
func (l SpanList) Known() bool { return l.spans != nil || l.text != "" }

// Chunks encodes the list as a JSON array and hands it over piece by piece; a
// piece that is one span comes with its id, and any other with the zero id.
// Encoded lists come whole. The piece is good until the next.
func (l SpanList) Chunks(put func(id SpanID, piece []byte) error) error {
	if l.spans == nil {
		return put(SpanID{}, []byte(l.text))
	}
	var buf []byte
	for i := range l.spans {
		before := "["
		if i > 0 {
			before = ","
		}
		if err := put(SpanID{}, append(buf[:0], before...)); err != nil {
			return err
		}
		buf = l.spans[i].AppendJSON(buf[:0])
		if err := put(l.spans[i].ID, buf); err != nil {
			return err
		}
	}
	if len(l.spans) == 0 {
		return put(SpanID{}, []byte("[]"))
	}
	return put(SpanID{}, []byte("]"))
}

// AppendJSON appends the list as a JSON array, or null if it is absent.
func (l SpanList) AppendJSON(dst []byte) []byte {
	if !l.Known() {
		return append(dst, "null"...)
	}
	l.Chunks(func(_ SpanID, piece []byte) error {
		dst = append(dst, piece...)
		return nil
	})
	return dst
}
