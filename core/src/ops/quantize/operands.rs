//! The operands of quantised operators: bytes, zero points, scales, and the way from exact sums back to quantised numbers.

use std::borrow::Cow;

use super::scheme::Quantized;
use crate::host::ElementType;
use crate::kernels::integer_product::Left;
use crate::ops::{Inputs, OpError};
use crate::tensor::Tensor;

/// The elements of a tensor of int8 or uint8.
pub struct EightBits<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub is_signed: bool,
}

impl<'a> EightBits<'a> {
    pub fn new(tensor: &'a Tensor, index: usize, name: &'static str) -> Result<Self, OpError> {
        match tensor.element_type() {
            ElementType::U8 => Ok(Self { bytes: tensor.as_slice::<u8>()?, is_signed: false }),
            ElementType::I8 => {
                let bytes = match tensor.as_slice::<i8>()? {
                    Cow::Borrowed(values) => Cow::Borrowed(bytemuck::cast_slice(values)),
                    Cow::Owned(values) => Cow::Owned(bytemuck::cast_vec(values)),
                };
                Ok(Self { bytes, is_signed: true })
            }
            _ => Err(OpError::WrongInput { index, name, expected: "a tensor of int8 or uint8".to_owned(), found: format!("{tensor:?}") }),
        }
    }

    /// As the left side of a product.
    pub fn left(&self) -> Left<'_> {
        Left { bytes: &self.bytes, is_signed: self.is_signed }
    }
}

/// Zero points as numbers; 0 where they are left out. `like` is the element type of what they belong to.
pub fn zero_points(tensor: Option<&Tensor>, like: ElementType, index: usize, name: &'static str) -> Result<Vec<i32>, OpError> {
    let Some(tensor) = tensor else { return Ok(vec![0]) };
    if tensor.element_type() != like {
        return Err(OpError::WrongInput { index, name, expected: format!("a tensor of {like}"), found: format!("{tensor:?}") });
    }
    let bytes = EightBits::new(tensor, index, name)?;
    Ok(bytes.bytes.iter().map(|&byte| if bytes.is_signed { byte.cast_signed().into() } else { byte.into() }).collect())
}

/// Refuses a list that holds neither one number nor one for each of `count` things.
pub fn check_count(length: usize, count: usize, index: usize, name: &'static str, what: &str) -> Result<(), OpError> {
    if length == 1 || length == count {
        return Ok(());
    }
    let expected = format!("one number, or one for each of the {count} {what}");
    Err(OpError::WrongInput { index, name, expected, found: format!("{length} numbers") })
}

/// Takes the only number of an input out: a scale.
pub fn take_scale(inputs: &mut Inputs, index: usize, name: &'static str) -> Result<f32, OpError> {
    scale(&inputs.take_tensor(index, name)?, index, name)
}

fn scale(tensor: &Tensor, index: usize, name: &'static str) -> Result<f32, OpError> {
    match scales(tensor, index, name)?.as_slice() {
        &[scale] => Ok(scale),
        _ => Err(OpError::WrongInput { index, name, expected: "one number".to_owned(), found: format!("{tensor:?}") }),
    }
}

/// Scales as float32.
pub fn scales(tensor: &Tensor, index: usize, name: &'static str) -> Result<Vec<f32>, OpError> {
    if tensor.element_type().is_float() {
        return Ok(tensor.to_f32s()?);
    }
    Err(OpError::WrongInput { index, name, expected: "floating-point numbers".to_owned(), found: format!("{tensor:?}") })
}

/// A tensor of int8 or uint8 with one scale and one zero point for all of it.
pub struct Uniform {
    pub tensor: Tensor,
    pub scale: f32,
    pub zero_point: i32,
}

