//! How each axis of a resized tensor lies over the original: which elements it reads, and with what weights.

use super::OpError;
use crate::ops::shape::normalize_axis;

/// Attribute `mode`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    Nearest(Nearest),
    Linear,
    /// Keys' cubic kernel with its coefficient `a`.
    Cubic(f64),
}

/// Attribute `nearest_mode`: which of two neighbours is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
    /// Before opset 11: the left one when an axis grows, the right one when it shrinks.
    LeftUnlessShrinking,
}

/// Attribute `coordinate_transformation_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    /// Opsets 11 and 12.
    TfHalfPixelForNn,
    TfCropAndResize,
}

/// Attribute `keep_aspect_ratio_policy`: what sizes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AspectRatio {
    Stretch,
    NotLarger,
    NotSmaller,
}

/// What is asked of one axis. Coordinates are computed in float32, as ONNX Runtime does it: a fraction of exactly one half decides between neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    pub input: usize,
    pub output: usize,
    pub scale: f32,
    /// The length of the resized axis before it was rounded down to `output`.
    pub length: f32,
    /// The part of the input that is resized, from 0 to 1.
    pub region: (f32, f32),
}

/// What the inputs ask for.
pub enum Request<'a> {
    Scales(&'a [f32]),
    Sizes(&'a [i64], AspectRatio),
}

/// Lengths beyond this are refused before they are multiplied.
const LONGEST: f64 = (1_u64 << 48) as f64;

impl Target {
    fn unchanged(input: usize) -> Self {
        Self { input, output: input, scale: 1.0, length: input as f32, region: (0.0, 1.0) }
    }

    fn scaled(input: usize, scale: f32) -> Result<Self, OpError> {
        let length = scale * input as f32;
        if !(scale > 0.0 && scale.is_finite() && f64::from(length) < LONGEST) {
            return Err(OpError::value(format!("an axis of {input} elements cannot be scaled by {scale}")));
        }
        Ok(Self { output: length.floor() as usize, scale, length, ..Self::unchanged(input) })
    }

    fn sized(input: usize, size: usize) -> Self {
        Self { output: size, scale: size as f32 / input as f32, length: size as f32, ..Self::unchanged(input) }
    }

    /// One target per axis of a tensor of this shape. `axes` are those that the request and the region are about; absent = all of them.
    pub fn of_axes(shape: &[usize], axes: Option<&[i64]>, request: &Request<'_>, region: Option<&[f32]>) -> Result<Vec<Self>, OpError> {
        let axes: Vec<usize> = match axes {
            Some(axes) => axes.iter().map(|&axis| normalize_axis(axis, shape.len())).collect::<Result<_, _>>()?,
            None => (0..shape.len()).collect(),
        };
        if let Some(position) = (1..axes.len()).find(|&position| axes[..position].contains(&axes[position])) {
            return Err(OpError::shape(format!("axis {} is given twice", axes[position])));
        }
        let (name, n_entries) = match request {
            Request::Scales(scales) => ("scales", scales.len()),
            Request::Sizes(sizes, _) => ("sizes", sizes.len()),
        };
        if n_entries != axes.len() {
            return Err(OpError::shape(format!("input '{name}' should have one entry for each of {} axes, but has {n_entries}", axes.len())));
        }
        let mut targets: Vec<Self> = shape.iter().map(|&dim| Self::unchanged(dim)).collect();
        match request {
            Request::Scales(scales) => {
                for (&axis, &scale) in axes.iter().zip(*scales) {
                    targets[axis] = Self::scaled(shape[axis], scale)?;
                }
            }
            Request::Sizes(sizes, policy) => {
                for (&axis, target) in axes.iter().zip(sized(shape, &axes, sizes, *policy)?) {
                    targets[axis] = target;
                }
            }
        }
        if let Some(region) = region {
            if region.len() != 2 * axes.len() || region.iter().any(|bound| !bound.is_finite()) {
                return Err(OpError::shape(format!(
                    "input 'roi' should have a finite start and end for each of {} axes, but is {region:?}",
                    axes.len()
                )));
            }
            for (position, &axis) in axes.iter().enumerate() {
                targets[axis].region = (region[position], region[position + axes.len()]);
            }
        }
        Ok(targets)
    }

    /// The place in the original axis that an element of the resized one shows.
    fn original(&self, at: usize, coordinates: Coordinates) -> f32 {
        let (at, last, scale) = (at as f32, self.input as f32 - 1.0, self.scale);
        match coordinates {
            Coordinates::HalfPixel => (at + 0.5) / scale - 0.5,
            Coordinates::HalfPixelSymmetric => {
                let offset = self.input as f32 / 2.0 * (1.0 - self.output as f32 / self.length);
                offset + (at + 0.5) / scale - 0.5
            }
            Coordinates::PytorchHalfPixel if self.output > 1 => (at + 0.5) / scale - 0.5,
            Coordinates::AlignCorners if self.output > 1 => at * last / (self.length - 1.0),
            Coordinates::PytorchHalfPixel | Coordinates::AlignCorners => 0.0,
            Coordinates::Asymmetric => at / scale,
            Coordinates::TfHalfPixelForNn => (at + 0.5) / scale,
            Coordinates::TfCropAndResize => {
                let (start, end) = self.region;
                if self.output > 1 { start * last + at * (end - start) * last / (self.length - 1.0) } else { 0.5 * (start + end) * last }
            }
        }
    }
}

fn sized(shape: &[usize], axes: &[usize], sizes: &[i64], policy: AspectRatio) -> Result<Vec<Target>, OpError> {
    let sizes = crate::ops::shape::to_shape(sizes)?;
    let pairs = || axes.iter().map(|&axis| shape[axis]).zip(sizes.iter().copied());
    if policy == AspectRatio::Stretch {
        return Ok(pairs().map(|(input, size)| Target::sized(input, size)).collect());
    }
    let ratios = pairs().map(|(input, size)| size as f64 / input as f64);
    let scale = if policy == AspectRatio::NotLarger { ratios.fold(f64::INFINITY, f64::min) } else { ratios.fold(0.0, f64::max) };
    let target = |(input, _)| {
        let length = (scale * input as f64 + 0.5).floor();
        if length.is_nan() || length >= LONGEST {
            return Err(OpError::value(format!("an axis of {input} elements cannot be scaled by {scale}")));
        }
        Ok(Target { scale: scale as f32, ..Target::sized(input, length as usize) })
    };
    pairs().map(target).collect()
}

/// An axis worked out: the elements of the original that each element of the resized axis is a weighted sum of.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisPlan {
    pub input: usize,
    pub output: usize,
    /// Per element of the resized axis.
    pub n_taps: usize,
    /// `[output, n_taps]`, all within the input.
    pub indices: Vec<usize>,
    /// `[output, n_taps]`; each row sums to 1.
    pub weights: Vec<f64>,
    /// Elements that show what lies outside the input; empty = none.
    pub outside: Vec<bool>,
}

