package views

// A LoginPage asks for the access token.
type LoginPage struct {
	Layout Layout
	Next   string // where to go afterwards
	Wrong  bool   // the token that was given is not the one
}

// NewLoginPage makes the page that asks for the access token and then leads to
// next, a path of this dashboard.
func NewLoginPage(next string, wrong bool) LoginPage {
	return LoginPage{Layout: Layout{Title: "Log in", Bare: true}, Next: next, Wrong: wrong}
}
