-- Times are milliseconds since 1970, UTC. Seeds are 64-bit patterns in a signed column. Foreign keys are not enforced while the
-- program runs (100 000 jobs in one transaction); `library check` finds what they would have found.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value
) WITHOUT ROWID;

-- What the pictures of many requests share.
CREATE TABLE settings (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  negative TEXT,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  guidance REAL NOT NULL,
  guidance_rescale REAL NOT NULL,
  scheduler TEXT NOT NULL,
  clip_skip INTEGER
);

-- What the pictures of a run share; the out-of-memory ladder makes more of them.
CREATE TABLE plans (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  model_name TEXT NOT NULL,
  model_hash TEXT NOT NULL,
  compute_type TEXT NOT NULL,
  noise TEXT NOT NULL,
  threads INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  vae_slicing INTEGER NOT NULL,
  vae_tiling INTEGER NOT NULL,
  program TEXT NOT NULL
);

CREATE TABLE prompts (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  is_indexed INTEGER NOT NULL DEFAULT 0
);

-- Pairs of neighbouring characters of a prompt as words (gallery/prompt_grams.h): a phrase of them is a substring. rowid: prompts.id.
CREATE VIRTUAL TABLE prompt_grams USING fts5(grams, content='', tokenize='ascii');

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,
  created INTEGER NOT NULL,
  title TEXT NOT NULL,
  folder TEXT NOT NULL,         -- relative to the library's folder of pictures
  fingerprint TEXT NOT NULL,
  plan INTEGER NOT NULL REFERENCES plans(id),
  model_folder TEXT NOT NULL,
  model_variant TEXT NOT NULL,
  wants_trace INTEGER NOT NULL,
  wants_previews INTEGER NOT NULL,
  has_latents INTEGER NOT NULL, -- a file beside the run's list of requests
  state INTEGER NOT NULL,       -- 0 open, 1 finished, 2 cancelled, 3 failed
  is_paused INTEGER NOT NULL DEFAULT 0,
  first_job INTEGER NOT NULL,
  jobs INTEGER NOT NULL,
  first_request INTEGER NOT NULL,
  total INTEGER NOT NULL,       -- pictures, as the four below
  made INTEGER NOT NULL DEFAULT 0,
  already_there INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  error_code TEXT,
  error_message TEXT
);
CREATE INDEX runs_open ON runs(state) WHERE state = 0;

-- A run's requests stand one after another, those of a job too.
CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  idx INTEGER NOT NULL,
  prompt_index INTEGER NOT NULL,
  prompt INTEGER NOT NULL REFERENCES prompts(id),
  settings INTEGER NOT NULL REFERENCES settings(id),
  seed INTEGER NOT NULL
);

-- One unit of work: what one worker makes in one go.
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs(id),
  first_request INTEGER NOT NULL REFERENCES requests(id),
  count INTEGER NOT NULL,
  state INTEGER NOT NULL,       -- 0 waiting, 1 leased, 2 done, 3 failed, 4 parked, 5 cancelled
  rank INTEGER NOT NULL,        -- order of the queue, smallest first
  lease INTEGER NOT NULL DEFAULT 0,   -- fencing number of the last attempt
  deaths INTEGER NOT NULL DEFAULT 0,  -- attempts that ended with their worker, or with the machine
  plan INTEGER REFERENCES plans(id),  -- in place of the run's
  change TEXT,                        -- what the out-of-memory ladder changed
  undo INTEGER,                       -- the command that cancelled it
  error_code TEXT,
  error_message TEXT
);
CREATE INDEX jobs_waiting ON jobs(rank) WHERE state = 0;
CREATE INDEX jobs_leased ON jobs(id) WHERE state = 1;
CREATE INDEX jobs_undo ON jobs(undo) WHERE undo IS NOT NULL;

CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL REFERENCES jobs(id),
  lease INTEGER NOT NULL,
  device TEXT NOT NULL,
  started INTEGER,              -- null: reserved and never begun
  ended INTEGER,
  outcome INTEGER,              -- 0 done, 1 cancelled, 2 failed, 3 worker lost, 4 backend lost, 5 given back; null: going on
  error_code TEXT,
  error_message TEXT
);
CREATE INDEX attempts_job ON attempts(job);
CREATE INDEX attempts_open ON attempts(id) WHERE outcome IS NULL;

CREATE TABLE pictures (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs(id),
  idx INTEGER NOT NULL,
  prompt_index INTEGER NOT NULL,
  file TEXT NOT NULL,           -- inside the run's folder
  bytes INTEGER NOT NULL,
  prompt INTEGER NOT NULL REFERENCES prompts(id),
  settings INTEGER NOT NULL REFERENCES settings(id),
  plan INTEGER NOT NULL REFERENCES plans(id),
  seed INTEGER NOT NULL,
  made INTEGER NOT NULL,
  device TEXT NOT NULL,
  device_name TEXT NOT NULL,
  seconds REAL NOT NULL,
  trashed INTEGER,              -- when; null: not in the trash
  UNIQUE (run, idx)
);
CREATE INDEX pictures_prompt ON pictures(prompt);
-- Enough for walking the pictures of a search in their order without their rows.
CREATE INDEX pictures_made ON pictures(made, id, prompt, trashed);

CREATE TABLE ratings (
  picture INTEGER PRIMARY KEY REFERENCES pictures(id),
  stars INTEGER NOT NULL DEFAULT 0 CHECK (stars BETWEEN 0 AND 5),
  pick INTEGER NOT NULL DEFAULT 0 CHECK (pick BETWEEN -1 AND 1)
);

CREATE TABLE tags (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE picture_tags (
  picture INTEGER NOT NULL REFERENCES pictures(id),
  tag INTEGER NOT NULL REFERENCES tags(id),
  PRIMARY KEY (picture, tag)
) WITHOUT ROWID;
CREATE INDEX picture_tags_tag ON picture_tags(tag);

CREATE TABLE albums (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE album_pictures (
  album INTEGER NOT NULL REFERENCES albums(id),
  picture INTEGER NOT NULL REFERENCES pictures(id),
  position INTEGER NOT NULL,
  PRIMARY KEY (album, picture)
) WITHOUT ROWID;
CREATE INDEX album_pictures_picture ON album_pictures(picture);
CREATE INDEX album_pictures_position ON album_pictures(album, position);

-- Commands that can be taken back.
CREATE TABLE undos (
  id INTEGER PRIMARY KEY,
  made INTEGER NOT NULL,
  words TEXT NOT NULL
);
