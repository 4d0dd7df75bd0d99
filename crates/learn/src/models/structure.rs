//! A fitted model as plain data: all that a program needs to compute the same predictions elsewhere.

use super::mlp::{Dense, EMBED_ABOVE, EmbeddingTable, Mlp, TargetScale};
use super::{Fitted, FittedModel, Learner};
use crate::outcome::{Link, OutcomeModel};
pub use crate::prepare::structure::{
    Categories, CategoryColumn, CategoryTest, EncodedColumn, Encoding, RawCategories, Scaling,
};
use crate::task::Task;

/// A whole outcome model: the scores of its parts are added, then the link makes predictions of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// What it predicts.
    pub task: Task,
    /// One, or the members of a blend.
    pub parts: Vec<Part>,
    /// From scores to predictions.
    pub link: Link,
}

/// One learner's part in the scores: `factor * (scores + offset)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The learner.
    pub learner: Learner,
    /// What becomes of each column before the model sees it.
    pub columns: Vec<EncodedColumn>,
    /// The model.
    pub body: Body,
    /// Its weight.
    pub factor: f64,
    /// One per output.
    pub offset: Vec<f64>,
}

/// A model without its preparation.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// On the dense encoding: for each output the intercept, then one slope per dense column.
    Linear(Vec<Vec<f64>>),
    /// On the raw encoding.
    Trees(Trees),
    /// On the dense encoding.
    Net(Net),
    /// A model that was trained elsewhere, whose inside is not known here; it has no columns.
    Foreign,
}

/// Boosted trees: `base` plus the sum of the trees' values, per output.
#[derive(Debug, Clone, PartialEq)]
pub struct Trees {
    /// One per output.
    pub base: Vec<f64>,
    /// For each output its trees.
    pub trees: Vec<Vec<Vec<TreeNode>>>,
}

/// A node of a tree; the root is the first one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TreeNode {
    /// Rows whose cell of the raw column is at most the threshold go to the node `left`, others to `left + 1`.
    Question {
        /// The raw column.
        column: usize,
        /// Cells up to it go left.
        threshold: f64,
        /// Whether missing cells go left.
        missing_left: bool,
        /// The left child.
        left: usize,
    },
    /// The tree's value.
    Leaf(f64),
}

/// A net.
#[derive(Debug, Clone, PartialEq)]
pub struct Net {
    /// Hidden layers first to last, then the output layer, whose sums are the scores.
    pub layers: Vec<Dense>,
    /// The embedded categories: its place among the columns, and its vectors row after row (one per level in the order
    /// of the levels, one for unseen and one for missing cells). They have no dense columns; their vectors follow the dense
    /// columns of the others in the first layer's input.
    pub embedded: Vec<(usize, EmbeddingTable, Vec<f32>)>,
    /// A number's score is `mean + deviation * sum`.
    pub target: Option<TargetScale>,
}

impl OutcomeModel {
    /// The model as plain data.
    #[must_use]
    pub fn structure(&self) -> Structure {
        let parts = self.members().iter().map(|member| Part {
            learner: member.learner,
            columns: member.fitted.preparer.structure(),
            body: member.fitted.body(),
            factor: member.factor,
            offset: member.offset.clone(),
        });
        Structure {
            task: self.task().clone(),
            parts: parts.collect(),
            link: self.link().clone(),
        }
    }
}

impl Fitted {
    fn body(&self) -> Body {
        match &self.model {
            FittedModel::Logistic(linear) => {
                let slopes = |output| {
                    linear
                        .coefficients(output)
                        .map(|(estimate, _)| estimate)
                        .collect()
                };
                Body::Linear((0..linear.n_outputs()).map(slopes).collect())
            }
            FittedModel::Gbdt(trees) => Body::Trees(Trees {
                base: trees.base().to_vec(),
                trees: (0..trees.base().len())
                    .map(|output| {
                        let trees = trees.trees(output);
                        trees
                            .map(|tree| {
                                let nodes = tree.nodes.iter();
                                nodes.map(|node| tree_node(node.parts(), node.value())).collect()
                            })
                            .collect()
                    })
                    .collect(),
            }),
            FittedModel::Mlp(net) => Body::Net(Net {
                layers: net.layers(),
                embedded: embedded(net, &self.preparer.structure()),
                target: net.target_scale(),
            }),
            FittedModel::Foreign(_) => Body::Foreign,
            FittedModel::Compact(net) => {
                let plain = net.plain();
                Body::Net(Net {
                    layers: plain.layers(),
                    embedded: Vec::new(),
                    target: plain.target_scale(),
                })
            }
        }
    }
}

/// The categories that a net embeds are those with more than [`EMBED_ABOVE`] levels, in table order.
fn embedded(net: &Mlp, columns: &[EncodedColumn]) -> Vec<(usize, EmbeddingTable, Vec<f32>)> {
    let many = |column: &EncodedColumn| match &column.encoding {
        Encoding::Category(categories) => categories.levels.len() > EMBED_ABOVE,
        _ => false,
    };
    let places = columns.iter().enumerate().filter(|(_, column)| many(column));
    places
        .zip(net.tables())
        .map(|((place, _), (table, vectors))| (place, table, vectors.to_vec()))
        .collect()
}

fn tree_node(question: Option<(usize, f64, bool, usize)>, value: Option<f64>) -> TreeNode {
    match question {
        Some((column, threshold, missing_left, left)) => TreeNode::Question {
            column,
            threshold,
            missing_left,
            left,
        },
        None => TreeNode::Leaf(value.unwrap_or(0.0)),
    }
}
