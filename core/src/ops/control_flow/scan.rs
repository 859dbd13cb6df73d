//! Scan: the body runs once for each slice of its scan inputs, carrying state variables along.

use std::sync::Arc;

use super::stack::Stack;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{ElementType, HostTensor};
use crate::ops::movement::{self, Cut};
use crate::ops::operator::{Captured, Outputs};
use crate::ops::shape::normalize_axis;
use crate::ops::{Body, Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Shape, Tensor, Value};

/// How one scan input or output is cut or laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Track {
    axis: i64,
    is_reversed: bool,
}

/// <https://onnx.ai/onnx/operators/onnx__Scan.html>, opsets 9 and later.
///
/// The body takes (states…, one slice of each scan input…) and makes (states…, one slice of each scan output…).
#[derive(Debug)]
struct Scan {
    body: Arc<dyn Body>,
    n_inputs: usize,
    n_states: usize,
    inputs: Vec<Track>,
    outputs: Vec<Track>,
}

pub(super) fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let mut scan = Scan::of_body(context, context.n_inputs)?;
    let attributes = context.attributes;
    set_tracks(&mut scan.inputs, "scan_input", attributes.ints("scan_input_axes")?, attributes.ints("scan_input_directions")?)?;
    set_tracks(&mut scan.outputs, "scan_output", attributes.ints("scan_output_axes")?, attributes.ints("scan_output_directions")?)?;
    Ok(Box::new(scan))
}

fn set_tracks(tracks: &mut [Track], what: &str, axes: Option<&[i64]>, directions: Option<&[i64]>) -> Result<(), OpError> {
    let check_length = |name: &str, length: usize| {
        if length == tracks.len() {
            return Ok(());
        }
        Err(OpError::value(format!("attribute '{what}_{name}' should have {} values, one per {what}, but has {length}", tracks.len())))
    };
    axes.map_or(Ok(()), |axes| check_length("axes", axes.len()))?;
    directions.map_or(Ok(()), |directions| check_length("directions", directions.len()))?;
    for (index, track) in tracks.iter_mut().enumerate() {
        if let Some(axes) = axes {
            track.axis = axes[index];
        }
        track.is_reversed = match directions.map(|directions| directions[index]) {
            None | Some(0) => false,
            Some(1) => true,
            Some(other) => return Err(OpError::value(format!("a direction in '{what}_directions' should be 0 or 1, but is {other}"))),
        };
    }
    Ok(())
}

impl Scan {
    /// With `n_values` states and scan inputs; every track along axis 0, forwards.
    fn of_body(context: &NodeContext<'_>, n_values: usize) -> Result<Self, OpError> {
        let body = context.body("body")?;
        let n_scanned = context.attributes.require_int("num_scan_inputs")?;
        let n_scanned = usize::try_from(n_scanned).ok().filter(|&n| n >= 1 && n <= n_values).ok_or_else(|| {
            OpError::value(format!("attribute 'num_scan_inputs' is {n_scanned}, but the node has {n_values} states and scan inputs together"))
        })?;
        let n_states = n_values - n_scanned;
        if body.n_inputs() != n_values || body.n_outputs() < n_states || context.n_outputs > body.n_outputs() {
            return Err(OpError::value(format!(
                "the graph in attribute 'body' should take {n_values} inputs and make {n_states} states before its scan outputs, {} in all, \
                 but has {} inputs and {} outputs",
                context.n_outputs,
                body.n_inputs(),
                body.n_outputs()
            )));
        }
        let track = Track { axis: 0, is_reversed: false };
        let outputs = vec![track; body.n_outputs() - n_states];
        Ok(Self { body, n_inputs: context.n_inputs, n_states, inputs: vec![track; n_scanned], outputs })
    }

    /// Runs over all slices. `values` are the states, then the scan inputs; so many steps as `length` says, all of them if it says nothing.
    fn scan(&self, values: Vec<Value>, length: Option<usize>, captured: &[Value], context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let mut values = values.into_iter();
        let mut states: Vec<Value> = values.by_ref().take(self.n_states).collect();
        let mut scanned = Vec::with_capacity(self.inputs.len());
        for ((index, value), track) in (self.n_states..).zip(values).zip(&self.inputs) {
            let Value::Tensor(tensor) = value else {
                return Err(OpError::WrongInput { index, name: "scan input", expected: "a tensor".to_owned(), found: value.describe() });
            };
            scanned.push((normalize_axis(track.axis, tensor.rank())?, track.is_reversed, tensor));
        }
        let lengths: Vec<usize> = scanned.iter().map(|(axis, _, tensor)| tensor.shape()[*axis]).collect();
        let full = lengths.first().copied().unwrap_or(0);
        if lengths.iter().any(|&length| length != full) {
            return Err(OpError::shape(format!("the scan inputs have {lengths:?} slices; all must have equally many")));
        }
        let length = length.unwrap_or(full);
        let tracks = self.outputs.iter().enumerate();
        let mut stacks: Vec<Stack> = tracks.map(|(index, track)| Stack::new(format!("scan output {index}"), track.axis, track.is_reversed)).collect();
        for step in 0..length {
            context.task.checkpoint()?;
            let mut arguments = states;
            for (axis, is_reversed, tensor) in &scanned {
                let position = if *is_reversed { length - 1 - step } else { step };
                arguments.push(Value::Tensor(slice(tensor, *axis, position)?));
            }
            let mut made = self.body.run(arguments, captured, context)?.into_iter();
            states = made.by_ref().take(self.n_states).collect();
            for (stack, value) in stacks.iter_mut().zip(made) {
                stack.push(value, context)?;
            }
        }
        let mut outputs: Outputs = states.into();
        for (index, stack) in stacks.into_iter().enumerate() {
            outputs.push(Value::Tensor(stack.finish(self.body.output_type(self.n_states + index))?));
        }
        Ok(outputs)
    }

