//! CSV: comma-separated, quoted with `"`, UTF-8 with or without a byte-order mark, lines ending in LF, CRLF or CR.

use csv::{Error as CsvError, ErrorKind, Reader, ReaderBuilder, StringRecord};
use thalweg_domain::{Error, Result};

use super::RawFile;
use super::cells::{Cells, TextCells};

/// Reads the whole file; every row must have as many cells as the header.
pub(crate) fn read(shown: &str, bytes: &[u8]) -> Result<RawFile> {
    refuse_utf16(shown, bytes)?;
    let mut file = CsvFile::open(shown, bytes);
    let names = file.header()?;
    let mut columns: Vec<TextCells> = names.iter().map(|_| TextCells::default()).collect();
    let mut record = StringRecord::new();
    let mut lines = Vec::new();
    while file.next(&mut record, &names)? {
        lines.push(file.line);
        if record.len() != names.len() {
            return Err(ragged(shown, file.line, names.len(), record.len()));
        }
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.push(cell);
        }
    }
    file.refuse_open_quote(bytes)?;
    let columns = names
        .into_iter()
        .zip(columns.into_iter().map(Cells::Text))
        .collect();
    Ok(RawFile {
        columns,
        lines,
        nested: Vec::new(),
    })
}

struct CsvFile<'a> {
    shown: &'a str,
    reader: Reader<&'a [u8]>,
    lines: LineCounter<'a>,
    /// The line on which the latest record starts.
    line: u64,
    /// Where the latest record starts, and where and on which line the one before does.
    start: u64,
    before: (u64, u64),
}

impl<'a> CsvFile<'a> {
    fn open(shown: &'a str, bytes: &'a [u8]) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        Self {
            shown,
            reader,
            lines: LineCounter {
                bytes,
                offset: 0,
                line: 1,
            },
            line: 0,
            start: 0,
            before: (0, 1),
        }
    }

    fn header(&mut self) -> Result<Vec<String>> {
        let mut record = StringRecord::new();
        self.next(&mut record, &[])?;
        header_names(self.shown, &record)
    }

    /// Reads the next record and notes its line; `false` at the end.
    fn next(&mut self, record: &mut StringRecord, names: &[String]) -> Result<bool> {
        self.before = (self.start, self.line);
        self.start = self.reader.position().byte();
        let more = self.reader.read_record(record);
        self.line = self.lines.line_at(self.start);
        more.map_err(|cause| self.broken(cause, names))
    }

    /// A quote that is opened and not closed makes the rest of the file one cell. After the last row.
    fn refuse_open_quote(&self, bytes: &[u8]) -> Result<()> {
        let (start, line) = self.before;
        let last = usize::try_from(start)
            .ok()
            .and_then(|start| bytes.get(start..))
            .unwrap_or_default();
        if is_open(last) {
            return Err(open_quote(self.shown, line));
        }
        Ok(())
    }

    fn broken(&self, cause: CsvError, names: &[String]) -> Error {
        broken(self.shown, self.line, cause, names)
    }
}

/// The error for a record that cannot be read.
pub(crate) fn broken(shown: &str, line: u64, cause: CsvError, names: &[String]) -> Error {
    if let ErrorKind::Utf8 { err, .. } = cause.kind() {
        let column = names.get(err.field()).map(String::as_str);
        let place = column.map_or_else(|| "the header".to_owned(), |name| format!("column \"{name}\""));
        return not_utf8(shown, &place).at(shown, Some(line), column);
    }
    Error::new("TW0201", format!("cannot read \"{shown}\": {cause}"))
        .hint("check that the file is whole")
        .at(shown, Some(line), None)
        .cause(cause)
}

/// Whether the text of a row has a quote that swallowed line ends and was not closed.
pub(crate) fn is_open(row: &[u8]) -> bool {
    let row = row.trim_ascii();
    let n_quotes = row.iter().filter(|byte| **byte == b'"').count();
    n_quotes % 2 == 1 && row.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
}

pub(crate) fn open_quote(shown: &str, line: u64) -> Error {
    Error::new(
        "TW0209",
        "a quote is opened in this row and never closed: the rest of the file is one cell",
    )
    .hint("close the quote, or double it where it belongs to the text: \"5\"\" pipe\"")
    .at(shown, Some(line), None)
}

pub(crate) fn header_names(shown: &str, record: &StringRecord) -> Result<Vec<String>> {
    let names: Vec<String> = record
        .iter()
        .enumerate()
        .map(|(at, name)| header_name(at, name))
        .collect();
    match names.as_slice() {
        [only] if only.contains([';', '\t', '|']) => Err(wrong_delimiter(shown, only)),
        _ => Ok(names),
    }
}

fn header_name(at: usize, name: &str) -> String {
    match name.trim() {
        "" => format!("column_{}", at + 1),
        name => name.to_owned(),
    }
}

/// Counts line ends from record to record, so that quoted line breaks and blank lines count too.
struct LineCounter<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of the first byte at or after `start` that is not a line end.
    fn line_at(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        while let Some(byte) = self.bytes.get(self.offset) {
            let line_end = matches!(byte, b'\n' | b'\r');
            if self.offset >= start && !line_end {
                break;
            }
            let first_of_two = *byte == b'\r' && self.bytes.get(self.offset + 1) == Some(&b'\n');
            self.line += u64::from(line_end && !first_of_two);
            self.offset += 1;
        }
        self.line
    }
}

pub(crate) fn refuse_utf16(shown: &str, bytes: &[u8]) -> Result<()> {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            Err(not_utf8(shown, "the file (it looks like UTF-16)").at(shown, Some(1), None))
        }
        _ => Ok(()),
    }
}

pub(crate) fn not_utf8(shown: &str, place: &str) -> Error {
    Error::new("TW0210", format!("{place} is not UTF-8 text")).hint(format!(
        "save \"{shown}\" as UTF-8 (in a spreadsheet: \"CSV UTF-8\")"
    ))
}

fn wrong_delimiter(shown: &str, header: &str) -> Error {
    let (delimiter, named) = match header.chars().find(|c| matches!(c, ';' | '\t' | '|')) {
        Some(';') => (";", "semicolons"),
        Some('\t') => ("\t", "tabs"),
        _ => ("|", "bars"),
    };
    let n = header.matches(delimiter).count() + 1;
    Error::new(
        "TW0207",
        format!("the header is one column that holds {named}: the {n} columns are not separated by commas"),
    )
    .hint("save the file with commas between the cells, and with decimal points")
    .at(shown, Some(1), None)
}

pub(crate) fn ragged(shown: &str, line: u64, expected: usize, found: usize) -> Error {
    let hint = if found > expected {
        "a cell with a comma in it needs quotes around it"
    } else {
        "fill the row up with empty cells, or see whether a quote is not closed"
    };
    Error::new(
        "TW0209",
        format!("the row has {found} cells, the header has {expected}"),
    )
    .hint(hint)
    .at(shown, Some(line), None)
}

#[cfg(test)]
mod tests {
    use super::LineCounter;

    #[test]
    fn lines_are_counted_under_every_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a{end}{end}bc{end}d");
            let mut counter = LineCounter {
                bytes: text.as_bytes(),
                offset: 0,
                line: 1,
            };
            let after = |needle: &str| text.find(needle).unwrap() as u64;
            assert_eq!(counter.line_at(0), 1, "{end:?}");
            assert_eq!(
                counter.line_at(2),
                3,
                "blank lines before a record count, {end:?}"
            );
            assert_eq!(counter.line_at(after("d")), 4, "{end:?}");
        }
    }
}
