//! Tests of effect.
