//! Puts a graph together node by node.

use crate::proto::{Attribute, Element, GraphProto, NodeProto, ValueProto};
use crate::tensor::{Data, Tensor};

/// A value of the graph under construction, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value(pub(super) String);

/// A graph under construction. Names are made unique by a number.
#[derive(Debug, Default)]
pub(super) struct Builder {
    graph: GraphProto,
}

impl Builder {
    pub(super) fn finish(mut self, name: &str) -> GraphProto {
        name.clone_into(&mut self.graph.name);
        self.graph
    }

    fn fresh(&self, op: &str) -> Value {
        // columns may have any name; none is called like this
        Value(format!(
            "thalweg::{}_{}",
            op.to_lowercase(),
            self.graph.nodes.len()
        ))
    }

    /// An input with one column; given twice it is the same input.
    pub(super) fn input(&mut self, name: &str, element: Element) -> Value {
        if !self.graph.inputs.iter().any(|input| input.name == name) {
            let shape = Some(vec![None, Some(1)]);
            let name = name.to_owned();
            self.graph.inputs.push(ValueProto { name, element, shape });
        }
        Value(name.to_owned())
    }

    /// Makes a value an output of that name, or with `_` behind it where a column is called so.
    pub(super) fn output(&mut self, value: &Value, name: &str, (element, columns): (Element, usize)) {
        let mut name = name.to_owned();
        while self.graph.inputs.iter().any(|input| input.name == name) {
            name.push('_');
        }
        self.graph.nodes.push(NodeProto {
            op: "Identity".to_owned(),
            inputs: vec![value.0.clone()],
            outputs: vec![name.clone()],
            ..NodeProto::default()
        });
        self.graph.outputs.push(ValueProto {
            name,
            element,
            shape: Some(vec![None, Some(columns)]),
        });
    }

    pub(super) fn constant(&mut self, tensor: Tensor) -> Value {
        let name = format!("thalweg::constant_{}", self.graph.constants.len());
        self.graph.constants.push((name.clone(), tensor));
        Value(name)
    }

    /// A vector of double-precision constants.
    pub(super) fn doubles(&mut self, cells: Vec<f64>) -> Value {
        self.constant(Tensor::vector(Data::F64(cells)))
    }

    /// A vector of single-precision constants.
    pub(super) fn floats(&mut self, cells: Vec<f32>) -> Value {
        self.constant(Tensor::vector(Data::F32(cells)))
    }

    /// A vector of integer constants.
    pub(super) fn ints(&mut self, cells: Vec<i64>) -> Value {
        self.constant(Tensor::vector(Data::Int(cells)))
    }

    /// An operation of the default domain without attributes.
    pub(super) fn op(&mut self, op: &str, inputs: &[&Value]) -> Value {
        self.op_with(op, inputs, &[])
    }

    /// An operation of the default domain.
    pub(super) fn op_with(&mut self, op: &str, inputs: &[&Value], attributes: &[(&str, Attribute)]) -> Value {
        self.node("", op, inputs, attributes)
    }

    /// An operation of the `ai.onnx.ml` domain.
    pub(super) fn ml(&mut self, op: &str, inputs: &[&Value], attributes: &[(&str, Attribute)]) -> Value {
        self.node("ai.onnx.ml", op, inputs, attributes)
    }

    fn node(&mut self, domain: &str, op: &str, inputs: &[&Value], attributes: &[(&str, Attribute)]) -> Value {
        let result = self.fresh(op);
        self.graph.nodes.push(NodeProto {
            name: result.0.clone(),
            domain: domain.to_owned(),
            op: op.to_owned(),
            inputs: inputs.iter().map(|input| input.0.clone()).collect(),
            outputs: vec![result.0.clone()],
            attributes: attributes
                .iter()
                .map(|(name, attribute)| ((*name).to_owned(), attribute.clone()))
                .collect(),
        });
        result
    }

    /// Columns side by side.
    pub(super) fn beside(&mut self, columns: &[Value]) -> Value {
        match columns {
            [one] => one.clone(),
            _ => {
                let columns: Vec<&Value> = columns.iter().collect();
                self.op_with("Concat", &columns, &[("axis", Attribute::Int(1))])
            }
        }
    }

    /// Some columns of a matrix, in that order.
    pub(super) fn take(&mut self, x: &Value, columns: &[usize]) -> Value {
        let places = columns
            .iter()
            .map(|column| crate::number::signed(*column))
            .collect();
        let places = self.ints(places);
        self.op_with("Gather", &[x, &places], &[("axis", Attribute::Int(1))])
    }

    pub(super) fn as_double(&mut self, x: &Value) -> Value {
        self.op_with("Cast", &[x], &[("to", Attribute::Int(11))])
    }

    pub(super) fn as_float(&mut self, x: &Value) -> Value {
        self.op_with("Cast", &[x], &[("to", Attribute::Int(1))])
    }

    pub(super) fn as_bool(&mut self, x: &Value) -> Value {
        self.op_with("Cast", &[x], &[("to", Attribute::Int(9))])
    }
}
