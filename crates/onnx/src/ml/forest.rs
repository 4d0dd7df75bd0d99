//! Trees in a flat table, walked row by row.

use std::collections::{BTreeMap, BTreeSet};

use thalweg_domain::{Error, Result};

use crate::proto::NodeProto;
use crate::tensor::{Tensor, mismatch};

/// The test of an inner node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    Unequal,
}

/// A node: a test with two ways on, or a stretch of leaf weights.
#[derive(Debug, Clone, Copy)]
enum Node {
    Inner {
        feature: usize,
        test: Test,
        value: f64,
        yes: usize,
        no: usize,
        missing_is_yes: bool,
    },
    Leaf {
        start: usize,
        end: usize,
    },
}

/// How the trees' weights become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Average,
    Least,
    Greatest,
}

/// All trees of a model.
#[derive(Debug)]
pub(super) struct Forest {
    nodes: Vec<Node>,
    roots: Vec<usize>,
    /// Target and weight.
    leaves: Vec<(usize, f64)>,
    aggregate: Aggregate,
    pub(super) n_targets: usize,
    n_features: usize,
}

/// A node as the model file has it.
pub(super) struct RawNode {
    pub(super) key: (i64, i64),
    /// `None` is a leaf.
    pub(super) test: Option<Test>,
    pub(super) feature: i64,
    pub(super) value: f64,
    pub(super) yes: (i64, i64),
    pub(super) no: (i64, i64),
    pub(super) missing_is_yes: bool,
}

pub(super) fn contradictory(node: &NodeProto, what: &str) -> Error {
    Error::new("TW0340", format!("{} of the model {what}", node.place()))
        .hint("the file is damaged: export the model again")
}

impl Forest {
    /// Builds the table. `weights` are tree and node, target and weight.
    ///
    /// # Errors
    /// `TW0340` when a node leads nowhere or a target is out of range.
    pub(super) fn build(
        node: &NodeProto,
        raw: &[RawNode],
        weights: &[((i64, i64), usize, f64)],
        (aggregate, n_targets): (Aggregate, usize),
    ) -> Result<Self> {
        let place_of: BTreeMap<(i64, i64), usize> = raw.iter().map(|each| each.key).zip(0..).collect();
        let mut by_leaf: BTreeMap<(i64, i64), Vec<(usize, f64)>> = BTreeMap::new();
        for (key, target, weight) in weights {
            by_leaf.entry(*key).or_default().push((*target, *weight));
        }
        let (mut nodes, mut leaves, mut children) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut n_features = 0;
        for each in raw {
            let Some(test) = each.test else {
                let start = leaves.len();
                leaves.extend(by_leaf.get(&each.key).into_iter().flatten().copied());
                nodes.push(Node::Leaf {
                    start,
                    end: leaves.len(),
                });
                continue;
            };
            let child = |key| place_of.get(&key).copied();
            let (Some(yes), Some(no), Ok(feature)) =
                (child(each.yes), child(each.no), usize::try_from(each.feature))
            else {
                return Err(contradictory(node, "has a node that leads nowhere"));
            };
            children.extend([yes, no]);
            n_features = n_features.max(feature + 1);
            let (value, missing_is_yes) = (each.value, each.missing_is_yes);
            nodes.push(Node::Inner {
                feature,
                test,
                value,
                yes,
                no,
                missing_is_yes,
            });
        }
        if leaves.iter().any(|(target, _)| *target >= n_targets) {
            return Err(contradictory(
                node,
                "has a leaf for a class or target that it does not have",
            ));
        }
        let roots = (0..nodes.len())
            .filter(|place| !children.contains(place))
            .collect();
        Ok(Self {
            nodes,
            roots,
            leaves,
            aggregate,
            n_targets,
            n_features,
        })
    }

    /// The weights of a tree's leaf for a row.
    fn leaf(&self, root: usize, row: &[f64]) -> Result<&[(usize, f64)]> {
        let mut place = root;
        // no way can be longer than the table, unless it runs in a circle
        for _ in 0..=self.nodes.len() {
            match self.nodes.get(place) {
                Some(Node::Leaf { start, end }) => {
                    return Ok(self.leaves.get(*start..*end).unwrap_or_default());
                }
                Some(Node::Inner {
                    feature,
                    test,
                    value,
                    yes,
                    no,
                    missing_is_yes,
                }) => {
                    let cell = row.get(*feature).copied().unwrap_or(f64::NAN);
                    let goes_yes = test.holds(cell, *value) || (*missing_is_yes && cell.is_nan());
                    place = if goes_yes { *yes } else { *no };
                }
                None => break,
            }
        }
        Err(mismatch("a tree that runs in a circle".to_owned()))
    }

    /// Per row the score of each target, without base values, and whether any leaf gave it one.
    pub(super) fn scores(&self, x: &Tensor) -> Result<Vec<Vec<f64>>> {
        let (_, columns) = x.ml_rows();
        if columns < self.n_features {
            return Err(mismatch(format!(
                "{columns} columns where the trees ask for {}",
                self.n_features
            )));
        }
        let numbers = x.numbers()?;
        numbers
            .chunks_exact(columns.max(1))
            .map(|row| self.row(row))
            .collect()
    }

    fn row(&self, row: &[f64]) -> Result<Vec<f64>> {
        let start = match self.aggregate {
            Aggregate::Sum | Aggregate::Average => 0.0,
            Aggregate::Least => f64::INFINITY,
            Aggregate::Greatest => f64::NEG_INFINITY,
        };
        let mut scores = vec![start; self.n_targets];
        for root in &self.roots {
            for (target, weight) in self.leaf(*root, row)? {
                if let Some(score) = scores.get_mut(*target) {
                    *score = match self.aggregate {
                        Aggregate::Sum | Aggregate::Average => *score + weight,
                        Aggregate::Least => score.min(*weight),
                        Aggregate::Greatest => score.max(*weight),
                    };
                }
            }
        }
        for score in &mut scores {
            if self.aggregate == Aggregate::Average {
                *score /= crate::number::count(self.roots.len());
            }
            // a target that no leaf names has the score 0
            if score.is_infinite() {
                *score = 0.0;
            }
        }
        Ok(scores)
    }

    /// The targets that leaves name, and whether no weight is negative.
    pub(super) fn named_targets(&self) -> (BTreeSet<usize>, bool) {
        let targets = self.leaves.iter().map(|(target, _)| *target).collect();
        (targets, self.leaves.iter().all(|(_, weight)| *weight >= 0.0))
    }
}

impl Test {
    pub(super) fn of(mode: &str) -> Option<Self> {
        Some(match mode {
            "BRANCH_LEQ" => Self::AtMost,
            "BRANCH_LT" => Self::Below,
            "BRANCH_GTE" => Self::AtLeast,
            "BRANCH_GT" => Self::Above,
            "BRANCH_EQ" => Self::Equal,
            "BRANCH_NEQ" => Self::Unequal,
            _ => return None,
        })
    }

    #[expect(clippy::float_cmp, reason = "the equality tests of ONNX trees are exact")]
    fn holds(self, cell: f64, value: f64) -> bool {
        match self {
            Self::AtMost => cell <= value,
            Self::Below => cell < value,
            Self::AtLeast => cell >= value,
            Self::Above => cell > value,
            Self::Equal => cell == value,
            Self::Unequal => cell != value,
        }
    }
}
