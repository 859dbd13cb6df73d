//! MelWeightMatrix: overlapping triangles, evenly spaced as people hear, over the bins of a spectrum.

use super::{element_type_attribute, one_integer};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::integers::Integers;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::unknown_dims;
use crate::ops::types::{Number, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// The result is `[⌊dft_length / 2⌋ + 1, num_mel_bins]`. Edges are put on whole bins, as the specification's function does:
/// `⌊(dft_length + 1) · f / sample_rate⌋` with `mel(f) = 2595 · log₁₀(1 + f / 700)`.
///
/// <https://onnx.ai/onnx/operators/onnx__MelWeightMatrix.html>, opset 17.
#[derive(Debug)]
struct MelWeightMatrix {
    element_type: ElementType,
    n_mel_bins: Integers,
    dft_length: Integers,
    sample_rate: Integers,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(MelWeightMatrix {
        element_type: element_type_attribute(node)?,
        n_mel_bins: Integers::from_input(node, 0, "num_mel_bins")?,
        dft_length: Integers::from_input(node, 1, "dft_length")?,
        sample_rate: Integers::from_input(node, 2, "sample_rate")?,
    }))
}

/// The bins at which the triangles begin, peak and end: `n_mel_bins + 2` of them, evenly spaced in mel.
fn edges(n_mel_bins: usize, dft_length: usize, sample_rate: usize, low_hertz: f64, high_hertz: f64) -> Vec<usize> {
    let to_mel = |hertz: f64| 2595.0 * (hertz / 700.0).ln_1p() / std::f64::consts::LN_10;
    let (low, high) = (to_mel(low_hertz), to_mel(high_hertz));
    let n_edges = n_mel_bins + 2;
    let step = (high - low) / n_edges as f64;
    let edge = |index: usize| {
        let hertz = 700.0 * ((low + index as f64 * step) / 2595.0 * std::f64::consts::LN_10).exp_m1();
        ((dft_length as f64 + 1.0) * hertz / sample_rate as f64).floor()
    };
    // Frequencies and rates are positive and finite; what lies past every bin is caught by its user.
    (0..n_edges).map(|index| edge(index) as usize).collect()
}

/// Row-major weights. Every edge but the last is a bin of the spectrum; the last may be one past it.
fn weights(edges: &[usize], n_bins: usize, n_mel_bins: usize) -> Vec<f64> {
    let mut weights = vec![0.0; n_bins * n_mel_bins];
    for (mel_bin, triangle) in edges.windows(3).enumerate() {
        let &[low, center, high] = triangle else { continue };
        let mut set = |bin: usize, weight: f64| weights[bin * n_mel_bins + mel_bin] = weight;
        if low == center {
            set(center, 1.0);
        } else {
            (low..=center).for_each(|bin| set(bin, (bin - low) as f64 / (center - low) as f64));
        }
        (center..high).for_each(|bin| set(bin, (high - bin) as f64 / (high - center) as f64));
    }
    weights
}

impl Operator for MelWeightMatrix {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let one = |integers: &Integers| match integers.inferred(inputs).flatten().as_deref() {
            Some(&[value]) => usize::try_from(value).ok(),
            _ => None,
        };
        let shape = match (one(&self.dft_length), one(&self.n_mel_bins)) {
            (Some(length), Some(n_mel_bins)) => [length / 2 + 1, n_mel_bins].as_slice().into(),
            _ => unknown_dims(2),
        };
        Ok(vec![Some(ValueType::tensor(self.element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let mut integer = |integers: &Integers, index: usize, name: &'static str| {
            let value = one_integer(&integers.require(&mut inputs, index, name)?, index, name)?;
            let positive = usize::try_from(value).ok().filter(|&value| value > 0);
            positive.ok_or_else(|| OpError::value(format!("input {index} ({name}) is {value}; it must be at least 1")))
        };
        let n_mel_bins = integer(&self.n_mel_bins, 0, "num_mel_bins")?;
        let dft_length = integer(&self.dft_length, 1, "dft_length")?;
        let sample_rate = integer(&self.sample_rate, 2, "sample_rate")?;
        let mut hertz = |index: usize, name: &'static str| {
            let tensor = inputs.take_tensor(index, name)?;
            match tensor.to_f32s()?.as_slice() {
                &[value] if value >= 0.0 && value.is_finite() => Ok(f64::from(value)),
                _ => Err(OpError::WrongInput { index, name, expected: "one frequency, not negative".to_owned(), found: format!("{tensor:?}") }),
            }
        };
        let (low, high) = (hertz(3, "lower_edge_hertz")?, hertz(4, "upper_edge_hertz")?);
        if low > high {
            return Err(OpError::value(format!("the lower edge of {low} Hz is above the upper edge of {high} Hz")));
        }
        let n_bins = dft_length / 2 + 1;
        context.check_result_size(self.element_type, &[n_bins, n_mel_bins])?;
        let edges = edges(n_mel_bins, dft_length, sample_rate, low, high);
        // The last triangle's peak is a bin; its end may be one past the last.
        if let [.., peak, end] = edges.as_slice()
            && (*peak >= n_bins || *end > n_bins)
        {
            return Err(OpError::value(format!(
                "the upper edge of {high} Hz lies beyond the spectrum of {n_bins} bins at {sample_rate} samples per second"
            )));
        }
        let weights = weights(&edges, n_bins, n_mel_bins);
        match_number!(self.element_type, T => {
            Ok(single(Tensor::from_vec(&[n_bins, n_mel_bins], weights.into_iter().map(T::from_f64).collect())?))
        }, else Err(OpError::unsupported(format!("a mel weight matrix of {}", self.element_type))))
    }
}
