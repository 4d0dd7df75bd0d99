//! The contract that every learner keeps for every kind of target: `check_model`.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table};

use super::{Examples, Fitted, Learner, LearnerParams, fit};
use crate::task::Task;

const N: usize = 1500;

fn column(name: &str, data: ColumnData) -> Column {
    Column {
        name: name.to_owned(),
        data,
    }
}

/// A table with every kind of column, some cells missing, and what drives its outcome: it hangs on `spend` and `plan`.
fn table(n: usize, seed: u64) -> (Table, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let spend: Vec<f64> = (0..n).map(|_| rng.random_range(0.0..100.0)).collect();
    let plan: Vec<u32> = (0..n).map(|_| rng.random_range(0..3)).collect();
    let driver = spend
        .iter()
        .zip(&plan)
        .map(|(spend, plan)| 0.05 * (spend - 50.0) + f64::from(*plan) - 1.0)
        .collect();
    let or_missing = |cell: f64, gap: bool| if gap { f64::NAN } else { cell };
    let gaps: Vec<bool> = (0..n).map(|_| rng.random::<f64>() < 0.1).collect();
    let number = spend
        .iter()
        .zip(&gaps)
        .map(|(cell, gap)| or_missing(*cell, *gap))
        .collect();
    let codes = plan.iter().map(|code| {
        if *code == 2 && rng.random::<f64>() < 0.1 {
            MISSING_LEVEL
        } else {
            *code
        }
    });
    let levels = ["basic", "family", "premium"].map(str::to_owned).to_vec();
    let columns = vec![
        column("spend", ColumnData::Number(number)),
        column(
            "plan",
            ColumnData::Category {
                codes: codes.collect(),
                levels,
            },
        ),
        column(
            "online",
            ColumnData::Boolean((0..n).map(|row| (row % 7 != 0).then_some(row % 2 == 0)).collect()),
        ),
        column(
            "joined",
            ColumnData::Date(
                (0..n)
                    .map(|_| Some(rng.random_range(0..1_700_000_000_000_000)))
                    .collect(),
            ),
        ),
    ];
    (Table::new(columns).unwrap(), driver)
}

fn tasks() -> [Task; 3] {
    let classes = ["low", "middle", "high"].map(str::to_owned).to_vec();
    [Task::Binary, Task::Class { classes }, Task::Value]
}

/// Targets drawn around the driver.
fn examples(task: &Task, driver: &[f64], seed: u64) -> Examples {
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 50);
    let noisy = |driver: &f64| {
        driver
            + (rng.random::<f64>() / (1.0 - rng.random::<f64>()))
                .ln()
                .clamp(-5.0, 5.0)
    };
    let noisy: Vec<f64> = driver.iter().map(noisy).collect();
    let target = noisy.iter().map(|noisy| match task {
        Task::Binary => f64::from(u8::from(*noisy > 0.5)),
        Task::Class { .. } => f64::from(u8::from(*noisy > -1.0)) + f64::from(u8::from(*noisy > 1.0)),
        Task::Value => 1000.0 + 100.0 * noisy,
    });
    Examples {
        task: task.clone(),
        target: target.collect(),
        weight: vec![1.0; driver.len()],
        group: (0..driver.len() as u64).collect(),
    }
}

fn params() -> LearnerParams {
    let mut params = LearnerParams::default();
    params.mlp.learning_rate = 0.05;
    params
}

fn try_fit(learner: Learner, table: &Table, examples: &Examples) -> thalweg_domain::Result<Fitted> {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    Ok(fit(learner, table, &rows, examples, &params(), Seed(3))?.0)
}

fn fitted(learner: Learner, table: &Table, examples: &Examples) -> Fitted {
    try_fit(learner, table, examples).unwrap()
}

fn margins(model: &Fitted, table: &Table) -> Vec<f64> {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    model.margins(table, &rows).unwrap().cells
}

fn bits(margins: &[f64]) -> Vec<u64> {
    margins.iter().map(|margin| margin.to_bits()).collect()
}

