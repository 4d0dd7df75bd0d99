//! From a graph to the steps that compute one output: only what it needs, in order, with memory freed early.

use std::collections::{BTreeMap, BTreeSet};

use thalweg_domain::{Error, Result};

use crate::ops::{Inputs, Kernel, Versions, kernel};
use crate::proto::{GraphProto, ModelProto, NodeProto};
use crate::tensor::{Tensor, mismatch};

/// The steps for one output.
pub(crate) struct Plan {
    steps: Vec<Step>,
    /// Values known beforehand: weights, and what follows from them alone.
    constants: Vec<Option<Tensor>>,
    /// Graph inputs that are needed: name and place.
    pub(crate) feeds: Vec<(String, usize)>,
    output: usize,
}

struct Step {
    place: String,
    kernel: Kernel,
    inputs: Vec<Option<usize>>,
    outputs: Vec<usize>,
    /// Values that no later step asks for.
    done: Vec<usize>,
}

/// Names of values with their places.
#[derive(Default)]
struct Places(BTreeMap<String, usize>);

impl Places {
    fn of(&mut self, name: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

impl Plan {
    /// # Errors
    /// `TW0341` naming every operator that is needed and not supported; `TW0340` when the graph runs in a circle or a
    /// value comes from nowhere.
    pub(crate) fn new(model: &ModelProto, output: &str) -> Result<Self> {
        let opset = model.opsets.iter().find(|(domain, _)| domain.is_empty());
        let versions = Versions {
            opset: opset.map_or(1, |(_, version)| *version),
        };
        let order = ordered(&model.graph, output)?;
        let mut places = Places::default();
        let mut kernels = Vec::with_capacity(order.len());
        let mut unsupported = BTreeSet::new();
        for node in &order {
            match kernel(node, versions)? {
                Some(kernel) => kernels.push(kernel),
                None => {
                    unsupported.insert(full_name(node));
                }
            }
        }
        if !unsupported.is_empty() {
            return Err(unsupported_operators(&unsupported, model));
        }
        let mut steps = Vec::with_capacity(order.len());
        for (node, kernel) in order.iter().zip(kernels) {
            let named = |name: &String| !name.is_empty();
            let inputs = node
                .inputs
                .iter()
                .map(|name| named(name).then(|| places.of(name)))
                .collect();
            let outputs = node.outputs.iter().map(|name| places.of(name)).collect();
            let place = node.place();
            steps.push(Step {
                place,
                kernel,
                inputs,
                outputs,
                done: Vec::new(),
            });
        }
        let output = places.of(output);
        let mut constants = vec![None; places.0.len()];
        for (name, tensor) in &model.graph.constants {
            if let Some(slot) = places.0.get(name).and_then(|place| constants.get_mut(*place)) {
                *slot = Some(tensor.clone());
            }
        }
        let feeds = feeds(&model.graph, &places, &constants);
        let mut plan = Self {
            steps,
            constants,
            feeds,
            output,
        };
        plan.fold()?;
        plan.free_early();
        Ok(plan)
    }

    /// Computes what follows from constants alone once and for all.
    fn fold(&mut self) -> Result<()> {
        let mut left = Vec::with_capacity(self.steps.len());
        for step in std::mem::take(&mut self.steps) {
            let known = |place: &usize| self.constants.get(*place).is_some_and(Option::is_some);
            if !step.inputs.iter().flatten().all(known) {
                left.push(step);
                continue;
            }
            let results = step.run(&self.constants, &[])?;
            for (place, result) in step.outputs.iter().zip(results) {
                if let Some(slot) = self.constants.get_mut(*place) {
                    *slot = Some(result);
                }
            }
        }
        self.steps = left;
        Ok(())
    }

    fn free_early(&mut self) {
        let mut needed = BTreeSet::from([self.output]);
        for step in self.steps.iter_mut().rev() {
            let touched = step.inputs.iter().flatten().chain(&step.outputs).copied();
            step.done = touched.filter(|place| needed.insert(*place)).collect();
        }
    }

    /// The output for some feeds, one per [`Self::feeds`].
    ///
    /// # Errors
    /// `TW0344` when shapes or types do not fit.
    pub(crate) fn run(&self, feeds: Vec<Tensor>) -> Result<Tensor> {
        let mut values: Vec<Option<Tensor>> = vec![None; self.constants.len()];
        for ((_, place), feed) in self.feeds.iter().zip(feeds) {
            set(&mut values, *place, feed);
        }
        for step in &self.steps {
            let results = step.run(&values, &self.constants)?;
            for (place, result) in step.outputs.iter().zip(results) {
                set(&mut values, *place, result);
            }
            for place in &step.done {
                if let Some(slot) = values.get_mut(*place) {
                    *slot = None;
                }
            }
        }
        let found = values.get_mut(self.output).and_then(Option::take);
        found
            .or_else(|| self.constants.get(self.output).cloned().flatten())
            .ok_or_else(|| mismatch("the output was never reached".to_owned()))
    }
}

fn set(values: &mut [Option<Tensor>], place: usize, value: Tensor) {
    if let Some(slot) = values.get_mut(place) {
        *slot = Some(value);
    }
}

impl Step {
    fn run(&self, values: &[Option<Tensor>], constants: &[Option<Tensor>]) -> Result<Vec<Tensor>> {
        let find = |from: &'_ [Option<Tensor>], place: usize| from.get(place).is_some_and(Option::is_some);
        let operands: Vec<Option<&Tensor>> = self
            .inputs
            .iter()
            .map(|place| {
                let place = (*place)?;
                let from = if find(values, place) { values } else { constants };
                from.get(place)?.as_ref()
            })
            .collect();
        (self.kernel)(&Inputs(&operands)).map_err(|error| {
            let Error {
                code, message, hint, ..
            } = error;
            let located = Error::new(code, format!("{message} (in {})", self.place));
            match hint {
                Some(hint) => located.hint(hint),
                None => located,
            }
        })
    }
}

fn full_name(node: &NodeProto) -> String {
    if node.domain.is_empty() {
        node.op.clone()
    } else {
        format!("{}.{}", node.domain, node.op)
    }
}

fn unsupported_operators(names: &BTreeSet<String>, model: &ModelProto) -> Error {
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = format!(
        "the model needs {} that {} not supported: {}",
        if list.len() == 1 {
            "an operator"
        } else {
            "operators"
        },
        if list.len() == 1 { "is" } else { "are" },
        list.join(", ")
    );
    Error::new("TW0341", message).hint(if model.has_functions {
        "export it without functions of its own (PyTorch: dynamo=True with optimize=True), or leave that layer out of the model"
    } else {
        "replace that layer or preparation step and export the model again; docs/decisions/009-onnx.md lists the operators that are read"
    })
}

/// The inputs that the steps ask for and that no constant stands for.
fn feeds(graph: &GraphProto, places: &Places, constants: &[Option<Tensor>]) -> Vec<(String, usize)> {
    let needed = graph.inputs.iter().filter_map(|input| {
        let place = places.0.get(&input.name)?;
        let open = constants.get(*place).is_some_and(Option::is_none);
        open.then(|| (input.name.clone(), *place))
    });
    needed.collect()
}

/// The nodes that lead to an output, each after those it asks.
fn ordered<'g>(graph: &'g GraphProto, output: &str) -> Result<Vec<&'g NodeProto>> {
    let broken =
        |what: String| Error::new("TW0340", what).hint("the file is damaged: export the model again");
    let mut maker: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, node) in graph.nodes.iter().enumerate() {
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            maker.insert(name, place);
        }
    }
    let given = graph.inputs.iter().map(|input| input.name.as_str());
    let given: BTreeSet<&str> = given
        .chain(graph.constants.iter().map(|(name, _)| name.as_str()))
        .collect();
    let (mut order, mut placed, mut open) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    // a stack of values to reach; a node is placed when it is met again with all that it asks for in place
    let mut stack = vec![output];
    while let Some(name) = stack.last().copied() {
        let Some(place) = maker.get(name).copied().filter(|place| !placed.contains(place)) else {
            if !maker.contains_key(name) && !given.contains(name) {
                return Err(broken(format!(
                    "the model asks for the value \"{name}\", which nothing gives"
                )));
            }
            stack.pop();
            continue;
        };
        let Some(node) = graph.nodes.get(place) else { break };
        let asked = node
            .inputs
            .iter()
            .map(String::as_str)
            .filter(|name| !name.is_empty());
        let missing = asked.filter(|name| maker.get(name).is_none_or(|maker| !placed.contains(maker)));
        let missing: Vec<&str> = missing
            .filter(|name| maker.contains_key(name) || !given.contains(name))
            .collect();
        if missing.is_empty() {
            placed.insert(place);
            order.push(node);
            stack.pop();
        } else if open.insert(place) {
            stack.extend(missing);
        } else {
            return Err(broken(format!(
                "the model runs in a circle through {}",
                node.place()
            )));
        }
    }
    Ok(order)
}
