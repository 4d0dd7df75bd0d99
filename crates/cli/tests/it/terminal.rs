//! How the terminal speaks: help that teaches, no line over 100 columns, colour that only repeats what words say.

use std::fs;
use std::io::pipe;
use std::path::Path;
use std::process::{Command, Stdio};

use thalweg_domain::CODES;

use crate::bad_input::{leak, put, small};
use crate::determinism::AS_OF;
use crate::support::{output, succeed, thalweg};

/// After the horizon of 30 days.
const LATER: &str = "2027-01-06T00:00:00Z";
/// As long as a name may be.
const LONG: &str = "the-call-centre-in-the-north-that-is-open-on-sundays-and-at-nigh";

/// What a command prints on both streams.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    text
}

fn assert_plain_and_narrow(text: &str, what: &str) {
    assert!(!text.trim().is_empty(), "{what} prints nothing");
    assert!(
        !text.contains('\u{1b}'),
        "{what}: colour codes although this is no terminal"
    );
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{what}: over 100 columns: {line}");
        assert_eq!(line, line.trim_end(), "{what}: blanks at the end of a line");
    }
}

/// The commands that `thalweg --help` lists.
fn commands() -> Vec<String> {
    let help = succeed(Path::new("."), &["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let names = list.lines().map_while(|line| line.strip_prefix("  "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let commands = commands();
    assert!(commands.len() >= 14, "{commands:?}");
    for name in &commands {
        let help = succeed(Path::new("."), &[name, "--help"]);
        assert_plain_and_narrow(&help, name);
        let example = format!("thalweg {name} ");
        let shown = help.lines().filter(|line| !line.starts_with("Usage:"));
        assert!(
            shown.into_iter().any(|line| line.contains(&example)),
            "{name}: no example in\n{help}"
        );
    }
    let help = succeed(Path::new("."), &["--help"]);
    assert_plain_and_narrow(&help, "--help");
    assert!(help.contains("thalweg init DIR --from"), "{help}");
}

#[test]
fn every_code_is_explained_on_narrow_lines() {
    assert_plain_and_narrow(&succeed(Path::new("."), &["explain", "all"]), "explain all");
    for info in CODES {
        let text = succeed(Path::new("."), &["explain", info.code]);
        assert_plain_and_narrow(&text, info.code);
        let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [info.title, info.cause, info.example, info.remedy] {
            let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains(&part), "{} does not say {part:?}", info.code);
        }
    }
}

/// A workspace whose channel, offer and column have names as long as names can be.
fn with_long_names() -> tempfile::TempDir {
    let folder = small();
    for name in ["thalweg.toml", "customers.csv"] {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        let offer = text.replace(
            "\"discount\"",
            "\"the-discount-for-those-who-have-been-with-us-for-years-on-end\"",
        );
        let long = offer.replace("\"call\"", &format!("\"{LONG}\"")).replace(
            "plan,fee",
            "what_the_customer_pays_us_for_every_month_since_the_last_change,fee",
        );
        put(folder.path(), name, long);
    }
    folder
}

/// Every command of a turn, in order, with the id of what there is to show.
fn whole_turn(folder: &Path) -> Vec<Vec<String>> {
    let events = "{\"type\":\"track\",\"messageId\":\"1\",\"userId\":\"C0001\",\"event\":\"Subscription Cancelled\",\"timestamp\":\"2026-12-01T10:00:00Z\"}\n";
    put(folder, "events.jsonl", events);
    let lines = format!(
        "init new --from customers.csv --key id --target churn\ncollect --as-of {AS_OF}\ntrain --as-of {AS_OF}\n\
         evaluate --as-of {AS_OF}\nplan --as-of {AS_OF}\nrun --again --as-of {AS_OF}\nrun --timings --as-of {AS_OF}\n\
         deliver --dry-run --as-of {AS_OF}\ndeliver --as-of {AS_OF}\nfeedback events.jsonl --as-of {LATER}\n\
         iterate --as-of {LATER}\nfeedback events.jsonl --complete-until 2027-01-05 --as-of {LATER}\n\
         iterate --as-of {LATER}\nrun --as-of {LATER}\nstatus\nshow model latest\nshow plan latest\nshow run latest\n\
         show run 1\nshow decision C0001\nshow channel {LONG}\nreport"
    );
    lines
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_whole_turn_speaks_plainly_however_long_the_names() {
    let folder = with_long_names();
    for args in whole_turn(folder.path()) {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let text = printed(&mut thalweg(folder.path(), &args));
        assert_plain_and_narrow(&text, &args.join(" "));
        assert!(!text.contains("error["), "{args:?}: {text}");
    }
}

#[test]
fn errors_are_narrow_too() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["run"][..],
        &["run", "-C", LONG],
        &["explain", LONG],
        &["run", "--as-of", LONG],
    ] {
        let text = printed(&mut thalweg(folder.path(), args));
        assert!(text.starts_with("error[TW"), "{text}");
        assert_plain_and_narrow(&text, &args.join(" "));
    }
}

