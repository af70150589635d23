package views

import (
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/unit"
)

// Unchanged is the repair that stands on the receipt of a file whose bytes were
// here before.
const Unchanged = "the same bytes were uploaded before: nothing was changed"

// A Receipt says what became of the files of one upload (contract: upload
// receipt).
type Receipt struct {
	Files []enrich.File `json:"files"`
	Runs  []ReceiptRun  `json:"runs"`
	New   []string      `json:"-"` // SHA-256 of the files that were not here before
}

// A ReceiptRun is a run that an upload made or changed.
type ReceiptRun struct {
	RunID string `json:"run_id"`
	URL   string `json:"url"`
	New   bool   `json:"new"`
	Tests int    `json:"tests"`
}

// An UploadPage takes files, and shows the receipt of the last ones.
type UploadPage struct {
	Layout  Layout
	Receipt bool
	Verdict string   // one sentence on the whole upload
	Bad     bool     // the verdict is that something is wrong
	Open    string   // the address to go on to when all is well, else ""
	Undo    []string // SHA-256 of the files that undoing it removes
	Runs    []UploadedRun
	Files   []FileLine
}

// An UploadedRun is one run of a receipt. Text says how many tests it has, and
// whether it is new, updated or unchanged.
type UploadedRun struct{ Text, ID, Href string }

// A FileLine is one file of a receipt, or of the files a run was made of.
type FileLine struct {
	Name     string
	Status   string // "taken", "unchanged", "damaged" or "refused"
	Class    string // of the chip
	Icon     string
	Format   string
	Dataset  string
	Rows     string
	Spans    string
	Hash     string // first digits of the SHA-256
	SHA256   string
	Error    string
	Note     string
	Repairs  []string
	Warnings []string
	Rest     string // how many warnings are not listed, "" if none
}

// listedWarnings is how many warnings of a file a page lists.
const listedWarnings = 50

// NewUploadPage makes the page that takes files; with a receipt, it shows that.
func NewUploadPage(r *Receipt) UploadPage {
	p := UploadPage{Layout: Layout{Title: "Drop files", Section: "upload"}}
	if r == nil {
		return p
	}
	p.Receipt = true
	p.Layout.Title = "Receipt"
	p.Undo = r.New
	refused, damaged, warned, again := 0, 0, 0, 0
	for _, f := range r.Files {
		line := newFileLine(f)
		switch line.Status {
		case "refused":
			refused++
		case "damaged":
			damaged++
		}
		if line.Status != "refused" && slices.Contains(f.Repairs, Unchanged) {
			again++
		}
		if len(f.Warnings) > 0 {
			warned++
		}
		p.Files = append(p.Files, line)
	}
	taken := len(r.Files) - refused
	fresh := 0
	for _, run := range r.Runs {
		text := "updated"
		switch {
		case run.New:
			fresh++
			text = "new"
		case again == taken:
			text = "unchanged"
		}
		p.Runs = append(p.Runs, UploadedRun{Text: plural(run.Tests, "test") + ", " + text, ID: visible(run.RunID), Href: run.URL})
	}
	p.Verdict = verdict(len(r.Files), taken, again, len(r.Runs), fresh)
	p.Bad = refused+damaged+warned > 0 || len(r.Files) == 0
	if len(r.Runs) == 1 && !p.Bad && again < taken {
		p.Open = r.Runs[0].URL
	}
	return p
}

// verdict says in a sentence or two what an upload came to.
func verdict(files, taken, again, runs, fresh int) string {
	switch {
	case files == 0:
		return "No file arrived. Choose some, or drop them on the page."
	case taken == 0 && files == 1:
		return "The file was not taken: see below why."
	case taken == 0:
		return "None of the " + count(files) + " files was taken: see below why."
	}
	if again == taken {
		text := "Nothing is new: the same bytes were uploaded before, so nothing was changed."
		switch refused := files - taken; refused {
		case 0:
		case 1:
			text += " 1 of " + count(files) + " files was not taken: see below why."
		default:
			text += " " + count(refused) + " of " + count(files) + " files were not taken: see below why."
		}
		return text
	}
	text := count(taken) + " of " + plural(files, "file") + " taken"
	switch {
	case runs == 0:
		text += "; no run came of it yet. Files of the same run can follow in any order."
	case fresh == 0:
		text += ", adding to " + plural(runs, "run") + "."
	default:
		text += ", making " + plural(fresh, "new run") + "."
	}
	return text
}

func newFileLine(f enrich.File) FileLine {
	l := FileLine{
		Name: orAbsent(f.Name), Format: orAbsent(f.Format), Dataset: orAbsent(f.Dataset),
		Rows: unit.Count(new(int64(f.Rows))), Spans: unit.Count(new(int64(f.Spans))),
		Hash: cutBytes(f.SHA256, 12), SHA256: f.SHA256,
		Status: "taken", Class: "pass", Icon: pass.Icon,
	}
	if f.Spans == 0 && f.Dataset != enrich.Traces {
		l.Spans = unit.Absent
	}
	switch {
	case f.Error != nil && f.Rows == 0:
		l.Status, l.Class, l.Icon = "refused", "fail", fail.Icon
		l.Rows, l.Spans = unit.Absent, unit.Absent
	case f.Error == nil && slices.Contains(f.Repairs, Unchanged):
		l.Status, l.Class, l.Icon = "unchanged", "none", pass.Icon
	case f.Error != nil:
		l.Status, l.Class, l.Icon = "damaged", "timeout", errored.Icon
	}
	if f.Error != nil {
		l.Error = visible(*f.Error)
	}
	for _, r := range f.Repairs {
		if l.Status == "unchanged" && r == Unchanged {
			l.Note = sentence(r) + "."
			continue
		}
		l.Repairs = append(l.Repairs, visible(r))
	}
	for i, w := range f.Warnings {
		if i == listedWarnings {
			l.Rest = plural(len(f.Warnings)-i, "more warning")
			break
		}
		l.Warnings = append(l.Warnings, strings.TrimPrefix(visible(w.Where)+": ", ": ")+visible(w.Message))
	}
	return l
}

// An Undone says what went when uploads were undone, and which runs are left of
// those that they were part of.
type Undone struct {
	Files []enrich.File `json:"files"`
	Gone  []string      `json:"gone"` // ids of runs
	Runs  []ReceiptRun  `json:"runs"`
}

// An UndonePage says what went.
type UndonePage struct {
	Layout  Layout
	Verdict string
	Gone    []string
	Runs    []UploadedRun
	Files   []FileLine
}

// NewUndonePage makes the page that is shown once uploads are undone.
func NewUndonePage(u Undone) UndonePage {
	p := UndonePage{Layout: Layout{Title: "Undone", Section: "upload"}}
	p.Verdict = plural(len(u.Files), "file") + " removed"
	if len(u.Gone) > 0 {
		p.Verdict += ", and " + plural(len(u.Gone), "run") + " with " + pronoun(len(u.Files))
	}
	p.Verdict += "."
	if len(u.Runs) > 0 {
		p.Verdict += " " + plural(len(u.Runs), "run") + " derived again from what is left."
	}
	for _, id := range u.Gone {
		p.Gone = append(p.Gone, visible(id))
	}
	for _, run := range u.Runs {
		p.Runs = append(p.Runs, UploadedRun{Text: plural(run.Tests, "test") + ", as before", ID: visible(run.RunID), Href: run.URL})
	}
	for _, f := range u.Files {
		line := newFileLine(f)
		line.Status, line.Class, line.Icon = "removed", "none", pass.Icon
		p.Files = append(p.Files, line)
	}
	return p
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}
