//! Each message counts once, quarantined ones not at all, and completeness only grows.

use thalweg_domain::Timestamp;
use thalweg_ledger::{EventRow, EventState, FeedbackFile, Inserted};

use crate::support::{Desk, key};

fn file(hash: &str, complete_until: Option<i64>) -> FeedbackFile {
    FeedbackFile {
        file_hash: hash.to_owned(),
        name: format!("{hash}.jsonl"),
        complete_until: complete_until.map(Timestamp),
        loaded_at: Timestamp(1),
    }
}

fn event(id: usize, name: &str, user: usize, at: i64) -> EventRow {
    EventRow {
        message_id: format!("m-{id}"),
        kind: "track".to_owned(),
        event: Some(name.to_owned()),
        user: key(&format!("c-{user}")),
        occurred_at: Timestamp(at),
        decision_id: Some(format!("p-a-{user:07}")),
        properties: format!(r#"{{"amount":{id}}}"#),
        state: EventState::Ok,
        reason: None,
    }
}

fn quarantined(id: usize, name: &str, user: usize, at: i64) -> EventRow {
    let reason = Some("before its decision".to_owned());
    EventRow {
        state: EventState::Quarantined,
        reason,
        ..event(id, name, user, at)
    }
}

#[test]
fn duplicates_are_removed_within_and_across_files() {
    let desk = Desk::new();
    let first: Vec<_> = (0..1_000).map(|id| event(id % 900, "Left", id, 5)).collect();
    let counts = desk
        .ledger
        .insert_events(&file("a", None), &first)
        .expect("inserted");
    assert_eq!(
        counts,
        Inserted {
            new: 900,
            duplicates: 100,
            quarantined: 0
        }
    );
    let second = [
        event(899, "Left", 7, 6),
        event(900, "Left", 7, 6),
        quarantined(901, "Left", 8, 1),
    ];
    let counts = desk
        .ledger
        .insert_events(&file("b", None), &second)
        .expect("inserted");
    assert_eq!(
        counts,
        Inserted {
            new: 1,
            duplicates: 1,
            quarantined: 1
        }
    );
    let again = desk
        .ledger
        .insert_events(&file("b", None), &second)
        .expect("again");
    assert_eq!(
        again,
        Inserted {
            new: 0,
            duplicates: 3,
            quarantined: 0
        }
    );
    assert_eq!(desk.ledger.feedback_files().expect("read").len(), 2);
}

#[test]
fn an_outcome_is_the_first_in_the_window_and_not_quarantined() {
    let desk = Desk::new();
    let events = [
        event(1, "Left", 1, 10),
        event(2, "Left", 1, 20),
        event(3, "Left", 2, 19),
        event(4, "Left", 3, 30),
        event(5, "Came", 4, 15),
        quarantined(6, "Left", 5, 15),
    ];
    desk.ledger
        .insert_events(&file("a", None), &events)
        .expect("inserted");
    let outcomes = desk
        .ledger
        .outcomes("Left", Timestamp(11), Timestamp(30))
        .expect("read");
    let expected = [(key("c-1"), Timestamp(20)), (key("c-2"), Timestamp(19))];
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), expected);
    let named = desk
        .ledger
        .events_named("Left", Timestamp(10), Timestamp(20))
        .expect("read");
    assert_eq!(named, [events[0].clone(), events[2].clone()]);
    assert_eq!(
        desk.ledger.quarantined_events().expect("read"),
        [events[5].clone()]
    );
}

#[test]
fn answers_to_decisions_are_found_once_each() {
    let desk = Desk::new();
    let no_decision = EventRow {
        decision_id: None,
        ..event(3, "Offer Accepted", 2, 5)
    };
    let events = [
        event(1, "Offer Accepted", 1, 9),
        event(2, "Offer Accepted", 1, 7),
        no_decision,
    ];
    desk.ledger
        .insert_events(&file("a", None), &events)
        .expect("inserted");
    let answers = desk.ledger.events_for_decisions("Offer Accepted").expect("read");
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].decision_id.as_str(), answers[0].occurred_at),
        ("p-a-0000001", Timestamp(7))
    );
}

#[test]
fn whoever_unsubscribes_or_complains_is_known() {
    let desk = Desk::new();
    let events = [
        event(1, "Unsubscribed", 2, 5),
        event(2, "Complained", 1, 5),
        event(3, "Unsubscribed", 1, 6),
        event(4, "Bounced", 3, 6),
        quarantined(5, "Unsubscribed", 4, 6),
    ];
    desk.ledger
        .insert_events(&file("a", None), &events)
        .expect("inserted");
    let keys = desk.ledger.unsubscribed_keys().expect("read");
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), [key("c-1"), key("c-2")]);
}

#[test]
fn completeness_is_the_latest_that_was_said() {
    let desk = Desk::new();
    let until = || desk.ledger.complete_until().expect("read");
    assert_eq!(until(), None);
    for (hash, said, expected) in [
        ("a", None, None),
        ("a", Some(40), Some(40)),
        ("b", Some(30), Some(40)),
        ("a", Some(20), Some(40)),
        ("a", None, Some(40)),
        ("b", Some(50), Some(50)),
    ] {
        desk.ledger
            .insert_events(&file(hash, said), &[])
            .expect("inserted");
        assert_eq!(until(), expected.map(Timestamp), "{hash} {said:?}");
    }
}
