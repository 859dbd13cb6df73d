//! Functions of one number: the operator behind Neg, Exp, Relu, Gelu and their kin.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use burn::backend::DispatchTensor;
use burn::backend::ops::{ActivationOps as _, BoolTensorOps as _, FloatTensorOps as _};
use burn::tensor::{BoolDType, FloatDType};

use super::inverse;
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::kernels::unary::Unary;
use crate::ops::logic::bool_dtype;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::TypeSet;
use crate::ops::{Inputs, OpError, Operator, Placement, RunContext, shape};
use crate::tensor::channels_last::{from_channels_last, to_channels_last};
use crate::tensor::{Backend, Shape, Tensor};

/// A function of one number, with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ops) enum Function {
    Neg,
    Abs,
    Sqrt,
    Exp,
    Log,
    Erf,
    Relu,
    LeakyRelu {
        alpha: f32,
    },
    /// `gamma · x` above 0, `gamma · alpha · (eˣ − 1)` below. Elu has gamma 1.
    Elu {
        alpha: f32,
        gamma: f32,
    },
    Softplus,
    HardSigmoid {
        alpha: f32,
        beta: f32,
    },
    HardSwish,
    Gelu,
    /// Gelu as tanh approximates it.
    GeluTanh,
    Sigmoid,
    /// `x · sigmoid(alpha · x)`.
    Swish {
        alpha: f32,
    },
    Tanh,
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Asin,
    Acos,
    Atan,
    Asinh,
    Acosh,
    Atanh,
    Ceil,
    Floor,
    /// To the nearest whole number; halves to the even one.
    Round,
    /// -1, 0 or 1; NaN of NaN.
    Sign,
    Reciprocal,
    /// `x` above 0, `alpha · (e^(x / alpha) − 1)` below.
    Celu {
        alpha: f32,
    },
    /// `x · tanh(ln(1 + eˣ))`.
    Mish,
    /// `x − bias` above `threshold`, `x + bias` below its negative, 0 between.
    Shrink {
        threshold: f32,
        bias: f32,
    },
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x` above `alpha`, 0 below.
    ThresholdedRelu {
        alpha: f32,
    },
}

impl Function {
    pub fn boxed(self) -> Box<dyn Operator> {
        Box::new(Pointwise { function: self })
    }

    fn types(self) -> TypeSet {
        match self {
            Self::Neg | Self::Relu => TypeSet::SIGNED_NUMBERS,
            // Before opset 13, Erf takes integers too.
            Self::Abs | Self::Sign | Self::Shrink { .. } | Self::Erf => TypeSet::NUMBERS,
            _ => TypeSet::FLOATS,
        }
    }

    /// Over a float32 or float64 tensor. `bool_dtype` is how the device of `x` stores booleans.
    fn of_floats(self, x: DispatchTensor, bool_dtype: BoolDType) -> DispatchTensor {
        match self {
            Self::Neg => Backend::float_neg(x),
            Self::Abs => Backend::float_abs(x),
            Self::Sqrt => Backend::float_sqrt(x),
            Self::Exp => Backend::float_exp(x),
            Self::Log => Backend::float_log(x),
            Self::Erf => Backend::float_erf(x),
            Self::Relu => Backend::relu(x),
            Self::LeakyRelu { alpha } => Backend::leaky_relu(x, alpha.into()),
            Self::Elu { alpha, gamma } => {
                // The exponential sees only what is below 0, so it cannot overflow.
                let below = Backend::float_exp(Backend::float_clamp_max(x.clone(), 0.0.into()));
                let below = Backend::float_mul_scalar(Backend::float_sub_scalar(below, 1.0.into()), alpha.into());
                let both = Backend::float_add(Backend::relu(x), below);
                if gamma == 1.0 { both } else { Backend::float_mul_scalar(both, gamma.into()) }
            }
            Self::Softplus => softplus(x),
            Self::HardSigmoid { alpha, beta } => Backend::hard_sigmoid(x, alpha.into(), beta.into()),
            Self::HardSwish => {
                let gate = Backend::hard_sigmoid(x.clone(), (1.0 / 6.0).into(), 0.5.into());
                Backend::float_mul(x, gate)
            }
            Self::Gelu => Backend::gelu(x),
            Self::GeluTanh => {
                // ½x · (1 + tanh(√(2/π) · (x + 0.044715x³)))
                let cubic = Backend::float_mul(Backend::float_mul(x.clone(), x.clone()), x.clone());
                let inner = Backend::float_add(Backend::float_mul_scalar(cubic, 0.044_715.into()), x.clone());
                let gate = Backend::float_tanh(Backend::float_mul_scalar(inner, (FRAC_2_SQRT_PI * FRAC_1_SQRT_2).into()));
                Backend::float_mul_scalar(Backend::float_mul(x, Backend::float_add_scalar(gate, 1.0.into())), 0.5.into())
            }
            Self::Sigmoid => Backend::sigmoid(x),
            Self::Swish { alpha } => {
                let scaled = if alpha == 1.0 { x.clone() } else { Backend::float_mul_scalar(x.clone(), alpha.into()) };
                Backend::float_mul(x, Backend::sigmoid(scaled))
            }
            Self::Tanh => Backend::float_tanh(x),
            Self::Sin => Backend::float_sin(x),
            Self::Cos => Backend::float_cos(x),
            Self::Tan => Backend::float_tan(x),
            Self::Sinh => Backend::float_sinh(x),
            Self::Cosh => Backend::float_cosh(x),
            Self::Asin => Backend::float_asin(x),
            Self::Acos => Backend::float_acos(x),
            Self::Atan => {
                // Some graphics drivers make 0 of NaN.
                let is_nan = Backend::float_is_nan(x.clone(), bool_dtype);
                Backend::float_mask_where(Backend::float_atan(x.clone()), is_nan, x)
            }
            Self::Asinh => inverse::asinh(x, bool_dtype),
            Self::Acosh => inverse::acosh(x, bool_dtype),
            Self::Atanh => Backend::float_atanh(x),
            Self::Ceil => Backend::float_ceil(x),
            Self::Floor => Backend::float_floor(x),
            Self::Round => Backend::float_round(x),
            Self::Sign => {
                let is_nan = Backend::float_is_nan(x.clone(), bool_dtype);
                Backend::float_mask_where(Backend::float_sign(x.clone()), is_nan, x)
            }
            Self::Reciprocal => Backend::float_recip(x),
            Self::Celu { alpha } => {
                // As in Elu, the exponential sees only what is below 0.
                let below = Backend::float_exp(Backend::float_div_scalar(Backend::float_clamp_max(x.clone(), 0.0.into()), alpha.into()));
                let below = Backend::float_mul_scalar(Backend::float_sub_scalar(below, 1.0.into()), alpha.into());
                Backend::float_add(Backend::relu(x), below)
            }
            Self::Mish => Backend::float_mul(x.clone(), Backend::float_tanh(softplus(x))),
            Self::Shrink { threshold, bias } => {
                let above = Backend::float_greater_elem(x.clone(), threshold.into(), bool_dtype);
                let below = Backend::float_lower_elem(x.clone(), (-threshold).into(), bool_dtype);
                let between = Backend::bool_not(Backend::bool_or(above, below.clone()));
                let lowered = Backend::float_sub_scalar(x.clone(), bias.into());
                let shrunk = Backend::float_mask_where(lowered, below, Backend::float_add_scalar(x, bias.into()));
                Backend::float_mask_fill(shrunk, between, 0.0.into())
            }
            Self::Softsign => Backend::float_div(x.clone(), Backend::float_add_scalar(Backend::float_abs(x), 1.0.into())),
            Self::ThresholdedRelu { alpha } => {
                let is_below = Backend::bool_not(Backend::float_greater_elem(x.clone(), alpha.into(), bool_dtype));
                Backend::float_mask_fill(x, is_below, 0.0.into())
            }
        }
    }

    /// The kernel for float32 in host memory, where burn would call a library for each number.
    fn in_vectors(self) -> Option<Unary> {
        Some(match self {
            Self::Exp => Unary::Exp,
            Self::Erf => Unary::Erf,
            Self::Elu { alpha, gamma: 1.0 } => Unary::Elu { alpha },
            Self::Gelu => Unary::Gelu,
            Self::GeluTanh => Unary::GeluTanh,
            Self::Sigmoid => Unary::Sigmoid,
            Self::Tanh => Unary::Tanh,
            _ => return None,
        })
    }

    /// Over integers; what does not fit the type wraps when the result is stored.
    fn of_int(self, x: i128) -> i128 {
        match self {
            Self::Neg => -x,
            Self::Abs => x.abs(),
            Self::Relu => x.max(0),
            Self::Sign => x.signum(),
            Self::Erf => libm::erf(x as f64) as i128,
            Self::Shrink { threshold, bias } => {
                // Any 64-bit integer that is near a threshold given as float32 is exact enough in float64.
                let (number, threshold, bias) = (x as f64, f64::from(threshold), f64::from(bias));
                if number > threshold {
                    (number - bias) as i128
                } else if number < -threshold {
                    (number + bias) as i128
                } else {
                    0
                }
            }
            _ => x,
        }
    }
}

/// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|)`, whose exponential cannot overflow.
fn softplus(x: DispatchTensor) -> DispatchTensor {
    let tail = Backend::float_log1p(Backend::float_exp(Backend::float_neg(Backend::float_abs(x.clone()))));
    Backend::float_add(Backend::relu(x), tail)
}

