package decode

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func gzipped(plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(plain)
	w.Close()
	return b.Bytes()
}

func zstandard(plain []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

// blank writes a trace and then spaces, more than so many mebibytes of them.
func blank(w io.Writer, mebibytes int) {
	io.WriteString(w, `[{"trace_id": "0x1", "spans": []}`)
	for space := bytes.Repeat([]byte{' '}, 1<<20); mebibytes >= 0; mebibytes-- {
		w.Write(space)
	}
	io.WriteString(w, "]")
}

// bombs are files that unpack to 80 MiB, by the name of what they are packed with.
func bombs(t *testing.T) map[string][]byte {
	t.Helper()
	var zipped, zstded bytes.Buffer
	z := gzip.NewWriter(&zipped)
	blank(z, 80)
	z.Close()
	s, err := zstd.NewWriter(&zstded, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	blank(s, 80)
	s.Close()
	return map[string][]byte{"gzip": zipped.Bytes(), "zstd": zstded.Bytes()}
}

// TestBombs refuses files that unpack to too much, whole, at the limit that is
// the first to be reached.
func TestBombs(t *testing.T) {
	for name, bomb := range bombs(t) {
		for _, tt := range []struct {
			limits Limits
			want   string // in the error, "" for none
		}{
			{Limits{}, name + " data unpacks to more than 250 times its size (--max-ratio)"},
			{Limits{Ratio: 1 << 40}, ""},
			{Limits{Ratio: 1 << 40, Unpacked: 81 << 20}, name + " data unpacks to more than 81 MiB (--max-unpacked)"},
			{Limits{Unpacked: 1 << 20}, name + " data unpacks to more than 1 MiB (--max-unpacked)"},
			{Limits{Upload: 3 << 20}, "the files of this upload unpack to more than 3 MiB (--max-unpacked-upload)"},
			{Limits{Ratio: 1, Unpacked: 1, Upload: 1}.Accepted(), ""},
		} {
			before := allocated()
			part, file := NewReader(tt.limits).Read("x", bytes.NewReader(bomb))
			if took := allocated() - before; took > 40<<20 {
				t.Errorf("%s, %+v: %d bytes of memory for a file of %d", name, tt.limits, took, len(bomb))
			}
			if part == nil != (tt.want != "") || tt.want == "" != (file.Error == nil) || file.Error != nil && *file.Error != tt.want {
				t.Errorf("%s, %+v: part %v, error %s, want %q", name, tt.limits, part, errorText(file.Error), tt.want)
			}
		}
	}
}

// TestUploadLimit counts what all files of an upload unpack to.
func TestUploadLimit(t *testing.T) {
	packed := gzipped([]byte(`[{"trace_id": "0x1", "spans": []}` + strings.Repeat(" ", 1000) + "]"))
	rd := NewReader(Limits{Upload: 2500})
	for i := range 4 {
		part, file := rd.Read("x", bytes.NewReader(packed))
		if refused := part == nil; refused != (i >= 2) || refused != (file.Error != nil) {
			t.Errorf("file %d: part %v, error %s", i, part, errorText(file.Error))
		}
	}
}

// TestZstdWindow bounds what a few bytes can make the reader hold.
func TestZstdWindow(t *testing.T) {
	// A frame that says its window is 512 MiB (exponent 19, mantissa 0), and
	// one block of one byte, repeated.
	frame := zstdMagic + "\x00\x98" + "\x0b\x00\x00" + "x"
	before := allocated()
	part, file := Read("x", strings.NewReader(frame))
	if took := allocated() - before; took > 8<<20 || part != nil || file.Error == nil || !strings.Contains(*file.Error, "window size exceeded") {
		t.Errorf("%d bytes of memory, part %v, error %s", took, part, errorText(file.Error))
	}
}
