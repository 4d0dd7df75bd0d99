//! From cells to a typed column: the whole file decides, and a cell that does not fit is named.

mod cell;
mod words;

use thalweg_domain::{ColumnData, ColumnKind};

use crate::source::{Cells, TextCells};
pub use cell::is_missing;
pub(crate) use cell::{Cell, is_code};
pub(crate) use words::column_of as words_column;

/// From how many fitting cells on a column has a type that the others must have too.
const ENOUGH_CELLS: usize = 20;
/// ... and from which share of them, in percent.
const ENOUGH_PERCENT: usize = 95;

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// By what its cells are.
    Infer,
    /// As text that identifies a customer.
    Key,
    /// As text that customers of one cluster share.
    Cluster,
    /// As text that names the customer of an event.
    EventKey,
    /// As text that names an event.
    EventName,
    /// As moments.
    EventTime,
}

impl Reading {
    /// Text whatever it looks like, with no token for "missing" but the blank.
    pub(crate) const fn is_key(self) -> bool {
        matches!(self, Self::Key | Self::Cluster | Self::EventKey | Self::EventName)
    }

    /// What the configuration calls the column.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Infer => "a column",
            Self::Key => "the key of [customers]",
            Self::Cluster => "the cluster of [customers]",
            Self::EventKey => "the key of [[events]]",
            Self::EventName => "the name of [[events]]",
            Self::EventTime => "the time of [[events]]",
        }
    }
}

/// A cell that does not fit its column.
pub(crate) struct Fault {
    pub(crate) row: usize,
    pub(crate) text: String,
    /// The kind that was expected; absent for an infinite number.
    pub(crate) expected: Option<&'static str>,
    /// Whether a role demands the kind (else the other cells do).
    pub(crate) fixed: bool,
    /// The distinct texts that do not fit, at most five.
    pub(crate) others: Vec<String>,
}

/// The column that these cells are.
pub(crate) fn column(cells: Cells, reading: Reading, tokens: &[String]) -> Result<ColumnData, Fault> {
    match cells {
        Cells::Text(cells) if reading.is_key() => Ok(ColumnData::Text(owned(cells.iter()))),
        Cells::Date(cells) => Ok(ColumnData::Date(cells)),
        Cells::Text(cells) => from_text(&cells, reading, tokens),
        Cells::Number(cells) if reading == Reading::EventTime => Err(typed_fault(
            cells.first().map_or_else(String::new, ToString::to_string),
        )),
        Cells::Boolean(_) if reading == Reading::EventTime => Err(typed_fault("a truth value".to_owned())),
        Cells::Number(cells) => numbers(cells, tokens),
        Cells::Boolean(cells) => Ok(ColumnData::Boolean(cells)),
    }
}

fn owned<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<Option<String>> {
    cells
        .map(|cell| (!cell.is_empty()).then(|| cell.to_owned()))
        .collect()
}

fn typed_fault(text: String) -> Fault {
    Fault {
        row: 0,
        text,
        expected: Some("date"),
        fixed: true,
        others: Vec::new(),
    }
}

/// A typed numeric column: tokens that are numbers are missing, infinities are refused.
fn numbers(mut cells: Vec<f64>, tokens: &[String]) -> Result<ColumnData, Fault> {
    let missing: Vec<f64> = tokens
        .iter()
        .filter_map(|token| token.trim().parse().ok())
        .collect();
    for cell in &mut cells {
        if missing.contains(cell) {
            *cell = f64::NAN;
        }
    }
    match cells.iter().enumerate().find(|(_, cell)| cell.is_infinite()) {
        None => Ok(ColumnData::Number(cells)),
        Some((row, cell)) => {
            let text = cell.to_string();
            Err(Fault {
                row,
                text: text.clone(),
                expected: None,
                fixed: false,
                others: vec![text],
            })
        }
    }
}

/// How many cells of each type a column has.
#[derive(Default)]
struct Census {
    present: usize,
    numbers: usize,
    infinite: usize,
    codes: usize,
    dates: usize,
    booleans: usize,
}

