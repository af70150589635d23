package views

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"smolscope/enrich"
)

// Shown returns the runs that the page shows, in its order, and how many there
// are that its filter finds: absent values come last in either direction, and of
// equals the first by run id first.
func (q LeaderboardQuery) Shown(rows []enrich.LeaderboardRow) (shown []enrich.LeaderboardRow, found int) {
	var sorted []enrich.LeaderboardRow
	for i := range rows {
		if q.Find.Filter.Finds(&rows[i]) {
			sorted = append(sorted, rows[i])
		}
	}
	name, desc := q.Sort, q.Desc
	if name == "" {
		name, desc = "evaluation_date", true
	}
	if c, ok := enrich.Lookup(enrich.LeaderboardColumns, name); ok {
		slices.SortStableFunc(sorted, func(a, b enrich.LeaderboardRow) int {
			n := compareFields(c.Ptr(&a), c.Ptr(&b), desc)
			if desc {
				n = -n
			}
			return cmp.Or(n, strings.Compare(a.RunID, b.RunID))
		})
	}
	from := min(q.Offset(), len(sorted))
	return sorted[from:min(from+q.Limit(), len(sorted))], len(sorted)
}

// A PreviewPage says what became of a preview whose page was loaded again.
type PreviewPage struct{ Layout Layout }

// NewPreviewPage makes the page at the address of previews, as the server sees it.
func NewPreviewPage() PreviewPage {
	return PreviewPage{Layout{Title: "Preview", Section: "upload"}}
}

// PreviewSettings are what previews are made with, so that they show what the server
// will: the page carries them as JSON, for package web.
type PreviewSettings struct {
	Version              string          `json:"version"`
	Prices               json.RawMessage `json:"prices,omitempty"` // rows of package price that come before the built-in ones
	ElectricityUSDPerKWh float64         `json:"electricity_usd_per_kwh"`
	CarbonGPerKWh        float64         `json:"carbon_g_per_kwh"`
}
