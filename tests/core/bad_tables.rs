//! Tables that can't be scored: a sentence that names file, row and column, and nothing left behind.

use std::path::{Path, PathBuf};

use drydock_core::model::OpenModel;
use drydock_core::score::{OnError, ScoreError, ScoreReport, ScoreRequest, score};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::Device;
use drydock_tests::sample_model;
use tempfile::TempDir;

/// A folder with one table for the diabetes model, and what became of scoring it.
struct Scoring {
    folder: TempDir,
    request: ScoreRequest,
}

const HEADER: &str = "age,sex,bmi,blood_pressure,total_cholesterol,ldl,hdl,cholesterol_hdl_ratio,log_triglycerides,glucose,progression";
const ROW: &str = "59,2,32.1,101,157,93.2,38,4,4.8598,87,151";

impl Scoring {
    fn of(table: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("table.csv");
        std::fs::write(&data, table).unwrap();
        let request = ScoreRequest { data, output: folder.path().join("scored.csv"), ..ScoreRequest::default() };
        Self { folder, request }
    }

    fn of_rows(rows: &[&str]) -> Self {
        Self::of(format!("{HEADER}\n{}\n", rows.join("\n")))
    }

    fn run(&self) -> Result<ScoreReport, ScoreError> {
        score(&TaskCtx::unattended(), &diabetes(), &self.request)
    }

