package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"smolscope/enrich"
)

// An Upload is one file as it was taken, named by the SHA-256 of its bytes.
type Upload struct {
	Receipt  enrich.File
	Folder   string // the folder it lay in, "" if none is known
	Drop     string // shared by the files of one folder that were dropped together
	Size     int64
	Received time.Time
}

// A NewUpload is an upload that a Change brings.
type NewUpload struct {
	Upload
	Keys  []string  // of its part: uploads that share one belong together
	Bytes io.Reader // read once; must yield Size bytes
}

// putUpload adds an upload to the truth.
func (w *writing) putUpload(ctx context.Context, u NewUpload) error {
	receipt, err := json.Marshal(u.Receipt)
	if err != nil {
		return err
	}
	id := u.Receipt.SHA256
	_, err = w.tx.ExecContext(ctx, `
		INSERT INTO uploads (sha256, folder, drop_id, size, received_unix_nano, receipt)
		VALUES (?, ?, ?, ?, ?, ?)`, id, u.Folder, u.Drop, u.Size, u.Received.UnixNano(), string(receipt))
	if err != nil {
		return err
	}
	size, err := w.blocks.cut(u.Bytes, func(start int64, block []byte) error {
		_, err := w.tx.ExecContext(ctx, `INSERT INTO upload_blocks (sha256, start, block) VALUES (?, ?, ?)`, id, start, block)
		return err
	})
	if err != nil {
		return err
	}
	if size != u.Size {
		return fmt.Errorf("read %d bytes, want %d", size, u.Size)
	}
	return w.putKeys(ctx, id, u.Drop, u.Keys)
}

// putKeys keeps the keys of an upload's part, and one that joins it to those it
// was dropped with.
func (w *writing) putKeys(ctx context.Context, upload, drop string, keys []string) error {
	stmt, err := w.tx.PrepareContext(ctx, `INSERT OR IGNORE INTO upload_keys (key, sha256) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	if _, err := stmt.ExecContext(ctx, keyHash("drop:"+drop), upload); err != nil {
		return err
	}
	for _, key := range keys {
		if _, err := stmt.ExecContext(ctx, keyHash(key), upload); err != nil {
			return err
		}
	}
	return nil
}

// keyHash makes a key of any text one that is short and that JSON can carry.
func keyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Reread replaces what was read in an upload: its receipt and its keys, which
// change with the rules. Its bytes, and with what it was dropped, stay.
func (s *Store) Reread(ctx context.Context, receipt enrich.File, keys []string) error {
	text, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *writing) error {
		ctx := context.WithoutCancel(ctx)
		var drop string
		err := w.tx.QueryRowContext(ctx, `
			UPDATE uploads
			SET receipt = ?
			WHERE sha256 = ?
			RETURNING drop_id`, string(text), receipt.SHA256).Scan(&drop)
		if err != nil {
			return err
		}
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM upload_keys WHERE sha256 = ?`, receipt.SHA256); err != nil {
			return err
		}
		return w.putKeys(ctx, receipt.SHA256, drop, keys)
	})
}

// Upload returns the upload of these bytes, or ErrNotFound.
func (v *Snapshot) Upload(ctx context.Context, sha256 string) (Upload, error) {
	var u Upload
	var received int64
	var receipt []byte
	err := v.tx.QueryRowContext(ctx, `
		SELECT folder, drop_id, size, received_unix_nano, receipt
		FROM uploads
		WHERE sha256 = ?`, sha256).Scan(&u.Folder, &u.Drop, &u.Size, &received, &receipt)
	if errors.Is(err, sql.ErrNoRows) {
		return Upload{}, fmt.Errorf("upload %s: %w", sha256, ErrNotFound)
	}
	if err != nil {
		return Upload{}, err
	}
	u.Received = time.Unix(0, received).UTC()
	return u, json.Unmarshal(receipt, &u.Receipt)
}

// UploadBytes returns a reader of an upload's bytes, which ends with the
// snapshot. Of an upload that does not exist there are none.
func (v *Snapshot) UploadBytes(ctx context.Context, sha256 string) io.Reader {
	return &uploadReader{ctx: ctx, tx: v.tx, blocks: v.blocks, sha256: sha256}
}

// Uploads returns the SHA-256 of every upload, sorted.
func (v *Snapshot) Uploads(ctx context.Context) ([]string, error) {
	return texts(ctx, v.tx, `SELECT sha256 FROM uploads ORDER BY sha256`)
}

// Related returns the SHA-256 of the uploads that belong together with parts of
// these keys and with these uploads, sorted: those that share a key with them,
// those that share a key with those, and so on.
func (v *Snapshot) Related(ctx context.Context, keys, uploads []string) ([]string, error) {
	hashes := make([]string, len(keys))
	for i, key := range keys {
		hashes[i] = keyHash(key)
	}
	return texts(ctx, v.tx, `
		WITH RECURSIVE related (sha256) AS (
			SELECT own.sha256
			FROM json_each(?) AS given
			JOIN upload_keys AS own ON own.key = given.value
			UNION
			SELECT own.sha256
			FROM json_each(?) AS given
			JOIN uploads AS own ON own.sha256 = given.value
			UNION
			SELECT other.sha256
			FROM related
			JOIN upload_keys AS own ON own.sha256 = related.sha256
			JOIN upload_keys AS other ON other.key = own.key
		)
		SELECT sha256 FROM related ORDER BY sha256`, jsonList(hashes), jsonList(uploads))
}

// RunsOf returns the ids of the runs that these uploads are part of, sorted.
func (v *Snapshot) RunsOf(ctx context.Context, sha256s ...string) ([]string, error) {
	return texts(ctx, v.tx, `
		SELECT DISTINCT run_id
		FROM run_sources
		WHERE sha256 IN (SELECT value FROM json_each(?))
		ORDER BY run_id`, jsonList(sha256s))
}

// Sources returns the SHA-256 of the uploads that a run was made of, sorted. A
// run that does not exist has none.
func (v *Snapshot) Sources(ctx context.Context, run string) ([]string, error) {
	return texts(ctx, v.tx, `SELECT sha256 FROM run_sources WHERE run_id = ? ORDER BY sha256`, run)
}

// jsonList makes a list one argument, of which json_each makes rows.
func jsonList(list []string) string {
	if list == nil {
		list = []string{}
	}
	return string(enrich.AppendJSON(nil, &list))
}

// texts returns the one column of a query.
func texts(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
