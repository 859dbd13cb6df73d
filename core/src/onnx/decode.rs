//! `ModelProto` → [`Model`].
//!
//! Values get their ids in one fixed order (inputs, initializers, what nodes name, outputs, what is only declared), which encoding
//! keeps, so that loading what was saved gives the same ids.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::error::Invalid;
use super::external::ExternalFiles;
use super::proto::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NEWEST_IR_VERSION, NodeProto, OperatorSetIdProto, SparseTensorProto,
    StringStringEntryProto, TensorProto, TypeProto, ValueInfoProto, attribute_type,
};
use super::{tensor, types};
use crate::graph::{Attribute, Attributes, Function, Graph, Initializer, Model, Node, ValueId, ValueType};
use crate::graph::{MAX_GRAPH_DEPTH, with_stack};

/// Before this version every initializer had to be listed among the inputs too, and was a constant all the same.
pub(super) const FIRST_IR_WITH_OVERRIDABLE_INITIALIZERS: i64 = 4;

/// Before this version a model had no operator set imports; it meant opset 1.
const FIRST_IR_WITH_OPSETS: i64 = 3;

pub(super) fn model(proto: ModelProto, external: &mut ExternalFiles) -> Result<Model, Invalid> {
    let ir_version = proto.ir_version.ok_or_else(|| Invalid::new("the field ir_version is missing"))?;
    if !(1..=NEWEST_IR_VERSION).contains(&ir_version) {
        return Err(Invalid::new(format!(
            "IR version {ir_version} is not one that this Drydock reads (1 to {NEWEST_IR_VERSION}); save the model for an older version of ONNX"
        )));
    }
    let mut opset_imports = opsets(proto.opset_import)?;
    if opset_imports.is_empty() {
        if ir_version >= FIRST_IR_WITH_OPSETS {
            return Err(Invalid::new("no operator set is imported (the field opset_import is empty), so the operators' meaning is unknown"));
        }
        opset_imports.insert(String::new(), 1);
    }
    let mut graph = proto.graph.ok_or_else(|| Invalid::new("it has no graph"))?;
    if ir_version < FIRST_IR_WITH_OVERRIDABLE_INITIALIZERS {
        keep_only_true_inputs(&mut graph);
    }
    let training = proto.training_info.into_iter().map(|message| ("training_info".to_owned(), message));
    let configuration = proto.configuration.into_iter().map(|message| ("configuration".to_owned(), message));
    let mut decoder = Decoder { external, depth: 0 };
    let mut graph = decoder.graph(graph)?;
    if ir_version < FIRST_IR_WITH_OVERRIDABLE_INITIALIZERS {
        declare_initializers(&mut graph);
    }
    Ok(Model {
        ir_version,
        producer_name: proto.producer_name.unwrap_or_default(),
        producer_version: proto.producer_version.unwrap_or_default(),
        domain: proto.domain.unwrap_or_default(),
        model_version: proto.model_version.unwrap_or_default(),
        doc_string: proto.doc_string.unwrap_or_default(),
        opset_imports,
        metadata: metadata(proto.metadata_props),
        graph,
        functions: proto.functions.into_iter().map(|function| decoder.function(function)).collect::<Result<_, _>>()?,
        opaque: training.chain(configuration).collect(),
    })
}

/// Declares initializers as values instead of inputs, as later IR versions do for constants.
fn keep_only_true_inputs(graph: &mut GraphProto) {
    let initialized: HashSet<&str> = graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
    let is_constant = |input: &ValueInfoProto| input.name.as_deref().is_some_and(|name| initialized.contains(name));
    let (constants, inputs): (Vec<_>, Vec<_>) = std::mem::take(&mut graph.input).into_iter().partition(is_constant);
    graph.input = inputs;
    graph.value_info.splice(0..0, constants);
}

