//! Expected results by hand or from the specification's examples; the golden cases hold the rest.

use crate::host::{Bool, ElementType};
use crate::ops::testing::{assert_close, assert_tensor, bools, op, ramp, tensor, typed};
use crate::tensor::Tensor;

fn image() -> Tensor {
    tensor(&[1, 1, 2, 2], &[1.0_f32, 2.0, 3.0, 4.0])
}

/// A grid of points `(x, y)`.
fn points(points: &[f32]) -> Tensor {
    tensor(&[1, 1, points.len() / 2, 2], points)
}

#[test]
fn places_between_elements_are_read() {
    let grid = || points(&[0.0, 0.0, -0.5, -0.5, 1.0, 1.0, 3.0, 0.0]);
    assert_close(&op("GridSample").run1([image(), grid()]), &[1, 1, 1, 4], &[2.5, 1.0, 1.0, 0.0]);
    let border = op("GridSample").text("padding_mode", "border").int("align_corners", 1);
    assert_close(&border.run1([image(), grid()]), &[1, 1, 1, 4], &[2.5, 1.75, 4.0, 3.0]);
    let nearest = op("GridSample").opset(16).text("mode", "nearest").text("padding_mode", "reflection");
    assert_close(&nearest.run1([image(), points(&[-0.4, 0.6, -1.6, 0.5, 2.4, -0.5])]), &[1, 1, 1, 3], &[3.0, 3.0, 1.0]);
    let bytes = op("GridSample").text("mode", "nearest").run1([tensor(&[1, 1, 1, 2], &[7_u8, 9]), points(&[0.5, 0.0])]);
    assert_tensor(&bytes, &[1, 1, 1, 1], &[9_u8]);
    let flags = op("GridSample").text("mode", "nearest").run1([bools(&[1, 1, 1, 2], &[false, true]), points(&[0.5, 0.0, -0.5, 0.0])]);
    assert_eq!(flags.as_slice::<Bool>().unwrap().iter().map(|flag| flag.get()).collect::<Vec<_>>(), [true, false]);
    let line = op("GridSample").run1([tensor(&[1, 1, 2], &[1.0_f64, 3.0]), tensor(&[1, 3, 1], &[-0.5_f64, 0.0, 0.5])]);
    assert_tensor(&line, &[1, 1, 3], &[1.0_f64, 2.0, 3.0]);
    assert!(op("GridSample").run1([image(), points(&[f32::NAN, 0.0])]).as_slice::<f32>().is_ok());
    assert_eq!(op("GridSample").run1([image(), Tensor::empty(ElementType::F32, &[1, 0, 3, 2])]).shape(), [1, 1, 0, 3]);
    let types = [typed::<f32>("N, 3, 8, 8"), typed::<f32>("N, h, 5, 2")];
    assert_eq!(op("GridSample").infer(types), [Some("float32[N, 3, h, 5]".to_owned())]);
}

#[test]
fn grids_that_do_not_fit_are_refused() {
    assert!(op("GridSample").error([image(), tensor(&[1, 2, 2], &[0.0_f32; 4])]).contains("should have its rank and batch"));
    assert!(op("GridSample").error([image(), tensor(&[1, 1, 1, 3], &[0.0_f32; 3])]).contains("one coordinate for each spatial axis"));
    assert!(op("GridSample").error([image(), tensor(&[2, 1, 1, 2], &[0.0_f32; 4])]).contains("batch"));
    assert!(op("GridSample").error([image(), tensor(&[1, 1, 1, 2], &[0_i64; 2])]).contains("floating-point"));
    let nothing = Tensor::empty(ElementType::F32, &[1, 1, 0, 2]);
    assert_eq!(op("GridSample").error([nothing, points(&[0.0, 0.0])]), "X of shape [1, 1, 0, 2] has no elements to sample");
    assert!(op("GridSample").text("mode", "area").error([image(), points(&[0.0, 0.0])]).contains("'area'"));
    assert!(op("GridSample").text("padding_mode", "wrap").error([image(), points(&[0.0, 0.0])]).contains("'wrap'"));
    let many = op("GridSample").error([ramp(&[1, 1, 1, 1, 1, 1, 1]), ramp(&[1, 1, 1, 1, 1, 1, 5])]);
    assert_eq!(many, "GridSample over 5 spatial axes is not supported");
}

#[test]
fn the_identity_makes_the_grid_itself() {
    let theta = || tensor(&[1, 2, 3], &[1.0_f32, 0.0, 0.0, 0.0, 1.0, 0.5]);
    let size = |size: &[i64]| tensor(&[size.len()], size);
    let grid = op("AffineGrid").run1([theta(), size(&[1, 1, 2, 2])]);
    assert_close(&grid, &[1, 2, 2, 2], &[-0.5, 0.0, 0.5, 0.0, -0.5, 1.0, 0.5, 1.0]);
    let corners = op("AffineGrid").int("align_corners", 1).run1([theta(), size(&[1, 1, 1, 3])]);
    assert_close(&corners, &[1, 1, 3, 2], &[-1.0, -0.5, 0.0, -0.5, 1.0, -0.5]);
    assert!(op("AffineGrid").error([theta(), size(&[2, 1, 2, 2])]).contains("[N, 2, 3] and [N, C, H, W]"));
    assert!(op("AffineGrid").error([theta(), size(&[1])]).contains("[N, 2, 3] and [N, C, H, W]"));
    assert!(op("AffineGrid").error([theta(), size(&[1, 1, -2, 2])]).contains("is negative"));
    assert!(op("AffineGrid").max_result_bytes(1000).error([theta(), size(&[1, 1, 1 << 30, 1 << 30])]).contains("more than the limit"));
    let constant = op("AffineGrid").constant(1, &size(&[1, 1, 4, 5]));
    assert_eq!(constant.infer([typed::<f32>("1, 2, 3"), typed::<i64>("4")]), [Some("float32[1, 4, 5, 2]".to_owned())]);
    assert_eq!(op("AffineGrid").infer([typed::<f32>("N, 3, 4"), typed::<i64>("5")]), [Some("float32[N, ?, ?, ?, 3]".to_owned())]);
}

