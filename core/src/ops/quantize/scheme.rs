//! What a number becomes when it is quantised, and which scale belongs to which element.

use std::ops::Range;

use crate::host::Element;
use crate::host::narrow::{F4E2M1, F8E4M3Fn, F8E4M3Fnuz, F8E5M2, F8E5M2Fnuz, I2, I4, Narrow, U2, U4};
use crate::ops::OpError;
use crate::ops::shape::normalize_axis;

/// An element type that numbers are quantised to.
pub trait Quantized: Element {
    /// `value + zero_point` in this type: integers are rounded half to even and saturate, small floats saturate if told so. NaN becomes the smallest
    /// integer, as with the vector instructions that ONNX Runtime uses.
    fn nearest(value: f32, zero_point: f32, saturates: bool) -> Self;

    /// The element as a number. Without loss except for 32-bit integers.
    fn number(self) -> f32;

    /// `self − zero_point`, computed without loss and then rounded to float32.
    fn distance(self, zero_point: Self) -> f32;
}

/// Rounds a number below 2²² in magnitude, half to even: adding 1.5 · 2²³ leaves no bits for fractions. A loop of it vectorises everywhere.
fn round(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits().cast_signed().wrapping_sub(SHIFT.to_bits().cast_signed())
}

/// `value + zero_point` between `lowest` and `highest`, which are at most 16-bit integers as is the zero point.
fn saturate(value: f32, zero_point: f32, lowest: f32, highest: f32) -> i32 {
    // Not `clamp`: this order makes a NaN the lowest.
    round(value.max(lowest - zero_point).min(highest - zero_point)) + zero_point as i32
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Quantized for $t {
            fn nearest(value: f32, zero_point: f32, _saturates: bool) -> Self {
                saturate(value, zero_point, Self::MIN.into(), Self::MAX.into()) as Self
            }
            fn number(self) -> f32 {
                self.into()
            }
            fn distance(self, zero_point: Self) -> f32 {
                (i32::from(self) - i32::from(zero_point)) as f32
            }
        }
    )*};
}
integers!(u8, i8, u16, i16);

macro_rules! small_integers {
    ($($t:ty),*) => {$(
        impl Quantized for $t {
            fn nearest(value: f32, zero_point: f32, _saturates: bool) -> Self {
                Self::new(saturate(value, zero_point, Self::MIN as f32, Self::MAX as f32))
            }
            fn number(self) -> f32 {
                self.to_f32()
            }
            fn distance(self, zero_point: Self) -> f32 {
                (self.get() - zero_point.get()) as f32
            }
        }
    )*};
}
small_integers!(U2, I2, U4, I4);

macro_rules! small_floats {
    ($($t:ty),*) => {$(
        impl Quantized for $t {
            fn nearest(value: f32, zero_point: f32, saturates: bool) -> Self {
                Self::from_f32(value + zero_point, saturates)
            }
            fn number(self) -> f32 {
                self.to_f32()
            }
            fn distance(self, zero_point: Self) -> f32 {
                self.to_f32() - zero_point.to_f32()
            }
        }
    )*};
}
small_floats!(F8E4M3Fn, F8E4M3Fnuz, F8E5M2, F8E5M2Fnuz, F4E2M1);

/// 32-bit integers are sums: they are dequantised, but nothing is quantised to them.
impl Quantized for i32 {
    fn nearest(value: f32, zero_point: f32, _saturates: bool) -> Self {
        (value.round_ties_even() + zero_point) as Self
    }
    fn number(self) -> f32 {
        self as f32
    }
    fn distance(self, zero_point: Self) -> f32 {
        (i64::from(self) - i64::from(zero_point)) as f32
    }
}

