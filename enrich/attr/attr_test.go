package attr_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich/attr"
)

var (
	str   = attr.StringValue
	whole = attr.IntValue
	float = attr.FloatValue
)

func TestInt(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   attr.Value
		want int64
		ok   bool
	}{
		{"number", whole(1489), 1489, true},
		{"zero", whole(0), 0, true},
		{"text", str("1489"), 1489, true},
		{"text with a fraction of zero", str("1489.0"), 1489, true},
		{"integral float", float(3), 3, true},
		{"negative", whole(-1), 0, false},
		{"fraction", float(2.5), 0, false},
		{"truth", attr.BoolValue(true), 0, false},
		{"word", str("many"), 0, false},
		{"hexadecimal", str("0x10"), 0, false},
		{"null", attr.Value{}, 0, false},
		{"beyond int64", str("1e300"), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.in.Int(); ok != tt.ok || ok && got != tt.want {
				t.Errorf("Int = %d, %v, want %d, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestFloat(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   attr.Value
		want float64
		ok   bool
	}{
		{"scientific text", str("1.5e-3"), 0.0015, true},
		{"negative", str("-2"), -2, true},
		{"not a number", str("nan"), 0, false},
		{"infinity", str("inf"), 0, false},
		{"NaN becomes null", float(math.NaN()), 0, false},
		{"truth", attr.BoolValue(true), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.in.Float(); ok != tt.ok || ok && got != tt.want {
				t.Errorf("Float = %v, %v, want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestStrings(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   attr.Value
		want []string
	}{
		{"array", attr.JSONValue(`["a","b"]`), []string{"a", "b"}},
		{"text of an array", str(`["stop"]`), []string{"stop"}},
		{"Python list", str(`['stop']`), []string{"stop"}},
		{"Python tuple", str(`('get_weather', 'calculator')`), []string{"get_weather", "calculator"}},
		{"tuple of one", str(`('a',)`), []string{"a"}},
		{"quote in the other quotes", str(`["it's", 'x']`), []string{"it's", "x"}},
		{"escaped quote", str(`['it\'s']`), []string{"it's"}},
		{"empty list", str(`[]`), []string{}},
		{"a word", str("stop"), []string{"stop"}},
		{"not a list after all", str("[see below"), []string{"[see below"}},
		{"None", str("None"), nil},
		{"null", attr.Value{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.in.Strings()); diff != "" {
				t.Errorf("Strings differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNanos(t *testing.T) {
	const ns = int64(1761146658415691700)
	for _, tt := range []struct {
		name string
		in   attr.Value
		want int64
		ok   bool
	}{
		{"nanoseconds to the last digit", whole(ns), ns, true},
		{"as text", str("1761146658415691700"), ns, true},
		{"microseconds", whole(1761146658415691), 1761146658415691000, true},
		{"milliseconds", whole(1761146658415), 1761146658415000000, true},
		{"seconds", whole(1761146658), 1761146658000000000, true},
		{"seconds with a fraction", float(1761146658.5), 1761146658500000000, true},
		{"zero is unset", whole(0), 0, false},
		{"word", str("soon"), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.in.Nanos(); ok != tt.ok || ok && got != tt.want {
				t.Errorf("Nanos = %d, %v, want %d, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestSet(t *testing.T) {
	s := attr.NewSet([]attr.KeyValue{{Key: "b", Value: whole(2)}, {Key: "a", Value: str("x")}, {Key: "n"}, {Key: "b", Value: whole(3)}})
	if got := string(s.AppendJSON(nil)); got != `{"a":"x","b":3}` {
		t.Errorf("set = %s, want sorted keys, the last b, no null", got)
	}
	if v, key := s.Int(attr.Field{"zz", "a", "b"}); v != 3 || key != "b" {
		t.Errorf("Int of a field = %d from %q, want 3 from b: a is no number", v, key)
	}
	merged := s.Merge(attr.NewSet([]attr.KeyValue{{Key: "a", Value: str("y")}, {Key: "c", Value: whole(1)}}))
	if got := string(merged.AppendJSON(nil)); got != `{"a":"x","b":3,"c":1}` {
		t.Errorf("merged = %s, want the first set's a", got)
	}
}

func TestCanonical(t *testing.T) {
	got, ok := attr.Canonical(`{ "b": [1.50, {"d":null,"c":"<"}], "a": 12345678901234567890 }`)
	if want := `{"a":12345678901234567890,"b":[1.50,{"c":"<","d":null}]}`; !ok || got != want {
		t.Errorf("Canonical = %s, %v, want %s", got, ok, want)
	}
	for _, bad := range []string{"", "{", "{} {}", "nope"} {
		if got, ok := attr.Canonical(bad); ok {
			t.Errorf("Canonical(%q) = %s, want a refusal", bad, got)
		}
	}
}

// Whatever bytes a text holds, its JSON is valid and reads back the same, up to
// bytes that are no UTF-8.
func FuzzAppendQuoted(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\x00\x1f", "é☃𝄞", "\xff\xfe", "</script>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back, want string
		if err := json.Unmarshal(attr.AppendQuoted(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &want); err != nil || back != want {
			t.Errorf("%q reads back as %q, want %q", s, back, want)
		}
	})
}

func FuzzFloat(f *testing.F) {
	for _, v := range []float64{0, 1, 40, 0.1, 1e21, 1e-7, -3.5, math.MaxFloat64} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) || v == 0 {
			return
		}
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := attr.AppendFloat(nil, v); string(got) != string(want) {
			t.Errorf("AppendFloat(%v) = %s, want %s", v, got, want)
		}
	})
}
