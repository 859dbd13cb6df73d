//! Load → save → load changes nothing.

use proptest::prelude::*;

use super::*;
use crate::graph::{Attribute, Attributes, Dimension, Function, Graph, Initializer, Node, SymbolicShape, ValueId, ValueType};
use crate::host::HostTensor;

#[track_caller]
fn assert_identity(path: &Path) {
    let model = load(&TaskCtx::unattended(), path).unwrap_or_else(|error| panic!("{error}")).model;
    let again = load_bytes(path, save_bytes(&model).into()).unwrap_or_else(|error| panic!("saved and loaded: {error}"));
    assert!(model == again, "{} changed when it was saved and loaded again", path.display());
}

fn models_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            models_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "onnx") {
            found.push(path);
        }
    }
}

#[test]
fn every_sample_and_golden_model_survives() {
    let mut models = Vec::new();
    for folder in ["sample-models", "tests/golden/cases", "tests/golden/tensors"] {
        models_below(&fixtures().join(folder), &mut models);
    }
    assert!(models.len() > 100, "only {} models found", models.len());
    models.iter().for_each(|path| assert_identity(path));
}

#[test]
fn a_saved_file_is_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let model = Generator { state: 7 }.model();
    save(&TaskCtx::unattended(), &model, &path).unwrap();
    let file = load(&TaskCtx::unattended(), &path).unwrap();
    assert!(file.model == model);
    assert!(file.external.is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left");
}

#[test]
fn weights_beyond_the_limit_go_to_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.onnx");
    let mut model = read(&small_model()).unwrap();
    for index in 0..3_u8 {
        let id = model.graph.value_named(&format!("large{index}"));
        let values = vec![f32::from(index); 20_000];
        model.graph.initializers.insert(id, HostTensor::from_vec(vec![100, 200], &values).unwrap().into());
    }
    write::write(&TaskCtx::unattended(), &model, &path, 100_000).unwrap();
    let file = load(&TaskCtx::unattended(), &path).unwrap();
    let paths: Vec<_> = file.external.iter().map(|file| file.path.as_path()).collect();
    assert_eq!(paths, [folder.path().join("large.onnx.data").canonicalize().unwrap()]);
    assert!(file.bytes.len() < 1_000);
    assert_eq!(save_bytes(&file.model), save_bytes(&model));
    // Saving over the very files that are mapped leaves the model intact.
    write::write(&TaskCtx::unattended(), &file.model, &path, 100_000).unwrap();
    assert_eq!(save_bytes(&load(&TaskCtx::unattended(), &path).unwrap().model), save_bytes(&model));
}

