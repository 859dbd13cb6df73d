//! Expected values are ONNX Runtime 1.31's, unless a test says otherwise.

mod linear;
mod preprocessing;
mod trees;
mod two_classes;
