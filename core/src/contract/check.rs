//! Whether a written contract fits its model. Checked once, when both are read, so that everything behind can rely on it.

use std::collections::{BTreeMap, HashSet};

use super::{Column, ColumnKind, Contract, ContractError, ImageInput, derive};
use crate::graph::{Graph, Model};
use crate::host::ElementType;

pub(super) fn check(contract: &Contract, model: &Model, place: &str) -> Result<(), ContractError> {
    let malformed = |message: String| ContractError::Malformed { place: place.to_owned(), message };
    check_names(contract).map_err(malformed)?;
    let graph = &model.graph;
    for column in &contract.columns {
        if input_type(graph, &column.input).is_none() {
            return Err(ContractError::UnknownInput {
                place: place.to_owned(),
                column: column.name.clone(),
                input: column.input.clone(),
                known: names(graph.inputs.iter().map(|id| graph.value(*id).name.as_str())),
            });
        }
    }
    check_positions(&contract.columns).map_err(malformed)?;
    check_kinds(graph, &contract.columns).map_err(malformed)?;
    if let Some(image) = &contract.image {
        check_image(graph, image).map_err(malformed)?;
    }
    check_outputs(contract, model).map_err(malformed)
}

fn check_names(contract: &Contract) -> Result<(), String> {
    let mut seen = HashSet::new();
    for column in &contract.columns {
        if column.name.is_empty() {
            return Err("a column has no name".to_owned());
        }
        if !seen.insert(&column.name) {
            return Err(format!("the column '{}' stands there twice; each column feeds one place", column.name));
        }
    }
    let mut seen = HashSet::new();
    match contract.labels.iter().find(|label| !seen.insert(*label)) {
        Some(label) => Err(format!("the label '{label}' stands there twice")),
        None => Ok(()),
    }
}

/// Positions along an input's features count from 0 without gaps.
fn check_positions(columns: &[Column]) -> Result<(), String> {
    let mut by_input: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for column in columns {
        by_input.entry(&column.input).or_default().push((column.position, &column.name));
    }
    for (input, mut places) in by_input {
        places.sort_unstable();
        for (expected, (position, name)) in places.into_iter().enumerate() {
            if position != expected {
                return Err(format!(
                    "the positions of input '{input}' should count from 0 without gaps, but column '{name}' has position {position} where {expected} was expected"
                ));
            }
        }
    }
    Ok(())
}

fn check_kinds(graph: &Graph, columns: &[Column]) -> Result<(), String> {
    for column in columns {
        let element_type = input_type(graph, &column.input).flatten();
        if column.kind == ColumnKind::Text && element_type.is_some_and(|element_type| element_type != ElementType::String) {
            let found = element_type.map_or("", ElementType::name);
            return Err(format!("the column '{}' holds text, but its input '{}' takes {found}", column.name, column.input));
        }
    }
    Ok(())
}

fn check_image(graph: &Graph, image: &ImageInput) -> Result<(), String> {
    if input_type(graph, &image.input).is_none() {
        let known = names(graph.inputs.iter().map(|id| graph.value(*id).name.as_str()));
        return Err(format!("the picture feeds input '{}', but the model's inputs are {known}", image.input));
    }
    if !matches!(image.channels, 1 | 3) {
        return Err(format!("a picture has 1 channel (grey) or 3 (RGB), not {}", image.channels));
    }
    let sides = 1..=16_384;
    if !sides.contains(&image.width) || !sides.contains(&image.height) {
        return Err(format!("a picture of {} × {} pixels is out of bounds; sides are 1 to 16384", image.width, image.height));
    }
    let n_channels = usize::try_from(image.channels).unwrap_or(usize::MAX);
    for (name, values) in [("mean", &image.mean), ("std", &image.std)] {
        if !values.is_empty() && values.len() != 1 && values.len() != n_channels {
            return Err(format!("the picture's {name} has {} values; one, or one for each of the {n_channels} channels, was expected", values.len()));
        }
    }
    if image.std.contains(&0.0) {
        return Err("the picture's std holds 0, by which nothing can be divided".to_owned());
    }
    Ok(())
}

