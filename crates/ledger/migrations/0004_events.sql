-- What customers did: events without duplicates, and how far each feedback file is complete.
CREATE TABLE feedback_files (
    file_hash      TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    complete_until BIGINT,
    loaded_at      BIGINT NOT NULL
);

CREATE TABLE events (
    message_id  TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    event       TEXT,
    user_key    TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    decision_id TEXT,
    properties  TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('ok', 'quarantined')),
    reason      TEXT,
    file_hash   TEXT NOT NULL REFERENCES feedback_files (file_hash)
);
CREATE INDEX events_by_name ON events (event, occurred_at);
CREATE INDEX events_by_file ON events (file_hash, state);
