//! Blocks of candidates, in memory while they are few, in a temporary file once they are many.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use tempfile::NamedTempFile;
use thalweg_domain::{Error, Result};
use thalweg_plan::allocate::{BlockSize, Blocks, Candidates};

/// Candidates kept in memory, at most; 18 bytes each with one resource.
const MOST_IN_MEMORY: usize = 8_000_000;

/// Blocks in the order in which they came.
pub(super) struct Kept {
    memory: Vec<Candidates>,
    file: Option<InFile>,
    n_candidates: usize,
    most_in_memory: usize,
}

/// Where blocks are read from.
pub(super) enum Source {
    /// All in one piece.
    Memory(Candidates),
    /// In a file.
    File(InFile),
}

/// Blocks in a temporary file, which goes when this does.
pub(super) struct InFile {
    file: NamedTempFile,
    writer: Option<BufWriter<File>>,
    sizes: Vec<BlockSize>,
    /// Where each block begins, and the end.
    starts: Vec<u64>,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self::with_memory_for(MOST_IN_MEMORY)
    }

    pub(super) const fn with_memory_for(most_in_memory: usize) -> Self {
        Self {
            memory: Vec::new(),
            file: None,
            n_candidates: 0,
            most_in_memory,
        }
    }

    pub(super) const fn is_in_file(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn push(&mut self, block: Candidates) -> Result<()> {
        self.n_candidates += block.n_candidates();
        if let Some(file) = &mut self.file {
            return file.push(&block);
        }
        self.memory.push(block);
        if self.n_candidates > self.most_in_memory {
            let mut file = InFile::begin().map_err(not_kept)?;
            for block in self.memory.drain(..) {
                file.push(&block)?;
            }
            self.file = Some(file);
        }
        Ok(())
    }

    pub(super) fn finish(self, n_resources: usize) -> Result<Source> {
        if let Some(mut file) = self.file {
            if let Some(mut writer) = file.writer.take() {
                writer.flush().map_err(not_kept)?;
            }
            return Ok(Source::File(file));
        }
        let mut all = Candidates::new(n_resources);
        for block in self.memory {
            all.append(&block);
        }
        Ok(Source::Memory(all))
    }
}

impl Source {
    /// The actions of some candidates, given in ascending order.
    pub(super) fn actions_of(&self, chosen: &[u64]) -> Result<Vec<u16>> {
        self.gather(chosen, |block, at| block.actions.get(at).copied())
    }

    /// The last resource of some candidates, given in ascending order.
    pub(super) fn last_resource_of(&self, chosen: &[u64]) -> Result<Vec<f64>> {
        self.gather(chosen, |block, at| block.resources.last()?.get(at).copied())
    }

    fn gather<T>(&self, chosen: &[u64], of: impl Fn(&Candidates, usize) -> Option<T>) -> Result<Vec<T>> {
        let mut found = Vec::with_capacity(chosen.len());
        match self {
            Self::Memory(all) => pick((all, 0), &mut chosen.iter().copied().peekable(), &of, &mut found),
            Self::File(blocks) => {
                let mut rest = chosen.iter().copied().peekable();
                let mut first = 0;
                for (block, size) in blocks.sizes.iter().enumerate() {
                    pick((&blocks.read(block)?, first), &mut rest, &of, &mut found);
                    first += size.candidates as u64;
                }
            }
        }
        Ok(found)
    }
}

fn pick<T>(
    (block, first): (&Candidates, u64),
    rest: &mut std::iter::Peekable<impl Iterator<Item = u64>>,
    of: &impl Fn(&Candidates, usize) -> Option<T>,
    found: &mut Vec<T>,
) {
    let end = first + block.n_candidates() as u64;
    while let Some(chosen) = rest.next_if(|chosen| *chosen < end) {
        let at = usize::try_from(chosen - first).ok();
        found.extend(at.and_then(|at| of(block, at)));
    }
}

impl InFile {
    fn begin() -> io::Result<Self> {
        let file = NamedTempFile::with_prefix("thalweg-candidates-")?;
        Ok(Self {
            writer: Some(BufWriter::with_capacity(1 << 20, file.reopen()?)),
            file,
            sizes: Vec::new(),
            starts: vec![0],
        })
    }

    fn push(&mut self, block: &Candidates) -> Result<()> {
        let bytes = block.to_bytes();
        if let Some(writer) = &mut self.writer {
            writer.write_all(&bytes).map_err(not_kept)?;
        }
        let end = self.starts.last().copied().unwrap_or(0) + bytes.len() as u64;
        self.starts.push(end);
        self.sizes.push(BlockSize {
            customers: block.n_customers(),
            candidates: block.n_candidates(),
        });
        Ok(())
    }

    fn bytes(&self, block: usize) -> io::Result<Vec<u8>> {
        let at = |block: usize| self.starts.get(block).copied().unwrap_or(0);
        let (start, end) = (at(block), at(block + 1));
        let mut file = self.file.reopen()?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::with_capacity(usize::try_from(end - start).unwrap_or(0));
        file.take(end - start).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Blocks for InFile {
    fn sizes(&self) -> &[BlockSize] {
        &self.sizes
    }

    fn read(&self, block: usize) -> Result<Candidates> {
        Candidates::from_bytes(&self.bytes(block).map_err(not_kept)?)
    }
}

fn not_kept(cause: io::Error) -> Error {
    let folder = std::env::temp_dir();
    Error::new(
        "TW0229",
        format!("cannot keep the candidates in a temporary file: {cause}"),
    )
    .hint(format!(
        "free some space in \"{}\", or name another folder: TMPDIR=/path",
        folder.display()
    ))
    .cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(n: u16) -> Candidates {
        let mut block = Candidates::new(1);
        for action in 0..n {
            block.actions.push(action);
            block.values.push(f64::from(action));
            block.resources[0].push(0.5);
            block.end_customer();
        }
        block
    }

    #[test]
    fn what_goes_to_the_file_comes_back() {
        let mut kept = Kept::with_memory_for(10);
        for n in [7, 2, 9, 1] {
            kept.push(block(n)).unwrap();
        }
        assert!(kept.is_in_file());
        let Source::File(file) = kept.finish(1).unwrap() else {
            panic!("more than ten candidates");
        };
        for (place, n) in [7, 2, 9, 1].into_iter().enumerate() {
            assert_eq!(file.read(place).unwrap(), block(n));
            assert_eq!(file.sizes()[place].customers, usize::from(n));
        }
    }

    #[test]
    fn few_stay_in_memory_in_order() {
        let mut kept = Kept::with_memory_for(10);
        kept.push(block(3)).unwrap();
        kept.push(block(2)).unwrap();
        let Source::Memory(all) = kept.finish(1).unwrap() else {
            panic!("fewer than ten candidates");
        };
        assert_eq!(
            (all.n_customers(), all.actions.as_slice()),
            (5, [0, 1, 2, 0, 1].as_slice())
        );
    }
}
