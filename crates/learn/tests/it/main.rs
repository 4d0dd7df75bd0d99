//! The crate from outside: what it reaches on public tables.

#[cfg(test)]
mod compress;
#[cfg(test)]
mod digits;
#[cfg(test)]
mod layered;
#[cfg(test)]
mod private;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod tables;
