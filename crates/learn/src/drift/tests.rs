//! Tests of drift.
