package server

import (
	"io"
	"os"
)

// A spool keeps the files of one upload while it is read: one after the other in
// a temporary file, because an upload may be larger than memory.
type spool struct {
	file *os.File
	size int64
	err  error // of writing
}

func newSpool() (*spool, error) {
	file, err := os.CreateTemp("", "smolscope-upload-*")
	if err != nil {
		return nil, err
	}
	// Where an open file can have no name, a kill leaves nothing behind.
	os.Remove(file.Name())
	return &spool{file: file}, nil
}

func (s *spool) close() {
	s.file.Close()
	os.Remove(s.file.Name())
}

// A section is one file within a spool.
type section struct {
	file       *os.File
	from, size int64
}

func (s section) reader() io.Reader { return io.NewSectionReader(s.file, s.from, s.size) }

// copying returns a reader that keeps what is read through it. done reads the
// rest and returns all of it, or what went wrong with keeping it.
func (s *spool) copying(r io.Reader) (in io.Reader, done func() (section, error)) {
	from := s.size
	copied := io.TeeReader(r, s)
	return copied, func() (section, error) {
		io.Copy(io.Discard, copied)
		return section{s.file, from, s.size - from}, s.err
	}
}

// hold keeps all of a stream, to be read at any place.
func (s *spool) hold(r io.Reader) (io.ReaderAt, int64, error) {
	_, done := s.copying(r)
	all, err := done()
	return io.NewSectionReader(all.file, all.from, all.size), all.size, err
}

func (s *spool) Write(p []byte) (int, error) {
	n, err := s.file.WriteAt(p, s.size)
	s.size += int64(n)
	s.err = err
	return n, err
}

// A watched reader remembers the error that a reader of it may swallow.
type watched struct {
	io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}
