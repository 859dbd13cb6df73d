//! A window that slides over the spatial axes of `[batch, channels, spatial…]`: what convolutions and pools share.

use smallvec::SmallVec;

use super::{NodeContext, OpError};
use crate::graph::Dimension;

/// Kernel, strides, dilations and padding as a node gives them.
#[derive(Debug, Clone)]
pub struct Window {
    /// `kernel_shape`; convolutions may leave it to their weights.
    pub kernel: Option<Vec<usize>>,
    strides: Option<Vec<usize>>,
    dilations: Option<Vec<usize>>,
    pub padding: Padding,
    /// Whether a last window may reach beyond the padded input.
    pub ceil_mode: bool,
}

/// `auto_pad` and `pads`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Padding {
    /// Begins of all axes, then their ends; absent = none.
    Explicit(Option<Vec<usize>>),
    /// As many outputs as strides fit the input; an odd element of padding goes to the end.
    SameUpper,
    /// As [`Self::SameUpper`], with the odd element at the beginning.
    SameLower,
}

/// A window on one axis of a known size, and where it puts its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxisWindow {
    pub input: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub before: usize,
    pub after: usize,
    pub output: usize,
}

/// One per spatial axis.
pub type AxisWindows = SmallVec<[AxisWindow; 3]>;

/// Larger attributes make no sense, and smaller ones cannot overflow below.
const LARGEST: i64 = i32::MAX as i64;

fn sizes(context: &NodeContext<'_>, name: &str, smallest: i64) -> Result<Option<Vec<usize>>, OpError> {
    let Some(values) = context.attributes.ints(name)? else { return Ok(None) };
    let in_range = |&value: &i64| usize::try_from(value).ok().filter(|_| (smallest..=LARGEST).contains(&value));
    let sizes: Option<Vec<usize>> = values.iter().map(in_range).collect();
    sizes.map(Some).ok_or_else(|| OpError::value(format!("attribute '{name}' should hold numbers from {smallest} to {LARGEST}, but is {values:?}")))
}

impl Window {
    pub fn new(context: &NodeContext<'_>) -> Result<Self, OpError> {
        let padding = match context.attributes.text("auto_pad")?.unwrap_or("NOTSET") {
            "NOTSET" | "" => Padding::Explicit(sizes(context, "pads", 0)?),
            "VALID" => Padding::Explicit(None),
            "SAME_UPPER" => Padding::SameUpper,
            "SAME_LOWER" => Padding::SameLower,
            other => {
                return Err(OpError::value(format!("attribute 'auto_pad' should be NOTSET, SAME_UPPER, SAME_LOWER or VALID, but is '{other}'")));
            }
        };
        Ok(Self {
            kernel: sizes(context, "kernel_shape", 1)?,
            strides: sizes(context, "strides", 1)?,
            dilations: sizes(context, "dilations", 1)?,
            padding,
            ceil_mode: context.attributes.int("ceil_mode")?.unwrap_or(0) != 0,
        })
    }

    /// Refuses attributes that are not for `n_axes` spatial axes.
    pub fn check_rank(&self, n_axes: usize) -> Result<(), OpError> {
        let pads = match &self.padding {
            Padding::Explicit(Some(pads)) => Some(pads.len().div_ceil(2)),
            _ => None,
        };
        let lists = [("kernel_shape", self.kernel.as_ref()), ("strides", self.strides.as_ref()), ("dilations", self.dilations.as_ref())];
        let lengths = lists.into_iter().map(|(name, list)| (name, list.map(Vec::len))).chain([("pads", pads)]);
        for (name, length) in lengths {
            if length.is_some_and(|length| length != n_axes) {
                return Err(OpError::shape(format!("attribute '{name}' does not fit the input, which has {n_axes} spatial axes")));
            }
        }
        Ok(())
    }

    /// Stride, dilation and explicit padding of an axis.
    fn axis(&self, axis: usize, n_axes: usize) -> (usize, usize, (usize, usize)) {
        let entry = |list: &Option<Vec<usize>>| list.as_ref().and_then(|list| list.get(axis)).copied().unwrap_or(1);
        let pad = |index: usize| match &self.padding {
            Padding::Explicit(Some(pads)) => pads.get(index).copied().unwrap_or(0),
            _ => 0,
        };
        (entry(&self.strides), entry(&self.dilations), (pad(axis), pad(axis + n_axes)))
    }

    pub fn stride(&self, axis: usize) -> usize {
        self.axis(axis, 0).0
    }

    pub fn dilation(&self, axis: usize) -> usize {
        self.axis(axis, 0).1
    }

    /// `(before, after)` as the attribute gives it.
    pub fn explicit_padding(&self, axis: usize, n_axes: usize) -> (usize, usize) {
        self.axis(axis, n_axes).2
    }

    /// Puts the window on an input. `kernel` has one entry per spatial axis.
    pub fn place(&self, kernel: &[usize], input: &[usize]) -> Result<AxisWindows, OpError> {
        self.check_rank(input.len())?;
        kernel.iter().zip(input).enumerate().map(|(axis, (&kernel, &dim))| self.place_on(axis, kernel, dim, input.len())).collect()
    }

