-- Who was reached: one row per decision and channel, and why somebody was not.
CREATE TABLE deliveries (
    decision_id  TEXT NOT NULL REFERENCES decisions (decision_id),
    channel      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    cycle        BIGINT NOT NULL,
    customer_key TEXT NOT NULL,
    offer        TEXT,
    planned_at   BIGINT NOT NULL,
    sent_at      BIGINT,
    detail       TEXT,
    PRIMARY KEY (decision_id, channel)
);
CREATE INDEX deliveries_by_cycle ON deliveries (cycle, channel, state);
CREATE INDEX deliveries_sent ON deliveries (sent_at) WHERE sent_at IS NOT NULL;

CREATE TABLE skips (
    decision_id TEXT NOT NULL REFERENCES decisions (decision_id),
    channel     TEXT NOT NULL,
    cycle       BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    skipped_at  BIGINT NOT NULL,
    PRIMARY KEY (decision_id, channel)
);
CREATE INDEX skips_by_cycle ON skips (cycle, channel, reason);
