package views

import (
	"errors"
	"net/url"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLeaderboardQuery(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  LeaderboardQuery
	}{
		{"", LeaderboardQuery{Sort: "success_rate", Desc: true, Page: 1}},
		{"sort=avg_duration_ms", LeaderboardQuery{Sort: "avg_duration_ms", Page: 1}},
		{"sort=evaluation_date", LeaderboardQuery{Sort: "evaluation_date", Desc: true, Page: 1}},
		{"sort=model&order=desc&page=3", LeaderboardQuery{Sort: "model", Desc: true, Page: 3}},
		{"unknown=1", LeaderboardQuery{Sort: "success_rate", Desc: true, Page: 1}},
	} {
		v, _ := url.ParseQuery(tt.query)
		got, err := ParseLeaderboardQuery(v)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("?%s = %+v, %v; want %+v", tt.query, got, err, tt.want)
		}
	}
}

func TestQueryErrors(t *testing.T) {
	leaderboard := func(v url.Values) error { _, err := ParseLeaderboardQuery(v); return err }
	run := func(v url.Values) error { _, err := ParseRunQuery(v); return err }
	trace := func(v url.Values) error { _, err := ParseTraceQuery(v); return err }
	for _, tt := range []struct {
		query string
		parse func(url.Values) error
		want  string
	}{
		{"sort=avg_tttf_seconds", leaderboard, "sort=avg_tttf_seconds: no such column; did you mean avg_ttft_seconds?"},
		{"sort=zzzzzzzzzzzzzzzzzzzzzzzz", leaderboard, "sort=zzzzzzzzzzzzzzzzzzzzzzzz: no such column"},
		{"sort=model&order=up", leaderboard, "order=up: want asc or desc"},
		{"page=0", leaderboard, "page=0: want a number from 1"},
		{"page=x", run, "page=x: want a number from 1"},
		{"tab=power", run, "tab=power: want one of tests, failures, charts, gpu, quality, provenance, files"},
		{"sort=step", run, "sort=step: no such column; did you mean steps?"},
		{"span=xyz", trace, "span=xyz: want 16 hex digits"},
		{"view=graph", trace, "view=graph: want one of waterfall, tree"},
		{"from=-1", trace, "from=-1: want the number of a row, from 0"},
	} {
		v, _ := url.ParseQuery(tt.query)
		err := tt.parse(v)
		if q, ok := errors.AsType[*QueryError](err); !ok || q.Error() != tt.want {
			t.Errorf("?%s: %v, want %q", tt.query, err, tt.want)
		}
	}
}

func TestParseTraceQuery(t *testing.T) {
	got, err := ParseTraceQuery(url.Values{"span": {"00000000000000A3"}, "view": {"tree"}, "from": {"1000"}})
	if diff := cmp.Diff(TraceQuery{Span: callID, View: "tree", From: 1000}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}
