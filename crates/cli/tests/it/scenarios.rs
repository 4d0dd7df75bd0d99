//! Scenarios: executable Markdown in `tests/scenarios`. A small business, commands, and what they print.
//!
//! In a page, a fence `file NAME` writes a file, `edit NAME` replaces its `-` lines by its `+` lines in a file, `customers N NAME`,
//! `leads N NAME` and `purchases N NAME` write a table of the kind that the name says, and `console` runs the lines that start with `$ ` and
//! compares what they print on both streams. In the expected output `…` stands for any text in a line, a line `…` for any
//! number of lines, and `[exit N]` for the exit code (0 needs no mention).
//! `THALWEG_REWRITE=1 cargo test -p thalweg-cli --test it scenarios` writes the real output where it does not fit;
//! `THALWEG_PAGE=pilot` plays only the pages with that in their name.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::people;
use crate::support::{root, thalweg};

/// One fence of a page: its words and its text.
struct Fence {
    words: Vec<String>,
    text: String,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(words)) => {
                let words = words.split_whitespace().map(str::to_owned).collect();
                open = Some(Fence {
                    words,
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(fence), None) => {
                fence.text.push_str(line);
                fence.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Whether a line fits a pattern in which `…` is any text.
fn fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// Whether lines fit patterns in which a lone `…` is any number of lines.
fn all_fit(patterns: &[&str], lines: &[&str]) -> bool {
    match (patterns.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=lines.len()).any(|skip| all_fit(rest, &lines[skip..])),
        (Some((pattern, patterns)), Some((line, lines))) => fits(pattern, line) && all_fit(patterns, lines),
        _ => false,
    }
}

/// Runs one `$ ` line and gives what it printed, with its exit code if that is not 0.
fn run(dir: &Path, command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    assert_eq!(
        words.first(),
        Some(&"thalweg"),
        "a scenario runs thalweg only: {command}"
    );
    let output = thalweg(dir, &words[1..]).output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    assert!(
        !text.contains('\u{1b}'),
        "colour codes although this is no terminal: {command}"
    );
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "over 100 columns: {line}");
    }
    let code = output.status.code().unwrap();
    if code != 0 {
        let _ = writeln!(text, "[exit {code}]");
    }
    text
}

/// Printed text with what differs between runs and machines veiled: ids and seconds.
fn veiled(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = match line.rsplit_once("  ") {
            Some((head, tail)) if tail.trim().ends_with(" s") => format!("{}…", head.trim_end()),
            _ => line.to_owned(),
        };
        let words = line.split(' ').map(|word| if is_id(word) { "…" } else { word });
        let _ = writeln!(out, "{}", words.collect::<Vec<_>>().join(" "));
    }
    out
}

/// `p-0123456789ab`, with or without a comma or full stop.
fn is_id(word: &str) -> bool {
    let word = word.trim_end_matches([',', '.', ':']);
    word.split_once('-').is_some_and(|(kind, hash)| {
        kind.len() == 1 && hash.len() == 12 && hash.chars().all(|c| c.is_ascii_hexdigit())
    })
}

/// Plays a page; gives the page with the real output where it did not fit.
fn play(page: &str, name: &str) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let (mut real, mut rest) = (String::new(), page);
    for fence in fences(page) {
        let played = step(scratch.path(), &fence, name);
        let (before, after) = rest.split_once(&fence.text).unwrap();
        real.push_str(before);
        real.push_str(&played);
        rest = after;
    }
    real + rest
}

/// Does what a fence says; gives its text as it should be.
fn step(dir: &Path, fence: &Fence, name: &str) -> String {
    let words: Vec<&str> = fence.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["file", path] => {
            fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
            fs::write(dir.join(path), &fence.text).unwrap();
        }
        ["edit", path] => edit(&dir.join(path), &fence.text),
        ["customers", n, file] => people::customers(n.parse().unwrap()).write(&dir.join(file)),
        ["leads", n, file] => people::leads(n.parse().unwrap()).write(&dir.join(file)),
        ["purchases", n, file] => people::purchases(n.parse().unwrap()).write(&dir.join(file)),
        ["console"] => return console(dir, &fence.text, name),
        other => panic!("{name}: unknown fence {other:?}"),
    }
    fence.text.clone()
}

/// Replaces the text of the `-` lines, which must be there once, by that of the `+` lines.
fn edit(path: &Path, change: &str) {
    let lines = |sign: char| {
        let found = change.lines().filter_map(|line| line.strip_prefix(sign));
        found.collect::<Vec<_>>().join("\n")
    };
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(
        text.matches(&lines('-')).count(),
        1,
        "{}: {change}",
        path.display()
    );
    fs::write(path, text.replace(&lines('-'), &lines('+'))).unwrap();
}

fn console(dir: &Path, text: &str, name: &str) -> String {
    let mut real = String::new();
    for part in text.split("$ ").skip(1) {
        let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
        let printed = run(dir, command);
        let trimmed = |text: &str| {
            text.lines()
                .map(|line| line.trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        let (patterns, lines) = (trimmed(expected), trimmed(&printed));
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let fits = all_fit(&patterns, &lines);
        let shown = if fits {
            expected.to_owned()
        } else {
            veiled(&printed)
        };
        let _ = write!(real, "$ {command}\n{shown}");
        assert!(
            fits || std::env::var_os("THALWEG_REWRITE").is_some(),
            "{name}: {command}\nexpected:\n{expected}\nprinted:\n{printed}"
        );
    }
    real
}

#[test]
fn scenarios_print_what_their_pages_say() {
    let folder = root().join("crates/cli/tests/scenarios");
    let mut pages: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.sort();
    assert!(pages.len() >= 6, "the scenarios are missing");
    let only = std::env::var("THALWEG_PAGE").unwrap_or_default();
    for path in pages.iter().filter(|path| path.to_string_lossy().contains(&only)) {
        let page = fs::read_to_string(path).unwrap();
        let real = play(&page, &path.file_name().unwrap().to_string_lossy());
        if std::env::var_os("THALWEG_REWRITE").is_some() {
            fs::write(path, real).unwrap();
        }
    }
}

#[test]
fn patterns_fit_what_they_say() {
    assert!(fits("a … c", "a b c") && fits("…", "") && fits("x…", "x") && !fits("a…b", "a"));
    assert!(!fits("aa…aa", "aaa"), "the ends must not overlap");
    assert!(all_fit(&["a", "…", "z"], &["a", "b", "c", "z"]) && !all_fit(&["a", "z"], &["a", "b", "z"]));
}
