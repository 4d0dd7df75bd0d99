//! What every adapter promises, tested the same way for each.

use std::collections::BTreeMap;

use thalweg_domain::CustomerKey;

use crate::{
    Adapter, Batch, ContactRequest, FieldValue, Message, Mode, PolicyParams, QuietHours, SkipReason, admit,
};

/// A channel in a test: the adapter, and what the outside world has seen so far.
pub(super) struct Subject<'a> {
    pub(super) adapter: &'a dyn Adapter,
    /// Everything that has arrived, as bytes per place; the decisions of the arrived messages must occur in it.
    pub(super) arrived: &'a dyn Fn() -> BTreeMap<String, Vec<u8>>,
}

/// Runs the contract. The channel must be new: nothing has arrived yet.
pub(super) fn check_channel(subject: &Subject<'_>) {
    let messages = admitted(12);
    let batch = |messages| Batch {
        cycle: 1,
        channel: "email",
        messages,
    };
    let deliver = |messages, mode| {
        subject
            .adapter
            .deliver(&batch(messages), mode)
            .expect("delivered")
    };

    let dry = deliver(&messages, Mode::DryRun);
    assert!((subject.arrived)().is_empty(), "a dry run sends something");

    let sent = deliver(&messages, Mode::Send);
    assert_eq!(sent, dry, "a dry run says something else than the real one does");
    assert_eq!(
        sent.sent,
        ids(&messages),
        "not exactly the admitted are sent, or not in order"
    );
    let arrived = (subject.arrived)();
    assert!(!arrived.is_empty());
    for skipped in (0..12).filter(|row| !may_be_contacted(*row)) {
        assert!(
            !mentions(&arrived, &decision_id(skipped)),
            "{skipped} has not agreed, yet is contacted"
        );
    }

    let mut delivered = messages.clone();
    delivered.iter_mut().for_each(|message| message.delivered = true);
    delivered.reverse();
    assert!(deliver(&delivered, Mode::Send).sent.is_empty(), "sent again");
    assert_eq!(
        (subject.arrived)(),
        arrived,
        "a second delivery, in another order, changes what arrived"
    );

    assert!(deliver(&[], Mode::Send).sent.is_empty());
    assert_eq!(
        (subject.arrived)(),
        arrived,
        "an empty batch changes what arrived"
    );
}

/// Messages to those of `n` customers whom the contact policy lets through.
pub(super) fn admitted(n: usize) -> Vec<Message> {
    (0..n).filter(|row| may_be_contacted(*row)).map(message).collect()
}

/// Every third has not agreed, every fifth was contacted often.
fn may_be_contacted(row: usize) -> bool {
    let params = PolicyParams {
        quiet_hours: None,
        max_per_week: Some(2),
    };
    let request = ContactRequest {
        consent: Some(!row.is_multiple_of(3)),
        unsubscribed: false,
        contacts_in_last_7_days: if row.is_multiple_of(5) { 2 } else { 0 },
        local_minute: None,
    };
    let verdict = admit(&request, &params);
    assert_eq!(verdict == Err(SkipReason::NoConsent), row.is_multiple_of(3));
    verdict.is_ok()
}

pub(super) fn message(row: usize) -> Message {
    let quiet: QuietHours = "21:00-08:00".parse().expect("valid");
    let fields = [
        ("charges".to_owned(), FieldValue::Number(-0.5 * row as f64)),
        (
            "name".to_owned(),
            FieldValue::Text(format!("Ünal \"{row}\", Ada")),
        ),
    ];
    Message {
        decision_id: decision_id(row),
        customer: CustomerKey::new(format!("c-{row}")).expect("a key"),
        offer: row.is_multiple_of(2).then(|| "gift".to_owned()),
        fields: fields.into_iter().collect(),
        text: Some(format!("Hello,\n{row}")),
        contact_window: Some(quiet.window()),
        day: None,
        delivered: false,
    }
}

fn decision_id(row: usize) -> String {
    format!("p-1-{row:07}")
}

fn ids(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .map(|message| message.decision_id.clone())
        .collect()
}

fn mentions(arrived: &BTreeMap<String, Vec<u8>>, id: &str) -> bool {
    arrived
        .values()
        .any(|bytes| String::from_utf8_lossy(bytes).contains(id))
}
