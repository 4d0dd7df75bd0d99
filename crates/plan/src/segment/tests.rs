//! Segments against a naive search, scikit-learn's numbers and simulated groups whose truth is known.

use proptest::prelude::*;
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table};

use super::bins::bin_columns;
use super::grow::Draw;
use super::split::{Least, best_split};
use super::{Outcomes, SegmentParams, Segmentation, adjusted_rand, segments};
use crate::randomise::draw::Generator;

const FIXTURES: &str = include_str!("../../tests/fixtures/segments.txt");

fn numbers<T: std::str::FromStr>(words: &str) -> Vec<T>
where
    T::Err: std::fmt::Debug,
{
    words
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect()
}

fn cases(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    FIXTURES
        .lines()
        .filter_map(move |line| line.strip_prefix(kind))
        .map(|line| line.split(" : ").collect())
}

fn number(name: &str, cells: Vec<f64>) -> Column {
    Column {
        name: name.to_owned(),
        data: ColumnData::Number(cells),
    }
}

fn category(name: &str, codes: Vec<u32>, levels: &[&str]) -> Column {
    Column {
        name: name.to_owned(),
        data: ColumnData::Category {
            codes,
            levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        },
    }
}

#[test]
fn the_rand_index_is_that_of_scikit_learn() {
    let mut n_cases = 0;
    for case in cases("rand ") {
        let expected: f64 = case[0].trim().parse().unwrap();
        let found = adjusted_rand(&numbers(case[1]), &numbers(case[2]));
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
        n_cases += 1;
    }
    assert_eq!(n_cases, 11);
}

#[test]
fn the_first_split_is_that_of_scikit_learn() {
    let mut n_cases = 0;
    for case in cases("split ") {
        let [feature, n_left, fall, leaf] = numbers::<f64>(case[0])[..] else {
            panic!("four numbers")
        };
        let [n_features, width] = numbers::<usize>(case[1])[..] else {
            panic!("two numbers")
        };
        let cells: Vec<f64> = numbers(case[2]);
        let rows: Vec<&[f64]> = cells.chunks_exact(n_features + width).collect();
        let columns = (0..n_features)
            .map(|index| number(&format!("x{index}"), rows.iter().map(|row| row[index]).collect()));
        let y = Outcomes {
            width,
            cells: rows
                .iter()
                .flat_map(|row| row[n_features..].iter().copied())
                .collect(),
        };
        // few enough distinct values that every gap is a candidate, so halves of the rows do not matter
        let columns = bin_columns(&Table::new(columns.collect()).unwrap());
        let all: Vec<usize> = (0..rows.len()).collect();
        let draw = Draw {
            grow: &all,
            check: &[],
        };
        let least = Least {
            grow: leaf as usize,
            check: 0,
        };
        let split = best_split(&columns, &y, &draw, least).split.unwrap();
        let left = all
            .iter()
            .filter(|row| split.left[usize::from(columns[split.column].bin_of[**row])])
            .count();
        if rows.len() <= 128 {
            assert_eq!((split.column, left), (feature as usize, n_left as usize));
            assert!(
                (split.gain - fall).abs() < 1e-9,
                "{} instead of {fall}",
                split.gain
            );
        } else {
            // more than 128 values: thresholds at equal steps of rank come near the best of all
            assert_eq!(split.column, feature as usize);
            assert!(split.gain <= fall + 1e-9 && split.gain > 0.97 * fall);
        }
        n_cases += 1;
    }
    assert_eq!(n_cases, 3);
}

/// A small problem: a number and a category, both with missing cells, and outcomes.
#[derive(Debug, Clone)]
struct Small {
    number: Vec<Option<u8>>,
    category: Vec<Option<u8>>,
    y: Vec<Vec<f64>>,
    least: usize,
}

