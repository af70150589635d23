package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// tree reads a value of any kind into what encoding/json makes of it.
func tree(s *scanner) any {
	switch s.kind() {
	case nullKind:
		s.null()
	case boolKind:
		return s.bool()
	case numberKind:
		return json.Number(s.number())
	case stringKind:
		text, _ := s.quoted()
		return string(text)
	case listKind:
		list := []any{}
		s.enter()
		for s.nextItem() {
			list = append(list, tree(s))
		}
		return list
	case objectKind:
		object := map[string]any{}
		s.enter()
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			name := string(key)
			object[name] = tree(s)
		}
		return object
	}
	return nil
}

// scanAll reads one value and the end of the text.
func scanAll(s *scanner) (any, error) {
	v := tree(s)
	if s.err == nil && !s.ended() {
		s.expected("the end", s.pos)
	}
	return v, s.err
}

// scanners returns scanners over the same text: whole, and through windows
// that every token outgrows.
func scanners(text []byte) map[string]*scanner {
	return map[string]*scanner{
		"whole":        textScanner(bytes.Clone(text)),
		"window of 1":  newScanner(bytes.NewReader(text), 1),
		"window of 7":  newScanner(bytes.NewReader(text), 7),
		"byte by byte": newScanner(iotest.OneByteReader(bytes.NewReader(text)), 16),
		"late end":     newScanner(iotest.DataErrReader(bytes.NewReader(text)), 64),
	}
}

func TestScan(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string // the wanted error, if any
	}{
		{"null", `null`, ""},
		{"truths", `[true,false]`, ""},
		{"numbers", `[0,-0,1,-1.5,1e9,1E+2,0.1e-3,123456789012345678901234567890]`, ""},
		{"plain strings", `["","a","abcdefgh","abcdefghijklmnopq"]`, ""},
		{"escapes", `["\"\\\/\b\f\n\r\t","abcdefgh\u00e9","\ud83d\ude00"]`, ""},
		{"half a surrogate pair", `["\ud83d","\ud83dx","\ud83d\u0041","\ude00"]`, ""},
		{"long runes", `["é","日本語","😀 in the middle of text 😀"]`, ""},
		{"bytes that are not UTF-8", "[\"\xff\",\"a\xc3\",\"\xe6\x97\",\"ok\"]", ""},
		{"space", " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } }                 \n", ""},
		{"keys with escapes", `{"a\nb":1,"":2}`, ""},
		{"the same key twice", `{"a":1,"a":2}`, ""},
		{"nothing", ``, "line 1: expected a value, found the end"},
		{"line of the error", "[1,\n2,\n}", `line 3: expected a value, found '}'`},
		{"comma before the end of a list", `[1,]`, `line 1: expected a value, found ']'`},
		{"comma before the end of an object", `{"a":1,}`, `line 1: expected a key, found '}'`},
		{"no comma", `[1 2]`, `line 1: expected "," or "]", found '2'`},
		{"no colon", `{"a" 1}`, `line 1: expected ":", found '1'`},
		{"bracket of the other kind", `{"a":1]`, `line 1: expected "," or "}", found ']'`},
		{"key that is no string", `{1:1}`, `line 1: expected a key or "}", found '1'`},
		{"leading zero", `[01]`, `line 1: expected the end of the number, found '1'`},
		{"point without digits", `[1.]`, `line 1: expected a digit, found ']'`},
		{"exponent without digits", `[1e+]`, `line 1: expected a digit, found ']'`},
		{"minus alone", `[-]`, `line 1: expected a digit, found ']'`},
		{"plus", `[+1]`, `line 1: expected a value, found '+'`},
		{"word cut short", `[nul]`, `line 1: expected null, found ']'`},
		{"unknown escape", `["\x"]`, `line 1: expected an escape such as \n, found 'x'`},
		{"bad hex digit", `["\u12g4"]`, `line 1: expected a hex digit, found 'g'`},
		{"line break in a string", "[\"a\nb\"]", `line 1: expected the end of the string, found the end of the line`},
		{"string without end", `["abc`, "line 1: expected the end of the string, found the end"},
		{"string with an escape and no end", `["a\nbc`, "line 1: expected the end of the string, found the end"},
		{"list without end", `[1,2`, `line 1: expected "," or "]", found the end`},
		{"object without end", `{"a":`, `line 1: expected a value, found the end`},
		{"something behind", `1 1`, `line 1: expected the end, found '1'`},
		{"deepest", strings.Repeat("[", defaultLimits.Depth) + strings.Repeat("]", defaultLimits.Depth), ""},
		{"too deep", strings.Repeat("[", defaultLimits.Depth+1), "line 1: expected at most 256 lists and objects within one another"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, s := range scanners([]byte(tt.text)) {
				got, err := scanAll(s)
				if tt.want != "" {
					if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
						t.Errorf("%s: error %v, want %s", how, err, tt.want)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: error %v", how, err)
					continue
				}
				if want := standard(t, []byte(tt.text)); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %v, but encoding/json reads %v", how, got, want)
				}
			}
		})
	}
}

// standard is what encoding/json reads.
func standard(t testing.TB, text []byte) any {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
	return v
}

func TestScanNonFinite(t *testing.T) {
	for how, s := range scanners([]byte(`[NaN, Infinity, -Infinity, -1, null]`)) {
		got, err := scanAll(s)
		want := []any{nil, nil, nil, json.Number("-1"), nil}
		if err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%s: %v, %v, want %v", how, got, err, want)
		}
		if s.nonFinite != 3 {
			t.Errorf("%s: %d values counted, want 3", how, s.nonFinite)
		}
	}
}

