package enrich

import (
	"strconv"
	"strings"
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

// parseClock reads an ISO 8601 time with or without offset, or the compact form
// of SMOLTRACE's folder names.
func parseClock(s string) (clock, bool) {
	layout := "20060102_150405"
	if len(s) > len("2006-01-02") && s[4] == '-' {
		layout = "2006-01-02" + s[10:11] + "15:04:05.999999999"
	}
	zoned := len(s) > len("2006-01-02T15:04:05") && strings.ContainsAny(s[19:], "Z+-")
	if zoned {
		layout += "Z07:00"
	}
	if layout[8] != '_' && s[10] != 'T' && s[10] != ' ' {
		return clock{}, false // another layout's character
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return clock{}, false
	}
	return clock{wall: t.UnixNano(), naive: !zoned}, plausible(t)
}

// plausible keeps out years that an int64 of nanoseconds cannot hold.
func plausible(t time.Time) bool { return t.Year() > 1970 && t.Year() < 2262 }
