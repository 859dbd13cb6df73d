//! Reading `[spatial…]` at places between its elements: which elements a place is a weighted sum of.

use crate::ops::types::Number;

/// How neighbours are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Nearest,
    Linear,
    /// Keys' cubic kernel with a = -0.75.
    Cubic,
}

/// What lies beyond the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    Zeros,
    /// The element at the edge.
    Border,
    /// The tensor again, mirrored at its first and last elements.
    ReflectElements,
    /// The tensor again, mirrored half an element beyond them.
    ReflectEdges,
}

/// At most this many neighbours on one axis.
const MOST_TAPS: usize = 4;

/// Neighbours of a place on one axis: their positions (`None` = zero) and weights.
#[derive(Clone, Copy)]
struct AxisTaps {
    n_taps: usize,
    positions: [Option<usize>; MOST_TAPS],
    weights: [f64; MOST_TAPS],
}

impl Beyond {
    fn limits(self, dim: usize) -> (f64, f64) {
        let last = dim as f64 - 1.0;
        if self == Self::ReflectElements { (0.0, last) } else { (-0.5, last + 0.5) }
    }

    /// A place moved into the axis, as far as that is this rule's way.
    fn bring_in(self, place: f64, dim: usize) -> f64 {
        match self {
            Self::Zeros => place,
            Self::Border => place.clamp(0.0, dim as f64 - 1.0),
            Self::ReflectElements | Self::ReflectEdges => {
                let (first, last) = self.limits(dim);
                reflect(place, first, last)
            }
        }
    }

    /// The element at a whole place.
    fn element(self, place: f64, dim: usize) -> Option<usize> {
        let last = dim as f64 - 1.0;
        let place = match self {
            Self::Zeros => place,
            _ => self.bring_in(place, dim).clamp(0.0, last),
        };
        // NaN is not among them.
        (0.0..=last).contains(&place).then_some(place as usize)
    }
}

/// Mirrors a place at both limits until it lies between them.
fn reflect(place: f64, first: f64, last: f64) -> f64 {
    let length = last - first;
    if (first..=last).contains(&place) || length <= 0.0 || !place.is_finite() {
        return if place.is_finite() && length <= 0.0 { first } else { place };
    }
    let phase = (place - first).rem_euclid(2.0 * length);
    if phase <= length { first + phase } else { last - (phase - length) }
}

impl AxisTaps {
    fn new(place: f64, dim: usize, filter: Filter, beyond: Beyond) -> Self {
        if filter == Filter::Nearest {
            let place = beyond.bring_in(place.round_ties_even(), dim);
            let place = if place.is_nan() && beyond != Beyond::Zeros { 0.0 } else { place };
            return Self { n_taps: 1, positions: [beyond.element(place.trunc(), dim), None, None, None], weights: [1.0, 0.0, 0.0, 0.0] };
        }
        // As in ONNX Runtime, cubic curves run on over the edge among copies of the element there.
        let place = if (filter, beyond) == (Filter::Cubic, Beyond::Border) { place } else { beyond.bring_in(place, dim) };
        let left = place.floor();
        let fraction = place - left;
        let element = |offset: f64| beyond.element(left + offset, dim);
        if filter == Filter::Linear {
            let weights = [1.0 - fraction, fraction, 0.0, 0.0];
            return Self { n_taps: 2, positions: [element(0.0), element(1.0), None, None], weights };
        }
        let weights = [cubic(1.0 + fraction), cubic(fraction), cubic(1.0 - fraction), cubic(2.0 - fraction)];
        Self { n_taps: 4, positions: [element(-1.0), element(0.0), element(1.0), element(2.0)], weights }
    }
}

/// R. Keys, "Cubic convolution interpolation for digital image processing" (1981), equation 4, for 0 <= x <= 2.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.75;
    if x <= 1.0 { ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0 } else { ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A }
}

