package views

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func TestReceipt(t *testing.T) {
	good := enrich.File{Name: "results.json", Format: "smoltrace-results", Dataset: "results", Rows: 5}
	same := good
	same.Repairs = []string{Unchanged}
	refused := enrich.File{Name: "x.bin", Error: new("unknown file format")}
	damaged := enrich.File{Name: "traces.json", Dataset: "traces", Rows: 3, Spans: 0, Error: new("ends early")}
	damagedSame := damaged
	damagedSame.Repairs = []string{Unchanged}
	warned := good
	for range 60 {
		warned.Warnings = append(warned.Warnings, enrich.Warning{Where: "line 7", Message: "bad"})
	}
	run := ReceiptRun{RunID: "r", URL: "/runs/r", New: true, Tests: 5}
	old := run
	old.New = false
	for _, tt := range []struct {
		name     string
		r        Receipt
		verdict  string
		bad      bool
		open     string
		statuses []string
		runs     []string
	}{
		{"nothing", Receipt{}, "No file arrived. Choose some, or drop them on the page.", true, "", nil, nil},
		{"one new run", Receipt{Files: []enrich.File{good}, Runs: []ReceiptRun{run}}, "1 of 1 file taken, making 1 new run.", false, "/runs/r", []string{"taken"}, []string{"5 tests, new"}},
		{"two runs", Receipt{Files: []enrich.File{good, good}, Runs: []ReceiptRun{run, run}}, "2 of 2 files taken, making 2 new runs.", false, "", []string{"taken", "taken"}, []string{"5 tests, new", "5 tests, new"}},
		{"added to a run", Receipt{Files: []enrich.File{good}, Runs: []ReceiptRun{old}}, "1 of 1 file taken, adding to 1 run.", false, "/runs/r", []string{"taken"}, []string{"5 tests, updated"}},
		{"the same again", Receipt{Files: []enrich.File{same}, Runs: []ReceiptRun{old}}, "Nothing is new: the same bytes were uploaded before, so nothing was changed.", false, "", []string{"unchanged"}, []string{"5 tests, unchanged"}},
		{"no run yet", Receipt{Files: []enrich.File{good}}, "1 of 1 file taken; no run came of it yet. Files of the same run can follow in any order.", false, "", []string{"taken"}, nil},
		{"one refused", Receipt{Files: []enrich.File{refused}}, "The file was not taken: see below why.", true, "", []string{"refused"}, nil},
		{"some refused", Receipt{Files: []enrich.File{refused, good}, Runs: []ReceiptRun{run}}, "1 of 2 files taken, making 1 new run.", true, "", []string{"refused", "taken"}, []string{"5 tests, new"}},
		{"damaged", Receipt{Files: []enrich.File{damaged}, Runs: []ReceiptRun{run}}, "1 of 1 file taken, making 1 new run.", true, "", []string{"damaged"}, []string{"5 tests, new"}},
		{"warned", Receipt{Files: []enrich.File{warned}, Runs: []ReceiptRun{run}}, "1 of 1 file taken, making 1 new run.", true, "", []string{"taken"}, []string{"5 tests, new"}},
		{"one new, one again", Receipt{Files: []enrich.File{good, same}, Runs: []ReceiptRun{old}}, "2 of 2 files taken, adding to 1 run.", false, "/runs/r", []string{"taken", "unchanged"}, []string{"5 tests, updated"}},
		{"one again, one refused", Receipt{Files: []enrich.File{same, refused}, Runs: []ReceiptRun{old}}, "Nothing is new: the same bytes were uploaded before, so nothing was changed. 1 of 2 files was not taken: see below why.", true, "", []string{"unchanged", "refused"}, []string{"5 tests, unchanged"}},
		{"two again, two refused", Receipt{Files: []enrich.File{same, same, refused, refused}, Runs: []ReceiptRun{old}}, "Nothing is new: the same bytes were uploaded before, so nothing was changed. 2 of 4 files were not taken: see below why.", true, "", []string{"unchanged", "unchanged", "refused", "refused"}, []string{"5 tests, unchanged"}},
		{"one damaged added", Receipt{Files: []enrich.File{damaged}, Runs: []ReceiptRun{old}}, "1 of 1 file taken, adding to 1 run.", true, "", []string{"damaged"}, []string{"5 tests, updated"}},
		{"damaged again", Receipt{Files: []enrich.File{damagedSame}, Runs: []ReceiptRun{old}}, "Nothing is new: the same bytes were uploaded before, so nothing was changed.", true, "", []string{"damaged"}, []string{"5 tests, unchanged"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewUploadPage(&tt.r)
			var statuses, runs []string
			for _, f := range p.Files {
				statuses = append(statuses, f.Status)
			}
			for _, r := range p.Runs {
				runs = append(runs, r.Text)
			}
			if p.Verdict != tt.verdict || p.Bad != tt.bad || p.Open != tt.open {
				t.Errorf("%q, bad %v, open %q", p.Verdict, p.Bad, p.Open)
			}
			if diff := cmp.Diff(tt.statuses, statuses); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.runs, runs); diff != "" {
				t.Error(diff)
			}
		})
	}
	line := newFileLine(warned)
	if len(line.Warnings) != listedWarnings || line.Rest != "10 more warnings" || line.Warnings[0] != "line 7: bad" {
		t.Errorf("%d warnings, %q", len(line.Warnings), line.Rest)
	}
	if l := newFileLine(damaged); l.Rows != "3" || l.Spans != "0" {
		t.Errorf("zero is 0: %+v", l)
	}
}

func TestUndone(t *testing.T) {
	results := enrich.File{Name: "results.json", Dataset: "results", Rows: 5}
	run := ReceiptRun{RunID: "r", URL: "/runs/r", Tests: 1}
	for _, tt := range []struct {
		name    string
		u       Undone
		verdict string
	}{
		{"a file of no run", Undone{Files: []enrich.File{results}}, "1 file removed."},
		{"a run", Undone{Files: []enrich.File{results}, Gone: []string{"r"}}, "1 file removed, and 1 run with it."},
		{"two runs", Undone{Files: []enrich.File{results, results}, Gone: []string{"r", "s"}}, "2 files removed, and 2 runs with them."},
		{"what was added to a run", Undone{Files: []enrich.File{results}, Runs: []ReceiptRun{run}}, "1 file removed. 1 run derived again from what is left."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewUndonePage(tt.u)
			if p.Verdict != tt.verdict {
				t.Errorf("%q, want %q", p.Verdict, tt.verdict)
			}
			if len(p.Files) != len(tt.u.Files) || p.Files[0].Status != "removed" {
				t.Errorf("files %+v", p.Files)
			}
		})
	}
}
