// Package export writes enriched datasets out: the document that the enrich
// command and the API print, and single datasets as JSON, JSON lines or CSV.
// What is written depends on the rows alone, to the byte.
package export

import (
	"bufio"
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// Document writes runs, sorted by run id, and the receipts of the files they
// came from, sorted by SHA-256 and then name, as the one JSON object of the
// contract: one row a line, columns in table order, all other keys sorted.
func Document(w io.Writer, version string, runs []*enrich.Tables, files []enrich.File) error {
	runs = slices.SortedStableFunc(slices.Values(runs), func(a, b *enrich.Tables) int {
		return cmp.Compare(a.Leaderboard.RunID, b.Leaderboard.RunID)
	})
	files = slices.SortedStableFunc(slices.Values(files), func(a, b enrich.File) int {
		return cmp.Or(cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.Name, b.Name))
	})

	out := bufio.NewWriter(w)
	out.WriteString(`{"smolscope":`)
	out.Write(attr.AppendQuoted(nil, version))
	out.WriteString(`,"runs":[`)
	for i, t := range runs {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeRun(out, t); err != nil {
			return err
		}
	}
	out.WriteString("],\n\"files\":")
	out.Write(appendList(nil, "\n", files, appendFile))
	out.WriteString("}\n")
	return out.Flush()
}

func writeRun(out *bufio.Writer, t *enrich.Tables) error {
	out.WriteString("\n{\"leaderboard\":")
	out.Write(enrich.AppendRow(nil, enrich.LeaderboardColumns, &t.Leaderboard))
	out.WriteString(",\n\"results\":")
	if err := writeArray(out, enrich.ResultColumns, Rows(t.Results)); err != nil {
		return err
	}
	out.WriteString(",\n\"traces\":")
	if err := writeArray(out, enrich.TraceColumns, Rows(t.Traces)); err != nil {
		return err
	}
	out.WriteString(",\n\"metrics\":")
	if err := writeArray(out, enrich.MetricColumns, Rows(t.Metrics)); err != nil {
		return err
	}
	out.WriteString(",\n\"quality\":")
	out.Write(appendQuality(nil, t))
	out.WriteString(",\n\"provenance\":")
	writeProvenance(out, cmp.Or(t.Provenance, &enrich.Provenance{}))
	return out.WriteByte('}')
}

func appendQuality(dst []byte, t *enrich.Tables) []byte {
	dst = append(dst, `{"flags":`...)
	dst = appendMap(dst, t.Quality.Flags, func(dst []byte, places []string) []byte {
		return appendList(dst, "", places, attr.AppendQuoted)
	})
	dst = append(dst, `,"stored":`...)
	dst = appendMap(dst, t.Quality.Stored, func(dst []byte, columns map[string]attr.Value) []byte {
		return appendMap(dst, columns, func(dst []byte, v attr.Value) []byte { return v.AppendJSON(dst) })
	})
	dst = append(dst, `,"coverage":`...)
	dst = appendMap(dst, map[string]map[string]coverage{
		enrich.Leaderboard: cover(enrich.LeaderboardColumns, []enrich.LeaderboardRow{t.Leaderboard}),
		enrich.Results:     cover(enrich.ResultColumns, t.Results),
		enrich.Traces:      cover(enrich.TraceColumns, t.Traces),
		enrich.Metrics:     cover(enrich.MetricColumns, t.Metrics),
	}, func(dst []byte, columns map[string]coverage) []byte { return appendMap(dst, columns, appendCoverage) })
	return append(dst, '}')
}

// A coverage says in how many of the rows a column is known.
type coverage struct{ known, total int }

func cover[R any](columns []enrich.Column[R], rows []R) map[string]coverage {
	covered := make(map[string]coverage, len(columns))
	for _, c := range columns {
		n := coverage{total: len(rows)}
		for i := range rows {
			if enrich.Known(c.Ptr(&rows[i])) {
				n.known++
			}
		}
		covered[c.Name] = n
	}
	return covered
}

func appendCoverage(dst []byte, n coverage) []byte {
	dst = append(dst, `{"known":`...)
	dst = strconv.AppendInt(dst, int64(n.known), 10)
	dst = append(dst, `,"total":`...)
	dst = strconv.AppendInt(dst, int64(n.total), 10)
	return append(dst, '}')
}

// writeProvenance writes a row's origins at a time: of a run of ten thousand
// tests they are half a million.
func writeProvenance(out *bufio.Writer, p *enrich.Provenance) {
	out.WriteByte('{')
	for i, dataset := range p.Datasets() {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(append(attr.AppendQuoted(nil, dataset), ":{"...))
		for j, row := range p.Keys(dataset) {
			if j > 0 {
				out.WriteByte(',')
			}
			line := append(attr.AppendQuoted(out.AvailableBuffer(), row), ':')
			out.Write(appendMap(line, p.Row(dataset, row), appendOrigin))
		}
		out.WriteByte('}')
	}
	out.WriteByte('}')
}

func appendOrigin(dst []byte, o enrich.Origin) []byte {
	dst = append(dst, `{"kind":`...)
	dst = attr.AppendQuoted(dst, string(o.Kind))
	dst = append(dst, `,"from":`...)
	dst = attr.AppendQuoted(dst, o.From)
	return append(dst, '}')
}

func appendFile(dst []byte, f enrich.File) []byte {
	dst = append(dst, `{"name":`...)
	dst = attr.AppendQuoted(dst, f.Name)
	dst = append(dst, `,"format":`...)
	dst = attr.AppendQuoted(dst, f.Format)
	dst = append(dst, `,"dataset":`...)
	dst = attr.AppendQuoted(dst, f.Dataset)
	dst = append(dst, `,"sha256":`...)
	dst = attr.AppendQuoted(dst, f.SHA256)
	dst = append(dst, `,"rows":`...)
	dst = strconv.AppendInt(dst, int64(f.Rows), 10)
	dst = append(dst, `,"spans":`...)
	dst = strconv.AppendInt(dst, int64(f.Spans), 10)
	dst = append(dst, `,"repairs":`...)
	dst = appendList(dst, "", f.Repairs, attr.AppendQuoted)
	dst = append(dst, `,"warnings":`...)
	dst = appendList(dst, "", f.Warnings, func(dst []byte, w enrich.Warning) []byte {
		dst = append(dst, `{"where":`...)
		dst = attr.AppendQuoted(dst, w.Where)
		dst = append(dst, `,"message":`...)
		dst = attr.AppendQuoted(dst, w.Message)
		return append(dst, '}')
	})
	dst = append(dst, `,"error":`...)
	dst = enrich.AppendJSON(dst, &f.Error)
	return append(dst, '}')
}

// appendList appends a JSON array, with before in front of each element.
func appendList[T any](dst []byte, before string, list []T, each func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = each(append(dst, before...), v)
	}
	return append(dst, ']')
}

// appendMap appends a JSON object with its keys sorted.
func appendMap[V any](dst []byte, m map[string]V, each func([]byte, V) []byte) []byte {
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(attr.AppendQuoted(dst, key), ':')
		dst = each(dst, m[key])
	}
	return append(dst, '}')
}
