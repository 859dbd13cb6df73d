//! Comparing versions through the session: a model against itself, two versions of one task, the gate, the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use drydock_core::compare::check::{Budgets, CheckReport, CheckRequest};
use drydock_core::compare::diff::{DiffReport, DiffRequest};
use drydock_core::compare::{CompareReport, CompareRequest, Judgement, Split, Window};
use drydock_core::model::OpenModel;
use drydock_core::registry::{Registry, RunKind, RunRecord, RunView};
use drydock_core::report::Verdict;
use drydock_core::score::Metric;
use drydock_core::session::{Command, JobState, Session};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::Device;
use drydock_tests::{sample_model, workspace};

fn model(name: &str) -> PathBuf {
    sample_model(name).model()
}

fn data(name: &str, file: &str) -> PathBuf {
    workspace().join("sample-models").join(name).join(file)
}

fn done(command: Command) -> Session {
    let mut session = Session::new(|| {});
    let job = session.dispatch(command).unwrap();
    assert_eq!(session.wait(job, |_, _| {}), JobState::Done);
    session
}

fn failure(command: Command) -> String {
    let mut session = Session::new(|| {});
    let job = session.dispatch(command).unwrap();
    match session.wait(job, |_, _| {}) {
        JobState::Failed(message) => message,
        other => panic!("{other:?}"),
    }
}

fn request(versions: &[&str], table: PathBuf) -> CompareRequest {
    CompareRequest { versions: versions.iter().map(|name| model(name)).collect(), data: table, measures_latency: false, ..CompareRequest::default() }
}

fn compared(request: CompareRequest) -> Arc<CompareReport> {
    done(Command::Compare(request)).state().comparison.clone().unwrap()
}

fn checked(request: CheckRequest) -> Arc<CheckReport> {
    done(Command::Check(request)).state().check.clone().unwrap()
}

/// The runs of a kind that a data home keeps of a sample.
fn recorded(home: &Path, name: &str, kind: RunKind) -> Vec<RunRecord> {
    let opened = OpenModel::load(&TaskCtx::unattended(), &model(name), Device::Cpu).unwrap();
    Registry::open_to_read(home).unwrap().unwrap().runs(opened.sha256(), Some(kind)).unwrap()
}

#[test]
fn comparisons_and_checks_are_kept_without_the_tables_rows() {
    let home = tempfile::tempdir().unwrap();
    let run = |command: Command| {
        let mut session = Session::new(|| {}).with_home(Some(home.path().to_owned()));
        let job = session.dispatch(command).unwrap();
        assert_eq!(session.wait(job, |_, _| {}), JobState::Done);
    };
    let names = ["payment-fraud", "payment-fraud-v2"];
    run(Command::Compare(request(&names, data("payment-fraud", "new.csv"))));
    for (name, other) in [("payment-fraud", "payment-fraud v2"), ("payment-fraud-v2", "payment-fraud v1")] {
        let runs = recorded(home.path(), name, RunKind::Compare);
        assert_eq!((runs.len(), runs[0].summary["with"].as_str(), runs[0].summary["agreement"].as_f64()), (1, Some(other), Some(0.98)));
        assert_eq!((runs[0].report["rows"].as_u64(), runs[0].report.get("changed")), (Some(1000), None));
        assert!(RunView::from(runs[0].clone()).result().starts_with(&format!("agreement 98 % with {other}")));
    }
    let budgets = Budgets { min_agreement: Some(0.9), ..Budgets::default() };
    let (model, against) = (model(names[1]), Some(model(names[0])));
    run(Command::Check(CheckRequest { model, against, data: Some(data("payment-fraud", "new.csv")), budgets, ..CheckRequest::default() }));
    let runs = recorded(home.path(), names[1], RunKind::Check);
    assert!(runs[0].is_passed_check() && runs[0].report["comparison"]["rows"] == 1000, "{:?}", runs[0].summary);
    assert_eq!(runs[0].report["comparison"].get("changed"), None);
}

fn diffed(a: &str, b: &str) -> Arc<DiffReport> {
    done(Command::Diff(DiffRequest { a: model(a), b: model(b) })).state().diff.clone().unwrap()
}