impl Census {
    fn of(cells: &[Cell]) -> Self {
        let mut census = Self::default();
        for cell in cells {
            census.present += usize::from(*cell != Cell::Missing);
            match cell {
                Cell::Number(_) => census.numbers += 1,
                Cell::Infinite => census.infinite += 1,
                Cell::Code => census.codes += 1,
                Cell::Date(_) => census.dates += 1,
                Cell::Boolean(_) => census.booleans += 1,
                Cell::Missing | Cell::Word => {}
            }
        }
        census
    }

    /// What most cells are, so that all must be.
    fn kind(&self) -> ColumnKind {
        let numeric = self.numbers + self.infinite;
        if self.codes == 0 && self.numbers + self.booleans + self.dates > 0 {
            if self.most(numeric) && self.numbers > 0 {
                return ColumnKind::Number;
            }
            if self.most(self.dates) {
                return ColumnKind::Date;
            }
            if self.booleans == self.present {
                return ColumnKind::Boolean;
            }
        }
        if self.present == 0 {
            ColumnKind::Number
        } else {
            ColumnKind::Category
        }
    }

    const fn most(&self, n: usize) -> bool {
        n == self.present || (n >= ENOUGH_CELLS && n * 100 >= self.present * ENOUGH_PERCENT)
    }
}

fn from_text(texts: &TextCells, reading: Reading, tokens: &[String]) -> Result<ColumnData, Fault> {
    let cells: Vec<Cell> = texts.iter().map(|text| Cell::of(text, tokens)).collect();
    if reading == Reading::EventTime {
        return dates(texts, &cells, true);
    }
    match Census::of(&cells).kind() {
        ColumnKind::Number => numbers_of(texts, &cells),
        ColumnKind::Date => dates(texts, &cells, false),
        ColumnKind::Boolean => Ok(ColumnData::Boolean(cells.iter().map(Cell::truth).collect())),
        ColumnKind::Category | ColumnKind::Text => Ok(words::column(texts, &cells)),
    }
}

fn numbers_of(texts: &TextCells, cells: &[Cell]) -> Result<ColumnData, Fault> {
    let mut numbers = Vec::with_capacity(cells.len());
    for (row, cell) in cells.iter().enumerate() {
        match cell {
            Cell::Number(number) => numbers.push(*number),
            Cell::Missing => numbers.push(f64::NAN),
            Cell::Infinite => return Err(fault(texts, cells, row, None)),
            _ => return Err(fault(texts, cells, row, Some("number"))),
        }
    }
    Ok(ColumnData::Number(numbers))
}

fn dates(texts: &TextCells, cells: &[Cell], fixed: bool) -> Result<ColumnData, Fault> {
    let mut dates = Vec::with_capacity(cells.len());
    for (row, cell) in cells.iter().enumerate() {
        match cell {
            Cell::Date(micros) => dates.push(Some(*micros)),
            Cell::Missing => dates.push(None),
            _ => {
                return Err(Fault {
                    fixed,
                    ..fault(texts, cells, row, Some("date"))
                });
            }
        }
    }
    Ok(ColumnData::Date(dates))
}

fn fault(texts: &TextCells, cells: &[Cell], row: usize, expected: Option<&'static str>) -> Fault {
    let fits = |cell: &Cell| match cell {
        Cell::Missing => true,
        Cell::Date(_) => expected == Some("date"),
        Cell::Number(_) => expected != Some("date"),
        _ => false,
    };
    let mut others: Vec<String> = Vec::new();
    for (text, _) in texts.iter().zip(cells).filter(|(_, cell)| !fits(cell)) {
        if others.len() < 5 && !others.iter().any(|other| other == text) {
            others.push(text.to_owned());
        }
    }
    Fault {
        row,
        text: texts.get(row).to_owned(),
        expected,
        fixed: false,
        others,
    }
}

/// A text for a message: one line, at most 60 characters.
pub(crate) fn shortened(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match flat.char_indices().nth(60) {
        None => flat,
        Some((end, _)) => format!("{}…", flat.get(..end).unwrap_or_default()),
    }
}
