use crate::graph::Attribute;
use crate::ops::testing::{Case, assert_close, assert_strings, assert_tensor, op, strings, tensor, typed};
use crate::tensor::Tensor;

/// (tree, leaf, class or target, weight)
pub type StumpWeight = (i64, i64, i64, f32);

const ROWS: [f32; 8] = [0.0, 0.0, 0.0, -1.0, 1.0, 0.0, 1.0, -1.0];

/// Two trees of one branch each: feature 0 at most 0.5, feature 1 at most -0.25.
pub fn stumps(op_type: &'static str, prefix: &str, weights: &[StumpWeight]) -> Case {
    let ints = |pick: fn(&StumpWeight) -> i64| weights.iter().map(pick).collect::<Vec<_>>();
    op(op_type)
        .ml()
        .ints("nodes_treeids", &[0, 0, 0, 1, 1, 1])
        .ints("nodes_nodeids", &[0, 1, 2, 0, 1, 2])
        .ints("nodes_featureids", &[0, 0, 0, 1, 0, 0])
        .texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"])
        .floats("nodes_values", &[0.5, 0.0, 0.0, -0.25, 0.0, 0.0])
        .ints("nodes_truenodeids", &[1, 0, 0, 1, 0, 0])
        .ints("nodes_falsenodeids", &[2, 0, 0, 2, 0, 0])
        .ints(&format!("{prefix}_treeids"), &ints(|weight| weight.0))
        .ints(&format!("{prefix}_nodeids"), &ints(|weight| weight.1))
        .ints(&format!("{prefix}_ids"), &ints(|weight| weight.2))
        .floats(&format!("{prefix}_weights"), &weights.iter().map(|weight| weight.3).collect::<Vec<_>>())
}

fn rows() -> Tensor {
    tensor(&[4, 2], &ROWS)
}

fn classifier(weights: &[StumpWeight]) -> Case {
    stumps("TreeEnsembleClassifier", "class", weights).outputs(2)
}

const REGRESSION: &[StumpWeight] = &[(0, 1, 0, 0.3), (0, 2, 0, 0.1), (1, 1, 0, 0.45), (1, 2, 0, 0.2)];
const TWO_TARGETS: &[StumpWeight] = &[(0, 1, 0, 0.3), (0, 1, 1, -0.7), (0, 2, 1, 0.1), (1, 1, 1, 0.45), (1, 2, 0, 0.2)];

fn regressor() -> Case {
    stumps("TreeEnsembleRegressor", "target", REGRESSION).int("n_targets", 1)
}

#[track_caller]
pub fn assert_classified(classes: &[i64], weights: &[StumpWeight], base_values: &[f32], post_transform: &str, labels: &[i64], scores: &[f32]) {
    let mut case = classifier(weights).ints("classlabels_int64s", classes).text("post_transform", post_transform);
    if !base_values.is_empty() {
        case = case.floats("base_values", base_values);
    }
    let outputs = case.try_run([rows()]).unwrap();
    assert_tensor(&outputs[0], &[4], labels);
    assert_close(&outputs[1], &[4, classes.len()], scores);
}

const THREE: &[StumpWeight] = &[(0, 1, 0, 0.3), (0, 2, 1, 0.1), (1, 1, 2, -0.45), (1, 2, 0, -0.5)];

#[test]
fn the_largest_of_many_scores_wins_before_the_transform() {
    let labels = [5, 5, 6, 6];
    assert_classified(&[5, 6, 7], THREE, &[], "NONE", &labels, &[-0.2, 0.0, 0.0, 0.3, 0.0, -0.45, -0.5, 0.1, 0.0, 0.0, 0.1, -0.45]);
    let softmax = [
        0.290_460_8,
        0.354_769_6,
        0.354_769_6,
        0.451_837_54,
        0.334_729_46,
        0.213_432_94,
        0.223_671_6,
        0.407_556_24,
        0.368_772_15,
        0.364_591_06,
        0.402_935_45,
        0.232_473_5,
    ];
    assert_classified(&[5, 6, 7], THREE, &[], "SOFTMAX", &labels, &softmax);
    let softmax_zero = [1.0, 0.0, 0.0, 0.679_178_7, 0.0, 0.320_821_3, 0.354_343_68, 0.645_656_3, 0.0, 0.0, 0.634_135_9, 0.365_864_3];
    assert_classified(&[5, 6, 7], THREE, &[], "SOFTMAX_ZERO", &labels, &softmax_zero);
    let with_base = [
        0.357_246_5,
        0.482_232_27,
        0.160_521_18,
        0.501_880_8,
        0.410_905_3,
        0.087_213_82,
        0.276_221_48,
        0.556_241_75,
        0.167_536_78,
        0.407_170_6,
        0.497_319_3,
        0.095_510_14,
    ];
    assert_classified(&[5, 6, 7], THREE, &[0.1, 0.2, -0.9], "SOFTMAX", &[6, 5, 6, 6], &with_base);
}

