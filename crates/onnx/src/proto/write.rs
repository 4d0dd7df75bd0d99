//! From a model's parts to the bytes of a model file.

use super::wire::Writer;
use super::{Attribute, Element, GraphProto, ModelProto, NodeProto, ValueProto};
use crate::tensor::{Data, Tensor};

impl ModelProto {
    /// The bytes of the model file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.int(1, self.ir_version);
        writer.text(2, &self.producer);
        writer.text(3, &self.producer_version);
        writer.text(6, &self.doc);
        writer.bytes(7, &graph(&self.graph));
        for (domain, version) in &self.opsets {
            let mut opset = Writer::default();
            opset.text(1, domain);
            opset.int(2, *version);
            writer.bytes(8, &opset.finish());
        }
        for (key, value) in &self.metadata {
            let mut entry = Writer::default();
            entry.text(1, key);
            entry.text(2, value);
            writer.bytes(14, &entry.finish());
        }
        writer.finish()
    }
}

fn graph(graph: &GraphProto) -> Vec<u8> {
    let mut writer = Writer::default();
    graph.nodes.iter().for_each(|each| writer.bytes(1, &node(each)));
    writer.text(2, &graph.name);
    graph
        .constants
        .iter()
        .for_each(|(name, each)| writer.bytes(5, &tensor(name, each)));
    graph
        .inputs
        .iter()
        .for_each(|each| writer.bytes(11, &value(each)));
    graph
        .outputs
        .iter()
        .for_each(|each| writer.bytes(12, &value(each)));
    writer.finish()
}

fn node(node: &NodeProto) -> Vec<u8> {
    let mut writer = Writer::default();
    // an optional input that is left out is written as an empty name
    node.inputs
        .iter()
        .for_each(|name| writer.bytes(1, name.as_bytes()));
    node.outputs
        .iter()
        .for_each(|name| writer.bytes(2, name.as_bytes()));
    writer.text(3, &node.name);
    writer.text(4, &node.op);
    node.attributes
        .iter()
        .for_each(|(name, each)| writer.bytes(5, &attribute(name, each)));
    writer.text(7, &node.domain);
    writer.finish()
}

fn attribute(name: &str, attribute: &Attribute) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.text(1, name);
    let kind = match attribute {
        Attribute::Float(value) => {
            writer.float(2, *value);
            1
        }
        Attribute::Int(value) => {
            writer.int(3, *value);
            2
        }
        Attribute::Text(value) => {
            writer.bytes(4, value.as_bytes());
            3
        }
        Attribute::Tensor(value) => {
            writer.bytes(5, &tensor(name, value));
            4
        }
        Attribute::Floats(values) => {
            writer.floats(7, values);
            6
        }
        Attribute::Ints(values) => {
            writer.ints(8, values);
            7
        }
        Attribute::Texts(values) => {
            values.iter().for_each(|value| writer.bytes(9, value.as_bytes()));
            8
        }
        Attribute::Other => 0,
    };
    writer.int(20, kind);
    writer.finish()
}

fn tensor(name: &str, tensor: &Tensor) -> Vec<u8> {
    let mut writer = Writer::default();
    let dims: Vec<i64> = tensor
        .shape()
        .iter()
        .map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX))
        .collect();
    writer.ints(1, &dims);
    let (kind, raw): (i64, Vec<u8>) = match tensor.data() {
        Data::F32(cells) => (1, cells.iter().flat_map(|cell| cell.to_le_bytes()).collect()),
        Data::F64(cells) => (11, cells.iter().flat_map(|cell| cell.to_le_bytes()).collect()),
        Data::Int(cells) => (7, cells.iter().flat_map(|cell| cell.to_le_bytes()).collect()),
        Data::Bool(cells) => (9, cells.iter().map(|cell| u8::from(*cell)).collect()),
        Data::Text(cells) => {
            cells.iter().for_each(|cell| writer.bytes(6, cell.as_bytes()));
            (8, Vec::new())
        }
    };
    writer.int(2, kind);
    writer.text(8, name);
    if kind != 8 {
        writer.bytes(9, &raw);
    }
    writer.finish()
}

fn value(value: &ValueProto) -> Vec<u8> {
    let mut shape = Writer::default();
    for (place, size) in value.shape.iter().flatten().enumerate() {
        let mut dimension = Writer::default();
        match size {
            Some(size) => dimension.int(1, i64::try_from(*size).unwrap_or(i64::MAX)),
            None => dimension.text(2, if place == 0 { "rows" } else { "columns" }),
        }
        shape.bytes(1, &dimension.finish());
    }
    let mut tensor = Writer::default();
    tensor.int(
        1,
        match value.element {
            Element::Float | Element::Maps | Element::Unknown => 1,
            Element::Double => 11,
            Element::Int => 7,
            Element::Bool => 9,
            Element::Text => 8,
        },
    );
    tensor.bytes(2, &shape.finish());
    let mut kind = Writer::default();
    kind.bytes(1, &tensor.finish());
    let mut writer = Writer::default();
    writer.text(1, &value.name);
    writer.bytes(2, &kind.finish());
    writer.finish()
}
