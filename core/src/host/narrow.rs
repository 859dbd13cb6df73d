//! Element types that Rust has no type for: integers of two and four bits, floats of four and eight. In memory each element takes a
//! byte of its own; in files the types below eight bits are packed, the first element in the lowest bits.

use super::{Element, ElementType};

/// An element whose bits stand in the low end of a byte.
pub trait Narrow: Element {
    /// The element with these bits; those beyond its width are ignored.
    fn from_bits(bits: u8) -> Self;

    /// The bits, those beyond its width being 0.
    fn to_bits(self) -> u8;

    fn to_f32(self) -> f32;

    /// The nearest element, ties to even. What is out of range becomes the largest finite element if `saturates`; otherwise a float becomes
    /// infinite, or NaN where its type has no infinity, and an integer keeps its low bits.
    fn from_f32(value: f32, saturates: bool) -> Self;
}

macro_rules! integers {
    ($($name:ident: $bits:literal bits of $storage:ty, $summary:literal;)*) => {$(
        #[doc = $summary]
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(transparent)]
        pub struct $name($storage);

        impl $name {
            pub const MIN: i32 = if <$storage>::MIN == 0 { 0 } else { -(1 << ($bits - 1)) };
            pub const MAX: i32 = Self::MIN + (1 << $bits) - 1;

            /// The element with the low bits of a number.
            pub const fn new(value: i32) -> Self {
                // Shifted up and down again, the sign spreads over the byte.
                Self(((value as u8) << (8 - $bits)) as $storage >> (8 - $bits))
            }

            pub const fn get(self) -> i32 {
                self.0 as i32
            }
        }

        impl Narrow for $name {
            fn from_bits(bits: u8) -> Self {
                Self::new(i32::from(bits))
            }

            fn to_bits(self) -> u8 {
                self.0 as u8 & (u8::MAX >> (8 - $bits))
            }

            fn to_f32(self) -> f32 {
                f32::from(self.0)
            }

            fn from_f32(value: f32, saturates: bool) -> Self {
                let rounded = value.round_ties_even();
                Self::new(if saturates { rounded.clamp(Self::MIN as f32, Self::MAX as f32) as i32 } else { rounded as i32 })
            }
        }
    )*};
}
integers! {
    U2: 2 bits of u8, "An integer from 0 to 3.";
    I2: 2 bits of i8, "An integer from -2 to 1.";
    U4: 4 bits of u8, "An integer from 0 to 15.";
    I4: 4 bits of i8, "An integer from -8 to 7.";
}

/// How a small float uses its codes.
#[derive(Clone, Copy, PartialEq)]
enum Codes {
    /// As IEEE 754: the largest exponent is for infinities and NaN.
    Ieee,
    /// No infinities; NaN is where all bits but the sign are set.
    Finite,
    /// No infinities and no negative zero; NaN stands in the place of negative zero.
    Unsigned0,
    /// Numbers only.
    NumbersOnly,
}

/// A float of sign, exponent and mantissa. See <https://onnx.ai/onnx/technical/float8.html> and <https://onnx.ai/onnx/technical/float4.html>.
struct Format {
    exponent_bits: u32,
    mantissa_bits: u32,
    bias: i32,
    codes: Codes,
}

impl Format {
    const fn sign(&self) -> u8 {
        1 << (self.exponent_bits + self.mantissa_bits)
    }

    /// The code that NaN becomes, without a sign. Where numbers are all there is, it is negative zero, as in ml_dtypes.
    const fn nan(&self) -> u8 {
        match self.codes {
            Codes::Ieee => self.infinity() | 1 << (self.mantissa_bits - 1),
            Codes::Finite => self.sign() - 1,
            Codes::Unsigned0 | Codes::NumbersOnly => self.sign(),
        }
    }

    /// The code of the largest number.
    const fn largest(&self) -> u8 {
        match self.codes {
            Codes::Ieee => self.infinity() - 1,
            Codes::Finite => self.sign() - 2,
            Codes::Unsigned0 | Codes::NumbersOnly => self.sign() - 1,
        }
    }

    /// The code of infinity, in a format that has it.
    const fn infinity(&self) -> u8 {
        ((1 << self.exponent_bits) - 1) << self.mantissa_bits
    }

