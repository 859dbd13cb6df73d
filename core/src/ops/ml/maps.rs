//! DictVectorizer and CastMap: from a map to a row of a tensor.

use std::collections::HashMap;

use compact_str::{CompactString, ToCompactString as _};

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::{Element, ElementType};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{MapKey, Tensor, Value};

/// A map, sorted by key as ONNX Runtime walks it.
fn take_map(inputs: &mut Inputs, expected: &str) -> Result<Vec<(MapKey, Tensor)>, OpError> {
    let wrong = |found: String| OpError::WrongInput { index: 0, name: "X", expected: expected.to_owned(), found };
    let entries = match inputs.take(0, "X")? {
        Value::Map(entries) => entries,
        other => return Err(wrong(other.describe())),
    };
    let scalar = |(key, value): (MapKey, Value)| match value {
        Value::Tensor(tensor) if tensor.n_elements() == 1 => Ok((key, tensor)),
        other => Err(wrong(format!("a map with {} as a value", other.describe()))),
    };
    let mut entries = entries.into_iter().map(scalar).collect::<Result<Vec<_>, _>>()?;
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

/// The value of each key of a vocabulary, zero (or the empty string) where the map has none.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_DictVectorizer.html>, since version 1.
#[derive(Debug)]
struct DictVectorizer {
    vocabulary: Vec<MapKey>,
}

pub(super) fn build_dict_vectorizer(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let ints = node.attributes.ints("int64_vocabulary")?.unwrap_or_default();
    let strings = node.attributes.texts("string_vocabulary")?.unwrap_or_default();
    let vocabulary = match (ints.is_empty(), strings.is_empty()) {
        (false, true) => ints.iter().copied().map(MapKey::Int).collect(),
        (true, false) => strings.into_iter().map(|text| MapKey::Text(text.into())).collect(),
        _ => return Err(OpError::value("exactly one of int64_vocabulary and string_vocabulary must be given")),
    };
    Ok(Box::new(DictVectorizer { vocabulary }))
}

const DICTIONARY: &str = "a map of numbers or strings";

impl DictVectorizer {
    fn numbers<T: Element + Default>(&self, map: &HashMap<MapKey, Tensor>) -> Result<Tensor, OpError> {
        let value = |key: &MapKey| match map.get(key) {
            Some(tensor) => Ok(tensor.as_slice::<T>()?[0]),
            None => Ok(T::default()),
        };
        let row = self.vocabulary.iter().map(value).collect::<Result<Vec<T>, OpError>>()?;
        Ok(Tensor::from_vec(&[1, row.len()], row)?)
    }

    fn strings(&self, map: &HashMap<MapKey, Tensor>) -> Result<Tensor, OpError> {
        let value = |key: &MapKey| match map.get(key) {
            Some(tensor) => Ok(tensor.as_strings()?[0].clone()),
            None => Ok(CompactString::default()),
        };
        let row = self.vocabulary.iter().map(value).collect::<Result<Vec<_>, OpError>>()?;
        Ok(Tensor::from_strings(&[1, row.len()], row)?)
    }
}

/// The type of a map's values.
fn value_type_of(inputs: &InferInputs<'_>) -> Option<ElementType> {
    match inputs.types.first()?.as_ref()? {
        ValueType::Map { value, .. } => value.as_tensor().map(|(element_type, _)| element_type),
        _ => None,
    }
}

impl Operator for DictVectorizer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let dims = vec![Dimension::Known(1), Dimension::Known(self.vocabulary.len())];
        Ok(vec![value_type_of(inputs).map(|element_type| ValueType::tensor(element_type, dims))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let entries = take_map(&mut inputs, DICTIONARY)?;
        // An empty map does not tell the type of its values; most dictionaries are of float32.
        let element_type = entries.first().map_or(ElementType::F32, |(_, value)| value.element_type());
        let map: HashMap<MapKey, Tensor> = entries.into_iter().collect();
        Ok(single(match element_type {
            ElementType::F32 => self.numbers::<f32>(&map)?,
            ElementType::F64 => self.numbers::<f64>(&map)?,
            ElementType::I64 => self.numbers::<i64>(&map)?,
            ElementType::String => self.strings(&map)?,
            other => return Err(OpError::unsupported(format!("a map with values of {other}"))),
        }))
    }
}

/// The values of a map by ascending key, or each at the place that its key says, cast to another type.
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_CastMap.html>, since version 1.
#[derive(Debug)]
struct CastMap {
    to: CastTo,
    /// Places, where keys are places: those without a key get zero (in text, "0.f", as in ONNX Runtime), keys beyond are left out.
    n_places: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum CastTo {
    Float,
    Int64,
    Text,
}

pub(super) fn build_cast_map(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let to = match node.attributes.text("cast_to")?.unwrap_or("TO_FLOAT") {
        "TO_FLOAT" => CastTo::Float,
        "TO_INT64" => CastTo::Int64,
        "TO_STRING" => CastTo::Text,
        other => return Err(OpError::value(format!("cast_to is '{other}', not one of TO_FLOAT, TO_INT64, TO_STRING"))),
    };
    let n_places = match node.attributes.text("map_form")?.unwrap_or("DENSE") {
        "DENSE" => None,
        "SPARSE" => {
            let max_map = node.attributes.int("max_map")?.unwrap_or(1);
            let n_places = usize::try_from(max_map).ok().filter(|&places| places > 0);
            Some(n_places.ok_or_else(|| OpError::value(format!("max_map is {max_map}; it must be positive")))?)
        }
        other => return Err(OpError::value(format!("map_form is '{other}', not one of DENSE, SPARSE"))),
    };
    Ok(Box::new(CastMap { to, n_places }))
}

const NUMBERED: &str = "a map from int64 to float32 or strings";

/// A map's value, as one of the two types that it may have.
enum MapValue<'a> {
    Number(f32),
    Text(&'a str),
}

impl<'a> MapValue<'a> {
    fn of(tensor: &'a Tensor) -> Result<Self, OpError> {
        Ok(match tensor.element_type() {
            ElementType::String => Self::Text(&tensor.as_strings()?[0]),
            _ => Self::Number(tensor.as_slice::<f32>()?[0]),
        })
    }

    fn to_f32(&self) -> Result<f32, OpError> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => text.trim().parse().map_err(|_| OpError::value(format!("{text:?} is no number"))),
        }
    }

    /// Towards zero; what is out of range becomes the nearest integer, NaN zero.
    fn to_i64(&self) -> Result<i64, OpError> {
        match self {
            Self::Number(number) => Ok(*number as i64),
            Self::Text(text) => text.trim().parse().map_err(|_| OpError::value(format!("{text:?} is no integer"))),
        }
    }

    /// Numbers with six decimals.
    fn to_text(&self) -> CompactString {
        match self {
            Self::Number(number) => format!("{number:.6}").to_compact_string(),
            Self::Text(text) => CompactString::from(*text),
        }
    }
}

