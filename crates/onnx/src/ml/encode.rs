//! Categories: one-hot columns and tables from one kind of label to another.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_domain::{Error, Result};

use crate::number::narrow;
use crate::ops::{Kernel, one};
use crate::proto::NodeProto;
use crate::tensor::{Data, Tensor, mismatch};

pub(super) fn kernel(node: &NodeProto) -> Result<Option<Kernel>> {
    Ok(match node.op.as_str() {
        "OneHotEncoder" => Some(one_hot(node)?),
        "LabelEncoder" => Some(label_encoder(node)?),
        "CategoryMapper" => Some(category_mapper(node)?),
        _ => None,
    })
}

/// A label as a table's key: numbers by their bits, with all NaN alike and both zeros alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Int(i64),
    Real(u64),
    Text(Arc<str>),
}

fn real_key(value: f64) -> Key {
    let plain = if value.is_nan() { f64::NAN } else { value + 0.0 };
    Key::Real(plain.to_bits())
}

/// The keys of the cells; numbers are taken as integers where the table holds integers.
fn keys(data: &Data, as_ints: bool) -> Vec<Key> {
    let number = |value: f64| {
        if as_ints {
            Key::Int(crate::number::truncate(value))
        } else {
            real_key(value)
        }
    };
    match data {
        Data::Text(cells) => cells.iter().map(|cell| Key::Text(Arc::clone(cell))).collect(),
        Data::Int(cells) if as_ints => cells.iter().map(|cell| Key::Int(*cell)).collect(),
        Data::Int(cells) => cells
            .iter()
            .map(|cell| real_key(crate::number::real(*cell)))
            .collect(),
        Data::F32(cells) => cells.iter().map(|cell| number(f64::from(*cell))).collect(),
        Data::F64(cells) => cells.iter().map(|cell| number(*cell)).collect(),
        Data::Bool(cells) => cells.iter().map(|cell| number(f64::from(*cell))).collect(),
    }
}

fn shared(texts: Vec<String>) -> Data {
    Data::Text(texts.into_iter().map(Into::into).collect())
}

fn contradictory(node: &NodeProto, what: &str) -> Error {
    Error::new("TW0340", format!("{} of the model {what}", node.place())).hint("export the model again")
}

fn one_hot(node: &NodeProto) -> Result<Kernel> {
    let ints = node.ints("cats_int64s").filter(|cats| !cats.is_empty());
    let as_ints = ints.is_some();
    let cats = ints
        .map(Data::Int)
        .or_else(|| node.texts("cats_strings").map(shared))
        .ok_or_else(|| contradictory(node, "names no categories"))?;
    let n_cats = cats.len();
    let place_of: BTreeMap<Key, usize> = keys(&cats, as_ints).into_iter().zip(0..).collect();
    let strict = node.int("zeros", 1) == 0;
    Ok(one(move |inputs| {
        let x = inputs.get(0)?;
        let mut cells = vec![0.0; x.len() * n_cats];
        for (row, key) in cells.chunks_exact_mut(n_cats.max(1)).zip(keys(x.data(), as_ints)) {
            match place_of.get(&key).and_then(|place| row.get_mut(*place)) {
                Some(cell) => *cell = 1.0,
                None if strict => return Err(mismatch("a category that the model does not know".to_owned())),
                None => {}
            }
        }
        let mut shape = x.shape().to_vec();
        shape.push(n_cats);
        Tensor::result(shape, Data::F32(cells))
    }))
}

/// A table from keys to the places of values; the last value is the default.
struct Table {
    place_of: BTreeMap<Key, usize>,
    as_ints: bool,
    values: Data,
}

impl Table {
    fn kernel(self) -> Kernel {
        let default = self.values.len().saturating_sub(1);
        one(move |inputs| {
            let x = inputs.get(0)?;
            let places = keys(x.data(), self.as_ints).into_iter();
            let places = places.map(|key| self.place_of.get(&key).copied().unwrap_or(default));
            let data = self.values.pick(places);
            Tensor::result(
                x.shape().to_vec(),
                data.ok_or_else(|| mismatch("a label without a value".to_owned()))?,
            )
        })
    }
}