/// Runs `$body` with `$t` bound to the Rust type of a quantised element type.
macro_rules! match_quantized {
    ($element_type:expr, $t:ident => $body:expr, else $other:expr) => {{
        use $crate::host::narrow;
        $crate::ops::quantize::scheme::match_quantized!(@ $element_type, $t => $body, else $other;
            U8: u8, I8: i8, U16: u16, I16: i16, I32: i32, U2: narrow::U2, I2: narrow::I2, U4: narrow::U4, I4: narrow::I4,
            F8E4M3Fn: narrow::F8E4M3Fn, F8E4M3Fnuz: narrow::F8E4M3Fnuz, F8E5M2: narrow::F8E5M2, F8E5M2Fnuz: narrow::F8E5M2Fnuz, F4E2M1: narrow::F4E2M1)
    }};
    (@ $element_type:expr, $t:ident => $body:expr, else $other:expr; $($variant:ident: $rust:ty),*) => {
        match $element_type {
            $($crate::host::ElementType::$variant => {
                type $t = $rust;
                $body
            })*
            _ => $other,
        }
    };
}

pub(in crate::ops) use match_quantized;

/// Which elements share a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// All of them.
    Tensor,
    /// Those at one place of an axis of `dim` elements, behind which a row of `inner` elements stands.
    Axis { dim: usize, inner: usize },
    /// As many neighbours along the axis as a block has; the last block may be shorter.
    Blocks { dim: usize, inner: usize, block: usize },
}

impl Granularity {
    /// How scales of a shape belong to elements of a shape. `axis` counts only where there are several scales, `block_size` only where they have as
    /// many axes as the elements.
    pub fn new(shape: &[usize], scales: &[usize], axis: i64, block_size: usize) -> Result<Self, OpError> {
        let n_scales: usize = scales.iter().product();
        if scales.is_empty() || (scales.len() == 1 && n_scales == 1) {
            return Ok(Self::Tensor);
        }
        let axis = normalize_axis(axis, shape.len())?;
        let (dim, inner) = (shape[axis], shape[axis + 1..].iter().product());
        if scales.len() == 1 {
            if n_scales != dim {
                return Err(OpError::shape(format!("there are {n_scales} scales, but axis {axis} of the shape {shape:?} has {dim} elements")));
            }
            return Ok(Self::Axis { dim, inner });
        }
        if block_size == 0 {
            return Err(OpError::value(format!("scales of shape {scales:?} are for blocks, but attribute 'block_size' is 0")));
        }
        let mut expected = shape.to_vec();
        expected[axis] = dim.div_ceil(block_size);
        if scales != expected {
            return Err(OpError::shape(format!(
                "the scales have shape {scales:?}, but blocks of {block_size} along axis {axis} of the shape {shape:?} need {expected:?}"
            )));
        }
        Ok(Self::Blocks { dim, inner, block: block_size })
    }

    /// Calls `visit` for the elements in order, a run at a time: the elements, the scale of the first of them, and how many scales further the next
    /// element's is (0 or 1).
    pub fn for_each_run(self, n_elements: usize, mut visit: impl FnMut(Range<usize>, usize, usize)) {
        if n_elements == 0 {
            return;
        }
        match self {
            Self::Tensor => visit(0..n_elements, 0, 0),
            Self::Axis { dim, inner: 1 } => (0..n_elements / dim).for_each(|outer| visit(outer * dim..(outer + 1) * dim, 0, 1)),
            Self::Axis { dim, inner } => (0..n_elements / inner).for_each(|row| visit(row * inner..(row + 1) * inner, row % dim, 0)),
            Self::Blocks { dim, inner: 1, block } => {
                for (outer, first) in (0..n_elements).step_by(dim).enumerate() {
                    for (index, start) in (0..dim).step_by(block).enumerate() {
                        visit(first + start..first + (start + block).min(dim), outer * dim.div_ceil(block) + index, 0);
                    }
                }
            }
            Self::Blocks { dim, inner, block } => {
                for row in 0..n_elements / inner {
                    let (outer, place) = (row / dim, row % dim);
                    visit(row * inner..(row + 1) * inner, (outer * dim.div_ceil(block) + place / block) * inner, 1);
                }
            }
        }
    }
}
