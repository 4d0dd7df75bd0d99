//! Segment events in, and a distinct, placed error for each thing that can be wrong with a line.

use thalweg_domain::Timestamp;

use super::{Event, EventKind, parse};

fn one(line: &str) -> thalweg_domain::Result<Event> {
    parse("events.jsonl", line.as_bytes()).next().expect("an item")
}

const TRACK: &str = r#"{"type":"track","messageId":"m-1","userId":"c-7","timestamp":"2026-03-01T10:30:00.5+01:00",
    "event":"Offer Accepted","properties":{"z":1,"decision_id":"p-1-0000007","a":[true,null]},"context":{"ip":"x"}}"#;

#[test]
fn a_track_event_is_read_whole() {
    let event = one(&TRACK.replace('\n', " ")).expect("valid");
    assert_eq!((event.line, event.kind), (1, EventKind::Track));
    assert_eq!((event.message_id.as_str(), event.user.reveal()), ("m-1", "c-7"));
    assert_eq!(event.occurred_at, Timestamp(1_772_357_400_500_000));
    assert_eq!(event.name.as_deref(), Some("Offer Accepted"));
    assert_eq!(event.decision_id.as_deref(), Some("p-1-0000007"));
    assert_eq!(
        event.properties,
        r#"{"a":[true,null],"decision_id":"p-1-0000007","z":1}"#
    );
}

#[test]
fn every_type_is_read() {
    for (kind, extra, name, properties) in [
        (
            "identify",
            r#","traits":{"plan":"pro"},"properties":3"#,
            None,
            r#"{"plan":"pro"}"#,
        ),
        ("group", r#","traits":{"seats":2}"#, None, r#"{"seats":2}"#),
        (
            "page",
            r#","name":"Prices","properties":null"#,
            Some("Prices"),
            "{}",
        ),
        ("alias", r#","previousId":"x","anonymousId":"a-1""#, None, "{}"),
        ("track", r#","event":"Left""#, Some("Left"), "{}"),
    ] {
        let line = format!(
            r#"{{"type":"{kind}","messageId":5,"userId":12345678901234567890,"timestamp":"2026-03-01T09:30:00Z"{extra}}}"#
        );
        let event = one(&line).expect(kind);
        assert_eq!((event.kind.as_str(), event.name.as_deref()), (kind, name));
        assert_eq!(
            (event.properties.as_str(), event.message_id.as_str()),
            (properties, "5")
        );
        assert_eq!(event.user.reveal(), "12345678901234567890");
        assert_eq!(event.anonymous_id.is_some(), kind == "alias");
    }
}

#[test]
fn each_fault_has_its_own_code_and_its_line() {
    let good = TRACK.replace('\n', " ");
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replace(from, to)
    };
    let cases = [
        (good.chars().take(60).collect::<String>(), "TW0701"),
        ("[1]".to_owned(), "TW0701"),
        ("user,event".to_owned(), "TW0701"),
        (swap(r#""messageId":"m-1","#, ""), "TW0702"),
        (swap(r#""messageId":"m-1""#, r#""messageId":"""#), "TW0702"),
        (swap(r#""userId":"c-7""#, r#""anonymousId":"a-1""#), "TW0703"),
        (swap(r#""userId":"c-7""#, r#""userId":null"#), "TW0703"),
        (swap("2026-03-01T", "2026-13-01T"), "TW0704"),
        (swap("+01:00", ""), "TW0704"),
        (swap("timestamp", "sentAt"), "TW0704"),
        (swap(r#""track""#, r#""screen""#), "TW0705"),
        (swap(r#""type":"track","#, ""), "TW0705"),
        (swap(r#""event":"Offer Accepted","#, ""), "TW0706"),
        (
            swap(r#"{"z":1,"decision_id":"p-1-0000007","a":[true,null]}"#, "[]"),
            "TW0708",
        ),
        (swap(r#""p-1-0000007""#, "7"), "TW0708"),
    ];
    for (line, code) in cases {
        let text = format!("\u{feff}{good}\n\n  \n{line}\r\n{good}\n");
        let events: Vec<_> = parse("events.jsonl", text.as_bytes()).collect();
        let lines: Vec<_> = events
            .iter()
            .map(|event| event.as_ref().map(|event| event.line).ok())
            .collect();
        assert_eq!(lines, [Some(1), None, Some(5)], "{line}");
        let error = events[1].as_ref().expect_err("wrong");
        assert_eq!(error.code, code, "{line}: {error}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("error[{code}]: events.jsonl:4: ")),
            "{error}"
        );
        assert!(error.hint.is_some() && error.exit_code() == 3);
    }
}

#[test]
fn an_anonymous_event_is_told_from_one_without_any_user() {
    let hint = |line: &str| one(line).expect_err("no user").hint.expect("a hint");
    let line = r#"{"type":"page","messageId":"1","timestamp":"2026-03-01T09:30:00Z"}"#;
    assert!(!hint(line).contains("anonymous"));
    assert!(
        hint(&line.replace("\"messageId\"", "\"anonymousId\":\"a\",\"messageId\"")).contains("anonymous")
    );
}

#[test]
fn bytes_that_are_no_text_end_the_file_with_an_error() {
    let mut bytes = format!("{}\n", TRACK.replace('\n', " ")).into_bytes();
    bytes.extend([0xff, 0xfe, b'\n']);
    let events: Vec<_> = parse("events.jsonl", bytes.as_slice()).collect();
    assert!(events[0].is_ok());
    let error = events[1].as_ref().expect_err("not UTF-8");
    assert_eq!(
        (error.code, error.at.as_ref().and_then(|at| at.row)),
        ("TW0707", Some(2))
    );
}

#[test]
fn personal_data_does_not_reach_debug_output() {
    let shown = format!("{:?}", one(&TRACK.replace('\n', " ")).expect("valid"));
    assert!(
        !shown.contains("c-7") && !shown.contains("decision_id"),
        "{shown}"
    );
}
