-- What was learned: models with their roles, and what each cycle measured.
CREATE TABLE models (
    model_hash  TEXT PRIMARY KEY,
    cycle       BIGINT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('champion', 'challenger', 'retired')),
    learner     TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    promoted_at BIGINT,
    payload     TEXT NOT NULL
);
CREATE UNIQUE INDEX models_one_champion ON models (role) WHERE role = 'champion';

CREATE TABLE measurements (
    cycle       BIGINT NOT NULL REFERENCES cycles (cycle),
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    measured_at BIGINT NOT NULL,
    PRIMARY KEY (cycle, kind)
);
