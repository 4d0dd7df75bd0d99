//! On which line of a text file a byte lies, found by reading up to it again: only an error asks.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The line, counted from 1, of the first byte at or after `offset` that does not end a line; `None` when the file
/// cannot be read any more. Lines end in LF, CRLF or CR.
pub(super) fn line_at(path: &Path, offset: u64) -> Option<u64> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).ok()?);
    let (mut line, mut at, mut after_cr) = (1, 0_u64, false);
    loop {
        let bytes = reader.fill_buf().ok()?;
        if bytes.is_empty() {
            return Some(line);
        }
        for byte in bytes {
            let line_end = matches!(byte, b'\n' | b'\r');
            if at >= offset && !line_end {
                return Some(line);
            }
            line += u64::from(line_end && !(after_cr && *byte == b'\n'));
            after_cr = *byte == b'\r';
            at += 1;
        }
        let n = bytes.len();
        reader.consume(n);
    }
}

/// At most `most` bytes of a file from `offset` on; `None` when the file cannot be read any more.
pub(super) fn bytes_from(path: &Path, offset: u64, most: u64) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(offset)).ok()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::line_at;

    #[test]
    fn lines_are_found_under_every_line_end() {
        let folder = tempfile::tempdir().unwrap();
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a{end}{end}bc{end}d{end}");
            let path = folder.path().join("text");
            std::fs::write(&path, &text).unwrap();
            let line = |needle: &str| line_at(&path, text.find(needle).unwrap() as u64);
            assert_eq!((line("a"), line("bc"), line("d")), (Some(1), Some(3), Some(4)));
            assert_eq!(line_at(&path, 1), Some(3), "blank lines before a record count");
        }
    }
}
