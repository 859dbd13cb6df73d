//! NDJSON: one JSON object per line, its values numbers, texts, booleans or null. A key that is absent is a missing value.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{BadRow, into_text};
use crate::data::Cell;

/// The columns of an NDJSON table: the keys that its head has, in order of appearance.
#[derive(Debug, Clone, Default)]
pub struct JsonColumns {
    names: Vec<String>,
    index_by_name: HashMap<String, usize>,
}

impl JsonColumns {
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.index_by_name.get(name).copied()
    }

    fn add(&mut self, name: &str) -> usize {
        let index = self.names.len();
        self.names.push(name.to_owned());
        self.index_by_name.insert(name.to_owned(), index);
        index
    }
}

/// The rows of one block.
#[derive(Debug, Default)]
pub struct JsonRows {
    text: String,
    /// Start and end of each row's object.
    lines: Vec<(u32, u32)>,
    /// By row: index of its first cell in `cells`; one more than there are rows.
    first_cells: Vec<usize>,
    /// The cells that stand in the file, with their columns, row by row.
    cells: Vec<(usize, JsonCell)>,
    /// The texts of all cells, one behind the other.
    texts: String,
    pub bad_rows: Vec<BadRow>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum JsonCell {
    Missing,
    Text { start: usize, end: usize },
    Number(f64),
    Integer(i64),
    Boolean(bool),
}

impl JsonRows {
    /// Parses a block of lines. A key that is no column makes its row a bad one: it would be lost.
    pub fn parse(block: Vec<u8>, columns: &JsonColumns) -> Self {
        let mut found = columns.clone();
        Self::parse_with(block, &mut found, Unknown::Refuse)
    }

    /// Parses the head of a table, adding a column for each new key.
    pub fn parse_head(block: Vec<u8>, columns: &mut JsonColumns) -> Self {
        Self::parse_with(block, columns, Unknown::Add)
    }

    fn parse_with(block: Vec<u8>, columns: &mut JsonColumns, unknown: Unknown) -> Self {
        let (text, wrong_bytes) = into_text(block);
        let mut rows = Self { first_cells: vec![0], ..Self::default() };
        let mut seen = SeenKeys::default();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            let object = line.trim_ascii();
            if !object.is_empty() {
                let first_wrong = wrong_bytes.partition_point(|&at| at < start);
                let mut column = None;
                let parsed = if wrong_bytes.get(first_wrong).is_some_and(|&at| at < end) {
                    Err("the text is not UTF-8; save the table as UTF-8 and try again".to_owned())
                } else {
                    seen.next_row();
                    let seed = RowSeed { columns, unknown, cells: &mut rows.cells, texts: &mut rows.texts, seen: &mut seen, column: &mut column };
                    parse_object(object, seed)
                };
                if let Err(message) = parsed {
                    rows.bad_rows.push(BadRow { row: rows.lines.len(), column, message });
                }
                let object_start = end - line.trim_ascii_start().len();
                rows.lines.push((offset(object_start), offset(object_start + object.len())));
                rows.first_cells.push(rows.cells.len());
            }
            start = end;
        }
        rows.text = text;
        rows
    }

    pub fn into_buffer(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    pub fn n_rows(&self) -> usize {
        self.lines.len()
    }

    /// A row's object as it stands in the file.
    pub fn row_text(&self, row: usize) -> &str {
        let (start, end) = self.lines[row];
        &self.text[start as usize..end as usize]
    }

    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        let cells = &self.cells[self.first_cells[row]..self.first_cells[row + 1]];
        // Most rows have every key, in one order.
        let cell = cells.get(column).filter(|(index, _)| *index == column).or_else(|| cells.iter().find(|(index, _)| *index == column));
        match cell.map(|(_, cell)| *cell) {
            None | Some(JsonCell::Missing) => Cell::Missing,
            Some(JsonCell::Text { start, end }) => Cell::Text(Cow::Borrowed(&self.texts[start..end])),
            Some(JsonCell::Number(number)) => Cell::Number(number),
            Some(JsonCell::Integer(number)) => Cell::Integer(number),
            Some(JsonCell::Boolean(value)) => Cell::Boolean(value),
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn parse_object(object: &str, seed: RowSeed<'_>) -> Result<(), String> {
    if !object.starts_with('{') {
        return Err(format!("expected one JSON object per line, found '{}'", object.chars().take(20).collect::<String>()));
    }
    let mut deserializer = serde_json::Deserializer::from_str(object);
    // The position within the line is worth telling, the line number is not: rows are numbered by Drydock.
    let sentence = |error: serde_json::Error| error.to_string().replace(" at line 1 column", " at character");
    seed.deserialize(&mut deserializer).map_err(sentence)?;
    deserializer.end().map_err(|error| format!("not one JSON object: {}", sentence(error)))
}

/// What happens at a key that is no column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Add,
    Refuse,
}

/// Which columns the row being read has had: by column, the number of the last row that had it. Nothing is cleared between rows.
#[derive(Default)]
struct SeenKeys {
    last_row: Vec<usize>,
    row: usize,
}

impl SeenKeys {
    fn next_row(&mut self) {
        self.row += 1;
    }

    /// Whether this row has the column for the first time.
    fn insert(&mut self, column: usize) -> bool {
        if column >= self.last_row.len() {
            self.last_row.resize(column + 1, 0);
        }
        std::mem::replace(&mut self.last_row[column], self.row) != self.row
    }
}

struct RowSeed<'a> {
    columns: &'a mut JsonColumns,
    unknown: Unknown,
    cells: &'a mut Vec<(usize, JsonCell)>,
    texts: &'a mut String,
    seen: &'a mut SeenKeys,
    /// The column being read: the one to blame for an error.
    column: &'a mut Option<usize>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(column) = map.next_key_seed(KeySeed { columns: self.columns, unknown: self.unknown })? {
            *self.column = Some(column);
            if !self.seen.insert(column) {
                let name = self.columns.names.get(column).map_or("", String::as_str);
                return Err(A::Error::custom(format_args!("the key '{name}' stands twice in one object")));
            }
            let cell = map.next_value_seed(CellSeed(self.texts))?;
            self.cells.push((column, cell));
            *self.column = None;
        }
        Ok(())
    }
}

