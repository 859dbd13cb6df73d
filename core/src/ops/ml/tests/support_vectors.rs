use crate::ops::testing::{Case, assert_tensor, op, tensor, typed};

fn classifier() -> Case {
    op("SVMClassifier")
        .ml()
        .outputs(2)
        .ints("classlabels_ints", &[3, 4])
        .ints("vectors_per_class", &[1, 1])
        .floats("support_vectors", &[1.0, 0.0, 0.0, 1.0])
        .floats("coefficients", &[1.0, -1.0])
        .floats("rho", &[0.0])
}

fn regressor() -> Case {
    op("SVMRegressor")
        .ml()
        .int("n_supports", 2)
        .floats("support_vectors", &[1.0, 0.0, 0.0, 1.0])
        .floats("coefficients", &[1.0, -2.0])
        .floats("rho", &[0.5])
}

#[test]
fn a_tie_between_two_classes_goes_to_the_second() {
    let outputs = classifier().try_run([tensor(&[3, 2], &[2.0_f32, 1.0, 1.0, 1.0, 0.0, 1.0])]).unwrap();
    assert_tensor(&outputs[0], &[3], &[3_i64, 4, 4]);
    assert_tensor(&outputs[1], &[3, 2], &[-1.0_f32, 1.0, -0.0, 0.0, 1.0, -1.0]);
}

#[test]
fn nan_votes_for_the_second_class() {
    let outputs = classifier().try_run([tensor(&[1, 2], &[f32::NAN, 1.0])]).unwrap();
    assert_tensor(&outputs[0], &[1], &[4_i64]);
}

#[test]
fn no_rows_have_no_scores() {
    let outputs = classifier().try_run([tensor::<f32>(&[0, 2], &[])]).unwrap();
    assert_tensor::<i64>(&outputs[0], &[0], &[]);
    assert_tensor::<f32>(&outputs[1], &[0, 2], &[]);
    assert_tensor::<f32>(&regressor().run1([tensor::<f32>(&[0, 2], &[])]), &[0, 1], &[]);
}

#[test]
fn many_rows_are_shared_among_threads_without_a_difference() {
    let n_rows = 40_000;
    let vectors: Vec<f32> = (0..32).map(|index| index as f32 / 8.0).collect();
    let case = regressor().int("n_supports", 16).floats("support_vectors", &vectors).floats("coefficients", &[0.5; 16]);
    let values: Vec<f32> = (0..2 * n_rows).map(|index| (index % 97) as f32).collect();
    let all = case.run1([tensor(&[n_rows, 2], &values)]);
    let all = all.as_slice::<f32>().unwrap();
    for row in [0, 63, 64, 12_345, n_rows - 1] {
        assert_tensor(&case.run1([tensor(&[1, 2], &values[2 * row..2 * row + 2])]), &[1, 1], &[all[row]]);
    }
}

#[test]
fn one_class_is_inside_or_outside() {
    let y = regressor().int("one_class", 1).run1([tensor(&[3, 2], &[2.0_f32, 1.0, -0.5, 0.0, 0.0, 1.0])]);
    assert_tensor(&y, &[3, 1], &[1.0_f32, -1.0, -1.0]);
}

#[test]
fn types_follow_the_classes() {
    let types = classifier().infer([typed::<f32>("batch, 2")]);
    assert_eq!(types, [Some("int64[batch]".to_owned()), Some("float32[batch, 2]".to_owned())]);
    assert_eq!(regressor().infer([typed::<f32>("batch, 2")]), [Some("float32[batch, 1]".to_owned())]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let x = || [tensor(&[1, 2], &[1.0_f32, 2.0])];
    assert_eq!(classifier().error([tensor(&[1, 3], &[1.0_f32, 2.0, 3.0])]), "X has 3 features, but the model's vectors have 2");
    assert_eq!(
        classifier().ints("vectors_per_class", &[1, 1, 1]).error(x()),
        "vectors_per_class has 3 values for 2 classes; support vectors need at least two classes"
    );
    assert_eq!(classifier().ints("vectors_per_class", &[-1, 1]).error(x()), "vectors_per_class has -1, which is no number of vectors");
    assert_eq!(
        classifier().ints("vectors_per_class", &[i64::MAX, 1]).error(x()),
        "vectors_per_class counts more vectors than support_vectors has values"
    );
    assert_eq!(
        classifier().ints("vectors_per_class", &[1, 2]).error(x()),
        "support_vectors has 4 values, which do not make 3 vectors of equal length"
    );
    assert_eq!(classifier().floats("coefficients", &[1.0]).error(x()), "1 coefficients are given, but 2 classes and 2 vectors need 2");
    assert_eq!(classifier().floats("rho", &[]).error(x()), "rho has 0 values for 1 pairs of classes");
    assert_eq!(classifier().floats("prob_a", &[1.0]).error(x()), "prob_a and prob_b have 1 and 0 values for 1 pairs of classes");
    assert_eq!(
        classifier().text("post_transform", "PROBIT").error(x()),
        "post_transform PROBIT for two classes without probabilities is not supported"
    );
    assert_eq!(classifier().text("kernel_type", "CUBIC").error(x()), "kernel_type is 'CUBIC', not one of LINEAR, POLY, RBF, SIGMOID");
    assert_eq!(classifier().floats("kernel_params", &[1.0]).error(x()), "kernel_params has 1 values, not the three gamma, coef0 and degree");
    assert_eq!(
        classifier().ints("classlabels_ints", &[]).error(x()),
        "classlabels_strings or classlabels_ints must name 1 to 65535 classes, but name 0"
    );
    assert_eq!(regressor().floats("coefficients", &[1.0]).error(x()), "1 coefficients are given for 2 support vectors");
    assert_eq!(regressor().floats("rho", &[]).error(x()), "rho is empty; the operator needs one value");
    assert_eq!(regressor().int("n_supports", -1).error(x()), "n_supports is -1, which is no number of vectors");
}
