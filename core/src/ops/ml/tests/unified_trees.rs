use half::f16;

use crate::host::Element;
use crate::ops::testing::{Case, assert_tensor, op, tensor, typed};

/// One tree: a branch of `mode` on feature 0 at 1, whose sides are leaves of weight 10 (true) and 20 (false).
fn stump<T: Element>(mode: u8, number: impl Fn(f32) -> T) -> Case {
    op("TreeEnsemble")
        .ml()
        .opset(5)
        .int("n_targets", 1)
        .ints("tree_roots", &[0])
        .ints("nodes_featureids", &[0])
        .tensor("nodes_modes", &tensor(&[1], &[mode]))
        .tensor("nodes_splits", &tensor(&[1], &[number(1.0)]))
        .ints("nodes_truenodeids", &[0])
        .ints("nodes_trueleafs", &[1])
        .ints("nodes_falsenodeids", &[1])
        .ints("nodes_falseleafs", &[1])
        .ints("leaf_targetids", &[0, 0])
        .tensor("leaf_weights", &tensor(&[2], &[number(10.0), number(20.0)]))
}

fn float_stump(mode: u8) -> Case {
    stump(mode, |number: f32| number)
}

#[test]
fn modes_are_numbered_in_the_order_of_the_specification() {
    let x = tensor(&[4, 1], &[0.0_f32, 1.0, 2.0, f32::NAN]);
    for (mode, y) in [
        (0, [10.0, 10.0, 20.0, 20.0]),
        (1, [10.0, 20.0, 20.0, 20.0]),
        (2, [20.0, 10.0, 10.0, 20.0]),
        (3, [20.0, 20.0, 10.0, 20.0]),
        (4, [20.0, 10.0, 20.0, 20.0]),
        (5, [10.0, 20.0, 10.0, 10.0]),
    ] {
        assert_tensor(&float_stump(mode).run1([x.clone()]), &[4, 1], &y.map(|y: f32| y));
    }
}

#[test]
fn members_of_a_set_are_found_exactly() {
    let members = tensor(&[5], &[3.5_f32, -1.0, f32::NEG_INFINITY, 2.0, f32::NAN]);
    let x = tensor(&[9, 1], &[3.5_f32, 3.0, -1.0, -0.5, f32::NEG_INFINITY, f32::MIN, 2.0, f32::INFINITY, f32::NAN]);
    let case = float_stump(6).tensor("membership_values", &members);
    assert_tensor(&case.run1([x.clone()]), &[9, 1], &[10.0_f32, 20.0, 10.0, 20.0, 10.0, 20.0, 10.0, 20.0, 20.0]);
    let missing = case.ints("nodes_missing_value_tracks_true", &[1]);
    assert_tensor(&missing.run1([x]), &[9, 1], &[10.0_f32, 20.0, 10.0, 20.0, 10.0, 20.0, 10.0, 20.0, 10.0]);
}

#[test]
fn the_output_has_the_type_of_the_attributes() {
    let half = stump(0, f16::from_f32);
    assert_tensor(&half.run1([tensor(&[2, 1], &[f16::ONE, f16::from_f32(1.001)])]), &[2, 1], &[f16::from_f32(10.0), f16::from_f32(20.0)]);
    assert_eq!(half.infer([typed::<f16>("n, 1")]), [Some("float16[n, 1]".to_owned())]);
    let double = stump(0, f64::from);
    assert_tensor(&double.run1([tensor(&[2, 1], &[1.0_f64, 1.0 + 1e-12])]), &[2, 1], &[10.0_f64, 20.0]);
    let message = double.error([tensor(&[1, 1], &[1.0_f32])]);
    assert_eq!(message, "input 0 (X) should be a tensor of float64, as the ensemble's attributes are, but is a tensor of float32[1, 1]");
}

#[test]
fn post_transforms_are_numbered_as_in_the_specification() {
    let softmax = float_stump(0).int("n_targets", 2).ints("leaf_targetids", &[0, 1]).int("post_transform", 1);
    let y = softmax.run1([tensor(&[1, 1], &[0.0_f32])]);
    assert!((y.as_slice::<f32>().unwrap().iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn broken_ensembles_are_refused() {
    let x = || [tensor(&[1, 1], &[1.0_f32])];
    assert_eq!(float_stump(7).error(x()), "node 0 has mode 7; modes are 0 to 6");
    assert_eq!(float_stump(6).error(x()), "membership_values has no set for node 0");
    assert_eq!(float_stump(0).ints("nodes_truenodeids", &[5]).error(x()), "node 0 has leaf 5 as a child, which does not exist");
    assert_eq!(float_stump(0).ints("nodes_trueleafs", &[0]).error(x()), "tree number 0 loops: node number 0 is its own descendant");
    assert_eq!(float_stump(0).ints("tree_roots", &[1]).error(x()), "tree_roots has node 1, which does not exist");
    assert_eq!(float_stump(0).ints("tree_roots", &[]).error(x()), "the ensemble has no trees");
    assert_eq!(float_stump(0).ints("leaf_targetids", &[0]).error(x()), "1 leaf_targetids are given for 2 leaf_weights");
    assert_eq!(float_stump(0).ints("leaf_targetids", &[0, 1]).error(x()), "leaf_targetids has a target beyond the 1");
    assert_eq!(float_stump(0).ints("nodes_featureids", &[-1]).error(x()), "node 0 looks at feature -1, which cannot be");
    assert_eq!(float_stump(0).ints("nodes_featureids", &[3]).error(x()), "X has 1 features, but the trees look at feature 3");
    assert_eq!(
        float_stump(0).int("post_transform", 9).error(x()),
        "post_transform is 9, not 0 (NONE), 1 (SOFTMAX), 2 (LOGISTIC), 3 (SOFTMAX_ZERO) or 4 (PROBIT)"
    );
    assert_eq!(float_stump(0).int("n_targets", 1 << 40).error(x()), "n_targets is not between 1 and the number of leaves, 2");
}
