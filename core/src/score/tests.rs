//! Scoring runs on the sample models, from file to file.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::model::OpenModel;
use crate::task::TaskCtx;
use crate::tensor::Device;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-models")
}

fn open(name: &str) -> OpenModel {
    OpenModel::open(&TaskCtx::unattended(), &samples().join(name).join("model.onnx"), Device::Cpu).unwrap()
}

struct Run {
    folder: TempDir,
    model: OpenModel,
    request: ScoreRequest,
}

impl Run {
    /// A run of a sample model on its own new table.
    fn of_sample(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let request = ScoreRequest {
            data: samples().join(name).join("new.csv"),
            output: folder.path().join("out.csv"),
            threads: Some(2),
            ..ScoreRequest::default()
        };
        Self { folder, model: open(name), request }
    }

    fn of_text(name: &str, text: &str) -> Self {
        let mut run = Self::of_sample(name);
        run.request.data = run.folder.path().join("in.csv");
        std::fs::write(&run.request.data, text).unwrap();
        run
    }

    fn score(&self) -> Result<ScoreReport, ScoreError> {
        score(&TaskCtx::unattended(), &self.model, &self.request)
    }

    fn output(&self) -> String {
        std::fs::read_to_string(&self.request.output).unwrap()
    }

    /// Files beside the input, which must be none but the output after success, and none at all after failure.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).filter(|name| name != "in.csv").collect();
        names.sort();
        names
    }
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
}

/// Expected: ONNX Runtime's answers, judged by scikit-learn.
#[test]
fn classifications_agree_with_onnx_runtime_and_scikit_learn() {
    let cases = [
        ("breast-cancer", [0.973_684_21, 0.98, 0.964_285_71, 0.971_277_40, 1.0, 0.065_218_47]),
        ("digits", [0.98, 0.981_107_49, 0.979_574_82, 0.979_930_57, 0.999_889_04, 0.070_470_12]),
        ("payment-fraud", [0.953, 0.852_732_79, 0.583_321_71, 0.626_316_84, 0.879_699_55, 0.148_219_23]),
        ("payment-fraud-v2", [0.965, 0.921_106_56, 0.696_529_26, 0.763_626_91, 0.963_399_81, 0.095_661_36]),
        ("wine", [0.972_222_22, 0.966_666_67, 0.977_777_78, 0.970_961_89, 0.998_941_80, 0.173_768_49]),
    ];
    for (name, expected) in cases {
        let run = Run::of_sample(name);
        let report = run.score().unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(Metrics::Classification { accuracy, precision, recall, f1, roc_auc, log_loss, rows, .. }) = report.metrics else {
            panic!("{name}: {:?}", report.metrics)
        };
        assert_eq!((rows, report.rows_scored, report.rows_rejected), (report.rows, report.rows, 0), "{name}");
        let found = [accuracy, precision, recall, f1, roc_auc.unwrap(), log_loss.unwrap()];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{name}: {found} instead of {expected}");
        }
    }
}

#[test]
fn a_regression_agrees_with_onnx_runtime_and_scikit_learn() {
    let run = Run::of_sample("diabetes");
    let report = run.score().unwrap();
    let Some(Metrics::Regression { rows: 88, rmse, mae, r2, .. }) = report.metrics else { panic!("{:?}", report.metrics) };
    assert_close(rmse / 56.963_919_889_568, 1.0);
    assert_close(mae / 46.568_668_712_269_18, 1.0);
    assert_close(r2.unwrap(), 0.467_270_674_230_496_2);
    let text = run.output();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().ends_with(",progression,prediction"));
    let first: f64 = lines.next().unwrap().rsplit_once(',').unwrap().1.parse().unwrap();
    assert!((first - 236.285_66).abs() < 1e-3, "{first}");
}

#[test]
fn scores_stand_behind_rows_that_pass_through_unchanged() {
    let run = Run::of_sample("payment-fraud");
    let report = run.score().unwrap();
    assert_eq!(run.files(), ["out.csv"]);
    assert!(report.notes[0].starts_with("6 columns feed the model, by the contract; not used: 'payment_id'"), "{:?}", report.notes);
    let (input, output) = (std::fs::read_to_string(&run.request.data).unwrap(), run.output());
    assert_eq!(input.lines().count(), output.lines().count());
    for (input, output) in input.lines().zip(output.lines()) {
        assert!(output.starts_with(&format!("{input},")), "{output}");
    }
    assert!(output.lines().next().unwrap().ends_with(",outcome,prediction,probability_genuine,probability_fraud"));
    let first: Vec<&str> = output.lines().nth(1).unwrap().rsplitn(4, ',').collect();
    assert_eq!(first[2], "genuine");
    assert_close(first[0].parse().unwrap(), 0.014_868_56);
}

