//! Dependent rounding: one draw per customer with exact probabilities and counts per action exact within one.

use super::draw::Generator;

/// A fraction below this, or this close to one, is taken for a whole number.
const WHOLE: f64 = 1e-12;

/// Draws one option per customer: option `a` with probability exactly `probabilities[i][a]`, and the number of
/// customers with option `a` is the floor or the ceiling of its expectation.
///
/// Each row holds `(option, probability)` with distinct options below `n_options` and sums to 1. Customers are
/// nodes on one side of a graph and options on the other; fractions are shifted around cycles, then along
/// paths, by the two amounts that make one of them whole, with the odds that keep every expectation
/// (Gandhi, Khuller, Parthasarathy and Srinivasan 2006, doi:10.1145/1147954.1147956). At most `n_options` customers are
/// fractional at any time, so the work is proportional to the entries times a small number.
pub(crate) fn round_dependent(
    probabilities: &[Vec<(usize, f64)>],
    n_options: usize,
    generator: &mut Generator,
) -> Vec<usize> {
    let mut rounding = Rounding {
        open: Vec::new(),
        drawn: vec![0; probabilities.len()],
        n_options,
    };
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    generator.shuffle(&mut order);
    for customer in order {
        rounding.open.push(Open {
            customer,
            shares: probabilities[customer].clone(),
        });
        rounding.close_whole();
        while let Some(walk) = rounding.find_cycle() {
            rounding.shift(&walk, generator);
        }
    }
    while let Some(walk) = rounding.find_path() {
        rounding.shift(&walk, generator);
    }
    rounding.drawn
}

/// A customer with at least two fractional shares.
struct Open {
    customer: usize,
    shares: Vec<(usize, f64)>,
}

/// An edge: place in `open`, place in its shares.
type Edge = (usize, usize);

/// A node on a search path: which, by which edge it was reached, and the edges not yet followed.
type PathNode = (usize, Option<Edge>, Vec<(Edge, usize)>);

struct Rounding {
    open: Vec<Open>,
    drawn: Vec<usize>,
    n_options: usize,
}

impl Rounding {
    /// Removes shares that are zero; a customer with one share left has drawn it.
    fn close_whole(&mut self) {
        let drawn = &mut self.drawn;
        self.open.retain_mut(|open| {
            let largest = open.shares.iter().map(|share| share.1).fold(0.0, f64::max);
            open.shares.retain(|share| {
                if largest > 1.0 - WHOLE {
                    share.1 == largest
                } else {
                    share.1 > WHOLE
                }
            });
            match open.shares.as_slice() {
                [(option, _)] => {
                    drawn[open.customer] = *option;
                    false
                }
                _ => true,
            }
        });
    }

    /// The edges of a cycle in order, if the graph has one.
    fn find_cycle(&self) -> Option<Vec<Edge>> {
        let nodes = self.n_options + self.open.len();
        let mut seen = vec![false; nodes];
        for root in 0..self.open.len() {
            if !seen[self.n_options + root]
                && let Some(cycle) = self.walk_for_cycle(self.n_options + root, &mut seen)
            {
                return Some(cycle);
            }
        }
        None
    }

    /// Depth-first search from a node; the first edge back to a node on the current path closes a cycle.
    fn walk_for_cycle(&self, root: usize, seen: &mut [bool]) -> Option<Vec<Edge>> {
        let mut path: Vec<PathNode> = vec![(root, None, self.edges(root))];
        seen[root] = true;
        while let Some((_, came_by, ahead)) = path.last_mut() {
            let came_by = *came_by;
            let Some((edge, to)) = ahead.pop() else {
                path.pop();
                continue;
            };
            if Some(edge) == came_by {
                continue;
            }
            if let Some(start) = path.iter().position(|step| step.0 == to) {
                let mut cycle: Vec<Edge> = path[start + 1..].iter().filter_map(|step| step.1).collect();
                cycle.push(edge);
                return Some(cycle);
            }
            if !seen[to] {
                seen[to] = true;
                path.push((to, Some(edge), self.edges(to)));
            }
        }
        None
    }

