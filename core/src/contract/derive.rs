//! A contract from nothing but a model's own signature: what its inputs and outputs are called, their types and shapes, and the class
//! labels that its classifier nodes carry.

use super::{Column, ColumnKind, Contract, ImageInput, Task};
use crate::graph::{Attribute, Dimension, Graph, Model, ValueId, ValueInfo, ValueType};
use crate::host::ElementType;

/// More features than this are no table that a person names column by column.
const MAX_DERIVED_FEATURES: usize = 16_384;
const MAX_IMAGE_SIDE: usize = 4096;

pub(super) fn from_signature(model: &Model) -> Contract {
    let graph = &model.graph;
    let mut contract = Contract { columns: columns(graph), image: image(graph), ..Contract::default() };
    derive_outputs(graph, &mut contract);
    contract
}

fn columns(graph: &Graph) -> Vec<Column> {
    let copes = copes_with_missing(graph);
    let mut columns = Vec::new();
    for id in graph.required_inputs() {
        let info = graph.value(id);
        let Some((element_type, n_features)) = features(info) else { return Vec::new() };
        let kind = match element_type {
            ElementType::String => ColumnKind::Text,
            ElementType::Bool => ColumnKind::Boolean,
            element_type if element_type.is_int() => ColumnKind::Integer,
            _ => ColumnKind::Number,
        };
        for position in 0..n_features {
            let name = if n_features == 1 { info.name.clone() } else { format!("{}_{position}", info.name) };
            let may_be_missing = kind == ColumnKind::Text || kind == ColumnKind::Number && copes;
            columns.push(Column { name, input: info.name.clone(), position, kind, may_be_missing, ..Column::default() });
        }
    }
    columns
}

/// Element type and number of features of an input that columns can feed: `[N]`, `[N, F]`.
fn features(info: &ValueInfo) -> Option<(ElementType, usize)> {
    let (element_type, shape) = info.value_type.as_ref()?.as_tensor()?;
    let n_features = match shape.dims()? {
        [_] => 1,
        [_, features] => features.known()?,
        _ => return None,
    };
    (1..=MAX_DERIVED_FEATURES).contains(&n_features).then_some((element_type, n_features))
}

/// Whether the model does something about NaN: imputes, tests for it, or is made of trees, which have a branch for it.
fn copes_with_missing(graph: &Graph) -> bool {
    let cope = ["Imputer", "IsNaN", "TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"];
    graph.nodes.iter().any(|node| cope.contains(&node.op_type.as_str()))
}

/// A single `[N, 1|3, H, W]` or `[N, H, W, 1|3]` input of floats is taken for a picture.
fn image(graph: &Graph) -> Option<ImageInput> {
    let mut inputs = graph.required_inputs();
    let (Some(id), None) = (inputs.next(), inputs.next()) else { return None };
    let info = graph.value(id);
    let (element_type, shape) = info.value_type.as_ref()?.as_tensor()?;
    let [_, dims @ ..] = shape.dims()? else { return None };
    let dims: Vec<usize> = dims.iter().map(Dimension::known).collect::<Option<_>>()?;
    let is_channels = |dim: usize| dim == 1 || dim == 3;
    let is_side = |dim: usize| (2..=MAX_IMAGE_SIDE).contains(&dim);
    let (channels, height, width, channels_first) = match dims[..] {
        [channels, height, width] if is_channels(channels) && is_side(height) && is_side(width) => (channels, height, width, true),
        [height, width, channels] if is_channels(channels) && is_side(height) && is_side(width) => (channels, height, width, false),
        _ => return None,
    };
    let small = |dim: usize| u32::try_from(dim).ok();
    element_type.is_float().then_some(ImageInput {
        input: info.name.clone(),
        width: small(width)?,
        height: small(height)?,
        channels: small(channels)?,
        channels_first,
        ..ImageInput::default()
    })
}

fn derive_outputs(graph: &Graph, contract: &mut Contract) {
    let label = graph.outputs.iter().copied().find(|&id| is_label(graph.value(id)));
    let probability = graph.outputs.iter().copied().find(|&id| Some(id) != label && is_probability(graph, id, label.is_some()));
    let name = |id: ValueId| graph.value(id).name.clone();
    if label.is_some() || probability.is_some() {
        contract.task = Task::Classification;
        contract.prediction_output = label.map(name);
        contract.probability_output = probability.map(name);
        contract.labels = class_labels(graph);
        if contract.labels.is_empty() {
            let n_classes = probability.and_then(|id| last_dim(graph.value(id))).filter(|&n| n > 1 && n <= MAX_DERIVED_FEATURES);
            contract.labels = (0..n_classes.unwrap_or(0)).map(|index| index.to_string()).collect();
        }
    } else if let [only] = graph.outputs[..]
        && is_number(graph.value(only))
    {
        contract.task = Task::Regression;
        contract.prediction_output = Some(name(only));
    }
}

/// int64 or string, `[N]` or `[N, 1]`.
fn is_label(info: &ValueInfo) -> bool {
    let Some((element_type, shape)) = info.value_type.as_ref().and_then(ValueType::as_tensor) else { return false };
    matches!(element_type, ElementType::I64 | ElementType::String) && is_single_column(shape.dims())
}

