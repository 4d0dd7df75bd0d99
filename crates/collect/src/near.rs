//! Names near a name that does not exist, for errors.

use thalweg_domain::{Error, Table};

/// The names most like `name`, nearest first, at most three.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&wanted, &candidate.to_lowercase()),
                *candidate,
            )
        })
        .filter(|(score, _)| *score >= 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored
        .into_iter()
        .take(3)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// `did you mean "a" or "b"?`, or the first names when none is near.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    let near = nearest(name, known);
    if !near.is_empty() {
        return format!("did you mean {}?", quoted(&near, " or "));
    }
    let more = if known.len() > 12 {
        format!(" and {} more", known.len() - 12)
    } else {
        String::new()
    };
    let first: Vec<&str> = known.iter().take(12).copied().collect();
    format!("the columns are {}{more}", quoted(&first, ", "))
}

/// `"a", "b"` with the separator given.
pub(crate) fn quoted<T: AsRef<str>>(names: &[T], separator: &str) -> String {
    names
        .iter()
        .map(|name| format!("\"{}\"", name.as_ref()))
        .collect::<Vec<_>>()
        .join(separator)
}

/// The names of a table's columns.
pub(crate) fn names(table: &Table) -> Vec<&str> {
    table
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect()
}

/// `TW0211`: a configured column that the source does not have.
pub(crate) fn unknown_column(role: &str, name: &str, known: &[&str], file: &str) -> Error {
    Error::new("TW0211", format!("there is no column \"{name}\" ({role})"))
        .hint(suggestion(name, known))
        .at(file, None, Some(name))
}