/// Everything that a learner owes for a kind of target.
fn check_model(learner: Learner, task: &Task) {
    let (training, driver) = table(N, 1);
    let (fresh, fresh_driver) = table(N, 2);
    let examples = examples(task, &driver, 1);
    let model = fitted(learner, &training, &examples);
    let scores = margins(&model, &fresh);
    assert_eq!(scores.len(), N * task.n_outputs());
    assert!(
        scores.iter().all(|score| score.is_finite()),
        "{learner:?} {task:?}"
    );
    learns(learner, task, &scores, &fresh_driver);
    gives_the_same_bytes(learner, &training, &examples, (&model, &fresh, &scores));
    respects_weights(learner, &training, &examples, (&fresh, &scores));
    adds_up(learner, &model, &fresh, &scores);
    takes_what_it_has_not_seen(&model, &fresh);
    refuses_tables_that_do_not_fit(learner, &model, &fresh);
    refuses_what_it_cannot_learn_from(learner, &training, &examples);
}

/// A known signal, on new rows: the score of the highest class, or the value, goes with the driver.
fn learns(learner: Learner, task: &Task, scores: &[f64], driver: &[f64]) {
    let n_outputs = task.n_outputs();
    let of_row = |row: usize| {
        let own = &scores[row * n_outputs..(row + 1) * n_outputs];
        own[n_outputs - 1] - if n_outputs > 1 { own[0] } else { 0.0 }
    };
    let predicted: Vec<f64> = (0..driver.len()).map(of_row).collect();
    let correlation = correlation(&predicted, driver);
    assert!(correlation > 0.8, "{learner:?} {task:?}: {correlation}");
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |own: &[f64]| own.iter().sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |f: &dyn Fn(f64, f64) -> f64| {
        a.iter()
            .zip(b)
            .map(|(a, b)| f(a - mean_a, b - mean_b))
            .sum::<f64>()
    };
    product(&|a, b| a * b) / (product(&|a, _| a * a) * product(&|_, b| b * b)).sqrt()
}

/// Same seed, same bytes with one thread and with four; saved and loaded bit for bit.
fn gives_the_same_bytes(
    learner: Learner,
    training: &Table,
    examples: &Examples,
    (model, fresh, scores): (&Fitted, &Table, &[f64]),
) {
    let json = serde_json::to_string(model).unwrap();
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let again = pool.install(|| fitted(learner, training, examples));
        assert!(
            json == serde_json::to_string(&again).unwrap(),
            "{learner:?} with {threads} threads"
        );
        assert_eq!(
            bits(scores),
            bits(&pool.install(|| margins(&again, fresh))),
            "{learner:?}"
        );
    }
    let loaded: Fitted = serde_json::from_str(&json).unwrap();
    assert_eq!(bits(scores), bits(&margins(&loaded, fresh)), "{learner:?}");
    assert!(json == serde_json::to_string(&loaded).unwrap(), "{learner:?}");
}

/// Heavier rows of high targets raise the scores: by about ln 3 in log-odds with two classes.
fn respects_weights(
    learner: Learner,
    training: &Table,
    examples: &Examples,
    (fresh, scores): (&Table, &[f64]),
) {
    let middle = match examples.task {
        Task::Binary => 0.5,
        Task::Class { .. } => 1.5,
        Task::Value => 1000.0,
    };
    let heavy = examples
        .target
        .iter()
        .map(|target| if *target > middle { 3.0 } else { 1.0 });
    let weighted = Examples {
        weight: heavy.collect(),
        ..examples.clone()
    };
    let again = margins(&fitted(learner, training, &weighted), fresh);
    let n_outputs = examples.task.n_outputs();
    let mean = |scores: &[f64]| {
        let last = scores
            .chunks_exact(n_outputs)
            .map(|row| row[n_outputs - 1] - if n_outputs > 1 { row[0] } else { 0.0 });
        last.sum::<f64>() / N as f64
    };
    let shift = mean(&again) - mean(scores);
    let range = match examples.task {
        Task::Binary | Task::Class { .. } => 0.7..1.5,
        Task::Value => 20.0..100.0,
    };
    assert!(range.contains(&shift), "{learner:?} {:?}: {shift}", examples.task);
    // all weights times ten change nothing
    let tenfold = Examples {
        weight: vec![10.0; N],
        ..examples.clone()
    };
    let same = margins(&fitted(learner, training, &tenfold), fresh);
    let largest = scores
        .iter()
        .zip(&same)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    let scale = if examples.task == Task::Value { 100.0 } else { 1.0 };
    assert!(
        largest < 1e-3 * scale,
        "{learner:?} {:?}: {largest}",
        examples.task
    );
}

