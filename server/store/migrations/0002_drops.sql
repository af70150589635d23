-- What an upload was dropped with: the same bytes can come in several drops and
-- folders, and be of a run in each.
CREATE TABLE upload_places (
	sha256  TEXT NOT NULL REFERENCES uploads (sha256) ON DELETE CASCADE,
	drop_id TEXT NOT NULL,
	folder  TEXT NOT NULL,
	PRIMARY KEY (sha256, drop_id, folder)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_places_of ON upload_places (drop_id, sha256);
INSERT INTO upload_places (sha256, drop_id, folder) SELECT sha256, drop_id, folder FROM uploads;
ALTER TABLE uploads DROP COLUMN folder;
ALTER TABLE uploads DROP COLUMN drop_id;

-- Whether a key is a clue, which may connect two uploads, or connects them
-- whatever else is known. Those that were kept before are read again.
ALTER TABLE upload_keys ADD COLUMN clue INTEGER NOT NULL DEFAULT 0;

-- The rules that runs are derived by, as a text that changes with them, and
-- whether runs cannot be read until they are derived again.
ALTER TABLE derivation ADD COLUMN rules TEXT NOT NULL DEFAULT '';
ALTER TABLE derivation ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;
