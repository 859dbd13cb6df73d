//! CSV by RFC 4180, as programs write it: any single-byte delimiter, quoted fields with doubled quotes and line breaks, LF or CRLF.
//! A quote within a field that does not start with one is text. Blank lines are no rows.
//!
//! A block is indexed, not copied: rows keep their own text, so what passes through unchanged comes out byte for byte.

use std::borrow::Cow;

use super::blocks::closing_quote;
use super::decimal::plain_decimal;
use super::{BadRow, into_text};
use crate::data::Cell;

/// The rows of one block.
#[derive(Debug, Default)]
pub struct CsvRows {
    text: String,
    n_columns: usize,
    row_starts: Vec<u32>,
    /// By row: index of its first field in `field_ends`; one more than there are rows.
    first_fields: Vec<u32>,
    /// Where each field ends; it starts behind the delimiter that ends the one before.
    field_ends: Vec<u32>,
    pub bad_rows: Vec<BadRow>,
}

impl CsvRows {
    /// Indexes a block of whole records, each of which should have `n_columns` fields. Rows that don't are listed in `bad_rows`;
    /// they have no cells.
    pub fn parse(block: Vec<u8>, delimiter: u8, n_columns: usize) -> Self {
        let (text, wrong_bytes) = into_text(block);
        let mut rows = Self { n_columns, first_fields: vec![0], ..Self::default() };
        let mut indexer = Indexer { rows: &mut rows, bytes: text.as_bytes(), row_start: 0, field_start: 0, quoted: false, skip: usize::MAX };
        indexer.run(delimiter);
        rows.text = text;
        for at in wrong_bytes {
            rows.blame_byte(at);
        }
        rows.bad_rows.sort_by_key(|bad| bad.row);
        rows.bad_rows.dedup_by_key(|bad| bad.row);
        rows
    }

    /// Gives the memory of the block back.
    pub fn into_buffer(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    pub fn n_rows(&self) -> usize {
        self.row_starts.len()
    }

    /// A row as it stands in the file, without its line break.
    pub fn row_text(&self, row: usize) -> &str {
        // A row has at least one field.
        let end = self.field_ends[self.first_fields[row + 1] as usize - 1];
        &self.text[self.row_starts[row] as usize..end as usize]
    }

    /// A field of a row that is not a bad one, as it stands in the file, quotes included.
    #[inline]
    pub fn field_text(&self, row: usize, column: usize) -> &str {
        let index = self.first_fields[row] as usize + column;
        let start = if column == 0 { self.row_starts[row] } else { self.field_ends[index - 1] + 1 };
        &self.text[start as usize..self.field_ends[index] as usize]
    }

    /// The number in a field that is a plain decimal: quickly, and no other than [`Self::cell`] would give. `None`: read the cell.
    #[inline]
    pub fn plain_number(&self, row: usize, column: usize) -> Option<f64> {
        let index = self.first_fields[row] as usize + column;
        let start = if column == 0 { self.row_starts[row] } else { self.field_ends[index - 1] + 1 };
        let end = self.field_ends[index];
        plain_decimal(self.text.as_bytes().get(..end as usize)?, (end - start) as usize)
    }

    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        match unquote(self.field_text(row, column)) {
            text if text.is_empty() => Cell::Missing,
            text => Cell::Text(text),
        }
    }

    fn blame_byte(&mut self, at: usize) {
        let row = self.row_starts.partition_point(|&start| start as usize <= at).saturating_sub(1);
        if row >= self.n_rows() || self.bad_rows.last().is_some_and(|bad| bad.row == row) {
            return;
        }
        let fields = &self.field_ends[self.first_fields[row] as usize..self.first_fields[row + 1] as usize];
        let column = fields.partition_point(|&end| end as usize <= at);
        let message = "the text is not UTF-8; save the table as UTF-8 and try again".to_owned();
        self.bad_rows.push(BadRow { row, column: (column < self.n_columns).then_some(column), message });
    }
}

