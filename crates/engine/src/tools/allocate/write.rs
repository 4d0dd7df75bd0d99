//! The chosen rows with all their columns, in the order of the file, as CSV or Parquet.

use std::path::{Path, PathBuf};

use thalweg_collect::MissingTokens;
use thalweg_collect::stream::{OutColumn, OutData, Sink, SinkFormat, Stream, StreamSpec, column_names};
use thalweg_domain::Result;

/// The column with the day of a contact.
const DAY: &str = "day";

/// Refuses a file that could not be written, before the long work begins.
pub(super) fn check(out: &Path, data: &str, paced: bool) -> Result<()> {
    format(out, &open(data)?, paced).map(|_| ())
}

/// Writes the rows of these numbers, from 0, with their days.
pub(super) fn chosen(data: &str, out: &Path, rows: &[u64], days: Option<&[u16]>) -> Result<()> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_unstable_by_key(|at| rows.get(*at));
    let mut next = order.into_iter().peekable();
    let mut stream = open(data)?;
    let format = format(out, &stream, days.is_some())?;
    let mut sink = Sink::create(&format)?;
    while let Some(piece) = stream.next_piece()? {
        let mut block = format.block();
        piece.read(|batch| {
            let mut keep = vec![false; batch.n_rows()];
            let mut own_days = Vec::new();
            let first = batch.first_row - 1;
            let row = |at: &usize| rows.get(*at).and_then(|row| row.checked_sub(first));
            let row = |at: &usize| row(at).and_then(|row| usize::try_from(row).ok());
            let n_rows = keep.len();
            while let Some(at) = next.next_if(|at| row(at).is_some_and(|row| row < n_rows)) {
                if let Some(flag) = row(&at).and_then(|row| keep.get_mut(row)) {
                    *flag = true;
                }
                own_days.extend(days.and_then(|days| days.get(at)).map(|day| f64::from(*day)));
            }
            let results = days.map(|_| OutData::Number(own_days));
            format.encode(&batch.kept(&keep)?, results.into_iter().collect(), &mut block)
        })?;
        sink.write(block)?;
    }
    sink.finish()
}

fn open(data: &str) -> Result<Stream> {
    Stream::open(&StreamSpec {
        base: PathBuf::new(),
        pattern: data.to_owned(),
        columns: Vec::new(),
        missing: MissingTokens::new(),
        carried: column_names(Path::new(""), data)?,
    })
}

fn format(out: &Path, stream: &Stream, paced: bool) -> Result<SinkFormat> {
    let day = OutColumn {
        name: DAY.to_owned(),
        is_text: false,
    };
    let results: Vec<OutColumn> = paced.then_some(day).into_iter().collect();
    SinkFormat::new(out, stream, &results)
}
