-- Every file that was taken, by the SHA-256 of its bytes. The receipt is the
-- JSON of enrich.File: its name, what it was taken for and what was found.
CREATE TABLE uploads (
	sha256             TEXT NOT NULL PRIMARY KEY,
	folder             TEXT NOT NULL,
	drop_id            TEXT NOT NULL,
	size               INTEGER NOT NULL,
	received_unix_nano INTEGER NOT NULL,
	receipt            TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The bytes of an upload in blocks of equal length, each one zstd frame.
CREATE TABLE upload_blocks (
	sha256 TEXT NOT NULL REFERENCES uploads (sha256) ON DELETE CASCADE,
	start  INTEGER NOT NULL,
	block  BLOB NOT NULL,
	PRIMARY KEY (sha256, start)
) STRICT;

-- What joins uploads, hashed: those that share a key belong together.
CREATE TABLE upload_keys (
	key    TEXT NOT NULL,
	sha256 TEXT NOT NULL REFERENCES uploads (sha256) ON DELETE CASCADE,
	PRIMARY KEY (key, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_keys_of ON upload_keys (sha256, key);

-- What the derived tables were made by: a hash of their schema and of the
-- revision of the rules, their names as a JSON array, and whether runs are
-- still to be derived from the uploads.
CREATE TABLE derivation (
	id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	hash   TEXT NOT NULL,
	tables TEXT NOT NULL,
	stale  INTEGER NOT NULL
) STRICT;
