//! The labels of classes: integers or strings, one kind per operator.

use compact_str::CompactString;

use crate::graph::Attributes;
use crate::host::ElementType;
use crate::ops::OpError;
use crate::tensor::{MapKey, Tensor};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Labels {
    Ints(Vec<i64>),
    Strings(Vec<CompactString>),
}

impl Labels {
    /// From `classlabels_strings` or the integer attribute (`classlabels_int64s`, in LinearClassifier `classlabels_ints`). Strings win
    /// where a model has both; integers may be absent.
    pub fn from_attributes(attributes: &Attributes, ints: &str) -> Result<Self, OpError> {
        let strings = attributes.texts("classlabels_strings")?.unwrap_or_default();
        if strings.is_empty() {
            Ok(Self::Ints(attributes.ints(ints)?.unwrap_or_default().to_vec()))
        } else {
            Ok(Self::Strings(strings.into_iter().map(CompactString::from).collect()))
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Ints(labels) => labels.len(),
            Self::Strings(labels) => labels.len(),
        }
    }

    pub fn element_type(&self) -> ElementType {
        match self {
            Self::Ints(_) => ElementType::I64,
            Self::Strings(_) => ElementType::String,
        }
    }

    /// The labels at `indices`, all of which must be there, as a tensor of shape `[n]`.
    pub fn gather(&self, indices: &[u32]) -> Result<Tensor, OpError> {
        Ok(match self {
            Self::Ints(labels) => Tensor::from_vec(&[indices.len()], indices.iter().map(|&index| labels[index as usize]).collect())?,
            Self::Strings(labels) => {
                let labels: Vec<CompactString> = indices.iter().map(|&index| labels[index as usize].clone()).collect();
                Tensor::from_strings(&[indices.len()], labels)?
            }
        })
    }

    pub fn to_map_keys(&self) -> Vec<MapKey> {
        match self {
            Self::Ints(labels) => labels.iter().copied().map(MapKey::Int).collect(),
            Self::Strings(labels) => labels.iter().cloned().map(MapKey::Text).collect(),
        }
    }
}
