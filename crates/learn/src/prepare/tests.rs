//! What each kind of column becomes, and what is refused.

use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Table};

use super::{MAX_LEVELS, Preparer};

fn one(name: &str, data: ColumnData) -> Table {
    Table::new(vec![Column {
        name: name.to_owned(),
        data,
    }])
    .unwrap()
}

fn category(cells: &[&str]) -> ColumnData {
    let mut levels: Vec<String> = cells
        .iter()
        .filter(|cell| !cell.is_empty())
        .map(|cell| (*cell).to_owned())
        .collect();
    levels.sort();
    levels.dedup();
    let code = |cell: &&str| {
        levels
            .iter()
            .position(|level| level == cell)
            .map_or(MISSING_LEVEL, |code| code as u32)
    };
    ColumnData::Category {
        codes: cells.iter().map(code).collect(),
        levels,
    }
}

/// Fits on the training cells and encodes the scored ones: (dense rows, raw columns).
fn encode(training: ColumnData, scored: ColumnData) -> (Vec<Vec<f32>>, Vec<Vec<f64>>) {
    let (training, scored) = (one("x", training), one("x", scored));
    let preparer = Preparer::fit(&training, &(0..training.n_rows()).collect::<Vec<_>>()).unwrap();
    let rows: Vec<usize> = (0..scored.n_rows()).collect();
    let dense = preparer.dense(&scored, &rows).unwrap();
    let raw = preparer.raw(&scored, &rows).unwrap();
    (
        rows.iter().map(|row| dense.row(*row).to_vec()).collect(),
        raw.data.chunks(raw.n_rows).map(<[f64]>::to_vec).collect(),
    )
}

#[test]
fn numbers_are_standardised_by_their_training_rows() {
    let training = ColumnData::Number(vec![1.0, 2.0, 3.0, 4.0]);
    let (dense, raw) = encode(training.clone(), training);
    let sd = 1.25_f32.sqrt();
    for (row, expected) in dense.iter().zip([-1.5, -0.5, 0.5, 1.5]) {
        assert!(
            row.len() == 1 && (row[0] - expected / sd).abs() < 1e-6,
            "{dense:?}"
        );
    }
    assert_eq!(raw, [[1.0, 2.0, 3.0, 4.0]]);
}

#[test]
fn missing_numbers_become_the_training_median_with_an_indicator() {
    let (dense, raw) = encode(
        ColumnData::Number(vec![0.0, 2.0, f64::NAN, 10.0]),
        ColumnData::Number(vec![f64::NAN, 2.0]),
    );
    assert_eq!(dense[0][0], dense[1][0], "2 is the median");
    assert!(dense[0][1] > 0.0 && dense[1][1] < 0.0);
    assert!(raw[0][0].is_nan() && raw[0][1] == 2.0);
    // without missing cells in training there is no indicator, and the median stands in
    let (dense, _) = encode(
        ColumnData::Number(vec![0.0, 2.0, 10.0]),
        ColumnData::Number(vec![f64::NAN, 2.0]),
    );
    assert_eq!((dense[0].len(), dense[0][0]), (1, dense[1][0]));
}

#[test]
fn an_odd_number_cannot_throw_the_scale_off() {
    let mut cells: Vec<f64> = (0..100).map(f64::from).collect();
    cells.push(1e12);
    let (dense, _) = encode(
        ColumnData::Number(cells),
        ColumnData::Number(vec![0.0, 99.0, -1e300]),
    );
    assert!(
        dense[1][0] - dense[0][0] > 2.0,
        "the others still differ: {dense:?}"
    );
    assert_eq!(dense[2][0], dense[0][0], "clipped to the lowest of training");
}

