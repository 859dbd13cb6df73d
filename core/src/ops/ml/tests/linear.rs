use crate::ops::testing::{Case, assert_close, assert_strings, assert_tensor, op, tensor, typed};
use crate::tensor::Tensor;

fn x() -> Tensor {
    tensor(&[4, 2], &[1.0_f32, 2.0, -1.0, 0.5, 0.0, 0.0, 0.5, -2.0])
}

fn classifier(coefficients: &[f32], intercepts: &[f32]) -> Case {
    op("LinearClassifier").ml().outputs(2).floats("coefficients", coefficients).floats("intercepts", intercepts)
}

const ONE: ([f32; 2], [f32; 1]) = ([0.3, -0.2], [0.1]);
const TWO: ([f32; 4], [f32; 2]) = ([0.3, -0.2, -0.3, 0.2], [0.1, -0.1]);
const THREE: ([f32; 6], [f32; 3]) = ([0.3, -0.2, -0.3, 0.2, 0.5, 0.5], [0.1, -0.1, 0.0]);

#[test]
fn one_score_decides_between_two_labels() {
    let case = classifier(&ONE.0, &ONE.1).ints("classlabels_ints", &[4, 8]);
    for (post_transform, scores) in [
        ("NONE", [1.0, 7.450_581e-9, 1.3, -0.3, 0.9, 0.1, 0.349_999_96, 0.65]),
        ("LOGISTIC", [0.5, 0.5, 0.574_442_5, 0.425_557_5, 0.475_020_83, 0.524_979_2, 0.342_989_5, 0.657_010_5]),
        ("SOFTMAX", [1.0, 7.450_581e-9, 1.3, -0.3, 0.9, 0.1, 0.349_999_96, 0.65]),
    ] {
        let outputs = case.clone().text("post_transform", post_transform).try_run([x()]).unwrap();
        assert_tensor(&outputs[0], &[4], &[8_i64, 4, 8, 8]);
        assert_close(&outputs[1], &[4, 2], &scores);
    }
    let text = classifier(&ONE.0, &ONE.1).texts("classlabels_strings", &["n", "p"]);
    assert_strings(&text.try_run([x()]).unwrap()[0], &[4], &["p", "n", "p", "p"]);
    let probit = case.text("post_transform", "PROBIT");
    assert_eq!(probit.error([x()]), "post_transform PROBIT for two classes with one score is not supported");
}

#[test]
fn one_score_without_labels_is_answered_with_one_or_zero() {
    let case = classifier(&ONE.0, &ONE.1);
    let outputs = case.clone().text("post_transform", "LOGISTIC").try_run([x()]).unwrap();
    assert_tensor(&outputs[0], &[4], &[1_i64, 0, 1, 1]);
    assert_close(&outputs[1], &[4, 1], &[7.450_581e-9, -0.3, 0.1, 0.65]);
    let probit = case.text("post_transform", "PROBIT").try_run([x()]).unwrap();
    assert_close(&probit[1], &[4, 1], &[f32::NEG_INFINITY, f32::NAN, -1.281_712_9, 0.385_340_24]);
}

#[test]
fn the_largest_score_wins() {
    let two = classifier(&TWO.0, &TWO.1).ints("classlabels_ints", &[4, 8]);
    let outputs = two.text("post_transform", "SOFTMAX").try_run([x()]).unwrap();
    assert_tensor(&outputs[0], &[4], &[4_i64, 8, 4, 4]);
    assert_close(&outputs[1], &[4, 2], &[0.5, 0.5, 0.354_343_68, 0.645_656_3, 0.549_834, 0.450_166, 0.785_835, 0.214_165]);
    let three = classifier(&THREE.0, &THREE.1).ints("classlabels_ints", &[4, 8, 6]);
    for (post_transform, scores) in [
        ("NONE", [7.450_581e-9, -7.450_581e-9, 1.5, -0.3, 0.3, -0.25, 0.1, -0.1, 0.0, 0.65, -0.65, -0.75]),
        (
            "SOFTMAX_ZERO",
            [0.0, 0.0, 1.0, 0.258_171_77, 0.470_419_65, 0.271_408_53, 0.549_834, 0.450_166, 0.0, 0.658_272_1, 0.179_400_06, 0.162_327_9],
        ),
        (
            "LOGISTIC",
            [0.5, 0.5, 0.817_574_4, 0.425_557_5, 0.574_442_5, 0.437_823_5, 0.524_979_2, 0.475_020_83, 0.5, 0.657_010_44, 0.342_989_53, 0.320_821_3],
        ),
    ] {
        let outputs = three.clone().text("post_transform", post_transform).try_run([x()]).unwrap();
        assert_tensor(&outputs[0], &[4], &[6_i64, 8, 4, 4]);
        assert_close(&outputs[1], &[4, 3], &scores);
    }
    let nan = three.try_run([tensor(&[1, 2], &[f32::NAN, 0.0])]).unwrap();
    assert_tensor(&nan[0], &[1], &[4_i64]);
}

