package decode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// binaryLayout is how OTLP lies in a file that is not text.
type binaryLayout struct {
	what  string           // "" if it is not OTLP
	order binary.ByteOrder // of the lengths of frames; nil of one bare request
}

// layoutOf tells how OTLP lies in a file by its beginning, which is whole if
// there is no more to the file (spec §1.10). Text is told apart because lengths
// hold bytes that no text has.
func layoutOf(head []byte, whole bool) binaryLayout {
	const frames = "length-prefixed OTLP"
	orders := []binary.ByteOrder{binary.BigEndian, binary.LittleEndian}
	for _, order := range orders {
		if whole && chained(head, order) {
			return binaryLayout{frames, order}
		}
	}
	if isText(head[:min(len(head), magicBytes)]) {
		return binaryLayout{}
	}
	if bareRequest(head) {
		return binaryLayout{"OTLP protobuf", nil}
	}
	for _, order := range orders {
		if len(head) > 4 && order.Uint32(head) < longestFrame && beginsFrame(head[4:]) && (head[4] != requestTag || bareRequest(head[4:])) {
			return binaryLayout{frames, order}
		}
	}
	if len(head) > 0 && head[0] == requestTag {
		return binaryLayout{"OTLP protobuf", nil}
	}
	return binaryLayout{}
}

const (
	requestTag = 0x0a // field 1, of a length: what every OTLP request begins with

	// Frames that are longer are not told apart from text; the Collector
	// writes a batch a frame.
	longestFrame = 9 << 24
)

// isText reports whether what begins so can be text: UTF-8 without the control
// characters that no text has. The last character may be cut.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r < '\t' || r == utf8.RuneError && n == 1 && utf8.FullRune(head) {
			return false
		}
		head = head[n:]
	}
	return true
}

// beginsFrame reports whether a frame can begin so.
func beginsFrame(head []byte) bool {
	return len(head) == 0 || head[0] == requestTag || head[0] == '{' || head[0] == '[' || bytes.HasPrefix(head, []byte(zstdMagic))
}

// chained reports whether a file is frames from end to end.
func chained(file []byte, order binary.ByteOrder) bool {
	if len(file) < 5 {
		return false
	}
	frames := false
	for len(file) > 0 {
		if len(file) < 4 {
			return false
		}
		n := int64(order.Uint32(file))
		file = file[4:]
		if n > int64(len(file)) || !beginsFrame(file[:n]) {
			return false
		}
		file = file[n:]
		frames = frames || n > 0
	}
	return frames
}

// bareRequest reports whether what begins so is a request: in its field 1 a
// resource's, of which the fields fit.
func bareRequest(head []byte) bool {
	if head[0] != requestTag {
		return false
	}
	n, size := binary.Uvarint(head[1:])
	if size <= 0 {
		return false
	}
	if n == 0 {
		return len(head) == 1+size || head[1+size] == requestTag
	}
	inner := head[1+size:]
	if len(inner) == 0 || inner[0] != requestTag && inner[0] != 2<<3|byte(lengthType) {
		return false
	}
	k, size := binary.Uvarint(inner[1:])
	return size > 0 && k+1+uint64(size) <= n
}

// frames reads requests each of which has its length before it, to the end.
// One that is damaged is skipped.
func (d *decoder) frames(in *bufio.Reader, order binary.ByteOrder) {
	var at int64
	var header [4]byte
	body := bufio.NewReader(nil)
	for n := 1; !d.refused; n++ {
		if k, err := io.ReadFull(in, header[:]); err == io.EOF {
			break
		} else if err != nil {
			d.breaksOff(&damage{at: at + int64(k), message: "expected the length of a frame, found the end of the file", cut: true})
			return
		}
		frame := &io.LimitedReader{R: in, N: int64(order.Uint32(header[:]))}
		body.Reset(frame)
		err := d.frame(body, at+4)
		if over, ok := errors.AsType[*limitError](err); ok {
			d.refuse("%v", over)
			return
		}
		io.Copy(io.Discard, frame)
		if frame.N > 0 {
			d.breaksOff(&damage{at: at + 4 + int64(order.Uint32(header[:])) - frame.N, message: "expected the rest of a frame, found the end of the file", cut: true})
			return
		}
		if err != nil {
			d.bad++
			d.warnAt(int(at), "frame %d: %v; the rest of it skipped", n, err)
		}
		at += 4 + int64(order.Uint32(header[:]))
	}
	d.concludeBinary()
}

