//! A layer's way through its sequences, in one direction.

use burn::backend::ops::FloatTensorOps as _;

use super::Direction;
use super::activation::Real;
use super::cell::{CellKind, Gating};
use super::weights::{DirectionWeights, Matrix};
use crate::ops::OpError;
use crate::tensor::{Backend, Tensor};

/// The order of axes of inputs, states and outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// X is `[steps, batch, features]`, Y `[steps, directions, batch, units]`, states are `[directions, batch, units]`.
    TimeFirst,
    /// X is `[batch, steps, features]`, Y `[batch, steps, directions, units]`, states are `[batch, directions, units]`.
    BatchFirst,
}

impl Layout {
    pub fn from_attribute(layout: i64) -> Result<Self, OpError> {
        match layout {
            0 => Ok(Self::TimeFirst),
            1 => Ok(Self::BatchFirst),
            other => Err(OpError::value(format!("attribute 'layout' is {other}; it may be 0 or 1"))),
        }
    }
}

/// The sequences of a batch: sizes, lengths and the states that they start from.
#[derive(Debug)]
pub struct Sequences {
    layout: Layout,
    pub n_steps: usize,
    pub n_batch: usize,
    pub input_size: usize,
    n_directions: usize,
    hidden_size: usize,
    /// Steps of each sequence; `None`: all of them.
    lengths: Option<Vec<usize>>,
    initial_hidden: Option<Tensor>,
    initial_cell: Option<Tensor>,
}

impl Sequences {
    pub fn new(x: &[usize], layout: Layout, n_directions: usize, hidden_size: usize) -> Result<Self, OpError> {
        let (n_steps, n_batch, input_size) = match (x, layout) {
            (&[n_steps, n_batch, input_size], Layout::TimeFirst) | (&[n_batch, n_steps, input_size], Layout::BatchFirst) => {
                (n_steps, n_batch, input_size)
            }
            _ => return Err(OpError::shape(format!("X has shape {x:?}; it should have 3 axes, steps, batch and features"))),
        };
        Ok(Self { layout, n_steps, n_batch, input_size, n_directions, hidden_size, lengths: None, initial_hidden: None, initial_cell: None })
    }

    pub fn with_lengths(self, lengths: Option<Tensor>) -> Result<Self, OpError> {
        let Some(lengths) = lengths else { return Ok(self) };
        let (index, name) = (4, "sequence_lens");
        if lengths.shape() != [self.n_batch] || !lengths.element_type().is_int() {
            return Err(OpError::WrongInput {
                index,
                name,
                expected: format!("{} integers, one per sequence", self.n_batch),
                found: format!("{lengths:?}"),
            });
        }
        let within = |length: i64| {
            let fitting = usize::try_from(length).ok().filter(|&length| length <= self.n_steps);
            fitting.ok_or_else(|| OpError::value(format!("sequence_lens has a length of {length}; X has {} steps", self.n_steps)))
        };
        let lengths = lengths.to_i64s()?.into_iter().map(within).collect::<Result<_, _>>()?;
        Ok(Self { lengths: Some(lengths), ..self })
    }

    /// The states have [`Self::state_shape`].
    pub fn with_states(self, hidden: Option<Tensor>, cell: Option<Tensor>) -> Result<Self, OpError> {
        Ok(Self { initial_hidden: hidden, initial_cell: cell, ..self })
    }

    /// The shape of the states of all steps.
    pub fn all_shape(&self) -> [usize; 4] {
        match self.layout {
            Layout::TimeFirst => [self.n_steps, self.n_directions, self.n_batch, self.hidden_size],
            Layout::BatchFirst => [self.n_batch, self.n_steps, self.n_directions, self.hidden_size],
        }
    }

    /// The shape of the states of one step.
    pub fn state_shape(&self) -> [usize; 3] {
        match self.layout {
            Layout::TimeFirst => [self.n_directions, self.n_batch, self.hidden_size],
            Layout::BatchFirst => [self.n_batch, self.n_directions, self.hidden_size],
        }
    }

    /// Where the features of a step lie among the rows of X.
    fn input_row(&self, step: usize, example: usize) -> usize {
        match self.layout {
            Layout::TimeFirst => step * self.n_batch + example,
            Layout::BatchFirst => example * self.n_steps + step,
        }
    }

    /// Where a state lies among the rows of a tensor of [`Self::state_shape`].
    fn state_row(&self, direction: usize, example: usize) -> usize {
        match self.layout {
            Layout::TimeFirst => direction * self.n_batch + example,
            Layout::BatchFirst => example * self.n_directions + direction,
        }
    }

