package views

import "strconv"

// An ErrorPage says what went wrong and what to do next.
type ErrorPage struct {
	Layout  Layout
	Status  string
	Title   string
	Message string
	Upload  bool   // dropping files is what to do next
	Back    string // where the list begins that was left at its end, "" for nowhere
}

// NewErrorPage makes the page for a failed request, given its HTTP status.
func NewErrorPage(status int, title, message string) ErrorPage {
	return ErrorPage{
		Layout:  Layout{Title: title, Crumbs: []Crumb{{"Leaderboard", "/"}, {Text: title}}},
		Status:  strconv.Itoa(status),
		Title:   visible(title),
		Message: visible(message),
		Upload:  status == 413 || status == 415 || status == 422,
	}
}