#[test]
fn a_save_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let model = read(&small_model()).unwrap();
    let target = folder.path().join("taken");
    std::fs::create_dir(&target).unwrap();
    assert!(matches!(save(&TaskCtx::unattended(), &model, &target), Err(SaveError::Io { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(save(&TaskCtx::unattended(), &model, &folder.path().join("absent/model.onnx")).is_err());
    let ctx = TaskCtx::unattended();
    ctx.cancel_token().cancel();
    assert!(matches!(save(&ctx, &model, &folder.path().join("m.onnx")), Err(SaveError::Cancelled(_))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_default_domain_has_one_name() {
    let mut proto = with_graph(|graph| graph.node[0].domain = some("ai.onnx"));
    proto.opset_import[0].domain = some("ai.onnx");
    let model = read(&proto).unwrap();
    assert_eq!(model.graph.nodes[0].domain, "");
    assert_eq!((model.opset("ai.onnx"), model.opset("")), (Some(17), Some(17)));
}

#[test]
fn before_ir_version_4_initializers_are_constants_although_they_are_listed_as_inputs() {
    let mut proto = with_graph(|graph| graph.input.insert(0, value_info("w", &[2])));
    proto.ir_version = Some(3);
    let model = read(&proto).unwrap();
    let names = |ids: &[ValueId]| ids.iter().map(|id| model.graph.value(*id).name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(&model.graph.inputs), ["x"]);
    assert!(model.graph.constant(model.graph.find_value("w").unwrap()).is_some());
    let saved = ModelProto::decode(Bytes::from(save_bytes(&model))).unwrap();
    let inputs: Vec<_> = saved.graph.as_ref().unwrap().input.iter().filter_map(|input| input.name.as_deref()).collect();
    assert_eq!(inputs, ["x", "w"]);
    assert!(read(&saved).unwrap() == model);

    proto.ir_version = Some(4);
    let model = read(&proto).unwrap();
    assert_eq!(model.graph.inputs.len(), 2);
    assert!(model.graph.constant(model.graph.find_value("w").unwrap()).is_none(), "a caller may override it");
}

#[test]
fn what_the_graph_does_not_model_is_carried() {
    use crate::onnx::proto::{AttributeProto, SparseTensorProto, attribute_type};
    let mut proto = with_graph(|graph| {
        let dimension = DimensionProto { value: Some(DimensionValue::DimValue(-1)), denotation: some("DATA_BATCH") };
        let tensor = type_proto::Tensor { elem_type: Some(1), shape: Some(TensorShapeProto { dim: vec![dimension] }) };
        graph.input[0].r#type = Some(TypeProto { value: Some(type_proto::Value::Tensor(tensor)), denotation: some("TENSOR") });
        let tensor = TensorProto { doc_string: some("learned"), ..float_tensor("inner name", &[1], &[0.5]) };
        graph.node[0].attribute = vec![AttributeProto {
            name: some("a"),
            doc_string: some("why"),
            t: Some(Box::new(tensor)),
            r#type: Some(attribute_type::TENSOR),
            ..AttributeProto::default()
        }];
        graph.node[0].device_configurations = vec![Bytes::from_static(b"\x0a\x01c")];
        let indices = TensorProto { dims: vec![1], data_type: Some(7), int64_data: vec![2], ..TensorProto::default() };
        let sparse = SparseTensorProto { values: Some(float_tensor("s", &[1], &[1.0])), indices: Some(indices), dims: vec![4] };
        graph.sparse_initializer = vec![sparse.encode_to_vec().into()];
        graph.quantization_annotation = vec![Bytes::from_static(b"\x0a\x01w")];
    });
    proto.training_info = vec![Bytes::from_static(b"\x1a\x00")];
    proto.configuration = vec![Bytes::from_static(b"\x0a\x03gpu")];

    let model = read(&proto).unwrap();
    let sparse = &model.graph.sparse_initializers[&model.graph.find_value("s").unwrap()];
    assert_eq!(sparse.to_dense().unwrap().as_slice::<f32>().unwrap().as_ref(), [0.0, 0.0, 1.0, 0.0]);
    let x = model.graph.find_value("x").unwrap();
    assert_eq!(model.graph.value(x).value_type, Some(ValueType::tensor(ElementType::F32, vec![Dimension::Unknown])));
    let saved = ModelProto::decode(Bytes::from(save_bytes(&model))).unwrap();
    assert!(read(&saved).unwrap() == model);
    let (before, after) = (proto.graph.unwrap(), saved.graph.unwrap());
    assert_eq!(after.input, before.input);
    assert_eq!(after.sparse_initializer, before.sparse_initializer);
    assert_eq!(after.quantization_annotation, before.quantization_annotation);
    assert_eq!(after.node[0].device_configurations, before.node[0].device_configurations);
    let (before, after) = (&before.node[0].attribute[0], &after.node[0].attribute[0]);
    assert_eq!(after.doc_string, before.doc_string);
    assert_eq!(after.t.as_ref().unwrap().name, before.t.as_ref().unwrap().name);
    assert_eq!(after.t.as_ref().unwrap().doc_string, before.t.as_ref().unwrap().doc_string);
    assert_eq!((saved.training_info, saved.configuration), (proto.training_info, proto.configuration));
}

/// A file with a bit of everything, for mutation.
pub(super) fn rich_model_bytes() -> Vec<u8> {
    save_bytes(&Generator { state: 3 }.model())
}

proptest! {
    #[test]
    fn generated_models_survive(seed: u64) {
        let model = Generator { state: seed }.model();
        let bytes = save_bytes(&model);
        let again = load_bytes(Path::new("model.onnx"), bytes.clone().into()).unwrap();
        prop_assert!(again == model, "{again:?}\nis not\n{model:?}");
        prop_assert_eq!(save_bytes(&again), bytes);
    }
}

/// Makes valid models from a seed (SplitMix64). Values are created in the order in which loading creates them.
struct Generator {
    state: u64,
}

impl Generator {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn text(&mut self, stem: &str) -> String {
        if self.coin() { String::new() } else { format!("{stem} {} é\n", self.below(100)) }
    }

    fn list<T>(&mut self, max: usize, mut make: impl FnMut(&mut Self, usize) -> T) -> Vec<T> {
        (0..self.below(max + 1)).map(|index| make(self, index)).collect()
    }

    fn metadata(&mut self) -> Vec<(String, String)> {
        self.list(2, |generator, index| (format!("key{index}"), generator.text("value")))
    }

    fn element_type(&mut self) -> ElementType {
        ElementType::ALL[self.below(ElementType::ALL.len())].1
    }

    fn tensor(&mut self) -> HostTensor {
        let shape = self.list(3, |generator, _| generator.below(4));
        let n_elements: usize = shape.iter().product();
        let element_type = self.element_type();
        match element_type.bytes_for(n_elements) {
            None => HostTensor::from_strings(shape, (0..n_elements).map(|_| self.text("string").into()).collect()).unwrap(),
            Some(n_bytes) => {
                let bytes: Vec<u8> = (0..n_bytes).map(|_| self.next().to_le_bytes()[0]).collect();
                HostTensor::from_bytes(element_type, shape, bytes.into()).unwrap()
            }
        }
    }

    fn value_type(&mut self, depth: usize) -> ValueType {
        let element_type = self.element_type();
        let shape = if self.coin() { SymbolicShape::unknown() } else { SymbolicShape(Some(self.list(4, |generator, _| generator.dimension()))) };
        match (self.below(5), depth) {
            (1, _) => ValueType::SparseTensor { element_type, shape },
            (2, 1..) => ValueType::Sequence(Box::new(self.value_type(depth - 1))),
            (3, 1..) => ValueType::Map { key: ElementType::I64, value: Box::new(self.value_type(depth - 1)) },
            (4, 1..) => ValueType::Optional(Box::new(self.value_type(depth - 1))),
            _ => ValueType::Tensor { element_type, shape },
        }
    }

    fn dimension(&mut self) -> Dimension {
        match self.below(3) {
            0 => Dimension::Unknown,
            1 => Dimension::Symbol(format!("symbol{}", self.below(9))),
            _ => Dimension::Known(self.below(1 << 40)),
        }
    }

    fn declare(&mut self, graph: &mut Graph, id: ValueId) {
        let value_type = Some(self.value_type(3)).filter(|_| self.below(5) > 0);
        let (doc_string, metadata) = (self.text("doc"), self.metadata());
        let value = graph.value_mut(id);
        (value.value_type, value.doc_string, value.metadata, value.is_declared) = (value_type, doc_string, metadata, true);
    }

    fn attribute(&mut self, depth: usize) -> Attribute {
        let bytes = |generator: &mut Self| Bytes::from(generator.text("bytes").into_bytes());
        match self.below(if depth == 0 { 11 } else { 13 }) {
            0 => Attribute::Float(0.5 + self.below(100) as f32),
            1 => Attribute::Int(i64::from_le_bytes(self.next().to_le_bytes())),
            2 => Attribute::String(bytes(self)),
            3 => Attribute::Tensor(self.tensor()),
            4 => Attribute::Type(self.value_type(2)),
            5 => Attribute::Floats(self.list(3, |generator, _| generator.below(100) as f32)),
            6 => Attribute::Ints(self.list(3, |generator, _| i64::from_le_bytes(generator.next().to_le_bytes()))),
            7 => Attribute::Strings(self.list(3, |generator, _| bytes(generator))),
            8 => Attribute::Tensors(self.list(2, |generator, _| generator.tensor())),
            9 => Attribute::Types(self.list(2, |generator, _| generator.value_type(2))),
            10 => Attribute::Reference { name: "outer".to_owned(), attribute_type: 1 },
            11 => Attribute::Graph(self.graph(depth - 1).into()),
            _ => Attribute::Graphs(self.list(2, |generator, _| generator.graph(depth - 1).into())),
        }
    }

    fn attributes(&mut self, depth: usize) -> Attributes {
        Attributes(self.list(3, |generator, index| (format!("attribute{index}"), generator.attribute(depth))).into_iter().collect())
    }

    fn nodes(&mut self, graph: &mut Graph, depth: usize) {
        // A graph without inputs and constants has nothing to read but what its nodes make.
        let mut readable: Vec<ValueId> = graph.inputs.iter().chain(graph.initializers.keys()).copied().collect();
        for index in 0..self.below(5) {
            let inputs =
                self.list(
                    3,
                    |generator, _| {
                        if readable.is_empty() || generator.below(4) == 0 { None } else { Some(readable[generator.below(readable.len())]) }
                    },
                );
            let outputs: Vec<_> = (0..1 + self.below(2))
                .map(|output| (output == 0 || self.coin()).then(|| graph.value_named(&format!("made_{index}_{output}"))))
                .collect();
            readable.extend(outputs.iter().flatten());
            let domain = if self.coin() { "" } else { "ai.onnx.ml" };
            graph.nodes.push(Node {
                name: self.text("node"),
                op_type: "Operator".to_owned(),
                domain: domain.to_owned(),
                overload: self.text("overload"),
                doc_string: self.text("doc"),
                inputs,
                outputs,
                attributes: self.attributes(depth),
                opset: None,
                metadata: self.metadata(),
                opaque: Vec::new(),
            });
        }
        graph.outputs = readable.into_iter().filter(|_| self.coin()).collect();
    }

    fn graph(&mut self, depth: usize) -> Graph {
        let mut graph = Graph::default();
        (graph.name, graph.doc_string, graph.metadata) = (self.text("graph"), self.text("doc"), self.metadata());
        graph.inputs = self.list(3, |_, index| graph.value_named(&format!("input{index}")));
        for index in 0..self.below(4) {
            // Some constants are defaults of inputs.
            let default = graph.inputs.get(index).copied().filter(|_| self.coin());
            let id = default.unwrap_or_else(|| graph.value_named(&format!("constant{index}")));
            let initializer = Initializer { tensor: self.tensor(), doc_string: self.text("doc"), metadata: self.metadata() };
            graph.initializers.insert(id, initializer);
        }
        self.nodes(&mut graph, depth);
        let signature: Vec<ValueId> = graph.inputs.iter().chain(&graph.outputs).copied().collect();
        for id in signature {
            self.declare(&mut graph, id);
        }
        for index in 0..self.below(3) {
            let id = graph.value_named(&format!("declared{index}"));
            self.declare(&mut graph, id);
        }
        graph
    }

    fn function(&mut self, index: usize) -> Function {
        let mut graph = Graph::default();
        let inputs: Vec<String> = self.list(2, |_, index| format!("parameter{index}"));
        graph.inputs = inputs.iter().map(|name| graph.value_named(name)).collect();
        self.nodes(&mut graph, 1);
        Function {
            domain: "local".to_owned(),
            name: format!("function{index}"),
            overload: self.text("overload"),
            doc_string: self.text("doc"),
            inputs,
            outputs: graph.outputs.iter().map(|id| graph.value(*id).name.clone()).collect(),
            attribute_names: self.list(2, |_, index| format!("given{index}")),
            attributes: self.attributes(0),
            opset_imports: [(String::new(), 18)].into(),
            graph,
            metadata: self.metadata(),
            opaque: Vec::new(),
        }
    }

    fn model(&mut self) -> Model {
        Model {
            ir_version: 4 + self.below(10) as i64,
            producer_name: self.text("producer"),
            producer_version: self.text("version"),
            domain: self.text("domain"),
            model_version: i64::from_le_bytes(self.next().to_le_bytes()),
            doc_string: self.text("doc"),
            opset_imports: [(String::new(), 21), ("ai.onnx.ml".to_owned(), 3)].into(),
            metadata: self.metadata(),
            graph: self.graph(2),
            functions: self.list(2, Self::function),
            opaque: Vec::new(),
        }
    }
}

#[test]
fn every_element_type_is_read_alike_from_raw_and_from_typed_data() {
    let model = load(&TaskCtx::unattended(), &fixtures().join("tests/golden/tensors/model.onnx")).unwrap().model;
    let mut seen = Vec::new();
    for (id, initializer) in &model.graph.initializers {
        let Some(name) = model.graph.value(*id).name.strip_prefix("raw_") else { continue };
        let typed = model.graph.find_value(&format!("typed_{name}")).unwrap();
        let (raw, typed) = (&initializer.tensor, &model.graph.initializers[&typed].tensor);
        assert_eq!(raw.bytes(), typed.bytes(), "{name}");
        assert!(raw == typed, "{name}");
        seen.push(raw.element_type());
    }
    let numeric: Vec<_> = ElementType::ALL.iter().map(|row| row.1).filter(|element_type| *element_type != ElementType::String).collect();
    assert_eq!(seen, numeric);
}
