//! `tool response`: known returns on a published example, gates, the same bytes on any number of threads, bad input.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{json, shared_data, thalweg};

/// A share that follows from the week and a salt (the SplitMix64 finaliser).
pub(crate) fn dice(week: u32, salt: u32) -> f64 {
    let mut z = (u64::from(week) * 1000 + u64::from(salt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from((z >> 32) as u32) / f64::from(u32::MAX)
}

/// Weeks from 2023-01-02 with two channels that differ, a price, and sales that follow from them.
pub(crate) fn weeks(n: u32) -> Vec<[String; 5]> {
    let (mut day, mut month, mut year) = (2_u32, 1_u32, 2023_u32);
    (0..n)
        .map(|week| {
            let date = format!("{year}-{month:02}-{day:02}");
            day += 7;
            let length = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1]
                + u32::from(month == 2 && year % 4 == 0);
            if day > length {
                (day, month) = (day - length, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
            let (tv, search, price) = (100.0 * dice(week, 1), 50.0 * dice(week, 2), 9.0 + dice(week, 3));
            let sales = 1000.0 + 300.0 * (tv / 60.0).tanh() + 200.0 * (search / 40.0).tanh() - 20.0 * price
                + 30.0 * dice(week, 4);
            [
                date,
                format!("{sales:.3}"),
                format!("{tv:.3}"),
                format!("{search:.3}"),
                format!("{price:.3}"),
            ]
        })
        .collect()
}

pub(crate) fn write(folder: &Path, rows: &[[String; 5]]) {
    let mut text = "week,sales,tv,search,price\n".to_owned();
    for row in rows {
        writeln!(text, "{}", row.join(",")).unwrap();
    }
    fs::write(folder.join("weeks.csv"), text).unwrap();
}

const USUAL: [&str; 11] = [
    "tool",
    "response",
    "--data",
    "weeks.csv",
    "--time",
    "week",
    "--outcome",
    "sales",
    "--channels",
    "tv,search",
    "--json",
];

fn ask(folder: &Path, more: &[&str]) -> Output {
    let mut all = USUAL.to_vec();
    all.extend(more);
    thalweg(folder, &all).output().unwrap()
}

fn refused(folder: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let output = ask(folder, more);
    assert!(output.stdout.is_empty());
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    (output.status.code(), error["error"].clone())
}

/// Weeks, the code that they are refused with, and the row that it names.
type BadWeeks = (Vec<[String; 5]>, &'static str, Option<u64>);

#[test]
fn bad_weeks_are_refused_with_their_place() {
    let folder = TempDir::new().unwrap();
    let good = weeks(60);
    let mut cases: Vec<BadWeeks> = Vec::new();
    let mut own = good.clone();
    own[12][2] = "-3".to_owned();
    cases.push((own, "TW0520", Some(14)));
    let mut own = good.clone();
    own[7][3] = "NaN".to_owned();
    cases.push((own, "TW0520", Some(9)));
    let mut own = good.clone();
    own[7][1] = String::new();
    cases.push((own, "TW0520", Some(9)));
    let mut own = good.clone();
    own.remove(20);
    cases.push((own, "TW0521", Some(22)));
    let mut own = good.clone();
    own[31] = own[30].clone();
    cases.push((own, "TW0521", Some(33)));
    let mut own = good.clone();
    own.iter_mut().for_each(|row| row[2] = "500".to_owned());
    cases.push((own, "TW0522", None));
    cases.push((good[..10].to_vec(), "TW0523", None));
    for (rows, code, line) in cases {
        write(folder.path(), &rows);
        let (exit, error) = refused(folder.path(), &[]);
        assert_eq!((exit, error["code"].as_str()), (Some(3), Some(code)), "{error}");
        assert_eq!(error["at"]["row"].as_u64(), line, "{error}");
        assert!(error["hint"].is_string(), "{error}");
    }
    write(folder.path(), &good);
    for (more, code, exit) in [
        (["--controls", "rain"], "TW0211", 3),
        (["--controls", "tv"], "TW0524", 2),
        (["--return-prior", "radio=2:1"], "TW0524", 2),
        (["--max-change", "1.5"], "TW0524", 2),
        (["--draws", "50"], "TW0524", 2),
    ] {
        let (status, error) = refused(folder.path(), &more);
        assert_eq!(
            (status, error["code"].as_str()),
            (Some(exit), Some(code)),
            "{error}"
        );
    }
}

#[test]
fn channels_that_move_together_are_named_with_the_experiment() {
    let folder = TempDir::new().unwrap();
    let mut rows = weeks(60);
    for row in &mut rows {
        row[3] = format!("{}", row[2].parse::<f64>().unwrap() * 0.4 + 1.0);
    }
    write(folder.path(), &rows);
    let output = ask(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(4));
    let out: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(out["verdict"], "not_identifiable");
    let reason = out["reasons"][0].as_str().unwrap();
    assert!(
        reason.contains("tv and search") && reason.contains("--lift-tests"),
        "{reason}"
    );
    assert!(out["channels"].as_array().unwrap().is_empty() && out["optimum"].is_null());
}

/// The experiment that the refusal asks for opens the way: what one channel did is known, so that the rest is the other's.
#[test]
fn a_lift_test_tells_channels_apart_that_move_together() {
    let folder = TempDir::new().unwrap();
    let mut rows = weeks(100);
    for row in &mut rows {
        row[3] = format!("{:.3}", row[2].parse::<f64>().unwrap() * 0.4 + 1.0);
    }
    // sales are made anew: they follow from the spends as they are now
    let (tv, search) = (
        |own: f64| 300.0 * (own / 60.0).tanh(),
        |own: f64| 200.0 * (own / 40.0).tanh(),
    );
    let mut truth = [0.0, 0.0];
    let mut spent = [0.0, 0.0];
    for (week, row) in (0..).zip(&mut rows) {
        let spends: Vec<f64> = row[2..4].iter().map(|own| own.parse().unwrap()).collect();
        let brought = [tv(spends[0]), search(spends[1])];
        for channel in 0..2 {
            truth[channel] += brought[channel];
            spent[channel] += spends[channel];
        }
        row[1] = format!("{:.3}", 1000.0 + brought[0] + brought[1] + 30.0 * dice(week, 4));
    }
    write(folder.path(), &rows);
    let lines: String = [(0.0, 30.0), (30.0, 30.0)]
        .map(|(spend, change)| format!("tv,{spend},{change},{},4\n", tv(spend + change) - tv(spend)))
        .concat();
    let tests = format!("channel,spend,change,lift,sd\n{lines}");
    fs::write(folder.path().join("lifts.csv"), tests).unwrap();
    let output = ask(
        folder.path(),
        &["--seasonality", "none", "--lift-tests", "lifts.csv"],
    );
    let out: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(out["verdict"], "published", "{}", out["reasons"]);
    assert!(
        out["concerns"][0]["what"]
            .as_str()
            .unwrap()
            .contains("comes from the lift test of tv"),
        "{}",
        out["concerns"]
    );
    for channel in 0..2 {
        let (own, ci) = (
            truth[channel] / spent[channel],
            &out["channels"][channel]["return"]["ci90"],
        );
        let (low, high) = (ci[0].as_f64().unwrap(), ci[1].as_f64().unwrap());
        assert!(low < own && own < high, "{channel}: {own} {ci}");
    }
}

#[test]
fn the_answer_has_the_same_bytes_on_one_thread_and_on_three() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &weeks(80));
    let on = |threads: &str| {
        let mut all = USUAL.to_vec();
        all.extend(["--controls", "price", "--seasonality", "none", "--out", "out.csv"]);
        let output = thalweg(folder.path(), &all)
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (text, fs::read(folder.path().join("out.csv")).unwrap())
    };
    let one = on("1");
    assert_eq!(one, on("3"));
    let out: Value = serde_json::from_str(&one.0).unwrap();
    assert_eq!(out["verdict"], "published", "{out}");
    // the truth: what the formula adds, over what was spent
    let rows = weeks(80);
    for (index, (column, height, scale)) in [(2, 300.0, 60.0), (3, 200.0, 40.0)].into_iter().enumerate() {
        let spends: Vec<f64> = rows.iter().map(|row| row[column].parse().unwrap()).collect();
        let brought: f64 = spends.iter().map(|own: &f64| height * (own / scale).tanh()).sum();
        let truth = brought / spends.iter().sum::<f64>();
        let ci = &out["channels"][index]["return"]["ci90"];
        let (low, high) = (ci[0].as_f64().unwrap(), ci[1].as_f64().unwrap());
        assert!(low < truth && truth < high, "{truth} {ci}");
    }
    // the weeks' parts add up to what is expected
    let text = String::from_utf8(one.1).unwrap();
    let cells: Vec<f64> = text
        .lines()
        .nth(5)
        .unwrap()
        .split(',')
        .skip(1)
        .map(|own| own.parse().unwrap())
        .collect();
    assert!(
        (cells[1] + cells[5] + cells[8] - cells[2]).abs() < 1e-6,
        "{cells:?}"
    );
    // the best split keeps the budget and the limits of change
    let optimum = &out["optimum"];
    let spend = |key: &str| -> Vec<f64> {
        optimum["channels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| own[key].as_f64().unwrap())
            .collect()
    };
    let (best, before) = (spend("spend"), spend("before"));
    assert!((best.iter().sum::<f64>() - optimum["budget"].as_f64().unwrap()).abs() < 1e-6);
    for (own, was) in best.iter().zip(&before) {
        assert!((own / was - 1.0).abs() <= 0.3 + 1e-9, "{own} {was}");
    }
}

#[test]
fn a_lift_test_narrows_the_return_towards_what_was_measured() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &weeks(60));
    // the truth at 40 a week more than 20 is 300 (tanh 1 - tanh 1/3)
    let lift = 300.0 * (1.0_f64.tanh() - (1.0_f64 / 3.0).tanh());
    fs::write(
        folder.path().join("lifts.csv"),
        format!("channel,spend,change,lift,sd\ntv,20,40,{lift},2\n"),
    )
    .unwrap();
    let width = |more: &[&str]| {
        let output = ask(folder.path(), more);
        let out: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ci = &out["channels"][0]["contribution"]["ci90"];
        ci[1].as_f64().unwrap() - ci[0].as_f64().unwrap()
    };
    let (without, with) = (width(&[]), width(&["--lift-tests", "lifts.csv"]));
    assert!(with < 0.8 * without, "{with} {without}");
}

/// The returns with which PyMC-Marketing's example was made: 4968 and 2275.
#[test]
fn real_data_known_returns_lie_in_their_intervals() {
    let Some(data) = shared_data() else { return };
    let folder = TempDir::new().unwrap();
    let file = data.join("pymc_marketing/mmm_example.csv");
    let args = [
        "tool",
        "response",
        "--data",
        file.to_str().unwrap(),
        "--time",
        "date_week",
        "--outcome",
        "y",
        "--channels",
        "x1,x2",
        "--controls",
        "event_1,event_2,t",
    ];
    let out = json(folder.path(), &args);
    assert_eq!(out["verdict"], "published");
    for (channel, truth) in [(0, 4968.0), (1, 2275.0)] {
        let ci = &out["channels"][channel]["return"]["ci90"];
        assert!(
            ci[0].as_f64().unwrap() < truth && truth < ci[1].as_f64().unwrap(),
            "{ci}"
        );
    }
    assert!(out["diagnostics"]["r_hat"].as_f64().unwrap() < 1.01);
    assert!(out["diagnostics"]["ess"].as_f64().unwrap() > 400.0);
    assert_eq!(out["from"], "2018-04-02");
}