    fn decode(&self, bits: u8) -> f32 {
        let magnitude = bits & (self.sign() - 1);
        let is_negative = bits & self.sign() != 0;
        let is_nan = match self.codes {
            Codes::Ieee => magnitude > self.infinity(),
            Codes::Finite => magnitude == self.nan(),
            Codes::Unsigned0 => bits == self.nan(),
            Codes::NumbersOnly => false,
        };
        if is_nan {
            return f32::NAN;
        }
        let value = if self.codes == Codes::Ieee && magnitude == self.infinity() { f32::INFINITY } else { self.magnitude(magnitude) };
        if is_negative { -value } else { value }
    }

    fn magnitude(&self, code: u8) -> f32 {
        let mantissa = i32::from(code) & ((1 << self.mantissa_bits) - 1);
        let exponent = i32::from(code) >> self.mantissa_bits;
        let significand = if exponent == 0 { mantissa } else { mantissa + (1 << self.mantissa_bits) };
        significand as f32 * f32::powi(2.0, exponent.max(1) - self.bias - self.mantissa_bits.cast_signed())
    }

    fn encode(&self, value: f32, saturates: bool) -> u8 {
        let sign = if value.is_sign_negative() { self.sign() } else { 0 };
        if value.is_nan() {
            return self.nan() | if matches!(self.codes, Codes::Ieee | Codes::Finite) { sign } else { 0 };
        }
        let code = self.encode_magnitude(f64::from(value.abs())).filter(|&code| code <= self.largest());
        let code = match (code, saturates, self.codes) {
            (Some(code), ..) => code,
            (None, true, _) | (None, _, Codes::NumbersOnly) => self.largest(),
            (None, false, Codes::Ieee) => self.infinity(),
            (None, false, _) => self.nan(),
        };
        if code == 0 && self.codes == Codes::Unsigned0 { 0 } else { code | sign }
    }

    /// The code nearest to a number that is not negative, as if the exponent had no end; `None` far beyond it.
    fn encode_magnitude(&self, value: f64) -> Option<u8> {
        let least = 1 - self.bias;
        // The exponent as IEEE 754 has it: float64 holds every float32 as a normal number.
        let exponent = ((value.to_bits() >> 52) as i32 - 1023).max(least);
        let quantum = f64::powi(2.0, exponent - self.mantissa_bits.cast_signed());
        let significand = (value / quantum).round_ties_even();
        // Rounding up to the next power of two carries into the exponent by itself.
        let code = f64::from((exponent - least) << self.mantissa_bits) + significand;
        (code < 256.0).then_some(code as u8)
    }
}

macro_rules! floats {
    ($($name:ident: $format:expr, $summary:literal;)*) => {$(
        #[doc = $summary]
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(transparent)]
        pub struct $name(u8);

        impl Narrow for $name {
            fn from_bits(bits: u8) -> Self {
                const FORMAT: Format = $format;
                Self(bits & (FORMAT.sign() | (FORMAT.sign() - 1)))
            }

            fn to_bits(self) -> u8 {
                self.0
            }

            fn to_f32(self) -> f32 {
                const FORMAT: Format = $format;
                FORMAT.decode(self.0)
            }

            fn from_f32(value: f32, saturates: bool) -> Self {
                const FORMAT: Format = $format;
                Self(FORMAT.encode(value, saturates))
            }
        }
    )*};
}
floats! {
    F8E4M3Fn: Format { exponent_bits: 4, mantissa_bits: 3, bias: 7, codes: Codes::Finite }, "A float of 4 bits exponent and 3 bits mantissa, up to 448.";
    F8E4M3Fnuz: Format { exponent_bits: 4, mantissa_bits: 3, bias: 8, codes: Codes::Unsigned0 }, "A float of 4 bits exponent and 3 bits mantissa without negative zero, up to 240.";
    F8E5M2: Format { exponent_bits: 5, mantissa_bits: 2, bias: 15, codes: Codes::Ieee }, "A float of 5 bits exponent and 2 bits mantissa, up to 57,344 and infinity.";
    F8E5M2Fnuz: Format { exponent_bits: 5, mantissa_bits: 2, bias: 16, codes: Codes::Unsigned0 }, "A float of 5 bits exponent and 2 bits mantissa without negative zero, up to 57,344.";
    F4E2M1: Format { exponent_bits: 2, mantissa_bits: 1, bias: 1, codes: Codes::NumbersOnly }, "A float of 2 bits exponent and 1 bit mantissa: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives.";
}

