//! From an assignment that breaks limits to one that breaks none, at the least loss.

use super::moves::{Pricing, best_moves};
use super::state::{Move, State};

/// Rounds of looking for moves before giving up.
const ROUNDS: usize = 40;

/// Moves use back under every limit, cheapest loss per unit first; true when every limit holds.
pub(super) fn repair(state: &mut State<'_>, pricing: &Pricing<'_>) -> bool {
    for _ in 0..ROUNDS {
        let violated = state.violated();
        if violated.is_empty() {
            return true;
        }
        let mut progress = false;
        for row in violated {
            progress |= relieve(state, pricing, row);
        }
        if !progress {
            return false;
        }
    }
    state.violated().is_empty()
}

/// One round on one row: true when its excess fell.
fn relieve(state: &mut State<'_>, pricing: &Pricing<'_>, row: usize) -> bool {
    let start = state.excess(row);
    if start <= 0.0 {
        return true;
    }
    let frozen = &*state;
    let found = best_moves(frozen, wanted(frozen, row), |change| {
        let fall = -frozen.change_of(change, row);
        (fall > 0.0 && frozen.fits(change)).then(|| pricing.loss(change) / fall.min(start))
    });
    for ranked in &found {
        if state.excess(row) <= 0.0 {
            break;
        }
        state.try_moves(std::slice::from_ref(&ranked.change));
    }
    state.excess(row) < start
}

/// How many moves the excess may need: excess over the mean amount per chosen candidate, with room to spare.
fn wanted(state: &State<'_>, row: usize) -> usize {
    let count = state.chosen.iter().filter(|chosen| **chosen).count().max(1);
    let mean = (state.used(row).abs() / count as f64).max(f64::MIN_POSITIVE);
    let needed = (state.excess(row) / mean).ceil();
    let all = state.chosen.len().max(64) as f64;
    (4.0 * needed + 64.0).min(all) as usize
}

/// Single moves that raise the value and keep every limit; true when one was found.
pub(super) fn fill(state: &mut State<'_>, pricing: &Pricing<'_>, slack: f64) -> bool {
    let frozen = &*state;
    let found = best_moves(frozen, 4096, |change| {
        let gains = frozen.gain(change) > 0.0;
        let loss = if gains {
            pricing.loss(change)
        } else {
            f64::INFINITY
        };
        (loss <= slack && frozen.fits(change)).then_some(loss)
    });
    let start = state.value();
    for ranked in &found {
        state.try_moves(std::slice::from_ref(&ranked.change));
    }
    state.value() > start
}

/// Pairs of moves, one making room for the other, that raise the value; true when one was found.
pub(super) fn exchange(state: &mut State<'_>, pricing: &Pricing<'_>, slack: f64) -> bool {
    const WIDTH: usize = 128;
    let frozen = &*state;
    let near = |change: &Move| Some(pricing.loss(change)).filter(|loss| *loss <= slack);
    let takers = best_moves(frozen, WIDTH, |change| {
        (frozen.gain(change) > 0.0)
            .then(|| near(change))
            .flatten()
            .filter(|_| !frozen.fits(change))
    });
    let givers = best_moves(frozen, WIDTH, near);
    let mut pairs = Vec::new();
    for taker in takers.iter().take(WIDTH) {
        for giver in givers.iter().take(WIDTH) {
            let gain = frozen.gain(&taker.change) + frozen.gain(&giver.change);
            if taker.change.customer != giver.change.customer && gain > 0.0 {
                pairs.push((gain, taker.change, giver.change));
            }
        }
    }
    pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let start = state.value();
    for (_, taker, giver) in pairs {
        if state.valid(&taker) && state.valid(&giver) {
            state.try_moves(&[giver, taker]);
        }
    }
    state.value() > start
}
