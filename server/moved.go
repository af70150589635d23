package server

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// linking are the attributes of our pages that hold addresses of this server.
var linking = []string{"href", "src", "action", "formaction", "data-href", "data-url", "data-api", "data-open"}

// moved returns a page of which the addresses are where move says. What leads to
// an address that move knows not goes: buttons and forms whole, and of other links
// the text stays.
func moved(page []byte, move func(address string) (string, bool)) []byte {
	tokens := html.NewTokenizer(bytes.NewReader(page))
	out := make([]byte, 0, len(page)+len(page)/8)
	gone := "" // the element that is being left out
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return out
		}
		raw := tokens.Raw()
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			if gone == "" {
				out = append(out, raw...)
			} else if name, _ := tokens.TagName(); kind == html.EndTagToken && string(name) == gone {
				gone = ""
			}
			continue
		}
		if gone != "" {
			continue
		}
		raw = slices.Clone(raw) // reading the attributes changes it
		tag := tokens.Token()
		changed, lost := false, false
		tag.Attr = slices.DeleteFunc(tag.Attr, func(a html.Attribute) bool {
			return slices.Contains(linking, a.Key) && leadsHere(a.Val) && func() bool {
				_, ok := move(a.Val)
				lost = lost || !ok
				return !ok
			}()
		})
		for i, a := range tag.Attr {
			if slices.Contains(linking, a.Key) && leadsHere(a.Val) {
				to, _ := move(a.Val)
				changed = changed || to != a.Val
				tag.Attr[i].Val = to
			}
		}
		switch {
		case lost && (tag.Data == "form" || tag.Data == "a" && isButton(tag)):
			gone = tag.Data
		case lost || changed:
			out = append(out, tag.String()...)
		default:
			out = append(out, raw...)
		}
	}
}

func leadsHere(address string) bool {
	return strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//")
}

func isButton(tag html.Token) bool {
	return slices.ContainsFunc(tag.Attr, func(a html.Attribute) bool {
		return a.Key == "class" && slices.Contains(strings.Fields(a.Val), "button")
	})
}