    /// Where a state lies among the rows of a tensor of [`Self::all_shape`].
    fn output_row(&self, direction: usize, step: usize, example: usize) -> usize {
        match self.layout {
            Layout::TimeFirst => (step * self.n_directions + direction) * self.n_batch + example,
            Layout::BatchFirst => (example * self.n_steps + step) * self.n_directions + direction,
        }
    }

    /// The initial state of one direction as `[batch, units]`: zeros where there is none.
    fn initial<T: Real>(&self, state: Option<&Tensor>, direction: usize) -> Result<Vec<T>, OpError> {
        let size = self.hidden_size;
        let Some(state) = state else { return Ok(vec![T::ZERO; self.n_batch * size]) };
        let state = state.as_slice::<T>()?;
        Ok((0..self.n_batch).flat_map(|example| &state[self.state_row(direction, example) * size..][..size]).copied().collect())
    }

    fn is_over(&self, example: usize, step: usize) -> bool {
        self.lengths.as_ref().is_some_and(|lengths| step >= lengths[example])
    }

    /// Lays the states of the directions together: all steps, last hidden, last cell.
    pub fn gather<T: Real>(&self, directions: &[States<T>]) -> Result<[Tensor; 3], OpError> {
        let size = self.hidden_size;
        let mut all = vec![T::ZERO; self.all_shape().iter().product()];
        let mut hidden = vec![T::ZERO; self.state_shape().iter().product()];
        let mut cell = hidden.clone();
        for (direction, states) in directions.iter().enumerate() {
            for example in 0..self.n_batch {
                for step in 0..self.n_steps {
                    let row = self.output_row(direction, step, example);
                    all[row * size..][..size].copy_from_slice(&states.all[(step * self.n_batch + example) * size..][..size]);
                }
                let row = self.state_row(direction, example);
                hidden[row * size..][..size].copy_from_slice(&states.hidden[example * size..][..size]);
                cell[row * size..][..size].copy_from_slice(&states.cell[example * size..][..size]);
            }
        }
        Ok([Tensor::from_vec(&self.all_shape(), all)?, Tensor::from_vec(&self.state_shape(), hidden)?, Tensor::from_vec(&self.state_shape(), cell)?])
    }
}

/// What one direction leaves behind, row-major.
pub struct States<T> {
    /// Hidden states as `[steps, batch, units]`; zeros after the end of a sequence.
    all: Vec<T>,
    /// The last hidden states, `[batch, units]`.
    hidden: Vec<T>,
    /// The last cell states, `[batch, units]`; zeros in cells without.
    cell: Vec<T>,
}

/// `rows · weights`, of `[n, k]` and `[k, m]`.
fn product<T: Real>(rows: &[T], weights: &Matrix) -> Result<Vec<T>, OpError> {
    let weights = match weights {
        Matrix::Numbers(weights) => weights,
        // Only layers of float32 have them.
        Matrix::Quantized(weights) => {
            let rows: Vec<f32> = rows.iter().map(|row| row.to_f64() as f32).collect();
            return Ok(weights.product(&rows).into_iter().map(|sum| T::from_f64(sum.into())).collect());
        }
    };
    let &[inner, columns] = weights.shape() else { return Err(OpError::shape("weights should be a matrix")) };
    let n_rows = rows.len().checked_div(inner).unwrap_or(0);
    let rows = Tensor::from_vec(&[n_rows, inner], rows.to_vec())?;
    multiply(rows, weights)?.map_or_else(|| Ok(vec![T::ZERO; n_rows * columns]), |result| Ok(result.into_vec::<T>()?))
}

/// As [`product`]; `None` where there is nothing to multiply.
fn multiply(rows: Tensor, weights: &Tensor) -> Result<Option<Tensor>, OpError> {
    let (element_type, shape) = (rows.element_type(), [rows.shape()[0], weights.shape()[1]]);
    let (Some(rows), Some(weights)) = (rows.into_primitive(), weights.primitive()) else { return Ok(None) };
    Ok(Some(Tensor::from_primitive(element_type, &shape, Backend::float_matmul(rows, weights))))
}

