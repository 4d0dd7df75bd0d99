//! Contributions against Shapley's formula, summed over all coalitions; and constraints against many rows.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, Seed, Table};

use super::{GbdtParams, fit_source, grown, matrix, plain};
use crate::models::Examples;
use crate::models::gbdt::tree::Tree;
use crate::models::gbdt::{Rows, fit};
use crate::prepare::Preparer;
use crate::task::Task;

/// The tree's mean for a row of which only the columns in `known` are known: others follow the training rows.
fn expected(tree: &Tree, node: usize, cells: &[f64], known: u32) -> f64 {
    let Some((column, _, _, left)) = tree.nodes[node].parts() else {
        return tree.nodes[node].value().unwrap();
    };
    if known >> column & 1 == 1 {
        let right = usize::from(!tree.nodes[node].goes_left(cells[column]));
        return expected(tree, left + right, cells, known);
    }
    let share = f64::from(tree.cover[left]) / f64::from(tree.cover[node]);
    share * expected(tree, left, cells, known) + (1.0 - share) * expected(tree, left + 1, cells, known)
}

fn shapley(tree: &Tree, cells: &[f64], column: usize) -> f64 {
    let n = cells.len();
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    (0..1_u32 << n)
        .filter(|coalition| coalition >> column & 1 == 0)
        .map(|coalition| {
            let size = coalition.count_ones() as usize;
            let share = factorial(size) * factorial(n - size - 1) / factorial(n);
            share * (expected(tree, 0, cells, coalition | 1 << column) - expected(tree, 0, cells, coalition))
        })
        .sum()
}

/// Five columns, the last with gaps; the target is a product of two and a step of a third.
fn problem(n: usize) -> (Vec<Vec<f64>>, Examples) {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut columns: Vec<Vec<f64>> = (0..5)
        .map(|_| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect())
        .collect();
    let target = (0..n)
        .map(|row| {
            columns[0][row] * columns[1][row] + f64::from(columns[2][row] > 0.3) + 0.3 * columns[4][row]
        })
        .collect();
    columns[4].iter_mut().step_by(3).for_each(|cell| *cell = f64::NAN);
    (columns, super::examples(Task::Value, target))
}

#[test]
fn contributions_are_the_shapley_values() {
    let (columns, examples) = problem(300);
    let x = matrix(&columns);
    // deep trees ask about a column more than once on a path
    let params = GbdtParams {
        leaves: 24,
        depth: 8,
        learning_rate: 0.5,
        ..plain(3)
    };
    let model = grown(&x, &examples, &params, 1);
    let contributions = model.contributions(&x, 0).unwrap();
    for row in (0..300).step_by(17) {
        let cells: Vec<f64> = columns.iter().map(|column| column[row]).collect();
        for column in 0..5 {
            let exact: f64 = model.trees(0).map(|tree| shapley(tree, &cells, column)).sum();
            let own = contributions.cells[row * 5 + column];
            assert!(
                (own - exact).abs() < 1e-9,
                "row {row}, column {column}: {own} {exact}"
            );
        }
    }
}

#[test]
fn scores_keep_to_the_constraints_on_any_row() {
    let (columns, examples) = problem(2000);
    let params = GbdtParams {
        leaves: 31,
        depth: 64,
        trees: 60,
        validation: 0.0,
        ..GbdtParams::default()
    };
    let free = fit_source(&matrix(&columns), &examples, &params, &[0; 5], Seed(1)).unwrap();
    let model = fit_source(&matrix(&columns), &examples, &params, &[1, 0, -1, 0, 1], Seed(1)).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut broken_by_free = 0;
    for _ in 0..2000 {
        let cells: Vec<f64> = (0..5).map(|_| rng.random_range(-1.2..1.2)).collect();
        for (column, sign) in [(0, 1.0), (2, -1.0), (4, 1.0)] {
            let mut higher = cells.clone();
            higher[column] += rng.random_range(0.0..1.0);
            let both: Vec<Vec<f64>> = cells.iter().zip(&higher).map(|(a, b)| vec![*a, *b]).collect();
            let rise = |model: &super::Gbdt| {
                let margins = model.margins(&matrix(&both)).unwrap().cells;
                sign * (margins[1] - margins[0])
            };
            assert!(rise(&model) >= -1e-12, "column {column}");
            broken_by_free += usize::from(rise(&free) < -1e-12);
        }
    }
    assert!(
        broken_by_free > 100,
        "the constraints must matter: {broken_by_free}"
    );
}

#[test]
fn constraints_are_given_by_name_and_refused_where_they_mean_nothing() {
    let (columns, mut examples) = problem(400);
    let levels = ["a", "b", "c"].map(str::to_owned).to_vec();
    let codes = (0..400).map(|row| row % 3).collect();
    let named = columns
        .iter()
        .enumerate()
        .map(|(index, cells)| (format!("x{index}"), ColumnData::Number(cells.clone())));
    let table = named
        .chain([("plan".to_owned(), ColumnData::Category { codes, levels })])
        .map(|(name, data)| Column { name, data })
        .collect();
    let table = Table::new(table).unwrap();
    let rows: Vec<usize> = (0..400).collect();
    let preparer = Preparer::fit(&table, &rows).unwrap();
    let source = Rows {
        preparer: &preparer,
        table: &table,
        rows: &rows,
    };
    let with = |name: &str, sign, examples: &Examples| {
        let params = GbdtParams {
            monotone: [(name.to_owned(), sign)].into(),
            trees: 5,
            ..GbdtParams::default()
        };
        fit(&source, examples, &params, Seed(1))
    };
    assert!(with("x0", 1, &examples).is_ok());
    let free = serde_json::to_string(&with("x0", 0, &examples).unwrap()).unwrap();
    assert_ne!(
        free,
        serde_json::to_string(&with("x0", -1, &examples).unwrap()).unwrap()
    );
    for name in ["plan", "x9"] {
        let error = with(name, 1, &examples).unwrap_err();
        assert!(error.code == "TW0307" && error.message.contains(name), "{error}");
    }
    examples
        .target
        .iter_mut()
        .enumerate()
        .for_each(|(row, target)| *target = (row % 3) as f64);
    examples.task = Task::Class {
        classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
    };
    assert_eq!(with("x0", 1, &examples).unwrap_err().code, "TW0307");
}

#[test]
fn split_gains_name_the_columns_that_matter() {
    let (columns, examples) = problem(800);
    let named = columns.into_iter().enumerate().map(|(index, cells)| Column {
        name: format!("x{index}"),
        data: ColumnData::Number(cells),
    });
    let table = Table::new(named.collect()).unwrap();
    let rows: Vec<usize> = (0..800).collect();
    let params = crate::models::LearnerParams::default();
    let learner = crate::models::Learner::Gbdt;
    let (fitted, _) = crate::models::fit(learner, &table, &rows, &examples, &params, Seed(1)).unwrap();
    let gains = fitted.split_gains();
    let names: Vec<&str> = gains.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x0", "x1", "x2", "x3", "x4"]);
    // the fourth column has no say in the target
    assert!(
        gains
            .iter()
            .all(|(name, gain)| name == "x3" || *gain > 3.0 * gains[3].1),
        "{gains:?}"
    );
}