/// A power of two from 2⁻¹²⁷ to 2¹²⁷, or NaN: the scale of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct F8E8M0(u8);

impl Narrow for F8E8M0 {
    fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    fn to_bits(self) -> u8 {
        self.0
    }

    fn to_f32(self) -> f32 {
        if self.0 == u8::MAX { f32::NAN } else { f64::powi(2.0, i32::from(self.0) - 127) as f32 }
    }

    /// The nearest power of two, a tie going up. Zero and negative numbers have none.
    fn from_f32(value: f32, saturates: bool) -> Self {
        Self::rounded(value, PowerRounding::Nearest, saturates)
    }
}

/// Which power of two stands for a number between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerRounding {
    Up,
    Down,
    /// A tie goes up.
    Nearest,
}

impl F8E8M0 {
    /// The power of two for a number. What is out of range, as zero and negative numbers are, becomes the smallest or the largest power if
    /// `saturates`, else NaN.
    pub fn rounded(value: f32, rounding: PowerRounding, saturates: bool) -> Self {
        const SMALLEST: f64 = f64::from_bits((1023 - 127) << 52);
        let value = f64::from(value);
        if value.is_nan() || (value < SMALLEST && !saturates) {
            return Self(u8::MAX);
        }
        if value < SMALLEST {
            return Self(0);
        }
        let bits = value.to_bits();
        let goes_up = match rounding {
            PowerRounding::Up => bits << 12 != 0,
            PowerRounding::Down => false,
            PowerRounding::Nearest => bits >> 51 & 1 == 1,
        };
        let exponent = (bits >> 52) as i32 - 1023 + i32::from(goes_up);
        match u8::try_from(exponent + 127) {
            Ok(code) if code < u8::MAX => Self(code),
            _ => Self(if saturates { u8::MAX - 1 } else { u8::MAX }),
        }
    }
}

macro_rules! elements {
    ($($name:ident),*) => {$(
        impl Element for $name {
            const ELEMENT_TYPE: ElementType = ElementType::$name;
        }
    )*};
}
elements!(U2, I2, U4, I4, F8E4M3Fn, F8E4M3Fnuz, F8E5M2, F8E5M2Fnuz, F4E2M1, F8E8M0);

/// The bits of packed elements, a byte for each. A signed integer's sign is spread over its byte.
pub(super) fn unpack(element_type: ElementType, bits: usize, packed: &[u8], n_elements: usize) -> Vec<u8> {
    let per_byte = 8 / bits;
    let spread = 8 - bits;
    let is_signed = matches!(element_type, ElementType::I2 | ElementType::I4);
    let element = |byte: u8, index: usize| {
        let top = byte << (spread - index * bits);
        if is_signed { (top.cast_signed() >> spread).cast_unsigned() } else { top >> spread }
    };
    let mut elements = Vec::with_capacity(packed.len() * per_byte);
    for &byte in packed {
        elements.extend((0..per_byte).map(|index| element(byte, index)));
    }
    elements.truncate(n_elements);
    elements
}

