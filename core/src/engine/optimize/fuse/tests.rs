//! Fused plans against the same graphs operator by operator, over burn.

use super::*;
use crate::contract::testing::{node, output, tensor_type};
use crate::engine::optimize::testing::{Case, ints};
use crate::graph::Attribute;
use crate::host::ElementType;

#[test]
fn a_convolution_takes_in_its_activation() {
    let activations: [(&str, &[(&str, Attribute)]); 4] = [
        ("Relu", &[]),
        ("LeakyRelu", &[("alpha", Attribute::Float(0.3))]),
        ("HardSwish", &[]),
        ("HardSigmoid", &[("alpha", Attribute::Float(0.4)), ("beta", Attribute::Float(0.1))]),
    ];
    for (activation, attributes) in activations {
        let mut case = Case::new(&[2, 3, 7, 6]);
        case.constant("w", &[5, 3, 3, 3]);
        case.constant("b", &[5]);
        case.node("Conv", &["x", "w", "b"], "c", &[("pads", ints(&[1, 0, 1, 2])), ("strides", ints(&[2, 1]))]);
        case.node(activation, &["c"], "y", attributes);
        case.check(1);
    }
    // Bounds as inputs, of which one is left out; one axis; groups.
    let mut case = Case::new(&[2, 4, 9]);
    case.constant("w", &[6, 2, 3]);
    let high = case.model.graph.value_named("high");
    case.model.graph.initializers.insert(high, HostTensor::from_vec(vec![], &[0.5_f32]).unwrap().into());
    case.node("Conv", &["x", "w"], "c", &[("group", Attribute::Int(2))]);
    let mut clip = node(&mut case.model.graph, "Clip", &["c", "c", "high"], &["y"]);
    clip.inputs[1] = None;
    case.model.graph.nodes.push(clip);
    case.check(1);
}

#[test]
fn a_convolution_takes_in_the_sum_with_another_branch() {
    let mut case = Case::new(&[1, 4, 6, 6]);
    case.constant("w", &[4, 4, 3, 3]);
    case.node("Conv", &["x", "w"], "c", &[("pads", ints(&[1, 1, 1, 1]))]);
    case.node("Add", &["x", "c"], "s", &[]);
    case.node("Relu", &["s"], "y", &[]);
    case.check(1);
    // Two convolutions meet: one takes in the other's result.
    let mut case = Case::new(&[1, 4, 6, 6]);
    case.constant("w", &[8, 4, 3, 3]);
    case.constant("v", &[8, 4, 1, 1]);
    case.node("Conv", &["x", "w"], "a", &[("pads", ints(&[1, 1, 1, 1]))]);
    case.node("Conv", &["x", "v"], "b", &[]);
    case.node("Sum", &["a", "b"], "s", &[]);
    case.node("Relu", &["s"], "y", &[]);
    case.check(2);
}

#[test]
fn a_summand_that_stretches_or_is_stretched_is_added_as_ever() {
    for shape in [&[1, 4, 1, 1][..], &[6], &[2, 1, 1, 6, 6], &[]] {
        let mut case = Case::new(&[1, 4, 6, 6]);
        case.input("z", shape);
        case.constant("w", &[4, 4, 1, 1]);
        case.node("Conv", &["x", "w"], "c", &[]);
        case.node("Add", &["c", "z"], "s", &[]);
        case.node("LeakyRelu", &["s"], "y", &[]);
        case.check(1);
    }
}

#[test]
fn a_result_that_others_want_is_not_taken_in() {
    let mut case = Case::new(&[1, 4, 6, 6]);
    case.constant("w", &[4, 4, 1, 1]);
    case.node("Conv", &["x", "w"], "c", &[]);
    output(&mut case.model.graph, "c", tensor_type(ElementType::F32, &[None, Some(4), Some(6), Some(6)]));
    case.node("Relu", &["c"], "y", &[]);
    case.check(2);
    // Weights that a caller may replace are no constants.
    let mut case = Case::new(&[1, 2, 6, 6]);
    case.input("w", &[4, 2, 1, 1]);
    case.node("Conv", &["x", "w"], "c", &[]);
    case.node("Relu", &["c"], "y", &[]);
    case.check(2);
}

