//! Vectors of float32, as wide as the processor has them: AVX-512, AVX2 with FMA, or arrays that the compiler makes the best of.
//!
//! A kernel is written once over [`Simd`] and run through [`Level::run`], inside which every operation becomes one instruction.

use std::sync::OnceLock;

/// Work to be done with vectors. `run` and everything that it calls must be `#[inline(always)]`, so that it is compiled for the processor's features.
pub trait Kernel {
    type Output;

    /// # Safety
    /// The processor has the instructions of `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// What the processor offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Level {
    /// The best of this processor that the environment variable `DRYDOCK_INSTRUCTIONS` (`portable`, `avx2` or `avx512`) allows.
    pub fn detected() -> Self {
        static DETECTED: OnceLock<Level> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let limit = std::env::var("DRYDOCK_INSTRUCTIONS");
            let is_allowed = |level: &Self| match limit.as_deref() {
                Ok("portable") => *level == Self::Portable,
                Ok("avx2") => level.lanes() <= 8,
                _ => true,
            };
            Self::available().find(is_allowed).unwrap_or(Self::Portable)
        })
    }

    /// Every level that this processor can run, the best first.
    pub fn available() -> impl Iterator<Item = Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw") {
                levels.push(Self::Avx512);
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
            }
        }
        levels.push(Self::Portable);
        levels.into_iter()
    }

    /// Elements of a vector.
    pub fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::Avx512::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::Avx2::LANES,
            Self::Portable => Portable::LANES,
        }
    }

    /// Runs a kernel with the vectors of this level.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: levels other than the portable one come from `available`, which has asked the processor.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => x86::run_avx512(kernel),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => x86::run_avx2(kernel),
                Self::Portable => kernel.run::<Portable>(),
            }
        }
    }
}

/// Operations on vectors of float32.
///
/// # Safety
/// Each function needs the processor to have the instructions of the implementation; those that take a pointer read or write `LANES` elements
/// there (`n` for the partial ones), aligned or not.
pub trait Simd: Copy {
    const LANES: usize;
    /// Rows of a product that a tile of two vectors' width computes at a time: as many as the registers hold.
    const TILE_ROWS: usize;
    type Vector: Copy;