fn check_outputs(contract: &Contract, model: &Model) -> Result<(), String> {
    let graph = &model.graph;
    let outputs: Vec<&str> = graph.outputs.iter().map(|id| graph.value(*id).name.as_str()).collect();
    for (key, output) in [("prediction_output", &contract.prediction_output), ("probability_output", &contract.probability_output)] {
        if let Some(output) = output.as_deref().filter(|output| !outputs.contains(output)) {
            return Err(format!("{key} is '{output}', but the model's outputs are {}", names(outputs.iter().copied())));
        }
    }
    let own = derive::class_labels(graph);
    if !own.is_empty() && !contract.labels.is_empty() && own.len() != contract.labels.len() {
        return Err(format!(
            "there are {} labels, but the model tells {} classes apart: {}",
            contract.labels.len(),
            own.len(),
            names(own.iter().map(String::as_str))
        ));
    }
    Ok(())
}

/// Whether there is an input of this name, and its element type where that is known.
fn input_type(graph: &Graph, name: &str) -> Option<Option<ElementType>> {
    let id = graph.find_value(name).filter(|id| graph.inputs.contains(id))?;
    Some(graph.value(id).value_type.as_ref().and_then(|value_type| value_type.as_tensor()).map(|(element_type, _)| element_type))
}

/// `'a', 'b', 'c'`, cut where it gets long.
pub(crate) fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let all: Vec<&str> = names.collect();
    let mut text = all.iter().take(SHOWN).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN {
        text.push_str(&format!(" and {} more", all.len() - SHOWN));
    }
    if all.is_empty() { "none".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::testing::{float_model, input, tensor_type};

    fn column(name: &str, input: &str, position: usize) -> Column {
        Column { name: name.to_owned(), input: input.to_owned(), position, ..Column::default() }
    }

    #[track_caller]
    fn refused(columns: Vec<Column>, labels: &[&str], part: &str) {
        let contract = Contract { columns, labels: labels.iter().map(|&label| label.to_owned()).collect(), ..Contract::default() };
        let error = check(&contract, &float_model(2), "m.drydock.toml").unwrap_err().to_string();
        assert!(error.starts_with("m.drydock.toml: ") && error.contains(part), "{error}");
    }

    #[test]
    fn what_does_not_fit_the_model_is_a_sentence() {
        refused(vec![column("a", "x", 0), column("b", "z", 1)], &[], "column 'b' feeds input 'z', but the model's inputs are 'x'");
        refused(vec![column("a", "x", 0), column("a", "x", 1)], &[], "the column 'a' stands there twice");
        refused(vec![column("a", "x", 0), column("b", "x", 2)], &[], "column 'b' has position 2 where 1 was expected");
        refused(vec![column("a", "x", 0), column("b", "x", 0)], &[], "column 'b' has position 0 where 1 was expected");
        refused(vec![], &["yes", "yes"], "the label 'yes' stands there twice");
        refused(vec![Column { kind: ColumnKind::Text, ..column("a", "x", 0) }], &[], "holds text, but its input 'x' takes float32");
        let contract = Contract { prediction_output: Some("label".to_owned()), ..Contract::default() };
        let error = check(&contract, &float_model(2), "here").unwrap_err().to_string();
        assert_eq!(error, "here: prediction_output is 'label', but the model's outputs are 'y'");
    }

    #[test]
    fn a_picture_must_be_one() {
        let mut model = float_model(2);
        input(&mut model.graph, "image", tensor_type(ElementType::F32, &[None, Some(1), Some(8), Some(8)]));
        let check = |image: ImageInput| check(&Contract { image: Some(image), ..Contract::default() }, &model, "here");
        let good = ImageInput { input: "image".to_owned(), channels: 1, ..ImageInput::default() };
        assert!(check(good.clone()).is_ok());
        assert!(check(ImageInput { channels: 4, ..good.clone() }).is_err());
        assert!(check(ImageInput { mean: vec![0.0, 1.0], ..good.clone() }).is_err());
        assert!(check(ImageInput { std: vec![0.0], ..good.clone() }).is_err());
        assert!(check(ImageInput { width: u32::MAX, ..good }).is_err());
    }
}
