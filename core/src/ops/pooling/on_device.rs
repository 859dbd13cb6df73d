//! Pools over burn's operations, for float32 data on a GPU. Padding is laid around the input first, because burn pads all sides alike.

use burn::backend::DispatchTensor;
use burn::backend::ops::{FloatTensorOps as _, ModuleOps as _, PadMode};

use burn::tensor::Scalar;

use super::{AxisWindow, Kind};
use crate::ops::{OpError, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

pub fn run(input: Tensor, windows: &[AxisWindow], shape: &[usize], kind: Kind, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let [batch, channels] = [input.shape()[0], input.shape()[1]];
    let element_type = input.element_type();
    let [height, width] = match *windows {
        [height, width] => [height, width],
        [length] => [length, AxisWindow::TRIVIAL],
        _ => return Err(OpError::unsupported(format!("a pool over {} spatial axes on a GPU", windows.len()))),
    };
    let axes = [height, width];
    let Some(primitive) = input.reshaped(&[batch, channels, height.input, width.input])?.into_primitive() else {
        return Ok(Tensor::empty(element_type, shape));
    };
    let kernel = axes.map(|axis| axis.kernel);
    let stride = axes.map(|axis| axis.stride);
    let pooled = match kind {
        Kind::Max { .. } => {
            let padded = pad(primitive, axes, f32::NEG_INFINITY);
            Backend::max_pool2d(padded, kernel, stride, [0, 0], axes.map(|axis| axis.dilation), false)
        }
        Kind::Norm { p } => {
            // The mean over the whole kernel, padding included, is the sum divided by the kernel's size.
            let means = Backend::avg_pool2d(pad(power(primitive, p), axes, 0.0), kernel, stride, [0, 0], true, false);
            root(Backend::float_mul_scalar(means, Scalar::from((kernel[0] * kernel[1]) as f32)), p)
        }
        Kind::Average { padding_counts } => {
            let means = Backend::avg_pool2d(pad(primitive, axes, 0.0), kernel, stride, [0, 0], true, false);
            match corrections(axes, padding_counts) {
                Some(corrections) => {
                    let corrections = Tensor::from_vec(&[1, 1, height.output, width.output], corrections)?.to_device(context.device)?;
                    match corrections.into_primitive() {
                        Some(corrections) => Backend::float_mul(means, corrections),
                        None => means,
                    }
                }
                None => means,
            }
        }
    };
    let shape: Shape = shape.into();
    Ok(Tensor::from_primitive(element_type, &shape, pooled))
}

/// `|x|^p`.
pub fn power(primitive: DispatchTensor, p: f32) -> DispatchTensor {
    let magnitude = Backend::float_abs(primitive);
    if p == 1.0 { magnitude } else { Backend::float_powf_scalar(magnitude, Scalar::from(p)) }
}

/// `x^(1/p)`, for x that is not negative.
pub fn root(primitive: DispatchTensor, p: f32) -> DispatchTensor {
    if p == 1.0 { primitive } else { Backend::float_powf_scalar(primitive, Scalar::from(1.0 / p)) }
}

fn pad(primitive: DispatchTensor, axes: [AxisWindow; 2], value: f32) -> DispatchTensor {
    // Of the padding at the end, as much as the windows reach: then rounding down gives the number of outputs.
    let padding = axes.map(|axis| (axis.before, ((axis.output - 1) * axis.stride + axis.extent()).saturating_sub(axis.before + axis.input)));
    if padding == [(0, 0), (0, 0)] {
        return primitive;
    }
    Backend::float_pad(primitive, &[(0, 0), (0, 0), padding[0], padding[1]], PadMode::Constant(value))
}

/// What turns means over whole kernels into means over the elements that count; `None` where all of them do.
fn corrections(axes: [AxisWindow; 2], padding_counts: bool) -> Option<Vec<f32>> {
    let [rows, columns] = axes.map(|axis| -> Vec<f32> {
        (0..axis.output)
            .map(|output| axis.kernel as f32 / (if padding_counts { axis.padded_taps(output) } else { axis.taps(output).len() }) as f32)
            .collect()
    });
    let is_trivial = rows.iter().chain(&columns).all(|&factor| factor == 1.0);
    (!is_trivial).then(|| rows.iter().flat_map(|row| columns.iter().map(move |column| row * column)).collect())
}