/// Neither batches nor threads show in the result.
#[test]
fn the_result_does_not_depend_on_batches_and_threads() {
    let mut run = Run::of_sample("payment-fraud-v2");
    run.score().unwrap();
    let expected = run.output();
    for (batch_rows, threads) in [(Some(1), 1), (Some(7), 3), (Some(100_000), 2)] {
        run.request = ScoreRequest { batch_rows, threads: Some(threads), overwrite: true, ..run.request };
        run.score().unwrap();
        assert!(run.output() == expected, "{batch_rows:?} {threads}");
    }
}

/// The same table, in and out of every format, in far more blocks than one.
#[test]
fn large_tables_keep_their_order_in_every_format() {
    let sample = std::fs::read_to_string(samples().join("diabetes/new.csv")).unwrap();
    let (header, rows) = sample.split_once('\n').unwrap();
    let mut text = format!("id,{header}\n");
    for id in 0..40_000 {
        text.push_str(&format!("{id},{}\n", rows.lines().nth(id % 88).unwrap()));
    }
    let mut run = Run::of_text("diabetes", &text);
    run.request.keep = Keep::Columns(vec!["id".to_owned()]);
    let report = run.score().unwrap();
    assert_eq!(report.rows, 40_000);
    let expected = run.output();
    assert!(expected.lines().skip(1).enumerate().all(|(id, line)| line.starts_with(&format!("{id},"))));
    for middle in ["t.parquet", "t.ndjson.zst", "t.arrow", "t.tsv.gz"] {
        // Written with all columns, read back, scored again.
        let middle = run.folder.path().join(middle);
        let request = ScoreRequest { output: middle.clone(), keep: Keep::All, ..run.request.clone() };
        score(&TaskCtx::unattended(), &run.model, &request).unwrap();
        let request = ScoreRequest { data: middle.clone(), overwrite: true, ..run.request.clone() };
        let report = score(&TaskCtx::unattended(), &run.model, &request).unwrap_or_else(|error| panic!("{}: {error}", middle.display()));
        assert_eq!(report.rows, 40_000);
        assert_same_scores(&run.output(), &expected);
    }
}

/// Line by line: the same id, and the same number up to the order in which a matrix product adds up.
#[track_caller]
fn assert_same_scores(found: &str, expected: &str) {
    assert_eq!(found.lines().count(), expected.lines().count());
    for (found, expected) in found.lines().zip(expected.lines()).skip(1) {
        let ((id, score), (expected_id, expected_score)) = (found.split_once(',').unwrap(), expected.split_once(',').unwrap());
        let (score, expected_score): (f64, f64) = (score.parse().unwrap(), expected_score.parse().unwrap());
        assert!(id == expected_id && (score / expected_score - 1.0).abs() < 1e-5, "{found} instead of {expected}");
    }
}

const HEADER: &str = "age,sex,bmi,blood_pressure,total_cholesterol,ldl,hdl,cholesterol_hdl_ratio,log_triglycerides,glucose";
const ROW: &str = "35.0,1.0,41.3,81.0,168.0,102.8,37.0,5.0,4.9488,94.0";

#[test]
fn a_bad_row_stops_the_run_and_leaves_nothing() {
    let run = Run::of_text("diabetes", &format!("{HEADER}\n{ROW}\n{}\n", ROW.replace("41.3", "41;3")));
    let error = run.score().unwrap_err().to_string();
    assert!(error.ends_with("in.csv: row 2, column 'bmi': expected a number, found '41;3'"), "{error}");
    assert!(run.files().is_empty());
    let run = Run::of_text("diabetes", &format!("{HEADER}\n{ROW}\n{}\n", ROW.replace("41.3", "")));
    let error = run.score().unwrap_err().to_string();
    assert!(error.ends_with("row 2, column 'bmi': the value is missing; the model needs a number here"), "{error}");
    let run = Run::of_text("diabetes", &format!("{HEADER}\n{ROW}\n{ROW}\n1,2\n"));
    let error = run.score().unwrap_err().to_string();
    assert!(error.ends_with("row 3: 2 fields where the header has 10"), "{error}");
}

