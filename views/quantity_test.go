package views

import (
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

func TestQuantity(t *testing.T) {
	none, zero, big, ms := (*int64)(nil), new(int64(0)), new(int64(29_113)), new(1845.3034)
	for _, tt := range []struct {
		name string
		unit enrich.Unit
		ptr  any
		want Quantity
	}{
		{"absent", enrich.Tokens, &none, Quantity{Text: "—"}},
		{"zero", enrich.Tokens, &zero, Quantity{Text: "0", Full: "0 tokens"}},
		{"tokens", enrich.Tokens, &big, Quantity{Text: "29.1k", Full: "29,113 tokens"}},
		{"time", enrich.Milliseconds, &ms, Quantity{Text: "1.85 s", Full: "1,845.3034 ms"}},
		{"count", enrich.Count, &big, Quantity{Text: "29,113"}},
		{"text", enrich.None, new(new(hostile)), Quantity{Text: visible(hostile)}},
		{"list", enrich.None, new([]string{"a", "b"}), Quantity{Text: "a, b"}},
		{"truth", enrich.None, new(new(false)), Quantity{Text: "no"}},
		{"no time", enrich.None, new(enrich.Time(0)), Quantity{Text: "—"}},
		{"date", enrich.None, new(enrich.Time(1_761_146_662_000_000_000)), Quantity{Text: "22 Oct 2025, 15:24:22 UTC"}},
	} {
		if got := quantity(tt.unit, tt.ptr); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// Every column of every dataset can be written, whether known or not.
func TestEveryColumnCanBeWritten(t *testing.T) {
	each(t, enrich.LeaderboardColumns)
	each(t, enrich.ResultColumns)
	each(t, enrich.TraceColumns)
	each(t, enrich.MetricColumns)
	each(t, enrich.SpanColumns)
}

func each[R any](t *testing.T, columns []enrich.Column[R]) {
	t.Helper()
	for _, c := range columns {
		row := new(R)
		ptr := c.Ptr(row)
		if text := quantity(c.Unit, ptr).Text; !enrich.Known(ptr) && text != "—" {
			t.Errorf("%s: absent is written %q", c.Name, text)
		}
	}
}

func TestStored(t *testing.T) {
	for _, tt := range []struct {
		unit enrich.Unit
		v    attr.Value
		want string
	}{
		{enrich.Tokens, attr.StringValue("29113"), "29,113"},
		{enrich.Milliseconds, attr.FloatValue(37_525.57), "37.5 s"},
		{enrich.USD, attr.IntValue(0), "$0"},
		{enrich.None, attr.BoolValue(false), "no"},
		{enrich.None, attr.JSONValue("null"), "empty"},
		{enrich.None, attr.Value{}, "empty"},
		{enrich.None, attr.StringValue("litellm"), "litellm"},
	} {
		if got := stored(tt.unit, tt.v); got != tt.want {
			t.Errorf("stored(%q) = %q, want %q", tt.v.Text(), got, tt.want)
		}
	}
}
