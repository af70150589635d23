package decode

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// keys are the top-level keys of a row, as far as they have been seen.
type keys struct {
	seen  []string
	kinds []kind // of their values
	whole bool   // no more will be seen, and
	cut   bool   // that is because the row is too long to look at
	bad   bool   // no more can be seen, because the row breaks off or goes wrong
}

// has reports whether all of the names are among the keys.
func (k *keys) has(names ...string) bool {
	for _, n := range names {
		if !slices.Contains(k.seen, n) {
			return false
		}
	}
	return true
}

// any reports whether one of the names is among the keys.
func (k *keys) any(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(k.seen, n) })
}

// lacks reports whether none of the names is among the keys, once that is known.
func (k *keys) lacks(names ...string) bool { return k.whole && !k.any(names...) }

// only reports whether the names are all the keys there are, once that is known.
func (k *keys) only(names ...string) bool {
	return k.whole && len(k.seen) > 0 && !slices.ContainsFunc(k.seen, func(s string) bool { return !slices.Contains(names, s) })
}

// is reports whether a key is there with a value of one of the kinds.
func (k *keys) is(name string, kinds ...kind) bool {
	i := slices.Index(k.seen, name)
	return i >= 0 && slices.Contains(kinds, k.kinds[i])
}

// shownKeys is how many keys or columns a message lists.
const shownKeys = 12

// String lists the keys for a message.
func (k *keys) String() string {
	if len(k.seen) == 0 {
		return "object without keys"
	}
	var list []string
	for _, s := range k.seen[:min(shownKeys, len(k.seen))] {
		list = append(list, plain(s))
	}
	text := "object with keys " + strings.Join(list, ", ")
	if len(k.seen) > shownKeys || !k.whole {
		text += ", …"
	}
	return text
}

// A shape is what a row turns out to be.
type shape struct {
	format  *Format
	wrapper *wrapper
	foreign string // what it is, if this build does not read it
	ignored string // what it is, if it has nothing to say
}

const unread = ", which this build does not read"

// An entry of foreign names a shape of data that belongs to others' tools, or
// says nothing of a run, and the keys that give it away (spec §1.10).
var foreign = []struct {
	is    string
	match func(*keys) bool
}{
	{"holds log records, which say nothing of a run", func(k *keys) bool {
		return k.any("severity_text", "severityText", "severity_number", "severityNumber") && k.has("body")
	}},
	{"looks like a JSON Schema, not like what it describes", func(k *keys) bool { return k.any("$schema", "$defs") || k.has("properties", "type", "required") }},
	{"holds prices of models, not a run", func(k *keys) bool {
		return k.has("sample_spec") || k.any("pricing_urls", "input_cost_per_token") || k.has("matchPattern", "modelName") || k.is("chat", objectKind) && k.is("embeddings", objectKind)
	}},
	{"holds messages of a chat, of which no span tells times or tokens", func(k *keys) bool {
		return k.has("role") && k.any("content", "tool_calls", "parts") && k.lacks("trace_id", "span_id") || k.is("messages", listKind) && k.lacks("trace_id", "traceId", "success")
	}},
	{"holds the attributes of a span, without its ids and times", func(k *keys) bool {
		return k.any("openinference.span.kind", "gen_ai.operation.name") && k.lacks("trace_id", "traceId", "context.trace_id", "span_id", "name")
	}},
	{"holds task definitions, which are not a run", func(k *keys) bool {
		return k.has("id", "prompt") && k.any("expected_tool", "expected_keywords") && k.lacks("success")
	}},
}

// ignored is foreign for files that lie in every run's folder and may be
// dropped with it.
var ignored = []struct {
	what  string
	match func(*keys) bool
}{
	{"an effective policy says nothing about a run; ignored", func(k *keys) bool { return k.has("profile", "output_format") }},
}

// A wrapper is an object that holds rows instead of being one.
type wrapper struct {
	match  func(*keys) bool
	lists  []string       // the keys whose lists hold the rows; all if none are named
	item   string         // the key under which each item of the list holds its row, if it does
	agent  bool           // the lists' keys are agent types
	read   func(*decoder) // reads the object by itself
	format *Format        // what a file is that begins so, whatever its rows are
}

var wrappers []wrapper

func init() {
	// Set here because readers of wrappers lead back to them.
	wrappers = []wrapper{
		{match: func(k *keys) bool { return k.is("rows", listKind) }, lists: []string{"rows"}, item: "row"},
		{match: func(k *keys) bool {
			return k.only("tool", "code") && !slices.ContainsFunc(k.kinds, func(v kind) bool { return v != listKind })
		}, agent: true},
		{match: func(k *keys) bool { return k.has("smolscope") && k.is("runs", listKind) }, lists: []string{"runs"}, format: &exportedDocument},
		{match: func(k *keys) bool { return k.is("runs", listKind) }, lists: []string{"runs"}},
		{match: func(k *keys) bool { return k.is("leaderboard", objectKind) && k.any("results", "traces", "metrics") }, read: (*decoder).exportedRun},
		{match: isOTLP, read: (*decoder).otlpObject},
		{match: func(k *keys) bool { return k.is("observations", listKind) }, lists: []string{"observations"}},
		{match: func(k *keys) bool {
			return k.only("trace", "result") || k.is("span", objectKind) && k.lacks("trace_id", "span_id", "name")
		}, read: (*decoder).only},
		{match: func(k *keys) bool { return k.is("hits", objectKind) }, read: (*decoder).searchHits},
		{match: func(k *keys) bool { return k.is("_source", objectKind) }, read: (*decoder).searchHit},
		{match: func(k *keys) bool {
			return len(k.seen) == 1 && k.only("index", "create", "update", "delete") && k.is(k.seen[0], objectKind)
		}, read: (*decoder).bulkAction},
		{match: func(k *keys) bool {
			return k.is("data", listKind) && k.only("data", "total", "limit", "offset", "errors", "meta", "next_cursor")
		}, lists: []string{"data"}},
		{match: func(k *keys) bool {
			return len(k.seen) == 1 && k.kinds[0] == listKind && k.only("train", "results", "traces", "metrics", "leaderboard")
		}},
	}
}

