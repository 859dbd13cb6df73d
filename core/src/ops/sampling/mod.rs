//! Operators that read a tensor between its elements: GridSample and the AffineGrid for it, RoiAlign and MaxRoiPool, DeformConv.

mod affine_grid;
mod deform_conv;
mod grid_sample;
mod interpolation;
mod regions;

use super::registry::{OpsetRange, Registration};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "AffineGrid", opsets: OpsetRange::from(20), build: affine_grid::build },
    Registration { domain: "", op_type: "DeformConv", opsets: OpsetRange::from(19), build: deform_conv::build },
    Registration { domain: "", op_type: "GridSample", opsets: OpsetRange::from(16), build: grid_sample::build },
    Registration { domain: "", op_type: "MaxRoiPool", opsets: OpsetRange::from(1), build: regions::build_max_roi_pool },
    Registration { domain: "", op_type: "RoiAlign", opsets: OpsetRange::from(10), build: regions::build_roi_align },
];

#[cfg(test)]
mod tests;
