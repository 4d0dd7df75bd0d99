//! Nets of 8-bit weights and activations: a quarter of the size, sums in whole numbers.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod calibrate;
mod kernel;
mod net;

pub(crate) use calibrate::quantize;
pub(crate) use net::Int8Net;
