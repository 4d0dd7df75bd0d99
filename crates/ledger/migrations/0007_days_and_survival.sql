-- The day of the cycle on which a contact is due, and how often the action is still best when effects are drawn anew.
ALTER TABLE decisions ADD COLUMN day BIGINT;
ALTER TABLE decisions ADD COLUMN survival DOUBLE PRECISION;

DROP TRIGGER decisions_are_immutable;
CREATE TRIGGER decisions_are_immutable BEFORE UPDATE OF
    decision_id, plan_id, cycle, table_row, decided_at, arm, intended, intended_index, action, action_index,
    channel, offer, repaired, eligible, propensity, propensity_none, risk, effect, effect_sd, value, cost,
    acceptance, model_hash, config_hash, data_hash, seed, reasons, binding, day, survival
ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;
