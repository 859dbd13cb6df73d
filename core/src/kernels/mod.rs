//! CPU fast paths, chosen at plan time where burn has none or a measurement says so. They know slices, not graphs.

pub mod activation;
mod aligned;
pub mod convolution;
pub mod fourier;
pub mod integer_product;
pub mod join;
pub mod local_response;
pub mod pooling;
pub mod product;
pub mod scaling;
pub mod shuffle;
mod simd;
pub mod trees;
pub mod unary;
