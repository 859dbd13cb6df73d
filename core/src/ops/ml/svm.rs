//! SVMClassifier and SVMRegressor, version 1: sums of kernels between a row and the support vectors.
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html>, <https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html>.
//!
//! Without support vectors both are linear models. What the specification leaves open (which scores are put out for how many classes, ties
//! between classes, which post transforms apply) happens as in ONNX Runtime, whose results the tests hold.

mod classifier;
mod coupling;
mod kernel;
mod regressor;

pub(super) use classifier::build as build_classifier;
pub(super) use regressor::build as build_regressor;