/// Those versions want every initializer declared, so saving will; a file that forgot one means the same.
fn declare_initializers(graph: &mut Graph) {
    let types: Vec<(ValueId, ValueType)> =
        graph.initializers.iter().map(|(id, constant)| (*id, ValueType::tensor(constant.tensor.element_type(), constant.tensor.shape()))).collect();
    for (id, value_type) in types {
        let value = graph.value_mut(id);
        value.is_declared = true;
        if value.value_type.is_none() {
            value.value_type = Some(value_type);
            value.encoded_type = None;
        }
    }
}

/// `ai.onnx` is another name of the default domain.
fn domain(domain: Option<String>) -> String {
    domain.filter(|domain| domain != "ai.onnx").unwrap_or_default()
}

fn metadata(entries: Vec<StringStringEntryProto>) -> Vec<(String, String)> {
    entries.into_iter().map(|entry| (entry.key.unwrap_or_default(), entry.value.unwrap_or_default())).collect()
}

fn opsets(imports: Vec<OperatorSetIdProto>) -> Result<BTreeMap<String, i64>, Invalid> {
    let mut opsets = BTreeMap::new();
    for import in imports {
        let (domain, version) = (domain(import.domain), import.version.unwrap_or_default());
        match opsets.insert(domain.clone(), version) {
            Some(other) if other != version => {
                return Err(Invalid::new(format!("operator set '{domain}' is imported twice, as version {other} and as version {version}")));
            }
            _ => {}
        }
    }
    Ok(opsets)
}

struct Decoder<'a> {
    external: &'a mut ExternalFiles,
    /// How many graphs are around the one that is being decoded.
    depth: usize,
}

