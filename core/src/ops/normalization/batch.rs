//! BatchNormalization with given statistics: one factor and one addend per channel.

use std::sync::OnceLock;

use burn::backend::ops::FloatTensorOps as _;

use super::{check_float, epsilon};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::same_as;
use crate::ops::types::{Number, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement};
use crate::tensor::{Backend, Shape, Tensor};

/// <https://onnx.ai/onnx/operators/onnx__BatchNormalization.html>, opsets 1, 6, 7 (no `is_test`), 9 (no `spatial`), 14 (`training_mode`), 15
/// (element types).
#[derive(Debug)]
struct BatchNormalization {
    epsilon: f32,
    /// Worked out once where the parameters are constants.
    constant: Option<Affine>,
}

const PARAMETERS: [&str; 4] = ["scale", "B", "mean", "var"];

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = context.attributes;
    let is_training = match context.opset {
        ..7 => attributes.int("is_test")?.unwrap_or(0) == 0,
        7..14 => context.n_outputs > 1,
        _ => attributes.int("training_mode")?.unwrap_or(0) != 0,
    };
    if is_training {
        return Err(OpError::unsupported("BatchNormalization in training mode (export the model for inference)"));
    }
    if attributes.int("spatial")?.unwrap_or(1) == 0 {
        return Err(OpError::unsupported("BatchNormalization with attribute 'spatial' of 0"));
    }
    let epsilon = epsilon(context)?;
    let constants: Option<Vec<Tensor>> = (1..5).map(|index| Tensor::from_host(context.constants.get(index).copied().flatten()?).ok()).collect();
    let constant = match constants.map(<[Tensor; 4]>::try_from) {
        Some(Ok(parameters)) => Some(Affine::new(&parameters, epsilon)?),
        _ => None,
    };
    Ok(Box::new(BatchNormalization { epsilon, constant }))
}

/// `factor · x + addend`, per channel.
#[derive(Debug)]
struct Affine {
    factors: Vec<f64>,
    addends: Vec<f64>,
    /// The two as tensors, where they were last used: a model's type and device do not change.
    tensors: OnceLock<[Tensor; 2]>,
}

impl Affine {
    fn new(parameters: &[Tensor; 4], epsilon: f32) -> Result<Self, OpError> {
        let channels = parameters[0].n_elements();
        for (index, tensor) in parameters.iter().enumerate() {
            let name = PARAMETERS[index];
            if !tensor.element_type().is_float() || tensor.shape() != [channels] {
                let expected = format!("{channels} floating-point numbers, one per channel");
                return Err(OpError::WrongInput { index: index + 1, name, expected, found: format!("{tensor:?}") });
            }
        }
        let [scale, bias, mean, variance] = [read(&parameters[0])?, read(&parameters[1])?, read(&parameters[2])?, read(&parameters[3])?];
        let factors: Vec<f64> = scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + f64::from(epsilon)).sqrt()).collect();
        let addends = bias.iter().zip(&mean).zip(&factors).map(|((bias, mean), factor)| bias - mean * factor).collect();
        Ok(Self { factors, addends, tensors: OnceLock::new() })
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

impl Operator for BatchNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        check_float(&input, "BatchNormalization")?;
        let computed;
        let affine = match &self.constant {
            Some(affine) => affine,
            None => {
                let mut parameter = |index: usize| inputs.take_tensor(index, PARAMETERS[index - 1]);
                computed = Affine::new(&[parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?], self.epsilon)?;
                &computed
            }
        };
        let (channels, per_channel) = match input.shape() {
            [] => return Err(OpError::shape("the input is a scalar; it should be [batch, channels, …]")),
            // A list is one channel.
            [_] => (1, Shape::from_slice(&[1])),
            &[_, channels, ref rest @ ..] => (channels, [1, channels].into_iter().chain(rest.iter().map(|_| 1)).collect()),
        };
        if channels != affine.factors.len() {
            return Err(OpError::shape(format!(
                "the input of shape {:?} has {channels} channels, but there are parameters for {}",
                input.shape(),
                affine.factors.len()
            )));
        }
        let [factors, addends] = affine.tensors_for(&input, context)?;
        let (factors, addends) = (factors.reshaped(&per_channel)?, addends.reshaped(&per_channel)?);
        let (element_type, shape) = (input.element_type(), Shape::from_slice(input.shape()));
        let (Some(values), Some(factors), Some(addends)) = (input.into_primitive(), factors.into_primitive(), addends.into_primitive()) else {
            return Ok(single(Tensor::empty(element_type, &shape)));
        };
        let normalized = Backend::float_add(Backend::float_mul(values, factors), addends);
        Ok(single(Tensor::from_primitive(element_type, &shape, normalized)))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
