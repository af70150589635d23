package attr

import (
	"encoding/json"
	"strings"
)

// Strings coerces to a list of texts (spec §2.1 LIST[STR]): a JSON array, a
// string holding one, or the Python repr of a list or tuple that instrumentors
// write when they str() a sequence. Any other text is a list of one; null and
// "" are no list. Elements that are not strings are given as JSON text.
func (v Value) Strings() []string {
	switch v.kind {
	case Null:
		return nil
	case JSON:
		return jsonStrings(v.str)
	case String:
		s := strings.TrimSpace(v.str)
		if s == "" || s == "None" || s == "null" {
			return nil
		}
		if s[0] == '[' {
			if list := jsonStrings(s); list != nil {
				return list
			}
		}
		if s[0] == '[' || s[0] == '(' {
			if list, ok := pythonList(s); ok {
				return list
			}
		}
		return []string{v.str}
	}
	return []string{v.Text()}
}

func jsonStrings(text string) []string {
	var raw []json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil
	}
	list := make([]string, 0, len(raw))
	for _, r := range raw {
		var s string
		if json.Unmarshal(r, &s) != nil {
			s = string(r)
		}
		list = append(list, s)
	}
	return list
}

// pythonList reads the repr of a flat list or tuple: ['stop'], ('a', 'b'), ("it's",).
func pythonList(s string) ([]string, bool) {
	end := map[byte]byte{'[': ']', '(': ')'}[s[0]]
	if len(s) < 2 || s[len(s)-1] != end {
		return nil, false
	}
	list := []string{}
	s = s[1 : len(s)-1]
	for {
		s = strings.TrimLeft(s, " \t\n")
		if s == "" {
			return list, true
		}
		item, rest, ok := pythonItem(s)
		if !ok {
			return nil, false
		}
		list = append(list, item)
		rest = strings.TrimLeft(rest, " \t\n")
		if rest == "" {
			return list, true
		}
		if rest[0] != ',' {
			return nil, false
		}
		s = rest[1:]
	}
}

// pythonItem reads one element off the front of s: a quoted string, or a bare
// word such as a number or None.
func pythonItem(s string) (item, rest string, ok bool) {
	quote := s[0]
	if quote != '\'' && quote != '"' {
		i := strings.IndexByte(s, ',')
		if i < 0 {
			i = len(s)
		}
		word := strings.TrimSpace(s[:i])
		return word, s[i:], word != "" && !strings.ContainsAny(word, "[](){}'\"")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote:
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			switch e := s[i]; e {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '\\', '\'', '"':
				b.WriteByte(e)
			default:
				b.WriteByte('\\')
				b.WriteByte(e)
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
