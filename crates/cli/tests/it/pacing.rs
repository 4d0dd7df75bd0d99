//! `[plan] days` and `[[plan.pacing]]`: every contact has its day, and deliver sends those whose day has come, once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bad_input::small;
use crate::plan_rules::{add, decisions, tiers};
use crate::support::{fail, json, succeed};

const PACED: &str = r#"days = 5

[[plan.pacing]]
name = "calls to basic a day"
per_day = 3
where = { channel = "call", plan = "basic" }

[[plan.pacing]]
name = "calls a day"
per_day = 6
where = { channel = "call" }
"#;

/// The messages of the outbox: decision, channel and day.
fn outbox(dir: &Path) -> Vec<(String, String, u64)> {
    let text = fs::read_to_string(dir.join("outbox/1/outbox.jsonl")).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        (
            text("decision_id"),
            text("channel"),
            line["day"].as_u64().unwrap(),
        )
    };
    text.lines().map(line).collect()
}

fn on(day: u32) -> String {
    format!("2026-12-{:02}T09:30:00Z", day)
}

#[test]
fn every_contact_has_a_day_and_no_day_has_too_many() {
    let folder = small();
    let dir = folder.path();
    add(dir, PACED);
    let plan = json(dir, &["plan", "--as-of", &on(1)]);
    assert_eq!(plan["feasible"], true);
    let tiers = tiers(dir);
    let mut days: BTreeMap<u64, [u64; 3]> = BTreeMap::new();
    for row in decisions(dir) {
        let contacted = row["action"] != "none";
        assert_eq!(contacted, row["day"].is_u64(), "{row}");
        let Some(day) = row["day"].as_u64() else { continue };
        let counts = days.entry(day).or_default();
        let call = row["action"].as_str().unwrap().starts_with("call");
        let basic = tiers[row["customer"].as_str().unwrap()] == "basic";
        counts[0] += 1;
        counts[1] += u64::from(call);
        counts[2] += u64::from(call && basic);
    }
    assert_eq!(days.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    for (place, most) in [(0, u64::MAX), (1, 6), (2, 3)] {
        let all: Vec<u64> = days.values().map(|counts| counts[place]).collect();
        let (low, high) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!(*high <= most && high - low <= 1, "{days:?}");
    }
    let told: Vec<u64> = plan["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .collect();
    assert_eq!(told, days.values().map(|counts| counts[0]).collect::<Vec<_>>());
    assert_eq!(told.iter().sum::<u64>(), plan["treated"].as_u64().unwrap());
    let limit = plan["constraints"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["name"] == "calls a day");
    assert_eq!(limit.unwrap()["limit"], 30.0);
    let text = succeed(dir, &["plan", "--as-of", &on(1)]);
    assert!(text.contains("Spread over 5 days"), "{text}");
}

#[test]
fn deliver_sends_what_is_due_and_nothing_twice() {
    let folder = small();
    let dir = folder.path();
    add(dir, PACED);
    let plan = json(dir, &["plan", "--as-of", &on(1)]);
    let days: Vec<u64> = plan["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .collect();
    let treated: u64 = days.iter().sum();
    let new = |out: &Value| {
        let channels = out["channels"].as_array().unwrap().iter();
        channels.map(|own| own["new"].as_u64().unwrap()).sum::<u64>()
    };
    // the plan begins with its first delivery, two days after it was made
    let dry = json(dir, &["deliver", "--dry-run", "--as-of", &on(3)]);
    assert!(!dir.join("outbox").exists());
    assert_eq!((&dry["day"], &dry["days"]), (&1.into(), &5.into()));
    let out = json(dir, &["deliver", "--as-of", &on(3)]);
    assert_eq!(
        (new(&out), out["waiting"].as_u64().unwrap()),
        (days[0], treated - days[0])
    );
    assert!(outbox(dir).iter().all(|(_, _, day)| *day == 1));
    let sheet = fs::read_to_string(dir.join("outbox/1/call.csv")).unwrap();
    assert!(sheet.lines().next().unwrap().contains(",day"), "{sheet}");
    let again = json(dir, &["deliver", "--as-of", "2026-12-03T23:00:00Z"]);
    assert_eq!(new(&again), 0);
    // two days later two days' contacts are due; on the last day the rest, then no more
    let third = json(dir, &["deliver", "--as-of", &on(5)]);
    assert_eq!((third["day"].as_u64(), new(&third)), (Some(3), days[1] + days[2]));
    let text = succeed(dir, &["deliver", "--as-of", &on(5)]);
    assert!(
        text.contains("Day 3 of 5;") && text.contains("wait for their day"),
        "{text}"
    );
    let last = json(dir, &["deliver", "--as-of", &on(20)]);
    assert_eq!(
        (new(&last), last["waiting"].as_u64()),
        (days[3] + days[4], Some(0))
    );
    assert_eq!(new(&json(dir, &["deliver", "--as-of", &on(21)])), 0);
    let mut ids: Vec<String> = outbox(dir).into_iter().map(|(id, _, _)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u64, treated);
    let one = ids.first().unwrap();
    let shown = json(dir, &["show", "decision", one]);
    assert!(shown["day"].as_u64().unwrap() >= 1);
}

#[test]
fn who_unsubscribes_before_the_day_is_left_out_when_it_comes() {
    let folder = small();
    let dir = folder.path();
    add(dir, "days = 4\n");
    succeed(dir, &["plan", "--as-of", &on(1)]);
    succeed(dir, &["deliver", "--as-of", &on(1)]);
    let later = decisions(dir).into_iter().find(|row| row["day"] == 3).unwrap();
    let gone = later["customer"].as_str().unwrap();
    let event = format!(
        "{{\"type\":\"track\",\"messageId\":\"1\",\"userId\":\"{gone}\",\"event\":\"Unsubscribed\",\"timestamp\":\"{}\"}}\n",
        on(2)
    );
    fs::write(dir.join("events.jsonl"), event).unwrap();
    succeed(dir, &["feedback", "events.jsonl", "--as-of", &on(2)]);
    let out = json(dir, &["deliver", "--as-of", &on(3)]);
    let skipped: Vec<&Value> = out["channels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|own| own["skipped"].as_array().unwrap())
        .collect();
    assert_eq!(skipped.len(), 1);
    assert_eq!(
        (&skipped[0]["reason"], &skipped[0]["count"]),
        (&"unsubscribed".into(), &1.into())
    );
    let text = fs::read_to_string(dir.join("outbox/1/outbox.jsonl")).unwrap();
    assert!(!text.contains(&format!("\"{gone}\"")));
    // left out stays left out
    let again = json(dir, &["deliver", "--as-of", &on(4)]);
    let text = fs::read_to_string(dir.join("outbox/1/outbox.jsonl")).unwrap();
    assert!(!text.contains(&format!("\"{gone}\"")), "{again}");
}

#[test]
fn what_cannot_be_spread_is_refused() {
    let overlapping = "days = 5\n\n[[plan.pacing]]\nname = \"calls\"\nper_day = 3\nwhere = { channel = \"call\" }\n\n\
        [[plan.pacing]]\nname = \"basic\"\nper_day = 4\nwhere = { plan = \"basic\" }\n";
    let cases = [
        ("[[plan.pacing]]\nname = \"a\"\nper_day = 3\n", "TW0103", "days"),
        ("days = 31\n", "TW0104", "30 days of [outcome] horizon"),
        ("days = 0\n", "TW0104", "1 or more"),
        (overlapping, "TW0502", "\"calls\" and \"basic\" overlap"),
        (
            &PACED.replace("calls a day", "call capacity"),
            "TW0106",
            "call capacity",
        ),
        (&PACED.replace("\"basic\" }", "\"bsaic\" }"), "TW0105", "bsaic"),
    ];
    for (text, code, says) in cases {
        let folder = small();
        add(folder.path(), text);
        let (exit, error) = fail(folder.path(), &["plan", "--as-of", &on(1)]);
        assert_eq!(error["code"], code, "{text}{error}");
        assert!(exit == 2 || exit == 4, "{exit} {error}");
        assert!(error["at"]["row"].as_u64().is_some_and(|row| row > 30), "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
}
