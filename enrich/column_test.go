package enrich_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"smolscope/enrich"
)

// A table is a dataset's column table with what the tests say about it.
type table struct {
	name        string
	seed        int // columns the seed lists, which come first
	columns     int
	first, last string
	check       func(*testing.T, table)
}

var tables = []table{
	{"results", 46, 56, "model", "gpu_power_avg_w", checkTable(enrich.ResultColumns)},
	{"traces", 33, 42, "trace_id", "data_quality", checkTable(enrich.TraceColumns)},
	{"metrics", 0, 21, "run_id", "service_name", checkTable(enrich.MetricColumns)},
	{"leaderboard", 70, 83, "run_id", "idle_gpu_energy_wh", checkTable(enrich.LeaderboardColumns)},
	{"spans", 0, 25, "run_id", "json_to", checkTable(enrich.SpanColumns)},
}

func TestColumns(t *testing.T) {
	for _, tt := range tables {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, tt) })
	}
}

func checkTable[R any](columns []enrich.Column[R]) func(*testing.T, table) {
	return func(t *testing.T, want table) {
		names := enrich.Names(columns)
		if len(columns) != want.columns {
			t.Fatalf("%d columns, want %d", len(columns), want.columns)
		}
		if names[0] != want.first || names[len(names)-1] != want.last {
			t.Errorf("columns run from %s to %s, want %s to %s", names[0], names[len(names)-1], want.first, want.last)
		}
		if want.seed > 0 {
			for i, c := range columns {
				if extra := c.Priority == enrich.Extra; extra != (i >= want.seed) {
					t.Errorf("column %d, %s: priority %s, want the first %d to be the seed's and the rest extra", i+1, c.Name, c.Priority, want.seed)
				}
			}
		}
		checkFields(t, columns)
		labels := map[string]string{}
		for i, c := range columns {
			if at, ok := enrich.Lookup(columns, c.Name); !ok || at.Label != c.Label {
				t.Errorf("column %d: the name %s is taken twice", i+1, c.Name)
			}
			if other, taken := labels[c.Label]; taken {
				t.Errorf("%s and %s are both labelled %q", other, c.Name, c.Label)
			}
			labels[c.Label] = c.Name
			checkWords(t, c.Name, c.Label, c.Doc)
			checkUnit(t, c.Name, c.Unit)
			if c.Better != enrich.Neither && !measures(c.Ptr(new(R))) {
				t.Errorf("%s: has a better direction, but %s is no measure", c.Name, enrich.TypeName(c.Ptr(new(R))))
			}
			if c.Unit != enrich.None && !measures(c.Ptr(new(R))) {
				t.Errorf("%s: has the unit %s, but %s is no measure", c.Name, c.Unit, enrich.TypeName(c.Ptr(new(R))))
			}
		}
	}
}

// checkFields proves that the columns' pointers are those of the row's fields:
// each field once, none of another row.
func checkFields[R any](t *testing.T, columns []enrich.Column[R]) {
	t.Helper()
	row := reflect.ValueOf(new(R)).Elem()
	fields := map[any]string{}
	for i := range row.NumField() {
		fields[row.Field(i).Addr().Interface()] = row.Type().Field(i).Name
	}
	for _, c := range columns {
		ptr := c.Ptr(row.Addr().Interface().(*R))
		if _, ok := fields[ptr]; !ok {
			t.Errorf("%s: Ptr points at no field, or at one that another column has", c.Name)
		}
		delete(fields, ptr)
	}
	for _, field := range fields {
		t.Errorf("field %s has no column", field)
	}
}

func checkWords(t *testing.T, name, label, doc string) {
	t.Helper()
	if name != strings.ToLower(name) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") != "" {
		t.Errorf("%q: want a name of lower-case letters, digits, dots and underscores", name)
	}
	if label == "" || strings.TrimSpace(label) != label {
		t.Errorf("%s: label %q", name, label)
	}
	// A sentence begins with a capital, or with a formula or a value quoted as it is.
	if len(doc) < 10 || !strings.HasSuffix(doc, ".") {
		t.Errorf("%s: doc %q is no sentence", name, doc)
	} else if r := rune(doc[0]); unicode.IsLower(r) && !quotesValue(doc) {
		t.Errorf("%s: doc %q begins with a small letter", name, doc)
	}
}

func quotesValue(doc string) bool {
	word, _, _ := strings.Cut(doc, " ")
	switch strings.TrimRight(word, ",") {
	case "tool", "reported", "agent_type:test_id", "service.name":
		return true
	}
	return false
}

// unitSuffixes are the endings of names that state a unit.
var unitSuffixes = map[string]enrich.Unit{
	"_ms":      enrich.Milliseconds,
	"_us":      enrich.Microseconds,
	"_seconds": enrich.Seconds,
	"_usd":     enrich.USD,
	"_mib":     enrich.MiB,
	"_wh":      enrich.WattHours,
	"_w":       enrich.Watts,
	"_g":       enrich.Grams,
	"_rate":    enrich.Percent,
	"_tokens":  enrich.Tokens,
	".ttft":    enrich.Seconds,
	"tbt":      enrich.Seconds,
}

