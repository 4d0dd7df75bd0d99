//! The operators that tabular models use: from a node and its attributes to a function of tensors.

mod cast;
mod choose;
mod elementwise;
mod linear;
mod norm;
mod reduce;
mod shape;

pub(crate) use shape::gather;

use thalweg_domain::Result;

use crate::ml;
use crate::proto::NodeProto;
use crate::tensor::{Tensor, mismatch};

/// A node made ready: attributes are read and checked, tables are built.
pub(crate) type Kernel = Box<dyn Fn(&Inputs<'_>) -> Result<Vec<Tensor>> + Send + Sync>;

/// The operands of a node; optional ones may be absent.
pub(crate) struct Inputs<'a>(pub(crate) &'a [Option<&'a Tensor>]);

impl<'a> Inputs<'a> {
    /// # Errors
    /// `TW0344` when the operand is absent.
    pub(crate) fn get(&self, place: usize) -> Result<&'a Tensor> {
        self.optional(place)
            .ok_or_else(|| mismatch(format!("operand {} is not given", place + 1)))
    }

    pub(crate) fn optional(&self, place: usize) -> Option<&'a Tensor> {
        self.0.get(place).copied().flatten()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a Tensor> {
        self.0.iter().copied().flatten()
    }
}

/// What a node may need to know about its model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Versions {
    /// Version of the default operator set.
    pub(crate) opset: i64,
}

/// The kernel of a node; `None` when the operator is not one of ours.
///
/// # Errors
/// `TW0341` for an attribute that is not supported.
pub(crate) fn kernel(node: &NodeProto, versions: Versions) -> Result<Option<Kernel>> {
    match node.domain.as_str() {
        "" => {
            let families = [
                elementwise::kernel,
                choose::kernel,
                linear::kernel,
                norm::kernel,
                reduce::kernel,
                shape::kernel,
                cast::kernel,
            ];
            for family in families {
                if let Some(kernel) = family(node, versions)? {
                    return Ok(Some(kernel));
                }
            }
            Ok(None)
        }
        "ai.onnx.ml" => ml::kernel(node),
        _ => Ok(None),
    }
}

/// A kernel with one result.
pub(crate) fn one(run: impl Fn(&Inputs<'_>) -> Result<Tensor> + Send + Sync + 'static) -> Kernel {
    Box::new(move |inputs| Ok(vec![run(inputs)?]))
}
