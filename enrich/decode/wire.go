package decode

import (
	"bufio"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A damage says where binary data are not what they should be.
type damage struct {
	at      int64 // offset in the file, the first byte being 0
	message string
	cut     bool // the data end too early, rather than going wrong
}

func (e *damage) Error() string { return fmt.Sprintf("byte %d: %s", e.at, e.message) }

// A wire reads protobuf off a stream, message within message, and holds no more
// of it than the innermost message that is asked for as a whole.
type wire struct {
	in  *bufio.Reader
	at  int64 // offset of the next byte
	buf []byte
}

// endless is the end of the outermost message, which ends with the stream.
const endless = math.MaxInt64

func (w *wire) damaged(format string, args ...any) error {
	return &damage{at: w.at, message: fmt.Sprintf(format, args...)}
}

// failed turns the error of the stream into that of the message.
func (w *wire) failed(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return &damage{at: w.at, message: "expected more of the message, found the end of the data", cut: true}
	}
	return err
}

// field reads the tag of the next field of a message that ends at end. The
// error is io.EOF where the message ends.
func (w *wire) field(end int64) (uint64, error) {
	if w.at == end {
		return 0, io.EOF
	}
	if end == endless {
		if _, err := w.in.Peek(1); err != nil {
			return 0, err
		}
	}
	from := w.at
	tag, err := w.varint(end)
	if err == nil && (tag>>3 == 0 || tag>>3 > math.MaxInt32) {
		return 0, &damage{at: from, message: fmt.Sprintf("field %d, which does not exist", tag>>3)}
	}
	return tag, err
}

func (w *wire) varint(end int64) (uint64, error) {
	var n uint64
	for shift := 0; shift < 70; shift += 7 {
		if w.at == end {
			return 0, w.damaged("expected a number, found the end of the message")
		}
		b, err := w.in.ReadByte()
		if err != nil {
			return 0, w.failed(err)
		}
		w.at++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, nil
		}
	}
	return 0, w.damaged("a number of more than 10 bytes")
}

// length reads how long the message is that comes next in one that ends at end,
// and returns where it ends itself.
func (w *wire) length(end int64) (int64, error) {
	n, err := w.varint(end)
	if err != nil {
		return 0, err
	}
	if n > uint64(end-w.at) {
		return 0, w.damaged("a message of %d bytes within one that has %d left", n, end-w.at)
	}
	return w.at + int64(n), nil
}

// pass reads over the value of a field.
func (w *wire) pass(tag uint64, end int64) error {
	switch protowire.Type(tag & 7) {
	case protowire.VarintType:
		_, err := w.varint(end)
		return err
	case protowire.Fixed32Type:
		return w.discard(w.at+4, end)
	case protowire.Fixed64Type:
		return w.discard(w.at+8, end)
	case protowire.BytesType:
		to, err := w.length(end)
		if err != nil {
			return err
		}
		return w.discard(to, end)
	}
	return w.damaged("a field of type %d, which OTLP does not have", tag&7)
}

// discard reads over all up to to.
func (w *wire) discard(to, end int64) error {
	if to > end {
		return w.damaged("expected %d bytes more, found the end of the message", to-w.at)
	}
	for w.at < to {
		n, err := w.in.Discard(int(min(to-w.at, 1<<20)))
		w.at += int64(n)
		if err != nil {
			return w.failed(err)
		}
	}
	return nil
}

// hold reads all up to to and returns it, good until the next call. Memory is
// taken as bytes arrive, not as a length claims.
func (w *wire) hold(to int64) ([]byte, error) {
	w.buf = w.buf[:0]
	for w.at < to || w.buf == nil {
		if len(w.buf) == cap(w.buf) {
			w.buf = append(make([]byte, 0, max(4<<10, 2*cap(w.buf))), w.buf...)
		}
		room := w.buf[len(w.buf):cap(w.buf)]
		n, err := io.ReadFull(w.in, room[:min(int64(len(room)), to-w.at)])
		w.buf = w.buf[:len(w.buf)+n]
		w.at += int64(n)
		if err != nil {
			return nil, w.failed(err)
		}
	}
	return w.buf, nil
}

// A message walks over the fields of a message that is held whole.
type message struct {
	rest  []byte
	tag   uint64 // number and type of the field at hand
	num   uint64 // its value, of a number, and
	bytes []byte // of everything else
	err   error
}

// Types of fields, for tags such as 9<<3 | lengthType.
const (
	varintType  = uint64(protowire.VarintType)
	fixed64Type = uint64(protowire.Fixed64Type)
	lengthType  = uint64(protowire.BytesType)
)

// next moves to the next field, and answers no at the end or where the message
// is damaged.
func (m *message) next() bool {
	if len(m.rest) == 0 || m.err != nil {
		return false
	}
	number, kind, n := protowire.ConsumeTag(m.rest)
	if n < 0 {
		m.err = protowire.ParseError(n)
		return false
	}
	m.tag = protowire.EncodeTag(number, kind)
	m.rest = m.rest[n:]
	m.num, m.bytes = 0, nil
	switch kind {
	case protowire.VarintType:
		m.num, n = protowire.ConsumeVarint(m.rest)
	case protowire.Fixed64Type:
		m.num, n = protowire.ConsumeFixed64(m.rest)
	case protowire.BytesType:
		m.bytes, n = protowire.ConsumeBytes(m.rest)
	default:
		n = protowire.ConsumeFieldValue(number, kind, m.rest)
	}
	if n < 0 {
		m.err = protowire.ParseError(n)
		return false
	}
	m.rest = m.rest[n:]
	return true
}

// float returns the value of a double.
func (m *message) float() float64 { return math.Float64frombits(m.num) }