/// The weighted sums that many places stand for, each over the same number of elements.
pub struct Samples<T> {
    n_taps: usize,
    /// `[places, n_taps]`; beside an element that is not there stands weight 0.
    elements: Vec<Option<usize>>,
    weights: Vec<T>,
}

impl<T: Number> Samples<T> {
    /// For places in `[spatial…]`, `dims.len()` coordinates each.
    pub fn new(places: &[f64], dims: &[usize], filter: Filter, beyond: Beyond) -> Self {
        let per_axis: usize = match filter {
            Filter::Nearest => 1,
            Filter::Linear => 2,
            Filter::Cubic => 4,
        };
        let n_taps = dims.iter().fold(1, |product, _| product * per_axis);
        let n_places = places.len() / dims.len();
        let mut samples = Self { n_taps, elements: Vec::with_capacity(n_places * n_taps), weights: Vec::with_capacity(n_places * n_taps) };
        for place in places.chunks_exact(dims.len()) {
            samples.push(place, dims, filter, beyond);
        }
        samples
    }

    /// The product of the taps of all axes, the last one varying fastest.
    fn push(&mut self, place: &[f64], dims: &[usize], filter: Filter, beyond: Beyond) {
        let start = self.elements.len();
        self.elements.push(Some(0));
        self.weights.push(T::ONE);
        for (&place, &dim) in place.iter().zip(dims) {
            let taps = AxisTaps::new(place, dim, filter, beyond);
            let (elements, weights) = (self.elements.split_off(start), self.weights.split_off(start));
            for (element, weight) in elements.into_iter().zip(weights) {
                for (&position, &tap_weight) in taps.positions.iter().zip(&taps.weights).take(taps.n_taps) {
                    self.elements.push(element.zip(position).map(|(element, position)| element * dim + position));
                    self.weights.push(weight.times(T::from_f64(tap_weight)));
                }
            }
        }
    }

    /// Reads one channel at all places.
    pub fn read(&self, channel: &[T], result: &mut [T]) {
        let taps = self.elements.chunks_exact(self.n_taps).zip(self.weights.chunks_exact(self.n_taps));
        for (result, (elements, weights)) in result.iter_mut().zip(taps) {
            *result = elements.iter().zip(weights).fold(T::ZERO, |sum, (&element, &weight)| match element {
                Some(element) => sum.plus(channel[element].times(weight)),
                None => sum,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflection_comes_back_from_any_distance() {
        for (place, expected) in [(-1.0, 1.0), (4.0, 2.0), (7.0, 1.0), (-5.0, 1.0), (3.0, 3.0), (1e300, 1e300_f64.rem_euclid(6.0))] {
            let reflected = reflect(place, 0.0, 3.0);
            assert!((0.0..=3.0).contains(&reflected));
            assert!(place > 1e9 || reflected == expected, "{place} became {reflected}");
        }
        assert_eq!(reflect(-0.75, -0.5, 3.5), -0.25);
        assert_eq!(reflect(7.0, 0.0, 0.0), 0.0);
        assert!(reflect(f64::NAN, 0.0, 3.0).is_nan());
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        let read = |place: f64, filter, beyond| {
            let mut result = [0.0_f64];
            Samples::new(&[place], &[3], filter, beyond).read(&[f64::INFINITY, 2.0, 4.0], &mut result);
            result[0]
        };
        assert_eq!(read(2.5, Filter::Linear, Beyond::Zeros), 2.0);
        assert_eq!(read(2.5, Filter::Linear, Beyond::Border), 4.0);
        assert_eq!(read(9.0, Filter::Linear, Beyond::Zeros), 0.0);
        assert_eq!(read(f64::NAN, Filter::Nearest, Beyond::Zeros), 0.0);
        assert_eq!(read(1e300, Filter::Nearest, Beyond::Border), 4.0);
        assert_eq!(read(1.5, Filter::Nearest, Beyond::Zeros), 4.0);
    }
}
