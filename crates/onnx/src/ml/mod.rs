//! The operators of the `ai.onnx.ml` domain, in which scikit-learn's exporter and tree libraries write their models.

mod columns;
mod encode;
mod forest;
mod linear;
pub(crate) mod post;
mod trees;

use thalweg_domain::Result;

use crate::ops::Kernel;
use crate::proto::NodeProto;

/// The kernel of a node; `None` when the operator is not one of ours.
///
/// # Errors
/// `TW0341` for an attribute that is not supported, `TW0340` for tables that contradict each other.
pub(crate) fn kernel(node: &NodeProto) -> Result<Option<Kernel>> {
    for family in [columns::kernel, encode::kernel, linear::kernel, trees::kernel] {
        if let Some(kernel) = family(node)? {
            return Ok(Some(kernel));
        }
    }
    Ok(None)
}