/// Contributions add up to each score, one per feature.
fn adds_up(learner: Learner, model: &Fitted, fresh: &Table, scores: &[f64]) {
    let n_outputs = scores.len() / N;
    for output in 0..n_outputs {
        let contributions = model.contributions(fresh, &[5, 0], output).unwrap();
        let width = fresh.columns().len();
        assert_eq!(
            (contributions.cells.len(), contributions.n_columns),
            (2 * width, width)
        );
        let wanted = [scores[5 * n_outputs + output], scores[output]];
        for (row, score) in contributions.cells.chunks_exact(width).zip(wanted) {
            let sum = contributions.base + row.iter().sum::<f64>();
            assert!(
                (sum - score).abs() < 1e-4 * score.abs().max(1.0),
                "{learner:?}: {sum} for {score}"
            );
        }
    }
}

/// The same table with words that hang on the driver.
fn with_words((table, driver): (Table, Vec<f64>)) -> (Table, Vec<f64>) {
    let word = |driver: &f64| match *driver {
        ..-1.0 => "quite happy with it",
        -1.0..1.0 => "it is what it is",
        _ => "will leave soon",
    };
    let words = driver
        .iter()
        .enumerate()
        .map(|(row, driver)| (row % 9 != 4).then(|| format!("{} {}", word(driver), row % 5)));
    let words = column("words", ColumnData::Text(words.collect()));
    let columns = table.columns().iter().cloned().chain([words]).collect();
    (Table::new(columns).unwrap(), driver)
}

#[test]
fn contributions_add_up_beside_text_for_every_task() {
    let (training, driver) = with_words(table(N, 1));
    let (fresh, _) = with_words(table(N, 2));
    for learner in Learner::ALL {
        for task in tasks() {
            let model = fitted(learner, &training, &examples(&task, &driver, 1));
            adds_up(learner, &model, &fresh, &margins(&model, &fresh));
            let of_text = |output| -> f64 {
                let contributions = model.contributions(&fresh, &[5, 0], output).unwrap();
                contributions
                    .cells
                    .iter()
                    .skip(4)
                    .step_by(5)
                    .map(|cell| cell.abs())
                    .sum()
            };
            let all: f64 = (0..task.n_outputs()).map(of_text).sum();
            assert!(all > 0.0, "{learner:?} {task:?}: the text says nothing");
        }
    }
}

/// A row of missing cells and a level that training did not have are scored.
fn takes_what_it_has_not_seen(model: &Fitted, fresh: &Table) {
    let with = |change: &dyn Fn(&mut Vec<Column>)| {
        let mut columns = fresh.take(&[0, 1, 2]).columns().to_vec();
        change(&mut columns);
        margins(model, &Table::new(columns).unwrap())
    };
    let unseen = with(&|columns| {
        columns[1].data = ColumnData::Category {
            codes: vec![3, 0, MISSING_LEVEL],
            levels: ["basic", "family", "premium", "platinum"]
                .map(str::to_owned)
                .to_vec(),
        };
    });
    let empty = with(&|columns| {
        columns[0].data = ColumnData::Number(vec![f64::NAN; 3]);
        columns[1].data = ColumnData::Category {
            codes: vec![MISSING_LEVEL; 3],
            levels: Vec::new(),
        };
        columns[2].data = ColumnData::Boolean(vec![None; 3]);
        columns[3].data = ColumnData::Date(vec![None; 3]);
    });
    assert!(unseen.iter().chain(&empty).all(|score| score.is_finite()));
    // levels are known by name, not by code
    let turned = with(&|columns| {
        let ColumnData::Category { codes, levels } = &columns[1].data else {
            return;
        };
        let codes = codes
            .iter()
            .map(|code| if *code == MISSING_LEVEL { *code } else { 2 - *code })
            .collect();
        columns[1].data = ColumnData::Category {
            codes,
            levels: levels.iter().rev().cloned().collect(),
        };
    });
    assert_eq!(bits(&turned), bits(&with(&|_| ())));
}