    /// Fails unless scoring fails with one sentence that has all of the words in it, and leaves nothing behind.
    #[track_caller]
    fn is_refused(&self, words: &[&str]) {
        let before = self.files();
        let sentence = match self.run() {
            Ok(report) => panic!("it was scored: {report:?}"),
            Err(error) => error.to_string(),
        };
        for word in words {
            assert!(sentence.contains(word), "{word:?} is not in: {sentence}");
        }
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        assert_eq!(self.files(), before, "files were left behind");
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn diabetes() -> OpenModel {
    OpenModel::open(&TaskCtx::unattended(), &sample_model("diabetes").model(), Device::Cpu).unwrap()
}

#[test]
fn a_label_that_is_not_there_gets_the_nearest_name() {
    let mut scoring = Scoring::of_rows(&[ROW]);
    scoring.request.label = Some("progresion".to_owned());
    scoring.is_refused(&["'progresion'", "progression"]);
}

#[test]
fn a_column_that_is_not_there_gets_the_nearest_name() {
    let table = format!("{}\n{ROW}\n", HEADER.replace("glucose", "glucos"));
    Scoring::of(table).is_refused(&["glucose", "glucos"]);
    let mut scoring = Scoring::of_rows(&[ROW]);
    scoring.request.columns = Some(["age", "sex", "bmi", "blood_presure"].map(str::to_owned).to_vec());
    scoring.is_refused(&["'blood_presure'", "blood_pressure"]);
    let mut scoring = Scoring::of_rows(&[ROW]);
    scoring.request.bind = vec![("pacient".to_owned(), vec!["age".to_owned()])];
    scoring.is_refused(&["'pacient'", "patient"]);
}

#[test]
fn too_few_columns_are_counted() {
    let mut scoring = Scoring::of_rows(&[ROW]);
    scoring.request.columns = Some(vec!["age".to_owned(), "sex".to_owned()]);
    scoring.is_refused(&["10", "2"]);
}

#[test]
fn text_where_a_number_is_due_is_found_by_row_and_column() {
    Scoring::of_rows(&[ROW, ROW, "59,2,heavy,101,157,93.2,38,4,4.8598,87,151"]).is_refused(&["table.csv", "row 3", "'bmi'", "heavy"]);
}

#[test]
fn an_empty_cell_is_a_problem_of_a_model_that_takes_none() {
    Scoring::of_rows(&[ROW, "59,2,,101,157,93.2,38,4,4.8598,87,151"]).is_refused(&["table.csv", "row 2", "'bmi'"]);
}

#[test]
fn ragged_rows_are_counted() {
    Scoring::of_rows(&[ROW, "59,2,32.1"]).is_refused(&["table.csv", "row 2", "3", "11"]);
    Scoring::of_rows(&[ROW, ROW, &format!("{ROW},1,2")]).is_refused(&["table.csv", "row 3", "13", "11"]);
}

#[test]
fn duplicate_headers_are_named() {
    Scoring::of(format!("{HEADER},age\n{ROW},1\n")).is_refused(&["table.csv", "'age'"]);
}

#[test]
fn a_table_without_rows_is_refused() {
    Scoring::of(format!("{HEADER}\n")).is_refused(&["table.csv", "no rows"]);
    Scoring::of("").is_refused(&["table.csv", "empty"]);
    Scoring::of("\n\n").is_refused(&["table.csv"]);
}

#[test]
fn what_is_no_table_is_refused() {
    Scoring::of(std::fs::read(sample_model("digits").folder.join("three.png")).unwrap()).is_refused(&["table.csv"]);
    Scoring::of(b"age,bmi\n\xff\xfe\x00,3\n").is_refused(&["table.csv"]);
    // The content decides, not the name: these begin as such files do and then go wrong.
    let damaged = [("parquet", "PAR1 and no more"), ("arrow", "ARROW1\0\0 and no more"), ("ndjson", "{\"age\": 35, \"sex\"\n")];
    for (extension, content) in damaged {
        let mut scoring = Scoring::of(content);
        let name = format!("table.{extension}");
        let renamed = scoring.folder.path().join(&name);
        std::fs::rename(&scoring.request.data, &renamed).unwrap();
        scoring.request.data = renamed;
        scoring.is_refused(&[&name]);
    }
    let mut scoring = Scoring::of_rows(&[ROW]);
    scoring.request.data = scoring.folder.path().to_owned();
    scoring.is_refused(&[&scoring.folder.path().display().to_string()]);
    scoring.request.data = scoring.folder.path().join("not_there.csv");
    scoring.is_refused(&["not_there.csv"]);
}

#[test]
fn a_quote_that_never_closes_is_refused() {
    Scoring::of(format!("{HEADER}\n{ROW}\n\"59,2,32.1,101,157,93.2,38,4,4.8598,87,151\n")).is_refused(&["table.csv", "row 2"]);
}

#[test]
fn an_output_that_exists_stays_unless_it_may_be_replaced() {
    let mut scoring = Scoring::of_rows(&[ROW]);
    std::fs::write(&scoring.request.output, "precious").unwrap();
    scoring.is_refused(&["scored.csv", "--force"]);
    assert_eq!(std::fs::read_to_string(&scoring.request.output).unwrap(), "precious");
    scoring.request.overwrite = true;
    assert_eq!(scoring.run().unwrap().rows_scored, 1);
    assert_ne!(std::fs::read_to_string(&scoring.request.output).unwrap(), "precious");
}

#[test]
fn the_table_itself_is_never_the_output() {
    let mut scoring = Scoring::of_rows(&[ROW]);
    scoring.request.output = scoring.request.data.clone();
    scoring.request.overwrite = true;
    scoring.is_refused(&["table.csv"]);
}

#[test]
fn an_output_that_can_not_be_written_is_named() {
    let mut scoring = Scoring::of_rows(&[ROW]);
    scoring.request.output = scoring.folder.path().join("no/such/folder/scored.csv");
    scoring.is_refused(&["scored.csv"]);
    scoring.request.output = scoring.folder.path().join("scored.nonsense");
    scoring.is_refused(&["scored.nonsense", "csv"]);
}

#[test]
fn bad_rows_can_be_set_aside() {
    let mut scoring = Scoring::of_rows(&[ROW, "59,2,heavy,101,157,93.2,38,4,4.8598,87,151", ROW, "59,2"]);
    scoring.request.on_error = OnError::Skip;
    let report = scoring.run().unwrap();
    assert_eq!((report.rows, report.rows_scored, report.rows_rejected), (4, 2, 2));
    let quarantine = std::fs::read_to_string(report.quarantine.unwrap()).unwrap();
    let lines: Vec<&str> = quarantine.lines().collect();
    assert_eq!(lines.len(), 3, "{quarantine}");
    assert!(lines[1].starts_with("2,") && lines[1].contains("bmi") && lines[1].contains("heavy"), "{quarantine}");
    assert!(lines[2].starts_with("4,"), "{quarantine}");
    assert_eq!(std::fs::read_to_string(&scoring.request.output).unwrap().lines().count(), 3);
}

/// The disk is full for a child process whose files may not grow beyond a few kilobytes. The child is this test again.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_behind() {
    const MARK: &str = "DRYDOCK_TEST_FULL_DISK";
    if let Some(folder) = std::env::var_os(MARK) {
        let folder = Path::new(&folder);
        let request = ScoreRequest { data: folder.join("table.csv"), output: folder.join("scored.csv"), ..ScoreRequest::default() };
        let error = score(&TaskCtx::unattended(), &diabetes(), &request).unwrap_err().to_string();
        assert!(error.contains("scored.csv"), "{error}");
        return;
    }
    let scoring = Scoring::of_rows(&vec![ROW; 20_000]);
    // A write beyond the limit fails instead of killing the process, as it does on a full disk.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact bad_tables::a_full_disk_leaves_nothing_behind --nocapture";
    let program = std::env::current_exe().unwrap();
    let child = std::process::Command::new("bash").arg("-c").arg(script).arg(program).env(MARK, scoring.folder.path()).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "the child ran another test, or none");
    assert_eq!(scoring.files(), std::slice::from_ref(&scoring.request.data));
}