#[test]
fn categories_are_one_hot_and_an_unseen_level_sets_none() {
    let (dense, raw) = encode(
        category(&["a", "b", "b", "c"]),
        category(&["a", "b", "c", "new", ""]),
    );
    assert_eq!(
        (dense[0].len(), raw.len()),
        (3, 3),
        "most frequent first: b, a, c"
    );
    assert_eq!(raw[0][..4], [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(raw[1][..4], [1.0, 0.0, 0.0, 0.0]);
    assert!(raw.iter().all(|column| column[4].is_nan()));
    assert!(dense[3].iter().all(|cell| *cell < 0.0), "{:?}", dense[3]);
    assert_eq!(dense[3], dense[4]);
}

#[test]
fn missing_categories_are_a_level_if_training_had_them() {
    let (dense, raw) = encode(category(&["a", "b", "", "a"]), category(&["", "a", "b"]));
    assert_eq!(
        (dense[0].len(), raw.len()),
        (3, 1),
        "two levels need one raw column"
    );
    assert!(dense[0][2] > 0.0 && dense[1][2] < 0.0 && dense[2][2] < 0.0);
    assert!(raw[0][0].is_nan() && raw[0][1] == 0.0 && raw[0][2] == 1.0);
}

#[test]
fn levels_beyond_fifty_are_pooled_for_nets_and_ranked_for_trees() {
    let names: Vec<String> = (0..60)
        .flat_map(|level| vec![format!("level {level:02}"); 61 - level])
        .collect();
    let cells: Vec<&str> = names.iter().map(String::as_str).collect();
    let (dense, raw) = encode(
        category(&cells),
        category(&["level 00", "level 59", "never seen"]),
    );
    assert_eq!((dense[0].len(), raw.len()), (MAX_LEVELS + 1, 1));
    assert!(dense[0][0] > 0.0 && dense[0][MAX_LEVELS] < 0.0);
    assert!(
        dense[1][MAX_LEVELS] > 0.0 && dense[2][MAX_LEVELS] > 0.0,
        "rare and unseen are other"
    );
    assert_eq!(raw[0], [0.0, 59.0, 60.0]);
}

#[test]
fn booleans_and_dates_are_numbers() {
    let (_, raw) = encode(
        ColumnData::Boolean(vec![Some(true), Some(false), None]),
        ColumnData::Boolean(vec![Some(true), Some(false)]),
    );
    assert_eq!(raw, [[1.0, 0.0]]);
    let days = |days: i64| Some(days * 86_400_000_000);
    let (_, raw) = encode(
        ColumnData::Date(vec![days(1), days(3)]),
        ColumnData::Date(vec![days(7)]),
    );
    assert_eq!(raw, [[7.0]]);
}

fn mixed() -> Table {
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    Table::new(vec![
        column("same", ColumnData::Number(vec![4.0; 3])),
        column("plan", category(&["a", "b", "c"])),
        column("note", ColumnData::Text(vec![None; 3])),
        column("age", ColumnData::Number(vec![1.0, 2.0, f64::NAN])),
    ])
    .unwrap()
}

#[test]
fn encoded_columns_lead_back_to_their_features() {
    let preparer = Preparer::fit(&mixed(), &[0, 1, 2]).unwrap();
    assert_eq!(preparer.features(), ["plan", "age"]);
    assert_eq!(preparer.ignored(), ["note"]);
    assert_eq!(preparer.dense_sources(), [0, 0, 0, 1, 1]);
    assert_eq!(preparer.raw_sources(), [0, 0, 0, 1]);
    assert_eq!(
        preparer.dense_names(),
        ["plan = a", "plan = b", "plan = c", "age", "age is missing"]
    );
}

#[test]
fn the_schema_says_what_rows_to_score_must_fit() {
    let schema = Preparer::fit(&mixed(), &[0, 1, 2]).unwrap().schema();
    let said: Vec<_> = schema
        .iter()
        .map(|column| {
            (
                column.name.as_str(),
                column.kind.as_str(),
                column.levels.join(","),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("plan", "category", "a,b,c".to_owned()),
            ("age", "number", String::new())
        ]
    );
}

#[test]
fn only_training_rows_are_learned_from() {
    let table = mixed();
    let preparer = Preparer::fit(&table, &[0, 1]).unwrap();
    assert_eq!(preparer.dense_names(), ["plan = a", "plan = b", "age"]);
}

#[test]
fn a_table_of_another_shape_is_refused_with_the_column() {
    let preparer = Preparer::fit(&mixed(), &[0, 1, 2]).unwrap();
    let error = preparer
        .dense(&mixed().without(|name| name == "age"), &[0])
        .unwrap_err();
    assert!(
        error.code == "TW0305" && error.message.contains("\"age\""),
        "{error}"
    );
    let changed = |data| {
        let mut columns = mixed().columns().to_vec();
        columns[3].data = data;
        Table::new(columns).unwrap()
    };
    let error = preparer
        .raw(&changed(category(&["old", "young", ""])), &[0])
        .unwrap_err();
    assert!(
        error.code == "TW0306" && error.message.contains("category"),
        "{error}"
    );
    // without a single value there is nothing to disagree about
    let empty = changed(ColumnData::Text(vec![None; 3]));
    assert!(preparer.raw(&empty, &[0]).unwrap().data[3].is_nan());
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let constant = one("x", ColumnData::Number(vec![1.0; 3]));
    assert_eq!(Preparer::fit(&constant, &[0, 1, 2]).unwrap_err().code, "TW0303");
    assert_eq!(Preparer::fit(&constant, &[]).unwrap_err().code, "TW0303");
    let infinite = one("x", ColumnData::Number(vec![1.0, f64::INFINITY]));
    assert_eq!(Preparer::fit(&infinite, &[0, 1]).unwrap_err().code, "TW0304");
}