/// `keys_*` or `values_*`, whichever type is given.
fn labels(node: &NodeProto, name: &str) -> Option<Data> {
    let tensor = node
        .tensor(&format!("{name}_tensor"))
        .map(|tensor| tensor.data().clone());
    tensor
        .or_else(|| node.texts(&format!("{name}_strings")).map(shared))
        .or_else(|| node.ints(&format!("{name}_int64s")).map(Data::Int))
        .or_else(|| node.floats(&format!("{name}_floats")).map(Data::F32))
}

fn label_encoder(node: &NodeProto) -> Result<Kernel> {
    // version 1 of the operator: texts to their places and back
    let first = node.texts("classes_strings").map(|texts| {
        let places = Data::Int((0..crate::number::signed(texts.len())).collect());
        (shared(texts), places)
    });
    let given = labels(node, "keys").zip(labels(node, "values"));
    let (from, to) = given
        .or(first)
        .ok_or_else(|| contradictory(node, "has no table of labels"))?;
    if from.len() != to.len() {
        return Err(contradictory(node, "has keys and values of different number"));
    }
    let default = node.tensor("default_tensor").map(|tensor| tensor.data().clone());
    let values = extended(&to, default.as_ref(), node);
    let as_ints = matches!(from, Data::Int(_));
    let mut place_of = BTreeMap::new();
    for (place, key) in keys(&from, as_ints).into_iter().enumerate() {
        place_of.entry(key).or_insert(place);
    }
    let values =
        values.ok_or_else(|| contradictory(node, "has a default of another type than its values"))?;
    Ok(Table {
        place_of,
        as_ints,
        values,
    }
    .kernel())
}

/// The values with the default behind them.
fn extended(values: &Data, default: Option<&Data>, node: &NodeProto) -> Option<Data> {
    let mut values = values.clone();
    match (&mut values, default) {
        (Data::Int(cells), None) => cells.push(node.int("default_int64", -1)),
        (Data::F32(cells), None) => cells.push(node.float("default_float", 0.0)),
        (Data::F64(cells), None) => cells.push(f64::from(node.float("default_float", 0.0))),
        (Data::Text(cells), None) => cells.push(node.text("default_string", "_Unused").into()),
        (Data::Bool(cells), None) => cells.push(false),
        (Data::Int(cells), Some(Data::Int(default))) => cells.push(*default.first()?),
        (Data::F32(cells), Some(Data::F32(default))) => cells.push(*default.first()?),
        (Data::F32(cells), Some(Data::F64(default))) => cells.push(narrow(*default.first()?)),
        (Data::F64(cells), Some(Data::F64(default))) => cells.push(*default.first()?),
        (Data::Text(cells), Some(Data::Text(default))) => cells.push(Arc::clone(default.first()?)),
        _ => return None,
    }
    Some(values)
}

/// Integers to texts or back, by what it is given.
fn category_mapper(node: &NodeProto) -> Result<Kernel> {
    let (ints, texts) = node
        .ints("cats_int64s")
        .zip(node.texts("cats_strings"))
        .filter(|(ints, texts)| ints.len() == texts.len())
        .ok_or_else(|| contradictory(node, "names no categories"))?;
    let (ints, texts) = (Data::Int(ints), shared(texts));
    let table = |from: &Data, to: &Data| {
        let place_of = keys(from, true).into_iter().zip(0..).collect();
        let values = extended(to, None, node)?;
        Some(
            Table {
                place_of,
                as_ints: true,
                values,
            }
            .kernel(),
        )
    };
    let (to_text, to_int) = table(&ints, &texts)
        .zip(table(&texts, &ints))
        .ok_or_else(|| contradictory(node, "names no categories"))?;
    Ok(Box::new(move |inputs| match inputs.get(0)?.data() {
        Data::Text(_) => to_int(inputs),
        _ => to_text(inputs),
    }))
}
