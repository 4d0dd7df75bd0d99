//! A process that dies leaves all of a step or nothing of it, and the next one goes on.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use thalweg_domain::Timestamp;
use thalweg_ledger::{Ledger, PlanInsert, PlanState};

use crate::support::{Desk, decisions, key, plan};

const ROWS: usize = 2_000;

#[test]
fn killed_at_any_moment_a_plan_is_whole_or_absent() {
    for round in 0..6_u64 {
        let desk = Desk::new();
        let mut child = writer(&desk);
        let first = wait_for_a_plan(&desk);
        std::thread::sleep(Duration::from_millis(first + round * 23));
        child.kill().expect("killed");
        child.wait().expect("gone");

        let ledger = Ledger::open(desk.path()).expect("opens after the kill");
        let plans = ledger.plans().expect("plans");
        assert!(!plans.is_empty());
        assert_eq!(
            plans.iter().filter(|row| row.state == PlanState::Active).count(),
            1
        );
        for row in &plans {
            let expected = decisions(&row.plan, ROWS);
            assert!(
                ledger.decisions(&row.plan.plan_id).expect("decisions") == expected,
                "round {round}"
            );
        }
        let next = plan(&format!("p-{}", plans.len()), 1);
        assert_eq!(
            ledger
                .insert_plan(&next, &decisions(&next, ROWS))
                .expect("goes on"),
            PlanInsert::Added
        );
    }
}

/// Waits until the other process has committed its first plan.
fn wait_for_a_plan(desk: &Desk) -> u64 {
    for waited in 0..2_000 {
        if !desk.ledger.plans().expect("plans").is_empty() {
            return waited % 5;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the writing process has written nothing in 20 s");
}

/// This test binary again, running only [`writes_plans_until_killed`].
fn writer(desk: &Desk) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["crash::writes_plans_until_killed", "--exact", "--ignored"])
        .env("LEDGER_TO_WRITE", desk.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

#[test]
#[ignore = "the process that killed_at_any_moment_a_plan_is_whole_or_absent starts and kills"]
fn writes_plans_until_killed() {
    let ledger = Ledger::open(std::env::var_os("LEDGER_TO_WRITE").expect("a path")).expect("a ledger");
    for number in 0.. {
        let plan = plan(&format!("p-{number}"), 1);
        ledger
            .insert_plan(&plan, &decisions(&plan, ROWS))
            .expect("written");
    }
}

#[test]
fn a_plan_with_one_bad_row_leaves_nothing_behind() {
    let desk = Desk::planned(10);
    let bad = plan("p-bad", 1);
    let mut rows = decisions(&bad, 1_000);
    rows[999].customer = key("c-00000");
    assert_eq!(
        desk.ledger
            .insert_plan(&bad, &rows)
            .expect_err("a customer twice")
            .code,
        "TW0806"
    );

    let mut rows = decisions(&bad, 1_000);
    rows[999].eligible[3].effect = f64::NAN;
    assert_eq!(
        desk.ledger
            .insert_plan(&bad, &rows)
            .expect_err("not a number")
            .code,
        "TW0901"
    );

    let mut rows = decisions(&bad, 1_000);
    rows[999].risk = f64::NAN;
    assert_eq!(
        desk.ledger
            .insert_plan(&bad, &rows)
            .expect_err("not a number")
            .code,
        "TW0806"
    );

    assert_eq!(desk.ledger.plan("p-bad").expect("read"), None);
    assert_eq!(desk.ledger.decisions("p-bad").expect("read").len(), 0);
    let active = desk.ledger.active_plan(1).expect("read").expect("still there");
    assert_eq!(
        (active.plan.plan_id.as_str(), active.state),
        ("p-a", PlanState::Active)
    );
    let good = decisions(&bad, 1_000);
    assert_eq!(
        desk.ledger.insert_plan(&bad, &good).expect("mended"),
        PlanInsert::Added
    );
}

#[test]
fn what_is_written_is_there_for_the_next_process() {
    let desk = Desk::planned(3);
    let path = desk.path();
    let Desk { folder, ledger } = desk;
    ledger.set_setting_once("salt", "s-1").expect("set");
    drop(ledger);
    let again = Ledger::open(&path).expect("opens");
    assert_eq!(again.setting("salt").expect("read").as_deref(), Some("s-1"));
    assert_eq!(again.decisions("p-a").expect("read").len(), 3);
    assert_eq!(
        again.current_cycle(Timestamp(9)).expect("read").opened_at,
        Timestamp(1_000)
    );
    again.close().expect("closed");
    assert!(
        !path.with_extension("db-wal").exists(),
        "closing folds the log into the file"
    );
    drop(folder);
}
