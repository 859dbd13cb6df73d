//! Functions of one number that need an exponential, over slices of float32: vectors of rten-vecmath, on several threads where there is enough to do.

use rayon::prelude::*;
use rten_simd::SimdUnaryOp;
use rten_vecmath::{ApproxGelu, Elu, Erf, Exp, Gelu, Sigmoid, Tanh};

/// A function with a vector form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unary {
    Exp,
    Erf,
    Elu {
        alpha: f32,
    },
    Gelu,
    /// Gelu as tanh approximates it.
    GeluTanh,
    Sigmoid,
    Tanh,
}

/// Elements that a thread takes at a time: they stay in its first-level cache.
const CHUNK: usize = 1 << 13;

impl Unary {
    /// Applies the function to each element.
    pub fn apply_to(self, elements: &mut [f32]) {
        match self {
            Self::Exp => apply(&Exp {}, elements),
            Self::Erf => apply(&Erf {}, elements),
            Self::Elu { alpha } => apply(&Elu { alpha }, elements),
            Self::Gelu => apply(&Gelu {}, elements),
            Self::GeluTanh => apply(&ApproxGelu {}, elements),
            Self::Sigmoid => apply(&Sigmoid {}, elements),
            Self::Tanh => apply(&Tanh {}, elements),
        }
    }
}

fn apply(function: &(impl SimdUnaryOp<f32> + Sync), elements: &mut [f32]) {
    if elements.len() < 2 * CHUNK {
        function.map_mut(elements);
    } else {
        elements.par_chunks_mut(CHUNK).for_each(|chunk| function.map_mut(chunk));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(function: Unary, x: f32) -> f32 {
        // In the middle of a vector, and at its end.
        let mut elements = [0.5; 37];
        (elements[3], elements[36]) = (x, x);
        function.apply_to(&mut elements);
        assert_eq!(elements[3].to_bits(), elements[36].to_bits(), "{function:?} of {x}");
        elements[3]
    }

    #[test]
    fn functions_follow_their_definitions() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        for step in -400..=400 {
            let x = f64::from(step) / 20.0;
            let gate = (0.797_884_560_802_865_4 * (x + 0.044_715 * x.powi(3))).tanh();
            let cases = [
                (Unary::Exp, x.exp()),
                (Unary::Elu { alpha: 0.5 }, if x > 0.0 { x } else { 0.5 * x.exp_m1() }),
                (Unary::GeluTanh, 0.5 * x * (1.0 + gate)),
                (Unary::Sigmoid, sigmoid(x)),
                (Unary::Tanh, x.tanh()),
            ];
            for (function, expected) in cases {
                let found = f64::from(value(function, x as f32));
                assert!((found - expected).abs() <= 1e-6 + 2e-6 * expected.abs(), "{function:?} of {x}: {found} instead of {expected}");
            }
        }
        // From a table of the error function.
        for (x, erf) in [(0.0, 0.0), (0.1, 0.112_463), (0.5, 0.520_5), (1.0, 0.842_700_8), (2.0, 0.995_322_3), (3.5, 0.999_999_3)] {
            for sign in [1.0, -1.0] {
                assert!((value(Unary::Erf, sign * x) - sign * erf).abs() < 1e-6, "erf of {x}");
                let scaled = sign * x * std::f32::consts::SQRT_2;
                let gelu = 0.5 * scaled * (1.0 + sign * erf);
                assert!((value(Unary::Gelu, scaled) - gelu).abs() < 2e-6, "Gelu of {scaled}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_line_have_their_limits() {
        let functions = [Unary::Exp, Unary::Erf, Unary::Elu { alpha: 1.0 }, Unary::Gelu, Unary::GeluTanh, Unary::Sigmoid, Unary::Tanh];
        for function in functions {
            assert!(value(function, f32::NAN).is_nan(), "{function:?} of NaN");
        }
        let infinite = functions.map(|function| value(function, f32::INFINITY));
        assert_eq!(infinite, [f32::INFINITY, 1.0, f32::INFINITY, f32::INFINITY, f32::INFINITY, 1.0, 1.0]);
        let far = functions.map(|function| value(function, -200.0));
        assert_eq!(far.map(|value| value + 0.0), [0.0, -1.0, -1.0, 0.0, 0.0, 0.0, -1.0]);
    }

    #[test]
    fn long_slices_are_shared_among_threads() {
        let mut elements: Vec<f32> = (0..50_000).map(|at| (at % 100) as f32 / 10.0).collect();
        Unary::Tanh.apply_to(&mut elements);
        assert!(elements.iter().enumerate().all(|(at, &found)| (found - ((at % 100) as f32 / 10.0).tanh()).abs() < 1e-6));
    }
}