struct KeySeed<'a> {
    columns: &'a mut JsonColumns,
    unknown: Unknown,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<usize, E> {
        match self.columns.index(key) {
            Some(index) => Ok(index),
            None if self.unknown == Unknown::Add => Ok(self.columns.add(key)),
            None => Err(E::custom(format_args!("the key '{key}' is not among the columns that the start of the file has"))),
        }
    }
}

struct CellSeed<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for CellSeed<'_> {
    type Value = JsonCell;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<JsonCell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_> {
    type Value = JsonCell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, a boolean or null")
    }

    fn visit_unit<E>(self) -> Result<JsonCell, E> {
        Ok(JsonCell::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<JsonCell, E> {
        Ok(JsonCell::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<JsonCell, E> {
        Ok(JsonCell::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<JsonCell, E> {
        match i64::try_from(value) {
            Ok(value) => Ok(JsonCell::Integer(value)),
            // Too large for an integer cell: kept digit by digit.
            Err(_) => self.visit_str(&value.to_string()),
        }
    }

    fn visit_f64<E>(self, value: f64) -> Result<JsonCell, E> {
        Ok(JsonCell::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<JsonCell, E> {
        let start = self.0.len();
        self.0.push_str(value);
        Ok(if value.is_empty() { JsonCell::Missing } else { JsonCell::Text { start, end: self.0.len() } })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonCell, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("holds a list; a table's cells are numbers, texts, booleans or null"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonCell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("holds a nested object; a table's cells are numbers, texts, booleans or null"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> (JsonRows, JsonColumns) {
        let mut columns = JsonColumns::default();
        let rows = JsonRows::parse_head(text.as_bytes().to_vec(), &mut columns);
        (rows, columns)
    }

    #[test]
    fn objects_become_rows_and_absent_keys_missing_values() {
        let (rows, columns) = head("{\"a\": 1, \"b\": \"x\\ny\"}\r\n\n {\"c\": true, \"a\": 1.5}\n{\"b\": null, \"c\": \"\"}");
        assert_eq!(columns.names(), ["a", "b", "c"]);
        assert_eq!(rows.bad_rows, []);
        let row = |row| (0..3).map(|column| rows.cell(row, column)).collect::<Vec<_>>();
        assert_eq!(row(0), [Cell::Integer(1), Cell::Text("x\ny".into()), Cell::Missing]);
        assert_eq!(row(1), [Cell::Number(1.5), Cell::Missing, Cell::Boolean(true)]);
        assert_eq!(row(2), [Cell::Missing, Cell::Missing, Cell::Missing]);
        assert_eq!(rows.row_text(1), "{\"c\": true, \"a\": 1.5}");
    }

    #[test]
    fn what_is_no_row_is_set_aside_and_names_its_column() {
        let (rows, columns) = head("{\"a\": 1}\n{\"a\": [1]}\n{\"a\": {\"b\": 2}}\n{\"a\": 1\nnope\n{\"a\": 2} {\"a\": 3}\n");
        assert_eq!(columns.names(), ["a"]);
        let bad: Vec<_> = rows.bad_rows.iter().map(|bad| (bad.row, bad.column)).collect();
        assert_eq!(bad, [(1, Some(0)), (2, Some(0)), (3, None), (4, None), (5, None)]);
        assert!(rows.bad_rows[0].message.starts_with("holds a list"), "{}", rows.bad_rows[0].message);
        assert!(rows.bad_rows[3].message.contains("found 'nope'"), "{}", rows.bad_rows[3].message);
    }

    #[test]
    fn a_key_that_comes_late_is_not_lost_silently() {
        let (_, columns) = head("{\"a\": 1}\n");
        let rows = JsonRows::parse(b"{\"a\": 2}\n{\"a\": 3, \"new\": 4}\n".to_vec(), &columns);
        assert_eq!(rows.bad_rows.len(), 1);
        assert!(rows.bad_rows[0].message.contains("'new'"));
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error_and_not_a_choice() {
        let (rows, columns) = head("{\"a\": 1, \"b\": 2}\n{\"b\": 1, \"a\": 2, \"b\": 3}\n{\"b\": 4, \"a\": 5}\n");
        assert_eq!(columns.names(), ["a", "b"]);
        let bad: Vec<_> = rows.bad_rows.iter().map(|bad| (bad.row, bad.column)).collect();
        assert_eq!(bad, [(1, Some(1))]);
        assert!(rows.bad_rows[0].message.starts_with("the key 'b' stands twice in one object"), "{}", rows.bad_rows[0].message);
        assert_eq!(JsonRows::parse(b"{\"a\": 1}\n{\"a\": 1, \"a\": 1}\n".to_vec(), &columns).bad_rows.len(), 1);
    }

    #[test]
    fn integers_beyond_64_bits_keep_their_digits() {
        let (rows, _) = head("{\"a\": 18446744073709551615}\n");
        assert_eq!(rows.cell(0, 0), Cell::Text("18446744073709551615".into()));
    }
}
