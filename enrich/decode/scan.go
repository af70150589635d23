package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

const (
	maxPeek   = 4 << 20   // bytes of a row looked at to tell what it is
	minWindow = 256 << 10 // bytes of the stream held at a time
)

// A syntaxError says where JSON text is not what it should be.
type syntaxError struct {
	line    int
	message string // such as `expected a value, found "}"`
	cut     bool   // the text ended too early, rather than going wrong
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }

// errPeekLimit ends a peek that has seen maxPeek bytes.
var errPeekLimit = errors.New("row too long to look at whole")

// A scanner reads JSON text off a stream, token by token, holding no more of
// it than the token at hand. It allocates nothing per token and checks
// everything: a value that it reads without an error is valid JSON, but that
//
//   - bytes that are no UTF-8, and halves of surrogate pairs, read as U+FFFD;
//   - NaN, Infinity and -Infinity, which Python writes, read as null;
//   - nesting and the bytes of a value are limited.
//
// The first error sticks: from then on every read answers no, so that readers
// need to look at err only once per row. Slices that it returns are good until
// its next call.
type scanner struct {
	r    io.Reader // nil when the window is all there is
	buf  []byte    // the window
	pos  int       // the next byte to read; while a token is read, its start
	mark int       // the first byte that must stay in the window, or -1

	counted int // an index of the window, and
	lines   int // the line breaks in the stream before it

	depth   int
	first   bool // a list or object was opened and nothing in it read yet
	oneLine bool // a value must end on the line it begins on, as in JSON Lines
	peeking bool
	limits  *Limits
	onLine  int // when not 0, the line of whatever is read: text within a string

	text      []byte // the last string that had escapes, unescaped
	nonFinite int    // NaN and infinities met
	mended    int    // places that were not Unicode
	err       error
}

func newScanner(r io.Reader, window int) *scanner {
	return &scanner{r: r, buf: make([]byte, 0, window), mark: -1, limits: &defaultLimits}
}

// textScanner scans text that is all there.
func textScanner(text []byte) *scanner { return &scanner{buf: text, mark: -1, limits: &defaultLimits} }

// textScanner is the function of that name with the limits of the file.
func (d *decoder) textScanner(text []byte) *scanner {
	s := textScanner(text)
	s.limits = &d.rd.limits
	return s
}

