//! Loading what is good, saving it again, and refusing what is bad.

use std::path::{Path, PathBuf};

use super::proto::{
    DimensionProto, DimensionValue, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    type_proto,
};
use super::*;
use crate::host::ElementType;

mod bad_files;
mod identity;

/// Fixtures of the workspace.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(proto: &ModelProto) -> Result<Model, LoadError> {
    load_bytes(Path::new("model.onnx"), proto.encode_to_vec().into())
}

/// The sentence that refuses a model.
#[track_caller]
fn refusal(proto: &ModelProto) -> String {
    read(proto).expect_err("the model is bad").to_string()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn float_tensor(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto { name: some(name), dims: dims.to_vec(), data_type: Some(1), float_data: values.to_vec(), ..TensorProto::default() }
}

fn float_type(dims: &[i64]) -> TypeProto {
    let dim = dims.iter().map(|dim| DimensionProto { value: Some(DimensionValue::DimValue(*dim)), denotation: None }).collect();
    let tensor = type_proto::Tensor { elem_type: Some(ElementType::F32.to_onnx()), shape: Some(TensorShapeProto { dim }) };
    TypeProto { value: Some(type_proto::Value::Tensor(tensor)), denotation: None }
}

fn value_info(name: &str, dims: &[i64]) -> ValueInfoProto {
    ValueInfoProto { name: some(name), r#type: Some(float_type(dims)), ..ValueInfoProto::default() }
}

fn node(op_type: &str, input: &[&str], output: &[&str]) -> NodeProto {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    NodeProto { name: some("n"), op_type: some(op_type), input: names(input), output: names(output), ..NodeProto::default() }
}

/// `y = x + w`, all of shape [2].
fn small_model() -> ModelProto {
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(17) }],
        graph: Some(GraphProto {
            name: some("small"),
            node: vec![node("Add", &["x", "w"], &["y"])],
            initializer: vec![float_tensor("w", &[2], &[1.0, 2.0])],
            input: vec![value_info("x", &[2])],
            output: vec![value_info("y", &[2])],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    }
}

/// The small model with its graph changed.
fn with_graph(change: impl FnOnce(&mut GraphProto)) -> ModelProto {
    let mut proto = small_model();
    change(proto.graph.as_mut().unwrap());
    proto
}
