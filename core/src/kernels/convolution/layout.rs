//! How an image lies in memory, and laying it as a kernel wants it.

use rayon::prelude::*;

use super::Axis;
use crate::kernels::aligned::with_scratch;

/// A batch of images of any number of channels; height and width are told by the axes that it comes with.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    pub batch: usize,
    pub channels: usize,
    pub elements: &'a [f32],
    pub layout: Layout,
}

/// The order of the axes in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[batch, channels, height, width]`
    ChannelsFirst,
    /// `[batch, height, width, channels]`
    ChannelsLast,
}

/// Below this many elements, sharing the work costs more than it saves.
const PARALLEL_ELEMENTS: usize = 1 << 16;

/// Lends `work` the image channels-last.
pub fn with_channels_last<T>(image: Image<'_>, axes: [Axis; 2], work: impl FnOnce(Image<'_>) -> T) -> T {
    let [height, width] = axes.map(|axis| axis.input);
    // One channel, or one place, lies the same either way.
    if image.layout == Layout::ChannelsLast || image.channels == 1 || height * width == 1 {
        return work(Image { layout: Layout::ChannelsLast, ..image });
    }
    let unpadded = axes.map(|axis| Axis { output: axis.input, ..Axis::TRIVIAL }).map(|axis| Axis { input: axis.output, ..axis });
    with_scratch(image.elements.len(), |scratch| {
        lay_padded(image, unpadded, scratch);
        work(Image { elements: scratch, layout: Layout::ChannelsLast, ..image })
    })
}

/// Writes what the windows cover of an image channels-last to `target`, with zeros for padding.
pub fn lay_padded(image: Image<'_>, axes: [Axis; 2], target: &mut [f32]) {
    let [height, width] = axes;
    let row_length = width.covered() * image.channels;
    let lay_row = |(index, row): (usize, &mut [f32])| {
        let (at_image, at_row) = (index / height.covered(), index % height.covered());
        let source_row = at_row.checked_sub(height.before).filter(|&row| row < height.input);
        let Some(source_row) = source_row else { return row.fill(0.0) };
        let n_places = width.input.min(width.covered() - width.before.min(width.covered()));
        let (before, rest) = row.split_at_mut(width.before.min(width.covered()) * image.channels);
        let (inside, after) = rest.split_at_mut(n_places * image.channels);
        before.fill(0.0);
        after.fill(0.0);
        match image.layout {
            Layout::ChannelsLast => {
                let start = (at_image * height.input + source_row) * width.input * image.channels;
                inside.copy_from_slice(&image.elements[start..][..inside.len()]);
            }
            Layout::ChannelsFirst => {
                let channel = |channel: usize| {
                    let start = ((at_image * image.channels + channel) * height.input + source_row) * width.input;
                    &image.elements[start..][..n_places]
                };
                if image.channels == 3 {
                    // Colours: a picture's own layout.
                    let colours = channel(0).iter().zip(channel(1)).zip(channel(2));
                    for (place, ((&red, &green), &blue)) in inside.as_chunks_mut::<3>().0.iter_mut().zip(colours) {
                        *place = [red, green, blue];
                    }
                    return;
                }
                for index in 0..image.channels {
                    let places = inside.iter_mut().skip(index).step_by(image.channels);
                    for (place, &value) in places.zip(channel(index)) {
                        *place = value;
                    }
                }
            }
        }
    };
    if target.len() < PARALLEL_ELEMENTS {
        target.chunks_mut(row_length).enumerate().for_each(lay_row);
    } else {
        target.par_chunks_mut(row_length).with_min_len(4).enumerate().for_each(lay_row);
    }
}