impl CastMap {
    fn cast<T: Clone>(
        &self,
        entries: &[(MapKey, Tensor)],
        zero: T,
        cast: impl Fn(&MapValue<'_>) -> Result<T, OpError>,
        context: &RunContext<'_>,
    ) -> Result<Vec<T>, OpError> {
        let Some(n_places) = self.n_places else {
            return entries.iter().map(|(_, value)| cast(&MapValue::of(value)?)).collect();
        };
        let mut row = vec![zero; context.check_result_size(ElementType::String, &[n_places])?];
        for (key, value) in entries {
            let MapKey::Int(key) = key else { continue };
            let place = usize::try_from(*key).map_err(|_| OpError::value(format!("the map has the key {key}; keys must not be negative")))?;
            if let Some(element) = row.get_mut(place) {
                *element = cast(&MapValue::of(value)?)?;
            }
        }
        Ok(row)
    }
}

impl Operator for CastMap {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let element_type = match self.to {
            CastTo::Float => ElementType::F32,
            CastTo::Int64 => ElementType::I64,
            CastTo::Text => ElementType::String,
        };
        let n_places = self.n_places.map_or(Dimension::Unknown, Dimension::Known);
        Ok(vec![Some(ValueType::tensor(element_type, vec![Dimension::Known(1), n_places]))])
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the methods themselves are bound to one lifetime of the map")]
    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let entries = take_map(&mut inputs, NUMBERED)?;
        if let Some((key, _)) = entries.iter().find(|(key, _)| matches!(key, MapKey::Text(_))) {
            let found = format!("a map with the key '{key}'");
            return Err(OpError::WrongInput { index: 0, name: "X", expected: NUMBERED.to_owned(), found });
        }
        Ok(single(match self.to {
            CastTo::Float => {
                let row = self.cast(&entries, 0.0, |value| value.to_f32(), context)?;
                Tensor::from_vec(&[1, row.len()], row)?
            }
            CastTo::Int64 => {
                let row = self.cast(&entries, 0, |value| value.to_i64(), context)?;
                Tensor::from_vec(&[1, row.len()], row)?
            }
            CastTo::Text => {
                let row = self.cast(&entries, "0.f".into(), |value| Ok(value.to_text()), context)?;
                Tensor::from_strings(&[1, row.len()], row)?
            }
        }))
    }
}
