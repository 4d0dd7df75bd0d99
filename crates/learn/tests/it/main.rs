//! The crate from outside: what it reaches on public tables.

#[cfg(test)]
mod digits;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod tables;
