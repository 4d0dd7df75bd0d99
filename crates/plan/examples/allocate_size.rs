//! How long an allocation takes and how good it is, by size: `cargo run -p thalweg-plan --example allocate_size`.
#![expect(clippy::print_stdout, reason = "an example that prints its measurements")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    reason = "made-up data of known size"
)]

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Instant;

use thalweg_domain::{Error, Result};
use thalweg_plan::allocate::{
    AllocateParams, Allocation, BlockSize, Blocks, Candidates, Constraint, LargeProblem, Resource, allocate,
    allocate_blocks, sample,
};

/// Numbers in [0, 1) by SplitMix64: the same data everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

/// Customers by candidates: channel `a % channels`, with or without one of the offers.
fn customers(numbers: &mut Numbers, n: usize, width: usize, channels: usize) -> Candidates {
    let mut data = Candidates::new(1);
    for _ in 0..n {
        let stake = 40.0 + 400.0 * numbers.next() * numbers.next();
        let risk = numbers.next().powi(2);
        for action in 0..width {
            let channel = action % channels;
            let offer = action / channels;
            let effect = risk * (0.02 + 0.03 * channel as f64 + 0.04 * offer as f64) * 2.0 * numbers.next();
            let cost = 0.02 * 4_f64.powi(channel as i32) + offer as f64 * 0.02 * stake * numbers.next();
            data.actions.push(action as u16);
            data.values.push(stake * effect - cost);
            data.resources[0].push(cost);
        }
        data.end_customer();
    }
    data
}

/// Budget, then capacity and budget per channel, then a cap per offer, up to `rows` of them.
fn constraints(n: f64, width: u16, channels: u16, rows: usize) -> Vec<Constraint> {
    let on = |covers: &dyn Fn(u16) -> bool| (0..width).filter(|action| covers(*action)).collect::<Vec<u16>>();
    let mut all = vec![Constraint::at_most("budget", Resource::Column(0), 0.5 * n)];
    for channel in 0..channels {
        let actions = on(&|action| action % channels == channel);
        let share = 0.3 / f64::from(channel + 1);
        all.push(
            Constraint::at_most(format!("capacity {channel}"), Resource::Rows, (share * n).floor())
                .on_actions(actions),
        );
    }
    for channel in 0..channels {
        let actions = on(&|action| action % channels == channel);
        all.push(
            Constraint::at_most(format!("spend {channel}"), Resource::Column(0), 0.12 * n)
                .on_actions(actions),
        );
    }
    for offer in 1..width.div_ceil(channels) {
        let actions = on(&|action| action / channels == offer);
        all.push(
            Constraint::at_most(format!("offer {offer}"), Resource::Rows, (0.15 * n).floor())
                .on_actions(actions),
        );
    }
    all.truncate(rows);
    all
}

/// Blocks in a file, so that the problem need not fit into memory.
struct InFile {
    path: PathBuf,
    sizes: Vec<BlockSize>,
    starts: Vec<u64>,
}

impl InFile {
    fn write(n: usize) -> std::io::Result<Self> {
        const CUSTOMERS: usize = 10_000;
        let path = std::env::temp_dir().join(format!("allocate_size_{}.bin", std::process::id()));
        let mut file = BufWriter::new(File::create(&path)?);
        let mut numbers = Numbers(1);
        let (mut sizes, mut starts) = (Vec::new(), vec![0]);
        for _ in 0..n / CUSTOMERS {
            let block = customers(&mut numbers, CUSTOMERS, 6, 3);
            let bytes = block.to_bytes();
            file.write_all(&bytes)?;
            sizes.push(BlockSize {
                customers: block.n_customers(),
                candidates: block.n_candidates(),
            });
            starts.push(starts.last().copied().unwrap_or(0) + bytes.len() as u64);
        }
        file.flush()?;
        Ok(Self { path, sizes, starts })
    }

    fn bytes(&self, block: usize) -> std::io::Result<Vec<u8>> {
        let (start, end) = (self.starts[block], self.starts[block + 1]);
        let mut bytes = vec![0; (end - start) as usize];
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Blocks for InFile {
    fn sizes(&self) -> &[BlockSize] {
        &self.sizes
    }

    fn read(&self, block: usize) -> Result<Candidates> {
        let bytes = self
            .bytes(block)
            .map_err(|cause| Error::new("TW0201", format!("cannot read a block: {cause}")))?;
        Candidates::from_bytes(&bytes)
    }
}

fn print(n: usize, (width, rows): (usize, usize), seconds: f64, plan: &Allocation) {
    println!(
        "{n:9}  {width:7}  {rows:4}  {seconds:7.4}  {:8.1e}  {:8}  {:11.2}",
        plan.gap,
        plan.chosen.len(),
        plan.value
    );
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    println!("customers  actions  rows  seconds       gap    chosen        value");
    for (n, width, channels, rows) in [
        (7_043, 16, 6, 15),
        (10_000, 6, 3, 8),
        (100_000, 6, 3, 8),
        (1_000_000, 6, 3, 8),
    ] {
        let data = customers(&mut Numbers(1), n, width, channels);
        let constraints = constraints(n as f64, width as u16, channels as u16, rows);
        let (plan, seconds) = data.with_problem(1, &constraints, &[], |problem| {
            let start = Instant::now();
            let plan = allocate(problem, &AllocateParams::default());
            (plan, start.elapsed().as_secs_f64())
        });
        print(n, (width, rows), seconds, &plan?);
    }
    for n in [1_000_000, 10_000_000] {
        let blocks = InFile::write(n)?;
        let constraints = constraints(n as f64, 6, 3, 8);
        let problem = LargeProblem {
            blocks: &blocks,
            max_actions: 1,
            constraints: &constraints,
            exclusions: &[],
        };
        let start = Instant::now();
        let plan = sample(&problem)
            .and_then(|sample| allocate_blocks(&problem, &sample, &AllocateParams::default()));
        let seconds = start.elapsed().as_secs_f64();
        std::fs::remove_file(&blocks.path)?;
        print(n, (6, 8), seconds, &plan?);
    }
    println!("the last two from blocks in a file; {}", peak());
    Ok(())
}

/// Memory at its highest, where the system says it (Linux).
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(String::new, |line| {
        format!("peak memory {}", line.trim_start_matches("VmHWM:").trim())
    })
}
