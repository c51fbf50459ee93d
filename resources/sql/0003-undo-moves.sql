-- Places of jobs in the queue before a command moved them. A job's run may have been taken out since.
CREATE TABLE undo_ranks (
  undo INTEGER NOT NULL REFERENCES undos(id),
  job INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  PRIMARY KEY (undo, job)
) WITHOUT ROWID;
