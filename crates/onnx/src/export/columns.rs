//! The preparation of columns as a graph: imputation, clipping, scaling, indicators and levels.
//!
//! Numbers, booleans (0 or 1) and dates (days since 1970) are inputs of double precision with NaN for missing; categories
//! are inputs of text with the empty text for missing.

use thalweg_learn::models::structure::{
    Categories, CategoryTest, EncodedColumn, Encoding, RawCategories, Scaling,
};

use super::builder::{Builder, Value};
use crate::number::{count, narrow};
use crate::proto::{Attribute, Element};

/// The input of a column.
pub(super) fn input(builder: &mut Builder, column: &EncodedColumn) -> Value {
    let element = match column.encoding {
        Encoding::Number(_) => Element::Double,
        Encoding::Category(_) | Encoding::Text => Element::Text,
    };
    builder.input(&column.name, element)
}

/// The dense encoding of the columns, in single precision; `None` when there are none.
pub(super) fn dense(builder: &mut Builder, columns: &[&EncodedColumn]) -> Option<Value> {
    let mut order = Order::default();
    let numbers = dense_numbers(builder, columns, &mut order);
    let categories = dense_categories(builder, columns, &mut order);
    let blocks: Vec<Value> = [numbers, categories].into_iter().flatten().flatten().collect();
    if blocks.is_empty() {
        return None;
    }
    let together = builder.beside(&blocks);
    let places = order.places();
    if places.is_sorted() {
        Some(together)
    } else {
        Some(builder.take(&together, &places))
    }
}

/// Where each column of the blocks belongs: the number of the table's column, and its place there.
#[derive(Default)]
struct Order(Vec<(usize, usize)>);

impl Order {
    /// For each dense column the place of its cells among the blocks.
    fn places(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.0.len()).collect();
        places.sort_by_key(|place| self.0.get(*place).copied());
        places
    }
}

/// All numbers standardised, and the indicators of those that may be missing.
fn dense_numbers(builder: &mut Builder, columns: &[&EncodedColumn], order: &mut Order) -> Option<Vec<Value>> {
    let numbers: Vec<(usize, &EncodedColumn, Scaling)> = columns
        .iter()
        .enumerate()
        .filter_map(|(place, column)| match &column.encoding {
            Encoding::Number(scaling) => Some((place, *column, *scaling)),
            _ => None,
        })
        .collect();
    if numbers.is_empty() {
        return None;
    }
    let inputs: Vec<Value> = numbers
        .iter()
        .map(|(_, column, _)| input(builder, column))
        .collect();
    let x = builder.beside(&inputs);
    let missing = builder.op("IsNaN", &[&x]);
    let scalings: Vec<Scaling> = numbers.iter().map(|(_, _, scaling)| *scaling).collect();
    order.0.extend(numbers.iter().map(|(place, _, _)| (*place, 0)));
    let mut blocks = vec![standardised(builder, (&x, &missing), &scalings)];
    let flagged: Vec<(usize, [f32; 2])> = scalings
        .iter()
        .enumerate()
        .filter_map(|(place, scaling)| Some((place, scaling.missing?)))
        .collect();
    if !flagged.is_empty() {
        let places: Vec<usize> = flagged.iter().map(|(place, _)| *place).collect();
        let own = builder.take(&missing, &places);
        let cells: Vec<[f32; 2]> = flagged.iter().map(|(_, cells)| *cells).collect();
        blocks.push(either(builder, &own, &cells));
        let whose = places.iter().filter_map(|place| numbers.get(*place));
        order.0.extend(whose.map(|(place, _, _)| (*place, 1)));
    }
    Some(blocks)
}

fn standardised(builder: &mut Builder, (x, missing): (&Value, &Value), scalings: &[Scaling]) -> Value {
    let mut each = |of: &dyn Fn(&Scaling) -> f64| builder.doubles(scalings.iter().map(of).collect());
    // a column that does not vary becomes 0: its mean minus its mean, divided by 1
    let varies = |scaling: &Scaling| scaling.sd > 0.0;
    let clip = |scaling: &Scaling| {
        if varies(scaling) {
            scaling.clip
        } else {
            (scaling.mean, scaling.mean)
        }
    };
    let median = each(&|scaling| scaling.median);
    let (low, high) = (each(&|scaling| clip(scaling).0), each(&|scaling| clip(scaling).1));
    let mean = each(&|scaling| scaling.mean);
    let sd = each(&|scaling| if varies(scaling) { scaling.sd } else { 1.0 });
    let (least, greatest) = (each(&|scaling| -scaling.limit), each(&|scaling| scaling.limit));
    let filled = builder.op("Where", &[missing, &median, x]);
    let clipped = clamped(builder, &filled, &low, &high);
    let centred = builder.op("Sub", &[&clipped, &mean]);
    let scaled = builder.op("Div", &[&centred, &sd]);
    let limited = clamped(builder, &scaled, &least, &greatest);
    builder.as_float(&limited)
}

fn clamped(builder: &mut Builder, x: &Value, low: &Value, high: &Value) -> Value {
    let raised = builder.op("Max", &[x, low]);
    builder.op("Min", &[&raised, high])
}

