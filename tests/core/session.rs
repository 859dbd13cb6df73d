//! The session alone: dispatch, wait, look at the state. What holds here holds in every face.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use drydock_core::predict::{PredictRequest, Row};
use drydock_core::score::{Metrics, ScoreRequest};
use drydock_core::session::{Command, Event, JobState, Session};
use drydock_core::tensor::device::DeviceChoice;
use drydock_core::verify::VerifyRequest;
use drydock_tests::{sample_model, workspace};

fn open(name: &str) -> Session {
    let mut session = Session::new(|| {});
    let job = session.dispatch(Command::OpenModel { path: sample_model(name).model(), device: DeviceChoice::Cpu }).unwrap();
    assert_eq!(session.wait(job, |_, _| {}), JobState::Done);
    session
}

/// Waits until nothing runs any more, jobs that start meanwhile included.
fn settle(session: &mut Session) {
    while let Some((job, _)) = session.running().first() {
        session.wait(*job, |_, _| {});
    }
}

fn row(cells: &[(&str, &str)]) -> Row {
    Row(cells.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())).collect::<BTreeMap<_, _>>())
}

#[test]
fn an_opened_model_is_in_the_state_with_its_report() {
    let session = open("payment-fraud");
    let opened = session.state().opened.as_ref().unwrap();
    assert_eq!(opened.model.title(), "payment-fraud v1");
    assert_eq!(opened.report.inputs.len(), 6);
    assert!(opened.report.unsupported.is_empty(), "{:?}", opened.report.unsupported);
    assert_eq!(session.state().recent_models, [sample_model("payment-fraud").model()]);
    assert_eq!(session.state().jobs[0].state, JobState::Done);
}

#[test]
fn a_closed_model_is_gone_and_the_next_one_starts_clean() {
    let mut session = open("diabetes");
    session.dispatch(Command::Predict(PredictRequest::Rows(vec![row(&DIABETES_ROW)])));
    settle(&mut session);
    assert!(session.state().prediction.is_some(), "{:?}", session.state().prediction_error);
    session.dispatch(Command::CloseModel);
    assert!(session.state().opened.is_none() && session.state().prediction.is_none());
}

const DIABETES_ROW: [(&str, &str); 10] = [
    ("age", "35"),
    ("sex", "1"),
    ("bmi", "41.3"),
    ("blood_pressure", "81"),
    ("total_cholesterol", "168"),
    ("ldl", "102.8"),
    ("hdl", "37"),
    ("cholesterol_hdl_ratio", "5"),
    ("log_triglycerides", "4.9488"),
    ("glucose", "94"),
];

#[test]
fn a_row_is_predicted_with_missing_cells_left_to_the_model() {
    let mut session = open("payment-fraud");
    let cells = [("amount", "1900"), ("merchant", "gift_cards"), ("country", "NG"), ("channel", "phone"), ("card_age_days", ""), ("is_foreign", "1")];
    session.dispatch(Command::Predict(PredictRequest::Rows(vec![row(&cells)])));
    settle(&mut session);
    let report = session.state().prediction.as_ref().unwrap_or_else(|| panic!("{:?}", session.state().prediction_error));
    let prediction = &report.predictions[0];
    assert_eq!(prediction.prediction.as_deref(), Some("fraud"));
    let labels: Vec<&str> = prediction.probabilities.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["genuine", "fraud"]);
    assert!((prediction.probabilities.iter().map(|(_, probability)| probability).sum::<f64>() - 1.0).abs() < 1e-5);
}

#[test]
fn a_picture_is_read() {
    let mut session = open("digits");
    for (file, digit) in [("three.png", "3"), ("eight.png", "8")] {
        session.dispatch(Command::Predict(PredictRequest::Image(sample_model("digits").folder.join(file))));
        settle(&mut session);
        let report = session.state().prediction.as_ref().unwrap_or_else(|| panic!("{:?}", session.state().prediction_error));
        assert_eq!(report.predictions[0].prediction.as_deref(), Some(digit));
    }
}

#[test]
fn a_cell_that_is_no_number_is_named_and_clears_the_last_answer() {
    let mut session = open("diabetes");
    session.dispatch(Command::Predict(PredictRequest::Rows(vec![row(&DIABETES_ROW)])));
    settle(&mut session);
    let mut cells = DIABETES_ROW;
    cells[2].1 = "heavy";
    session.dispatch(Command::Predict(PredictRequest::Rows(vec![row(&cells)])));
    settle(&mut session);
    let error = session.state().prediction_error.clone().unwrap();
    assert!(error.contains("'bmi'") && error.contains("heavy"), "{error}");
    assert!(session.state().prediction.is_none());
}

#[test]
fn of_many_predictions_asked_for_at_once_the_last_one_wins() {
    let mut session = open("diabetes");
    let mut asked = DIABETES_ROW;
    let ages: Vec<String> = (20..80).map(|age| age.to_string()).collect();
    for age in &ages {
        asked[0].1 = age;
        session.dispatch(Command::Predict(PredictRequest::Rows(vec![row(&asked)])));
    }
    settle(&mut session);
    let last = session.state().prediction.clone().unwrap().predictions;
    session.dispatch(Command::Predict(PredictRequest::Rows(vec![row(&asked)])));
    settle(&mut session);
    assert_eq!(session.state().prediction.clone().unwrap().predictions, last);
    asked[0].1 = &ages[0];
    session.dispatch(Command::Predict(PredictRequest::Rows(vec![row(&asked)])));
    settle(&mut session);
    assert_ne!(session.state().prediction.clone().unwrap().predictions, last, "the two rows should differ, or this test proves nothing");
}

