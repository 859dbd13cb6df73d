//! Resize, and Upsample before it: a tensor with other sizes, its elements interpolated.
//!
//! Interpolation is separable: [`geometry`] works out each axis on its own, and [`host`] resizes one after the other; float32 data on a GPU goes over
//! burn ([`on_device`]).

mod geometry;
mod host;
mod on_device;

use geometry::{AspectRatio, AxisPlan, Blend, Coordinates, Mode, Nearest, Request, Target};

use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::shape::{like_with_dims, normalize_axis};
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::{Shape, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Resize", opsets: OpsetRange::from(10), build: build_resize },
    Registration { domain: "", op_type: "Upsample", opsets: OpsetRange::from(7), build: build_upsample },
];

#[derive(Debug)]
struct Resize {
    blend: Blend,
    policy: AspectRatio,
    /// The axes that the inputs are about; absent = all of them.
    axes: Option<Vec<i64>>,
    /// For what lies outside the input, with [`Coordinates::TfCropAndResize`].
    extrapolation_value: f32,
    inputs: Layout,
}

/// Where scales, sizes and the region are found.
#[derive(Debug)]
enum Layout {
    /// Upsample before opset 9.
    Attribute(Vec<f32>),
    /// `X, scales`.
    Scales,
    /// `X, roi, scales, sizes`.
    All,
}

/// <https://onnx.ai/onnx/operators/onnx__Resize.html>, opsets 10, 11 (coordinates, cubic, sizes), 13 (no `tf_half_pixel_for_nn`), 18 (`antialias`, `axes`,
/// `keep_aspect_ratio_policy`), 19 (`half_pixel_symmetric`).
///
/// The specification leaves open how integers are rounded. As in ONNX Runtime, linear interpolation truncates, and the other filters round.
fn build_resize(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    if context.opset < 11 {
        return build_early(context, Layout::Scales);
    }
    let attributes = context.attributes;
    let antialias = attributes.int("antialias")?.unwrap_or(0) != 0;
    let mode = match attributes.text("mode")?.unwrap_or("nearest") {
        "nearest" if antialias => return Err(OpError::value("attribute 'antialias' is for modes linear and cubic, but the mode is nearest")),
        "nearest" => Mode::Nearest(nearest(attributes)?),
        "linear" => Mode::Linear,
        "cubic" => Mode::Cubic(f64::from(attributes.float("cubic_coeff_a")?.unwrap_or(-0.75))),
        other => return Err(OpError::value(format!("attribute 'mode' should be nearest, linear or cubic, but is '{other}'"))),
    };
    let policy = match attributes.text("keep_aspect_ratio_policy")?.unwrap_or("stretch") {
        "stretch" => AspectRatio::Stretch,
        "not_larger" => AspectRatio::NotLarger,
        "not_smaller" => AspectRatio::NotSmaller,
        other => {
            let expected = "attribute 'keep_aspect_ratio_policy' should be stretch, not_larger or not_smaller";
            return Err(OpError::value(format!("{expected}, but is '{other}'")));
        }
    };
    let exclude_outside = attributes.int("exclude_outside")?.unwrap_or(0) != 0;
    Ok(Box::new(Resize {
        blend: Blend { mode, coordinates: coordinates(context)?, antialias, exclude_outside },
        policy,
        axes: attributes.ints("axes")?.map(<[i64]>::to_vec),
        extrapolation_value: attributes.float("extrapolation_value")?.unwrap_or(0.0),
        inputs: Layout::All,
    }))
}

fn nearest(attributes: &Attributes) -> Result<Nearest, OpError> {
    match attributes.text("nearest_mode")?.unwrap_or("round_prefer_floor") {
        "round_prefer_floor" => Ok(Nearest::RoundPreferFloor),
        "round_prefer_ceil" => Ok(Nearest::RoundPreferCeil),
        "floor" => Ok(Nearest::Floor),
        "ceil" => Ok(Nearest::Ceil),
        other => {
            let expected = "attribute 'nearest_mode' should be round_prefer_floor, round_prefer_ceil, floor or ceil";
            Err(OpError::value(format!("{expected}, but is '{other}'")))
        }
    }
}

