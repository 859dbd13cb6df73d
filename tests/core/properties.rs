//! Properties of random small graphs.

use drydock_core::engine::{Plan, PlanOptions};
use drydock_core::graph::{Attribute, Model, ValueId};
use drydock_core::onnx;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Tensor, Value};
use drydock_tests::close::{Tolerance, assert_close};
use drydock_tests::models::ModelBuilder;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

/// Every value of a random graph has this shape, so that any step can follow any other.
const SHAPE: [usize; 4] = [2, 3, 4, 4];
const N_ELEMENTS: usize = 2 * 3 * 4 * 4;

/// One node (or a few) of a random graph. Numbers choose among the values made so far.
#[derive(Debug, Clone)]
enum Step {
    Unary(&'static str, usize),
    Binary(&'static str, usize, usize),
    WithConstant(&'static str, usize, [f32; 3]),
    Convolution {
        input: usize,
        seed: u32,
        has_bias: bool,
        is_depthwise: bool,
    },
    BatchNorm {
        input: usize,
        seed: u32,
    },
    MaxPool(usize),
    Softmax(usize),
    /// Adds the mean over the whole picture: broadcasting from [2, 3, 1, 1].
    AddGlobalMean(usize),
    /// There and back.
    TransposeTwice(usize),
    /// To the shape that the graph reads from another value.
    ReshapeLike(usize, usize),
    /// Multiplies by what comes out of constants alone.
    FoldableConstants(usize, [f32; 3]),
    SplitAndConcat(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let value = any::<usize>;
    let numbers = || [-1.0_f32..1.0, -1.0_f32..1.0, -1.0_f32..1.0];
    prop_oneof![
        (prop_oneof![Just("Relu"), Just("Tanh"), Just("Sigmoid"), Just("Neg"), Just("Abs"), Just("Identity"), Just("Dropout")], value())
            .prop_map(|(op, input)| Step::Unary(op, input)),
        (prop_oneof![Just("Add"), Just("Sub"), Just("Max"), Just("Min")], value(), value()).prop_map(|(op, a, b)| Step::Binary(op, a, b)),
        (prop_oneof![Just("Add"), Just("Mul")], value(), numbers()).prop_map(|(op, input, numbers)| Step::WithConstant(op, input, numbers)),
        (value(), any::<u32>(), any::<bool>(), any::<bool>()).prop_map(|(input, seed, has_bias, is_depthwise)| Step::Convolution {
            input,
            seed,
            has_bias,
            is_depthwise
        }),
        (value(), any::<u32>()).prop_map(|(input, seed)| Step::BatchNorm { input, seed }),
        value().prop_map(Step::MaxPool),
        value().prop_map(Step::Softmax),
        value().prop_map(Step::AddGlobalMean),
        value().prop_map(Step::TransposeTwice),
        (value(), value()).prop_map(|(a, b)| Step::ReshapeLike(a, b)),
        (value(), numbers()).prop_map(|(input, numbers)| Step::FoldableConstants(input, numbers)),
        value().prop_map(Step::SplitAndConcat),
    ]
}

/// Numbers between -0.5 and 0.5 that depend on a seed alone.
fn weights(seed: u32, n: usize) -> Vec<f32> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..n).map(|_| next()).collect()
}

fn build(steps: &[Step]) -> Model {
    let mut builder = ModelBuilder::new(17);
    let mut values = vec![builder.input("x", &SHAPE, true)];
    for step in steps {
        let value = add_step(&mut builder, &values, step);
        values.push(value);
    }
    builder.finish(values[values.len() - 1], &SHAPE)
}

fn add_step(builder: &mut ModelBuilder, values: &[ValueId], step: &Step) -> ValueId {
    let pick = |index: usize| values[index % values.len()];
    match *step {
        Step::Unary(op, input) => builder.node(op, &[pick(input)], &[]),
        Step::Binary(op, a, b) => builder.node(op, &[pick(a), pick(b)], &[]),
        Step::WithConstant(op, input, numbers) => {
            let constant = builder.constant(&[3, 1, 1], &numbers);
            builder.node(op, &[pick(input), constant], &[])
        }
        Step::Convolution { input, seed, has_bias, is_depthwise } => {
            let (channels, group) = if is_depthwise { (1, 3) } else { (3, 1) };
            let mut inputs = vec![pick(input), builder.constant(&[3, channels, 3, 3], &weights(seed, 27 * channels))];
            if has_bias {
                inputs.push(builder.constant(&[3], &weights(seed ^ 0xABCD, 3)));
            }
            builder.node("Conv", &inputs, &[("pads", Attribute::Ints(vec![1; 4])), ("group", Attribute::Int(group))])
        }
        Step::BatchNorm { input, seed } => {
            let mut inputs = vec![pick(input)];
            for part in 0..3 {
                inputs.push(builder.constant(&[3], &weights(seed.wrapping_add(part), 3)));
            }
            let variance: Vec<f32> = weights(seed, 3).iter().map(|weight| weight.abs() + 0.5).collect();
            inputs.push(builder.constant(&[3], &variance));
            builder.node("BatchNormalization", &inputs, &[])
        }
        Step::MaxPool(input) => builder.node(
            "MaxPool",
            &[pick(input)],
            &[("kernel_shape", Attribute::Ints(vec![3, 3])), ("pads", Attribute::Ints(vec![1; 4])), ("strides", Attribute::Ints(vec![1, 1]))],
        ),
        Step::Softmax(input) => builder.node("Softmax", &[pick(input)], &[("axis", Attribute::Int(1))]),
        Step::AddGlobalMean(input) => {
            let mean = builder.node("GlobalAveragePool", &[pick(input)], &[]);
            builder.node("Add", &[pick(input), mean], &[])
        }
        Step::TransposeTwice(input) => {
            let there = builder.node("Transpose", &[pick(input)], &[("perm", Attribute::Ints(vec![0, 2, 3, 1]))]);
            builder.node("Transpose", &[there], &[("perm", Attribute::Ints(vec![0, 3, 1, 2]))])
        }
        Step::ReshapeLike(input, like) => {
            let shape = builder.node("Shape", &[pick(like)], &[]);
            builder.node("Reshape", &[pick(input), shape], &[])
        }
        Step::FoldableConstants(input, numbers) => {
            let (a, b) = (builder.constant(&[3, 1, 1], &numbers), builder.constant(&[1], &[0.25_f32]));
            let sum = builder.node("Add", &[a, b], &[]);
            builder.node("Mul", &[pick(input), sum], &[])
        }
        Step::SplitAndConcat(input) => {
            let starts = [builder.constant(&[1], &[0_i64]), builder.constant(&[1], &[1_i64])];
            let ends = [starts[1], builder.constant(&[1], &[i64::MAX])];
            let axes = starts[1];
            let first = builder.node("Slice", &[pick(input), starts[0], ends[0], axes], &[]);
            let rest = builder.node("Slice", &[pick(input), starts[1], ends[1], axes], &[]);
            builder.node("Concat", &[rest, first], &[("axis", Attribute::Int(1))])
        }
    }
}

fn run(model: &Model, optimize: bool) -> Vec<f32> {
    let ctx = TaskCtx::unattended();
    let plan = Plan::compile(&ctx, model, &PlanOptions { optimize, ..PlanOptions::default() }).unwrap();
    let x = Tensor::from_vec(&SHAPE, weights(7, N_ELEMENTS)).unwrap();
    let outputs = plan.run(&ctx, vec![("x".to_owned(), Value::Tensor(x))]).unwrap();
    outputs[0].as_tensor().unwrap().as_slice::<f32>().unwrap().into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn optimising_changes_nothing(steps in vec(step(), 1..9)) {
        let model = build(&steps);
        // Folding a normalisation into a convolution rounds differently; nothing else may.
        let tolerance = Tolerance { relative: 1e-4, absolute: 1e-5 };
        assert_close("optimised against not", &run(&model, true), &run(&model, false), tolerance);
    }

    #[test]
    fn saving_and_loading_changes_nothing(steps in vec(step(), 1..9)) {
        let ctx = TaskCtx::unattended();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        let model = build(&steps);
        onnx::save(&ctx, &model, &path).unwrap();
        let loaded = onnx::load(&ctx, &path).unwrap().model;
        onnx::save(&ctx, &loaded, &path).unwrap();
        assert_eq!(onnx::load(&ctx, &path).unwrap().model, loaded);
        assert_eq!(run(&loaded, false), run(&model, false));
    }
}