// fill reads on behind the window and reports whether there was anything. The
// window moves: only distances from pos and mark stay what they were.
func (s *scanner) fill() bool {
	if s.r == nil || s.err != nil {
		return false
	}
	keep := s.pos
	if s.mark >= 0 {
		keep = s.mark
	}
	held := len(s.buf) - keep
	if s.peeking && held > maxPeek {
		s.err = errPeekLimit
		return false
	}
	if limit := s.limits.Value; int64(held) > limit {
		s.fail("expected a value of at most %s (--max-value)", sizeText(limit))
		return false
	}
	if len(s.buf) == cap(s.buf) {
		s.move(keep)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if err == io.EOF {
			s.r = nil
		} else if err != nil {
			s.r = failedReader{err} // to be met again after a peek
		}
		if n > 0 {
			return true
		}
		if err != nil {
			if err != io.EOF {
				s.err = err
			}
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// A failedReader repeats the error that ended a stream.
type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// move drops what lies before keep from a full window, or widens it when too
// little would be gained.
func (s *scanner) move(keep int) {
	if s.counted < keep {
		s.lines += bytes.Count(s.buf[s.counted:keep], []byte{'\n'})
		s.counted = keep
	}
	to := s.buf[:0]
	if 2*keep <= cap(s.buf) {
		to = make([]byte, 0, max(2*cap(s.buf), 64))
	}
	s.buf = append(to, s.buf[keep:]...)
	s.counted -= keep
	s.pos -= keep
	if s.mark >= 0 {
		s.mark -= keep
	}
}

// line returns the line of an index of the window, the first being 1.
func (s *scanner) line(at int) int {
	if s.onLine > 0 {
		return s.onLine
	}
	if at < s.counted {
		return s.lines - bytes.Count(s.buf[at:s.counted], []byte{'\n'}) + 1
	}
	s.lines += bytes.Count(s.buf[s.counted:at], []byte{'\n'})
	s.counted = at
	return s.lines + 1
}

// rest returns what has not been read yet. The scanner is not to be used after.
func (s *scanner) rest() io.Reader {
	if s.r == nil {
		return bytes.NewReader(s.buf[s.pos:])
	}
	return io.MultiReader(bytes.NewReader(s.buf[s.pos:]), s.r)
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = &syntaxError{line: s.line(s.pos), message: fmt.Sprintf(format, args...)}
	}
}

// expected fails because of what stands at an index of the window.
func (s *scanner) expected(what string, at int) {
	if s.err != nil {
		return
	}
	ahead, more := at-s.pos, true
	for more && at < len(s.buf) && !utf8.FullRune(s.buf[at:]) {
		more = s.fill()
		at = s.pos + ahead
	}
	if s.err != nil {
		return
	}
	e := &syntaxError{line: s.line(min(at, len(s.buf)))}
	found := "the end of the text"
	switch {
	case at >= len(s.buf):
		e.cut = true
		if s.onLine == 0 {
			found = "the end of the file"
		}
	case s.buf[at] == '\n':
		found = "the end of the line"
	default:
		r, n := utf8.DecodeRune(s.buf[at:])
		found = strconv.QuoteRune(r)
		if r == utf8.RuneError && n == 1 {
			found = fmt.Sprintf("byte 0x%02X", s.buf[at])
		}
	}
	e.message = "expected " + what + ", found " + found
	s.err = e
}

// token skips white space and returns the byte that begins the next token,
// which it leaves unread: 0 at the end or after an error.
func (s *scanner) token() byte {
	for {
		for s.pos < len(s.buf) {
			c := s.buf[s.pos]
			if c > ' ' {
				if s.err != nil {
					return 0
				}
				return c
			}
			switch c {
			case '\n':
				if s.oneLine && s.depth > 0 {
					return c
				}
				s.pos++
				s.indent()
			case ' ', '\t', '\r':
				s.pos++
			default:
				return c
			}
		}
		if !s.fill() {
			return 0
		}
	}
}

// indent skips the spaces at the start of a line, which are a quarter of a
// file that is written for people.
func (s *scanner) indent() {
	const spaces = 0x2020202020202020
	for s.pos+8 <= len(s.buf) {
		if x := binary.LittleEndian.Uint64(s.buf[s.pos:]) ^ spaces; x != 0 {
			s.pos += bits.TrailingZeros64(x) >> 3
			return
		}
		s.pos += 8
	}
}

// ended reports whether there is nothing more to read.
func (s *scanner) ended() bool { return s.token() == 0 && s.pos >= len(s.buf) }

// enter reads the bracket that opens a list or object. Its items are then read
// with nextItem or nextKey until these answer no.
func (s *scanner) enter() {
	if limit := s.limits.Depth; s.depth >= limit {
		s.fail("expected at most %d lists and objects within one another (--max-depth)", limit)
		return
	}
	s.pos++
	s.depth++
	s.first = true
}

// nextItem moves to the next item of the list, which must then be read, and
// answers no at the end of the list.
func (s *scanner) nextItem() bool {
	c := s.token()
	if c == ']' {
		s.leave()
		return false
	}
	if s.first {
		s.first = false
		return s.err == nil
	}
	if c != ',' {
		s.expected(`"," or "]"`, s.pos)
		return false
	}
	s.pos++
	if s.token() == ']' {
		s.expected("a value", s.pos)
	}
	return s.err == nil
}

// nextKey reads the next key of the object, whose value must then be read, and
// answers no at the end of the object.
func (s *scanner) nextKey() ([]byte, bool) {
	c := s.token()
	if c == '}' {
		s.leave()
		return nil, false
	}
	want := `a key or "}"`
	if !s.first {
		if c != ',' {
			s.expected(`"," or "}"`, s.pos)
			return nil, false
		}
		s.pos++
		c = s.token()
		want = "a key"
	}
	s.first = false
	if c != '"' {
		s.expected(want, s.pos)
		return nil, false
	}
	key, ok := s.quoted()
	if !ok {
		return nil, false
	}
	if s.pos == len(s.buf) || s.buf[s.pos] != ':' {
		// Looking further may move the window away under the key.
		s.text = append(s.text[:0], key...)
		key = s.text
		if s.token() != ':' {
			s.expected(`":"`, s.pos)
			return nil, false
		}
	}
	s.pos++
	return key, true
}

func (s *scanner) leave() {
	s.pos++
	s.depth--
	s.first = false
}

// word reads a bare word such as null.
func (s *scanner) word(w string) bool {
	for len(s.buf)-s.pos < len(w) {
		if !s.fill() {
			break
		}
	}
	for i := range len(w) {
		if s.pos+i >= len(s.buf) || s.buf[s.pos+i] != w[i] {
			s.expected(w, s.pos+i)
			return false
		}
	}
	s.pos += len(w)
	return true
}

// null reads a null, or one of the numbers that JSON lacks.
func (s *scanner) null() {
	switch s.token() {
	case 'n':
		s.word("null")
		return
	case 'N':
		s.word("NaN")
	case 'I':
		s.word("Infinity")
	case '-':
		s.word("-Infinity")
	}
	s.nonFinite++
}

// A kind is what sort of value comes next.
type kind byte

const (
	noKind kind = iota
	nullKind
	boolKind
	numberKind
	stringKind
	listKind
	objectKind
)

var kindNames = [...]string{"nothing", "null", "a truth value", "a number", "a string", "a list", "an object"}

func (k kind) String() string { return kindNames[k] }

// kind tells what comes next without reading it. It fails where no value can
// begin.
func (s *scanner) kind() kind {
	switch c := s.token(); c {
	case '"':
		return stringKind
	case '{':
		return objectKind
	case '[':
		return listKind
	case 't', 'f':
		return boolKind
	case 'n', 'N', 'I':
		return nullKind
	case '-':
		if s.pos+1 == len(s.buf) {
			s.fill()
		}
		if s.pos+1 < len(s.buf) && s.buf[s.pos+1] == 'I' {
			return nullKind
		}
		return numberKind
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return numberKind
	}
	s.expected("a value", s.pos)
	return noKind
}

// bool reads true or false.
func (s *scanner) bool() bool {
	if s.token() == 't' {
		return s.word("true")
	}
	s.word("false")
	return false
}

// number reads a number and returns it as written.
func (s *scanner) number() []byte {
	i := s.pos
	for {
		for i < len(s.buf) && numeric(s.buf[i]) {
			i++
		}
		if i < len(s.buf) {
			break
		}
		length := i - s.pos
		more := s.fill()
		i = s.pos + length
		if !more {
			break
		}
	}
	text := s.buf[s.pos:i]
	if n := numberLength(text); n < len(text) || n == 0 {
		s.expected("the end of the number", s.pos+n)
		return nil
	} else if last := text[len(text)-1]; last < '0' || last > '9' {
		s.expected("a digit", i)
		return nil
	}
	if s.err != nil {
		return nil
	}
	s.pos = i
	return text
}

func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == 'e' || c == 'E' || c == '+'
}

// numberLength returns how much of text is, or begins, a JSON number.
func numberLength(text []byte) int {
	i := 0
	at := func(c byte) bool { return i < len(text) && text[i] == c }
	digits := func() bool {
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i > from
	}
	if at('-') {
		i++
	}
	if at('0') {
		i++
	} else if !digits() {
		return i
	}
	if at('.') {
		i++
		if !digits() {
			return i
		}
	}
	if at('e') || at('E') {
		i++
		if at('+') || at('-') {
			i++
		}
		digits()
	}
	return i
}

// skip reads a value of any kind and forgets it.
func (s *scanner) skip() {
	switch s.kind() {
	case nullKind:
		s.null()
	case boolKind:
		s.bool()
	case numberKind:
		s.number()
	case stringKind:
		s.quoted()
	case listKind:
		s.enter()
		for s.nextItem() {
			s.skip()
		}
	case objectKind:
		s.enter()
		for _, ok := s.nextKey(); ok; _, ok = s.nextKey() {
			s.skip()
		}
	}
}

// raw reads a value of any kind and returns it as written.
func (s *scanner) raw() []byte {
	s.token()
	marked := s.mark >= 0
	if !marked {
		s.mark = s.pos
	}
	from := s.pos - s.mark
	s.skip()
	value := s.buf[s.mark+from : s.pos]
	if !marked {
		s.mark = -1
	}
	return value
}

// peek lets look read ahead, and then goes back to where it was. An error that
// look ran into is returned, and met again when the text is read for good.
func (s *scanner) peek(look func()) error {
	was := *s
	s.mark, s.peeking = s.pos, true
	look()
	err := s.err
	s.pos, s.mark, s.peeking = s.mark, -1, false
	s.depth, s.first, s.oneLine, s.err = was.depth, was.first, was.oneLine, was.err
	s.nonFinite, s.mended = was.nonFinite, was.mended
	return err
}

// nextLine gives the rest of the line up, and the error it had with it.
func (s *scanner) nextLine() {
	s.err, s.depth, s.first = nil, 0, false
	for {
		if i := bytes.IndexByte(s.buf[s.pos:], '\n'); i >= 0 {
			s.pos += i + 1
			return
		}
		s.pos = len(s.buf)
		if !s.fill() {
			return
		}
	}
}
