//! Tests of leakage.
