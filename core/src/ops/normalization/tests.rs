//! Expected results from ONNX Runtime 1.31, except where said.

use half::f16;

use crate::host::ElementType;
use crate::ops::testing::{assert_close, assert_tensor, op, ramp, tensor, typed};
use crate::tensor::Tensor;

/// `ramp` moved up by a number.
fn raised(shape: &[usize], by: f32) -> Tensor {
    tensor(shape, &ramp(shape).as_slice::<f32>().unwrap().iter().map(|value| value + by).collect::<Vec<_>>())
}

#[test]
fn batches_of_halves_are_rounded_once() {
    // 17 · 1000 − 16999 · 1 = 1, though a product of 17,000 has steps of 16 in float16.
    let halves = |value: f32| tensor(&[1], &[f16::from_f32(value)]);
    let floats = |value: f32| tensor(&[1], &[value]);
    let case = op("BatchNormalization").opset(15).float("epsilon", 0.0);
    let result = case.run1([tensor(&[1, 1], &[f16::from_f32(1000.0)]), floats(17.0), floats(-16_999.0), floats(0.0), floats(1.0)]);
    assert_tensor(&result, &[1, 1], &[f16::ONE]);
    let result = case.run1([tensor(&[1, 1], &[f16::from_f32(1000.0)]), halves(17.0), halves(-16_992.0), halves(0.0), halves(1.0)]);
    assert_tensor(&result, &[1, 1], &[f16::from_f32(8.0)]);
}

#[test]
fn batches_by_given_statistics() {
    let parameters = || [ramp(&[3]), raised(&[3], 1.0), tensor(&[3], &[-2.5_f32, 1.0, -1.0]), tensor(&[3], &[1.75_f32, 1.0, 1.0])];
    let expected = [
        -1.427_779,
        -3.076_669,
        0.753_722_2,
        1.624_38,
        -0.121_898_2,
        0.375_620_4,
        -3.547_781,
        -2.605_557,
        0.504_962_9,
        1.375_62,
        0.126_861_1,
        0.624_379_6,
    ];
    let case = op("BatchNormalization").float("epsilon", 0.01);
    let inputs = || std::iter::once(ramp(&[2, 3, 2])).chain(parameters());
    assert_close(&case.run1(inputs()), &[2, 3, 2], &expected);
    let prepared = parameters().iter().enumerate().fold(case.clone(), |case, (index, parameter)| case.constant(index + 1, parameter));
    assert_close(&prepared.run1(inputs()), &[2, 3, 2], &expected);
    assert_close(&case.clone().opset(7).run1(inputs()), &[2, 3, 2], &expected);
    assert_close(&case.clone().opset(6).int("is_test", 1).run1(inputs()), &[2, 3, 2], &expected);

    let one = || tensor(&[1], &[1.0_f32]);
    let list = op("BatchNormalization").float("epsilon", 0.0).run1([ramp(&[3]), one(), one(), one(), one()]);
    assert_close(&list, &[3], &[-1.25, 0.5, -0.5]);
    let empty = Tensor::empty(ElementType::F32, &[0, 3, 2]);
    assert_tensor::<f32>(&case.run1(std::iter::once(empty).chain(parameters())), &[0, 3, 2], &[]);

    let training = "BatchNormalization in training mode before opset 14 (export the model for inference) is not supported";
    assert_eq!(case.clone().opset(6).error(inputs()), training);
    assert!(case.clone().outputs(3).error(inputs()).contains("3 outputs"));
    let mut wrong: Vec<Tensor> = inputs().collect();
    wrong[0] = ramp(&[2, 4, 2]);
    assert_eq!(case.error(wrong), "an input of shape [2, 4, 2] needs parameters of shape [4], but they have [3]");
    let mut wrong: Vec<Tensor> = inputs().collect();
    wrong[3] = ramp(&[2]);
    assert_eq!(case.error(wrong), "input 3 (mean) should be floating-point numbers of shape [3], as scale is, but is float32[2]");
}

