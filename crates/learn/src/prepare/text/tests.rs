//! Tokens worked by hand, TF-IDF against scikit-learn (`bench/fixtures/linear.py`), scores that hold on new rows.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, Seed, Table};

use super::tokens::{Analyzer, fold, tokens};
use super::vectoriser::Vectoriser;
use std::collections::BTreeMap;

use crate::prepare::Preparer;
use crate::task::{Examples, Task};

fn terms(analyzer: Analyzer, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    analyzer.terms(&fold(text), &mut |term| found.push(term.to_owned()));
    found
}

#[test]
fn words_keep_accents_marks_and_inner_apostrophes() {
    assert_eq!(
        tokens(&fold("Don’t  SAY “Élan” 2x! e\u{301}té, 'so'")),
        [
            "don't",
            "say",
            "“",
            "élan",
            "”",
            "2x",
            "!",
            "e\u{301}té",
            ",",
            "'",
            "so",
            "'"
        ]
    );
    assert_eq!(
        tokens(&fold("ＧＯＯＤ！ 房间2M宽")),
        ["good", "!", "房", "间", "2m", "宽"]
    );
    assert!(tokens(" \t\n").is_empty() && tokens("").is_empty());
}

#[test]
fn terms_are_runs_of_words_parts_of_words_and_runs_of_characters() {
    assert_eq!(
        terms(Analyzer::Words, "no way!"),
        ["no", "no way", "way", "way !", "!"]
    );
    assert_eq!(
        terms(Analyzer::WordParts, "ab!"),
        [" a", " ab", " ab ", "ab", "ab ", "b "]
    );
    assert_eq!(
        terms(Analyzer::Characters, "很好。"),
        ["很", "很好", "很好。", "好", "好。", "。"]
    );
}

#[test]
fn scripts_without_spaces_are_read_by_characters() {
    let of = |texts: &[&str]| Analyzer::of(texts.iter().copied());
    assert_eq!(of(&["房间很大 wifi"]), [Analyzer::Characters]);
    assert_eq!(of(&["ห้องสะอาด"]), [Analyzer::Characters]);
    assert_eq!(of(&["the room was 大"]), [Analyzer::Words, Analyzer::WordParts]);
    assert_eq!(of(&[]), [Analyzer::Words, Analyzer::WordParts]);
}

#[test]
fn tf_idf_agrees_with_scikit_learn() {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/linear.json")).unwrap();
    for case in all["tfidf"].as_array().unwrap() {
        let texts: Vec<String> = serde_json::from_value(case["texts"].clone()).unwrap();
        let names: Vec<String> = serde_json::from_value(case["terms"].clone()).unwrap();
        let cells: Vec<Vec<f64>> = serde_json::from_value(case["cells"].clone()).unwrap();
        let some: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
        let vectoriser = Vectoriser::fit(&some);
        let n_first = vectoriser.first_width();
        assert_eq!(n_first, names.len());
        // with word parts beside the words, each of the two has half of the square of the norm
        let share = if vectoriser.width() > n_first {
            0.5_f64.sqrt()
        } else {
            1.0
        };
        for (text, cells) in some.iter().zip(&cells) {
            let row = vectoriser.weights(*text);
            let mut found = vec![0.0; n_first];
            row.iter()
                .filter(|(term, _)| (*term as usize) < n_first)
                .for_each(|(term, weight)| found[*term as usize] = f64::from(*weight) / share);
            for (number, name) in names.iter().enumerate() {
                let own = (0..n_first as u32)
                    .find(|term| vectoriser.term(*term) == name)
                    .unwrap();
                assert!(
                    (found[own as usize] - cells[number]).abs() < 1e-6,
                    "{name} in {text:?}"
                );
            }
        }
    }
}

#[test]
fn a_vectoriser_survives_json_and_knows_missing_from_unknown_words() {
    let texts = [Some("good room"), Some("good food"), None, Some("bad room")];
    let vectoriser = Vectoriser::fit(&texts);
    let json = serde_json::to_string(&vectoriser).unwrap();
    let again: Vectoriser = serde_json::from_str(&json).unwrap();
    assert_eq!(vectoriser, again);
    for text in [Some("good room, good food"), Some("zzz"), Some(""), None] {
        assert_eq!(vectoriser.weights(text), again.weights(text));
    }
    assert!(vectoriser.weights(Some("xyz")).is_empty() && vectoriser.weights(None).is_empty());
    let norm: f32 = vectoriser
        .weights(Some("good room"))
        .iter()
        .map(|(_, weight)| weight * weight)
        .sum();
    assert!((norm - 1.0).abs() < 1e-6);
}

/// Verbatims of `n` customers: the outcome hangs on two words among many, and on a number.
pub(super) fn verbatims(n: usize, seed: u64) -> (Table, Examples) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut texts, mut numbers, mut target) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..n {
        let mut words: Vec<String> = (0..8)
            .map(|_| format!("word{}", rng.random_range(0..300)))
            .collect();
        let mood: f64 = rng.random();
        if mood < 0.6 {
            words.insert(
                3,
                if mood < 0.3 {
                    "delighted".to_owned()
                } else {
                    "furious".to_owned()
                },
            );
        }
        let number: f64 = rng.random_range(-1.0..1.0);
        let score = number
            + if mood < 0.3 {
                2.0
            } else if mood < 0.6 {
                -2.0
            } else {
                0.0
            };
        target.push(f64::from(rng.random::<f64>() < crate::models::sigmoid(score)));
        texts.push((row % 17 != 0).then(|| words.join(" ")));
        numbers.push(number);
    }
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    let table = Table::new(vec![
        column("verbatim", ColumnData::Text(texts)),
        column("number", ColumnData::Number(numbers)),
    ])
    .unwrap();
    let examples = Examples {
        task: Task::Binary,
        target,
        weight: vec![1.0; n],
        group: (0..n as u64).collect(),
    };
    (table, examples)
}

