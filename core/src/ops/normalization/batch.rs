//! BatchNormalization: one factor and one addend per channel, from given statistics or, in training mode, from the batch's own.

use std::sync::OnceLock;

use burn::backend::ops::FloatTensorOps as _;

use super::{check_float, epsilon};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::operator::Outputs;
use crate::ops::shape::same_as;
use crate::ops::types::{Number, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement, precision};
use crate::tensor::{Backend, Shape, Tensor, Value};

/// In training mode (since opset 14) a batch is normalized by its own statistics, and running statistics move towards them by `1 − momentum`.
///
/// <https://onnx.ai/onnx/operators/onnx__BatchNormalization.html>, opsets 1, 6, 7 (no `is_test`), 9 (no `spatial`), 14 (`training_mode`), 15
/// (element types).
#[derive(Debug)]
struct BatchNormalization {
    epsilon: f32,
    /// Statistics per element of an example instead of per channel.
    is_per_element: bool,
    /// In training mode, the weight of the old running statistics.
    momentum: Option<f32>,
    /// Worked out once where the parameters are constants.
    constant: Option<Affine>,
    n_outputs: usize,
}

const PARAMETERS: [&str; 4] = ["scale", "B", "mean", "var"];

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = context.attributes;
    let is_old_training = match context.opset {
        ..7 => attributes.int("is_test")?.unwrap_or(0) == 0,
        7..14 => context.n_outputs > 1,
        _ => false,
    };
    if is_old_training {
        return Err(OpError::unsupported("BatchNormalization in training mode before opset 14 (export the model for inference)"));
    }
    let is_training = context.opset >= 14 && attributes.int("training_mode")?.unwrap_or(0) != 0;
    if context.n_outputs > if is_training { 3 } else { 1 } {
        return Err(OpError::value(format!(
            "BatchNormalization has {} outputs; it gives running statistics in training mode only",
            context.n_outputs
        )));
    }
    let epsilon = epsilon(context)?;
    let constants: Option<Vec<Tensor>> = (1..5).map(|index| Tensor::from_host(context.constants.get(index).copied().flatten()?).ok()).collect();
    let constant = match constants.map(<[Tensor; 4]>::try_from) {
        Some(Ok(parameters)) if !is_training => Some(Affine::new(&parameters, epsilon)?),
        _ => None,
    };
    Ok(Box::new(BatchNormalization {
        epsilon,
        is_per_element: context.opset < 9 && attributes.int("spatial")?.unwrap_or(1) == 0,
        momentum: is_training.then_some(attributes.float("momentum")?.unwrap_or(0.9)),
        constant,
        n_outputs: context.n_outputs.clamp(1, 3),
    }))
}

/// Factors and addends of a node whose scale, bias and statistics are constants.
pub fn constant_scaling(context: &NodeContext<'_>) -> Result<(Vec<f32>, Vec<f32>), OpError> {
    let constant = |index: usize| -> Result<Tensor, OpError> {
        let name = PARAMETERS[index - 1];
        let constant = context.constants.get(index).copied().flatten().ok_or(OpError::MissingInput { index, name })?;
        Ok(Tensor::from_host(constant)?)
    };
    let affine = Affine::new(&[constant(1)?, constant(2)?, constant(3)?, constant(4)?], epsilon(context)?)?;
    let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect();
    Ok((narrow(&affine.factors), narrow(&affine.addends)))
}

/// `factor · x + addend`, per channel or per element of an example.
#[derive(Debug)]
struct Affine {
    /// Of the parameters.
    shape: Shape,
    factors: Vec<f64>,
    addends: Vec<f64>,
    /// The two as tensors, where they were last used: a model's type and device do not change.
    tensors: OnceLock<[Tensor; 2]>,
}

impl Affine {
    fn new(parameters: &[Tensor; 4], epsilon: f32) -> Result<Self, OpError> {
        let shape = Shape::from_slice(parameters[0].shape());
        for (index, tensor) in parameters.iter().enumerate() {
            let name = PARAMETERS[index];
            if !tensor.element_type().is_float() || tensor.shape() != shape.as_slice() {
                let expected = format!("floating-point numbers of shape {:?}, as scale is", shape.as_slice());
                return Err(OpError::WrongInput { index: index + 1, name, expected, found: format!("{tensor:?}") });
            }
        }
        let [scale, bias, mean, variance] = [read(&parameters[0])?, read(&parameters[1])?, read(&parameters[2])?, read(&parameters[3])?];
        let factors: Vec<f64> = scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + f64::from(epsilon)).sqrt()).collect();
        let addends = bias.iter().zip(&mean).zip(&factors).map(|((bias, mean), factor)| bias - mean * factor).collect();
        Ok(Self { shape, factors, addends, tensors: OnceLock::new() })
    }

    /// Factors and addends as tensors that go with `input`.
    fn tensors_for(&self, input: &Tensor, context: &RunContext<'_>) -> Result<[Tensor; 2], OpError> {
        if let Some(tensors) = self.tensors.get()
            && tensors[0].element_type() == input.element_type()
            && tensors[0].is_on_host() == input.is_on_host()
        {
            return Ok(tensors.clone());
        }
        let create = |values: &[f64]| movement::bring_beside(from_f64s(values, input.element_type())?, input, context);
        let tensors = [create(&self.factors)?, create(&self.addends)?];
        // Losing a race to another run, or to another type, only means that these are worked out again.
        let _ = self.tensors.set(tensors.clone());
        Ok(tensors)
    }
}

