//! Writes a table that is made of columns in memory: a report's rows, not a stream.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

use super::{TablePiece, TableWriter, batch, csv_field, output_format};
use crate::data::cell::{is_missing_text, parse_integer, parse_number};
use crate::data::column::NumberPrinter;
use crate::data::{Column, ColumnData, DataError, TableFormat};

/// Writes columns of equal length in the format that the file's name asks for. Where columns have types, a text column whose cells all spell
/// numbers becomes one of numbers, and empty texts are missing values.
pub fn write_columns(path: &Path, columns: &[Column], overwrite: bool) -> Result<(), DataError> {
    let (format, compression) = output_format(path, TableFormat::Csv { delimiter: b',' })?;
    let mut writer = TableWriter::create(path, format, compression, overwrite)?;
    let mut piece = TablePiece::default();
    match format {
        TableFormat::Csv { delimiter } => piece.text = csv(columns, delimiter),
        TableFormat::Parquet | TableFormat::ArrowIpc => piece.batches.push(record_batch(path, columns)?),
        TableFormat::Ndjson => {
            let unsuitable = |message: String| DataError::Unsuitable { path: path.to_owned(), message };
            batch::write_ndjson(&record_batch(path, columns)?, &mut piece.text).map_err(|bad| unsuitable(bad.message))?;
        }
    }
    writer.write(&piece)?;
    writer.finish()
}

fn csv(columns: &[Column], delimiter: u8) -> Vec<u8> {
    let mut text = Vec::new();
    let mut printer = NumberPrinter::default();
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            text.push(delimiter);
        }
        csv_field(&mut text, &column.name, delimiter);
    }
    text.push(b'\n');
    for row in 0..columns.first().map_or(0, |column| column.data.len()) {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                text.push(delimiter);
            }
            csv_field(&mut text, column.data.text(row, &mut printer), delimiter);
        }
        text.push(b'\n');
    }
    text
}

fn record_batch(path: &Path, columns: &[Column]) -> Result<RecordBatch, DataError> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .iter()
        .map(|column| match &column.data {
            ColumnData::Text(texts) => text_array(&column.name, texts.iter().map(compact_str::CompactString::as_str)),
            data => (column.field(), data.to_array()),
        })
        .unzip();
    let unsuitable = |error: arrow_schema::ArrowError| DataError::Unsuitable { path: path.to_owned(), message: error.to_string() };
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(unsuitable)
}

fn text_array<'a>(name: &str, texts: impl Iterator<Item = &'a str> + Clone) -> (Field, ArrayRef) {
    let mut given = texts.clone().filter(|text| !is_missing_text(text)).peekable();
    let has_any = given.peek().is_some();
    // Digits with a leading zero are a code, not a number.
    let is_code = |text: &str| text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mut is_integer, mut is_number) = (has_any, has_any);
    for text in given {
        is_integer &= text.parse::<i64>().is_ok() && !is_code(text);
        is_number &= parse_number::<f64>(text).is_some() && !is_code(text);
    }
    if is_integer {
        let mut builder = Int64Builder::new();
        texts.for_each(|text| builder.append_option(parse_integer(text)));
        (Field::new(name, DataType::Int64, true), Arc::new(builder.finish()))
    } else if is_number {
        let mut builder = Float64Builder::new();
        texts.for_each(|text| builder.append_option(parse_number::<f64>(text).filter(|number| !number.is_nan())));
        (Field::new(name, DataType::Float64, true), Arc::new(builder.finish()))
    } else {
        let mut builder = StringBuilder::new();
        texts.for_each(|text| builder.append_option((!text.is_empty()).then_some(text)));
        (Field::new(name, DataType::Utf8, true), Arc::new(builder.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let text = |texts: &[&str]| ColumnData::Text(texts.iter().map(|&text| text.into()).collect());
        let column = |name: &str, data: ColumnData| Column { name: name.to_owned(), data };
        vec![
            column("row", ColumnData::Integer(vec![1, 2])),
            column("amount", text(&["1.5", ""])),
            column("code", text(&["007", "008"])),
            column("shop", text(&["a,b", ""])),
        ]
    }

    #[test]
    fn a_csv_file_keeps_texts_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        write_columns(&path, &columns(), false).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "row,amount,code,shop\n1,1.5,007,\"a,b\"\n2,,008,\n");
        assert!(write_columns(&path, &columns(), false).is_err(), "an output that exists is not replaced");
    }

    #[test]
    fn typed_formats_get_numbers_and_missing_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.ndjson");
        write_columns(&path, &columns(), false).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "{\"row\":1,\"amount\":1.5,\"code\":\"007\",\"shop\":\"a,b\"}\n{\"row\":2,\"amount\":null,\"code\":\"008\",\"shop\":null}\n"
        );
        let path = folder.path().join("rows.parquet");
        write_columns(&path, &columns(), false).unwrap();
        assert_eq!(crate::data::describe(&path, 5).unwrap().rows, Some(2));
    }
}