/// The text without colour codes.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').unwrap().1);
    }
    plain
}

#[test]
fn colour_only_repeats_what_words_say() {
    let folder = small();
    leak(folder.path());
    output(folder.path(), &["evaluate", "--as-of", AS_OF]);
    for args in [
        &["evaluate", "--as-of", AS_OF][..],
        &["run", "--as-of", AS_OF],
        &["status"],
    ] {
        let plain = printed(&mut thalweg(folder.path(), args));
        let coloured = printed(thalweg(folder.path(), args).env("CLICOLOR_FORCE", "1"));
        assert!(
            coloured.contains('\u{1b}'),
            "{args:?}: asked for colour, and there is none"
        );
        assert_eq!(
            without_seconds(&plain),
            without_seconds(&uncoloured(&coloured)),
            "{args:?}"
        );
        for name in ["NO_COLOR", "CLICOLOR"] {
            let value = if name == "NO_COLOR" { "1" } else { "0" };
            let text = printed(thalweg(folder.path(), args).env(name, value));
            assert!(
                !text.contains('\u{1b}'),
                "{args:?}: colour codes in spite of {name}"
            );
        }
    }
}

/// Stage lines end with how long the stage took.
fn without_seconds(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| {
            line.strip_suffix(" s").map_or(line, |line| {
                line.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
            })
        })
        .collect()
}

#[test]
fn json_has_no_colour_even_when_asked() {
    let folder = small();
    let asked = printed(thalweg(folder.path(), &["status", "--json"]).env("CLICOLOR_FORCE", "1"));
    assert!(asked.starts_with('{') && !asked.contains('\u{1b}'), "{asked}");
}

/// Runs with a stdout that nobody reads.
fn into_closed_pipe(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let out = thalweg(dir, args)
        .stdout(Stdio::from(writer))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    (out.status.code(), String::from_utf8(out.stderr).unwrap())
}

#[test]
fn a_closed_pipe_is_no_fault() {
    let folder = small();
    for args in [
        &["--help"][..],
        &["explain", "all"],
        &["run", "--as-of", AS_OF],
        &["run", "--json", "--as-of", AS_OF],
        &["show", "plan", "latest"],
    ] {
        let (code, stderr) = into_closed_pipe(folder.path(), args);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    }
    let state = succeed(folder.path(), &["status", "--json"]);
    assert!(
        state.contains("\"plan\":\"p-"),
        "the work was done all the same: {state}"
    );
}

#[test]
fn wrong_usage_says_where_help_is() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["show"][..],
        &["show", "modle", "x"],
        &["run", "--frobnicate"],
        &["explain"],
        &[],
    ] {
        let out = output(folder.path(), args);
        let text = String::from_utf8(out.stderr).unwrap();
        assert_eq!(
            (out.status.code(), out.stdout.is_empty()),
            (Some(2), true),
            "{args:?}"
        );
        assert_plain_and_narrow(&text, &format!("{args:?}"));
        assert!(text.contains("--help"), "{args:?}: {text}");
    }
}
