package decode

import (
	"testing"

	"smolscope/enrich"
)

func TestUnitOf(t *testing.T) {
	for _, tt := range []struct {
		name        string
		time, other enrich.Time
		want        enrich.Time
	}{
		{"nanoseconds of 2025", 1761146658415691701, 1761146658415691702, 1},
		{"microseconds of 2025", 1761146658415691, 1761146658415692, 1e3},
		{"milliseconds of 2025", 1761146658415, 0, 1e6},
		{"seconds of 2025", 1761146658, 1761146660, 1e9},
		{"a test's clock", 1000000000, 2000000000, 1},
		{"a test's clock, later", 1500000000, 1900000000, 1},
		{"units that disagree", 1761146658, 1761146658415, 1},
		{"before OpenTelemetry", 1485467191639875, 1485467191639880, 1},
		{"none", 0, 1761146658, 1},
	} {
		if got := unitOf(tt.time, tt.other); got != tt.want {
			t.Errorf("%s: unitOf(%d, %d) = %d, want %d", tt.name, tt.time, tt.other, got, tt.want)
		}
	}
}
