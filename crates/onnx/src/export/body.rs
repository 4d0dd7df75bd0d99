//! The models as graphs: linear models, trees and nets.

use thalweg_learn::models::mlp::{Activation, Dense, Norm, Normalisation};
use thalweg_learn::models::structure::{Body, EncodedColumn, Encoding, Net, Part, TreeNode, Trees};

use super::builder::{Builder, Value};
use super::columns::{dense, input, rank, raw};
use crate::number::{count, signed};
use crate::proto::Attribute;
use crate::tensor::{Data, Tensor};

/// The scores of a part in double precision, rows x outputs, before its factor and offset; `None` when it has no column.
pub(super) fn scores(builder: &mut Builder, part: &Part) -> Option<Value> {
    let columns: Vec<&EncodedColumn> = part.columns.iter().collect();
    match &part.body {
        Body::Linear(outputs) => {
            let x = dense(builder, &columns)?;
            let x = builder.as_double(&x);
            Some(linear(builder, &x, outputs))
        }
        Body::Trees(trees) => {
            let x = raw(builder, &columns)?;
            Some(forest(builder, &x, trees))
        }
        Body::Net(net) => net_scores(builder, &columns, net),
        Body::Foreign => None,
    }
}

/// `x slopes + intercepts`, the intercept being the first of each output's numbers.
fn linear(builder: &mut Builder, x: &Value, outputs: &[Vec<f64>]) -> Value {
    let width = outputs.first().map_or(0, Vec::len).saturating_sub(1);
    let slopes =
        (0..width).flat_map(|column| outputs.iter().filter_map(move |own| own.get(column + 1).copied()));
    let slopes = matrix(builder, (width, outputs.len()), Data::F64(slopes.collect()));
    let intercepts = builder.doubles(outputs.iter().filter_map(|own| own.first().copied()).collect());
    let product = builder.op("MatMul", &[x, &slopes]);
    builder.op("Add", &[&product, &intercepts])
}

/// A constant matrix; cells that do not fill it (which a fitted model never has) give an empty one.
fn matrix(builder: &mut Builder, (rows, columns): (usize, usize), cells: Data) -> Value {
    let tensor = Tensor::new(vec![rows, columns], cells);
    builder.constant(tensor.unwrap_or_else(|| Tensor::vector(Data::F64(Vec::new()))))
}

/// The lists that a `TreeEnsembleRegressor` is made of.
#[derive(Default)]
struct Lists {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<String>,
    values: Vec<f64>,
    yes: Vec<i64>,
    no: Vec<i64>,
    missing: Vec<i64>,
    target_trees: Vec<i64>,
    target_nodes: Vec<i64>,
    targets: Vec<i64>,
    weights: Vec<f64>,
}

impl Lists {
    fn node(&mut self, (tree, place): (i64, i64), node: &TreeNode, target: i64) {
        self.trees.push(tree);
        self.nodes.push(place);
        let (mode, feature, value, yes, no, missing) = match node {
            TreeNode::Question {
                column,
                threshold,
                missing_left,
                left,
            } => {
                let left_child = signed(*left);
                (
                    "BRANCH_LEQ",
                    signed(*column),
                    *threshold,
                    left_child,
                    left_child + 1,
                    i64::from(*missing_left),
                )
            }
            TreeNode::Leaf(weight) => {
                self.target_trees.push(tree);
                self.target_nodes.push(place);
                self.targets.push(target);
                self.weights.push(*weight);
                ("LEAF", 0, 0.0, 0, 0, 0)
            }
        };
        self.modes.push(mode.to_owned());
        self.features.push(feature);
        self.values.push(value);
        self.yes.push(yes);
        self.no.push(no);
        self.missing.push(missing);
    }

    fn attributes(self, base: &[f64]) -> Vec<(&'static str, Attribute)> {
        let doubles = |cells: Vec<f64>| Attribute::Tensor(Tensor::vector(Data::F64(cells)));
        vec![
            ("n_targets", Attribute::Int(signed(base.len()))),
            ("aggregate_function", Attribute::Text("SUM".to_owned())),
            ("post_transform", Attribute::Text("NONE".to_owned())),
            ("base_values_as_tensor", doubles(base.to_vec())),
            ("nodes_treeids", Attribute::Ints(self.trees)),
            ("nodes_nodeids", Attribute::Ints(self.nodes)),
            ("nodes_featureids", Attribute::Ints(self.features)),
            ("nodes_modes", Attribute::Texts(self.modes)),
            ("nodes_values_as_tensor", doubles(self.values)),
            ("nodes_truenodeids", Attribute::Ints(self.yes)),
            ("nodes_falsenodeids", Attribute::Ints(self.no)),
            ("nodes_missing_value_tracks_true", Attribute::Ints(self.missing)),
            ("target_treeids", Attribute::Ints(self.target_trees)),
            ("target_nodeids", Attribute::Ints(self.target_nodes)),
            ("target_ids", Attribute::Ints(self.targets)),
            ("target_weights_as_tensor", doubles(self.weights)),
        ]
    }
}

