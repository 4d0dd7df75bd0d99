//! How good scores are: metrics with intervals, curves, calibration and the checks on a trained model.

mod calibration;
mod checks;
mod curves;
mod interval;
mod metrics;
mod report;
#[cfg(test)]
mod tests;

pub use calibration::Calibrator;
pub use curves::{CalibrationBin, GainsPoint, calibration_curve, gains_curve};
pub use metrics::{Economics, METRIC_NAMES, Metrics, metrics};
pub use report::{Evaluation, NamedEstimates, TestPart, evaluate};

pub(crate) use calibration::{OutOfFold, choose_calibrator};
