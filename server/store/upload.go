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
	Size     int64
	Received time.Time
}

// A NewUpload is an upload that a Change brings.
type NewUpload struct {
	Upload
	Keys  []string  // of its part: uploads that share one may belong together
	Bytes io.Reader // read once; must yield Size bytes
}

// A Place is where an upload came from: what was dropped together shares a drop
// and belongs together. The same bytes can come from several places.
type Place struct {
	SHA256 string
	Drop   string
	Folder string // the folder it lay in, "" if none is known
}

// putUpload adds an upload to the truth.
func (w *writing) putUpload(ctx context.Context, u NewUpload) error {
	receipt, err := json.Marshal(u.Receipt)
	if err != nil {
		return err
	}
	id := u.Receipt.SHA256
	_, err = w.tx.ExecContext(ctx, `
		INSERT INTO uploads (sha256, size, received_unix_nano, receipt)
		VALUES (?, ?, ?, ?)`, id, u.Size, u.Received.UnixNano(), string(receipt))
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
	return w.putKeys(ctx, id, u.Keys)
}

// putKeys keeps the keys of an upload's part.
func (w *writing) putKeys(ctx context.Context, upload string, keys []string) error {
	stmt, err := w.tx.PrepareContext(ctx, `INSERT OR IGNORE INTO upload_keys (key, sha256, clue) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, key := range keys {
		if _, err := stmt.ExecContext(ctx, keyHash(key), upload, enrich.IsClue(key)); err != nil {
			return err
		}
	}
	return nil
}

// putPlace notes where an upload came from, once.
func (w *writing) putPlace(ctx context.Context, p Place) error {
	_, err := w.tx.ExecContext(ctx, `
		INSERT OR IGNORE INTO upload_places (sha256, drop_id, folder)
		VALUES (?, ?, ?)`, p.SHA256, p.Drop, p.Folder)
	return err
}

// keyHash makes a key of any text one that is short and that JSON can carry.
func keyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Reread replaces what was read in an upload: its receipt and its keys, which
// change with the rules. Its bytes, and with what it was dropped, stay.
func (s *Store) Reread(ctx context.Context, receipt enrich.File, keys []string) error {
	return s.write(ctx, func(w *writing) error {
		ctx := context.WithoutCancel(ctx)
		if err := w.putReceipt(ctx, receipt); err != nil {
			return err
		}
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM upload_keys WHERE sha256 = ?`, receipt.SHA256); err != nil {
			return err
		}
		return w.putKeys(ctx, receipt.SHA256, keys)
	})
}

// Warn adds a warning to the receipt of an upload.
func (s *Store) Warn(ctx context.Context, sha256 string, warning enrich.Warning) error {
	return s.write(ctx, func(w *writing) error {
		u, err := uploadOf(ctx, w.tx, sha256)
		if err != nil {
			return err
		}
		u.Receipt.Warnings = append(u.Receipt.Warnings, warning)
		return w.putReceipt(ctx, u.Receipt)
	})
}

func (w *writing) putReceipt(ctx context.Context, receipt enrich.File) error {
	text, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	_, err = w.tx.ExecContext(ctx, `UPDATE uploads SET receipt = ? WHERE sha256 = ?`, string(text), receipt.SHA256)
	return err
}

// Upload returns the upload of these bytes, or ErrNotFound.
func (v *Snapshot) Upload(ctx context.Context, sha256 string) (Upload, error) {
	return uploadOf(ctx, v.tx, sha256)
}

func uploadOf(ctx context.Context, tx *sql.Tx, sha256 string) (Upload, error) {
	var u Upload
	var received int64
	var receipt []byte
	err := tx.QueryRowContext(ctx, `
		SELECT size, received_unix_nano, receipt
		FROM uploads
		WHERE sha256 = ?`, sha256).Scan(&u.Size, &received, &receipt)
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

// Places returns where uploads came from, sorted.
func (v *Snapshot) Places(ctx context.Context, sha256s ...string) ([]Place, error) {
	rows, err := v.tx.QueryContext(ctx, `
		SELECT sha256, drop_id, folder
		FROM upload_places
		WHERE sha256 IN (SELECT value FROM json_each(?))
		ORDER BY sha256, drop_id, folder`, jsonList(sha256s))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Place
	for rows.Next() {
		var p Place
		if err := rows.Scan(&p.SHA256, &p.Drop, &p.Folder); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// Connected returns the SHA-256 of the uploads that belong together with parts
// of these keys and with these uploads, sorted: those that share a key with
// them, or a drop, or a run as it is stored, those that do with those, and so
// on. Keys that are clues connect nothing; see Hinted.
func (v *Snapshot) Connected(ctx context.Context, keys, uploads []string) ([]string, error) {
	return texts(ctx, v.tx, `
		WITH RECURSIVE connected (sha256) AS (
			SELECT own.sha256
			FROM json_each(?) AS given
			JOIN upload_keys AS own ON own.key = given.value AND NOT own.clue
			UNION
			SELECT own.sha256
			FROM json_each(?) AS given
			JOIN uploads AS own ON own.sha256 = given.value
			UNION
			SELECT other.sha256
			FROM connected
			JOIN upload_keys AS own ON own.sha256 = connected.sha256 AND NOT own.clue
			JOIN upload_keys AS other ON other.key = own.key
			UNION
			SELECT other.sha256
			FROM connected
			JOIN upload_places AS own ON own.sha256 = connected.sha256
			JOIN upload_places AS other ON other.drop_id = own.drop_id
			UNION
			SELECT other.sha256
			FROM connected
			JOIN run_sources AS own ON own.sha256 = connected.sha256
			JOIN run_sources AS other ON other.run_id = own.run_id
		)
		SELECT sha256 FROM connected ORDER BY sha256`, hashList(keys), jsonList(uploads))
}

// Hinted returns the SHA-256 of the uploads that share a clue with these keys,
// sorted; those that are loose, or all.
//
// An upload is loose that may still be of another run: it is part of none, or
// of one without results or traces of its own drop. What its folder holds is
// stronger than any clue.
func (v *Snapshot) Hinted(ctx context.Context, keys []string, all bool) ([]string, error) {
	return texts(ctx, v.tx, `
		SELECT DISTINCT own.sha256
		FROM json_each(?) AS given
		JOIN upload_keys AS own ON own.key = given.value AND own.clue
		WHERE ?
			OR NOT EXISTS (SELECT 1 FROM run_sources AS in_run WHERE in_run.sha256 = own.sha256)
			OR EXISTS (
				SELECT 1
				FROM run_sources AS in_run
				WHERE in_run.sha256 = own.sha256 AND NOT EXISTS (
					SELECT 1
					FROM run_sources AS beside
					JOIN uploads AS home ON home.sha256 = beside.sha256
					JOIN upload_places AS there ON there.sha256 = home.sha256
					JOIN upload_places AS here ON here.drop_id = there.drop_id AND here.folder = there.folder
					WHERE beside.run_id = in_run.run_id AND here.sha256 = own.sha256
						AND home.receipt ->> 'dataset' IN ('`+enrich.Results+`', '`+enrich.Traces+`')))
		ORDER BY own.sha256`, hashList(keys), all)
}

// hashList makes keys one argument, hashed.
func hashList(keys []string) string {
	hashes := make([]string, len(keys))
	for i, key := range keys {
		hashes[i] = keyHash(key)
	}
	return jsonList(hashes)
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
