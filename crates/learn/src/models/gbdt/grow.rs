//! One tree, grown leaf by leaf: always the leaf whose split gains most.

use super::bins::{Bins, Slot};
use super::histogram::{Histogram, build, subtract};
use super::partition::{Scratch, Side};
use super::split::{Leaf, Range, Rules, Split};
use super::tree::{Node, Tree};

/// Cells of all leaves' histograms together (256 MiB); beyond it a leaf builds its own again.
const MAX_STORED_CELLS: usize = 1 << 25;
/// Cells from which the two children are searched beside each other.
const MIN_PARALLEL_CELLS: usize = 2048;

/// How large a tree may grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) leaves: usize,
    pub(super) depth: usize,
}

/// A tree with its questions in bins, and which training rows lie in which leaf.
pub(super) struct Grown {
    pub(super) tree: Tree,
    /// Per question its split, per leaf none.
    pub(super) splits: Vec<Option<Split>>,
    /// Node and stretch of the rows, per leaf.
    pub(super) leaves: Vec<(usize, std::ops::Range<usize>)>,
}

impl Grown {
    /// Adds a leaf; gives its node.
    fn push(&mut self, value: f64, n_rows: usize) -> usize {
        self.tree.nodes.push(Node::leaf(value));
        self.tree.cover.push(count(n_rows));
        self.tree.gain.push(0.0);
        self.splits.push(None);
        self.tree.nodes.len() - 1
    }

    /// The leaf's value for a row of the binned table.
    pub(super) fn value(&self, bins: &Bins, row: u32) -> f64 {
        let mut node = 0;
        while let (Some(split), Some((.., left))) = (&self.splits[node], self.tree.nodes[node].parts()) {
            node = left + usize::from(!Side::new(bins, split).is_left(row));
        }
        self.tree.nodes[node].value().unwrap_or_default()
    }
}

/// A leaf that may still be split.
struct Open {
    node: usize,
    depth: usize,
    rows: std::ops::Range<usize>,
    sums: Histogram,
    total: i64,
    range: Range,
    split: Option<Split>,
}

/// What does not change while a tree grows.
pub(super) struct Grower<'a> {
    pub(super) bins: &'a Bins,
    pub(super) rules: Rules<'a>,
    pub(super) size: Size,
    /// Factor on leaf values.
    pub(super) shrinkage: f64,
    /// Packed derivatives per row of the table.
    pub(super) derivatives: &'a [i64],
}

