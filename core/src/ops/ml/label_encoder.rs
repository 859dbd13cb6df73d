//! LabelEncoder: a table from keys to values. <https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html>: version 1 has one list of strings
//! and maps both ways, version 2 has lists of keys and values, version 4 also tensors of them, and NaN is a key that matches NaN.
//!
//! CategoryMapper, version 1, is a table between strings and integers that maps both ways.
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_CategoryMapper.html>.

use compact_str::CompactString;

use super::{FastHashMap, same_shape, wrong_input};
use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, ValueType};
use crate::host::{Element, ElementType, HostTensor};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

const UNKNOWN_STRING: &str = "_Unused";
const UNKNOWN_INT: i64 = -1;
const UNKNOWN_FLOAT: f32 = -0.0;

/// One direction of translation.
#[derive(Debug)]
struct LabelEncoder {
    keys: Keys,
    /// By position, the default last.
    values: List,
}

/// CategoryMapper and version 1 of LabelEncoder, which look at their input to know their direction.
#[derive(Debug)]
struct LabelEncoderBothWays {
    to_ints: LabelEncoder,
    to_strings: LabelEncoder,
}

/// Position of each key's value.
#[derive(Debug)]
struct Keys {
    element_type: ElementType,
    map: KeyMap,
    /// The position for everything else.
    unknown: u32,
}

#[derive(Debug)]
enum KeyMap {
    Strings(FastHashMap<CompactString, u32>),
    Ints(FastHashMap<i64, u32>),
    /// By [`float_key`].
    Floats {
        map: FastHashMap<u64, u32>,
        finds_nan: bool,
    },
}

