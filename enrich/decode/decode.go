// Package decode reads the files that an evaluation leaves behind.
//
// What a file is, is told by its content and never by its name (spec §1.10):
// the container by its first bytes, the kind of its rows by their keys, the
// first match in Formats counting. A file that is damaged gives what is whole
// in it, and the receipt says what is not.
//
// Formats is the one list of what is read; adding a format is a file with its
// row reader, and an entry there. Reading streams: nothing of a file is held
// but what was decoded of it, and the row at hand.
package decode

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// A Format is a kind of row that files hold.
type Format struct {
	Name    string
	Dataset string // which dataset its rows belong to
	Doc     string // a sentence on where such files come from
	match   func(*keys) bool
	row     func(*decoder) // reads the row that the scanner stands at into the part
	names   []string       // file names, without extension, that an empty list is taken for it by
}

// Formats lists what Read reads; the first that matches a row counts.
var Formats []Format

func init() {
	// Set here because row readers lead back to Formats.
	Formats = []Format{
		results,
		traces,
		langfuse,
		jaeger,
		jaegerSpans,
		spanRows,
		flatSpans,
		metricsDocument,
		metricAggregates,
		metricRows,
		flattenedMetrics,
		leaderboard,
		metadata,
		exportedResults,
		exportedTraces,
		exportedLeaderboard,
		exportedDocument,
		otlpProtoTraces,
		otlpProtoMetrics,
		otlpTraces,
		otlpMetrics,
	}
}

