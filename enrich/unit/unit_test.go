package unit

import (
	"math"
	"testing"
)

func TestWriting(t *testing.T) {
	type row struct {
		in   *float64
		want string
	}
	for _, tt := range []struct {
		name  string
		write func(*float64) string
		rows  []row
	}{
		{"Seconds", Seconds, []row{
			{nil, "—"}, {new(math.NaN()), "—"}, {new(math.Inf(1)), "—"},
			{new(0.0), "0 s"},
			{new(3.2e-7), "0.320 µs"}, {new(4.2e-6), "4.20 µs"}, {new(412e-6), "412 µs"},
			{new(0.000_999_6), "1.00 ms"}, {new(0.015_6), "15.6 ms"}, {new(0.329_3), "329 ms"},
			{new(0.999_6), "1.00 s"}, {new(1.845_3), "1.85 s"}, {new(59.94), "59.9 s"},
			{new(59.96), "1 min 0 s"}, {new(761.0), "12 min 41 s"}, {new(3599.4), "59 min 59 s"},
			{new(3599.6), "1 h 0 min"}, {new(7500.0), "2 h 5 min"}, {new(-1.5), "−1.50 s"},
		}},
		{"Millis", Millis, []row{{nil, "—"}, {new(0.0), "0 s"}, {new(3169.1007), "3.17 s"}, {new(15_845.5034), "15.8 s"}}},
		{"Micros", Micros, []row{{nil, "—"}, {new(0.0), "0 s"}, {new(12.0), "12.0 µs"}}},
		{"USD", USD, []row{
			{nil, "—"}, {new(0.0), "$0"},
			{new(0.000_000_42), "$0.00000042"}, {new(0.000_15), "$0.0001"}, {new(0.004_2), "$0.0042"},
			{new(0.05), "$0.05"}, {new(1.13), "$1.13"}, {new(12_345.678), "$12,345.68"}, {new(-0.5), "−$0.50"},
		}},
		{"Percent", Percent, []row{{nil, "—"}, {new(0.0), "0.0 %"}, {new(40.0), "40.0 %"}, {new(92.424_24), "92.4 %"}, {new(100.0), "100.0 %"}}},
		{"Energy", Energy, []row{
			{nil, "—"}, {new(0.0), "0 J"}, {new(0.07), "252 J"}, {new(0.999), "3,600 J"}, {new(1.0), "1.00 Wh"},
			{new(31.04), "31.0 Wh"}, {new(1500.0), "1.50 kWh"}, {new(1e-5), "36.0 mJ"},
		}},
		{"Watts", Watts, []row{{nil, "—"}, {new(0.0), "0 W"}, {new(388.2), "388 W"}, {new(1400.0), "1,400 W"}}},
		{"MiB", MiB, []row{{nil, "—"}, {new(0.0), "0 MiB"}, {new(512.0), "512 MiB"}, {new(1024.0), "1.00 GiB"}, {new(81_559.0), "79.6 GiB"}}},
		{"Grams", Grams, []row{{nil, "—"}, {new(0.0), "0 g"}, {new(0.008_780_8), "8.78 mg"}, {new(14.7), "14.7 g"}, {new(2300.0), "2.30 kg"}}},
		{"Celsius", Celsius, []row{{nil, "—"}, {new(0.0), "0 °C"}, {new(41.7), "42 °C"}, {new(-0.2), "0 °C"}}},
		{"Rate", Rate, []row{{nil, "—"}, {new(0.0), "0 tok/s"}, {new(45.67), "45.7 tok/s"}}},
		{"Number", Number, []row{{nil, "—"}, {new(0.0), "0"}, {new(2.6), "2.60"}, {new(4390.4), "4,390"}, {new(999.9), "1,000"}}},
		{"Exact", Exact, []row{{nil, "—"}, {new(0.0), "0"}, {new(15_845.5034), "15,845.5034"}, {new(1e-7), "0.0000001"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range tt.rows {
				if got := tt.write(r.in); got != r.want {
					t.Errorf("%s(%v) = %q, want %q", tt.name, show(r.in), got, r.want)
				}
			}
		})
	}
}

func show(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		in            *int64
		count, tokens string
	}{
		{nil, "—", "—"},
		{new(int64(0)), "0", "0"},
		{new(int64(999)), "999", "999"},
		{new(int64(9999)), "9,999", "9,999"},
		{new(int64(10_000)), "10,000", "10.0k"},
		{new(int64(29_113)), "29,113", "29.1k"},
		{new(int64(412_400)), "412,400", "412k"},
		{new(int64(999_499)), "999,499", "999k"},
		{new(int64(999_500)), "999,500", "1.00M"},
		{new(int64(1_940_000)), "1,940,000", "1.94M"},
		{new(int64(2_500_000_000)), "2,500,000,000", "2.50G"},
		{new(int64(-21_952)), "−21,952", "−22.0k"},
	} {
		if got := Count(tt.in); got != tt.count {
			t.Errorf("Count = %q, want %q", got, tt.count)
		}
		if got := Tokens(tt.in); got != tt.tokens {
			t.Errorf("Tokens = %q, want %q", got, tt.tokens)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1,023 B", 1024: "1.00 KiB", 5 << 20: "5.00 MiB", 3 << 30: "3.00 GiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}