fn small() -> impl Strategy<Value = Small> {
    (6_usize..30, 1_usize..4, 1_usize..4).prop_flat_map(|(n, width, least)| {
        (
            prop::collection::vec(prop::option::weighted(0.8, 0_u8..6), n),
            prop::collection::vec(prop::option::weighted(0.8, 0_u8..5), n),
            prop::collection::vec(prop::collection::vec(-3.0_f64..3.0, width), n),
        )
            .prop_map(move |(number, category, y)| Small {
                number,
                category,
                y,
                least,
            })
    })
}

impl Small {
    fn table(&self) -> Table {
        let cells = self.number.iter();
        let codes = self.category.iter();
        Table::new(vec![
            number("x", cells.map(|cell| cell.map_or(f64::NAN, f64::from)).collect()),
            category(
                "c",
                codes.map(|code| code.map_or(MISSING_LEVEL, u32::from)).collect(),
                &["a", "b", "c", "d", "e"],
            ),
        ])
        .unwrap()
    }

    /// What a split takes off the sum of squares, from the definition; `None` when a side is too small.
    fn fall(&self, left: &[bool]) -> Option<f64> {
        let of = |side: Option<bool>| -> (usize, f64) {
            let own: Vec<&Vec<f64>> = self
                .y
                .iter()
                .zip(left)
                .filter(|(_, left)| side.is_none_or(|side| **left == side))
                .map(|(y, _)| y)
                .collect();
            let n = own.len() as f64;
            let squares = (0..self.y[0].len()).map(|d| {
                let mean = own.iter().map(|y| y[d]).sum::<f64>() / n;
                own.iter().map(|y| (y[d] - mean).powi(2)).sum::<f64>()
            });
            (own.len(), squares.sum())
        };
        let (all, one, other) = (of(None), of(Some(true)), of(Some(false)));
        (one.0 >= self.least && other.0 >= self.least).then_some(all.1 - one.1 - other.1)
    }

    /// The best of every threshold with missing on either side, known against missing, and every pair of sets of levels.
    fn naive(&self) -> Option<f64> {
        let mut falls = Vec::new();
        for cut in 0..6 {
            for missing in [false, true] {
                let left: Vec<bool> = self
                    .number
                    .iter()
                    .map(|cell| cell.map_or(missing, |cell| cell <= cut))
                    .collect();
                falls.push(self.fall(&left));
            }
        }
        for set in 0..1_u32 << 6 {
            let left: Vec<bool> = self
                .category
                .iter()
                .map(|code| set >> code.unwrap_or(5) & 1 == 1)
                .collect();
            falls.push(self.fall(&left));
        }
        falls.into_iter().flatten().max_by(f64::total_cmp)
    }
}

proptest! {
    #[test]
    fn the_best_split_is_that_of_a_naive_search(small in small()) {
        let y = Outcomes { width: small.y[0].len(), cells: small.y.concat() };
        let columns = bin_columns(&small.table());
        let all: Vec<usize> = (0..small.y.len()).collect();
        let least = Least { grow: small.least, check: small.least };
        let best = best_split(&columns, &y, &Draw { grow: &all, check: &all }, least);
        match (best.split, small.naive()) {
            (None, found) => prop_assert!(found.is_none_or(|fall| fall < 1e-9), "missed {found:?}"),
            (Some(split), naive) => {
                let bin_of = &columns[split.column].bin_of;
                let left: Vec<bool> = all.iter().map(|row| split.left[usize::from(bin_of[*row])]).collect();
                let own = small.fall(&left);
                prop_assert!(own.is_some_and(|own| (own - split.gain).abs() < 1e-9), "{own:?} {}", split.gain);
                prop_assert!(naive.is_some_and(|naive| (naive - split.gain).abs() < 1e-9), "{naive:?} {}", split.gain);
            }
        }
    }

    /// Every customer is in a group whose size keeps the limits in both halves.
    #[test]
    fn groups_are_never_too_small(seed in 0_u64..1000, n in 0_usize..400, min_rows in 1_usize..40) {
        let (table, outcomes, _) = simulated(n, seed);
        let params = SegmentParams { min_rows, resamples: 0, ..SegmentParams::new(Seed(seed)) };
        let found = of(&table, &outcomes, &params);
        prop_assert_eq!(found.leaf_of.len(), n);
        for honest in [false, true] {
            let mut sizes = vec![0; found.leaves.len()];
            for (leaf, own) in found.leaf_of.iter().zip(&found.honest) {
                sizes[*leaf] += usize::from(*own == honest);
            }
            prop_assert!(sizes.len() == 1 || sizes.iter().all(|size| *size >= min_rows), "{sizes:?}");
        }
    }
}

