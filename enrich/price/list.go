package price

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// embedded is made by generate.js: a head, an empty line, then a line for each
// price with the names that have it.
//
//go:embed list.tsv
var embedded string

// A List is a set of dated prices. It never changes, so it is safe for use by
// several goroutines.
type List struct {
	rows      []index // asked in this order: the user's own before the built-in
	fallbacks map[string][]string
	sold      map[string]bool // providers of the built-in rows
	source    string
	asOf      string
	hash      string
	own       []Row // as With was given them, the latest first
}

// An index has rows by key, the latest price first.
type index map[string][]Row

var builtin = sync.OnceValue(func() *List {
	list, err := parse(embedded)
	if err != nil {
		panic(fmt.Sprintf("price: list.tsv: %v", err)) // a test reads it
	}
	return list
})

// Builtin returns the list that the program comes with.
func Builtin() *List { return builtin() }

// With returns a list that asks rows before those of l, for each form of a name.
func (l *List) With(rows []Row) *List {
	if len(rows) == 0 {
		return l
	}
	own := *l
	own.rows = append([]index{newIndex(rows)}, l.rows...)
	body, _ := json.Marshal(slices.SortedStableFunc(slices.Values(rows), order)) // prices are finite: ReadFile refuses others
	sum := sha256.Sum256(append([]byte(l.hash), body...))
	own.hash = hex.EncodeToString(sum[:])
	own.own = slices.Concat(rows, l.own)
	return &own
}

// Own returns the rows that were put before the built-in ones, nil if there are none.
func (l *List) Own() []Row { return l.own }

// AsOf returns the date of the built-in list, 2006-01-02.
func (l *List) AsOf() string { return l.asOf }

// Source returns where the built-in list is from.
func (l *List) Source() string { return l.source }

// Hash returns hex digits that change when a price does, so that what was priced
// with another list is known.
func (l *List) Hash() string { return l.hash }

