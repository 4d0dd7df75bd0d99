//! Formats, encodings, line ends, patterns and types.

use std::collections::BTreeMap;

use super::{Folder, cells, kinds, numbers};
use crate::{MissingTokens, read_source};

fn read(name: &str, bytes: &[u8]) -> thalweg_domain::Table {
    let folder = Folder::new(&[]);
    folder.put(name, bytes);
    read_source(folder.path(), name, &BTreeMap::new()).unwrap()
}

#[test]
fn line_ends_and_a_byte_order_mark_make_no_difference() {
    let plain = "id,note,age\nA,\"two\nlines\",1\n\nB,\"say \"\"hi\"\", ok\",2\nC,x,3";
    let expected = read("a.csv", plain.as_bytes());
    assert_eq!(cells(&expected, "note"), ["two\nlines", "say \"hi\", ok", "x"]);
    assert_eq!(numbers(&expected, "age"), [1.0, 2.0, 3.0]);
    for end in ["\r\n", "\r"] {
        let unquoted = "id,age\nA,1\nB,2\n";
        assert_eq!(
            read("a.csv", unquoted.replace('\n', end).as_bytes()),
            read("a.csv", unquoted.as_bytes()),
            "{end:?}"
        );
    }
    let marked = format!("\u{feff}{plain}\n");
    assert_eq!(read("a.csv", marked.as_bytes()), expected);
}

#[test]
fn kinds_follow_the_whole_file() {
    let table = read(
        "a.csv",
        b"n,b,d,c,zip,yn,verbatim,empty\n\
          1,true,2026-01-31,x,00501,Yes,the parcel came three days late,\n\
          -2.5e1,False,2026-01-31T10:00:00Z,y,10001,No,nobody answered the telephone,NA\n\
          NA,null,,NaN,NA,Yes,I would buy from you again,null\n",
    );
    let expected = [
        ("n", "number"),
        ("b", "boolean"),
        ("d", "date"),
        ("c", "category"),
        ("zip", "category"),
        ("yn", "category"),
        ("verbatim", "text"),
        ("empty", "number"),
    ];
    assert_eq!(kinds(&table), expected);
    let missing: Vec<usize> = table
        .columns()
        .iter()
        .map(thalweg_domain::Column::n_missing)
        .collect();
    assert_eq!(missing, [1, 1, 1, 1, 1, 0, 0, 3]);
    assert_eq!(cells(&table, "zip"), ["00501", "10001", ""]);
}

#[test]
fn a_late_word_makes_a_short_column_a_category() {
    let table = read("a.csv", b"n\n1\n2\n3\nx\n");
    assert_eq!(kinds(&table), [("n", "category")]);
}

#[test]
fn listed_tokens_are_missing() {
    let folder = Folder::new(&[("a.csv", "n,c\n1,?\n?,x\n-9,y\n")]);
    let missing: MissingTokens = BTreeMap::from([("n".to_owned(), vec!["?".to_owned(), "-9".to_owned()])]);
    let table = read_source(folder.path(), "a.csv", &missing).unwrap();
    assert!(
        numbers(&table, "n")
            .iter()
            .map(|n| n.is_nan())
            .eq([false, true, true])
    );
    assert_eq!(cells(&table, "c"), ["?", "x", "y"], "tokens are per column");
}

#[test]
fn an_unnamed_column_is_named_by_its_place() {
    assert_eq!(
        kinds(&read("a.csv", b",age\n1,2\n")),
        [("column_1", "number"), ("age", "number")]
    );
}

#[test]
fn json_lines_keep_the_order_of_first_appearance() {
    let table = read(
        "a.jsonl",
        b"\xEF\xBB\xBF{\"b\": 1, \"a\": \"x\", \"tags\": [1]}\r\n\r\n{\"a\": null, \"b\": 2.5, \"late\": true}\n",
    );
    assert_eq!(
        kinds(&table),
        [("b", "number"), ("a", "category"), ("late", "boolean")]
    );
    assert_eq!(numbers(&table, "b"), [1.0, 2.5]);
    assert_eq!(cells(&table, "a"), ["x", ""]);
    assert_eq!(cells(&table, "late"), ["", "true"]);
}

#[test]
fn a_pattern_reads_its_files_in_order_and_by_column_name() {
    let folder = Folder::new(&[
        ("e/2.csv", "b,a\n4,3\n"),
        ("e/1.csv", "a,b\n1,2\n"),
        ("e/x.txt", "no"),
    ]);
    let table = read_source(folder.path(), "e/*.csv", &BTreeMap::new()).unwrap();
    assert_eq!(numbers(&table, "a"), [1.0, 3.0]);
    assert_eq!(numbers(&table, "b"), [2.0, 4.0]);
}

/// The files are written by `tests/fixtures/pyarrow_parquet.py` (version in its first line).
#[test]
fn parquet_from_another_writer() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for name in ["pyarrow_snappy.parquet", "pyarrow_zstd.parquet"] {
        let table = read_source(&fixtures, name, &BTreeMap::new()).unwrap();
        let expected = [
            ("whole", "number"),
            ("real", "number"),
            ("decimal", "number"),
            ("truth", "boolean"),
            ("day", "date"),
            ("moment", "date"),
            ("zoned", "date"),
            ("word", "category"),
            ("coded", "category"),
            ("digits", "number"),
        ];
        assert_eq!(
            kinds(&table),
            expected,
            "{name}: the list and the record are left out"
        );
        assert_eq!(numbers(&table, "decimal")[0], 1.25);
        assert!(numbers(&table, "real")[1].is_nan() && numbers(&table, "whole")[2].is_nan());
        let noon = 1_767_268_800_000_000_i64.to_string();
        assert_eq!(cells(&table, "day")[0], 1_767_225_600_000_000_i64.to_string());
        assert_eq!(cells(&table, "moment")[0], noon);
        assert_eq!(cells(&table, "zoned")[0], noon, "13:00 in Berlin is 12:00 in UTC");
        assert_eq!(cells(&table, "coded"), ["b", "", "a"]);
        assert_eq!(cells(&table, "word"), ["x", "", "y"]);
    }
}