    unsafe fn splat(value: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(to: *mut f32, value: Self::Vector);
    /// `a · b + c`
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn subtract(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn multiply(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger; `b` where either is NaN.
    unsafe fn larger(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The smaller; `b` where either is NaN.
    unsafe fn smaller(a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// The larger; NaN where either is NaN.
    unsafe fn larger_or_nan(a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// The first `n < LANES` elements from memory, and zeros.
    #[inline(always)]
    unsafe fn load_partial(from: *const f32, n: usize) -> Self::Vector {
        debug_assert!(n < Self::LANES);
        let mut whole = [0.0_f32; 16];
        // SAFETY: `n` elements are there to be read, and a vector is no longer than the buffer.
        unsafe {
            std::ptr::copy_nonoverlapping(from, whole.as_mut_ptr(), n);
            Self::load(whole.as_ptr())
        }
    }

    /// Writes the first `n < LANES` elements.
    #[inline(always)]
    unsafe fn store_partial(to: *mut f32, value: Self::Vector, n: usize) {
        debug_assert!(n < Self::LANES);
        let mut whole = [0.0_f32; 16];
        // SAFETY: there is room for `n` elements, and a vector is no longer than the buffer.
        unsafe {
            Self::store(whole.as_mut_ptr(), value);
            std::ptr::copy_nonoverlapping(whole.as_ptr(), to, n);
        }
    }

    /// As many of the next elements as there are, at most a vector: `n` may be any number above 0.
    #[inline(always)]
    unsafe fn load_up_to(from: *const f32, n: usize) -> Self::Vector {
        // SAFETY: as for this function.
        unsafe { if n >= Self::LANES { Self::load(from) } else { Self::load_partial(from, n) } }
    }

    /// Writes a vector, or its first `n` elements if that is less.
    #[inline(always)]
    unsafe fn store_up_to(to: *mut f32, value: Self::Vector, n: usize) {
        // SAFETY: as for this function.
        unsafe {
            if n >= Self::LANES {
                Self::store(to, value);
            } else {
                Self::store_partial(to, value, n);
            }
        }
    }
}

/// Eight numbers at a time, in whatever registers there are.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

impl Simd for Portable {
    const LANES: usize = 8;
    const TILE_ROWS: usize = 4;
    type Vector = [f32; 8];

    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; 8] {
        [value; 8]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 8] {
        // SAFETY: as the trait says.
        unsafe { from.cast::<[f32; 8]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: [f32; 8]) {
        // SAFETY: as the trait says.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(value) }
    }

    #[inline(always)]
    unsafe fn multiply_add(a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        // Rounded twice where the target has no fused instruction: calling a library for one would cost far more.
        std::array::from_fn(|lane| if cfg!(target_arch = "aarch64") { a[lane].mul_add(b[lane], c[lane]) } else { a[lane] * b[lane] + c[lane] })
    }

    #[inline(always)]
    unsafe fn add(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    unsafe fn subtract(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    unsafe fn multiply(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    unsafe fn larger(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    unsafe fn smaller(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| if a[lane] < b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    unsafe fn larger_or_nan(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| if a[lane] > b[lane] || a[lane].is_nan() { a[lane] } else { b[lane] })
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _CMP_UNORD_Q, _mm256_add_ps, _mm256_blendv_ps, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps,
        _mm256_mul_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_loadu_ps,
        _mm512_mask_mov_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_set1_ps,
        _mm512_storeu_ps, _mm512_sub_ps,
    };

    use super::{Kernel, Simd};

    /// # Safety
    /// The processor has AVX-512F.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: as for this function.
        unsafe { kernel.run::<Avx512>() }
    }

    /// # Safety
    /// The processor has AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: as for this function.
        unsafe { kernel.run::<Avx2>() }
    }

    #[derive(Debug, Clone, Copy)]
    pub struct Avx512;

    #[derive(Debug, Clone, Copy)]
    pub struct Avx2;

    /// The operations that are one instruction on both.
    macro_rules! instructions {
        ($vector:ty, $splat:ident, $load:ident, $store:ident, $fmadd:ident, $add:ident, $sub:ident, $mul:ident, $max:ident, $min:ident) => {
            type Vector = $vector;

            #[inline(always)]
            unsafe fn splat(value: f32) -> $vector {
                // SAFETY: as the trait says; so below.
                unsafe { $splat(value) }
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> $vector {
                // SAFETY: as the trait says.
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn store(to: *mut f32, value: $vector) {
                // SAFETY: as the trait says.
                unsafe { $store(to, value) }
            }

            #[inline(always)]
            unsafe fn multiply_add(a: $vector, b: $vector, c: $vector) -> $vector {
                // SAFETY: as the trait says.
                unsafe { $fmadd(a, b, c) }
            }

            #[inline(always)]
            unsafe fn add(a: $vector, b: $vector) -> $vector {
                // SAFETY: as the trait says.
                unsafe { $add(a, b) }
            }

            #[inline(always)]
            unsafe fn subtract(a: $vector, b: $vector) -> $vector {
                // SAFETY: as the trait says.
                unsafe { $sub(a, b) }
            }

            #[inline(always)]
            unsafe fn multiply(a: $vector, b: $vector) -> $vector {
                // SAFETY: as the trait says.
                unsafe { $mul(a, b) }
            }

            #[inline(always)]
            unsafe fn larger(a: $vector, b: $vector) -> $vector {
                // SAFETY: as the trait says.
                unsafe { $max(a, b) }
            }

            #[inline(always)]
            unsafe fn smaller(a: $vector, b: $vector) -> $vector {
                // SAFETY: as the trait says.
                unsafe { $min(a, b) }
            }
        };
    }

    impl Simd for Avx512 {
        const LANES: usize = 16;
        const TILE_ROWS: usize = 12;
        instructions!(
            __m512,
            _mm512_set1_ps,
            _mm512_loadu_ps,
            _mm512_storeu_ps,
            _mm512_fmadd_ps,
            _mm512_add_ps,
            _mm512_sub_ps,
            _mm512_mul_ps,
            _mm512_max_ps,
            _mm512_min_ps
        );

        #[inline(always)]
        unsafe fn larger_or_nan(a: __m512, b: __m512) -> __m512 {
            // SAFETY: as the trait says. The maximum is `b` where either is NaN; where that is `a`, it is put back.
            unsafe { _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a) }
        }

        #[inline(always)]
        unsafe fn load_partial(from: *const f32, n: usize) -> __m512 {
            debug_assert!(n < 16);
            // SAFETY: the mask lets only the first `n` elements be read.
            unsafe { _mm512_maskz_loadu_ps((1 << n) - 1, from) }
        }

        #[inline(always)]
        unsafe fn store_partial(to: *mut f32, value: __m512, n: usize) {
            debug_assert!(n < 16);
            // SAFETY: the mask lets only the first `n` elements be written.
            unsafe { _mm512_mask_storeu_ps(to, (1 << n) - 1, value) }
        }
    }

    impl Simd for Avx2 {
        const LANES: usize = 8;
        const TILE_ROWS: usize = 6;
        instructions!(
            __m256,
            _mm256_set1_ps,
            _mm256_loadu_ps,
            _mm256_storeu_ps,
            _mm256_fmadd_ps,
            _mm256_add_ps,
            _mm256_sub_ps,
            _mm256_mul_ps,
            _mm256_max_ps,
            _mm256_min_ps
        );

        #[inline(always)]
        unsafe fn larger_or_nan(a: __m256, b: __m256) -> __m256 {
            // SAFETY: as the trait says. The maximum is `b` where either is NaN; where that is `a`, it is put back.
            unsafe { _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)) }
        }
    }
}
