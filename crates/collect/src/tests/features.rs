//! `features.sql`: what it sees, and how its result is joined.

use thalweg_domain::Timestamp;

use super::{Folder, cells, kinds, numbers, target};
use crate::{CollectSpec, Collected, EventSource, NoteKind, SqlFile, collect, source_fingerprint};

const CUSTOMERS: &str = "id,plan,score,churn\n01,a,1,Yes\n02,b,2,No\n03,a,3,No\n";
const EVENTS: &str = "user,at,kind,amount\n\
    01,2026-01-01,buy,10\n01,2026-01-10T12:00:00Z,buy,30\n01,2026-02-01,buy,1000\n\
    02,2026-01-31T23:59:59Z,view,5\n99,2026-01-05,buy,1\n02,,buy,7\n";
/// 2026-02-01T00:00:00Z.
const CUTOFF: Timestamp = Timestamp(1_769_904_000_000_000);

fn spec(folder: &Folder, sql: &str) -> CollectSpec {
    let mut spec = folder.spec("c.csv");
    spec.key = Some("id".to_owned());
    spec.target = target("churn", Some("Yes"));
    spec.cutoff = CUTOFF;
    spec.features_sql = Some(SqlFile {
        name: "features.sql".to_owned(),
        text: sql.to_owned(),
    });
    spec.events = vec![EventSource {
        source: "e*.csv".to_owned(),
        key: "user".to_owned(),
        time: "at".to_owned(),
        name: Some("kind".to_owned()),
    }];
    spec
}

fn run(sql: &str) -> Collected {
    let folder = Folder::new(&[("c.csv", CUSTOMERS), ("e.csv", EVENTS)]);
    collect(&spec(&folder, sql)).unwrap()
}

#[test]
fn events_are_those_before_the_cutoff() {
    let collected = run("SELECT user AS id, count(*) AS n, sum(amount) AS total, \
        date_part('epoch', max(:cutoff) - max(at)) / 86400 AS days_since \
        FROM events WHERE at < :cutoff GROUP BY user");
    assert_eq!(numbers(&collected.features, "n")[..2], [2.0, 1.0]);
    assert!(
        numbers(&collected.features, "n")[2].is_nan(),
        "customer 03 has no events"
    );
    assert_eq!(
        numbers(&collected.features, "total")[..2],
        [40.0, 5.0],
        "the event of 1 February is not seen"
    );
    assert!((numbers(&collected.features, "days_since")[0] - 21.5).abs() < 1e-9);
    let left_out: Vec<(usize, Option<&str>)> = collected
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::LeftOut)
        .map(|note| (note.n_rows, note.column.as_deref()))
        .collect();
    assert_eq!(
        left_out,
        [(2, Some("at")), (1, Some("id"))],
        "one later, one without a moment; one stranger"
    );
}

#[test]
fn a_span_is_a_number_of_days() {
    let collected = run("SELECT user AS id, :cutoff - max(at) AS gap FROM events GROUP BY user");
    assert_eq!(numbers(&collected.features, "gap")[0], 21.5);
}

#[test]
fn the_query_joins_customers_and_may_replace_their_columns() {
    let collected = run(
        "SELECT c.*, c.score * 2 AS twice, upper(plan) AS plan_name, id = '01' AS first, \
        max(at) AS latest FROM customers c LEFT JOIN events e ON e.user = c.id GROUP BY ALL"
            .replace("GROUP BY ALL", "GROUP BY c.id, c.plan, c.score")
            .replace("c.*", "c.id, c.plan, c.score + 0.5 AS score")
            .as_str(),
    );
    let expected = [
        ("plan", "category"),
        ("score", "number"),
        ("twice", "number"),
        ("plan_name", "category"),
        ("first", "boolean"),
        ("latest", "date"),
    ];
    assert_eq!(kinds(&collected.features), expected);
    assert_eq!(numbers(&collected.features, "score"), [1.5, 2.5, 3.5]);
    assert_eq!(numbers(&collected.raw, "score"), [1.0, 2.0, 3.0]);
    assert_eq!(cells(&collected.features, "plan_name"), ["A", "B", "A"]);
}

