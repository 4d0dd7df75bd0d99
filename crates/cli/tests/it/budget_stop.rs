//! Delivery stops at the budget: accepted offers eat what a paced plan has left, and nothing that was held back is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bad_input::{put, small};
use crate::plan_rules::{add, decisions};
use crate::support::{json, succeed};

const BUDGET: f64 = 300.0;

fn on(day: u32) -> String {
    format!("2026-12-{day:02}T09:30:00Z")
}

/// Decisions whose message is in the outbox.
fn sent(dir: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(dir.join("outbox/1/outbox.jsonl")).unwrap();
    let id = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["decision_id"].as_str().unwrap().to_owned()
    };
    text.lines().map(id).collect()
}

/// A contact as it stands in the plan's file.
struct Contact {
    id: String,
    customer: String,
    explores: bool,
    day: u64,
    /// The channel's price.
    price: f64,
    /// What the discount costs when it is taken; 0 without one.
    discount: f64,
    gain_per_cost: f64,
}

/// All contacts of the plan by decision, priced by hand: an e-mail costs 0.02, a call 4, a discount 30 % of the fee.
fn contacts(dir: &Path) -> BTreeMap<String, Contact> {
    let table = fs::read_to_string(dir.join("customers.csv")).unwrap();
    let fees: BTreeMap<&str, f64> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .map(|cells| (cells[0], cells[3].parse().unwrap()))
        .collect();
    let rows = decisions(dir).into_iter().filter(|row| row["action"] != "none");
    rows.map(|row| {
        let (action, customer) = (row["action"].as_str().unwrap(), row["customer"].as_str().unwrap());
        let shown = json(dir, &["show", "decision", customer]);
        let own = Contact {
            id: shown["decision_id"].as_str().unwrap().to_owned(),
            customer: customer.to_owned(),
            explores: row["arm"] == "explore",
            day: row["day"].as_u64().unwrap(),
            price: if action.starts_with("call") { 4.0 } else { 0.02 },
            discount: if action.ends_with("discount") {
                0.3 * fees[customer]
            } else {
                0.0
            },
            gain_per_cost: row["expected_value"].as_f64().unwrap() / shown["cost"].as_f64().unwrap(),
        };
        (own.id.clone(), own)
    })
    .collect()
}

fn event(name: &str, contact: &Contact, day: u32) -> String {
    format!(
        "{{\"type\":\"track\",\"messageId\":\"{name} {0}\",\"userId\":\"{1}\",\"event\":\"{name}\",\"timestamp\":\"{2}\",\
         \"properties\":{{\"decision_id\":\"{0}\"}}}}\n",
        contact.id,
        contact.customer,
        on(day)
    )
}

/// What a plan over four days spent on its first, and who took a discount afterwards.
struct FirstDay {
    all: BTreeMap<String, Contact>,
    sent: BTreeSet<String>,
    takers: BTreeSet<String>,
}

/// Delivers the first of four days; so many take their discount that at most `most` is spent.
fn first_day(dir: &Path, most: f64) -> FirstDay {
    add(dir, "days = 4\n");
    succeed(dir, &["plan", "--as-of", &on(1)]);
    let out = json(dir, &["deliver", "--as-of", &on(1)]);
    let all = contacts(dir);
    let sent = sent(dir);
    let mut spent: f64 = sent.iter().map(|id| all[id].price).sum();
    let told = &out["spend"];
    assert!(
        (told["committed"].as_f64().unwrap() - spent).abs() < 1e-9,
        "{told}"
    );
    assert_eq!(
        (&told["accepted"], &told["held_back"], &told["budget"]),
        (&0.into(), &0.into(), &BUDGET.into())
    );
    let mut text = String::new();
    let mut takers = BTreeSet::new();
    let mut offered: Vec<&String> = sent.iter().filter(|id| all[*id].discount > 0.0).collect();
    offered.sort_by(|a, b| all[*b].discount.total_cmp(&all[*a].discount));
    for id in offered {
        if spent + all[id].discount <= most {
            spent += all[id].discount;
            takers.insert(id.clone());
            text.push_str(&event("Offer Accepted", &all[id], 2));
        }
    }
    put(dir, "events.jsonl", text);
    succeed(dir, &["feedback", "events.jsonl", "--as-of", &on(3)]);
    FirstDay { all, sent, takers }
}

