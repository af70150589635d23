package price

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// ReadFile reads a price file: a JSON array of rows in USD per million tokens,
// of which key, input and output are required. The first row that is wrong is
// an error that names its number from 1, its key, the field and what is wanted.
func ReadFile(r io.Reader) ([]Row, error) {
	d := json.NewDecoder(r)
	if start, err := d.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w, want an array of prices", noEOF(err))
	} else if start != json.Delim('[') {
		return nil, fmt.Errorf("%v at the start, want an array of prices: [{\"key\": …}]", start)
	}
	rows := []Row{}
	for n := 1; d.More(); n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, fmt.Errorf("row %d: not JSON: %w", n, noEOF(err))
		}
		row, err := readRow(raw)
		if err != nil {
			if row.Key != "" {
				return nil, fmt.Errorf("row %d (key %q): %w", n, row.Key, err)
			}
			return nil, fmt.Errorf("row %d: %w", n, err)
		}
		same := slices.IndexFunc(rows, func(r Row) bool {
			return r.Key == row.Key && providerOf(r) == providerOf(row) && r.ValidFrom == row.ValidFrom
		})
		if same >= 0 {
			return nil, fmt.Errorf("row %d (key %q): same key, provider and valid_from as row %d, want one row for each", n, row.Key, same+1)
		}
		rows = append(rows, row)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("after row %d: not JSON: %w, want ] at the end", len(rows), noEOF(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more data after the array, want one array of prices")
	}
	return rows, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readRow returns, with an error, a row that has the key if that could be read.
func readRow(raw json.RawMessage) (row Row, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return row, errors.New("want an object with key, input and output")
	}
	var provider string
	readers := []struct {
		name     string
		required bool
		read     func(json.RawMessage) error
	}{
		{"key", true, text(&row.Key)},
		{"provider", false, text(&provider)},
		{"input", true, usd(&row.Input)},
		{"output", true, usd(&row.Output)},
		{"cache_read", false, usd(&row.CacheRead)},
		{"cache_write", false, usd(&row.CacheWrite)},
		{"reasoning", false, usd(&row.Reasoning)},
		{"valid_from", false, date(&row.ValidFrom)},
		{"source", false, text(&row.Source)},
	}
	var names []string
	for _, f := range readers {
		names = append(names, f.name)
		raw, given := fields[f.name]
		delete(fields, f.name)
		if !given || string(raw) == "null" {
			if f.required {
				return row, fmt.Errorf("%s is missing", f.name)
			}
			continue
		}
		if err := f.read(raw); err != nil {
			return row, fmt.Errorf("%s is %s, %w", f.name, brief(raw), err)
		}
		if f.name == "key" {
			if row.Key = clean(row.Key); row.Key == "" {
				return row, errors.New("key is empty, want a model's name")
			}
		}
	}
	for _, unknown := range slices.Sorted(maps.Keys(fields)) {
		return row, fmt.Errorf("unknown field %q, want one of %s", unknown, strings.Join(names, ", "))
	}
	if provider = clean(provider); provider != "" {
		row.Provider = &provider
	}
	return row, nil
}

func text(to *string) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if json.Unmarshal(raw, to) != nil {
			return errors.New("want a string")
		}
		return nil
	}
}

func usd(to **float64) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var p float64
		if err := json.Unmarshal(raw, &p); err != nil || p < 0 || math.IsInf(p, 0) {
			return errors.New("want USD per million tokens, a number from 0 up")
		}
		p += 0 // -0 is 0
		*to = &p
		return nil
	}
}

func date(to *string) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var day string
		err := json.Unmarshal(raw, &day)
		if err == nil && day != "" {
			_, err = time.Parse(time.DateOnly, day)
		}
		if err != nil {
			return errors.New("want a date such as 2025-01-31")
		}
		*to = day
		return nil
	}
}

// brief keeps what a file holds from filling an error.
func brief(raw json.RawMessage) string {
	const most = 40
	if raw = bytes.TrimSpace(raw); len(raw) > most {
		return strings.ToValidUTF8(string(raw[:most]), "") + "…"
	}
	return string(raw)
}
