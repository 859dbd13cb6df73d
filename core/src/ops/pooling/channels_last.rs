//! Pools of float32 whose channels lie next to each other in host memory, as convolutions leave them.

use super::{AxisWindow, Kind};
use crate::kernels::convolution::Axis;
use crate::kernels::pooling::{Pool, pool};
use crate::ops::OpError;
use crate::tensor::{Shape, Tensor};

/// The result, channels-last; `None` where the input does not lie so, or where the kernel does not do what is asked for.
pub fn run(input: &Tensor, windows: &[AxisWindow], shape: &[usize], kind: Kind) -> Result<Option<Tensor>, OpError> {
    let axes = match windows {
        [width] => [AxisWindow::TRIVIAL, *width],
        [height, width] => [*height, *width],
        _ => return Ok(None),
    };
    let Some(elements) = input.as_channels_last().filter(|_| input.is_only_channels_last()) else { return Ok(None) };
    let (batch, channels) = (input.shape()[0], input.shape()[1]);
    let kernel_axes =
        axes.map(|AxisWindow { input, kernel, stride, dilation, before, output, .. }| Axis { input, kernel, stride, dilation, before, output });
    let counts: [Vec<usize>; 2];
    let kind = match kind {
        Kind::Max { indices: Some(_) } | Kind::Norm { .. } => return Ok(None),
        Kind::Max { indices: None } => Pool::Maximum,
        Kind::Average { padding_counts } => {
            let count = |axis: &AxisWindow, output| if padding_counts { axis.padded_taps(output) } else { axis.taps(output).len() };
            counts = axes.map(|axis| (0..axis.output).map(|output| count(&axis, output)).collect());
            Pool::Mean { counts: [&counts[0], &counts[1]] }
        }
    };
    Ok(Some(Tensor::from_channels_last(shape, pool(elements, batch, channels, kernel_axes, kind))?))
}

/// The pool over all places: of each row first, then of the rows' results, so that sums of many small numbers keep their digits.
pub fn run_global(input: &Tensor, is_maximum: bool) -> Result<Option<Tensor>, OpError> {
    let &[batch, channels, ref spatial @ ..] = input.shape() else { return Ok(None) };
    let (height, width) = match *spatial {
        [width] => (1, width),
        [height, width] => (height, width),
        _ => return Ok(None),
    };
    let Some(elements) = input.as_channels_last().filter(|_| input.is_only_channels_last()) else { return Ok(None) };
    let all = |input| Axis { input, kernel: input, output: 1, ..Axis::TRIVIAL };
    let ones = vec![1; height];
    let row_kind = if is_maximum { Pool::Maximum } else { Pool::Mean { counts: [&ones, std::slice::from_ref(&width)] } };
    let rows = pool(elements, batch, channels, [Axis { input: height, output: height, ..Axis::TRIVIAL }, all(width)], row_kind);
    let column_kind = if is_maximum { Pool::Maximum } else { Pool::Mean { counts: [std::slice::from_ref(&height), &[1]] } };
    let pooled = pool(&rows, batch, channels, [all(height), Axis::TRIVIAL], column_kind);
    let shape: Shape = [batch, channels].into_iter().chain(spatial.iter().map(|_| 1)).collect();
    Ok(Some(Tensor::from_vec(&shape, pooled)?))
}
