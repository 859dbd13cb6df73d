//! Recurrent layers: LSTM, GRU and RNN.
//!
//! The product of all inputs with their weights is one matrix product; what is left for each step is the product of the state with the recurrent
//! weights, and the gates. Both directions of a bidirectional layer run side by side.

mod activation;
mod cell;
mod layer;
mod quantized;
#[cfg(test)]
mod tests;
mod weights;

use activation::Activation;
use cell::CellKind;
use layer::{Layout, Sequences};
use quantized::QuantizedWeights;
use rayon::prelude::*;
use weights::{DirectionWeights, WeightInputs};

use super::operator::Outputs;
use super::precision::{cast, compute_type};
use super::types::{TypeSet, check_same_type};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::tensor::{Device, Tensor, Value};

/// GRU: 7, 14 (`layout`), 22 (bfloat16). LSTM: 7, 14, 22. RNN: 7, 14, 22. Opsets 1 and 3 had an attribute `output_sequence` instead of leaving
/// out outputs.
pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "GRU", opsets: OpsetRange::from(7), build: build_gru },
    Registration { domain: "", op_type: "LSTM", opsets: OpsetRange::from(7), build: build_lstm },
    Registration { domain: "", op_type: "RNN", opsets: OpsetRange::from(7), build: |node| Recurrent::build(CellKind::Rnn, node) },
];

fn build_gru(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let linear_before_reset = node.attributes.int("linear_before_reset")?.unwrap_or(0) != 0;
    Recurrent::build(CellKind::Gru { linear_before_reset }, node)
}

fn build_lstm(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let couples_gates = node.attributes.int("input_forget")?.unwrap_or(0) != 0;
    Recurrent::build(CellKind::Lstm { couples_gates }, node)
}

/// DynamicQuantizeLSTM of the domain `com.microsoft`: as LSTM, with W `[directions, features, 4·units]` and R `[directions, units, 4·units]` of 8-bit
/// integers, and after P the scale and zero point of W and of R.
pub(super) fn build_dynamic_quantize_lstm(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let couples_gates = node.attributes.int("input_forget")?.unwrap_or(0) != 0;
    // The weights are no numbers to the layer, so it is not shown them.
    let mut layer = Recurrent::new(CellKind::Lstm { couples_gates }, &NodeContext { constants: &[], ..*node })?;
    layer.quantized_weights = Some(QuantizedWeights::new(node, layer.directions.len())?);
    Ok(Box::new(layer))
}

/// One way through the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Reverse,
}

/// A layer of recurrent cells. Inputs are `X`, `W`, `R`, `B`, `sequence_lens`, `initial_h`, and for LSTM `initial_c` and `P`; outputs the states of
/// all steps and those after the last one.
///
/// <https://onnx.ai/onnx/operators/onnx__LSTM.html>, <https://onnx.ai/onnx/operators/onnx__GRU.html>,
/// <https://onnx.ai/onnx/operators/onnx__RNN.html>
#[derive(Debug)]
struct Recurrent {
    kind: CellKind,
    directions: &'static [Direction],
    /// Those of the first direction, then those of the second.
    activations: Vec<Activation>,
    clip: Option<f32>,
    hidden_size: Option<i64>,
    layout: Layout,
    n_outputs: usize,
    /// Prepared where the model has them as constants: one per direction.
    constant_weights: Option<Vec<DirectionWeights>>,
    /// Of DynamicQuantizeLSTM.
    quantized_weights: Option<QuantizedWeights>,
}