fn forest(builder: &mut Builder, x: &Value, trees: &Trees) -> Value {
    let mut lists = Lists::default();
    let by_output = trees.trees.iter().enumerate();
    let each = by_output.flat_map(|(target, own)| own.iter().map(move |tree| (signed(target), tree)));
    for (number, (target, tree)) in each.enumerate() {
        for (place, node) in tree.iter().enumerate() {
            lists.node((signed(number), signed(place)), node, target);
        }
    }
    if lists.nodes.is_empty() {
        // no tree was grown: one leaf that says 0
        lists.node((0, 0), &TreeNode::Leaf(0.0), 0);
    }
    let sums = builder.ml("TreeEnsembleRegressor", &[x], &lists.attributes(&trees.base));
    builder.as_double(&sums)
}

fn net_scores(builder: &mut Builder, columns: &[&EncodedColumn], net: &Net) -> Option<Value> {
    let is_embedded = |place: usize| net.embedded.iter().any(|(own, _, _)| *own == place);
    let plain: Vec<&EncodedColumn> = columns
        .iter()
        .enumerate()
        .filter(|(place, _)| !is_embedded(*place))
        .map(|(_, column)| *column)
        .collect();
    let mut blocks: Vec<Value> = dense(builder, &plain).into_iter().collect();
    for (place, table, vectors) in &net.embedded {
        let column = columns.get(*place)?;
        let Encoding::Category(categories) = &column.encoding else {
            return None;
        };
        let x = input(builder, column);
        let levels = &categories.levels;
        let codes = rank(
            builder,
            &x,
            levels,
            (count(levels.len()), count(levels.len() + 1)),
        );
        let codes = builder.op_with("Cast", &[&codes], &[("to", Attribute::Int(7))]);
        let vectors = matrix(builder, (table.rows, table.dims), Data::F32(vectors.clone()));
        let found = builder.op_with("Gather", &[&vectors, &codes], &[("axis", Attribute::Int(0))]);
        let shape = builder.ints(vec![-1, signed(table.dims)]);
        blocks.push(builder.op("Reshape", &[&found, &shape]));
    }
    if blocks.is_empty() {
        return None;
    }
    let mut x = builder.beside(&blocks);
    for each in &net.layers {
        x = layer(builder, &x, each);
    }
    let sums = builder.as_double(&x);
    let Some(scale) = net.target else {
        return Some(sums);
    };
    let (mean, deviation) = (
        builder.doubles(vec![scale.mean]),
        builder.doubles(vec![scale.deviation]),
    );
    let spread = builder.op("Mul", &[&sums, &deviation]);
    Some(builder.op("Add", &[&spread, &mean]))
}

fn layer(builder: &mut Builder, x: &Value, layer: &Dense) -> Value {
    let weights = matrix(
        builder,
        (layer.inputs, layer.outputs),
        Data::F32(layer.weights.clone()),
    );
    let bias = builder.floats(layer.bias.clone());
    let mut sums = builder.op("Gemm", &[x, &weights, &bias]);
    if let Some(norm) = &layer.norm {
        sums = normalised(builder, &sums, norm);
    }
    match layer.activation {
        Some(Activation::Relu) => builder.op("Relu", &[&sums]),
        Some(Activation::Tanh) => builder.op("Tanh", &[&sums]),
        Some(Activation::Gelu) => gelu(builder, &sums),
        None => sums,
    }
}

fn normalised(builder: &mut Builder, sums: &Value, norm: &Normalisation) -> Value {
    let (gain, shift) = (
        builder.floats(norm.gain.clone()),
        builder.floats(norm.shift.clone()),
    );
    let epsilon = ("epsilon", Attribute::Float(norm.epsilon));
    match norm.norm {
        Norm::None => sums.clone(),
        Norm::Layer => {
            let attributes = [("axis", Attribute::Int(-1)), epsilon];
            builder.op_with("LayerNormalization", &[sums, &gain, &shift], &attributes)
        }
        Norm::Batch => {
            let (mean, variance) = (
                builder.floats(norm.mean.clone()),
                builder.floats(norm.variance.clone()),
            );
            builder.op_with(
                "BatchNormalization",
                &[sums, &gain, &shift, &mean, &variance],
                &[epsilon],
            )
        }
    }
}

/// `x / 2 * (1 + erf(x / sqrt 2))`; the operator of that name is younger than the operator set that is written.
fn gelu(builder: &mut Builder, x: &Value) -> Value {
    let root = builder.floats(vec![std::f32::consts::FRAC_1_SQRT_2]);
    let (one, half) = (builder.floats(vec![1.0]), builder.floats(vec![0.5]));
    let scaled = builder.op("Mul", &[x, &root]);
    let erf = builder.op("Erf", &[&scaled]);
    let upper = builder.op("Add", &[&erf, &one]);
    let halved = builder.op("Mul", &[x, &half]);
    builder.op("Mul", &[&halved, &upper])
}
