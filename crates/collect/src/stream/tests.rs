//! Batches fit their schema whatever the format; what does not fit is named with its place.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, StringArray,
};
use datafusion::arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;
use thalweg_domain::{Column, ColumnKind, ColumnSchema, Error, Table};

use super::{BATCH_ROWS, Batch, OutColumn, OutData, Sink, SinkFormat, Stream, StreamSpec, Tally};
use crate::arrow::batch;
use crate::spec::MissingTokens;

const KINDS: [(&str, ColumnKind, &[&str]); 4] = [
    ("age", ColumnKind::Number, &[]),
    ("plan", ColumnKind::Category, &["basic", "plus"]),
    ("vip", ColumnKind::Boolean, &[]),
    ("since", ColumnKind::Date, &[]),
];

const CSV: &str = "id,since,age,plan,vip,note\n\
    007,2026-01-02,31,plus,true,\"a, b\"\n\
    008,,NA,gold,FALSE,\n\
    009,1970-01-01,2.5,,,x\n";
const JSON: &str = r#"{"id":"007","since":"2026-01-02","age":31,"plan":"plus","vip":true,"note":"a, b"}
{"id":"008","age":null,"plan":"gold","vip":false,"extra":{"a":[1]}}

{"id":"009","since":"1970-01-01","age":"2.5","note":"x"}
"#;

fn spec(folder: &Path, pattern: &str) -> StreamSpec {
    let column = |(name, kind, levels): &(&str, ColumnKind, &[&str])| ColumnSchema {
        name: (*name).to_owned(),
        kind: *kind,
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
    };
    StreamSpec {
        base: folder.to_owned(),
        pattern: pattern.to_owned(),
        columns: KINDS.iter().map(column).collect(),
        missing: MissingTokens::new(),
        carried: vec!["id".to_owned(), "note".to_owned()],
    }
}

fn batches(spec: &StreamSpec) -> Result<Vec<Batch>, Error> {
    let mut stream = Stream::open(spec)?;
    let mut found = Vec::new();
    while let Some(piece) = stream.next_piece()? {
        piece.read(|batch| {
            found.push(batch);
            Ok(())
        })?;
    }
    Ok(found)
}

fn all(spec: &StreamSpec) -> Result<(Table, Tally), Error> {
    let (mut table, mut tally): (Option<Table>, _) = (None, Tally::default());
    for batch in batches(spec)? {
        tally.add(&batch.tally);
        table = Some(match table {
            None => batch.table,
            Some(before) => before.stack(&batch.table)?,
        });
    }
    tally.check(&spec.pattern)?;
    Ok((table.unwrap(), tally))
}

fn in_folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn text(column: &Column) -> Vec<String> {
    (0..column.len()).map(|row| column.cell_text(row)).collect()
}

