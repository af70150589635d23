package decode

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"smolscope/enrich"
)

// Hold makes a stream readable at any place: of an upload by spooling it, of a
// file by answering with the file. The stream is at its beginning.
type Hold func(io.Reader) (io.ReaderAt, int64, error)

// Unpack reads the files that lie in an archive: zip or tar, the latter
// compressed or not. Each is called once for every one of them, in the order of
// the archive, with the archive's name before its own, as in
// "runs.zip/run-1/traces.json": a folder in an archive is a folder like any
// other. A file that is no archive is handed on as it is, under its own name.
// Archives in archives are not unpacked.
//
// What each is not called for has its receipt among those returned, and the
// archive itself has one if there is something to say of it. Hidden files and
// what systems put beside them are passed over. The error is that of each or
// hold.
func (rd *Reader) Unpack(name string, r io.Reader, hold Hold, each func(name string, r io.Reader) error) ([]enrich.File, error) {
	in := &hashed{r: r, sum: sha256.New()}
	buffered := bufio.NewReaderSize(in, archiveHead)
	a := &archive{rd: rd, name: name, in: in, each: each}
	var err error
	switch kind := archiveKind(buffered); kind {
	case "":
		return nil, each(name, buffered)
	case "zip":
		err = a.zip(buffered, hold)
	default:
		err = a.tar(kind, buffered)
	}
	if err != nil {
		return nil, err
	}
	if a.receipt.Error != nil || len(a.receipt.Warnings) > 0 {
		io.Copy(io.Discard, buffered)
		a.receipt.SHA256 = hex.EncodeToString(in.sum.Sum(nil))
		a.others = append(a.others, a.receipt)
	}
	return a.others, nil
}

// archiveHead is as much as the beginning of a compressed archive is told by: a
// block of zstd and what comes before it.
const archiveHead = 160 << 10

// archiveKind tells by the first bytes what archive a stream is: "zip", "tar",
// a compressed tar by its packing, or "" of no archive.
func archiveKind(in *bufio.Reader) string {
	head, _ := in.Peek(magicBytes)
	if p := packingOf(head); p != nil {
		packed, _ := in.Peek(archiveHead)
		if unpacked, err := p.open(bytes.NewReader(packed)); err == nil {
			first := make([]byte, magicBytes)
			n, _ := io.ReadFull(unpacked, first)
			if archiveOf(first[:n]) == "tar" {
				return p.name
			}
		}
		return ""
	}
	return archiveOf(head)
}

func archiveOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return "zip"
	case len(head) == magicBytes && string(head[257:]) == "ustar":
		return "tar"
	}
	return ""
}

// An archive is one that is being unpacked.
type archive struct {
	rd      *Reader
	name    string
	in      *hashed
	each    func(string, io.Reader) error
	meter   meter         // of the files
	file    *bufio.Reader // the one at hand
	taken   int           // files handed on whole
	receipt enrich.File
	others  []enrich.File
}

func (a *archive) begin(format string, packed func() int64) {
	a.receipt = enrich.File{Name: a.name, Format: format, Repairs: []string{}, Warnings: []enrich.Warning{}}
	a.meter = meter{rd: a.rd, what: format + " archive", packed: packed}
}

// end says why no more is read.
func (a *archive) end(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.taken > 0 {
		text = fmt.Sprintf("breaks off after %s: %s", count(a.taken, "file"), text)
	}
	a.receipt.Error = &text
}

// conclude says that there was nothing, if so.
func (a *archive) conclude() {
	if a.taken == 0 && len(a.others) == 0 && a.receipt.Error == nil {
		a.end("no files in this archive")
	}
}