/// Runs one direction over all sequences. `x` has been checked against the weights and is in host memory.
pub fn run<T: Real>(
    kind: CellKind,
    gating: &Gating<'_>,
    x: &Tensor,
    weights: &DirectionWeights,
    sequences: &Sequences,
    direction_index: usize,
    direction: Direction,
) -> Result<States<T>, OpError> {
    let &Sequences { n_steps, n_batch, .. } = sequences;
    let size = weights.hidden_size;
    let n_gated = kind.n_gates() * size;
    let mut hidden = sequences.initial::<T>(sequences.initial_hidden.as_ref(), direction_index)?;
    let mut cell = sequences.initial::<T>(sequences.initial_cell.as_ref(), direction_index)?;
    let mut all = vec![T::ZERO; n_steps * n_batch * size];
    let mut gates = match &weights.input {
        Matrix::Numbers(input) => {
            let rows = x.clone().reshaped(&[n_steps * n_batch, sequences.input_size])?;
            multiply(rows, input)?.map(Tensor::into_vec::<T>).transpose()?.unwrap_or_default()
        }
        quantized @ Matrix::Quantized(_) => product(&x.as_slice::<T>()?, quantized)?,
    };
    // Nothing was multiplied where there are no features.
    gates.resize(n_steps * n_batch * n_gated, T::ZERO);
    if let Some(bias) = &weights.bias {
        let bias = bias.as_slice::<T>()?;
        for row in gates.chunks_mut(n_gated.max(1)) {
            add(row, &bias);
        }
    }
    let peepholes = weights.peepholes.as_ref().map(Tensor::as_slice::<T>).transpose()?;
    let hidden_bias = weights.hidden_bias.as_ref().map(Tensor::as_slice::<T>).transpose()?;
    for position in 0..n_steps {
        let step = if direction == Direction::Forward { position } else { n_steps - 1 - position };
        let recurrent = product(&hidden, &weights.recurrence)?;
        let recurrent_width = recurrent.len() / n_batch.max(1);
        let row = |example: usize| sequences.input_row(step, example) * n_gated;
        let is_running = |example: &usize| !sequences.is_over(*example, step);
        let running: Vec<usize> = (0..n_batch).filter(is_running).collect();
        for &example in &running {
            let gates = &mut gates[row(example)..][..n_gated];
            let recurrent = &recurrent[example * recurrent_width..][..recurrent_width];
            let hidden = &mut hidden[example * size..][..size];
            match kind {
                CellKind::Lstm { couples_gates } => {
                    add(gates, recurrent);
                    gating.lstm(gates, hidden, &mut cell[example * size..][..size], peepholes.as_deref(), couples_gates);
                }
                CellKind::Gru { .. } => {
                    add(&mut gates[..2 * size], recurrent);
                    let (update_and_reset, candidate) = gates.split_at_mut(2 * size);
                    gating.open_gru(update_and_reset);
                    if let Some(of_hidden) = recurrent.get(2 * size..).filter(|of_hidden| !of_hidden.is_empty()) {
                        let (update, reset) = update_and_reset.split_at(size);
                        for (index, candidate) in candidate.iter_mut().enumerate() {
                            let bias = hidden_bias.as_deref().map_or(T::ZERO, |bias| bias[index]);
                            *candidate = candidate.plus(reset[index].times(of_hidden[index].plus(bias)));
                        }
                        gating.close_gru(update, candidate, hidden);
                    }
                }
                CellKind::Rnn => {
                    add(gates, recurrent);
                    gating.rnn(gates, hidden);
                }
            }
        }
        if let Some(reset_recurrence) = &weights.reset_recurrence {
            let mut reset_hidden = hidden.clone();
            for &example in &running {
                let reset = &gates[row(example) + size..][..size];
                for (hidden, &reset) in reset_hidden[example * size..][..size].iter_mut().zip(reset) {
                    *hidden = hidden.times(reset);
                }
            }
            let recurrent = product(&reset_hidden, reset_recurrence)?;
            for &example in &running {
                let (update_and_reset, candidate) = gates[row(example)..][..n_gated].split_at_mut(2 * size);
                add(candidate, &recurrent[example * size..][..size]);
                gating.close_gru(&update_and_reset[..size], candidate, &mut hidden[example * size..][..size]);
            }
        }
        for &example in &running {
            all[(step * n_batch + example) * size..][..size].copy_from_slice(&hidden[example * size..][..size]);
        }
    }
    Ok(States { all, hidden, cell })
}

fn add<T: Real>(sums: &mut [T], addends: &[T]) {
    for (sum, &addend) in sums.iter_mut().zip(addends) {
        *sum = sum.plus(addend);
    }
}
