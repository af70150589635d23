package enrich

import (
	"strconv"
	"time"
)

// A Time is a moment in nanoseconds since the Unix epoch, UTC; zero is absent.
// It is an int64 because a float64 cannot hold today's time to the nanosecond.
type Time int64

// String returns the time as RFC 3339 in UTC, without trailing zeros, or "".
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return time.Unix(0, int64(t)).UTC().Format(time.RFC3339Nano)
}

func (t Time) appendNanos(dst []byte) []byte {
	if t == 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, int64(t), 10)
}

// UnixNano is a Time in the columns named *_unix_nano, which hold decimal
// strings so that no reader rounds them through a float64.
type UnixNano int64

// millis converts nanoseconds to the milliseconds of *_ms columns.
func millis(ns int64) float64 { return float64(ns) / 1e6 }

// A clock is a time as its source wrote it. SMOLTRACE writes local time without
// an offset (spec §1.1), which is no moment until the offset is known.
type clock struct {
	wall  int64 // nanoseconds since the epoch, reading the text as if it were UTC
	naive bool  // the text had no offset
}

var clockLayouts = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "20060102_150405"}

// parseClock reads an ISO 8601 time with or without offset, or the compact form
// of SMOLTRACE's folder names.
func parseClock(s string) (clock, bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return clock{wall: t.UnixNano()}, plausible(t)
	}
	if t, err := time.Parse("2006-01-02 15:04:05.999999999Z07:00", s); err == nil {
		return clock{wall: t.UnixNano()}, plausible(t)
	}
	for _, layout := range clockLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return clock{wall: t.UnixNano(), naive: true}, plausible(t)
		}
	}
	return clock{}, false
}

// plausible keeps out years that an int64 of nanoseconds cannot hold.
func plausible(t time.Time) bool { return t.Year() > 1970 && t.Year() < 2262 }
