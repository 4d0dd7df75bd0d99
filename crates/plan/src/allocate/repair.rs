//! From an assignment that breaks limits to one that breaks none, at the least loss.

use std::collections::{BTreeMap, BTreeSet};

use super::compiled::Compiled;
use super::moves::{Pricing, Ranked, best_moves, threshold};
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
        for row in &violated {
            progress |= relieve(state, pricing, *row);
        }
        if !progress {
            // no single move helps: room has to be made first
            progress = violated.iter().any(|row| make_room(state, pricing, *row));
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
    let touching = Touching::new(frozen.compiled, row);
    let rank = |change: &Move, most: f64| {
        let loss = pricing.loss(change);
        if loss > most * touching.most || !touching.may_relieve(frozen.compiled, change) {
            return None;
        }
        let fall = -frozen.change_of(change, row);
        let rank = loss / fall.min(start);
        (fall > 0.0 && rank <= most && frozen.fits(change)).then_some(rank)
    };
    let wanted = wanted(frozen, row);
    let most = threshold(frozen, wanted, |change| rank(change, f64::INFINITY));
    let found = best_moves(frozen, wanted, |change| rank(change, most));
    for ranked in &found {
        if state.excess(row) <= 0.0 {
            break;
        }
        state.try_moves(std::slice::from_ref(&ranked.change));
    }
    if state.excess(row) >= start && most < f64::INFINITY {
        return relieve_slowly(state, pricing, row);
    }
    state.excess(row) < start
}

/// As [`relieve`], one move of any rank: when none of low rank helped.
fn relieve_slowly(state: &mut State<'_>, pricing: &Pricing<'_>, row: usize) -> bool {
    let start = state.excess(row);
    let frozen = &*state;
    let found = best_moves(frozen, 64, |change| {
        let fall = -frozen.change_of(change, row);
        (fall > 0.0 && frozen.fits(change)).then(|| pricing.loss(change) / fall.min(start))
    });
    found
        .iter()
        .any(|ranked| state.try_moves(std::slice::from_ref(&ranked.change)))
        && state.excess(row) < start
}

/// Moves that relieve the row and are kept from it by one or two other rows, together with moves that make room there;
/// true when the row's excess fell.
fn make_room(state: &mut State<'_>, pricing: &Pricing<'_>, row: usize) -> bool {
    /// So many moves of a kind are looked at when two go together, and when three do.
    const WIDTH: usize = 512;
    const NARROW: usize = 40;
    let start = state.excess(row);
    let frozen = &*state;
    let takers = best_moves(frozen, WIDTH, |change| {
        let fall = -frozen.change_of(change, row);
        (fall > 0.0 && !frozen.fits(change)).then(|| pricing.loss(change) / fall.min(start))
    });
    let takers: Vec<(Move, Vec<usize>)> = takers
        .into_iter()
        .map(|taker| (taker.change, frozen.blocking(&taker.change)))
        .collect();
    let mut givers: BTreeMap<usize, Vec<Ranked>> = BTreeMap::new();
    for blocked in takers.iter().flat_map(|(_, rows)| rows) {
        givers.entry(*blocked).or_insert_with(|| {
            best_moves(frozen, WIDTH, |change| {
                let fall = -frozen.change_of(change, *blocked);
                (fall > 0.0).then(|| pricing.loss(change) / fall)
            })
        });
    }
    let of = |row: &usize| givers.get(row).map_or(&[][..], Vec::as_slice);
    // together they must bring the row down
    let helps = |state: &State<'_>, moves: &[Move]| {
        moves
            .iter()
            .map(|change| state.change_of(change, row))
            .sum::<f64>()
            < 0.0
    };
    let attempt = |state: &mut State<'_>, moves: &[Move]| helps(state, moves) && state.try_moves(moves);
    for (taker, rows) in &takers {
        if let [one] = rows.as_slice() {
            of(one)
                .iter()
                .any(|giver| attempt(state, &[giver.change, *taker]));
        }
        if state.excess(row) <= 0.0 {
            return true;
        }
    }
    if state.excess(row) < start {
        return true;
    }
    for (taker, rows) in takers.iter().take(NARROW) {
        let (first, second) = match rows.as_slice() {
            [one] => (of(one), of(one)),
            [one, other] => (of(one), of(other)),
            _ => continue,
        };
        let found = first.iter().take(NARROW).any(|one| {
            let mut others = second.iter().take(NARROW);
            others.any(|other| attempt(state, &[one.change, other.change, *taker]))
        });
        if found {
            return true;
        }
    }
    takers.iter().take(NARROW).any(|(taker, rows)| {
        let moves = many_for_one(state, (taker, rows), &givers, row);
        attempt(state, &moves)
    })
}

/// A move that takes much room with as many small ones as make it, none of them against the row that is to be relieved.
fn many_for_one(
    state: &State<'_>,
    (taker, blocked): (&Move, &[usize]),
    givers: &BTreeMap<usize, Vec<Ranked>>,
    row: usize,
) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut busy = BTreeSet::from([taker.customer]);
    for own in blocked {
        let room = state.compiled.shape.limits[*own].max(state.used(*own)) - state.used(*own);
        let given: f64 = moves.iter().map(|change| state.change_of(change, *own)).sum();
        let mut missing = state.change_of(taker, *own) + given - room;
        for giver in givers.get(own).into_iter().flatten() {
            let change = giver.change;
            if missing <= 0.0 {
                break;
            }
            if state.change_of(&change, row) <= 0.0 && state.fits(&change) && busy.insert(change.customer) {
                missing += state.change_of(&change, *own);
                moves.push(change);
            }
        }
    }
    moves.push(*taker);
    moves
}

/// Which cells count towards a row, to pass over customers who do not.
struct Touching {
    sign: Vec<f64>,
    /// No move changes the row by more.
    most: f64,
}

impl Touching {
    fn new(compiled: &Compiled<'_>, row: usize) -> Self {
        let sign = |cell| {
            compiled
                .terms(cell)
                .iter()
                .find(|term| term.row == row)
                .map_or(0.0, |term| term.sign)
        };
        Self {
            sign: (0..compiled.n_cells).map(sign).collect(),
            most: 2.0 * compiled.largest_of(row),
        }
    }

    /// Giving up something that counts, or taking something that does: nothing else changes the row.
    fn may_relieve(&self, compiled: &Compiled<'_>, change: &Move) -> bool {
        let sign = |candidate: usize| self.sign[compiled.cell(change.customer, candidate)];
        change.drop.is_some_and(|drop| sign(drop) != 0.0) || change.add.is_some_and(|add| sign(add) != 0.0)
    }
}

/// How many moves the excess may need: excess over the mean amount per chosen candidate, with room to spare.
fn wanted(state: &State<'_>, row: usize) -> usize {
    let mean = (state.used(row).abs() / state.n_chosen().max(1) as f64).max(f64::MIN_POSITIVE);
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
    const WIDTH: usize = 48;
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
