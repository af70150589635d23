package enrich

import (
	"cmp"
	"fmt"
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
	missing []string          // whose cost is not known and why, each once
	flags   []string          // sorted
}

// A basis is what leaves take their cost from, for a reader.
type basis struct {
	source
	parts  *[costPartCount]source // of each part, nil where that is the total's
	what   string                 // "LLM call" or "AGENT span"
	leaves int
}

// same reports whether leaves take their cost from the same as others.
func (b basis) same(other basis) bool {
	if b.source != other.source || b.what != other.what || (b.parts == nil) != (other.parts == nil) {
		return false
	}
	return b.parts == nil || *b.parts == *other.parts
}

// A source is where an amount comes from.
type source struct {
	kind ProvenanceKind
	verb string // "states" or "×"
	text string // "" where the amount is not known
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
		if c.basis != "" {
			b.miss(strings.TrimPrefix(c.model+": ", ": ") + c.basis)
		}
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
	if c.basis == "" {
		return // a leaf beside this one has the cost of both
	}
	of := source{Reported, "states", c.basis}
	estimate := ""
	switch c.source {
	case costPriced:
		of.kind, of.verb = Priced, "×"
	case costEstimated:
		estimate = ", its producer's estimate"
	}
	from := basis{source: of, what: what, leaves: 1}
	from.text += estimate
	if c.parts != nil && c.from != nil {
		from.parts = new([costPartCount]source)
		for i, v := range c.parts {
			if v != nil {
				from.parts[i] = source{c.from[i].Kind, of.verb, c.from[i].From + estimate}
			}
		}
	}
	b.rest(from)
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
	for _, why := range other.missing {
		b.miss(why)
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
	i := slices.IndexFunc(b.bases, on.same)
	if i < 0 {
		b.bases = append(b.bases, on)
	} else {
		b.bases[i].leaves += on.leaves
	}
}

// miss notes why a leaf has no cost.
func (b *bill) miss(why string) {
	if !slices.Contains(b.missing, why) {
		b.missing = append(b.missing, why)
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

// mostReasons is how many reasons of one kind are told to a reader.
const mostReasons = 3

// origin says where the total comes from: priced where any part of it is.
func (b *bill) origin() Origin {
	return b.originOf(func(from *basis) source { return from.source })
}

// partOrigin says where a part comes from.
func (b *bill) partOrigin(i int) Origin {
	return b.originOf(func(from *basis) source {
		if from.parts == nil {
			return from.source
		}
		return from.parts[i]
	})
}

func (b *bill) originOf(amount func(*basis) source) Origin {
	o := Origin{Kind: Reported}
	var texts []string
	more := 0
	for i := range b.bases {
		from := &b.bases[i]
		s := amount(from)
		if s.text == "" {
			continue
		}
		if s.kind == Priced {
			o.Kind = Priced
		}
		if s.verb == "states" && from.leaves > 1 {
			s.verb = "state"
		}
		if len(texts) < mostReasons {
			texts = append(texts, plural(from.leaves, from.what)+" "+s.verb+" "+s.text)
		} else {
			more++
		}
	}
	if more > 0 {
		texts = append(texts, "and "+plural(more, "more price"))
	}
	o.From = strings.Join(texts, "; ")
	return o
}

// sourceReason says how cost_source came about, and why a cost is not known.
func (b *bill) sourceReason() string {
	reason := "the weakest source among the calls"
	if n := len(b.missing); n > mostReasons {
		return reason + "; no price for " + strings.Join(b.missing[:mostReasons], "; ") + fmt.Sprintf("; and %d more", n-mostReasons)
	} else if n > 0 {
		return reason + "; no price for " + strings.Join(b.missing, "; ")
	}
	return reason
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