    /// Types of the body's outputs, and the number of slices. `n_batch` axes come before what the body sees.
    fn infer_body(&self, values: &[Option<ValueType>], n_batch: usize, captured: Captured<'_>) -> (Vec<Option<ValueType>>, Dimension) {
        let (arguments, steps) = self.arguments(values, n_batch);
        (self.body.infer(arguments, captured), steps)
    }

    fn arguments(&self, values: &[Option<ValueType>], n_batch: usize) -> (Vec<Option<ValueType>>, Dimension) {
        let mut steps = Dimension::Unknown;
        let mut arguments = Vec::with_capacity(values.len());
        for (index, value_type) in values.iter().enumerate() {
            let Some((element_type, shape)) = value_type.as_ref().and_then(ValueType::as_tensor) else {
                arguments.push(value_type.clone());
                continue;
            };
            let mut dims = shape.dims().map(<[Dimension]>::to_vec);
            if let Some(dims) = &mut dims {
                dims.drain(..n_batch.min(dims.len()));
                let track = index.checked_sub(self.n_states).and_then(|index| self.inputs.get(index));
                if let Some(axis) = track.and_then(|track| normalize_axis(track.axis, dims.len()).ok()) {
                    let here = dims.remove(axis);
                    steps = if matches!(steps, Dimension::Known(_)) { steps } else { here };
                }
            }
            arguments.push(Some(ValueType::tensor(element_type, SymbolicShape(dims))));
        }
        (arguments, steps)
    }
}

/// Element `position` along `axis`.
fn slice(tensor: &Tensor, axis: usize, position: usize) -> Result<Tensor, OpError> {
    let mut cuts: Vec<Cut> = tensor.shape().iter().map(|&dim| Cut::all(dim)).collect();
    cuts[axis] = Cut::range(position, 1);
    let mut shape = Shape::from_slice(tensor.shape());
    shape.remove(axis);
    Ok(movement::cut(tensor.clone(), &cuts)?.reshaped(&shape)?)
}

/// The type with a dimension added.
fn with_axis(value_type: &ValueType, axis: i64, dim: Dimension) -> Option<ValueType> {
    let (element_type, shape) = value_type.as_tensor()?;
    let dims = shape.dims().and_then(|dims| {
        let mut dims = dims.to_vec();
        dims.insert(normalize_axis(axis, dims.len() + 1).ok()?, dim);
        Some(dims)
    });
    Some(ValueType::tensor(element_type, SymbolicShape(dims)))
}