/// The reverse of [`unpack`].
pub(super) fn pack(bits: usize, elements: &[u8]) -> Vec<u8> {
    let mask = u8::MAX >> (8 - bits);
    let byte = |group: &[u8]| group.iter().enumerate().fold(0, |byte, (index, element)| byte | (element & mask) << (index * bits));
    elements.chunks(8 / bits).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostTensor;

    #[test]
    fn small_floats_decode_as_the_specification_tabulates_them() {
        // Values from ml_dtypes 0.5.
        assert_eq!(F8E4M3Fn::from_bits(0x7e).to_f32(), 448.0);
        assert!(F8E4M3Fn::from_bits(0x7f).to_f32().is_nan() && F8E4M3Fn::from_bits(0xff).to_f32().is_nan());
        assert_eq!(F8E4M3Fn::from_bits(0x01).to_f32(), 0.001_953_125);
        assert_eq!(F8E4M3Fn::from_bits(0xb8).to_f32(), -1.0);
        assert_eq!(F8E4M3Fnuz::from_bits(0x7f).to_f32(), 240.0);
        assert!(F8E4M3Fnuz::from_bits(0x80).to_f32().is_nan());
        assert_eq!(F8E5M2::from_bits(0x7b).to_f32(), 57_344.0);
        assert_eq!(F8E5M2::from_bits(0xfc).to_f32(), f32::NEG_INFINITY);
        assert!(F8E5M2::from_bits(0x7d).to_f32().is_nan());
        assert_eq!(F8E5M2Fnuz::from_bits(0x7f).to_f32(), 57_344.0);
        assert_eq!((0..8).map(|bits| F4E2M1::from_bits(bits).to_f32()).collect::<Vec<_>>(), [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]);
        assert_eq!((F8E8M0::from_bits(127).to_f32(), F8E8M0::from_bits(0).to_f32()), (1.0, 5.877_472e-39));
    }

    #[test]
    fn every_number_of_a_small_float_encodes_as_itself() {
        fn check<T: Narrow>(width: u32) {
            for bits in 0..1_u16 << width {
                let element = T::from_bits(bits as u8);
                if !element.to_f32().is_nan() {
                    assert_eq!(T::from_f32(element.to_f32(), false), element, "{bits:#x}");
                }
            }
            assert!(T::from_f32(f32::NAN, true).to_f32().is_nan() || width < 8);
        }
        check::<F8E4M3Fn>(8);
        check::<F8E4M3Fnuz>(8);
        check::<F8E5M2>(8);
        check::<F8E5M2Fnuz>(8);
        check::<F8E8M0>(8);
        check::<F4E2M1>(4);
    }

    #[test]
    fn rounding_is_to_the_nearest_and_ties_to_even() {
        let rounded = |value: f32| F8E4M3Fn::from_f32(value, true).to_f32();
        assert_eq!([1.0625, 1.1875, 1.07, 465.0, 1e9, 0.0009, 0.001].map(rounded), [1.0, 1.25, 1.125, 448.0, 448.0, 0.0, 0.001_953_125]);
        assert!(F8E4M3Fn::from_f32(1e9, false).to_f32().is_nan());
        assert_eq!(F8E4M3Fn::from_f32(463.0, false).to_f32(), 448.0);
        assert_eq!(F8E5M2::from_f32(1e9, false).to_f32(), f32::INFINITY);
        assert_eq!(F8E5M2::from_f32(f32::INFINITY, true).to_f32(), 57_344.0);
        assert_eq!(F8E4M3Fnuz::from_f32(-0.0, true).to_bits(), 0);
        assert_eq!(F4E2M1::from_f32(2.5, true).to_f32(), 2.0);
        assert_eq!(I4::from_f32(7.5, true).get(), 7);
        assert_eq!(U4::from_f32(2.5, true).get(), 2);
        assert_eq!(I4::new(9).get(), -7);
    }

    #[test]
    fn scales_are_rounded_as_asked() {
        use PowerRounding::{Down, Nearest, Up};
        let code = |value: f32, rounding, saturates| F8E8M0::rounded(value, rounding, saturates).to_bits();
        assert_eq!([Up, Down, Nearest].map(|rounding| code(1.25, rounding, true)), [128, 127, 127]);
        assert_eq!([Up, Down, Nearest].map(|rounding| code(1.5, rounding, true)), [128, 127, 128]);
        assert_eq!([Up, Down, Nearest].map(|rounding| code(2.0, rounding, true)), [128, 128, 128]);
        // The specification's table of special values: saturate + up, then non-saturate + nearest.
        assert_eq!([0.0, f32::NAN, f32::INFINITY, f32::MAX, 1e-45].map(|value| code(value, Up, true)), [0, 255, 254, 254, 0]);
        assert_eq!([0.0, f32::NAN, f32::INFINITY, f32::MAX, 1e-45].map(|value| code(value, Nearest, false)), [255; 5]);
    }

    #[test]
    fn elements_below_a_byte_are_packed_from_the_lowest_bits() {
        let elements = [1, -2, 7, -8, 3].map(I4::new);
        let tensor = HostTensor::from_vec(vec![5], &elements).unwrap();
        assert_eq!(tensor.bytes().unwrap().as_ref(), [0xe1, 0x87, 0x03]);
        assert_eq!(tensor.as_slice::<I4>().unwrap().as_ref(), elements);
        let elements = [3, 0, 2, 1, 1].map(U2::new);
        let tensor = HostTensor::from_vec(vec![5], &elements).unwrap();
        assert_eq!(tensor.bytes().unwrap().as_ref(), [0b0110_0011, 1]);
        assert_eq!(tensor.as_slice::<U2>().unwrap().as_ref(), elements);
    }
}