/// Keys or values.
#[derive(Debug)]
enum List {
    Strings(Vec<CompactString>),
    I64(Vec<i64>),
    I32(Vec<i32>),
    I16(Vec<i16>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    if node.opset < 2 {
        return build_both_ways(attributes);
    }
    let keys = List::from_attributes(attributes, "keys", node.opset)?;
    let values = List::from_attributes(attributes, "values", node.opset)?;
    if keys.len() != values.len() {
        return Err(OpError::value(format!("{} keys are given for {} values", keys.len(), values.len())));
    }
    let keys = Keys::new(keys, node.opset >= 4)?;
    Ok(Box::new(LabelEncoder { keys, values: values.with_default(attributes, node.opset)? }))
}

fn build_both_ways(attributes: &Attributes) -> Result<Box<dyn Operator>, OpError> {
    let classes = attributes
        .texts("classes_strings")?
        .ok_or_else(|| OpError::value("attribute 'classes_strings' is missing; version 1 of the operator needs it"))?;
    let strings: Vec<CompactString> = classes.into_iter().map(CompactString::from).collect();
    let n_classes = index(strings.len())?;
    let ints: Vec<i64> = (0..i64::from(n_classes)).collect();
    // Of equal strings the last counts.
    let map = strings.iter().cloned().zip(0..n_classes).collect();
    let keys = Keys { element_type: ElementType::String, map: KeyMap::Strings(map), unknown: n_classes };
    let to_ints = LabelEncoder { keys, values: List::I64(ints.clone()).with_default(attributes, 1)? };
    let to_strings = LabelEncoder { keys: Keys::new(List::I64(ints), false)?, values: List::Strings(strings).with_default(attributes, 1)? };
    Ok(Box::new(LabelEncoderBothWays { to_ints, to_strings }))
}

pub(super) fn build_category_mapper(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let strings = node.attributes.require_texts("cats_strings")?;
    let ints = node.attributes.require_ints("cats_int64s")?.to_vec();
    if strings.len() != ints.len() {
        return Err(OpError::value(format!("{} cats_strings are given for {} cats_int64s", strings.len(), ints.len())));
    }
    let unknown = index(ints.len())?;
    let strings: Vec<CompactString> = strings.into_iter().map(CompactString::from).collect();
    // Of equal categories the last counts.
    let by_string = strings.iter().cloned().zip(0..unknown).collect();
    let by_int = ints.iter().copied().zip(0..unknown).collect();
    let from_strings = Keys { element_type: ElementType::String, map: KeyMap::Strings(by_string), unknown };
    let from_ints = Keys { element_type: ElementType::I64, map: KeyMap::Ints(by_int), unknown };
    let to_ints = LabelEncoder { keys: from_strings, values: List::I64(ints).with_default(node.attributes, 1)? };
    let to_strings = LabelEncoder { keys: from_ints, values: List::Strings(strings).with_default(node.attributes, 1)? };
    Ok(Box::new(LabelEncoderBothWays { to_ints, to_strings }))
}

fn index(position: usize) -> Result<u32, OpError> {
    u32::try_from(position).map_err(|_| OpError::value("there are more keys than can be indexed with 32 bits"))
}

/// Equal for equal numbers: all NaN are one, and so are both zeros.
fn float_key(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

impl List {
    /// From `<name>_strings`, `<name>_int64s` or `<name>_floats`, and from version 4 on `<name>_tensor`.
    fn from_attributes(attributes: &Attributes, name: &str, opset: i64) -> Result<Self, OpError> {
        let mut lists = Vec::new();
        if let Some(strings) = attributes.texts(&format!("{name}_strings"))? {
            lists.push(Self::Strings(strings.into_iter().map(CompactString::from).collect()));
        }
        if let Some(ints) = attributes.ints(&format!("{name}_int64s"))? {
            lists.push(Self::I64(ints.to_vec()));
        }
        if let Some(floats) = attributes.floats(&format!("{name}_floats"))? {
            lists.push(Self::F32(floats.to_vec()));
        }
        if opset >= 4
            && let Some(tensor) = attributes.tensor(&format!("{name}_tensor"))?
        {
            lists.push(Self::from_tensor(name, tensor)?);
        }
        match (lists.pop(), lists.is_empty()) {
            (Some(list), true) => Ok(list),
            _ => Err(OpError::value(format!(
                "exactly one of {name}_strings, {name}_int64s, {name}_floats and, from version 4 on, {name}_tensor must be given"
            ))),
        }
    }

    fn from_tensor(name: &str, tensor: &HostTensor) -> Result<Self, OpError> {
        Ok(match tensor.element_type() {
            ElementType::String => Self::Strings(tensor.strings().map(|strings| strings.to_vec()).unwrap_or_default()),
            ElementType::I64 => Self::I64(tensor.as_slice::<i64>()?.into_owned()),
            ElementType::I32 => Self::I32(tensor.as_slice::<i32>()?.into_owned()),
            ElementType::I16 => Self::I16(tensor.as_slice::<i16>()?.into_owned()),
            ElementType::F32 => Self::F32(tensor.as_slice::<f32>()?.into_owned()),
            ElementType::F64 => Self::F64(tensor.as_slice::<f64>()?.into_owned()),
            other => return Err(OpError::unsupported(format!("{name}_tensor of {other}"))),
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Strings(list) => list.len(),
            Self::I64(list) => list.len(),
            Self::I32(list) => list.len(),
            Self::I16(list) => list.len(),
            Self::F32(list) => list.len(),
            Self::F64(list) => list.len(),
        }
    }

    /// The list with the value for unknown keys at its end.
    fn with_default(self, attributes: &Attributes, opset: i64) -> Result<Self, OpError> {
        let tensor = if opset >= 4 { attributes.tensor("default_tensor")? } else { None };
        let int = attributes.int("default_int64")?.unwrap_or(UNKNOWN_INT);
        let float = attributes.float("default_float")?.unwrap_or(UNKNOWN_FLOAT);
        Ok(match self {
            Self::Strings(mut list) => {
                let from_tensor =
                    tensor.map(|tensor| tensor.strings().and_then(|strings| strings.first().cloned()).ok_or_else(|| wrong_default(tensor)));
                let text = attributes.text("default_string")?.unwrap_or(UNKNOWN_STRING);
                list.push(from_tensor.unwrap_or_else(|| Ok(CompactString::from(text)))?);
                Self::Strings(list)
            }
            Self::I64(list) => Self::I64(append_default(list, tensor, int)?),
            Self::I32(list) => Self::I32(append_default(list, tensor, -1)?),
            Self::I16(list) => Self::I16(append_default(list, tensor, -1)?),
            Self::F32(list) => Self::F32(append_default(list, tensor, float)?),
            Self::F64(list) => Self::F64(append_default(list, tensor, f64::from(float))?),
        })
    }

    fn element_type(&self) -> ElementType {
        match self {
            Self::Strings(_) => ElementType::String,
            Self::I64(_) => ElementType::I64,
            Self::I32(_) => ElementType::I32,
            Self::I16(_) => ElementType::I16,
            Self::F32(_) => ElementType::F32,
            Self::F64(_) => ElementType::F64,
        }
    }

    fn gather(&self, positions: &[u32], shape: &[usize]) -> Result<Tensor, OpError> {
        fn pick<T: Clone>(values: &[T], positions: &[u32]) -> Vec<T> {
            positions.iter().map(|&position| values[position as usize].clone()).collect()
        }
        Ok(match self {
            Self::Strings(values) => Tensor::from_strings(shape, pick(values, positions))?,
            Self::I64(values) => Tensor::from_vec(shape, pick(values, positions))?,
            Self::I32(values) => Tensor::from_vec(shape, pick(values, positions))?,
            Self::I16(values) => Tensor::from_vec(shape, pick(values, positions))?,
            Self::F32(values) => Tensor::from_vec(shape, pick(values, positions))?,
            Self::F64(values) => Tensor::from_vec(shape, pick(values, positions))?,
        })
    }
}

fn append_default<T: Element>(mut list: Vec<T>, tensor: Option<&HostTensor>, otherwise: T) -> Result<Vec<T>, OpError> {
    let default = match tensor {
        Some(tensor) => *tensor.as_slice::<T>()?.first().ok_or_else(|| wrong_default(tensor))?,
        None => otherwise,
    };
    list.push(default);
    Ok(list)
}

fn wrong_default(tensor: &HostTensor) -> OpError {
    OpError::value(format!("default_tensor should be one element of the values' type, but is {tensor:?}"))
}

impl Keys {
    /// Of equal keys the first counts.
    fn new(list: List, finds_nan: bool) -> Result<Self, OpError> {
        fn positions<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> Result<FastHashMap<K, u32>, OpError> {
            let mut map = FastHashMap::default();
            for (position, key) in keys.enumerate() {
                map.entry(key).or_insert(index(position)?);
            }
            Ok(map)
        }
        let unknown = index(list.len())?;
        let (element_type, map) = match list {
            List::Strings(keys) => (ElementType::String, KeyMap::Strings(positions(keys.into_iter())?)),
            List::I64(keys) => (ElementType::I64, KeyMap::Ints(positions(keys.into_iter())?)),
            List::I32(keys) => (ElementType::I32, KeyMap::Ints(positions(keys.into_iter().map(i64::from))?)),
            List::I16(keys) => (ElementType::I16, KeyMap::Ints(positions(keys.into_iter().map(i64::from))?)),
            List::F32(keys) => {
                let map = positions(keys.into_iter().map(|key| float_key(f64::from(key))))?;
                (ElementType::F32, KeyMap::Floats { map, finds_nan })
            }
            List::F64(keys) => (ElementType::F64, KeyMap::Floats { map: positions(keys.into_iter().map(float_key))?, finds_nan }),
        };
        Ok(Self { element_type, map, unknown })
    }

    /// The position of the value for each element of `x`.
    fn find(&self, x: &Tensor) -> Result<Vec<u32>, OpError> {
        if x.element_type() != self.element_type {
            return Err(wrong_input(0, "X", &format!("a tensor of {}, as the keys are", self.element_type), x));
        }
        let or_unknown = |position: Option<&u32>| position.copied().unwrap_or(self.unknown);
        Ok(match &self.map {
            KeyMap::Strings(map) => x.as_strings()?.iter().map(|key| or_unknown(map.get(key))).collect(),
            KeyMap::Ints(map) => x.to_i64s()?.iter().map(|key| or_unknown(map.get(key))).collect(),
            KeyMap::Floats { map, finds_nan } => {
                let find = |key: f64| if key.is_nan() && !finds_nan { self.unknown } else { or_unknown(map.get(&float_key(key))) };
                match self.element_type {
                    ElementType::F64 => x.as_slice::<f64>()?.iter().map(|&key| find(key)).collect(),
                    _ => x.as_slice::<f32>()?.iter().map(|&key| find(f64::from(key))).collect(),
                }
            }
        })
    }
}

impl LabelEncoder {
    fn translate(&self, x: &Tensor) -> Result<Tensor, OpError> {
        self.values.gather(&self.keys.find(x)?, x.shape())
    }
}

impl Operator for LabelEncoder {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(same_shape(inputs, self.values.element_type()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        Ok(single(self.translate(&inputs.take_tensor(0, "X")?)?))
    }
}

impl Operator for LabelEncoderBothWays {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).and_then(|(element_type, _)| match element_type {
            ElementType::String => Some(same_shape(inputs, ElementType::I64)),
            ElementType::I64 => Some(same_shape(inputs, ElementType::String)),
            _ => None,
        })])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let direction = if x.element_type() == ElementType::String { &self.to_ints } else { &self.to_strings };
        Ok(single(direction.translate(&x)?))
    }
}