// Keys returns the names that have a price, sorted.
func (l *List) Keys() []string {
	keys := make(map[string]bool)
	for _, rows := range l.rows {
		for key := range rows {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// Match returns the price at a time (zero: the latest) of what a trace calls
// model, sold by system: OpenTelemetry's name of spec §2.4, or "" where that is
// unknown. Names are matched exactly, in the order of Forms; never by a part of
// them, nor by likeness.
//
// Sellers charge different prices for one name, so a row counts only if it is
// of the right one. The first that is known decides:
//
//   - a host or a local runtime that begins the name (groq/…, azure/…, ollama/…),
//   - system, if it is one,
//   - who makes the model: the vendor that begins the name (openai/…), system,
//     or whose model the name is known to be (claude-…),
//   - nobody: then no built-in price counts, even if one seller alone lists the
//     name, since weights may run anywhere, for nothing. The user's own rows do
//     if they agree and the name is no path.
//
// What ollama, transformers or vllm run is nobody's sale: only the user's own
// rows price it. A row without a provider is for any seller.
func (l *List) Match(model, system string, at time.Time) (Match, bool) {
	sellers := l.sellers(model, system)
	for _, form := range Forms(model) {
		for i, rows := range l.rows {
			anyone := len(sellers) == 0 && i < len(l.rows)-1 && !strings.Contains(model, "/")
			if row, ok := pick(rows[form.Name], sellers, anyone, at); ok {
				return Match{Row: row, How: form.How, Name: form.Name}, true
			}
		}
	}
	return Match{}, false
}

// pick returns the row of the first seller that has one at the time.
func pick(rows []Row, sellers []string, anyone bool, at time.Time) (Row, bool) {
	valid := make(map[string]Row) // by provider, the latest
	for _, row := range rows {
		provider := providerOf(row)
		if _, later := valid[provider]; !later && row.holds(at) {
			valid[provider] = row
		}
	}
	for _, seller := range sellers {
		if row, ok := valid[seller]; ok {
			return row, true
		}
	}
	if row, ok := valid[""]; ok {
		return row, true
	}
	if !anyone {
		return Row{}, false
	}
	var first *Row
	for _, provider := range slices.Sorted(maps.Keys(valid)) {
		row := valid[provider]
		if first == nil {
			first = &row
		} else if !samePrices(*first, row) {
			return Row{}, false
		}
	}
	if first == nil {
		return Row{}, false
	}
	return *first, true
}

// holds reports whether the row is the price at a time, where the zero time is
// the latest day, at no hour.
func (r Row) holds(at time.Time) bool {
	if at.IsZero() {
		return r.Hours == ""
	}
	at = at.UTC()
	if r.ValidFrom > at.Format(time.DateOnly) {
		return false
	}
	start, end, windowed := strings.Cut(r.Hours, "-")
	if !windowed {
		return true
	}
	hour := at.Format("15:04")
	if end < start {
		return hour >= start || hour < end
	}
	return hour >= start && hour < end
}

func samePrices(a, b Row) bool {
	return pricesOf(a) == pricesOf(b)
}

// pricesOf writes the prices of a row alone, as list.tsv does.
func pricesOf(r Row) string {
	words := []string{prices(r.Input, r.Output, r.CacheRead, r.CacheWrite, r.Reasoning)}
	for _, t := range r.Tiers {
		words = append(words, fmt.Sprintf("%d:%s", t.Above, prices(t.Input, t.Output, t.CacheRead, t.CacheWrite, t.Reasoning)))
	}
	return strings.Join(words, " ")
}

func prices(list ...*float64) string {
	words := make([]string, len(list))
	for i, p := range list {
		if p != nil {
			words[i] = strconv.FormatFloat(*p, 'g', -1, 64)
		}
	}
	return strings.Join(words, "/")
}

func newIndex(rows []Row) index {
	byKey := make(index)
	for _, row := range rows {
		byKey[row.Key] = append(byKey[row.Key], row)
	}
	for _, same := range byKey {
		slices.SortStableFunc(same, order)
	}
	return byKey
}

// order sorts rows by key and provider, the latest first and, of one day, the
// hours of the day before the rest of it.
func order(a, b Row) int {
	return cmp.Or(
		strings.Compare(a.Key, b.Key),
		strings.Compare(providerOf(a), providerOf(b)),
		strings.Compare(b.ValidFrom, a.ValidFrom),
		strings.Compare(b.Hours, a.Hours))
}

func providerOf(r Row) string {
	if r.Provider == nil {
		return ""
	}
	return *r.Provider
}

// parse reads list.tsv.
func parse(text string) (*List, error) {
	sum := sha256.Sum256([]byte(text))
	l := &List{fallbacks: make(map[string][]string), sold: make(map[string]bool), hash: hex.EncodeToString(sum[:])}
	head, body, _ := strings.Cut(text, "\n\n")
	for line := range strings.Lines(head) {
		switch f := strings.Split(strings.TrimSpace(line), "\t"); {
		case len(f) == 2 && f[0] == "source":
			l.source = f[1]
		case len(f) == 2 && f[0] == "as_of":
			l.asOf = f[1]
		case len(f) > 2 && f[0] == "fallback":
			l.fallbacks[f[1]] = f[2:]
		default:
			return nil, fmt.Errorf("head: %q, want source, as_of or fallback", line)
		}
	}
	var rows []Row
	for line := range strings.Lines(body) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) < 3 || len(f) > 10 {
			return nil, fmt.Errorf("%q has %d fields, want 3 to 10", line, len(f))
		}
		f = append(f, make([]string, 10-len(f))...)
		row := Row{Provider: &f[1], ValidFrom: f[7], Hours: f[8], Source: l.source}
		if err := setPrices(f[2:7], &row.Input, &row.Output, &row.CacheRead, &row.CacheWrite, &row.Reasoning); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		for word := range strings.FieldsSeq(f[9]) {
			above, list, _ := strings.Cut(word, ":")
			tier, err := parseTier(above, strings.Split(list, "/"))
			if err != nil {
				return nil, fmt.Errorf("%q: tier %q: %w", line, word, err)
			}
			row.Tiers = append(row.Tiers, tier)
		}
		l.sold[f[1]] = true
		for key := range strings.SplitSeq(f[0], ",") {
			row.Key = key
			rows = append(rows, row)
		}
	}
	l.rows = []index{newIndex(rows)}
	return l, nil
}

func parseTier(above string, list []string) (Tier, error) {
	var t Tier
	n, err := strconv.ParseInt(above, 10, 64)
	if err != nil {
		return t, err
	}
	t.Above = n
	return t, setPrices(list, &t.Input, &t.Output, &t.CacheRead, &t.CacheWrite, &t.Reasoning)
}

// setPrices reads one price into each field; an empty word leaves it nil.
func setPrices(words []string, fields ...**float64) error {
	if len(words) != len(fields) {
		return fmt.Errorf("%d prices, want %d", len(words), len(fields))
	}
	for i, word := range words {
		if word == "" {
			continue
		}
		p, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return err
		}
		*fields[i] = &p
	}
	return nil
}