// formatNames lists the formats for a message.
func formatNames() string {
	var names []string
	for _, f := range Formats {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// A decoder reads one file.
type decoder struct {
	name   string
	rd     *Reader
	in     *hashed
	packed *unpacking // nil of a file that is not compressed
	s      *scanner
	keep   keeper
	part   *enrich.Part

	format  *Format // of the first row that has one
	begun   int     // rows begun, the one at hand included
	kept    int     // rows read whole and taken
	inRow   bool
	unit    string // that places are counted in where a file has no lines, such as "row"
	where   int    // line on which the row at hand begins
	unknown string // keys of the first row that has no format
	ignored bool   // there was something that is knowingly not read
	skipped string // what that was, if a file must not hold nothing else
	bad     int    // lines that could not be read
	wrapped int    // wrappers around the row at hand
	agent   string // agent type that the list at hand is for
	key     string // under which the last wrapper held its rows
	failure string // the receipt's error
	refused bool   // nothing is to be used

	repairs  repairs
	warnings []enrich.Warning
	unlisted int

	noted     enrich.TraceID // whose spelling is in the repairs already
	lastScope *enrich.Scope
	exact     bool    // times are nanoseconds, whatever their size
	written   int64   // see time
	moments   []int64 // what the times of the span's events were written as
	flat      map[enrich.TraceID]*enrich.Trace
	documents map[string]int // index in part.Metrics, by run id
	resources resources
	proto     protobuf
	zstd      *frameUnpacker // made for the first frame that needs it
	spans     []enrich.Span  // of OTLP, whose scope or resource is not known yet
	dropped   int64          // attributes, events and links that OTLP's sender left out
	snake     bool           // OTLP in snake_case was noted

	// Scratch.
	stack   []attr.KeyValue
	members []member
	json    []byte
	seen    []string
	kinds   []kind
}

// Read decodes one file. The receipt it returns says what was found; a part
// comes with it unless nothing in the file was usable, and then the receipt's
// Error says why, without the file's name, which the receipt has beside it. The
// name only tells what an empty list is of.
func (rd *Reader) Read(name string, r io.Reader) (*enrich.Part, enrich.File) {
	d := &decoder{name: name, rd: rd, part: &enrich.Part{}, in: &hashed{r: r, sum: sha256.New()}}
	d.keep.remember()
	d.read(bufio.NewReaderSize(d.in, headBytes))
	io.Copy(io.Discard, d.in)
	return d.finish()
}

// A hashed reader sums up what is read through it, and remembers what went
// wrong with the reading.
type hashed struct {
	r   io.Reader
	sum hash.Hash
	n   int64
	err error
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.sum.Write(p[:n])
	h.n += int64(n)
	if err != nil && err != io.EOF {
		h.err = err
	}
	return n, err
}

// read looks at the first bytes and reads the file as what they say.
func (d *decoder) read(in *bufio.Reader) {
	d.s = d.textScanner(nil)
	head, _ := in.Peek(headBytes)
	if p := packingOf(head); p != nil {
		unpacked, err := d.unpack(p, in)
		if err != nil {
			d.refuse("damaged %s data: %v", p.name, err)
			return
		}
		in = bufio.NewReaderSize(unpacked, headBytes)
		head, _ = in.Peek(headBytes)
		if inner := packingOf(head); inner != nil {
			d.refuse("%s within %s, expected one of %s", inner.name, p.name, formatNames())
			return
		}
	}
	whole := len(head) < headBytes
	if bytes.HasPrefix(head, []byte(byteOrder)) {
		in.Discard(len(byteOrder))
		head = head[len(byteOrder):]
	}
	for _, c := range d.rd.containers {
		if bytes.HasPrefix(head, []byte(c.Magic)) {
			d.container(c, in)
			return
		}
	}
	if looks := binaryFormat(head); looks != "" {
		d.refuse("looks like %s%s; known: %s", looks, unread, formatNames())
		return
	}
	if layout := layoutOf(head, whole); layout.what != "" {
		d.unit = "byte"
		if layout.order == nil {
			d.bare(in)
		} else {
			d.frames(in, layout.order)
		}
		return
	}
	d.s = newScanner(in, minWindow)
	d.s.limits = &d.rd.limits
	d.document(head[:min(len(head), magicBytes)])
}

// finish turns what was found into the part and the receipt.
func (d *decoder) finish() (*enrich.Part, enrich.File) {
	d.ended()
	f := enrich.File{Name: d.name, SHA256: hex.EncodeToString(d.in.sum.Sum(nil)), Repairs: []string{}, Warnings: []enrich.Warning{}}
	if d.format != nil {
		f.Format, f.Dataset = d.format.Name, d.format.Dataset
	}
	if d.failure != "" {
		f.Error = &d.failure
	}
	if d.refused {
		return nil, f
	}
	f.Warnings = append(f.Warnings, d.warnings...)
	if d.dropped > 0 {
		f.Warnings = append(f.Warnings, enrich.Warning{Where: "file", Message: fmt.Sprintf("attributes, events and links that the sender left out: %d", d.dropped)})
	}
	if d.unlisted > 0 {
		f.Warnings = append(f.Warnings, enrich.Warning{Where: "further on", Message: "and " + count(d.unlisted, "more warning")})
	}
	if d.failure != "" && d.kept == 0 {
		return nil, f
	}
	f.Repairs = d.listRepairs()
	f.Rows, f.Spans = d.part.Rows(), d.part.Spans()
	d.part.Source = f.SHA256
	return d.part, f
}

// ended looks whether the file was read to its end. One that could not be read,
// or goes beyond a limit, is refused; one that is damaged further on is not.
func (d *decoder) ended() {
	err := d.in.err
	if d.packed != nil && err == nil {
		err = d.packed.err
	}
	over, isOver := errors.AsType[*limitError](err)
	switch {
	case isOver:
		d.refuse("%v", over)
	case d.in.err != nil:
		d.refuse("reading: %v", err)
	case err != nil && d.failure == "":
		d.failure = fmt.Sprintf("%v; %s", err, d.keptRows())
		d.flag("truncated_file")
	}
}

// refuse ends the reading: nothing of the file is used.
func (d *decoder) refuse(format string, args ...any) {
	d.failure = fmt.Sprintf(format, args...)
	d.refused = true
	d.s.err = errRefused
}

// errRefused makes every reader come to its end.
var errRefused = errors.New("refused")