fn of(table: &Table, outcomes: &[Vec<f64>], params: &SegmentParams) -> Segmentation {
    let lists: Vec<&[f64]> = outcomes.iter().map(Vec::as_slice).collect();
    segments(table, &lists, params).unwrap()
}

/// About normal: the sum of twelve uniform numbers.
fn normal(generator: &mut Generator) -> f64 {
    (0..12).map(|_| generator.uniform()).sum::<f64>() - 6.0
}

/// Customers in three groups by contract and tenure (missing tenure belongs to the old ones), six columns of noise beside.
fn simulated(n: usize, seed: u64) -> (Table, Vec<Vec<f64>>, Vec<usize>) {
    let mut generator = Generator::new(Seed(seed).stream("simulated"));
    let (mut contract, mut tenure, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    let mut outcomes = vec![Vec::new(); 3];
    let mut noise = vec![Vec::new(); 6];
    for _ in 0..n {
        let monthly = generator.uniform() < 0.6;
        let months = (generator.uniform() * 72.0).floor();
        let missing = generator.uniform() < 0.1;
        let group = match (monthly, months <= 17.0 && !missing) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        let [gain, risk, value] = [[8.0, 0.6, 300.0], [3.0, 0.35, 320.0], [0.5, 0.1, 500.0]][group];
        outcomes[0].push(gain + normal(&mut generator));
        outcomes[1].push(risk + 0.08 * normal(&mut generator));
        outcomes[2].push(value + 80.0 * normal(&mut generator));
        contract.push(if monthly { 1 } else { generator.below(2) as u32 * 2 });
        tenure.push(if missing { f64::NAN } else { months });
        for cells in &mut noise {
            cells.push((normal(&mut generator) * 10.0).round());
        }
        truth.push(group);
    }
    let mut columns: Vec<Column> = (0..)
        .zip(noise)
        .map(|(index, cells)| number(&format!("noise{index}"), cells))
        .collect();
    columns.push(category(
        "contract",
        contract,
        &["annual", "monthly", "two years"],
    ));
    columns.push(number("tenure", tenure));
    (Table::new(columns).unwrap(), outcomes, truth)
}

#[test]
fn simulated_groups_are_found_and_named() {
    let (table, outcomes, truth) = simulated(4000, 3);
    let found = of(&table, &outcomes, &SegmentParams::new(Seed(5)));
    let agreement = adjusted_rand(&found.leaf_of, &truth);
    assert!(agreement > 0.97, "{agreement}: {:?}", found.leaves);
    let mut names: Vec<String> = found.leaves.iter().map(|leaf| leaf.rules.join(" and ")).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "contract = monthly and tenure <= 17",
            "contract = monthly and tenure > 17 or missing",
            "contract is not monthly",
        ]
    );
    let stability = found.stability.unwrap();
    assert_eq!((stability.resamples, stability.same_column), (40, 1.0));
    assert!(stability.adjusted_rand > 0.95, "{stability:?}");
    // noise is one part in two to five of each outcome's spread
    assert!(
        found.explained > 0.6 && found.explained < 0.95,
        "{}",
        found.explained
    );
}

