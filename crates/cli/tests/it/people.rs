//! Made-up customers and leads, the same in every run, as CSV, JSON lines or Parquet.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// A column's cells.
enum Cells {
    Numbers(Vec<u64>),
    Words(Vec<String>),
}

/// A small table of named columns.
pub(crate) struct People(Vec<(&'static str, Cells)>);

/// A number below 2^24 that follows from the row and a salt.
fn dice(row: u64, salt: u64) -> u64 {
    (row * 2_654_435_761 + salt * 40_503).wrapping_mul(2_862_933_555_777_941_757) >> 40
}

fn numbers(n: u64, cell: impl Fn(u64) -> u64) -> Cells {
    Cells::Numbers((0..n).map(cell).collect())
}

fn words(n: u64, cell: impl Fn(u64) -> String) -> Cells {
    Cells::Words((0..n).map(cell).collect())
}

fn yes(answer: bool) -> String {
    if answer { "Yes" } else { "No" }.to_owned()
}

/// Customers whose churn follows contract and tenure; two share a household.
pub(crate) fn customers(n: u64) -> People {
    let tenure = |row| dice(row, 1) % 60;
    let monthly = |row| dice(row, 2).is_multiple_of(2);
    let left = |row| dice(row, 3) % 100 < if monthly(row) { 55 - tenure(row) / 2 } else { 8 };
    People(vec![
        ("id", words(n, |row| format!("K{row:04}"))),
        ("household", words(n, |row| format!("H{:04}", row / 2))),
        (
            "contract",
            words(n, |row| {
                if monthly(row) { "monthly" } else { "yearly" }.to_owned()
            }),
        ),
        ("tenure", numbers(n, tenure)),
        ("fee", numbers(n, |row| 20 + dice(row, 4) % 80)),
        (
            "mail_ok",
            words(n, |row| {
                if dice(row, 5).is_multiple_of(3) {
                    "no"
                } else {
                    "yes"
                }
                .to_owned()
            }),
        ),
        ("churn", words(n, |row| yes(left(row)))),
    ])
}

/// People who may buy, the more often the more they visit.
pub(crate) fn leads(n: u64) -> People {
    let visits = |row| dice(row, 6) % 12;
    let bought = |row| dice(row, 8) % 100 < 4 + 5 * visits(row);
    let came_by = ["search", "friend", "advert"];
    People(vec![
        ("lead", words(n, |row| format!("L{row:04}"))),
        (
            "came_by",
            words(n, |row| {
                came_by[usize::try_from(dice(row, 7) % 3).unwrap()].to_owned()
            }),
        ),
        ("visits", numbers(n, visits)),
        ("basket", numbers(n, |row| 10 + dice(row, 9) % 190)),
        ("bought", words(n, |row| yes(bought(row)))),
    ])
}

/// What customers bought in 2025, one row per purchase: the busy often, and a third of all stops in summer.
pub(crate) fn purchases(n: u64) -> People {
    let (mut customer, mut day, mut amount) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..n {
        let step = 10 + dice(row, 10) % 90;
        let last = if dice(row, 11).is_multiple_of(3) { 180 } else { 360 };
        let mut at = dice(row, 12) % step.min(60);
        while at < last {
            customer.push(format!("P{row:04}"));
            day.push(date(at));
            amount.push(10 + dice(row * 1000 + at, 13) % 90);
            at += step + dice(row * 1000 + at, 14) % 20;
        }
    }
    People(vec![
        ("who", Cells::Words(customer)),
        ("day", Cells::Words(day)),
        ("amount", Cells::Numbers(amount)),
    ])
}

/// Candidates of `tool allocate`: for each customer a mail, a call and, in the north, a visit; whole numbers.
pub(crate) fn candidates(n: u64) -> People {
    let (mut who, mut action, mut region) = (Vec::new(), Vec::new(), Vec::new());
    let (mut value, mut cost, mut minutes) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..n {
        let north = dice(row, 31).is_multiple_of(3);
        let worth = dice(row, 32) % 1000;
        let own = [
            ("mail", worth / 4, 5, 0),
            ("call", worth / 2 + 20, 60, 12),
            ("visit", worth, 400, 90),
        ];
        for (name, brings, costs, takes) in own.into_iter().take(if north { 3 } else { 2 }) {
            who.push(format!("k{row:05}"));
            action.push(name.to_owned());
            region.push(if north { "north" } else { "south" }.to_owned());
            value.push(brings + dice(row, 33) % 40);
            cost.push(costs + dice(row, 34) % 7);
            minutes.push(takes);
        }
    }
    People(vec![
        ("customer", Cells::Words(who)),
        ("action", Cells::Words(action)),
        ("region", Cells::Words(region)),
        ("value", Cells::Numbers(value)),
        ("cost", Cells::Numbers(cost)),
        ("minutes", Cells::Numbers(minutes)),
    ])
}

/// The date so many days after 2025-01-01, in that year.
fn date(mut day: u64) -> String {
    for (month, length) in (1..).zip([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        if day < length {
            return format!("2025-{month:02}-{:02}", day + 1);
        }
        day -= length;
    }
    panic!("a day after the year's end")
}

impl Cells {
    fn text(&self, row: usize) -> String {
        match self {
            Self::Numbers(cells) => cells[row].to_string(),
            Self::Words(cells) => cells[row].clone(),
        }
    }

    fn json(&self, row: usize) -> serde_json::Value {
        match self {
            Self::Numbers(cells) => cells[row].into(),
            Self::Words(cells) => cells[row].clone().into(),
        }
    }
}

impl People {
    fn n_rows(&self) -> usize {
        match &self.0[0].1 {
            Cells::Numbers(cells) => cells.len(),
            Cells::Words(cells) => cells.len(),
        }
    }

    /// Writes the table in the format that the name says.
    pub(crate) fn write(&self, path: &Path) {
        match path.extension().and_then(|end| end.to_str()) {
            Some("csv") => fs::write(path, self.csv()).unwrap(),
            Some("jsonl") => fs::write(path, self.json_lines()).unwrap(),
            Some("parquet") => self.write_parquet(path),
            other => panic!("no table of kind {other:?}"),
        }
    }

    fn csv(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        let mut text = names.join(",") + "\n";
        for row in 0..self.n_rows() {
            let cells: Vec<String> = self.0.iter().map(|(_, cells)| cells.text(row)).collect();
            writeln!(text, "{}", cells.join(",")).unwrap();
        }
        text
    }

    fn json_lines(&self) -> String {
        let mut text = String::new();
        for row in 0..self.n_rows() {
            let cells = self
                .0
                .iter()
                .map(|(name, cells)| ((*name).to_owned(), cells.json(row)));
            let object: serde_json::Map<String, serde_json::Value> = cells.collect();
            writeln!(text, "{}", serde_json::Value::from(object)).unwrap();
        }
        text
    }

    fn write_parquet(&self, path: &Path) {
        let mut message = "message people {".to_owned();
        for (name, cells) in &self.0 {
            let kind = match cells {
                Cells::Numbers(_) => format!("required int64 {name};"),
                Cells::Words(_) => format!("required binary {name} (UTF8);"),
            };
            write!(message, " {kind}").unwrap();
        }
        let schema = Arc::new(parse_message_type(&(message + " }")).unwrap());
        let properties = Arc::new(WriterProperties::builder().build());
        let mut file = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
        let mut group = file.next_row_group().unwrap();
        for (_, cells) in &self.0 {
            write_column(&mut group, cells);
        }
        group.close().unwrap();
        file.close().unwrap();
    }
}

fn write_column(group: &mut SerializedRowGroupWriter<'_, File>, cells: &Cells) {
    let mut column = group.next_column().unwrap().unwrap();
    match (column.untyped(), cells) {
        (ColumnWriter::Int64ColumnWriter(writer), Cells::Numbers(cells)) => {
            let cells: Vec<i64> = cells.iter().map(|cell| i64::try_from(*cell).unwrap()).collect();
            writer.write_batch(&cells, None, None).unwrap();
        }
        (ColumnWriter::ByteArrayColumnWriter(writer), Cells::Words(cells)) => {
            let cells: Vec<ByteArray> = cells.iter().map(|cell| ByteArray::from(cell.as_str())).collect();
            writer.write_batch(&cells, None, None).unwrap();
        }
        _ => panic!("the schema and the cells differ"),
    }
    column.close().unwrap();
}
