//! [`Model`] → `ModelProto`. Keeps the order of values that [`super::decode`] gave them.

use bytes::Bytes;
use prost::Message as _;

use super::decode::FIRST_IR_WITH_OVERRIDABLE_INITIALIZERS;
use super::proto::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto, TypeProto,
    ValueInfoProto, attribute_type,
};
use super::{tensor, types};
use crate::graph::with_stack;
use crate::graph::{Attribute, Attributes, Function, Graph, Initializer, Model, Node, ValueId, ValueInfo, ValueType};
use crate::host::HostTensor;

/// Everything but the initializers of the main graph, which a caller may place in another file.
pub(super) fn model_without_weights(model: &Model) -> ModelProto {
    let mut graph = graph_without_initializers(&model.graph, &own_names(&model.graph));
    if model.ir_version < FIRST_IR_WITH_OVERRIDABLE_INITIALIZERS {
        list_initializers_as_inputs(&mut graph, &model.graph);
    }
    ModelProto {
        ir_version: Some(model.ir_version),
        producer_name: text(&model.producer_name),
        producer_version: text(&model.producer_version),
        domain: text(&model.domain),
        model_version: (model.model_version != 0).then_some(model.model_version),
        doc_string: text(&model.doc_string),
        graph: Some(graph),
        opset_import: opsets(&model.opset_imports),
        metadata_props: metadata(&model.metadata),
        training_info: carried(&model.opaque, "training_info"),
        functions: model.functions.iter().map(function).collect(),
        configuration: carried(&model.opaque, "configuration"),
    }
}

/// An initializer with its data inside the message.
pub(super) fn initializer(name: &str, initializer: &Initializer) -> TensorProto {
    labelled(tensor::encode(&initializer.tensor), name, initializer)
}

