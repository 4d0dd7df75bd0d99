//! The crate from outside: real tables, and fixtures made by an independent implementation.

mod real_data;
mod tables;
