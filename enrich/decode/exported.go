package decode

import (
	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// Rows of our own are read as the raw ones of their dataset, and known when they
// have been: what tells them apart stands behind their spans.
var (
	exportedResults = Format{
		Name: "smolscope-results", Dataset: enrich.Results, match: never,
		Doc: "The results dataset as smolscope writes it, as JSON, JSON lines, CSV or Parquet.",
	}
	exportedTraces = Format{
		Name: "smolscope-traces", Dataset: enrich.Traces, match: never,
		Doc: "The traces dataset as smolscope writes it, as JSON, JSON lines, CSV or Parquet.",
	}
	exportedLeaderboard = Format{
		Name: "smolscope-leaderboard", Dataset: enrich.Leaderboard, match: never,
		Doc: "The leaderboard dataset as smolscope writes it, as JSON, JSON lines, CSV or Parquet.",
	}
	exportedDocument = Format{
		Name: "smolscope-document", match: never,
		Doc: "What `smolscope enrich` prints: whole runs, with what was found out about their data.",
	}
)

func never(*keys) bool { return false }

func (d *decoder) exportedResult(row attr.Set) bool {
	r, ok := exportedRow(d, &exportedResults, enrich.ResultColumns, row)
	if ok {
		d.part.Exported.Results = append(d.part.Exported.Results, r)
	}
	return ok
}

func (d *decoder) exportedLeaderboard(row attr.Set) bool {
	r, ok := exportedRow(d, &exportedLeaderboard, enrich.LeaderboardColumns, row)
	if ok {
		d.part.Exported.Leaderboard = append(d.part.Exported.Leaderboard, r)
	}
	return ok
}

func (d *decoder) exportedTrace(t *enrich.Trace) bool {
	r, ok := exportedRow(d, &exportedTraces, enrich.TraceColumns, t.Row)
	if ok {
		r.TraceID = t.ID.String()
		d.part.Exported.Traces = append(d.part.Exported.Traces, enrich.ExportedTrace{Row: r, Spans: t.Spans})
	}
	return ok
}

// exportedRow reads the fields of a row by the columns of its dataset, if the
// row is an export's and names its run.
func exportedRow[R any](d *decoder, f *Format, columns []enrich.Column[R], row attr.Set) (r R, ok bool) {
	if !enrich.IsExport(row) {
		return r, false
	}
	return typedRow(d, f, columns, row)
}

func typedRow[R any](d *decoder, f *Format, columns []enrich.Column[R], row attr.Set) (r R, ok bool) {
	if _, key := row.Str(attr.Field{"run_id"}); key == "" {
		return r, false
	}
	ok = enrich.SetRow(columns, &r, row, func(column string, v attr.Value, want string) {
		d.warn("%s is %s, expected %s", column, show(v), want)
	})
	if ok && f != nil && d.kept == 0 && d.format != &exportedDocument {
		d.format = f
	}
	return r, ok
}

// exportedRun reads a run of a document: its rows, and what was found out about
// them.
func (d *decoder) exportedRun() {
	var notes enrich.ExportedNotes
	rows := len(d.part.Exported.Leaderboard)
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		d.key = string(key)
		switch k := d.s.kind(); {
		case d.key == "leaderboard" && k == objectKind:
			d.object(nil)
		case d.key == "quality" && k == objectKind:
			notes.Quality = d.quality()
		case d.key == "provenance" && k == objectKind:
			notes.Provenance = d.provenance()
		case k == listKind && (d.key == "results" || d.key == "traces" || d.key == "metrics"):
			d.list("")
		default:
			d.s.skip()
		}
	}
	if list := d.part.Exported.Leaderboard; len(list) > rows && d.s.err == nil {
		notes.RunID = list[rows].RunID
		d.part.Exported.Notes = append(d.part.Exported.Notes, notes)
	}
}

// keyed calls read with each key of an object and reads over a value that is
// no object of its own if it should be one.
func (d *decoder) keyed(want kind, read func(key string)) {
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		name := d.keep.name(key)
		if want != noKind && d.s.kind() != want {
			d.wrong(name, want.String())
			continue
		}
		read(name)
	}
}

func (d *decoder) quality() enrich.Quality {
	q := enrich.Quality{Flags: map[string][]string{}, Stored: map[string]map[string]attr.Value{}}
	d.keyed(objectKind, func(key string) {
		switch key {
		case "flags":
			d.keyed(listKind, func(flag string) { q.Flags[flag] = d.value().Strings() })
		case "stored":
			d.keyed(objectKind, func(where string) {
				q.Stored[where] = map[string]attr.Value{}
				d.keyed(noKind, func(column string) { q.Stored[where][column] = d.value() })
			})
		default:
			d.s.skip()
		}
	})
	return q
}

func (d *decoder) provenance() *enrich.Provenance {
	p := &enrich.Provenance{}
	d.keyed(objectKind, func(dataset string) {
		d.keyed(objectKind, func(row string) {
			columns := map[string]enrich.Origin{}
			d.keyed(objectKind, func(column string) {
				var o enrich.Origin
				d.keyed(stringKind, func(key string) {
					switch text := d.label(key); key {
					case "kind":
						o.Kind = enrich.ProvenanceKind(text)
					case "from":
						o.From = text
					}
				})
				columns[column] = o
			})
			p.Put(dataset, row, columns)
		})
	})
	return p
}