#[test]
fn training_rows_get_scores_that_never_saw_them() {
    let (table, examples) = verbatims(1200, 1);
    let rows: Vec<usize> = (0..1200).collect();
    let (preparer, training) =
        Preparer::fit_supervised(&table, &rows, &examples, (&BTreeMap::new(), Seed(1))).unwrap();
    let training = training.unwrap();
    assert!(
        training.column("verbatim").is_none(),
        "the text itself is not kept twice"
    );
    let names = preparer.dense_names();
    let score = names.iter().position(|name| name == "verbatim: score").unwrap();
    let auc = |table: &Table, target: &[f64]| {
        let rows: Vec<usize> = (0..table.columns()[0].len()).collect();
        let x = preparer.dense(table, &rows).unwrap();
        let scores = |class: f64| {
            let x = &x;
            rows.iter()
                .filter(move |row| target[**row] == class)
                .map(move |row| x.row(*row)[score])
        };
        let above = scores(1.0)
            .map(|p| scores(0.0).filter(|n| p > *n).count())
            .sum::<usize>();
        above as f64 / (scores(1.0).count() * scores(0.0).count()) as f64
    };
    let (fresh, fresh_examples) = verbatims(1200, 2);
    let (out_of_fold, new, seen) = (
        auc(&training, &examples.target),
        auc(&fresh, &fresh_examples.target),
        auc(&table, &examples.target),
    );
    assert!(new > 0.7, "{new}");
    assert!(
        (out_of_fold - new).abs() < 0.04,
        "out of fold {out_of_fold}, new {new}"
    );
    assert!(
        seen > out_of_fold + 0.02,
        "the model of all rows flatters them: {seen} {out_of_fold}"
    );
}

#[test]
fn the_same_seed_gives_the_same_scores_with_any_number_of_threads() {
    let (table, examples) = verbatims(300, 3);
    let rows: Vec<usize> = (0..300).collect();
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let (preparer, training) =
                Preparer::fit_supervised(&table, &rows, &examples, (&BTreeMap::new(), Seed(4))).unwrap();
            let x = preparer.dense(&training.unwrap(), &rows).unwrap();
            (serde_json::to_string(&preparer).unwrap(), x)
        })
    };
    assert!(with_threads(1) == with_threads(4));
}

#[test]
fn words_are_read_from_categories_and_empty_columns_too() {
    let (table, examples) = verbatims(300, 5);
    let rows: Vec<usize> = (0..300).collect();
    let (preparer, _) =
        Preparer::fit_supervised(&table, &rows, &examples, (&BTreeMap::new(), Seed(4))).unwrap();
    let with = |data| {
        let mut columns = table.columns().to_vec();
        columns[0].data = data;
        preparer.dense(&Table::new(columns).unwrap(), &rows)
    };
    let all_same = |text: Option<&str>| ColumnData::Text(vec![text.map(str::to_owned); 300]);
    let as_category = ColumnData::Category {
        codes: vec![0; 300],
        levels: vec!["so delighted".to_owned()],
    };
    assert_eq!(
        with(as_category).unwrap(),
        with(all_same(Some("so delighted"))).unwrap()
    );
    assert_eq!(
        with(ColumnData::Number(vec![f64::NAN; 300])).unwrap(),
        with(all_same(None)).unwrap()
    );
    assert_eq!(
        with(ColumnData::Number(vec![1.0; 300])).unwrap_err().code,
        "TW0306"
    );
    assert!(
        with(all_same(Some("")))
            .unwrap()
            .data
            .iter()
            .all(|cell| cell.is_finite())
    );
}

#[test]
fn reasons_name_the_words_that_push() {
    let (table, examples) = verbatims(1200, 6);
    let rows: Vec<usize> = (0..1200).collect();
    let (preparer, _) =
        Preparer::fit_supervised(&table, &rows, &examples, (&BTreeMap::new(), Seed(4))).unwrap();
    let said = Table::new(vec![
        Column {
            name: "verbatim".to_owned(),
            data: ColumnData::Text(vec![Some("word1 furious word2".to_owned()), None]),
        },
        Column {
            name: "number".to_owned(),
            data: ColumnData::Number(vec![0.0, 0.0]),
        },
    ])
    .unwrap();
    let reasons = preparer.text_reasons(&said, &[0, 1], None, (0, 1, 3)).unwrap();
    assert_eq!((reasons.len(), reasons[0].column.as_str()), (1, "verbatim"));
    let (term, push) = &reasons[0].rows[0][0];
    assert!(term == "furious" && *push < 0.0, "{reasons:?}");
    assert!(reasons[0].rows[0].len() == 3 && reasons[0].rows[1].is_empty());
}
