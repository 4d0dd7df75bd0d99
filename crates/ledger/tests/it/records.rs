//! Settings, stages, models and measurements come back as they were recorded.

use thalweg_domain::{Stage, Timestamp};
use thalweg_ledger::{Measurement, ModelRecord, ModelRole, StageRecord};

use crate::support::Desk;

#[test]
fn a_setting_keeps_its_first_value() {
    let desk = Desk::new();
    assert_eq!(desk.ledger.setting("salt").expect("read"), None);
    assert_eq!(
        desk.ledger.set_setting_once("salt", "first").expect("set"),
        "first"
    );
    assert_eq!(
        desk.ledger.set_setting_once("salt", "second").expect("set"),
        "first"
    );
    assert_eq!(
        desk.ledger.setting("salt").expect("read").as_deref(),
        Some("first")
    );
}

fn stage(cycle: u32, stage: Stage, fingerprint: &str) -> StageRecord {
    StageRecord {
        cycle,
        stage,
        fingerprint: fingerprint.to_owned(),
        artifact: (stage == Stage::Train).then(|| "m-1".to_owned()),
        finished_at: Timestamp(-5),
        seconds: 0.25,
        summary: r#"{"rows":7043}"#.to_owned(),
    }
}

#[test]
fn the_latest_run_of_a_stage_is_found_by_cycle() {
    let desk = Desk::new();
    let runs = [
        stage(1, Stage::Train, "a"),
        stage(1, Stage::Plan, "b"),
        stage(1, Stage::Train, "c"),
        stage(2, Stage::Train, "d"),
    ];
    for run in &runs {
        desk.ledger.record_stage(run).expect("recorded");
    }
    assert_eq!(
        desk.ledger.latest_stage(1, Stage::Train).expect("read").as_ref(),
        Some(&runs[2])
    );
    assert_eq!(
        desk.ledger.latest_stage(1, Stage::Plan).expect("read").as_ref(),
        Some(&runs[1])
    );
    assert_eq!(desk.ledger.latest_stage(2, Stage::Plan).expect("read"), None);
    assert_eq!(
        desk.ledger.stage_history(2).expect("read"),
        [runs[3].clone(), runs[2].clone()]
    );
}

fn model(hash: &str, cycle: u32) -> ModelRecord {
    ModelRecord {
        model_hash: hash.to_owned(),
        cycle,
        learner: "gbdt".to_owned(),
        recorded_at: Timestamp(i64::from(cycle)),
        payload: "{}".to_owned(),
    }
}

#[test]
fn there_is_one_champion_and_the_one_before_is_retired() {
    let desk = Desk::new();
    let roles = || {
        desk.ledger
            .models()
            .expect("read")
            .into_iter()
            .map(|row| row.role)
            .collect::<Vec<_>>()
    };
    for (hash, cycle) in [("m-1", 1), ("m-2", 2), ("m-3", 3)] {
        desk.ledger.record_model(&model(hash, cycle)).expect("recorded");
    }
    assert_eq!(desk.ledger.champion().expect("read"), None);
    desk.ledger.promote_model("m-1", Timestamp(10)).expect("promoted");
    desk.ledger.promote_model("m-2", Timestamp(20)).expect("promoted");
    desk.ledger.promote_model("m-2", Timestamp(30)).expect("again");
    assert_eq!(
        roles(),
        [ModelRole::Retired, ModelRole::Champion, ModelRole::Challenger]
    );
    let champion = desk.ledger.champion().expect("read").expect("one");
    assert_eq!(
        (champion.model, champion.promoted_at),
        (model("m-2", 2), Some(Timestamp(20)))
    );

    desk.ledger.record_model(&model("m-2", 9)).expect("known already");
    desk.ledger.retire_model("m-2").expect("the champion stays");
    desk.ledger.retire_model("m-3").expect("retired");
    assert_eq!(
        roles(),
        [ModelRole::Retired, ModelRole::Champion, ModelRole::Retired]
    );
    for error in [
        desk.ledger.promote_model("m-9", Timestamp(1)),
        desk.ledger.retire_model("m-9"),
    ] {
        assert_eq!(error.expect_err("unknown").code, "TW0808");
    }
}

#[test]
fn a_measurement_is_replaced_by_a_later_one_of_its_kind() {
    let desk = Desk::new();
    desk.ledger.close_cycle(1, Timestamp(5)).expect("closed");
    let measurement = |cycle, kind: &str, payload: &str, at| Measurement {
        cycle,
        kind: kind.to_owned(),
        payload: payload.to_owned(),
        measured_at: Timestamp(at),
    };
    let all = [
        measurement(2, "lift", "[2]", 3),
        measurement(1, "lift", "[1]", 1),
        measurement(1, "total", "[]", 1),
        measurement(1, "lift", "[1,1]", 2),
    ];
    for one in &all {
        desk.ledger.record_measurement(one).expect("recorded");
    }
    assert_eq!(
        desk.ledger.measurements("lift").expect("read"),
        [all[3].clone(), all[0].clone()]
    );
    assert_eq!(
        desk.ledger.measurement(1, "total").expect("read").as_ref(),
        Some(&all[2])
    );
    assert_eq!(desk.ledger.measurement(2, "total").expect("read"), None);
}