#[test]
fn a_model_does_not_differ_from_itself() {
    for (name, table) in [("payment-fraud", "new.csv"), ("diabetes", "new.csv"), ("wine", "new.csv")] {
        let report = compared(request(&[name, name], data(name, table)));
        let pair = &report.pairs[0];
        assert!(pair.agreement.is_identical && pair.agreement.share == 1.0, "{name}: {:?}", pair.agreement);
        assert_eq!((pair.agreement.sqnr_db, pair.agreement.max_difference), (None, Some(0.0)));
        assert!(pair.metrics.len() >= 4, "{name}: {:?}", pair.metrics);
        for metric in &pair.metrics {
            let interval = metric.interval.unwrap_or_else(|| panic!("{name} {metric:?}"));
            assert_eq!((metric.difference, interval.low, interval.high), (0.0, 0.0, 0.0), "{name} {metric:?}");
            assert_eq!(metric.judgement, Judgement::NoDifference);
        }
        assert!(pair.mcnemar.is_none_or(|test| test.p_value == 1.0));
        assert!(pair.changed.rows.is_empty() && pair.explanation.is_none());
        assert_ne!(report.versions[0].name, report.versions[1].name, "the two are told apart");
    }
}

#[test]
fn two_versions_are_told_apart_with_the_rows_that_change() {
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("changed.csv");
    let table = data("payment-fraud", "new.csv");
    let wanted = CompareRequest { changed: Some(changed.clone()), max_changed: 20, ..request(&["payment-fraud", "payment-fraud-v2"], table) };
    let report = compared(wanted);
    let pair = &report.pairs[0];
    assert_eq!((report.rows, report.rows_compared, report.rows_labelled), (report.rows, report.rows, report.rows));
    assert_eq!(pair.agreement.rows_agreeing + pair.changed.n_changed, report.rows);
    assert!(pair.agreement.share > 0.5 && pair.agreement.share < 1.0, "{:?}", pair.agreement);
    let rows = &pair.changed.rows;
    assert_eq!(rows.len(), 20);
    // Flips come first, then the larger moves.
    assert!(rows.is_sorted_by(|a, b| (a.is_flip, a.change.abs()) >= (b.is_flip, b.change.abs())));
    for metric in &pair.metrics {
        let interval = metric.interval.unwrap();
        assert!(interval.low <= interval.high && (metric.b - metric.a - metric.difference).abs() < 1e-12, "{metric:?}");
        assert!(interval.low - 1e-9 <= metric.difference && metric.difference <= interval.high + 1e-9 || metric.name == Metric::Ece, "{metric:?}");
    }
    // The first kept row says what the table has there.
    let text = std::fs::read_to_string(data("payment-fraud", "new.csv")).unwrap();
    let line = text.lines().nth(rows[0].row as usize).unwrap();
    assert_eq!(rows[0].cells.join(","), line.rsplit_once(',').unwrap().0);
    assert_eq!(rows[0].truth.as_deref(), line.rsplit_once(',').map(|(_, truth)| truth));
    let written = std::fs::read_to_string(&changed).unwrap();
    assert_eq!(written.lines().count(), 21);
    assert!(written.starts_with("row,flips,prediction_a,prediction_b,change,truth,payment_id,amount,"), "{written}");
    for key in ["rows", "agreement", "metrics", "changed"] {
        assert!(report.to_json().contains_key(key), "{key}");
    }
}

