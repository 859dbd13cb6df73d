//! Layer normalizations with a residual connection before them, and those by the root mean square alone.

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;

use super::{STANDARD_OPSET, attributes, run_one, standard};
use crate::graph::infer::InferInputs;
use crate::graph::{Attribute, Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::broadcast::{check_broadcasts_to, float_operand};
use crate::ops::operator::Outputs;
use crate::ops::precision::{cast, compute_type};
use crate::ops::shape::{normalize_axis, same_as};
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Shape, Tensor, Value};

/// `LayerNormalization(input + skip + bias)`. Outputs: the result, means and reciprocal deviations, the sum.
#[derive(Debug)]
struct SkipNormalization {
    /// Has an input `beta` after gamma.
    has_shift: bool,
    norm: Box<dyn Operator>,
    add: Box<dyn Operator>,
    n_outputs: usize,
}

pub fn build_skip(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let n_statistics = node.n_outputs.clamp(1, 3);
    let epsilon = node.attributes.float("epsilon")?.unwrap_or(1e-5);
    let norm = attributes([("epsilon", Attribute::Float(epsilon)), ("axis", Attribute::Int(-1))]);
    Ok(Box::new(SkipNormalization {
        has_shift: true,
        norm: standard("LayerNormalization", STANDARD_OPSET, &norm, 3, n_statistics)?,
        add: standard("Add", STANDARD_OPSET, &attributes([]), 2, 1)?,
        n_outputs: node.n_outputs,
    }))
}

/// As SkipLayerNormalization, dividing by the root mean square instead.
pub fn build_skip_simplified(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(SkipNormalization {
        has_shift: false,
        norm: Box::new(SimplifiedLayerNormalization::new(node, -1)?),
        add: standard("Add", STANDARD_OPSET, &attributes([]), 2, 1)?,
        n_outputs: node.n_outputs,
    }))
}

impl SkipNormalization {
    fn statistics_type(inputs: &InferInputs<'_>) -> Option<ValueType> {
        let dims = inputs.tensor(0)?.1.dims()?;
        let mut dims = dims.to_vec();
        *dims.last_mut()? = Dimension::Known(1);
        Some(ValueType::tensor(ElementType::F32, dims))
    }
}

impl Operator for SkipNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let statistics = Self::statistics_type(inputs);
        Ok([same_as(inputs, 0), statistics.clone(), statistics, same_as(inputs, 0)].into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, skip) = (inputs.take_tensor(0, "input")?, inputs.take_tensor(1, "skip")?);
        let gamma = inputs.take_tensor(2, "gamma")?;
        let beta = if self.has_shift { inputs.take_optional_tensor(3, "beta")? } else { None };
        let bias = inputs.take_optional_tensor(if self.has_shift { 4 } else { 3 }, "bias")?;
        TypeSet::FLOATS.check(&input, 0, "input")?;
        let &[.., width] = input.shape() else { return Err(OpError::shape("the input is a scalar; it needs an axis to normalize over")) };
        for (name, row) in [("gamma", Some(&gamma)), ("beta", beta.as_ref()), ("bias", bias.as_ref())] {
            if let Some(row) = row
                && row.shape() != [width]
            {
                return Err(OpError::shape(format!("{name} has shape {:?}, but the rows have {width} elements", row.shape())));
            }
        }
        check_broadcasts_to(skip.shape(), input.shape())?;
        for other in [Some(&skip), Some(&gamma), beta.as_ref(), bias.as_ref()].into_iter().flatten() {
            check_same_type(&input, other)?;
        }
        // The sum is not rounded to half precision before it is normalized.
        let element_type = input.element_type();
        let widen = |tensor: Tensor| cast(tensor, compute_type(element_type));
        let [beta, bias] = [beta, bias].map(|row| row.map(widen).transpose());
        let (input, skip, gamma, beta, bias) = (widen(input)?, widen(skip)?, widen(gamma)?, beta?, bias?);
        let mut sum = run_one(self.add.as_ref(), [Some(input), Some(skip)], context)?;
        if let Some(bias) = bias {
            sum = run_one(self.add.as_ref(), [Some(sum), Some(bias)], context)?;
        }
        let row_inputs = [Some(sum.clone()), Some(gamma), beta].map(|tensor| tensor.map(Value::Tensor));
        let mut outputs = self.norm.run(Inputs::new(row_inputs.into_iter().collect()), context)?;
        if let Some(Value::Tensor(result)) = outputs.first_mut() {
            *result = cast(result.clone(), element_type)?;
        }
        if self.n_outputs > 3 {
            outputs.resize(3, Value::Absent);
            outputs.push(Value::Tensor(cast(sum, element_type)?));
        } else {
            outputs.resize(self.n_outputs.max(1), Value::Absent);
        }
        Ok(outputs)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// `x / √(mean(x²) + epsilon) · scale` over the axes from `axis` on. A second output has the reciprocal roots.
