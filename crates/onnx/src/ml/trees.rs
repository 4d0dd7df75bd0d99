//! Tree ensembles: `TreeEnsembleClassifier`, `TreeEnsembleRegressor` and, from version 5 of the domain, `TreeEnsemble`.

use std::collections::BTreeSet;

use thalweg_domain::{Error, Result};

use super::forest::{Aggregate, Forest, RawNode, Test, contradictory};
use super::linear::{Labels, largest, matrix};
use super::post::Post;
use crate::ops::{Kernel, one};
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor};

pub(super) fn kernel(node: &NodeProto) -> Result<Option<Kernel>> {
    match node.op.as_str() {
        "TreeEnsembleClassifier" => classifier(node).map(Some),
        "TreeEnsembleRegressor" => regressor(node).map(Some),
        "TreeEnsemble" => ensemble(node).map(Some),
        _ => Ok(None),
    }
}

/// Numbers given as floats or, for double precision, as a tensor.
fn numbers(node: &NodeProto, name: &str) -> Result<Vec<f64>> {
    if let Some(tensor) = node
        .tensor(&format!("{name}_as_tensor"))
        .or_else(|| node.tensor(name))
    {
        return tensor.numbers();
    }
    let floats = node.floats(name).unwrap_or_default();
    Ok(floats.into_iter().map(f64::from).collect())
}

/// The nodes of the two older operators: lists of equal length.
fn listed_nodes(node: &NodeProto) -> Result<Vec<RawNode>> {
    let list = |name: &str| node.ints(name).unwrap_or_default();
    let (trees, ids, features) = (
        list("nodes_treeids"),
        list("nodes_nodeids"),
        list("nodes_featureids"),
    );
    let (yes, no) = (list("nodes_truenodeids"), list("nodes_falsenodeids"));
    let mut missing = list("nodes_missing_value_tracks_true");
    let (modes, values) = (
        node.texts("nodes_modes").unwrap_or_default(),
        numbers(node, "nodes_values")?,
    );
    let n = ids.len();
    missing.resize(n, 0);
    if [
        trees.len(),
        features.len(),
        yes.len(),
        no.len(),
        modes.len(),
        values.len(),
    ] != [n; 6]
    {
        return Err(contradictory(node, "has lists of nodes of different length"));
    }
    let ways = yes.iter().zip(&no).zip(&missing);
    let tests = modes.iter().zip(&features).zip(&values);
    let each = trees.iter().zip(&ids).zip(ways).zip(tests);
    each.map(|(((tree, id), ((yes, no), missing)), ((mode, feature), value))| {
        Ok(RawNode {
            key: (*tree, *id),
            test: test(node, mode)?,
            feature: *feature,
            value: *value,
            yes: (*tree, *yes),
            no: (*tree, *no),
            missing_is_yes: *missing != 0,
        })
    })
    .collect()
}

fn test(node: &NodeProto, mode: &str) -> Result<Option<Test>> {
    if mode == "LEAF" {
        return Ok(None);
    }
    Test::of(mode).map(Some).ok_or_else(|| {
        Error::new("TW0341", format!("{} has nodes of the mode {mode}", node.place()))
            .hint("export the model with numeric comparisons")
    })
}

type Weights = Vec<((i64, i64), usize, f64)>;

/// The leaf weights of the two older operators; `kind` is `class` or `target`.
fn listed_weights(node: &NodeProto, kind: &str) -> Result<Weights> {
    let list = |name: &str| node.ints(&format!("{kind}_{name}")).unwrap_or_default();
    let (trees, ids, targets) = (list("treeids"), list("nodeids"), list("ids"));
    let weights = numbers(node, &format!("{kind}_weights"))?;
    if [trees.len(), ids.len(), targets.len()] != [weights.len(); 3] {
        return Err(contradictory(node, "has lists of weights of different length"));
    }
    let each = trees.iter().zip(&ids).zip(&targets).zip(&weights);
    each.map(|(((tree, id), target), weight)| {
        let target =
            usize::try_from(*target).map_err(|_| contradictory(node, "has a negative class or target"))?;
        Ok(((*tree, *id), target, *weight))
    })
    .collect()
}

fn classifier(node: &NodeProto) -> Result<Kernel> {
    let (labels, post) = (Labels::of(node)?, Post::of(node)?);
    let mut base = numbers(node, "base_values")?;
    let weights = listed_weights(node, "class")?;
    let forest = Forest::build(
        node,
        &listed_nodes(node)?,
        &weights,
        (Aggregate::Sum, labels.len()),
    )?;
    let (named, all_positive) = forest.named_targets();
    // one score for two classes: boosted trees and two-class forests are written like that
    let single = labels.len() == 2 && named == BTreeSet::from([0]);
    let single_base = base.last().copied().unwrap_or(0.0);
    base.resize(labels.len(), 0.0);
    Ok(Box::new(move |inputs| {
        let mut rows = forest.scores(inputs.get(0)?)?;
        let mut winners = Vec::with_capacity(rows.len());
        for row in &mut rows {
            if single {
                let score = row.first().copied().unwrap_or_default() + single_base;
                *row = if all_positive && post == Post::None {
                    vec![1.0 - score, score]
                } else {
                    post.two_of_one(score).to_vec()
                };
                winners.push(largest(row));
            } else {
                row.iter_mut().zip(&base).for_each(|(score, base)| *score += base);
                winners.push(largest(row));
                post.apply(row);
            }
        }
        Ok(vec![labels.named(&winners)?, matrix(&rows)?])
    }))
}