/// Adds name, doc string and metadata to an initializer's message.
pub(super) fn labelled(proto: TensorProto, name: &str, initializer: &Initializer) -> TensorProto {
    TensorProto { name: Some(name.to_owned()), doc_string: text(&initializer.doc_string), metadata_props: metadata(&initializer.metadata), ..proto }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn metadata(entries: &[(String, String)]) -> Vec<StringStringEntryProto> {
    entries.iter().map(|(key, value)| StringStringEntryProto { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

fn opsets(imports: &std::collections::BTreeMap<String, i64>) -> Vec<OperatorSetIdProto> {
    imports.iter().map(|(domain, version)| OperatorSetIdProto { domain: Some(domain.clone()), version: Some(*version) }).collect()
}

/// The messages that were carried under a field's name.
fn carried(opaque: &[(String, Bytes)], field: &str) -> Vec<Bytes> {
    opaque.iter().filter(|(name, _)| name == field).map(|(_, message)| message.clone()).collect()
}

/// The message of a graph inside a node. What it captures is written under the name that it has outside.
fn subgraph(graph: &Graph, outer: &[&str]) -> Bytes {
    let mut names = own_names(graph);
    for capture in &graph.captures {
        names[capture.inner.index()] = outer[capture.outer.index()];
    }
    let initializers = graph.initializers.iter().map(|(id, constant)| initializer(&graph.value(*id).name, constant)).collect();
    let proto = with_stack(|| GraphProto { initializer: initializers, ..graph_without_initializers(graph, &names) });
    proto.encode_to_vec().into()
}

fn own_names(graph: &Graph) -> Vec<&str> {
    graph.values().iter().map(|value| value.name.as_str()).collect()
}

fn graph_without_initializers(graph: &Graph, names: &[&str]) -> GraphProto {
    let mut is_signature = vec![false; graph.values().len()];
    for id in graph.inputs.iter().chain(&graph.outputs) {
        is_signature[id.index()] = true;
    }
    let signature =
        |ids: &[ValueId]| ids.iter().map(|id| ValueInfoProto { name: Some(names[id.index()].to_owned()), ..value_info(graph.value(*id)) }).collect();
    let declared = graph.values().iter().zip(is_signature).filter(|(value, is_signature)| value.is_declared && !is_signature);
    GraphProto {
        node: graph.nodes.iter().map(|node| self::node(node, names)).collect(),
        name: text(&graph.name),
        initializer: Vec::new(),
        doc_string: text(&graph.doc_string),
        input: signature(&graph.inputs),
        output: signature(&graph.outputs),
        value_info: declared.map(|(value, _)| value_info(value)).collect(),
        quantization_annotation: carried(&graph.opaque, "quantization_annotation"),
        sparse_initializer: carried(&graph.opaque, "sparse_initializer"),
        metadata_props: metadata(&graph.metadata),
    }
}

/// As IR versions before 4 want it: constants stand among the inputs.
fn list_initializers_as_inputs(proto: &mut GraphProto, graph: &Graph) {
    for (id, initializer) in &graph.initializers {
        if graph.inputs.contains(id) {
            continue;
        }
        let mut info = value_info(graph.value(*id));
        if info.r#type.is_none() {
            info.r#type = Some(types::encode(&ValueType::tensor(initializer.tensor.element_type(), initializer.tensor.shape())));
        }
        proto.value_info.retain(|declared| declared.name != info.name);
        proto.input.push(info);
    }
}

fn value_info(value: &ValueInfo) -> ValueInfoProto {
    ValueInfoProto {
        name: Some(value.name.clone()),
        r#type: value_type(value),
        doc_string: text(&value.doc_string),
        metadata_props: metadata(&value.metadata),
    }
}

/// The file's own encoding of the type as long as it still says what the value's type is.
fn value_type(value: &ValueInfo) -> Option<TypeProto> {
    let original = value.encoded_type.as_ref().and_then(|encoded| TypeProto::decode(encoded.clone()).ok());
    let original = original.filter(|proto| types::decode(proto).is_ok_and(|decoded| decoded == value.value_type));
    original.or_else(|| value.value_type.as_ref().map(types::encode))
}

/// `value_names` are the names of the graph that the node is in.
fn node(node: &Node, value_names: &[&str]) -> NodeProto {
    let names = |ids: &[Option<ValueId>]| ids.iter().map(|id| id.map_or_else(String::new, |id| value_names[id.index()].to_owned())).collect();
    NodeProto {
        input: names(&node.inputs),
        output: names(&node.outputs),
        name: text(&node.name),
        op_type: Some(node.op_type.clone()),
        attribute: attributes(&node.attributes, &node.opaque, value_names),
        doc_string: text(&node.doc_string),
        domain: text(&node.domain),
        overload: text(&node.overload),
        metadata_props: metadata(&node.metadata),
        device_configurations: carried(&node.opaque, "device_configurations"),
    }
}

fn function(function: &Function) -> FunctionProto {
    let GraphProto { node, value_info, .. } = graph_without_initializers(&function.graph, &own_names(&function.graph));
    FunctionProto {
        name: text(&function.name),
        input: function.inputs.clone(),
        output: function.outputs.clone(),
        attribute: function.attribute_names.clone(),
        node,
        doc_string: text(&function.doc_string),
        opset_import: opsets(&function.opset_imports),
        domain: text(&function.domain),
        attribute_proto: attributes(&function.attributes, &function.opaque, &[]),
        value_info,
        overload: text(&function.overload),
        metadata_props: metadata(&function.metadata),
    }
}

fn attributes(attributes: &Attributes, opaque: &[(String, Bytes)], outer: &[&str]) -> Vec<AttributeProto> {
    let labels: Vec<Bytes> = carried(opaque, "attribute");
    let labels: Vec<AttributeProto> = labels.into_iter().filter_map(|message| AttributeProto::decode(message).ok()).collect();
    let encode = |(name, value): (&String, &Attribute)| {
        let mut proto = AttributeProto { name: Some(name.clone()), ..attribute(value, outer) };
        if let Some(labels) = labels.iter().find(|labels| labels.name.as_deref() == Some(name)) {
            proto.doc_string.clone_from(&labels.doc_string);
            if let (Some(tensor), Some(labels)) = (&mut proto.t, &labels.t) {
                tensor.name.clone_from(&labels.name);
                tensor.doc_string.clone_from(&labels.doc_string);
                tensor.metadata_props.clone_from(&labels.metadata_props);
            }
        }
        proto
    };
    attributes.0.iter().map(encode).collect()
}

/// The message of an attribute, without its name. `outer` are the names of the graph that the node is in.
fn attribute(value: &Attribute, outer: &[&str]) -> AttributeProto {
    use attribute_type as kind;
    let of = |kind: i32| AttributeProto { r#type: Some(kind), ..AttributeProto::default() };
    let tensors = |tensors: &[HostTensor]| tensors.iter().map(tensor::encode).collect();
    match value {
        Attribute::Float(value) => AttributeProto { f: Some(*value), ..of(kind::FLOAT) },
        Attribute::Int(value) => AttributeProto { i: Some(*value), ..of(kind::INT) },
        Attribute::String(value) => AttributeProto { s: Some(value.clone()), ..of(kind::STRING) },
        Attribute::Tensor(value) => AttributeProto { t: Some(Box::new(tensor::encode(value))), ..of(kind::TENSOR) },
        Attribute::Graph(value) => AttributeProto { g: Some(subgraph(value, outer)), ..of(kind::GRAPH) },
        Attribute::Type(value) => AttributeProto { tp: Some(Box::new(types::encode(value))), ..of(kind::TYPE_PROTO) },
        Attribute::Floats(values) => AttributeProto { floats: values.clone(), ..of(kind::FLOATS) },
        Attribute::Ints(values) => AttributeProto { ints: values.clone(), ..of(kind::INTS) },
        Attribute::Strings(values) => AttributeProto { strings: values.clone(), ..of(kind::STRINGS) },
        Attribute::Tensors(values) => AttributeProto { tensors: tensors(values), ..of(kind::TENSORS) },
        Attribute::Graphs(values) => AttributeProto { graphs: values.iter().map(|value| subgraph(value, outer)).collect(), ..of(kind::GRAPHS) },
        Attribute::Types(values) => AttributeProto { type_protos: values.iter().map(types::encode).collect(), ..of(kind::TYPE_PROTOS) },
        Attribute::Reference { name, attribute_type } => AttributeProto { ref_attr_name: Some(name.clone()), ..of(*attribute_type) },
        // The message is a whole AttributeProto that decoding made; nothing else makes this variant.
        Attribute::Sparse { message, .. } => AttributeProto::decode(message.clone()).unwrap_or_else(|_| of(kind::SPARSE_TENSOR)),
        Attribute::Opaque { attribute_type, message } => AttributeProto::decode(message.clone()).unwrap_or_else(|_| of(*attribute_type)),
    }
}
