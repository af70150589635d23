package views

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"smolscope/enrich/unit"
)

// What people typed and models answered may be megabytes: a page folds a text
// longer than foldAt and carries no more of it than cutAt bytes.
const (
	foldAt    = 700
	foldLines = 12
	headSize  = 240
	cutAt     = 32 << 10
)

// A Text is a piece of trace content. It is hostile: it is shown as text only.
type Text struct {
	Body string
	Head string // the beginning, where Body is folded away; "" if it is not
	Size string // "5,930 characters", of a folded text
	More string // how much of the text is left out, "" if all is here
}

func newText(s string) Text {
	n := utf8.RuneCountInString(s)
	t := Text{}
	if len(s) > cutAt {
		s = cutBytes(s, cutAt)
		t.More = plural(n-utf8.RuneCountInString(s), "more character") + " left out here"
	}
	t.Body = visible(s)
	if n > foldAt || strings.Count(s, "\n") > foldLines {
		t.Size = plural(n, "character")
		t.Head = oneLine(t.Body, headSize)
	}
	return t
}

// folded folds a text whatever its length, unless it is a line or two.
func folded(s string) Text {
	t := newText(s)
	if n := utf8.RuneCountInString(s); n > headSize {
		t.Size = plural(n, "character")
		t.Head = oneLine(t.Body, headSize/2)
	}
	return t
}

// oneLine returns the first size characters with white space as single spaces.
func oneLine(s string, size int) string {
	line := strings.Join(strings.Fields(cutBytes(s, 4*size+64)), " ")
	if utf8.RuneCountInString(line) <= size {
		return line
	}
	i := 0
	for range size - 1 {
		_, n := utf8.DecodeRuneInString(line[i:])
		i += n
	}
	return strings.TrimRight(line[:i], " .,;:") + "…"
}

// cutBytes returns at most n bytes of s, not breaking a character.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

var terminalColour = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// visible makes text safe to look at: colour codes of terminals go, and any
// other control character is shown by its picture, since it would be unseen.
func visible(s string) string {
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = terminalColour.ReplaceAllString(s, "")
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case !isControl(r):
			return r
		case r == 0x7f:
			return '␡'
		case r < ' ':
			return '␀' + r
		}
		return '\ufffd'
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

func isControl(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
}

// short returns the first eight characters of an id that was made up; of one that
// someone gave a run it leaves more, for it may say something.
func short(id string) string {
	const named = 24
	switch {
	case strings.Trim(id, "0123456789abcdefABCDEF-") == "" && len(id) > 8:
		return cutBytes(id, 8)
	case len(id) <= named:
		return visible(id)
	}
	return visible(cutBytes(id, named)) + "…"
}

// orAbsent writes a dash where there is no text.
func orAbsent(s string) string {
	if s == "" {
		return unit.Absent
	}
	return visible(s)
}
