//! Allocation over blocks beside allocation in memory, and what only it must bear: ties, errors, threads.

use thalweg_domain::{Error, Result};
use thalweg_plan::allocate::{
    AllocateParams, Allocation, BlockSize, Blocks, Candidates, Constraint, LargeProblem, Resource, allocate,
    allocate_blocks, sample,
};

/// Blocks in memory; one of them may be broken.
struct Kept {
    sizes: Vec<BlockSize>,
    blocks: Vec<Vec<u8>>,
}

impl Kept {
    fn new(all: &Candidates, customers_per_block: usize) -> Self {
        let mut kept = Self {
            sizes: Vec::new(),
            blocks: Vec::new(),
        };
        for start in (0..all.n_customers()).step_by(customers_per_block) {
            let mut block = Candidates::new(all.resources.len());
            let end = (start + customers_per_block).min(all.n_customers());
            (start..end).for_each(|customer| block.push_customer(all, customer));
            kept.sizes.push(BlockSize {
                customers: block.n_customers(),
                candidates: block.n_candidates(),
            });
            kept.blocks.push(block.to_bytes());
        }
        kept
    }
}

impl Blocks for Kept {
    fn sizes(&self) -> &[BlockSize] {
        &self.sizes
    }

    fn read(&self, block: usize) -> Result<Candidates> {
        Candidates::from_bytes(&self.blocks[block])
    }
}

fn wave(i: usize, a: usize) -> f64 {
    let x = ((i * 7919 + a * 104_729) % 100_003) as f64 / 100_003.0;
    x * x
}

fn customers(
    n: usize,
    width: usize,
    value: impl Fn(usize, usize) -> f64,
    cost: impl Fn(usize, usize) -> f64,
) -> Candidates {
    let mut all = Candidates::new(1);
    for i in 0..n {
        for a in 0..width {
            all.actions.push(a as u16);
            all.values.push(value(i, a));
            all.resources[0].push(cost(i, a));
        }
        all.end_customer();
    }
    all
}

fn over_blocks(
    all: &Candidates,
    (max_actions, constraints, exclusions): (u16, &[Constraint], &[(u16, u16)]),
) -> Result<Allocation> {
    let kept = Kept::new(all, 4096);
    let problem = LargeProblem {
        blocks: &kept,
        max_actions,
        constraints,
        exclusions,
    };
    let sample = sample(&problem)?;
    allocate_blocks(&problem, &sample, &AllocateParams::default())
}

/// Limits hold, customers get no more than they may, the value adds up, and the gap is small.
fn check(
    all: &Candidates,
    (max_actions, constraints, exclusions): (u16, &[Constraint], &[(u16, u16)]),
    most: f64,
) -> Allocation {
    let plan = over_blocks(all, (max_actions, constraints, exclusions)).unwrap();
    assert!(plan.feasible);
    let mut per_customer = vec![Vec::new(); all.n_customers()];
    let mut customer = 0;
    for chosen in &plan.chosen {
        while all.offsets[customer + 1] <= *chosen {
            customer += 1;
        }
        per_customer[customer].push(all.actions[*chosen as usize]);
    }
    for own in &per_customer {
        assert!(own.len() <= usize::from(max_actions));
        let apart = |(a, b): &(u16, u16)| !(own.contains(a) && own.contains(b));
        assert!(exclusions.iter().all(apart));
    }
    for (row, of) in constraints.iter().zip(&plan.constraints) {
        let covered = |c: &&u64| {
            row.actions
                .as_ref()
                .is_none_or(|set| set.contains(&all.actions[**c as usize]))
        };
        let amount = |c: &u64| match row.resource {
            Resource::Rows => 1.0,
            Resource::Column(column) => all.resources[column][*c as usize],
        };
        let used: f64 = plan.chosen.iter().filter(covered).map(amount).sum();
        assert!(
            (used - of.used).abs() < 1e-6 * of.limit,
            "{}: {used} {}",
            of.name,
            of.used
        );
        assert!(of.used <= of.limit, "{}", of.name);
    }
    let value: f64 = plan.chosen.iter().map(|c| all.values[*c as usize]).sum();
    assert!((value - plan.value).abs() < 1e-6 * value);
    assert!(plan.gap <= most, "gap {} > {most}", plan.gap);
    plan
}