#[test]
fn instances_by_their_own_statistics() {
    let expected = [-2.121_01, -0.291_888_8, -1.337_101, 3.559_568, 0.5, -2.559_568, -0.332_129_5, -1.25, -2.167_871, 3.559_568, 0.5, -2.559_568];
    let case = op("InstanceNormalization").float("epsilon", 0.001);
    assert_close(&case.run1([ramp(&[2, 2, 3]), raised(&[2], 2.0), ramp(&[2])]), &[2, 2, 3], &expected);
    assert_eq!(case.error([ramp(&[2, 2, 3]), ramp(&[3]), ramp(&[2])]), "scale has shape [3], but there are 2 channels");
    let empty = Tensor::empty(ElementType::F32, &[0, 2, 3]);
    assert_tensor::<f32>(&case.run1([empty, ramp(&[2]), ramp(&[2])]), &[0, 2, 3], &[]);
}

#[test]
fn layers_by_row() {
    let expected = [
        -0.921_735_8,
        1.287_834,
        -0.762_611_4,
        4.204_378,
        -1.299_999,
        -1.599_973,
        0.199_991,
        0.800_005_8,
        -1.069_277,
        2.789_156,
        -0.379_518_1,
        -1.099_397,
        -1.299_999,
        -1.599_973,
        0.199_991,
        0.800_005_8,
        -1.069_277,
        2.789_156,
        -0.379_518_1,
        -1.099_397,
        -1.511_044,
        0.138_554_3,
        -1.263_052,
        2.876_506,
    ];
    let inputs = || [ramp(&[2, 3, 4]), raised(&[4], 1.0), ramp(&[4])];
    // Burn's fused operation, and the one with all outputs.
    assert_close(&op("LayerNormalization").run1(inputs()), &[2, 3, 4], &expected);
    let outputs = op("LayerNormalization").outputs(3).try_run(inputs()).unwrap();
    assert_close(&outputs[0], &[2, 3, 4], &expected);
    assert_close(&outputs[1], &[2, 3, 1], &[0.0, 0.125, -0.4375, 0.375, -0.1875, -0.0625]);
    assert_close(&outputs[2], &[2, 3, 1], &[1.050_446, 1.599_979, 1.285_14, 1.599_979, 1.285_14, 1.285_14]);

    let expected = [
        0.325_810_6,
        0.977_431_8,
        -0.232_721_8,
        3.351_194,
        0.465_443_7,
        -0.186_177_4,
        -0.317_986_1,
        0.211_990_8,
        -0.494_645_1,
        2.225_903,
        -0.176_659,
        -0.317_986_1,
    ];
    let case = op("LayerNormalization").int("axis", 1).float("epsilon", 0.1);
    assert_close(&case.run1([ramp(&[2, 3, 2]), raised(&[3, 2], 1.0)]), &[2, 3, 2], &expected);
    let broadcast = case.run1([ramp(&[2, 3, 2]), tensor(&[3, 1], &[2.0_f32; 3])]);
    let spelled_out = case.run1([ramp(&[2, 3, 2]), tensor(&[3, 2], &[2.0_f32; 6])]);
    assert_close(&broadcast, &[2, 3, 2], &spelled_out.as_slice::<f32>().unwrap());

    assert_eq!(case.error([ramp(&[2, 3]), ramp(&[4])]), "shape [4] does not broadcast to [2, 3]");
    assert_eq!(
        case.clone().int("stash_type", 7).error([ramp(&[2, 3]), ramp(&[3])]),
        "attribute 'stash_type' is 7; it may be 1 (float32), 10 (float16), 11 (float64) or 16 (bfloat16)"
    );
    let inferred = op("LayerNormalization").outputs(2).infer([typed::<f32>("N, 7, 4"), typed::<f32>("4")]);
    assert_eq!(inferred, [Some("float32[N, 7, 4]".to_owned()), Some("float32[N, 7, 1]".to_owned())]);
    assert_tensor::<f32>(&op("LayerNormalization").run1([Tensor::empty(ElementType::F32, &[0, 4]), ramp(&[4])]), &[0, 4], &[]);
}

