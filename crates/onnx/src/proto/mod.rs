//! The parts of the ONNX file format that tabular models use: read from bytes and written to them.
//!
//! Field numbers are those of `onnx.proto3` (ONNX 1.x, intermediate representation 3 to 13).

mod read;
mod wire;
mod write;

#[cfg(test)]
pub(crate) use read::tensor;
#[cfg(test)]
pub(crate) use wire::Fields;

use crate::tensor::Tensor;

/// A model file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelProto {
    pub(crate) ir_version: i64,
    pub(crate) producer: String,
    pub(crate) producer_version: String,
    pub(crate) doc: String,
    pub(crate) graph: GraphProto,
    /// Version per domain; the default domain is "".
    pub(crate) opsets: Vec<(String, i64)>,
    pub(crate) metadata: Vec<(String, String)>,
    /// Whether it defines functions of its own.
    pub(crate) has_functions: bool,
}

/// The computation.
#[derive(Debug, Clone, Default)]
pub(crate) struct GraphProto {
    pub(crate) name: String,
    pub(crate) nodes: Vec<NodeProto>,
    pub(crate) constants: Vec<(String, Tensor)>,
    pub(crate) inputs: Vec<ValueProto>,
    pub(crate) outputs: Vec<ValueProto>,
}

/// One operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeProto {
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) op: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) attributes: Vec<(String, Attribute)>,
}

/// An attribute of an operation.
#[derive(Debug, Clone)]
pub(crate) enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Tensor),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<String>),
    /// A subgraph or anything else that is not read.
    Other,
}

/// The type of the cells of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Float,
    Double,
    /// Any integer.
    Int,
    Bool,
    Text,
    /// A sequence of maps from class to probability.
    Maps,
    Unknown,
}

/// An input or output. A dimension without a fixed size is `None`; `shape` is `None` when the rank is not stated.
#[derive(Debug, Clone)]
pub(crate) struct ValueProto {
    pub(crate) name: String,
    pub(crate) element: Element,
    pub(crate) shape: Option<Vec<Option<usize>>>,
}

impl NodeProto {
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, attribute)| attribute)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        match self.attribute(name) {
            Some(Attribute::Int(value)) => *value,
            _ => default,
        }
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        match self.attribute(name) {
            Some(Attribute::Float(value)) => *value,
            _ => default,
        }
    }

    pub(crate) fn text(&self, name: &str, default: &str) -> String {
        match self.attribute(name) {
            Some(Attribute::Text(value)) => value.clone(),
            _ => default.to_owned(),
        }
    }

    pub(crate) fn ints(&self, name: &str) -> Option<Vec<i64>> {
        match self.attribute(name) {
            Some(Attribute::Ints(values)) => Some(values.clone()),
            _ => None,
        }
    }

    pub(crate) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        match self.attribute(name) {
            Some(Attribute::Floats(values)) => Some(values.clone()),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.attribute(name) {
            Some(Attribute::Texts(values)) => Some(values.clone()),
            _ => None,
        }
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&Tensor> {
        match self.attribute(name) {
            Some(Attribute::Tensor(tensor)) => Some(tensor),
            _ => None,
        }
    }

    /// `OneHotEncoder "encode contract"`: how errors name the node.
    pub(crate) fn place(&self) -> String {
        if self.name.is_empty() {
            self.op.clone()
        } else {
            format!("{} \"{}\"", self.op, self.name)
        }
    }
}
