package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// qualityDoc is a Quality as JSON; its values are texts of JSON.
type qualityDoc struct {
	Flags  map[string][]string
	Stored map[string]map[string]json.RawMessage
}

func (w *writing) putQuality(ctx context.Context, run string, q enrich.Quality) error {
	doc := qualityDoc{q.Flags, make(map[string]map[string]json.RawMessage, len(q.Stored))}
	for where, values := range q.Stored {
		doc.Stored[where] = make(map[string]json.RawMessage, len(values))
		for column, v := range values {
			doc.Stored[where][column] = v.AppendJSON(nil)
		}
	}
	text, err := marshal(doc)
	if err != nil {
		return fmt.Errorf("quality: %w", err)
	}
	_, err = w.tx.ExecContext(ctx, `INSERT INTO qualities (run_id, block) VALUES (?, ?)`, run, w.blocks.pack(text))
	return err
}

// Quality returns what enrichment found out about the data of a run.
func (v *Snapshot) Quality(ctx context.Context, run string) (enrich.Quality, error) {
	var block []byte
	err := v.tx.QueryRowContext(ctx, `SELECT block FROM qualities WHERE run_id = ?`, run).Scan(&block)
	if errors.Is(err, sql.ErrNoRows) {
		return enrich.Quality{}, fmt.Errorf("quality of run %q: %w", run, ErrNotFound)
	}
	if err != nil {
		return enrich.Quality{}, err
	}
	var doc qualityDoc
	if err := v.decode(block, &doc); err != nil {
		return enrich.Quality{}, fmt.Errorf("quality of run %q: %w", run, err)
	}
	q := enrich.Quality{Flags: doc.Flags, Stored: make(map[string]map[string]attr.Value, len(doc.Stored))}
	for where, values := range doc.Stored {
		q.Stored[where] = make(map[string]attr.Value, len(values))
		for column, text := range values {
			value, err := attrValue(text)
			if err != nil {
				return enrich.Quality{}, fmt.Errorf("quality of run %q: %s %s: %w", run, where, column, err)
			}
			q.Stored[where][column] = value
		}
	}
	return q, nil
}

// attrValue reads a value that attr.Value.AppendJSON wrote.
func attrValue(text json.RawMessage) (attr.Value, error) {
	switch text[0] {
	case 'n':
		return attr.Value{}, nil
	case 't', 'f':
		return attr.BoolValue(text[0] == 't'), nil
	case '[', '{':
		return attr.JSONValue(string(text)), nil
	case '"':
		var s string
		err := json.Unmarshal(text, &s)
		return attr.StringValue(s), err
	}
	var n int64
	if json.Unmarshal(text, &n) == nil {
		return attr.IntValue(n), nil
	}
	var f float64
	err := json.Unmarshal(text, &f)
	return attr.FloatValue(f), err
}

// putProvenance keeps the origins of each row by themselves, because a page
// shows those of one row.
func (w *writing) putProvenance(ctx context.Context, run string, p enrich.Provenance) error {
	stmt, err := w.tx.PrepareContext(ctx, `INSERT INTO origins (run_id, dataset, row_key, block) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for dataset, rows := range p {
		for key, origins := range rows {
			text, err := marshal(origins)
			if err != nil {
				return err
			}
			if _, err := stmt.ExecContext(ctx, run, dataset, key, w.blocks.pack(text)); err != nil {
				return fmt.Errorf("provenance: %s %q: %w", dataset, key, err)
			}
		}
	}
	return nil
}

// Origins returns where the values of one row came from, by column; see
// enrich.Provenance for the row keys. Of a row without any there are none.
func (v *Snapshot) Origins(ctx context.Context, run, dataset, rowKey string) (map[string]enrich.Origin, error) {
	var block []byte
	err := v.tx.QueryRowContext(ctx, `
		SELECT block
		FROM origins
		WHERE run_id = ? AND dataset = ? AND row_key = ?`, run, dataset, rowKey).Scan(&block)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var origins map[string]enrich.Origin
	return origins, v.decode(block, &origins)
}

// Provenance returns where all values of a run came from.
func (v *Snapshot) Provenance(ctx context.Context, run string) (enrich.Provenance, error) {
	rows, err := v.tx.QueryContext(ctx, `SELECT dataset, row_key, block FROM origins WHERE run_id = ?`, run)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	p := enrich.Provenance{}
	for rows.Next() {
		var dataset, key string
		var block []byte
		if err := rows.Scan(&dataset, &key, &block); err != nil {
			return nil, err
		}
		var origins map[string]enrich.Origin
		if err := v.decode(block, &origins); err != nil {
			return nil, fmt.Errorf("provenance of run %q: %s %q: %w", run, dataset, key, err)
		}
		if p[dataset] == nil {
			p[dataset] = map[string]map[string]enrich.Origin{}
		}
		p[dataset][key] = origins
	}
	return p, rows.Err()
}

// marshal is json.Marshal that leaves < and > as they are in texts of JSON.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

func (v *Snapshot) decode(block []byte, into any) error {
	text, err := v.blocks.unpack(block)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