func (a *archive) zip(in io.Reader, hold Hold) error {
	at, size, err := hold(in)
	if err != nil {
		return err
	}
	a.begin("zip", func() int64 { return size })
	z, err := zip.NewReader(at, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		a.end("damaged zip archive: %v", err)
		return nil
	}
	for _, f := range z.File {
		info := f.FileInfo()
		if info.IsDir() || hidden(f.Name) {
			continue
		}
		if !a.room() {
			return nil
		}
		name, ok := a.entry(f.Name, info.Mode().IsRegular())
		if !ok {
			continue
		}
		if f.Flags&1 != 0 {
			a.refuse(name, "is encrypted")
			continue
		}
		r, err := f.Open()
		if err != nil {
			a.refuse(name, "damaged zip archive: %v", err)
			continue
		}
		err = a.read(name, r)
		r.Close()
		if err != nil || a.receipt.Error != nil {
			return err
		}
	}
	a.conclude()
	return nil
}

func (a *archive) tar(kind string, in io.Reader) error {
	a.begin("tar", func() int64 { return a.in.n })
	all := a.meter // what is between the files is unpacked too
	all.apart = true
	for i := range packings {
		if p := &packings[i]; p.name == kind {
			unpacked, err := p.open(in)
			if err != nil {
				a.end("damaged %s data: %v", kind, err)
				return nil
			}
			in = unpacked
			all.what = kind + " data"
		}
	}
	whole := &unpacking{r: in, m: &all}
	for t := tar.NewReader(whole); ; {
		h, err := t.Next()
		if err == io.EOF {
			a.conclude()
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			a.end("%v", cmp.Or(whole.err, error(&damagedError{"tar archive", err})))
			return nil
		}
		if h.Typeflag == tar.TypeDir || hidden(h.Name) {
			continue
		}
		if !a.room() {
			return nil
		}
		name, ok := a.entry(h.Name, h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeGNUSparse)
		if !ok {
			continue
		}
		if err := a.read(name, t); err != nil || a.receipt.Error != nil {
			return err
		}
	}
}

// entry tells under which name an entry is read. It answers no where it is not.
func (a *archive) entry(name string, regular bool) (string, bool) {
	name = strings.ToValidUTF8(strings.ReplaceAll(name, `\`, "/"), "\uFFFD")
	if why := outside(name); why != "" {
		a.refuse(name, "%s", why)
		return "", false
	}
	name = path.Clean(name)
	if !regular {
		a.receipt.Warnings = append(a.receipt.Warnings, enrich.Warning{Where: quote(name), Message: "is a link or a device, not a file; skipped"})
		return "", false
	}
	return name, true
}

// hidden reports whether a file, or a folder it lies in, is one that systems
// put there and people do not see.
func hidden(name string) bool {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "__MACOSX" || strings.HasPrefix(part, ".") && part != "." && part != ".." {
			return true
		}
	}
	return false
}

// outside says why a name does not stay within the archive's folder, or "".
func outside(name string) string {
	switch {
	case strings.ContainsRune(name, 0):
		return "its path holds a NUL"
	case strings.HasPrefix(name, "/"), len(name) > 1 && name[1] == ':' && name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z':
		return "its path is absolute"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "its path leads out of the archive"
		}
	}
	return ""
}

// room reports whether one more file may be read.
func (a *archive) room() bool {
	if limit := a.rd.limits.Entries; a.rd.entries == limit {
		a.end("%v", beyond("the archives of this upload hold", count(limit, "file"), "max-entries"))
		return false
	}
	a.rd.entries++
	return true
}

// read hands one file on.
func (a *archive) read(name string, r io.Reader) error {
	in := &unpacking{r: r, m: &a.meter}
	if a.file == nil {
		a.file = bufio.NewReaderSize(nil, archiveHead)
	}
	a.file.Reset(in)
	if archiveKind(a.file) != "" {
		a.refuse(name, "is an archive within an archive; unpack it first")
		return nil
	}
	if err := a.each(a.name+"/"+name, a.file); err != nil {
		return err
	}
	if over, ok := errors.AsType[*limitError](in.err); ok {
		a.end("%v", over)
	} else if in.err == nil {
		a.taken++
	}
	return nil
}

// refuse makes the receipt of a file that is not handed on.
func (a *archive) refuse(name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	a.others = append(a.others, enrich.File{Name: a.name + "/" + name, Repairs: []string{}, Warnings: []enrich.Warning{}, Error: &text})
}