/// Expected results from numpy in float64, after the specification's formula: ONNX Runtime takes odd sizes only.
#[test]
fn responses_by_their_neighbours() {
    let odd = op("LRN").int("size", 3).float("alpha", 0.5).float("beta", 0.75).float("bias", 1.5);
    let expected = [-0.803_672, 0.321_468_8, -0.320_082_2, 0.773_677_3, 0.166_544_6, -0.472_008_4, 0.632_009_3, 0.0, -0.634_700_6, 0.528_744_8];
    assert_close(&odd.run1([ramp(&[1, 5, 1, 2])]), &[1, 5, 1, 2], &expected);
    let even = op("LRN").int("size", 4).float("alpha", 1.0).float("beta", 0.5).float("bias", 2.0);
    let expected = [-0.795_557_3, 0.310_460_2, -0.303_239_2, 0.776_150_5, 0.163_846_4, -0.471_404_5, 0.664_363_8, 0.0];
    assert_close(&even.run1([ramp(&[1, 4, 2])]), &[1, 4, 2], &expected);
    // What is not a number stays among its neighbours.
    let broken = odd.run1([tensor(&[1, 4], &[f32::INFINITY, 0.5, 0.5, 0.5])]);
    assert!(broken.as_slice::<f32>().unwrap()[2..].iter().all(|value| value.is_finite() && *value > 0.0));
    // A window much wider than there are channels sees all of them.
    let wide = op("LRN").int("size", i64::from(i32::MAX)).float("alpha", 0.0).float("bias", 4.0).float("beta", 0.5);
    assert_close(&wide.run1([ramp(&[1, 2])]), &[1, 2], &[-0.625, 0.25]);
    assert_eq!(op("LRN").int("size", 0).error([ramp(&[1, 2])]), "attribute 'size' is 0; it must be at least 1");
}

#[test]
fn half_precision_is_rounded_once() {
    let halves = |tensor: &Tensor| -> Vec<f16> { tensor.as_slice::<f32>().unwrap().iter().map(|&value| f16::from_f32(value)).collect() };
    let inputs = [ramp(&[2, 2, 3]), raised(&[2], 2.0), ramp(&[2])];
    let expected = halves(&op("InstanceNormalization").run1(inputs.clone()));
    let result = op("InstanceNormalization").run1(inputs.map(|input| tensor(input.shape(), &halves(&input))));
    assert_tensor(&result, &[2, 2, 3], &expected);
}

#[test]
fn a_batch_is_normalized_by_its_own_statistics_in_training() {
    let case = op("BatchNormalization").int("training_mode", 1).float("momentum", 0.75).float("epsilon", 0.0).outputs(3);
    let one = |value: f32| tensor(&[1], &[value]);
    // The batch has the mean 4 and the variance 9.
    let outputs = case.try_run([tensor(&[2, 1, 1], &[1.0_f32, 7.0]), one(2.0), one(0.5), one(0.0), one(1.0)]).unwrap();
    assert_close(&outputs[0], &[2, 1, 1], &[-1.5, 2.5]);
    assert_close(&outputs[1], &[1], &[1.0]);
    assert_close(&outputs[2], &[1], &[3.0]);
    let wrong = case.error([tensor(&[2, 2, 1], &[0.0_f32; 4]), one(2.0), one(0.5), one(0.0), one(1.0)]);
    assert_eq!(wrong, "an input of shape [2, 2, 1] needs parameters of shape [2], but they have [1]");
}

/// Before opset 9, `spatial` of 0 gives every element of an example its own statistics.
#[test]
fn elements_have_their_own_statistics_without_spatial() {
    let parameters = || [1.0_f32, 0.5, 2.0, 3.0].map(|value| tensor(&[2, 1], &[value, value + 1.0]));
    let case = op("BatchNormalization").opset(7).int("spatial", 0).float("epsilon", 0.0);
    let result = case.run1(std::iter::once(tensor(&[1, 2, 1], &[2.0_f32, 5.0])).chain(parameters()));
    // (2 − 2) / √3 · 1 + 0.5 and (5 − 3) / √4 · 2 + 1.5.
    assert_close(&result, &[1, 2, 1], &[0.5, 3.5]);
    let wrong = case.error(std::iter::once(ramp(&[1, 2, 3])).chain(parameters()));
    assert_eq!(wrong, "an input of shape [1, 2, 3] needs parameters of shape [2, 3], but they have [2, 1]");
}

