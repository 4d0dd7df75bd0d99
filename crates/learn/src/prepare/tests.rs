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

#[test]
fn ten_thousand_levels_stay_bounded_and_rare_ones_are_pooled() {
    let names: Vec<String> = (0..20_000)
        .map(|row| format!("level {:05}", row % 10_000))
        .collect();
    let cells: Vec<&str> = names.iter().map(String::as_str).collect();
    let (training, scored) = (
        one("x", coded(&cells)),
        one("x", category(&["level 00001", "new", ""])),
    );
    let preparer = Preparer::fit(&training, &(0..20_000).collect::<Vec<_>>()).unwrap();
    let rows = [0, 1, 2];
    let dense = preparer.dense(&scored, &rows).unwrap();
    let raw = preparer.raw(&scored, &rows).unwrap();
    assert_eq!((dense.n_columns, raw.n_columns), (MAX_LEVELS + 1, 1));
    assert_eq!(
        raw.data[..2],
        [1.0, 10_000.0],
        "by frequency, then by name; unseen comes last"
    );
    assert!(raw.data[2].is_nan());
    assert!(
        dense.row(0)[1] > 0.0 && dense.row(1)[MAX_LEVELS] > 0.0,
        "an unseen level is other"
    );
    assert!(
        dense.row(2).iter().all(|cell| *cell < 0.0),
        "a missing cell is none of them"
    );
}

/// As [`category`], for many distinct cells.
fn coded(cells: &[&str]) -> ColumnData {
    let mut levels: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
    levels.sort();
    levels.dedup();
    let codes = cells
        .iter()
        .map(|cell| levels.binary_search(&(*cell).to_owned()).unwrap() as u32)
        .collect();
    ColumnData::Category { codes, levels }
}

#[test]
fn columns_that_say_nothing_are_left_out_whatever_their_kind() {
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    let table = Table::new(vec![
        column("constant", ColumnData::Number(vec![4.0; 3])),
        column("no number", ColumnData::Number(vec![f64::NAN; 3])),
        column("no level", category(&["", "", ""])),
        column("one level", category(&["a", "a", "a"])),
        column("no boolean", ColumnData::Boolean(vec![None; 3])),
        column("no date", ColumnData::Date(vec![None; 3])),
        column("no text", ColumnData::Text(vec![None; 3])),
        column("one text", ColumnData::Text(vec![Some("same".to_owned()); 3])),
        column("kept", ColumnData::Boolean(vec![Some(true), None, Some(true)])),
    ])
    .unwrap();
    let preparer = Preparer::fit_terms(&table, &[0, 1, 2]).unwrap();
    assert_eq!(
        preparer.features(),
        ["kept"],
        "whether it is missing is all there is"
    );
    assert_eq!(preparer.dense_names(), ["kept", "kept is missing"]);
    assert!(
        preparer
            .dense(&table, &[0, 1, 2])
            .unwrap()
            .data
            .iter()
            .all(|cell| cell.is_finite())
    );
}

#[test]
fn infinities_are_refused_with_row_and_column_in_training_and_in_scoring() {
    let with = |cell: f64| {
        let mut cells: Vec<f64> = (0..5000).map(f64::from).collect();
        cells[4321] = cell;
        one("spend", ColumnData::Number(cells))
    };
    let rows: Vec<usize> = (0..5000).collect();
    let preparer = Preparer::fit(&with(1.0), &rows).unwrap();
    for cell in [f64::INFINITY, f64::NEG_INFINITY] {
        let table = with(cell);
        let errors = [
            Preparer::fit(&table, &rows).unwrap_err(),
            preparer.dense(&table, &rows).unwrap_err(),
            preparer.raw(&table, &rows).unwrap_err(),
        ];
        for error in errors {
            assert!(
                error.code == "TW0304" && error.message.contains("\"spend\" is infinite in row 4322"),
                "{error}"
            );
        }
    }
    let dense = preparer.dense(&with(f64::NAN), &rows).unwrap();
    assert_eq!(
        dense.row(4321),
        preparer.dense(&with(2498.5), &rows).unwrap().row(4321),
        "NaN is missing: the median"
    );
}

