package enrich

import (
	"cmp"
	"slices"
	"strings"

	"smolscope/enrich/attr"
)

// A bill is what usage leaves cost together: those of a test, a trace or a run
// (spec §3.8, roll-up). The zero bill has no leaf.
type bill struct {
	leaves  int // with tokens
	priced  int // whose cost is known
	source  string
	total   float64 // USD of the leaves whose cost is known
	parts   [costPartCount]sum[float64]
	unsplit bool // a known cost has no parts
	ours    float64
	ownable int // leaves that the price list has a price for
	bases   []basis
	models  map[string]string // name that was looked up → rule it matched by, "none" for not
	flags   []string          // sorted
}

// A basis is what leaves take their cost from, for a reader.
type basis struct {
	kind   ProvenanceKind
	text   string
	what   string // "LLM call" or "AGENT span"
	leaves int
}

// charge adds one leaf.
func (b *bill) charge(c *leafCost, what string) {
	b.leaves++
	b.source = weakest(b.source, c.source)
	for _, flag := range c.flags {
		b.flag(flag)
	}
	if c.model != "" {
		b.match(c.model, cmp.Or(c.how, "none"))
	}
	if c.ours != nil {
		b.ours += *c.ours
		b.ownable++
	}
	if c.source == costUnknown {
		return
	}
	b.priced++
	b.total += c.total
	b.unsplit = b.unsplit || c.parts == nil
	if c.parts != nil {
		for i, v := range c.parts {
			b.parts[i].add(v)
		}
	}
	kind, text := Reported, c.basis
	switch c.source {
	case costPriced:
		kind = Priced
	case costEstimated:
		text += ", its producer's estimate"
	}
	b.rest(basis{kind, text, what, 1})
}

// add adds another bill to this one.
func (b *bill) add(other *bill) {
	b.leaves += other.leaves
	b.priced += other.priced
	b.source = weakest(b.source, other.source)
	b.total += other.total
	for i := range b.parts {
		b.parts[i].total += other.parts[i].total
		b.parts[i].known += other.parts[i].known
	}
	b.unsplit = b.unsplit || other.unsplit
	b.ours += other.ours
	b.ownable += other.ownable
	for _, o := range other.bases {
		b.rest(o)
	}
	for model, how := range other.models {
		b.match(model, how)
	}
	for _, flag := range other.flags {
		b.flag(flag)
	}
}

// rest notes what leaves take their cost from.
func (b *bill) rest(on basis) {
	i := slices.IndexFunc(b.bases, func(mine basis) bool {
		return mine.kind == on.kind && mine.text == on.text && mine.what == on.what
	})
	if i < 0 {
		b.bases = append(b.bases, on)
	} else {
		b.bases[i].leaves += on.leaves
	}
}

// match notes by which rule a model was looked up.
func (b *bill) match(model, how string) {
	if known, ok := b.models[model]; ok && known == how {
		return
	}
	if b.models == nil {
		b.models = map[string]string{}
	}
	b.models[model] = how
}

// flag adds a flag in its place.
func (b *bill) flag(flag string) {
	if i, found := slices.BinarySearch(b.flags, flag); !found {
		b.flags = slices.Insert(b.flags, i, flag)
	}
}

// weakest returns the less sure of two sources of cost.
func weakest(a, b string) string {
	if slices.Index(costSources, a) < slices.Index(costSources, b) {
		return b
	}
	return a
}

// known reports whether all leaves have a cost, and there is one.
func (b *bill) known() bool { return b.leaves > 0 && b.priced == b.leaves }

// value returns the total in USD, nil when any leaf has no price.
func (b *bill) value() *float64 {
	if !b.known() {
		return nil
	}
	return new(b.total)
}

// part returns a part of the total in USD; nil also when no leaf reports its
// tokens, or when a leaf's cost cannot be split.
func (b *bill) part(i int) *float64 {
	if !b.known() || b.unsplit {
		return nil
	}
	return b.parts[i].value()
}

// origin says where the total comes from: priced where any part of it is.
func (b *bill) origin() Origin {
	const most = 3
	o := Origin{Kind: Reported}
	var texts []string
	for i, basis := range b.bases {
		verb := " × "
		if basis.kind == Priced {
			o.Kind = Priced
		} else if verb = " state "; basis.leaves == 1 {
			verb = " states "
		}
		if i < most {
			texts = append(texts, plural(basis.leaves, basis.what)+verb+basis.text)
		}
	}
	if more := len(b.bases) - most; more > 0 {
		texts = append(texts, "and "+plural(more, "more price"))
	}
	o.From = strings.Join(texts, "; ")
	return o
}

// partsOrigin says where the parts come from.
func (b *bill) partsOrigin() Origin {
	if slices.Contains(b.flags, FlagCostSplitScaled) {
		return Origin{Priced, "reported total, divided in the proportions of the price list"}
	}
	return b.origin()
}

// raise flags at a place what its costs need to be read with.
func (b *bill) raise(found *findings, where string) {
	for _, flag := range b.flags {
		found.flag(where, flag)
	}
	if b.partial() {
		found.flag(where, FlagPartialCost)
	}
}

// partial reports whether some leaves have a cost and some have not.
func (b *bill) partial() bool { return 0 < b.priced && b.priced < b.leaves }

// findings is the bill's share of a data_quality column: the sum and number of
// the priced calls where not all are, what the price list makes of a reported
// cost that it differs from, and how models were found in the list.
func (b *bill) findings() []attr.KeyValue {
	var list []attr.KeyValue
	add := func(key string, v attr.Value) { list = append(list, attr.KeyValue{Key: key, Value: v}) }
	if b.partial() {
		add("partial_cost_usd", attr.FloatValue(b.total))
		add("priced_calls", attr.StringValue(compact(int64(b.priced))+"/"+compact(int64(b.leaves))))
	}
	if slices.Contains(b.flags, FlagCostDiffers) && b.ownable == b.leaves {
		add("priced_cost_usd", attr.FloatValue(b.ours))
	}
	if len(b.models) > 0 {
		matches := make([]attr.KeyValue, 0, len(b.models))
		for model, how := range b.models {
			matches = append(matches, attr.KeyValue{Key: model, Value: attr.StringValue(how)})
		}
		add("price_match", attr.JSONValue(string(attr.NewSet(matches).AppendJSON(nil))))
	}
	return list
}