#[test]
fn classifiers_take_integers_and_single_rows() {
    let case = classifier(&ONE.0, &ONE.1).ints("classlabels_ints", &[4, 8]);
    let outputs = case.try_run([tensor(&[2, 2], &[1_i64, 2, -1, 0])]).unwrap();
    assert_close(&outputs[1], &[2, 2], &[1.0, 7.450_581e-9, 1.2, -0.2]);
    let outputs = case.try_run([tensor(&[2], &[1.0_f32, 2.0])]).unwrap();
    assert_tensor(&outputs[0], &[1], &[8_i64]);
    assert_eq!(case.infer([typed::<f32>("batch, 2")]), [Some("int64[batch]".to_owned()), Some("float32[batch, 2]".to_owned())]);
}

#[test]
fn contradictory_linear_models_are_refused() {
    let cases: &[(Case, &str)] = &[
        (classifier(&[0.3, -0.2, 0.4], &[0.1]), "X has 2 features, but the coefficients are for 3"),
        (classifier(&[0.3, -0.2, 0.4], &[0.1, 0.2]), "3 coefficients are given for 2 classes or targets"),
        (classifier(&[0.3, -0.2], &[]), "2 coefficients are given for 0 classes or targets"),
        (classifier(&THREE.0, &THREE.1).ints("classlabels_ints", &[4, 8]), "2 class labels are given for 3 classes"),
        (op("LinearClassifier").ml().outputs(2).floats("coefficients", &[0.3, -0.2]), "attribute 'intercepts' is missing; the operator needs it"),
        (op("LinearRegressor").ml().floats("coefficients", &[0.3]).int("targets", i64::MAX), "targets is 9223372036854775807, with 1 coefficients"),
        (op("LinearRegressor").ml().floats("coefficients", &[0.3, -0.2]).floats("intercepts", &[1.0, 2.0]), "2 intercepts are given for 1 targets"),
    ];
    for (case, message) in cases {
        assert_eq!(case.error([x()]), *message);
    }
}

#[test]
fn regressors_sum_per_target() {
    let one = op("LinearRegressor").ml().floats("coefficients", &[0.3, -0.2]);
    assert_close(&one.run1([x()]), &[4, 1], &[-0.1, -0.4, 0.0, 0.55]);
    let logistic = one.clone().text("post_transform", "LOGISTIC");
    assert_close(&logistic.run1([x()]), &[4, 1], &[-0.1, -0.4, 0.0, 0.55]);
    assert_close(&one.run1([tensor(&[2], &[1.0_f32, 2.0])]), &[1, 1], &[-0.1]);
    let two = op("LinearRegressor").ml().int("targets", 2).floats("coefficients", &TWO.0).floats("intercepts", &[0.1, 0.6]);
    assert_close(&two.run1([x()]), &[4, 2], &[7.450_581e-9, 0.7, -0.3, 1.0, 0.1, 0.6, 0.65, 0.05]);
    let softmax = two.text("post_transform", "SOFTMAX");
    let expected = [0.331_812_23, 0.668_187_8, 0.214_165, 0.785_835, 0.377_540_7, 0.622_459_35, 0.645_656_3, 0.354_343_68];
    assert_close(&softmax.run1([x()]), &[4, 2], &expected);
    assert_eq!(softmax.infer([typed::<f32>("n, 2")]), [Some("float32[n, 2]".to_owned())]);
}
