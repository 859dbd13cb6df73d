//! QuantizeLinear and DequantizeLinear: between numbers and their quantised form.

use half::{bf16, f16};

use super::scheme::{Granularity, Quantized, match_quantized};
use crate::graph::infer::InferInputs;
use crate::graph::{SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::float_tensor;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// What both operators are told about scales.
#[derive(Debug)]
pub struct Scaling {
    axis: i64,
    block_size: usize,
}

impl Scaling {
    /// One scale for all elements, or one for each place of an axis.
    pub fn along(axis: i64) -> Self {
        Self { axis, block_size: 0 }
    }

    fn new(node: &NodeContext<'_>) -> Result<Self, OpError> {
        let block_size = node.attributes.int("block_size")?.unwrap_or(0);
        let block_size =
            usize::try_from(block_size).map_err(|_| OpError::value(format!("attribute 'block_size' is {block_size}; it must not be negative")))?;
        Ok(Self { axis: node.attributes.int("axis")?.unwrap_or(1), block_size })
    }

    /// How the scales belong to the elements, after a look at the zero points: there must be as many.
    fn granularity(&self, x: &Tensor, scales: &Tensor, zero_points: Option<&Tensor>) -> Result<Granularity, OpError> {
        if let Some(zero_points) = zero_points
            && zero_points.n_elements() != scales.n_elements()
        {
            let (scales, zero_points) = (scales.shape(), zero_points.shape());
            return Err(OpError::shape(format!(
                "the scales have shape {scales:?} and the zero points {zero_points:?}; there must be as many of both"
            )));
        }
        Granularity::new(x.shape(), scales.shape(), self.axis, self.block_size)
    }
}

/// An element type given as an attribute; 0 and absence mean none.
fn element_type(node: &NodeContext<'_>, name: &str) -> Result<Option<ElementType>, OpError> {
    let code = node.attributes.int(name)?.unwrap_or(0);
    if code == 0 {
        return Ok(None);
    }
    let element_type = i32::try_from(code).ok().and_then(ElementType::from_onnx);
    element_type.map(Some).ok_or_else(|| OpError::value(format!("attribute '{name}' is {code}, which is no element type")))
}

/// `saturate(round(x / scale) + zero_point)`. <https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html>
///
/// The division is in float32 whatever the type of the scale, as in ONNX Runtime, unless attribute `precision` asks for less.
#[derive(Debug)]
pub struct QuantizeLinear {
    scaling: Scaling,
    saturates: bool,
    has_zero_point: bool,
    output: Option<ElementType>,
    precision: ElementType,
}

pub fn build_quantize(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let precision = element_type(node, "precision")?.unwrap_or(ElementType::F32);
    if !matches!(precision, ElementType::F32 | ElementType::F16 | ElementType::Bf16) {
        return Err(OpError::unsupported(format!("QuantizeLinear with attribute 'precision' of {precision}")));
    }
    Ok(Box::new(QuantizeLinear {
        scaling: Scaling::new(node)?,
        saturates: node.attributes.int("saturate")?.unwrap_or(1) != 0,
        has_zero_point: node.n_inputs > 2,
        output: element_type(node, "output_dtype")?,
        precision,
    }))
}

impl QuantizeLinear {
    /// One scale and one zero point for all elements; what is out of range saturates.
    pub fn uniform() -> Self {
        Self { scaling: Scaling::along(0), saturates: true, has_zero_point: true, output: None, precision: ElementType::F32 }
    }

    fn output_type(&self, zero_point: Option<ElementType>) -> Result<ElementType, OpError> {
        match (zero_point, self.output) {
            (Some(zero_point), Some(output)) if zero_point != output => {
                Err(OpError::value(format!("attribute 'output_dtype' is {output}, but the zero point is {zero_point}; both say what comes out")))
            }
            (zero_point, output) => Ok(zero_point.or(output).unwrap_or(ElementType::U8)),
        }
    }

    fn quantize<T: Quantized>(&self, x: &Tensor, scales: &[f32], zero_points: Option<&Tensor>, granularity: Granularity) -> Result<Tensor, OpError> {
        let zero_points: Vec<f32> = match zero_points {
            Some(zero_points) => zero_points.as_slice::<T>()?.iter().map(|zero_point| zero_point.number()).collect(),
            None => vec![0.0; scales.len()],
        };
        let values = match x.element_type() {
            ElementType::F32 => x.as_slice::<f32>()?,
            _ => x.to_f32s()?.into(),
        };
        let round_ratio: fn(f32) -> f32 = match self.precision {
            ElementType::F16 => |ratio| f16::from_f32(ratio).to_f32(),
            ElementType::Bf16 => |ratio| bf16::from_f32(ratio).to_f32(),
            _ => |ratio| ratio,
        };
        let is_plain = self.precision == ElementType::F32;
        let mut results = Vec::with_capacity(values.len());
        granularity.for_each_run(values.len(), |run, first, step| {
            let (scale, zero_point) = (scales[first], zero_points[first]);
            match (step, is_plain) {
                (0, true) => results.extend(values[run].iter().map(|&value| T::nearest(value / scale, zero_point, self.saturates))),
                (0, false) => results.extend(values[run].iter().map(|&value| T::nearest(round_ratio(value / scale), zero_point, self.saturates))),
                _ => {
                    let scales = scales[first..].iter().zip(&zero_points[first..]);
                    let quantize =
                        |(&value, (&scale, &zero_point)): (&f32, (&f32, &f32))| T::nearest(round_ratio(value / scale), zero_point, self.saturates);
                    results.extend(values[run].iter().zip(scales).map(quantize));
                }
            }
        });
        Ok(Tensor::from_vec(x.shape(), results)?)
    }
}

impl Operator for QuantizeLinear {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let shape = inputs.tensor(0).map_or_else(SymbolicShape::unknown, |(_, shape)| shape.clone());
        if self.has_zero_point && inputs.tensor(2).is_none() {
            return Ok(vec![self.output.map(|output| ValueType::tensor(output, shape))]);
        }
        Ok(vec![Some(ValueType::tensor(self.output_type(inputs.tensor(2).map(|(element_type, _)| element_type))?, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (x, scales) = (inputs.take_tensor(0, "x")?, inputs.take_tensor(1, "y_scale")?);
        let zero_points = inputs.take_optional_tensor(2, "y_zero_point")?;
        if !(x.element_type().is_float() || x.element_type() == ElementType::I32) {
            return Err(wrong_input(&x, 0, "x", "a tensor of floating-point numbers or int32"));
        }
        let output = self.output_type(zero_points.as_ref().map(Tensor::element_type))?;
        context.check_result_size(output, x.shape())?;
        let granularity = self.scaling.granularity(&x, &scales, zero_points.as_ref())?;
        let scales = scales_of(&scales, 1, "y_scale")?;
        let unsupported = OpError::unsupported(format!("QuantizeLinear to {output}"));
        if output == ElementType::I32 {
            return Err(unsupported);
        }
        match_quantized!(output, T => self.quantize::<T>(&x, &scales, zero_points.as_ref(), granularity), else Err(unsupported)).map(single)
    }
}

/// `(x − zero_point) · scale`. <https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html>
#[derive(Debug)]
pub struct DequantizeLinear {
    scaling: Scaling,
    output: Option<ElementType>,
}

impl DequantizeLinear {
    /// To float32.
    pub fn along(axis: i64) -> Self {
        Self { scaling: Scaling::along(axis), output: Some(ElementType::F32) }
    }
}

pub fn build_dequantize(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(DequantizeLinear { scaling: Scaling::new(node)?, output: element_type(node, "output_dtype")? }))
}

fn dequantize<T: Quantized>(x: &Tensor, scales: &[f32], zero_points: Option<&Tensor>, granularity: Granularity) -> Result<Vec<f32>, OpError> {
    let values = x.as_slice::<T>()?;
    let zero_points = match zero_points {
        Some(zero_points) => zero_points.as_slice::<T>()?.into_owned(),
        None => vec![bytemuck::Zeroable::zeroed(); scales.len()],
    };
    let mut results = Vec::with_capacity(values.len());
    granularity.for_each_run(values.len(), |run, first, step| {
        if step == 0 {
            let (scale, zero_point) = (scales[first], zero_points[first]);
            results.extend(values[run].iter().map(|value| value.distance(zero_point) * scale));
        } else {
            let scales = scales[first..].iter().zip(&zero_points[first..]);
            results.extend(values[run].iter().zip(scales).map(|(value, (scale, &zero_point))| value.distance(zero_point) * scale));
        }
    });
    Ok(results)
}

impl Operator for DequantizeLinear {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some(output) = self.output.or_else(|| inputs.tensor(1).map(|(element_type, _)| element_type)) else { return Ok(vec![None]) };
        let shape = inputs.tensor(0).map_or_else(SymbolicShape::unknown, |(_, shape)| shape.clone());
        Ok(vec![Some(ValueType::tensor(output, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (x, scales) = (inputs.take_tensor(0, "x")?, inputs.take_tensor(1, "x_scale")?);
        let zero_points = inputs.take_optional_tensor(2, "x_zero_point")?;
        if let Some(zero_points) = &zero_points
            && zero_points.element_type() != x.element_type()
        {
            return Err(wrong_input(zero_points, 2, "x_zero_point", &format!("of the type of x, {}", x.element_type())));
        }
        let output = self.output.unwrap_or(scales.element_type());
        context.check_result_size(ElementType::F32, x.shape())?;
        let granularity = self.scaling.granularity(&x, &scales, zero_points.as_ref())?;
        let scales = scales_of(&scales, 1, "x_scale")?;
        let results = match_quantized!(x.element_type(), T => dequantize::<T>(&x, &scales, zero_points.as_ref(), granularity),
            else Err(OpError::unsupported(format!("DequantizeLinear of {}", x.element_type()))))?;
        float_tensor(output, x.shape(), results).map(single)
    }
}

/// Scales as float32, in which every one of them is exact.
fn scales_of(scales: &Tensor, index: usize, name: &'static str) -> Result<Vec<f32>, OpError> {
    match scales.element_type() {
        ElementType::F32 | ElementType::F16 | ElementType::Bf16 | ElementType::F8E8M0 => Ok(scales.to_f32s()?),
        // Opset 19 and later allow a scale of int32 for an x of int32.
        ElementType::I32 => Ok(scales.to_f32s()?),
        _ => Err(wrong_input(scales, index, name, "a tensor of floating-point numbers")),
    }
}

fn wrong_input(tensor: &Tensor, index: usize, name: &'static str, expected: &str) -> OpError {
    OpError::WrongInput { index, name, expected: expected.to_owned(), found: format!("{tensor:?}") }
}