#[test]
fn windows_and_arms_add_up() {
    let table = data("payment-fraud", "drifted.csv");
    let wanted = CompareRequest {
        window: Some(Window::Rows(100)),
        split: Some(Split { share: 0.25, column: None }),
        ..request(&["payment-fraud", "payment-fraud-v2"], table)
    };
    let report = compared(wanted.clone());
    let windows = report.windows.as_ref().unwrap();
    assert_eq!(windows.windows.iter().map(|window| window.rows).sum::<u64>(), report.rows);
    let changed: f64 = windows.windows.iter().map(|window| window.changed_share[0] * window.rows as f64).sum();
    assert!((changed - report.pairs[0].changed.n_changed as f64).abs() < 1e-6);
    let split = report.split.as_ref().unwrap();
    assert_eq!(split.arms.iter().map(|arm| arm.rows).sum::<u64>(), report.rows);
    assert!((split.arms[1].share - 0.25).abs() < 0.08, "{}", split.arms[1].share);
    // The same rows go the same way again.
    assert_eq!(compared(wanted).split, report.split);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let message = failure(Command::Compare(request(&["payment-fraud", "diabetes"], data("payment-fraud", "new.csv"))));
    assert!(message.contains("classification") && message.contains("regression"), "{message}");
    let message = failure(Command::Compare(request(&["wine", "payment-fraud"], data("wine", "new.csv"))));
    assert!(message.contains("payment-fraud") && message.contains("missing"), "{message}");
    let wrong = CompareRequest { time: Some("when".to_owned()), ..request(&["wine", "wine"], data("wine", "new.csv")) };
    assert!(failure(Command::Compare(wrong)).contains("no column 'when'"));
}

#[test]
fn the_gate_passes_fails_and_leaves_open() {
    let budgets = Budgets {
        max_size_bytes: Some(100_000_000),
        min_agreement: Some(0.5),
        min_metrics: vec![(Metric::Accuracy, 0.5)],
        max_drops: vec![(Metric::F1, 0.9)],
        ..Budgets::default()
    };
    let wanted = CheckRequest {
        model: model("payment-fraud-v2"),
        against: Some(model("payment-fraud")),
        data: Some(data("payment-fraud", "new.csv")),
        budgets: budgets.clone(),
        ..CheckRequest::default()
    };
    let report = checked(wanted.clone());
    assert_eq!((report.verdict, report.passes), (Verdict::Pass, true), "{:?}", report.conditions);
    assert!(report.conditions.iter().all(|condition| condition.margin().is_some_and(|margin| margin >= 0.0)));

    let too_small = Budgets { max_size_bytes: Some(10), ..budgets.clone() };
    let report = checked(CheckRequest { budgets: too_small, ..wanted.clone() });
    assert_eq!((report.verdict, report.passes), (Verdict::Fail, false));
    let size = report.conditions.iter().find(|condition| condition.name == "size").unwrap();
    assert_eq!((size.pass, size.limit), (Some(false), 10.0));

    // A version that asks for other columns can't quietly take the other's place.
    let none = Budgets { max_contract_changes: Some(0), ..Budgets::default() };
    let other = CheckRequest { data: None, budgets: none, ..wanted.clone() };
    let report = checked(other.clone());
    let changes = report.conditions.iter().find(|condition| condition.name == "contract_changes").unwrap();
    assert_eq!((report.verdict, changes.pass), (Verdict::Fail, Some(false)));
    assert!(changes.reason.as_ref().is_some_and(|reason| reason.contains("it needs the column 'hour'")), "{:?}", changes.reason);
    // Alone it can't be judged, and is not passed over.
    let alone = checked(CheckRequest { against: None, ..other.clone() });
    assert_eq!(alone.verdict, Verdict::NotJudged, "{:?}", alone.conditions);
    let report = checked(CheckRequest { budgets: Budgets::default(), ..other });
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.notes.iter().any(|note| note.contains("--max-contract-changes 0")), "{:?}", report.notes);

    // Without another version and without rows there is nothing to judge agreement by: never a pass, and a failure where one is strict.
    let alone = CheckRequest { against: None, data: None, ..wanted };
    let report = checked(alone.clone());
    assert_eq!((report.verdict, report.passes), (Verdict::NotJudged, true));
    assert!(!checked(CheckRequest { is_strict: true, ..alone }).passes);
}

#[test]
fn files_differ_in_what_was_changed() {
    let same = diffed("digits", "digits");
    assert!(same.is_same && same.nodes.is_empty() && same.weights.is_empty(), "{same:?}");
    assert!(same.nodes_unchanged > 0);
    let report = diffed("payment-fraud", "payment-fraud-v2");
    assert!(!report.is_same);
    assert!(!report.nodes.is_empty(), "the trees differ: {report:?}");
}
