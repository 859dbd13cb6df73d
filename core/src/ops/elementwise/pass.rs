//! What passes a value through: Identity, and Dropout, which in training drops some of it.

use rand::RngExt as _;
use smallvec::smallvec;

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Bool, ElementType};
use crate::ops::operator::Outputs;
use crate::ops::random::Seed;
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, shape};
use crate::tensor::{Tensor, Value};

/// The input, whatever it is.
#[derive(Debug)]
pub(super) struct Identity;

impl Operator for Identity {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![shape::same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        Ok(smallvec![inputs.take(0, "input")?])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

pub(super) fn build_dropout(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let constant_flag = |index: usize| node.constants.get(index).copied().flatten().and_then(|flag| flag.as_slice::<Bool>().ok()?.first().copied());
    let mode = match node.opset {
        // An attribute told training from inference, and training was the default.
        ..7 if attributes.int("is_test")?.unwrap_or(0) == 0 => Mode::Training { ratio: attributes.float("ratio")?.unwrap_or(0.5) },
        12.. if node.n_inputs > 2 && constant_flag(2).is_none_or(Bool::get) => Mode::AsTold,
        _ => Mode::Inference,
    };
    Ok(Box::new(Dropout {
        mode,
        seed: Seed(attributes.int("seed")?.map(i64::cast_unsigned)),
        has_mask: node.n_outputs > 1,
        mask_is_bool: node.opset >= 10,
    }))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Drops nothing.
    Inference,
    Training {
        ratio: f32,
    },
    /// Inputs `ratio` and `training_mode` decide.
    AsTold,
}

/// In training mode sets a share of the elements, chosen at random, to 0 and scales up the others, so that their expected sum stays. The mask
/// says which elements were kept.
#[derive(Debug)]
struct Dropout {
    mode: Mode,
    seed: Seed,
    has_mask: bool,
    mask_is_bool: bool,
}

impl Dropout {
    /// The share of elements to drop in this run: 0 at inference.
    fn ratio(&self, inputs: &mut Inputs) -> Result<f32, OpError> {
        let ratio = match self.mode {
            Mode::Inference => 0.0,
            Mode::Training { ratio } => ratio,
            Mode::AsTold => {
                let ratio = inputs.take_optional_tensor(1, "ratio")?;
                let training_mode = inputs.take_optional_tensor(2, "training_mode")?;
                let is_training = match training_mode {
                    Some(flag) => flag.as_slice::<Bool>()?.first().is_some_and(|flag| flag.get()),
                    None => false,
                };
                let ratio = ratio.map(|ratio| ratio.to_f32s()).transpose()?.map_or(Some(0.5), |ratio| ratio.first().copied());
                if is_training { ratio.ok_or_else(|| OpError::shape("input 1 (ratio) is empty; it should hold one number"))? } else { 0.0 }
            }
        };
        if (0.0..1.0).contains(&ratio) {
            return Ok(ratio);
        }
        Err(OpError::value(format!("the ratio of elements to drop is {ratio}; it must be at least 0 and below 1")))
    }

    fn drop_some<T: Number>(data: &Tensor, kept: &[bool], ratio: f32) -> Result<Tensor, OpError> {
        let scale = 1.0 / (1.0 - f64::from(ratio));
        let scaled = |(&value, &kept): (&T, &bool)| if kept { T::from_f64(value.to_f64() * scale) } else { T::ZERO };
        let values = data.as_slice::<T>()?.iter().zip(kept).map(scaled).collect();
        Ok(Tensor::from_vec(data.shape(), values)?)
    }
}

impl Operator for Dropout {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let mut types = vec![shape::same_as(inputs, 0)];
        if self.has_mask {
            types.push(inputs.tensor(0).map(|(element_type, shape)| {
                let element_type = if self.mask_is_bool { ElementType::Bool } else { element_type };
                ValueType::tensor(element_type, shape.clone())
            }));
        }
        Ok(types)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        TypeSet::FLOATS_OF_ANY_WIDTH.check(&data, 0, "data")?;
        let ratio = self.ratio(&mut inputs)?;
        if ratio == 0.0 && !self.has_mask {
            return Ok(smallvec![Value::Tensor(data)]);
        }
        let element_type = data.element_type();
        let n_elements = context.check_result_size(element_type, data.shape())?;
        let mut generator = self.seed.generator();
        let kept: Vec<bool> = (0..n_elements).map(|_| ratio == 0.0 || generator.random::<f32>() >= ratio).collect();
        let unsupported = || OpError::unsupported(format!("Dropout of {element_type}"));
        let mask = if self.mask_is_bool {
            Tensor::from_vec(data.shape(), kept.iter().copied().map(Bool::new).collect())?
        } else {
            match_number!(
                element_type,
                T => Tensor::from_vec(data.shape(), kept.iter().map(|&kept| if kept { T::ONE } else { T::ZERO }).collect())?,
                else return Err(unsupported())
            )
        };
        let output = if ratio == 0.0 {
            data
        } else {
            match_number!(element_type, T => Self::drop_some::<T>(&data, &kept, ratio)?, else return Err(unsupported()))
        };
        let outputs = [output, mask].into_iter().map(Value::Tensor);
        Ok(outputs.take(1 + usize::from(self.has_mask)).collect())
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn is_deterministic(&self) -> bool {
        self.mode == Mode::Inference || self.seed.0.is_some()
    }
}
