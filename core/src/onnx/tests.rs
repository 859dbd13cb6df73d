//! Tests of loading and saving.
