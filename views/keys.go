package views

// A key is one line of the help on keys; static/js/keys.js and trace.js obey it.
type key struct {
	names []string
	does  string
}

var keys = []key{
	{[]string{"j", "k"}, "next and previous row"},
	{[]string{"Enter"}, "open the row, or say where a figure comes from"},
	{[]string{"→", "←"}, "from a row to its figures and back"},
	{[]string{"←", "→"}, "fold and unfold a span of a trace"},
	{[]string{"[", "]"}, "fold and unfold all spans"},
	{[]string{"e"}, "next span with an error"},
	{[]string{"/"}, "filter the list"},
	{[]string{"p", "n"}, "previous and next test or trace"},
	{[]string{"f"}, "next failed test"},
	{[]string{"t"}, "trace of the test"},
	{[]string{"g", "l"}, "go to the leaderboard"},
	{[]string{"g", "g"}, "go to the GPUs"},
	{[]string{"g", "r"}, "go to the run"},
	{[]string{"g", "t"}, "go to the test"},
	{[]string{"u"}, "drop files"},
	{[]string{"?"}, "this list"},
}