impl Uniform {
    /// Takes a tensor, its scale and its zero point (which may be left out) from three inputs in a row.
    pub fn take(inputs: &mut Inputs, index: usize, names: [&'static str; 3]) -> Result<Self, OpError> {
        Self::take_from(inputs, [index, index + 1, index + 2], names)
    }

    /// As [`Self::take`], from inputs that are apart.
    pub fn take_from(inputs: &mut Inputs, indices: [usize; 3], names: [&'static str; 3]) -> Result<Self, OpError> {
        let tensor = inputs.take_tensor(indices[0], names[0])?;
        EightBits::new(&tensor, indices[0], names[0])?;
        let scale = take_scale(inputs, indices[1], names[1])?;
        let zero_point = inputs.take_optional_tensor(indices[2], names[2])?;
        let zero_point = one(&zero_points(zero_point.as_ref(), tensor.element_type(), indices[2], names[2])?, indices[2], names[2])?;
        Ok(Self { tensor, scale, zero_point })
    }

    /// The number behind each of the 256 bytes.
    pub fn table(&self) -> [f32; 256] {
        let is_signed = self.tensor.element_type() == ElementType::I8;
        std::array::from_fn(|byte| {
            let byte = byte as u8;
            let value = if is_signed { i32::from(byte.cast_signed()) } else { i32::from(byte) };
            (value - self.zero_point) as f32 * self.scale
        })
    }

    /// The numbers behind the elements.
    pub fn dequantized(&self) -> Result<Vec<f32>, OpError> {
        let table = self.table();
        Ok(EightBits::new(&self.tensor, 0, "X")?.bytes.iter().map(|&byte| table[usize::from(byte)]).collect())
    }
}

/// The only number of a list.
pub fn one(numbers: &[i32], index: usize, name: &'static str) -> Result<i32, OpError> {
    match numbers {
        &[number] => Ok(number),
        _ => Err(OpError::WrongInput { index, name, expected: "one number".to_owned(), found: format!("{} numbers", numbers.len()) }),
    }
}

/// How results are quantised: the type, one scale and one zero point.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub element_type: ElementType,
    pub scale: f32,
    pub zero_point: i32,
}

impl Target {
    /// Takes scale and zero point from two inputs in a row. Without a zero point, the type is `default`.
    pub fn take(inputs: &mut Inputs, index: usize, names: [&'static str; 2], default: ElementType) -> Result<Self, OpError> {
        let (scale, zero_point) = (inputs.take_tensor(index, names[0])?, inputs.take_optional_tensor(index + 1, names[1])?);
        Self::new(&scale, zero_point.as_ref(), index, names, default)
    }

    /// As [`Self::take`], of the two inputs themselves.
    pub fn new(scale: &Tensor, zero_point: Option<&Tensor>, index: usize, names: [&'static str; 2], default: ElementType) -> Result<Self, OpError> {
        let scale = self::scale(scale, index, names[0])?;
        let element_type = zero_point.map_or(default, Tensor::element_type);
        let zero_point = one(&zero_points(zero_point, element_type, index + 1, names[1])?, index + 1, names[1])?;
        Ok(Self { element_type, scale, zero_point })
    }

    /// A number in steps of the scale as a byte of the target's type.
    pub fn nearest(&self, steps: f32) -> u8 {
        match self.element_type {
            ElementType::I8 => i8::nearest(steps, self.zero_point as f32, true).cast_unsigned(),
            _ => u8::nearest(steps, self.zero_point as f32, true),
        }
    }

    /// A number as a byte of the target's type.
    pub fn quantize(&self, value: f32) -> u8 {
        self.nearest(value / self.scale)
    }

    /// A tensor of bytes made by [`Self::nearest`].
    pub fn tensor(&self, shape: &[usize], bytes: Vec<u8>) -> Result<Tensor, OpError> {
        Ok(match self.element_type {
            ElementType::I8 => Tensor::from_vec(shape, bytemuck::cast_vec::<u8, i8>(bytes))?,
            _ => Tensor::from_vec(shape, bytes)?,
        })
    }
}

/// Exact sums to quantised numbers: `steps = sum · factor`, a factor for all columns or one for each.
pub fn requantize(target: Target, sums: &[i32], factors: &[f32], results: &mut [u8]) {
    fn convert<T: Quantized>(target: Target, sums: &[i32], factors: &[f32], results: &mut [u8], to_byte: impl Fn(T) -> u8) {
        let zero_point = target.zero_point as f32;
        let nearest = |sum: i32, factor: f32| to_byte(T::nearest(sum as f32 * factor, zero_point, true));
        if let &[factor] = factors {
            for (result, &sum) in results.iter_mut().zip(sums) {
                *result = nearest(sum, factor);
            }
        } else {
            for ((result, &sum), &factor) in results.iter_mut().zip(sums).zip(factors) {
                *result = nearest(sum, factor);
            }
        }
    }
    match target.element_type {
        ElementType::I8 => convert::<i8>(target, sums, factors, results, i8::cast_unsigned),
        _ => convert::<u8>(target, sums, factors, results, |byte| byte),
    }
}