#[test]
fn groups_share_statistics() {
    let case = op("GroupNormalization").int("num_groups", 2).float("epsilon", 0.0);
    let x = || tensor(&[1, 4, 1], &[1.0_f32, 3.0, 10.0, 20.0]);
    let per_channel = case.run1([x(), tensor(&[4], &[1.0_f32, 2.0, 3.0, 4.0]), tensor(&[4], &[0.0_f32, 0.0, 0.0, 1.0])]);
    assert_close(&per_channel, &[1, 4, 1], &[-1.0, 2.0, -3.0, 5.0]);
    let per_group = case.clone().opset(18).run1([x(), tensor(&[2], &[1.0_f32, 2.0]), tensor(&[2], &[0.0_f32, 1.0])]);
    assert_close(&per_group, &[1, 4, 1], &[-1.0, 1.0, -1.0, 3.0]);
    let error = case.error([x(), tensor(&[2], &[1.0_f32; 2]), tensor(&[2], &[1.0_f32; 2])]);
    assert_eq!(error, "scale has shape [2], but there are 4 channels");
    let odd = op("GroupNormalization").int("num_groups", 3).error([x(), ramp(&[4]), ramp(&[4])]);
    assert_eq!(odd, "4 channels do not make 3 groups of one size");
    assert_eq!(op("GroupNormalization").int("num_groups", 0).error([x()]), "attribute 'num_groups' is 0; it must be at least 1");
}

#[test]
fn rows_over_their_root_mean_square() {
    let case = op("RMSNormalization").opset(23).float("epsilon", 0.0);
    let result = case.run1([tensor(&[1, 2], &[3.0_f32, 4.0]), tensor(&[2], &[1.0_f32, 2.0])]);
    assert_close(&result, &[1, 2], &[0.848_528_14, 2.262_741_7]);
    // The result has the scale's type.
    let halves = case.run1([tensor(&[1, 2], &[3.0_f32, 4.0]), tensor(&[2], &[f16::ONE, f16::ONE])]);
    assert_eq!(halves.element_type(), ElementType::F16);
    assert_eq!(case.error([ramp(&[2, 3]), ramp(&[4])]), "shape [4] does not broadcast to [2, 3]");
    assert_eq!(case.infer([typed::<f32>("n, 4"), typed::<f16>("4")]), [Some("float16[n, 4]".to_owned())]);
}

#[test]
fn norms_of_zero_leave_zeros() {
    let x = || tensor(&[2, 2], &[3.0_f32, 4.0, 0.0, 0.0]);
    assert_close(&op("LpNormalization").run1([x()]), &[2, 2], &[0.6, 0.8, 0.0, 0.0]);
    assert_close(&op("LpNormalization").int("p", 1).int("axis", 0).run1([x()]), &[2, 2], &[1.0, 1.0, 0.0, 0.0]);
    assert_eq!(op("LpNormalization").int("p", 3).error([x()]), "attribute 'p' is 3; it may be 1 or 2");
}

#[test]
fn means_and_variances_over_any_axes() {
    let case = op("MeanVarianceNormalization").ints("axes", &[0, -1]);
    assert_close(&case.run1([tensor(&[2, 1, 2], &[1.0_f32, 3.0, 1.0, 3.0])]), &[2, 1, 2], &[-1.0, 1.0, -1.0, 1.0]);
    assert_close(&case.run1([tensor(&[1, 1, 2], &[2.0_f32, 2.0])]), &[1, 1, 2], &[0.0, 0.0]);
    assert_eq!(op("MeanVarianceNormalization").error([ramp(&[2, 3])]), "axis 2 is out of range [-2, 1] for a tensor of rank 2");
}
