package decode

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A packing is a way to compress a stream.
type packing struct {
	name  string
	magic string
	open  func(io.Reader) (io.Reader, error)
}

var packings = []packing{
	{"gzip", "\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"zstd", zstdMagic, func(r io.Reader) (io.Reader, error) { return newZstd(r) }},
}

const (
	zstdMagic = "\x28\xb5\x2f\xfd"

	// What a zstd stream may refer back to, and so make its reader hold.
	// "zstd --long" writes as much.
	zstdWindow = 128 << 20

	// inflatedFree bytes may be packed to next to nothing: traces repeat
	// themselves, and long runs of one byte occur in small files.
	inflatedFree = 64 << 20
)

// newZstd unpacks on the caller's goroutine: it needs no closing, and the
// browser has no other.
func newZstd(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
}

// packingOf tells by its first bytes how a stream is compressed, if it is.
func packingOf(head []byte) *packing {
	for i := range packings {
		if bytes.HasPrefix(head, []byte(packings[i].magic)) {
			return &packings[i]
		}
	}
	return nil
}

// A meter counts what the packed bytes of one file unpack to, against limits.
type meter struct {
	rd     *Reader
	what   string       // is packed, such as "gzip data"
	packed func() int64 // its size, as far as it was read
	total  int64        // bytes unpacked
	apart  bool         // what is counted is counted for the upload by another meter
}

// An unpacking reader stops what gets out of hand. It remembers the error that
// ended it, which is about the data and not about reading them.
type unpacking struct {
	r   io.Reader
	m   *meter
	n   int64
	err error
}

func (u *unpacking) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.r.Read(p)
	u.n += int64(n)
	if over := u.m.add(int64(n), u.n); over != nil {
		u.err = over
		return 0, over
	}
	if err != nil && err != io.EOF {
		_, over := errors.AsType[*limitError](err)
		_, said := errors.AsType[*damagedError](err)
		if !over && !said {
			err = &damagedError{u.m.what, err}
		}
		u.err = err
	}
	return n, err
}

// A damagedError says that what was packed cannot be unpacked.
type damagedError struct {
	what  string
	cause error
}

func (e *damagedError) Error() string { return "damaged " + e.what + ": " + e.cause.Error() }

// add counts n more bytes of a file that has come to size bytes.
func (m *meter) add(n, size int64) error {
	limits := &m.rd.limits
	m.total += n
	upload := m.total
	if !m.apart {
		m.rd.unpacked += n
		upload = m.rd.unpacked
	}
	switch {
	case m.total > inflatedFree && m.total/limits.Ratio > m.packed():
		return &limitError{fmt.Sprintf("%s unpacks to more than %d times its size (--max-ratio)", m.what, limits.Ratio)}
	case !m.apart && size > limits.Unpacked:
		return beyond(m.what+" unpacks to", sizeText(limits.Unpacked), "max-unpacked")
	case upload > limits.Upload:
		return beyond("the files of this upload unpack to", sizeText(limits.Upload), "max-unpacked-upload")
	}
	return nil
}

// unpack returns what is in a packed stream.
func (d *decoder) unpack(p *packing, in io.Reader) (io.Reader, error) {
	r, err := p.open(in)
	if err != nil {
		return nil, err
	}
	d.packed = &unpacking{r: r, m: &meter{rd: d.rd, what: p.name + " data", packed: func() int64 { return d.in.n }}}
	return d.packed, nil
}