fn reasons(out: &Value) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for own in out["channels"].as_array().unwrap() {
        for skipped in own["skipped"].as_array().unwrap() {
            *counts
                .entry(skipped["reason"].as_str().unwrap().to_owned())
                .or_default() += skipped["count"].as_u64().unwrap();
        }
    }
    counts
}

fn new(out: &Value) -> usize {
    let channels = out["channels"].as_array().unwrap().iter();
    channels
        .map(|own| usize::try_from(own["new"].as_u64().unwrap()).unwrap())
        .sum()
}

/// What went out is paid for, what was held back would not fit, and the order is the one that is documented.
fn holds(dir: &Path, first: &FirstDay, out: &Value) -> f64 {
    let (all, spend, now) = (&first.all, &out["spend"], sent(dir));
    let (committed, realised) = (
        spend["committed"].as_f64().unwrap(),
        spend["realised"].as_f64().unwrap(),
    );
    let price: f64 = now.iter().map(|id| all[id].price).sum();
    let taken: f64 = first.takers.iter().map(|id| all[id].discount).sum();
    assert!(
        (committed - price).abs() < 1e-9 && (realised - taken).abs() < 1e-6,
        "{spend} {price} {taken}"
    );
    assert_eq!(spend["accepted"].as_u64(), Some(first.takers.len() as u64));
    assert!(committed + realised <= BUDGET + 1e-6, "{spend}");
    let held = || all.values().filter(|own| !now.contains(&own.id));
    assert_eq!(spend["held_back"].as_u64(), Some(held().count() as u64));
    for own in held() {
        assert!(
            committed + realised + own.price > BUDGET,
            "{} would still fit",
            own.id
        );
        let later = now.difference(&first.sent).map(|id| &all[id]);
        for other in later.filter(|other| other.price == own.price) {
            let rank = |own: &Contact| (own.explores, own.gain_per_cost);
            assert!(
                (other.explores && !own.explores)
                    || (other.explores == own.explores && rank(other) >= rank(own)),
                "{:?} before {:?}",
                rank(other),
                rank(own)
            );
        }
    }
    committed + realised
}

#[test]
fn accepted_offers_hold_contacts_back_until_there_is_room() {
    let folder = small();
    let dir = folder.path();
    let first = first_day(dir, BUDGET - 4.0);
    let all = &first.all;
    let dry = json(dir, &["deliver", "--dry-run", "--as-of", &on(4)]);
    assert_eq!(sent(dir), first.sent, "a dry run writes nothing");
    let out = json(dir, &["deliver", "--as-of", &on(4)]);
    assert_eq!((&dry["spend"], reasons(&dry)), (&out["spend"], reasons(&out)));
    holds(dir, &first, &out);
    let held: Vec<&Contact> = all.values().filter(|own| !sent(dir).contains(&own.id)).collect();
    assert!(held.len() > 2 && new(&out) > 0, "{out}");
    assert!(held.iter().all(|own| own.day > 1));
    assert_eq!(
        reasons(&out),
        BTreeMap::from([("budget".to_owned(), held.len() as u64)])
    );

    let shown = json(dir, &["show", "decision", &held[0].id]);
    assert_eq!(
        (&shown["delivery"], &shown["left_out"]),
        (&Value::Null, &"budget".into())
    );
    let told = succeed(dir, &["show", "decision", &held[0].id]);
    assert!(told.contains("held back: the budget had no room"), "{told}");
    let again = json(dir, &["deliver", "--as-of", &on(5)]);
    assert_eq!(
        (new(&again), &again["spend"], reasons(&again)),
        (0, &out["spend"], reasons(&out))
    );
    let text = succeed(dir, &["deliver", "--as-of", &on(5)]);
    assert!(
        text.contains("accepted offers cost") && text.contains("held back"),
        "{text}"
    );

    // one of them unsubscribes; with more money the others go out, once
    put(dir, "gone.jsonl", event("Unsubscribed", held[1], 5));
    succeed(dir, &["feedback", "gone.jsonl", "--as-of", &on(6)]);
    let config = fs::read_to_string(dir.join("thalweg.toml")).unwrap();
    put(
        dir,
        "thalweg.toml",
        config.replace("budget = 300\n", "budget = 3000\n"),
    );
    let dry = json(dir, &["deliver", "--dry-run", "--as-of", &on(6)]);
    assert_eq!(reasons(&dry), BTreeMap::from([("unsubscribed".to_owned(), 1)]));
    let more = json(dir, &["deliver", "--as-of", &on(6)]);
    assert_eq!(
        (new(&more), &more["spend"]["held_back"]),
        (held.len() - 1, &0.into())
    );
    assert_eq!(reasons(&more), BTreeMap::from([("unsubscribed".to_owned(), 1)]));
    assert_eq!(sent(dir).len(), all.len() - 1);
    let shown = json(dir, &["show", "decision", &held[0].id]);
    assert_eq!(
        (&shown["delivery"], &shown["left_out"]),
        (&"sent".into(), &Value::Null)
    );
    let shown = json(dir, &["show", "decision", &held[1].id]);
    assert_eq!(shown["left_out"], "unsubscribed");
    assert_eq!(new(&json(dir, &["deliver", "--as-of", &on(7)])), 0);
}