impl Recurrent {
    fn build(kind: CellKind, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self::new(kind, node)?))
    }

    fn new(kind: CellKind, node: &NodeContext<'_>) -> Result<Self, OpError> {
        let attributes = node.attributes;
        let directions: &[Direction] = match attributes.text("direction")?.unwrap_or("forward") {
            "forward" => &[Direction::Forward],
            "reverse" => &[Direction::Reverse],
            "bidirectional" => &[Direction::Forward, Direction::Reverse],
            other => {
                return Err(OpError::value(format!("attribute 'direction' is '{other}'; it may be 'forward', 'reverse' or 'bidirectional'")));
            }
        };
        let clip = attributes.float("clip")?;
        if let Some(clip) = clip.filter(|clip| *clip < 0.0 || clip.is_nan()) {
            return Err(OpError::value(format!("attribute 'clip' is {clip}; it must not be negative")));
        }
        let mut recurrent = Self {
            kind,
            directions,
            activations: Activation::parse_all(attributes, kind.default_activations(), directions.len())?,
            clip,
            hidden_size: attributes.int("hidden_size")?,
            layout: Layout::from_attribute(attributes.int("layout")?.unwrap_or(0))?,
            n_outputs: node.n_outputs,
            constant_weights: None,
            quantized_weights: None,
        };
        let has_peepholes = matches!(kind, CellKind::Lstm { .. }) && node.n_inputs > 7;
        let needed = [Some(1), Some(2), (node.n_inputs > 3).then_some(3), has_peepholes.then_some(7)];
        let constant = |index: Option<usize>| match index {
            None => Some(Ok(None)),
            // An input that is left out cannot be told from one that is computed: both wait for the run.
            Some(index) => node.constants.get(index).copied().flatten().map(|constant| Tensor::from_host(constant).map(Some)),
        };
        if let [Some(input), Some(recurrence), Some(bias), Some(peepholes)] = needed.map(constant)
            && let (Some(input), Some(recurrence)) = (input?, recurrence?)
        {
            let inputs = WeightInputs { input, recurrence, bias: bias?, peepholes: peepholes? };
            recurrent.constant_weights = Some(recurrent.prepare(&inputs)?);
        }
        Ok(recurrent)
    }

    fn prepare(&self, inputs: &WeightInputs) -> Result<Vec<DirectionWeights>, OpError> {
        self.check_size(inputs.prepare(self.kind, self.directions.len())?)
    }

    fn check_size(&self, weights: Vec<DirectionWeights>) -> Result<Vec<DirectionWeights>, OpError> {
        let size = weights.first().map_or(0, |weights| weights.hidden_size);
        match self.hidden_size {
            Some(given) if usize::try_from(given).ok() != Some(size) => {
                Err(OpError::shape(format!("attribute 'hidden_size' is {given}, but R has {size} columns")))
            }
            _ => Ok(weights),
        }
    }

    /// Inputs 4 to 6: lengths and initial states, in host memory and in the type that the layer computes in.
    fn sequences(&self, x: &Tensor, weights: &DirectionWeights, inputs: &mut Inputs) -> Result<Sequences, OpError> {
        let compute = compute_type(x.element_type());
        let lengths = inputs.take_optional_tensor(4, "sequence_lens")?;
        let sequences = Sequences::new(x.shape(), self.layout, self.directions.len(), weights.hidden_size)?;
        if sequences.input_size != weights.input_size {
            return Err(OpError::shape(format!("X has {} features per step, but W has columns for {}", sequences.input_size, weights.input_size)));
        }
        let mut state = |index: usize, name: &'static str| {
            let Some(state) = inputs.take_optional_tensor(index, name)? else { return Ok(None) };
            check_same_type(x, &state)?;
            let expected = sequences.state_shape();
            if state.shape() != expected {
                return Err(OpError::WrongInput { index, name, expected: format!("a tensor of shape {expected:?}"), found: format!("{state:?}") });
            }
            Ok(Some(cast(state.to_device(&Device::Cpu)?, compute)?))
        };
        let hidden = state(5, "initial_h")?;
        let cell = if matches!(self.kind, CellKind::Lstm { .. }) { state(6, "initial_c")? } else { None };
        sequences.with_lengths(lengths)?.with_states(hidden, cell)
    }
}

