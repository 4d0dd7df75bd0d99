//! Scenarios: executable Markdown in `tests/scenarios`. A small business, commands, and what they print.
//!
//! In a page, a fence `file NAME` writes a file, `customers N` writes N customers to `customers.csv`, and `console` runs the
//! lines that start with `$ ` and compares what they print on both streams. In the expected output `…` stands for any text in
//! a line, a line `…` for any number of lines, and `[exit N]` for the exit code (0 needs no mention).
//! `THALWEG_REWRITE=1 cargo test -p thalweg-cli --test it scenarios` writes the real output into pages for review.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

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

/// Customers whose churn follows contract and tenure, the same in every run.
fn customers(n: u64) -> String {
    let mut text = "id,household,contract,tenure,fee,mail_ok,churn\n".to_owned();
    for row in 0..n {
        let dice =
            |salt: u64| (row * 2_654_435_761 + salt * 40_503).wrapping_mul(2_862_933_555_777_941_757) >> 40;
        let (tenure, monthly) = (dice(1) % 60, dice(2) % 2 == 0);
        let left = dice(3) % 100 < if monthly { 55 - tenure / 2 } else { 8 };
        let fee = 20 + dice(4) % 80;
        let _ = writeln!(
            text,
            "K{row:04},H{:04},{},{tenure},{fee},{},{}",
            row / 2,
            if monthly { "monthly" } else { "yearly" },
            if dice(5) % 3 == 0 { "no" } else { "yes" },
            if left { "Yes" } else { "No" }
        );
    }
    text
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

/// Plays a page; gives the page with the real output of every command.
fn play(page: &str, name: &str) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let mut real = page.to_owned();
    for fence in fences(page) {
        match fence
            .words
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["file", path] => {
                let path = scratch.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &fence.text).unwrap();
            }
            ["customers", n] => fs::write(
                scratch.path().join("customers.csv"),
                customers(n.parse().unwrap()),
            )
            .unwrap(),
            ["console"] => {
                let played = console(scratch.path(), &fence.text, name);
                real = real.replacen(&fence.text, &played, 1);
            }
            other => panic!("{name}: unknown fence {other:?}"),
        }
    }
    real
}

fn console(dir: &Path, text: &str, name: &str) -> String {
    let mut real = String::new();
    for part in text.split("$ ").skip(1) {
        let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
        let printed = run(dir, command);
        let _ = write!(real, "$ {command}\n{}", veiled(&printed));
        let trimmed = |text: &str| {
            text.lines()
                .map(|line| line.trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        let (patterns, lines) = (trimmed(expected), trimmed(&printed));
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let rewrite = std::env::var_os("THALWEG_REWRITE").is_some();
        assert!(
            rewrite || all_fit(&patterns, &lines),
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
    assert!(pages.len() >= 3, "the scenarios are missing");
    for path in pages {
        let page = fs::read_to_string(&path).unwrap();
        let real = play(&page, &path.file_name().unwrap().to_string_lossy());
        if std::env::var_os("THALWEG_REWRITE").is_some() {
            fs::write(&path, real).unwrap();
        }
    }
}

#[test]
fn patterns_fit_what_they_say() {
    assert!(fits("a … c", "a b c") && fits("…", "") && fits("x…", "x") && !fits("a…b", "a"));
    assert!(!fits("aa…aa", "aaa"), "the ends must not overlap");
    assert!(all_fit(&["a", "…", "z"], &["a", "b", "c", "z"]) && !all_fit(&["a", "z"], &["a", "b", "z"]));
}
