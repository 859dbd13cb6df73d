//! Hostile and broken files: each is refused with a sentence, and nothing is allocated because a file says so.

use proptest::prelude::*;

use super::*;
use crate::onnx::proto::{AttributeProto, StringStringEntryProto, attribute_type};

fn load_raw(bytes: &[u8]) -> Result<Model, LoadError> {
    load_bytes(Path::new("model.onnx"), Bytes::copy_from_slice(bytes))
}

#[track_caller]
fn assert_refused(proto: &ModelProto, expected: &str) {
    assert_eq!(refusal(proto), format!("model.onnx: {expected}"));
}

fn with_initializer(tensor: TensorProto) -> ModelProto {
    with_graph(|graph| graph.initializer = vec![TensorProto { name: some("w"), ..tensor }])
}

#[test]
fn the_small_model_itself_is_good() {
    let model = read(&small_model()).unwrap();
    assert_eq!(model.graph.nodes.len(), 1);
    let w = model.graph.find_value("w").unwrap();
    assert_eq!(model.graph.constant(w).unwrap().as_slice::<f32>().unwrap().as_ref(), [1.0, 2.0]);
}

#[test]
fn files_that_are_no_models() {
    let message = |bytes: &[u8]| load_raw(bytes).unwrap_err().to_string();
    assert_eq!(message(b""), "model.onnx: the file is empty; an ONNX model was expected");
    assert!(message(b"<!DOCTYPE html>\n<html><body>Not found</body></html>").contains("it is a web page"));
    assert!(message(b"PK\x03\x04\x00\x00\x08\x08\x00\x00archive/data.pkl").contains("torch.onnx.export"));
    assert!(message(b"\x80\x04\x95\x00\x00").contains("pickle"));
    // A tensor file, as test sets hold them, is valid protobuf and yet no model.
    assert!(message(&float_tensor("x", &[2], &[1.0, 2.0]).encode_to_vec()).contains("not an ONNX model"));
}

#[test]
fn missing_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| load(&TaskCtx::unattended(), path).unwrap_err().to_string();
    assert!(message(&folder.path().join("absent.onnx")).contains("absent.onnx"));
    assert!(message(folder.path()).contains("a file was expected"));
}

#[test]
fn a_cut_file_never_passes_for_a_whole_one() {
    let bytes = small_model().encode_to_vec();
    let graph_end = bytes.len() - 4;
    assert!(load_raw(&bytes).is_ok());
    for len in 0..bytes.len() {
        assert!(load_raw(&bytes[..len]).is_err(), "cut to {len} of {} bytes", bytes.len());
    }
    let message = load_raw(&bytes[..graph_end / 2]).unwrap_err().to_string();
    assert_eq!(message, "model.onnx: not an ONNX model, or cut short: a part is announced that is longer than the rest of the file");
}

#[test]
fn a_claimed_length_allocates_nothing() {
    // Field 7 (the graph), and in it field 5 (an initializer), each said to be 2^62 bytes long.
    for key in [0x3a_u8, 0x2a] {
        let mut bytes = vec![key];
        prost::encoding::encode_varint(1 << 62, &mut bytes);
        bytes.extend([0; 16]);
        assert!(matches!(load_raw(&bytes), Err(LoadError::Malformed { .. })));
    }
}