// shapeOf tells what the keys seen so far give away, if anything.
func shapeOf(k *keys) (shape, bool) {
	last := len(wrappers) - 1 // keys that rows may have too
	for i := range wrappers[:last] {
		if wrappers[i].match(k) {
			return shape{wrapper: &wrappers[i]}, true
		}
	}
	for i := range Formats {
		if Formats[i].match(k) {
			return shape{format: &Formats[i]}, true
		}
	}
	for _, f := range foreign {
		if f.match(k) {
			return shape{foreign: f.is}, true
		}
	}
	for _, f := range ignored {
		if f.match(k) {
			return shape{ignored: f.what}, true
		}
	}
	if w := &wrappers[last]; w.match(k) {
		return shape{wrapper: w}, true
	}
	return shape{}, false
}

// sniff looks at the keys of the object that comes next. It looks no further
// than it must: a list or object is only read over when the keys before it
// leave open what this is, and of a row longer than maxPeek the keys in that
// part decide.
func (d *decoder) sniff() (shape, *keys) {
	var found shape
	k := &keys{seen: d.seen[:0], kinds: d.kinds[:0]}
	settled := false
	err := d.s.peek(func() {
		d.s.enter()
		for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
			k.seen = append(k.seen, d.keep.name(key))
			v := d.s.kind()
			k.kinds = append(k.kinds, v)
			if v == listKind || v == objectKind {
				if found, settled = shapeOf(k); settled {
					return
				}
			}
			d.s.skip()
		}
	})
	d.seen, d.kinds = k.seen, k.kinds
	if !settled {
		k.cut = err == errPeekLimit
		k.bad = err != nil && !k.cut
		k.whole = err == nil || k.cut
		found, _ = shapeOf(k)
	}
	return found, k
}

// magics are the first bytes of files that are not JSON.
var magics = []struct {
	looks string
	at    int
	bytes string
}{
	{"Parquet", 0, "PAR1"},
	{"a zip archive", 0, "PK\x03\x04"},
	{"an empty zip archive", 0, "PK\x05\x06"},
	{"a tar archive", 257, "ustar"},
	{"an Arrow file", 0, "ARROW1"},
	{"an Arrow stream", 0, "\xff\xff\xff\xff"},
	{"an SQLite database", 0, "SQLite format 3\x00"},
	{"UTF-16 text (save it as UTF-8)", 0, "\xff\xfe"},
	{"UTF-16 text (save it as UTF-8)", 0, "\xfe\xff"},
}

const (
	magicBytes = 262            // as far as a magic reaches
	headBytes  = 64 << 10       // looked at to tell frames of protobuf from others'
	byteOrder  = "\xef\xbb\xbf" // UTF-8's byte order mark
)

// binaryFormat names a file that is not JSON by its first bytes, or returns "".
func binaryFormat(head []byte) string {
	for _, m := range magics {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.bytes)) {
			return m.looks
		}
	}
	return ""
}

// textFormat names a text that is not JSON by how it begins.
func textFormat(head []byte) string {
	text := bytes.TrimLeft(head, " \t\r\n")
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return "looks like HTML or XML, expected JSON"
	case bytes.HasPrefix(text, []byte("version https://git-lfs")):
		return "is a Git LFS pointer, not the file it points to"
	case bytes.ContainsFunc(head, func(r rune) bool { return r < '\t' || r == utf8.RuneError }):
		return "unknown file format: binary data"
	}
	if columns := bytes.Split(bytes.TrimSpace(line), []byte{','}); len(columns) > 2 {
		var names []string
		for _, c := range columns[:min(len(columns), shownKeys)] {
			names = append(names, plain(string(bytes.Trim(c, `"`))))
		}
		return "looks like CSV with columns " + strings.Join(names, ", ") + ", none of which is known"
	}
	return "unknown file format: text that begins " + quote(string(line))
}

// looksLikeCSV reports whether a text begins with a line of columns of ours.
func looksLikeCSV(head []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte{'\n'})
	return bytes.ContainsRune(line, ',') && slices.ContainsFunc(csvColumns, func(c string) bool { return bytes.Contains(line, []byte(c)) })
}

var csvColumns = []string{"task_id", "test_id", "trace_id", "span_id", "run_id", "metric_name"}