    fn place_on(&self, axis: usize, kernel: usize, input: usize, n_axes: usize) -> Result<AxisWindow, OpError> {
        let (stride, dilation, (before, after)) = self.axis(axis, n_axes);
        let mut window = AxisWindow { input, kernel, stride, dilation, before, after, output: 0 };
        if kernel == 0 || input == 0 {
            return Err(OpError::shape(format!("spatial axis {axis} has {input} elements under a kernel of {kernel}; both must be at least 1")));
        }
        if input > LARGEST as usize || kernel > LARGEST as usize {
            return Err(OpError::unsupported(format!("a spatial axis of more than {LARGEST} elements")));
        }
        if self.padding == Padding::SameUpper || self.padding == Padding::SameLower {
            window.output = input.div_ceil(stride);
            let total = ((window.output - 1) * stride + window.extent()).saturating_sub(input);
            window.before = if self.padding == Padding::SameUpper { total / 2 } else { total.div_ceil(2) };
            window.after = total - window.before;
            return Ok(window);
        }
        let padded = window.padded();
        let Some(room) = padded.checked_sub(window.extent()) else {
            return Err(OpError::shape(format!(
                "the kernel covers {} elements of spatial axis {axis}, which has only {padded} with its padding",
                window.extent()
            )));
        };
        window.output = if self.ceil_mode { room.div_ceil(stride) } else { room / stride } + 1;
        // A last window that would start in the padding after the input does not count.
        if self.ceil_mode && (window.output - 1) * stride >= input + before {
            window.output -= 1;
        }
        Ok(window)
    }

    /// The spatial dimensions of the output, as far as they are known.
    pub fn infer(&self, kernel: Option<&[usize]>, input: &[Dimension]) -> Result<Vec<Dimension>, OpError> {
        self.check_rank(input.len())?;
        let Some(kernel) = kernel.filter(|kernel| kernel.len() == input.len()) else { return Ok(vec![Dimension::Unknown; input.len()]) };
        let output = |(axis, (dim, &kernel)): (usize, (&Dimension, &usize))| {
            let (stride, dilation, (before, after)) = self.axis(axis, input.len());
            let keeps_size = stride == 1
                && match self.padding {
                    Padding::Explicit(_) => before + after == (kernel.saturating_sub(1)).saturating_mul(dilation),
                    Padding::SameUpper | Padding::SameLower => true,
                };
            match dim {
                Dimension::Known(dim) => Ok(Dimension::Known(self.place_on(axis, kernel, *dim, input.len())?.output)),
                dim if keeps_size => Ok(dim.clone()),
                _ => Ok(Dimension::Unknown),
            }
        };
        input.iter().zip(kernel).enumerate().map(output).collect()
    }
}

impl AxisWindow {
    /// An axis that is not there: one element, one window.
    pub const TRIVIAL: Self = Self { input: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, output: 1 };

    /// Elements from the first to the last that a window covers.
    pub fn extent(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Elements of the axis with its padding.
    pub fn padded(&self) -> usize {
        self.before + self.input + self.after
    }

    /// The elements of the kernel that meet the input (rather than padding) at an output.
    pub fn taps(&self, output: usize) -> std::ops::Range<usize> {
        meeting(output * self.stride, self.dilation, self.kernel, self.before, self.input)
    }

    /// The outputs at which an element of the kernel meets the input.
    pub fn outputs(&self, tap: usize) -> std::ops::Range<usize> {
        meeting(tap * self.dilation, self.stride, self.output, self.before, self.input)
    }

    /// How many elements of the kernel lie on the input or its padding at an output; fewer than all only for a last window in ceil mode.
    pub fn padded_taps(&self, output: usize) -> usize {
        self.padded().saturating_sub(output * self.stride).div_ceil(self.dilation).min(self.kernel)
    }

    /// The element of the input under a tap that meets it.
    pub fn position(&self, output: usize, tap: usize) -> usize {
        output * self.stride + tap * self.dilation - self.before
    }
}

/// The `i < count` for which `before <= start + i * step < before + input`.
fn meeting(start: usize, step: usize, count: usize, before: usize, input: usize) -> std::ops::Range<usize> {
    let first = before.saturating_sub(start).div_ceil(step).min(count);
    let last = (before + input).saturating_sub(start).div_ceil(step).min(count);
    first..last.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_and_outputs_agree_with_a_walk_over_all_of_them() {
        for (input, kernel, stride, dilation, before, after) in [(5, 3, 2, 1, 1, 1), (7, 2, 3, 3, 0, 4), (3, 4, 1, 2, 3, 3), (1, 1, 1, 1, 0, 0)] {
            let output = (input + before + after - (kernel - 1) * dilation - 1) / stride + 1;
            let window = AxisWindow { input, kernel, stride, dilation, before, after, output };
            let meets = |output: usize, tap: usize| {
                let position = output * stride + tap * dilation;
                position >= before && position < before + input
            };
            for at in 0..output {
                assert!((0..kernel).all(|tap| meets(at, tap) == window.taps(at).contains(&tap)), "{window:?} at {at}");
                assert_eq!(window.padded_taps(at), kernel);
            }
            for tap in 0..kernel {
                assert!((0..output).all(|at| meets(at, tap) == window.outputs(tap).contains(&at)), "{window:?} for tap {tap}");
            }
        }
    }
}
