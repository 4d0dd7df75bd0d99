//! What is written is read back exactly, whole or not at all.

use std::fs;

use proptest::prelude::*;
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Table};

use super::{Expected, Folder, assert_refused, target};
use crate::hash::table_hash;
use crate::{CollectSpec, collect, content_hash, read, read_table, write, write_bytes_atomic, write_table};

const CUSTOMERS: &str = "id,home,n,b,d,c,v,churn,mail\n\
    A,H,1.5,true,2026-01-01,x,the parcel came three days late,Yes,1\n\
    B,,,,,,,No,0\n\
    C,H,-0.0,false,1969-01-01T00:00:00.000001Z,y,nobody answered the telephone,,\n";

fn full(folder: &Folder) -> CollectSpec {
    let mut spec = folder.spec("c.csv");
    spec.key = Some("id".to_owned());
    spec.cluster = Some("home".to_owned());
    spec.target = target("churn", Some("Yes"));
    spec.expressions = vec![
        ("v".to_owned(), "n * 2".to_owned()),
        ("one".to_owned(), "1".to_owned()),
    ];
    spec.conditions = vec![("decide_on".to_owned(), "b".to_owned())];
    spec.flags = vec!["mail".to_owned()];
    spec.exclude = vec!["d".to_owned()];
    spec
}

#[test]
fn collected_customers_survive() {
    let folder = Folder::new(&[("c.csv", CUSTOMERS)]);
    let collected = collect(&full(&folder)).unwrap();
    let path = folder.path().join("artifacts/t.parquet");
    write(&path, &collected).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(content_hash(&back), content_hash(&collected));
    assert_eq!(back.keys, collected.keys);
    assert_eq!(back.cluster, collected.cluster);
    assert_eq!(back.target, collected.target);
    assert_eq!(table_hash(&back.raw), table_hash(&collected.raw));
    assert_eq!(table_hash(&back.features), table_hash(&collected.features));
    assert_eq!(back.conditions, collected.conditions);
    assert_eq!(back.flags, collected.flags);
    assert_eq!(back.expressions["one"], collected.expressions["one"]);
    assert!(back.expressions["v"][1].is_nan());
    assert_eq!(back.notes, collected.notes);
    assert_eq!(back.source_hash, collected.source_hash);
    let bytes = fs::read(&path).unwrap();
    write(&path, &back).unwrap();
    assert_eq!(
        fs::read(&path).unwrap(),
        bytes,
        "the same content gives the same bytes"
    );
    let files: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["t.parquet"], "no temporary file is left");
}

#[test]
fn the_content_hash_is_of_the_content() {
    let hash = |csv: &str, change: &dyn Fn(&mut CollectSpec)| {
        let folder = Folder::new(&[("c.csv", csv)]);
        let mut spec = full(&folder);
        change(&mut spec);
        content_hash(&collect(&spec).unwrap())
    };
    let plain = hash(CUSTOMERS, &|_| ());
    assert_eq!(plain.len(), 12);
    assert_eq!(
        hash(&CUSTOMERS.replace('\n', "\r\n"), &|_| ()),
        plain,
        "line ends are not content"
    );
    let changes: [&dyn Fn(&mut CollectSpec); 6] = [
        &|spec| spec.cluster = None,
        &|spec| spec.target = None,
        &|spec| spec.flags.clear(),
        &|spec| spec.conditions.clear(),
        &|spec| spec.exclude.clear(),
        &|spec| spec.expressions.truncate(1),
    ];
    let mut hashes: Vec<String> = changes.iter().map(|change| hash(CUSTOMERS, change)).collect();
    hashes.push(hash(&CUSTOMERS.replace("1.5", "1.25"), &|_| ()));
    hashes.push(hash(&CUSTOMERS.replace("x,the", "z,the"), &|_| ()));
    hashes.push(plain);
    let n = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), n, "every change shows");
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let folder = Folder::new(&[("c.csv", CUSTOMERS)]);
    let collected = collect(&full(&folder)).unwrap();
    let path = folder.path().join("t.parquet");
    write(&path, &collected).unwrap();
    let whole = fs::read(&path).unwrap();
    let shown = path.display().to_string();
    let refused = |says: &[&str]| {
        assert_refused(
            read(&path),
            &Expected {
                code: "TW0228",
                at: Some((&shown, None)),
                says,
            },
        );
    };
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    refused(&["cannot be read back"]);
    fs::write(
        &path,
        include_bytes!("../../tests/fixtures/pyarrow_snappy.parquet"),
    )
    .unwrap();
    refused(&["Thalweg has not written it"]);
    write_table(&path, &collected.raw).unwrap();
    refused(&["another version"]);
    fs::remove_file(&path).unwrap();
    let gone = Expected {
        code: "TW0201",
        at: Some((&shown, None)),
        says: &["no such file"],
    };
    assert_refused(read(&path), &gone);
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = Folder::new(&[("file", "old")]);
    let below_a_file = folder.path().join("file/t.parquet");
    let error = write_bytes_atomic(&below_a_file, b"new").unwrap_err();
    assert_eq!((error.code, error.exit_code()), ("TW0229", 6));
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"old");
    write_bytes_atomic(&folder.path().join("file"), b"new").unwrap();
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"new");
}

#[test]
fn unused_levels_are_kept() {
    let folder = Folder::new(&[]);
    let levels = ["a", "b", "c"].map(str::to_owned).to_vec();
    let data = ColumnData::Category {
        codes: vec![2, MISSING_LEVEL, 1],
        levels,
    };
    let table = Table::new(vec![Column {
        name: "c".to_owned(),
        data,
    }])
    .unwrap();
    let path = folder.path().join("t.parquet");
    write_table(&path, &table).unwrap();
    assert_eq!(read_table(&path).unwrap(), table);
}

fn any_column(n_rows: usize) -> impl Strategy<Value = ColumnData> {
    use proptest::collection::vec;
    let number = prop_oneof![
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        Just(f64::NAN)
    ];
    let text = proptest::option::of("[a-c\u{e9}\n\" ]{0,3}");
    prop_oneof![
        vec(number, n_rows).prop_map(ColumnData::Number),
        vec(proptest::option::of(any::<bool>()), n_rows).prop_map(ColumnData::Boolean),
        vec(proptest::option::of(any::<i64>()), n_rows).prop_map(ColumnData::Date),
        vec(text, n_rows).prop_map(ColumnData::Text),
        vec(prop_oneof![0..3_u32, Just(MISSING_LEVEL)], n_rows).prop_map(|codes| ColumnData::Category {
            codes,
            levels: ["", "a", "b"].map(str::to_owned).to_vec()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_table_survives(columns in (1_usize..20).prop_flat_map(|n| proptest::collection::vec(any_column(n), 1..6))) {
        let folder = Folder::new(&[]);
        let column = |(at, data): (usize, ColumnData)| Column { name: format!("c{at}"), data };
        let table = Table::new(columns.into_iter().enumerate().map(column).collect()).unwrap();
        let path = folder.path().join("t.parquet");
        write_table(&path, &table).unwrap();
        let back = read_table(&path).unwrap();
        prop_assert_eq!(table_hash(&back), table_hash(&table));
        prop_assert_eq!(back.n_rows(), table.n_rows());
    }
}
