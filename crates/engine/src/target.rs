//! Which column is the outcome, and which of its values means that it happened.

use thalweg_domain::{Column, ColumnData, Error, Result, Table};
use thalweg_learn::task::Target;

/// The outcome column with its positive value.
pub(crate) struct BinaryTarget {
    pub(crate) name: String,
    pub(crate) positive: String,
    /// Per row; `None` where the cell is empty.
    pub(crate) happened: Vec<Option<bool>>,
    /// Whether the positive value was guessed.
    pub(crate) guessed: bool,
}

/// Finds the outcome column and which of its values means that it happened.
///
/// # Errors
/// `TW0211` without the column, `TW0212` to `TW0215` when its values cannot be used.
pub(crate) fn binary(table: &Table, name: &str, positive: Option<&str>) -> Result<BinaryTarget> {
    let column = table
        .column(name)
        .ok_or_else(|| no_column(table, name, "--target"))?;
    let rows = 0..table.n_rows();
    let mut levels: Vec<String> = rows
        .clone()
        .map(|row| column.cell_text(row))
        .filter(|cell| !cell.is_empty())
        .collect();
    levels.sort();
    levels.dedup();
    let asked = positive.is_none();
    let positive = match positive {
        Some(positive) if levels.iter().any(|level| level == positive) => positive.to_owned(),
        Some(positive) => {
            return Err(Error::new(
                "TW0214",
                format!("\"{positive}\" never occurs in column \"{name}\""),
            )
            .hint(format!("its values are {}", list(&levels))));
        }
        None => guess_positive(column, &levels)?,
    };
    let happened = rows
        .map(|row| (!column.is_missing(row)).then(|| column.cell_text(row) == positive))
        .collect();
    Ok(BinaryTarget {
        name: name.to_owned(),
        positive,
        happened,
        guessed: asked,
    })
}

/// Words that usually mean "it happened".
const POSITIVE: &[&str] = &[
    "yes",
    "y",
    "true",
    "1",
    "churn",
    "churned",
    "left",
    "bad",
    "default",
    "fail",
    "failed",
    "positive",
    "converted",
    "bought",
];

fn guess_positive(column: &Column, levels: &[String]) -> Result<String> {
    match levels {
        [only] => Err(Error::new(
            "TW0212",
            format!("column \"{}\" has one value only: \"{only}\"", column.name),
        )
        .hint("choose a target that differs between customers")),
        [first, second] => {
            let usual = |level: &&String| POSITIVE.contains(&level.to_lowercase().as_str());
            let count = |level: &String| {
                (0..column.len())
                    .filter(|row| column.cell_text(*row) == *level)
                    .count()
            };
            let rarer = if count(second) <= count(first) {
                second
            } else {
                first
            };
            Ok([first, second].into_iter().find(usual).unwrap_or(rarer).clone())
        }
        [] => Err(Error::new(
            "TW0215",
            format!("column \"{}\" is empty in every row", column.name),
        )
        .hint("choose a target with values")),
        _ => Err(Error::new(
            "TW0213",
            format!("column \"{}\" has {} different values", column.name, levels.len()),
        )
        .hint(format!(
            "say which one means that it happened: --positive {}",
            list(levels.get(..1).unwrap_or_default())
        ))),
    }
}

/// The first levels, quoted.
pub(crate) fn list(levels: &[String]) -> String {
    let shown: Vec<String> = levels
        .iter()
        .take(6)
        .map(|level| format!("\"{level}\""))
        .collect();
    let more = if levels.len() > 6 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// `TW0211`, naming the option that asked for the column.
pub(crate) fn no_column(table: &Table, name: &str, option: &str) -> Error {
    let names: Vec<&str> = table
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    Error::new(
        "TW0211",
        format!("{option} names column \"{name}\", which the table does not have"),
    )
    .hint(format!("its columns are {}", names.join(", ")))
}

/// A target column of any kind, rows without a value left out.
pub(crate) struct Labelled {
    /// The rows that have a target, rising.
    pub(crate) known: Vec<usize>,
    values: Values,
    /// What was guessed.
    pub(crate) notes: Vec<String>,
}

enum Values {
    Binary(Vec<bool>),
    Class { codes: Vec<u32>, classes: Vec<String> },
    Value(Vec<f64>),
}

impl Labelled {
    /// The targets of the known rows.
    pub(crate) fn target(&self) -> Target<'_> {
        match &self.values {
            Values::Binary(target) => Target::Binary(target),
            Values::Class { codes, classes } => Target::Class { codes, classes },
            Values::Value(target) => Target::Value(target),
        }
    }

    pub(crate) const fn has_several_classes(&self) -> bool {
        matches!(self.values, Values::Class { .. })
    }

    /// Each class against the rest; numbers have none.
    pub(crate) fn one_against_rest(&self) -> Vec<Vec<bool>> {
        match &self.values {
            Values::Binary(target) => vec![target.clone()],
            Values::Class { codes, classes } => (0..classes.len())
                .map(|class| codes.iter().map(|code| *code as usize == class).collect())
                .collect(),
            Values::Value(_) => Vec::new(),
        }
    }
}

