//! The activation functions of recurrent cells.

use crate::graph::Attributes;
use crate::ops::OpError;
use crate::ops::types::Number;

/// A number type in which cells compute.
pub trait Real: Number + Default {
    fn from_f32(value: f32) -> Self;
    fn exp(self) -> Self;
    fn ln_1p(self) -> Self;
    fn tanh(self) -> Self;
    fn abs(self) -> Self;
}

macro_rules! reals {
    ($($t:ty),*) => {$(
        impl Real for $t {
            fn from_f32(value: f32) -> Self {
                value.into()
            }
            fn exp(self) -> Self {
                self.exp()
            }
            fn ln_1p(self) -> Self {
                self.ln_1p()
            }
            fn tanh(self) -> Self {
                self.tanh()
            }
            fn abs(self) -> Self {
                self.abs()
            }
        }
    )*};
}
reals!(f32, f64);

/// A function with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `alpha · x + beta`
    Affine {
        alpha: f32,
        beta: f32,
    },
    /// `x` above 0, `alpha · (eˣ − 1)` below.
    Elu {
        alpha: f32,
    },
    /// `alpha · x + beta`, held between 0 and 1.
    HardSigmoid {
        alpha: f32,
        beta: f32,
    },
    /// `x` above 0, `alpha · x` below.
    LeakyRelu {
        alpha: f32,
    },
    Relu,
    /// `alpha · tanh(beta · x)`
    ScaledTanh {
        alpha: f32,
        beta: f32,
    },
    Sigmoid,
    /// `ln(1 + eˣ)`
    Softplus,
    /// `x / (1 + |x|)`
    Softsign,
    Tanh,
    /// `x` from alpha on, 0 below.
    ThresholdedRelu {
        alpha: f32,
    },
}

impl Activation {
    /// The functions of a node: the attribute `activations`, or `defaults` for each direction. Functions with parameters take the next value of
    /// `activation_alpha` and `activation_beta`; where those run out, the defaults of the ONNX operator of that name hold.
    pub fn parse_all(attributes: &Attributes, defaults: &[Self], n_directions: usize) -> Result<Vec<Self>, OpError> {
        let Some(names) = attributes.texts("activations")? else { return Ok(defaults.repeat(n_directions)) };
        let expected = defaults.len() * n_directions;
        if names.len() != expected {
            let directions = if n_directions == 1 { "one direction needs" } else { "two directions need" };
            return Err(OpError::value(format!("attribute 'activations' has {} names; {directions} {expected}", names.len())));
        }
        let mut alphas = attributes.floats("activation_alpha")?.unwrap_or_default().iter().copied();
        let mut betas = attributes.floats("activation_beta")?.unwrap_or_default().iter().copied();
        names.into_iter().map(|name| Self::parse(name, &mut alphas, &mut betas)).collect()
    }

    fn parse(name: &str, alphas: &mut impl Iterator<Item = f32>, betas: &mut impl Iterator<Item = f32>) -> Result<Self, OpError> {
        let mut alpha = |default: f32| alphas.next().unwrap_or(default);
        let mut beta = |default: f32| betas.next().unwrap_or(default);
        // Exporters disagree about the letters' case.
        Ok(match name.to_ascii_lowercase().as_str() {
            "affine" => Self::Affine { alpha: alpha(1.0), beta: beta(0.0) },
            "elu" => Self::Elu { alpha: alpha(1.0) },
            "hardsigmoid" => Self::HardSigmoid { alpha: alpha(0.2), beta: beta(0.5) },
            "leakyrelu" => Self::LeakyRelu { alpha: alpha(0.01) },
            "relu" => Self::Relu,
            "scaledtanh" => Self::ScaledTanh { alpha: alpha(1.0), beta: beta(1.0) },
            "sigmoid" => Self::Sigmoid,
            "softplus" => Self::Softplus,
            "softsign" => Self::Softsign,
            "tanh" => Self::Tanh,
            "thresholdedrelu" => Self::ThresholdedRelu { alpha: alpha(1.0) },
            _ => return Err(OpError::value(format!("attribute 'activations' names '{name}', which is no activation of recurrent operators"))),
        })
    }

    /// Replaces every value by the function of it.
    pub fn apply<T: Real>(self, values: &mut [T]) {
        let real = T::from_f32;
        let map = |values: &mut [T], function: &dyn Fn(T) -> T| values.iter_mut().for_each(|value| *value = function(*value));
        match self {
            Self::Affine { alpha, beta } => map(values, &|x| real(alpha).times(x).plus(real(beta))),
            Self::Elu { alpha } => map(values, &|x| if x < T::ZERO { real(alpha).times(x.exp().minus(T::ONE)) } else { x }),
            Self::HardSigmoid { alpha, beta } => {
                map(values, &|x| real(alpha).times(x).plus(real(beta)).larger(T::ZERO).smaller(T::ONE));
            }
            Self::LeakyRelu { alpha } => map(values, &|x| if x < T::ZERO { real(alpha).times(x) } else { x }),
            Self::Relu => map(values, &|x| x.larger(T::ZERO)),
            Self::ScaledTanh { alpha, beta } => map(values, &|x| real(alpha).times(real(beta).times(x).tanh())),
            Self::Sigmoid => values.iter_mut().for_each(|value| *value = sigmoid(*value)),
            Self::Softplus => map(values, &|x| x.larger(T::ZERO).plus(T::ZERO.minus(x.abs()).exp().ln_1p())),
            Self::Softsign => map(values, &|x| quotient(x, T::ONE.plus(x.abs()))),
            Self::Tanh => values.iter_mut().for_each(|value| *value = value.tanh()),
            Self::ThresholdedRelu { alpha } => map(values, &|x| if x < real(alpha) { T::ZERO } else { x }),
        }
    }
}

fn sigmoid<T: Real>(x: T) -> T {
    quotient(T::ONE, T::ONE.plus(T::ZERO.minus(x).exp()))
}

fn quotient<T: Real>(dividend: T, divisor: T) -> T {
    // Floats always have a quotient.
    dividend.divided_by(divisor).unwrap_or(T::ZERO)
}
