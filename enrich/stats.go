package enrich

import (
	"math"
	"slices"
)

// Percentile returns the p-quantile of ascending values, 0 ≤ p ≤ 1, by linear
// interpolation between order statistics (Hyndman and Fan's type 7, which
// NumPy and spreadsheets use; spec §3.6), or nil of no values.
func Percentile(sorted []float64, p float64) *float64 {
	if len(sorted) == 0 {
		return nil
	}
	h := float64(len(sorted)-1) * p
	low := int(math.Floor(h))
	high := min(low+1, len(sorted)-1)
	return new(sorted[low] + (h-float64(low))*(sorted[high]-sorted[low]))
}

// Wilson returns the 95 % Wilson score interval of k successes in n trials, as
// fractions; of no trials it is all of [0, 1].
func Wilson(k, n int64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	p, m := float64(k)/float64(n), float64(n)
	mid := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	scale := 1 + z*z/m
	return max(0, (mid-half)/scale), min(1, (mid+half)/scale)
}

// mode returns the commonest value, of equals the one seen first, or nil.
func mode[T comparable](values []T) *T {
	counts := make(map[T]int, len(values))
	for _, v := range values {
		counts[v]++
	}
	var best *T
	for i := range values {
		if best == nil || counts[values[i]] > counts[*best] {
			best = &values[i]
		}
	}
	return best
}

// A ballot counts names; "" is none. The zero ballot is empty.
type ballot struct {
	names  []string // in the order in which they came
	counts map[string]int
}

func (t *ballot) add(name string) {
	if name == "" {
		return
	}
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	if t.counts[name] == 0 {
		t.names = append(t.names, name)
	}
	t.counts[name]++
}

// mode returns the commonest name, the first of those that tie, or "".
func (t *ballot) mode() string {
	best := ""
	for _, name := range t.names {
		if t.counts[name] > t.counts[best] {
			best = name
		}
	}
	return best
}

// A sum adds what is known: of nothing known it is nil, not 0 (spec §3 G2).
type sum[T int64 | float64] struct {
	total T
	known int
}

func (s *sum[T]) add(v *T) {
	if v != nil {
		s.total += *v
		s.known++
	}
}

func (s *sum[T]) value() *T {
	if s.known == 0 {
		return nil
	}
	return new(s.total)
}

// mean returns the mean over the known values, nil of none.
func (s *sum[T]) mean() *float64 {
	if s.known == 0 {
		return nil
	}
	return new(float64(s.total) / float64(s.known))
}

// unique returns the values in order of first appearance.
func unique[T comparable](values []T) []T {
	seen := make(map[T]bool, len(values))
	return slices.DeleteFunc(slices.Clone(values), func(v T) bool {
		if seen[v] {
			return true
		}
		seen[v] = true
		return false
	})
}
