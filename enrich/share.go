package enrich

import "slices"

// A window is the time that something ran, from < to.
type window struct{ from, to Time }

// within returns the part of the window that lies in another, and whether there is one.
func (w window) within(other window) (window, bool) {
	w = window{max(w.from, other.from), min(w.to, other.to)}
	return w, w.from < w.to
}

// An amount tells how much of something was used up to a moment; it never falls.
type amount func(Time) float64

// split shares out what was used: at each instant evenly among the windows that
// run then. It returns the share of each window, and how much any one window
// would have got that ran all the time.
func split(used amount, windows []window) (shares []float64, each amount) {
	times := make([]Time, 0, 2*len(windows))
	for _, w := range windows {
		times = append(times, w.from, w.to)
	}
	slices.Sort(times)
	times = slices.Compact(times)
	place := func(t Time) int {
		i, _ := slices.BinarySearch(times, t)
		return i
	}
	running := make([]int, len(times)) // from each time to the next
	for _, w := range windows {
		running[place(w.from)]++
		running[place(w.to)]--
	}
	got := make([]float64, len(times)) // up to each time
	for i := 1; i < len(times); i++ {
		got[i] = got[i-1]
		if running[i-1] > 0 {
			got[i] += max(0, used(times[i])-used(times[i-1])) / float64(running[i-1])
		}
		running[i] += running[i-1]
	}
	shares = make([]float64, len(windows))
	for k, w := range windows {
		shares[k] = got[place(w.to)] - got[place(w.from)]
	}
	return shares, func(t Time) float64 {
		i, exact := slices.BinarySearch(times, t)
		switch {
		case exact:
			return got[i]
		case i == 0:
			return 0
		case running[i-1] == 0:
			return got[i-1]
		}
		return got[i-1] + max(0, used(t)-used(times[i-1]))/float64(running[i-1])
	}
}
