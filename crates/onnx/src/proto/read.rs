//! From the bytes of a model file to its parts.

use std::sync::Arc;

use thalweg_domain::{Error, Result};

use super::wire::{Fields, chunks};
use super::{Attribute, Element, GraphProto, ModelProto, NodeProto, ValueProto};
use crate::number::narrow;
use crate::tensor::{Data, Tensor};

impl ModelProto {
    /// # Errors
    /// `TW0340` when the bytes are no ONNX model, or keep their weights in other files.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(bytes);
        let mut model = Self::default();
        while let Some((number, payload)) = fields.next_field()? {
            match number {
                1 => model.ir_version = payload.int()?,
                2 => model.producer = payload.text()?,
                3 => model.producer_version = payload.text()?,
                6 => model.doc = payload.text()?,
                7 => model.graph = graph(payload.bytes()?)?,
                8 => model.opsets.push(opset(payload.bytes()?)?),
                14 => model.metadata.push(pair(payload.bytes()?)?),
                25 => model.has_functions = true,
                _ => {}
            }
        }
        if model.graph.outputs.is_empty() || model.opsets.is_empty() {
            return Err(
                Error::new("TW0340", "the file is not an ONNX model: it has no graph with an output")
                    .hint("export the model as ONNX, for instance with skl2onnx, torch.onnx.export or model.export(format=\"onnx\")"),
            );
        }
        Ok(model)
    }
}

fn opset(bytes: &[u8]) -> Result<(String, i64)> {
    let mut fields = Fields::new(bytes);
    let (mut domain, mut version) = (String::new(), 0);
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => domain = payload.text()?,
            2 => version = payload.int()?,
            _ => {}
        }
    }
    Ok((default_domain(domain), version))
}

/// "ai.onnx" is another name of the default domain.
fn default_domain(domain: String) -> String {
    if domain == "ai.onnx" {
        String::new()
    } else {
        domain
    }
}

fn pair(bytes: &[u8]) -> Result<(String, String)> {
    let mut fields = Fields::new(bytes);
    let mut both = (String::new(), String::new());
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => both.0 = payload.text()?,
            2 => both.1 = payload.text()?,
            _ => {}
        }
    }
    Ok(both)
}

fn graph(bytes: &[u8]) -> Result<GraphProto> {
    let mut fields = Fields::new(bytes);
    let mut graph = GraphProto::default();
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => graph.nodes.push(node(payload.bytes()?)?),
            2 => graph.name = payload.text()?,
            5 => graph.constants.push(tensor(payload.bytes()?)?),
            11 => graph.inputs.push(value(payload.bytes()?)?),
            12 => graph.outputs.push(value(payload.bytes()?)?),
            15 => {
                return Err(
                    Error::new("TW0340", "the model holds sparse weights, which are not read")
                        .hint("export it with dense weights"),
                );
            }
            _ => {}
        }
    }
    Ok(graph)
}

fn node(bytes: &[u8]) -> Result<NodeProto> {
    let mut fields = Fields::new(bytes);
    let mut node = NodeProto::default();
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => node.inputs.push(payload.text()?),
            2 => node.outputs.push(payload.text()?),
            3 => node.name = payload.text()?,
            4 => node.op = payload.text()?,
            5 => node.attributes.push(attribute(payload.bytes()?)?),
            7 => node.domain = default_domain(payload.text()?),
            _ => {}
        }
    }
    Ok(node)
}

/// What has been met of an attribute so far; its type may be stated or has to be told from what is there.
#[derive(Default)]
struct Parts {
    name: String,
    kind: i64,
    one: Option<Attribute>,
    floats: Vec<f32>,
    ints: Vec<i64>,
    texts: Vec<String>,
}