#[test]
fn regions_are_pooled_to_one_size() {
    let map = || tensor(&[1, 1, 3, 3], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    let roi = |corners: [f32; 4]| tensor(&[1, 4], &corners);
    let first = || tensor(&[1], &[0_i64]);
    // One point in the middle of the map.
    assert_close(&op("RoiAlign").int("sampling_ratio", 1).run1([map(), roi([0.0, 0.0, 3.0, 3.0]), first()]), &[1, 1, 1, 1], &[5.0]);
    let early = op("RoiAlign").opset(10).int("sampling_ratio", 1).run1([map(), roi([0.0, 0.0, 1.0, 1.0]), first()]);
    assert_close(&early, &[1, 1, 1, 1], &[3.0]);
    // Far outside, and inside out.
    assert_close(&op("RoiAlign").int("sampling_ratio", 2).run1([map(), roi([90.0, 90.0, 95.0, 95.0]), first()]), &[1, 1, 1, 1], &[0.0]);
    assert_close(&op("RoiAlign").run1([map(), roi([3.0, 3.0, 0.0, 0.0]), first()]), &[1, 1, 1, 1], &[0.0]);
    assert!(op("RoiAlign").error([map(), roi([0.0, 0.0, 1e30, 1e30]), first()]).contains("more than the limit"));
    assert!(op("RoiAlign").error([map(), roi([0.0; 4]), tensor(&[1], &[1_i64])]).contains("from 0 to below 1"));
    assert!(op("RoiAlign").error([map(), roi([0.0; 4]), tensor(&[2], &[0_i64; 2])]).contains("one image for each of 1 regions"));
    assert!(op("RoiAlign").error([map(), ramp(&[1, 5]), first()]).contains("[regions, 4]"));
    assert!(op("RoiAlign").int("output_height", 0).error([map(), roi([0.0; 4]), first()]).contains("at least 1"));
    assert!(op("RoiAlign").text("mode", "min").error([map(), roi([0.0; 4]), first()]).contains("'min'"));
    let types = [typed::<f32>("N, 8, h, w"), typed::<f32>("regions, 4"), typed::<i64>("regions")];
    assert_eq!(op("RoiAlign").int("output_width", 7).infer(types), [Some("float32[regions, 8, 1, 7]".to_owned())]);

    let pool = op("MaxRoiPool").ints("pooled_shape", &[1, 2]);
    let rois = tensor(&[2, 5], &[0.0_f32, 0.0, 0.0, 2.0, 1.0, 0.0, 50.0, 50.0, 60.0, 60.0]);
    assert_close(&pool.run1([map(), rois]), &[2, 1, 1, 2], &[5.0, 6.0, 0.0, 0.0]);
    let huge = tensor(&[1, 5], &[0.0_f32, -1e30, -1e30, 1e30, 1e30]);
    assert_eq!(pool.run1([map(), huge]).shape(), [1, 1, 1, 2]);
    assert_eq!(pool.error([map(), tensor(&[1, 5], &[1.0_f32, 0.0, 0.0, 1.0, 1.0])]), "a region is of image 1.0, but there are 1");
    assert!(op("MaxRoiPool").error([map(), ramp(&[1, 5])]).contains("'pooled_shape' is missing"));
}

#[test]
fn kernels_are_deformed() {
    // The example of the specification's tests: one offset of (0.5, 0) moves the first element half a row down.
    let x = || tensor(&[1, 1, 3, 3], &[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    let ones = || tensor(&[1, 1, 2, 2], &[1.0_f32; 4]);
    let mut offsets = [0.0_f32; 32];
    offsets[0] = 0.5;
    offsets[23] = -0.1;
    let offsets = || tensor(&[1, 8, 2, 2], &offsets);
    assert_close(&op("DeformConv").run1([x(), ones(), offsets()]), &[1, 1, 2, 2], &[9.5, 12.0, 20.0, 23.9]);
    let zero = || tensor(&[1, 8, 2, 2], &[0.0_f32; 32]);
    let bias = tensor(&[1], &[10.0_f32]);
    let mask = tensor(&[1, 4, 2, 2], &[0.5_f32; 16]);
    assert_close(&op("DeformConv").run1([x(), ones(), zero(), bias, mask]), &[1, 1, 2, 2], &[14.0, 16.0, 20.0, 22.0]);
    assert!(op("DeformConv").error([x(), ones(), ramp(&[1, 4, 2, 2])]).contains("should have [1, 8, 2, 2]"));
    assert!(op("DeformConv").int("group", 2).error([x(), ones(), zero()]).contains("do not fall into 2 groups"));
    assert!(op("DeformConv").int("offset_group", 0).error([x(), ones(), zero()]).contains("should be at least 1"));
    assert!(op("DeformConv").ints("kernel_shape", &[3, 3]).error([x(), ones(), zero()]).contains("differs from the kernel of W"));
    assert!(op("DeformConv").error([x(), ramp(&[1, 1, 4, 4]), zero()]).contains("the kernel covers 4 elements"));
    let types = [typed::<f32>("N, 1, 3, 3"), typed::<f32>("6, 1, 2, 2"), typed::<f32>("N, 8, 2, 2")];
    assert_eq!(op("DeformConv").infer(types), [Some("float32[N, 6, 2, 2]".to_owned())]);
}
