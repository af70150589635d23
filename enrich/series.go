package enrich

import (
	"cmp"
	"maps"
	"slices"

	"smolscope/enrich/attr"
)

// A reading is one number that was read at a moment.
type reading struct {
	at    Time
	value float64
}

// A series is what one resource reports of one metric with one set of
// attributes (spec §3.9): its readings by time, each time once, over all export
// batches and files.
type series struct {
	attrs    attr.Set
	delta    bool // the readings count on from each other, not from the start
	readings []reading
}

// maxReading is more than any GPU, meter or counter reads. A number above it is
// a mistake, and would make the sums infinite; so is one below zero.
const maxReading = 1e12

// seriesOf gathers the series of the named metrics, by metric. Flattened rows
// serve only for metrics that no other file holds: they repeat one GPU of what
// the exporter wrote (spec §6 B6).
func seriesOf(docs []MetricsDoc, metrics ...string) map[string][]series {
	exported := map[string]bool{}
	for i := range docs {
		if !docs[i].Flattened {
			for k := range docs[i].Samples {
				exported[docs[i].Samples[k].Metric] = true
			}
		}
	}
	g := gatherer{all: map[string]*gathered{}, resources: map[*Resource]string{}}
	for i := range docs {
		for k := range docs[i].Samples {
			s := &docs[i].Samples[k]
			if slices.Contains(metrics, s.Metric) && !(docs[i].Flattened && exported[s.Metric]) {
				g.add(s)
			}
		}
	}
	return g.series()
}

// A gatherer sorts samples into series.
type gatherer struct {
	all       map[string]*gathered
	resources map[*Resource]string // as JSON
	key       []byte               // scratch
}

// A gathered series is one of those that differ in nothing but their resource.
type gathered struct {
	series
	metric string
	alike  string // what identifies it, but for the resource beyond its service
	plain  bool   // of the resource at most the service is known
}

func (g *gatherer) add(s *Sample) {
	if s.Value == nil || s.Time <= 0 || !(*s.Value >= 0 && *s.Value <= maxReading) {
		return
	}
	resource, service := "", ""
	if s.Resource != nil {
		resource = g.resources[s.Resource]
		if resource == "" {
			resource = string(s.Resource.Attrs.AppendJSON(nil))
			g.resources[s.Resource] = resource
		}
		service, _ = s.Resource.Attrs.Str(attr.ServiceName)
	}
	g.key = append(append(g.key[:0], s.Metric...), 0)
	g.key = append(append(s.Attrs.AppendJSON(g.key), 0), s.Temporality...)
	g.key = append(append(g.key, 0), service...)
	alike := len(g.key)
	g.key = append(append(g.key, 0), resource...)
	one := g.all[string(g.key)]
	if one == nil {
		known := 0
		if service != "" {
			known = 1
		}
		one = &gathered{metric: s.Metric, alike: string(g.key[:alike]), plain: s.Resource == nil || len(s.Resource.Attrs) == known}
		one.attrs, one.delta = s.Attrs, s.Temporality == "delta"
		g.all[string(g.key)] = one
	}
	one.readings = append(one.readings, reading{s.Time, *s.Value})
}

// series returns what was gathered, in an order that does not depend on that of
// the samples. A series of a resource of which only the service is known, as
// our own metrics rows have it, is the one with the whole resource, if it is there.
func (g *gatherer) series() map[string][]series {
	whole := map[string][]*gathered{}
	for _, one := range g.all {
		if !one.plain {
			whole[one.alike] = append(whole[one.alike], one)
		}
	}
	for key, one := range g.all {
		if same := whole[one.alike]; one.plain && len(same) > 0 {
			if len(same) == 1 {
				same[0].readings = append(same[0].readings, one.readings...)
			}
			delete(g.all, key)
		}
	}
	out := map[string][]series{}
	for _, key := range slices.Sorted(maps.Keys(g.all)) {
		one := g.all[key]
		one.settle()
		out[one.metric] = append(out[one.metric], one.series)
	}
	return out
}

// settle orders the readings and drops repeats; of two that contradict each
// other the greater one stays, whichever came first.
func (s *series) settle() {
	slices.SortFunc(s.readings, func(a, b reading) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.value, a.value))
	})
	s.readings = slices.CompactFunc(s.readings, func(a, b reading) bool { return a.at == b.at })
}

// total returns what a counter counted: the sum of its increments from 0, where
// a fall means that it began anew (spec §3.9).
func (s *series) total() float64 {
	total, last := 0.0, 0.0
	for _, r := range s.readings {
		if s.delta || r.value < last {
			last = 0
		}
		total += r.value - last
		last = r.value
	}
	return total
}

// increase returns what a counter counted from its first reading to its last. Unlike
// total it serves for counters that began long before, as those of devices do.
func (s *series) increase() float64 {
	if s.delta || len(s.readings) == 0 {
		return s.total()
	}
	return s.total() - s.readings[0].value
}

// totals adds up the counters that fit; nil of none.
func totals(list []series, fits func(*series) bool) *float64 {
	var s sum[float64]
	for i := range list {
		if fits(&list[i]) {
			s.add(new(list[i].total()))
		}
	}
	return s.value()
}

// has reports whether an attribute of the series has a value.
func (s *series) has(key, value string) bool {
	v, _ := s.attrs.Str(attr.Field{key})
	return v == value
}