// frame reads what one frame holds: a request in protobuf or JSON, which may be
// compressed by itself.
func (d *decoder) frame(body *bufio.Reader, at int64) error {
	head, _ := body.Peek(len(zstdMagic))
	if bytes.HasPrefix(head, []byte(zstdMagic)) {
		unpacked, err := d.unzstd(body)
		if err != nil {
			return err
		}
		body = unpacked
		head, _ = body.Peek(1)
	}
	if len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		return d.frameOfJSON(body, at)
	}
	return d.protobuf(body, at)
}

// unzstd unpacks a frame by the one decoder that the file's frames share.
func (d *decoder) unzstd(r io.Reader) (*bufio.Reader, error) {
	if d.zstd == nil {
		z, err := newZstd(nil)
		if err != nil {
			return nil, err
		}
		d.zstd = &frameUnpacker{z: z, m: meter{rd: d.rd, what: "zstd data", packed: func() int64 { return d.in.n }}, out: bufio.NewReader(nil)}
	}
	f := d.zstd
	if err := f.z.Reset(r); err != nil {
		return nil, err
	}
	f.out.Reset(&unpacking{r: f.z, m: &f.m})
	return f.out, nil
}

type frameUnpacker struct {
	z   *zstd.Decoder
	m   meter
	out *bufio.Reader
}

func (d *decoder) frameOfJSON(body io.Reader, at int64) error {
	before := d.s
	d.s = newScanner(body, 4<<10)
	d.s.limits = &d.rd.limits
	d.s.onLine = max(int(at), 1)
	d.s.nonFinite, d.s.mended = before.nonFinite, before.mended
	for d.s.err == nil && !d.s.ended() {
		if d.s.token() == '[' {
			d.list("")
		} else {
			d.object(nil)
		}
	}
	d.inRow = false
	err := d.s.err
	if e, ok := errors.AsType[*syntaxError](err); ok {
		err = errors.New(e.message)
	}
	if d.refused {
		err = nil
	}
	return err
}

// bare reads a file that is one request.
func (d *decoder) bare(in *bufio.Reader) {
	if err := d.protobuf(in, 0); err != nil {
		d.breaksOff(err)
		return
	}
	d.concludeBinary()
}

// breaksOff says where binary data end too early or go wrong, and what of them
// was kept.
func (d *decoder) breaksOff(err error) {
	e, ok := errors.AsType[*damage](err)
	if !ok {
		e = &damage{at: d.proto.w.at, message: err.Error()}
	}
	place := "before the first span or metric"
	if d.begun > 0 {
		place = fmt.Sprintf("after row %d", d.begun)
	}
	d.failure = fmt.Sprintf("byte %d: breaks off %s: %s; %s", e.at, place, e.message, d.keptRows())
	d.flag("truncated_file")
}

// concludeBinary decides how the reading of binary data went.
func (d *decoder) concludeBinary() {
	switch {
	case d.refused || d.format != nil:
	case d.skipped != "" && d.bad == 0:
		d.refuse("%s; known: %s", d.skipped, formatNames())
	case d.bad > 0:
		d.refuse("nothing could be read: %s: %s; expected one of %s", d.warnings[0].Where, d.warnings[0].Message, formatNames())
	default:
		d.refuse("OTLP without spans or metrics; known: %s", formatNames())
	}
}