#[test]
fn the_first_of_equal_scores_wins_and_nan_does_not_lose() {
    let tie = [(0, 1, 0, 0.3), (0, 1, 1, 0.3), (0, 2, 1, f32::NAN), (0, 2, 2, 0.1), (1, 1, 2, -0.45), (1, 2, 0, -0.5)];
    let scores = [-0.2, 0.3, 0.0, 0.3, 0.3, -0.45, -0.5, f32::NAN, 0.1, 0.0, f32::NAN, -0.35];
    assert_classified(&[5, 6, 7], &tie, &[], "NONE", &[6, 5, 7, 6], &scores);
}

#[test]
fn a_single_class_is_answered_with_one_or_zero() {
    let mixed = [(0, 1, 0, 0.3), (0, 2, 0, -0.1), (1, 1, 0, -0.45), (1, 2, 0, 0.2)];
    assert_classified(&[5], &mixed, &[], "LOGISTIC", &[1, 0, 1, 0], &[0.5, -0.15, 0.1, -0.55]);
    assert_classified(&[5], &mixed, &[0.2], "PROBIT", &[1, 1, 1, 0], &[0.524_445_9, -1.644_669_7, -0.524_445_9, f32::NAN]);
    let text = classifier(&mixed).texts("classlabels_strings", &["yes"]);
    assert_eq!(text.error([rows()]), "a single class with a string as its label is not supported");
}

#[test]
fn labels_may_be_strings() {
    let either = [(0, 1, 0, 0.3), (0, 2, 1, 0.1), (1, 1, 1, -0.45), (1, 2, 0, 0.2)];
    let outputs = classifier(&either).texts("classlabels_strings", &["n", "p"]).try_run([rows()]).unwrap();
    assert_strings(&outputs[0], &[4], &["p", "n", "p", "n"]);
}

#[test]
fn classifiers_take_numbers_of_all_kinds() {
    let case = classifier(THREE).ints("classlabels_int64s", &[5, 6, 7]);
    let scores = [-0.2, 0.0, 0.0, 0.3, 0.0, -0.45, -0.5, 0.1, 0.0, 0.0, 0.1, -0.45];
    for x in
        [tensor(&[4, 2], &ROWS.map(|value| value as i64)), tensor(&[4, 2], &ROWS.map(|value| value as i32)), tensor(&[4, 2], &ROWS.map(f64::from))]
    {
        let outputs = case.try_run([x]).unwrap();
        assert_tensor(&outputs[0], &[4], &[5_i64, 5, 6, 6]);
        assert_close(&outputs[1], &[4, 3], &scores);
    }
    let text = case.error([strings(&[1, 2], &["a", "b"])]);
    assert_eq!(text, "input 0 (X) should be a tensor of float32, float64, int32 or int64, but is a tensor of string[1, 2]");
}

#[test]
fn the_weights_of_one_target_are_aggregated() {
    let base = |case: Case| case.floats("base_values", &[0.25]);
    let sum = regressor();
    assert_close(&sum.run1([rows()]), &[4, 1], &[0.5, 0.75, 0.3, 0.55]);
    assert_close(&base(sum.clone()).run1([rows()]), &[4, 1], &[0.75, 1.0, 0.55, 0.8]);
    for post_transform in ["LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"] {
        assert_close(&sum.clone().text("post_transform", post_transform).run1([rows()]), &[4, 1], &[0.5, 0.75, 0.3, 0.55]);
    }
    let probit = sum.text("post_transform", "PROBIT");
    assert_close(&probit.run1([rows()]), &[4, 1], &[0.0, 0.674_574_3, -0.524_445_9, 0.125_662]);
    let aggregate = |name: &str| regressor().text("aggregate_function", name);
    assert_close(&aggregate("AVERAGE").run1([rows()]), &[4, 1], &[0.25, 0.375, 0.15, 0.275]);
    assert_close(&base(aggregate("AVERAGE")).run1([rows()]), &[4, 1], &[0.5, 0.625, 0.4, 0.525]);
    assert_close(&aggregate("MIN").run1([rows()]), &[4, 1], &[0.2, 0.3, 0.1, 0.1]);
    assert_close(&base(aggregate("MIN")).run1([rows()]), &[4, 1], &[0.45, 0.55, 0.35, 0.35]);
    assert_close(&aggregate("MAX").run1([rows()]), &[4, 1], &[0.3, 0.45, 0.2, 0.45]);
    assert_eq!(aggregate("MEDIAN").error([rows()]), "aggregate_function is 'MEDIAN', not one of SUM, AVERAGE, MIN, MAX");
}

