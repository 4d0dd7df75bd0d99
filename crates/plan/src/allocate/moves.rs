//! Finding the moves that cost least at the current prices.

use super::compiled::Compiled;
use super::state::{Move, State};
use crate::chunks::{map_chunks, n_chunks};

/// A move with its rank: the lower, the sooner it is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub(super) rank: f64,
    pub(super) change: Move,
}

/// Prices and what follows from them: the measure of what a move loses.
pub(super) struct Pricing<'a> {
    compiled: &'a Compiled<'a>,
    table: Vec<f64>,
}

impl<'a> Pricing<'a> {
    pub(super) fn new(compiled: &'a Compiled<'a>, prices: &[f64]) -> Self {
        Self {
            compiled,
            table: compiled.price_table(prices),
        }
    }

    pub(super) fn table(&self) -> &[f64] {
        &self.table
    }

    /// Value minus the price of what is used; 0 for nothing.
    fn reduced(&self, customer: usize, candidate: Option<usize>) -> f64 {
        candidate.map_or(0.0, |candidate| {
            self.compiled
                .reduced(&self.table, self.compiled.cell(customer, candidate), candidate)
        })
    }

    /// What the move loses in reduced value; never negative from a customer's best choice.
    pub(super) fn loss(&self, change: &Move) -> f64 {
        self.reduced(change.customer, change.drop) - self.reduced(change.customer, change.add)
    }
}

/// The moves with the lowest ranks, in order, at most about `wanted`; `rank` gives `None` for a move not wanted.
///
/// Every chunk of customers keeps a fixed multiple of its share, so that the result depends on no thread.
pub(super) fn best_moves(
    state: &State<'_>,
    wanted: usize,
    rank: impl Fn(&Move) -> Option<f64> + Sync,
) -> Vec<Ranked> {
    let chunks = n_chunks(state.compiled.n_customers).max(1);
    let per_chunk = (4 * wanted / chunks).clamp(32, 1 << 16);
    let parts = map_chunks(state.compiled.n_customers, |customers| {
        let mut found = Vec::new();
        for customer in customers {
            state.for_each_move(customer, |change| {
                if let Some(rank) = rank(&change) {
                    found.push(Ranked { rank, change });
                }
            });
            if found.len() > 4 * per_chunk {
                keep_lowest(&mut found, per_chunk);
            }
        }
        keep_lowest(&mut found, per_chunk);
        found
    });
    let mut all = parts.concat();
    keep_lowest(&mut all, wanted.max(64));
    all.sort_unstable_by(order);
    all
}

/// A rank that about twice `wanted` moves stay below, judged from a sample of customers; infinity for few customers.
pub(super) fn threshold(state: &State<'_>, wanted: usize, rank: impl Fn(&Move) -> Option<f64> + Sync) -> f64 {
    let n = state.compiled.n_customers;
    let stride = n / SAMPLED;
    if stride < 2 {
        return f64::INFINITY;
    }
    let parts = map_chunks(n / stride, |places| {
        let mut ranks = Vec::new();
        for place in places {
            state.for_each_move(place * stride, |change| ranks.extend(rank(&change)));
        }
        ranks
    });
    let mut ranks = parts.concat();
    let place = 2 * wanted / stride + 16;
    if place >= ranks.len() {
        return f64::INFINITY;
    }
    *ranks.select_nth_unstable_by(place, f64::total_cmp).1
}

/// Customers in the sample that thresholds are judged from.
const SAMPLED: usize = 16_384;

fn order(a: &Ranked, b: &Ranked) -> std::cmp::Ordering {
    a.rank.total_cmp(&b.rank).then(a.change.cmp(&b.change))
}

fn keep_lowest(moves: &mut Vec<Ranked>, wanted: usize) {
    if moves.len() > wanted {
        moves.select_nth_unstable_by(wanted, order);
        moves.truncate(wanted);
    }
}