#[test]
fn matrix_products_take_in_what_follows() {
    type Gemm<'a> = (&'a [usize], &'a [usize], &'a [(&'a str, Attribute)]);
    let gemm: [Gemm<'_>; 4] = [
        (&[6, 5], &[5], &[]),
        (&[5, 6], &[1, 5], &[("transB", Attribute::Int(1)), ("alpha", Attribute::Float(0.5)), ("beta", Attribute::Float(2.0))]),
        (&[6, 5], &[], &[]),
        (&[6, 1], &[1], &[("beta", Attribute::Float(0.0))]),
    ];
    for (right, summand, attributes) in gemm {
        let mut case = Case::new(&[3, 6]);
        case.constant("w", right);
        case.constant("b", summand);
        case.node("Gemm", &["x", "w", "b"], "p", attributes);
        case.node("Relu", &["p"], "y", &[]);
        case.check(1);
    }
    for shape in [&[2, 3, 6][..], &[3, 6], &[6]] {
        let mut case = Case::new(shape);
        case.constant("w", &[6, 40]);
        case.constant("b", &[40]);
        case.node("MatMul", &["x", "w"], "p", &[]);
        case.node("Add", &["b", "p"], "s", &[]);
        case.node("HardSwish", &["s"], "y", &[]);
        case.check(1);
    }
    // A summand with rows of its own, or one that raises the rank, is added afterwards.
    for summand in [&[3, 40][..], &[1, 1, 40], &[3, 1]] {
        let mut case = Case::new(&[3, 6]);
        case.constant("w", &[6, 40]);
        case.constant("b", summand);
        case.node("MatMul", &["x", "w"], "p", &[]);
        case.node("Add", &["p", "b"], "y", &[]);
        case.check(2);
    }
}

#[test]
fn images_keep_their_channels_last_through_a_network() {
    let mut case = Case::new(&[2, 3, 16, 15]);
    case.constant("w1", &[34, 3, 3, 3]);
    case.constant("w2", &[36, 34, 3, 3]);
    case.constant("w3", &[36, 1, 3, 3]);
    case.constant("slope", &[36, 1, 1]);
    let same = ("pads", ints(&[1, 1, 1, 1]));
    case.node("Conv", &["x", "w1"], "a", std::slice::from_ref(&same));
    case.node("Sigmoid", &["a"], "b", &[]);
    case.node("Mul", &["a", "b"], "c", &[]);
    case.node("Conv", &["c", "w2"], "d", std::slice::from_ref(&same));
    case.node("Relu", &["d"], "e", &[]);
    case.node("Conv", &["e", "w3"], "f", &[same, ("group", Attribute::Int(36))]);
    case.node("PRelu", &["f", "slope"], "g", &[]);
    case.node("MaxPool", &["g"], "h", &[("kernel_shape", ints(&[3, 3])), ("strides", ints(&[2, 2])), ("pads", ints(&[1, 1, 0, 0]))]);
    let average = [("kernel_shape", ints(&[2, 3])), ("pads", ints(&[0, 1, 1, 1])), ("count_include_pad", Attribute::Int(1))];
    case.node("AveragePool", &["h"], "i", &average);
    case.node("AveragePool", &["h"], "j", &[("kernel_shape", ints(&[2, 3])), ("pads", ints(&[0, 1, 1, 1]))]);
    case.node("Concat", &["i", "j", "i"], "k", &[("axis", Attribute::Int(1))]);
    case.node("Transpose", &["k"], "t", &[("perm", ints(&[0, 2, 1, 3]))]);
    case.node("GlobalAveragePool", &["k"], "l", &[]);
    case.node("GlobalMaxPool", &["k"], "m", &[]);
    case.node("Sub", &["l", "m"], "n", &[]);
    case.node("Flatten", &["n"], "y", &[]);
    output(&mut case.model.graph, "t", tensor_type(ElementType::F32, &[None, None, None, None]));
    case.check(15);
}

#[test]
fn a_normalization_takes_in_its_activation() {
    for shape in [&[2, 5, 4, 3][..], &[3, 5]] {
        let mut case = Case::new(shape);
        for name in ["scale", "bias1", "mean22"] {
            case.constant(name, &[5]);
        }
        let variance = HostTensor::from_vec(vec![5], &[0.5_f32, 1.0, 1.5, 2.0, 0.1]).unwrap();
        let id = case.model.graph.value_named("variance");
        case.model.graph.initializers.insert(id, variance.into());
        case.node("BatchNormalization", &["x", "scale", "bias1", "mean22", "variance"], "n", &[("epsilon", Attribute::Float(1e-3))]);
        case.node("LeakyRelu", &["n"], "y", &[]);
        case.check(1);
    }
}

#[test]
fn a_shuffle_of_channels_is_one_step() {
    let axes = ("perm", ints(&[0, 2, 1, 3, 4]));
    // The batch as a number, as "the rest", and as "what it is"; last, shapes that do more than shuffle.
    for (inner, outer) in [
        ([2, 3, 4, 5, 6], [2, 12, 5, 6]),
        ([-1, 3, 4, 5, 6], [0, 12, 5, 6]),
        ([0, 4, 3, 5, 6], [-1, 12, 5, 6]),
        ([2, 3, 4, 6, 5], [2, 12, 6, 5]),
        ([1, 6, 4, 5, 6], [1, 24, 5, 6]),
    ] {
        for is_convolved in [true, false] {
            let mut case = Case::new(if is_convolved { &[2, 3, 5, 6] } else { &[2, 12, 5, 6] });
            case.constant("w", &[12, 3, 1, 1]);
            for (name, shape) in [("inner", &inner[..]), ("outer", &outer[..])] {
                let id = case.model.graph.value_named(name);
                case.model.graph.initializers.insert(id, HostTensor::from_vec(vec![shape.len()], shape).unwrap().into());
            }
            if is_convolved {
                case.node("Conv", &["x", "w"], "c", &[]);
            }
            case.node("Reshape", &[if is_convolved { "c" } else { "x" }, "inner"], "r", &[]);
            case.node("Transpose", &["r"], "t", std::slice::from_ref(&axes));
            case.node("Reshape", &["t", "outer"], "y", &[]);
            case.check(1 + usize::from(is_convolved));
        }
    }
}

#[test]
fn what_only_looks_like_a_shuffle_stays() {
    for (perm, inner) in [([0, 2, 1, 4, 3], &[2_i64, 3, 4, 5, 6][..]), ([0, 1, 2, 3, 4], &[2, 3, 4, 5, 6])] {
        let mut case = Case::new(&[2, 12, 5, 6]);
        for (name, shape) in [("inner", inner), ("outer", &[2, 12, 5, 6])] {
            let id = case.model.graph.value_named(name);
            case.model.graph.initializers.insert(id, HostTensor::from_vec(vec![shape.len()], shape).unwrap().into());
        }
        case.node("Reshape", &["x", "inner"], "r", &[]);
        case.node("Transpose", &["r"], "t", &[("perm", ints(&perm))]);
        case.node("Reshape", &["t", "outer"], "y", &[]);
        case.check(3);
    }
}

#[test]
fn a_node_out_of_a_function_keeps_the_opset_of_its_function() {
    // The bounds of a Clip are attributes before opset 11, inputs from then on; each node may have come from a function with another opset.
    let attributes = [("min", Attribute::Float(-0.25)), ("max", Attribute::Float(0.25))];
    for (model_opset, own_opset) in [(21, Some(6)), (6, Some(13)), (21, None), (6, None)] {
        let mut case = Case::new(&[3, 6]);
        case.model.opset_imports = [(String::new(), model_opset)].into();
        case.constant("w", &[6, 5]);
        for (name, bound) in [("low", -0.5_f32), ("high", 0.5)] {
            let id = case.model.graph.value_named(name);
            case.model.graph.initializers.insert(id, HostTensor::from_vec(vec![], &[bound]).unwrap().into());
        }
        case.node("MatMul", &["x", "w"], "p", &[]);
        let bounds: &[&str] = if own_opset.unwrap_or(model_opset) < 11 { &["p"] } else { &["p", "low", "high"] };
        case.node("Clip", bounds, "y", &attributes);
        case.model.graph.nodes[1].opset = own_opset;
        case.check(1);
    }
}
