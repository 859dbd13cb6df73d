//! Pools in host memory: for one, two or three spatial axes and any element type that ONNX allows.

use half::{bf16, f16};
use rayon::prelude::*;
use smallvec::smallvec;

use super::{AxisWindow, IndexOrder, Kind};
use crate::host::ElementType;
use crate::ops::OpError;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, match_number};
use crate::tensor::{Tensor, Value};

pub fn run(input: &Tensor, windows: &[AxisWindow], shape: &[usize], kind: Kind) -> Result<Outputs, OpError> {
    let mut axes = [AxisWindow::TRIVIAL; 3];
    for (axis, &window) in axes.iter_mut().rev().zip(windows.iter().rev()) {
        *axis = window;
    }
    let plan = Plan::new(axes);
    match kind {
        Kind::Average { padding_counts } => Ok(single(plan.average(input, shape, padding_counts)?)),
        Kind::Norm { p } => Ok(single(plan.norm(input, shape, f64::from(p))?)),
        Kind::Max { indices } => match input.element_type() {
            ElementType::F32 => plan.maximum::<f32>(input, shape, indices),
            ElementType::F64 => plan.maximum::<f64>(input, shape, indices),
            ElementType::F16 => plan.maximum::<f16>(input, shape, indices),
            ElementType::Bf16 => plan.maximum::<bf16>(input, shape, indices),
            ElementType::I8 => plan.maximum::<i8>(input, shape, indices),
            ElementType::U8 => plan.maximum::<u8>(input, shape, indices),
            other => Err(OpError::unsupported(format!("MaxPool of {other}"))),
        },
    }
}

/// Elements in a row of the input that meet the same element of the kernel at neighbouring outputs.
#[derive(Clone, Copy)]
struct Run {
    output: usize,
    input: usize,
    /// Between neighbours in the input.
    step: usize,
    length: usize,
}

/// How every channel is pooled: the same for all of them, so it is worked out once.
struct Plan {
    axes: [AxisWindow; 3],
    /// The runs of one row, per element of the kernel's last axis that meets it anywhere.
    row: Vec<Run>,
}

/// Below this many elements, sharing the work among threads costs more than it saves.
const PARALLEL_ELEMENTS: usize = 1 << 15;

impl Plan {
    fn new(axes: [AxisWindow; 3]) -> Self {
        let width = axes[2];
        let taps = width.taps(width.output - 1).start..width.taps(0).end;
        let run = |tap| {
            let outputs = width.outputs(tap);
            let start = outputs.start;
            (!outputs.is_empty()).then(|| Run { output: start, input: width.position(start, tap), step: width.stride, length: outputs.len() })
        };
        Self { axes, row: taps.filter_map(run).collect() }
    }

    /// Visits all runs of a channel; for each output, the elements of its window come in row-major order.
    fn for_each_run(&self, mut visit: impl FnMut(Run)) {
        let [depth, height, width] = &self.axes;
        for (out_depth, out_height) in (0..depth.output).flat_map(|out_depth| (0..height.output).map(move |out_height| (out_depth, out_height))) {
            let out_row = (out_depth * height.output + out_height) * width.output;
            let height_taps = height.taps(out_height);
            for tap_depth in depth.taps(out_depth) {
                for tap_height in height_taps.clone() {
                    let in_row = (depth.position(out_depth, tap_depth) * height.input + height.position(out_height, tap_height)) * width.input;
                    for run in &self.row {
                        visit(Run { output: out_row + run.output, input: in_row + run.input, ..*run });
                    }
                }
            }
        }
    }

    fn n_input(&self) -> usize {
        self.axes.iter().map(|axis| axis.input).product()
    }

    fn n_output(&self) -> usize {
        self.axes.iter().map(|axis| axis.output).product()
    }

    /// Pools every channel with `pool(input, output)`, on several threads where there is enough to do.
    fn for_each_channel<T: Sync, R: Send>(&self, input: &[T], output: &mut [R], pool: impl Fn(usize, &[T], &mut [R]) + Sync) {
        let (n_input, n_output) = (self.n_input(), self.n_output());
        if input.len() < PARALLEL_ELEMENTS {
            input.chunks(n_input).zip(output.chunks_mut(n_output)).enumerate().for_each(|(channel, (input, output))| pool(channel, input, output));
        } else {
            input
                .par_chunks(n_input)
                .zip(output.par_chunks_mut(n_output))
                .enumerate()
                .for_each(|(channel, (input, output))| pool(channel, input, output));
        }
    }