impl Operator for Recurrent {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((element_type, x)), recurrence) = (inputs.tensor(0), inputs.tensor(2)) else { return Ok(vec![None; self.n_outputs]) };
        let hidden = match (recurrence.and_then(|(_, shape)| shape.dims()), self.hidden_size.map(usize::try_from)) {
            // Quantised weights stand as they enter the product.
            (Some([_, size, _]), _) if self.quantized_weights.is_some() => size.clone(),
            (Some([.., size]), _) => size.clone(),
            (_, Some(Ok(size))) => Dimension::Known(size),
            _ => Dimension::Unknown,
        };
        let (steps, batch) = match x.dims() {
            Some([first, second, _]) if self.layout == Layout::TimeFirst => (first.clone(), second.clone()),
            Some([first, second, _]) => (second.clone(), first.clone()),
            Some(dims) => return Err(OpError::shape(format!("X has rank {}; it should have 3", dims.len()))),
            None => (Dimension::Unknown, Dimension::Unknown),
        };
        let n_directions = Dimension::Known(self.directions.len());
        let (all, last) = match self.layout {
            Layout::TimeFirst => (vec![steps, n_directions.clone(), batch.clone(), hidden.clone()], vec![n_directions, batch, hidden]),
            Layout::BatchFirst => (vec![batch.clone(), steps, n_directions.clone(), hidden.clone()], vec![batch, n_directions, hidden]),
        };
        let typed = |dims: Vec<Dimension>| Some(ValueType::tensor(element_type, dims));
        Ok([typed(all), typed(last.clone()), typed(last)].into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        TypeSet::FLOATS.check(&x, 0, "X")?;
        let computed;
        let weights = match &self.constant_weights {
            Some(weights) => weights,
            None => {
                computed = match &self.quantized_weights {
                    Some(quantized) => self.check_size(quantized.prepare(&mut inputs, self.directions.len())?)?,
                    None => self.prepare(&WeightInputs::take(&mut inputs)?)?,
                };
                &computed
            }
        };
        let Some(first) = weights.first() else { return Err(OpError::shape("a recurrent layer needs a direction")) };
        if first.element_type != x.element_type() {
            return Err(OpError::value(format!("X is {}, but the weights are {}; both must be the same", x.element_type(), first.element_type)));
        }
        let sequences = self.sequences(&x, first, &mut inputs)?;
        context.check_result_size(x.element_type(), &sequences.all_shape())?;
        context.check_result_size(x.element_type(), &[sequences.n_steps, sequences.n_batch, self.kind.n_gates(), first.hidden_size])?;
        let element_type = x.element_type();
        let x = cast(x, compute_type(element_type))?;
        let results = match x.element_type() {
            ElementType::F64 => self.over::<f64>(&x, weights, &sequences),
            _ => self.over::<f32>(&x, weights, &sequences),
        }?;
        results.into_iter().take(self.n_outputs).map(|result| Ok(Value::Tensor(cast(result, element_type)?))).collect()
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let known = |index: usize| inputs.get(index)?.as_ref()?.as_tensor()?.1.as_known();
        let (x, input, recurrence) = (known(0)?, known(1)?, known(2)?);
        let n_rows = x.first()?.checked_mul(*x.get(1)?)?;
        let per_row = |weights: &[usize]| weights.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        u64::try_from(n_rows.checked_mul(per_row(&input)?.checked_add(per_row(&recurrence)?)?)?).ok()
    }
}

impl Recurrent {
    /// All states, the last hidden and the last cell state, in the layer's layout.
    fn over<T: activation::Real>(&self, x: &Tensor, weights: &[DirectionWeights], sequences: &Sequences) -> Result<[Tensor; 3], OpError> {
        let per_direction = self.activations.len() / self.directions.len();
        let runs: Vec<_> = self.directions.iter().zip(weights).zip(self.activations.chunks(per_direction)).enumerate().collect();
        let states = runs.into_par_iter().map(|(index, ((&direction, weights), activations))| {
            let gating = cell::Gating { activations, clip: self.clip.filter(|&clip| clip > 0.0) };
            layer::run::<T>(self.kind, &gating, x, weights, sequences, index, direction)
        });
        sequences.gather(&states.collect::<Result<Vec<_>, _>>()?)
    }
}