/// A field without its quotes; doubled quotes become one.
pub fn unquote(field: &str) -> Cow<'_, str> {
    let Some(inner) = field.strip_prefix('"') else { return Cow::Borrowed(field) };
    if let Some(plain) = inner.strip_suffix('"')
        && memchr::memchr(b'"', plain.as_bytes()).is_none()
    {
        return Cow::Borrowed(plain);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(quote) = rest.find('"') {
        text.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(behind) => {
                text.push('"');
                rest = behind;
            }
            // The quoting ends here; what follows stands for itself.
            None => break,
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The fields of one record: a header, or a line whose number of fields is not known yet.
pub fn split_record(record: &str, delimiter: u8) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        let bytes = rest.as_bytes();
        let unquoted_from = if rest.starts_with('"') { closing_quote(bytes, 1).map_or(bytes.len(), |quote| quote + 1) } else { 0 };
        let end = memchr::memchr(delimiter, &bytes[unquoted_from..]).map(|offset| unquoted_from + offset);
        fields.push(unquote(&rest[..end.unwrap_or(rest.len())]).into_owned());
        match end {
            Some(end) => rest = &rest[end + 1..],
            None => return fields,
        }
    }
}

struct Indexer<'a> {
    rows: &'a mut CsvRows,
    bytes: &'a [u8],
    row_start: usize,
    field_start: usize,
    quoted: bool,
    /// The second of two doubled quotes, seen already.
    skip: usize,
}

impl Indexer<'_> {
    fn run(&mut self, delimiter: u8) {
        let words = self.bytes.as_chunks::<8>();
        for (index, word) in words.0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let mut marks = bytes_equal(word, delimiter) | bytes_equal(word, b'\n') | bytes_equal(word, b'"');
            while marks != 0 {
                self.mark(index * 8 + marks.trailing_zeros() as usize / 8);
                marks &= marks - 1;
            }
        }
        let tail = self.bytes.len() - words.1.len();
        for at in tail..self.bytes.len() {
            if matches!(self.bytes[at], b'\n' | b'"') || self.bytes[at] == delimiter {
                self.mark(at);
            }
        }
        if self.quoted {
            let column = self.n_fields();
            let message = "a quote opens here and is never closed".to_owned();
            self.rows.bad_rows.push(BadRow { row: self.rows.n_rows(), column: (column < self.rows.n_columns).then_some(column), message });
        }
        if self.row_start < self.bytes.len() {
            self.end_row(self.bytes.len());
        }
    }

    /// Fields of the current row that have ended.
    fn n_fields(&self) -> usize {
        self.rows.field_ends.len() - self.rows.first_fields.last().map_or(0, |&first| first as usize)
    }

    /// Takes a delimiter, line feed or quote at `at`.
    #[inline]
    fn mark(&mut self, at: usize) {
        match self.bytes[at] {
            b'"' => self.quote(at),
            _ if self.quoted => {}
            b'\n' => self.end_row(at),
            _ => {
                self.rows.field_ends.push(offset(at));
                self.field_start = at + 1;
            }
        }
    }

    fn quote(&mut self, at: usize) {
        if at == self.skip {
            return;
        }
        if self.quoted {
            if self.bytes.get(at + 1) == Some(&b'"') {
                self.skip = at + 1;
            } else {
                self.quoted = false;
            }
        } else if at == self.field_start {
            self.quoted = true;
        }
    }

    fn end_row(&mut self, at: usize) {
        let end = if at > self.row_start && self.bytes[at - 1] == b'\r' { at - 1 } else { at };
        if end > self.row_start {
            let n_columns = self.rows.n_columns;
            let found = self.n_fields() + 1;
            // An unclosed quote explains a wrong count, not the other way round.
            if found != n_columns && !self.quoted {
                let fields = if found == 1 { "field" } else { "fields" };
                let message = format!("{found} {fields} where the header has {n_columns}");
                self.rows.bad_rows.push(BadRow { row: self.rows.n_rows(), column: None, message });
            }
            self.rows.field_ends.push(offset(end));
            self.rows.row_starts.push(offset(self.row_start));
            self.rows.first_fields.push(offset(self.rows.field_ends.len()));
        }
        self.row_start = at + 1;
        self.field_start = at + 1;
        self.quoted = false;
    }
}

