package decode

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"smolscope/enrich"
)

// Limits bound what is read, so that no file takes the memory, the disk or the
// stack of the program. They are far above what evaluations leave behind. A
// field that is 0 stands for its default.
type Limits struct {
	Unpacked int64 // bytes that one compressed file, or one file of an archive, may unpack to
	Upload   int64 // bytes that all files read by one Reader may unpack to
	Ratio    int64 // times its size that packed data may unpack to; not asked of the first 64 MiB
	Entries  int   // files in the archives read by one Reader
	Depth    int   // lists and objects within one another
	Value    int64 // bytes of one text or attribute
	Row      int64 // bytes of what is held whole: a row of a table, a span or metric in protobuf
}

// DefaultLimits returns what the zero Limits stand for.
func DefaultLimits() Limits {
	return Limits{Unpacked: 8 << 30, Upload: 16 << 30, Ratio: 250, Entries: 10_000, Depth: 256, Value: 64 << 20, Row: 64 << 20}
}

// Accepted returns the limits for a file that was accepted before: to how much
// it unpacks is not asked again, whatever has been set since.
func (l Limits) Accepted() Limits {
	const none = 1 << 62
	l.Unpacked, l.Upload, l.Ratio = none, none, none
	return l
}

func (l Limits) orDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		Unpacked: cmp.Or(l.Unpacked, d.Unpacked),
		Upload:   cmp.Or(l.Upload, d.Upload),
		Ratio:    cmp.Or(l.Ratio, d.Ratio),
		Entries:  cmp.Or(l.Entries, d.Entries),
		Depth:    cmp.Or(l.Depth, d.Depth),
		Value:    cmp.Or(l.Value, d.Value),
		Row:      cmp.Or(l.Row, d.Row),
	}
}

var defaultLimits = DefaultLimits()

// A limitError says which limit a file goes beyond, and the flag that sets it.
// Nothing of such a file is used.
type limitError struct{ text string }

func (e *limitError) Error() string { return e.text }

// beyond is the error of something that is more than a limit. The flag is named
// as both serve and enrich have it.
func beyond(what, limit, flag string) error {
	return &limitError{fmt.Sprintf("%s more than %s (--%s)", what, limit, flag)}
}

// sizeText writes a number of bytes as a flag would have it.
func sizeText(n int64) string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		if size := int64(1) << (30 - 10*i); n >= size && n%size == 0 {
			return strconv.FormatInt(n/size, 10) + " " + unit
		}
	}
	return count(int(n), "byte")
}

// A Reader reads the files of one upload, or of one command, within limits that
// hold for all of them together. One goroutine at a time may use it.
type Reader struct {
	limits     Limits
	containers []Container
	unpacked   int64 // bytes so far
	entries    int   // files of archives so far
}

// NewReader returns a reader of every format there is, and of containers
// besides.
func NewReader(limits Limits, containers ...Container) *Reader {
	return &Reader{limits: limits.orDefaults(), containers: containers}
}

// anyReader has the default limits, for what no one else sets them.
var anyReader = Reader{limits: defaultLimits}

// Read decodes one file with the default limits; see [Reader.Read].
func Read(name string, r io.Reader, containers ...Container) (*enrich.Part, enrich.File) {
	return NewReader(Limits{}, containers...).Read(name, r)
}