func TestScanPeek(t *testing.T) {
	const text = "\n{\"a\": [NaN, \"x\\u0041\"],\n\"b\": 1}"
	for how, s := range scanners([]byte(text)) {
		want := standard(t, []byte(strings.Replace(text, "NaN", "null", 1)))
		for range 2 {
			var got any
			if err := s.peek(func() { got = tree(s) }); err != nil || !reflect.DeepEqual(want, got) {
				t.Errorf("%s: peeked %v, %v, want %v", how, got, err, want)
			}
		}
		if got, err := scanAll(s); err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%s: read after a peek %v, %v, want %v", how, got, err, want)
		}
		if s.nonFinite != 1 || s.line(s.pos) != 3 {
			t.Errorf("%s: %d NaN at line %d, want 1 at line 3", how, s.nonFinite, s.line(s.pos))
		}
	}
}

func TestScanRaw(t *testing.T) {
	const value = "{\"b\" : [1,\n \"\\u0041\"] }"
	for how, s := range scanners([]byte("[" + value + ",2]")) {
		s.token()
		s.enter()
		s.nextItem()
		if got := string(s.raw()); got != value || s.err != nil {
			t.Errorf("%s: raw = %q, %v, want %q", how, got, s.err, value)
		}
		if !s.nextItem() || string(s.number()) != "2" || s.nextItem() {
			t.Errorf("%s: lost its place after raw: %v", how, s.err)
		}
	}
}

func TestScanReadError(t *testing.T) {
	broken := errors.New("cable pulled")
	s := newScanner(io.MultiReader(strings.NewReader(`{"a": "bcd`), iotest.ErrReader(broken)), 4)
	if err := s.peek(s.skip); !errors.Is(err, broken) {
		t.Errorf("peek: %v, want %v", err, broken)
	}
	if s.skip(); !errors.Is(s.err, broken) {
		t.Errorf("skip: %v, want %v", s.err, broken)
	}
}

// TestScanAllocates nothing per token.
func TestScanAllocates(t *testing.T) {
	text := []byte(`{"key":["plain","esc\naped",-1.5e3,true,null,{"a":{}}]}`)
	s := textScanner(text)
	s.skip()
	if n := testing.AllocsPerRun(100, func() {
		s.pos, s.depth = 0, 0
		s.skip()
	}); n > 0 {
		t.Errorf("%v allocations per value, want 0", n)
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-0.5e+3,"b\u00e9\ud83d\ude00\n",true,false,null],"":{}}`, `[NaN,-Infinity]`, "[\"\xff\"]", `"\ud83d"`,
		"[1,\n2", `{"a":1,"a":2}`, `[01]`, `"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\`, "\"\xe6\x97", `{"a"`, `-`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		whole := textScanner(bytes.Clone(text))
		want, err := scanAll(whole)
		for how, s := range scanners(text) {
			got, e := scanAll(s)
			if (e == nil) != (err == nil) || e == nil && !reflect.DeepEqual(got, want) || e != nil && e.Error() != err.Error() {
				t.Fatalf("%s: %v, %v, but whole: %v, %v", how, got, e, want, err)
			}
		}
		valid := json.Valid(text)
		if err == nil && whole.nonFinite == 0 && !valid {
			t.Fatalf("read what encoding/json does not: %v", want)
		}
		if err != nil && valid {
			if !strings.Contains(err.Error(), "within one another") {
				t.Fatalf("did not read what encoding/json does: %v", err)
			}
			return
		}
		if err == nil && valid {
			if std := standard(t, text); !reflect.DeepEqual(want, std) {
				t.Fatalf("read %v, but encoding/json reads %v", want, std)
			}
		}
	})
}

// FuzzCanonical holds canonical text against what encoding/json reads in it.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":[1.50,{"d":1,"c":"\u2028\u0000"}],"a":null,"b":2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := &decoder{s: textScanner(text)}
		got := d.appendCanonical(nil)
		if d.s.err != nil || !d.s.ended() || d.s.nonFinite > 0 {
			return
		}
		if want, says := standard(t, text), standard(t, got); !reflect.DeepEqual(says, want) {
			t.Fatalf("canonical text says %v, want %v", says, want)
		}
		again := &decoder{s: textScanner(bytes.Clone(got))}
		if twice := again.appendCanonical(nil); string(twice) != string(got) {
			t.Fatalf("canonical text of %s is %s", got, twice)
		}
	})
}

func TestCanonical(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{` { "b" : 1 , "a" : [ true , null , NaN ] } `, `{"a":[true,null,null],"b":1}`},
		{`{"b":1,"a":2,"b":3}`, `{"a":2,"b":3}`},
		{`{"z":{"y":1,"x":{}},"a":[]}`, `{"a":[],"z":{"x":{},"y":1}}`},
		{`[1.50,1e3,"\u00e9\/"]`, `[1.50,1e3,"é/"]`},
	} {
		d := &decoder{s: textScanner([]byte(tt.text))}
		if got := string(d.appendCanonical(nil)); got != tt.want {
			t.Errorf("canonical %s = %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestParseInt(t *testing.T) {
	for _, text := range []string{
		"0", "-0", "7", "-7", "1761146658415691700", "9223372036854775807", "-9223372036854775807",
		"9223372036854775808", "99999999999999999999", "18446744073709551617", "1.0", "1e3", "",
	} {
		want, err := strconv.ParseInt(text, 10, 64)
		got, ok := parseInt([]byte(text))
		// -0 is no integer that could keep its sign.
		if wantOK := err == nil && text != "-0"; ok != wantOK || ok && got != want {
			t.Errorf("parseInt(%q) = %d, %t, want %d, %t", text, got, ok, want, wantOK)
		}
	}
}