/// In the fourth row no leaf has a weight for the first target, so that it gets neither score nor base value.
#[test]
fn several_targets_are_aggregated_one_by_one() {
    let case = |name: &str| stumps("TreeEnsembleRegressor", "target", TWO_TARGETS).int("n_targets", 2).text("aggregate_function", name);
    let base = |name: &str| case(name).floats("base_values", &[0.25, -0.5]);
    assert_close(&case("SUM").run1([rows()]), &[4, 2], &[0.5, -0.7, 0.3, -0.25, 0.2, 0.1, 0.0, 0.55]);
    assert_close(&base("SUM").run1([rows()]), &[4, 2], &[0.75, -1.2, 0.55, -0.75, 0.45, -0.4, 0.0, 0.05]);
    assert_close(&base("AVERAGE").run1([rows()]), &[4, 2], &[0.5, -0.85, 0.4, -0.625, 0.35, -0.45, 0.0, -0.225]);
    assert_close(&base("MIN").run1([rows()]), &[4, 2], &[0.45, -1.2, 0.55, -1.2, 0.45, -0.4, 0.0, -0.4]);
    assert_close(&base("MAX").run1([rows()]), &[4, 2], &[0.55, -1.2, 0.55, -0.05, 0.45, -0.4, 0.0, -0.05]);
    let logistic = base("SUM").text("post_transform", "LOGISTIC");
    let expected = [0.679_178_7, 0.231_475_17, 0.634_135_6, 0.320_821_3, 0.610_639_3, 0.401_312_35, 0.5, 0.512_497_4];
    assert_close(&logistic.run1([rows()]), &[4, 2], &expected);
    let softmax_zero = base("SUM").text("post_transform", "SOFTMAX_ZERO");
    let expected = [0.875_446_7, 0.124_553_36, 0.785_835, 0.214_165, 0.700_567_2, 0.299_432_87, 0.0, 1.0];
    assert_close(&softmax_zero.run1([rows()]), &[4, 2], &expected);
}

/// Rows: NaN, both infinities, the threshold 0.5, the next value above, and both zeros. 1 where the comparison holds.
#[test]
fn every_mode_decides_on_special_values() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let values = [nan, 0.0, inf, 0.0, -inf, 0.0, 0.5, 0.0, 0.5_f32.next_up(), 0.0, 0.0, 0.0, -0.0, 0.0];
    let cases: &[(&str, f32, &str)] = &[
        ("LEQ", 0.5, "0011011"),
        ("LEQ", -0.0, "0010011"),
        ("LEQ", inf, "0111111"),
        ("LEQ", nan, "0000000"),
        ("LT", 0.5, "0010011"),
        ("LT", -0.0, "0010000"),
        ("LT", inf, "0011111"),
        ("LT", -inf, "0000000"),
        ("LT", nan, "0000000"),
        ("GTE", 0.5, "0101100"),
        ("GTE", -0.0, "0101111"),
        ("GTE", -inf, "0111111"),
        ("GTE", nan, "0000000"),
        ("GT", 0.5, "0100100"),
        ("GT", -0.0, "0101100"),
        ("GT", inf, "0000000"),
        ("GT", nan, "0000000"),
        ("EQ", 0.5, "0001000"),
        ("EQ", -0.0, "0000011"),
        ("EQ", -inf, "0010000"),
        ("EQ", nan, "0000000"),
        ("NEQ", 0.5, "1110111"),
        ("NEQ", -0.0, "1111100"),
        ("NEQ", nan, "1111111"),
    ];
    for &(mode, threshold, holds) in cases {
        for missing_is_true in [0, 1] {
            let case = stumps("TreeEnsembleRegressor", "target", &[(0, 1, 0, 1.0), (0, 2, 0, 0.0), (1, 1, 0, 0.0), (1, 2, 0, 0.0)])
                .texts("nodes_modes", &[&format!("BRANCH_{mode}"), "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"])
                .floats("nodes_values", &[threshold, 0.0, 0.0, -0.25, 0.0, 0.0])
                .ints("nodes_missing_value_tracks_true", &[missing_is_true, 0, 0, 0, 0, 0]);
            let y = case.run1([tensor(&[7, 2], &values)]);
            let mut expected: Vec<f32> = holds.bytes().map(|byte| if byte == b'1' { 1.0 } else { 0.0 }).collect();
            if missing_is_true == 1 {
                expected[0] = 1.0;
            }
            assert_eq!(y.as_slice::<f32>().unwrap().as_ref(), expected, "{mode} {threshold} {missing_is_true}");
        }
    }
}

