//! Rows as Arrow batches, for outputs whose columns have types.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema};

use crate::data::cell::{is_missing_text, parse_boolean};
use crate::data::{BadRow, Cell, Column, Rows, Storage, TableSchema};

/// The kept columns of the accepted rows, with the added columns behind them.
pub fn of_rows(schema: &TableSchema, kept: &[usize], rows: &Rows, accepted: &[usize], added: &[Column]) -> Result<RecordBatch, BadRow> {
    let mut fields = Vec::with_capacity(kept.len() + added.len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(kept.len() + added.len());
    for &column in kept {
        let (field, array) = match rows {
            Rows::Arrow(arrow) => {
                let (Some(array), Some(arrow_schema)) = (arrow.array(column), &schema.arrow) else { continue };
                let array = if accepted.len() == rows.n_rows() { array.clone() } else { take(array, column, accepted)? };
                (arrow_schema.field(column).clone(), array)
            }
            Rows::Csv(_) | Rows::Json(_) => {
                let storage = schema.storage.get(column).copied().unwrap_or(Storage::Text);
                let name = schema.columns.get(column).map_or("", |column| column.name.as_str());
                (Field::new(name, data_type(storage), true), text_array(rows, column, accepted, storage)?)
            }
        };
        fields.push(field);
        arrays.push(array);
    }
    for column in added {
        fields.push(column.field());
        arrays.push(column.data.to_array());
    }
    let whole = |error: arrow_schema::ArrowError| BadRow { row: 0, column: None, message: error.to_string() };
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(whole)
}

/// Writes a batch as NDJSON; missing values as `null`.
pub fn write_ndjson(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), BadRow> {
    let broken = |error: arrow_schema::ArrowError| BadRow { row: 0, column: None, message: format!("can't be written as NDJSON: {error}") };
    let mut writer = arrow_json::WriterBuilder::new().with_explicit_nulls(true).build::<_, arrow_json::writer::LineDelimited>(out);
    writer.write(batch).map_err(broken)?;
    writer.finish().map_err(broken)
}

fn take(array: &ArrayRef, column: usize, accepted: &[usize]) -> Result<ArrayRef, BadRow> {
    let indices: UInt32Array = accepted.iter().map(|&row| u32::try_from(row).ok()).collect();
    arrow_select::take::take(array, &indices, None).map_err(|error| BadRow { row: 0, column: Some(column), message: error.to_string() })
}

fn data_type(storage: Storage) -> DataType {
    match storage {
        Storage::Integer => DataType::Int64,
        Storage::Float => DataType::Float64,
        Storage::Boolean => DataType::Boolean,
        Storage::Text => DataType::Utf8,
    }
}

fn text_array(rows: &Rows, column: usize, accepted: &[usize], storage: Storage) -> Result<ArrayRef, BadRow> {
    let cells = || accepted.iter().map(|&row| (row, rows.cell(row, column)));
    let misfit = |row: usize, cell: &Cell<'_>, expected: &str| BadRow {
        row,
        column: Some(column),
        message: format!(
            "'{}' is no {expected}, which this column holds at the start of the table; write .csv, or leave the column out with --keep",
            cell.to_text().unwrap_or_default()
        ),
    };
    Ok(match storage {
        Storage::Integer => {
            let mut builder = Int64Builder::with_capacity(accepted.len());
            for (row, cell) in cells() {
                builder.append_option(cell.to_i64().map_err(|_| misfit(row, &cell, "whole number"))?);
            }
            Arc::new(builder.finish())
        }
        Storage::Float => {
            let mut builder = Float64Builder::with_capacity(accepted.len());
            for (row, cell) in cells() {
                builder.append_option(cell.to_f64().map_err(|_| misfit(row, &cell, "number"))?);
            }
            Arc::new(builder.finish())
        }
        Storage::Boolean => {
            let mut builder = BooleanBuilder::with_capacity(accepted.len());
            for (row, cell) in cells() {
                let value = match &cell {
                    Cell::Missing => None,
                    Cell::Boolean(value) => Some(*value),
                    Cell::Text(text) if is_missing_text(text) => None,
                    Cell::Text(text) => Some(parse_boolean(text).ok_or_else(|| misfit(row, &cell, "true or false"))?),
                    Cell::Number(_) | Cell::Float(_) | Cell::Integer(_) => return Err(misfit(row, &cell, "true or false")),
                };
                builder.append_option(value);
            }
            Arc::new(builder.finish())
        }
        Storage::Text => {
            let mut builder = StringBuilder::new();
            for (_, cell) in cells() {
                builder.append_option(cell.to_text());
            }
            Arc::new(builder.finish())
        }
    })
}
