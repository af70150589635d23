package views

import (
	"net/url"
	"slices"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/compare"
)

func TestParseCompareQuery(t *testing.T) {
	for _, tt := range []struct {
		query string
		runs  []string
		base  string
	}{
		{"", nil, ""},
		{"runs=a", []string{"a"}, "a"},
		{"runs=a,b,,a", []string{"a", "b"}, "a"},
		{"runs=a,b&runs=c&base=c", []string{"a,b", "c"}, "c"},
	} {
		v, _ := url.ParseQuery(tt.query)
		q, err := ParseCompareQuery(v)
		if err != nil || !slices.Equal(q.Runs, tt.runs) || q.Base != tt.base {
			t.Errorf("%s: %+v, %v", tt.query, q, err)
		}
		if len(q.Runs) < 2 {
			continue
		}
		at, _ := url.Parse(q.url())
		if again, err := ParseCompareQuery(at.Query()); err != nil || !slices.Equal(again.Runs, q.Runs) || again.Base != q.Base {
			t.Errorf("%s: its own address gives %+v, %v", tt.query, again, err)
		}
	}
}

func TestProvidersFaults(t *testing.T) {
	failed := func(class string) *enrich.ResultRow { return &enrich.ResultRow{Success: new(false), ErrorType: &class} }
	passed := &enrich.ResultRow{Success: new(true)}
	pairs := []compare.Pair{{Base: failed("auth"), Other: passed}, {Base: failed("rate_limit"), Other: failed("connection")}, {Base: failed("timeout"), Other: passed}}
	if got, want := providersFaults(pairs), "The provider failed in 2 shared tests of the baseline and 1 shared test of this run; these count as not passed, which need not be the agent’s fault."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := providersFaults(pairs[2:]); got != "" {
		t.Errorf("%q where no provider failed", got)
	}
}

func TestKindOfCase(t *testing.T) {
	for _, tt := range []struct {
		verdicts string // of the baseline, then of the others
		want     int
	}{
		{"+-", regressed}, {"++-", regressed}, {"-+", improved}, {"--+", improved}, {"--", wrong}, {"++", alike},
		{"?+", alike}, {"?-", wrong}, {" +-", differing}, {"? ", alike}, {"+ ", alike},
	} {
		var cells []*enrich.ResultRow
		for _, v := range tt.verdicts {
			switch v {
			case ' ':
				cells = append(cells, nil)
			case '?':
				cells = append(cells, &enrich.ResultRow{})
			default:
				cells = append(cells, &enrich.ResultRow{Success: new(v == '+')})
			}
		}
		if got := kindOfCase(cells); got != tt.want {
			t.Errorf("%q is %d, want %d", tt.verdicts, got, tt.want)
		}
	}
}