    /// A longest path between two options that each have one fractional share left (the graph is a forest).
    fn find_path(&self) -> Option<Vec<Edge>> {
        let degree = |option: usize| self.edges(option).len();
        let mut node = (0..self.n_options).find(|option| degree(*option) == 1)?;
        let mut path: Vec<Edge> = Vec::new();
        loop {
            let last = path.last().copied();
            let Some((edge, to)) = self.edges(node).into_iter().find(|(edge, _)| Some(*edge) != last) else {
                return Some(path);
            };
            path.push(edge);
            node = to;
        }
    }

    /// Edges at a node with the node at the other end; options come first, then open customers.
    fn edges(&self, node: usize) -> Vec<(Edge, usize)> {
        if let Some(place) = node.checked_sub(self.n_options) {
            let shares = self.open[place].shares.iter().enumerate();
            return shares.map(|(at, share)| ((place, at), share.0)).collect();
        }
        let mut edges = Vec::new();
        for (place, open) in self.open.iter().enumerate() {
            if let Some(at) = open.shares.iter().position(|share| share.0 == node) {
                edges.push(((place, at), self.n_options + place));
            }
        }
        edges
    }

    /// Shifts shares up and down in turn along a walk until one is whole, in one of two directions by chance.
    fn shift(&mut self, walk: &[Edge], generator: &mut Generator) {
        let share = |edge: &Edge| self.open[edge.0].shares[edge.1].1;
        let room = |first_up: bool| {
            walk.iter()
                .enumerate()
                .fold(f64::INFINITY, |room: f64, (place, edge)| {
                    let up = (place % 2 == 0) == first_up;
                    room.min(if up { 1.0 - share(edge) } else { share(edge) })
                })
        };
        let (up, down) = (room(true), room(false));
        let first_up = generator.uniform() * (up + down) < down;
        let by = if first_up { up } else { down };
        for (place, edge) in walk.iter().enumerate() {
            let sign = if (place % 2 == 0) == first_up { 1.0 } else { -1.0 };
            self.open[edge.0].shares[edge.1].1 += sign * by;
        }
        self.close_whole();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_domain::Seed;

    fn rows() -> Vec<Vec<(usize, f64)>> {
        (0..40_usize)
            .map(|i| {
                let a = 0.1 + 0.005 * i as f64;
                let b = if i % 3 == 0 { 0.2 } else { 0.03 };
                match i % 4 {
                    0 => vec![(0, 1.0)],
                    1 => vec![(0, 1.0 - a), (1, a)],
                    2 => vec![(0, 1.0 - a - b), (1, a), (2, b)],
                    _ => vec![(0, 1.0 - a - 2.0 * b), (1, a), (2, b), (3, b)],
                }
            })
            .collect()
    }

    #[test]
    fn counts_are_exact_within_one_and_frequencies_match() {
        let rows = rows();
        let mut expected = [0.0; 4];
        rows.iter()
            .flatten()
            .for_each(|(option, p)| expected[*option] += p);
        let draws = 20_000_u32;
        let mut hits = vec![[0_u32; 4]; rows.len()];
        for seed in 0..draws {
            let drawn = round_dependent(&rows, 4, &mut Generator::new(Seed(u64::from(seed))));
            let mut counts = [0.0; 4];
            for (customer, option) in drawn.iter().enumerate() {
                hits[customer][*option] += 1;
                counts[*option] += 1.0;
            }
            for (count, expected) in counts.iter().zip(&expected) {
                assert!((count - expected).abs() < 1.0 + 1e-9, "{counts:?} {expected:?}");
            }
        }
        for (row, hits) in rows.iter().zip(&hits) {
            for option in 0..4 {
                let p = row
                    .iter()
                    .find(|share| share.0 == option)
                    .map_or(0.0, |share| share.1);
                let sd = (p * (1.0 - p) / f64::from(draws)).sqrt();
                assert!(
                    (f64::from(hits[option]) / f64::from(draws) - p).abs() <= 5.0 * sd,
                    "{row:?} {hits:?}"
                );
            }
        }
    }
}
