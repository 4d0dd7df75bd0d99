//! Nobody rewrites history, whatever SQL they use; a person can still be forgotten.

use thalweg_domain::Timestamp;
use thalweg_ledger::AuditRow;

use crate::support::{Desk, decisions, key, plan, sql};

#[test]
fn decisions_plans_and_the_audit_trail_cannot_be_changed_or_deleted() {
    let desk = Desk::planned(5);
    let entry = AuditRow {
        at: Timestamp(3),
        actor: "cli".to_owned(),
        action: "plan".to_owned(),
        detail: "p-a".to_owned(),
    };
    desk.ledger.record_audit(&entry).expect("recorded");
    for (statement, told) in [
        (
            "UPDATE decisions SET propensity = 1 WHERE table_row = 1",
            "never changed",
        ),
        (
            "UPDATE decisions SET decision_id = 'x' WHERE table_row = 1",
            "never changed",
        ),
        ("UPDATE decisions SET binding = NULL", "never changed"),
        ("DELETE FROM decisions WHERE table_row = 1", "never deleted"),
        (
            "UPDATE decisions SET customer_key = 'somebody else' WHERE table_row = 1",
            "only become a tombstone",
        ),
        (
            "UPDATE decisions SET customer_key = 'erased-1' WHERE table_row = 1",
            "only become a tombstone",
        ),
        ("DELETE FROM plans", "never deleted"),
        ("UPDATE audit SET actor = 'nobody'", "never changed"),
        ("DELETE FROM audit", "never deleted"),
    ] {
        let error = sql(&desk.path(), statement).expect_err(statement);
        assert!(error.contains(told), "{statement}: {error}");
    }
    assert_eq!(
        desk.ledger.decisions("p-a").expect("read"),
        decisions(&plan("p-a", 1), 5)
    );
    assert_eq!(desk.ledger.audit_trail(10).expect("read"), [entry]);
}

#[test]
fn every_column_but_the_keys_is_guarded() {
    let desk = Desk::planned(1);
    // one statement per column, found in the schema itself, so that a column added later is not forgotten
    sql(
        &desk.path(),
        "CREATE TABLE guarded AS SELECT name FROM pragma_table_info('decisions')
         WHERE name NOT IN ('customer_key', 'cluster_key');
         CREATE TABLE found AS SELECT g.name FROM guarded g JOIN sqlite_master m ON m.name = 'decisions_are_immutable'
         WHERE replace(m.sql, char(10), ' ') GLOB '*[ ,]' || g.name || '[ ,]*';",
    )
    .expect("looked up");
    sql(
        &desk.path(),
        "CREATE TABLE verdict (n CHECK (n = 0));
         INSERT INTO verdict SELECT (SELECT COUNT(*) FROM guarded) - (SELECT COUNT(*) FROM found);",
    )
    .expect("a column of decisions is missing from its trigger");
    sql(
        &desk.path(),
        "INSERT INTO verdict SELECT COUNT(*) - 30 FROM guarded",
    )
    .expect("30 guarded columns");
}

#[test]
fn a_tombstone_may_replace_a_person() {
    let desk = Desk::planned(2);
    sql(
        &desk.path(),
        "UPDATE decisions SET customer_key = 'erased-1', cluster_key = 'erased-2' WHERE customer_key = 'c-00001'",
    )
    .expect("erased");
    let rows = desk.ledger.decisions("p-a").expect("read");
    assert_eq!(
        (rows.len(), &rows[1].customer, &rows[1].cluster),
        (2, &key("erased-1"), &Some(key("erased-2")))
    );
    assert!(
        desk.ledger
            .decisions_for_customer(&key("c-00001"))
            .expect("read")
            .is_empty()
    );
}

#[test]
fn personal_data_does_not_reach_debug_output() {
    let rows = decisions(&plan("p-a", 1), 1);
    let shown = format!("{:?}", rows[0]);
    assert!(!shown.contains("c-00000") && !shown.contains("home-0"), "{shown}");
}