fn attribute(bytes: &[u8]) -> Result<(String, Attribute)> {
    let mut fields = Fields::new(bytes);
    let mut parts = Parts::default();
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => parts.name = payload.text()?,
            2 => parts.one = Some(Attribute::Float(payload.float()?)),
            3 => parts.one = Some(Attribute::Int(payload.int()?)),
            4 => parts.one = Some(Attribute::Text(payload.text()?)),
            5 => parts.one = Some(Attribute::Tensor(tensor(payload.bytes()?)?.1)),
            6 | 10 | 11 | 22 | 23 => parts.one = Some(Attribute::Other),
            7 => payload.extend_floats(&mut parts.floats)?,
            8 => payload.extend_ints(&mut parts.ints)?,
            9 => parts.texts.push(payload.text()?),
            20 => parts.kind = payload.int()?,
            _ => {}
        }
    }
    Ok(parts.finish())
}

impl Parts {
    /// A number or text that is 0 or empty may be left out of the file, its type is not.
    fn finish(self) -> (String, Attribute) {
        let attribute = match (self.kind, self.one) {
            (1, None) => Attribute::Float(0.0),
            (2, None) => Attribute::Int(0),
            (3, None) => Attribute::Text(String::new()),
            (6, _) => Attribute::Floats(self.floats),
            (7, _) => Attribute::Ints(self.ints),
            (8, _) => Attribute::Texts(self.texts),
            (_, Some(one)) => one,
            _ if !self.floats.is_empty() => Attribute::Floats(self.floats),
            _ if !self.ints.is_empty() => Attribute::Ints(self.ints),
            _ if !self.texts.is_empty() => Attribute::Texts(self.texts),
            _ => Attribute::Other,
        };
        (self.name, attribute)
    }
}

/// The fields of a tensor that may hold its cells.
#[derive(Default)]
struct Cells<'a> {
    raw: Option<&'a [u8]>,
    floats: Vec<f32>,
    doubles: Vec<f64>,
    ints: Vec<i64>,
    texts: Vec<Arc<str>>,
}

pub(crate) fn tensor(bytes: &[u8]) -> Result<(String, Tensor)> {
    let mut fields = Fields::new(bytes);
    let (mut name, mut dims, mut kind, mut cells) = (String::new(), Vec::new(), 0, Cells::default());
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => payload.extend_ints(&mut dims)?,
            2 => kind = payload.int()?,
            4 => payload.extend_floats(&mut cells.floats)?,
            5 | 7 | 11 => payload.extend_ints(&mut cells.ints)?,
            6 => cells.texts.push(payload.text()?.into()),
            8 => name = payload.text()?,
            9 => cells.raw = Some(payload.bytes()?),
            10 => payload.extend_doubles(&mut cells.doubles)?,
            13 | 14 => refuse_external(number, payload.int().unwrap_or(1), &name)?,
            _ => {}
        }
    }
    let dims = dims.iter().map(|dim| usize::try_from(*dim).ok());
    let shape: Option<Vec<usize>> = dims.collect();
    let data = cells.data(kind, &name)?;
    let tensor = shape.and_then(|shape| Tensor::new(shape, data));
    let tensor = tensor.ok_or_else(|| {
        Error::new(
            "TW0340",
            format!("the weights \"{name}\" of the model do not have the size they state"),
        )
        .hint("the file is damaged: export the model again")
    })?;
    Ok((name, tensor))
}

fn refuse_external(number: u64, location: i64, name: &str) -> Result<()> {
    if number == 14 && location == 0 {
        return Ok(());
    }
    let message = format!("the weights \"{name}\" of the model lie in another file");
    Err(Error::new("TW0340", message).hint(
        "export the model in one file (PyTorch: external_data=False; onnx: save_as_external_data=False)",
    ))
}

impl Cells<'_> {
    /// The cells of element type `kind` (`TensorProto.DataType`).
    fn data(self, kind: i64, name: &str) -> Result<Data> {
        Ok(match (kind, self.raw) {
            (1, None) => Data::F32(self.floats),
            (1, Some(raw)) => Data::F32(chunks(raw)?.map(f32::from_le_bytes).collect()),
            (8, _) => Data::Text(self.texts),
            (9, None) => Data::Bool(self.ints.iter().map(|cell| *cell != 0).collect()),
            (9, Some(raw)) => Data::Bool(raw.iter().map(|byte| *byte != 0).collect()),
            (11, None) => Data::F64(self.doubles),
            (11, Some(raw)) => Data::F64(chunks(raw)?.map(f64::from_le_bytes).collect()),
            (10, None) => Data::F32(self.ints.iter().map(|bits| half(bits.to_le_bytes())).collect()),
            (10, Some(raw)) => {
                let halves = chunks::<2>(raw)?;
                Data::F32(halves.map(|[a, b]| half([a, b, 0, 0, 0, 0, 0, 0])).collect())
            }
            (2..=7 | 12 | 13, None) => Data::Int(self.ints),
            (_, Some(raw)) => Data::Int(raw_ints(kind, raw, name)?),
            _ => return Err(unreadable(kind, name)),
        })
    }
}

