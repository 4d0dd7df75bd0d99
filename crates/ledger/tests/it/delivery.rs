//! A decision is delivered once per channel, however often and whenever delivery is tried.

use thalweg_domain::Timestamp;
use thalweg_ledger::{
    DeliveryPlan, DeliveryState, HELD_BACK, NewDelivery, NewSkip, PlannedDeliveries, SkipCount,
};

use crate::support::{Desk, key};

fn delivery(row: usize, channel: &str) -> NewDelivery {
    NewDelivery {
        decision_id: format!("p-a-{row:07}"),
        channel: channel.to_owned(),
        customer: key(&format!("c-{row:05}")),
        offer: row.is_multiple_of(2).then(|| "gift".to_owned()),
    }
}

fn skip(row: usize, reason: &str) -> NewSkip {
    NewSkip {
        decision_id: format!("p-a-{row:07}"),
        channel: "sms".to_owned(),
        reason: reason.to_owned(),
    }
}

/// Decisions 0 to 8 by sms and by call, 9 to 11 skipped.
fn plan_all(desk: &Desk, at: i64) -> PlannedDeliveries {
    let deliveries: Vec<_> = ["sms", "call"]
        .iter()
        .flat_map(|channel| (0..9).map(|row| delivery(row, channel)))
        .collect();
    let skips = [
        skip(9, "no_consent"),
        skip(10, "frequency"),
        skip(11, "no_consent"),
    ];
    let plan = DeliveryPlan {
        plan_id: "p-a",
        at: Timestamp(at),
        deliveries: &deliveries,
        skips: &skips,
    };
    desk.ledger.plan_deliveries(&plan).expect("planned")
}

#[test]
fn planning_again_adds_nothing_and_forgets_nothing() {
    let desk = Desk::planned(20);
    assert_eq!(plan_all(&desk, 10), PlannedDeliveries { new: 18, skipped: 3 });
    assert_eq!(
        desk.ledger
            .mark_sent("sms", &["p-a-0000000"], Timestamp(11))
            .expect("marked"),
        1
    );
    assert_eq!(plan_all(&desk, 99), PlannedDeliveries { new: 0, skipped: 0 });
    let rows = desk.ledger.deliveries(1).expect("read");
    assert_eq!(rows.len(), 18);
    assert!(rows.iter().all(|row| row.planned_at == Timestamp(10)));
    let sent: Vec<_> = rows
        .iter()
        .filter(|row| row.state == DeliveryState::Sent)
        .collect();
    assert_eq!(
        (sent.len(), sent[0].sent_at, sent[0].offer.as_deref()),
        (1, Some(Timestamp(11)), Some("gift"))
    );
    let count = |reason: &str, count| SkipCount {
        channel: "sms".to_owned(),
        reason: reason.to_owned(),
        count,
    };
    assert_eq!(
        desk.ledger.skip_counts(1).expect("read"),
        [count("frequency", 1), count("no_consent", 2)]
    );
}

#[test]
fn what_was_sent_is_no_longer_pending_and_keeps_its_time() {
    let desk = Desk::planned(20);
    plan_all(&desk, 10);
    let ids = ["p-a-0000000", "p-a-0000001", "p-a-0000015"];
    assert_eq!(
        desk.ledger.mark_sent("sms", &ids, Timestamp(20)).expect("marked"),
        2,
        "the third is no delivery"
    );
    assert_eq!(
        desk.ledger.mark_sent("sms", &ids, Timestamp(30)).expect("again"),
        0
    );
    assert_eq!(
        desk.ledger
            .mark_failed("sms", &["p-a-0000000"], "late bounce")
            .expect("too late"),
        0
    );
    let pending = desk.ledger.pending(1, "sms").expect("read");
    let names: Vec<&str> = pending.iter().map(|row| row.decision_id.as_str()).collect();
    assert_eq!(names.first(), Some(&"p-a-0000002"));
    assert_eq!(names.len(), 7);
    assert_eq!(desk.ledger.pending(1, "call").expect("read").len(), 9);
    let counts = desk.ledger.sent_counts(1).expect("read");
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("sms".to_owned(), 2)]);
}