#[test]
fn float64_rows_are_compared_in_float64() {
    let case = regressor().floats("nodes_values", &[0.1, 0.0, 0.0, -0.25, 0.0, 0.0]);
    let threshold = f64::from(0.1_f32);
    let x = tensor(&[3, 2], &[0.1, 0.0, threshold, 0.0, threshold.next_up(), 0.0]);
    assert_close(&case.run1([x]), &[3, 1], &[0.5, 0.5, 0.3]);
}

#[test]
fn attributes_may_be_float64_tensors() {
    let as_tensors = |case: Case| {
        let mut case = case
            .tensor("nodes_values_as_tensor", &tensor(&[6], &[0.5_f64, 0.0, 0.0, -0.25, 0.0, 0.0]))
            .tensor("target_weights_as_tensor", &tensor(&[4], &[0.3_f64, 0.1, 0.45, 0.2]));
        for name in ["nodes_values", "target_weights"] {
            case = case.attribute(name, Attribute::Floats(Vec::new()));
        }
        case
    };
    let case = as_tensors(regressor());
    assert_close(&case.run1([tensor(&[4, 2], &ROWS.map(f64::from))]), &[4, 1], &[0.5, 0.75, 0.3, 0.55]);
    assert!(case.error([rows()]).ends_with("should be a tensor of float64, as the ensemble's attributes are, but is a tensor of float32[4, 2]"));
    let both = case.floats("nodes_values", &[0.5]);
    assert_eq!(both.error([rows()]), "nodes_values and nodes_values_as_tensor are both given");
}

#[test]
fn unusual_but_clear_ensembles_run() {
    let weights =
        |weights: &[StumpWeight]| stumps("TreeEnsembleRegressor", "target", weights).floats("nodes_values", &[0.5, 7.0, 7.0, -0.25, 7.0, 7.0]);
    let missing_weight = weights(&[(0, 1, 0, 0.3), (0, 2, 0, 0.1), (1, 1, 0, 0.45)]);
    assert_close(&missing_weight.run1([rows()]), &[4, 1], &[7.3, 0.75, 7.1, 0.55]);
    let weight_on_branch = weights(&[(0, 0, 0, 9.0), (0, 1, 0, 0.3), (0, 2, 0, 0.1), (1, 1, 0, 0.45), (1, 2, 0, 0.2)]);
    assert_close(&weight_on_branch.run1([rows()]), &[4, 1], &[0.5, 0.75, 0.3, 0.55]);
    let two_weights = weights(&[(0, 1, 0, 0.3), (0, 1, 0, 9.0), (0, 2, 0, 0.1), (1, 1, 0, 0.45), (1, 2, 0, 0.2)]);
    assert_close(&two_weights.run1([rows()]), &[4, 1], &[0.5, 0.75, 0.3, 0.55]);
    let shared_child = regressor().ints("nodes_truenodeids", &[2, 0, 0, 1, 0, 0]);
    assert_close(&shared_child.run1([rows()]), &[4, 1], &[0.3, 0.55, 0.3, 0.55]);
    let any_ids =
        regressor().ints("nodes_nodeids", &[3, 1, 4, 0, 1, 2]).ints("nodes_falsenodeids", &[4, 0, 0, 2, 0, 0]).ints("target_nodeids", &[1, 4, 1, 2]);
    assert_close(&any_ids.run1([rows()]), &[4, 1], &[0.5, 0.75, 0.3, 0.55]);
    assert_close(&regressor().run1([tensor::<f32>(&[0, 2], &[])]), &[0, 1], &[]);
    // A single row may come without its dimension; ONNX Runtime takes that only for one feature.
    assert_close(&regressor().run1([tensor(&[2], &[0.0_f32, -1.0])]), &[1, 1], &[0.75]);
}