/// How a resize blends neighbours.
#[derive(Debug, Clone, Copy)]
pub struct Blend {
    pub mode: Mode,
    pub coordinates: Coordinates,
    pub antialias: bool,
    /// Neighbours outside the input count for nothing, rather than as the element at the edge.
    pub exclude_outside: bool,
}

impl AxisPlan {
    /// The input has at least one element.
    pub fn new(target: &Target, blend: &Blend) -> Self {
        let mut plan = Self { input: target.input, output: target.output, n_taps: 1, indices: Vec::new(), weights: Vec::new(), outside: Vec::new() };
        let last = target.input as f32 - 1.0;
        let originals: Vec<f32> = (0..target.output).map(|at| target.original(at, blend.coordinates)).collect();
        if blend.coordinates == Coordinates::TfCropAndResize {
            let outside: Vec<bool> = originals.iter().map(|original| !(0.0..=last).contains(original)).collect();
            if outside.contains(&true) {
                plan.outside = outside;
            }
        }
        match blend.mode {
            Mode::Nearest(nearest) => {
                plan.indices = originals.iter().map(|&original| clamp(nearest.pick(original, target.scale), target.input)).collect();
                plan.weights = vec![1.0; plan.output];
            }
            Mode::Linear if !blend.antialias => plan.linear(&originals, last),
            Mode::Linear => plan.filtered(&originals, target.scale, 1.0, triangle, blend.exclude_outside),
            Mode::Cubic(a) if !blend.antialias => plan.filtered(&originals, 1.0, 2.0, |x| keys(x, a), blend.exclude_outside),
            Mode::Cubic(a) => plan.filtered(&originals, target.scale, 2.0, |x| keys(x, a), blend.exclude_outside),
        }
        plan
    }

