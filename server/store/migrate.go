package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as ours in its header: "smol".
const applicationID = 0x736d6f6c

// migrate applies the migrations that the database lacks, each in one
// transaction. Their number is the database's user_version.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for i, name := range files {
		script, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		err = inTx(ctx, db, func(tx *sql.Tx) error {
			// Read inside the transaction: another process may be migrating too.
			var version int
			if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil || version > i {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(script)); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d; PRAGMA application_id = %d`, i+1, applicationID))
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// recognise refuses a database of another program, or of a later version of
// this one. It only reads: what is not ours stays as it is.
func recognise(ctx context.Context, path string) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", dsn(path, "mode=ro"))
	if err != nil {
		return err
	}
	defer db.Close()
	var id, version, tables int
	err = db.QueryRowContext(ctx, `
		SELECT application_id, user_version, (SELECT COUNT(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&id, &version, &tables)
	if err != nil {
		return err
	}
	if id != applicationID && (id != 0 || version != 0 || tables != 0) {
		return errors.New("the file belongs to another program")
	}
	if version > len(files) {
		return fmt.Errorf("schema %d was written by a later version of smolscope; this one knows %d", version, len(files))
	}
	return nil
}
