use crate::engine::optimize::testing::{Case, ints};
use crate::graph::Attribute;

/// Parameters of a normalisation of so many channels: `scale`, `shift1`, `mean22` and a variance.
fn statistics(case: &mut Case, channels: usize) {
    for name in ["scale", "shift1", "mean22"] {
        case.constant(name, &[channels]);
    }
    case.positive("variance", &[channels]);
}

const NORMALIZATION: [&str; 5] = ["c", "scale", "shift1", "mean22", "variance"];

#[test]
fn a_chain_moves_into_the_convolution() {
    for has_bias in [true, false] {
        let mut case = Case::new(&[2, 3, 6, 5]);
        case.constant("w", &[4, 3, 3, 3]);
        case.constant("bias", &[4]);
        statistics(&mut case, 4);
        case.constant("factor", &[4, 1, 1]);
        case.constant("addend77", &[1, 4, 1, 1]);
        case.positive("divisor", &[1]);
        case.constant("one", &[]);
        case.node("Conv", if has_bias { &["x", "w", "bias"] } else { &["x", "w"] }, "c", &[]);
        case.node("BatchNormalization", &NORMALIZATION, "d", &[("epsilon", Attribute::Float(1e-3))]);
        case.node("Mul", &["factor", "d"], "e", &[]);
        case.node("Add", &["e", "addend77"], "f", &[]);
        case.node("Div", &["f", "divisor"], "g", &[]);
        case.node("Sub", &["one", "g"], "h", &[]);
        case.node("Relu", &["h"], "y", &[]);
        case.check(1);
    }
}

#[test]
fn a_chain_moves_into_the_normalization_of_what_was_joined() {
    let mut case = Case::new(&[2, 2, 6, 5]);
    case.constant("w", &[3, 2, 1, 1]);
    statistics(&mut case, 5);
    case.constant("factor", &[5, 1, 1]);
    case.constant("addend77", &[5, 1, 1]);
    case.node("Conv", &["x", "w"], "a", &[]);
    case.node("Concat", &["x", "a"], "c", &[("axis", Attribute::Int(1))]);
    case.node("BatchNormalization", &NORMALIZATION, "d", &[]);
    case.node("Mul", &["d", "factor"], "e", &[]);
    case.node("Sub", &["e", "addend77"], "f", &[]);
    case.node("Relu", &["f"], "y", &[]);
    case.check(3);
}

#[test]
fn what_is_not_for_whole_channels_stays() {
    // A row of its own for each column, a shape that stretches the result, one along another axis.
    for shape in [&[4][..], &[2, 1, 1, 1, 1], &[4, 1], &[2, 4, 1, 1], &[4, 4, 1]] {
        let mut case = Case::new(&[2, 3, 4, 4]);
        case.constant("w", &[4, 3, 1, 1]);
        case.constant("k", shape);
        case.node("Conv", &["x", "w"], "c", &[]);
        case.node("Mul", &["c", "k"], "y", &[]);
        case.check(2);
    }
    // Neither does a channel that becomes several, nor a quotient of a constant.
    let mut case = Case::new(&[1, 3, 4, 4]);
    case.constant("w", &[1, 3, 1, 1]);
    case.constant("k", &[4, 1, 1]);
    case.node("Conv", &["x", "w"], "c", &[]);
    case.node("Mul", &["c", "k"], "m", &[]);
    case.node("Div", &["k", "m"], "y", &[]);
    case.check(3);
    // Nor an intermediate result that another node reads.
    let mut case = Case::new(&[1, 3, 4, 4]);
    case.constant("w", &[3, 3, 1, 1]);
    case.constant("k", &[3, 1, 1]);
    case.node("Conv", &["x", "w"], "c", &[]);
    case.node("Mul", &["c", "k"], "m", &[]);
    case.node("MaxPool", &["c"], "p", &[("kernel_shape", ints(&[1, 1]))]);
    case.node("Sub", &["m", "p"], "y", &[]);
    case.check(4);
}

#[test]
fn a_division_by_zero_is_left_where_it_is() {
    let mut case = Case::new(&[1, 3, 4, 4]);
    case.constant("w", &[3, 3, 1, 1]);
    let zero = case.model.graph.value_named("zero");
    case.model.graph.initializers.insert(zero, crate::host::HostTensor::from_vec(vec![], &[0.0_f32]).unwrap().into());
    case.node("Conv", &["x", "w"], "c", &[]);
    case.node("Div", &["c", "zero"], "d", &[]);
    case.node("Clip", &["d"], "y", &[]);
    assert_eq!(case.plan(true).n_steps(), 3);
}