#[test]
fn tensor_data_must_match_the_dims() {
    let raw = |data_type, dims: &[i64], n_bytes: usize| {
        with_initializer(TensorProto {
            dims: dims.to_vec(),
            data_type: Some(data_type),
            raw_data: Some(vec![0; n_bytes].into()),
            ..TensorProto::default()
        })
    };
    let cases = [
        (raw(1, &[2, 3], 20), "float32 of shape [2, 3] takes 24 bytes, but 20 are there"),
        (raw(1, &[], 0), "float32 of shape [] takes 4 bytes, but 0 are there"),
        (raw(22, &[3], 1), "int4 of shape [3] takes 2 bytes, but 1 are there"),
        (raw(1, &[2, -3], 24), "dims [2, -3]: -3 is negative"),
        (raw(1, &[1 << 62, 1 << 62], 24), "dims [4611686018427387904, 4611686018427387904] mean more elements than this machine can address"),
        (raw(99, &[2], 8), "element type number 99 is not one of the ONNX specification's (1 to 28)"),
        (raw(0, &[2], 8), "element type number 0 is not one of the ONNX specification's (1 to 28)"),
        (with_initializer(float_tensor("w", &[3], &[1.0])), "float32 of shape [3] takes 3 entries in float_data, but 1 are there"),
        (
            with_initializer(float_tensor("w", &[1 << 40], &[1.0])),
            "float32 of shape [1099511627776] takes 1099511627776 entries in float_data, but 1 are there",
        ),
        (
            with_initializer(TensorProto { dims: vec![1 << 40], data_type: Some(8), ..TensorProto::default() }),
            "string of shape [1099511627776] takes 1099511627776 entries in string_data, but 0 are there",
        ),
        (
            with_initializer(TensorProto {
                dims: vec![1],
                data_type: Some(8),
                string_data: vec![Bytes::from_static(&[0xff])],
                ..TensorProto::default()
            }),
            "string 0 is not valid UTF-8 text",
        ),
        (
            with_initializer(TensorProto { dims: vec![1], data_type: Some(2), int32_data: vec![300], ..TensorProto::default() }),
            "the value 300 does not fit uint8",
        ),
    ];
    for (proto, expected) in cases {
        assert_refused(&proto, &format!("initializer 'w': {expected}"));
    }
}

#[test]
fn enormous_dims_of_computed_tensors_are_only_numbers() {
    let proto = with_graph(|graph| graph.input = vec![value_info("x", &[i64::MAX, i64::MAX])]);
    assert!(read(&proto).is_ok());
    let proto = with_graph(|graph| graph.input = vec![value_info("x", &[-2])]);
    assert_refused(&proto, "type of value 'x': dimension -2 of the declared shape is negative");
}

#[test]
fn graphs_that_the_specification_forbids() {
    type Change = fn(&mut GraphProto);
    let cases: [(Change, &str); 11] = [
        (
            |graph| graph.initializer.clear(),
            "the graph: node 'n' (Add) reads 'w', which nothing makes: no input, no initializer and no node has that name",
        ),
        (
            |graph| graph.node[0].input = vec!["x".to_owned(), "y".to_owned()],
            "the graph: the graph has a cycle through node 'n'; an ONNX graph must not",
        ),
        (
            |graph| graph.node.push(graph.node[0].clone()),
            "the graph: node 'n' (Add) makes 'y', which is already made by node 'n'; a value may be made only once",
        ),
        (
            |graph| graph.node[0].output = vec!["x".to_owned()],
            "the graph: node 'n' (Add) makes 'x', which is already an input of the graph; a value may be made only once",
        ),
        (
            |graph| graph.node[0].output = vec!["w".to_owned()],
            "the graph: node 'n' (Add) makes 'w', which is already an initializer; a value may be made only once",
        ),
        (|graph| graph.input.push(graph.input[0].clone()), "the graph: the name 'x' is given to two inputs; names of values must be unique"),
        (|graph| graph.initializer.push(graph.initializer[0].clone()), "initializer 'w': is there twice; names of values must be unique"),
        (|graph| graph.output[0].name = some("z"), "the graph: output 'z' is made by no node and is neither an input nor an initializer"),
        (|graph| graph.output[0].name = some(""), "a graph output: the name is empty"),
        (|graph| graph.initializer[0].name = None, "an initializer: the name is empty"),
        (|graph| graph.node[0].op_type = None, "node 'n' (no operator): the operator's name (op_type) is missing"),
    ];
    for (change, expected) in cases {
        assert_refused(&with_graph(change), expected);
    }
}

