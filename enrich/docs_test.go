package enrich_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
)

var update = flag.Bool("update", false, "rewrite the generated pages in docs")

// TestDocsFields proves that docs/fields.md says what the column tables say.
func TestDocsFields(t *testing.T) {
	var page strings.Builder
	page.WriteString("<!-- Generated from the column tables of package enrich by: go test ./enrich -run Docs -update -->\n\n" +
		"# Fields\n\n" +
		"The columns of the four datasets, in the order in which JSON, JSON lines and CSV have them. Names are the seed's,\n" +
		"dots included; priorities are the seed's too, where *captured* means that SMOLTRACE's files already had it and\n" +
		"*extra* that the seed does not list it. Absent is null, never 0. \"Spec\" is the enrichment specification.\n")
	describe(&page, "Results", "One row a test.", enrich.ResultColumns)
	describe(&page, "Traces", "One row a trace.", enrich.TraceColumns)
	describe(&page, "Metrics", "One row a data point.", enrich.MetricColumns)
	describe(&page, "Leaderboard", "One row a run.", enrich.LeaderboardColumns)
	describe(&page, "Spans", "One row a span, for pages and the window of spans in the API; spans whole are in the traces.", enrich.SpanColumns)
	compare(t, "../docs/fields.md", page.String())
}

func describe[R any](page *strings.Builder, dataset, rows string, columns []enrich.Column[R]) {
	fmt.Fprintf(page, "\n## %s\n\n%s %d columns.\n\n", dataset, rows, len(columns))
	page.WriteString("| # | Column | Type | Unit | Priority | Null | What it is |\n|---|---|---|---|---|---|---|\n")
	for i, c := range columns {
		ptr := c.Ptr(new(R))
		null := "yes"
		if enrich.Known(ptr) {
			null = "no"
		}
		fmt.Fprintf(page, "| %d | `%s` | %s | %s | %s | %s | %s |\n", i+1, c.Name, enrich.TypeName(ptr), unitName(c.Unit), c.Priority, null, cell(c.Doc))
	}
}

// TestDocsFormats proves that docs/formats.md says what decode.Formats says.
func TestDocsFormats(t *testing.T) {
	var page strings.Builder
	page.WriteString("<!-- Generated from decode.Formats by: go test ./enrich -run Docs -update -->\n\n" +
		"# Formats\n\n" +
		"What a file is, is told by what is in it and never by its name. The formats are tried in this order, and the first\n" +
		"that fits the keys of a row counts. Rows may lie in a list, one on a line, under a key such as `data` or `train`, in\n" +
		"what the datasets server, a search of OpenSearch, Tempo or Jaeger answers, or in a dump or bulk file of OpenSearch.\n\n" +
		"| Format | Dataset | What it is |\n|---|---|---|\n")
	for _, f := range decode.Formats {
		if f.Name == "" || !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("format %q of dataset %q: want a doc that is a sentence, got %q", f.Name, f.Dataset, f.Doc)
		}
		dataset := f.Dataset
		if dataset == "" {
			dataset = "all four"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", f.Name, dataset, cell(f.Doc))
	}
	page.WriteString("\n## Compression, archives and limits\n\n" +
		"Every file may be compressed once, with gzip or zstd. A zip or tar archive, the latter compressed or not, stands for\n" +
		"the files in it: each is read, and on the server stored, as if it had been dropped by itself in a folder named like\n" +
		"the archive. Hidden files are passed over, links are skipped with a notice, and archives within archives, encrypted\n" +
		"files and files whose path leads out of the archive are refused.\n\n" +
		"What is read is bounded, so that no file takes the memory or the disk of the machine. A file that unpacks to more\n" +
		"than it may is refused whole. The limits are flags of `smolscope serve` and `smolscope enrich`:\n\n" +
		"| Flag | Default | What it bounds |\n|---|---|---|\n")
	for _, l := range limits {
		fmt.Fprintf(&page, "| `--%s` | %s | %s |\n", l.flag, l.value, l.what)
	}
	compare(t, "../docs/formats.md", page.String())
}

// limits are the flags of the limits and their defaults.
var limits = func() []struct{ flag, value, what string } {
	l := decode.DefaultLimits()
	size := func(n int64) string {
		if n%(1<<30) == 0 {
			return fmt.Sprintf("%d GiB", n>>30)
		}
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return []struct{ flag, value, what string }{
		{"max-unpacked", size(l.Unpacked), "What one compressed file, or one file of an archive, may unpack to."},
		{"max-unpacked-upload", size(l.Upload), "What all files that come together may unpack to."},
		{"max-ratio", fmt.Sprint(l.Ratio), "How many times its size packed data may unpack to; not asked of the first 64 MiB."},
		{"max-entries", fmt.Sprint(l.Entries), "Files in the archives that come together."},
		{"max-depth", fmt.Sprint(l.Depth), "Lists and objects within one another."},
		{"max-value", size(l.Value), "One text or attribute."},
		{"max-row", size(l.Row), "A row of a table, or a span or metric in protobuf."},
	}
}()

// unitName is how the page writes a unit; a count of things needs none.
func unitName(u enrich.Unit) string {
	if u == enrich.None || u == enrich.Count {
		return ""
	}
	return string(u)
}

// cell keeps a text from ending a cell of a Markdown table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// compare compares a generated page with the file, or rewrites it.
func compare(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("%s is stale; go test ./enrich -run Docs -update rewrites it (-file +tables):\n%s", path, diff)
	}
}