    fn linear(&mut self, originals: &[f32], last: f32) {
        self.n_taps = 2;
        for &original in originals {
            let original = if original.is_nan() { 0.0 } else { original.clamp(0.0, last) };
            let left = clamp(original.floor(), self.input);
            let fraction = f64::from(original) - left as f64;
            self.indices.extend([left, (left + 1).min(self.input - 1)]);
            self.weights.extend([1.0 - fraction, fraction]);
        }
    }

    /// A kernel of the given reach, stretched where the axis shrinks.
    fn filtered(&mut self, originals: &[f32], scale: f32, reach: f64, kernel: impl Fn(f64) -> f64, exclude_outside: bool) {
        let scale = f64::from(scale.min(1.0));
        let last = self.input as i64 - 1;
        // What the stretched kernel covers; beyond the edges there is nothing but more of them.
        let support = (reach / scale).min(LONGEST);
        let taps_of = |original: f64| {
            let first = (original - support).floor() as i64 + 1;
            (first, (original + support).ceil() as i64 - 1)
        };
        let rows: Vec<Vec<(usize, f64)>> = originals
            .iter()
            .map(|&original| {
                let original = f64::from(original).clamp(-LONGEST, LONGEST);
                let (first, end) = taps_of(original);
                let mut row: Vec<(usize, f64)> = Vec::new();
                for tap in first..=end {
                    let weight = kernel((tap as f64 - original) * scale);
                    if exclude_outside && !(0..=last).contains(&tap) {
                        continue;
                    }
                    let index = tap.clamp(0, last) as usize;
                    match row.last_mut() {
                        Some((previous, sum)) if *previous == index => *sum += weight,
                        _ => row.push((index, weight)),
                    }
                }
                normalize(&mut row);
                row
            })
            .collect();
        self.n_taps = rows.iter().map(Vec::len).max().unwrap_or(1).max(1);
        for row in &rows {
            // Shorter rows repeat an element that they read anyway, with no weight.
            let filler = row.first().map_or(0, |(index, _)| *index);
            let padded = row.iter().copied().chain(std::iter::repeat((filler, 0.0))).take(self.n_taps);
            for (index, weight) in padded {
                self.indices.push(index);
                self.weights.push(weight);
            }
        }
    }

    /// Whether the resized axis is the original one.
    pub fn is_identity(&self) -> bool {
        let is_own = |(at, taps): (usize, (&[usize], &[f64]))| {
            taps.0.iter().zip(taps.1).all(|(&index, &weight)| weight == if index == at { 1.0 } else { 0.0 })
        };
        self.input == self.output
            && self.outside.is_empty()
            && self.indices.chunks(self.n_taps).zip(self.weights.chunks(self.n_taps)).enumerate().all(is_own)
    }
}

fn normalize(row: &mut [(usize, f64)]) {
    let sum: f64 = row.iter().map(|(_, weight)| weight).sum();
    if sum != 0.0 {
        for (_, weight) in row {
            *weight /= sum;
        }
    }
}

/// The element at a place, or the nearest one at an edge.
fn clamp(place: f32, n_elements: usize) -> usize {
    // The cast saturates, and turns NaN into 0.
    (place as usize).min(n_elements - 1)
}

impl Nearest {
    fn pick(self, original: f32, scale: f32) -> f32 {
        match self {
            Self::RoundPreferFloor if original == original.trunc() + 0.5 => original.floor(),
            Self::RoundPreferFloor | Self::RoundPreferCeil => original.round(),
            Self::Floor => original.floor(),
            Self::Ceil => original.ceil(),
            Self::LeftUnlessShrinking if scale < 1.0 => original.ceil(),
            Self::LeftUnlessShrinking => original.trunc(),
        }
    }
}

/// The linear interpolation kernel.
fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// R. Keys, "Cubic convolution interpolation for digital image processing" (1981), equation 4.
fn keys(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}
