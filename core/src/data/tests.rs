//! Tables of every format, good and bad, through the module's own door.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, Float32Array, Int64Array, ListArray, RecordBatch, StringArray, UInt64Array, types};
use tempfile::TempDir;

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[track_caller]
fn error_of(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    let path = folder.file(name, bytes);
    let error = describe(&path, 10).expect_err("this table should be refused").to_string();
    error.strip_prefix(&format!("{}: ", path.display())).expect("the file's name comes first").to_owned()
}

fn names(info: &TableInfo) -> Vec<&str> {
    info.columns.iter().map(|column| column.name.as_str()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// All rows as text, read block by block.
fn read_all(path: &Path) -> Vec<Vec<String>> {
    let mut reader = TableReader::open(path).unwrap();
    let schema = reader.schema.clone();
    let columns: Vec<usize> = (0..schema.columns.len()).collect();
    let mut all = Vec::new();
    let mut buffer = Vec::new();
    while let Some(block) = reader.next_block(buffer).unwrap() {
        let rows = schema.parse(block, &columns).unwrap();
        assert_eq!(rows.bad_rows(), []);
        let text = |row, column| rows.cell(row, column).to_text().unwrap_or_default().into_owned();
        all.extend((0..rows.n_rows()).map(|row| columns.iter().map(|&column| text(row, column)).collect::<Vec<_>>()));
        buffer = rows.into_buffer();
    }
    all
}

#[test]
fn csv_is_described_from_its_head() {
    let folder = Folder::new();
    let path = folder.file("t.csv", "\u{feff}id;name;amount\r\n1;\"Müller; \"\"A\"\"\";3.5\r\n2;;NA\r\n");
    let info = describe(&path, 10).unwrap();
    assert_eq!((info.format, info.compression, info.rows), (TableFormat::Csv { delimiter: b';' }, Compression::None, None));
    assert_eq!(names(&info), ["id", "name", "amount"]);
    assert_eq!(info.preview, [["1", "Müller; \"A\"", "3.5"], ["2", "", "NA"]]);
    let kinds: Vec<_> = info.columns.iter().map(|column| (column.kind, column.n_missing, column.n_seen)).collect();
    assert_eq!(kinds, [(TableColumnKind::Number, 0, 2), (TableColumnKind::Text, 1, 2), (TableColumnKind::Number, 1, 2)]);
    assert_eq!(describe(&path, 1).unwrap().preview.len(), 1);
}

#[test]
fn unnamed_columns_are_named_after_their_place() {
    let folder = Folder::new();
    assert_eq!(names(&describe(&folder.file("t.csv", ",a,\n0,1,2\n"), 1).unwrap()), ["column_1", "a", "column_3"]);
}

#[test]
fn compressed_tables_are_read_through() {
    let folder = Folder::new();
    // Two members, as `cat a.gz b.gz` makes them.
    let members = [gzip(b"a,b\n1,2\n"), gzip(b"3,4\n")].concat();
    let path = folder.file("t.csv.gz", members);
    assert_eq!(read_all(&path), [["1", "2"], ["3", "4"]]);
    assert_eq!(describe(&path, 5).unwrap().compression, Compression::Gzip);
    let frames = [zstd::encode_all(&b"a\tb\n1\t2\n"[..], 0).unwrap(), zstd::encode_all(&b"3\t4\n"[..], 0).unwrap()].concat();
    let path = folder.file("t.tsv.zst", frames);
    assert_eq!(read_all(&path), [["1", "2"], ["3", "4"]]);
    assert_eq!(describe(&path, 5).unwrap().format.label(), "TSV");
}

#[test]
fn ndjson_columns_are_the_keys_of_the_head() {
    let folder = Folder::new();
    let path = folder.file("t.ndjson", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2.5,\"c\":true}\n");
    let info = describe(&path, 10).unwrap();
    assert_eq!((info.format, names(&info)), (TableFormat::Ndjson, vec!["a", "b", "c"]));
    assert_eq!(info.preview, [["1", "x", ""], ["2.5", "", "true"]]);
}

fn batch() -> RecordBatch {
    let words: DictionaryArray<types::Int32Type> = ["x", "y", "x"].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("number", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(-2.0)]))),
        ("whole", Arc::new(Int64Array::from(vec![i64::MAX, 0, -1]))),
        ("large", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("word", Arc::new(words)),
        ("text", Arc::new(StringArray::from(vec![Some("a,b"), Some(""), None]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn write_parquet(path: &Path, batch: &RecordBatch) {
    let mut writer = parquet::arrow::ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn expected() -> Vec<Vec<String>> {
    let rows = [
        ["0.5", "9223372036854775807", "18446744073709551615", "true", "x", "a,b"],
        ["", "0", "0", "false", "y", ""],
        ["-2.0", "-1", "1", "", "x", ""],
    ];
    rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect()
}

#[test]
fn columnar_files_read_alike() {
    let folder = Folder::new();
    let (parquet, file, stream) = (folder.path("t.parquet"), folder.path("t.arrow"), folder.path("t.arrows"));
    write_parquet(&parquet, &batch());
    let mut writer = arrow_ipc::writer::FileWriter::try_new(std::fs::File::create(&file).unwrap(), &batch().schema()).unwrap();
    writer.write(&batch()).unwrap();
    writer.finish().unwrap();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(std::fs::File::create(&stream).unwrap(), &batch().schema()).unwrap();
    writer.write(&batch()).unwrap();
    writer.finish().unwrap();
    for path in [&parquet, &file, &stream] {
        assert_eq!(read_all(path), expected(), "{}", path.display());
    }
    let info = describe(&parquet, 2).unwrap();
    assert_eq!((info.format, info.rows, info.preview.len()), (TableFormat::Parquet, Some(3), 2));
    assert_eq!(info.columns[3].kind, TableColumnKind::Boolean);
    assert_eq!(info.columns[5].n_missing, 1);
    assert_eq!(describe(&stream, 2).unwrap().format, TableFormat::ArrowIpc);
}

#[test]
fn a_projection_reads_only_its_columns() {
    let folder = Folder::new();
    let path = folder.path("t.parquet");
    write_parquet(&path, &batch());
    let mut reader = TableReader::open(&path).unwrap();
    reader.project(&[4, 1, 4]);
    let block = reader.next_block(Vec::new()).unwrap().unwrap();
    let rows = reader.schema.parse(block, &[1, 4]).unwrap();
    assert_eq!((rows.cell(2, 1), rows.cell(1, 4)), (Cell::Integer(-1), Cell::Text("y".into())));
    assert_eq!(rows.cell(0, 0), Cell::Missing);
    let Rows::Arrow(rows) = rows else { panic!("a columnar file has columnar rows") };
    assert!(rows.array(4).is_some() && rows.array(0).is_none());
}

#[test]
fn what_is_no_table_is_refused_with_a_sentence() {
    let cases: [(&str, &[u8], &str); 14] = [
        ("empty.csv", b"", "the file is empty; a table was expected"),
        ("blank.csv", b"\n  \n", "the file holds nothing but blank lines; a table was expected"),
        ("header.csv", b"a,b\n", "the table has a header but no rows"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "the columns 1 and 3 are both called 'a'; each column needs a name of its own"),
        ("ragged.csv", b"a,b\n1,2\n3\n", "row 2: 1 field where the header has 2"),
        ("latin.csv", b"a,b\n1,M\xfcller\n", "row 1, column 'b': the text is not UTF-8; save the table as UTF-8 and try again"),
        ("header.csv", b"a,M\xfcller\n1,2\n", "the header is not UTF-8; save the table as UTF-8 and try again"),
        ("wide.csv", b"\xff\xfea\0,\0b\0", "the text is UTF-16; save the table as UTF-8 and try again"),
        ("data.csv", b"1.5,2.5\n3.5,4.5\n", "the first line holds numbers; a header with the names of the columns was expected"),
        ("mac.csv", b"a,b\r1,2\r", "lines end in a lone carriage return; save the table with LF or CRLF line ends and try again"),
        ("list.json", b"[{\"a\": 1}]", "this is a JSON list; expected NDJSON, which is one JSON object per line"),
        ("nested.ndjson", b"{\"a\": 1, \"b\": [2]}\n", "row 1, column 'b': holds a list"),
        ("cut.csv.gz", &gzip(&[b'a'; 1000])[..20], "the gzip data is damaged or cut short"),
        ("cut.parquet", b"PAR1 and then nothing", "the file is damaged or cut short"),
    ];
    for (name, bytes, expected) in cases {
        let error = error_of(name, bytes);
        assert!(error.starts_with(expected), "{name}: {error}");
    }
    let error = error_of("sheet.xlsx", b"PK\x03\x04rest");
    assert!(error.contains("save the table as CSV"), "{error}");
    assert!(error_of("t.arrow", b"ARROW1\0\0rest of no use").starts_with("the file is damaged"));
    let folder = Folder::new();
    assert!(describe(&folder.path("none.csv"), 1).unwrap_err().to_string().ends_with("there is no such file"));
    assert!(describe(folder.0.path(), 1).unwrap_err().to_string().ends_with("this is a folder; a table file was expected"));
}

#[test]
fn nested_columns_are_named_when_a_model_would_read_them() {
    let folder = Folder::new();
    let path = folder.path("t.parquet");
    let lists = ListArray::from_iter_primitive::<types::Int32Type, _, _>(vec![Some(vec![Some(1)]), None]);
    let batch = RecordBatch::try_from_iter(vec![("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef), ("tags", Arc::new(lists))]).unwrap();
    write_parquet(&path, &batch);
    assert_eq!(describe(&path, 2).unwrap().preview, [["1", ""], ["2", ""]]);
    let mut reader = TableReader::open(&path).unwrap();
    let block = reader.next_block(Vec::new()).unwrap().unwrap();
    let error = reader.schema.parse(block, &[1]).unwrap_err().to_string();
    assert!(error.contains("column 'tags' holds values of the type List"), "{error}");
    let error = TableEncoder::new(reader.schema.clone(), TableFormat::Csv { delimiter: b',' }, &Kept::All).unwrap_err().to_string();
    assert!(error.contains("column 'tags' holds nested values"), "{error}");
}

/// Damaged files must not panic, whatever byte is wrong.
#[test]
fn damaged_columnar_files_are_errors() {
    let folder = Folder::new();
    let good = folder.path("good.parquet");
    write_parquet(&good, &batch());
    let bytes = std::fs::read(&good).unwrap();
    for position in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x55;
        let path = folder.file("damaged.parquet", &damaged);
        if let Ok(mut reader) = TableReader::open(&path) {
            while let Ok(Some(_)) = reader.next_block(Vec::new()) {}
        }
    }
}

/// Writes all rows of a table, with a label and a score for each row but the second.
fn rewrite(input: &Path, output: &Path, kept: &Kept) -> Result<(), DataError> {
    let mut reader = TableReader::open(input)?;
    let schema = reader.schema.clone();
    let (format, compression) = output_format(output, schema.format)?;
    let encoder = TableEncoder::new(schema.clone(), format, kept)?;
    let mut writer = TableWriter::create(output, format, compression, false)?;
    writer.write_text(&encoder.header(&["label".into(), "score".into()]))?;
    while let Some(block) = reader.next_block(Vec::new())? {
        let columns: Vec<usize> = (0..schema.columns.len()).collect();
        let rows = schema.parse(block, &columns)?;
        let accepted: Vec<usize> = (0..rows.n_rows()).filter(|row| *row != 1).collect();
        let names: Arc<[String]> = ["no".to_owned(), "say \"yes\"".to_owned()].into();
        let codes = (0..accepted.len()).map(|index| u32::from(index % 2 == 1)).collect();
        let added = [
            Column { name: "label".to_owned(), data: ColumnData::Label { codes, names } },
            Column {
                name: "score".to_owned(),
                data: ColumnData::F32((0..accepted.len()).map(|index| if index == 0 { 0.1 } else { f32::NAN }).collect()),
            },
        ];
        let mut piece = TablePiece::default();
        encoder.encode(&rows, &accepted, &added, &mut piece).map_err(|bad| schema.row_error(bad.row as u64 + 1, bad.column, bad.message))?;
        writer.write(&piece)?;
    }
    writer.finish()
}

const SOURCE: &str = "\u{feff}id;\"a;b\";flag\r\n007;\"x;\"\"y\"\"\";true\r\nskipped;;\r\n8;NA;FALSE\r\n";

#[test]
fn rows_pass_through_byte_for_byte() {
    let folder = Folder::new();
    let input = folder.file("t.csv", SOURCE);
    let output = folder.path("out.csv");
    rewrite(&input, &output, &Kept::All).unwrap();
    let expected = "\u{feff}id;\"a;b\";flag;label;score\r\n007;\"x;\"\"y\"\"\";true;no;0.1\r\n8;NA;FALSE;\"say \"\"yes\"\"\";NaN\r\n";
    assert_eq!(std::fs::read_to_string(&output).unwrap(), expected);
    rewrite(&input, &folder.path("some.csv"), &Kept::Columns(vec![2, 1])).unwrap();
    let expected = "\u{feff}flag;\"a;b\";label;score\r\ntrue;\"x;\"\"y\"\"\";no;0.1\r\nFALSE;NA;\"say \"\"yes\"\"\";NaN\r\n";
    assert_eq!(std::fs::read_to_string(folder.path("some.csv")).unwrap(), expected);
    rewrite(&input, &folder.path("out.tsv"), &Kept::Columns(vec![1])).unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.path("out.tsv")).unwrap(),
        "\u{feff}a;b\tlabel\tscore\r\n\"x;\"\"y\"\"\"\tno\t0.1\r\nNA\t\"say \"\"yes\"\"\"\tNaN\r\n"
    );
}

#[test]
fn every_output_holds_the_same_table() {
    let folder = Folder::new();
    let input = folder.file("t.csv", "id,amount,name\n1,2.5,x\nskipped,0,z\n3,NA,\"a,b\"\n");
    for name in ["out.csv.gz", "out.tsv.zst", "out.parquet", "out.ndjson", "out.jsonl.gz", "out.arrow"] {
        let output = folder.path(name);
        rewrite(&input, &output, &Kept::All).unwrap();
        let info = describe(&output, 10).unwrap();
        assert_eq!(names(&info), ["id", "amount", "name", "label", "score"], "{name}");
        let mut rows = read_all(&output);
        // A missing number is a missing number, however it is written.
        for row in &mut rows {
            for cell in row.iter_mut().filter(|cell| cell::is_missing_text(cell)) {
                cell.clear();
            }
        }
        assert_eq!(rows, [["1", "2.5", "x", "no", "0.1"], ["3", "", "a,b", "say \"yes\"", ""]], "{name}");
    }
}

#[test]
fn codes_keep_their_zeros_in_columns_with_types() {
    let folder = Folder::new();
    let input = folder.file("t.csv", "zip,n\n01234,1\n9,9\n99999,2\n");
    rewrite(&input, &folder.path("out.parquet"), &Kept::All).unwrap();
    assert_eq!(read_all(&folder.path("out.parquet"))[0][..2], ["01234", "1"]);
    // A column that turns out otherwise after the sample is an error, not a loss.
    let mut text = "n\n".to_owned();
    (0..2000).for_each(|row| text.push_str(&format!("{row}\n")));
    text.push_str("many\n");
    let input = folder.file("late.csv", text);
    let error = rewrite(&input, &folder.path("late.parquet"), &Kept::All).unwrap_err().to_string();
    assert!(error.contains("row 2001, column 'n': 'many' is no whole number"), "{error}");
    assert!(!folder.path("late.parquet").exists());
}

#[test]
fn json_and_columnar_rows_come_out_as_text() {
    let folder = Folder::new();
    let input = folder.file("t.ndjson", "{\"a\": 1, \"b\": \"x,\\\"y\\\"\"}\n{\"a\": 0}\n{\"b\": null, \"a\": 2.50}\n{}\n");
    rewrite(&input, &folder.path("out.csv"), &Kept::All).unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.path("out.csv")).unwrap(),
        "a,b,label,score\n1,\"x,\"\"y\"\"\",no,0.1\n2.5,,\"say \"\"yes\"\"\",NaN\n,,no,NaN\n"
    );
    rewrite(&input, &folder.path("out.ndjson"), &Kept::All).unwrap();
    let expected = [
        r#"{"a": 1, "b": "x,\"y\"","label":"no","score":0.1}"#,
        r#"{"b": null, "a": 2.50,"label":"say \"yes\"","score":null}"#,
        r#"{"label":"no","score":null}"#,
        "",
    ];
    assert_eq!(std::fs::read_to_string(folder.path("out.ndjson")).unwrap(), expected.join("\n"));
    let columnar = folder.path("t.parquet");
    write_parquet(&columnar, &batch());
    rewrite(&columnar, &folder.path("columnar.csv"), &Kept::Columns(vec![0, 2, 3, 5])).unwrap();
    let expected = "number,large,flag,text,label,score\n0.5,18446744073709551615,true,\"a,b\",no,0.1\n-2.0,1,,,\"say \"\"yes\"\"\",NaN\n";
    assert_eq!(std::fs::read_to_string(folder.path("columnar.csv")).unwrap(), expected);
    rewrite(&columnar, &folder.path("columnar.ndjson"), &Kept::Columns(vec![0, 5])).unwrap();
    let expected = "{\"number\":0.5,\"text\":\"a,b\",\"label\":\"no\",\"score\":0.1}\n{\"number\":-2.0,\"text\":null,\"label\":\"say \\\"yes\\\"\",\"score\":null}\n";
    assert_eq!(std::fs::read_to_string(folder.path("columnar.ndjson")).unwrap(), expected);
    rewrite(&columnar, &folder.path("out.parquet"), &Kept::All).unwrap();
    assert_eq!(read_all(&folder.path("out.parquet"))[1][..6], expected_row(2));
}

fn expected_row(row: usize) -> [String; 6] {
    expected()[row].clone().try_into().unwrap()
}

#[test]
fn the_name_of_an_output_says_its_format() {
    let csv = TableFormat::Csv { delimiter: b';' };
    let of = |name: &str, input| output_format(Path::new(name), input).map_err(|error| error.to_string());
    assert_eq!(of("out.csv.gz", csv), Ok((csv, Compression::Gzip)));
    assert_eq!(of("out.CSV", TableFormat::Parquet), Ok((TableFormat::Csv { delimiter: b',' }, Compression::None)));
    assert_eq!(of("out.csv", TableFormat::Csv { delimiter: b'\t' }), Ok((TableFormat::Csv { delimiter: b',' }, Compression::None)));
    assert_eq!(of("a.b.jsonl", csv), Ok((TableFormat::Ndjson, Compression::None)));
    assert!(of("out", csv).unwrap_err().contains("end it in .csv"));
    assert!(of("out.parquet.gz", csv).unwrap_err().contains("leave the .gz or .zst away"));
}
