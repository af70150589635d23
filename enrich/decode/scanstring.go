package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// special returns a word whose lowest set bit lies in the first byte of x, as
// loaded from memory in little-endian order, that ends a run of plain ASCII in
// a string: a quote, a backslash, a control character or a byte of a longer
// rune. Bits above that one mean nothing.
func special(x uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote := x ^ ones*'"'
	slash := x ^ ones*'\\'
	return ((x-ones*' ')&^x | (quote-ones)&^quote | (slash-ones)&^slash | x) & high
}

// plainEnd returns the first index from i on that is not plain ASCII of a
// string, or len(buf).
func plainEnd(buf []byte, i int) int {
	for i+8 <= len(buf) {
		if m := special(binary.LittleEndian.Uint64(buf[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(buf) {
		if c := buf[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
		i++
	}
	return i
}

// quoted reads a string and returns it unescaped: out of the window when
// nothing in it needs to change, else out of s.text.
func (s *scanner) quoted() ([]byte, bool) {
	i := s.pos + 1
	for {
		i = plainEnd(s.buf, i)
		if i < len(s.buf) {
			c := s.buf[i]
			if c == '"' {
				text := s.buf[s.pos+1 : i]
				s.pos = i + 1
				return text, true
			}
			if c == '\\' {
				return s.unescape(i)
			}
			if c < ' ' {
				s.expected("the end of the string", i)
				return nil, false
			}
			if r, n := utf8.DecodeRune(s.buf[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			if utf8.FullRune(s.buf[i:]) {
				return s.unescape(i)
			}
		}
		length := i - s.pos
		more := s.fill()
		i = s.pos + length
		if !more {
			if s.err == nil && i < len(s.buf) {
				return s.unescape(i) // a rune cut short by the end of the file
			}
			s.expected("the end of the string", i)
			return nil, false
		}
	}
}

// unescape goes on with a string at the first byte that does not stand for
// itself. From here on the window need not hold the string.
func (s *scanner) unescape(i int) ([]byte, bool) {
	text := append(s.text[:0], s.buf[s.pos+1:i]...)
	s.pos = i
	for {
		i := plainEnd(s.buf, s.pos)
		text = append(text, s.buf[s.pos:i]...)
		s.pos = i
		if limit := s.limits.Value; int64(len(text)) > limit {
			s.fail("expected a string of at most %s (--max-value)", sizeText(limit))
			break
		}
		if i == len(s.buf) {
			if s.fill() {
				continue
			}
			s.expected("the end of the string", s.pos)
			break
		}
		c := s.buf[i]
		if c == '"' {
			s.pos++
			s.text = text
			return text, true
		}
		if c < ' ' {
			s.expected("the end of the string", i)
			break
		}
		if c == '\\' {
			r, ok := s.escape()
			if !ok {
				break
			}
			text = utf8.AppendRune(text, r)
			continue
		}
		for !utf8.FullRune(s.buf[s.pos:]) && s.fill() {
		}
		r, n := utf8.DecodeRune(s.buf[s.pos:])
		if r == utf8.RuneError && n == 1 {
			s.mended++
		}
		text = utf8.AppendRune(text, r)
		s.pos += n
	}
	s.text = text
	return nil, false
}

// need makes sure that the window holds n bytes from pos on.
func (s *scanner) need(n int) bool {
	for len(s.buf)-s.pos < n {
		if !s.fill() {
			return false
		}
	}
	return true
}

// escape reads an escape sequence.
func (s *scanner) escape() (rune, bool) {
	if !s.need(2) {
		s.expected("the end of the string", len(s.buf))
		return 0, false
	}
	r := rune(s.buf[s.pos+1])
	switch r {
	case '"', '\\', '/':
	case 'n':
		r = '\n'
	case 't':
		r = '\t'
	case 'r':
		r = '\r'
	case 'b':
		r = '\b'
	case 'f':
		r = '\f'
	case 'u':
		return s.unicode()
	default:
		s.expected(`an escape such as \n`, s.pos+1)
		return 0, false
	}
	s.pos += 2
	return r, true
}

// unicode reads \uXXXX, and the second half of a surrogate pair with it.
func (s *scanner) unicode() (rune, bool) {
	r, ok := s.hex4()
	if !ok {
		return 0, false
	}
	s.pos += 6
	if !utf16.IsSurrogate(r) {
		return r, true
	}
	if s.need(2) && s.buf[s.pos] == '\\' && s.buf[s.pos+1] == 'u' {
		low, ok := s.hex4()
		if !ok {
			return 0, false
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			s.pos += 6
			return pair, true
		}
	}
	s.mended++
	return utf8.RuneError, s.err == nil
}

// hex4 returns what the four digits of the \u at pos say, and leaves it unread.
func (s *scanner) hex4() (r rune, ok bool) {
	s.need(6)
	for i := s.pos + 2; i < s.pos+6; i++ {
		if i >= len(s.buf) {
			s.expected("a hex digit", i)
			return 0, false
		}
		switch c := s.buf[i]; {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			s.expected("a hex digit", i)
			return 0, false
		}
	}
	return r, true
}
