//! Every kind of value that flows between operators.

use compact_str::CompactString;

use super::{Tensor, TensorError};
use crate::host::ElementType;

/// A value at run time.
#[derive(Debug, Clone)]
pub enum Value {
    Tensor(Tensor),
    Sequence(Vec<Value>),
    Map(Vec<(MapKey, Value)>),
    /// A sequence of maps that share their keys, as ZipMap makes it; kept as one tensor instead of a map per row.
    Records(Records),
    /// An optional without a value.
    Absent,
}

/// A key of an ONNX map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MapKey {
    Int(i64),
    Text(CompactString),
}

impl std::fmt::Display for MapKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(key) => write!(f, "{key}"),
            Self::Text(key) => f.write_str(key),
        }
    }
}

/// `seq(map(key, float))` whose maps all have the same keys: row `i`, key `j` is `values[i, j]`.
#[derive(Debug, Clone)]
pub struct Records {
    pub keys: std::sync::Arc<[MapKey]>,
    /// float32 of shape [rows, keys].
    pub values: Tensor,
}

impl Records {
    /// The maps one by one, as ONNX means them.
    pub fn to_maps(&self) -> Result<Vec<Vec<(MapKey, f32)>>, TensorError> {
        let values = self.values.as_slice::<f32>()?;
        let n_keys = self.keys.len().max(1);
        Ok(values.chunks(n_keys).map(|row| self.keys.iter().cloned().zip(row.iter().copied()).collect()).collect())
    }
}

impl Value {
    /// A word for messages: "a tensor of float32[3, 4]", "a sequence of 3".
    pub fn describe(&self) -> String {
        match self {
            Self::Tensor(tensor) => format!("a tensor of {tensor:?}"),
            Self::Sequence(items) => format!("a sequence of {}", items.len()),
            Self::Map(entries) => format!("a map of {}", entries.len()),
            Self::Records(records) => format!("a sequence of {} maps", records.values.shape().first().copied().unwrap_or(0)),
            Self::Absent => "an empty optional".to_owned(),
        }
    }

    /// The elements of a sequence; gives the value back if it is none.
    pub fn into_sequence(self) -> Result<Vec<Value>, Value> {
        match self {
            Self::Sequence(items) => Ok(items),
            Self::Records(records) => match records.to_maps() {
                Ok(maps) => Ok(maps.into_iter().map(Self::map_of_numbers).collect()),
                Err(_) => Err(Self::Records(records)),
            },
            other => Err(other),
        }
    }

    fn map_of_numbers(entries: Vec<(MapKey, f32)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, number)| (key, Self::Tensor(Tensor::scalar(number)))).collect())
    }

    pub fn as_tensor(&self) -> Option<&Tensor> {
        match self {
            Self::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    pub fn into_tensor(self) -> Option<Tensor> {
        match self {
            Self::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// Element type of a tensor value.
    pub fn element_type(&self) -> Option<ElementType> {
        self.as_tensor().map(Tensor::element_type)
    }
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}
