//! Learning from events: what a cut-off sees, what follows it, and what is refused.

use std::fmt::Write;

use proptest::prelude::*;
use thalweg_domain::{Duration, Timestamp};

use super::{Expected, Folder, assert_refused, cells, numbers};
use crate::{
    CollectSpec, Collected, Cutoffs, EventSource, NoteKind, PanelSpec, SqlFile, collect, content_hash, read,
    source_fingerprint, write,
};

/// 2026-01-01.
const START: i64 = 1_767_225_600_000_000;

fn on(day: i64) -> Timestamp {
    Timestamp(START) + Duration::days(day)
}

/// One line per event: customer, day, name, amount.
fn csv(events: &[(&str, i64, &str, f64)]) -> String {
    let mut text = "who,at,what,amount\n".to_owned();
    for (who, day, what, amount) in events {
        let moment = jiff::Timestamp::from_microsecond(on(*day).0).unwrap();
        let _ = writeln!(text, "{who},{},{what},{amount}", moment.strftime("%Y-%m-%d"));
    }
    text
}

/// `a` buys every ten days, `b` bought once, `c` came late and only looks; the last event is on day 99.
fn events() -> Vec<(&'static str, i64, &'static str, f64)> {
    let mut events: Vec<_> = (0..10).map(|n| ("a", n * 10, "buy", 10.0)).collect();
    events.push(("b", 5, "buy", 7.0));
    events.push(("c", 45, "look", 0.0));
    events.push(("c", 99, "look", 0.0));
    events
}

fn spec(folder: &Folder) -> CollectSpec {
    CollectSpec {
        source: None,
        events: vec![EventSource {
            source: "e.csv".to_owned(),
            key: "who".to_owned(),
            time: "at".to_owned(),
            name: Some("what".to_owned()),
        }],
        panel: Some(PanelSpec {
            event: Some("buy".to_owned()),
            absent: false,
            horizon: Duration::days(30),
            cutoffs: Cutoffs::Every(Duration::days(30)),
            decide_at: None,
            since: None,
        }),
        ..folder.spec("")
    }
}

fn run(events: &[(&str, i64, &str, f64)], change: impl FnOnce(&mut CollectSpec)) -> Collected {
    let folder = Folder::new(&[("e.csv", &csv(events))]);
    let mut spec = spec(&folder);
    change(&mut spec);
    collect(&spec).unwrap()
}

fn panel_of(spec: &mut CollectSpec) -> &mut PanelSpec {
    spec.panel.as_mut().unwrap()
}

#[test]
fn customers_are_looked_at_as_of_each_cutoff_and_now() {
    let collected = run(&events(), |_| ());
    let panel = collected.panel.as_ref().unwrap();
    assert_eq!(panel.cutoffs, vec![on(40), on(70)]);
    assert_eq!(panel.decide_at, on(100));
    assert_eq!(collected.keys, ["a", "b", "a", "b", "c", "a", "b", "c"]);
    let period = [Some(0), Some(0), Some(1), Some(1), Some(1), None, None, None];
    assert_eq!(panel.period, period);
    let outcome = [
        Some(true),
        Some(false),
        Some(true),
        Some(false),
        Some(false),
        None,
        None,
        None,
    ];
    assert_eq!(collected.target.as_ref().unwrap()[..], outcome);
    let since = [10.0, 35.0, 10.0, 65.0, 25.0, 10.0, 95.0, 1.0];
    assert_eq!(numbers(&collected.features, "days_since_last_event"), since);
    let amounts = [40.0, 7.0, 70.0, 7.0, 0.0, 100.0, 7.0, 0.0];
    assert_eq!(numbers(&collected.features, "amount_in_all"), amounts);
    let recent = [30.0, 0.0, 30.0, 0.0, 0.0, 30.0, 0.0, 0.0];
    assert_eq!(numbers(&collected.features, "amount_in_30_days"), recent);
    assert_eq!(numbers(&collected.features, "mean_days_between_events")[0], 10.0);
    assert!(numbers(&collected.features, "mean_days_between_events")[1].is_nan());
}

#[test]
fn an_outcome_may_be_that_nothing_comes() {
    let collected = run(&events(), |spec| panel_of(spec).absent = true);
    let outcome = [
        Some(false),
        Some(true),
        Some(false),
        Some(true),
        Some(true),
        None,
        None,
        None,
    ];
    assert_eq!(collected.target.unwrap()[..], outcome);
}

#[test]
fn every_event_counts_when_none_is_named() {
    let collected = run(&events(), |spec| panel_of(spec).event = None);
    // c looks on day 99, within the horizon of day 70
    assert_eq!(collected.target.unwrap()[4], Some(true));
}

#[test]
fn an_earlier_now_hides_what_came_later() {
    let collected = run(&events(), |spec| panel_of(spec).decide_at = Some(on(80)));
    let panel = collected.panel.as_ref().unwrap();
    // the newest event that is seen is of day 70, so outcomes are known up to its end
    assert_eq!(
        (panel.cutoffs.as_slice(), panel.decide_at),
        (&[on(41)][..], on(80))
    );
    assert_eq!(collected.keys, ["a", "b", "a", "b", "c"]);
}

