//! LayerNormalization: every row standardized by its own mean and deviation.

use burn::backend::ops::{FloatTensorOps as _, ModuleOps as _};

use super::{Standardized, check_float, epsilon};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::broadcast::{check_broadcasts_to, float_operand};
use crate::ops::operator::Outputs;
use crate::ops::precision::{cast, compute_type_with, float_type_attribute};
use crate::ops::shape::{normalize_axis, same_as};
use crate::ops::types::check_same_type;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Tensor, Value};

/// <https://onnx.ai/onnx/operators/onnx__LayerNormalization.html>, opset 17.
#[derive(Debug)]
struct LayerNormalization {
    axis: i64,
    epsilon: f32,
    /// What means and deviations are computed and returned in.
    stash_type: ElementType,
    /// With 2 the means, with 3 the reciprocal deviations too.
    n_outputs: usize,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let axis = context.attributes.int("axis")?.unwrap_or(-1);
    let stash_type = float_type_attribute(context, "stash_type")?.unwrap_or(ElementType::F32);
    Ok(Box::new(LayerNormalization { axis, epsilon: epsilon(context)?, stash_type, n_outputs: context.n_outputs.clamp(1, 3) }))
}

impl LayerNormalization {
    /// All three outputs, with a scale and a bias of any shape that broadcasts over a row.
    fn composed(&self, input: Tensor, scale: Tensor, bias: Option<Tensor>, axis: usize) -> Result<Outputs, OpError> {
        let (element_type, shape) = (input.element_type(), input.shape().to_vec());
        let compute = compute_type_with(element_type, self.stash_type);
        let n_rows: usize = shape[..axis].iter().product();
        let n_columns: usize = shape[axis..].iter().product();
        let statistics_shape: Vec<usize> = shape.iter().enumerate().map(|(other, &dim)| if other < axis { dim } else { 1 }).collect();
        let scale = float_operand(cast(scale, compute)?, shape.len());
        let bias = bias.map(|bias| cast(bias, compute)).transpose()?.and_then(|bias| float_operand(bias, shape.len()));
        let rows = cast(input.reshaped(&[n_rows, n_columns])?, compute)?.into_primitive();
        let (Some(rows), Some(scale)) = (rows, scale) else { return self.empty(element_type, &shape, &statistics_shape) };
        let standardized = Standardized::new(rows, &[1], self.epsilon);
        let normalized = Backend::float_mul(standardized.centered, standardized.inverse_deviation.clone());
        let mut scaled = Backend::float_mul(Backend::float_reshape(normalized, shape.clone().into()), scale);
        if let Some(bias) = bias {
            scaled = Backend::float_add(scaled, bias);
        }
        let result = cast(Tensor::from_primitive(compute, &shape, scaled), element_type);
        let statistics = [standardized.mean, standardized.inverse_deviation]
            .map(|primitive| cast(Tensor::from_primitive(compute, &statistics_shape, primitive), self.stash_type));
        [result].into_iter().chain(statistics).take(self.n_outputs).map(|result| result.map(Value::Tensor)).collect()
    }

    fn empty(&self, element_type: ElementType, shape: &[usize], statistics_shape: &[usize]) -> Result<Outputs, OpError> {
        let result = Tensor::empty(element_type, shape);
        // Rows without elements have no mean; there are none either unless the model says so.
        let n_rows = statistics_shape.iter().product();
        let statistics = || cast(Tensor::from_vec(statistics_shape, vec![f32::NAN; n_rows])?, self.stash_type);
        std::iter::once(Ok(result)).chain((1..self.n_outputs).map(|_| statistics())).map(|result| result.map(Value::Tensor)).collect()
    }
}

impl Operator for LayerNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let statistics_shape = match inputs.tensor(0).and_then(|(_, shape)| shape.dims()) {
            Some(dims) => {
                let axis = normalize_axis(self.axis, dims.len())?;
                let reduced = |(other, dim): (usize, &Dimension)| if other < axis { dim.clone() } else { Dimension::Known(1) };
                SymbolicShape(Some(dims.iter().enumerate().map(reduced).collect()))
            }
            None => SymbolicShape::unknown(),
        };
        let statistics = Some(ValueType::tensor(self.stash_type, statistics_shape));
        Ok([same_as(inputs, 0), statistics.clone(), statistics].into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, scale) = (inputs.take_tensor(0, "X")?, inputs.take_tensor(1, "Scale")?);
        let bias = inputs.take_optional_tensor(2, "B")?;
        check_float(&input, "LayerNormalization")?;
        let axis = normalize_axis(self.axis, input.rank())?;
        let row = &input.shape()[axis..];
        for tensor in [Some(&scale), bias.as_ref()].into_iter().flatten() {
            check_same_type(&input, tensor)?;
            check_broadcasts_to(tensor.shape(), input.shape())?;
        }
        let is_plain = scale.shape() == row && bias.as_ref().is_none_or(|bias| bias.shape() == row);
        let is_computed_as_it_is = compute_type_with(input.element_type(), self.stash_type) == input.element_type();
        if self.n_outputs > 1 || !is_plain || !is_computed_as_it_is || input.is_empty() {
            return self.composed(input, scale, bias, axis);
        }
        // The common case is one fused operation of burn's.
        let (element_type, shape) = (input.element_type(), input.shape().to_vec());
        let n_columns: usize = row.iter().product();
        let n_rows = input.n_elements() / n_columns;
        let as_row = |tensor: Tensor| Ok::<_, OpError>(tensor.reshaped(&[n_columns])?.into_primitive());
        let bias = bias.map(as_row).transpose()?.flatten();
        let (Some(rows), Some(scale)) = (input.reshaped(&[n_rows, n_columns])?.into_primitive(), as_row(scale)?) else {
            return self.empty(element_type, &shape, &[]);
        };
        let normalized = Backend::layer_norm(rows, scale, bias, f64::from(self.epsilon));
        Ok(smallvec::smallvec![Value::Tensor(Tensor::from_primitive(element_type, &shape, normalized))])
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