fn raw_ints(kind: i64, raw: &[u8], name: &str) -> Result<Vec<i64>> {
    Ok(match kind {
        2 => raw.iter().map(|byte| i64::from(*byte)).collect(),
        3 => raw.iter().map(|byte| i64::from(byte.cast_signed())).collect(),
        4 => chunks(raw)?.map(u16::from_le_bytes).map(i64::from).collect(),
        5 => chunks(raw)?.map(i16::from_le_bytes).map(i64::from).collect(),
        6 => chunks(raw)?.map(i32::from_le_bytes).map(i64::from).collect(),
        7 => chunks(raw)?.map(i64::from_le_bytes).collect(),
        12 => chunks(raw)?.map(u32::from_le_bytes).map(i64::from).collect(),
        13 => chunks(raw)?
            .map(u64::from_le_bytes)
            .map(u64::cast_signed)
            .collect(),
        _ => return Err(unreadable(kind, name)),
    })
}

fn unreadable(kind: i64, name: &str) -> Error {
    let message =
        format!("the weights \"{name}\" of the model have the element type {kind}, which is not read");
    Error::new("TW0340", message)
        .hint("export the model with float, double, integer, boolean or string weights")
}

/// A half-precision number, whose bits are the lower two bytes.
fn half(bytes: [u8; 8]) -> f32 {
    let [low, high, ..] = bytes;
    let bits = u16::from_le_bytes([low, high]);
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    };
    narrow(sign * size)
}

fn value(bytes: &[u8]) -> Result<ValueProto> {
    let mut fields = Fields::new(bytes);
    let mut value = ValueProto {
        name: String::new(),
        element: Element::Unknown,
        shape: None,
    };
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => value.name = payload.text()?,
            2 => (value.element, value.shape) = value_type(payload.bytes()?)?,
            _ => {}
        }
    }
    Ok(value)
}

type ValueType = (Element, Option<Vec<Option<usize>>>);

fn value_type(bytes: &[u8]) -> Result<ValueType> {
    let mut fields = Fields::new(bytes);
    let mut found = (Element::Unknown, None);
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => found = tensor_type(payload.bytes()?)?,
            4 => found = (Element::Maps, None),
            _ => {}
        }
    }
    Ok(found)
}

fn tensor_type(bytes: &[u8]) -> Result<ValueType> {
    let mut fields = Fields::new(bytes);
    let mut found = (Element::Unknown, None);
    while let Some((number, payload)) = fields.next_field()? {
        match number {
            1 => {
                found.0 = match payload.int()? {
                    1 => Element::Float,
                    11 => Element::Double,
                    2..=7 | 12 | 13 => Element::Int,
                    9 => Element::Bool,
                    8 => Element::Text,
                    _ => Element::Unknown,
                }
            }
            2 => found.1 = Some(dimensions(payload.bytes()?)?),
            _ => {}
        }
    }
    Ok(found)
}

fn dimensions(bytes: &[u8]) -> Result<Vec<Option<usize>>> {
    let mut fields = Fields::new(bytes);
    let mut dimensions = Vec::new();
    while let Some((number, payload)) = fields.next_field()? {
        if number == 1 {
            let mut dimension = Fields::new(payload.bytes()?);
            let mut size = None;
            while let Some((number, payload)) = dimension.next_field()? {
                if number == 1 {
                    size = usize::try_from(payload.int()?).ok().filter(|size| *size > 0);
                }
            }
            dimensions.push(size);
        }
    }
    Ok(dimensions)
}
