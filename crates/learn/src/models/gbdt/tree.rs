//! A grown tree: its nodes, how a row falls through it, and how it is stored.

use serde::{Deserialize, Serialize};

use crate::prepare::RawMatrix;

const LEAF: u32 = u32::MAX;

/// A node: a question about one raw column, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Node {
    /// The raw column asked about; none is a leaf.
    column: u32,
    /// Left child; the right one is next to it.
    left: u32,
    /// Cells up to it go left; of a leaf, its value.
    number: f64,
    missing_left: bool,
}

impl Node {
    pub(super) const fn leaf(value: f64) -> Self {
        Self {
            column: LEAF,
            left: 0,
            number: value,
            missing_left: false,
        }
    }

    pub(super) const fn question(column: u32, threshold: f64, missing_left: bool, left: u32) -> Self {
        Self {
            column,
            left,
            number: threshold,
            missing_left,
        }
    }

    /// Its value, if it is a leaf.
    pub(crate) const fn value(&self) -> Option<f64> {
        if self.column == LEAF {
            Some(self.number)
        } else {
            None
        }
    }

    /// The column, the threshold, whether missing cells go left, and the left child, if it is a question.
    pub(crate) const fn parts(&self) -> Option<(usize, f64, bool, usize)> {
        if self.column == LEAF {
            None
        } else {
            Some((
                self.column as usize,
                self.number,
                self.missing_left,
                self.left as usize,
            ))
        }
    }

    /// Whether a cell goes left.
    #[inline]
    pub(crate) fn goes_left(&self, cell: f64) -> bool {
        cell <= self.number || (cell.is_nan() && self.missing_left)
    }
}

/// A tree. The root is node 0; the children of a node are side by side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Training rows that reached each node.
    pub(crate) cover: Vec<u32>,
    /// Decrease of the training loss by each question; 0 for leaves.
    pub(crate) gain: Vec<f32>,
}

impl Tree {
    /// The leaf's value for a row given by its cells.
    pub(crate) fn value(&self, cell: impl Fn(usize) -> f64) -> f64 {
        let mut node = &self.nodes[0];
        while node.column != LEAF {
            let right = usize::from(!node.goes_left(cell(node.column as usize)));
            node = &self.nodes[node.left as usize + right];
        }
        node.number
    }

    /// Adds the tree's value to every row's sum.
    pub(crate) fn add_to(&self, x: &RawMatrix, sums: &mut [f64]) {
        for (row, sum) in sums.iter_mut().enumerate() {
            *sum += self.value(|column| x.data[column * x.n_rows + row]);
        }
    }
}

/// The columns of numbers that a tree is stored as.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    /// -1 for a leaf.
    column: Vec<i64>,
    left: Vec<u32>,
    number: Vec<f64>,
    missing_left: Vec<u8>,
    cover: Vec<u32>,
    gain: Vec<f32>,
}

impl From<Tree> for Stored {
    fn from(tree: Tree) -> Self {
        let each = || tree.nodes.iter();
        Self {
            column: each()
                .map(|node| {
                    if node.column == LEAF {
                        -1
                    } else {
                        i64::from(node.column)
                    }
                })
                .collect(),
            left: each().map(|node| node.left).collect(),
            number: each().map(|node| node.number).collect(),
            missing_left: each().map(|node| u8::from(node.missing_left)).collect(),
            cover: tree.cover,
            gain: tree.gain,
        }
    }
}

impl TryFrom<Stored> for Tree {
    type Error = String;

    /// Refuses what could send a row out of bounds or round in circles.
    fn try_from(stored: Stored) -> Result<Self, String> {
        let n = stored.column.len();
        let lengths = [
            stored.left.len(),
            stored.number.len(),
            stored.missing_left.len(),
            stored.cover.len(),
            stored.gain.len(),
        ];
        if n == 0 || lengths.iter().any(|len| *len != n) {
            return Err("a tree's arrays differ in length".to_owned());
        }
        let nodes = (0..n)
            .map(|index| {
                let left = stored.left[index];
                let Ok(column) = u32::try_from(stored.column[index]) else {
                    return Ok(Node::leaf(stored.number[index]));
                };
                if column == LEAF || left as usize <= index || left as usize + 1 >= n {
                    return Err(format!("node {index} of a tree has no children"));
                }
                Ok(Node::question(
                    column,
                    stored.number[index],
                    stored.missing_left[index] != 0,
                    left,
                ))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            nodes,
            cover: stored.cover,
            gain: stored.gain,
        })
    }
}