#[test]
fn a_table_is_described_and_scored_with_metrics() {
    let sample = sample_model("breast-cancer");
    let folder = tempfile::tempdir().unwrap();
    let mut session = open("breast-cancer");
    session.dispatch(Command::DescribeTable(sample.table("new")));
    settle(&mut session);
    let table = session.state().table.as_ref().unwrap();
    assert_eq!(table.columns.len(), 31);
    assert_eq!(table.preview.len(), 50);

    let output = folder.path().join("scored.csv");
    let request = ScoreRequest { data: sample.table("new"), output: output.clone(), ..ScoreRequest::default() };
    let job = session.dispatch(Command::Score(request)).unwrap();
    assert_eq!(session.wait(job, |_, _| {}), JobState::Done);
    let report = session.state().score.as_ref().unwrap();
    assert_eq!((report.rows, report.rows_scored, report.rows_rejected), (114, 114, 0));
    // The accuracy that ONNX Runtime has on this table stands in the sample's README.
    let Some(Metrics::Classification { accuracy, .. }) = &report.metrics else { panic!("{:?}", report.metrics) };
    let readme = std::fs::read_to_string(sample.folder.join("README.md")).unwrap();
    assert!(readme.contains(&format!("| `new.csv` | 114 | {accuracy:.3} |")), "{accuracy}");
    assert_eq!(std::fs::read_to_string(output).unwrap().lines().count(), 115);
}

#[test]
fn a_failed_job_is_visible_with_its_sentence() {
    let mut session = Session::new(|| {});
    let path = PathBuf::from("no/such/model.onnx");
    let job = session.dispatch(Command::OpenModel { path, device: DeviceChoice::Cpu }).unwrap();
    let JobState::Failed(sentence) = session.wait(job, |_, _| {}) else { panic!("it did not fail") };
    assert!(sentence.contains("no/such/model.onnx"), "{sentence}");
    assert_eq!(session.state().job(job).unwrap().state, JobState::Failed(sentence.clone()));
    let events = session.poll();
    assert!(events.iter().any(|event| matches!(event, Event::Notice(notice) if notice.is_error && notice.text == sentence)), "{events:?}");
    assert!(events.contains(&Event::JobFinished(job)));
}

#[test]
fn work_without_a_model_is_answered_with_a_notice() {
    let mut session = Session::new(|| {});
    assert_eq!(session.dispatch(Command::Score(ScoreRequest::default())), None);
    assert_eq!(session.dispatch(Command::Predict(PredictRequest::Rows(Vec::new()))), None);
    let notices = session.poll().into_iter().filter(|event| matches!(event, Event::Notice(notice) if notice.is_error)).count();
    assert_eq!(notices, 2);
}

#[test]
fn a_cancelled_scoring_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("large.csv");
    let table = std::fs::read_to_string(sample_model("payment-fraud").table("reference")).unwrap();
    let (header, rows) = table.split_once('\n').unwrap();
    let mut large = format!("{header}\n");
    for _ in 0..250 {
        large.push_str(rows);
    }
    std::fs::write(&data, large).unwrap();

    let mut session = open("payment-fraud");
    let output = folder.path().join("scored.csv");
    let job = session.dispatch(Command::Score(ScoreRequest { data: data.clone(), output, ..ScoreRequest::default() })).unwrap();
    // As soon as the job has told anything of its progress, it is in the middle.
    while session.progress(job).is_some_and(|progress| progress.changes() == 0) {
        session.poll();
        std::thread::yield_now();
    }
    session.dispatch(Command::Cancel(job));
    assert_eq!(session.wait(job, |_, _| {}), JobState::Cancelled);
    assert!(session.state().score.is_none());
    let files: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [data]);
}

#[test]
fn verifying_reports_to_the_state() {
    let mut session = Session::new(|| {});
    let request = VerifyRequest { folders: vec![workspace().join("sample-models")], ..VerifyRequest::default() };
    let job = session.dispatch(Command::Verify(request)).unwrap();
    assert_eq!(session.wait(job, |_, _| {}), JobState::Done);
    let report = session.state().verify.as_ref().unwrap();
    assert_eq!((report.cases, report.passed), (6, 6), "{:?}", report.failures);
}

#[test]
fn the_wake_is_called_when_a_job_ends() {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&wakes);
    let mut session = Session::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let job = session.dispatch(Command::DescribeTable(sample_model("wine").table("new"))).unwrap();
    assert_eq!(session.wait(job, |_, _| {}), JobState::Done);
    // The outcome may arrive a moment before the wake.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while wakes.load(Ordering::SeqCst) == 0 && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(wakes.load(Ordering::SeqCst) > 0);
}

#[test]
fn recent_models_are_kept_newest_first_without_repeats() {
    let mut session = Session::new(|| {});
    for name in ["wine", "digits", "wine"] {
        let job = session.dispatch(Command::OpenModel { path: sample_model(name).model(), device: DeviceChoice::Cpu }).unwrap();
        session.wait(job, |_, _| {});
    }
    assert_eq!(session.state().recent_models, [sample_model("wine").model(), sample_model("digits").model()]);
}