/// For each column one of two cells.
fn either(builder: &mut Builder, is_set: &Value, cells: &[[f32; 2]]) -> Value {
    let unset = builder.floats(cells.iter().map(|[unset, _]| *unset).collect());
    let set = builder.floats(cells.iter().map(|[_, set]| *set).collect());
    builder.op("Where", &[is_set, &set, &unset])
}

/// All levels of all categories, standardised.
fn dense_categories(
    builder: &mut Builder,
    columns: &[&EncodedColumn],
    order: &mut Order,
) -> Option<Vec<Value>> {
    let (mut flags, mut cells) = (Vec::new(), Vec::new());
    for (place, column) in columns.iter().enumerate() {
        let Encoding::Category(categories) = &column.encoding else {
            continue;
        };
        let x = input(builder, column);
        flags.push(level_flags(builder, &x, categories));
        cells.extend(categories.dense.iter().map(|column| column.cells));
        order
            .0
            .extend((0..categories.dense.len()).map(|within| (place, within)));
    }
    if flags.is_empty() {
        return None;
    }
    let flags = builder.beside(&flags);
    let is_set = builder.as_bool(&flags);
    Some(vec![either(builder, &is_set, &cells)])
}

/// For each dense column of a category 1 where it is set.
fn level_flags(builder: &mut Builder, x: &Value, categories: &Categories) -> Value {
    let kept: Vec<usize> = categories
        .dense
        .iter()
        .filter_map(|column| match column.when {
            CategoryTest::Level(rank) => Some(rank),
            _ => None,
        })
        .collect();
    // behind the kept levels the empty text (missing), then what is none of them
    let known = one_hot(
        builder,
        x,
        kept.iter().filter_map(|rank| categories.levels.get(*rank)),
    );
    let needs_other = categories
        .dense
        .iter()
        .any(|column| column.when == CategoryTest::Other);
    let all = if needs_other {
        let axis = builder.ints(vec![1]);
        let sum = builder.op("ReduceSum", &[&known, &axis]);
        let one = builder.floats(vec![1.0]);
        let other = builder.op("Sub", &[&one, &sum]);
        builder.beside(&[known, other])
    } else {
        known
    };
    let place = |test: CategoryTest| match test {
        CategoryTest::Level(rank) => kept.iter().position(|own| *own == rank).unwrap_or(0),
        CategoryTest::Missing => kept.len(),
        CategoryTest::Other => kept.len() + 1,
    };
    let places: Vec<usize> = categories.dense.iter().map(|column| place(column.when)).collect();
    builder.take(&all, &places)
}

/// One column per level and one for the empty text.
fn one_hot<'a>(builder: &mut Builder, x: &Value, levels: impl Iterator<Item = &'a String>) -> Value {
    let texts: Vec<String> = levels.cloned().chain([String::new()]).collect();
    let width = crate::number::signed(texts.len());
    let attributes = [
        ("cats_strings", Attribute::Texts(texts)),
        ("zeros", Attribute::Int(1)),
    ];
    let flags = builder.ml("OneHotEncoder", &[x], &attributes);
    let shape = builder.ints(vec![-1, width]);
    builder.op("Reshape", &[&flags, &shape])
}

/// The raw encoding of the columns, in double precision with NaN for missing.
pub(super) fn raw(builder: &mut Builder, columns: &[&EncodedColumn]) -> Option<Value> {
    let mut blocks = Vec::new();
    for column in columns {
        let x = input(builder, column);
        match &column.encoding {
            Encoding::Number(_) => blocks.push(x),
            Encoding::Category(categories) => blocks.push(raw_category(builder, &x, categories)),
            Encoding::Text => {}
        }
    }
    (!blocks.is_empty()).then(|| builder.beside(&blocks))
}

fn raw_category(builder: &mut Builder, x: &Value, categories: &Categories) -> Value {
    let RawCategories::OneHot(range) = &categories.raw else {
        let last = count(categories.levels.len());
        let ranks = rank(builder, x, &categories.levels, (last, f64::NAN));
        return builder.as_double(&ranks);
    };
    let levels = categories.levels.get(range.clone()).unwrap_or_default();
    let flags = one_hot(builder, x, levels.iter());
    let flags = builder.as_double(&flags);
    let own: Vec<usize> = (0..levels.len()).collect();
    let own = builder.take(&flags, &own);
    let missing = builder.take(&flags, &[levels.len()]);
    let missing = builder.as_bool(&missing);
    let nan = builder.doubles(vec![f64::NAN]);
    builder.op("Where", &[&missing, &nan, &own])
}

/// The place of each level in single precision, with what stands for an unseen and a missing one.
pub(super) fn rank(
    builder: &mut Builder,
    x: &Value,
    levels: &[String],
    (unseen, missing): (f64, f64),
) -> Value {
    let keys = levels.iter().cloned().chain([String::new()]).collect();
    let ranks = (0..levels.len()).map(|rank| narrow(count(rank)));
    let values = ranks.chain([narrow(missing)]).collect();
    let attributes = [
        ("keys_strings", Attribute::Texts(keys)),
        ("values_floats", Attribute::Floats(values)),
        ("default_float", Attribute::Float(narrow(unseen))),
    ];
    builder.ml("LabelEncoder", &[x], &attributes)
}
