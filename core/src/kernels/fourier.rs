//! Fast Fourier transforms of any length over slices.
//!
//! A length is split into small prime factors, as Cooley and Tukey do it (<https://doi.org/10.1090/S0025-5718-1965-0178586-1>): the transforms of the
//! parts are put together by butterflies. A length with a large prime factor becomes a convolution of a power of two, as Bluestein does it
//! (<https://doi.org/10.1109/TAU.1970.1162132>).

use std::f64::consts::TAU;
use std::ops::{Add, Mul, Neg, Sub};

/// A number type of transforms.
pub trait Real: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self> + Into<f64> + Send + Sync + 'static {
    const ZERO: Self;
    fn from_f64(value: f64) -> Self;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    fn from_f64(value: f64) -> Self {
        value as Self
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    fn from_f64(value: f64) -> Self {
        value
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex<T> {
    pub re: T,
    pub im: T,
}

impl<T: Real> Complex<T> {
    pub const ZERO: Self = Self { re: T::ZERO, im: T::ZERO };

    pub fn conjugate(self) -> Self {
        Self { re: self.re, im: -self.im }
    }

    /// `e^(−2πi · turns)`
    fn from_turns(turns: f64) -> Self {
        let (sin, cos) = (-TAU * turns).sin_cos();
        Self { re: T::from_f64(cos), im: T::from_f64(sin) }
    }

    /// A quarter turn backwards: times `−i`.
    fn turned(self) -> Self {
        Self { re: self.im, im: -self.re }
    }
}

impl<T: Real> Add for Complex<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl<T: Real> Sub for Complex<T> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl<T: Real> Mul for Complex<T> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

/// Butterflies of larger primes would cost more than a convolution.
const MAX_FACTOR: usize = 13;

/// A prepared transform of one length: `X[k] = Σ x[n] · e^(−2πi·kn/length)`.
#[derive(Debug)]
pub struct Transform<T> {
    length: usize,
    method: Method<T>,
}

#[derive(Debug)]
enum Method<T> {
    /// The factors of the length, outermost first, and `e^(−2πi·k/length)` for every k.
    Factors {
        factors: Vec<usize>,
        roots: Vec<Complex<T>>,
    },
    Convolution(Box<Convolution>),
}

impl<T: Real> Transform<T> {
    pub fn new(length: usize) -> Self {
        let method = match factors(length) {
            Some(factors) => {
                let roots = (0..length).map(|k| Complex::from_turns(k as f64 / length as f64)).collect();
                Method::Factors { factors, roots }
            }
            None => Method::Convolution(Box::new(Convolution::new(length))),
        };
        Self { length, method }
    }

    pub fn length(&self) -> usize {
        self.length
    }

    /// Replaces `lane`, of the transform's length, by its spectrum. `scratch` is resized as needed.
    pub fn run(&self, lane: &mut [Complex<T>], scratch: &mut Vec<Complex<T>>) {
        assert_eq!(lane.len(), self.length, "a lane must have the length of its transform");
        match &self.method {
            Method::Factors { factors, roots } => {
                scratch.clear();
                scratch.extend_from_slice(lane);
                transform(scratch, 1, lane, factors, roots);
            }
            Method::Convolution(convolution) => convolution.run(lane),
        }
    }
}

/// The factors of a length, fours first; `None` where one is too large for a butterfly.
fn factors(length: usize) -> Option<Vec<usize>> {
    let mut factors = Vec::new();
    let mut rest = length;
    for factor in [4].into_iter().chain(2..=MAX_FACTOR) {
        while rest > 1 && rest.is_multiple_of(factor) {
            factors.push(factor);
            rest /= factor;
        }
    }
    (rest <= 1).then_some(factors)
}

/// The transform of every `stride`-th element of `from`, as many as `to` takes.
fn transform<T: Real>(from: &[Complex<T>], stride: usize, to: &mut [Complex<T>], factors: &[usize], roots: &[Complex<T>]) {
    let Some((&factor, inner)) = factors.split_first() else {
        to[0] = from[0];
        return;
    };
    let n_inner = to.len() / factor;
    for (part, to) in to.chunks_exact_mut(n_inner).enumerate() {
        transform(&from[part * stride..], stride * factor, to, inner, roots);
    }
    match factor {
        2 => butterfly_2(to, n_inner, stride, roots),
        4 => butterfly_4(to, n_inner, stride, roots),
        _ => butterfly(to, factor, stride, roots),
    }
}

fn butterfly_2<T: Real>(values: &mut [Complex<T>], n_inner: usize, stride: usize, roots: &[Complex<T>]) {
    let (first, second) = values.split_at_mut(n_inner);
    for (index, (a, b)) in first.iter_mut().zip(second).enumerate() {
        let turned = *b * roots[index * stride];
        (*a, *b) = (*a + turned, *a - turned);
    }
}

fn butterfly_4<T: Real>(values: &mut [Complex<T>], n_inner: usize, stride: usize, roots: &[Complex<T>]) {
    let (first, rest) = values.split_at_mut(n_inner);
    let (second, rest) = rest.split_at_mut(n_inner);
    let (third, fourth) = rest.split_at_mut(n_inner);
    for (index, (((a, b), c), d)) in first.iter_mut().zip(second).zip(third).zip(fourth).enumerate() {
        let at = index * stride;
        let (t1, t2, t3) = (*b * roots[at], *c * roots[2 * at], *d * roots[3 * at]);
        let (even, odd) = (*a + t2, *a - t2);
        let (sum, difference) = (t1 + t3, (t1 - t3).turned());
        (*a, *b, *c, *d) = (even + sum, odd + difference, even - sum, odd - difference);
    }
}

fn butterfly<T: Real>(values: &mut [Complex<T>], factor: usize, stride: usize, roots: &[Complex<T>]) {
    let n_inner = values.len() / factor;
    let mut parts = [Complex::ZERO; MAX_FACTOR];
    let parts = &mut parts[..factor];
    for index in 0..n_inner {
        for (part, value) in parts.iter_mut().enumerate() {
            *value = values[index + part * n_inner];
        }
        for turn in 0..factor {
            let place = index + turn * n_inner;
            let mut sum = parts[0];
            let mut root = 0;
            for &part in &parts[1..] {
                root = (root + place * stride) % roots.len();
                sum = sum + part * roots[root];
            }
            values[place] = sum;
        }
    }
}

/// A transform as a convolution with a chirp: `kn = (k² + n² − (k − n)²) / 2`. In float64: the detour costs digits.
#[derive(Debug)]
struct Convolution {
    /// `e^(−πi·n²/length)`
    chirp: Vec<Complex<f64>>,
    /// The spectrum of the chirp's conjugate, over its length.
    filter: Vec<Complex<f64>>,
    /// Of a power of two, long enough that nothing wraps around.
    inner: Transform<f64>,
}

impl Convolution {
    fn new(length: usize) -> Self {
        // n² is taken modulo twice the length, where the chirp repeats, so that large n lose no digits.
        let period = 2 * length as u128;
        let turns = |n: usize| ((n as u128 * n as u128) % period) as f64 / period as f64;
        let chirp: Vec<Complex<f64>> = (0..length).map(|n| Complex::from_turns(turns(n))).collect();
        let inner = Transform::new((2 * length - 1).next_power_of_two());
        let mut filter = vec![Complex::ZERO; inner.length];
        for (n, value) in chirp.iter().enumerate() {
            filter[n] = value.conjugate();
            filter[(inner.length - n) % inner.length] = value.conjugate();
        }
        inner.run(&mut filter, &mut Vec::new());
        let scale = 1.0 / inner.length as f64;
        for value in &mut filter {
            *value = Complex { re: value.re * scale, im: value.im * scale };
        }
        Self { chirp, filter, inner }
    }

    fn run<T: Real>(&self, lane: &mut [Complex<T>]) {
        let mut product = vec![Complex::ZERO; self.inner.length];
        let mut scratch = Vec::new();
        for ((product, &value), &chirp) in product.iter_mut().zip(&*lane).zip(&self.chirp) {
            *product = Complex { re: value.re.into(), im: value.im.into() } * chirp;
        }
        self.inner.run(&mut product, &mut scratch);
        // The inverse transform is the conjugate of the transform of the conjugate.
        for (value, &filter) in product.iter_mut().zip(&self.filter) {
            *value = (*value * filter).conjugate();
        }
        self.inner.run(&mut product, &mut scratch);
        for ((value, &product), &chirp) in lane.iter_mut().zip(&product).zip(&self.chirp) {
            let result = product.conjugate() * chirp;
            *value = Complex { re: T::from_f64(result.re), im: T::from_f64(result.im) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, term by term.
    fn by_definition(lane: &[Complex<f64>]) -> Vec<Complex<f64>> {
        let length = lane.len();
        let term = |k: usize, n: usize| lane[n] * Complex::from_turns((k * n % length) as f64 / length as f64);
        (0..length).map(|k| (0..length).map(|n| term(k, n)).fold(Complex::ZERO, |sum, term| sum + term)).collect()
    }

    #[test]
    fn every_length_agrees_with_the_definition() {
        // Powers, products of small primes, primes that have a butterfly and primes that have none.
        for length in (1..=64).chain([97, 100, 128, 240, 243, 251, 343, 400, 512, 1009]) {
            let lane: Vec<Complex<f64>> = (0..length).map(|n| Complex { re: (n * 7 % 11) as f64 - 5.0, im: (n * n % 13) as f64 - 6.0 }).collect();
            let expected = by_definition(&lane);
            let (mut actual, mut scratch) = (lane.clone(), Vec::new());
            Transform::new(length).run(&mut actual, &mut scratch);
            for (k, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
                let difference = *actual - *expected;
                assert!(
                    difference.re.abs() + difference.im.abs() < 1e-9 * length as f64,
                    "length {length}, element {k}: {actual:?} against {expected:?}"
                );
            }
        }
    }
}
