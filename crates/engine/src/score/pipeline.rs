//! Pieces taken in order by any thread, scored side by side, written in order; no more than a window of them is under way.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use thalweg_collect::stream::{Block, Extent, Piece, Sink, SinkFormat, Stream, Tally};
use thalweg_domain::Result;

use super::decide::Selected;
use super::results::Scorer;
use crate::progress::Progress;

/// Pieces under way per thread.
const WINDOW: usize = 4;

/// What the whole stream gave.
pub(super) struct Done {
    pub(super) tally: Tally,
    /// Rows of the largest batch.
    pub(super) peak_batch: usize,
    pub(super) selected: Selected,
}

/// A scored piece, encoded.
struct Scored {
    block: Block,
    tally: Tally,
    peak_batch: usize,
    selected: Selected,
    /// How much of the stream had been handed out when the piece was.
    handed_out: u64,
}

/// A piece, and how much of the stream had been handed out after it.
struct Taken {
    piece: Piece,
    handed_out: u64,
}

/// Where pieces are taken: by one thread at a time, and not too far ahead of the writer.
struct Gate {
    source: Mutex<Source>,
    written: Mutex<Written>,
    moved: Condvar,
    window: usize,
}

struct Source {
    stream: Stream,
    next: usize,
    ended: bool,
}

#[derive(Default)]
struct Written {
    pieces: usize,
    stopped: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// The next piece with its place in the order; `None` at the end. An error takes the place of the piece that could not be read.
    fn take(&self) -> Option<(usize, Result<Taken>)> {
        let mut source = lock(&self.source);
        if source.ended || self.is_stopped(source.next) {
            return None;
        }
        let index = source.next;
        source.next += 1;
        let piece = source.stream.next_piece();
        let handed_out = source.stream.handed_out();
        match piece {
            Ok(Some(piece)) => Some((index, Ok(Taken { piece, handed_out }))),
            Ok(None) => {
                source.ended = true;
                None
            }
            Err(error) => {
                source.ended = true;
                Some((index, Err(error)))
            }
        }
    }

    /// Waits until the piece of that index is within the window; whether there is no use in it any more.
    fn is_stopped(&self, index: usize) -> bool {
        let written = lock(&self.written);
        let far = |written: &mut Written| !written.stopped && index >= written.pieces + self.window;
        let waited = self.moved.wait_while(written, far);
        waited.unwrap_or_else(PoisonError::into_inner).stopped
    }

    fn advance(&self, pieces: usize) {
        lock(&self.written).pieces = pieces;
        self.moved.notify_all();
    }

    fn stop(&self) {
        lock(&self.written).stopped = true;
        self.moved.notify_all();
    }
}

/// Lets the others go when a thread dies.
struct StopOnPanic<'g>(&'g Gate);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// Scores the stream into the sink.
pub(super) fn run(
    stream: Stream,
    scorer: &Scorer<'_>,
    format: &SinkFormat,
    sink: &mut Sink,
    progress: &dyn Progress,
) -> Result<Done> {
    let threads = rayon::current_num_threads();
    let meter = Meter::begin(stream.extent(), progress);
    let gate = Gate {
        source: Mutex::new(Source {
            stream,
            next: 0,
            ended: false,
        }),
        written: Mutex::default(),
        moved: Condvar::new(),
        window: WINDOW * threads,
    };
    let done = thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..threads {
            let (sender, gate) = (sender.clone(), &gate);
            scope.spawn(move || work(gate, scorer, format, &sender));
        }
        drop(sender);
        let done = write_in_order(&receiver, &gate, sink, &meter);
        gate.stop();
        done
    });
    progress.finish();
    done
}

fn work(gate: &Gate, scorer: &Scorer<'_>, format: &SinkFormat, sender: &Sender<(usize, Result<Scored>)>) {
    let _guard = StopOnPanic(gate);
    while let Some((index, taken)) = gate.take() {
        let scored = taken.and_then(|taken| score(taken, scorer, format));
        let failed = scored.is_err();
        if sender.send((index, scored)).is_err() || failed {
            return;
        }
    }
}

fn score(taken: Taken, scorer: &Scorer<'_>, format: &SinkFormat) -> Result<Scored> {
    let mut scored = Scored {
        block: format.block(),
        tally: Tally::default(),
        peak_batch: 0,
        selected: Selected::default(),
        handed_out: taken.handed_out,
    };
    taken.piece.read(|batch| {
        let (cells, selected) = scorer.cells(&batch)?;
        scored.selected.add(selected);
        format.encode(&batch, cells, &mut scored.block)?;
        scored.tally.add(&batch.tally);
        scored.peak_batch = scored.peak_batch.max(batch.n_rows());
        Ok(())
    })?;
    Ok(scored)
}

/// Writes pieces in their order; the first that failed, in that order, is the error.
fn write_in_order(
    receiver: &Receiver<(usize, Result<Scored>)>,
    gate: &Gate,
    sink: &mut Sink,
    meter: &Meter<'_>,
) -> Result<Done> {
    let mut done = Done {
        tally: Tally::default(),
        peak_batch: 0,
        selected: Selected::default(),
    };
    let (mut waiting, mut next) = (BTreeMap::new(), 0);
    for (index, scored) in receiver {
        waiting.insert(index, scored);
        while let Some(scored) = waiting.remove(&next) {
            let scored: Scored = scored?;
            sink.write(scored.block)?;
            done.tally.add(&scored.tally);
            done.peak_batch = done.peak_batch.max(scored.peak_batch);
            done.selected.add(scored.selected);
            next += 1;
            gate.advance(next);
            meter.show(&done.tally, scored.handed_out);
        }
    }
    Ok(done)
}

/// Progress in rows where they are known, else in megabytes read.
struct Meter<'p> {
    in_rows: bool,
    progress: &'p dyn Progress,
}

const MEGABYTE: u64 = 1_000_000;

impl<'p> Meter<'p> {
    fn begin(extent: Extent, progress: &'p dyn Progress) -> Self {
        let (what, total) = match extent {
            Extent::Rows(rows) => ("score", rows),
            Extent::Bytes(bytes) => ("score, MB", bytes / MEGABYTE),
        };
        progress.start(what, usize::try_from(total).ok());
        Self {
            in_rows: matches!(extent, Extent::Rows(_)),
            progress,
        }
    }

    fn show(&self, tally: &Tally, handed_out: u64) {
        let done = if self.in_rows {
            tally.rows
        } else {
            handed_out / MEGABYTE
        };
        self.progress.advance(usize::try_from(done).unwrap_or(usize::MAX));
    }
}