fn aggregate(node: &NodeProto, name: &str) -> Result<Aggregate> {
    Ok(match name {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Least,
        "MAX" => Aggregate::Greatest,
        _ => return Err(contradictory(node, "has an unknown aggregate_function")),
    })
}

fn regressor(node: &NodeProto) -> Result<Kernel> {
    let n_targets = usize::try_from(node.int("n_targets", 1)).unwrap_or(1);
    let aggregate = aggregate(node, &node.text("aggregate_function", "SUM"))?;
    let weights = listed_weights(node, "target")?;
    let forest = Forest::build(node, &listed_nodes(node)?, &weights, (aggregate, n_targets))?;
    let (base, post) = (numbers(node, "base_values")?, Post::of(node)?);
    Ok(one(move |inputs| {
        let mut rows = forest.scores(inputs.get(0)?)?;
        for row in &mut rows {
            row.iter_mut().zip(&base).for_each(|(score, base)| *score += base);
            post.apply(row);
        }
        matrix(&rows)
    }))
}

/// `TreeEnsemble`: inner nodes and leaves in lists of their own, modes as numbers, results of the input's precision.
fn ensemble(node: &NodeProto) -> Result<Kernel> {
    let list = |name: &str| node.ints(name).unwrap_or_default();
    let n_targets = usize::try_from(node.int("n_targets", 1)).unwrap_or(1);
    let aggregate = match node.int("aggregate_function", 1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Least,
        3 => Aggregate::Greatest,
        _ => return Err(contradictory(node, "has an unknown aggregate_function")),
    };
    let post = match node.int("post_transform", 0) {
        0 => Post::None,
        1 => Post::Softmax,
        2 => Post::Logistic,
        3 => Post::SoftmaxZero,
        _ => {
            return Err(Error::new(
                "TW0341",
                format!("{} has the post_transform PROBIT", node.place()),
            )
            .hint("export the model with NONE, LOGISTIC or SOFTMAX"));
        }
    };
    let mut raw = ensemble_nodes(node)?;
    let (targets, weights) = (list("leaf_targetids"), numbers(node, "leaf_weights")?);
    if targets.len() != weights.len() {
        return Err(contradictory(node, "has lists of leaves of different length"));
    }
    let mut leaves = Vec::with_capacity(weights.len());
    for (place, (target, weight)) in targets.iter().zip(&weights).enumerate() {
        let key = (1, crate::number::signed(place));
        raw.push(RawNode {
            key,
            test: None,
            feature: 0,
            value: 0.0,
            yes: key,
            no: key,
            missing_is_yes: false,
        });
        let target = usize::try_from(*target).map_err(|_| contradictory(node, "has a negative target"))?;
        leaves.push((key, target, *weight));
    }
    let forest = Forest::build(node, &raw, &leaves, (aggregate, n_targets))?;
    Ok(one(move |inputs| {
        let x = inputs.get(0)?;
        let mut rows = forest.scores(x)?;
        rows.iter_mut().for_each(|row| post.apply(row));
        match x.data() {
            Data::F64(_) => {
                let shape = vec![rows.len(), forest.n_targets];
                Tensor::result(shape, Data::F64(rows.into_iter().flatten().collect()))
            }
            _ => matrix(&rows),
        }
    }))
}

/// Inner nodes have the keys (0, place), leaves (1, place).
fn ensemble_nodes(node: &NodeProto) -> Result<Vec<RawNode>> {
    let list = |name: &str| node.ints(name).unwrap_or_default();
    let (features, yes, no) = (
        list("nodes_featureids"),
        list("nodes_truenodeids"),
        list("nodes_falsenodeids"),
    );
    let (yes_leaf, no_leaf) = (list("nodes_trueleafs"), list("nodes_falseleafs"));
    let values = numbers(node, "nodes_splits")?;
    let modes = node
        .tensor("nodes_modes")
        .map(Tensor::ints)
        .transpose()?
        .unwrap_or_default();
    let n = features.len();
    let mut missing = list("nodes_missing_value_tracks_true");
    missing.resize(n, 0);
    if [
        yes.len(),
        no.len(),
        yes_leaf.len(),
        no_leaf.len(),
        values.len(),
        modes.len(),
    ] != [n; 6]
    {
        return Err(contradictory(node, "has lists of nodes of different length"));
    }
    let names = [
        "BRANCH_LEQ",
        "BRANCH_LT",
        "BRANCH_GTE",
        "BRANCH_GT",
        "BRANCH_EQ",
        "BRANCH_NEQ",
    ];
    let ways = yes_leaf.iter().zip(&yes).zip(no_leaf.iter().zip(&no));
    let tests = modes.iter().zip(&features).zip(values.iter().zip(&missing));
    let each = (0..).zip(ways).zip(tests);
    each.map(
        |((place, ((yes_leaf, yes), (no_leaf, no))), ((mode, feature), (value, missing)))| {
            let name = usize::try_from(*mode).ok().and_then(|mode| names.get(mode));
            Ok(RawNode {
                key: (0, place),
                test: test(node, name.copied().unwrap_or("BRANCH_MEMBER"))?,
                feature: *feature,
                value: *value,
                yes: (*yes_leaf, *yes),
                no: (*no_leaf, *no),
                missing_is_yes: *missing != 0,
            })
        },
    )
    .collect()
}