#[derive(Debug)]
struct SimplifiedLayerNormalization {
    axis: i64,
    epsilon: f32,
    n_outputs: usize,
}

pub fn build_simplified(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(SimplifiedLayerNormalization::new(node, node.attributes.int("axis")?.unwrap_or(-1))?))
}

impl SimplifiedLayerNormalization {
    fn new(node: &NodeContext<'_>, axis: i64) -> Result<Self, OpError> {
        let epsilon = node.attributes.float("epsilon")?.unwrap_or(1e-5);
        if epsilon.is_nan() || epsilon < 0.0 {
            return Err(OpError::value(format!("attribute 'epsilon' is {epsilon}; it must not be negative")));
        }
        Ok(Self { axis, epsilon, n_outputs: node.n_outputs.clamp(1, 2) })
    }

    /// Normalized rows before the scale, and the reciprocal root mean squares.
    fn normalize(&self, rows: DispatchTensor) -> (DispatchTensor, DispatchTensor) {
        let mean = Backend::float_mean_dim(Backend::float_mul(rows.clone(), rows.clone()), 1);
        let inverse = Backend::float_recip(Backend::float_sqrt(Backend::float_add_scalar(mean, self.epsilon.into())));
        (Backend::float_mul(rows, inverse.clone()), inverse)
    }
}

impl Operator for SimplifiedLayerNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let statistics = match inputs.tensor(0).and_then(|(_, shape)| shape.dims()) {
            Some(dims) => {
                let axis = normalize_axis(self.axis, dims.len())?;
                let one = |(index, dim): (usize, &Dimension)| if index < axis { dim.clone() } else { Dimension::Known(1) };
                SymbolicShape(Some(dims.iter().enumerate().map(one).collect()))
            }
            None => SymbolicShape::unknown(),
        };
        let types = [same_as(inputs, 0), Some(ValueType::tensor(ElementType::F32, statistics))];
        Ok(types.into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, scale) = (inputs.take_tensor(0, "X")?, inputs.take_tensor(1, "scale")?);
        TypeSet::FLOATS.check(&input, 0, "X")?;
        check_same_type(&input, &scale)?;
        check_broadcasts_to(scale.shape(), input.shape())?;
        let axis = normalize_axis(self.axis, input.rank())?;
        let (element_type, shape) = (input.element_type(), Shape::from_slice(input.shape()));
        let statistics_shape: Shape = shape.iter().enumerate().map(|(index, &dim)| if index < axis { dim } else { 1 }).collect();
        let widen = |tensor: Tensor| cast(tensor, compute_type(element_type));
        let rows = widen(input)?.reshaped(&[shape[..axis].iter().product(), shape[axis..].iter().product()])?;
        let (Some(rows), Some(scale)) = (rows.into_primitive(), float_operand(widen(scale)?, shape.len())) else {
            let statistics = Tensor::from_vec(&statistics_shape, vec![f32::NAN; statistics_shape.iter().product()])?;
            return Ok([Tensor::empty(element_type, &shape), statistics].into_iter().take(self.n_outputs).map(Value::Tensor).collect());
        };
        let (normalized, inverse) = self.normalize(rows);
        let scaled = Backend::float_mul(Backend::float_reshape(normalized, shape.to_vec().into()), scale);
        let compute = compute_type(element_type);
        let result = cast(Tensor::from_primitive(compute, &shape, scaled), element_type)?;
        let statistics = cast(Tensor::from_primitive(compute, &statistics_shape, inverse), ElementType::F32)?;
        Ok([result, statistics].into_iter().take(self.n_outputs).map(Value::Tensor).collect())
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
