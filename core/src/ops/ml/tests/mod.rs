//! Expected values are ONNX Runtime 1.31's, unless a test says otherwise.

mod linear;
mod maps;
mod preprocessing;
mod support_vectors;
mod tokens;
mod trees;
mod two_classes;
mod unified_trees;