/// An infinite cell, a missing column and a column of another kind are named.
fn refuses_tables_that_do_not_fit(learner: Learner, model: &Fitted, fresh: &Table) {
    let rows: Vec<usize> = (0..fresh.n_rows()).collect();
    let refused = |table: &Table, code: &str, name: &str| {
        let error = model.margins(table, &rows).unwrap_err();
        assert!(
            error.code == code && error.message.contains(name),
            "{learner:?}: {error}"
        );
        assert_eq!(model.contributions(table, &rows, 0).unwrap_err().code, code);
    };
    refused(&infinite(fresh), "TW0304", "spend");
    refused(&fresh.without(|name| name == "plan"), "TW0305", "plan");
    let mut columns = fresh.columns().to_vec();
    columns[1].data = ColumnData::Number(vec![1.0; N]);
    refused(&Table::new(columns).unwrap(), "TW0306", "plan");
}

fn infinite(table: &Table) -> Table {
    let mut columns = table.columns().to_vec();
    let ColumnData::Number(cells) = &mut columns[0].data else {
        panic!("the first column is a number")
    };
    cells[3] = f64::INFINITY;
    Table::new(columns).unwrap()
}

fn refuses_what_it_cannot_learn_from(learner: Learner, table: &Table, examples: &Examples) {
    let code = |table: &Table, examples: &Examples| try_fit(learner, table, examples).unwrap_err().code;
    for wrong in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        let mut unusable = examples.clone();
        unusable.weight[7] = wrong;
        assert_eq!(code(table, &unusable), "TW0304", "{learner:?}: weight {wrong}");
        if !wrong.is_finite() {
            let mut unusable = examples.clone();
            unusable.target[7] = wrong;
            assert_eq!(code(table, &unusable), "TW0304", "{learner:?}: target {wrong}");
        }
    }
    assert_eq!(code(&infinite(table), examples), "TW0304", "{learner:?}");
    let constant = Examples {
        target: vec![1.0; N],
        ..examples.clone()
    };
    assert_eq!(code(table, &constant), "TW0301", "{learner:?}");
    let first = Examples {
        task: examples.task.clone(),
        target: examples.target[..1].to_vec(),
        weight: vec![1.0],
        group: vec![0],
    };
    assert_eq!(code(&table.take(&[0]), &first), "TW0301", "{learner:?}: one row");
    let nothing = table.without(|name| name != "nothing");
    assert_eq!(code(&nothing, examples), "TW0303", "{learner:?}: no column");
}

/// Ten thousand levels beside one that matters: learned from in bounded size.
fn check_many_levels(learner: Learner) {
    let (base, driver) = table(12_000, 4);
    let mut columns = base.columns().to_vec();
    columns.push(column(
        "street",
        ColumnData::Category {
            codes: (0..12_000).map(|row| row % 10_000).collect(),
            levels: (0..10_000).map(|level| format!("street {level}")).collect(),
        },
    ));
    let table = Table::new(columns).unwrap();
    let mut params = params();
    params.mlp.epochs = 5;
    params.gbdt.trees = 20;
    let rows: Vec<usize> = (0..12_000).collect();
    let examples = examples(&Task::Binary, &driver, 4);
    let model = fit(learner, &table, &rows, &examples, &params, Seed(1))
        .unwrap()
        .0;
    let correlation = correlation(&margins(&model, &table), &driver);
    assert!(correlation > 0.75, "{learner:?}: {correlation}");
    assert!(
        serde_json::to_string(&model).unwrap().len() < 3_000_000,
        "{learner:?}"
    );
}

#[test]
fn the_net_keeps_the_contract() {
    tasks().iter().for_each(|task| check_model(Learner::Mlp, task));
}

#[test]
fn the_trees_keep_the_contract() {
    tasks().iter().for_each(|task| check_model(Learner::Gbdt, task));
}

#[test]
fn the_regression_keeps_the_contract() {
    tasks()
        .iter()
        .for_each(|task| check_model(Learner::Logistic, task));
}

#[test]
fn ten_thousand_levels_are_learned_from() {
    Learner::ALL.into_iter().for_each(check_many_levels);
}

#[test]
fn learners_are_found_by_their_names() {
    for learner in Learner::ALL {
        assert_eq!(Learner::from_name(learner.as_str()), Some(learner));
        assert_eq!(
            serde_json::to_string(&learner).unwrap(),
            format!("\"{}\"", learner.as_str())
        );
    }
    assert_eq!(Learner::from_name("forest"), None);
}