impl Decoder<'_> {
    fn graph(&mut self, proto: GraphProto) -> Result<Graph, Invalid> {
        let mut graph = Graph::default();
        graph.name = proto.name.unwrap_or_default();
        graph.doc_string = proto.doc_string.unwrap_or_default();
        graph.metadata = metadata(proto.metadata_props);
        for input in &proto.input {
            let id = named(&mut graph, input.name.as_deref()).map_err(|invalid| invalid.at("a graph input"))?;
            graph.inputs.push(id);
        }
        for initializer in proto.initializer {
            self.initializer(&mut graph, initializer)?;
        }
        for (index, node) in proto.node.into_iter().enumerate() {
            let place = describe_node(&node, index);
            let node = self.node(&mut graph, node).map_err(|invalid| invalid.at(place))?;
            graph.nodes.push(node);
        }
        for output in &proto.output {
            let id = named(&mut graph, output.name.as_deref()).map_err(|invalid| invalid.at("a graph output"))?;
            graph.outputs.push(id);
        }
        for declared in proto.input.into_iter().chain(proto.output).chain(proto.value_info) {
            declare(&mut graph, declared)?;
        }
        for message in &proto.sparse_initializer {
            self.sparse_initializer(&mut graph, message.clone())?;
        }
        let sparse = proto.sparse_initializer.into_iter().map(|message| ("sparse_initializer".to_owned(), message));
        let annotations = proto.quantization_annotation.into_iter().map(|message| ("quantization_annotation".to_owned(), message));
        graph.opaque = sparse.chain(annotations).collect();
        Ok(graph)
    }

    fn subgraph(&mut self, message: Bytes) -> Result<Arc<Graph>, Invalid> {
        if self.depth == MAX_GRAPH_DEPTH {
            return Err(Invalid::new(format!("graphs are nested more than {MAX_GRAPH_DEPTH} levels deep")));
        }
        self.depth += 1;
        let graph = with_stack(|| {
            let proto = GraphProto::decode(message).map_err(|error| Invalid::new(super::explain(&error)))?;
            self.graph(proto)
        });
        self.depth -= 1;
        graph.map(Arc::new)
    }

    fn initializer(&mut self, graph: &mut Graph, mut proto: TensorProto) -> Result<(), Invalid> {
        let id = named(graph, proto.name.as_deref()).map_err(|invalid| invalid.at("an initializer"))?;
        let doc_string = proto.doc_string.take().unwrap_or_default();
        let metadata = metadata(std::mem::take(&mut proto.metadata_props));
        let place = || format!("initializer '{}'", graph.value(id).name);
        let tensor = tensor::decode(proto, self.external).map_err(|invalid| invalid.at(place()))?;
        if graph.initializers.contains_key(&id) {
            return Err(Invalid::new("is there twice; names of values must be unique").at(place()));
        }
        graph.initializers.insert(id, Initializer { tensor, doc_string, metadata });
        Ok(())
    }

    /// The message itself is carried too, so that it is saved as it is.
    fn sparse_initializer(&mut self, graph: &mut Graph, message: Bytes) -> Result<(), Invalid> {
        let proto = sparse_message(message).map_err(|invalid| invalid.at("a sparse initializer"))?;
        let name = proto.values.as_ref().and_then(|values| values.name.as_deref());
        let id = named(graph, name).map_err(|invalid| invalid.at("a sparse initializer"))?;
        let place = || format!("sparse initializer '{}'", graph.value(id).name);
        let tensor = tensor::decode_sparse(proto, self.external).map_err(|invalid| invalid.at(place()))?;
        if graph.initializers.contains_key(&id) || graph.sparse_initializers.contains_key(&id) {
            return Err(Invalid::new("is there twice; names of values must be unique").at(place()));
        }
        let value = graph.value_mut(id);
        value.value_type = Some(ValueType::tensor(tensor.element_type(), tensor.shape()));
        value.encoded_type = None;
        graph.sparse_initializers.insert(id, tensor);
        Ok(())
    }

    fn node(&mut self, graph: &mut Graph, proto: NodeProto) -> Result<Node, Invalid> {
        let op_type = proto.op_type.filter(|op_type| !op_type.is_empty()).ok_or_else(|| Invalid::new("the operator's name (op_type) is missing"))?;
        let mut optional = |name: &String| (!name.is_empty()).then(|| graph.value_named(name));
        let inputs = proto.input.iter().map(&mut optional).collect();
        let outputs = proto.output.iter().map(&mut optional).collect();
        let (attributes, mut opaque) = self.attributes(proto.attribute)?;
        opaque.extend(proto.device_configurations.into_iter().map(|message| ("device_configurations".to_owned(), message)));
        let mut node = Node {
            name: proto.name.unwrap_or_default(),
            op_type,
            domain: domain(proto.domain),
            overload: proto.overload.unwrap_or_default(),
            doc_string: proto.doc_string.unwrap_or_default(),
            inputs,
            outputs,
            attributes,
            opset: None,
            metadata: metadata(proto.metadata_props),
            opaque,
        };
        graph.find_captures(&mut node);
        Ok(node)
    }

    fn function(&mut self, proto: FunctionProto) -> Result<Function, Invalid> {
        let name = proto.name.unwrap_or_default();
        let place = format!("function '{name}'");
        let mut graph = Graph::default();
        graph.inputs = values_named(&mut graph, &proto.input).map_err(|invalid| invalid.at(&place))?;
        for (index, node) in proto.node.into_iter().enumerate() {
            let node_place = describe_node(&node, index);
            let node = self.node(&mut graph, node).map_err(|invalid| invalid.at(node_place).at(&place))?;
            graph.nodes.push(node);
        }
        graph.outputs = values_named(&mut graph, &proto.output).map_err(|invalid| invalid.at(&place))?;
        for declared in proto.value_info {
            declare(&mut graph, declared).map_err(|invalid| invalid.at(&place))?;
        }
        let (attributes, opaque) = self.attributes(proto.attribute_proto).map_err(|invalid| invalid.at(&place))?;
        Ok(Function {
            domain: domain(proto.domain),
            name,
            overload: proto.overload.unwrap_or_default(),
            doc_string: proto.doc_string.unwrap_or_default(),
            inputs: proto.input,
            outputs: proto.output,
            attribute_names: proto.attribute,
            attributes,
            opset_imports: opsets(proto.opset_import).map_err(|invalid| invalid.at(&place))?,
            graph,
            metadata: metadata(proto.metadata_props),
            opaque,
        })
    }

    /// Attributes by name, and beside them what their messages say that an [`Attribute`] does not hold.
    fn attributes(&mut self, protos: Vec<AttributeProto>) -> Result<(Attributes, Vec<(String, Bytes)>), Invalid> {
        let mut attributes = Attributes::default();
        let mut all_labels = BTreeMap::new();
        for proto in protos {
            let name = proto.name.clone().filter(|name| !name.is_empty()).ok_or_else(|| Invalid::new("an attribute has no name"))?;
            let labels = labels(&proto);
            let attribute = self.attribute(proto).map_err(|invalid| invalid.at(format!("attribute '{name}'")))?;
            if attributes.0.contains_key(&name) {
                return Err(Invalid::new("is there twice").at(format!("attribute '{name}'")));
            }
            all_labels.extend(labels.map(|labels| (name.clone(), labels)));
            attributes.0.insert(name, attribute);
        }
        Ok((attributes, all_labels.into_values().map(|labels| ("attribute".to_owned(), labels)).collect()))
    }

    fn attribute(&mut self, mut proto: AttributeProto) -> Result<Attribute, Invalid> {
        use attribute_type as kind;
        let missing = |what: &str| Invalid::new(format!("it is declared as {what}, but holds none"));
        if let Some(name) = proto.ref_attr_name.take().filter(|name| !name.is_empty()) {
            return Ok(Attribute::Reference { name, attribute_type: proto.r#type.unwrap_or(kind::UNDEFINED) });
        }
        let declared = kind_of(&proto).ok_or_else(|| Invalid::new("it has neither a type nor a value"))?;
        Ok(match declared {
            // Zeros and empty strings may be left out on the wire.
            kind::FLOAT => Attribute::Float(proto.f.unwrap_or_default()),
            kind::INT => Attribute::Int(proto.i.unwrap_or_default()),
            kind::STRING => Attribute::String(proto.s.unwrap_or_default()),
            kind::TENSOR => Attribute::Tensor(tensor::decode(*proto.t.ok_or_else(|| missing("a tensor"))?, self.external)?),
            kind::GRAPH => Attribute::Graph(self.subgraph(proto.g.ok_or_else(|| missing("a graph"))?)?),
            kind::TYPE_PROTO => Attribute::Type(attribute_value_type(&*proto.tp.ok_or_else(|| missing("a type"))?)?),
            kind::FLOATS => Attribute::Floats(proto.floats),
            kind::INTS => Attribute::Ints(proto.ints),
            kind::STRINGS => Attribute::Strings(proto.strings),
            kind::TENSORS => {
                Attribute::Tensors(proto.tensors.into_iter().map(|proto| tensor::decode(proto, self.external)).collect::<Result<_, _>>()?)
            }
            kind::GRAPHS => Attribute::Graphs(proto.graphs.into_iter().map(|message| self.subgraph(message)).collect::<Result<_, _>>()?),
            kind::TYPE_PROTOS => Attribute::Types(proto.type_protos.iter().map(attribute_value_type).collect::<Result<_, _>>()?),
            kind::SPARSE_TENSOR => {
                let message = proto.encode_to_vec().into();
                let sparse = proto.sparse_tensor.ok_or_else(|| missing("a sparse tensor"))?;
                Attribute::Sparse { tensor: tensor::decode_sparse(sparse_message(sparse)?, self.external)?, message }
            }
            kind::SPARSE_TENSORS => Attribute::Opaque { attribute_type: declared, message: proto.encode_to_vec().into() },
            other => return Err(Invalid::new(format!("attribute type number {other} is not one of the ONNX specification's"))),
        })
    }
}

/// The declared type of an attribute, or which field is filled where none is declared, as files before IR version 2 left it to be found out.
fn kind_of(proto: &AttributeProto) -> Option<i32> {
    use attribute_type as kind;
    if let Some(declared) = proto.r#type.filter(|declared| *declared != kind::UNDEFINED) {
        return Some(declared);
    }
    let filled = [
        (proto.f.is_some(), kind::FLOAT),
        (proto.i.is_some(), kind::INT),
        (proto.s.is_some(), kind::STRING),
        (proto.t.is_some(), kind::TENSOR),
        (proto.g.is_some(), kind::GRAPH),
        (proto.tp.is_some(), kind::TYPE_PROTO),
        (!proto.floats.is_empty(), kind::FLOATS),
        (!proto.ints.is_empty(), kind::INTS),
        (!proto.strings.is_empty(), kind::STRINGS),
        (!proto.tensors.is_empty(), kind::TENSORS),
        (!proto.graphs.is_empty(), kind::GRAPHS),
        (!proto.type_protos.is_empty(), kind::TYPE_PROTOS),
        (proto.sparse_tensor.is_some(), kind::SPARSE_TENSOR),
        (!proto.sparse_tensors.is_empty(), kind::SPARSE_TENSORS),
    ];
    filled.into_iter().find(|(is_filled, _)| *is_filled).map(|(_, kind)| kind)
}

