//! Rows of columnar files: Arrow batches whose typed columns can be read cell by cell.

use std::borrow::Cow;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;

use super::schema::TableSchema;
use super::{Cell, DataError};

/// The rows of one batch.
#[derive(Debug)]
pub struct ArrowRows {
    batch: RecordBatch,
    /// By column of the table: its place in the batch, if it is read.
    places: Vec<Option<usize>>,
    /// By column of the table: its cells, if they are read.
    columns: Vec<Option<TypedColumn>>,
}

#[derive(Debug)]
enum TypedColumn {
    Integer(Int64Array),
    Unsigned(UInt64Array),
    Number(Float64Array),
    Float(Float32Array),
    Boolean(BooleanArray),
    Text(StringArray),
}

impl ArrowRows {
    /// `typed`: the columns of the table whose cells will be read.
    pub fn new(batch: RecordBatch, schema: &TableSchema, typed: &[usize]) -> Result<Self, DataError> {
        let mut places = vec![None; schema.columns.len()];
        for (place, &column) in schema.projection.iter().enumerate() {
            if let Some(slot) = places.get_mut(column) {
                *slot = Some(place);
            }
        }
        let mut columns: Vec<Option<TypedColumn>> = (0..schema.columns.len()).map(|_| None).collect();
        for &column in typed {
            let Some(array) = places.get(column).copied().flatten().and_then(|place| batch.columns().get(place)) else { continue };
            let typed = TypedColumn::new(array).map_err(|message| DataError::Unsuitable {
                path: schema.path.clone(),
                message: format!("column '{}' {message}", schema.columns[column].name),
            })?;
            columns[column] = Some(typed);
        }
        Ok(Self { batch, places, columns })
    }

    pub fn n_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// A column of the table as it stands in the file.
    pub fn array(&self, column: usize) -> Option<&ArrayRef> {
        self.batch.columns().get(self.places.get(column).copied().flatten()?)
    }

    /// A cell of a typed column; missing where the column is not typed.
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.columns.get(column).and_then(Option::as_ref).map_or(Cell::Missing, |column| column.cell(row))
    }
}

impl TypedColumn {
    fn new(array: &ArrayRef) -> Result<Self, String> {
        let value_type = match array.data_type() {
            DataType::Dictionary(_, values) => values.as_ref(),
            data_type => data_type,
        };
        let target = match value_type {
            DataType::Boolean => DataType::Boolean,
            DataType::UInt64 => DataType::UInt64,
            data_type if data_type.is_integer() => DataType::Int64,
            DataType::Float16 | DataType::Float32 => DataType::Float32,
            data_type if data_type.is_numeric() => DataType::Float64,
            data_type if data_type.is_nested() => {
                return Err(format!("holds values of the type {data_type}; a model is fed with numbers, texts and booleans"));
            }
            _ => DataType::Utf8,
        };
        // Not "safe": a value that does not fit is an error, not a missing value.
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let cast = cast_with_options(array, &target, &options).map_err(|error| format!("can't be read as {target}: {error}"))?;
        Ok(match target {
            DataType::Boolean => Self::Boolean(cast.as_boolean().clone()),
            DataType::UInt64 => Self::Unsigned(cast.as_primitive::<UInt64Type>().clone()),
            DataType::Int64 => Self::Integer(cast.as_primitive::<Int64Type>().clone()),
            DataType::Float32 => Self::Float(cast.as_primitive::<Float32Type>().clone()),
            DataType::Float64 => Self::Number(cast.as_primitive::<Float64Type>().clone()),
            _ => Self::Text(cast.as_string::<i32>().clone()),
        })
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Integer(array) if array.is_valid(row) => Cell::Integer(array.value(row)),
            Self::Unsigned(array) if array.is_valid(row) => match i64::try_from(array.value(row)) {
                Ok(number) => Cell::Integer(number),
                Err(_) => Cell::Text(Cow::Owned(array.value(row).to_string())),
            },
            Self::Number(array) if array.is_valid(row) => Cell::Number(array.value(row)),
            Self::Float(array) if array.is_valid(row) => Cell::Float(array.value(row)),
            Self::Boolean(array) if array.is_valid(row) => Cell::Boolean(array.value(row)),
            Self::Text(array) if array.is_valid(row) => match array.value(row) {
                "" => Cell::Missing,
                text => Cell::Text(Cow::Borrowed(text)),
            },
            _ => Cell::Missing,
        }
    }
}