#[test]
fn bad_rows_are_set_aside_when_asked() {
    let rows = [ROW.to_owned(), ROW.replace("41.3", "fat"), "1,2".to_owned(), ROW.replace("94.0", "\"9,4\""), ROW.to_owned()];
    let mut run = Run::of_text("diabetes", &format!("{HEADER}\n{}\n", rows.join("\n")));
    run.request.on_error = OnError::Skip;
    let report = run.score().unwrap();
    assert_eq!((report.rows, report.rows_scored, report.rows_rejected), (5, 2, 3));
    assert_eq!(run.output().lines().count(), 3);
    let quarantine = std::fs::read_to_string(report.quarantine.unwrap()).unwrap();
    let expected = [
        "row,column,value,reason",
        "2,bmi,fat,\"expected a number, found 'fat'\"",
        "3,,\"1,2\",2 fields where the header has 10",
        "4,glucose,\"9,4\",\"expected a number, found '9,4'; write decimals with a point\"",
        "",
    ];
    assert_eq!(quarantine, expected.join("\n"));
    assert_eq!(run.files(), ["out.csv", "out.rejected.csv"]);
}

#[test]
fn a_table_of_nothing_but_bad_rows_is_an_error() {
    let mut run = Run::of_text("diabetes", &format!("{HEADER}\n1,2\n3\n"));
    run.request.on_error = OnError::Skip;
    let error = run.score().unwrap_err().to_string();
    assert!(
        error.starts_with("none of the 2 rows could be scored; the first reason: ") && error.ends_with("row 1: 2 fields where the header has 10"),
        "{error}"
    );
    assert!(run.files().is_empty());
}

#[test]
fn what_would_be_lost_is_refused_before_anything_is_written() {
    let error = |change: &dyn Fn(&mut ScoreRequest)| {
        let mut run = Run::of_text("diabetes", &format!("prediction,{HEADER}\n1,{ROW}\n"));
        std::fs::write(run.folder.path().join("there.csv"), "old").unwrap();
        change(&mut run.request);
        let error = run.score().unwrap_err().to_string();
        assert_eq!(run.files(), ["there.csv"]);
        error
    };
    let collision = error(&|_| {});
    assert!(collision.contains("already has a column 'prediction'") && collision.contains("--keep"), "{collision}");
    let same = error(&|request| request.output.clone_from(&request.data));
    assert!(same.contains("this is the table being read"), "{same}");
    let exists = error(&|request| request.output = request.output.with_file_name("there.csv"));
    assert!(exists.ends_with("there.csv: there is already a file; write elsewhere or replace it with --force"), "{exists}");
    let keep = error(&|request| request.keep = Keep::Columns(vec!["Age".to_owned()]));
    assert!(keep.contains("there is no column 'Age' (did you mean 'age'?), which --keep names"), "{keep}");
    let folder = error(&|request| request.output = request.output.with_file_name("none").join("out.csv"));
    assert!(folder.contains("does not exist; create it first"), "{folder}");
    let format = error(&|request| request.output = request.output.with_extension("xlsx"));
    assert!(format.contains("does not say the format to write"), "{format}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_sentence() {
    let mut run = Run::of_sample("diabetes");
    run.request.output = PathBuf::from("/dev/full");
    assert_eq!(run.score().unwrap_err().to_string(), "/dev/full: the disk is full; free some space or write elsewhere");
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let run = Run::of_sample("payment-fraud");
    let ctx = TaskCtx::unattended();
    ctx.cancel_token().cancel();
    assert!(matches!(score(&ctx, &run.model, &run.request), Err(ScoreError::Cancelled(_))));
    assert!(run.files().is_empty());
}

#[test]
fn a_label_is_found_by_its_number_or_name_and_may_be_missing() {
    let text = std::fs::read_to_string(samples().join("wine/new.csv")).unwrap();
    // 0, 1, 2 as some tools write whole numbers; and the last row unlabelled.
    let mut lines: Vec<String> =
        text.lines().map(|line| if line.ends_with(|last: char| last.is_ascii_digit()) { format!("{line}.0") } else { line.to_owned() }).collect();
    let last = lines.pop().unwrap();
    lines.push(format!("{},", last.rsplit_once(',').unwrap().0));
    let run = Run::of_text("wine", &(lines.join("\n") + "\n"));
    let report = run.score().unwrap();
    let Some(Metrics::Classification { rows: 35, accuracy, .. }) = report.metrics else { panic!("{:?}", report.metrics) };
    assert!(accuracy > 0.9);
    assert!(report.notes.iter().any(|note| note.starts_with("1 row has no label")), "{:?}", report.notes);
}

#[test]
fn progress_counts_rows_and_comes_to_its_end() {
    let run = Run::of_sample("payment-fraud");
    let progress = crate::task::ProgressCell::default();
    let ctx = TaskCtx::new(crate::task::CancelToken::default(), progress.clone());
    score(&ctx, &run.model, &run.request).unwrap();
    let latest = progress.latest();
    assert_eq!((latest.items, latest.item_unit, latest.fraction()), (1000, "rows", Some(1.0)));
    assert_eq!(latest.stage, "scoring new.csv");
}