#[test]
fn the_target_is_invisible_to_the_query() {
    let collected = run("SELECT * FROM customers");
    assert_eq!(
        kinds(&collected.features),
        [("plan", "category"), ("score", "number")]
    );
}

#[test]
fn event_sources_are_stacked_under_the_names_of_the_first() {
    let folder = Folder::new(&[("c.csv", CUSTOMERS), ("e.csv", EVENTS)]);
    folder.put(
        "calls.jsonl",
        b"{\"caller\":\"02\",\"when\":\"2026-01-02\",\"what\":\"call\",\"minutes\":4}\n",
    );
    let mut spec = spec(
        &folder,
        "SELECT user AS id, count(*) AS n, count(minutes) AS calls, \
        string_agg(kind, '+' ORDER BY at) AS kinds FROM events GROUP BY user",
    );
    spec.events.push(EventSource {
        source: "calls.jsonl".to_owned(),
        key: "caller".to_owned(),
        time: "when".to_owned(),
        name: Some("what".to_owned()),
    });
    let collected = collect(&spec).unwrap();
    assert_eq!(numbers(&collected.features, "n")[..2], [2.0, 2.0]);
    assert_eq!(numbers(&collected.features, "calls")[..2], [0.0, 1.0]);
    assert_eq!(cells(&collected.features, "kinds"), ["buy+buy", "call+view", ""]);
}

#[test]
fn the_fingerprint_is_over_files_and_query() {
    let folder = Folder::new(&[("c.csv", CUSTOMERS), ("e.csv", EVENTS)]);
    let spec = spec(
        &folder,
        "SELECT user AS id, count(*) AS n FROM events GROUP BY user",
    );
    let first = source_fingerprint(&spec).unwrap();
    assert_eq!(
        collect(&spec).unwrap().source_hash,
        first,
        "collect reports the hash of what it read"
    );
    let mut changed = spec.clone();
    changed.features_sql = Some(SqlFile {
        name: "features.sql".to_owned(),
        text: "SELECT 1".to_owned(),
    });
    assert_ne!(source_fingerprint(&changed).unwrap(), first);
    folder.put("e2.csv", EVENTS.as_bytes());
    let two_files = source_fingerprint(&spec).unwrap();
    assert_ne!(two_files, first, "a further file of the pattern");
    changed = spec.clone();
    changed.features_sql = None;
    let without = source_fingerprint(&changed).unwrap();
    folder.put("e2.csv", b"user,at,kind,amount\n");
    assert_ne!(
        source_fingerprint(&changed).unwrap(),
        without,
        "without a query, events are read for recency, frequency and money"
    );
    folder.put("c.csv", CUSTOMERS.replace("01,a", "01,b").as_bytes());
    assert_ne!(source_fingerprint(&changed).unwrap(), without);
}

#[test]
fn recency_frequency_and_monetary_value_are_beside_the_features() {
    let collected = run("SELECT user AS id, count(*) AS n FROM events GROUP BY user");
    let raw = |name: &str| numbers(&collected.raw, name);
    // the purchase at the cut-off and the one without a moment do not count; customer 03 has no events
    let recency = raw("recency_days");
    assert!((recency[0] - 21.5).abs() < 1e-9 && recency[1] < 1e-3 && recency[2].is_nan());
    assert_eq!(raw("frequency")[..2], [2.0, 1.0]);
    assert_eq!(raw("monetary")[..2], [40.0, 5.0]);
    assert!(collected.features.column("recency_days").is_none());
}

#[test]
fn events_count_without_a_query_too_and_a_name_that_is_taken_stays() {
    let customers = CUSTOMERS.replace("score", "frequency");
    let folder = Folder::new(&[("c.csv", &customers), ("e.csv", EVENTS)]);
    let mut spec = spec(&folder, "");
    spec.features_sql = None;
    let collected = collect(&spec).unwrap();
    assert_eq!(numbers(&collected.raw, "frequency"), [1.0, 2.0, 3.0]);
    assert_eq!(numbers(&collected.raw, "monetary")[..2], [40.0, 5.0]);
    assert_eq!(collected.source_hash, source_fingerprint(&spec).unwrap());
}
