//! Pad: grow (or, with negative pads, shrink) a tensor at the ends of its axes.

use super::{Integers, infer_like, zero};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::movement::{self, Cut};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::{normalize_axis, sum, unknown_dims};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Shape, Tensor};

/// <https://onnx.ai/onnx/operators/onnx__Pad.html>, opsets 1 (attribute `paddings`), 2 (attribute `pads`), 11 (inputs), 13, 18 (axes),
/// 19 (wrap), 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct Pad {
    mode: Mode,
    pads: Integers,
    axes: Integers,
    /// The attribute of early opsets; an input from opset 11 on.
    value: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Constant,
    Reflect,
    Edge,
    Wrap,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let mode = match context.attributes.text("mode")?.unwrap_or("constant") {
        "constant" => Mode::Constant,
        "reflect" => Mode::Reflect,
        "edge" => Mode::Edge,
        "wrap" if context.opset >= 19 => Mode::Wrap,
        other => return Err(OpError::value(format!("attribute 'mode' should be constant, reflect, edge or (from opset 19) wrap, but is '{other}'"))),
    };
    let attribute = if context.opset < 2 { "paddings" } else { "pads" };
    let pads = if context.opset < 11 { Integers::from_attribute(context, attribute)? } else { Integers::from_input(context, 1, "pads")? };
    let axes = if context.opset < 18 { Integers::Absent } else { Integers::from_input(context, 3, "axes")? };
    Ok(Box::new(Pad { mode, pads, axes, value: context.attributes.float("value")?.unwrap_or(0.0) }))
}

/// Elements to add (or, where negative, to take away) at the two ends of an axis.
type Ends = (i64, i64);

/// One pair of ends per axis of the tensor.
fn ends_per_axis(pads: &[i64], axes: Option<&[i64]>, rank: usize) -> Result<Vec<Ends>, OpError> {
    let axes = match axes {
        Some(axes) => axes.iter().map(|&axis| normalize_axis(axis, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(OpError::shape(format!("pads {pads:?} should have two entries for each of {} axes", axes.len())));
    }
    let (begins, ends) = pads.split_at(axes.len());
    let mut per_axis = vec![None; rank];
    for ((&axis, &begin), &end) in axes.iter().zip(begins).zip(ends) {
        if per_axis[axis].replace((begin, end)).is_some() {
            return Err(OpError::shape(format!("axis {axis} is given twice")));
        }
    }
    Ok(per_axis.into_iter().map(|ends| ends.unwrap_or((0, 0))).collect())
}

/// How one axis changes: first cut, then grown.
struct Change {
    cut: Cut,
    before: usize,
    after: usize,
}

impl Change {
    fn new(axis: usize, dim: usize, (begin, end): Ends) -> Result<Self, OpError> {
        let magnitude = |pad: i64| usize::try_from(pad.unsigned_abs()).ok();
        let parts = |pad: i64| magnitude(pad).map(|pad_size| if pad < 0 { (pad_size, 0) } else { (0, pad_size) });
        let change = || {
            let ((cut_before, before), (cut_after, after)) = (parts(begin)?, parts(end)?);
            let length = dim.checked_sub(cut_before)?.checked_sub(cut_after)?;
            length.checked_add(before)?.checked_add(after)?;
            Some(Self { cut: Cut::range(cut_before, length), before, after })
        };
        change().ok_or_else(|| OpError::shape(format!("pads {begin} and {end} do not fit axis {axis} of {dim} elements")))
    }

    fn padded(&self) -> usize {
        self.cut.length + self.before + self.after
    }
}

impl Mode {
    /// For each element of a padded axis, the element of the cut axis that it repeats.
    fn sources(self, change: &Change) -> Vec<usize> {
        let n = change.cut.length;
        // Positions before the first element are counted up to a multiple of the period first.
        let wrap = |position: usize, period: usize| (position + change.before.div_ceil(period) * period - change.before) % period;
        (0..change.padded())
            .map(|position| match self {
                Self::Edge | Self::Constant => position.saturating_sub(change.before).min(n - 1),
                Self::Wrap => wrap(position, n),
                Self::Reflect if n == 1 => 0,
                Self::Reflect => {
                    let phase = wrap(position, 2 * (n - 1));
                    phase.min(2 * (n - 1) - phase)
                }
            })
            .collect()
    }
}

impl Pad {
    fn constant(&self, inputs: &mut Inputs, data: &Tensor) -> Result<Tensor, OpError> {
        let element_type = data.element_type();
        if let Some(value) = inputs.take_optional_tensor(2, "constant_value")? {
            return if value.element_type() == element_type && value.n_elements() == 1 {
                Ok(value)
            } else {
                let expected = format!("one element of {element_type}");
                Err(OpError::WrongInput { index: 2, name: "constant_value", expected, found: format!("{value:?}") })
            };
        }
        if self.value != 0.0 {
            if element_type != ElementType::F32 {
                return Err(OpError::unsupported(format!("padding {element_type} with the attribute 'value'")));
            }
            return Ok(Tensor::scalar(self.value));
        }
        zero(element_type)
    }
}

impl Operator for Pad {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| {
            let (Some(Some(pads)), Some(axes)) = (self.pads.inferred(inputs), self.axes.inferred(inputs)) else {
                return Ok(unknown_dims(dims.len()));
            };
            let ends = ends_per_axis(&pads, axes.as_deref(), dims.len())?;
            let grow = |(dim, (begin, end)): (&Dimension, &Ends)| {
                let grown = begin.checked_add(*end).and_then(|grown| usize::try_from(grown).ok());
                match (dim.known(), grown) {
                    (Some(known), _) => {
                        let padded = known as i128 + i128::from(*begin) + i128::from(*end);
                        usize::try_from(padded).map_or(Dimension::Unknown, Dimension::Known)
                    }
                    (None, Some(grown)) => sum(&[dim.clone(), Dimension::Known(grown)]),
                    (None, None) => Dimension::Unknown,
                }
            };
            Ok(SymbolicShape(Some(dims.iter().zip(&ends).map(grow).collect())))
        })
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let pads = self.pads.require(&mut inputs, 1, "pads")?;
        let axes = self.axes.get(&mut inputs)?;
        let ends = ends_per_axis(&pads, axes.as_deref(), data.rank())?;
        let changes = ends.iter().enumerate().map(|(axis, &ends)| Change::new(axis, data.shape()[axis], ends)).collect::<Result<Vec<_>, _>>()?;
        let shape: Shape = changes.iter().map(Change::padded).collect();
        context.check_result_size(data.element_type(), &shape)?;
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(data.element_type(), &shape)));
        }
        let cuts: Vec<Cut> = changes.iter().map(|change| change.cut).collect();
        if self.mode == Mode::Constant {
            let value = movement::bring_beside(self.constant(&mut inputs, &data)?, &data, context)?;
            let before: Shape = changes.iter().map(|change| change.before).collect();
            let after: Shape = changes.iter().map(|change| change.after).collect();
            return Ok(single(movement::surround(movement::cut(data, &cuts)?, &before, &after, &value)?));
        }
        let mut padded = movement::cut(data, &cuts)?;
        for (axis, change) in changes.iter().enumerate().filter(|(_, change)| change.before + change.after > 0) {
            if change.cut.length == 0 {
                return Err(OpError::shape(format!("axis {axis} has no elements that its padding could repeat")));
            }
            padded = movement::pick(padded, axis, &self.mode.sources(change), context)?;
        }
        Ok(single(padded))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