impl Grower<'_> {
    /// Grows a tree on `rows`, which it sorts by leaf.
    pub(super) fn grow(&self, rows: &mut [u32], scratch: &mut Scratch) -> Grown {
        let total = rows.iter().fold(0_i64, |sum, row| {
            sum.wrapping_add(self.derivatives[*row as usize])
        });
        let value = self.rules.value(self.rules.units.unpack(total), Range::FREE);
        let mut grown = Grown {
            tree: Tree::default(),
            splits: Vec::new(),
            leaves: Vec::new(),
        };
        grown.push(value * self.shrinkage, rows.len());
        let mut root = Open::new(0, 0, 0..rows.len(), total, Range::FREE);
        if self.may_split(&root) {
            root.sums = build(self.bins, self.derivatives, rows, self.rules.used);
            self.search(&mut root, rows);
        }
        let mut open = vec![root];
        while open.len() < self.size.leaves {
            let Some((next, split)) = most_gain(&open) else {
                break;
            };
            let leaf = open.swap_remove(next);
            let mut children = self.cut(&leaf, &split, rows, scratch, &mut grown);
            if open.len() + 2 < self.size.leaves {
                self.prepare(leaf.sums, &mut children, rows);
            }
            open.extend(children);
        }
        grown.leaves = open.into_iter().map(|leaf| (leaf.node, leaf.rows)).collect();
        grown
    }

    fn may_split(&self, leaf: &Open) -> bool {
        leaf.depth < self.size.depth && leaf.rows.len() >= 2 * self.rules.min_rows.max(1)
    }

    /// Turns a leaf into a question with two leaves.
    fn cut(
        &self,
        leaf: &Open,
        split: &Split,
        rows: &mut [u32],
        scratch: &mut Scratch,
        grown: &mut Grown,
    ) -> [Open; 2] {
        let n_left = scratch.partition(&mut rows[leaf.rows.clone()], Side::new(self.bins, split));
        let middle = leaf.rows.start + n_left;
        let first = grown.push(split.left_value * self.shrinkage, n_left);
        grown.push(split.right_value * self.shrinkage, leaf.rows.end - middle);
        grown.tree.nodes[leaf.node] = self.question(split, first);
        grown.tree.gain[leaf.node] = (0.5 * split.gain) as f32;
        grown.splits[leaf.node] = Some(*split);
        let (left, right) = self.ranges(leaf.range, split);
        let depth = leaf.depth + 1;
        let others = leaf.total.wrapping_sub(split.left);
        [
            Open::new(first, depth, leaf.rows.start..middle, split.left, left),
            Open::new(first + 1, depth, middle..leaf.rows.end, others, right),
        ]
    }

    fn question(&self, split: &Split, left: usize) -> Node {
        let (column, threshold) = match &self.bins.slots[split.slot] {
            Slot::Number { column, bounds } => (*column, bounds[usize::from(split.bin) - 1]),
            Slot::OneHot { columns } => (columns.start + usize::from(split.bin) - 2, 0.5),
        };
        Node::question(count(column), threshold, split.missing_left, count(left))
    }

    /// The children's ranges: along a monotone column they meet half way between the two values.
    fn ranges(&self, own: Range, split: &Split) -> (Range, Range) {
        let middle = 0.5 * (split.left_value + split.right_value);
        let below = Range { high: middle, ..own };
        let above = Range { low: middle, ..own };
        match self.rules.monotone[split.slot] {
            0 => (own, own),
            sign if sign > 0 => (below, above),
            _ => (above, below),
        }
    }

    /// Histograms and best splits of two children: the smaller is summed, the larger is the rest of the parent.
    fn prepare(&self, parent: Histogram, children: &mut [Open; 2], rows: &[u32]) {
        if !children.iter().any(|child| self.may_split(child)) {
            return;
        }
        let sum = |leaf: &Open| {
            build(
                self.bins,
                self.derivatives,
                &rows[leaf.rows.clone()],
                self.rules.used,
            )
        };
        let smaller = usize::from(children[1].rows.len() < children[0].rows.len());
        children[smaller].sums = sum(&children[smaller]);
        children[1 - smaller].sums = if parent.is_empty() {
            sum(&children[1 - smaller])
        } else {
            let mut rest = parent;
            subtract(&mut rest, &children[smaller].sums);
            rest
        };
        let [left, right] = children;
        if self.bins.total() < MIN_PARALLEL_CELLS {
            self.search(left, rows);
            self.search(right, rows);
        } else {
            rayon::join(|| self.search(left, rows), || self.search(right, rows));
        }
    }

    /// Finds the leaf's best split. Histograms count rows only through their second derivatives, so a narrow side is
    /// counted, and if it is too small the search goes on with twice the demand.
    fn search(&self, leaf: &mut Open, rows: &[u32]) {
        let min_rows = self.rules.min_rows;
        let shown = Leaf {
            sums: &leaf.sums,
            total: leaf.total,
            n_rows: leaf.rows.len(),
            range: leaf.range,
        };
        let mut demand = min_rows;
        leaf.split = None;
        while self.may_split(leaf) && 2 * demand <= shown.n_rows {
            let Some(split) = self.rules.best(self.bins, &shown, demand) else {
                break;
            };
            if self.is_wide(leaf, &split, &rows[leaf.rows.clone()]) {
                leaf.split = Some(split);
                break;
            }
            demand = (2 * demand).max(1);
        }
        if self.size.leaves.saturating_mul(self.bins.total()) > MAX_STORED_CELLS {
            leaf.sums = Vec::new();
        }
    }

    /// Whether both sides have enough rows. Enough curvature for them proves it without counting.
    fn is_wide(&self, leaf: &Open, split: &Split, rows: &[u32]) -> bool {
        let units = &self.rules.units;
        let left = units.unpack(split.left).second;
        let right = units.unpack(leaf.total).second - left;
        let least = self.rules.min_rows.max(1);
        if left.min(right) >= 1.01 * least as f64 * self.rules.max_second {
            return true;
        }
        let n_left = Side::new(self.bins, split).count_left(rows);
        n_left >= least && rows.len() - n_left >= least
    }
}

impl Open {
    const fn new(node: usize, depth: usize, rows: std::ops::Range<usize>, total: i64, range: Range) -> Self {
        Self {
            node,
            depth,
            rows,
            sums: Vec::new(),
            total,
            range,
            split: None,
        }
    }
}

/// The open leaf whose split gains most, the earlier node on a tie.
fn most_gain(open: &[Open]) -> Option<(usize, Split)> {
    open.iter()
        .enumerate()
        .filter_map(|(index, leaf)| leaf.split.map(|split| (index, leaf.node, split)))
        .reduce(|a, b| {
            if b.2.gain > a.2.gain || (b.2.gain == a.2.gain && b.1 < a.1) {
                b
            } else {
                a
            }
        })
        .map(|(index, _, split)| (index, split))
}

/// Rows and nodes are counted in 32 bits; the fit refuses tables with more.
const fn count(n: usize) -> u32 {
    n as u32
}