/// `Y = f(X)`, element by element.
#[derive(Debug)]
struct Pointwise {
    function: Function,
}

impl Operator for Pointwise {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![shape::same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        self.function.types().check(&x, 0, "X")?;
        if x.is_empty() {
            return Ok(single(x));
        }
        if x.element_type().is_int() {
            return of_ints(self.function, x).map(single);
        }
        if let Some(unary) = self.function.in_vectors()
            && x.element_type() == ElementType::F32
            && x.is_on_host()
        {
            return on_host(unary, x).map(single);
        }
        let bool_dtype = if x.is_on_host() { BoolDType::Native } else { bool_dtype(context) };
        Ok(single(map_each_float(x, |x| self.function.of_floats(x, bool_dtype))))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// Applies a kernel to float32 in host memory, in the order in which the elements lie.
fn on_host(unary: Unary, x: Tensor) -> Result<Tensor, OpError> {
    let dims = Shape::from_slice(x.shape());
    let is_channels_last = x.is_only_channels_last();
    let mut elements = match x.as_channels_last() {
        Some(elements) if is_channels_last => elements.to_vec(),
        _ => x.into_vec::<f32>()?,
    };
    unary.apply_to(&mut elements);
    Ok(if is_channels_last { Tensor::from_channels_last(&dims, elements)? } else { Tensor::from_vec(&dims, elements)? })
}

/// Applies burn operations that look at one element at a time to a non-empty tensor of floats, in the order in which its elements lie.
pub(in crate::ops) fn map_each_float(x: Tensor, apply: impl FnOnce(DispatchTensor) -> DispatchTensor) -> Tensor {
    if !x.is_only_channels_last() {
        return map_floats(x, apply);
    }
    let (element_type, dims) = (x.element_type(), Shape::from_slice(x.shape()));
    let Some(primitive) = x.into_primitive() else { return Tensor::empty(element_type, &dims) };
    let result = apply(Backend::float_permute(primitive, &to_channels_last(dims.len())));
    Tensor::from_primitive(element_type, &dims, Backend::float_permute(result, &from_channels_last(dims.len())))
}

/// Applies burn operations to a non-empty tensor of floats. Half precision is widened to float32 and rounded once, at the end.
pub(in crate::ops) fn map_floats(x: Tensor, apply: impl FnOnce(DispatchTensor) -> DispatchTensor) -> Tensor {
    let element_type = x.element_type();
    let dims = Shape::from_slice(x.shape());
    let half = match element_type {
        ElementType::F16 => Some(FloatDType::F16),
        ElementType::Bf16 => Some(FloatDType::BF16),
        _ => None,
    };
    let Some(primitive) = x.into_primitive() else { return Tensor::empty(element_type, &dims) };
    let result = match half {
        Some(half) => Backend::float_cast(apply(Backend::float_cast(primitive, FloatDType::F32)), half),
        None => apply(primitive),
    };
    Tensor::from_primitive(element_type, &dims, result)
}

fn of_ints(function: Function, x: Tensor) -> Result<Tensor, OpError> {
    let dims = Shape::from_slice(x.shape());
    macro_rules! map {
        ($t:ty) => {{
            let mut values = x.into_vec::<$t>()?;
            for value in &mut values {
                *value = function.of_int(i128::from(*value)) as $t;
            }
            Tensor::from_vec(&dims, values)?
        }};
    }
    Ok(match x.element_type() {
        ElementType::I8 => map!(i8),
        ElementType::I16 => map!(i16),
        ElementType::I32 => map!(i32),
        ElementType::I64 => map!(i64),
        ElementType::U8 => map!(u8),
        ElementType::U16 => map!(u16),
        ElementType::U32 => map!(u32),
        ElementType::U64 => map!(u64),
        _ => x,
    })
}
