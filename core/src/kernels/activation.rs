//! Activations that a kernel applies to a result while it is still in registers.

use super::simd::{Kernel, Level, Simd};

/// A function of one number, cheap enough to ride along.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Activation {
    #[default]
    Identity,
    /// `min(max(x, low), high)`. Relu is `Clip { low: 0, high: ∞ }`. NaN stays NaN.
    Clip { low: f32, high: f32 },
    /// `x` above 0, `alpha · x` below.
    LeakyRelu { alpha: f32 },
    /// `min(max(alpha · x + beta, 0), 1)`
    HardSigmoid { alpha: f32, beta: f32 },
    /// `x · min(max(x / 6 + ½, 0), 1)`
    HardSwish,
}

impl Activation {
    pub const RELU: Self = Self::Clip { low: 0.0, high: f32::INFINITY };

    /// Applies the function to each element.
    pub fn apply_to(self, elements: &mut [f32]) {
        Level::detected().run(InPlace { activation: self, elements });
    }

    /// # Safety
    /// The processor has the instructions of `S`.
    #[inline(always)]
    pub(super) unsafe fn apply<S: Simd>(self, x: S::Vector) -> S::Vector {
        // SAFETY: as for this function. Where a comparison meets NaN it yields its second operand, which is `x` throughout.
        unsafe {
            match self {
                Self::Identity => x,
                Self::Clip { low, high } => S::smaller(S::splat(high), S::larger(S::splat(low), x)),
                Self::LeakyRelu { alpha } => {
                    let zero = S::splat(0.0);
                    S::multiply_add(S::splat(alpha), S::smaller(zero, x), S::larger(zero, x))
                }
                Self::HardSigmoid { alpha, beta } => hard_sigmoid::<S>(x, alpha, beta),
                Self::HardSwish => S::multiply(x, hard_sigmoid::<S>(x, 1.0 / 6.0, 0.5)),
            }
        }
    }
}

/// # Safety
/// The processor has the instructions of `S`.
#[inline(always)]
unsafe fn hard_sigmoid<S: Simd>(x: S::Vector, alpha: f32, beta: f32) -> S::Vector {
    // SAFETY: as for this function.
    unsafe {
        let line = S::multiply_add(S::splat(alpha), x, S::splat(beta));
        S::smaller(S::splat(1.0), S::larger(S::splat(0.0), line))
    }
}

struct InPlace<'a> {
    activation: Activation,
    elements: &'a mut [f32],
}

impl Kernel for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for chunk in self.elements.chunks_mut(S::LANES) {
            // SAFETY: as for this function; the chunk is a vector or what is left of one.
            unsafe {
                let x = S::load_up_to(chunk.as_ptr(), chunk.len());
                S::store_up_to(chunk.as_mut_ptr(), self.activation.apply::<S>(x), chunk.len());
            }
        }
    }
}
