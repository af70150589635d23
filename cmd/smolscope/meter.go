package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	batchBytes = 256 << 20 // that are imported at once, or a little more
	batchFiles = 1000
	drawEvery  = 100 * time.Millisecond
)

// A meter counts what is read, and shows it in a bar where someone watches.
type meter struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	name         string // of the file that is being read
	read, total  int64  // bytes; total is what is known of
	unknown      bool   // there is something whose size is not known
	files        int
	batchRead    int64 // read and files when full was true last
	batchStarted int
	drawn        time.Time
	shown        bool
}

func newMeter(w io.Writer) *meter {
	m := &meter{w: w, now: time.Now}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		m.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return m
}

// expect notes that so many bytes are going to be read, -1 if it is not known.
func (m *meter) expect(size int64) {
	m.unknown = m.unknown || size < 0
	m.total += max(size, 0)
}

// reading returns a reader of a file that counts.
func (m *meter) reading(name string, r io.Reader) io.Reader {
	m.name = name
	m.files++
	return &metered{r, m}
}

type metered struct {
	io.Reader
	meter *meter
}

func (r *metered) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.meter.read += int64(n)
	r.meter.draw()
	return n, err
}

// full reports whether enough was read for one batch since it said so last.
func (m *meter) full() bool {
	if m.read-m.batchRead < batchBytes && m.files-m.batchStarted < batchFiles {
		return false
	}
	m.batchRead, m.batchStarted = m.read, m.files
	return true
}

// say prints a line.
func (m *meter) say(line string) {
	m.close()
	fmt.Fprintln(m.w, printable(line))
}

func (m *meter) draw() {
	if now := m.now(); m.terminal && now.Sub(m.drawn) >= drawEvery {
		m.drawn, m.shown = now, true
		fmt.Fprint(m.w, "\r\x1b[K"+m.bar())
	}
}

// close takes the bar away.
func (m *meter) close() {
	if m.shown {
		fmt.Fprint(m.w, "\r\x1b[K")
		m.shown = false
	}
}

// bar returns one line that says how far reading is. It is no wider than a
// terminal, most of which have 80 columns.
func (m *meter) bar() string {
	const width, nameWidth = 24, 24
	name := []rune(printable(m.name))
	if len(name) > nameWidth {
		name = append([]rune("…"), name[len(name)-nameWidth+1:]...)
	}
	if m.unknown || m.total == 0 {
		return fmt.Sprintf("%s  %s", bytesOf(m.read), string(name))
	}
	part := min(float64(m.read)/float64(m.total), 1)
	done := int(part * width)
	return fmt.Sprintf("[%s%s] %3.0f%%  %s of %s  %s", strings.Repeat("#", done), strings.Repeat(".", width-done), 100*part,
		bytesOf(m.read), bytesOf(m.total), string(name))
}

// bytesOf writes a number of bytes as people read it.
func bytesOf(n int64) string {
	switch {
	case n < 0:
		return "size unknown"
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