    fn maximum<T: Number>(&self, input: &Tensor, shape: &[usize], order: Option<IndexOrder>) -> Result<Outputs, OpError> {
        let elements = input.as_slice::<T>()?;
        let n_elements = shape.iter().product();
        let Some(order) = order else {
            let mut maxima = vec![T::LEAST; n_elements];
            self.for_each_channel(&elements, &mut maxima, |_, input, output| {
                self.for_each_run(|run| {
                    for_each_pair(run, input, output, |value, best| {
                        if value > *best || value.is_nan() {
                            *best = value;
                        }
                    });
                });
            });
            return Ok(single(Tensor::from_vec(shape, maxima)?));
        };
        // Which element is the largest, counted within its channel.
        let mut positions = vec![usize::MAX; n_elements];
        self.for_each_channel(&elements, &mut positions, |_, input, output| {
            self.for_each_run(|run| {
                let best = &mut output[run.output..][..run.length];
                for (best, position) in best.iter_mut().zip((run.input..).step_by(run.step)) {
                    let is_better = *best == usize::MAX || input[position] > input[*best] || (input[position].is_nan() && !input[*best].is_nan());
                    if is_better {
                        *best = position;
                    }
                }
            });
        });
        let (n_input, n_output) = (self.n_input(), self.n_output());
        let maxima = positions.iter().enumerate().map(|(index, &position)| elements[index / n_output * n_input + position]).collect();
        let indices =
            positions.iter().enumerate().map(|(index, &position)| (index / n_output * n_input + self.index(position, order)) as i64).collect();
        Ok(smallvec![Value::Tensor(Tensor::from_vec::<T>(shape, maxima)?), Value::Tensor(Tensor::from_vec::<i64>(shape, indices)?)])
    }

    /// The index of an element of a channel in the order asked for.
    fn index(&self, position: usize, order: IndexOrder) -> usize {
        let [depth, height, width] = self.axes.map(|axis| axis.input);
        match order {
            IndexOrder::RowMajor => position,
            IndexOrder::ColumnMajor => {
                let (at_depth, at_height, at_width) = (position / (height * width), position / width % height, position % width);
                // The first spatial axis that the input has varies fastest; a leading trivial axis changes nothing.
                at_depth + (at_height + at_width * height) * depth
            }
        }
    }

    fn average(&self, input: &Tensor, shape: &[usize], padding_counts: bool) -> Result<Tensor, OpError> {
        match input.element_type() {
            ElementType::F32 => Ok(Tensor::from_vec(shape, self.means(&input.as_slice::<f32>()?, shape, padding_counts))?),
            ElementType::F64 => Ok(Tensor::from_vec(shape, self.means(&input.as_slice::<f64>()?, shape, padding_counts))?),
            // Half-precision sums lose digits: they are summed as float32 and rounded once.
            ElementType::F16 => {
                let means = self.means(&input.to_f32s()?, shape, padding_counts);
                Ok(Tensor::from_vec(shape, means.into_iter().map(f16::from_f32).collect())?)
            }
            ElementType::Bf16 => {
                let means = self.means(&input.to_f32s()?, shape, padding_counts);
                Ok(Tensor::from_vec(shape, means.into_iter().map(bf16::from_f32).collect())?)
            }
            other => Err(OpError::unsupported(format!("AveragePool of {other}"))),
        }
    }

    fn means<T: Number>(&self, input: &[T], shape: &[usize], padding_counts: bool) -> Vec<T> {
        let counts: Vec<T> = self.counts(padding_counts).into_iter().map(|count| T::from_f64(count as f64)).collect();
        let mut means = vec![T::ZERO; shape.iter().product()];
        self.for_each_channel(input, &mut means, |_, input, output| {
            self.for_each_run(|run| for_each_pair(run, input, output, |value, sum| *sum = sum.plus(value)));
            for (mean, &count) in output.iter_mut().zip(&counts) {
                *mean = mean.divided_by(count).unwrap_or(T::ZERO);
            }
        });
        means
    }

    /// p-norms, in float64 so that no power of a long window overflows on the way.
    fn norm(&self, input: &Tensor, shape: &[usize], p: f64) -> Result<Tensor, OpError> {
        let element_type = input.element_type();
        if !element_type.is_float() {
            return Err(OpError::unsupported(format!("LpPool of {element_type}")));
        }
        let power = |value: f64| if p == 2.0 { value * value } else { value.abs().powf(p) };
        let root = |sum: f64| if p == 2.0 { sum.sqrt() } else { sum.powf(1.0 / p) };
        match_number!(element_type, T => {
            let powers: Vec<f64> = input.as_slice::<T>()?.iter().map(|element| power(element.to_f64())).collect();
            let mut sums = vec![0.0; shape.iter().product()];
            self.for_each_channel(&powers, &mut sums, |_, input, output| {
                self.for_each_run(|run| for_each_pair(run, input, output, |value, sum| *sum += value));
            });
            Ok(Tensor::from_vec(shape, sums.into_iter().map(|sum| T::from_f64(root(sum))).collect())?)
        }, else Err(OpError::unsupported(format!("LpPool of {element_type}"))))
    }

    /// How many elements each output is the mean of.
    fn counts(&self, padding_counts: bool) -> Vec<usize> {
        let [depth, height, width] = self.axes.map(|axis| -> Vec<usize> {
            (0..axis.output).map(|output| if padding_counts { axis.padded_taps(output) } else { axis.taps(output).len() }).collect()
        });
        let plane = |depth: usize| {
            height.iter().flat_map(|height| width.iter().map(move |width| height * width)).map(move |count| depth * count).collect::<Vec<_>>()
        };
        depth.iter().flat_map(|&depth| plane(depth)).collect()
    }
}

fn for_each_pair<T: Copy>(run: Run, input: &[T], output: &mut [T], mut apply: impl FnMut(T, &mut T)) {
    let output = &mut output[run.output..][..run.length];
    if run.step == 1 {
        for (output, &value) in output.iter_mut().zip(&input[run.input..][..run.length]) {
            apply(value, output);
        }
    } else {
        for (output, &value) in output.iter_mut().zip(input[run.input..].iter().step_by(run.step)) {
            apply(value, output);
        }
    }
}