#[test]
fn attributes_must_hold_what_they_declare() {
    let with_attribute = |attribute: AttributeProto| with_graph(|graph| graph.node[0].attribute = vec![attribute]);
    let attribute = |kind| AttributeProto { name: some("a"), r#type: Some(kind), ..AttributeProto::default() };
    assert_refused(&with_attribute(attribute(attribute_type::TENSOR)), "node 'n' (Add), attribute 'a': it is declared as a tensor, but holds none");
    assert_refused(&with_attribute(attribute(77)), "node 'n' (Add), attribute 'a': attribute type number 77 is not one of the ONNX specification's");
    assert_refused(&with_attribute(attribute(0)), "node 'n' (Add), attribute 'a': it has neither a type nor a value");
    let bad_tensor = AttributeProto { t: Some(Box::new(float_tensor("", &[2], &[1.0]))), ..attribute(attribute_type::TENSOR) };
    assert_refused(&with_attribute(bad_tensor), "node 'n' (Add), attribute 'a': float32 of shape [2] takes 2 entries in float_data, but 1 are there");
    let twice = with_graph(|graph| graph.node[0].attribute = vec![attribute(attribute_type::INT), attribute(attribute_type::INT)]);
    assert_refused(&twice, "node 'n' (Add), attribute 'a': is there twice");
}

#[test]
fn versions_that_mean_nothing() {
    let change = |change: fn(&mut ModelProto)| {
        let mut proto = small_model();
        change(&mut proto);
        refusal(&proto)
    };
    assert!(change(|model| model.ir_version = None).contains("ir_version is missing"));
    assert!(change(|model| model.ir_version = Some(1_000)).contains("IR version 1000"));
    assert!(change(|model| model.opset_import.clear()).contains("no operator set is imported"));
    assert!(change(|model| model.opset_import.push(OperatorSetIdProto { domain: some("ai.onnx"), version: Some(9) })).contains("imported twice"));
}

/// `depth` messages around `inner`, each the field that `keys` names in turn, from the inside out.
fn nest(inner: Vec<u8>, keys: &[u8], depth: usize) -> Vec<u8> {
    (0..depth).fold(inner, |inner, level| {
        let mut outer = vec![keys[level % keys.len()]];
        prost::encoding::encode_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        outer
    })
}

#[test]
fn deep_nesting_is_refused_not_overflowed() {
    let nested = |depth: usize| {
        let wrap = |inner: GraphProto, level: usize| {
            let branch = AttributeProto {
                name: some("branch"),
                r#type: Some(attribute_type::GRAPH),
                g: Some(inner.encode_to_vec().into()),
                ..AttributeProto::default()
            };
            let node = NodeProto { attribute: vec![branch], ..node("Operator", &[], &[&format!("made_{level}")]) };
            GraphProto { node: vec![node], ..GraphProto::default() }
        };
        ModelProto { graph: Some((0..depth).fold(GraphProto::default(), wrap)), ..small_model() }
    };
    assert_eq!(read(&nested(1_000)).unwrap().graph.with_subgraphs().count(), 1_001);
    assert!(refusal(&nested(1_001)).contains("graphs are nested more than 1000 levels deep"));
    // sequence (field 4) of a type (field 1), a thousand times, as the type (field 2) of an input (field 11).
    let types = nest(nest(Vec::new(), &[0x0a, 0x22], 2_000), &[0x12, 0x5a, 0x3a], 3);
    assert!(load_raw(&types).unwrap_err().to_string().contains("nested too deeply"));
}

#[test]
fn long_chains_are_no_nesting() {
    let n_nodes = 20_000;
    let proto = with_graph(|graph| {
        let name = |index: usize| if index == n_nodes { "y".to_owned() } else { format!("v{index}") };
        graph.node = (0..n_nodes).map(|index| node("Add", &[&name(index), "w"], &[&name(index + 1)])).collect();
        graph.input[0].name = Some(name(0));
    });
    assert_eq!(read(&proto).unwrap().graph.nodes.len(), n_nodes);
}

/// A folder with a model whose weight `w` is external, and a secret beside the folder.
struct ExternalCase {
    root: tempfile::TempDir,
}

impl ExternalCase {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("models")).unwrap();
        std::fs::write(root.path().join("secret.bin"), [0; 64]).unwrap();
        let weights: Vec<u8> = [0.0_f32, 1.0, 2.0, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(root.path().join("models/w.bin"), weights).unwrap();
        Self { root }
    }

    fn load(&self, entries: &[(&str, &str)]) -> Result<LoadedFile, LoadError> {
        let external_data = entries.iter().map(|(key, value)| StringStringEntryProto { key: some(key), value: some(value) }).collect();
        let proto =
            with_initializer(TensorProto { dims: vec![2], data_type: Some(1), external_data, data_location: Some(1), ..TensorProto::default() });
        let path = self.root.path().join("models/model.onnx");
        std::fs::write(&path, proto.encode_to_vec()).unwrap();
        load(&TaskCtx::unattended(), &path)
    }

    #[track_caller]
    fn assert_refused(&self, entries: &[(&str, &str)], expected: &str) {
        let message = self.load(entries).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected:?} in {message:?}");
    }
}

