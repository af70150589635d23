-- What GPUs said, in blocks of recordings (see package gpu), each one zstd frame:
-- step 0 is each reading as it was taken, else those that stand for a stretch of so
-- many milliseconds. A block begins with a reading not before its start.
CREATE TABLE gpu_readings (
	source           TEXT NOT NULL,
	host             TEXT NOT NULL,
	step             INTEGER NOT NULL,
	start_unix_milli INTEGER NOT NULL,
	block            BLOB NOT NULL,
	PRIMARY KEY (source, host, step, start_unix_milli)
) STRICT;
