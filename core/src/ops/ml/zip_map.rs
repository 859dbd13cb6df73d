//! ZipMap: scores and their labels as one map per row. <https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html>, since version 1.

use std::sync::Arc;

use smallvec::smallvec;

use super::labels::Labels;
use super::{matrix_shape, wrong_input};
use crate::graph::infer::InferInputs;
use crate::graph::{SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::Outputs;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{MapKey, Records, Value};

#[derive(Debug)]
struct ZipMap {
    keys: Arc<[MapKey]>,
    key_type: ElementType,
}

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let labels = Labels::from_attributes(node.attributes, "classlabels_int64s")?;
    if labels.len() == 0 {
        return Err(OpError::value("classlabels_strings or classlabels_int64s must name the keys"));
    }
    Ok(Box::new(ZipMap { keys: labels.to_map_keys().into(), key_type: labels.element_type() }))
}

impl Operator for ZipMap {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let value = ValueType::tensor(ElementType::F32, SymbolicShape(Some(Vec::new())));
        let map = ValueType::Map { key: self.key_type, value: Box::new(value) };
        Ok(vec![Some(ValueType::Sequence(Box::new(map)))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (n_rows, n_keys) = matrix_shape(0, "X", &x)?;
        if x.element_type() != ElementType::F32 {
            return Err(wrong_input(0, "X", "a tensor of float32", &x));
        }
        if n_keys != self.keys.len() {
            return Err(OpError::shape(format!("rows have {n_keys} scores, but {} labels are given", self.keys.len())));
        }
        let values = x.reshaped(&[n_rows, n_keys])?;
        Ok(smallvec![Value::Records(Records { keys: Arc::clone(&self.keys), values })])
    }
}
