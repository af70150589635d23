package views

import (
	"strings"
	"time"

	"smolscope/enrich"
	"smolscope/enrich/redact"
)

// SharesData is what the page of a run's links is made of.
type SharesData struct {
	Run     enrich.LeaderboardRow
	Shares  []ShareLine
	Made    string // the address of a link that was just made
	Alone   bool   // no access token is set, so the dashboard is for this machine
	Preview bool   // say what would be masked
	Found   []redact.Finding
	Now     time.Time
}

// A ShareLine is one link to a run. Its token is known only when it is made.
type ShareLine struct {
	ID                        string
	Created, Expires, Visited time.Time // zero: unknown, never
	Visits                    int64
	Redacted, TextHidden      bool
	Over                      bool // it opens nothing any more
}

// A SharesPage lists the links to a run and makes new ones.
type SharesPage struct {
	Layout  Layout
	Run     string
	Back    string
	Action  string
	Revoke  string
	Made    string
	Alone   bool
	Lines   []SharePageLine
	Preview string // address that says what would be masked, "" when it is said
	Found   []FoundLine
	Clean   bool // nothing would be masked
	Lasting []Choice
}

// A SharePageLine is one link of the list.
type SharePageLine struct {
	ID      string
	Created Moment
	Shows   string
	Ends    string
	Over    bool
	Visits  string
}

// A FoundLine is one kind of secret that a run holds.
type FoundLine struct{ Name, Means, Count, Places string }

// A Choice is one value that a form offers.
type Choice struct{ Value, Text string }

// NewSharesPage makes the page of a run's links.
func NewSharesPage(d SharesData) SharesPage {
	run := d.Run.RunID
	p := SharesPage{
		Layout: Layout{Title: "Share " + short(run), Crumbs: []Crumb{{"Leaderboard", "/"}, {orAbsent(deref(d.Run.Model)), RunURL(run)}, {Text: "Share"}}},
		Run:    visible(run), Back: RunURL(run), Action: SharesURL(run), Revoke: SharesURL(run) + "/revoke",
		Made: d.Made, Alone: d.Alone,
		Lasting: []Choice{{"1d", "1 day"}, {"7d", "7 days"}, {"30d", "30 days"}, {"365d", "1 year"}, {"", "for ever"}},
	}
	if d.Preview {
		for _, f := range d.Found {
			p.Found = append(p.Found, FoundLine{f.Name, f.Means, count(f.Count), strings.Join(f.Places, ", ")})
		}
		p.Clean = len(p.Found) == 0
	} else {
		p.Preview = address(SharesURL(run), "preview", "1") + "#masked"
	}
	for _, s := range d.Shares {
		line := SharePageLine{ID: s.ID, Created: moment(enrich.Time(s.Created.UnixNano())), Over: s.Over, Visits: count(int(s.Visits)), Shows: "everything"}
		switch {
		case s.TextHidden:
			line.Shows = "figures, without text"
		case s.Redacted:
			line.Shows = "secrets masked"
		}
		switch {
		case s.Expires.IsZero():
			line.Ends = "never"
		case s.Over:
			line.Ends = "has ended"
		default:
			line.Ends = moment(enrich.Time(s.Expires.UnixNano())).Text
		}
		p.Lines = append(p.Lines, line)
	}
	return p
}
