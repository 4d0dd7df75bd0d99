//! Cycles follow each other; each has one active plan, and a delivered one stays.

use thalweg_domain::{Arm, Timestamp};
use thalweg_ledger::{CycleState, DeliveryPlan, PlanInsert, PlanState};

use crate::support::{Desk, decisions, key, plan};

fn deliver(desk: &Desk, plan_id: &str, at: i64) -> Result<(), &'static str> {
    let nobody = DeliveryPlan {
        plan_id,
        at: Timestamp(at),
        deliveries: &[],
        skips: &[],
    };
    desk.ledger
        .plan_deliveries(&nobody)
        .map(|_| ())
        .map_err(|error| error.code)
}

#[test]
fn closing_a_cycle_opens_the_next_once() {
    let desk = Desk::new();
    let second = desk.ledger.close_cycle(1, Timestamp(50)).expect("closed");
    assert_eq!(
        (second.cycle, second.state, second.opened_at),
        (2, CycleState::Open, Timestamp(50))
    );
    assert_eq!(desk.ledger.close_cycle(1, Timestamp(99)).expect("again"), second);
    assert_eq!(desk.ledger.current_cycle(Timestamp(99)).expect("read"), second);
    let cycles = desk.ledger.cycles().expect("read");
    assert_eq!(cycles.len(), 2);
    assert_eq!(
        (cycles[0].state, cycles[0].closed_at),
        (CycleState::Closed, Some(Timestamp(50)))
    );
    assert_eq!(
        desk.ledger
            .close_cycle(7, Timestamp(99))
            .expect_err("no such cycle")
            .code,
        "TW0808"
    );
}

#[test]
fn a_changed_plan_supersedes_the_earlier_one_whose_rows_stay() {
    let desk = Desk::planned(4);
    let a = plan("p-a", 1);
    let b = plan("p-b", 1);
    let insert = |plan| {
        desk.ledger
            .insert_plan(plan, &decisions(plan, 4))
            .expect("inserted")
    };
    assert_eq!(insert(&a), PlanInsert::Unchanged);
    assert_eq!(insert(&b), PlanInsert::Added);
    assert_eq!(
        desk.ledger.plan("p-a").expect("read").map(|row| row.state),
        Some(PlanState::Superseded)
    );
    assert_eq!(desk.ledger.decisions("p-a").expect("read"), decisions(&a, 4));
    assert_eq!(desk.ledger.decisions_of_cycle(1).expect("read"), decisions(&b, 4));
    assert_eq!(deliver(&desk, "p-a", 5), Err("TW0811"));

    assert_eq!(insert(&a), PlanInsert::Reactivated);
    assert_eq!(
        desk.ledger.active_plan(1).expect("read").map(|row| row.plan),
        Some(a)
    );
    assert_eq!(desk.ledger.decisions("p-a").expect("read").len(), 4);
    assert_eq!(desk.ledger.plans().expect("read").len(), 2);
}

#[test]
fn a_delivered_plan_cannot_be_replaced() {
    let desk = Desk::planned(4);
    assert!(desk.ledger.executed_plans().expect("read").is_empty());
    deliver(&desk, "p-a", 77).expect("delivered");
    deliver(&desk, "p-a", 99).expect("again");
    let (a, b) = (plan("p-a", 1), plan("p-b", 1));
    assert_eq!(
        desk.ledger
            .insert_plan(&b, &decisions(&b, 4))
            .expect_err("too late")
            .code,
        "TW0810"
    );
    assert_eq!(
        desk.ledger.insert_plan(&a, &decisions(&a, 4)).expect("same"),
        PlanInsert::Unchanged
    );
    let executed = desk.ledger.executed_decisions().expect("read");
    assert_eq!(executed.len(), 1);
    assert_eq!(executed[0].0.delivered_at, Some(Timestamp(77)));
    assert_eq!(executed[0].1, decisions(&a, 4));
}

#[test]
fn a_closed_cycle_takes_no_plan_and_no_delivery() {
    let desk = Desk::planned(2);
    desk.ledger.close_cycle(1, Timestamp(50)).expect("closed");
    let b = plan("p-b", 1);
    assert_eq!(
        desk.ledger
            .insert_plan(&b, &decisions(&b, 2))
            .expect_err("closed")
            .code,
        "TW0811"
    );
    assert_eq!(deliver(&desk, "p-a", 60), Err("TW0811"));
    assert_eq!(deliver(&desk, "p-zzz", 60), Err("TW0808"));
    let far = plan("p-far", 9);
    assert_eq!(
        desk.ledger
            .insert_plan(&far, &[])
            .expect_err("no such cycle")
            .code,
        "TW0808"
    );
}

#[test]
fn a_decision_row_says_what_was_done_in_words_and_numbers() {
    let plan = plan("p-a", 1);
    let rows = decisions(&plan, 3);
    let (held_out, treated) = (&rows[0], &rows[1]);
    assert_eq!(treated.decision_id, "p-a-0000001");
    assert_eq!(
        (treated.intended.as_str(), treated.action.as_str()),
        ("sms + discount-10", "sms + discount-10")
    );
    assert_eq!(
        (treated.channel.as_deref(), treated.offer.as_deref()),
        (Some("sms"), Some("discount-10"))
    );
    let entry = treated.eligible[5];
    assert_eq!(entry.action, treated.action_id);
    assert_eq!(
        (treated.effect, treated.cost, treated.acceptance),
        (entry.effect, entry.cost, entry.acceptance)
    );
    assert_eq!(treated.propensity_none, treated.eligible[0].propensity);

    assert_eq!(held_out.arm, Arm::Holdout);
    assert_eq!(
        (held_out.action.as_str(), held_out.channel.as_deref()),
        ("none", None)
    );
    assert_eq!(
        (held_out.propensity_none, held_out.intended.as_str()),
        (1.0, "sms + discount-10")
    );
}

#[test]
fn a_customers_decisions_are_those_of_active_plans_newest_first() {
    let desk = Desk::planned(4);
    let b = plan("p-b", 1);
    desk.ledger.insert_plan(&b, &decisions(&b, 4)).expect("inserted");
    desk.ledger.close_cycle(1, Timestamp(50)).expect("closed");
    let c = plan("p-c", 2);
    desk.ledger.insert_plan(&c, &decisions(&c, 4)).expect("inserted");
    let found = desk.ledger.decisions_for_customer(&key("c-00002")).expect("read");
    let names: Vec<&str> = found.iter().map(|row| row.decision_id.as_str()).collect();
    assert_eq!(names, ["p-c-0000002", "p-b-0000002"]);
    assert_eq!(
        desk.ledger.decision("p-b-0000002").expect("read").as_ref(),
        found.get(1)
    );
    assert_eq!(desk.ledger.decision("p-b-0000009").expect("read"), None);
    assert!(
        desk.ledger
            .decisions_for_customer(&key("stranger"))
            .expect("read")
            .is_empty()
    );
}