/// An [`AttributeProto`] with nothing but the doc string of an attribute and the labels of its tensor, to be merged back when it is encoded.
fn labels(proto: &AttributeProto) -> Option<Bytes> {
    let tensor = proto.t.as_deref().filter(|_| kind_of(proto) == Some(attribute_type::TENSOR));
    let tensor = tensor.map(|tensor| TensorProto {
        name: tensor.name.clone(),
        doc_string: tensor.doc_string.clone(),
        metadata_props: tensor.metadata_props.clone(),
        ..TensorProto::default()
    });
    let tensor = tensor.filter(|labels| *labels != TensorProto::default());
    if tensor.is_none() && proto.doc_string.as_deref().unwrap_or_default().is_empty() {
        return None;
    }
    let labels =
        AttributeProto { name: proto.name.clone(), doc_string: proto.doc_string.clone(), t: tensor.map(Box::new), ..AttributeProto::default() };
    Some(labels.encode_to_vec().into())
}

fn attribute_value_type(proto: &TypeProto) -> Result<ValueType, Invalid> {
    types::decode(proto)?.ok_or_else(|| Invalid::new("the type is incomplete or opaque"))
}

fn named(graph: &mut Graph, name: Option<&str>) -> Result<ValueId, Invalid> {
    match name {
        None | Some("") => Err(Invalid::new("the name is empty")),
        Some(name) => Ok(graph.value_named(name)),
    }
}

