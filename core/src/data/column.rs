//! Columns that Drydock adds to a table: typed values, one per row.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, StringArray};
use arrow_schema::{DataType, Field};
use compact_str::CompactString;

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub data: ColumnData,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Integer(Vec<i64>),
    Text(Vec<CompactString>),
    /// Each value is one of a few names.
    Label {
        codes: Vec<u32>,
        names: Arc<[String]>,
    },
}

/// Buffers for printing numbers.
#[derive(Default)]
pub struct NumberPrinter {
    float: zmij::Buffer,
    integer: itoa::Buffer,
}

impl ColumnData {
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Label { codes, .. } => codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row as text: the shortest that reads back as the same number.
    pub fn text<'a>(&'a self, row: usize, printer: &'a mut NumberPrinter) -> &'a str {
        match self {
            Self::F32(values) => values.get(row).map_or("", |&value| printer.float.format(value)),
            Self::F64(values) => values.get(row).map_or("", |&value| printer.float.format(value)),
            Self::Integer(values) => values.get(row).map_or("", |&value| printer.integer.format(value)),
            Self::Text(values) => values.get(row).map_or("", CompactString::as_str),
            Self::Label { codes, names } => codes.get(row).and_then(|&code| names.get(code as usize)).map_or("", String::as_str),
        }
    }

    /// Whether the values are numbers, and a row's is finite: what JSON writes without quotes.
    pub fn is_finite_number(&self, row: usize) -> Option<bool> {
        match self {
            Self::F32(values) => Some(values.get(row).is_some_and(|value| value.is_finite())),
            Self::F64(values) => Some(values.get(row).is_some_and(|value| value.is_finite())),
            Self::Integer(_) => Some(true),
            Self::Text(_) | Self::Label { .. } => None,
        }
    }

    /// The values as an Arrow array.
    pub fn to_array(&self) -> ArrayRef {
        match self {
            Self::F32(values) => Arc::new(Float32Array::from(values.clone())),
            Self::F64(values) => Arc::new(Float64Array::from(values.clone())),
            Self::Integer(values) => Arc::new(Int64Array::from(values.clone())),
            Self::Text(values) => Arc::new(StringArray::from_iter_values(values)),
            Self::Label { codes, names } => {
                let name = |&code: &u32| names.get(code as usize).map_or("", String::as_str);
                Arc::new(StringArray::from_iter_values(codes.iter().map(name)))
            }
        }
    }
}

impl Column {
    pub fn field(&self) -> Field {
        let data_type = match self.data {
            ColumnData::F32(_) => DataType::Float32,
            ColumnData::F64(_) => DataType::Float64,
            ColumnData::Integer(_) => DataType::Int64,
            ColumnData::Text(_) | ColumnData::Label { .. } => DataType::Utf8,
        };
        Field::new(&self.name, data_type, true)
    }
}