/// Floats, `[N]` or `[N, 1]`.
fn is_number(info: &ValueInfo) -> bool {
    let Some((element_type, shape)) = info.value_type.as_ref().and_then(ValueType::as_tensor) else { return false };
    element_type.is_float() && is_single_column(shape.dims())
}

fn is_single_column(dims: Option<&[Dimension]>) -> bool {
    matches!(dims, Some([_] | [_, Dimension::Known(1)]))
}

/// Maps; or floats beside a label; or floats straight from a softmax.
fn is_probability(graph: &Graph, id: ValueId, has_label: bool) -> bool {
    match &graph.value(id).value_type {
        Some(ValueType::Sequence(inner)) => matches!(**inner, ValueType::Map { .. }),
        Some(ValueType::Tensor { element_type, shape }) => {
            let is_matrix = element_type.is_float() && shape.rank() == Some(2);
            let is_softmax = || graph.nodes.iter().any(|node| node.op_type == "Softmax" && node.outputs.contains(&Some(id)));
            is_matrix && (has_label || is_softmax())
        }
        _ => false,
    }
}

fn last_dim(info: &ValueInfo) -> Option<usize> {
    let (_, shape) = info.value_type.as_ref()?.as_tensor()?;
    shape.dims()?.last()?.known()
}

/// The class labels that the model itself carries, in the order of its probabilities: those of a ZipMap, else of its last classifier.
pub(super) fn class_labels(graph: &Graph) -> Vec<String> {
    let labels_of = |node: &crate::graph::Node| {
        ["classlabels_int64s", "classlabels_ints", "classlabels_strings"].iter().find_map(|name| match node.attributes.0.get(*name)? {
            Attribute::Ints(ints) if !ints.is_empty() => Some(ints.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Attribute::Strings(texts) if !texts.is_empty() => Some(texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()),
            _ => None,
        })
    };
    let zip_map = graph.nodes.iter().filter(|node| node.op_type == "ZipMap").find_map(labels_of);
    zip_map.or_else(|| graph.nodes.iter().rev().find_map(labels_of)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::testing::{float_model, input, node, output, tensor_type};

    #[test]
    fn a_matrix_input_becomes_a_column_per_feature() {
        let contract = from_signature(&float_model(3));
        let names: Vec<_> = contract.columns.iter().map(|column| (column.name.as_str(), column.position)).collect();
        assert_eq!(names, [("x_0", 0), ("x_1", 1), ("x_2", 2)]);
        assert_eq!((contract.task, contract.prediction_output.as_deref()), (Task::Regression, Some("y")));
        assert!(!contract.columns[0].may_be_missing);
    }

    #[test]
    fn one_column_per_scalar_input_and_labels_from_the_classifier() {
        let mut model = Model::default();
        let graph = &mut model.graph;
        input(graph, "age", tensor_type(ElementType::F32, &[None, Some(1)]));
        input(graph, "sex", tensor_type(ElementType::String, &[None, Some(1)]));
        output(graph, "label", tensor_type(ElementType::String, &[None]));
        let map = ValueType::Map { key: ElementType::String, value: Box::new(tensor_type(ElementType::F32, &[])) };
        output(graph, "probabilities", ValueType::Sequence(Box::new(map)));
        let mut zip_map = node(graph, "ZipMap", &["scores"], &["probabilities"]);
        zip_map.attributes.0.insert("classlabels_strings".to_owned(), Attribute::Strings(vec!["no".into(), "yes".into()]));
        graph.nodes.push(zip_map);
        let contract = from_signature(&model);
        assert_eq!(contract.columns.iter().map(|column| column.kind).collect::<Vec<_>>(), [ColumnKind::Number, ColumnKind::Text]);
        assert_eq!(contract.task, Task::Classification);
        assert_eq!(contract.labels, ["no", "yes"]);
        assert_eq!((contract.prediction_output.as_deref(), contract.probability_output.as_deref()), (Some("label"), Some("probabilities")));
    }

    #[test]
    fn a_four_dimensional_input_is_a_picture() {
        for (dims, channels_first) in [([None, Some(3), Some(32), Some(24)], true), ([None, Some(32), Some(24), Some(3)], false)] {
            let mut model = Model::default();
            input(&mut model.graph, "image", tensor_type(ElementType::F32, &dims));
            let image = from_signature(&model).image.unwrap();
            assert_eq!((image.channels, image.height, image.width, image.channels_first), (3, 32, 24, channels_first));
        }
    }

    #[test]
    fn a_softmax_at_the_end_is_a_classification() {
        let mut model = float_model(2);
        model.graph.outputs.clear();
        output(&mut model.graph, "p", tensor_type(ElementType::F32, &[None, Some(3)]));
        let softmax = node(&mut model.graph, "Softmax", &["z"], &["p"]);
        model.graph.nodes.push(softmax);
        let contract = from_signature(&model);
        assert_eq!((contract.task, contract.labels.len(), contract.prediction_output), (Task::Classification, 3, None));
    }
}