func checkUnit(t *testing.T, name string, unit enrich.Unit) {
	t.Helper()
	for suffix, want := range unitSuffixes {
		if strings.HasSuffix(name, suffix) && unit != want {
			t.Errorf("%s: unit %q, want %q for a name that ends in %s", name, unit, want, suffix)
		}
	}
	if strings.Contains(name, "usage.cost.") && unit != enrich.USD {
		t.Errorf("%s: unit %q, want %q", name, unit, enrich.USD)
	}
}

// measures reports whether a column holds numbers, or a verdict.
func measures(ptr any) bool {
	switch ptr.(type) {
	case *int64, **int64, **float64, **bool:
		return true
	}
	return false
}

// TestColumnTypes proves that every function over a column's pointer knows the
// type of every column, absent and present.
func TestColumnTypes(t *testing.T) {
	t.Run("results", checkTypes(enrich.ResultColumns))
	t.Run("traces", checkTypes(enrich.TraceColumns))
	t.Run("metrics", checkTypes(enrich.MetricColumns))
	t.Run("leaderboard", checkTypes(enrich.LeaderboardColumns))
	t.Run("spans", checkTypes(enrich.SpanColumns))
}

func checkTypes[R any](columns []enrich.Column[R]) func(*testing.T) {
	return func(t *testing.T) {
		var empty, full R
		for _, c := range columns {
			ptr := c.Ptr(&empty)
			if got := string(enrich.AppendJSON(nil, ptr)); enrich.Known(ptr) == (got == "null") {
				t.Errorf("%s: Known = %v, but its JSON is %s", c.Name, enrich.Known(ptr), got)
			}
			if _, ok := enrich.Number(ptr); ok && !enrich.Known(ptr) {
				t.Errorf("%s: a number, but not known", c.Name)
			}

			fill(c.Ptr(&full))
			ptr = c.Ptr(&full)
			if !enrich.Known(ptr) {
				t.Errorf("%s: has a value, but Known = false", c.Name)
			}
			if got := string(enrich.AppendJSON(nil, ptr)); got == "null" || !json.Valid([]byte(got)) {
				t.Errorf("%s: JSON = %s, want a value", c.Name, got)
			}
			kind := enrich.TypeName(ptr)
			if _, ok := enrich.Number(ptr); ok != (kind == "int" || kind == "float") {
				t.Errorf("%s: Number = %v of a %s", c.Name, ok, kind)
			}
		}
		for what, row := range map[string]*R{"empty": &empty, "full": &full} {
			var got map[string]any
			if err := json.Unmarshal(enrich.AppendRow(nil, columns, row), &got); err != nil {
				t.Errorf("the %s row is no JSON: %v", what, err)
			}
			if len(got) != len(columns) {
				t.Errorf("the %s row has %d keys, want one for each of %d columns", what, len(got), len(columns))
			}
		}
	}
}

// fill sets a column's field, given by its pointer, to a value.
func fill(ptr any) {
	switch p := ptr.(type) {
	case *string:
		*p = "text"
	case **string:
		*p = new("text")
	case *bool:
		*p = true
	case **bool:
		*p = new(true)
	case *int64:
		*p = 7
	case **int64:
		*p = new(int64(7))
	case **float64:
		*p = new(7.5)
	case *enrich.Time:
		*p = 7
	case *enrich.UnixNano:
		*p = 7
	case *[]string:
		*p = []string{"text"}
	case *[]int64:
		*p = []int64{7}
	case *[]float64:
		*p = []float64{7.5}
	case *enrich.SpanList:
		*p = enrich.SpansText(`[{"name":"<b>"}]`)
	case *enrich.JSON:
		*p = "{}"
	default:
		panic(fmt.Sprintf("column of type %T", ptr))
	}
}

func TestNearest(t *testing.T) {
	names := enrich.Names(enrich.LeaderboardColumns)
	for mistyped, want := range map[string]string{
		"avg_tttf_seconds": "avg_ttft_seconds",
		"success_rat":      "success_rate",
		"Success_Rate":     "success_rate",
		"tokens":           "notes",
		"xyz":              "",
		"":                 "",
	} {
		if got := enrich.Nearest(names, mistyped); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", mistyped, got, want)
		}
	}
}

func TestLookup(t *testing.T) {
	if c, ok := enrich.Lookup(enrich.ResultColumns, "gen_ai.usage.cost.total"); !ok || c.Unit != enrich.USD {
		t.Errorf("Lookup = %q in %q, %v, want the cost in USD", c.Name, c.Unit, ok)
	}
	if c, ok := enrich.Lookup(enrich.ResultColumns, "cost"); ok {
		t.Errorf("Lookup of an unknown name = %q", c.Name)
	}
}
