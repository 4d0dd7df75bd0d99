-- What the loop did: settings that never change, cycles, stages.
CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE cycles (
    cycle     BIGINT PRIMARY KEY,
    state     TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE UNIQUE INDEX cycles_one_open ON cycles (state) WHERE state = 'open';

CREATE TABLE stages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    cycle       BIGINT NOT NULL,
    stage       TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    artifact    TEXT,
    finished_at BIGINT NOT NULL,
    seconds     DOUBLE PRECISION NOT NULL,
    summary     TEXT NOT NULL
);
CREATE INDEX stages_by_cycle ON stages (cycle, stage, id);
