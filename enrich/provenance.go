package enrich

// A ProvenanceKind says how a value came about (design: vocabulary).
type ProvenanceKind string

// The kinds of provenance. An absent value is a null without an entry.
const (
	Reported ProvenanceKind = "reported" // a file states it
	Derived  ProvenanceKind = "derived"  // counted from spans or rows
	Priced   ProvenanceKind = "priced"   // tokens × a price list
	Measured ProvenanceKind = "measured" // from power or energy readings
	Repaired ProvenanceKind = "repaired" // stated wrongly or incompletely, and mended by a rule
)

// An Origin says where one value came from.
type Origin struct {
	Kind ProvenanceKind `json:"kind"`
	From string         `json:"from"` // short reason: which field, spans or rule
}

// A Provenance maps dataset → row key → column → origin. The row key is the
// case id in results, the trace id in traces, "metric:test_id" or "metric:run" in
// metrics, and "run" in the leaderboard.
type Provenance map[string]map[string]map[string]Origin

func (p Provenance) put(dataset, row string, columns map[string]Origin) {
	if p[dataset] == nil {
		p[dataset] = map[string]map[string]Origin{}
	}
	p[dataset][row] = columns
}

// origins holds where the fields of one row came from, by pointer to the field.
type origins map[any]Origin

func (o origins) note(kind ProvenanceKind, from string, ptrs ...any) {
	for _, ptr := range ptrs {
		o[ptr] = Origin{kind, from}
	}
}

// columnOrigins tells the origins of the fields that have a value. One whose origin nobody noted is
// as the row of the file states it.
func columnOrigins[R any](o origins, columns []Column[R], row *R, otherwise Origin) map[string]Origin {
	out := make(map[string]Origin, len(columns))
	for _, c := range columns {
		ptr := c.Ptr(row)
		if !Known(ptr) {
			continue
		}
		if origin, ok := o[ptr]; ok {
			out[c.Name] = origin
		} else {
			out[c.Name] = otherwise
		}
	}
	return out
}
