-- Links by which runs are shown to others, by the SHA-256 of their tokens: the
-- tokens themselves are kept nowhere. One that was revoked stays, so that it can
-- be told from one that never was.
CREATE TABLE shares (
	token_hash        BLOB NOT NULL PRIMARY KEY,
	run_id            TEXT NOT NULL,
	created_unix_nano INTEGER NOT NULL,
	expires_unix_nano INTEGER,
	redacted          INTEGER NOT NULL,
	text_hidden       INTEGER NOT NULL,
	revoked           INTEGER NOT NULL DEFAULT 0,
	visits            INTEGER NOT NULL DEFAULT 0,
	visited_unix_nano INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_of ON shares (run_id, created_unix_nano);