#[test]
fn external_data_are_read_from_the_models_folder() {
    let case = ExternalCase::new();
    let file = case.load(&[("location", "./w.bin"), ("offset", "8"), ("length", "8")]).unwrap();
    let w = file.model.graph.find_value("w").unwrap();
    assert_eq!(file.model.graph.constant(w).unwrap().as_slice::<f32>().unwrap().as_ref(), [2.0, 3.0]);
    let paths: Vec<_> = file.external.iter().map(|file| file.path.as_path()).collect();
    assert_eq!(paths, [case.root.path().join("models/w.bin").canonicalize().unwrap()]);
    // Without a length the dims say how much is needed.
    assert!(case.load(&[("location", "w.bin")]).is_ok());
}

#[test]
fn external_data_never_leave_the_models_folder() {
    let case = ExternalCase::new();
    let secret = case.root.path().join("secret.bin");
    case.assert_refused(&[("location", "../secret.bin")], "it must lie inside the model's folder");
    case.assert_refused(&[("location", "w/../../secret.bin")], "it must lie inside the model's folder");
    case.assert_refused(&[("location", secret.to_str().unwrap())], "it must lie inside the model's folder");
    case.assert_refused(&[("location", "")], "external data ''");
    case.assert_refused(&[("location", "absent.bin")], "the file must lie beside the model");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, case.root.path().join("models/link.bin")).unwrap();
        case.assert_refused(&[("location", "link.bin")], "it leads out of the model's folder through a link");
        std::os::unix::fs::symlink(case.root.path(), case.root.path().join("models/up")).unwrap();
        case.assert_refused(&[("location", "up/secret.bin")], "it leads out of the model's folder through a link");
    }
}

#[test]
fn external_data_must_lie_inside_their_file() {
    let case = ExternalCase::new();
    let with = |offset, length| [("location", "w.bin"), ("offset", offset), ("length", length)];
    case.assert_refused(&with("12", "8"), "bytes 12 to 12 + 8 were expected, but the file has 16");
    case.assert_refused(&with("18446744073709551615", "8"), "but the file has 16");
    case.assert_refused(&with("-1", "8"), "offset '-1' is not a number of bytes");
    case.assert_refused(&with("0", "12"), "float32 of shape [2] takes 8 bytes, but 12 are there");
    case.assert_refused(&[], "external data without a location");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_are_refused_or_read_never_a_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = super::identity::rich_model_bytes();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        // What can still be read is a model like any other.
        if let Ok(model) = load_raw(&bytes) {
            prop_assert!(load_raw(&save_bytes(&model)).unwrap() == model);
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
        prop_assert!(load_raw(&bytes).is_err());
    }
}