impl Operator for Scan {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (own, captured) = Captured::split(inputs, self.n_inputs);
        let (made, steps) = self.infer_body(own, 0, captured);
        let states = own.iter().zip(&made).take(self.n_states).map(|(before, after)| before.clone()?.join(after.as_ref()?));
        let scanned = made.iter().skip(self.n_states).zip(&self.outputs);
        let scanned = scanned.map(|(made, track)| with_axis(made.as_ref()?, track.axis, steps.clone()));
        Ok(states.chain(scanned).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let captured = inputs.take_from(self.n_inputs);
        self.scan(inputs.take_from(0), None, &captured, context)
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let (own, types) = inputs.split_at_checked(self.n_inputs)?;
        let (arguments, steps) = self.arguments(own, 0);
        let macs = self.body.macs(arguments, Captured { types, constants: &[] })?;
        if macs == 0 { Some(0) } else { macs.checked_mul(u64::try_from(steps.known()?).ok()?) }
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Scan.html>, opset 8: everything has a batch axis first, the slices lie along axis 1, and sequences of
/// a batch may be shorter than the longest. What lies beyond a sequence's end is 0, as ONNX Runtime fills it.
#[derive(Debug)]
struct BatchedScan {
    scan: Scan,
}

/// The optional lengths come before the states.
const N_LENGTHS: usize = 1;

pub(super) fn build_batched(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let mut scan = Scan::of_body(context, context.n_inputs.saturating_sub(N_LENGTHS))?;
    set_tracks(&mut scan.inputs, "scan_input", None, context.attributes.ints("directions")?)?;
    Ok(Box::new(BatchedScan { scan }))
}

impl Operator for BatchedScan {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (own, captured) = Captured::split(inputs, self.scan.n_inputs);
        let values = own.get(N_LENGTHS..).unwrap_or_default();
        let (made, steps) = self.scan.infer_body(values, 1, captured);
        let batch = values.iter().flatten().find_map(|value_type| value_type.as_tensor()?.1.dims()?.first().cloned());
        let batch = batch.unwrap_or(Dimension::Unknown);
        let outputs = made.iter().enumerate().map(|(index, made)| {
            let made = made.as_ref()?;
            let of_one = if index < self.scan.n_states { made.clone() } else { with_axis(made, 0, steps.clone())? };
            with_axis(&of_one, 0, batch.clone())
        });
        Ok(outputs.collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let captured = inputs.take_from(self.scan.n_inputs);
        let lengths = inputs.take_optional_tensor(0, "sequence_lens")?;
        let values: Vec<Tensor> = (N_LENGTHS..inputs.len()).map(|index| inputs.take_tensor(index, "values")).collect::<Result<_, _>>()?;
        let first_scanned = values.get(self.scan.n_states).filter(|tensor| tensor.rank() >= 2);
        let Some(&[n_batch, n_steps, ..]) = first_scanned.map(Tensor::shape) else {
            return Err(OpError::shape("a scan input of opset 8 should have a batch axis and a sequence axis".to_owned()));
        };
        if let Some(other) = values.iter().find(|tensor| tensor.shape().first() != Some(&n_batch)) {
            return Err(OpError::shape(format!("a state or scan input is {other:?}, but its first axis, the batch, should have {n_batch} elements")));
        }
        let lengths = lengths.map(|lengths| sequence_lengths(&lengths, n_batch, n_steps)).transpose()?;
        let n_outputs = self.scan.n_states + self.scan.outputs.len();
        let mut stacks: Vec<Stack> = (0..n_outputs).map(|index| Stack::new(format!("output {index}"), 0, false)).collect();
        for batch in 0..n_batch {
            let of_batch = values.iter().map(|tensor| slice(tensor, 0, batch).map(Value::Tensor)).collect::<Result<Vec<_>, _>>()?;
            let length = lengths.as_ref().map(|lengths| lengths[batch]);
            let outputs = self.scan.scan(of_batch, length, &captured, context)?;
            for (index, (stack, value)) in stacks.iter_mut().zip(outputs).enumerate() {
                let is_scanned = index >= self.scan.n_states;
                stack.push(if is_scanned { padded(value, n_steps, context)? } else { value }, context)?;
            }
        }
        let finish = |(index, stack): (usize, Stack)| stack.finish(self.scan.body.output_type(index)).map(Value::Tensor);
        stacks.into_iter().enumerate().map(finish).collect()
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let (own, types) = inputs.split_at_checked(self.scan.n_inputs)?;
        let (arguments, _) = self.scan.arguments(own.get(N_LENGTHS..)?, 1);
        let macs = self.scan.body.macs(arguments, Captured { types, constants: &[] })?;
        // How long the sequences are is known at run time only.
        (macs == 0).then_some(0)
    }
}

fn sequence_lengths(tensor: &Tensor, n_batch: usize, n_steps: usize) -> Result<Vec<usize>, OpError> {
    let wrong = || OpError::WrongInput {
        index: 0,
        name: "sequence_lens",
        expected: format!("int64[{n_batch}] with lengths from 0 to {n_steps}"),
        found: format!("{tensor:?}"),
    };
    if tensor.element_type() != ElementType::I64 || tensor.shape() != [n_batch] {
        return Err(wrong());
    }
    let lengths = tensor.to_i64s()?.into_iter().map(|length| usize::try_from(length).ok().filter(|&length| length <= n_steps));
    lengths.collect::<Option<_>>().ok_or_else(wrong)
}

/// The tensor with zeros after its end, up to `n_steps` along its first axis.
fn padded(value: Value, n_steps: usize, context: &RunContext<'_>) -> Result<Value, OpError> {
    let Value::Tensor(tensor) = value else { return Ok(value) };
    let missing = n_steps.saturating_sub(tensor.shape().first().copied().unwrap_or(0));
    if missing == 0 {
        return Ok(Value::Tensor(tensor));
    }
    let zero = zero(tensor.element_type())?;
    let zero = if tensor.is_on_host() { zero } else { zero.to_device(context.device)? };
    let mut after = vec![0; tensor.rank()];
    after[0] = missing;
    Ok(Value::Tensor(movement::surround(tensor, &vec![0; after.len()], &after, &zero)?))
}

/// A scalar 0 (or false, or "") of a type.
fn zero(element_type: ElementType) -> Result<Tensor, OpError> {
    let tensor = match element_type.bytes_for(1) {
        Some(n_bytes) => HostTensor::from_bytes(element_type, Vec::new(), vec![0; n_bytes].into())?,
        None => HostTensor::from_strings(Vec::new(), vec![Default::default()])?,
    };
    Ok(Tensor::from_host(&tensor)?)
}
