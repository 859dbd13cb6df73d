//! Classic machine learning: the operators of domain `ai.onnx.ml` that scikit-learn, XGBoost and LightGBM models are made of. They run in host
//! memory, and so do two of `com.microsoft` that come with them. Where the specification (<https://onnx.ai/onnx/operators/#ai-onnx-ml>) is silent, they do what ONNX Runtime does.

use std::borrow::Cow;

use super::{NodeContext, OpError, Operator, Registration, registry::OpsetRange};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::Tensor;

mod features;
mod imputer;
mod label_encoder;
mod labels;
mod linear;
mod maps;
mod murmur_hash;
mod one_hot;
mod post_transform;
mod scaling;
mod svm;
mod tokenizer;
mod tree_attributes;
mod tree_ensemble;
mod unified_tree_ensemble;
mod zip_map;

#[cfg(test)]
mod tests;

pub const OPERATORS: &[Registration] = &[
    operator("ArrayFeatureExtractor", features::build_array_feature_extractor),
    operator("Binarizer", scaling::build_binarizer),
    operator("CastMap", maps::build_cast_map),
    operator("CategoryMapper", label_encoder::build_category_mapper),
    operator("DictVectorizer", maps::build_dict_vectorizer),
    operator("FeatureVectorizer", features::build_feature_vectorizer),
    operator("Imputer", imputer::build),
    operator("LabelEncoder", label_encoder::build),
    operator("LinearClassifier", linear::build_classifier),
    operator("LinearRegressor", linear::build_regressor),
    operator("Normalizer", scaling::build_normalizer),
    operator("OneHotEncoder", one_hot::build),
    operator("SVMClassifier", svm::build_classifier),
    operator("SVMRegressor", svm::build_regressor),
    operator("Scaler", scaling::build_scaler),
    Registration { domain: "com.microsoft", op_type: "MurmurHash3", opsets: OpsetRange::from(1), build: murmur_hash::build },
    Registration { domain: "com.microsoft", op_type: "Tokenizer", opsets: OpsetRange::from(1), build: tokenizer::build },
    Registration { domain: "ai.onnx.ml", op_type: "TreeEnsemble", opsets: OpsetRange::from(5), build: unified_tree_ensemble::build },
    operator("TreeEnsembleClassifier", tree_ensemble::build_classifier),
    operator("TreeEnsembleRegressor", tree_ensemble::build_regressor),
    operator("ZipMap", zip_map::build),
];

type Build = fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>;

const fn operator(op_type: &'static str, build: Build) -> Registration {
    Registration { domain: "ai.onnx.ml", op_type, opsets: OpsetRange::from(1), build }
}

/// A map whose hash function is fast, and seeded anew for each map: keys come from files.
type FastHashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// Rows and features of a `[rows, features]` input; a `[features]` one is a single row.
fn matrix_shape(index: usize, name: &'static str, tensor: &Tensor) -> Result<(usize, usize), OpError> {
    match *tensor.shape() {
        [n_features] => Ok((1, n_features)),
        [n_rows, n_features] => Ok((n_rows, n_features)),
        _ => Err(wrong_input(index, name, "a matrix [rows, features] or a single row [features]", tensor)),
    }
}

/// The rows of a matrix, as a type says them before it is run.
fn rows_dimension(shape: &SymbolicShape) -> Dimension {
    match shape.dims() {
        Some([_]) => Dimension::Known(1),
        Some([rows, _]) => rows.clone(),
        _ => Dimension::Unknown,
    }
}

/// The type `element_type[rows, width]` for an operator that maps rows of its first input to rows.
fn rows_by(inputs: &InferInputs<'_>, element_type: ElementType, width: usize) -> ValueType {
    let rows = inputs.tensor(0).map_or(Dimension::Unknown, |(_, shape)| rows_dimension(shape));
    ValueType::tensor(element_type, vec![rows, Dimension::Known(width)])
}

/// The type `element_type[rows]`, one element for each row of the first input.
fn one_per_row(inputs: &InferInputs<'_>, element_type: ElementType) -> ValueType {
    let rows = inputs.tensor(0).map_or(Dimension::Unknown, |(_, shape)| rows_dimension(shape));
    ValueType::tensor(element_type, vec![rows])
}

/// The first input's shape with elements of `element_type`.
fn same_shape(inputs: &InferInputs<'_>, element_type: ElementType) -> ValueType {
    ValueType::tensor(element_type, inputs.tensor(0).map_or_else(SymbolicShape::unknown, |(_, shape)| shape.clone()))
}

/// The elements of a numeric input (float32, float64, int32 or int64) as float32.
fn numbers<'a>(index: usize, name: &'static str, tensor: &'a Tensor) -> Result<Cow<'a, [f32]>, OpError> {
    match tensor.element_type() {
        ElementType::F32 => Ok(tensor.as_slice::<f32>()?),
        ElementType::F64 | ElementType::I32 | ElementType::I64 => Ok(Cow::Owned(tensor.to_f32s()?)),
        _ => Err(wrong_input(index, name, NUMBERS, tensor)),
    }
}

const NUMBERS: &str = "a tensor of float32, float64, int32 or int64";

fn wrong_input(index: usize, name: &'static str, expected: &str, tensor: &Tensor) -> OpError {
    OpError::WrongInput { index, name, expected: expected.to_owned(), found: format!("a tensor of {tensor:?}") }
}
