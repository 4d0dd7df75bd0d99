//! Drift by hand, under no change, and under changes of each kind.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use thalweg_domain::{CheckVerdict, Column, ColumnData, MISSING_LEVEL, Seed, Table};

use super::{ColumnDrift, Shift, drift, score_drift};

fn column(name: &str, data: ColumnData) -> Column {
    Column {
        name: name.to_owned(),
        data,
    }
}

fn category(codes: Vec<u32>, levels: &[&str]) -> ColumnData {
    ColumnData::Category {
        codes,
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
    }
}

fn one(reference: ColumnData, new: ColumnData) -> ColumnDrift {
    let table = |data| Table::new(vec![column("x", data)]).unwrap();
    drift(&table(reference), &table(new)).unwrap().remove(0)
}

fn normal(n: usize, mean: f64, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n)
        .map(|_| mean + Distribution::<f64>::sample(&StandardNormal, &mut rng))
        .collect()
}

#[test]
fn the_index_of_two_levels_is_as_by_hand() {
    let half = |a: usize, b: usize| category([vec![0; a], vec![1; b]].concat(), &["a", "b"]);
    let found = one(half(500, 500), half(300, 700));
    let (p, q) = (0.5, 300.5 / 1001.0);
    let by_hand = (q - p) * f64::ln(q / p) + (p - q) * f64::ln((1.0 - q) / (1.0 - p));
    assert!((found.stability_index - by_hand).abs() < 1e-12, "{found:?}");
    assert_eq!((found.shift, found.n), (Shift::Moderate, (1000, 1000)));
    let check = found.check();
    assert_eq!(
        (check.verdict, check.code),
        (CheckVerdict::Review, Some("TW0405"))
    );
    assert_eq!(one(half(500, 500), half(100, 900)).shift, Shift::Large);
}

#[test]
fn levels_are_matched_by_name_and_new_ones_count() {
    let before = category(vec![0; 1000], &["b"]);
    let same = category(vec![1; 1000], &["a", "b"]);
    let found = one(before.clone(), same);
    assert!(
        found.stability_index.abs() < 1e-12 && found.shift == Shift::Stable,
        "{found:?}"
    );
    let other = category([vec![0; 500], vec![1; 500]].concat(), &["a", "b"]);
    assert_eq!(one(before.clone(), other).shift, Shift::Large);
    let missing = category([vec![0; 500], vec![MISSING_LEVEL; 500]].concat(), &["b"]);
    assert_eq!(one(before, missing).shift, Shift::Large);
}

/// Without a change small tables have a large index by chance: that must not alarm.
#[test]
fn chance_alone_does_not_alarm() {
    let (mut alarms, mut above, worlds) = (0, 0, 2000_u64);
    for index in 0..worlds {
        let seed = Seed(7).nth(index);
        let found = one(
            ColumnData::Number(normal(150, 0.0, seed.0)),
            ColumnData::Number(normal(150, 0.0, seed.stream("new").0)),
        );
        above += i32::from(found.stability_index >= 0.1);
        alarms += i32::from(found.shift != Shift::Stable);
    }
    println!(
        "of {worlds} unchanged columns of 150 rows {above} have an index of 0.1 or more, {alarms} alarm"
    );
    assert!(above > 400 && alarms <= 20, "{above} {alarms}");
}

#[test]
fn a_number_that_moves_is_seen_and_one_that_stays_is_not() {
    let before = ColumnData::Number(normal(5000, 0.0, 1));
    assert_eq!(
        one(before.clone(), ColumnData::Number(normal(5000, 0.0, 2))).shift,
        Shift::Stable
    );
    assert_eq!(
        one(before.clone(), ColumnData::Number(normal(5000, 0.4, 3))).shift,
        Shift::Moderate
    );
    assert_eq!(
        one(before.clone(), ColumnData::Number(normal(5000, 1.0, 4))).shift,
        Shift::Large
    );
    assert_eq!(
        one(before.clone(), ColumnData::Number(vec![f64::NAN; 5000])).shift,
        Shift::Large
    );
    assert_eq!(
        one(before, ColumnData::Boolean(vec![Some(true); 5000])).shift,
        Shift::Large,
        "another kind"
    );
    let constant = one(
        ColumnData::Number(vec![1.0; 90]),
        ColumnData::Number(vec![1.0; 90]),
    );
    assert_eq!((constant.shift, constant.p), (Shift::Stable, 1.0));
}

#[test]
fn dates_and_text_have_their_bins() {
    let days = |from: i64| ColumnData::Date((0..1000).map(|day| Some(from + day)).collect());
    assert_eq!(one(days(0), days(5)).shift, Shift::Stable);
    assert_eq!(one(days(0), days(400)).shift, Shift::Large);
    let text = |filled: usize| {
        ColumnData::Text(
            (0..1000)
                .map(|row| (row < filled).then(|| row.to_string()))
                .collect(),
        )
    };
    assert_eq!(one(text(500), text(510)).shift, Shift::Stable);
    assert_eq!(one(text(500), text(900)).shift, Shift::Large);
}

#[test]
fn a_column_that_is_gone_is_seen_and_empty_tables_are_refused() {
    let before = Table::new(vec![column("x", ColumnData::Number(normal(500, 0.0, 1)))]).unwrap();
    let after = Table::new(vec![column("y", ColumnData::Number(normal(500, 0.0, 1)))]).unwrap();
    assert_eq!(drift(&before, &after).unwrap()[0].shift, Shift::Large);
    assert_eq!(drift(&before, &Table::default()).unwrap_err().code, "TW0723");
}

/// Levels beyond the 49 most frequent share a bin: many rare levels must not look like a change.
#[test]
fn rare_levels_are_pooled() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let levels: Vec<String> = (0..2000).map(|level| format!("{level:04}")).collect();
    let mut draw = || {
        let codes = (0..1000).map(|_| rng.random_range(0..2000)).collect();
        ColumnData::Category {
            codes,
            levels: levels.clone(),
        }
    };
    let found = one(draw(), draw());
    assert!(found.stability_index < 0.5, "{found:?}");
}

#[test]
fn scores_that_rise_are_seen_with_their_mean() {
    let (before, now) = (normal(2000, 0.0, 1), normal(2000, 0.5, 2));
    let found = score_drift(&before, &now).unwrap();
    assert!(
        found.mean_shift.low < 0.5 && 0.5 < found.mean_shift.high,
        "{found:?}"
    );
    let half = 1.96 * (2.0_f64 / 2000.0).sqrt();
    assert!(
        (found.mean_shift.high - found.mean_shift.mean - half).abs() < 0.005,
        "{found:?}"
    );
    assert!(found.distribution.shift == Shift::Moderate || found.distribution.shift == Shift::Large);
    assert_eq!(score_drift(&[0.1], &now).unwrap_err().code, "TW0723");
    assert_eq!(score_drift(&[0.1, f64::NAN], &now).unwrap_err().code, "TW0721");
}
