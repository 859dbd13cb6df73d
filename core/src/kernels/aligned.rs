//! Buffers of float32 that start at a cache line, so that no vector lies across two.

use std::cell::Cell;

use bytemuck::Zeroable as _;

/// A cache line, and the widest vector.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; Line::LENGTH]);

impl Line {
    const LENGTH: usize = 16;
}

/// A buffer of float32 aligned to a cache line. Its length is a multiple of sixteen.
#[derive(Debug, Clone, Default)]
pub struct Aligned(Vec<Line>);

impl Aligned {
    /// At least `length` zeros.
    pub fn zeros(length: usize) -> Self {
        Self(vec![Line::zeroed(); length.div_ceil(Line::LENGTH)])
    }

    /// At least `length` elements, whatever they are.
    fn grow(&mut self, length: usize) {
        let lines = length.div_ceil(Line::LENGTH);
        if self.0.len() < lines {
            self.0.resize(lines, Line::zeroed());
        }
    }
}

impl std::ops::Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }
}

impl std::ops::DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// Lends `work` a buffer of at least `length` elements with unspecified contents. Each thread keeps its buffer for the next time.
pub fn with_scratch<T>(length: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    thread_local! {
        static SCRATCH: Cell<Aligned> = const { Cell::new(Aligned(Vec::new())) };
    }
    // Taken out while it is lent: work that runs inside this work on the same thread finds none, and makes its own.
    let mut buffer = SCRATCH.take();
    buffer.grow(length);
    let result = work(&mut buffer[..length]);
    SCRATCH.set(buffer);
    result
}
