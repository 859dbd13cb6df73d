//! One step of a recurrent cell over one row: gates in, state on to the next step.

use super::activation::{Activation, Real};

/// The kind of a cell, which decides how its gates make the next state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellKind {
    /// Gates input, output, forget, cell.
    Lstm {
        /// The forget gate is what the input gate leaves of 1.
        couples_gates: bool,
    },
    /// Gates update, reset, hidden.
    Gru {
        /// The reset gate scales the recurrent product instead of the state that enters it.
        linear_before_reset: bool,
    },
    /// One gate.
    Rnn,
}

impl CellKind {
    pub fn n_gates(self) -> usize {
        match self {
            Self::Lstm { .. } => 4,
            Self::Gru { .. } => 3,
            Self::Rnn => 1,
        }
    }

    /// The activations of one direction where the model names none.
    pub fn default_activations(self) -> &'static [Activation] {
        match self {
            Self::Lstm { .. } => &[Activation::Sigmoid, Activation::Tanh, Activation::Tanh],
            Self::Gru { .. } => &[Activation::Sigmoid, Activation::Tanh],
            Self::Rnn => &[Activation::Tanh],
        }
    }

    /// Whether the last gate's recurrent product needs the reset gate first.
    pub fn resets_state_first(self) -> bool {
        self == Self::Gru { linear_before_reset: false }
    }
}

/// What turns gates into states: activations, and a bound on the sums that enter the gates.
pub struct Gating<'a> {
    pub activations: &'a [Activation],
    pub clip: Option<f32>,
}

impl Gating<'_> {
    /// Bounds the values and applies activation `index`.
    fn activate<T: Real>(&self, index: usize, values: &mut [T]) {
        if let Some(clip) = self.clip {
            let (low, high) = (T::from_f32(-clip), T::from_f32(clip));
            for value in values.iter_mut() {
                *value = value.larger(low).smaller(high);
            }
        }
        self.activations[index].apply(values);
    }

    /// `gates` holds the sums of both products and the biases, in the order input, output, forget, cell; `peepholes` the weights with which the
    /// cell state enters input, output and forget gate.
    pub fn lstm<T: Real>(&self, gates: &mut [T], hidden: &mut [T], cell: &mut [T], peepholes: Option<&[T]>, couples_gates: bool) {
        let size = hidden.len();
        let (input, rest) = gates.split_at_mut(size);
        let (output, rest) = rest.split_at_mut(size);
        let (forget, candidate) = rest.split_at_mut(size);
        let look = |gate: &mut [T], cell: &[T], position: usize| {
            if let Some(peepholes) = peepholes {
                for ((gate, &cell), &weight) in gate.iter_mut().zip(cell).zip(&peepholes[position * size..]) {
                    *gate = gate.plus(weight.times(cell));
                }
            }
        };
        look(input, cell, 0);
        self.activate(0, input);
        if couples_gates {
            for (forget, &input) in forget.iter_mut().zip(&*input) {
                *forget = T::ONE.minus(input);
            }
        } else {
            look(forget, cell, 2);
            self.activate(0, forget);
        }
        self.activate(1, candidate);
        for (((cell, &forget), &input), &candidate) in cell.iter_mut().zip(&*forget).zip(&*input).zip(&*candidate) {
            *cell = forget.times(*cell).plus(input.times(candidate));
        }
        look(output, cell, 1);
        self.activate(0, output);
        hidden.copy_from_slice(cell);
        // The state itself is never bounded, as ONNX Runtime reads the specification: only sums enter a gate's activation.
        self.activations[2].apply(hidden);
        for (hidden, &output) in hidden.iter_mut().zip(&*output) {
            *hidden = output.times(*hidden);
        }
    }

    /// The update and reset gates, from sums in the order update, reset.
    pub fn open_gru<T: Real>(&self, update_and_reset: &mut [T]) {
        self.activate(0, update_and_reset);
    }

    /// The state from an open update gate and the sum of the hidden gate.
    pub fn close_gru<T: Real>(&self, update: &[T], candidate: &mut [T], hidden: &mut [T]) {
        self.activate(1, candidate);
        for ((hidden, &update), &candidate) in hidden.iter_mut().zip(update).zip(&*candidate) {
            *hidden = T::ONE.minus(update).times(candidate).plus(update.times(*hidden));
        }
    }

    pub fn rnn<T: Real>(&self, gate: &mut [T], hidden: &mut [T]) {
        self.activate(0, gate);
        hidden.copy_from_slice(gate);
    }
}
