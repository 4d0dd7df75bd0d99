//! CSV in pieces: records are split one after the other, only the wanted cells are kept, and cells get their type later.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use datafusion::arrow::array::{ArrayRef, StringArray};
use thalweg_domain::{Error, Result, Table};

use super::lines::{bytes_from, line_at};
use super::tally::Tally;
use super::{
    BATCH_ROWS, Batch, FileName, MAX_ROW_BYTES, Shared, SourceFile, failing, no_content, no_rows, open_file,
};
use crate::source::TextCells;
use crate::source::csv_file::{broken, header_names, is_open, open_quote, ragged, refuse_utf16};

/// A CSV file that is being read.
pub(super) struct CsvRows {
    file: Arc<FileName>,
    reader: Reader<Guarded>,
    /// Up to which byte the reader may go before the next record begins.
    allowed: Arc<AtomicU64>,
    record: StringRecord,
    names: Vec<String>,
    wanted: Vec<usize>,
    carried: Vec<usize>,
    /// Where the record before the latest begins.
    before: u64,
    n_rows: u64,
}

/// Rows of a CSV file as text.
pub(super) struct CsvPiece {
    file: Arc<FileName>,
    wanted: Vec<TextCells>,
    carried: Vec<TextCells>,
    /// The byte at which each record begins.
    starts: Vec<u64>,
}

/// A file that refuses to be read further than one record may be long.
struct Guarded {
    file: File,
    read: u64,
    allowed: Arc<AtomicU64>,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read > self.allowed.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a row is too long"));
        }
        let n = self.file.read(buffer)?;
        self.read += n as u64;
        Ok(n)
    }
}

impl CsvRows {
    pub(super) fn open(file: SourceFile, shared: &Shared) -> Result<Self> {
        let opened = open_file(&file)?;
        let head = bytes_from(&file.path, 0, 1 << 16).unwrap_or_default();
        refuse_utf16(&file.shown, &head)?;
        let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
        if text.iter().all(u8::is_ascii_whitespace) {
            return Err(no_content(&file.shown));
        }
        let allowed = Arc::new(AtomicU64::new(MAX_ROW_BYTES));
        let guarded = Guarded {
            file: opened,
            read: 0,
            allowed: Arc::clone(&allowed),
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_reader(guarded);
        let mut rows = Self {
            file: Arc::new(FileName {
                path: file.path,
                shown: file.shown,
            }),
            reader,
            allowed,
            record: StringRecord::new(),
            names: Vec::new(),
            wanted: Vec::new(),
            carried: Vec::new(),
            before: 0,
            n_rows: 0,
        };
        rows.read_header(shared)?;
        Ok(rows)
    }

    fn read_header(&mut self, shared: &Shared) -> Result<()> {
        if self.next_record()?.is_none() {
            return Err(no_content(&self.file.shown));
        }
        self.names = header_names(&self.file.shown, &self.record)?;
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        (self.wanted, self.carried) = shared.positions(&names, &self.file.shown)?;
        Ok(())
    }

    /// The names in the header.
    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// Reads the next record; gives the byte at which it begins, `None` at the end.
    fn next_record(&mut self) -> Result<Option<u64>> {
        let start = self.reader.position().byte();
        self.allowed.store(start + MAX_ROW_BYTES, Ordering::Relaxed);
        match self.reader.read_record(&mut self.record) {
            Ok(true) => Ok(Some(start)),
            Ok(false) => Ok(None),
            Err(cause) => Err(self.unreadable(start, cause)),
        }
    }

    fn unreadable(&self, start: u64, cause: csv::Error) -> Error {
        let line = line_at(&self.file.path, start).unwrap_or(0);
        match cause.kind() {
            ErrorKind::Io(io) if io.kind() == io::ErrorKind::FileTooLarge => {
                open_quote(&self.file.shown, line)
            }
            ErrorKind::Io(_) => failing(&self.file.shown, io::Error::other(cause)),
            _ => broken(&self.file.shown, line, cause, &self.names),
        }
    }

    /// The next rows; `None` at the end of the file.
    pub(super) fn next_piece(&mut self, shared: &Shared) -> Result<Option<CsvPiece>> {
        let mut piece = CsvPiece {
            file: Arc::clone(&self.file),
            wanted: shared.columns.iter().map(|_| TextCells::default()).collect(),
            carried: shared.carried.iter().map(|_| TextCells::default()).collect(),
            starts: Vec::with_capacity(BATCH_ROWS),
        };
        while piece.starts.len() < BATCH_ROWS {
            let Some(start) = self.next_record()? else {
                self.finish()?;
                break;
            };
            if self.record.len() != self.names.len() {
                let line = line_at(&self.file.path, start).unwrap_or(0);
                return Err(ragged(
                    &self.file.shown,
                    line,
                    self.names.len(),
                    self.record.len(),
                ));
            }
            self.before = start;
            self.n_rows += 1;
            piece.push(&self.record, start, &self.wanted, &self.carried);
        }
        Ok((!piece.starts.is_empty()).then_some(piece))
    }

    /// What the end of the file tells.
    fn finish(&self) -> Result<()> {
        if self.n_rows == 0 {
            return Err(no_rows(&self.file.shown));
        }
        let last = bytes_from(&self.file.path, self.before, MAX_ROW_BYTES).unwrap_or_default();
        if is_open(&last) {
            let line = line_at(&self.file.path, self.before).unwrap_or(0);
            return Err(open_quote(&self.file.shown, line));
        }
        Ok(())
    }
}

impl CsvPiece {
    pub(super) const fn n_rows(&self) -> usize {
        self.starts.len()
    }

    fn push(&mut self, record: &StringRecord, start: u64, wanted: &[usize], carried: &[usize]) {
        self.starts.push(start);
        for (cells, at) in self.wanted.iter_mut().zip(wanted) {
            cells.push(record.get(*at).unwrap_or_default());
        }
        for (cells, at) in self.carried.iter_mut().zip(carried) {
            cells.push(record.get(*at).unwrap_or_default());
        }
    }

    pub(super) fn read(self, shared: &Shared, first_row: u64) -> Result<Batch> {
        let mut columns = Vec::with_capacity(self.wanted.len());
        let mut tally = Tally {
            rows: self.starts.len() as u64,
            ..Tally::default()
        };
        for (wanted, cells) in shared.columns.iter().zip(&self.wanted) {
            let (column, counts) = wanted.text_column(cells.iter()).map_err(|fault| {
                let start = self.starts.get(fault.row).copied().unwrap_or_default();
                let line = line_at(&self.file.path, start);
                wanted
                    .unusable(&fault)
                    .at(&self.file.shown, line, Some(wanted.name()))
            })?;
            columns.push(column);
            tally.columns.push(counts);
        }
        let carried: Vec<ArrayRef> = self.carried.iter().map(text_array).collect();
        tally.carried = shared.carried_tally(&carried, |_| true);
        Ok(Batch {
            table: Table::new(columns)?,
            tally,
            first_row,
            carried,
        })
    }
}

/// Texts as an array; a blank one is null.
pub(super) fn text_array(cells: &TextCells) -> ArrayRef {
    let texts = cells.iter().map(|text| (!text.is_empty()).then_some(text));
    Arc::new(texts.collect::<StringArray>())
}