fn values_named(graph: &mut Graph, names: &[String]) -> Result<Vec<ValueId>, Invalid> {
    names.iter().map(|name| named(graph, Some(name))).collect()
}

/// Takes over what a `ValueInfoProto` says; the first of several for one value wins.
fn declare(graph: &mut Graph, proto: ValueInfoProto) -> Result<(), Invalid> {
    let id = named(graph, proto.name.as_deref()).map_err(|invalid| invalid.at("a declared value"))?;
    let value = graph.value_mut(id);
    if value.is_declared {
        return Ok(());
    }
    if let Some(proto) = &proto.r#type {
        value.value_type = types::decode(proto).map_err(|invalid| invalid.at(format!("type of value '{}'", value.name)))?;
        value.encoded_type = types::encoding_beyond(proto, value.value_type.as_ref());
    }
    value.doc_string = proto.doc_string.unwrap_or_default();
    value.metadata = metadata(proto.metadata_props);
    value.is_declared = true;
    Ok(())
}

fn sparse_message(message: Bytes) -> Result<SparseTensorProto, Invalid> {
    SparseTensorProto::decode(message).map_err(|error| Invalid::new(super::explain(&error)))
}

fn describe_node(proto: &NodeProto, index: usize) -> String {
    let op_type = proto.op_type.as_deref().unwrap_or("no operator");
    match proto.name.as_deref() {
        None | Some("") => format!("node {index} ({op_type})"),
        Some(name) => format!("node '{name}' ({op_type})"),
    }
}