fn limits(n: f64) -> Vec<Constraint> {
    vec![
        Constraint::at_most("budget", Resource::Column(0), 0.3 * n),
        Constraint::at_most("capacity", Resource::Rows, (0.08 * n).floor()).on_actions(vec![0, 1]),
    ]
}

#[test]
fn the_bound_and_the_value_are_those_of_the_allocation_in_memory() {
    let all = customers(30_000, 6, |i, a| wave(i, a) - 0.1, |i, a| 0.5 + wave(i, a + 11));
    let constraints = limits(30_000.0);
    let blocks = check(&all, (1, &constraints, &[]), 1e-4);
    let memory = all.with_problem(1, &constraints, &[], |problem| {
        allocate(problem, &AllocateParams::default()).unwrap()
    });
    assert!((blocks.upper_bound / memory.upper_bound - 1.0).abs() < 1e-4);
    assert!((blocks.value / memory.value - 1.0).abs() < 1e-4);
    for (own, other) in blocks.constraints.iter().zip(&memory.constraints) {
        assert!(
            (own.shadow_price / other.shadow_price - 1.0).abs() < 0.02,
            "{own:?} {other:?}"
        );
    }
}

#[test]
fn more_customers_than_are_sampled_or_undecided() {
    let all = customers(700_000, 2, |i, a| wave(i, a) - 0.1, |i, a| 0.5 + wave(i, a + 11));
    check(&all, (1, &limits(700_000.0), &[]), 1e-4);
}

#[test]
fn prices_are_found_at_every_size_in_memory() {
    // a capacity far from binding at warm temperatures: the first steps must not run away
    for n in [40_000, 60_000, 200_000] {
        let all = customers(n, 2, |i, a| wave(i, a) - 0.1, |i, a| 0.5 + wave(i, a + 11));
        let constraints = limits(n as f64);
        let plan = all.with_problem(1, &constraints, &[], |problem| {
            allocate(problem, &AllocateParams::default()).unwrap()
        });
        assert!(plan.gap < 1e-5, "{n}: {}", plan.gap);
    }
}

#[test]
fn whole_segments_of_equal_customers_are_divided() {
    // three kinds of customers; every price is a tie for a third of them, and there are more than can be undecided
    let value = |i: usize, a: usize| (1 + i % 3) as f64 * (1.0 + a as f64);
    let all = customers(600_000, 2, value, |_, a| 1.0 + a as f64);
    let constraints = [
        Constraint::at_most("budget", Resource::Column(0), 700_000.0),
        Constraint::at_most("capacity", Resource::Rows, 100_001.0).on_actions(vec![1]),
    ];
    check(&all, (1, &constraints, &[]), 1e-4);
}

#[test]
fn several_actions_and_exclusions() {
    let all = customers(20_000, 4, |i, a| wave(i, a) - 0.2, |i, a| 0.5 + wave(i, a + 11));
    check(&all, (2, &limits(20_000.0), &[(0, 1), (2, 3)]), 1e-3);
}

#[test]
fn what_cannot_be_kept_is_said_with_names() {
    let all = customers(5000, 2, wave, |_, _| 2.0);
    let constraints = [
        Constraint::at_most("capacity", Resource::Rows, 2500.0),
        Constraint::at_most("budget", Resource::Column(0), 120.0),
        Constraint::at_least("calls", Resource::Rows, 80.0).on_actions(vec![1]),
    ];
    let plan = over_blocks(&all, (1, &constraints, &[])).unwrap();
    assert!(!plan.feasible && plan.chosen.is_empty());
    assert_eq!(plan.conflicts, ["budget", "calls"]);
}

#[test]
fn threads_do_not_change_a_byte() {
    let all = customers(50_000, 3, |i, a| wave(i, a) - 0.1, |i, a| 0.5 + wave(i, a + 11));
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| format!("{:?}", over_blocks(&all, (1, &limits(50_000.0), &[]))))
    };
    assert_eq!(with(1), with(2));
}

#[test]
fn bad_numbers_constraints_and_blocks_are_refused() {
    let mut all = customers(5000, 2, wave, |_, _| 2.0);
    let masked = limits(5000.0)[0].clone().on_customers(vec![true; 5000]);
    assert_eq!(over_blocks(&all, (1, &[masked], &[])).unwrap_err().code, "TW0502");
    all.values[9000] = f64::NAN;
    let refused: Error = over_blocks(&all, (1, &limits(5000.0), &[])).unwrap_err();
    assert_eq!(refused.code, "TW0501");
}
