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
<<<<<<< HEAD
mod large;
#[cfg(test)]
mod limits;
=======
mod partners;
>>>>>>> 73fc60f (Partners with terms: a plan pays their fee and share, and uses them only where that is worth it)
#[cfg(test)]
mod power;
#[cfg(test)]
mod small;
