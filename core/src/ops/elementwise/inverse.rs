//! The inverse hyperbolic functions, for numbers of any size: their textbook forms overflow where they square, and lose their digits near 0.

use std::f64::consts::LN_2;

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;
use burn::tensor::BoolDType;

use crate::tensor::Backend;

/// From here on both functions are `ln(2x)`, to the last digit of float64, and squares are still finite in float32.
const LARGE: f64 = 1e9;

/// `sign(x) · ln(|x| + √(x² + 1))`, as `ln(1 + |x| + x² / (1 + √(x² + 1)))`.
pub(super) fn asinh(x: DispatchTensor, bool_dtype: BoolDType) -> DispatchTensor {
    let size = Backend::float_abs(x.clone());
    let clamped = Backend::float_clamp_max(size.clone(), LARGE.into());
    let square = Backend::float_mul(clamped.clone(), clamped.clone());
    let root = Backend::float_sqrt(Backend::float_add_scalar(square.clone(), 1.0.into()));
    let small = Backend::float_log1p(Backend::float_add(clamped, Backend::float_div(square, Backend::float_add_scalar(root, 1.0.into()))));
    let positive = or_large(small, size, bool_dtype);
    let is_negative = Backend::float_lower_elem(x.clone(), 0.0.into(), bool_dtype);
    let signed = Backend::float_mask_where(positive.clone(), is_negative, Backend::float_neg(positive));
    or_nan(signed, x, bool_dtype)
}

/// `ln(x + √(x² − 1))`, with `t = x − 1` as `ln(1 + t + √(t² + 2t))`; NaN below 1.
pub(super) fn acosh(x: DispatchTensor, bool_dtype: BoolDType) -> DispatchTensor {
    let above_one = Backend::float_sub_scalar(Backend::float_clamp_max(x.clone(), LARGE.into()), 1.0.into());
    let square = Backend::float_mul(above_one.clone(), Backend::float_add_scalar(above_one.clone(), 2.0.into()));
    let small = Backend::float_log1p(Backend::float_add(above_one, Backend::float_sqrt(square)));
    let both = or_large(small, x.clone(), bool_dtype);
    let is_outside = Backend::float_lower_elem(x.clone(), 1.0.into(), bool_dtype);
    or_nan(Backend::float_mask_fill(both, is_outside, f64::NAN.into()), x, bool_dtype)
}

/// `ln(2x)` where `x` is large.
fn or_large(small: DispatchTensor, x: DispatchTensor, bool_dtype: BoolDType) -> DispatchTensor {
    let is_large = Backend::float_greater_elem(x.clone(), LARGE.into(), bool_dtype);
    Backend::float_mask_where(small, is_large, Backend::float_add_scalar(Backend::float_log(x), LN_2.into()))
}

/// NaN where `x` is, which a clamp may have made a number of.
fn or_nan(result: DispatchTensor, x: DispatchTensor, bool_dtype: BoolDType) -> DispatchTensor {
    let is_nan = Backend::float_is_nan(x.clone(), bool_dtype);
    Backend::float_mask_where(result, is_nan, x)
}
