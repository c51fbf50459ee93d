ALTER TABLE jobs ADD COLUMN undo_state INTEGER;  -- what a cancelled job was before; null: it was in work

-- Marks of pictures as they were before a command changed them, as XMP (gallery/sidecar.h).
CREATE TABLE undo_marks (
  undo INTEGER NOT NULL REFERENCES undos(id),
  picture INTEGER NOT NULL REFERENCES pictures(id),
  marks BLOB NOT NULL,
  PRIMARY KEY (undo, picture)
) WITHOUT ROWID;

-- Pictures whose sidecar is older than their rows; written as soon as the disk has time, or by the next backend.
CREATE TABLE stale_sidecars (
  picture INTEGER PRIMARY KEY REFERENCES pictures(id),
  revision INTEGER NOT NULL
);

-- The table of the queue and the time line, page by page.
CREATE INDEX jobs_failed ON jobs(rank) WHERE state = 3;
CREATE INDEX jobs_parked ON jobs(rank) WHERE state = 4;
CREATE INDEX attempts_started ON attempts(started) WHERE started IS NOT NULL;
