-- One log. Entries are written once: triggers stop every UPDATE, DELETE and REPLACE, whoever issues it.

CREATE TABLE IF NOT EXISTS entries (
    idx          INTEGER PRIMARY KEY CHECK (idx >= 0), -- zero-based index in the log
    statement_id BLOB NOT NULL UNIQUE, -- SHA-256 of the statement's PAE
    raw          BLOB NOT NULL CHECK (length(raw) <= 65535) -- the entry's canonical bytes, which are hashed
) STRICT;

CREATE TRIGGER IF NOT EXISTS entries_are_never_changed BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries are never changed');
END;

CREATE TRIGGER IF NOT EXISTS entries_are_never_deleted BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries are never deleted');
END;

-- INSERT OR REPLACE deletes what it replaces without asking a DELETE trigger.
CREATE TRIGGER IF NOT EXISTS entries_are_only_appended BEFORE INSERT ON entries
WHEN NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM entries)
    OR EXISTS (SELECT 1 FROM entries WHERE statement_id = NEW.statement_id)
BEGIN
    SELECT RAISE(ABORT, 'entries are only appended, each statement once');
END;

CREATE TABLE IF NOT EXISTS tiles (
    level    INTEGER NOT NULL, -- of the tile: node level / 8
    position INTEGER NOT NULL,
    hashes   BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192), -- 1 to 256 hashes of 32 bytes
    PRIMARY KEY (level, position)
) STRICT;

CREATE TABLE IF NOT EXISTS checkpoints (
    size    INTEGER PRIMARY KEY, -- entries covered
    time_ms INTEGER NOT NULL,    -- Unix milliseconds of the newest entry
    note    BLOB NOT NULL        -- the signed note, verbatim
) STRICT;

-- Checkpoints with the cosignatures of witnesses, which come later than the checkpoint itself.
CREATE TABLE IF NOT EXISTS cosigned (
    size    INTEGER PRIMARY KEY, -- entries covered
    time_ms INTEGER NOT NULL,    -- Unix milliseconds of the newest entry
    note    BLOB NOT NULL        -- the signed note with all signature lines
) STRICT;

-- Tokens of time-stamping authorities (RFC 3161) over the text of a checkpoint.
CREATE TABLE IF NOT EXISTS timestamps (
    size  INTEGER PRIMARY KEY, -- entries covered
    note  BLOB NOT NULL,       -- the checkpoint, as it was when it was stamped
    token BLOB NOT NULL        -- the authority's answer, verbatim
) STRICT;

-- Up to which time a promise or a refusal may have been signed: entries are never dated far below (docs/format.md §18.4).
CREATE TABLE IF NOT EXISTS signed (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    time_ms INTEGER NOT NULL -- Unix milliseconds
) STRICT;

-- Statements that were promised and are not recorded yet (docs/format.md §18).
CREATE TABLE IF NOT EXISTS pending (
    position     INTEGER PRIMARY KEY, -- ascending in the order of the promises
    statement_id BLOB NOT NULL UNIQUE,
    raw          BLOB NOT NULL, -- the envelope as it will be recorded
    promise      BLOB NOT NULL  -- the canonical bytes that the service key signed, or signs again
) STRICT;

CREATE TABLE IF NOT EXISTS facts (
    key      BLOB PRIMARY KEY, -- SHA-256 of the fact's key: half the width of an id in text
    kind     TEXT NOT NULL,
    idx      INTEGER NOT NULL, -- of the entry that made it
    document TEXT NOT NULL     -- JSON
) STRICT;

CREATE INDEX IF NOT EXISTS facts_by_kind ON facts (kind, idx);

CREATE TABLE IF NOT EXISTS subjects (
    subject TEXT NOT NULL,    -- a statement id or a party's name
    idx     INTEGER NOT NULL, -- of an entry that concerns it
    PRIMARY KEY (subject, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS findings (
    idx      INTEGER NOT NULL, -- of the entry that it is about
    number   INTEGER NOT NULL, -- at that entry
    from_ms  INTEGER NOT NULL, -- Unix milliseconds: it holds as of every moment from here on
    party    TEXT NOT NULL,    -- who broke what
    document TEXT NOT NULL,    -- JSON
    PRIMARY KEY (idx, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS findings_by_moment ON findings (from_ms, idx, number);

CREATE INDEX IF NOT EXISTS findings_by_party ON findings (party, from_ms, idx, number);

-- What derived facts, subjects and findings from the entries: other software makes them anew.
CREATE TABLE IF NOT EXISTS derived (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;
