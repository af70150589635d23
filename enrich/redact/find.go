package redact

import (
	"cmp"
	"maps"
	"slices"

	"smolscope/enrich"
)

// A Finding is one kind of secret that a run holds.
type Finding struct {
	Name   string // of the rule
	Means  string
	Count  int
	Places []string // dataset and column that hold some, sorted
}

// Find counts the secrets in a run's rows by rule, the most frequent first. It
// tells where they are and not what they are.
func Find(t *enrich.Tables) []Finding {
	f := finder{}
	look(f, enrich.Leaderboard, enrich.LeaderboardColumns, []enrich.LeaderboardRow{t.Leaderboard})
	look(f, enrich.Results, enrich.ResultColumns, t.Results)
	look(f, enrich.Traces, enrich.TraceColumns, t.Traces)
	look(f, enrich.Metrics, enrich.MetricColumns, t.Metrics)
	var list []Finding
	for i, places := range f {
		n := 0
		for _, count := range places {
			n += count
		}
		list = append(list, Finding{Rules[i].Name, Rules[i].Means, n, slices.Sorted(maps.Keys(places))})
	}
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Means, b.Means))
	})
	return list
}

// A finder counts what each rule finds, by the rule's place in Rules and by where.
type finder map[int]map[string]int

func look[R any](f finder, dataset string, columns []enrich.Column[R], rows []R) {
	for i := range rows {
		for _, c := range columns {
			if slices.Contains(ids, c.Name) {
				continue
			}
			where := dataset + "." + c.Name
			switch p := c.Ptr(&rows[i]).(type) {
			case *string:
				f.text(where, *p)
			case **string:
				if *p != nil {
					f.text(where, **p)
				}
			case *[]string:
				for _, text := range *p {
					f.text(where, text)
				}
			case *enrich.JSON:
				f.text(where, string(*p))
			case *enrich.SpanList:
				p.Chunks(func(_ enrich.SpanID, piece []byte) error {
					f.text(where, string(piece))
					return nil
				})
			}
		}
	}
}

// text counts what each rule finds in a text from which the rules before it have
// taken theirs.
func (f finder) text(where, text string) {
	for i := range Rules {
		r := &Rules[i]
		if !r.mayBeIn(text) {
			continue
		}
		n := len(r.find.FindAllStringIndex(text, -1))
		if n == 0 {
			continue
		}
		if f[i] == nil {
			f[i] = map[string]int{}
		}
		f[i][where] += n
		text = r.find.ReplaceAllString(text, r.mask)
	}
}