#[test]
fn groups_of_noise_are_not_found() {
    let mut false_groups = 0;
    for seed in 0..60 {
        let mut generator = Generator::new(Seed(seed).stream("noise"));
        let mut cells = || -> Vec<f64> { (0..600).map(|_| normal(&mut generator)).collect() };
        let table = Table::new(
            (0..8)
                .map(|index| number(&format!("x{index}"), cells()))
                .collect(),
        )
        .unwrap();
        let outcomes = vec![cells(), cells(), cells()];
        let params = SegmentParams {
            resamples: 0,
            ..SegmentParams::new(Seed(seed))
        };
        false_groups += usize::from(of(&table, &outcomes, &params).leaves.len() > 1);
    }
    // at most 5 % of 60 are expected; 8 or more would have a chance of 1 % then
    assert!(false_groups < 8, "{false_groups} of 60");
}

#[test]
fn the_half_that_figures_come_from_is_not_the_one_that_was_split() {
    let (table, outcomes, _) = simulated(1001, 9);
    let found = of(&table, &outcomes, &SegmentParams::new(Seed(1)));
    assert_eq!(found.honest.iter().filter(|honest| **honest).count(), 501);
    let mut disturbed = outcomes.clone();
    for (row, _) in found.honest.iter().enumerate().filter(|(_, honest)| **honest) {
        // a permutation within the honest half leaves mean and spread of all as they are
        let other = found.honest.iter().skip(row + 1).position(|honest| *honest);
        if let Some(other) = other {
            for list in &mut disturbed {
                list.swap(row, row + 1 + other);
            }
        }
    }
    let again = of(&table, &disturbed, &SegmentParams::new(Seed(1)));
    assert_eq!(again.leaves, found.leaves);
    assert!(
        again.explained < found.explained,
        "{} {}",
        again.explained,
        found.explained
    );
}

#[test]
fn threads_change_nothing() {
    let (table, outcomes, _) = simulated(1500, 2);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| of(&table, &outcomes, &SegmentParams::new(Seed(8))))
    };
    assert_eq!(with(1), with(4));
}

#[test]
fn a_number_that_is_none_is_refused() {
    let table = Table::new(vec![number("x", vec![1.0, 2.0])]).unwrap();
    let error = segments(&table, &[&[1.0, f64::NAN]], &SegmentParams::new(Seed(1))).unwrap_err();
    assert_eq!(error.code, "TW0901");
    let error = segments(&table, &[&[1.0]], &SegmentParams::new(Seed(1))).unwrap_err();
    assert_eq!(error.code, "TW0901");
}

#[test]
fn levels_dates_and_missing_cells_have_words() {
    let n = 400;
    let group = |row: usize| row % 4;
    let day = |days: i64| Some(days * 86_400_000_000);
    let since = (0..n).map(|row| match group(row) {
        0 => None,
        1 => day(100 + (row % 9) as i64),
        _ => day(20_000 + (row % 9) as i64),
    });
    let flag = (0..n).map(|row| Some(group(row) == 2));
    let table = Table::new(vec![
        Column {
            name: "since".to_owned(),
            data: ColumnData::Date(since.collect()),
        },
        Column {
            name: "flag".to_owned(),
            data: ColumnData::Boolean(flag.collect()),
        },
    ])
    .unwrap();
    let y: Vec<f64> = (0..n)
        .map(|row| group(row) as f64 + 0.1 * (row % 7) as f64)
        .collect();
    let found = of(&table, &[y], &SegmentParams::new(Seed(2)));
    let mut names: Vec<String> = found.leaves.iter().map(|leaf| leaf.rules.join(" and ")).collect();
    names.sort();
    assert_eq!(names.len(), 4, "{names:?}");
    for part in [
        "since is missing",
        "since <= 1997-05-19",
        "flag = true",
        "flag = false",
    ] {
        assert!(
            names.iter().any(|name| name.contains(part)),
            "{part} in {names:?}"
        );
    }
}
