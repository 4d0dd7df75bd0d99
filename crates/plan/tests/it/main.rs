//! Tests of the planning crate against exact solutions, simulation and known truths.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests: small numbers of known size"
)]

#[cfg(test)]
mod allocate;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod further;
#[cfg(test)]
mod large;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod partners;
#[cfg(test)]
mod power;
#[cfg(test)]
mod small;
#[cfg(test)]
mod survival;
