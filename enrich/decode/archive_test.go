package decode

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

// An archived file is one to be put into an archive. Folders end in a slash.
type archived struct {
	name, text string
	link       bool
}

func zipOf(files ...archived) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if f.link {
			h.SetMode(0o777 | 1<<27) // fs.ModeSymlink
		}
		out, err := w.CreateHeader(h)
		if err != nil {
			panic(err)
		}
		io.WriteString(out, f.text)
	}
	w.Close()
	return b.Bytes()
}

func tarOf(files ...archived) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Size: int64(len(f.text)), Mode: 0o644, Typeflag: tar.TypeReg}
		switch {
		case f.link:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.text, 0
			f.text = ""
		case strings.HasSuffix(f.name, "/"):
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		io.WriteString(w, f.text)
	}
	w.Close()
	return b.Bytes()
}

// inMemory is the Hold of those who have the bytes anyway.
func inMemory(r io.Reader) (io.ReaderAt, int64, error) {
	all, err := io.ReadAll(r)
	return bytes.NewReader(all), int64(len(all)), err
}

// unpacked describes what is in a file, a line for each file and each receipt.
func unpacked(t *testing.T, rd *Reader, file []byte) string {
	t.Helper()
	var b strings.Builder
	others, err := rd.Unpack("a", bytes.NewReader(file), inMemory, func(name string, r io.Reader) error {
		content, err := io.ReadAll(r)
		fmt.Fprintf(&b, "%s: %.20q", name, content)
		if err != nil {
			fmt.Fprintf(&b, " %v", err)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range others {
		for _, w := range f.Warnings {
			fmt.Fprintf(&b, "%s: %s %s\n", f.Name, w.Where, w.Message)
		}
		if f.Error != nil {
			fmt.Fprintf(&b, "%s: %s\n", f.Name, *f.Error)
		}
	}
	return b.String()
}

func TestUnpack(t *testing.T) {
	run := []archived{{name: "run/"}, {name: "run/results.json", text: "[]"}, {name: "./run/traces.json", text: "{}"}}
	const runText = "a/run/results.json: \"[]\"\na/run/traces.json: \"{}\"\n"
	odd := []archived{
		{name: "__MACOSX/run/._results.json", text: "x"}, {name: "run/.DS_Store", text: "x"}, {name: ".git/config", text: "x"},
		{name: "run/link.json", text: "/etc/passwd", link: true},
		{name: "../up.json", text: "x"}, {name: "run/../../up.json", text: "x"}, {name: `run\..\..\up.json`, text: "x"},
		{name: "/etc/passwd", text: "x"}, {name: `C:\windows\x.json`, text: "x"}, {name: `c:x.json`, text: "x"},
		{name: "run/a.zip", text: string(zipOf(run...))}, {name: "b.tar.gz", text: string(gzipped(tarOf(run...)))},
		{name: `run\ok.json`, text: "ok"}, {name: "..ok.json", text: "hidden"}, {name: "o..k/x.json", text: "ok"},
	}
	const oddText = "a/run/ok.json: \"ok\"\na/o..k/x.json: \"ok\"\n" +
		"a/../up.json: its path leads out of the archive\na/run/../../up.json: its path leads out of the archive\na/run/../../up.json: its path leads out of the archive\n" +
		"a//etc/passwd: its path is absolute\na/C:/windows/x.json: its path is absolute\na/c:x.json: its path is absolute\n" +
		"a/run/a.zip: is an archive within an archive; unpack it first\na/b.tar.gz: is an archive within an archive; unpack it first\n" +
		"a: \"run/link.json\" is a link or a device, not a file; skipped\n"
	many := make([]archived, 5)
	for i := range many {
		many[i] = archived{name: fmt.Sprint(i), text: "x"}
	}
	encrypted := zipOf(archived{name: "x", text: "x"}, archived{name: "y", text: "y"})
	for _, header := range []string{"PK\x03\x04\x14\x00", "PK\x01\x02\x14\x00\x14\x00"} {
		encrypted[bytes.Index(encrypted, []byte(header))+len(header)] |= 1
	}
	// A header that says the file is a byte long, and a directory that says 4 GiB.
	lying := zipOf(archived{name: "x", text: strings.Repeat("x", 100)}, archived{name: "y", text: "y"})
	directory := bytes.Index(lying, []byte("PK\x01\x02"))
	longer, shorter := slices.Clone(lying), slices.Clone(lying)
	binary.LittleEndian.PutUint32(longer[directory+24:], 1<<32-2)
	binary.LittleEndian.PutUint32(shorter[directory+24:], 1)
	plain := tarOf(run...)
	var numbers strings.Builder
	for i := range 2000 {
		fmt.Fprint(&numbers, i, " ")
	}
	long := gzipped(tarOf(archived{name: "x", text: numbers.String()}))
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"no archive", []byte("[1]"), "a: \"[1]\"\n"},
		{"compressed, but no archive", gzipped([]byte("[1]")), fmt.Sprintf("a: %.20q\n", gzipped([]byte("[1]")))},
		{"nothing", nil, "a: \"\"\n"},
		{"zip", zipOf(run...), runText},
		{"tar", plain, runText},
		{"tar.gz", gzipped(plain), runText},
		{"tar.zst", zstandard(plain), runText},
		{"odd zip", zipOf(odd...), oddText},
		{"odd tar", tarOf(odd...), oddText},
		{"empty zip", zipOf(), "a: no files in this archive\n"},
		{"zip of a folder", zipOf(run[0]), "a: no files in this archive\n"},
		{"tar of a folder", tarOf(run[0]), "a: no files in this archive\n"},
		{"too many in a zip", zipOf(many...), "a/0: \"x\"\na/1: \"x\"\na/2: \"x\"\na/3: \"x\"\na: breaks off after 4 files: the archives of this upload hold more than 4 files (--max-entries)\n"},
		{"too many in a tar", tarOf(many...), "a/0: \"x\"\na/1: \"x\"\na/2: \"x\"\na/3: \"x\"\na: breaks off after 4 files: the archives of this upload hold more than 4 files (--max-entries)\n"},
		{"encrypted file", encrypted, "a/y: \"y\"\na/x: is encrypted\n"},
		{"a file shorter than it is said to be", longer, "a/x: \"\" damaged zip archive: unexpected EOF\na/y: \"y\"\n"},
		{"a file longer than it is said to be", shorter, "a/x: \"\" damaged zip archive: zip: not a valid zip file\na/y: \"y\"\n"},
		{"cut zip", zipOf(run...)[:100], "a: damaged zip archive: zip: not a valid zip file\n"},
		{"cut tar", plain[:512*4+1], "a/run/results.json: \"[]\"\na/run/traces.json: \"{\" damaged tar archive: unexpected EOF\na: breaks off after 1 file: damaged tar archive: unexpected EOF\n"},
		{"tar cut in a file", tarOf(archived{name: "x", text: strings.Repeat("x", 600)})[:600], "a/x: \"xxxxxxxxxxxxxxxxxxxx\" damaged tar archive: unexpected EOF\na: damaged tar archive: unexpected EOF\n"},
		{"cut tar.gz", long[:len(long)-1000], "a/x: \"0 1 2 3 4 5 6 7 8 9 \" damaged gzip data: unexpected EOF\na: damaged gzip data: unexpected EOF\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := Limits{}
			if strings.HasPrefix(tt.name, "too many") {
				limits.Entries = 4
			}
			got := unpacked(t, NewReader(limits), tt.file)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnpackNUL refuses a name that ends early for some and late for others.
func TestUnpackNUL(t *testing.T) {
	got := unpacked(t, NewReader(Limits{}), zipOf(archived{name: "a\x00.json", text: "x"}))
	if want := "a/a\x00.json: its path holds a NUL\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestUnpackBombs stops at what archives unpack to: by the archive's own size,
// whatever its headers say of the files' and however many share it.
func TestUnpackBombs(t *testing.T) {
	const tooMuch = " unpacks to more than 250 times its size (--max-ratio)"
	zeros := strings.Repeat("\x00", 30<<20)
	five := []archived{{"0", zeros, false}, {"1", zeros, false}, {"2", zeros, false}, {"3", zeros, false}}
	zipped, zstded, tarred := zipOf(five...), zstandard(tarOf(five...)), gzipped(tarOf(five...))
	folders := make([]archived, 140_000) // 70 MB of headers, and no file
	for i := range folders {
		folders[i] = archived{name: "f/"}
	}
	for _, tt := range []struct {
		name   string
		limits Limits
		file   []byte
		want   string // the end of the last line
	}{
		{"zip", Limits{}, zipped, "breaks off after 2 files: zip archive" + tooMuch},
		{"tar.gz", Limits{}, tarred, "breaks off after 2 files: gzip data" + tooMuch},
		{"tar.zst", Limits{}, zstded, "breaks off after 2 files: zstd data" + tooMuch},
		{"folders alone", Limits{Ratio: 10}, gzipped(tarOf(folders...)), ": gzip data unpacks to more than 10 times its size (--max-ratio)"},
		{"overlapping files", Limits{}, overlapping(five[0], 4), "breaks off after 2 files: zip archive" + tooMuch},
		{"one file", Limits{Unpacked: 20 << 20, Ratio: 1 << 40}, zipped, ": zip archive unpacks to more than 20 MiB (--max-unpacked)"},
		{"all files", Limits{Upload: 70 << 20, Ratio: 1 << 40}, tarred, ": the files of this upload unpack to more than 70 MiB (--max-unpacked-upload)"},
		{"within limits", Limits{Ratio: 1 << 40}, zipped, "a/3: " + fmt.Sprintf("%.20q", zeros)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var last string
			others, err := NewReader(tt.limits).Unpack("a", bytes.NewReader(tt.file), inMemory, func(name string, r io.Reader) error {
				first := make([]byte, 20)
				io.ReadFull(r, first)
				io.Copy(io.Discard, r)
				last = fmt.Sprintf("%s: %.20q", name, first)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range others {
				last = f.Name + ": " + *f.Error
			}
			if !strings.HasSuffix(last, tt.want) {
				t.Errorf("%s, want %s", last, tt.want)
			}
		})
	}
}

// overlapping is a zip whose directory names one file n times.
func overlapping(f archived, n int) []byte {
	file := zipOf(f)
	directory, end := bytes.Index(file, []byte("PK\x01\x02")), bytes.LastIndex(file, []byte("PK\x05\x06"))
	entries := bytes.Repeat(file[directory:end], n)
	tail := slices.Clone(file[end:])
	binary.LittleEndian.PutUint16(tail[8:], uint16(n))
	binary.LittleEndian.PutUint16(tail[10:], uint16(n))
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(entries)))
	return join(file[:directory], entries, tail)
}

// TestUnpackErrors hands on the errors of those it calls.
func TestUnpackErrors(t *testing.T) {
	broken := errors.New("disk full")
	for name, file := range map[string][]byte{"zip": zipOf(archived{name: "x"}), "tar": tarOf(archived{name: "x"}), "file": []byte("x")} {
		if _, err := NewReader(Limits{}).Unpack("a", bytes.NewReader(file), inMemory, func(string, io.Reader) error { return broken }); err != broken {
			t.Errorf("%s: error %v, want that of each", name, err)
		}
	}
	hold := func(io.Reader) (io.ReaderAt, int64, error) { return nil, 0, broken }
	if _, err := NewReader(Limits{}).Unpack("a", bytes.NewReader(zipOf()), hold, nil); err != broken {
		t.Errorf("error %v, want that of hold", err)
	}
}

// FuzzUnpack unpacks and reads any bytes: no panic, and no more files than there
// may be.
func FuzzUnpack(f *testing.F) {
	files := []archived{{name: "r/"}, {name: "r/x.json", text: `[{"trace_id":"0x1","spans":[]}]`}, {name: "../y", text: "y"}, {name: "l", text: "x", link: true}}
	f.Add(zipOf(files...))
	f.Add(tarOf(files...))
	f.Add(gzipped(tarOf(files...)))
	f.Add(zstandard(tarOf(files...)))
	f.Fuzz(func(t *testing.T, file []byte) {
		rd := NewReader(Limits{Entries: 10, Unpacked: 1 << 20, Upload: 1 << 20})
		n := 0
		check := func(file enrich.File) {
			for _, w := range file.Warnings {
				checkMessage(t, w.Where+w.Message)
			}
			if file.Error != nil {
				checkMessage(t, *file.Error)
			}
		}
		others, err := rd.Unpack("a", bytes.NewReader(file), inMemory, func(name string, r io.Reader) error {
			if n++; n > 10 {
				t.Fatal("more files than there may be")
			}
			if within, isIn := strings.CutPrefix(name, "a/"); name != "a" && (!isIn || slices.Contains(strings.Split(within, "/"), "..") || strings.HasPrefix(within, "/")) {
				t.Fatalf("name %q", name)
			}
			_, receipt := rd.Read(name, r)
			check(receipt)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range others {
			check(f)
		}
	})
}