#[test]
fn customers_may_have_a_file_of_their_own_and_a_date_of_joining() {
    let folder = Folder::new(&[
        ("e.csv", &csv(&events())),
        (
            "c.csv",
            "id,joined,plan\na,2025-12-01,x\nb,2025-12-01,y\nc,2026-01-30,x\nd,2026-01-15,y\n",
        ),
    ]);
    let mut spec = spec(&folder);
    spec.source = Some("c.csv".to_owned());
    spec.key = Some("id".to_owned());
    spec.features_sql = Some(SqlFile {
        name: "f.sql".to_owned(),
        text: "SELECT who AS id, count(*) AS n FROM events WHERE at < :cutoff GROUP BY who".to_owned(),
    });
    panel_of(&mut spec).since = Some("joined".to_owned());
    spec.expressions = vec![("value".to_owned(), "coalesce(n, 0) * 2".to_owned())];
    let collected = collect(&spec).unwrap();
    assert_eq!(
        collected.keys,
        ["a", "b", "c", "d", "a", "b", "c", "d", "a", "b", "c", "d"]
    );
    assert_eq!(cells(&collected.features, "plan")[..4], ["x", "y", "x", "y"]);
    assert_eq!(numbers(&collected.features, "n")[..2], [4.0, 1.0]);
    assert!(
        numbers(&collected.features, "n")[3].is_nan(),
        "d never did anything"
    );
    assert_eq!(collected.expressions["value"][..4], [8.0, 2.0, 0.0, 0.0]);
    let told = |part: &str| {
        collected
            .notes
            .iter()
            .any(|note| note.kind == NoteKind::Assumed && note.text.contains(part))
    };
    assert!(
        told("taken as they are now at every cut-off"),
        "{:?}",
        collected.notes
    );
    panel_of(&mut spec).since = Some("plan".to_owned());
    let expected = Expected {
        code: "TW0243",
        at: Some(("c.csv", None)),
        says: &["\"plan\"", "not a date"],
    };
    assert_refused(collect(&spec), &expected);
}

#[test]
fn a_panel_is_stored_and_read_back_exactly() {
    let folder = Folder::new(&[("e.csv", &csv(&events()))]);
    let collected = collect(&spec(&folder)).unwrap();
    let path = folder.path().join("t.parquet");
    write(&path, &collected).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back.panel, collected.panel);
    assert_eq!(back.keys, collected.keys);
    assert_eq!(content_hash(&back), content_hash(&collected));
    assert_eq!(source_fingerprint(&spec(&folder)).unwrap(), collected.source_hash);
}

#[test]
fn what_a_panel_cannot_be_made_from_is_refused() {
    let refused =
        |events: &[(&str, i64, &str, f64)], change: &dyn Fn(&mut CollectSpec), code: &str, says: &[&str]| {
            let folder = Folder::new(&[("e.csv", &csv(events))]);
            let mut spec = spec(&folder);
            change(&mut spec);
            let expected = Expected {
                code,
                at: Some(("e.csv", None)),
                says,
            };
            assert_refused(collect(&spec), &expected);
        };
    let short: Vec<_> = events().into_iter().filter(|event| event.1 < 50).collect();
    refused(&short, &|_| (), "TW0240", &["46 days", "30 days"]);
    let named =
        |name: &'static str| move |spec: &mut CollectSpec| panel_of(spec).event = Some(name.to_owned());
    refused(
        &events(),
        &named("purchase"),
        "TW0241",
        &["\"purchase\"", "\"buy\", \"look\""],
    );
    let late = |spec: &mut CollectSpec| panel_of(spec).cutoffs = Cutoffs::At(vec![on(90)]);
    refused(&events(), &late, "TW0242", &["2026-04-01", "2026-03-12"]);
    let only_a: Vec<_> = events().into_iter().filter(|event| event.0 == "a").collect();
    refused(&only_a, &|_| (), "TW0212", &["came within 30 days"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Features at a cut-off are the same whatever happens at or after it, and so are outcomes after their horizon.
    #[test]
    fn nothing_after_a_cutoff_reaches_its_features(later in proptest::collection::vec((0_usize..3, 70_i64..100, 1.0_f64..99.0), 0..12)) {
        let who = ["a", "b", "c"];
        let at = |spec: &mut CollectSpec| {
            panel_of(spec).cutoffs = Cutoffs::At(vec![on(40), on(70)]);
        };
        let plain = run(&events(), at);
        let mut more = events();
        more.extend(later.iter().map(|(customer, day, amount)| (who[*customer], *day, "buy", *amount)));
        let changed = run(&more, at);
        prop_assert_eq!(&changed.keys, &plain.keys);
        for (before, after) in plain.raw.columns().iter().zip(changed.raw.columns()) {
            let rows: Vec<usize> = (0..5).collect();
            let (before, after) = (before.take(&rows), after.take(&rows));
            for row in 0..5 {
                prop_assert_eq!(before.cell_text(row), after.cell_text(row), "{} in row {}", before.name, row);
            }
        }
        prop_assert_eq!(&changed.target.unwrap()[..2], &plain.target.unwrap()[..2]);
    }
}
