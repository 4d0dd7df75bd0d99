//! Linear classifiers and regressions of the `ai.onnx.ml` domain.

use thalweg_domain::{Error, Result};

use super::post::{Post, class_labels};
use crate::number::narrow;
use crate::ops::{Kernel, one};
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor, mismatch};

pub(super) fn kernel(node: &NodeProto) -> Result<Option<Kernel>> {
    match node.op.as_str() {
        "LinearClassifier" => classifier(node).map(Some),
        "LinearRegressor" => regressor(node).map(Some),
        _ => Ok(None),
    }
}

/// Some scores per row, each a weighted sum of the columns and an intercept.
struct Scores {
    coefficients: Vec<f64>,
    intercepts: Vec<f64>,
    n_scores: usize,
    post: Post,
}

impl Scores {
    fn of(node: &NodeProto, n_scores: usize) -> Result<Self> {
        let doubles = |name: &str| {
            let floats = node.floats(name).unwrap_or_default();
            floats.into_iter().map(f64::from).collect::<Vec<_>>()
        };
        let (coefficients, mut intercepts) = (doubles("coefficients"), doubles("intercepts"));
        intercepts.resize(n_scores, 0.0);
        if n_scores == 0 || coefficients.is_empty() || !coefficients.len().is_multiple_of(n_scores) {
            return Err(Error::new(
                "TW0340",
                format!("{} of the model has no coefficients", node.place()),
            )
            .hint("export the model again"));
        }
        Ok(Self {
            coefficients,
            intercepts,
            n_scores,
            post: Post::of(node)?,
        })
    }

    /// The scores of each row, before anything is done to them.
    fn raw(&self, x: &Tensor) -> Result<Vec<Vec<f64>>> {
        let (_, columns) = x.ml_rows();
        let width = self.coefficients.len() / self.n_scores;
        if columns != width {
            return Err(mismatch(format!(
                "{columns} columns where the model has {width} coefficients"
            )));
        }
        let score = |row: &[f64], (weights, intercept): (&[f64], &f64)| {
            intercept
                + weights
                    .iter()
                    .zip(row)
                    .map(|(weight, cell)| weight * cell)
                    .sum::<f64>()
        };
        let numbers = x.numbers()?;
        let rows = numbers.chunks_exact(width.max(1));
        Ok(rows
            .map(|row| {
                let each = self.coefficients.chunks_exact(width.max(1)).zip(&self.intercepts);
                each.map(|each| score(row, each)).collect()
            })
            .collect())
    }
}

fn classifier(node: &NodeProto) -> Result<Kernel> {
    let labels = Labels::of(node)?;
    // one score may stand for two classes
    let n_intercepts = node.floats("intercepts").map_or(0, |intercepts| intercepts.len());
    let n_scores = if labels.len() == 2 && n_intercepts == 1 {
        1
    } else {
        labels.len()
    };
    let scores = Scores::of(node, n_scores)?;
    Ok(Box::new(move |inputs| {
        let mut rows = scores.raw(inputs.get(0)?)?;
        let mut winners = Vec::with_capacity(rows.len());
        for row in &mut rows {
            if let ([score], 2) = (row.as_slice(), labels.len()) {
                winners.push(usize::from(*score > 0.0));
                *row = scores.post.two_of_one(*score).to_vec();
            } else {
                winners.push(largest(row));
                scores.post.apply(row);
            }
        }
        Ok(vec![labels.named(&winners)?, matrix(&rows)?])
    }))
}

fn regressor(node: &NodeProto) -> Result<Kernel> {
    let targets = usize::try_from(node.int("targets", 1)).unwrap_or(1);
    let scores = Scores::of(node, targets)?;
    Ok(one(move |inputs| {
        let mut rows = scores.raw(inputs.get(0)?)?;
        rows.iter_mut().for_each(|row| scores.post.apply(row));
        matrix(&rows)
    }))
}

/// Place of the largest score; the first one of equals.
pub(super) fn largest(scores: &[f64]) -> usize {
    let each = scores.iter().enumerate();
    each.fold((0, f64::NEG_INFINITY), |best, (place, score)| {
        if *score > best.1 { (place, *score) } else { best }
    })
    .0
}

/// Rows of scores as a single-precision matrix.
pub(super) fn matrix(rows: &[Vec<f64>]) -> Result<Tensor> {
    let columns = rows.first().map_or(0, Vec::len);
    let cells = rows.iter().flatten().map(|cell| narrow(*cell)).collect();
    Tensor::result(vec![rows.len(), columns], Data::F32(cells))
}

/// The labels of a classifier's classes.
pub(super) struct Labels {
    cells: Data,
}

impl Labels {
    pub(super) fn of(node: &NodeProto) -> Result<Self> {
        let texts = class_labels(node).ok_or_else(|| {
            Error::new(
                "TW0340",
                format!("{} of the model names no classes", node.place()),
            )
            .hint("export the model again")
        })?;
        let ints: Option<Vec<i64>> = texts.iter().map(|text| text.parse().ok()).collect();
        let is_text = node.texts("classlabels_strings").is_some();
        let cells = match ints.filter(|_| !is_text) {
            Some(ints) => Data::Int(ints),
            None => Data::Text(texts.into_iter().map(Into::into).collect()),
        };
        Ok(Self { cells })
    }

    pub(super) const fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn named(&self, winners: &[usize]) -> Result<Tensor> {
        let data = self.cells.pick(winners.iter().copied());
        Ok(Tensor::vector(
            data.ok_or_else(|| mismatch("a class without a label".to_owned()))?,
        ))
    }
}