fn read(tensor: &Tensor) -> Result<Vec<f64>, OpError> {
    if tensor.element_type() == ElementType::F64 {
        return Ok(tensor.as_slice::<f64>()?.into_owned());
    }
    Ok(tensor.to_f32s()?.into_iter().map(f64::from).collect())
}

fn from_f64s(values: &[f64], element_type: ElementType) -> Result<Tensor, OpError> {
    match_number!(element_type, T => Ok(Tensor::from_vec(&[values.len()], values.iter().map(|&value| T::from_f64(value)).collect())?),
        else Err(OpError::unsupported(format!("BatchNormalization of {element_type}"))))
}

impl BatchNormalization {
    /// The shape that the parameters of an input must have, and the same with the 1s that broadcast it over the input.
    fn parameter_shape(&self, input: &Tensor) -> Result<(Shape, Shape), OpError> {
        Ok(match input.shape() {
            [] => return Err(OpError::shape("the input is a scalar; it should be [batch, channels, …]")),
            // A list is one channel.
            [_] => (Shape::from_slice(&[1]), Shape::from_slice(&[1])),
            [_, rest @ ..] if self.is_per_element => (rest.into(), std::iter::once(1).chain(rest.iter().copied()).collect()),
            &[_, channels, ref rest @ ..] => (Shape::from_slice(&[channels]), [1, channels].into_iter().chain(rest.iter().map(|_| 1)).collect()),
        })
    }

    /// The statistics of a batch, per channel: its mean and its variance over everything else.
    fn batch_statistics(input: &Tensor) -> Result<[Vec<f64>; 2], OpError> {
        let &[batch, channels, ref rest @ ..] = input.shape() else {
            return Err(OpError::shape(format!("a batch of shape {:?} should be [batch, channels, …]", input.shape())));
        };
        let n_rest: usize = rest.iter().product();
        let count = (batch * n_rest) as f64;
        let values = read(input)?;
        let per_channel = |term: &dyn Fn(usize, f64) -> f64| {
            let of_channel = |channel: usize| {
                let runs = (0..batch).map(|example| &values[(example * channels + channel) * n_rest..][..n_rest]);
                runs.flatten().map(|&value| term(channel, value)).sum::<f64>() / count
            };
            (0..channels).map(of_channel).collect::<Vec<f64>>()
        };
        let means = per_channel(&|_, value| value);
        let variances = per_channel(&|channel, value| (value - means[channel]).powi(2));
        Ok([means, variances])
    }

    /// Parameters with the batch's own statistics in place of the given ones, and the running statistics after this batch.
    fn learn(&self, input: &Tensor, parameters: [Tensor; 4], momentum: f32) -> Result<([Tensor; 4], [Tensor; 2]), OpError> {
        let statistics = Self::batch_statistics(input)?;
        let [scale, bias, mean, variance] = parameters;
        let momentum = f64::from(momentum);
        let moved = |running: &Tensor, now: &[f64]| {
            let values: Vec<f64> = read(running)?.iter().zip(now).map(|(running, now)| running * momentum + now * (1.0 - momentum)).collect();
            from_f64s(&values, running.element_type())
        };
        let running = [moved(&mean, &statistics[0])?, moved(&variance, &statistics[1])?];
        let [mean, variance] = statistics;
        Ok(([scale, bias, from_f64s(&mean, ElementType::F64)?, from_f64s(&variance, ElementType::F64)?], running))
    }
}

impl Operator for BatchNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok([same_as(inputs, 0), same_as(inputs, 3), same_as(inputs, 4)].into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        check_float(&input, "BatchNormalization")?;
        let (expected, broadcast) = self.parameter_shape(&input)?;
        let check = |affine: &Affine| {
            if affine.shape == expected {
                return Ok(());
            }
            let (shape, found) = (input.shape(), affine.shape.as_slice());
            Err(OpError::shape(format!("an input of shape {shape:?} needs parameters of shape {:?}, but they have {found:?}", expected.as_slice())))
        };
        let mut running: Option<[Tensor; 2]> = None;
        let computed;
        let affine = match &self.constant {
            Some(affine) => affine,
            None => {
                let mut parameter = |index: usize| inputs.take_tensor(index, PARAMETERS[index - 1]);
                let mut parameters = [parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?];
                if let Some(momentum) = self.momentum {
                    check(&Affine::new(&parameters, self.epsilon)?)?;
                    let (own, after) = self.learn(&input, parameters, momentum)?;
                    (parameters, running) = (own, Some(after));
                }
                computed = Affine::new(&parameters, self.epsilon)?;
                &computed
            }
        };
        check(affine)?;
        let result_type = input.element_type();
        // The product and the sum may nearly cancel: 16 bits are rounded once, at the end.
        let input = precision::cast(input, precision::compute_type(result_type))?;
        let [factors, addends] = affine.tensors_for(&input, context)?;
        let (factors, addends) = (factors.reshaped(&broadcast)?, addends.reshaped(&broadcast)?);
        let (element_type, shape) = (input.element_type(), Shape::from_slice(input.shape()));
        let normalized = match (input.into_primitive(), factors.into_primitive(), addends.into_primitive()) {
            (Some(values), Some(factors), Some(addends)) => {
                Tensor::from_primitive(element_type, &shape, Backend::float_add(Backend::float_mul(values, factors), addends))
            }
            _ => Tensor::empty(element_type, &shape),
        };
        let outputs = std::iter::once(precision::cast(normalized, result_type)?).chain(running.into_iter().flatten());
        Ok(outputs.take(self.n_outputs).map(Value::Tensor).collect())
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
