// Package views turns rows and a query into the pages of smolscope. Each page
// has one model, whose fields hold text that is already formatted, a builder
// that makes it, and a templ component with only ifs and loops over it.
//
// Views know no database, clock or network, so the server, the browser and a
// saved file all render the same page. What traces hold is hostile; it reaches
// a page only as escaped text.
package views

import "context"

// A Site is what all pages of one program say about it.
type Site struct {
	Version string // in the footer; "" leaves it out
	Notice  string // one sentence on top of every page; "" for none
	OTLP    string // where senders of OTLP find it; "" if none can
	Login   bool   // whoever reads the page has logged in, and can log out
	Card    string // address of a picture that stands for the page elsewhere; "" for none
	Shared  bool   // the pages are of one run, for readers who can see nothing else
	Preview bool   // the pages are of files that were not uploaded

	Settings *PreviewSettings // that previews are made with; nil where there are none
}

type siteKey struct{}

// WithSite gives pages rendered under the context what they say of the program.
func WithSite(ctx context.Context, s Site) context.Context {
	return context.WithValue(ctx, siteKey{}, s)
}

func siteOf(ctx context.Context) Site {
	s, _ := ctx.Value(siteKey{}).(Site)
	return s
}

// A Layout is what a page gives to the frame around it.
type Layout struct {
	Title   string  // of the browser's tab; "" is the program's name alone
	Section string  // of the navigation: "leaderboard", "gpu", "upload" or ""
	Crumbs  []Crumb // the way from the leaderboard to here
	Scripts []string
	Wide    bool  // use the whole width of the window
	Whys    *Whys // where the page's figures came from; nil for none
	Bare    bool  // it leads nowhere, and nothing can be dropped on it
}

// A Crumb is one step of the way to a page; the last one has no address.
type Crumb struct{ Text, Href string }

func (l Layout) title() string {
	if l.Title == "" {
		return "smolscope"
	}
	return l.Title + " · smolscope"
}

// styleSheets are one file per component, in the order of the cascade.
var styleSheets = []string{"tokens", "base", "layout", "card", "chip", "table", "filter", "failure", "note", "tabs", "message", "waterfall", "chart", "why", "drop", "login", "share", "compare", "gpu", "preview"}

// scripts of every page; a page adds its own. Each does nothing where it finds
// nothing to decorate. An earlier one has the first say on a key.
var scripts = []string{"drop", "why", "keys", "live", "gpu"}

// bare reports whether the page leads nowhere else.
func (l Layout) bare(s Site) bool { return l.Bare || s.Shared }

// crumbs returns the way to the page, without what lies outside of a shared run.
func (l Layout) crumbs(s Site) []Crumb {
	if s.Shared && len(l.Crumbs) > 0 && l.Crumbs[0].Href == "/" {
		return l.Crumbs[1:]
	}
	return l.Crumbs
}

// scripts returns those of every page that this one needs.
func (l Layout) scripts(s Site) []string {
	if s.Preview {
		return []string{"drop", "why", "keys"}
	}
	if !l.bare(s) {
		return scripts
	}
	return []string{"why", "keys"}
}

// A Tab is one of several views of the same thing.
type Tab struct {
	Text    string
	Count   string // "" for none
	Href    string
	Current bool
}

// A Card is one figure of a page's summary.
type Card struct {
	Label    string
	Value    Quantity
	Small    string // follows the value in smaller type
	Lines    []string
	Interval *IntervalBar
}

// A Fact is one line of a list of names and values.
type Fact struct {
	Name   string
	Value  Quantity
	Href   string
	Mono   bool   // an id or a key
	Copy   string // what a button copies, "" for none
	Moment Moment // if set, the value is a time
}