/// Whole numbers with at most so many different ones are taken for classes.
const MOST_CLASSES_OF_NUMBERS: usize = 10;
/// More classes than this are refused.
const MOST_CLASSES: usize = 1000;

/// Finds a target column and what kind of target it is: `binary`, `class` or `value`, guessed when `kind` is absent.
///
/// # Errors
/// `TW0211` without the column, `TW0212` to `TW0215` when its values cannot be used, `TW0109` for a kind that there is not.
pub(crate) fn find(
    table: &Table,
    name: &str,
    kind: Option<&str>,
    positive: Option<&str>,
) -> Result<Labelled> {
    let column = table
        .column(name)
        .ok_or_else(|| no_column(table, name, "--target"))?;
    let known: Vec<usize> = (0..column.len()).filter(|row| !column.is_missing(*row)).collect();
    let guessed = guess_task(column, &known, positive);
    match kind.unwrap_or(guessed) {
        "binary" => of_two(table, name, positive, known),
        "class" => of_classes(column, known, kind.is_none()),
        "value" => of_numbers(column, known),
        other => Err(
            Error::new("TW0109", format!("--kind {other} is no kind of target"))
                .hint("give binary, class or value"),
        ),
    }
}

fn guess_task(column: &Column, known: &[usize], positive: Option<&str>) -> &'static str {
    let mut levels: Vec<String> = known.iter().map(|row| column.cell_text(*row)).collect();
    levels.sort();
    levels.dedup();
    let whole = match &column.data {
        ColumnData::Number(cells) => cells.iter().all(|cell| cell.is_nan() || cell.fract() == 0.0),
        _ => true,
    };
    match (&column.data, levels.len()) {
        _ if positive.is_some() => "binary",
        (_, 0..=2) => "binary",
        (ColumnData::Number(_), n) if !whole || n > MOST_CLASSES_OF_NUMBERS => "value",
        (ColumnData::Date(_), _) => "value",
        _ => "class",
    }
}

fn of_two(table: &Table, name: &str, positive: Option<&str>, known: Vec<usize>) -> Result<Labelled> {
    let found = binary(table, name, positive)?;
    let target: Vec<bool> = found.happened.iter().flatten().copied().collect();
    let notes = if found.guessed {
        vec![format!(
            "guessed: {name} = {} is what is predicted (--positive says otherwise)",
            found.positive
        )]
    } else {
        Vec::new()
    };
    Ok(Labelled {
        known,
        values: Values::Binary(target),
        notes,
    })
}

fn of_classes(column: &Column, known: Vec<usize>, guessed: bool) -> Result<Labelled> {
    let texts: Vec<String> = known.iter().map(|row| column.cell_text(*row)).collect();
    let mut classes = texts.clone();
    classes.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    });
    classes.dedup();
    if classes.len() < 2 {
        return Err(Error::new(
            "TW0212",
            format!(
                "column \"{}\" has one value only: {}",
                column.name,
                list(&classes)
            ),
        )
        .hint("choose a target that differs between rows"));
    }
    if classes.len() > MOST_CLASSES {
        return Err(Error::new(
            "TW0213",
            format!(
                "column \"{}\" has {} different values",
                column.name,
                classes.len()
            ),
        )
        .hint("choose a target with fewer classes, or --kind value for numbers"));
    }
    let code = |text: &String| {
        let place = classes.iter().position(|class| class == text);
        place
            .and_then(|place| u32::try_from(place).ok())
            .unwrap_or_default()
    };
    let notes = match &column.data {
        ColumnData::Number(_) if guessed => vec![format!(
            "guessed: the {} whole numbers of {} are classes (--kind value says otherwise)",
            classes.len(),
            column.name
        )],
        _ => Vec::new(),
    };
    Ok(Labelled {
        values: Values::Class {
            codes: texts.iter().map(code).collect(),
            classes,
        },
        known,
        notes,
    })
}

fn of_numbers(column: &Column, known: Vec<usize>) -> Result<Labelled> {
    let ColumnData::Number(cells) = &column.data else {
        return Err(Error::new(
            "TW0213",
            format!(
                "column \"{}\" is of kind {}, not a number",
                column.name,
                column.kind().as_str()
            ),
        )
        .hint("--kind value needs numbers; try --kind class"));
    };
    let target = known.iter().filter_map(|row| cells.get(*row).copied()).collect();
    Ok(Labelled {
        known,
        values: Values::Value(target),
        notes: Vec::new(),
    })
}