fn coordinates(context: &NodeContext<'_>) -> Result<Coordinates, OpError> {
    match context.attributes.text("coordinate_transformation_mode")?.unwrap_or("half_pixel") {
        "half_pixel" => Ok(Coordinates::HalfPixel),
        "half_pixel_symmetric" if context.opset >= 19 => Ok(Coordinates::HalfPixelSymmetric),
        "pytorch_half_pixel" => Ok(Coordinates::PytorchHalfPixel),
        "align_corners" => Ok(Coordinates::AlignCorners),
        "asymmetric" => Ok(Coordinates::Asymmetric),
        "tf_half_pixel_for_nn" if context.opset < 13 => Ok(Coordinates::TfHalfPixelForNn),
        "tf_crop_and_resize" => Ok(Coordinates::TfCropAndResize),
        other => Err(OpError::value(format!("attribute 'coordinate_transformation_mode' is '{other}', which opset {} does not know", context.opset))),
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Upsample.html>, opsets 7, 9 (scales are an input), 10 (deprecated: Resize does the same).
fn build_upsample(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let inputs = if context.opset < 9 { Layout::Attribute(context.attributes.require_floats("scales")?.to_vec()) } else { Layout::Scales };
    build_early(context, inputs)
}

/// Upsample and the first Resize.
fn build_early(context: &NodeContext<'_>, inputs: Layout) -> Result<Box<dyn Operator>, OpError> {
    let mode = match context.attributes.text("mode")?.unwrap_or("nearest") {
        "nearest" => Mode::Nearest(Nearest::LeftUnlessShrinking),
        "linear" | "bilinear" => Mode::Linear,
        other => return Err(OpError::value(format!("attribute 'mode' should be nearest or linear, but is '{other}'"))),
    };
    let blend = Blend { mode, coordinates: Coordinates::Asymmetric, antialias: false, exclude_outside: false };
    Ok(Box::new(Resize { blend, policy: AspectRatio::Stretch, axes: None, extrapolation_value: 0.0, inputs }))
}

impl Resize {
    /// What a run asks of each axis.
    fn targets(&self, shape: &[usize], inputs: &mut Inputs) -> Result<Vec<Target>, OpError> {
        // An empty tensor stands for an input that is left out.
        let mut floats = |index: usize, name: &'static str| match inputs.take_optional_tensor(index, name)? {
            Some(tensor) if !tensor.is_empty() => Ok::<_, OpError>(Some(tensor.to_f32s()?)),
            _ => Ok(None),
        };
        let (region, scales) = match &self.inputs {
            Layout::Attribute(scales) => return Target::of_axes(shape, None, &Request::Scales(scales), None),
            Layout::Scales => (None, floats(1, "scales")?),
            Layout::All => (floats(1, "roi")?, floats(2, "scales")?),
        };
        let sizes = match self.inputs {
            Layout::All => inputs.take_optional_tensor(3, "sizes")?.filter(|sizes| !sizes.is_empty()),
            Layout::Attribute(_) | Layout::Scales => None,
        };
        let region = region.as_deref().filter(|_| self.blend.coordinates == Coordinates::TfCropAndResize);
        if region.is_none() && self.blend.coordinates == Coordinates::TfCropAndResize {
            return Err(OpError::MissingInput { index: 1, name: "roi" });
        }
        match (scales, sizes) {
            (Some(scales), None) => Target::of_axes(shape, self.axes.as_deref(), &Request::Scales(&scales), region),
            (None, Some(sizes)) => Target::of_axes(shape, self.axes.as_deref(), &Request::Sizes(&sizes.to_i64s()?, self.policy), region),
            (None, None) if shape.is_empty() => Ok(Vec::new()),
            (None, None) => Err(OpError::value("neither scales nor sizes are given")),
            (Some(_), Some(_)) => Err(OpError::value("both scales and sizes are given; only one of them may be")),
        }
    }

    /// The dimensions of the result, where scales or sizes are known before a run.
    fn infer_dims(&self, dims: &[Dimension], inputs: &InferInputs<'_>) -> Result<SymbolicShape, OpError> {
        let scales = match &self.inputs {
            Layout::Attribute(scales) => Some(scales.clone()),
            layout => {
                let constant = inputs.constant(if matches!(layout, Layout::Scales) { 1 } else { 2 });
                constant.and_then(|scales| Some(scales.as_slice::<f32>().ok()?.to_vec()))
            }
        };
        let scales = scales.filter(|scales| !scales.is_empty());
        let sizes = if matches!(self.inputs, Layout::All) { inputs.constant_ints(3).filter(|sizes| !sizes.is_empty()) } else { None };
        let axes: Vec<i64> = self.axes.clone().unwrap_or_else(|| (0..).take(dims.len()).collect());
        let mut resized = dims.to_vec();
        for (position, &axis) in axes.iter().enumerate() {
            let axis = normalize_axis(axis, dims.len())?;
            resized[axis] = match (&scales, &sizes, dims[axis].known()) {
                (Some(scales), None, _) if scales.get(position) == Some(&1.0) => dims[axis].clone(),
                (Some(scales), None, Some(dim)) => {
                    let output = scales.get(position).map(|&scale| Target::of_axes(&[dim], None, &Request::Scales(&[scale]), None)).transpose()?;
                    output.map_or(Dimension::Unknown, |targets| Dimension::Known(targets[0].output))
                }
                (None, Some(sizes), _) if self.policy == AspectRatio::Stretch => {
                    let size = sizes.get(position).and_then(|&size| usize::try_from(size).ok());
                    size.map_or(Dimension::Unknown, Dimension::Known)
                }
                _ => Dimension::Unknown,
            };
        }
        Ok(SymbolicShape(Some(resized)))
    }
}

impl Operator for Resize {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![like_with_dims(inputs, 0, |dims| self.infer_dims(dims, inputs))?])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        let is_nearest = matches!(self.blend.mode, Mode::Nearest(_));
        let element_type = input.element_type();
        if !is_nearest && matches!(element_type, ElementType::Bool | ElementType::String) {
            return Err(OpError::unsupported(format!("interpolating {element_type}")));
        }
        let targets = self.targets(input.shape(), &mut inputs)?;
        let shape: Shape = targets.iter().map(|target| target.output).collect();
        context.check_result_size(element_type, &shape)?;
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &shape)));
        }
        if input.is_empty() {
            return Err(OpError::shape(format!("a tensor of shape {:?} has no elements to make one of shape {shape:?} from", input.shape())));
        }
        // One axis after the other: what lies between may be larger than the result where some grow and others shrink, but only by what it is made from.
        let plans: Vec<AxisPlan> = targets.iter().map(|target| AxisPlan::new(target, &self.blend)).collect();
        if is_nearest {
            return Ok(single(host::pick(input, &plans, self.extrapolation_value, context)?));
        }
        if !input.is_on_host() {
            return Ok(single(on_device::blend(input, &plans, context)?));
        }
        let rounds = self.blend.mode != Mode::Linear || self.blend.antialias;
        Ok(single(host::blend(input, &plans, self.extrapolation_value, rounds)?))
    }

    fn placement(&self) -> Placement {
        if self.blend.coordinates == Coordinates::TfCropAndResize { Placement::Host } else { Placement::AnyDevice }
    }
}

#[cfg(test)]
mod tests;
