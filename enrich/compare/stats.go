package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"smolscope/enrich"
)

// Verdicts are the tests that two runs share and that were scored in both, by how
// each ended.
type Verdicts struct {
	Both    int `json:"both"`    // passed in both
	Base    int `json:"base"`    // passed in the baseline alone
	Other   int `json:"other"`   // passed in the other run alone
	Neither int `json:"neither"` // passed in neither
}

// N is how many tests there are.
func (v Verdicts) N() int { return v.Both + v.Base + v.Other + v.Neither }

// P is the two-sided exact probability (McNemar) of a split as uneven as that of
// the tests that ended differently, if both runs were equally good: each of those
// tests is then as likely to favour one as the other.
func (v Verdicts) P() float64 {
	n, k := v.Base+v.Other, min(v.Base, v.Other)
	sum := 0.0
	for i := 0; i <= k; i++ {
		sum += math.Exp(logChoose(n, i) - float64(n)*math.Ln2)
	}
	return min(1, 2*sum)
}

func logChoose(n, k int) float64 {
	log := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return log(n) - log(k) - log(n-k)
}

// Difference returns the share of tests passed in the other run less that in the
// baseline, and its 95 % interval by Newcombe's score method for paired shares
// (his method 10 of 1998): the Wilson intervals of both, joined by how much the
// verdicts go together. Of no tests it is all of [-1, 1].
func (v Verdicts) Difference() (diff, low, high float64) {
	n := int64(v.N())
	if n == 0 {
		return 0, -1, 1
	}
	a, b, c, d := float64(v.Both), float64(v.Other), float64(v.Base), float64(v.Neither)
	p1, p2 := (a+b)/float64(n), (a+c)/float64(n) // other, baseline
	l1, u1 := enrich.Wilson(int64(a+b), n)
	l2, u2 := enrich.Wilson(int64(a+c), n)
	phi := 0.0
	if product := (a + b) * (c + d) * (a + c) * (b + d); product > 0 {
		phi = (a*d - b*c) / math.Sqrt(product)
	}
	joined := func(x, y float64) float64 { return math.Sqrt(max(0, x*x-2*phi*x*y+y*y)) }
	diff = p1 - p2
	return diff, max(-1, diff-joined(p1-l1, u2-p2)), min(1, diff+joined(u1-p1, p2-l2))
}

// draws is about how many values are drawn for one interval, so that many tests
// take no longer than a few do.
const draws = 1 << 19

// Interval returns the mean of differences and its 95 % interval by the percentile
// bootstrap: means of as many differences, drawn anew. The draws are the same each
// time. Of fewer than two differences there is no interval, and ok is false.
func Interval(differences []float64) (mean, low, high float64, ok bool) {
	n := len(differences)
	if n == 0 {
		return 0, 0, 0, false
	}
	for _, d := range differences {
		mean += d / float64(n)
	}
	if n == 1 {
		return mean, 0, 0, false
	}
	random := rand.NewPCG(1, uint64(n))
	means := make([]float64, min(2000, max(500, draws/n)))
	for i := range means {
		for range n {
			// The upper half of a product is as good as even: n is far below 2³².
			means[i] += differences[random.Uint64()>>32*uint64(n)>>32]
		}
		means[i] /= float64(n)
	}
	slices.Sort(means)
	return mean, *enrich.Percentile(means, 0.025), *enrich.Percentile(means, 0.975), true
}
