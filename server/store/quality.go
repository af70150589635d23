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
	return v.mask.Quality(q), nil
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

// putProvenance keeps the numbers of each row by themselves, because a page
// shows those of a few rows, and what they number once for the run.
func (w *writing) putProvenance(ctx context.Context, run string, p *enrich.Provenance) error {
	if p == nil {
		return nil
	}
	list, err := marshal(p.Origins())
	if err != nil {
		return err
	}
	if _, err := w.tx.ExecContext(ctx, `INSERT INTO origins (run_id, block) VALUES (?, ?)`, run, w.blocks.pack(list)); err != nil {
		return fmt.Errorf("origins: %w", err)
	}
	stmt, err := w.tx.PrepareContext(ctx, `INSERT INTO row_origins (run_id, dataset, row_key, numbers) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, dataset := range p.Datasets() {
		for _, key := range p.Keys(dataset) {
			if _, err := stmt.ExecContext(ctx, run, dataset, key, p.Pack(dataset, key)); err != nil {
				return fmt.Errorf("origins of %s %q: %w", dataset, key, err)
			}
		}
	}
	return nil
}

// Provenance returns where the values of a run came from: those of the named
// rows of a dataset, of all its rows if none are named, or with dataset "" of
// the whole run. See enrich.Provenance for the row keys.
func (v *Snapshot) Provenance(ctx context.Context, run, dataset string, keys ...string) (*enrich.Provenance, error) {
	p := &enrich.Provenance{}
	var block []byte
	err := v.tx.QueryRowContext(ctx, `SELECT block FROM origins WHERE run_id = ?`, run).Scan(&block)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	var origins []enrich.Origin
	if err := v.decode(block, &origins); err != nil {
		return nil, fmt.Errorf("origins of run %q: %w", run, err)
	}
	// Only what is asked for stands in the query, so that SQLite uses the key.
	query, args := `SELECT dataset, row_key, numbers FROM row_origins WHERE run_id = ?`, []any{run}
	if dataset != "" {
		query, args = query+` AND dataset = ?`, append(args, dataset)
	}
	if len(keys) > 0 {
		if dataset == "" {
			query, args = query+` AND dataset IN (?, ?, ?, ?)`, append(args, enrich.Results, enrich.Traces, enrich.Metrics, enrich.Leaderboard)
		}
		query, args = query+` AND row_key IN (SELECT value FROM json_each(?))`, append(args, jsonList(keys))
	}
	rows, err := v.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var dataset, key string
		var numbers []byte
		if err := rows.Scan(&dataset, &key, &numbers); err != nil {
			return nil, err
		}
		if err := p.Unpack(origins, dataset, key, numbers); err != nil {
			return nil, fmt.Errorf("run %q: %w", run, err)
		}
	}
	return v.mask.Provenance(p), rows.Err()
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
