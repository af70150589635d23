package enrich

import (
	"cmp"
	"slices"
)

// together is how far apart the readings of several GPUs may be, in
// nanoseconds, that count as taken at one moment (spec §3.9).
const together = 1e9

// A moment is one round of readings: the sum over all GPUs.
type moment struct {
	at    Time // of the first reading
	total float64
}

// moments adds up the readings of several GPUs at each moment. A GPU without a
// reading at a moment has its last one; before its first it adds nothing.
func moments(gpus []series) []moment {
	type from struct {
		reading
		gpu int
	}
	var all []from
	for gpu := range gpus {
		for _, r := range gpus[gpu].readings {
			all = append(all, from{r, gpu})
		}
	}
	slices.SortFunc(all, func(a, b from) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.gpu, b.gpu)) })
	last := make([]float64, len(gpus))
	in := make([]int, len(gpus)) // the latest moment that the GPU has a reading in, from 1
	var list []moment
	total := 0.0
	for _, r := range all {
		// A GPU that comes again begins a new moment, however soon: it may be
		// sampled more than once a second.
		if n := len(list); n == 0 || r.at-list[n-1].at > together || in[r.gpu] == n {
			list = append(list, moment{at: r.at})
		}
		total = max(0, total+r.value-last[r.gpu])
		last[r.gpu], in[r.gpu] = r.value, len(list)
		list[len(list)-1].total = total
	}
	return list
}

// summed returns mean and maximum over time of the sum over all GPUs.
func summed(gpus []series) (mean, highest *float64) {
	var totals []float64
	for _, m := range moments(gpus) {
		totals = append(totals, m.total)
	}
	return meanMax(totals)
}

// pooled returns mean and maximum over all readings of all GPUs.
func pooled(gpus []series) (mean, highest *float64) {
	var values []float64
	for i := range gpus {
		for _, r := range gpus[i].readings {
			values = append(values, r.value)
		}
	}
	return meanMax(values)
}

// capacity returns the sum over GPUs of the highest reading of each.
func capacity(gpus []series) *float64 {
	var s sum[float64]
	for i := range gpus {
		_, highest := pooled(gpus[i : i+1])
		s.add(highest)
	}
	return s.value()
}

func meanMax(values []float64) (mean, highest *float64) {
	if len(values) == 0 {
		return nil, nil
	}
	total := 0.0
	for _, v := range values {
		total += v
	}
	return new(total / float64(len(values))), new(slices.Max(values))
}
