package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"smolscope/enrich"
)

// framed puts the length before each payload.
func framed(order binary.AppendByteOrder, payloads ...[]byte) (file []byte) {
	for _, p := range payloads {
		file = append(order.AppendUint32(file, uint32(len(p))), p...)
	}
	return file
}

// numbered is a request of a span of its own.
func numbered(n byte) []byte {
	s := full()
	s.ID, s.Name = enrich.SpanID{n}, fmt.Sprint("span ", n)
	return pbRequest(pbSpan(&s))
}

// rowOf is a row in JSON, of a format that frames hold no more than any other.
func rowOf(n int) []byte {
	return fmt.Appendf(nil, `{"trace_id":"0x%d","spans":[{"span_id":"0x%d","name":"span %d"}]}`, n, n, n)
}

func spanNames(part *enrich.Part) (names []string) {
	if part != nil {
		for _, t := range part.Traces {
			for _, s := range t.Spans {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

func TestFrames(t *testing.T) {
	big, little := binary.BigEndian, binary.LittleEndian
	long := full()
	long.Name = strings.Repeat("n", 2*headBytes)
	damaged := numbered(2)[:100]
	for _, tt := range []struct {
		name  string
		file  []byte
		spans []string
		where string // of the warning, "" for none
		want  string // in the error, "" for none
	}{
		{"big-endian", framed(big, numbered(1), numbered(2)), []string{"span 1", "span 2"}, "", ""},
		{"little-endian", framed(little, numbered(1), numbered(2)), []string{"span 1", "span 2"}, "", ""},
		{"zstd", framed(big, zstandard(numbered(1)), zstandard(numbered(2))), []string{"span 1", "span 2"}, "", ""},
		{"JSON", framed(big, rowOf(1), rowOf(2)), []string{"span 1", "span 2"}, "", ""},
		{"JSON in zstd, little-endian", framed(little, zstandard(rowOf(1)), zstandard(rowOf(2))), []string{"span 1", "span 2"}, "", ""},
		{"mixed, one empty", framed(big, rowOf(1), numbered(2), nil, zstandard(rowOf(3)), zstandard(numbered(4))), []string{"span 1", "span 2", "span 4", "span 3"}, "", ""},
		{"longer than what is looked at", framed(big, pbRequest(pbSpan(&long)), numbered(1)), []string{long.Name, "span 1"}, "", ""},
		{"little-endian, longer", framed(little, pbRequest(pbSpan(&long)), numbered(1)), []string{long.Name, "span 1"}, "", ""},
		{"damaged frame", framed(big, numbered(1), damaged, numbered(3)), []string{"span 1", "span 3"}, fmt.Sprint("byte ", 4+len(numbered(1))), ""},
		{"damaged zstd", framed(big, numbered(1), zstandard(numbered(2))[:30], numbered(3)), []string{"span 1", "span 3"}, fmt.Sprint("byte ", 4+len(numbered(1))), ""},
		{"damaged JSON", framed(big, numbered(1), []byte(`{"a":`), rowOf(3)), []string{"span 1", "span 3"}, fmt.Sprint("byte ", 4+len(numbered(1))), ""},
		{"cut in a length", framed(big, numbered(1), numbered(2))[:4+len(numbered(1))+3], []string{"span 1"}, "", "expected the length of a frame"},
		{"cut in a frame", framed(big, numbered(1), numbered(2))[:8+len(numbered(1))+9], []string{"span 1"}, "", "expected the rest of a frame"},
		{"compressed as a whole", gzipped(framed(big, numbered(1), numbered(2))), []string{"span 1", "span 2"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			part, file := Read("x", bytes.NewReader(tt.file))
			if got := spanNames(part); !slices.Equal(got, tt.spans) {
				t.Errorf("spans %.100q, want %.100q", got, tt.spans)
			}
			if tt.where == "" != (len(file.Warnings) == 0) || tt.where != "" && file.Warnings[0].Where != tt.where {
				t.Errorf("warnings %v, want one at %s", file.Warnings, tt.where)
			}
			if tt.want == "" != (file.Error == nil) || tt.want != "" && !strings.Contains(*file.Error, tt.want) {
				t.Errorf("error %s, want %s", errorText(file.Error), tt.want)
			}
		})
	}
}

// TestLayout tells requests, frames and texts apart by how they begin.
func TestLayout(t *testing.T) {
	big, little := binary.BigEndian, binary.LittleEndian
	for _, tt := range []struct {
		name, head string
		whole      bool
		want       string
	}{
		{"request", string(numbered(1)), true, "bare"},
		{"two requests", string(join(numbered(1), numbered(2))), true, "bare"},
		{"beginning of a request", string(numbered(1)[:40]), false, "bare"},
		{"request of one empty resource", "\x0a\x00", true, "bare"},
		{"frames", string(framed(big, numbered(1))), true, "BigEndian"},
		{"beginning of frames", string(framed(big, numbered(1))[:40]), false, "BigEndian"},
		{"little-endian frame of a length that begins as a request", string(framed(little, append(numbered(1), pb(2, strings.Repeat("x", 0x20a-len(numbered(1))-3))...))), true, "LittleEndian"},
		{"frame of JSON", string(framed(big, []byte(`{"a":1}`))), true, "BigEndian"},
		{"JSON behind line breaks", "\n\n\n\n{\"a\": 1}", true, ""},
		{"JSON behind spaces and a line break", "\n \n\t{}", true, ""},
		{"text", "task_id,success\n", true, ""},
		{"text with a character cut", strings.Repeat("é", magicBytes), false, ""},
		{"zeros", strings.Repeat("\x00", 64), true, ""},
		{"nothing", "", true, ""},
	} {
		layout := layoutOf([]byte(tt.head), tt.whole)
		got := ""
		if layout.order != nil {
			got = layout.order.String()
		} else if layout.what != "" {
			got = "bare"
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestFrameBomb counts what the frames of a file unpack to together.
func TestFrameBomb(t *testing.T) {
	bomb := zstandard(append(numbered(1), pb(2, strings.Repeat("\x00", 3<<20))...))
	_, file := Read("x", bytes.NewReader(framed(binary.BigEndian, slices.Repeat([][]byte{bomb}, 30)...)))
	if file.Error == nil || *file.Error != "zstd data unpacks to more than 250 times its size (--max-ratio)" {
		t.Errorf("error %s", errorText(file.Error))
	}
}

func FuzzFrames(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		f.Add(framed(order, numbered(1), rowOf(2)))
		f.Add(framed(order, zstandard(numbered(1)), zstandard(rowOf(2)), nil))
		f.Add(framed(order, []byte("[[1],{}]"), []byte(`{"results":[]}`)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		part, file := NewReader(Limits{Unpacked: 1 << 20, Upload: 1 << 20}).Read("x", bytes.NewReader(text))
		if part == nil && file.Error == nil {
			t.Fatal("neither part nor error")
		}
		for _, w := range file.Warnings {
			checkMessage(t, w.Message)
		}
		if file.Error != nil {
			checkMessage(t, *file.Error)
		}
		if part != nil {
			checkPart(t, part)
		}
	})
}
