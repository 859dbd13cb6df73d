//! Operators on pictures: ImageDecoder, which reads image files, and Col2Im, which lays overlapping blocks together.

mod col2im;
mod decoder;

use super::registry::{OpsetRange, Registration};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Col2Im", opsets: OpsetRange::from(18), build: col2im::build },
    Registration { domain: "", op_type: "ImageDecoder", opsets: OpsetRange::from(20), build: decoder::build },
];