#[test]
fn malformed_ensembles_are_refused() {
    let huge = i64::MAX;
    let cases: &[(Case, &str)] = &[
        (regressor().ints("nodes_truenodeids", &[4, 0, 0, 1, 0, 0]), "node 0 of tree 0 has node 4 as a child, which does not exist"),
        (
            regressor().ints("nodes_truenodeids", &[huge, 0, 0, 1, 0, 0]),
            "node 0 of tree 0 has node 9223372036854775807 as a child, which does not exist",
        ),
        (regressor().ints("nodes_truenodeids", &[0, 0, 0, 1, 0, 0]), "node 0 of tree 0 comes first in its tree, but is the child of another node"),
        (
            regressor()
                .texts("nodes_modes", &["BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"])
                .ints("nodes_truenodeids", &[1, 1, 0, 1, 0, 0])
                .ints("nodes_falsenodeids", &[2, 2, 0, 2, 0, 0]),
            "tree number 0 loops: node number 1 is its own descendant",
        ),
        (regressor().ints("nodes_nodeids", &[0, 1, 1, 0, 1, 2]), "node 1 of tree 0 is there twice"),
        (regressor().ints("nodes_nodeids", &[0, 1]), "nodes_nodeids has 2 entries, but nodes_treeids has 6"),
        (regressor().floats("nodes_values", &[0.0]), "nodes_values has 1 entries, but nodes_treeids has 6"),
        (regressor().ints("target_nodeids", &[1, 2, 1]), "target_nodeids has 3 entries, but target_weights has 4"),
        (regressor().ints("target_nodeids", &[1, 2, 1, 7]), "a weight belongs to node 7 of tree 1, which does not exist"),
        (regressor().ints("target_ids", &[0, 0, 0, 1]), "target_ids has 1, with 1 in all"),
        (regressor().ints("target_ids", &[0, 0, 0, -1]), "target_ids has -1, with 1 in all"),
        (regressor().ints("nodes_featureids", &[-1, 0, 0, 1, 0, 0]), "node 0 of tree 0 looks at feature -1, which cannot be"),
        (regressor().ints("nodes_featureids", &[huge, 0, 0, 1, 0, 0]), "node 0 of tree 0 looks at feature 9223372036854775807, which cannot be"),
        (regressor().ints("nodes_featureids", &[4_000_000_000, 0, 0, 1, 0, 0]), "X has 2 features, but the trees look at feature 4000000000"),
        (regressor().ints("nodes_treeids", &[0, 1, 0, 1, 1, 1]), "the nodes of tree 0 do not stand together"),
        (
            regressor().texts("nodes_modes", &["BRANCH_NEAR", "LEAF", "LEAF", "LEAF", "LEAF", "LEAF"]),
            "mode 'BRANCH_NEAR' (node 0 of tree 0) is not supported",
        ),
        (regressor().int("n_targets", 0), "n_targets is 0, with 4 weights"),
        (regressor().int("n_targets", huge), "n_targets is 9223372036854775807, with 4 weights"),
        (regressor().floats("base_values", &[1.0, 2.0]), "2 base values are given for 1 targets"),
        (regressor().text("post_transform", "CUBE"), "post_transform is 'CUBE', not one of NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO, PROBIT"),
        (op("TreeEnsembleRegressor").ml(), "the ensemble has no nodes"),
        (
            regressor().texts("nodes_modes", &["LEAF", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF", "LEAF"]),
            "node 0 of tree 0 comes first in its tree, but is the child of another node",
        ),
        (classifier(REGRESSION), "class_ids has 0, with 0 in all"),
        (classifier(THREE).ints("classlabels_int64s", &[5, 6]), "class_ids has 2, with 2 in all"),
        (classifier(THREE).ints("classlabels_int64s", &[5, 6, 7]).floats("base_values", &[1.0]), "1 base values are given for 3 classes"),
    ];
    for (case, message) in cases {
        assert_eq!(case.error([rows()]), *message);
    }
}

#[test]
fn rows_stay_symbolic_in_types() {
    let case = classifier(THREE).texts("classlabels_strings", &["a", "b", "c"]);
    let types = case.infer([typed::<f32>("batch, 2")]);
    assert_eq!(types, [Some("string[batch]".to_owned()), Some("float32[batch, 3]".to_owned())]);
    assert_eq!(regressor().infer([typed::<f32>("?, ?")]), [Some("float32[?, 1]".to_owned())]);
}
