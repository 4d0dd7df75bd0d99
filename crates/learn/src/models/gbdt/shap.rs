//! Shapley values of one tree (path-dependent TreeSHAP).
//!
//! The tree is the sum of its leaves: a leaf's value counts where every question on its path is answered its way. For one
//! leaf, the columns on the path play a game: a known column multiplies by 1 or 0 (the row answers the leaf's way, or not), an
//! unknown one by the share of training rows that did. The Shapley value of a column averages, over the sizes of the
//! coalitions of the others, what knowing it changes; the coalitions of one size are summed by a polynomial in that size,
//! multiplied up column by column and divided by one column at a time (EXTEND and UNWIND of Lundberg et al. 2018,
//! arXiv 1802.03888).

use super::tree::Tree;

/// A column on the path to a leaf: what the leaf demands of it, and the share of training rows that comply.
#[derive(Debug, Clone)]
struct Step {
    column: usize,
    /// Nodes of the path that ask about the column, and whether the path goes left there.
    questions: Vec<(usize, bool)>,
    share: f64,
}

/// A leaf with its path.
struct Path {
    value: f64,
    steps: Vec<Step>,
}

/// A tree as its paths.
pub(super) struct Explainer<'a> {
    tree: &'a Tree,
    paths: Vec<Path>,
    depth: usize,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        let mut paths = Vec::new();
        collect(tree, 0, &mut Vec::new(), &mut paths);
        let depth = paths
            .iter()
            .map(|path| path.steps.len())
            .max()
            .unwrap_or_default();
        Self { tree, paths, depth }
    }

    /// The mean value over the training rows.
    pub(super) fn mean(&self) -> f64 {
        let share = |path: &Path| path.steps.iter().map(|step| step.share).product::<f64>();
        self.paths.iter().map(|path| path.value * share(path)).sum()
    }

    /// Adds each column's Shapley value for a row given by its cells.
    pub(super) fn add_to(&self, cell: &impl Fn(usize) -> f64, out: &mut [f64]) {
        let mut work = Work {
            weights: vec![0.0; self.depth + 1],
            known: vec![false; self.depth],
        };
        let answers: Vec<bool> = self
            .tree
            .nodes
            .iter()
            .map(|node| {
                node.parts()
                    .is_some_and(|(column, ..)| node.goes_left(cell(column)))
            })
            .collect();
        for path in &self.paths {
            for (known, step) in work.known.iter_mut().zip(&path.steps) {
                *known = step.questions.iter().all(|(node, left)| answers[*node] == *left);
            }
            path.add_to(&mut work, out);
        }
    }
}

struct Work {
    weights: Vec<f64>,
    known: Vec<bool>,
}

fn collect(tree: &Tree, node: usize, steps: &mut Vec<Step>, paths: &mut Vec<Path>) {
    let Some((column, _, _, left)) = tree.nodes[node].parts() else {
        let value = tree.nodes[node].value().unwrap_or_default();
        paths.push(Path {
            value,
            steps: steps.clone(),
        });
        return;
    };
    for (child, is_left) in [(left, true), (left + 1, false)] {
        let share = f64::from(tree.cover[child]) / f64::from(tree.cover[node].max(1));
        let kept = steps.clone();
        match steps.iter_mut().find(|step| step.column == column) {
            Some(step) => {
                step.questions.push((node, is_left));
                step.share *= share;
            }
            None => steps.push(Step {
                column,
                questions: vec![(node, is_left)],
                share,
            }),
        }
        collect(tree, child, steps, paths);
        *steps = kept;
    }
}

impl Path {
    fn add_to(&self, work: &mut Work, out: &mut [f64]) {
        let n = self.steps.len();
        let weights = &mut work.weights[..=n];
        weights.fill(0.0);
        weights[0] = 1.0;
        for (length, (step, known)) in self.steps.iter().zip(&work.known).enumerate() {
            extend(weights, length, step.share, *known);
        }
        for (step, known) in self.steps.iter().zip(&work.known) {
            let others = if *known {
                unwind_known(weights, n, step.share)
            } else {
                unwind_unknown(weights, n, step.share)
            };
            out[step.column] += self.value * others * (f64::from(*known) - step.share);
        }
    }
}

/// Multiplies one more column in: `weights[i]` is the sum over the coalitions of `i` of the columns so far, weighted by
/// `i! (n - i)! / (n + 1)!` with n columns.
fn extend(weights: &mut [f64], length: usize, share: f64, known: bool) {
    let size = (length + 2) as f64;
    for i in (0..=length).rev() {
        let own = weights[i];
        if known {
            weights[i + 1] += own * (i + 1) as f64 / size;
        }
        weights[i] = share * own * (length + 1 - i) as f64 / size;
    }
}

/// The sum of the weights with one known column divided out.
fn unwind_known(weights: &[f64], n: usize, share: f64) -> f64 {
    let size = (n + 1) as f64;
    let mut next = weights[n];
    let mut total = 0.0;
    for i in (0..n).rev() {
        let own = next * size / (i + 1) as f64;
        total += own;
        next = weights[i] - own * share * (n - i) as f64 / size;
    }
    total
}

/// The sum of the weights with one column divided out that answers against the leaf.
fn unwind_unknown(weights: &[f64], n: usize, share: f64) -> f64 {
    let size = (n + 1) as f64;
    if share <= 0.0 {
        return 0.0;
    }
    (0..n).map(|i| weights[i] * size / ((n - i) as f64 * share)).sum()
}