#[test]
fn a_failed_delivery_can_be_sent_later() {
    let desk = Desk::planned(20);
    plan_all(&desk, 10);
    let ids = ["p-a-0000003"];
    assert_eq!(
        desk.ledger
            .mark_failed("call", &ids, "no answer")
            .expect("marked"),
        1
    );
    let find = || {
        let rows = desk.ledger.deliveries(1).expect("read");
        rows.into_iter()
            .find(|row| row.channel == "call" && row.decision_id == ids[0])
            .expect("there")
    };
    assert_eq!(
        (find().state, find().detail.as_deref()),
        (DeliveryState::Failed, Some("no answer"))
    );
    assert_eq!(
        desk.ledger
            .mark_sent("call", &ids, Timestamp(40))
            .expect("marked"),
        1
    );
    assert_eq!(
        (find().state, find().detail, find().sent_at),
        (DeliveryState::Sent, None, Some(Timestamp(40)))
    );
}

#[test]
fn contacts_are_counted_per_customer_over_channels_from_a_time_on() {
    let desk = Desk::planned(20);
    plan_all(&desk, 10);
    desk.ledger
        .mark_sent("sms", &["p-a-0000000", "p-a-0000001"], Timestamp(20))
        .expect("marked");
    desk.ledger
        .mark_sent("call", &["p-a-0000000"], Timestamp(30))
        .expect("marked");
    let counts = |since| {
        desk.ledger
            .contacts_since(Timestamp(since))
            .expect("read")
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(20), [(key("c-00000"), 2), (key("c-00001"), 1)]);
    assert_eq!(counts(21), [(key("c-00000"), 1)]);
    assert_eq!(counts(31), []);
}

#[test]
fn a_delivery_needs_a_decision() {
    let desk = Desk::planned(20);
    let plan = DeliveryPlan {
        plan_id: "p-a",
        at: Timestamp(5),
        deliveries: &[delivery(500, "sms")],
        skips: &[],
    };
    assert_eq!(
        desk.ledger
            .plan_deliveries(&plan)
            .expect_err("no such decision")
            .code,
        "TW0806"
    );
    assert_eq!(
        desk.ledger
            .active_plan(1)
            .expect("read")
            .and_then(|row| row.delivered_at),
        None,
        "all or nothing"
    );
}

#[test]
fn only_who_was_held_back_is_delivered_to_or_left_out_later() {
    let desk = Desk::planned(20);
    let try_all = |at: i64, deliveries: &[NewDelivery], skips: &[NewSkip]| {
        let plan = DeliveryPlan {
            plan_id: "p-a",
            at: Timestamp(at),
            deliveries,
            skips,
        };
        desk.ledger.plan_deliveries(&plan).expect("planned")
    };
    let held = [
        skip(1, HELD_BACK),
        skip(2, HELD_BACK),
        skip(3, HELD_BACK),
        skip(4, "no_consent"),
    ];
    assert_eq!(try_all(10, &[], &held), PlannedDeliveries { new: 0, skipped: 4 });
    // still no room: nothing changes
    assert_eq!(try_all(20, &[], &held), PlannedDeliveries { new: 0, skipped: 0 });
    let now = [skip(2, "unsubscribed"), skip(3, HELD_BACK), skip(4, "frequency")];
    assert_eq!(
        try_all(30, &[delivery(1, "sms")], &now),
        PlannedDeliveries { new: 1, skipped: 1 }
    );
    let reason = |row: usize| desk.ledger.skip_reason(&format!("p-a-{row:07}")).expect("read");
    let reasons: Vec<Option<String>> = (1..5).map(reason).collect();
    let own = |reason: &str| Some(reason.to_owned());
    assert_eq!(
        reasons,
        [None, own("unsubscribed"), own(HELD_BACK), own("no_consent")]
    );
    let left = desk.ledger.skipped(1).expect("read");
    assert_eq!(
        left.into_values().collect::<Vec<_>>(),
        ["unsubscribed", HELD_BACK, "no_consent"]
    );
    assert_eq!(desk.ledger.deliveries(1).expect("read").len(), 1);
}
