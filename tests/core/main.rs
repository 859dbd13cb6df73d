//! The core without any face: golden values, samples, properties, the session, bad input, and the shape of the code itself.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails with a backtrace, which is what it should do")]

mod architecture;
mod bad_models;
mod bad_tables;
mod compare;
mod corpus;
mod fuzz;
mod golden;
mod gpu;
mod light_suite;
mod node_suite;
mod operator_table;
mod profile;
mod properties;
mod samples;
mod scale;
mod session;
mod suite;
mod type_matrix;

#[global_allocator]
static ALLOCATOR: drydock_tests::allocation::WatchedAllocator = drydock_tests::allocation::WatchedAllocator;
