-- Plans and the decision record. Decisions are immutable: only a tombstone may replace a key.
CREATE TABLE plans (
    plan_id      TEXT PRIMARY KEY,
    cycle        BIGINT NOT NULL REFERENCES cycles (cycle),
    state        TEXT NOT NULL CHECK (state IN ('active', 'superseded')),
    created_at   BIGINT NOT NULL,
    fingerprint  TEXT NOT NULL,
    config_hash  TEXT NOT NULL,
    data_hash    TEXT NOT NULL,
    model_hash   TEXT NOT NULL,
    seed         TEXT NOT NULL,
    actions      TEXT NOT NULL,
    summary      TEXT NOT NULL,
    delivered_at BIGINT
);
CREATE UNIQUE INDEX plans_one_active ON plans (cycle) WHERE state = 'active';

CREATE TRIGGER plans_are_kept BEFORE DELETE ON plans
BEGIN SELECT RAISE(ABORT, 'plans are never deleted'); END;

CREATE TABLE decisions (
    decision_id     TEXT PRIMARY KEY,
    plan_id         TEXT NOT NULL REFERENCES plans (plan_id),
    cycle           BIGINT NOT NULL,
    customer_key    TEXT NOT NULL,
    cluster_key     TEXT,
    table_row       BIGINT NOT NULL,
    decided_at      BIGINT NOT NULL,
    arm             TEXT NOT NULL CHECK (arm IN ('holdout', 'exploit', 'explore')),
    intended        TEXT NOT NULL,
    intended_index  BIGINT,
    action          TEXT NOT NULL,
    action_index    BIGINT,
    channel         TEXT,
    offer           TEXT,
    repaired        BOOLEAN NOT NULL,
    eligible        TEXT NOT NULL,
    propensity      DOUBLE PRECISION NOT NULL,
    propensity_none DOUBLE PRECISION NOT NULL,
    risk            DOUBLE PRECISION NOT NULL,
    effect          DOUBLE PRECISION NOT NULL,
    effect_sd       DOUBLE PRECISION NOT NULL,
    value           DOUBLE PRECISION NOT NULL,
    cost            DOUBLE PRECISION NOT NULL,
    acceptance      DOUBLE PRECISION NOT NULL,
    model_hash      TEXT NOT NULL,
    config_hash     TEXT NOT NULL,
    data_hash       TEXT NOT NULL,
    seed            TEXT NOT NULL,
    reasons         TEXT NOT NULL,
    binding         TEXT
);
CREATE UNIQUE INDEX decisions_by_plan ON decisions (plan_id, customer_key);
CREATE INDEX decisions_by_customer ON decisions (customer_key);

CREATE TRIGGER decisions_are_kept BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END;

CREATE TRIGGER decisions_are_immutable BEFORE UPDATE OF
    decision_id, plan_id, cycle, table_row, decided_at, arm, intended, intended_index, action, action_index,
    channel, offer, repaired, eligible, propensity, propensity_none, risk, effect, effect_sd, value, cost,
    acceptance, model_hash, config_hash, data_hash, seed, reasons, binding
ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;

CREATE TRIGGER decisions_erase_only BEFORE UPDATE OF customer_key, cluster_key ON decisions
WHEN NEW.customer_key NOT LIKE 'erased-%' OR NEW.cluster_key NOT LIKE 'erased-%'
BEGIN SELECT RAISE(ABORT, 'a customer key may only become a tombstone'); END;
