//! Which output of a model is read, and what its numbers mean.

use thalweg_domain::{Error, Result};

use crate::ml::post::class_labels;
use crate::proto::{Element, GraphProto, ModelProto, NodeProto, ValueProto};

/// How a model is to be read where its file leaves it open. The default finds out from the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The table's columns in the order of the model's matrix input, if it has one instead of an input per column.
    pub columns: Vec<String>,
    /// The output to read; without it the one that holds probabilities or, failing that, the last one with numbers.
    pub output: Option<String>,
    /// The class whose probability is asked for; without it the second of two.
    pub positive: Option<String>,
    /// What the output's numbers are; without it that follows from the operator they come from.
    pub scale: Option<Scale>,
}

/// What a model's output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Probabilities.
    Probability,
    /// Log-odds, or one logit per class.
    Logit,
    /// Logarithms of probabilities.
    LogProbability,
}

impl Scale {
    /// The scale of that name: `probability`, `logit` or `log_probability`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Probability, Self::Logit, Self::LogProbability]
            .into_iter()
            .find(|scale| scale.as_str() == name)
    }

    /// `probability`, `logit` or `log_probability`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Logit => "logit",
            Self::LogProbability => "log_probability",
        }
    }
}

/// The output that is read: its name, its scale, and the names of its classes if the file tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) output: String,
    pub(crate) scale: Scale,
    pub(crate) classes: Vec<String>,
}

/// # Errors
/// `TW0343` when the model has no such output, or none with numbers.
pub(crate) fn choose(model: &ModelProto, reading: &Reading) -> Result<Chosen> {
    let graph = &model.graph;
    let output = output(graph, reading.output.as_deref())?;
    let scale = reading.scale.unwrap_or_else(|| scale_of(graph, output));
    let mut classes = classes(graph, &output.name);
    if classes.is_empty() {
        classes = (0..).map_while(|place| stated_class(model, place)).collect();
    }
    Ok(Chosen {
        output: output.name.clone(),
        scale,
        classes,
    })
}

/// The name of a class as our own export writes it.
fn stated_class(model: &ModelProto, place: usize) -> Option<String> {
    let key = format!("class {place}");
    let found = model.metadata.iter().find(|(own, _)| *own == key);
    found.map(|(_, name)| name.clone())
}

fn output<'g>(graph: &'g GraphProto, wanted: Option<&str>) -> Result<&'g ValueProto> {
    let names: Vec<&str> = graph.outputs.iter().map(|output| output.name.as_str()).collect();
    if let Some(wanted) = wanted {
        let found = graph.outputs.iter().find(|output| output.name == wanted);
        return found.ok_or_else(|| {
            Error::new("TW0343", format!("the model has no output \"{wanted}\""))
                .hint(format!("its outputs are: {}", names.join(", ")))
        });
    }
    let numbers = |output: &&ValueProto| {
        matches!(
            output.element,
            Element::Float | Element::Double | Element::Maps | Element::Unknown
        )
    };
    let mut candidates: Vec<&ValueProto> = graph.outputs.iter().filter(numbers).collect();
    let likely = candidates
        .iter()
        .position(|output| output.element == Element::Maps || names_probability(&output.name));
    let chosen = likely
        .map(|place| candidates.swap_remove(place))
        .or_else(|| candidates.pop());
    chosen.ok_or_else(|| {
        Error::new(
            "TW0343",
            format!(
                "no output of the model holds probabilities or scores; it has: {}",
                names.join(", ")
            ),
        )
        .hint("export it with its probabilities (scikit-learn: a classifier with predict_proba)")
    })
}

fn names_probability(name: &str) -> bool {
    name.to_lowercase().contains("proba")
}

/// The node that gives a value.
fn maker<'g>(graph: &'g GraphProto, name: &str) -> Option<&'g NodeProto> {
    graph
        .nodes
        .iter()
        .find(|node| node.outputs.iter().any(|output| output == name))
}

/// Follows the output back to the operator that its numbers come from.
fn scale_of(graph: &GraphProto, output: &ValueProto) -> Scale {
    if output.element == Element::Maps || names_probability(&output.name) {
        return Scale::Probability;
    }
    let mut name = output.name.as_str();
    for _ in 0..graph.nodes.len() {
        let Some(node) = maker(graph, name) else { break };
        match node.op.as_str() {
            "Sigmoid" | "Softmax" | "HardSigmoid" | "ZipMap" | "Normalizer" => return Scale::Probability,
            "LogSoftmax" => return Scale::LogProbability,
            "TreeEnsembleClassifier" | "LinearClassifier"
                if node.text("post_transform", "NONE") != "NONE" =>
            {
                return Scale::Probability;
            }
            "TreeEnsembleClassifier" if forest_of_shares(node) => return Scale::Probability,
            // what only moves numbers
            "Identity"
            | "Cast"
            | "Reshape"
            | "Squeeze"
            | "Unsqueeze"
            | "Flatten"
            | "Slice"
            | "Split"
            | "Gather"
            | "Transpose"
            | "Dropout"
            | "ArrayFeatureExtractor"
            | "Clip" => name = node.inputs.first().map_or("", String::as_str),
            // two classes side by side: 1 - p and p
            "Concat" => name = node.inputs.last().map_or("", String::as_str),
            _ => break,
        }
    }
    Scale::Logit
}

/// Whether a classifier's leaves hold shares of rows, as those of a random forest do.
fn forest_of_shares(node: &NodeProto) -> bool {
    let weights = node.floats("class_weights").unwrap_or_default();
    weights.iter().all(|weight| (0.0..=1.0).contains(weight))
}

/// The classes' names by the nearest operator before the output that knows them.
fn classes(graph: &GraphProto, output: &str) -> Vec<String> {
    let mut names = vec![output];
    let mut next = 0;
    while let Some(name) = names.get(next).copied() {
        next += 1;
        let Some(node) = maker(graph, name) else { continue };
        if let Some(labels) = class_labels(node) {
            return labels;
        }
        for input in &node.inputs {
            if !names.contains(&input.as_str()) {
                names.push(input);
            }
        }
    }
    Vec::new()
}
