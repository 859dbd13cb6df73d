//! Model files that are wrong, each in one way (`tests/golden/generator/broken.py` makes them), and model files damaged at random.
//! Always a sentence that says where, no panic, no allocation in proportion to a number that a file claims.

use std::path::Path;

use drydock_core::Error;
use drydock_core::engine::RunError;
use drydock_core::graph::ValueType;
use drydock_core::host::ElementType;
use drydock_core::model::OpenModel;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Device, Tensor, Value};
use drydock_tests::allocation::largest_allocation;
use drydock_tests::{broken_model, sample_model};
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::sample::Index;

/// More than anything that the broken files have a right to.
const ALLOCATION_LIMIT: usize = 64 << 20;

/// The file's name without `.onnx`, and words that the sentence must contain.
const BROKEN: &[(&str, &[&str])] = &[
    ("empty", &["empty.onnx", "empty"]),
    ("random", &["random.onnx", "not an ONNX model"]),
    ("text", &["text.onnx", "not an ONNX model"]),
    ("no_graph", &["no_graph.onnx", "graph"]),
    ("bytes_do_not_match_dims", &["'w'", "24 bytes", "20"]),
    ("numbers_do_not_match_dims", &["'w'", "[2, 3]", "2"]),
    ("negative_dim", &["'w'", "-2"]),
    ("enormous_dims", &["'w'"]),
    ("overflowing_dims", &["'w'"]),
    ("unknown_element_type", &["'w'", "99"]),
    ("external_data_above", &["'w'", "../secret.bin"]),
    ("external_data_absolute", &["'w'", "/etc/passwd"]),
    ("external_data_missing", &["not_there.bin"]),
    ("external_data_beyond_end", &["empty.onnx"]),
    ("external_data_enormous", &["random.onnx"]),
    ("cycle", &["cycle", "'first'"]),
    ("missing_initializer", &["'add'", "Add", "'w'"]),
    ("missing_output", &["'y'"]),
    ("made_twice", &["'y'"]),
    ("unknown_operator", &["'frob'", "Frobnicate", "17"]),
    ("unknown_domain", &["'add'", "com.example"]),
    ("domain_without_opset", &["ai.onnx.ml"]),
    ("too_few_inputs", &["'add'", "Add"]),
    ("missing_attribute", &["'join'", "'axis'"]),
    ("wrong_attribute_type", &["'soft'", "'axis'"]),
    ("shapes_do_not_fit", &["'product'", "MatMul", "[2, 3]", "[5, 2]"]),
    ("types_do_not_fit", &["'add'", "float32", "int64"]),
    ("index_out_of_range", &["'pick'", "7"]),
    ("axis_out_of_range", &["'soft'", "5"]),
    ("enormous_constant", &["'fill'"]),
    ("enormous_expand", &["'grow'"]),
    ("enormous_tile", &["'repeat'"]),
    ("enormous_pad", &["'pad'"]),
    ("enormous_range", &["'count'"]),
    ("endless_range", &["'count'"]),
    ("stride_zero", &["'pool'"]),
    ("enormous_kernel", &["'pool'"]),
    ("enormous_pads", &["'pool'"]),
    ("negative_dilation", &["'conv'"]),
    ("group_zero", &["'conv'"]),
    ("enormous_stride_transposed", &["'deconv'"]),
    ("tree_cycle", &["'trees'"]),
    ("tree_child_missing", &["'trees'", "77"]),
    ("tree_lengths_differ", &["'trees'", "nodes_values"]),
    ("tree_feature_missing", &["'trees'"]),
    ("tree_feature_negative", &["'trees'"]),
    ("tree_target_missing", &["'trees'", "5"]),
    ("tree_enormous_targets", &["'trees'"]),
    ("tree_unknown_mode", &["'trees'", "BRANCH_MAYBE"]),
];

#[test]
fn every_broken_model_is_refused_in_a_sentence() {
    let mut complaints = Vec::new();
    for (name, fragments) in BROKEN {
        let (sentence, largest) = largest_allocation(|| what_is_wrong_with(&broken_model(name)));
        match sentence {
            Err(problem) => complaints.push(format!("{name}: {problem}")),
            Ok(sentence) => {
                let missing: Vec<_> = fragments.iter().filter(|fragment| !sentence.contains(**fragment)).collect();
                if !missing.is_empty() {
                    complaints.push(format!("{name}: {missing:?} is not in: {sentence}"));
                }
                if sentence.lines().count() != 1 {
                    complaints.push(format!("{name}: not one line: {sentence}"));
                }
            }
        }
        if largest > ALLOCATION_LIMIT {
            complaints.push(format!("{name}: asked for {largest} bytes at once"));
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = OpenModel::open(&TaskCtx::unattended(), Path::new("no/such/model.onnx"), Device::Cpu).unwrap_err().to_string();
    assert!(error.starts_with("no/such/model.onnx: "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_truncated_model_is_no_panic(which in any::<Index>(), at in any::<Index>()) {
        let mut bytes = sample_bytes(which);
        bytes.truncate(at.index(bytes.len()));
        survives(&bytes);
    }

    #[test]
    fn a_model_with_changed_bytes_is_no_panic(which in any::<Index>(), changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6)) {
        let mut bytes = sample_bytes(which);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        survives(&bytes);
    }
}

fn sample_bytes(which: Index) -> Vec<u8> {
    let names = ["breast-cancer", "diabetes", "digits", "payment-fraud", "wine"];
    std::fs::read(sample_model(names[which.index(names.len())]).model()).unwrap()
}

/// Opens, compiles and runs whatever still can be. Errors are fine; panics, contained ones too, are not.
fn survives(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    if let Err(problem) = what_is_wrong_with(&path)
        && problem != NOTHING
    {
        panic!("{problem}");
    }
}

const NOTHING: &str = "nothing is wrong with it";

/// The sentence for the user; `Err` if there is none, or a bad one.
fn what_is_wrong_with(path: &Path) -> Result<String, String> {
    let ctx = TaskCtx::unattended();
    let model = match OpenModel::open(&ctx, path, Device::Cpu) {
        Ok(model) => model,
        Err(error) => return Ok(error.to_string()),
    };
    let plan = match model.plan() {
        Ok(plan) => plan,
        Err(error) => return Ok(error.to_string()),
    };
    let inputs = plan.inputs().iter().filter(|input| !input.is_optional);
    let inputs = inputs.filter_map(|input| Some((input.name.clone(), zeros(input.value_type.as_ref()?)?))).collect();
    match plan.run(&ctx, inputs) {
        Ok(_) => Err(NOTHING.to_owned()),
        Err(RunError::Panicked { message, node, .. }) => Err(format!("a panic in node '{node}', though contained: {message}")),
        Err(error) => Ok(Error::Run(error).to_string()),
    }
}

/// Two rows of zeros, or of empty strings, for an input of this type.
fn zeros(value_type: &ValueType) -> Option<Value> {
    let (element_type, shape) = value_type.as_tensor()?;
    let shape: Vec<usize> = shape.dims()?.iter().map(|dim| dim.known().unwrap_or(2)).collect();
    let n = shape.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim)).filter(|n| *n < 1 << 20)?;
    let tensor = match element_type {
        ElementType::F32 => Tensor::from_vec(&shape, vec![0.0_f32; n]),
        ElementType::I64 => Tensor::from_vec(&shape, vec![0_i64; n]),
        ElementType::String => Tensor::from_strings(&shape, vec![Default::default(); n]),
        _ => return None,
    };
    Some(Value::Tensor(tensor.ok()?))
}
