//! Growing the tree: the best split of each node while it is large, clear and worth having.

use super::bins::Binned;
use super::region::Region;
use super::split::{Least, Split, best_split};
use super::{Leaf, Outcomes, SegmentParams};

/// Chance with which the best of a node's candidates may pass the bound when there is nothing.
const FALSE_SPLIT: f64 = 0.05;

/// Rows of a node: those it is grown on, and those it is described on (their outcomes are not looked at). Rows may repeat.
#[derive(Clone, Copy)]
pub(crate) struct Draw<'a> {
    pub(crate) grow: &'a [usize],
    pub(crate) check: &'a [usize],
}

/// The tree; the children of a split are later nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Leaf(usize),
    Split { split: Split, children: [usize; 2] },
}

/// What holds for every node.
struct Bounds {
    least: Least,
    /// Least gain in units of the sum of squares.
    gain: f64,
    max_depth: usize,
}

impl Tree {
    pub(crate) fn grow(columns: &[Binned], y: &Outcomes, draw: &Draw<'_>, params: &SegmentParams) -> Self {
        let at_least = |n: usize| {
            let share = (params.min_share * n as f64).ceil() as usize;
            params.min_rows.max(share)
        };
        let bounds = Bounds {
            least: Least {
                grow: at_least(draw.grow.len()),
                check: at_least(draw.check.len()),
            },
            gain: params.min_gain * total_squares(y, draw.grow),
            max_depth: params.max_depth,
        };
        let mut tree = Self { nodes: Vec::new() };
        let mut n_leaves = 0;
        tree.node((columns, y), draw, (&bounds, 0), &mut n_leaves);
        tree
    }

    /// Adds the node of these rows with all below it; gives its place.
    fn node(
        &mut self,
        (columns, y): (&[Binned], &Outcomes),
        draw: &Draw<'_>,
        (bounds, depth): (&Bounds, usize),
        n_leaves: &mut usize,
    ) -> usize {
        let place = self.nodes.len();
        self.nodes.push(Node::Leaf(*n_leaves));
        let split = (depth < bounds.max_depth)
            .then(|| worth_having(columns, y, draw, bounds))
            .flatten();
        let Some(split) = split else {
            *n_leaves += 1;
            return place;
        };
        let bin_of = &columns[split.column].bin_of;
        let side = |rows: &[usize], left: bool| -> Vec<usize> {
            let own = |row: &&usize| split.left[usize::from(bin_of[**row])] == left;
            rows.iter().filter(own).copied().collect()
        };
        let children = [true, false].map(|left| {
            let (grow, check) = (side(draw.grow, left), side(draw.check, left));
            let draw = Draw {
                grow: &grow,
                check: &check,
            };
            self.node((columns, y), &draw, (bounds, depth + 1), n_leaves)
        });
        self.nodes[place] = Node::Split { split, children };
        place
    }

    /// The first split.
    pub(crate) fn first(&self) -> Option<&Split> {
        match self.nodes.first() {
            Some(Node::Split { split, .. }) => Some(split),
            _ => None,
        }
    }

    /// The group of a row.
    pub(crate) fn assign(&self, columns: &[Binned], row: usize) -> usize {
        let mut place = 0;
        loop {
            match &self.nodes[place] {
                Node::Leaf(leaf) => return *leaf,
                Node::Split { split, children } => {
                    let bin = usize::from(columns[split.column].bin_of[row]);
                    place = children[usize::from(!split.left[bin])];
                }
            }
        }
    }

    /// The group of each of `n` rows.
    pub(crate) fn assign_all(&self, columns: &[Binned], n: usize) -> Vec<usize> {
        (0..n).map(|row| self.assign(columns, row)).collect()
    }

    /// The groups with their rules, by number.
    pub(crate) fn leaves(&self, columns: &[Binned]) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.push_leaves(columns, 0, &[], &mut leaves);
        leaves
    }

    fn push_leaves(
        &self,
        columns: &[Binned],
        place: usize,
        path: &[(usize, Region)],
        leaves: &mut Vec<Leaf>,
    ) {
        match &self.nodes[place] {
            Node::Leaf(_) => leaves.push(Leaf {
                rules: path
                    .iter()
                    .map(|(column, region)| region.words(&columns[*column]))
                    .collect(),
            }),
            Node::Split { split, children } => {
                for (child, side) in children.iter().zip([true, false]) {
                    let mut deeper = path.to_vec();
                    let column = split.column;
                    match deeper.iter_mut().find(|(known, _)| *known == column) {
                        Some((_, region)) => region.narrow(&split.left, side),
                        None => {
                            let mut region = Region::all(&columns[column]);
                            region.narrow(&split.left, side);
                            deeper.push((column, region));
                        }
                    }
                    self.push_leaves(columns, *child, &deeper, leaves);
                }
            }
        }
    }
}

/// The node's best split, if it is larger than chance and than the least gain.
fn worth_having(columns: &[Binned], y: &Outcomes, draw: &Draw<'_>, bounds: &Bounds) -> Option<Split> {
    if draw.grow.len() < 2 * bounds.least.grow {
        return None;
    }
    let best = best_split(columns, y, draw, bounds.least);
    let split = best.split?;
    (split.gain >= bounds.gain && split.evidence > chance_bound(y.width, best.n_tried)).then_some(split)
}

/// What the largest of `n_tried` chi-square variables with `df` degrees of freedom exceeds with probability below 5 %:
/// `df + 2 sqrt(df t) + 2 t`, `t = ln(n_tried / 0.05)` (Laurent and Massart 2000, lemma 1, and the union bound).
fn chance_bound(df: usize, n_tried: usize) -> f64 {
    let (df, t) = (df as f64, (n_tried.max(1) as f64 / FALSE_SPLIT).ln());
    2.0_f64.mul_add((df * t).sqrt() + t, df)
}

fn total_squares(y: &Outcomes, rows: &[usize]) -> f64 {
    let mut sums = vec![0.0; y.width];
    let mut squares = 0.0;
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(y.of(*row)) {
            *sum += value;
            squares += value * value;
        }
    }
    squares - sums.iter().map(|sum| sum * sum).sum::<f64>() / rows.len().max(1) as f64
}