/// The three rows of [`CSV`], typed.
fn write_parquet(path: &Path, columns: Vec<(String, ArrayRef)>, group: usize) {
    let rows = batch(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .build();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(path).unwrap(), rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
}

fn typed_rows() -> Vec<(String, ArrayRef)> {
    let plan: DictionaryArray<Int32Type> = [Some("plus"), Some("gold"), None].into_iter().collect();
    vec![
        (
            "note".to_owned(),
            Arc::new(StringArray::from(vec![Some("a, b"), None, Some("x")])),
        ),
        (
            "since".to_owned(),
            Arc::new(Date32Array::from(vec![Some(20_455), None, Some(0)])),
        ),
        ("plan".to_owned(), Arc::new(plan)),
        (
            "age".to_owned(),
            Arc::new(Float64Array::from(vec![Some(31.0), None, Some(2.5)])),
        ),
        (
            "vip".to_owned(),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        ),
        (
            "id".to_owned(),
            Arc::new(StringArray::from(vec!["007", "008", "009"])),
        ),
    ]
}

#[test]
fn every_format_gives_the_same_table_and_counts() {
    let folder = in_folder(&[("a.csv", CSV), ("a.jsonl", JSON)]);
    write_parquet(&folder.path().join("a.parquet"), typed_rows(), 2);
    for file in ["a.csv", "a.jsonl", "a.parquet"] {
        let (table, tally) = all(&spec(folder.path(), file)).unwrap();
        let columns: Vec<_> = table.columns().iter().map(text).collect();
        assert_eq!(columns[0], ["31", "", "2.5"], "{file}");
        assert_eq!(columns[1], ["plus", "gold", ""], "{file}");
        assert_eq!(columns[2], ["true", "false", ""], "{file}");
        assert_eq!(columns[3], ["1767312000000000", "", "0"], "{file}");
        let missing: Vec<u64> = tally.columns.iter().map(|column| column.missing).collect();
        assert_eq!((tally.rows, missing), (3, vec![1, 1, 1, 1]), "{file}");
        let noted: Vec<u64> = tally.carried.iter().map(|column| column.missing).collect();
        assert_eq!(noted, [0, 1], "{file}");
        assert_eq!(
            (tally.columns[1].unseen, tally.columns[1].examples.clone()),
            (1, vec!["gold".to_owned()]),
            "{file}"
        );
    }
}

#[test]
fn what_was_carried_and_the_results_are_written_in_order() {
    let folder = in_folder(&[("a.csv", CSV)]);
    write_parquet(&folder.path().join("a.parquet"), typed_rows(), 2);
    let results = [
        OutColumn {
            name: "p".to_owned(),
            is_text: false,
        },
        OutColumn {
            name: "label".to_owned(),
            is_text: true,
        },
    ];
    for file in ["a.csv", "a.parquet"] {
        for out in ["out.csv", "out.parquet"] {
            let (spec, path) = (spec(folder.path(), file), folder.path().join(out));
            let stream = Stream::open(&spec).unwrap();
            let format = SinkFormat::new(&path, &stream, &results).unwrap();
            let mut sink = Sink::create(&format).unwrap();
            let mut p = 0.0;
            for batch in batches(&spec).unwrap() {
                let cells = (0..batch.n_rows()).map(|_| {
                    p += 0.25;
                    p
                });
                let labels: Arc<[String]> = ["no".to_owned(), "y,es".to_owned()].into();
                let data = vec![
                    OutData::Number(cells.collect()),
                    OutData::Label(vec![1; batch.n_rows()], labels),
                ];
                let mut block = format.block();
                format.encode(&batch, data, &mut block).unwrap();
                sink.write(block).unwrap();
            }
            assert!(!path.exists(), "nothing is there before it is finished");
            sink.finish().unwrap();
            let table = crate::read_source(folder.path(), out, &MissingTokens::new()).unwrap();
            let columns: Vec<_> = table.columns().iter().map(text).collect();
            assert_eq!(columns[0], ["007", "008", "009"], "{file} {out}");
            assert_eq!(columns[1], ["a, b", "", "x"], "{file} {out}");
            assert_eq!(columns[2], ["0.25", "0.5", "0.75"], "{file} {out}");
            assert_eq!(columns[3], ["y,es"; 3], "{file} {out}");
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn an_unfinished_output_leaves_nothing_behind() {
    let folder = in_folder(&[("a.csv", CSV)]);
    let stream = Stream::open(&spec(folder.path(), "a.csv")).unwrap();
    let format = SinkFormat::new(&folder.path().join("out/s.csv"), &stream, &[]).unwrap();
    drop(Sink::create(&format).unwrap());
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 0);
}

#[test]
fn rows_come_in_bounded_batches_with_their_numbers() {
    let n = BATCH_ROWS * 2 + 5;
    let lines: String = (0..n).map(|row| format!("{row},{}\n", row % 7)).collect();
    let folder = in_folder(&[("a.csv", &format!("id,age\n{lines}")), ("b.csv", "age,id\n1,x\n")]);
    let rows = batch(vec![(
        "age".to_owned(),
        Arc::new(Int32Array::from_iter_values(0..300_000)) as ArrayRef,
    )])
    .unwrap();
    // one row group that is read batch after batch, and small ones that are read whole
    for (name, group) in [("one.parquet", 300_000), ("many.parquet", 50_000)] {
        write_parquet(
            &folder.path().join(name),
            vec![("age".to_owned(), Arc::clone(rows.column(0)))],
            group,
        );
    }
    let only_age = |pattern: &str, carried: &[&str]| {
        let mut spec = spec(folder.path(), pattern);
        spec.columns.truncate(1);
        spec.carried = carried.iter().map(|name| (*name).to_owned()).collect();
        batches(&spec).unwrap()
    };
    let found = only_age("*.csv", &["id"]);
    let firsts: Vec<u64> = found.iter().map(|batch| batch.first_row).collect();
    let size = BATCH_ROWS as u64;
    assert_eq!(firsts, [1, size + 1, 2 * size + 1, 2 * size + 6]);
    for name in ["one.parquet", "many.parquet"] {
        let mut next = 0.0;
        for batch in only_age(name, &[]) {
            assert!(batch.n_rows() <= BATCH_ROWS && batch.first_row as f64 == next + 1.0);
            let thalweg_domain::ColumnData::Number(cells) = &batch.table.columns()[0].data else {
                panic!("numbers");
            };
            for cell in cells {
                assert_eq!(*cell, next);
                next += 1.0;
            }
        }
        assert_eq!(next, 300_000.0, "{name}");
    }
}

#[test]
fn listed_texts_are_missing_and_codes_stay_levels() {
    let folder = in_folder(&[("a.csv", "age,plan\n?,00501\n-1,00502\n")]);
    let mut spec = spec(folder.path(), "a.csv");
    spec.columns.truncate(2);
    spec.columns[1].levels = vec!["00501".to_owned(), "00777".to_owned()];
    spec.carried.clear();
    spec.missing
        .insert("age".to_owned(), vec!["?".to_owned(), "-1".to_owned()]);
    let (table, tally) = all(&spec).unwrap();
    assert_eq!(tally.columns[0].missing, 2);
    assert_eq!(text(&table.columns()[1]), ["00501", "00502"]);
    assert_eq!(tally.columns[1].unseen, 1);
    write_parquet(
        &folder.path().join("a.parquet"),
        vec![
            (
                "age".to_owned(),
                Arc::new(Float64Array::from(vec![-1.0, 3.0])) as ArrayRef,
            ),
            ("plan".to_owned(), Arc::new(StringArray::from(vec!["00501", ""]))),
        ],
        10,
    );
    spec.pattern = "a.parquet".to_owned();
    let (table, tally) = all(&spec).unwrap();
    assert_eq!(text(&table.columns()[0]), ["", "3"]);
    assert_eq!((tally.columns[0].missing, tally.columns[1].missing), (1, 1));
}

/// What reading everything ends with: code, line, column and words of the message.
fn refused(files: &[(&str, &str)], pattern: &str, expected: (&str, Option<u64>, Option<&str>), says: &str) {
    let folder = in_folder(files);
    let Err(error) = all(&spec(folder.path(), pattern)) else {
        panic!("{pattern} {says}: it was read");
    };
    let place = error.at.clone().unwrap_or_default();
    assert_eq!(
        (error.code, place.row, place.column.as_deref()),
        expected,
        "{error}"
    );
    assert!(error.message.contains(says), "{error}");
    assert!(error.hint.is_some(), "{error}");
}

#[test]
fn text_that_does_not_fit_is_refused_with_its_place() {
    let head = "id,age,plan,vip,since,note\n";
    let csv = |rows: &str| format!("{head}{rows}");
    let check = |rows: &str, expected: (&str, Option<u64>, Option<&str>), says: &str| {
        refused(&[("a.csv", &csv(rows))], "a.csv", expected, says);
    };
    let good = "1,2,plus,,,\n";
    check(
        &format!("{good}\n\"x\ny\",twenty,plus,,,\n"),
        ("TW0306", Some(4), Some("age")),
        "\"twenty\"",
    );
    check(
        &format!("{good}2,inf,plus,,,\n"),
        ("TW0223", Some(3), Some("age")),
        "infinite",
    );
    check("1,2,plus,maybe,,\n", ("TW0306", Some(2), Some("vip")), "boolean");
    check(
        "1,2,plus,,2026-13-01,\n",
        ("TW0306", Some(2), Some("since")),
        "date",
    );
    check("1,00501,plus,,,\n", ("TW0306", Some(2), Some("age")), "number");
    check(
        "1,2,3,,,\n2,2,7.5,,,\n",
        ("TW0306", None, Some("plan")),
        "category",
    );
    check(
        &format!("{good}2,3,plus,,\n"),
        ("TW0209", Some(3), None),
        "5 cells",
    );
    check(
        &format!("{good}2,3,\"plus,,,\nmore\n"),
        ("TW0209", Some(3), None),
        "cells",
    );
    check("", ("TW0206", None, None), "no rows");
    let json = |line: &str, expected: (&str, Option<u64>, Option<&str>), says: &str| {
        let good = r#"{"id":1,"note":2,"age":1,"plan":"plus","vip":true,"since":null}"#;
        refused(
            &[("a.jsonl", &format!("{good}\n{line}\n"))],
            "a.jsonl",
            expected,
            says,
        );
    };
    json(r#"{"age":"twenty"}"#, ("TW0306", Some(2), Some("age")), "twenty");
    json(r#"{"age":1,"age":2}"#, ("TW0208", Some(2), Some("age")), "twice");
    json(r#"{"age":[1]}"#, ("TW0306", Some(2), Some("age")), "list");
    json(r#"{"age":1"#, ("TW0218", Some(2), None), "JSON");
    json("7", ("TW0218", Some(2), None), "JSON");
}

#[test]
fn files_without_what_is_needed_are_refused() {
    let check = |file: (&str, &str), expected: (&str, Option<u64>, Option<&str>), says: &str| {
        refused(&[file], file.0, expected, says);
    };
    check(("a.csv", " \n"), ("TW0202", None, None), "empty");
    check(("a.jsonl", "\n"), ("TW0202", None, None), "empty");
    check(("a.parquet", ""), ("TW0202", None, None), "empty");
    check(("a.parquet", "no"), ("TW0217", None, None), "Parquet");
    check(("a.xlsx", "no"), ("TW0216", None, None), "kind");
    check(
        ("a.csv", "id,note,plan,vip,since,ages\n1,2,plus,,,3\n"),
        ("TW0305", None, Some("age")),
        "\"age\"",
    );
    check(
        ("a.csv", "id,age,plan,vip,since\n1,2,plus,,\n"),
        ("TW0211", None, Some("note")),
        "carry",
    );
    check(
        ("a.csv", "id,note,age,age,plan,vip,since\n1,2,3,3,plus,,\n"),
        ("TW0208", Some(1), Some("age")),
        "two columns",
    );
    check(
        ("a.csv", "id;age\n1;2\n"),
        ("TW0207", Some(1), None),
        "semicolons",
    );
    check(
        (
            "a.jsonl",
            "{\"id\":1,\"note\":2,\"plan\":\"plus\",\"vip\":true,\"since\":null}\n",
        ),
        ("TW0305", None, Some("age")),
        "\"age\"",
    );
    check(
        (
            "a.jsonl",
            "{\"id\":1,\"age\":2,\"plan\":\"plus\",\"vip\":true,\"since\":null}\n",
        ),
        ("TW0211", None, Some("note")),
        "carry",
    );
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(all(&spec(folder.path(), "none.csv")).unwrap_err().code, "TW0201");
    assert_eq!(all(&spec(folder.path(), "*.csv")).unwrap_err().code, "TW0222");
}

#[test]
fn a_typed_column_of_another_kind_is_refused_before_any_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = typed_rows();
    rows[3].1 = Arc::new(BooleanArray::from(vec![true, false, true]));
    write_parquet(&folder.path().join("a.parquet"), rows, 10);
    let error = Stream::open(&spec(folder.path(), "a.parquet")).err().unwrap();
    assert!(
        error.code == "TW0306" && error.message.contains("boolean"),
        "{error}"
    );
    let mut rows = typed_rows();
    rows[3].1 = Arc::new(Float64Array::from(vec![1.0, f64::INFINITY, 2.0]));
    write_parquet(&folder.path().join("b.parquet"), rows, 2);
    let error = all(&spec(folder.path(), "b.parquet")).unwrap_err();
    assert_eq!(
        (error.code, error.at.and_then(|place| place.row)),
        ("TW0223", Some(2))
    );
}

#[test]
fn an_output_that_cannot_be_is_refused_before_it_is_begun() {
    let folder = in_folder(&[("a.csv", CSV)]);
    let stream = Stream::open(&spec(folder.path(), "a.csv")).unwrap();
    let results = |name: &str| {
        vec![OutColumn {
            name: name.to_owned(),
            is_text: false,
        }]
    };
    let refuse = |out: &str, result: &str| {
        SinkFormat::new(&folder.path().join(out), &stream, &results(result))
            .unwrap_err()
            .code
    };
    assert_eq!(refuse("out.csv", "note"), "TW0235");
    assert_eq!(refuse("out.xlsx", "p"), "TW0236");
    assert_eq!(refuse("a.csv", "p"), "TW0237");
}