#[test]
fn every_change_of_kind_is_refused_but_words_for_words() {
    let kinds = || {
        [
            ColumnData::Number(vec![1.0, 2.0, 3.0]),
            category(&["a", "b", "c"]),
            ColumnData::Boolean(vec![Some(true), Some(false), None]),
            ColumnData::Date(vec![Some(0), Some(86_400_000_000), None]),
            ColumnData::Text(["a", "b", "c"].map(|text| Some(text.to_owned())).to_vec()),
        ]
    };
    for training in kinds() {
        let table = one("x", training);
        let preparer = Preparer::fit_terms(&table, &[0, 1, 2]).unwrap();
        for scored in kinds() {
            let scored = one("x", scored);
            let (was, is) = (
                table.columns()[0].kind().as_str(),
                scored.columns()[0].kind().as_str(),
            );
            let words = |kind: &str| kind == "category" || kind == "text";
            let read = [
                preparer.dense(&scored, &[0, 1, 2]).map(|_| ()),
                preparer.raw(&scored, &[0, 1, 2]).map(|_| ()),
            ];
            for read in read {
                if was == is || (words(was) && words(is)) {
                    read.unwrap();
                    continue;
                }
                let error = read.unwrap_err();
                assert_eq!(error.code, "TW0306");
                assert!(
                    error.message.contains(was) && error.message.contains(is),
                    "{error}"
                );
            }
        }
        let lacking = one("y", ColumnData::Number(vec![1.0; 3]));
        assert_eq!(preparer.dense(&lacking, &[0]).unwrap_err().code, "TW0305");
        assert_eq!(preparer.raw(&lacking, &[0]).unwrap_err().code, "TW0305");
        assert_eq!(preparer.inputs(&lacking, &[0], false).unwrap_err().code, "TW0305");
    }
}

#[test]
fn words_of_a_text_find_the_levels_of_a_category() {
    let preparer = Preparer::fit(&one("x", category(&["a", "b", "b", ""])), &[0, 1, 2, 3]).unwrap();
    let as_text = ["b", "a", "new"]
        .map(|text| Some(text.to_owned()))
        .into_iter()
        .chain([None])
        .collect();
    let text = preparer
        .dense(&one("x", ColumnData::Text(as_text)), &[0, 1, 2, 3])
        .unwrap();
    let known = preparer
        .dense(&one("x", category(&["b", "a", "new", ""])), &[0, 1, 2, 3])
        .unwrap();
    assert_eq!(text, known);
}

#[test]
fn an_encoding_does_not_depend_on_which_rows_are_encoded_beside() {
    let n = 3000;
    let names: Vec<String> = (0..n).map(|row| format!("level {}", row * 7 % 60)).collect();
    let cells: Vec<&str> = names.iter().map(String::as_str).collect();
    let column = |name: &str, data| Column {
        name: name.to_owned(),
        data,
    };
    let number = |row: usize| {
        if row.is_multiple_of(11) {
            f64::NAN
        } else {
            (row * 37 % 101) as f64
        }
    };
    let table = Table::new(vec![
        column("level", category(&cells)),
        column("number", ColumnData::Number((0..n).map(number).collect())),
        column(
            "flag",
            ColumnData::Boolean((0..n).map(|row| (row % 5 > 0).then_some(row % 2 == 0)).collect()),
        ),
    ])
    .unwrap();
    let rows: Vec<usize> = (0..n).collect();
    let preparer = Preparer::fit(&table, &rows).unwrap();
    let all = preparer.dense(&table, &rows).unwrap();
    for row in [0, 1, 1023, 1024, 2999] {
        assert_eq!(
            preparer.dense(&table, &[row]).unwrap().row(0),
            all.row(row),
            "row {row}"
        );
    }
    // every column has mean 0 and standard deviation 1 over the training rows
    for index in 0..all.n_columns {
        let cells: Vec<f64> = rows.iter().map(|row| f64::from(all.row(*row)[index])).collect();
        let mean = cells.iter().sum::<f64>() / n as f64;
        let variance = cells
            .iter()
            .map(|cell| (cell - mean) * (cell - mean))
            .sum::<f64>()
            / n as f64;
        assert!(
            mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4,
            "{index}: {mean} {variance}"
        );
    }
}