/// Blocks are far smaller than 4 GiB: see [`super::blocks::MAX_RECORD_BYTES`].
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// 0x80 in each byte of `word` that equals `byte`, 0 in the others.
#[inline]
fn bytes_equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let differing = word ^ (u64::from(byte) * 0x0101_0101_0101_0101);
    !(((differing & LOW) + LOW) | differing | LOW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str, n_columns: usize) -> CsvRows {
        CsvRows::parse(text.as_bytes().to_vec(), b',', n_columns)
    }

    fn cells(rows: &CsvRows) -> Vec<Vec<String>> {
        (0..rows.n_rows())
            .map(|row| (0..rows.n_columns).map(|column| rows.cell(row, column).to_text().unwrap_or_default().into_owned()).collect())
            .collect()
    }

    #[test]
    fn fields_are_found_whatever_quotes_and_line_ends() {
        let rows = parse("1,\"a,b\",x\r\n2,\"say \"\"hi\"\"\r\nthere\",\n\n3,5\" pipe,\"\"", 3);
        assert_eq!(rows.bad_rows, []);
        assert_eq!(cells(&rows), [["1", "a,b", "x"], ["2", "say \"hi\"\r\nthere", ""], ["3", "5\" pipe", ""]]);
        assert_eq!(rows.row_text(0), "1,\"a,b\",x");
        assert_eq!(rows.field_text(1, 1), "\"say \"\"hi\"\"\r\nthere\"");
        assert_eq!(rows.cell(2, 2), Cell::Missing);
    }

    #[test]
    fn ragged_rows_are_set_aside_with_their_whole_text() {
        let rows = parse("1,2,3\n4,5\n6,7,8,9\n10,11,12\n", 3);
        assert_eq!(rows.n_rows(), 4);
        assert_eq!(
            rows.bad_rows.iter().map(|bad| (bad.row, bad.message.as_str())).collect::<Vec<_>>(),
            [(1, "2 fields where the header has 3"), (2, "4 fields where the header has 3")]
        );
        assert_eq!((rows.row_text(1), rows.row_text(2), rows.row_text(3)), ("4,5", "6,7,8,9", "10,11,12"));
        assert_eq!(rows.cell(3, 0), Cell::Text("10".into()));
    }

    #[test]
    fn an_unclosed_quote_names_its_row() {
        let rows = parse("1,2\n3,\"4\n5,6\n", 2);
        assert_eq!(rows.bad_rows, [BadRow { row: 1, column: Some(1), message: "a quote opens here and is never closed".to_owned() }]);
    }

    #[test]
    fn bytes_that_are_not_utf8_name_their_row_and_column() {
        let rows = CsvRows::parse(b"a,b\nc,M\xfcnchen\n\xe9\xe8,d\n".to_vec(), b',', 2);
        assert_eq!(rows.bad_rows.iter().map(|bad| (bad.row, bad.column)).collect::<Vec<_>>(), [(1, Some(1)), (2, Some(0))]);
        assert_eq!(rows.row_text(0), "a,b");
    }

    #[test]
    fn a_record_splits_into_its_fields() {
        assert_eq!(split_record("a,\"b,\"\"c\"\"\",,d\"e", b','), ["a", "b,\"c\"", "", "d\"e"]);
        assert_eq!(split_record("", b';'), [""]);
    }

    proptest! {
        /// Another reader of CSV sees the same fields. Without carriage returns, which it takes for line ends wherever they stand.
        #[test]
        fn csv_core_agrees(text in "[ab,;\"\n]{0,60}") {
            let text = text + "\n";
            let rows = parse(&text, 1);
            prop_assume!(rows.bad_rows.iter().all(|bad| !bad.message.contains("closed")));
            let mut expected: Vec<Vec<String>> = Vec::new();
            let mut reader = csv_core::Reader::new();
            let mut input = text.as_bytes();
            let (mut output, mut ends) = ([0; 256], [0; 128]);
            while let (csv_core::ReadRecordResult::Record, n_read, _, n_ends) = reader.read_record(input, &mut output, &mut ends) {
                input = &input[n_read..];
                let starts = std::iter::once(0).chain(ends);
                let field = |(start, &end)| String::from_utf8_lossy(&output[start..end]).into_owned();
                expected.push(starts.zip(&ends[..n_ends]).map(field).collect());
            }
            let n_columns = expected.first().map_or(1, Vec::len);
            let rows = parse(&text, n_columns);
            prop_assert_eq!(rows.n_rows(), expected.len());
            for (row, fields) in expected.iter().enumerate() {
                if fields.len() == n_columns {
                    let found: Vec<_> = (0..n_columns).map(|column| unquote(rows.field_text(row, column)).into_owned()).collect();
                    prop_assert_eq!(&found, fields);
                } else {
                    prop_assert!(rows.bad_rows.iter().any(|bad| bad.row == row));
                }
            }
        }
    }
}
