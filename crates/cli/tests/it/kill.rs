//! Kill -9 at scattered moments of `run` and `deliver`: the next invocation finishes as if nothing had happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::determinism::{AS_OF, assert_same, files, telco};
use crate::support::{json, succeed, thalweg};

const CUSTOMERS: usize = 1_500;
const RUN: &[&str] = &["run", "--as-of", AS_OF];
const DELIVER: &[&str] = &["deliver", "--as-of", AS_OF];

/// How many kills per command: `THALWEG_KILLS`, or 4.
fn kills() -> u32 {
    std::env::var("THALWEG_KILLS").map_or(4, |text| text.parse().unwrap())
}

/// Pseudo-random moments, one in each of as many equal parts of the duration.
fn moments(seed: u64, duration: Duration) -> Vec<Duration> {
    let mut state = seed;
    (0..kills())
        .map(|part| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let within = f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX);
            duration.mul_f64((f64::from(part) + within) / f64::from(kills()))
        })
        .collect()
}

/// What an undisturbed workspace holds, and how long its commands took.
struct Undisturbed {
    _parent: TempDir,
    planned: PathBuf,
    run: Duration,
    deliver: Duration,
    artifacts: BTreeMap<String, Vec<u8>>,
    outbox: BTreeMap<String, Vec<u8>>,
}

fn undisturbed() -> Undisturbed {
    let (parent, folder) = telco(Some(CUSTOMERS));
    succeed(&folder, &["--version"]);
    let run = timed(&folder, RUN);
    let planned = parent.path().join("planned/telco");
    copy(&folder, &planned);
    let deliver = timed(&folder, DELIVER);
    let (artifacts, outbox) = (files(&folder.join("artifacts")), files(&folder.join("outbox")));
    assert!(
        outbox.keys().any(|name| name.ends_with("/outbox.jsonl")) && outbox.len() == 7,
        "{:?}",
        outbox.keys()
    );
    Undisturbed {
        _parent: parent,
        planned,
        run,
        deliver,
        artifacts,
        outbox,
    }
}

fn timed(folder: &Path, args: &[&str]) -> Duration {
    let begun = Instant::now();
    succeed(folder, args);
    begun.elapsed()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Starts the command and kills it at that moment; tells whether it was still at work.
fn kill(folder: &Path, args: &[&str], moment: Duration) -> bool {
    let mut command = thalweg(folder, args);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    sleep(moment);
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

/// Where the kill hit: the artifacts and delivery files that are there, and half-written ones.
fn reached(folder: &Path) -> String {
    let made = |kind: &str| !files(&folder.join("artifacts").join(kind)).is_empty();
    let stages = [
        ("tables", "collected"),
        ("models", "trained"),
        ("evaluations", "evaluated"),
        ("plans", "planned"),
    ];
    let stage = stages
        .iter()
        .rev()
        .find(|(kind, _)| made(kind))
        .map_or("nothing made", |(_, stage)| stage);
    let delivered = files(&folder.join("outbox")).len();
    let wal = fs::metadata(folder.join("thalweg.db-wal")).map_or(0, |wal| wal.len());
    format!(
        "{stage}, {delivered} delivery files, {} half-written, {wal} bytes of WAL",
        leftovers(folder).len()
    )
}

/// Half-written files that a kill left behind.
fn leftovers(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("artifacts"), folder.join("outbox")];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(next) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if name.starts_with('.') && name != ".lock" {
                found.push(name);
            }
        }
    }
    found
}

/// Records of a CSV file, by quotes; a quoted cell may hold line ends.
pub(crate) fn records(text: &str) -> Vec<String> {
    let (mut records, mut record, mut quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        quoted ^= character == '"';
        if character == '\n' && !quoted {
            records.push(std::mem::take(&mut record));
        } else {
            record.push(character);
        }
    }
    assert!(record.is_empty() && !quoted, "the last record is whole");
    records
}

fn assert_no_row_twice(outbox: &BTreeMap<String, Vec<u8>>) {
    let mut decisions = BTreeSet::new();
    for (name, bytes) in outbox.iter().filter(|(name, _)| name.ends_with(".csv")) {
        for record in records(std::str::from_utf8(bytes).unwrap()).into_iter().skip(1) {
            let decision = record.split(',').next().unwrap().to_owned();
            assert!(
                decisions.insert(decision.clone()),
                "{decision} is twice in the delivery files, lastly in {name}"
            );
        }
    }
}

/// The killed workspace, taken to its end, is the undisturbed one.
fn assert_recovers(folder: &Path, args: &[&str], expected: &Undisturbed, what: &str) {
    succeed(folder, args);
    succeed(folder, DELIVER);
    let outbox = files(&folder.join("outbox"));
    assert_same(&expected.artifacts, &files(&folder.join("artifacts")), what);
    assert_same(&expected.outbox, &outbox, what);
    assert_no_row_twice(&outbox);
    for name in leftovers(folder) {
        assert!(name.starts_with(".writing-"), "{what}: {name} was left behind");
    }
    for channel in json(folder, DELIVER)["channels"].as_array().unwrap() {
        assert_eq!(
            channel["new"], 0,
            "{what}: a third delivery adds to {}",
            channel["name"]
        );
    }
    assert_same(&expected.outbox, &files(&folder.join("outbox")), what);
}

fn kill_and_recover(from: &Path, args: &[&str], moments: &[Duration], expected: &Undisturbed) {
    let mut hits = 0;
    for moment in moments {
        let parent = TempDir::new().unwrap();
        let folder = parent.path().join("telco");
        copy(from, &folder);
        let hit = kill(&folder, args, *moment);
        let state = if hit { "killed" } else { "was done" };
        let what = format!(
            "`{}` {state} after {:.0} ms: {}",
            args[0],
            moment.as_secs_f64() * 1e3,
            reached(&folder)
        );
        eprintln!("{what}");
        assert_recovers(&folder, args, expected, &what);
        hits += u32::from(hit);
    }
    eprintln!(
        "`{}`: {hits} of {} kills hit it at work; all recovered",
        args[0],
        moments.len()
    );
    assert!(hits > 0, "no kill hit the command at work");
}

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let expected = undisturbed();
    eprintln!(
        "an undisturbed run takes {:.0} ms",
        expected.run.as_secs_f64() * 1e3
    );
    let (_parent, fresh) = telco(Some(CUSTOMERS));
    kill_and_recover(&fresh, RUN, &moments(7, expected.run), &expected);
}

#[test]
fn a_killed_delivery_is_finished_by_the_next() {
    let expected = undisturbed();
    eprintln!(
        "an undisturbed delivery takes {:.0} ms",
        expected.deliver.as_secs_f64() * 1e3
    );
    kill_and_recover(
        &expected.planned,
        DELIVER,
        &moments(11, expected.deliver),
        &expected,
    );
}

/// Training takes most of a run, so few kills of a whole run come later; here evaluating and planning are what is left.
#[test]
fn a_killed_plan_is_finished_by_the_next() {
    let expected = undisturbed();
    let (parent, trained) = telco(Some(CUSTOMERS));
    succeed(&trained, &["train", "--as-of", AS_OF]);
    let whole = parent.path().join("whole/telco");
    copy(&trained, &whole);
    let duration = timed(&whole, RUN);
    eprintln!(
        "an undisturbed run of a trained workspace takes {:.0} ms",
        duration.as_secs_f64() * 1e3
    );
    kill_and_recover(&trained, RUN, &moments(13, duration), &expected);
}
