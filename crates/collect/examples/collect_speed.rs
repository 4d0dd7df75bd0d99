//! Times reading, collecting, storing and reading back one source: `collect_speed FILE`, or `collect_speed ROWS` for
//! a generated table of 20 columns.

use std::path::Path;
use std::time::Instant;

use thalweg_collect::{CollectSpec, collect, read, source_fingerprint, write};
use thalweg_domain::{Error, Result};

fn main() -> Result<()> {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "1000000".to_owned());
    let scratch = tempfile::tempdir().map_err(|cause| Error::new("TW0229", cause.to_string()))?;
    let mut spec = CollectSpec::of(".", argument.clone());
    if let Ok(n_rows) = argument.parse::<usize>() {
        spec = CollectSpec::of(scratch.path(), "generated.csv");
        thalweg_collect::write_bytes_atomic(
            &scratch.path().join("generated.csv"),
            generated(n_rows).as_bytes(),
        )?;
        spec.key = Some("key".to_owned());
        spec.expressions = vec![
            ("value".to_owned(), "n1 * 12".to_owned()),
            ("cost".to_owned(), "0.1 * n2 + n3".to_owned()),
        ];
        spec.conditions = vec![("decide_on".to_owned(), "c1 = 'level3' AND n1 > 10".to_owned())];
    }
    timed("fingerprint", || source_fingerprint(&spec))?;
    let collected = timed("collect", || collect(&spec))?;
    let path = scratch.path().join("t.parquet");
    timed("content hash", || Ok(thalweg_collect::content_hash(&collected)))?;
    timed("write", || write(&path, &collected))?;
    let back = timed("read", || read(&path))?;
    report(&format!(
        "{} rows, {} columns, {} bytes",
        back.n_rows(),
        back.raw.columns().len(),
        size(&path)
    ));
    Ok(())
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

fn timed<T>(what: &str, job: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = job()?;
    report(&format!("{what:<14} {:>8.3} s", start.elapsed().as_secs_f64()));
    Ok(result)
}

#[expect(clippy::print_stdout, reason = "a measuring tool for developers")]
fn report(line: &str) {
    println!("{line}");
}

/// A key, eleven numbers, six categories, a boolean and a date.
fn generated(n_rows: usize) -> String {
    let mut text = String::from("key,n1,n2,n3,n4,n5,n6,n7,n8,n9,n10,n11,c1,c2,c3,c4,c5,c6,b,d\n");
    for row in 0..n_rows {
        let mix = row.wrapping_mul(2_654_435_761) % 1_000_003;
        text.push_str(&format!("C{row:08}"));
        for k in 1..=11 {
            text.push_str(&format!(",{}.{}", mix % (97 * k), row % 10));
        }
        for k in 1..=6 {
            text.push_str(&format!(",level{}", mix % (3 * k)));
        }
        text.push_str(&format!(
            ",{},2026-{:02}-{:02}\n",
            mix % 2 == 0,
            1 + mix % 12,
            1 + row % 28
        ));
    }
    text
}