#[test]
fn what_was_held_back_is_not_paid_for_when_the_cycle_is_measured() {
    let folder = small();
    let dir = folder.path();
    let first = first_day(dir, BUDGET - 4.0);
    let out = json(dir, &["deliver", "--as-of", &on(4)]);
    let spent = holds(dir, &first, &out);
    let mut text = String::new();
    for row in 0..60 {
        writeln!(
            text,
            "{{\"type\":\"track\",\"messageId\":\"o{row}\",\"userId\":\"C{row:04}\",\"event\":\"Subscription Cancelled\",\
             \"timestamp\":\"2026-12-20T09:30:00Z\"}}"
        )
        .unwrap();
    }
    put(dir, "outcomes.jsonl", text);
    succeed(
        dir,
        &[
            "feedback",
            "outcomes.jsonl",
            "--complete-until",
            "2027-01-02",
            "--as-of",
            "2027-01-03",
        ],
    );
    let measured = json(dir, &["iterate", "--as-of", "2027-01-03"]);
    let told = measured["total"]["spend"].as_f64().unwrap();
    assert!((told - spent).abs() < 1e-6, "{told} {spent}");
}

#[test]
fn nothing_goes_out_once_offers_have_cost_more_than_the_budget() {
    let folder = small();
    let dir = folder.path();
    let first = first_day(dir, f64::INFINITY);
    let out = json(dir, &["deliver", "--as-of", &on(4)]);
    assert!(out["spend"]["realised"].as_f64().unwrap() > BUDGET, "{out}");
    let rest = first.all.len() - first.sent.len();
    assert_eq!(
        (new(&out), out["spend"]["held_back"].as_u64()),
        (0, Some(rest as u64))
    );
    assert_eq!(sent(dir), first.sent);
}

#[test]
fn a_plan_that_goes_out_at_once_commits_what_its_contacts_cost_and_no_more() {
    let folder = small();
    let dir = folder.path();
    let plan = json(dir, &["plan", "--as-of", &on(1)]);
    let out = json(dir, &["deliver", "--as-of", &on(1)]);
    let spend = &out["spend"];
    assert_eq!(
        (new(&out), &spend["held_back"]),
        (
            usize::try_from(plan["treated"].as_u64().unwrap()).unwrap(),
            &0.into()
        )
    );
    // the offers that some will take are not committed yet
    let (committed, expected) = (
        spend["committed"].as_f64().unwrap(),
        plan["spend"].as_f64().unwrap(),
    );
    assert!(
        committed > 0.0 && committed < expected && expected <= BUDGET + 1e-6,
        "{committed} {expected}"
    );
    // a lower budget in the file holds for what is delivered from then on
    let other = small();
    let dir = other.path();
    succeed(dir, &["plan", "--as-of", &on(1)]);
    let config = fs::read_to_string(dir.join("thalweg.toml")).unwrap();
    put(
        dir,
        "thalweg.toml",
        config.replace("budget = 300\n", "budget = 10\n"),
    );
    let out = json(dir, &["deliver", "--as-of", &on(1)]);
    let committed = out["spend"]["committed"].as_f64().unwrap();
    assert!(committed > 5.0 && committed <= 10.0 + 1e-9, "{committed}");
    assert!(out["spend"]["held_back"].as_u64().unwrap() > 0);
}
