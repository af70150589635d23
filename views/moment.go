package views

import (
	"time"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// A Moment is a time as pages write it: absolute and in UTC, so that server,
// browser and tests agree. A script may make it local.
type Moment struct {
	ISO  string // RFC 3339, "" when the time is unknown
	Text string // "22 Oct 2025, 15:24:22 UTC"
	Day  string // "22 Oct 2025"
}

func moment(t enrich.Time) Moment {
	if t == 0 {
		return Moment{Text: unit.Absent, Day: unit.Absent}
	}
	at := time.Unix(0, int64(t)).UTC()
	return Moment{ISO: t.String(), Text: at.Format("2 Jan 2006, 15:04:05 UTC"), Day: at.Format("2 Jan 2006")}
}
