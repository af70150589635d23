package enrich

import (
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

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

// A Provenance tells the origin of each value of a run's datasets: dataset →
// row key → column → origin. The row key is the case id in results, the trace id
// in traces, "metric:test_id" or "metric:run" in metrics, and "run" in the
// leaderboard. Rows share what they have in common: each distinct origin is
// kept once, and a row is a number a column. The zero Provenance is empty.
type Provenance struct {
	origins []Origin
	numbers map[Origin]uint32              // origin → its place in origins, plus 1
	rows    map[string]map[string][]uint32 // dataset → row key → a number a column, 0 without an origin
}

// columnNames lists the columns of the datasets that have origins.
var columnNames = map[string][]string{
	Results: Names(ResultColumns), Traces: Names(TraceColumns),
	Metrics: Names(MetricColumns), Leaderboard: Names(LeaderboardColumns),
}

// Row returns the origins of one row's values by column, nil of an unknown row.
func (p *Provenance) Row(dataset, key string) map[string]Origin {
	numbers, ok := p.rows[dataset][key]
	if !ok {
		return nil
	}
	out := map[string]Origin{}
	for i, n := range numbers {
		if n > 0 {
			out[columnNames[dataset][i]] = p.origins[n-1]
		}
	}
	return out
}

// Datasets lists the datasets that rows have origins in, sorted.
func (p *Provenance) Datasets() []string { return slices.Sorted(maps.Keys(p.rows)) }

// Keys lists the rows of a dataset that have origins, sorted.
func (p *Provenance) Keys(dataset string) []string { return slices.Sorted(maps.Keys(p.rows[dataset])) }

// Put sets the origins of one row's values. Columns that the dataset lacks are
// left out.
func (p *Provenance) Put(dataset, key string, columns map[string]Origin) {
	numbers := make([]uint32, len(columnNames[dataset]))
	for i, name := range columnNames[dataset] {
		if o, ok := columns[name]; ok {
			numbers[i] = p.number(o)
		}
	}
	p.put(dataset, key, numbers)
}

func (p *Provenance) put(dataset, key string, numbers []uint32) {
	if p.rows == nil {
		p.rows = map[string]map[string][]uint32{}
	}
	if p.rows[dataset] == nil {
		p.rows[dataset] = map[string][]uint32{}
	}
	p.rows[dataset][key] = numbers
}

// number returns the number of an origin, a new one if it has none.
func (p *Provenance) number(o Origin) uint32 {
	n, ok := p.numbers[o]
	if !ok {
		if p.numbers == nil {
			p.numbers = map[Origin]uint32{}
		}
		p.origins = append(p.origins, o)
		n = uint32(len(p.origins))
		p.numbers[o] = n
	}
	return n
}

// Origins lists the distinct origins, in the order that Pack numbers them in.
// The caller must not change them.
func (p *Provenance) Origins() []Origin { return p.origins }

// Pack returns a row as varints, one a column, that Unpack reads with the same
// origins.
func (p *Provenance) Pack(dataset, key string) []byte {
	var packed []byte
	for _, n := range p.rows[dataset][key] {
		packed = binary.AppendUvarint(packed, uint64(n))
	}
	return packed
}

// Unpack sets a row from what Pack returned, where origins are those of then.
func (p *Provenance) Unpack(origins []Origin, dataset, key string, packed []byte) error {
	var numbers []uint32
	for len(packed) > 0 {
		n, size := binary.Uvarint(packed)
		if size <= 0 || n > uint64(len(origins)) || len(numbers) == len(columnNames[dataset]) {
			return fmt.Errorf("provenance of %s %q: column %d: not the number of an origin", dataset, key, len(numbers))
		}
		packed = packed[size:]
		number := uint32(0)
		if n > 0 {
			number = p.number(origins[n-1])
		}
		numbers = append(numbers, number)
	}
	p.put(dataset, key, numbers)
	return nil
}

// origins gathers where the fields of one row came from.
type origins struct {
	all     *Provenance
	row     uintptr
	fields  map[uintptr]int // offset of a field in its row → its column
	numbers []uint32        // a column each
}

// note says where the fields, given by pointers into the row, came from.
func (o *origins) note(kind ProvenanceKind, from string, ptrs ...any) {
	n := o.all.number(Origin{kind, from})
	for _, ptr := range ptrs {
		o.numbers[o.column(ptr)] = n
	}
}

// same says that a field came from where another did.
func (o *origins) same(ptr, other any) {
	o.numbers[o.column(ptr)] = o.numbers[o.column(other)]
}

func (o *origins) column(ptr any) int { return o.fields[reflect.ValueOf(ptr).Pointer()-o.row] }

// rowType holds what the rows of a dataset have in common.
type rowType[R any] struct {
	dataset string
	columns []Column[R]
	fields  map[uintptr]int // offset of a field → its column
}

func newRowType[R any](dataset string, columns []Column[R]) rowType[R] {
	row := new(R)
	fields := make(map[uintptr]int, len(columns))
	for i, c := range columns {
		fields[reflect.ValueOf(c.Ptr(row)).Pointer()-reflect.ValueOf(row).Pointer()] = i
	}
	return rowType[R]{dataset, columns, fields}
}

var (
	resultType      = newRowType(Results, ResultColumns)
	traceType       = newRowType(Traces, TraceColumns)
	metricType      = newRowType(Metrics, MetricColumns)
	leaderboardType = newRowType(Leaderboard, LeaderboardColumns)
)

// originsOf begins the origins of a row.
func (t rowType[R]) originsOf(p *Provenance, row *R) origins {
	return origins{p, reflect.ValueOf(row).Pointer(), t.fields, make([]uint32, len(t.columns))}
}

// settle puts the origins of the row's known values among all. One whose origin
// nobody noted is as the row of the file states it.
func (t rowType[R]) settle(o origins, row *R, key string, otherwise Origin) {
	rest := o.all.number(otherwise)
	for i, c := range t.columns {
		switch {
		case !Known(c.Ptr(row)):
			o.numbers[i] = 0
		case o.numbers[i] == 0:
			o.numbers[i] = rest
		}
	}
	// Points of one metric share a key. What the first of them says holds, and
	// the others fill in columns that it has no value in.
	for i, n := range o.all.rows[t.dataset][key] {
		if n > 0 {
			o.numbers[i] = n
		}
	}
	o.all.put(t.dataset, key, o.numbers)
}
